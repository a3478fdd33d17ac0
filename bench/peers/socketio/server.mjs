// A Socket.IO server on Node, with the events that the measurement uses: those of Tertulia's tutoring document.
//
//   node server.mjs PORT relay            relays messages and stores nothing
//   node server.mjs PORT durable FOLDER   stores each message in that folder, synced, before anyone is told of it
//
// SIGUSR2 collects the garbage (with --expose-gc), before memory is read.

import { createServer } from "node:http";
import { join } from "node:path";

import jwt from "jsonwebtoken";
import { Server } from "socket.io";

import { Store } from "./store.mjs";

const KEY = "a key for measurements alone, long enough to be taken";
const UNKNOWN = { message: "Unknown event" };

const [port, mode, folder] = process.argv.slice(2);
if (mode !== "relay" && mode !== "durable") throw new Error("usage: server.mjs PORT relay|durable [FOLDER]");
const store = mode === "durable" ? new Store(join(folder, "messages.sqlite")) : null;

const people = []; // by id - 1: how many sockets, and the rooms
const rooms = []; // by id - 1: who is in it
let messages = 0;

const http = createServer(async (request, response) => {
  const body = await read(request);
  const [status, answer] = route(`${request.method} ${request.url}`, body);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
});

function route(what, body) {
  switch (what) {
    case "POST /people": {
      const id = people.push({ sockets: 0, rooms: [] });
      return [201, { id, access: jwt.sign({ user_id: id }, KEY, { expiresIn: "2h" }) }];
    }
    case "POST /rooms": {
      const id = rooms.push({ people: body.people });
      for (const person of body.people) people[person - 1].rooms.push(`room:${id}`);
      return [201, { id }];
    }
    default:
      return [404, { detail: "Not found." }];
  }
}

async function read(request) {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

const io = new Server(http, { serveClient: false });

// As the documentation advises where memory counts: the first request of each connection is let go.
io.engine.on("connection", (connection) => {
  connection.request = null;
});

io.use((socket, next) => {
  jwt.verify(socket.handshake.auth.access_token ?? "", KEY, (fault, claims) => {
    if (fault) return next(new Error("Given token not valid for any token type"));
    socket.data.user = claims.user_id;
    next();
  });
});

io.on("connection", (socket) => {
  const user = socket.data.user;
  const person = people[user - 1];
  socket.join(person.rooms);
  person.sockets += 1;
  if (person.sockets === 1) socket.to(person.rooms).emit("online", { user });

  socket.on("disconnect", () => {
    person.sockets -= 1;
    if (person.sockets === 0 && person.rooms.length > 0) io.to(person.rooms).emit("offline", { user });
  });

  socket.on("message", (data, ack) => {
    const name = `room:${data?.room}`;
    if (!person.rooms.includes(name) || typeof data.text !== "string") {
      const error = { message: "You do not have permission to perform this action." };
      socket.emit("error", error);
      ack?.(error);
      return;
    }
    const timestamp = new Date().toISOString().replace("Z", "000Z");
    const message = {
      id: 0, text: data.text, image: data.image ?? "", seen: false, timestamp, room: data.room, user,
    };
    const tell = (id) => {
      message.id = id;
      io.to(name).emit("message", message);
      ack?.(message);
    };
    if (store) store.add(message, tell);
    else tell(++messages);
  });

  // As the measured server answers an event that it does not know: a round trip without any work.
  socket.on("nothing", (_, ack) => ack?.(UNKNOWN));
});

process.on("SIGUSR2", () => globalThis.gc?.());
process.on("SIGTERM", () => process.exit(0));

http.listen(Number(port), "127.0.0.1", 4096);
