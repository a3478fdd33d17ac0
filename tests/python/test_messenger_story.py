"""The story that the `messenger` document tells, played with ordinary clients: its people, its bodies, its answers."""

import base64
import json
import re
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.people import MESSAGE_KEYS, Person, signed_in
from support.pictures import is_picture, png
from support.server import Server

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def user(name: str, connected: bool, friends: list[str], avatar: str | None = "/media/avatars/default.png") -> dict:
    return {"username": name, "is_connected": connected, "avatar": avatar, "friends": friends}


def shown(users: list[dict]) -> list[dict]:
    """Users with the keys that the document shows (`id` may be there too)."""
    for one in users:
        assert set(one) - {"id"} == {"username", "is_connected", "avatar", "friends"}, one
    return [{key: one[key] for key in one if key != "id"} for one in users]


def test_registration_code_and_login(server: Server) -> None:
    w = Person(server, "w", email="w@example.org")

    answer = w.ask(
        "POST",
        "/auth/registration/",
        json={"username": "w", "email": w.email, "password1": w.password, "password2": w.password},
    )
    assert answer.status_code == 201
    assert answer.json() == {"detail": "User registered successfully. Please log in."}
    assert answer.headers["content-type"] == "application/json"

    answer = w.ask("POST", "/twofa/send-code/", json={"username": "w", "email": w.email})
    assert (answer.status_code, answer.text) == (200, "Email sent. Use the code sent in the login process")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"

    code = server.outbox.next_code(w.email)
    answer = w.try_login(code)
    assert answer.status_code == 200
    w.take(answer.json())
    assert re.fullmatch("[0-9a-f]{40}", w.token)
    assert w.access.count(".") == w.refresh.count(".") == 2
    assert shown(w.get("/users/user_list/")) == [user("w", True, [])]

    # The code is used up.
    answer = w.try_login(code)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid credentials"})


def test_the_mail(server: Server) -> None:
    ana = Person(server, "ana").register()
    ana.ask("POST", "/twofa/send-code/", json={"username": "ana", "password": ana.password})
    mail = server.outbox.next_mail(ana.email)
    assert mail["Subject"] == "2fa for Trascendence"
    assert "ana" in mail.get_content()
    assert re.search(r"^\d{6}\r?$", mail.get_content(), re.MULTILINE)


def test_wrong_codes(server: Server) -> None:
    ana = Person(server, "ana").register()
    ben = Person(server, "ben").register()
    code = ana.mailed_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    bens = ben.mailed_code()

    refusals = [
        ana.try_login(wrong),
        ana.try_login(""),
        ana.ask("POST", "/auth/login/", json={"username": "ana", "password": ana.password}),
        ana.ask("POST", "/auth/login/", json={"username": "ana", "code": code}),
        ana.ask("POST", "/auth/login/", json={"username": "ana", "code": code, "password": "not the password"}),
        ana.ask("POST", "/auth/login/", json={}),
    ]
    if bens != code:
        refusals.append(ana.try_login(bens))
    for answer in refusals:
        assert (answer.status_code, answer.json()) == (400, {"error": "Invalid credentials"})

    # As a number, padded to six digits.
    assert ana.try_login(int(code)).status_code == 200


def test_a_code_is_void_after_five_wrong_ones(server: Server) -> None:
    ana = Person(server, "ana").register()
    code = ana.mailed_code()
    for step in range(1, 6):
        assert ana.try_login(f"{(int(code) + step) % 1_000_000:06}").status_code == 400
    assert ana.try_login(code).status_code == 400
    # A new one works.
    ana.login()


def test_only_the_newest_code_counts(server: Server) -> None:
    ana = Person(server, "ana").register()
    first, second = ana.mailed_code(), ana.mailed_code()
    if first != second:
        assert ana.try_login(first).status_code == 400
    assert ana.try_login(second).status_code == 200


def test_send_code_wants_a_matching_pair(server: Server) -> None:
    ana = Person(server, "ana").register()
    for body in [
        {"username": "ana", "email": "other@example.org"},
        {"username": "nobody", "email": ana.email},
        {"username": "ana"},
    ]:
        answer = ana.ask("POST", "/twofa/send-code/", json=body)
        assert answer.status_code == 404
        assert answer.json() == {"error": "User with the provided username and email does not exist."}
    answer = ana.ask("POST", "/twofa/send-code/", json={"username": "ana", "password": "not the password"})
    assert (answer.status_code, answer.json()) == (404, {"error": "Wrong username or password."})
    # E-mail is compared without case.
    answer = ana.ask("POST", "/twofa/send-code/", json={"username": "ana", "email": ana.email.upper()})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"username": "TAKEN"}, {"username": ["A user with that username already exists."]}),
        (
            {"username": "no blanks"},
            {
                "username": [
                    "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
                ]
            },
        ),
        ({"email": "nonsense"}, {"email": ["Enter a valid email address."]}),
        ({"password2": "popopopo0988"}, {"non_field_errors": ["The two password fields didn't match."]}),
        (
            {"password1": "1234567", "password2": "1234567"},
            {
                "password1": [
                    "This password is too short. It must contain at least 8 characters.",
                    "This password is too common.",
                    "This password is entirely numeric.",
                ]
            },
        ),
        (
            {"username": "potxoloTheThird", "password1": "potxoloTheThird", "password2": "potxoloTheThird"},
            {"non_field_errors": ["The password is too similar to the username."]},
        ),
    ],
    ids=["taken", "characters", "email", "differ", "weak", "similar"],
)
def test_registration_refusals(server: Server, change: dict, answer: dict) -> None:
    Person(server, "taken").register()
    body = {"username": "w", "email": "w@example.org", "password1": "popopopo0987", "password2": "popopopo0987"}
    got = server.http.post("/auth/registration/", json=body | change)
    assert (got.status_code, got.json()) == (400, answer)


def test_the_user_list_and_updates(server: Server) -> None:
    potxolo, jimenetz = signed_in(server, "potxolo", "jimenetz")
    Person(server, "manoli").register()
    potxolo.post("/users/add_friend/", {"friend_username": "jimenetz"})

    updated = potxolo.post("/users/update/", {"username": "potxoloTheThird", "avatar": "/media/avatars/fary.png"})
    third = user("potxoloTheThird", True, ["jimenetz"], "/media/media/avatars/fary.png")
    assert shown([updated]) == [third]

    assert shown(jimenetz.get("/users/user_list/")) == [
        user("jimenetz", True, ["potxoloTheThird"]),
        user("manoli", False, []),
        third,
    ]

    # The string that is there already changes nothing; null clears it.
    assert shown([potxolo.post("/users/update/", {"avatar": "/media/media/avatars/fary.png"})]) == [third]
    assert potxolo.post("/users/update/", {"avatar": None})["avatar"] is None


@pytest.mark.parametrize("avatar", ["../secret", "a\\b", "https://elsewhere.example/a.png", "a\nb", "a" * 101])
def test_avatar_strings_that_are_refused(server: Server, avatar: str) -> None:
    [ana] = signed_in(server, "ana")
    answer = ana.ask("POST", "/users/update/", json={"avatar": avatar})
    assert answer.status_code == 400
    assert list(answer.json()) == ["avatar"]


def test_an_avatar_file(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    updated = ana.post("/users/update/", files={"avatar": ("../../me.png", png(), "image/png")})
    path = updated["avatar"]
    assert path.startswith("/media/") and "default" not in path and ".." not in path and "me.png" not in path

    picture = server.http.get(path)  # public
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert is_picture(picture.content)
    assert shown(ana.get("/users/user_list/"))[0]["avatar"] == path

    refused = ana.ask("POST", "/users/update/", files={"avatar": ("me.png", b"<html>", "image/png")})
    assert refused.status_code == 400
    assert list(refused.json()) == ["avatar"]
    assert is_picture(server.http.get("/media/avatars/default.png").content)


def test_registration_with_an_avatar_file(server: Server) -> None:
    fields = {"username": "w", "email": "w@example.org", "password1": "popopopo0987", "password2": "popopopo0987"}
    refused = server.http.post("/auth/registration/", data=fields, files={"avatar": ("a.png", b"no picture")})
    assert refused.status_code == 400
    assert refused.json() == {
        "avatar": ["Upload a valid image. The file you uploaded was either not an image or a corrupted image."]
    }
    made = server.http.post("/auth/registration/", data=fields, files={"avatar": ("a.png", png(), "image/png")})
    assert made.status_code == 201
    w = Person(server, "w").login()
    avatar = w.get("/users/user_list/")[0]["avatar"]
    assert avatar != "/media/avatars/default.png"
    assert is_picture(server.http.get(avatar).content)


def test_friends(server: Server) -> None:
    jimenetz, manoli, carmentxu = signed_in(server, "jimenetz", "manoli", "carmentxu")
    added = {"success": True, "message": "manoli added as friend."}
    assert jimenetz.post("/users/add_friend/", {"friend_username": "manoli"}) == added
    assert jimenetz.post("/users/add_friend/", {"friend_username": "manoli"}) == added
    jimenetz.post("/users/add_friend/", {"friend_username": "carmentxu"})

    assert shown(jimenetz.get("/users/friend_list/")) == [
        user("carmentxu", True, ["jimenetz"]),
        user("manoli", True, ["jimenetz"]),
    ]
    assert shown(manoli.get("/users/friend_list/")) == [user("jimenetz", True, ["carmentxu", "manoli"])]

    removed = {"success": True, "message": "manoli removed as friend."}
    assert jimenetz.post("/users/remove_friend/", {"friend_username": "manoli"}) == removed
    assert jimenetz.post("/users/remove_friend/", {"friend_username": "manoli"}) == removed
    assert manoli.get("/users/friend_list/") == []
    assert [one["username"] for one in carmentxu.get("/users/friend_list/")] == ["jimenetz"]

    answer = jimenetz.ask("POST", "/users/add_friend/", json={"friend_username": "nobody"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "No MyUser matches the given query."})
    answer = jimenetz.ask("POST", "/users/add_friend/", json={"friend_username": "jimenetz"})
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "message": "You cannot add yourself as a friend."}


def test_refresh(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    # As document 001 writes it, and as one would expect it.
    for headers in [
        {"Bearer": f"Token {ana.refresh}"},
        {"Bearer": f"Bearer {ana.refresh}"},
        {"Bearer": ana.refresh},
        {"Authorization": f"Bearer {ana.refresh}"},
    ]:
        answer = ana.ask("POST", "/api/token/refresh/", token="", headers=headers)
        assert answer.status_code == 200, headers
        assert set(answer.json()) == {"access_token", "refresh_token"}
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert ana.ask("GET", "/users/user_list/", token="", headers=bearer).status_code == 200

    # As document 003 does.
    answer = ana.ask("POST", "/api/token/refresh/", token="", json={"refresh": ana.refresh})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access"}

    answer = ana.ask("POST", "/api/token/refresh/", token="", headers={"Bearer": f"Token {ana.access}"})
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token has wrong type", "code": "token_not_valid"}
    answer = ana.ask("POST", "/api/token/refresh/", token="", headers={"Bearer": "Token nonsense"})
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token is invalid or expired", "code": "token_not_valid"}
    answer = ana.ask("POST", "/api/token/refresh/", token="")
    assert (answer.status_code, answer.json()) == (400, {"refresh": ["This field is required."]})


def test_conversations(server: Server) -> None:
    jimenetz, manoli, carmentxu = signed_in(server, "jimenetz", "manoli", "carmentxu")
    Person(server, "ramoncin").register()

    started = jimenetz.post("/conversations/start/", {"username": "manoli"})
    assert set(started) == {"conversation_id", "initiator", "receiver"}
    assert shown([started["initiator"], started["receiver"]]) == [
        user("jimenetz", True, []),
        user("manoli", True, []),
    ]
    # Either way round it is the same one, with its first initiator.
    assert manoli.post("/conversations/start/", {"username": "jimenetz"}) == started
    conversation = started["conversation_id"]

    [listed] = manoli.get("/conversations/")
    assert listed.pop("conversation_id", conversation) == conversation
    assert listed == {"initiator": started["initiator"], "receiver": started["receiver"], "last_message": None}
    one = manoli.get(f"/conversations/{conversation}/")
    assert one.pop("conversation_id", conversation) == conversation
    assert one == {"initiator": started["initiator"], "receiver": started["receiver"], "message_set": []}
    assert carmentxu.get("/conversations/") == []

    for person, path, status, body in [
        (carmentxu, f"/conversations/{conversation}/", 403, "You do not have permission to perform this action."),
        (jimenetz, "/conversations/999999/", 404, "Conversation does not exist"),
        (jimenetz, "/conversations/99999999999999999999/", 404, None),
    ]:
        answer = person.ask("GET", path)
        assert answer.status_code == status
        if body:
            assert body in answer.json().values()

    for name, status, text in [
        ("jimenetz", 400, "You cannot chat with yourself"),
        ("nobody", 404, "You cannot chat with a non existent user"),
        ("ramoncin", 400, "User is not connected"),
    ]:
        answer = jimenetz.ask("POST", "/conversations/start/", json={"username": name})
        assert (answer.status_code, answer.json()) == (status, {"message": text})

    # The newest activity comes first.
    other = jimenetz.start_conversation(carmentxu)
    with jimenetz.chat(conversation) as socket:
        socket.say("holii")
        said = socket.message()
    listed = jimenetz.get("/conversations/")
    assert [entry["receiver"]["username"] for entry in listed] == ["manoli", "carmentxu"]
    assert listed[0]["last_message"] == said
    with jimenetz.chat(other) as socket:
        socket.say("and you?")
        socket.message()
    listed = jimenetz.get("/conversations/")
    assert [entry["receiver"]["username"] for entry in listed] == ["carmentxu", "manoli"]


def test_a_chat_both_ways(server: Server) -> None:
    jimenetz, manoli = signed_in(server, "jimenetz", "manoli")
    conversation = jimenetz.start_conversation(manoli)

    with jimenetz.chat(conversation) as here, manoli.chat(conversation) as there:
        here.say("holii")
        first = here.message()
        assert there.message() == first
        there.say("qué tal? 🙂", more="ignored")
        second = here.message()
        assert there.message() == second

        # Each of these is an error for the sender alone.
        for frame in ["not JSON", "[]", "{}", '{"message": 7}', '{"message": "  "}', '{"message": null}']:
            here.raw(frame)
            error = here.frame()
            assert list(error) == ["error"] and isinstance(error["error"], str), frame
        here.say("x" * 4097)
        assert list(here.frame()) == ["error"]
        here.say("x" * 4096)
        third = here.message()
        assert there.message() == third

    assert first["text"] == "holii" and second["text"] == "qué tal? 🙂"
    assert (first["realSender"], second["realSender"]) == ("jimenetz", "manoli")
    assert first["attachment"] is None
    for message in (first, second, third):
        assert isinstance(message["sender"], int) and isinstance(message["id"], int)
        assert TIMESTAMP.fullmatch(message["timestamp"])
    assert first["id"] < second["id"] < third["id"]

    # Newest first in the history, and the same objects.
    assert manoli.get(f"/conversations/{conversation}/")["message_set"] == [third, second, first]


def test_no_history_on_connect(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket:
        socket.say("before")
        socket.message()
        with ben.chat(conversation) as late:
            socket.say("after")
            assert late.message()["text"] == "after"


def test_credentials_of_a_socket(server: Server) -> None:
    ana, ben, carol = signed_in(server, "ana", "ben", "carol")
    conversation = ana.start_conversation(ben)

    for query, headers in [
        ("", {"Authorization": f"Bearer {ana.access}"}),
        ("", {"authorization": f"token {ana.token}"}),
        (f"?token={ana.token}", {}),
        (f"?access_token={ana.access}", {}),
    ]:
        with ana.chat(conversation, query=query, headers=headers) as socket:
            socket.say("here")
            assert socket.message()["realSender"] == "ana"

    def refusal(person: Person, conversation: int, **more: dict) -> int:
        with pytest.raises(InvalidStatus) as refused, person.chat(conversation, **more):
            pass
        return refused.value.response.status_code

    assert refusal(ana, conversation, headers={}) == 401
    assert refusal(ana, conversation, headers={"Authorization": "Token " + "0" * 40}) == 401
    assert refusal(carol, conversation) == 403
    assert refusal(ana, 999_999) == 404


def test_a_picture_in_a_chat(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    picture = base64.b64encode(png()).decode()
    with ana.chat(conversation) as here, ben.chat(conversation) as there:
        here.say("look", attachment={"data": picture, "format": "png"})
        message = there.message()
        assert here.message() == message
        # Without a text, too.
        here.raw(json.dumps({"attachment": {"data": picture, "format": "png"}}))
        assert there.message()["attachment"].startswith("/media/")
        # The label decides nothing; a page is never served as one.
        page = base64.b64encode(b"<html><script>alert(1)</script></html>").decode()
        here.say("", attachment={"data": page, "format": "png"})
        frame = there.frame()
        here.message()
        here.frame()
        here.say("", attachment={"data": "!!! not base64 !!!", "format": "png"})
        assert list(here.frame()) == ["error"]

    assert message["attachment"].startswith("/media/")
    fetched = server.http.get(message["attachment"])
    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "image/png"
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert is_picture(fetched.content)

    assert set(frame) == MESSAGE_KEYS
    fetched = server.http.get(frame["attachment"])
    assert fetched.status_code == 200
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "html" not in fetched.headers["content-type"]

    history = ben.history(conversation)
    assert history[0] == message
    assert ben.get("/conversations/")[0]["last_message"] == history[-1]


def test_bad_frames_close_the_socket_with_their_code(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket:
        socket.raw(b"\x00\x01")
        assert socket.close_code() == 1003
    with ana.chat(conversation) as socket:
        with suppress(ConnectionClosed):
            socket.raw('{"message": "' + "x" * (15 * 1024 * 1024) + '"}')
        assert socket.close_code() == 1009


def test_a_password_change(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    new = "popopopo1234"

    for body, answer in [
        (
            {"new_password1": new, "new_password2": "popopopo9999"},
            {"new_password2": ["The two password fields didn’t match."]},
        ),
        (
            {"new_password1": new, "new_password2": new, "old_password": "not the password"},
            {"old_password": ["Your old password was entered incorrectly. Please enter it again."]},
        ),
        (
            {"new_password1": "a1b2c3d", "new_password2": "a1b2c3d"},
            {"new_password2": ["This password is too short. It must contain at least 8 characters."]},
        ),
    ]:
        refused = ana.ask("POST", "/auth/password/change/", json=body)
        assert (refused.status_code, refused.json()) == (400, answer)

    changed = ana.post("/auth/password/change/", {"new_password1": new, "new_password2": new})
    assert changed == {"detail": "New password has been saved."}
    ana.get("/users/user_list/")

    answer = ana.try_login(ana.mailed_code())
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid credentials"})
    ana.password = new
    ana.login()


def test_logout(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket, ben.chat(conversation) as other:
        assert ana.post("/auth/logout/") == {"detail": "Successfully logged out."}
        assert socket.close_code() == 4001
        other.say("anyone?")
        assert other.message()["text"] == "anyone?"

    answer = ana.ask("GET", "/users/user_list/")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token."})
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'
    answer = ana.ask("POST", "/auth/logout/", token="")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert ana.ask("POST", "/api/token/refresh/", token="", json={"refresh": ana.refresh}).status_code == 401

    answer = ben.ask("POST", "/conversations/start/", json={"username": "ana"})
    assert (answer.status_code, answer.json()) == (400, {"message": "User is not connected"})
    assert shown(ben.get("/users/user_list/")) == [user("ana", False, []), user("ben", True, [])]


def test_bodies_come_in_three_shapes_and_paths_in_two(server: Server) -> None:
    fields = {"username": "w", "email": "w@example.org", "password1": "popopopo0987", "password2": "popopopo0987"}
    assert server.http.post("/auth/registration", data=fields | {"username": "form"}).status_code == 201
    multipart = {key: (None, value) for key, value in (fields | {"username": "multi"}).items()}
    assert server.http.post("/auth/registration/", files=multipart).status_code == 201
    assert server.http.post("/auth/registration", json=fields | {"unknown": [1, 2]}).status_code == 201

    answer = server.http.post("/auth/registration/", content="{oops", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")
    answer = server.http.post("/auth/registration/", content="x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json() == {"detail": 'Unsupported media type "text/plain" in request.'}
    answer = server.http.get("/auth/registration/")
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "GET" not allowed.'})
    assert "POST" in answer.headers["allow"]
    answer = server.http.get("/nowhere/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
