// socket.io-client 4 or 2 in a room: node tutoring.cjs MODULE URL websocket|polling|upgrade STUDENT TEACHER
// The last two are access tokens. Ends with status 0 when all was well.
const assert = require("node:assert/strict");
const [module_folder, url, mode, student, teacher] = process.argv.slice(2);
const connect = require(module_folder);
const { version } = require(`${module_folder}/package.json`);
const io = connect.io || connect;

const transports = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] }[mode];
const EVENTS = ["room_joined", "room_closed", "message", "online", "offline", "seen", "new_room", "rooms", "error"];

/** A signed-in socket that keeps what it hears. */
function socket(token) {
  const credentials = version.startsWith("2.") ? { query: { access_token: token } } : { auth: { access_token: token } };
  const made = io(url, { transports, forceNew: true, reconnection: false, ...credentials });
  const heard = [];
  let wake = () => {};
  for (const name of EVENTS) made.on(name, (payload) => wake(heard.push([name, payload])));
  const entered = new Promise((resolve, reject) => {
    made.on("connect", resolve);
    for (const name of ["connect_error", "connect_failed"]) made.on(name, reject);
  });
  return {
    made,
    entered,
    ask: (name, data) => new Promise((resolve) => made.emit(name, data, resolve)),
    /** The first of these events that was not handed out yet; waits for it. */
    async hears(name) {
      for (;;) {
        const at = heard.findIndex(([other]) => other === name);
        if (at >= 0) return heard.splice(at, 1)[0][1];
        await new Promise((resolve) => (wake = resolve));
      }
    },
    heard,
  };
}

async function main() {
  const pupil = socket(student);
  const desk = socket(teacher);
  await Promise.all([pupil.entered, desk.entered]);
  const headers = { Authorization: `Bearer ${student}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ text: "¿91?" });
  const opened = await (await fetch(`${url}/api/room/`, { method: "POST", headers, body })).json();
  const room = opened.id;
  assert.deepEqual(await pupil.ask("new_room", { room }), opened);
  assert.deepEqual(await desk.hears("new_room"), opened);
  const joined = await desk.ask("join_room", { room });
  assert.equal(joined.status, "engaged");
  for (const one of [pupil, desk]) assert.deepEqual(await one.hears("room_joined"), joined);
  assert.deepEqual(await pupil.hears("online"), { user: joined.teacher.id });
  assert.deepEqual(await desk.hears("online"), { user: opened.student.id });
  for (const text of ["é🙂", "ß".repeat(4000), 7]) {
    const said = await pupil.ask("message", { room, text });
    assert.equal(said.text, String(text));
    for (const one of [pupil, desk]) assert.deepEqual(await one.hears("message"), said);
  }
  assert.deepEqual(await desk.ask("seen", { room }), { room, user: opened.student.id });
  for (const one of [pupil, desk]) assert.deepEqual(await one.hears("seen"), { room, user: opened.student.id });
  const refused = await pupil.ask("message", { room, text: "x", image: "x" });
  assert.deepEqual(refused, { message: "image: Enter a valid URL." });
  assert.deepEqual(await pupil.hears("error"), refused);
  assert.deepEqual(await desk.ask("close_room", { room }), { status: "closed", room });
  for (const one of [pupil, desk]) assert.deepEqual(await one.hears("room_closed"), { status: "closed", room });
  assert.deepEqual([pupil.heard, desk.heard], [[], []]);
  pupil.made.close();
  desk.made.close();
}

main().then(
  () => process.exit(0),
  (fault) => {
    console.error(fault);
    process.exit(1);
  },
);
