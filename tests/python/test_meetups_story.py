"""The story that the `meetups` document tells, with a client that is as strict as a typed one: sign-in by VK, a meeting is
made and found, somebody asks and is let in, they talk, photos come and go. No answer and no frame is taken on trust."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support.fortytwo import Answer
from support.meetups import FORBIDDEN, FORM, GONE, OK, App, envelope, understood
from support.pictures import is_picture, png
from support.server import Server
from support.shapes import checked, read
from support.vk import Vk

MOSCOW = timezone(timedelta(hours=3))
NO_TOKEN = {"detail": "Invalid token."}


@pytest.fixture
def vk() -> Iterator[Vk]:
    with Vk() as stand_in:
        yield stand_in


@pytest.fixture
def server(new_server: Callable[[], Server], vk: Vk) -> Server:
    return new_server().start(*vk.flags())


def people(server: Server, vk: Vk, *names: str) -> list[App]:
    """New people of those first names, signed in by VK."""
    made = []
    for number, name in enumerate(names, start=112002):
        vk.owners[f"token-{number}"] = number
        made.append(App(server).sign_in(number, f"token-{number}", name))
    return made


def photo_id(photo: dict[str, Any]) -> int:
    return int(photo["delete_photo"].rstrip("/").rsplit("/", 1)[1])


def test_the_whole_story(server: Server, vk: Vk) -> None:
    anna, ivan = people(server, vk, "Анна", "Иван")

    # Anna tells of herself, and shows a photo.
    body = {"username": "anna", "about": "кино", "gender": 0, "birth_date": "1990-5-6", "client_key": "key"}
    me = anna.ask("PUT", f"/user-detail/{anna.id}/", anna.shapes.myself, json=body)
    assert (me["username"], me["first_name"], me["birth_date"], me["gender"]) == ("anna", "Анна", "1990-05-06", 0)
    assert (me["client_key"], me["avatar"], me["photos"]) == ("key", "", [])
    photo = anna.upload(png(40, 30))
    me = anna.myself()
    assert me["avatar"] == photo["photo"] and [one["photo"] for one in me["photos"]] == [photo["photo"]]
    shown = server.http.get(photo["photo"])
    assert is_picture(shown.content) and shown.headers["content-type"] == "image/png"

    # She proposes something, for today.
    meeting = anna.meet("Кино", category=2, coordinates={"lat": 55.76, "lng": 37.62})
    assert meeting["meeting_date"] == datetime.now(MOSCOW).date().isoformat()
    assert (meeting["group_type"], meeting["category"], meeting["owner"]["id"]) == (0, 2, anna.id)

    # Ivan finds it, and reads what its addresses lead to.
    [found] = ivan.meetings(lat=55.75, lng=37.61, r=5, category="bar", gender=0, age_from=18, age_to=120)
    assert found["id"] == meeting["id"] and found["color_status"] == "disapproved"
    assert ivan.meetings(lat=37.61, lng=55.75, r=5) == []
    assert ivan.ask("GET", found["href"], ivan.shapes.meeting) == found
    assert ivan.ask("GET", found["owner"]["href"], ivan.shapes.stranger) == found["owner"]
    types = ivan.ask("GET", "/meeting-types/", envelope(200, "ok", str))["data"]
    assert types == '[["general", 0], ["sport", 1], ["bar", 2], ["dance", 3]]'

    # He asks to come, and Anna lets him.
    assert (anna.unread(), anna.confirms()) == (0, [])
    ivan.ask("POST", f"/meeting-confirm/{meeting['id']}/", OK)
    assert anna.unread() == 1
    [confirm] = anna.confirms()
    assert (confirm["user"]["id"], confirm["meeting"], confirm["is_read"]) == (ivan.id, meeting["id"], False)
    assert anna.unread() == 0 and anna.confirms()[0]["is_read"]
    assert (anna.chats(), ivan.chats()) == ([], [])
    approved = anna.decide(confirm["id"], is_approved="True")
    assert (approved["is_approved"], approved["is_rejected"], approved["is_read"]) == (True, False, True)
    assert ivan.meetings()[0]["color_status"] == "approved"

    # They talk.
    [chat] = ivan.chats()
    assert (chat["title"], chat["owner"]["id"], [one["id"] for one in chat["users"]]) == ("Кино", anna.id, [ivan.id])
    assert chat["last_message"]["text"] == "" and "id" not in chat["last_message"]
    assert anna.chats() == [chat] and ivan.messages(chat["id"]) == []
    with anna.chat(chat["channel_slug"]) as annas, ivan.chat(chat["channel_slug"]) as ivans:
        for text in ["Я иду!", '{"text": "not JSON to us"}', " <b>😀</b>\n"]:
            ivans.raw(text)
            heard = annas.heard()
            assert (heard["text"], heard["author_name"], heard["is_my"]) == (text, "Иван", False)
            assert (heard["avatar"], heard["href"]) == ("", f"{server.url}/user-detail/{ivan.id}/")
            assert ivans.heard() == heard | {"is_my": True}
        annas.raw("Ура")
        heard = ivans.heard()
        assert (heard["author_name"], heard["avatar"], heard["is_my"]) == ("Анна", photo["photo"], False)
        assert annas.heard()["is_my"]
    history = anna.messages(chat["id"])
    assert [one["text"] for one in history] == ["Я иду!", '{"text": "not JSON to us"}', " <b>😀</b>\n", "Ура"]
    assert [one["is_my"] for one in history] == [False, False, False, True]
    assert [one["text"] for one in anna.messages(chat["id"], limit=2)] == [" <b>😀</b>\n", "Ура"]
    assert [one["text"] for one in anna.messages(chat["id"], limit=1, before=history[2]["id"])] == [history[1]["text"]]
    assert anna.chats()[0]["last_message"]["id"] == history[3]["id"]

    # Another photo becomes the avatar, and goes.
    second = anna.upload(png(30, 40), "2.jpg")
    assert anna.myself()["avatar"] == photo["photo"]
    anna.ask("PUT", second["set_avatar"], OK)
    assert [one["photo"] for one in anna.myself()["photos"]] == [second["photo"], photo["photo"]]
    assert ivan.messages(chat["id"])[3]["author"]["avatar"] == second["photo"]
    anna.ask("DELETE", second["delete_photo"], GONE)
    assert anna.myself()["avatar"] == photo["photo"]
    assert server.http.get(second["photo"]).status_code == 404
    anna.ask("DELETE", photo["delete_photo"], GONE)
    assert (anna.myself()["avatar"], anna.myself()["photos"]) == ("", [])

    # Anna thinks again, twice. The chat is the same one.
    with ivan.chat(chat["channel_slug"]) as ivans:
        anna.decide(confirm["id"], is_rejected="True")
        assert ivans.close_code() == 4403
    assert ivan.chats() == [] and ivan.meetings()[0]["color_status"] == "disapproved"
    ivan.ask("GET", f"/message-list/{chat['id']}/", envelope(400, "you can not see this chat"))
    again = envelope(400, "you cannot create more than one confirm")
    ivan.ask("POST", f"/meeting-confirm/{meeting['id']}/", again)
    anna.decide(confirm["id"], is_approved="True")
    assert [one["id"] for one in ivan.chats()] == [chat["id"]]

    # The app asked VK about each, once.
    assert [asked.form["access_token"] for asked in vk.asked] == ["token-112002", "token-112003"]


def test_everyone_in_a_group_hears_everyone(server: Server, vk: Vk) -> None:
    anna, ivan, olga = people(server, vk, "Анна", "Иван", "Ольга")
    meeting = anna.meet(group_type=1)["id"]
    for guest in (ivan, olga):
        anna.let_in(guest, meeting)
    [chat] = olga.chats()
    assert [one["id"] for one in chat["users"]] == [ivan.id, olga.id]
    slug = chat["channel_slug"]
    with anna.chat(slug) as annas, ivan.chat(slug) as ivans, ivan.chat(slug) as tablet, olga.chat(slug) as olgas:
        # Twenty quick ones, and all of them; a socket that closes takes no other with it.
        for number in range(20):
            ivans.raw(str(number))
        tablet.connection.close()
        for socket_ in (annas, olgas, ivans):
            assert [socket_.heard()["text"] for _ in range(20)] == [str(number) for number in range(20)]
        # What is no message is dropped, and nobody hears of it.
        for nothing in ["", "  \n", "x" * 4097, "a\0b"]:
            olgas.raw(nothing)
        olgas.raw("x" * 4096)
        assert [len(socket_.heard()["text"]) for socket_ in (annas, olgas, ivans)] == [4096] * 3
        olgas.raw(b"\x00")
        assert olgas.close_code() == 1003
    assert len(anna.messages(chat["id"])) == 21


def test_a_socket_takes_every_kind_of_token_and_no_frame_beyond_the_limit(server: Server, vk: Vk) -> None:
    anna, ivan = people(server, vk, "Анна", "Иван")
    anna.let_in(ivan, anna.meet()["id"])
    [chat] = anna.chats()
    path = f"/chat/{chat['channel_slug']}"
    for query in ("token", "access_token"):
        for end in ("", "/"):
            with connect(f"{server.socket_url}{path}{end}?{query}={anna.token}", proxy=None) as socket_:
                socket_.send("hi")
                assert checked(read(socket_.recv(timeout=60)), anna.shapes.frame)["text"] == "hi"
    bearer = {"Authorization": f"Bearer {anna.token}"}
    with connect(f"{server.socket_url}{path}/?token=nonsense", additional_headers=bearer, proxy=None) as socket_:
        # A mebibyte is read, and dropped as too long a message; more is no frame to be read.
        socket_.send("x" * (1 << 20))
        socket_.send("here")
        assert read(socket_.recv(timeout=60))["text"] == "here"
        socket_.send("x" * ((1 << 20) + 1))
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(timeout=60)
        assert closed.value.rcvd and closed.value.rcvd.code == 1009


def test_what_the_owner_alone_may_see(server: Server, vk: Vk) -> None:
    anna, ivan, olga = people(server, vk, "Анна", "Иван", "Ольга")
    ivan.ask("PUT", "/set-client-key/", OK, json={"client_key": "ivans"})
    assert ivan.myself()["client_key"] == "ivans"
    # The shapes of other people's objects have no such field.
    anna.ask("GET", f"/user-detail/{ivan.id}/", anna.shapes.stranger)
    meeting = ivan.meet()
    [seen] = anna.meetings()
    assert "client_key" not in seen["owner"] and meeting["owner"]["client_key"] == "ivans"
    ivan.let_in(anna, meeting["id"])
    [chat] = anna.chats()
    # Neither the number nor the name of a chat lets a stranger in.
    olga.ask("GET", f"/message-list/{chat['id']}/", envelope(400, "you can not see this chat"))
    olga.ask("GET", "/message-list/9999/", envelope(404, "chat does not exist"))
    for app, slug, code in [
        (olga, chat["channel_slug"], 4403),
        (olga, "0" * 20, 4404),
        (App(server, "f" * 40), chat["channel_slug"], 4401),
        (App(server, ""), chat["channel_slug"], 4401),
    ]:
        with app.chat(slug) as refused:
            assert refused.close_code() == code
    for path in [f"/meeting-detail/{meeting['id']}/", f"/user-detail/{ivan.id}/", "/set-avatar/1/"]:
        anna.ask("PUT", path, FORBIDDEN, 403, json={})


# the document's own requests, to the letter


def literal(server: Server, head: str, body: bytes = b"") -> tuple[int, Any]:
    """Sends a request as it stands, and reads the answer; its status and value."""
    lines = [line.strip() for line in head.strip().splitlines()]
    lines = [f"Content-Length: {len(body)}" if line.startswith("Content-Length:") else line for line in lines]
    if not any(line.startswith("Connection:") for line in lines):
        lines.append("Connection: close")
    raw = "\r\n".join([line.replace("Connection: keep-alive", "Connection: close") for line in lines]) + "\r\n\r\n"
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(raw.encode() + body)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    head_, _, content = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head_.lower(), answer
    return int(head_.split()[1]), read(content)


def test_the_documents_literal_requests(new_server: Callable[[], Server]) -> None:
    # The document names no real token of VK's: whoever runs its examples does so with this setting.
    server = new_server().start("--social-trust", "vk")
    shapes = App(server).shapes
    status, session = literal(
        server,
        """POST /api-token-auth/ HTTP/1.1
        Host: 37.46.128.134
        User-Agent: curl/7.51.0
        Accept: */*
        Content-Type: application/json
        Content-Length: 91""",
        b'{\n    "social_slug": "vk", \n    "external_id": 112002, \n    "token": "DJSKJDKSA", \n'
        b'    "first_name": "Ilia228"\n}',
    )
    assert status == 200
    # Addresses are built from the host that the client asked for.
    named = {"token": re.compile("[0-9a-f]{40}"), "href": re.compile(r"http://37\.46\.128\.134/user-detail/\d+/")}
    checked(session, named)
    owner = App(server, session["token"])
    owner.id = owner.myself()["id"]
    token = f"Authorization: Token {session['token']}"

    status, meeting = literal(
        server,
        f"""POST /meetings-list/ HTTP/1.1
        User-Agent: curl/7.35.0
        Host: {server.url.removeprefix("http://")}
        Accept: */*
        Content-Type: application/json
        {token}
        Content-Length: xxx""",
        b'{"title": "title", "description": "desc", "coordinates": {"lat": 20, "lng":30}}',
    )
    assert status == 201
    checked(meeting, shapes.my_meeting)
    assert (meeting["title"], meeting["description"]) == ("title", "desc")
    assert meeting["coordinates"] == {"lat": 20, "lng": 30}
    # The least of it.
    body = b'{"title": "t", "coordinates": {"lat": 20, "lng":30}}'
    head = f"POST /meetings-list/ HTTP/1.1\nHost: a\nContent-Type: application/json\n{token}\nContent-Length: x"
    status, least = literal(server, head.replace("Host: a", f"Host: {server.url.removeprefix('http://')}"), body)
    assert status == 201
    checked(least, shapes.my_meeting)
    assert (least["description"], least["group_type"], least["category"]) == ("", 0, 0)

    status, listed = literal(
        server,
        f"""GET /meetings-list/ HTTP/1.1
        Accept: */*
        Accept-Encoding: gzip, deflate
        {token}
        Connection: keep-alive
        Host: {server.url.removeprefix("http://")}
        User-Agent: HTTPie/0.9.6""",
    )
    assert status == 200
    checked(listed, [shapes.meeting])
    assert listed == [meeting, least]

    status, me = literal(
        server,
        f"""PUT /user-detail/{owner.id}/ HTTP/1.1
        User-Agent: curl/7.35.0
        Host: {server.url.removeprefix("http://")}
        Accept: */*
        Content-Type: application/json
        {token}
        Content-Length: 77""",
        b'{"username": "new_nick", "firs_name": "new first name", "about": "new about"}',
    )
    assert status == 200
    checked(me, shapes.myself)
    assert (me["username"], me["first_name"], me["about"]) == ("new_nick", "new first name", "new about")

    # HTTPie's `-f`: a picture under the type of a form.
    status, uploaded = literal(
        server,
        f"""PUT /upload-photo/55.jpg HTTP/1.1
        Accept: */*
        Accept-Encoding: gzip, deflate
        {token}
        Connection: keep-alive
        Content-Length: 27475
        Content-Type: {FORM}
        Host: {server.url.removeprefix("http://")}
        User-Agent: HTTPie/0.9.8""",
        png(64, 64),
    )
    assert status == 200
    checked(uploaded, envelope(204, "ok", shapes.uploaded))
    photo = photo_id(uploaded["data"])
    owner.ask("PUT", f"/set-avatar/{photo}/", OK)
    owner.ask("DELETE", f"/delete-photo/{photo}/", GONE)

    guest = App(server).sign_in(2, "x", "Гость")
    # HTTPie without a body, and with `name=value`, which is JSON of texts; curl's `-d` is a form.
    guest.ask("POST", f"/meeting-confirm/{meeting['id']}/", OK, headers={"User-Agent": "HTTPie/0.9.8"})
    [confirm] = owner.confirms()
    path = f"/confirm-action/{confirm['id']}/"
    for sent in [{"json": {"is_approved": "True"}}, {"data": {"is_rejected": "True"}}, {"data": {"is_approved": "True"}}]:
        decided = owner.ask("PUT", path, shapes.confirm, **sent)
        is_approved = "is_approved" in next(iter(sent.values()))
        assert (decided["is_approved"], decided["is_rejected"]) == (is_approved, not is_approved)
    assert owner.unread() == 0
    [chat] = owner.chats()
    assert guest.messages(chat["id"]) == []


# many at once


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Does all of it at the same moment; what each gave."""
    gate, answers = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place: int, deed: Callable[[], Any]) -> None:
        gate.wait()
        answers[place] = deed()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_same_at_once_is_done_once(server: Server, vk: Vk) -> None:
    vk.owners["new"] = 7
    tokens = at_once(*[lambda: App(server).sign_in(7, "new")] * 8)
    assert len({(app.id, app.token) for app in tokens}) == 1
    anna, ivan = people(server, vk, "Анна", "Иван")

    def make() -> int:
        body = {"title": "t", "coordinates": {"lat": 1, "lng": 2}}
        return read(anna.send("POST", "/meetings-list/", json=body).content).get("status", 201)

    assert sorted(at_once(*[make] * 8)) == [201] * 3 + [429] * 5
    meeting = anna.meetings()[0]["id"]
    ask = at_once(*[lambda: ivan.send("POST", f"/meeting-confirm/{meeting}/")] * 8)
    assert sorted(read(answer.content)["status"] for answer in ask) == [200] + [400] * 7
    [confirm] = anna.confirms()
    at_once(*[lambda: anna.decide(confirm["id"], is_approved="True")] * 8)
    assert len(ivan.chats()) == len(anna.chats()) == 1
    photos = at_once(*[lambda: anna.upload(png())] * 4)
    assert len({photo["photo"] for photo in photos}) == len(anna.myself()["photos"]) == 4


def test_who_is_taken_out_says_and_hears_no_more(server: Server, vk: Vk) -> None:
    anna, ivan, olga = people(server, vk, "Анна", "Иван", "Ольга")
    meeting = anna.meet(group_type=1)["id"]
    confirm = anna.let_in(ivan, meeting)
    anna.let_in(olga, meeting)
    [chat] = anna.chats()
    slug, end = chat["channel_slug"], "-- the end --"
    for _ in range(5):
        said, heard_by_ivan = [], []
        with anna.chat(slug) as annas, olga.chat(slug) as olgas, ivan.chat(slug) as ivans:

            def talk(room: Any = ivans) -> None:
                try:
                    for number in range(10_000):
                        room.raw(f"ivan {number}")
                        olgas.raw(f"olga {number}")
                        heard_by_ivan.append(room.heard()["text"])
                except ConnectionClosed as closed:
                    assert closed.rcvd and closed.rcvd.code == 4403

            at_once(talk, lambda: anna.decide(confirm, is_rejected="True"))
            # Whatever was stored of his was stored before that.
            before = len([one for one in anna.messages(chat["id"]) if one["author"]["id"] == ivan.id])
            olgas.raw(end)
            while not said or said[-1] != end:
                said.append(annas.heard()["text"])
        history = anna.messages(chat["id"])
        assert [one["text"] for one in history][-len(said) :] == said
        assert len([one for one in history if one["author"]["id"] == ivan.id]) == before
        assert heard_by_ivan == said[: len(heard_by_ivan)] and end not in heard_by_ivan
        with ivan.chat(slug) as ivans:
            assert ivans.close_code() == 4403
        anna.decide(confirm, is_approved="True")


# VK


def test_only_the_owner_of_a_token_signs_in(server: Server, vk: Vk) -> None:
    vk.owners = {"annas": 112002, "ivans": 112003}
    anna = App(server).sign_in(112002, "annas")
    # The same account again, and the same token while its session lives; the first name is not changed.
    again = App(server).sign_in(112002, "annas", "Somebody")
    assert (again.id, again.token) == (anna.id, anna.token)
    assert anna.myself()["first_name"] == "Анна"
    vk.expired.add("old")
    for external_id, token in [(112002, "ivans"), (112003, "annas"), (112002, "made up"), (112002, "old")]:
        answer = App(server).try_sign_in(external_id, token)
        understood(answer, NO_TOKEN, 401)
        assert answer.headers["www-authenticate"].startswith("Token")
    # It was asked who the token's owner is, and told of nobody; no token stood in an address, or in the log.
    for asked in vk.asked:
        assert asked.method == "POST" and "user_ids" not in asked.form and "?" not in asked.path
        assert asked.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert not re.search("annas|ivans|made up", server.log_text())


def test_guessing_is_limited_by_the_id(server: Server, vk: Vk) -> None:
    vk.owners = {"annas": 112002, "ivans": 112003}
    for number in range(10):
        understood(App(server).try_sign_in(112002, f"guess {number}"), NO_TOKEN, 401)
    asked = len(vk.asked)
    answer = App(server).try_sign_in(112002, "annas")
    understood(answer, {"detail": re.compile(r"Request was throttled\. Expected available in \d+ seconds\.")}, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert len(vk.asked) == asked
    # Others are not kept out by that.
    App(server).sign_in(112003, "ivans")


def test_with_a_service_key_only_the_applications_own_tokens_sign_in(new_server: Callable[[], Server], vk: Vk) -> None:
    server = new_server().start(*vk.flags(service_key=True))
    vk.owners["annas"] = 112002
    App(server).sign_in(112002, "annas")
    understood(App(server).try_sign_in(112002, "another application's"), NO_TOKEN, 401)
    understood(App(server).try_sign_in(1, "annas"), NO_TOKEN, 401)
    assert {asked.path for asked in vk.asked} == {"/method/secure.checkToken"}
    assert vk.asked[0].form["token"] == "annas"


def test_a_vk_that_cannot_be_asked_is_not_a_wrong_token(new_server: Callable[[], Server], vk: Vk) -> None:
    server = new_server().start(*vk.flags())
    vk.owners["annas"] = 112002
    unavailable = {"detail": str}
    for status, body in [
        (200, b"<html>Be right back</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"response": {}}'),
        (200, b'{"response": [{"id": "112002"}]}'),
        (200, b'{"response": [{"id": 112002}]'),
        (200, b'{"error": {"error_code": 6, "error_msg": "Too many requests per second"}}'),
        (200, b'{"error": {"error_code": 10, "error_msg": "Internal server error"}}'),
        (200, b" " * 100_000),
        (500, b'{"response": [{"id": 112002}]}'),
        (502, b"Bad Gateway"),
        (302, b""),
    ]:
        vk.always = Answer(status, body)
        understood(App(server).try_sign_in(112002, "annas"), unavailable, 503)
    # Nobody was signed in, and nobody is locked out.
    vk.always = None
    App(server).sign_in(112002, "annas")


@pytest.mark.only("sqlite")
def test_a_vk_that_is_away_or_silent(new_server: Callable[[], Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        server = new_server().start("--vk-url", address)
        understood(App(server).try_sign_in(112002, "annas"), {"detail": str}, 503)
        server.stop()
    server.restart()
    understood(App(server).try_sign_in(112002, "annas"), {"detail": str}, 503)


def test_what_a_sign_in_needs(server: Server, vk: Vk) -> None:
    required = {name: ["This field is required."] for name in ("social_slug", "external_id", "token", "first_name")}
    post = server.http.post
    for body in [{}, dict.fromkeys(required), dict.fromkeys(required, "")]:
        understood(post("/api-token-auth/", json=body), required, 400)
    app = App(server)
    for wrong in ["abc", 1.5, True, [], {}, "1e3", 2**63, -(2**63) - 1, "９", "--1"]:
        understood(app.try_sign_in(wrong, "t"), {"external_id": [str]}, 400)
    for zero in [0, "0", "-0"]:
        understood(app.try_sign_in(zero, "t"), {"non_field_errors": [str]}, 400)
    good = {"social_slug": "vk", "external_id": 1, "token": "t", "first_name": "Анна"}
    for field, longest in [("social_slug", 16), ("token", 255), ("first_name", 150)]:
        for wrong in ["x" * (longest + 1), [], {}, True, "a\0b"]:
            understood(post("/api-token-auth/", json=good | {field: wrong}), {field: [str]}, 400)
    understood(app.try_sign_in(1, "t", social_slug="fb"), {"non_field_errors": [str]}, 400)
    assert vk.asked == []
    vk.owners["annas"] = 112002
    for sent in [
        {"data": {"social_slug": "vk", "external_id": "112002", "token": "annas", "first_name": "Анна"}},
        {"files": {name: (None, value) for name, value in
                   [("social_slug", "vk"), ("external_id", "112002"), ("token", "annas"), ("first_name", "Анна")]}},
    ]:  # fmt: skip
        understood(post("/api-token-auth", headers={"Authorization": "Token nonsense"}, **sent), app.shapes.session)
