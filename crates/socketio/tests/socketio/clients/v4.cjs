// socket.io-client 4 against the toy: node v4.cjs URL websocket|polling|upgrade MODULE
const assert = require("node:assert/strict");
const [url, mode, module_folder] = process.argv.slice(2);
const { io } = require(module_folder);

const transports = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] }[mode];
const options = (more) => ({ transports, forceNew: true, reconnection: false, autoConnect: false, ...more });
const next = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

async function main() {
  // Refused, then let in on the same connection.
  const socket = io(url, options({ auth: { token: "bad" } }));
  const refused = next(socket, "connect_error");
  socket.connect();
  assert.equal((await refused)[0].message, "Not you");
  socket.auth = { token: "ana" };
  let [connected, welcome] = [next(socket, "connect"), next(socket, "welcome")];
  socket.connect();
  await connected;
  assert.deepEqual(await welcome, ["ana"]);
  assert.equal(socket.id.length, 20);

  if (mode === "upgrade") {
    while (socket.io.engine.transport.name !== "websocket") await sleep(10);
  }
  assert.equal(socket.io.engine.transport.name, mode === "polling" ? "polling" : "websocket");

  // Events and acks.
  for (const what of ["é🙂\u0000", 5, { a: [1, null, true] }, "x".repeat(300_000)]) {
    const echo = next(socket, "echo");
    assert.deepEqual(await socket.timeout(20_000).emitWithAck("echo", what), what);
    assert.deepEqual(await echo, [what]);
  }
  assert.equal(await socket.emitWithAck("sum", 1, 2, 39), 42);
  assert.deepEqual(await socket.emitWithAck("nonsense"), { message: "Unknown event" });
  let error = next(socket, "error");
  socket.emit("echo", Buffer.from([1, 2, 3]), [new Uint8Array([4])]);
  assert.deepEqual(await error, [{ message: "Unusable" }]);

  // Many at once come back in order.
  const sums = [];
  for (let n = 0; n < 200; n += 1) sums.push(socket.emitWithAck("sum", n, 1));
  assert.deepEqual(await Promise.all(sums), sums.map((_, n) => n + 1));

  // Others hear.
  const other = io(url, options({ query: { token: "ben" } }));
  welcome = next(other, "welcome");
  other.connect();
  assert.deepEqual(await welcome, ["ben"]);
  const heard = Promise.all([next(socket, "said"), next(other, "said")]);
  assert.equal(await socket.emitWithAck("say", "to all"), "told");
  assert.deepEqual(await heard, [["to all"], ["to all"]]);

  // A second namespace on the same connection.
  const widget = socket.io.socket("/widget", { auth: { token: "ana" } });
  let message = next(widget, "message");
  widget.connect();
  assert.deepEqual(await message, ["connected"]);
  message = next(widget, "message");
  assert.deepEqual(await widget.emitWithAck("get"), []);
  assert.deepEqual(await message, [[]]);
  const nowhere = socket.io.socket("/nowhere");
  const invalid = next(nowhere, "connect_error");
  nowhere.connect();
  assert.equal((await invalid)[0].message, "Invalid namespace");

  // Let in, told why not, shown out; the header decides before the payload.
  const extraHeaders = { Authorization: "Bearer bad" };
  const out = io(url + "/widget", options({ extraHeaders }));
  const story = [];
  out.onAny((...event) => story.push(event));
  out.on("connect", () => story.push("connect"));
  const disconnected = next(out, "disconnect");
  out.connect();
  assert.equal((await disconnected)[0], "io server disconnect");
  const refusal = { data: { message: "Not you" }, code: 401, request_id: "" };
  assert.deepEqual(story, ["connect", ["message", refusal]]);

  // The session ends.
  const [ended, widget_ended] = [next(socket, "disconnect"), next(widget, "disconnect")];
  socket.emit("end");
  assert.equal((await ended)[0], "io server disconnect");
  assert.equal((await widget_ended)[0], "io server disconnect");
  other.disconnect();
}

main().then(() => process.exit(0), (fault) => { console.error(fault); process.exit(1); });
