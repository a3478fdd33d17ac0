"""Dashboards of the `boards` dialect, with python-socketio."""

import queue
from typing import Any

import socketio

from support.server import Server
from support.waiting import BOUND

NAMESPACE = "/widget"
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}


def key_of(server: Server, name: str, new: bool = True) -> str:
    """An access key of a new account, or of one that is there."""
    if new:
        made = server.cli("user", "add", name)
        assert made.returncode == 0, made.stderr
    made = server.cli("user", "key", name)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def sign_in(server: Server, token: str) -> dict[str, str]:
    """`{"refresh", "access"}` of a session."""
    answer = server.http.post("/api/v1/auth/", json={"token": token})
    assert answer.status_code == 201, answer.text
    return answer.json()


class Dashboard:
    """A client on `/widget` that keeps what it hears, in order."""

    def __init__(self, server: Server, transport: str = "websocket", **credentials: Any) -> None:
        self._heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda name, *data: self._heard.put((name, *data)), namespace=NAMESPACE)
        self.client.on("disconnect", lambda *_: self._heard.put(("disconnect", None)), namespace=NAMESPACE)
        self.client.connect(
            server.url,
            namespaces=[NAMESPACE],
            transports=TRANSPORTS[transport],
            wait_timeout=BOUND,
            **credentials,
        )

    def __enter__(self) -> "Dashboard":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()

    def hears(self) -> tuple[str, Any]:
        """The next event and its argument; `("disconnect", None)` when it was put out."""
        return self._heard.get(timeout=BOUND)

    def has_heard_all(self) -> bool:
        """Whether nothing is kept that was not asked for by `hears`."""
        return self._heard.empty()

    def emit(self, name: str, *argument: Any) -> None:
        """Sends an event without asking for an ack."""
        self.client.emit(name, *argument, namespace=NAMESPACE)

    def ask(self, name: str, *argument: Any) -> Any:
        """Sends an event; its answer, which has to come as `message` and as ack, and alone."""
        ack = self.client.call(name, *argument, namespace=NAMESPACE, timeout=BOUND)
        event, answer = self.hears()
        assert event == "message", event
        assert answer == ack
        return answer
