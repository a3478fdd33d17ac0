"""A stand-in of VK's API: `users.get` and `secure.checkToken`, for tokens that a test names."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from support.fortytwo import Answer, Asked

SERVICE_KEY = "service-key-of-the-application"
NO_TOKEN = (5, "User authorization failed: invalid access_token (4).")
EXPIRED = (5, "User authorization failed: access_token has expired.")
NOT_CHECKED = (15, "Access denied: token is invalid")


class Vk:
    """Listens on a port of 127.0.0.1 from `__enter__` to `__exit__`."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            do_GET = do_POST

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.asked: list[Asked] = []
        self.owners: dict[str, int] = {}
        """Whose each token is."""
        self.expired: set[str] = set()
        self.always: Answer | None = None
        """What it answers to everything, while it is set."""

    def flags(self, service_key: bool = False) -> list[str]:
        """The settings that point the server here."""
        return ["--vk-url", self.url, *(["--vk-service-key", SERVICE_KEY] if service_key else [])]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        address = urlsplit(request.path)
        form = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.command, request.path, headers, form))
        # VK takes parameters of the address, too: they are where its logs keep them.
        form |= {name: values[0] for name, values in parse_qs(address.query).items()}
        answer = self.always or Answer.of(self._method(address.path, form))
        request.send_response(answer.status)
        request.send_header("Content-Type", answer.kind)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def _method(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        if "v" not in form:
            return _error(form, 8, "Invalid request: v (version) is required")
        if path == "/method/users.get":
            return self._users_get(form)
        if path == "/method/secure.checkToken":
            return self._check_token(form)
        return _error(form, 3, "Unknown method passed")

    def _users_get(self, form: dict[str, str]) -> dict[str, Any]:
        token = form.get("access_token", "")
        if token in self.expired:
            return _error(form, *EXPIRED)
        if token not in self.owners:
            return _error(form, *NO_TOKEN)
        # With `user_ids` it would be about whomever the client names.
        owner = int(form.get("user_ids") or self.owners[token])
        person = {"id": owner, "first_name": "Анна", "last_name": "Иванова", "can_access_closed": True, "is_closed": False}
        return {"response": [person]}

    def _check_token(self, form: dict[str, str]) -> dict[str, Any]:
        if form.get("access_token") != SERVICE_KEY:
            return _error(form, 28, "Application authorization failed: access_token is invalid.")
        token = form.get("token", "")
        if token in self.expired or token not in self.owners:
            return _error(form, *NOT_CHECKED)
        return {"response": {"success": 1, "user_id": self.owners[token], "date": 1494068400, "expire": 1494154800}}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _error(form: dict[str, str], code: int, text: str) -> dict[str, Any]:
    shown = [{"key": name, "value": json.dumps(value)} for name, value in form.items() if "token" not in name]
    return {"error": {"error_code": code, "error_msg": text, "request_params": shown}}
