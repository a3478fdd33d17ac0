// People, their rooms, and the HTTP by which the measurement makes both before it begins.

import { createServer } from "node:http";

import jwt from "jsonwebtoken";

const KEY = "a key for measurements alone, long enough to be taken";

export const people = []; // by id - 1: the ids of their rooms, and how many sockets they have
let rooms = 0;

// The id of the person whose token this is; throws when it is nobody's.
export const verify = (token) => jwt.verify(token ?? "", KEY).user_id;

// `POST /people` makes somebody, `POST /rooms` a room for `{"people": [ids]}`.
export const http = createServer(async (request, response) => {
  const body = await read(request);
  const [status, answer] = route(`${request.method} ${request.url}`, body);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
});

function route(what, body) {
  switch (what) {
    case "POST /people": {
      const id = people.push({ rooms: [], sockets: 0 });
      return [201, { id, access: jwt.sign({ user_id: id }, KEY, { expiresIn: "6h" }) }];
    }
    case "POST /rooms": {
      const id = ++rooms;
      for (const person of body.people) people[person - 1].rooms.push(id);
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

// A message as everyone is told it.
export function written(room, user, text) {
  const timestamp = new Date().toISOString().replace("Z", "000Z");
  return { id: 0, text, image: "", seen: false, timestamp, room, user };
}

// Gives messages their ids when nothing is stored.
export class Relay {
  #last = 0;

  add(message, stored) {
    stored(++this.#last);
  }
}

// Listens; garbage is collected when asked for, before memory is read (with --expose-gc).
export function serve(port) {
  process.on("SIGUSR2", () => globalThis.gc?.());
  process.on("SIGTERM", () => process.exit(0));
  http.listen(Number(port), "127.0.0.1", 4096);
}
