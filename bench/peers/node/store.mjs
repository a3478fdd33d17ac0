// Messages in SQLite. All that arrive in one turn of the event loop share one transaction, and nobody is told before
// its commit has been synced.

import { join } from "node:path";

import Database from "better-sqlite3";

// Makes or opens the database in a folder.
export const storeFor = (folder) => new Store(join(folder, "messages.sqlite"));

class Store {
  #waiting = [];

  constructor(file) {
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
    const insert = database.prepare(
      "INSERT INTO message (room, user, text, image, timestamp) VALUES (?, ?, ?, ?, ?)",
    );
    this.commit = database.transaction((batch) =>
      batch.map(
        ({ message: { room, user, text, image, timestamp } }) =>
          insert.run(room, user, text, image, timestamp).lastInsertRowid,
      ),
    );
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
