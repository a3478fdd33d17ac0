// socket.io-client 2 (Engine.IO 3) against the toy: node v2.cjs URL websocket|polling|upgrade MODULE
const assert = require("node:assert/strict");
const [url, mode, module_folder] = process.argv.slice(2);
const io = require(module_folder);

const transports = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] }[mode];
const options = (more) => ({ transports, forceNew: true, reconnection: false, autoConnect: false, ...more });
const next = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const ack = (socket, ...event) => new Promise((resolve) => socket.emit(...event, resolve));
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

async function main() {
  // Signed in by the query.
  const socket = io(url, options({ query: { token: "ana" } }));
  const [connected, welcome] = [next(socket, "connect"), next(socket, "welcome")];
  socket.connect();
  await connected;
  assert.deepEqual(await welcome, ["ana"]);
  if (mode === "upgrade") {
    while (socket.io.engine.transport.name !== "websocket") await sleep(10);
  }
  assert.equal(socket.io.engine.transport.name, mode === "polling" ? "polling" : "websocket");

  for (const what of ["é🙂\u0000€", 5, { a: [1, null, true] }, "ß".repeat(200_000)]) {
    const echo = next(socket, "echo");
    assert.deepEqual(await ack(socket, "echo", what), what);
    assert.deepEqual(await echo, [what]);
  }
  assert.equal(await ack(socket, "sum", 1, 2, 39), 42);
  assert.deepEqual(await ack(socket, "nonsense"), { message: "Unknown event" });
  let error = next(socket, "error");
  socket.emit("echo", Buffer.from([1, 2, 3]));
  assert.deepEqual(await error, [{ message: "Unusable" }]);
  const sums = [];
  for (let n = 0; n < 200; n += 1) sums.push(ack(socket, "sum", n, 1));
  assert.deepEqual(await Promise.all(sums), sums.map((_, n) => n + 1));

  // By the header; and others hear.
  const headers = { Authorization: "Bearer ben" };
  const transportOptions = { polling: { extraHeaders: headers }, websocket: { extraHeaders: headers } };
  const other = io(url, options({ transportOptions }));
  const hello = next(other, "welcome");
  other.connect();
  assert.deepEqual(await hello, ["ben"]);
  const heard = Promise.all([next(socket, "said"), next(other, "said")]);
  assert.equal(await ack(socket, "say", "to all"), "told");
  assert.deepEqual(await heard, [["to all"], ["to all"]]);

  // A stranger stays in the root, on the way to a namespace that takes it by the namespace's query.
  const stranger = io(url, options());
  const in_root = next(stranger, "connect");
  stranger.connect();
  await in_root;
  error = next(stranger, "error");
  stranger.emit("echo", 1);
  assert.deepEqual(await error, [{ message: "Sign in" }]);
  const widget = stranger.io.socket("/widget", { query: { token: "cleo" } });
  let message = next(widget, "message");
  widget.connect();
  assert.deepEqual(await message, ["connected"]);
  message = next(widget, "message");
  assert.deepEqual(await ack(widget, "get"), []);
  assert.deepEqual(await message, [[]]);

  // Straight to a namespace.
  const straight = io(url + "/widget?token=dan", options());
  message = next(straight, "message");
  straight.connect();
  assert.deepEqual(await message, ["connected"]);

  // Shown out.
  const out = io(url + "/widget", options());
  const story = [];
  out.on("connect", () => story.push("connect"));
  out.on("message", (what) => story.push(what));
  const disconnected = next(out, "disconnect");
  out.connect();
  assert.equal((await disconnected)[0], "io server disconnect");
  assert.deepEqual(story, ["connect", { data: { message: "Not you" }, code: 401, request_id: "" }]);

  const nowhere = io(url + "/nowhere", options());
  error = next(nowhere, "error");
  nowhere.connect();
  assert.deepEqual(await error, ["Invalid namespace"]);

  const ended = next(socket, "disconnect");
  socket.emit("end");
  assert.equal((await ended)[0], "io server disconnect");
}

main().then(() => process.exit(0), (fault) => { console.error(fault); process.exit(1); });
