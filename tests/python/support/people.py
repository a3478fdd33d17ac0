"""People who use the `messenger` dialect, with ordinary clients."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import websockets.asyncio.client
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from support.server import Server

PASSWORD = "popopopo0987"
MESSAGE_KEYS = {"id", "text", "attachment", "timestamp", "realSender", "sender"}


class Person:
    """One account, and one session of it once it is signed in."""

    def __init__(self, server: Server, name: str, email: str | None = None, password: str = PASSWORD) -> None:
        self.server = server
        self.name = name
        self.email = email or f"{name}@example.org"
        self.password = password
        self.token = self.access = self.refresh = ""

    # signing in

    def register(self) -> "Person":
        """Makes the account through the API."""
        answer = self.ask(
            "POST",
            "/auth/registration/",
            token="",
            json={"username": self.name, "email": self.email, "password1": self.password, "password2": self.password},
        )
        assert answer.status_code == 201, answer.text
        return self

    def mailed_code(self) -> str:
        """Asks for a code, and takes it out of the outbox."""
        answer = self.ask("POST", "/twofa/send-code/", token="", json={"username": self.name, "email": self.email})
        assert answer.status_code == 200, answer.text
        return self.server.outbox.next_code(self.email)

    def try_login(self, code: Any) -> httpx.Response:
        """One attempt to sign in with that code."""
        body = {"username": self.name, "code": code, "password": self.password}
        return self.ask("POST", "/auth/login/", token="", json=body)

    def login(self) -> "Person":
        """Signs in: a new session."""
        answer = self.try_login(self.mailed_code())
        assert answer.status_code == 200, answer.text
        return self.take(answer.json())

    def take(self, tokens: dict[str, str]) -> "Person":
        """Keeps the tokens of a sign-in's answer."""
        assert set(tokens) == {"access_token", "refresh_token", "token_auth"}, tokens
        self.access, self.refresh, self.token = tokens["access_token"], tokens["refresh_token"], tokens["token_auth"]
        return self

    def again(self) -> "Person":
        """The same account in another session: another device."""
        return Person(self.server, self.name, self.email, self.password).login()

    # HTTP

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """One request, with `Authorization: Token …` as the document shows (`token=""`: without)."""
        headers = dict(more.pop("headers", {}))
        token = self.token if token is None else token
        if token:
            headers.setdefault("Authorization", f"Token {token}")
        return self.server.http.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """GET that must be answered with 200; its JSON."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        """POST that must be answered with 200; its JSON."""
        if body is not None:
            more["json"] = body
        answer = self.ask("POST", path, **more)
        assert answer.status_code == 200, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def start_conversation(self, other: "Person") -> int:
        """Starts a conversation with someone who is signed in; its id."""
        return self.post("/conversations/start/", {"username": other.name})["conversation_id"]

    def pages(self, conversation: int) -> Iterator[list[dict[str, Any]]]:
        """The history, newest first, a page at a time (one page, unless the server caps it and links to the next)."""
        path: str | None = f"/conversations/{conversation}/"
        while path:
            answer = self.ask("GET", path)
            assert answer.status_code == 200, answer.text
            yield answer.json()["message_set"]
            path = answer.links.get("next", {}).get("url")

    def history(self, conversation: int) -> list[dict[str, Any]]:
        """The whole history, oldest first."""
        return [message for page in self.pages(conversation) for message in page][::-1]

    # WebSocket

    def _socket_headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"} if self.token else {}

    def _socket_url(self, conversation: int) -> str:
        return f"{self.server.socket_url}/ws/chat/{conversation}/"

    @contextmanager
    def chat(self, conversation: int, query: str = "", headers: dict[str, str] | None = None) -> Iterator["Chat"]:
        """A socket of that conversation, for tests that do one thing after another."""
        with websockets.sync.client.connect(
            self._socket_url(conversation) + query,
            additional_headers=self._socket_headers() if headers is None else headers,
            open_timeout=60,
            max_size=None,
            proxy=None,
        ) as connection:
            yield Chat(connection)

    def chat_async(self, conversation: int, **more: Any) -> websockets.asyncio.client.connect:
        """A socket of that conversation, for tests that do many things at once."""
        return websockets.asyncio.client.connect(
            self._socket_url(conversation),
            additional_headers=self._socket_headers(),
            compression=None,
            open_timeout=60,
            max_size=None,
            proxy=None,
            **({"ping_interval": None} | more),
        )


class Chat:
    """An open socket of a conversation."""

    def __init__(self, connection: websockets.sync.client.ClientConnection) -> None:
        self.connection = connection

    def say(self, text: str, **more: Any) -> None:
        """Sends a message."""
        self.connection.send(json.dumps({"message": text} | more))

    def raw(self, frame: str | bytes) -> None:
        """Sends a frame as it is."""
        self.connection.send(frame)

    def frame(self) -> dict[str, Any]:
        """The next frame, whatever it is."""
        data = self.connection.recv(timeout=60)
        assert isinstance(data, str), "frames are text"
        return json.loads(data)

    def message(self) -> dict[str, Any]:
        """The next frame, which must be a message."""
        frame = self.frame()
        assert set(frame) == MESSAGE_KEYS, frame
        return frame

    def close_code(self) -> int | None:
        """Reads on until the server closes the socket; the code of its close frame, None where it sent none."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.connection.recv(timeout=60)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else None
        raise AssertionError("the server did not close the socket within 60 seconds")


def signed_in(server: Server, *names: str) -> list[Person]:
    """New accounts of those names, each signed in."""
    return [Person(server, name).register().login() for name in names]
