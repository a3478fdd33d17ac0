"""A stand-in of Discord's sign-in: its token endpoint and `/users/@me`."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

CLIENT_ID, CLIENT_SECRET = "tertulia-test", "not-a-secret"
REDIRECT = "https://boards.example.org/back"


class Discord:
    """Listens on a port of 127.0.0.1 from `__enter__` to `__exit__`.

    A code `ID-NAME` signs in that person; every other is none, unless `broken` says what is answered instead.
    """

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                outer.asked.append(form)
                expected = {
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "grant_type": "authorization_code",
                    "redirect_uri": REDIRECT,
                }
                if expected.items() <= form.items() and "-" in form.get("code", ""):
                    self.answer(200, {"access_token": form["code"], "token_type": "Bearer", "scope": "identify"})
                else:
                    self.answer(400, {"error": "invalid_grant", "hint": "upstream-secret"})

            def do_GET(self) -> None:
                number, _, name = self.headers.get("Authorization", "").removeprefix("Bearer ").partition("-")
                self.answer(200, {"id": number, "username": name, "discriminator": "0", "global_name": None})

            def answer(self, status: int, value: Any) -> None:
                status, raw = outer.broken or (status, json.dumps(value).encode())
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self.asked: list[dict[str, str]] = []
        self.broken: tuple[int, bytes] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def flags(self) -> list[str]:
        """The settings that point the server here."""
        return [
            f"--discord-client-id={CLIENT_ID}",
            f"--discord-client-secret={CLIENT_SECRET}",
            f"--discord-redirect-url={REDIRECT}",
            f"--discord-token-url={self.url}/api/oauth2/token",
            f"--discord-api-url={self.url}/api",
        ]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
