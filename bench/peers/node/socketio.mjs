// npm's socket.io, with the events that the measurement uses: those of document 003.
//
//   node socketio.mjs PORT relay            passes messages on and stores nothing
//   node socketio.mjs PORT durable FOLDER   stores each in that folder, synced, before anyone is told of it

import { Server } from "socket.io";

import { http, people, Relay, serve, verify, written } from "./people.mjs";
import { storeFor } from "./store.mjs";

const [port, mode, folder] = process.argv.slice(2);
const store = mode === "durable" ? storeFor(folder) : new Relay();
const io = new Server(http, { serveClient: false });

// As the documentation advises where memory counts: the first request of each connection is let go.
io.engine.on("connection", (connection) => {
  connection.request = null;
});

io.use((socket, next) => {
  try {
    socket.data.user = verify(socket.handshake.auth.access_token);
    next();
  } catch {
    next(new Error("Given token not valid for any token type"));
  }
});

const place = (room) => `room:${room}`;

io.on("connection", (socket) => {
  const user = socket.data.user;
  const person = people[user - 1];
  const places = person.rooms.map(place);
  socket.join(places);
  person.sockets += 1;
  if (person.sockets === 1) socket.to(places).emit("online", { user });

  socket.on("disconnect", () => {
    person.sockets -= 1;
    if (person.sockets === 0) io.to(places).emit("offline", { user });
  });

  socket.on("message", (data, ack) => {
    if (!person.rooms.includes(data?.room) || typeof data.text !== "string") {
      const error = { message: "You do not have permission to perform this action." };
      socket.emit("error", error);
      ack?.(error);
      return;
    }
    const message = written(data.room, user, data.text);
    store.add(message, (id) => {
      message.id = id;
      io.to(place(data.room)).emit("message", message);
      ack?.(message);
    });
  });

  // As the measured server answers an event that it does not know: a round trip without any work.
  socket.on("nothing", (_, ack) => ack?.({ message: "Unknown event" }));
});

serve(port);
