// Messages in SQLite. Nobody is told before the commit has been synced.

import { join } from "node:path";

import Database from "better-sqlite3";

// Makes or opens the database in a folder.
export function storeFor(folder) {
  const [database, insert] = open(join(folder, "messages.sqlite"));
  return new Store(database, insert);
}

// The same, with a transaction for each message.
export function plainStoreFor(folder) {
  const [, insert] = open(join(folder, "messages.sqlite"));
  return { add: (message, stored) => stored(insert(message)) };
}

// The database, and what inserts a message and gives its id.
function open(file) {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec(`
    CREATE TABLE IF NOT EXISTS message (
      id INTEGER PRIMARY KEY AUTOINCREMENT, room INTEGER NOT NULL, user INTEGER NOT NULL,
      text TEXT NOT NULL, image TEXT NOT NULL, timestamp TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS message_room ON message (room, id);
  `);
  const statement = database.prepare(
    "INSERT INTO message (room, user, text, image, timestamp) VALUES (?, ?, ?, ?, ?)",
  );
  const insert = ({ room, user, text, image, timestamp }) =>
    statement.run(room, user, text, image, timestamp).lastInsertRowid;
  return [database, insert];
}

// All that arrive in one turn of the event loop share one transaction.
class Store {
  #waiting = [];

  constructor(database, insert) {
    this.commit = database.transaction((batch) => batch.map(({ message }) => insert(message)));
  }

  // Stores a message with the others of this turn; then calls `stored` with its id.
  add(message, stored) {
    this.#waiting.push({ message, stored });
    if (this.#waiting.length === 1) setImmediate(() => this.#flush());
  }

  #flush() {
    const batch = this.#waiting;
    this.#waiting = [];
    const ids = this.commit(batch);
    batch.forEach(({ stored }, place) => stored(ids[place]));
  }
}
