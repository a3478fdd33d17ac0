"""A stand-in of 42's sign-in: the pages that the server asks, with answers that a test sets."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from support.pictures import png

CLIENT_ID, CLIENT_SECRET = "u-s4t2ud-id", "s-s4t2ud-secret"


@dataclass
class Answer:
    """What one page answers."""

    status: int = 200
    body: bytes = b"{}"
    kind: str = "application/json"

    @staticmethod
    def of(value: Any, status: int = 200) -> "Answer":
        """That value as JSON."""
        return Answer(status, json.dumps(value).encode())


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str] = field(default_factory=dict)


class FortyTwo:
    """Listens on a port of 127.0.0.1 from `__enter__` to `__exit__`."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            do_POST = do_GET

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked: list[Asked] = []
        self.answers: dict[str, Answer] = {}
        self.token = Answer.of({"access_token": "42-token", "token_type": "bearer", "expires_in": 7200})
        self.answers["/oauth/token"] = self.token
        self.answers["/picture.png"] = Answer(body=png(), kind="image/png")
        self.person(4242, "potxolo")

    def person(self, number: int, login: str, picture: str | None = None, **more: Any) -> None:
        """Who `/v2/me` says is there."""
        image = {"link": None, "versions": {"small": picture or f"{self.url}/picture.png"}}
        me = {"id": number, "login": login, "email": f"{login}@student.42.example", "image": image} | more
        self.answers["/v2/me"] = Answer.of(me)

    def flags(self, **other: str) -> list[str]:
        """The settings that point the server here; `token_url="…"` and the like set others."""
        settings = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "authorize_url": f"{self.url}/oauth/authorize",
            "token_url": f"{self.url}/oauth/token",
            "api_url": self.url,
        } | other
        return [part for name, value in settings.items() for part in (f"--fortytwo-{name.replace('_', '-')}", value)]

    def paths(self) -> list[str]:
        """The paths that were asked, in order."""
        return [asked.path for asked in self.asked]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        raw = request.rfile.read(length)
        if "json" in (request.headers.get("Content-Type") or ""):
            form = json.loads(raw)
        else:
            form = {name: values[0] for name, values in parse_qs(raw.decode(errors="replace")).items()}
        path = urlsplit(request.path).path
        self.asked.append(Asked(request.command, path, {k.lower(): v for k, v in request.headers.items()}, form))
        answer = self.answers.get(path, Answer(404, b"{}"))
        request.send_response(answer.status)
        request.send_header("Content-Type", answer.kind)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
