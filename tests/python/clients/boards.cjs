// socket.io-client 4 or 2 with dashboards: node boards.cjs MODULE URL websocket|polling|upgrade TOKENS
// TOKENS is JSON: `access`, `refresh`, `opaque` and `key` of one account, `stranger`, a key of another.
// Ends with status 0 when all was well.
const assert = require("node:assert/strict");
const [module_folder, url, mode, tokens_text] = process.argv.slice(2);
const connect = require(module_folder);
const { version } = require(`${module_folder}/package.json`);
const io = connect.io || connect;
const is_old = version.startsWith("2.");
const tokens = JSON.parse(tokens_text);

const transports = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] }[mode];
const EVENTS = ["message", "widget", "connect", "disconnect", "connect_error", "error"];
const NOTE = { widget_tag: "note", widget_x: 9, widget_y: 8, widget_size_x: 9, widget_size_y: 8 };
const envelope = (code, message) => ({ data: { message }, code, request_id: "" });
const headers = (Authorization) => {
  const extraHeaders = { Authorization };
  return is_old
    ? { transportOptions: { polling: { extraHeaders }, websocket: { extraHeaders } } }
    : { extraHeaders };
};

/** Keeps what a socket hears, in order. */
function listen(made) {
  const heard = [];
  let wake = () => {};
  for (const name of EVENTS) made.on(name, (payload) => wake(heard.push([name, payload])));
  return {
    made,
    heard,
    /** What comes next. */
    async next() {
      while (heard.length === 0) await new Promise((resolve) => (wake = resolve));
      return heard.shift();
    },
    /** Emits an event; its answer, which has to come as ack and as `message`, and nothing else with it. */
    async ask(...event) {
      const ack = await new Promise((resolve) => made.emit(...event, resolve));
      assert.deepEqual(await this.next(), ["message", ack]);
      return ack;
    },
    async is_in() {
      assert.deepEqual(await this.next(), ["connect", undefined]);
      assert.deepEqual(await this.next(), ["message", "connected"]);
    },
  };
}

/** A dashboard with a connection of its own. */
const dashboard = (credentials, path = "/widget") =>
  listen(io(url + path, { transports, forceNew: true, reconnection: false, ...credentials }));

/** A dashboard that shows its token in each client's usual way. */
const with_token = (token) => dashboard(is_old ? { query: { token } } : { auth: { token } });

async function every_place_of_a_credential() {
  const places = [headers(`Bearer ${tokens.access}`), headers(`token ${tokens.opaque}`)];
  places.push({ query: { token: tokens.key } });
  if (!is_old) {
    places.push({ auth: { access: tokens.access } }, { auth: { Authorization: `Bearer ${tokens.access}` } });
    places.push({ auth: (tell) => tell({ access_token: tokens.opaque }) });
  }
  for (const credentials of places) {
    const board = dashboard(credentials);
    await board.is_in();
    board.made.close();
  }
  if (is_old) {
    const board = dashboard({}, `/widget?token=${tokens.access}`);
    await board.is_in();
    board.made.close();
  }
}

async function the_documents_story() {
  const [board, other, stranger] = [tokens.access, tokens.key, tokens.stranger].map(with_token);
  for (const one of [board, other, stranger]) await one.is_in();
  if (mode === "upgrade") {
    while (board.made.io.engine.transport.name !== "websocket") {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  assert.equal(board.made.io.engine.transport.name, mode === "polling" ? "polling" : "websocket");

  assert.deepEqual(await board.ask("get_all_widgets"), []);
  const posted = await board.ask("post_widget", NOTE);
  assert.deepEqual(Object.keys(posted), [...Object.keys(NOTE), "uuid"]);
  assert.deepEqual(posted, { ...NOTE, uuid: posted.uuid });
  assert.deepEqual(await other.next(), ["widget", { action: "created", widget: posted }]);
  const changed = { ...NOTE, widget_tag: "é🙂", widget_x: -5 };
  const update = { ...changed, widget_x: "-5", uuid: posted.uuid.replaceAll("-", "") };
  assert.deepEqual(await board.ask("update_widget", update), changed);
  const shown = { ...changed, uuid: posted.uuid };
  assert.deepEqual(await other.next(), ["widget", { action: "updated", widget: shown }]);
  assert.deepEqual(await other.ask("get_all_widgets", "any", { thing: 1 }), [shown]);

  const not_found = envelope(404, "Widget not found");
  for (const [event, answer] of [
    [["update_widget", NOTE], envelope(400, "uuid: This field is required.")],
    [["post_widget", { ...NOTE, widget_x: 9.5 }], envelope(400, "widget_x: A valid integer is required.")],
    [["post_widget"], envelope(400, "Invalid data. Expected a dictionary.")],
    [["post_widget", { ...NOTE, widget_tag: "\ud800" }], envelope(400, "Invalid data. Expected a dictionary.")],
    [["post_widget", Buffer.from([1, 2])], envelope(400, "Invalid data. Expected a dictionary.")],
    [["post_widget", { ...NOTE, widget_x: Buffer.from([1]) }], envelope(400, "Invalid data. Expected a dictionary.")],
    [["delete_widget", { uuid: "x" }], envelope(400, "uuid: Must be a valid UUID.")],
    [["delete_widget", { uuid: "36c174202eee40efa9ced38f2a0a6ec8" }], not_found],
  ]) {
    assert.deepEqual(await board.ask(...event), answer);
  }
  assert.deepEqual(await stranger.ask("delete_widget", { uuid: posted.uuid }), not_found);
  assert.deepEqual(await stranger.ask("update_widget", update), not_found);
  assert.deepEqual(await stranger.ask("get_all_widgets"), []);
  const unknown = await new Promise((resolve) => board.made.emit("nonsense", 1, resolve));
  assert.deepEqual(unknown, envelope(400, "Unknown event"));

  // Many without waiting are done in their order.
  const asked = [];
  for (let x = 0; x < 30; x += 1) {
    asked.push(new Promise((resolve) => board.made.emit("post_widget", { ...NOTE, widget_x: x }, resolve)));
  }
  const made = await Promise.all(asked);
  for (const widget of made) {
    assert.deepEqual(await board.next(), ["message", widget]);
    assert.deepEqual(await other.next(), ["widget", { action: "created", widget }]);
  }
  assert.deepEqual(await other.ask("get_all_widgets"), [shown, ...made]);
  for (const widget of [shown, ...made]) {
    assert.equal(await board.ask("delete_widget", { widget_uuid: widget.uuid }), "widget was successfully deleted");
    assert.deepEqual(await other.next(), ["widget", { action: "deleted", widget }]);
  }
  assert.deepEqual([board.heard, other.heard, stranger.heard], [[], [], []]);
  for (const one of [board, other, stranger]) one.made.close();
}

async function refusals() {
  const witness = with_token(tokens.access);
  await witness.is_in();
  const [absent, bad] = [
    "Authorization not found, Please send valid token in headers",
    "Authorization has failed, Please send valid token.",
  ];
  for (const [credentials, why] of [
    [{}, absent],
    [headers("Basic eDp5"), absent],
    [headers("Bearer nonsense"), bad],
    [{ query: { token: tokens.refresh } }, bad],
    ...(is_old ? [] : [[{ auth: { token: 5 } }, bad], [{ auth: { token: "\ud800" } }, bad]]),
  ]) {
    const refused = dashboard(credentials);
    assert.deepEqual(await refused.next(), ["connect", undefined]);
    // Asked before it knows: not answered.
    refused.made.emit("get_all_widgets", () => assert.fail("the refused are served"));
    assert.deepEqual(await refused.next(), ["message", envelope(401, why)]);
    assert.deepEqual(await refused.next(), ["disconnect", "io server disconnect"]);
    assert.equal(refused.made.connected, false);
    assert.deepEqual(await witness.ask("get_all_widgets"), []);
    assert.deepEqual(refused.heard, []);
  }
  const nowhere = dashboard({ query: { token: tokens.access } }, "/nowhere");
  const [name, fault] = await nowhere.next();
  assert.deepEqual([name, is_old ? fault : fault.message], [is_old ? "error" : "connect_error", "Invalid namespace"]);
  nowhere.made.io.engine.close();
  assert.deepEqual(witness.heard, []);
  witness.made.close();
}

async function side_by_side() {
  // Both namespaces over one connection; the one may leave, the other stays.
  const options = { transports, reconnection: false, query: { token: tokens.access } };
  const root = listen(io(url, { ...options, forceNew: true }));
  const board = listen(root.made.io.socket("/widget", { query: { token: tokens.access } }));
  board.made.connect();
  await board.is_in();
  assert.deepEqual(await root.next(), ["connect", undefined]);
  const rooms = await new Promise((resolve) => root.made.emit("rooms", {}, resolve));
  assert.deepEqual(rooms, { rooms: [] });
  assert.deepEqual(await board.ask("get_all_widgets"), []);
  root.made.disconnect();
  assert.deepEqual(await board.ask("get_all_widgets"), []);
  board.made.disconnect();
}

async function reconnecting() {
  const options = { transports, forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 10 };
  const credentials = is_old ? { query: { token: tokens.key } } : { auth: { token: tokens.key } };
  const board = listen(io(`${url}/widget`, { ...options, ...credentials }));
  await board.is_in();
  const posted = await board.ask("post_widget", NOTE);
  for (let round = 0; round < 3; round += 1) {
    board.made.io.engine.close();
    assert.equal((await board.next())[0], "disconnect");
    await board.is_in();
    assert.deepEqual(await board.ask("get_all_widgets"), [posted]);
  }
  await board.ask("delete_widget", posted);
  assert.deepEqual(board.heard, []);
  board.made.close();
}

/** Dashboards that make their picture of acks and `widget` events, and change the same widgets at once. */
async function pictures() {
  const make = () => {
    const board = with_token(tokens.key);
    const picture = { board, widgets: new Map() };
    board.made.on("widget", ({ action, widget }) => {
      if (action === "deleted") picture.widgets.delete(widget.uuid);
      else picture.widgets.set(widget.uuid, widget);
    });
    const take = (name, argument, answer) => {
      if (answer.code) return;
      if (name === "get_all_widgets") picture.widgets = new Map(answer.map((widget) => [widget.uuid, widget]));
      else if (name === "post_widget") picture.widgets.set(answer.uuid, answer);
      else if (name === "update_widget") picture.widgets.set(argument.uuid, { ...answer, uuid: argument.uuid });
      else picture.widgets.delete(argument.uuid);
    };
    picture.ask = (name, argument) =>
      new Promise((resolve) =>
        board.made.emit(name, argument, (answer) => {
          take(name, argument, answer);
          resolve(answer);
        }),
      );
    return picture;
  };
  const all = [make(), make(), make(), make()];
  for (const { board } of all) await board.is_in();
  const play = async (picture, number) => {
    for (let step = 0; step < 40; step += 1) {
      const fields = { ...NOTE, widget_x: number, widget_y: step };
      const uuid = [...picture.widgets.keys()][step % 3];
      const deed = uuid ? (step * 7 + number) % 5 : 4;
      if (deed < 2) await picture.ask("update_widget", { ...fields, uuid });
      else if (deed === 2) await picture.ask("delete_widget", { uuid });
      else if (deed === 3) await picture.ask("get_all_widgets", null);
      else await picture.ask("post_widget", fields);
    }
  };
  await Promise.all(all.map(play));
  // What others did is on its way by now, before the answer to one more question.
  for (const picture of all) await picture.ask("delete_widget", {});
  const reader = make();
  await reader.board.is_in();
  await reader.ask("get_all_widgets", null);
  assert.ok(reader.widgets.size > 0);
  const shown = ({ widgets }) => Object.fromEntries(widgets);
  for (const picture of all) assert.deepEqual(shown(picture), shown(reader));
  for (const uuid of reader.widgets.keys()) await reader.ask("delete_widget", { uuid });
  for (const { board } of [...all, reader]) board.made.close();
}

async function main() {
  await every_place_of_a_credential();
  await the_documents_story();
  await refusals();
  await pictures();
  await side_by_side();
  await reconnecting();
}

main().then(
  () => process.exit(0),
  (fault) => {
    console.error(fault);
    process.exit(1);
  },
);
