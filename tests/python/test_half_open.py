"""Connections that never get to the point do not keep the server from serving others, and are closed."""

import selectors
import socket
import time

import pytest

from support.people import signed_in
from support.server import Server

EACH = 40
BOUND = 150
"""Seconds to wait until the last of them is closed: "within a minute", generously."""


def open_all(server: Server, first_bytes: bytes) -> list[socket.socket]:
    made = []
    for _ in range(EACH):
        connection = socket.create_connection(server.address, timeout=60)
        connection.sendall(first_bytes)
        connection.setblocking(False)
        made.append(connection)
    return made


def wait_for_the_end(connections: list[socket.socket]) -> int:
    """Reads until each is closed by the server, or the bound is reached; how many were left then."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection, selectors.EVENT_READ)
    end = time.monotonic() + BOUND
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(timeout=1):
            try:
                data = key.fileobj.recv(65_536)
            except ConnectionError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
    left = list(selector.get_map().values())
    for key in left:
        key.fileobj.close()
    return len(left)


@pytest.mark.only("sqlite")
def test_they_are_closed_while_others_are_served(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    handshake = (
        f"GET /ws/chat/{conversation}/ HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n"
        f"Authorization: Token {ana.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    ).encode()
    beginnings = {
        "says nothing": b"",
        "half a request line": b"GET /heal",
        "half the headers": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        "a handshake that is never finished": handshake,
        # Upgraded, but it answers no ping: gone, as far as anyone can tell.
        "a WebSocket that went away": handshake + b"\r\n",
        # A body that never comes may take longer: it is only not to be in the way.
        "half a body": b"POST /auth/login/ HTTP/1.1\r\nHost: a\r\n"
        b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    }
    opened = {what: open_all(server, first) for what, first in beginnings.items()}

    # Meanwhile the others are served.
    with ana.chat(conversation) as anas, ben.chat(conversation) as bens:
        for number in range(100):
            anas.say(f"number {number}")
            assert bens.message()["text"] == anas.message()["text"] == f"number {number}"
            assert server.http.get("/health/live").status_code == 200

    for what, connections in opened.items():
        if what == "half a body":
            continue
        assert wait_for_the_end(connections) == 0, f"{what}: not closed"
    for connection in opened["half a body"]:
        connection.close()
    ana.get("/users/user_list/")
