"""Students and teachers who use the `tutoring` dialect, with python-socketio."""

import base64
import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import socketio
import socketio.exceptions

from support.server import Server
from support.waiting import BOUND

PASSWORD = "trellis-8842-quarry"
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}


class Tutor:
    """One account, made by the command line, and one session of it."""

    def __init__(self, server: Server, name: str, role: str = "student", new: bool = True) -> None:
        self.server, self.name, self.role = server, name, role
        if new:
            about = ["--email", f"{name}@example.org", "--role", role, "--first-name", name.title()]
            made = server.cli("user", "add", name, *about, "--password-stdin", input=PASSWORD + "\n")
            assert made.returncode == 0, made.stderr
        answer = server.http.post("/api/token/", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.access = answer.json()["access"]

    @property
    def id(self) -> int:
        """The account's id, as the access token tells it."""
        claims = self.access.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["user_id"]

    def again(self) -> "Tutor":
        """The same account in another session."""
        return Tutor(self.server, self.name, self.role, new=False)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request with the access token."""
        return self.server.http.request(method, path, headers={"Authorization": f"Bearer {self.access}"}, **more)

    def open_room(self, text: str = "help") -> int:
        """Opens a room; its id."""
        answer = self.ask("POST", "/api/room/", json={"text": text})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def messages(self, room: int) -> list[dict[str, Any]]:
        """The messages of a room, oldest first."""
        answer = self.ask("GET", f"/api/{room}/messages/")
        assert answer.status_code == 200, answer.text
        return answer.json()[::-1]

    @contextmanager
    def socket(self, transport: str = "websocket", auth: Any = None) -> Iterator["Socket"]:
        """An open socket on `/`."""
        socket = Socket(self)
        try:
            socket.connect(transport, {"access_token": self.access} if auth is None else auth)
            yield socket
        finally:
            socket.leave()


class Socket:
    """A python-socketio client that keeps what it hears, in order."""

    def __init__(self, tutor: Tutor) -> None:
        self.tutor = tutor
        self._heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda name, *data: self._heard.put((name, *data)))
        self.client.on("disconnect", lambda *_: self._heard.put(("disconnect", None)))

    def connect(self, transport: str, auth: Any) -> None:
        """Connects, or raises `socketio.exceptions.ConnectionError`."""
        self.client.connect(self.tutor.server.url, auth=auth, transports=TRANSPORTS[transport])

    def ask(self, name: str, data: Any = None) -> Any:
        """Emits an event and waits for its ack."""
        return self.client.call(name, data, timeout=BOUND)

    def say(self, room: int, text: str = "x", **more: Any) -> dict[str, Any]:
        """Sends a message that must be stored; its ack."""
        message = self.ask("message", {"room": room, "text": text, **more})
        assert "id" in message, message
        return message

    def hears(self, name: str) -> Any:
        """What is heard next must be this event; its payload."""
        heard = self._heard.get(timeout=BOUND)
        assert heard[0] == name, heard
        return heard[1]

    def hears_all(self, *names: str) -> dict[str, Any]:
        """The next events must be these, in any order; their payloads by name."""
        heard = dict(self._heard.get(timeout=BOUND) for _ in names)
        assert sorted(heard) == sorted(names), heard
        return heard

    def hears_until(self, name: str) -> Any:
        """The payload of the next such event; others that come before it are dropped."""
        while True:
            heard = self._heard.get(timeout=BOUND)
            if heard[0] == name:
                return heard[1]

    def refuses(self, name: str, data: Any) -> str:
        """The event must fail, with the same payload as event and as ack; its text."""
        ack = self.ask(name, data)
        assert list(ack) == ["message"], ack
        assert self.hears("error") == ack
        return ack["message"]

    def hears_nothing_before(self, room: int) -> None:
        """Says something in an open room of its own, which must be what it hears next."""
        said = self.say(room, "sentinel")
        heard = self.hears("message")
        assert heard == said, heard

    def leave(self) -> None:
        """Closes it."""
        self.client.disconnect()
