"""One inbox: what is written in `messenger` is in `friends`, and the other way round, over one friend graph."""

import base64

from support.friends import FRIENDSHIP, POST_MESSAGE, Friend, flags, friends, history_path
from support.pictures import is_picture, png
from support.server import Server

REJECTED = "This friendship was rejected."


def add_friend(person, name: str):
    return person.ask("POST", "/users/add_friend/", json={"friend_username": name})


def same(status: dict, message: dict, text: str, sender: Friend) -> bool:
    """Whether a `friends` status object and a `messenger` message object are the same message."""
    return (
        status["message"]["content"] == message["text"] == text
        and status["message"]["sender"] == sender.id
        and message["realSender"] == sender.name
        and status["message"]["created_at"] == message["timestamp"]
    )


def test_a_message_of_either_dialect_reaches_all_sockets_once(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    channel = ana.befriend(ben)
    conversation = ana_there.start_conversation(ben_there)
    with (
        ana.socket() as a_friends,
        ben.socket() as b_friends,
        ben.again().socket() as b_phone,
        ana_there.chat(conversation) as a_chat,
        ben_there.chat(conversation) as b_chat,
    ):
        a_chat.say("from messenger")
        there = a_chat.message()
        assert b_chat.message() == there
        here = b_friends.message()
        assert a_friends.message() == b_phone.message() == here
        assert same(here, there, "from messenger", ana)
        assert here["receiver"] == ben.id and here["message"]["friendship"] == channel and flags(here) == (False, False)
        # She hears that he has it, and that he saw it, where her dialect says such things.
        assert flags(a_friends.receipt()) == (True, False)
        b_friends.seen(channel, here["message"]["id"])
        assert flags(a_friends.receipt()) == (True, True)

        b_friends.say(channel, "from friends", client_id="1")
        frame = b_friends.frame()
        assert frame["client_id"] == "1"
        here_too = frame["message"]
        assert a_friends.message() == b_phone.message() == here_too
        there_too = a_chat.message()
        assert b_chat.message() == there_too
        assert same(here_too, there_too, "from friends", ben)
        b_friends.receipt()
        b_phone.receipt()

        ana.send(channel, "over HTTP")
        third = a_chat.message()
        assert b_chat.message() == third and third["text"] == "over HTTP"
        assert a_friends.message()["message"]["content"] == "over HTTP"
        a_friends.receipt()
        # Nothing came twice anywhere: the next frame of each is the next message.
        for line in (b_friends, b_phone):
            assert line.message()["message"]["content"] == "over HTTP"
        b_chat.say("last")
        assert a_chat.message() == b_chat.message()
        for line in (a_friends, b_friends, b_phone):
            assert line.message()["message"]["content"] == "last"

    texts = ["from messenger", "from friends", "over HTTP", "last"]
    for person in (ana_there, ben_there):
        history = person.history(conversation)
        assert [message["text"] for message in history] == texts
        assert history[:3] == [there, there_too, third]
    for friend in (ana, ben):
        rows = friend.history(channel)
        assert [row["message"]["content"] for row in rows] == texts
        assert [row["message"] for row in rows[:2]] == [here["message"], here_too["message"]]


def test_a_socket_of_messenger_receives_too(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    channel = ana.befriend(ben)
    conversation = ana_there.start_conversation(ben_there)
    with ana.socket() as line:
        with ben_there.chat(conversation) as chat:
            line.say(channel, "are you there?")
            sent = line.message()
            assert chat.message()["text"] == "are you there?"
            received = line.receipt()
            assert received["message"] == sent["message"] and flags(received) == (True, False)
        # Reading the history there is no receipt of a socket; reading it here finds nothing left to tell.
        ben.history(channel)
        line.say(channel, "next")
        assert line.message()["message"]["content"] == "next"


def test_files_of_either_dialect(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    channel = ana.befriend(ben)
    conversation = ana_there.start_conversation(ben_there)
    picture = base64.b64encode(png()).decode()
    with ana_there.chat(conversation) as chat, ben.socket() as line:
        chat.say("mine", attachment={"data": picture, "format": "png"})
        sent = chat.message()
        [media] = line.message()["message"]["media"]
        assert media["file"] == server.url + sent["attachment"]
        line.say(channel, "two", media=[{"a.png": picture}, {"b.txt": base64.b64encode(b"text").decode()}])
        first, second = line.message()["message"]["media"]
        assert server.url + chat.message()["attachment"] == first["file"] != second["file"]
    assert [len(row["message"]["media"]) for row in ben.history(channel)] == [1, 2]
    assert server.url + ben_there.history(conversation)[1]["attachment"] == first["file"]


def test_strangers_of_messenger_find_their_history_once_they_are_friends(server: Server) -> None:
    """Without a relation a message stays in its own dialect; a friendship made later shows it."""
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    conversation = ana_there.start_conversation(ben_there)
    with ben.socket() as line, ana_there.chat(conversation) as chat:
        chat.say("hello, stranger")
        chat.message()
        channel = ana.request(ben, "pending")["id"]
        # The first thing that his socket hears of is the friendship.
        assert line.friendship()["id"] == channel
        chat.say("pending")
        assert line.message()["message"]["content"] == "pending"
    rows = ben.history(channel)
    assert [row["message"]["content"] for row in rows] == ["hello, stranger", "pending"]
    assert {row["message"]["friendship"] for row in rows} == {channel}


def test_a_rejected_pair_writes_in_neither_dialect(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    channel = ana.befriend(ben)
    conversation = ana_there.start_conversation(ben_there)
    with (
        ana.socket() as a_friends,
        ben.socket() as b_friends,
        ana_there.chat(conversation) as a_chat,
        ben_there.chat(conversation) as b_chat,
    ):
        ben.set_status(channel, "rejected")
        a_friends.friendship()
        b_friends.friendship()
        for chat in (a_chat, b_chat):
            chat.say("no")
            frame = chat.frame()
            assert list(frame) == ["error"] and isinstance(frame["error"], str)
        for friend, line in [(ana, a_friends), (ben, b_friends)]:
            line.say(channel, "no")
            assert line.error() == REJECTED
            answer = friend.ask("POST", POST_MESSAGE, json={"channel": channel, "content": "no"})
            assert (answer.status_code, answer.json()) == (403, {"error": REJECTED})

        # She cannot lift what he rejected; he can.
        answer = add_friend(ana_there, "ben")
        assert answer.status_code == 400
        assert answer.json() == {"success": False, "message": "ben has declined your friendship."}
        a_chat.say("still no")
        assert list(a_chat.frame()) == ["error"]
        assert ana_there.get("/users/friend_list/") == []

        answer = add_friend(ben_there, "ana")
        assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "ana added as friend."})
        lifted = a_friends.friendship()
        assert b_friends.friendship()["id"] == lifted["id"] == channel
        assert (lifted["status_from_user"], lifted["status_to_user"]) == ("accepted", "accepted")
        a_chat.say("welcome back")
        assert b_chat.message() == a_chat.message()
        assert b_friends.message()["message"]["content"] == "welcome back"
        assert a_friends.message()["message"]["content"] == "welcome back"
    assert [message["text"] for message in ben_there.history(conversation)] == ["welcome back"]
    assert [row["message"]["content"] for row in ana.history(channel)] == ["welcome back"]


def test_add_friend_makes_and_lifts_friendships(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    ana_there = ana.in_messenger()
    pending = ben.request(ana, "pending")["id"]
    with ana.socket() as line, carol.socket() as carols:
        assert add_friend(ana_there, "ben").status_code == 200
        lifted = line.friendship()
        assert lifted["id"] == pending
        assert (lifted["status_from_user"], lifted["status_to_user"]) == ("accepted", "accepted")
        assert add_friend(ana_there, "carol").status_code == 200
        made = line.friendship()
        assert (made["from_user"]["id"], made["to_user"]["id"]) == (ana.id, carol.id)
        assert (made["status_from_user"], made["status_to_user"]) == ("accepted", "accepted")
        assert carols.friendship()["id"] == made["id"]
    assert [one["id"] for one in ana.get(FRIENDSHIP)] == [pending, made["id"]]
    assert [user["username"] for user in ana_there.get("/users/friend_list/")] == ["ben", "carol"]
    # What is accepted here by both sides is a friend there, and nothing less is.
    dave, erin = friends(server, "dave", "erin")
    friendship = dave.request(erin)["id"]
    dave_there = dave.in_messenger()
    assert dave_there.get("/users/friend_list/") == []
    erin.set_status(friendship, "accepted")
    assert [user["username"] for user in dave_there.get("/users/friend_list/")] == ["erin"]
    erin.set_status(friendship, "rejected")
    assert dave_there.get("/users/friend_list/") == []


def emails(friendship: dict) -> dict[str, str]:
    return {user["username"]: user["email"] for user in (friendship["from_user"], friendship["to_user"])}


def test_an_address_is_shown_by_its_owners_own_yes_alone(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")

    def seen_by(friend: Friend) -> dict[str, str]:
        [friendship] = friend.get(FRIENDSHIP + "?expand=users")
        return emails(friendship)

    with ana.socket() as anas, ben.socket() as bens:
        # add_friend accepts for both sides, but says yes for its caller only.
        add_friend(ana.in_messenger(), "ben")
        assert emails(anas.friendship()) == seen_by(ana) == {"ana": ana.email, "ben": ""}
        heard = bens.friendship()
        assert emails(heard) == seen_by(ben) == {"ana": ana.email, "ben": ben.email}

        # He says yes himself, though his status was that already.
        assert emails(ben.set_status(heard["id"], "accepted")) == {"ana": ana.email, "ben": ben.email}
        assert seen_by(ana) == {"ana": ana.email, "ben": ben.email}

        # And takes it back.
        ben.set_status(heard["id"], "pending")
        assert seen_by(ana) == {"ana": ana.email, "ben": ""}


def test_add_friend_shows_no_address_of_someone_who_has_not_said_yes(server: Server) -> None:
    ana, ben, carol, dave = friends(server, "ana", "ben", "carol", "dave")
    ana_there = ana.in_messenger()
    # Ben asked, and has not said yes; Carol has said yes and taken it back; Dave said yes.
    ben.request(ana, "pending")
    taken_back = carol.request(ana, "accepted")["id"]
    carol.set_status(taken_back, "pending")
    dave.request(ana, "accepted")
    for name in ("ben", "carol", "dave"):
        assert add_friend(ana_there, name).status_code == 200
    shown = [one["from_user"]["email"] for one in ana.get(FRIENDSHIP + "?expand=users")]
    assert shown == ["", "", dave.email]


def test_a_removed_friendship_leaves_its_history(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there, ben_there = ana.in_messenger(), ben.in_messenger()
    old = ana.befriend(ben)
    conversation = ana_there.start_conversation(ben_there)
    ana.send(old, "in the old days")
    ana_there.post("/users/remove_friend/", {"friend_username": "ben"})
    for friend in (ana, ben):
        assert friend.get(FRIENDSHIP) == []
        answer = friend.ask("GET", history_path(old))
        assert (answer.status_code, answer.json()) == (404, {"error": "Friendship not found."})
    answer = ana.ask("POST", POST_MESSAGE, json={"channel": old, "content": "x"})
    assert (answer.status_code, answer.json()) == (404, {"error": "Friendship not found."})
    with ben_there.chat(conversation) as chat:
        chat.say("in between")
        chat.message()

    new = ben.befriend(ana)
    assert new != old
    with ben.socket() as line:
        line.say(new, "anew")
        line.message()
    assert ana_there.start_conversation(ben_there) == conversation
    texts = ["in the old days", "in between", "anew"]
    assert [message["text"] for message in ana_there.history(conversation)] == texts
    for friend in (ana, ben):
        rows = friend.history(new)
        assert [row["message"]["content"] for row in rows] == texts
        assert {row["message"]["friendship"] for row in rows} == {new}


def test_one_picture_a_person(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    ana_there = ana.in_messenger()
    ana.ask("PATCH", "/api/users/profile/", files={"personal_image": ("a.png", png(), "image/png")})
    image = ana.get("/api/users/profile/")["personal_image"]
    [avatar] = [user["avatar"] for user in ana_there.get("/users/user_list/") if user["username"] == "ana"]
    assert server.url + avatar == image
    ana_there.post("/users/update/", files={"avatar": ("b.png", png(colour=(1, 2, 3)), "image/png")})
    changed = ana.get("/api/users/profile/")["personal_image"]
    assert changed != image and is_picture(server.http.get(changed).content)
    listed = {user["username"]: user["personal_image"] for user in ben.get("/api/users/")["results"]}
    assert listed == {"ana": changed, "ben": None}
