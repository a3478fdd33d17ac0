"""Messages in SQLite. All that arrive while a commit is under way share the next one."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import count


class Relay:
    """Gives messages their ids when nothing is stored."""

    def __init__(self):
        self._ids = count(1)

    async def add(self, message):
        return next(self._ids)


class Store:
    """Answers once a message has been synced."""

    def __init__(self, folder):
        self._thread = ThreadPoolExecutor(1)
        self._waiting = []
        self._writing = None
        self._thread.submit(self._open, folder / "messages.sqlite").result()

    def _open(self, file):
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS message (
                id INTEGER PRIMARY KEY AUTOINCREMENT, room INTEGER NOT NULL, user INTEGER NOT NULL,
                text TEXT NOT NULL, image TEXT NOT NULL, timestamp TEXT NOT NULL
            );
            CREATE INDEX IF NOT EXISTS message_room ON message (room, id);
        """)

    async def add(self, message):
        """Stores a message; its id."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((message, stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await stored

    async def _write(self):
        while self._waiting:
            batch, self._waiting = self._waiting, []
            loop = asyncio.get_running_loop()
            ids = await loop.run_in_executor(self._thread, self._commit, [message for message, _ in batch])
            for (_, stored), number in zip(batch, ids):
                stored.set_result(number)
        self._writing = None

    def _commit(self, messages):
        sql = "INSERT INTO message (room, user, text, image, timestamp) VALUES (?, ?, ?, ?, ?)"
        self._database.execute("BEGIN IMMEDIATE")
        ids = [self._database.execute(sql, message).lastrowid for message in messages]
        self._database.execute("COMMIT")
        return ids
