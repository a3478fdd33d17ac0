"""Photos and refused sockets of `meetups`, byte by byte: bodies that are too long, in chunks, cut off or miscounted, and
what is left of them on disk."""

import select
import socket
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.meetups import FORM, GONE, App, envelope
from support.pictures import png
from support.server import Server
from support.shapes import checked, read
from support.waiting import until

LIMIT = 10 << 20
"""The default of `--max-upload`."""
WRONG_TYPE = envelope(400, "error wrong file mime type")
NO_FILE = envelope(400, "error: no file in request")


@pytest.fixture
def server(new_server: Callable[[], Server]) -> Server:
    return new_server().start("--social-trust", "vk")


@pytest.fixture
def anna(server: Server) -> App:
    return App(server).sign_in(1, "x")


def files(server: Server) -> set[Path]:
    """All files that the server keeps for people, half-written ones too."""
    folder = server.data / "media"
    found = {path for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if path.name != "default.png"}


class Wire:
    """A bare connection with an upload on it."""

    def __init__(self, app: App, *headers: str, token: str | None = None, kind: str = FORM) -> None:
        self.socket = socket.create_connection(app.server.address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host = app.server.url.removeprefix("http://")
        token = app.token if token is None else token
        lines = ["PUT /upload-photo/55.jpg HTTP/1.1", f"Host: {host}", f"Content-Type: {kind}", *headers]
        if token:
            lines.append(f"Authorization: Token {token}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.buffer = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> "Wire":
        self.socket.sendall(data)
        return self

    def send_until_answered(self, pieces: Iterable[bytes]) -> int:
        """Sends one after another for as long as no answer comes; how many bytes were sent."""
        sent = 0
        for piece in pieces:
            if select.select([self.socket], [], [], 0)[0]:
                break
            try:
                self.socket.sendall(piece)
            except ConnectionError:
                break
            sent += len(piece)
        return sent

    def answer(self) -> tuple[int, Any]:
        """The next answer's status, and its value where it is JSON."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status = int(head.split()[1])
        headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, read(body) if headers.get("content-type") == "application/json" else body

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"the connection ended after {self.buffer!r}"
        self.buffer += data

    def ends(self) -> bytes:
        """What else came until the server closed the connection."""
        try:
            while data := self.socket.recv(65_536):
                self.buffer += data
        except ConnectionResetError:
            pass
        return self.buffer


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_a_photo_comes_in_chunks_of_any_size(server: Server, anna: App) -> None:
    picture = png(50, 40)
    taken = envelope(204, "ok", anna.shapes.uploaded)
    for size in (1, 7, 1000, len(picture)):
        with Wire(anna, "Transfer-Encoding: chunked") as wire:
            for start in range(0, len(picture), size):
                wire.send(chunk(picture[start : start + size]))
            wire.send(b"0\r\n\r\n")
            status, value = wire.answer()
            assert status == 200
            checked(value, taken)
            # The connection is good for the next one.
            wire.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.answer()[0] == 200
    assert len(anna.myself()["photos"]) == 4


@pytest.mark.only("sqlite")
def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: Server, anna: App) -> None:
    with Wire(anna, f"Content-Length: {LIMIT + 1}") as wire:
        # Nothing of it was sent yet.
        status, value = wire.answer()
        assert (status, list(value)) == (413, ["detail"])
    with Wire(anna, f"Content-Length: {10**15}", "Expect: 100-continue") as wire:
        assert wire.answer()[0] == 413
    # Whoever may not upload is told so first, however much it is.
    for token in ("", "f" * 40):
        with Wire(anna, f"Content-Length: {10**15}", token=token) as wire:
            assert wire.answer()[0] == 401
    assert files(server) == set() and anna.myself()["photos"] == []


def test_a_body_of_unknown_length_is_refused_once_it_is_over_the_limit(server: Server, anna: App) -> None:
    piece = chunk(bytes(64 << 10))

    def endless() -> Iterable[bytes]:
        while True:
            yield piece

    with Wire(anna, "Transfer-Encoding: chunked") as wire:
        sent = wire.send_until_answered(endless())
        assert wire.answer()[0] == 413
        # It heard no more than the limit; what is beyond filled the buffers of both systems.
        assert sent > LIMIT
    assert files(server) == set()


def test_a_client_that_waits_for_leave_gets_it(server: Server, anna: App) -> None:
    picture = png()
    with Wire(anna, f"Content-Length: {len(picture)}", "Expect: 100-continue") as wire:
        assert wire.answer()[0] == 100
        assert wire.send(picture).answer()[0] == 200
    assert len(anna.myself()["photos"]) == 1


def test_the_largest_body_is_read_to_its_end(server: Server, anna: App) -> None:
    # No picture, but as long as one may be: it is told what it is, not that it is too long.
    with Wire(anna, f"Content-Length: {LIMIT}") as wire:
        wire.send(bytes(LIMIT))
        status, value = wire.answer()
        assert status == 200
        checked(value, WRONG_TYPE)
    # What stands behind the end of a picture does not stay in it.
    behind = png() + bytes(LIMIT - len(png()))
    photo = anna.upload(behind)
    kept = server.http.get(photo["photo"]).content
    assert len(kept) < 1000
    assert {len(path.read_bytes()) < 1000 for path in files(server)} == {True}


def test_a_connection_that_is_cut_leaves_nothing(server: Server, anna: App) -> None:
    picture = png(300, 300, (1, 2, 3))
    half = picture[: len(picture) // 2]
    for how in ("close", "reset", "half-close"):
        for headers, sent in [
            ([f"Content-Length: {len(picture)}"], half),
            (["Transfer-Encoding: chunked"], chunk(half)),
            (["Transfer-Encoding: chunked"], chunk(picture)),
            (["Transfer-Encoding: chunked"], f"{len(picture):x}\r\n".encode() + half),
        ]:
            with Wire(anna, *headers) as wire:
                wire.send(sent)
                if how == "half-close":
                    wire.socket.shutdown(socket.SHUT_WR)
                    answer = wire.ends()
                    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer
                elif how == "reset":
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # One that is whole: when it is there, nothing else is.
    anna.upload(png())
    assert len(anna.myself()["photos"]) == 1
    assert len(files(server)) == 2, "a photo and its thumbnail"


def test_a_wrong_length_makes_no_photo(server: Server, anna: App) -> None:
    picture = png(100, 100)
    # Too short: the part is no whole picture, and the rest of it is no request.
    with Wire(anna, f"Content-Length: {len(picture) - 20}") as wire:
        status, value = wire.send(picture).answer()
        assert status == 200
        checked(value, WRONG_TYPE)
        assert wire.ends() == b"" or wire.buffer.startswith(b"HTTP/1.1 400 ")
    for headers in [
        ["Content-Length: -1"],
        ["Content-Length: x"],
        [f"Content-Length: {2**64}"],
        [f"Content-Length: {len(picture)}", "Content-Length: 5"],
        [f"Content-Length: {len(picture)}, 5"],
        [f"Content-Length: {len(picture)}", "Transfer-Encoding: gzip"],
    ]:
        with Wire(anna, *headers) as wire:
            assert wire.answer()[0] in (400, 413, 501), headers
    for chunks in [b"x\r\n", b"-5\r\n", f"{2**64:x}\r\n".encode(), b"5\r\nabcdefgh\r\n"]:
        with Wire(anna, "Transfer-Encoding: chunked") as wire:
            wire.send(chunks)
            assert wire.ends().split(b" ")[1] in (b"400", b"413"), chunks
    assert files(server) == set() and anna.myself()["photos"] == []


def test_what_is_no_photo_leaves_no_file(server: Server, anna: App) -> None:
    def upload(shape: Any, **more: Any) -> None:
        anna.ask("PUT", "/upload-photo/a.jpg", shape, **more)

    for kind in (FORM, "image/png", "application/json", "text/html", "multipart/form-data; boundary=x", "nonsense"):
        headers = {"Content-Type": kind}
        for body in [b"<script>alert(1)</script>", b"GIF89a" + bytes(100), png()[:-30], b"\x89PNG\r\n\x1a\n", b"\0"]:
            upload(WRONG_TYPE, content=body, headers=headers)
        upload(NO_FILE, content=b"", headers=headers)
    upload(NO_FILE)
    upload(NO_FILE, files={"file": ("a.png", b"", "image/png")})
    upload(NO_FILE, files={"note": (None, "no file")})
    upload(WRONG_TYPE, files={"file": ("a.png", b"<html>", "image/png")})
    # More pixels than a picture may have, in a few bytes.
    upload(WRONG_TYPE, content=png(12_001, 1))
    assert files(server) == set() and anna.myself()["photos"] == []


def test_a_deleted_photo_is_gone_from_disk(server: Server, anna: App) -> None:
    ivan = App(server).sign_in(2, "x")
    kept, doomed = anna.upload(png()), ivan.upload(png())
    assert kept["photo"] != doomed["photo"]
    before = files(server)
    second = ivan.upload(png(9, 9))
    added = files(server) - before
    assert len(added) == 2
    ivan.ask("DELETE", second["delete_photo"], GONE)
    assert files(server) == before
    for url in (second["photo"], second["thumbnail"]):
        assert server.http.get(url).status_code == 404
    # A second time it is not there.
    ivan.ask("DELETE", second["delete_photo"], {"detail": str}, 403)
    ivan.ask("DELETE", kept["delete_photo"], {"detail": str}, 403)
    ivan.ask("DELETE", doomed["delete_photo"], GONE)
    names = {path.name for path in files(server)}
    assert len(names) == 2 and kept["photo"].rsplit("/", 1)[1] in names
    # With the account the last of it goes.
    name = anna.myself()["username"]
    assert server.cli("user", "delete", name).returncode == 0
    until(lambda: files(server) == set(), "the files of the deleted account are gone")


# sockets that are refused


def shake(app: App, slug: str, token: str, behind: bytes = b"") -> socket.socket:
    """A handshake, and what is sent right behind it; the connection, when it was accepted."""
    connection = socket.create_connection(app.server.address, timeout=60)
    host = app.server.url.removeprefix("http://")
    head = (
        f"GET /chat/{slug}/?token={token} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    connection.sendall(head.encode() + behind)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, answer
        answer += byte
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    assert b"sec-websocket-accept: s3ppl" in answer.lower()
    return connection


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, under a mask of zeros."""
    length = struct.pack(">H", len(payload)) if len(payload) > 125 else b""
    return bytes([0x80 | opcode, 0x80 | (126 if length else len(payload))]) + length + bytes(4) + payload


def everything(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    came = b""
    while data := connection.recv(65_536):
        came += data
    return came


def closed_with(code: int) -> bytes:
    """The server's close frame, which holds the code and no reason."""
    return b"\x88\x02" + struct.pack(">H", code)


@pytest.mark.only("sqlite")
def test_a_refused_socket_is_closed_whatever_it_says(server: Server, anna: App) -> None:
    ivan, olga = App(server).sign_in(2, "x"), App(server).sign_in(3, "x")
    anna.let_in(ivan, anna.meet(group_type=1)["id"])
    [chat] = anna.chats()
    slug = chat["channel_slug"]
    refusals = [("", slug, 4401), ("f" * 40, slug, 4401), (olga.token, slug, 4403), (anna.token, "0" * 20, 4404)]
    text = frame(1, "let me in".encode())
    with anna.chat(slug) as annas:
        for token, name, code in refusals:
            for behind in [b"", text, text * 20, frame(2, b"\0"), frame(9, b"ping")]:
                with shake(anna, name, token, behind) as connection:
                    connection.sendall(text)
                    # The client answers, and the connection ends. A ping may be answered before.
                    connection.sendall(frame(8, struct.pack(">H", code)))
                    came = everything(connection).removeprefix(b"\x8a\x04ping")
                    assert came == closed_with(code), (code, behind[:20], came)
        # Nobody in the chat heard of it, and nothing was stored.
        annas.raw("only this")
        assert annas.heard()["text"] == "only this"
    assert [message["text"] for message in anna.messages(chat["id"])] == ["only this"]


@pytest.mark.only("sqlite")
def test_a_refused_client_that_does_not_answer_is_left(server: Server, anna: App) -> None:
    # Those that say what is no frame, or too long a one, among them.
    nonsense = [b"", b"GET / HTTP/1.1\r\n\r\n", bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 40)]
    waiting = [shake(anna, "0" * 20, anna.token, behind) for behind in nonsense * 7]
    for connection in waiting:
        with connection:
            assert everything(connection) == closed_with(4404)


@pytest.mark.only("sqlite")
def test_what_is_no_handshake_is_answered_over_http(server: Server, anna: App) -> None:
    path = f"/chat/{'0' * 20}/"
    for token in (anna.token, "f" * 40, ""):
        assert server.http.get(path, params={"token": token}).status_code == 426
        assert server.http.post(path, params={"token": token}).status_code == 405
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        assert server.http.get(path, params={"token": token}, headers=upgrade).status_code == 400


def test_a_photo_survives_kill_9(server: Server, anna: App) -> None:
    photo = anna.upload(png(20, 20))
    kept = server.http.get(photo["photo"]).content
    server.kill9()
    server.restart()
    again = App(server, anna.token)
    [shown] = again.myself()["photos"]
    assert server.http.get(shown["photo"]).content == kept
