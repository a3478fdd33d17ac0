// npm's ws: each socket is in one room, and what is said there goes to all of its sockets.
//
//   node ws.mjs PORT relay            passes messages on and stores nothing
//   node ws.mjs PORT durable FOLDER   stores each in that folder, synced, before anyone is told of it
//   node ws.mjs PORT durable-each FOLDER   the same, in a transaction of its own
//
// `/ws/ROOM?token=TOKEN`; in: {"message": text}; out: the message.

import { WebSocketServer } from "ws";

import { http, people, Relay, serve, verify, written } from "./people.mjs";
import { plainStoreFor, storeFor } from "./store.mjs";

const [port, mode, folder] = process.argv.slice(2);
const stores = { durable: storeFor, "durable-each": plainStoreFor };
const store = stores[mode]?.(folder) ?? new Relay();
const rooms = new Map(); // by id: the open sockets
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });

http.on("upgrade", (request, connection, head) => {
  const [room, user] = admit(request.url);
  if (user === undefined) return connection.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  server.handleUpgrade(request, connection, head, (socket) => enter(socket, room, user));
});

// The room and the person, if this person may enter it.
function admit(path) {
  try {
    const url = new URL(path, "http://localhost");
    const room = Number(url.pathname.split("/")[2]);
    const user = verify(url.searchParams.get("token"));
    return people[user - 1].rooms.includes(room) ? [room, user] : [];
  } catch {
    return [];
  }
}

function enter(socket, room, user) {
  const here = rooms.get(room) ?? new Set();
  rooms.set(room, here.add(socket));
  socket.on("close", () => here.delete(socket));
  socket.on("error", () => socket.terminate());
  socket.on("message", (frame) => {
    const message = written(room, user, JSON.parse(frame).message);
    store.add(message, (id) => {
      message.id = id;
      // Encoded once for all.
      const text = Buffer.from(JSON.stringify(message));
      for (const each of here) each.send(text, { binary: false });
    });
  });
}

serve(port);
