"""People who use the `meetups` dialect, with a client that reads every answer and frame by its declared shape."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import websockets.sync.client

from support.people import Chat
from support.server import Server
from support.shapes import DAY, TIME, Maybe, OneOf, checked, read

TOKEN = re.compile("[0-9a-f]{40}")
SLUG = re.compile("[0-9a-f]{20}")
FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Shapes:
    """The objects of the document, with URLs of that server."""

    def __init__(self, base: str) -> None:
        def url(path: str) -> re.Pattern[str]:
            return re.compile(re.escape(base) + path)

        photo_url = url(r"/uploads/user-photos/[0-9a-z.]+")
        self.short = {
            "id": int,
            "username": str,
            "first_name": str,
            "about": str,
            "birth_date": Maybe(DAY),
            "gender": Maybe(OneOf(0, 1)),
            "avatar": OneOf("", photo_url),
            "href": url(r"/user-detail/\d+/"),
        }
        photo = {
            "photo": photo_url,
            "delete_photo": url(r"/delete-photo/\d+/"),
            "set_avatar": url(r"/set-avatar/\d+/"),
            "thumbnail?": photo_url,
        }
        self.stranger = self.short | {"photos": [photo]}
        self.myself = self.stranger | {"client_key": str}
        self.uploaded = photo | {"href": photo_url}
        self.session = {"token": TOKEN, "href": url(r"/user-detail/\d+/")}
        meeting = {
            "id": int,
            "title": str,
            "meeting_date": DAY,
            "description": str,
            "group_type": OneOf(0, 1),
            "category": OneOf(0, 1, 2, 3),
            "coordinates": {"lat": float, "lng": float},
            "subway": None,
            "href": url(r"/meeting-detail/\d+/"),
            "confirms": {},
        }
        self.my_meeting = meeting | {"owner": self.myself, "color_status": "mine"}
        theirs = {"owner": self.stranger, "color_status": OneOf("approved", "disapproved")}
        self.meeting = OneOf(self.my_meeting, meeting | theirs)
        self.confirm = {
            "id": int,
            "user": self.short,
            "date_create": TIME,
            "is_approved": bool,
            "is_rejected": bool,
            "is_read": bool,
            "meeting": int,
        }
        self.message = {
            "id": int,
            "text": str,
            "author": self.short,
            "is_read": bool,
            "is_received": bool,
            "date_create": TIME,
            "is_my": bool,
        }
        nobody = {"username": "", "first_name": "", "about": "", "avatar": None, "href": ""}
        no_message = {
            "text": "",
            "author": nobody,
            "is_read": False,
            "is_received": False,
            "date_create": TIME,
            "is_my": False,
        }
        self.chat = {
            "id": int,
            "title": str,
            "owner": self.short,
            "users": [self.short],
            "channel_slug": SLUG,
            "last_message": OneOf(self.message, no_message),
        }
        self.frame = {
            "text": str,
            "author_name": str,
            "avatar": OneOf("", photo_url),
            "href": url(r"/user-detail/\d+/"),
            "is_my": bool,
            "id": int,
            "date_create": TIME,
        }


def envelope(status: int, text: str, data: Any = None) -> dict[str, Any]:
    """The shape of the document's envelope with that outcome."""
    return {"status": status, "msg": text, "data": data}


OK, GONE = envelope(200, "ok"), envelope(204, "ok")
FORBIDDEN = {"detail": "You do not have permission to perform this action."}


class App:
    """One person, and one session of theirs once they are signed in."""

    def __init__(self, server: Server, token: str = "") -> None:
        self.server = server
        self.token = token
        self.shapes = Shapes(server.url)
        self.id = 0

    def try_sign_in(self, external_id: Any, token: str, first_name: str = "Анна", **more: Any) -> httpx.Response:
        """One attempt to sign in by VK."""
        body = {"social_slug": "vk", "external_id": external_id, "token": token, "first_name": first_name} | more
        return self.server.http.post("/api-token-auth/", json=body)

    def sign_in(self, external_id: int, token: str, first_name: str = "Анна") -> "App":
        """Signs in by VK; the account is made at the first time."""
        answer = self.try_sign_in(external_id, token, first_name)
        session = understood(answer, self.shapes.session)
        self.token = session["token"]
        self.id = int(session["href"].rstrip("/").rsplit("/", 1)[1])
        return self

    # HTTP

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request, with `Authorization: Token …` as the document shows."""
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        return self.server.http.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def ask(self, method: str, path: str, shape: Any, status: int = 200, **more: Any) -> Any:
        """The same; its answer, which must have that status and shape."""
        return understood(self.send(method, path, **more), shape, status)

    def myself(self) -> dict[str, Any]:
        """The own profile."""
        return self.ask("GET", "/user-detail/", self.shapes.myself)

    def upload(self, picture: bytes, name: str = "55.jpg", kind: str = FORM) -> dict[str, Any]:
        """Uploads a photo as the document does, raw and under the type of a form; what the app is told of it."""
        shape = envelope(204, "ok", self.shapes.uploaded)
        photo = self.ask("PUT", f"/upload-photo/{name}", shape, content=picture, headers={"Content-Type": kind})["data"]
        assert photo["href"] == photo["photo"]
        return photo

    def meet(self, title: str = "title", **more: Any) -> dict[str, Any]:
        """Makes a meeting."""
        body = {"title": title, "description": "desc", "coordinates": {"lat": 20, "lng": 30}} | more
        return self.ask("POST", "/meetings-list/", self.shapes.my_meeting, 201, json=body)

    def meetings(self, **query: Any) -> list[dict[str, Any]]:
        """The meetings that these filters find."""
        return self.ask("GET", "/meetings-list/", [self.shapes.meeting], params=query)

    def confirms(self) -> list[dict[str, Any]]:
        """The undecided requests to the own meetings."""
        return self.ask("GET", "/confirms-list/", [self.shapes.confirm])

    def unread(self) -> int:
        """How many of them are unread."""
        return self.ask("GET", "/unread-confirms/", envelope(200, "ok", {"unread": int}))["data"]["unread"]

    def decide(self, confirm: int, **form: str) -> dict[str, Any]:
        """Answers a request, as a form."""
        return self.ask("PUT", f"/confirm-action/{confirm}/", self.shapes.confirm, data=form)

    def let_in(self, guest: "App", meeting: int) -> int:
        """That person asks to take part, and is approved; the request's id."""
        guest.ask("POST", f"/meeting-confirm/{meeting}/", OK)
        [confirm] = [one["id"] for one in self.confirms() if one["meeting"] == meeting and one["user"]["id"] == guest.id]
        self.decide(confirm, is_approved="True")
        return confirm

    def chats(self) -> list[dict[str, Any]]:
        """The own chats, newest activity first."""
        return self.ask("GET", "/chats-list/", [self.shapes.chat])

    def messages(self, chat: int, **query: Any) -> list[dict[str, Any]]:
        """The messages of a chat, oldest first."""
        return self.ask("GET", f"/message-list/{chat}/", [self.shapes.message], params=query)

    # WebSocket

    @contextmanager
    def chat(self, slug: str) -> Iterator["Room"]:
        """The socket of a chat, with the token in the address, as the document shows."""
        with websockets.sync.client.connect(
            f"{self.server.socket_url}/chat/{slug}/?token={self.token}", open_timeout=60, max_size=None, proxy=None
        ) as connection:
            yield Room(connection, self.shapes)


class Room(Chat):
    """An open socket of a chat."""

    def __init__(self, connection: websockets.sync.client.ClientConnection, shapes: Shapes) -> None:
        super().__init__(connection)
        self._shapes = shapes

    def heard(self) -> dict[str, Any]:
        """The next frame, which must be a message."""
        data = self.connection.recv(timeout=60)
        assert isinstance(data, str), "frames are text"
        return checked(read(data), self._shapes.frame, "frame")


def understood(answer: httpx.Response, shape: Any, status: int = 200) -> Any:
    """The value of an answer of that status, after a look at all of it."""
    assert answer.status_code == status, f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/json", answer.headers
    return checked(read(answer.content), shape, f"{answer.request.method} {answer.url.path}")
