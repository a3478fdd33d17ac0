"""The story that the `friends` document tells, with ordinary clients: accounts, friendships, messages, receipts."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import InvalidStatus

from support.friends import (
    FRIENDSHIP,
    MESSAGE_KEYS,
    POST_MESSAGE,
    POST_SEEN,
    PROFILE_KEYS,
    STATUS_KEYS,
    USER_KEYS,
    Friend,
    bearer,
    flags,
    friends,
    history_path,
)
from support.people import Person
from support.pictures import is_picture, png
from support.server import Server
from support.waiting import until

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PROFILE = "/api/users/profile/"
LOGOUT = "/api/users/logout/"
REFRESH = "/api/users/refresh-token/"
BAD_REFRESH = {"error": "Invalid or expired refresh token"}
NO_REFRESH = {"error": "Refresh token is required"}


def answered(answer) -> tuple[int, dict]:
    return answer.status_code, answer.json()


def refused(person: Friend, **more) -> int:
    """The HTTP status with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as refusal, person.socket(**more):
        pass
    return refusal.value.response.status_code


# accounts


def test_sign_up_with_a_picture_login_and_profile(server: Server) -> None:
    fields = {"username": "newuser", "password": "strongpassword123", "email": "new@example.org"}
    answer = server.http.post(
        "/api/users/signup/",
        data=fields | {"first_name": "John", "last_name": "Doe"},
        files={"personal_image": ("../../me.html", png(), "text/html")},
    )
    assert answer.status_code == 201
    assert set(answer.json()) == {"refresh", "access"}

    john = Friend(server, "newuser", "new@example.org", "strongpassword123").take(answer.json())
    profile = john.get(PROFILE)
    assert set(profile) >= PROFILE_KEYS
    assert (profile["username"], profile["email"]) == ("newuser", "new@example.org")
    assert (profile["first_name"], profile["last_name"]) == ("John", "Doe")
    assert str(UUID(profile["id"])) == profile["id"]
    assert profile["personal_image"].startswith(server.url + "/media/")
    assert "me" not in profile["personal_image"].rsplit("/", 1)[1] and ".." not in profile["personal_image"]
    picture = server.http.get(profile["personal_image"])
    assert picture.status_code == 200 and is_picture(picture.content)
    assert picture.headers["content-type"].startswith("image/")
    assert picture.headers["x-content-type-options"] == "nosniff"

    # Each sign-in is a session of its own, and the name is looked up in any case.
    answer = Friend(server, "NewUser", password="strongpassword123").try_login()
    assert answer.status_code == 200 and set(answer.json()) == {"refresh", "access"}
    assert answer.json()["access"] != john.access
    assert john.get(PROFILE, access=answer.json()["access"]) == profile

    # Without the optional ones, as JSON.
    plain = {"username": "plain", "password": "strongpassword123", "email": "plain@example.org"}
    tokens = server.http.post("/api/users/signup/", json=plain).json()
    profile = john.get(PROFILE, access=tokens["access"])
    assert (profile["first_name"], profile["last_name"], profile["personal_image"]) == ("", "", None)


def test_sign_ups_and_logins_that_are_refused(server: Server) -> None:
    Friend(server, "taken").sign_up()
    missing = "Username, email, and password are required."
    good = {"username": "w", "password": "popopopo0987", "email": "w@example.org"}
    short = "Password is too short. It must contain at least 8 characters."
    for change, text in [
        ({"username": None}, missing),
        ({"email": ""}, missing),
        ({"password": None}, missing),
        ({"username": "TAKEN"}, "A user with that username already exists."),
        ({"password": "x1y2z3"}, short),
        ({"email": "nonsense"}, "Enter a valid email address."),
        # Several faults: in the order username, email, password.
        (
            {"username": "taken", "email": "nonsense", "password": "x1y2z3"},
            f"A user with that username already exists. Enter a valid email address. {short}",
        ),
    ]:
        answer = server.http.post("/api/users/signup/", json=good | change)
        assert answered(answer) == (400, {"error": text}), change
    answer = server.http.post("/api/users/signup/", data=good, files={"personal_image": ("a.png", b"<html>")})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Upload a valid image.")
    # None of these made the account.
    assert server.http.post("/api/users/signup/", json=good).status_code == 201

    both = {"error": "Username and password are required"}
    wrong = {"error": "Invalid Credentials"}
    for body, status, error in [
        ({}, 400, both),
        ({"username": "w"}, 400, both),
        ({"password": "popopopo0987"}, 400, both),
        ({"username": "", "password": "popopopo0987"}, 400, both),
        ({"username": "w", "password": None}, 400, both),
        ({"username": "w", "password": "wrong_password"}, 401, wrong),
        ({"username": "nobody", "password": "popopopo0987"}, 401, wrong),
        ({"username": ["w"], "password": {"a": 1}}, 401, wrong),
    ]:
        assert answered(server.http.post("/api/users/login/", json=body)) == (status, error), body


def test_an_account_with_two_factor_needs_the_code_here_too(server: Server) -> None:
    person = Person(server, "w").register()
    w = Friend(server, "w")
    assert answered(w.try_login()) == (401, {"error": "Two-factor code required"})
    assert answered(w.try_login(password="not the password")) == (401, {"error": "Invalid Credentials"})
    code = person.mailed_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert answered(w.try_login(code=wrong)) == (401, {"error": "Two-factor code required"})
    answer = w.try_login(code=code)
    assert answer.status_code == 200
    assert w.take(answer.json()).get(PROFILE)["username"] == "w"
    # A code is used up.
    assert w.try_login(code=code).status_code == 401


def test_passwords_of_all_classes_where_that_is_set(new_server) -> None:
    server = new_server().start("--password-classes")
    text = "Password must contain uppercase and lowercase letters, digits, and special characters."
    incomplete = ["popopopo0987", "Popopopo0987", "popopopo-0987", "POPOPOPO-0987", "Popopopo-xyzw"]
    for number, password in enumerate(incomplete):
        fields = {"username": f"w{number}", "email": "w@example.org", "password": password}
        assert answered(server.http.post("/api/users/signup/", json=fields)) == (400, {"error": text}), password
    Friend(server, "w", password="Popopopo-0987").sign_up()


def test_a_profile_is_changed_by_json_and_by_multipart(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    answer = ana.ask("PATCH", PROFILE, json={"first_name": "Ana", "username": "other", "email": "x@example.org"})
    assert answer.status_code == 200
    before = ana.get(PROFILE)
    assert answer.json() == before
    assert (before["first_name"], before["last_name"]) == ("Ana", "")
    assert (before["username"], before["email"]) == ("ana", ana.email)

    answer = ana.ask(
        "PATCH", PROFILE, data={"last_name": "Núñez"}, files={"personal_image": ("a.png", png(), "image/png")}
    )
    assert answer.status_code == 200
    changed = ana.get(PROFILE)
    assert answer.json() == changed
    assert changed == before | {"last_name": "Núñez", "personal_image": changed["personal_image"]}
    image = changed["personal_image"]
    assert is_picture(server.http.get(image).content)

    # Bad data changes nothing.
    for more in [
        {"files": {"personal_image": ("a.png", b"no picture")}},
        {"json": {"first_name": "x" * 151, "last_name": "y"}},
        {"json": {"first_name": ["x"]}},
    ]:
        answer = ana.ask("PATCH", PROFILE, **more)
        assert answer.status_code == 400, answer.text
        body = answer.json()
        assert body.pop("error") == "Invalid data provided." and len(body) == 1, body
        assert all(isinstance(text, str) for texts in body.values() for text in texts)
    assert ana.get(PROFILE) == changed

    # null clears the picture, and its last use was the file's.
    assert ana.ask("PATCH", PROFILE, json={"personal_image": None}).json()["personal_image"] is None
    until(lambda: server.http.get(image).status_code == 404, "the file is deleted")
    assert ben.get(PROFILE)["first_name"] == ""
    assert answered(ana.ask("GET", PROFILE, access="")) == (
        401,
        {"detail": "Authentication credentials were not provided."},
    )


def test_users_are_searched_page_by_page(server: Server) -> None:
    for number in range(12):
        added = server.cli("user", "add", f"John_{number:02}")
        assert added.returncode == 0, added.stderr
    [ana] = friends(server, "ana")

    page = ana.get("/api/users/")
    assert set(page) == {"count", "next", "previous", "results"}
    assert (page["count"], len(page["results"]), page["previous"]) == (13, 10, None)
    assert [user["username"] for user in page["results"]][:3] == ["ana", "John_00", "John_01"]
    assert all(set(user) >= {"id", "username", "personal_image"} for user in page["results"])
    assert {"email", "first_name"} & set(page["results"][0]) == set(), "strangers' data stay theirs"
    assert page["results"][0]["id"] == ana.id

    # `next` and `previous` keep the other parameters, and lead through all of it and back.
    url, forward = "/api/users/users/?username=OHN_&page_size=5&other=a%26b", []
    while url:
        page = ana.get(url)
        assert page["count"] == 12
        forward.append([user["username"] for user in page["results"]])
        url = page["next"]
        for link in filter(None, [page["next"], page["previous"]]):
            assert link.startswith(server.url + "/api/users/"), link
            query = parse_qs(urlsplit(link).query)
            assert (query["username"], query["page_size"], query["other"]) == (["OHN_"], ["5"], ["a&b"]), link
    assert [len(names) for names in forward] == [5, 5, 2]
    assert sum(forward, []) == [f"John_{number:02}" for number in range(12)]
    backward = [forward[-1]]
    while page["previous"]:
        page = ana.get(page["previous"])
        backward.append([user["username"] for user in page["results"]])
    assert backward == forward[::-1]

    # More than 100 is clamped; page 1 always exists.
    assert len(ana.get("/api/users/?page_size=100000")["results"]) == 13
    empty = ana.get("/api/users/?username=nobody-has-this&page=1")
    assert empty == {"count": 0, "next": None, "previous": None, "results": []}
    # What looks like a pattern is a text.
    assert [user["username"] for user in ana.get("/api/users/?username=n_1")["results"]] == ["John_10", "John_11"]
    assert ana.get("/api/users/?username=%25")["count"] == 0
    for query in ["page=0", "page=-1", "page=x", "page=1.5", "page_size=0", "page_size=x", "page="]:
        answer = ana.ask("GET", f"/api/users/?{query}")
        assert answered(answer) == (400, {"error": "Invalid query parameters."}), query
    assert answered(ana.ask("GET", "/api/users/?page=3")) == (404, {"detail": "Invalid page."})


# friendships


def test_a_friendship_is_asked_for_accepted_and_rejected(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    with ana.socket() as anas, ben.socket() as bens, carol.socket() as carols:
        asked = ana.request(ben, "accepted")
        assert set(asked) >= {"id", "from_user", "to_user", "date_created", "status_from_user", "status_to_user"}
        assert set(asked["from_user"]) >= USER_KEYS and set(asked["to_user"]) >= USER_KEYS
        assert (asked["from_user"]["id"], asked["to_user"]["id"]) == (ana.id, ben.id)
        assert (asked["status_from_user"], asked["status_to_user"]) == ("accepted", "pending")
        assert TIMESTAMP.fullmatch(asked["date_created"])
        # She has not answered herself: her address is not shown.
        assert (asked["from_user"]["email"], asked["to_user"]["email"]) == (ana.email, "")
        assert anas.friendship() == asked
        assert bens.friendship() == asked | {"to_user": asked["to_user"] | {"email": ben.email}}

        accepted = ben.set_status(asked["id"], "accepted")
        assert (accepted["status_from_user"], accepted["status_to_user"]) == ("accepted", "accepted")
        assert (accepted["from_user"]["email"], accepted["to_user"]["email"]) == (ana.email, ben.email)
        assert anas.friendship() == bens.friendship() == accepted

        rejected = ana.set_status(asked["id"], "rejected")
        assert (rejected["status_from_user"], rejected["status_to_user"]) == ("rejected", "accepted")
        # Each sees what is due to each: the one who rejected shows no address any more.
        assert anas.friendship() == rejected
        heard = bens.friendship()
        assert heard["from_user"]["email"] == "" and heard["to_user"]["email"] == ben.email

        second = carol.request(ana, "pending")
        # The first thing that she hears of is her own.
        assert carols.friendship() == second
        assert anas.friendship()["id"] == second["id"]

    # All of them, rejected ones too, oldest first.
    listed = ana.get(FRIENDSHIP)
    assert [
        {key: one[key] for key in ("id", "from_user", "to_user", "status_from_user", "status_to_user")}
        for one in listed
    ] == [
        {
            "id": asked["id"],
            "from_user": ana.id,
            "to_user": ben.id,
            "status_from_user": "rejected",
            "status_to_user": "accepted",
        },
        {
            "id": second["id"],
            "from_user": carol.id,
            "to_user": ana.id,
            "status_from_user": "pending",
            "status_to_user": "pending",
        },
    ]
    expanded = ana.get(FRIENDSHIP + "?expand=users")
    assert [one["id"] for one in expanded] == [asked["id"], second["id"]]
    assert expanded[0] == rejected
    assert expanded[1]["from_user"]["email"] == ""
    assert [one["id"] for one in ben.get(FRIENDSHIP)] == [asked["id"]]


def test_friendships_that_are_refused(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    friendship = ana.request(ben)["id"]
    unknown = str(uuid4())
    exists = (400, {"detail": "Friendship already exists."})
    nobody = (404, {"detail": "User not found."})
    for person, body, expected in [
        (ana, {}, (400, {"detail": "Invalid status."})),
        (ana, {"to_user": carol.id}, (400, {"detail": "Invalid status."})),
        (ana, {"status": "pending"}, (400, {"detail": "Invalid status."})),
        (ana, {"to_user": carol.id, "status": "friendly"}, (404, {"detail": "status not found."})),
        (ana, {"to_user": unknown, "status": "pending"}, nobody),
        (ana, {"to_user": "carol", "status": "pending"}, nobody),
        (ana, {"to_user": 7, "status": "pending"}, nobody),
        (ana, {"to_user": ben.id, "status": "pending"}, exists),
        (ben, {"to_user": ana.id, "status": "pending"}, exists),
        (
            ana,
            {"to_user": ana.id, "status": "pending"},
            (400, {"detail": "You cannot send a friendship request to yourself."}),
        ),
    ]:
        assert answered(person.ask("POST", FRIENDSHIP, json=body)) == expected, body

    status = (400, {"detail": "Invalid status."})
    not_found = (404, {"detail": "Friendship not found."})
    for person, body, expected in [
        (ben, {"friendship_id": friendship}, status),
        (ben, {"friendship_id": friendship, "status": "friendly"}, status),
        (ben, {"friendship_id": unknown}, status),
        (ben, {"status": "accepted"}, not_found),
        (ben, {"friendship_id": unknown, "status": "accepted"}, not_found),
        (ben, {"friendship_id": "x", "status": "accepted"}, not_found),
        (ben, {"friendship_id": 7, "status": "accepted"}, not_found),
        (
            carol,
            {"friendship_id": friendship, "status": "accepted"},
            (403, {"detail": "You are not authorized to update this friendship."}),
        ),
    ]:
        assert answered(person.ask("PATCH", FRIENDSHIP, json=body)) == expected, body
    [unchanged] = ben.get(FRIENDSHIP)
    assert (unchanged["status_from_user"], unchanged["status_to_user"]) == ("accepted", "pending")
    assert carol.get(FRIENDSHIP) == []


# messages


def test_a_message_and_its_receipts(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    with ana.socket() as anas, ana.again().socket(path="/ws/") as elsewhere:
        anas.say(channel, "Hello, how are you?")
        first = anas.message()
        assert elsewhere.message() == first
        assert set(first) == STATUS_KEYS and set(first["message"]) == MESSAGE_KEYS
        assert first["receiver"] == ben.id and flags(first) == (False, False)
        message = first["message"]
        assert (message["sender"], message["content"], message["media"]) == (ana.id, "Hello, how are you?", [])
        assert message["friendship"] == channel
        assert TIMESTAMP.fullmatch(message["created_at"]) and TIMESTAMP.fullmatch(first["updated_at"])
        for uuid in (first["id"], message["id"]):
            assert str(UUID(uuid)) == uuid

        # The sender's own look changes nothing; what the receiver reads is received, and the sender hears of it.
        assert [flags(row) for row in ana.history(channel)] == [(False, False)]
        [read] = ben.history(channel)
        assert flags(read) == (True, False) and read["message"] == message and read["id"] == first["id"]
        assert anas.receipt() == elsewhere.receipt() == read

        with ben.socket() as bens, ben.socket() as bens_too:
            anas.say(channel, "and now?")
            second = anas.message()
            assert elsewhere.message() == bens.message() == bens_too.message() == second
            # Two devices, one receipt.
            received = anas.receipt()
            assert elsewhere.receipt() == received
            assert received["message"] == second["message"] and flags(received) == (True, False)
            bens.seen(channel, second["message"]["id"])
            noted = anas.receipt()
            assert elsewhere.receipt() == noted
            assert noted["message"] == second["message"] and flags(noted) == (True, True)
            # A repeat is silence, and so is the read of what is received: the next frame is the next message.
            bens.seen(channel, second["message"]["id"])
            bens_too.raw(
                json.dumps(
                    {
                        "type": "friendship_notification_seen",
                        "channel": channel,
                        "message_id": first["message"]["id"],
                    }
                )
            )
            assert (anas.receipt()["message"]["id"], elsewhere.receipt()["is_seen"]) == (message["id"], True)
            ben.history(channel)
            # Only the receiver can mark it; the sender's word is an error to the sender.
            anas.seen(channel, second["message"]["id"])
            assert anas.error() == "this message id is not exist or channel"
            bens.say(channel, "fine", type="friendship_message")
            reply = bens.message()
            assert anas.message() == elsewhere.message() == bens_too.message() == reply
            # Ben hears that she has it; she does not hear of her own receipt.
            assert bens.receipt()["message"] == bens_too.receipt()["message"] == reply["message"]
            anas.seen(channel, reply["message"]["id"])
            assert flags(bens.receipt()) == flags(bens_too.receipt()) == (True, True)
            anas.say(channel, "good")
            assert anas.message()["message"]["content"] == elsewhere.message()["message"]["content"] == "good"

    assert [flags(row) for row in ana.history(channel)][:3] == [(True, True)] * 3


def test_seen_before_received_is_one_receipt(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    with ana.socket() as anas:
        anas.say(channel, "read this")
        message = anas.message()["message"]
        assert ben.post(POST_SEEN, {"message_id": message["id"]}) == {"success": "Message marked as seen"}
        assert flags(anas.receipt()) == (True, True)
        ben.history(channel)
        anas.say(channel, "next")
        assert anas.message()["message"]["content"] == "next"


def test_the_same_over_http(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    channel = ana.befriend(ben)
    with ana.socket() as anas, ben.socket() as bens:
        answer = ana.post(POST_MESSAGE, {"channel": channel, "content": "by HTTP"}, status=201)
        assert answer["success"] == "Message sent successfully"
        first = answer["data"]
        assert set(first) == STATUS_KEYS and first["message"]["content"] == "by HTTP"
        assert anas.message()["message"] == bens.message()["message"] == first["message"]
        assert flags(anas.receipt()) == (True, False)

        # With files, and then the text may be missing.
        files = [("media", ("a.png", png(), "image/png")), ("media", ("b.txt", b"a text", "text/plain"))]
        answer = ana.ask("POST", POST_MESSAGE, data={"channel": channel}, files=files)
        assert answer.status_code == 201, answer.text
        second = answer.json()["data"]["message"]
        assert len(second["media"]) == 2 and second["content"] == ""
        assert bens.message()["message"] == second
        assert anas.message()["message"] == second
        anas.receipt()

        seen = ben.post(POST_SEEN, {"message_id": first["message"]["id"]})
        assert seen == {"success": "Message marked as seen"}
        noted = anas.receipt()
        assert noted["message"] == first["message"] and flags(noted) == (True, True)
        # Again: the same answer, and no second receipt.
        assert ben.post(POST_SEEN, {"message_id": first["message"]["id"]}) == seen
        ana.send(channel, "the last")
        assert anas.message()["message"]["content"] == "the last"

    missing = (404, {"error": "Message not found"})
    for person, body in [
        (ben, {"message_id": str(uuid4())}),
        (ben, {"message_id": "x"}),
        (ben, {}),
        (ana, {"message_id": first["message"]["id"]}),
        (carol, {"message_id": first["message"]["id"]}),
    ]:
        assert answered(person.ask("POST", POST_SEEN, json=body)) == missing, body
    not_found = (404, {"error": "Friendship not found."})
    for person, body in [
        (ana, {"channel": str(uuid4()), "content": "x"}),
        (ana, {"channel": "x", "content": "x"}),
        (carol, {"channel": channel, "content": "x"}),
    ]:
        assert answered(person.ask("POST", POST_MESSAGE, json=body)) == not_found, body
    for content, texts in [
        (None, None),
        ("x" * 4097, ["Ensure this field has no more than 4096 characters."]),
    ]:
        answer = ana.ask("POST", POST_MESSAGE, json={"channel": channel, "content": content})
        assert answer.status_code == 400 and list(answer.json()) == ["content"], answer.text
        assert texts is None or answer.json()["content"] == texts
    assert len(ana.history(channel)) == 3


def test_files_come_as_base64(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    picture = base64.b64encode(png()).decode()
    page = base64.b64encode(b"<html><script>alert(1)</script></html>").decode()
    with ana.socket() as anas, ben.socket() as bens:
        media = [{"../../a.html": picture}, {"b.png": page}, {"c": f"data:image/png;base64,{picture}"}]
        anas.say(channel, "look", media=media)
        sent = anas.message()
        assert bens.message() == sent
        anas.receipt()
        # Without a text, too.
        anas.say(channel, "", media=[{"a.png": picture}])
        assert len(anas.message()["message"]["media"]) == 1
        anas.receipt()
        bens.message()
        two_in_one = {"a": picture, "b": picture}
        for bad in ["x", [7], [{}], [{"a": "?"}], [{"a": 7}], [two_in_one], [{"a.png": picture}] * 11]:
            anas.say(channel, "bad", media=bad)
            assert anas.error(), bad
        # Together more than 10 MiB, in a frame that is let in.
        big = base64.b64encode(b"\0" * (5 * 1024 * 1024 + 100_000)).decode()
        anas.say(channel, "too much", media=[{"a": big}, {"b": big}])
        assert anas.error()
        anas.say(channel, "after")
        assert anas.message()["message"]["content"] == "after"

    first, second, third = sent["message"]["media"]
    assert len({first["id"], second["id"], third["id"]}) == 3
    for one in (first, second, third):
        assert set(one) >= {"id", "file", "uploaded_at"} and TIMESTAMP.fullmatch(one["uploaded_at"])
        assert one["file"].startswith(server.url + "/media/") and "a.html" not in one["file"]
    for one in (first, third):
        fetched = server.http.get(one["file"])
        assert fetched.headers["content-type"] == "image/png" and is_picture(fetched.content)
        assert fetched.headers["x-content-type-options"] == "nosniff"
    fetched = server.http.get(second["file"])
    assert fetched.status_code == 200
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert "html" not in fetched.headers["content-type"]
    assert ben.history(channel)[0]["message"] == sent["message"]


def test_one_writes_while_pending_and_not_when_rejected(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    channel = ana.request(ben, "pending")["id"]
    with ana.socket() as anas, ben.socket() as bens, carol.socket() as carols:
        anas.say(channel, "may I?")
        assert bens.message()["message"]["content"] == "may I?"
        anas.message()
        anas.receipt()
        ben.set_status(channel, "rejected")
        assert anas.friendship()["status_to_user"] == bens.friendship()["status_to_user"] == "rejected"
        for person, line in [(ana, anas), (ben, bens)]:
            line.say(channel, "no")
            assert line.error() == "This friendship was rejected."
            answer = person.ask("POST", POST_MESSAGE, json={"channel": channel, "content": "no"})
            assert answered(answer) == (403, {"error": "This friendship was rejected."})
        carols.say(channel, "not mine")
        assert carols.error() == "Friendship not found."
        # The history can be read on, and the other way round it goes on.
        assert [row["message"]["content"] for row in ana.history(channel)] == ["may I?"]
        ben.set_status(channel, "pending")
        anas.friendship()
        bens.friendship()
        bens.say(channel, "again")
        assert anas.message()["message"]["content"] == "again"


def test_bad_frames(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    not_found = "Friendship not found."
    no_message = "this message id is not exist or channel"
    with ana.socket() as anas, ben.socket() as bens:
        message = ana.send(channel, "first")["message"]["id"]
        assert anas.message()["message"]["id"] == bens.message()["message"]["id"] == message
        anas.receipt()
        good = {"type": "friendship", "channel": channel, "payload": "x"}
        note = {"type": "friendship_notification_seen", "channel": channel, "message": message}
        for frame, text in [
            ("not JSON", "Invalid JSON format"),
            ("", "Invalid JSON format"),
            ("[" * 10_000, None),
            ("[]", None),
            ("7", None),
            ("{}", None),
            ({"type": 7}, None),
            ({"type": "other"}, None),
            # What a client must not reach: the name of an inner event.
            ({"type": "chat_friendship_notification", "message": {}}, None),
            (good | {"channel": str(uuid4())}, not_found),
            (good | {"channel": "x"}, not_found),
            (good | {"payload": None}, None),
            (good | {"payload": 7}, None),
            (good | {"payload": "  "}, None),
            (good | {"payload": "x" * 4097}, None),
            (good | {"payload": "a\0b"}, None),
            (good | {"client_id": "x" * 65}, None),
            (good | {"client_id": 7}, None),
            (note | {"message": str(uuid4())}, no_message),
            (note | {"message": "x"}, no_message),
            (note | {"channel": str(uuid4())}, None),
        ]:
            bens.raw(frame if isinstance(frame, str) else json.dumps(frame))
            error = bens.error()
            assert text is None or error == text, (frame, error)
        # The socket stays, and nothing of that reached anyone.
        bens.say(channel, "x" * 4096)
        assert anas.message() == bens.message()
        bens.raw(b"\x00")
        assert bens.close_code() == 1003
    assert len(ana.history(channel)) == 2


def test_a_client_id_is_stored_once(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    with ana.socket() as anas, ana.socket() as elsewhere, ben.socket() as bens:
        anas.say(channel, "once", client_id="17")
        first = anas.frame()
        assert first["client_id"] == "17" and first["message"]["message"]["content"] == "once"
        assert elsewhere.message() == bens.message() == first["message"]
        assert anas.receipt() == elsewhere.receipt()
        # Again, from the other device: its first result, to the asking socket alone.
        elsewhere.say(channel, "once", client_id="17")
        again = elsewhere.frame()
        assert again["type"] == "friendship_message" and again["client_id"] == "17"
        assert again["message"]["message"] == first["message"]["message"]
        # Another account's ids are its own.
        bens.say(channel, "mine", client_id="17")
        other = bens.frame()
        assert other["client_id"] == "17" and other["message"]["message"]["content"] == "mine"
        assert anas.message() == elsewhere.message() == other["message"]
    assert [row["message"]["content"] for row in ana.history(channel)] == ["once", "mine"]


def test_the_history_by_all_its_filters(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    channel, other = ana.befriend(ben), ana.befriend(carol)
    foreign = carol.send(other, "elsewhere")["message"]["id"]
    for number in range(12):
        (ana if number % 3 else ben).send(channel, str(number))
    rows = ana.history(channel)

    def read(**query: str) -> list[str]:
        return [row["message"]["content"] for row in ana.history(channel, **query)]

    everything = [str(number) for number in range(12)]
    assert read() == everything
    fifth = rows[5]["message"]
    for name in ("message_id", "start_message_id"):
        bound = {name: fifth["id"]}
        assert read(after="true", **bound) == everything[5:]
        assert read(after="", before="false", **bound) == everything[5:]
        assert read(before="1", **bound) == everything[5::-1]
    assert read(after="true", start_date=fifth["created_at"]) == everything[5:]
    assert read(before="true", start_date=fifth["created_at"]) == everything[5::-1]
    # The same moment, written with an offset.
    moment = datetime.fromisoformat(fifth["created_at"])
    elsewhere = (moment + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S.%f+03:00")
    assert read(after="true", start_date=elsewhere) == everything[5:]
    # A date alone: from its beginning, up to its end. Two days, since midnight may pass while this runs.
    today = datetime.fromisoformat(rows[0]["message"]["created_at"]).date()
    last = datetime.fromisoformat(rows[-1]["message"]["created_at"]).date()
    assert read(after="true", start_date=today.isoformat()) == everything
    assert read(before="true", start_date=last.isoformat()) == everything[::-1]
    assert read(after="true", start_date=(last + timedelta(days=1)).isoformat()) == []
    assert read(before="true", start_date=(today - timedelta(days=1)).isoformat()) == []
    # A flag without a bound gives its order.
    assert read(after="true") == everything
    assert read(before="true") == everything[::-1]

    # The pages of a filtered history link to each other.
    path = history_path(channel)
    page = ana.get(path, params={"after": "true", "message_id": fifth["id"], "page_size": 3})
    assert (page["count"], page["previous"]) == (7, None)
    following = ana.get(page["next"])
    assert [row["message"]["content"] for row in following["results"]] == everything[8:11]
    assert ana.get(following["previous"]) == page
    alias = ana.get(path.replace("/status", ""))
    assert (alias["count"], alias["results"]) == (12, rows[:10])
    assert [row["message"]["content"] for row in ana.get(alias["next"])["results"]] == everything[10:]

    bad = (400, {"error": "Invalid query parameters."})
    day = today.isoformat()
    for query in [
        {"message_id": fifth["id"]},
        {"start_date": day},
        {"after": "1", "before": "1", "start_date": day},
        {"after": "1", "message_id": fifth["id"], "start_date": day},
        {"after": "1", "start_date": "yesterday"},
        {"after": "1", "start_date": "2024-13-45"},
        {"after": "1", "message_id": "x"},
        {"after": "1", "message_id": str(uuid4())},
        {"after": "1", "message_id": foreign},
        {"page": "0"},
        {"page_size": "x"},
    ]:
        assert answered(ana.ask("GET", path, params=query)) == bad, query
    assert answered(ana.ask("GET", path, params={"page": "3"})) == (404, {"detail": "Invalid page."})
    for person, friendship in [(carol, channel), (ana, str(uuid4()))]:
        answer = person.ask("GET", history_path(friendship))
        assert answered(answer) == (404, {"error": "Friendship not found."})


def test_only_what_was_returned_is_received(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    for number in range(5):
        ana.send(channel, str(number))
    page = ben.get(history_path(channel), params={"page_size": 2, "page": 2})
    assert [(row["message"]["content"], flags(row)) for row in page["results"]] == [
        ("2", (True, False)),
        ("3", (True, False)),
    ]
    assert [row["is_received"] for row in ana.history(channel)] == [False, False, True, True, False]


# sockets and sessions


def test_what_opens_a_socket(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    for path, query, headers in [
        ("/ws/messages/", "", bearer(ana.access) | {"refresh": ana.refresh}),
        ("/ws/", "", bearer(ana.access)),
        ("/ws/messages", "", {"authorization": f"bearer {ana.access}"}),
        ("/ws", f"?token={ana.access}", {}),
        ("/ws/messages/", f"?access_token={ana.access}", {}),
    ]:
        with ana.socket(path=path, query=query, headers=headers) as line:
            line.say(channel, "here")
            assert line.message()["message"]["content"] == "here"

    other = ana.again()
    for headers in [
        {},
        bearer("nonsense"),
        bearer(ana.refresh),
        {"refresh": ana.refresh},
        bearer("nonsense") | {"refresh": ana.refresh},
        bearer(ana.access) | {"refresh": "nonsense"},
        bearer(ana.access) | {"refresh": ben.refresh},
        bearer(ana.access) | {"refresh": other.access},
    ]:
        assert refused(ana, headers=headers) == 401, headers
    # Another session's of the same account is that account's.
    with ana.socket(headers=bearer(ana.access) | {"refresh": other.refresh}) as line:
        line.say(channel, "both mine")
        assert line.message()["message"]["sender"] == ana.id


def test_an_expired_access_token_is_renewed_by_the_handshake(new_server) -> None:
    server = new_server().start()
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    server.stop()
    server.start("--access-life", "2s")
    ana.login()
    until(lambda: ana.ask("GET", PROFILE).status_code == 401, "the access token expires")
    ben.login()

    assert refused(ana, headers=bearer(ana.access)) == 401
    assert refused(ana, headers=bearer(ana.access) | {"refresh": "nonsense"}) == 401
    assert refused(ana, headers=bearer(ana.access) | {"refresh": ben.refresh}) == 401
    head, body, signature = ana.access.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    assert refused(ana, headers=bearer(forged) | {"refresh": ana.refresh}) == 401

    with ana.socket() as line:
        frame = line.frame()
        assert set(frame) == {"type", "access"} and frame["type"] == "token_refreshed"
        line.say(channel, "with an old token")
        assert line.message()["message"]["sender"] == ana.id
    # That token is one like any other: it expires too, so it is asked for until one is fresh enough.
    def renewed_one_works() -> bool:
        with ana.socket() as line:
            return ana.ask("GET", PROFILE, access=line.frame()["access"]).status_code == 200

    until(renewed_one_works, "the access token of the handshake works")
    # Over HTTP, the expired one beside the refresh token is what refreshing is for.
    answer = ana.ask("POST", REFRESH, json={"refresh": ana.refresh})
    assert answer.status_code == 200 and set(answer.json()) == {"access"}
    answer = ana.ask("POST", REFRESH, access=forged, json={"refresh": ana.refresh})
    assert answer.status_code == 401


def test_the_end_of_the_refresh_token_closes_the_socket(new_server) -> None:
    server = new_server().start()
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    server.stop()
    server.start("--refresh-life", "3s")
    ana.login()
    with ana.socket() as line, ben.socket(headers=bearer(ben.access)) as other:
        assert line.close_code() == 4001
        other.say(channel, "still here")
        assert other.message()["message"]["content"] == "still here"
    assert answered(ana.ask("POST", REFRESH, json={"refresh": ana.refresh})) == (401, BAD_REFRESH)
    assert refused(ana) == 401
    ana.get(PROFILE)


def test_logout(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    phone = ana.again()
    wrong = {"error": "Invalid token"}
    for body, expected in [
        ({}, (400, NO_REFRESH)),
        ({"refresh": ""}, (400, NO_REFRESH)),
        ({"refresh": "nonsense"}, (401, BAD_REFRESH)),
        ({"refresh": ana.access}, (401, wrong)),
        ({"refresh": ben.refresh}, (401, wrong)),
    ]:
        assert answered(ana.ask("POST", LOGOUT, json=body)) == expected, body
    # Nothing was revoked by that.
    assert ben.ask("POST", REFRESH, access="", json={"refresh": ben.refresh}).status_code == 200
    assert ana.ask("POST", LOGOUT, access="", json={"refresh": ana.refresh}).status_code == 401

    with (
        ana.socket() as here,
        ana.socket(headers=bearer(ana.access)) as here_too,
        phone.socket() as on_the_phone,
        ben.socket() as bens,
    ):
        assert answered(ana.ask("POST", LOGOUT, json={"refresh": ana.refresh})) == (
            200,
            {"message": "Successfully logged out"},
        )
        assert here.close_code() == here_too.close_code() == 4001
        on_the_phone.say(channel, "still here")
        assert on_the_phone.message() == bens.message()
    assert ana.ask("GET", PROFILE).status_code == 401
    assert refused(ana) == 401
    assert answered(ana.ask("POST", REFRESH, access="", json={"refresh": ana.refresh})) == (401, BAD_REFRESH)
    assert answered(phone.ask("POST", LOGOUT, json={"refresh": ana.refresh})) == (401, BAD_REFRESH)
    phone.get(PROFILE)


def test_refreshing(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    # The header is optional; when sent, it must be the same account's.
    for access in (ana.access, "", ana.again().access):
        answer = ana.ask("POST", REFRESH, access=access, json={"refresh": ana.refresh})
        assert answer.status_code == 200 and set(answer.json()) == {"access"}
        assert ana.get(PROFILE, access=answer.json()["access"])["username"] == "ana"
    assert ana.ask("POST", REFRESH, access=ben.access, json={"refresh": ana.refresh}).status_code == 401
    assert ana.ask("POST", REFRESH, access="x.y.z", json={"refresh": ana.refresh}).status_code == 401
    for body, expected in [
        ({}, (400, NO_REFRESH)),
        ({"refresh": None}, (400, NO_REFRESH)),
        ({"refresh": "nonsense"}, (401, BAD_REFRESH)),
        ({"refresh": 7}, (401, BAD_REFRESH)),
        ({"refresh": ana.access}, (401, BAD_REFRESH)),
    ]:
        assert answered(ana.ask("POST", REFRESH, access="", json=body)) == expected, body
    assert server.cli("user", "delete", "ana").returncode == 0
    until(lambda: ana.ask("GET", PROFILE).status_code == 401, "the account is gone")
    assert answered(ana.ask("POST", REFRESH, access="", json={"refresh": ana.refresh})) == (401, BAD_REFRESH)


def test_rotation(new_server) -> None:
    server = new_server().start("--rotate")
    [ana] = friends(server, "ana")
    with ana.socket() as line:
        answer = ana.ask("POST", REFRESH, json={"refresh": ana.refresh})
        assert answer.status_code == 200 and set(answer.json()) == {"access", "refresh"}
        new = answer.json()
        assert new["refresh"] != ana.refresh
        # The old one died, and the session lives on with its socket.
        assert answered(ana.ask("POST", REFRESH, json={"refresh": ana.refresh})) == (401, BAD_REFRESH)
        line.raw("{}")
        assert line.error()
        ana.get(PROFILE, access=new["access"])
        # A handshake never rotates: the same one opens two.
        headers = bearer(new["access"]) | {"refresh": new["refresh"]}
        with ana.socket(headers=headers), ana.socket(headers=headers):
            pass
        assert ana.ask("POST", REFRESH, json={"refresh": new["refresh"]}).status_code == 200

    server.stop()
    server.start("--rotate", "--revoke-rotated=false")
    ana.login()
    for _ in range(2):
        assert set(ana.post(REFRESH, {"refresh": ana.refresh})) == {"access", "refresh"}


def test_refreshing_where_the_access_token_is_required(new_server) -> None:
    server = new_server().start()
    ana, ben = friends(server, "ana", "ben")
    server.stop()
    server.start("--refresh-needs-access", "--access-life", "2s")
    ana.login()
    assert ana.ask("POST", REFRESH, access="", json={"refresh": ana.refresh}).status_code == 401
    until(lambda: ana.ask("GET", PROFILE).status_code == 401, "the access token expires")
    assert ana.ask("POST", REFRESH, access=ben.access, json={"refresh": ana.refresh}).status_code == 401
    assert set(ana.post(REFRESH, {"refresh": ana.refresh})) == {"access"}
