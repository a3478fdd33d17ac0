// The home page: rooms and what is said in them. Reads over HTTP, acts and hears over Socket.IO (protocol 5 on a WebSocket).
"use strict";

const { id, role, room: chosen } = document.body.dataset;
const me = Number(id);
let { access, refresh } = document.body.dataset;
const find = (name) => document.getElementById(name);
const rooms = new Map();
const online = new Set();
let shown = chosen ? Number(chosen) : null;
let messages = [];
let socket = null;
let live = false;
let retry = 1;
let acks = new Map();
/** How often a room was heard to change. */
let changes = 0;
let nextAck = 0;

/** A request with the access token; once more with a new one where it has expired. */
async function ask(path, options = {}, again = true) {
  const headers = { ...options.headers, Authorization: `Bearer ${access}` };
  const answer = await fetch(path, { ...options, headers, credentials: "omit" });
  if (answer.status === 401 && again) {
    await renew();
    return ask(path, options, false);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || Object.values(body).flat().join(" "));
  return body;
}

async function renew() {
  const body = JSON.stringify({ refresh });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/token/refresh/", { method: "POST", body, headers, credentials: "omit" });
  if (!answer.ok) {
    location.assign("/login/?next=/");
    throw new Error("Please sign in again.");
  }
  const tokens = await answer.json();
  access = tokens.access;
  refresh = tokens.refresh || refresh;
}

const post = (path, value) => ask(path, { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

async function upload(input) {
  if (!input.files.length) return "";
  const body = new FormData();
  body.append("image", input.files[0]);
  return (await ask("/api/upload/", { method: "POST", body })).image;
}

function tell(problem) {
  const place = find("problem");
  place.textContent = problem || "";
  place.hidden = !problem;
}

/** Does it, and shows what went wrong. */
const trying = (deed) => async (event) => {
  event?.preventDefault();
  tell("");
  try {
    await deed(event);
  } catch (problem) {
    tell(problem.message);
  }
};

// The socket.

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
  socket.onmessage = ({ data }) => packet(data);
  socket.onclose = lost;
}

function packet(data) {
  if (data[0] === "0") socket.send(`40${JSON.stringify({ access_token: access, id: me })}`);
  else if (data[0] === "2") socket.send("3");
  else if (data.startsWith("40")) joined();
  else if (data.startsWith("44")) renew().then(() => socket.close(), () => {});
  else if (data.startsWith("41")) socket.close();
  else if (data.startsWith("42")) heard(...JSON.parse(data.slice(data.indexOf("["))));
  else if (data.startsWith("43")) {
    const [, number, rest] = /^43(\d+)(.*)$/s.exec(data);
    acks.get(number)?.(JSON.parse(rest)[0]);
    acks.delete(number);
  }
}

function joined() {
  live = true;
  retry = 1;
  online.clear();
  linked("Live");
  trying(load)();
}

/** Says how the connection is. */
function linked(state) {
  find("link").textContent = state;
  find("link").classList.toggle("live", live);
  find("link").hidden = false;
}

function lost() {
  live = false;
  for (const done of acks.values()) done({ message: "The connection was lost." });
  acks.clear();
  linked("Connecting …");
  setTimeout(connect, 500 * retry);
  retry = Math.min(retry * 2, 32);
}

/** Emits an event, and waits for its ack. */
function emit(name, data) {
  return new Promise((done, fail) => {
    if (!live) return fail(new Error("There is no connection."));
    const number = String(nextAck++);
    acks.set(number, (answer) => (answer && answer.message && !answer.id ? fail(new Error(answer.message)) : done(answer)));
    socket.send(`42${number}${JSON.stringify([name, data])}`);
  });
}

function heard(name, data) {
  const room = rooms.get(data.room);
  if (["new_room", "room_joined", "room_closed"].includes(name)) changes += 1;
  if (name === "message") said(data);
  else if (name === "online") online.add(data.user);
  else if (name === "offline") online.delete(data.user);
  else if (name === "new_room") rooms.set(data.id, data);
  else if (name === "room_closed" && room) room.status = data.status;
  else if (name === "seen" && data.room === shown) {
    for (const message of messages) if (message.user === data.user) message.seen = true;
    drawMessages();
  } else if (name === "room_joined") {
    if (room) Object.assign(room, { teacher: data.teacher, status: data.status });
    trying(load)();
  }
  draw();
}

function said(message) {
  if (!rooms.has(message.room)) return trying(load)();
  if (message.room !== shown || messages.some((known) => known.id === message.id)) return;
  messages.push(message);
  drawMessages();
  saw();
}

/** Tells that what the other side wrote is seen. */
function saw() {
  const unseen = messages.some((message) => message.user !== me && !message.seen);
  if (unseen && live && rooms.get(shown)?.status !== "closed") emit("seen", { room: shown }).catch(() => {});
}

// What is shown.

async function load() {
  let before, list;
  do {
    before = changes;
    list = await ask("/api/room/?limit=200");
    // What was heard meanwhile may be newer than what was read.
  } while (before !== changes);
  rooms.clear();
  // One that was chosen may be older than those.
  if (shown !== null && !list.some((room) => room.id === shown)) {
    const [found] = await ask(`/api/room/?limit=1&before=${shown + 1}`);
    if (found?.id === shown) list.push(found);
  }
  for (const room of list) rooms.set(room.id, room);
  draw();
  if (shown !== null) await open(shown);
}

async function open(room) {
  // What is shown of the same room stays until it is read again.
  if (shown !== room) messages = [];
  shown = room;
  draw();
  drawMessages();
  if (isMine(rooms.get(room)) || role === "staff") {
    const list = await ask(`/api/${room}/messages/?limit=200`);
    if (shown !== room) return;
    const newest = list[0]?.id ?? 0;
    const later = messages.filter((message) => message.id > newest);
    messages = [...list.reverse(), ...later];
  }
  drawMessages();
  saw();
}

const isMine = (room) => room && (room.student.id === me || room.teacher?.id === me);

const nameOf = (person) => `${person.first_name} ${person.last_name}`.trim() || `#${person.id}`;

const titleOf = (room) => room.text.trim() || `Room ${room.id}`;

const element = (tag, text, kind) => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

function stateOf(room) {
  const other = room.student.id === me ? room.teacher : room.student;
  if (other) return `${room.status} · ${nameOf(other)}${online.has(other.id) ? " (online)" : ""}`;
  return room.status === "active" ? "active · waiting for a teacher" : room.status;
}

function draw() {
  const sorted = [...rooms.values()].sort((one, other) => other.id - one.id);
  find("rooms").replaceChildren(
    ...sorted.map((room) => {
      const entry = element("li", "");
      const link = element("a", "");
      link.href = `/?room=${room.id}`;
      link.append(element("b", titleOf(room).slice(0, 120)), element("small", stateOf(room)));
      if (room.id === shown) link.setAttribute("aria-current", "true");
      link.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        history.pushState(null, "", link.href);
        trying(() => open(room.id))(event);
      };
      entry.append(link);
      return entry;
    }),
  );
  find("none").hidden = sorted.length > 0;
  const room = rooms.get(shown);
  const openHere = room && room.status !== "closed" && isMine(room);
  find("head").hidden = !room;
  find("hint").hidden = Boolean(room);
  find("say").hidden = !openHere;
  find("join").hidden = !(room && role === "teacher" && room.status === "active");
  find("close").hidden = !(openHere && (room.teacher?.id === me || room.status === "active"));
  if (room) {
    find("title").textContent = titleOf(room);
    find("state").textContent = stateOf(room);
  }
}

function toTheEnd() {
  find("messages").scrollTop = find("messages").scrollHeight;
}

/** A picture of this server is shown, one of another is linked to. */
function picture(url) {
  const own = url.startsWith(`${location.origin}/media/`);
  const link = element("a", own ? "" : url);
  Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer" });
  if (own) link.append(Object.assign(document.createElement("img"), { src: url, alt: "Picture", onload: toTheEnd }));
  return link;
}

function drawMessages() {
  const room = rooms.get(shown);
  const entries = messages.map((message) => {
    const entry = element("li", message.text, message.user === me ? "mine" : "");
    if (message.image) entry.append(picture(message.image));
    const seen = message.user === me && message.seen ? " · seen" : "";
    const author = [room?.student, room?.teacher].find((person) => person?.id === message.user);
    const time = element("time", new Date(message.timestamp).toLocaleString([], { dateStyle: "short", timeStyle: "short" }));
    time.dateTime = message.timestamp;
    const about = element("small", author ? `${nameOf(author)} · ` : "");
    about.append(time, seen);
    entry.append(about);
    return entry;
  });
  if (room?.image) entries.unshift(element("li", "", room.student.id === me ? "mine" : ""));
  if (room?.image) entries[0].append(picture(room.image));
  find("messages").replaceChildren(...entries);
  toTheEnd();
}

// What one does.

find("ask")?.addEventListener("submit", trying(async (event) => {
  const form = event.target;
  const image = await upload(form.image);
  const room = await post("/api/room/", { text: form.text.value, image });
  form.reset();
  rooms.set(room.id, room);
  history.pushState(null, "", `/?room=${room.id}`);
  await open(room.id);
  await emit("new_room", { room: room.id });
}));

find("say").addEventListener("submit", trying(async (event) => {
  const form = event.target;
  const image = await upload(form.image);
  await emit("message", { room: shown, text: form.text.value, image });
  form.reset();
}));

find("say").text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    find("say").requestSubmit();
  }
});

addEventListener("popstate", trying(async () => {
  const room = Number(new URLSearchParams(location.search).get("room"));
  if (rooms.has(room)) return open(room);
  shown = null;
  messages = [];
  draw();
  drawMessages();
}));

find("join").addEventListener("click", trying(() => emit("join_room", { room: shown })));
find("close").addEventListener("click", trying(() => emit("close_room", { room: shown })));

find("ask")?.removeAttribute("hidden");
linked("Connecting …");
connect();
