"""People who use the `friends` dialect, with ordinary clients."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import websockets.asyncio.client
import websockets.sync.client

from support.people import PASSWORD, Chat, Person
from support.server import Server

FRIENDSHIP = "/api/users/friendship/"
POST_MESSAGE = "/api/messages/friendship/"
POST_SEEN = "/api/messages/friendship/notification/seen/"
PROFILE_KEYS = {"id", "username", "email", "first_name", "last_name", "personal_image"}
STATUS_KEYS = {"id", "message", "is_received", "is_seen", "receiver", "updated_at"}
MESSAGE_KEYS = {"id", "sender", "created_at", "content", "media", "friendship"}
USER_KEYS = {"id", "personal_image", "username", "first_name", "last_name", "email"}


def history_path(friendship: str) -> str:
    """Where the messages of a friendship are read."""
    return f"/api/messages/status/friendship/{friendship}/messages/"


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


class Friend:
    """One account, and one session of it once it is signed in."""

    def __init__(self, server: Server, name: str, email: str | None = None, password: str = PASSWORD) -> None:
        self.server = server
        self.name = name
        self.email = email or f"{name}@example.org"
        self.password = password
        self.id = self.access = self.refresh = ""

    # signing in

    def sign_up(self, picture: bytes | None = None, **more: str) -> "Friend":
        """Makes the account, as multipart as the document shows, which signs it in too."""
        fields = {"username": self.name, "password": self.password, "email": self.email} | more
        parts: dict[str, Any] = {key: (None, value) for key, value in fields.items()}
        if picture is not None:
            parts["personal_image"] = ("me.png", picture, "image/png")
        answer = self.server.http.post("/api/users/signup/", files=parts)
        assert answer.status_code == 201, answer.text
        return self.take(answer.json())

    def try_login(self, **more: Any) -> httpx.Response:
        """One attempt to sign in."""
        body = {"username": self.name, "password": self.password} | more
        return self.server.http.post("/api/users/login/", json=body)

    def login(self) -> "Friend":
        """Signs in: a new session."""
        answer = self.try_login()
        assert answer.status_code == 200, answer.text
        return self.take(answer.json())

    def take(self, tokens: dict[str, str]) -> "Friend":
        """Keeps the tokens of a sign-in's answer, and looks up who that is."""
        assert set(tokens) >= {"access", "refresh"}, tokens
        self.access, self.refresh = tokens["access"], tokens["refresh"]
        # Once is enough: where access tokens live for two seconds, nothing needless comes after a sign-in.
        self.id = self.id or self.get("/api/users/profile/")["id"]
        return self

    def again(self) -> "Friend":
        """The same account in another session: another device."""
        other = Friend(self.server, self.name, self.email, self.password)
        other.id = self.id
        return other.login()

    def in_messenger(self) -> Person:
        """The same account, signed in through the `messenger` dialect."""
        return Person(self.server, self.name, self.email, self.password).login()

    # HTTP

    def ask(self, method: str, path: str, access: str | None = None, **more: Any) -> httpx.Response:
        """One request, with `Authorization: Bearer …` (`access=""`: without)."""
        access = self.access if access is None else access
        headers = (bearer(access) if access else {}) | dict(more.pop("headers", {}))
        return self.server.http.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """GET that must be answered with 200; its JSON."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """POST that must be answered with that status; its JSON."""
        if body is not None:
            more["json"] = body
        answer = self.ask("POST", path, **more)
        assert answer.status_code == status, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    # friendships

    def request(self, other: "Friend", status: str = "accepted") -> dict[str, Any]:
        """Asks for a friendship; it as the asker sees it."""
        return self.post(FRIENDSHIP, {"to_user": other.id, "status": status}, status=201)

    def set_status(self, friendship: str, status: str) -> dict[str, Any]:
        """Sets the own side of a friendship; it as this person sees it."""
        answer = self.ask("PATCH", FRIENDSHIP, json={"friendship_id": friendship, "status": status})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def befriend(self, other: "Friend") -> str:
        """A friendship that both sides accepted; its id, which is the channel too."""
        friendship = self.request(other)["id"]
        other.set_status(friendship, "accepted")
        return friendship

    # messages

    def send(self, channel: str, text: str, **more: str) -> dict[str, Any]:
        """Sends a message over HTTP; its status object."""
        return self.post(POST_MESSAGE, {"channel": channel, "content": text} | more, status=201)["data"]

    def history(self, friendship: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of the history, one after another, as the server links them."""
        rows: list[dict[str, Any]] = []
        answer = self.get(history_path(friendship), params={"page_size": 100} | query)
        while True:
            rows += answer["results"]
            if answer["next"] is None:
                assert answer["count"] == len(rows)
                return rows
            answer = self.get(answer["next"])

    # WebSocket

    def _handshake(self, query: str, headers: dict[str, str] | None, path: str) -> dict[str, Any]:
        if headers is None:
            headers = bearer(self.access) | {"refresh": self.refresh}
        return {
            "uri": self.server.socket_url + path + query,
            "additional_headers": headers,
            "open_timeout": 60,
            "max_size": None,
            "proxy": None,
        }

    @contextmanager
    def socket(
        self, query: str = "", headers: dict[str, str] | None = None, path: str = "/ws/messages/"
    ) -> Iterator["Line"]:
        """The socket of all friendships, for tests that do one thing after another."""
        with websockets.sync.client.connect(**self._handshake(query, headers, path)) as connection:
            yield Line(connection)

    def socket_async(
        self, query: str = "", headers: dict[str, str] | None = None, path: str = "/ws/messages/"
    ) -> websockets.asyncio.client.connect:
        """The same socket, for tests that do many things at once."""
        handshake = self._handshake(query, headers, path)
        # Without a limit to what waits in the client: with one, a client that goes away with frames unread
        # does not read the server's close frame either, and waits for it in vain.
        return websockets.asyncio.client.connect(**handshake, compression=None, ping_interval=None, max_queue=None)


class Line(Chat):
    """An open socket of all friendships of a person."""

    def say(self, channel: str, text: str, **more: Any) -> None:  # type: ignore[override]
        """Sends a message."""
        self.raw(said(channel, text, **more))

    def seen(self, channel: str, message: str) -> None:
        """Says that a message was seen."""
        self.raw(seen(channel, message))

    def message(self) -> dict[str, Any]:
        """The next frame, which must be a message; its status object."""
        return message_in(self.frame())

    def receipt(self) -> dict[str, Any]:
        """The next frame, which must be a receipt; its status object."""
        return receipt_in(self.frame())

    def friendship(self) -> dict[str, Any]:
        """The next frame, which must tell of a friendship; it."""
        frame = self.frame()
        assert frame["type"] == "frienship_message", frame
        return frame["friendship"]

    def error(self) -> str:
        """The next frame, which must be an error; its text."""
        frame = self.frame()
        assert list(frame) == ["error"] and isinstance(frame["error"], str), frame
        return frame["error"]


def said(channel: str, text: str, **more: Any) -> str:
    """The frame that sends a message."""
    return json.dumps({"type": "friendship", "channel": channel, "payload": text} | more)


def seen(channel: str, message: str) -> str:
    """The frame that says that a message was seen."""
    return json.dumps({"type": "friendship_notification_seen", "channel": channel, "message": message})


def message_in(frame: dict[str, Any]) -> dict[str, Any]:
    """The status object of a frame that must be a message."""
    assert frame.get("type") == "friendship_message", frame
    return checked(frame["message"])


def receipt_in(frame: dict[str, Any]) -> dict[str, Any]:
    """The status object of a frame that must be a receipt."""
    assert frame.get("type") == "chat_friendship_notification", frame
    return checked(frame["message"])


def checked(status: dict[str, Any]) -> dict[str, Any]:
    """A status object, after a look at its keys."""
    assert set(status) >= STATUS_KEYS and set(status["message"]) >= MESSAGE_KEYS, status
    return status


def flags(status: dict[str, Any]) -> tuple[bool, bool]:
    """Received, seen."""
    return status["is_received"], status["is_seen"]


def friends(server: Server, *names: str) -> list[Friend]:
    """New accounts of those names, each signed in."""
    return [Friend(server, name).sign_up() for name in names]
