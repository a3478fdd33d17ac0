"""No input of `friends` and `meetups` gives a 5xx, shows the inside, or is answered in a shape that is not the dialect's."""

import json
import re
from typing import Any

import httpx
import pytest

from support.friends import FRIENDSHIP, POST_MESSAGE, POST_SEEN, Friend, friends, history_path
from support.meetups import App
from support.server import Server
from support.shapes import read
from test_hostile_input import BODIES, VALUES, fine

KINDS = ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
         "application/x-www-form-urlencoded", "x/y", "application/json; charset=latin-1"]  # fmt: skip
MORE_VALUES: list[Any] = [
    "true", " 1", "0x1", "2017-5-6", "2017-02-29", "0000-00-00", "9999-12-31", 2**63, -(2**63) - 1, 1e308,
    {"lat": 1}, {"lat": 91, "lng": 0}, {"lat": None, "lng": []}, '{"lat": 1, "lng": 2}', "NaN", "\u200b", [[]] * 50,
]  # fmt: skip
IDS = ["0", "-1", "1.5", "abc", "01", "+1", "%00", "%ff", "%20", "1%2F2", "١", str(2**63 - 1), str(2**63), "9" * 40]
UUIDS = ["1", "abc", "%00", "%ff", "0" * 36, "00000000-0000-0000-0000-000000000000", "x" * 2_000, "..", "%2e%2e"]
TEXTS = re.compile(r"[A-Za-z_]+")


def refused_in_shape(answer: httpx.Response, what: object) -> None:
    """A refusal is one text, or texts by field, or an envelope."""
    fine(answer, what)
    if answer.status_code < 400:
        body = read(answer.content) if answer.content else {}
        if isinstance(body, dict) and "msg" in body:
            assert list(body) == ["status", "msg", "data"] and isinstance(body["status"], int), (what, body)
        return
    assert answer.headers["content-type"] == "application/json", (what, answer.headers)
    body = read(answer.content)
    assert isinstance(body, dict) and body, (what, body)
    for name, value in body.items():
        assert TEXTS.fullmatch(name), (what, body)
        if name in ("detail", "error", "code"):
            assert isinstance(value, str) and value, (what, body)
        else:
            assert isinstance(value, list) and value, (what, body)


def as_json(value: Any) -> dict[str, Any]:
    """A request's body; lone surrogates and NaN go out as Python writes them."""
    return {"content": json.dumps(value), "headers": {"Content-Type": "application/json"}}


def play(ask: Any, endpoints: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Asks every endpoint with every bad body, and with every bad value of each field."""
    for (method, path), good in endpoints.items():
        for body in BODIES:
            answer = ask(method, path, content=body, headers={"Content-Type": "application/json"})
            refused_in_shape(answer, (method, path, body[:40]))
        for kind in KINDS:
            for body in [b"", b"--x\r\n\r\n%ff%00=&", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--']:
                answer = ask(method, path, content=body, headers={"Content-Type": kind})
                refused_in_shape(answer, (method, path, kind, body[:20]))
        for field in good:
            for value in VALUES + MORE_VALUES + ["\ud800", float("nan"), float("inf")]:
                answer = ask(method, path, **as_json(good | {field: value}))
                refused_in_shape(answer, (method, path, field, str(value)[:40]))
        # Said twice, the last one counts, or it is refused; either way it is an answer.
        twice = [(name, str(value)) for name, value in good.items() for _ in range(2)]
        refused_in_shape(ask(method, path, files=[(name, (None, value)) for name, value in twice]), (method, path))
        for other in ("TRACE", "PROPFIND", "PUT" if method != "PUT" else "POST"):
            assert ask(other, path).status_code == 405, (other, path)


def test_friends_bodies_and_values(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    friendship = ana.befriend(ben)
    message = ben.send(friendship, "hi")["message"]["id"]
    names = {"first_name": "A", "last_name": "B"}
    play(
        ana.ask,
        {
            ("POST", "/api/users/logout/"): {"refresh": "x"},
            ("POST", "/api/users/refresh-token/"): {"refresh": "x"},
            ("PATCH", "/api/users/profile/"): names | {"personal_image": None},
            ("POST", FRIENDSHIP): {"to_user": carol.id, "status": "pending"},
            ("POST", POST_MESSAGE): {"channel": friendship, "content": "x", "media": [], "client_id": None},
            ("POST", POST_SEEN): {"message_id": message},
        },
    )
    # These have no PUT either; PATCH and POST share a path with them.
    for field in ("friendship_id", "status"):
        for value in VALUES + MORE_VALUES:
            body = {"friendship_id": friendship, "status": "accepted"} | {field: value}
            refused_in_shape(ana.ask("PATCH", FRIENDSHIP, **as_json(body)), (field, value))
    assert ana.get(FRIENDSHIP)[0]["status_from_user"] == "accepted"


@pytest.mark.only("sqlite")
def test_friends_sign_ups_and_sign_ins(new_server: Any) -> None:
    server = new_server().start("--sign-in-failures-account", "off", "--sign-in-failures-address", "off")
    good = {"username": "zoe", "email": "zoe@example.org", "password": "short", "first_name": "Z", "last_name": ""}

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        return server.http.request(method, path, **more)

    play(ask, {("POST", "/api/users/signup/"): good, ("POST", "/api/users/login/"): {"username": "zoe", "code": "1"}})
    for value in VALUES:
        answer = ask("POST", "/api/users/signup/", **as_json(good | {"password": value}))
        assert answer.status_code in (201, 400), (value, answer.text)


def test_friends_addresses(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    friendship = ana.befriend(ben)
    ana.send(friendship, "hi")
    for bad in UUIDS:
        for path in (history_path(bad), f"/api/messages/friendship/{bad}/messages/"):
            answer = ana.ask("GET", path)
            refused_in_shape(answer, path)
            assert answer.status_code == 404, path
    for name in ["after", "before", "start_date", "message_id", "start_message_id", "page", "page_size"]:
        for value in ["", "0", "-1", "1", "true", "x", "%00", "%ff", "9" * 30, "1e3", "9999-12-31", "2021-02-29", "[]"]:
            for more in ("", "&after", "&before=1", f"&{name}=2"):
                query = f"?{name}={value}{more}"
                answer = ana.ask("GET", history_path(friendship) + query)
                refused_in_shape(answer, query)
                assert answer.status_code in (200, 400, 404), query
                refused_in_shape(ana.ask("GET", "/api/users/" + query), query)


def test_friends_frames(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    friendship = ana.befriend(ben)
    message = ben.send(friendship, "hi")["message"]["id"]
    said = {"type": "friendship", "channel": friendship, "payload": "x", "media": [], "client_id": "c"}
    seen = {"type": "friendship_notification_seen", "channel": friendship, "message": message}
    texts = [body.decode() for body in BODIES if b"\xff" not in body]
    # What is as good as nothing is left out: it would be a message, or silence.
    bad = [value for value in VALUES + MORE_VALUES if value not in (None, "", [])]
    texts += [json.dumps(said | {name: value}) for name in ("type", "channel") for value in bad]
    texts += [json.dumps(said | {"payload": value}) for value in bad if not isinstance(value, str)]
    texts += [json.dumps(said | {"media": value}) for value in bad]
    texts += [json.dumps(said | {"client_id": value}) for value in bad if not isinstance(value, str)]
    texts += [json.dumps(seen | {name: value}) for name in ("channel", "message") for value in bad]
    with ana.socket() as anas, ben.socket() as bens:
        for text in texts:
            anas.raw(text)
            error = anas.error()
            assert error and not re.search("panicked|sqlite|postgres|SELECT ", error), (text[:60], error)
        anas.say(friendship, "still here")
        assert anas.message()["message"]["content"] == "still here"
        # Nobody else heard any of it.
        assert bens.message()["message"]["content"] == "still here"


def test_meetups_bodies_and_values(new_server: Any) -> None:
    server = new_server().start("--social-trust", "vk", "--meetings-per-day", "0")
    anna, ivan = App(server).sign_in(1, "x"), App(server).sign_in(2, "x")
    meeting = anna.meet()["id"]
    ivan.ask("POST", f"/meeting-confirm/{meeting}/", {"status": 200, "msg": "ok", "data": None})
    [confirm] = anna.confirms()
    place = {"coordinates": {"lat": 1, "lng": 2}}
    dated = {"title": "t", "description": "d", "meeting_date": "2030-1-1"}
    person = {"username": "u", "first_name": "f", "about": "a", "gender": 1, "birth_date": "1990-1-1", "client_key": "k"}
    social = {"social_slug": "vk", "external_id": 3, "token": "t", "first_name": "f"}
    play(
        anna.send,
        {
            ("POST", "/api-token-auth/"): social,
            ("POST", "/meetings-list/"): place | dated | {"group_type": 0, "category": 0},
            ("PUT", f"/meeting-detail/{meeting}/"): place | dated,
            ("PUT", "/user-detail/"): person,
            ("PUT", f"/user-detail/{anna.id}/"): person | {"firs_name": "f"},
            ("PUT", "/set-client-key/"): {"client_key": "k"},
            ("PUT", f"/confirm-action/{confirm['id']}/"): {"is_approved": True, "is_read": True},
            ("PUT", f"/confirm-action/{confirm['id']}"): {"is_rejected": "t"},
        },
    )
    # Whatever came of it, everything is still to be read, and of its shape.
    anna.myself()
    anna.chats()
    ivan.meetings()
    ivan.ask("GET", f"/user-detail/{anna.id}/", ivan.shapes.stranger)


def test_meetups_addresses(new_server: Any) -> None:
    server = new_server().start("--social-trust", "vk")
    anna = App(server).sign_in(1, "x")
    for method, path in [
        ("GET", "/user-detail/{}/"), ("PUT", "/user-detail/{}/"), ("PUT", "/set-avatar/{}/"),
        ("DELETE", "/delete-photo/{}/"), ("POST", "/meeting-confirm/{}/"), ("PUT", "/confirm-action/{}/"),
        ("GET", "/meeting-detail/{}/"), ("PUT", "/meeting-detail/{}/"), ("GET", "/message-list/{}/"),
        ("DELETE", "/remove-chat/{}/"), ("GET", "/uploads/user-photos/{}"), ("GET", "/chat/{}/"),
    ]:  # fmt: skip
        for bad in IDS:
            answer = anna.send(method, path.format(bad))
            refused_in_shape(answer, (method, path, bad))
            assert answer.status_code in (200, 403, 404, 426), (method, path, bad, answer.status_code)
    for name in ["lat", "lng", "r", "category", "gender", "age_from", "age_to"]:
        for value in ["", "0", "-1", "x", "%00", "%ff", "9" * 30, "NaN", "inf", "-Infinity", "1e999", "1,5", "[]"]:
            query = "lat=20&lng=30&r=1&age_from=1&age_to=99&" + f"{name}={value}"
            anna.ask("GET", f"/meetings-list/?{query}", [anna.shapes.meeting])
            anna.ask("GET", f"/meetings-list/?{name}={value}", [anna.shapes.meeting])


def test_whoever_shows_nothing_good_is_refused(server: Server) -> None:
    ana, _ = friends(server, "ana", "ben")
    stranger = Friend(server, "nobody")
    for method, path in [("GET", FRIENDSHIP), ("POST", FRIENDSHIP), ("PATCH", FRIENDSHIP), ("POST", POST_MESSAGE),
                         ("GET", "/api/users/"), ("GET", "/api/users/profile/"), ("POST", "/api/users/logout/"),
                         ("GET", "/meetings-list/"), ("POST", "/meetings-list/"), ("GET", "/chats-list/"),
                         ("PUT", "/upload-photo/a.jpg"), ("GET", "/confirms-list/"), ("GET", "/user-detail/1/")]:  # fmt: skip
        for headers in [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer " + ana.refresh},
                        {"Authorization": "Bearer"}, {"Authorization": "Token a b"}, {"Authorization": "Token " + "0" * 40},
                        {"Authorization": "Bearer " + ana.access[:-2] + "xx"}]:  # fmt: skip
            answer = stranger.ask(method, path, access="", headers=headers)
            assert answer.status_code == 401, (method, path, headers, answer.text)
            assert isinstance(answer.json()["detail"], str)
            assert answer.headers["www-authenticate"].startswith("Token" if "/api/" not in path else "Bearer")
