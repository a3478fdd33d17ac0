"""The tutoring document as a story, and its rules, with python-socketio and with bare frames."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from socket import SHUT_RDWR
from typing import Any

import pytest
import socketio.exceptions
import websockets.sync.client

from support.server import Server
from support.tutors import TRANSPORTS, Socket, Tutor

ROOM_KEYS = ["id", "student", "teacher", "status", "timestamp", "text", "image"]
MESSAGE_KEYS = ["id", "text", "image", "seen", "timestamp", "room", "user"]
NOT_ALLOWED = "You do not have permission to perform this action."


def cast(server: Server) -> tuple[Tutor, Tutor]:
    """A student and a teacher."""
    return Tutor(server, "stan"), Tutor(server, "tess", "teacher")


def engaged(student: Tutor, teacher: Tutor) -> int:
    """A room of the two, joined without anybody listening; its id."""
    room = student.open_room()
    with teacher.socket() as desk:
        assert desk.ask("join_room", {"room": room})["status"] == "engaged"
    return room


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_document_as_a_story(server: Server, transport: str) -> None:
    stan, tess = cast(server)
    with stan.socket(transport) as pupil, tess.socket(transport, {"access_token": tess.access, "id": tess.id}) as desk:
        # The pupil's socket is in the room that HTTP opens, and nobody is told.
        room = stan.open_room("Is 91 prime?")
        announced = pupil.ask("new_room", {"room": room})
        assert desk.hears("new_room") == announced
        assert list(announced) == ROOM_KEYS and announced["teacher"] is None
        assert announced == stan.ask("GET", "/api/room/").json()[0]
        first = pupil.say(room, "It looks so.")
        assert list(first) == MESSAGE_KEYS and first["user"] == stan.id and first["seen"] is False
        assert pupil.hears("message") == first

        joined = desk.ask("join_room", {"room": str(room)})
        image = f"{server.url}/media/avatars/default.png"
        teacher = {"id": tess.id, "first_name": "Tess", "last_name": "", "image": image}
        assert joined == {"room": room, "teacher": teacher, "status": "engaged"}
        assert pupil.hears_all("room_joined", "online") == {"room_joined": joined, "online": {"user": tess.id}}
        assert desk.hears_all("room_joined", "online") == {"room_joined": joined, "online": {"user": stan.id}}

        for listener in pupil, desk:
            assert listener.ask("rooms", {}) == {"rooms": [room]} == listener.hears("rooms")
        assert desk.ask("seen", {"room": room}) == {"room": room, "user": stan.id}
        for listener in pupil, desk:
            assert listener.hears("seen") == {"room": room, "user": stan.id}
        # Nothing has changed, so nobody is told again.
        assert desk.ask("seen", {"room": room}) == {"room": room, "user": stan.id}

        answer = desk.say(room, 7, image="http://example.org/7.png", user=1, seen=True, id=99, timestamp="x")
        assert answer["text"] == "7" and answer["user"] == tess.id and answer["seen"] is False
        for listener in pupil, desk:
            assert listener.hears("message") == answer
        assert stan.messages(room) == [first | {"seen": True}, answer]

        closed = desk.ask("close_room", {"room": room})
        assert closed == {"status": "closed", "room": room}
        for listener in pupil, desk:
            assert listener.hears("room_closed") == closed
            assert listener.refuses("message", {"room": room, "text": "late"})
            assert listener.ask("rooms", {}) == {"rooms": []} == listener.hears("rooms")
        assert desk.refuses("close_room", {"room": room})
        assert desk.refuses("join_room", {"room": room})
        assert desk.refuses("seen", {"room": room})
        assert len(stan.messages(room)) == 2
        statuses = [shown["status"] for shown in tess.ask("GET", "/api/room/").json()]
        assert statuses == ["closed"]


def test_who_may_do_what(server: Server) -> None:
    stan, tess = cast(server)
    sam, tom, boss = Tutor(server, "sam"), Tutor(server, "tom", "teacher"), Tutor(server, "boss", "staff")
    waiting, busy = stan.open_room(), engaged(stan, tess)
    with ExitStack() as stack:
        sockets = {tutor.name: stack.enter_context(tutor.socket()) for tutor in (sam, tom, boss)}
        for name, socket in sockets.items():
            events = ["message", "seen", "close_room", "new_room"] + (["join_room"] if name != "tom" else [])
            for event in events:
                for room in waiting, busy:
                    assert socket.refuses(event, {"room": room, "text": "x"}) == NOT_ALLOWED, (name, event, room)
        assert sockets["tom"].refuses("join_room", {"room": busy}) == "Another teacher is in the room."
        for event in "join_room", "message", "seen", "close_room", "new_room":
            assert sockets["tom"].refuses(event, {"room": 999, "text": "x"}) == "There is no such room."
        pupil = stack.enter_context(stan.socket())
        assert pupil.refuses("close_room", {"room": busy}) == NOT_ALLOWED
        assert pupil.refuses("join_room", {"room": waiting}) == NOT_ALLOWED
        # A teacher is there; none may be asked to come.
        assert pupil.refuses("new_room", {"room": busy})
        assert pupil.ask("new_room", {"room": waiting})["id"] == waiting
        assert pupil.refuses("new_room", {"room": waiting})
        assert sockets["tom"].hears("new_room")["id"] == waiting
        # A student may give up waiting.
        assert pupil.ask("close_room", {"room": waiting}) == {"status": "closed", "room": waiting}
        assert pupil.hears("room_closed") == {"status": "closed", "room": waiting}
        assert sockets["tom"].refuses("join_room", {"room": waiting}) == "The room is closed."
    assert boss.messages(busy) == []
    assert tom.ask("GET", f"/api/{busy}/messages/").status_code == 403


def test_bad_input_is_told_to_the_sender_alone(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with stan.socket() as pupil, tess.socket() as desk:
        pupil.hears("online"), desk.hears("online")
        for data, told in [
            ({"room": room}, "text: This field may not be blank."),
            ({"room": room, "text": "  "}, "text: This field may not be blank."),
            ({"room": room, "text": ["x"]}, "text: Not a valid string."),
            ({"room": room, "text": "x" * 4097}, "text: Ensure this field has no more than 4096 characters."),
            ({"room": room, "text": "x", "image": "x.png"}, "image: Enter a valid URL."),
            ({"room": room, "text": "x", "image": "javascript:alert(1)"}, "image: Enter a valid URL."),
            ({"text": "x"}, "room: This field is required."),
            ({"room": "x", "text": "x"}, "room: A valid integer is required."),
            ({"room": 10**30, "text": "x"}, "room: A valid integer is required."),
            ([room], "Invalid data. Expected a dictionary, but got list."),
            (None, "Invalid data. Expected a dictionary, but got NoneType."),
            ("x", "Invalid data. Expected a dictionary, but got str."),
        ]:
            assert pupil.refuses("message", data) == told, data
        assert pupil.refuses("message", {"room": room, "text": "x", "image": b"\0"})
        assert pupil.refuses("join_room", None)
        assert pupil.ask("nonsense", {"room": room}) == {"message": "Unknown event"}
        assert pupil.say(room, "", image="https://example.org/x.png")["text"] == ""
        assert pupil.hears("message")["image"] == "https://example.org/x.png"
        assert desk.hears("message")["image"] == "https://example.org/x.png"


def test_a_repeat_is_stored_once_and_shown_to_the_asking_socket_alone(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with stan.socket() as pupil, tess.socket() as desk:
        pupil.hears("online"), desk.hears("online")
        first = pupil.say(room, "once", client_id="c-1")
        assert first["client_id"] == "c-1"
        assert pupil.hears("message") == first == desk.hears("message")
        assert pupil.say(room, "twice", client_id="c-1") == first == pupil.hears("message")
        desk.hears_nothing_before(room)
        assert [message["text"] for message in stan.messages(room)] == ["once", "sentinel"]


def test_presence_is_counted_per_account(server: Server) -> None:
    stan, tess = cast(server)
    sam = Tutor(server, "sam")
    # Two rooms of the same pair, and a stranger's.
    room, _, strangers = engaged(stan, tess), engaged(stan, tess), sam.open_room()
    with stan.socket() as pupil, sam.socket() as stranger:
        with tess.socket() as desk:
            assert pupil.hears("online") == {"user": tess.id}
            assert desk.hears("online") == {"user": stan.id}
            with tess.again().socket("polling") as second:
                assert second.hears("online") == {"user": stan.id}
                desk.hears_nothing_before(room)
                pupil.hears("message"), second.hears("message")
            pupil.hears_nothing_before(room)
            assert desk.hears("message")
        assert pupil.hears("offline") == {"user": tess.id}
        with tess.socket() as desk:
            assert pupil.hears("online") == {"user": tess.id}
            assert desk.hears("online") == {"user": stan.id}
            stranger.hears_nothing_before(strangers)


def test_a_connection_that_breaks_off_is_missed_when_it_was_the_last(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with stan.socket() as pupil, tess.socket() as tab:
        assert pupil.hears("online") == {"user": tess.id} and tab.hears("online") == {"user": stan.id}
        with torn(server, tess) as cut:
            pupil.hears_nothing_before(room)
            cut()
            # The other tab is still here.
            pupil.hears_nothing_before(room)
    with stan.socket() as pupil, torn(server, tess) as cut:
        assert pupil.hears("online") == {"user": tess.id}
        cut()
        assert pupil.hears("offline") == {"user": tess.id}


@contextmanager
def torn(server: Server, tutor: Tutor) -> Iterator[Callable[[], None]]:
    """A signed-in client, and the means to cut its connection without a word of goodbye."""
    url = f"{server.socket_url}/socket.io/?EIO=4&transport=websocket"
    with websockets.sync.client.connect(url, proxy=None) as client:
        client.recv()
        client.send("40" + json.dumps({"access_token": tutor.access}))
        assert client.recv().startswith("40")
        yield lambda: client.socket.shutdown(SHUT_RDWR)


def test_two_accounts_use_one_connection_in_turn(server: Server) -> None:
    stan, tess = cast(server)
    sam = Tutor(server, "sam")
    room = engaged(stan, tess)
    url = f"{server.socket_url}/socket.io/?EIO=4&transport=websocket"
    with tess.socket() as desk, websockets.sync.client.connect(url, proxy=None) as client:
        client.recv()
        # A bad sign-in disturbs nobody, the client itself neither.
        client.send('40{"access_token":"nonsense"}')
        assert client.recv().startswith("44")
        client.send("40" + json.dumps({"access_token": stan.access}))
        assert client.recv().startswith("40")
        assert json.loads(client.recv()[2:]) == ["online", {"user": tess.id}]
        assert desk.hears("online") == {"user": stan.id}
        client.send("41")
        assert desk.hears("offline") == {"user": stan.id}
        client.send("40" + json.dumps({"access_token": sam.access}))
        assert client.recv().startswith("40")
        client.send(f'421["message",{{"room":{room},"text":"x"}}]')
        assert client.recv() == f'431[{{"message":"{NOT_ALLOWED}"}}]'
        desk.hears_nothing_before(room)


def test_who_shares_no_open_room_any_more_hears_nothing(server: Server) -> None:
    stan, tess = cast(server)
    room, own = engaged(stan, tess), stan.open_room()
    with stan.socket() as pupil:
        with tess.socket() as desk:
            pupil.hears("online"), desk.hears("online")
            desk.ask("close_room", {"room": room})
            pupil.hears("room_closed"), desk.hears("room_closed")
        with tess.socket():
            pupil.hears_nothing_before(own)


def test_every_socket_of_an_account_is_in_its_rooms(server: Server) -> None:
    stan, tess = cast(server)
    with stan.socket() as first, stan.again().socket() as second, tess.socket() as desk, tess.again().socket() as other:
        # Opened in no tab at all, heard in both.
        room = stan.open_room()
        said = first.say(room)
        assert first.hears("message") == said == second.hears("message")
        desk.ask("join_room", {"room": room})
        for socket in first, second, desk, other:
            socket.hears_all("room_joined", "online")
        # The same teacher again, from elsewhere: the answer comes, and nobody hears of it.
        assert other.ask("join_room", {"room": room})["room"] == room
        said = other.say(room)
        for socket in first, second, desk, other:
            assert socket.hears("message") == said
    # Who comes back need not join.
    with stan.socket() as pupil, tess.socket() as desk:
        pupil.hears("online"), desk.hears("online")
        said = pupil.say(room)
        assert desk.hears("message") == said == pupil.hears("message")


def test_refusals_name_a_reason_and_disturb_nobody(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with tess.socket() as desk:
        for auth in [
            {},
            {"access_token": "nonsense"},
            {"access_token": 5},
            {"access_token": stan.access, "id": tess.id},
            {"access_token": stan.access, "id": [stan.id]},
        ]:
            refused = Socket(stan)
            reasons: list[Any] = []
            refused.client.on("connect_error", reasons.append)
            with pytest.raises(socketio.exceptions.ConnectionError):
                refused.connect("websocket", auth)
            assert list(reasons[0]) == ["message"] and reasons[0]["message"], (auth, reasons)
            refused.client.disconnect()
        desk.hears_nothing_before(room)
        for own in stan.id, str(stan.id), None:
            with stan.socket(auth={"access_token": stan.access, "id": own}) as pupil:
                assert pupil.hears("online") == {"user": tess.id}
                assert pupil.ask("rooms", {}) == {"rooms": [room]}


def test_accounts_that_act_at_once_are_not_mixed_up(server: Server) -> None:
    people = [Tutor(server, f"student{number}") for number in range(6)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(tutor.socket()) for tutor in people]
        rooms = [tutor.open_room(tutor.name) for tutor in people]

        def talk(number: int) -> None:
            for count in range(30):
                said = sockets[number].say(rooms[number], f"{people[number].name} {count}")
                assert said["user"] == people[number].id and said["room"] == rooms[number]

        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(talk, range(len(people))))
        for number, socket in enumerate(sockets):
            texts = [socket.hears("message")["text"] for _ in range(30)]
            assert texts == [f"{people[number].name} {count}" for count in range(30)]
            socket.hears_nothing_before(rooms[number])


def test_of_two_teachers_one_wins_each_time(server: Server) -> None:
    stan, tess = cast(server)
    tom = Tutor(server, "tom", "teacher")
    rooms = [stan.open_room() for _ in range(1_000)]
    winners: dict[int, int] = {}
    with stan.socket() as pupil, tess.socket() as one, tom.socket() as other, ThreadPoolExecutor(2) as pool:
        for room in rooms:
            answers = list(pool.map(lambda socket: socket.ask("join_room", {"room": room}), [one, other]))
            won = [answer for answer in answers if "status" in answer]
            lost = [answer for answer in answers if answer == {"message": "Another teacher is in the room."}]
            assert len(won) == len(lost) == 1, answers
            winners[room] = won[0]["teacher"]["id"]
            # All hear of it, once and the same.
            assert pupil.hears_until("room_joined") == won[0]
    shown = {room["id"]: room for room in stan.ask("GET", "/api/room/").json()}
    assert {room: shown[room]["teacher"]["id"] for room in rooms} == winners
    assert {room["status"] for room in shown.values()} == {"engaged"}


def test_nobody_joins_a_room_of_their_own(server: Server) -> None:
    stan, tess = cast(server)
    room = stan.open_room()
    assert server.cli("user", "set", "stan", "--role", "teacher").returncode == 0
    with stan.socket() as both, tess.socket() as desk:
        assert both.refuses("join_room", {"room": room}) == NOT_ALLOWED
        assert desk.ask("join_room", {"room": room})["status"] == "engaged"


def test_the_end_of_a_session_ends_its_sockets(server: Server) -> None:
    stan, tess = cast(server)
    room, phone = engaged(stan, tess), tess.again()
    with stan.socket() as pupil, tess.socket() as desk, phone.socket("polling") as mobile:
        pupil.hears("online"), desk.hears("online"), mobile.hears("online")
        assert tess.ask("POST", "/auth/logout/").status_code == 200
        desk.hears("disconnect")
        # The other one is still here.
        mobile.hears_nothing_before(room)
        pupil.hears("message")
        assert phone.ask("POST", "/auth/logout/").status_code == 200
        mobile.hears("disconnect")
        assert pupil.hears("offline") == {"user": tess.id}


def test_a_deleted_accounts_rooms_are_closed(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with tess.socket() as desk:
        assert server.cli("user", "delete", "stan").returncode == 0
        # The command line is another process: what it did is in the store, and here it is seen there.
        assert desk.refuses("message", {"room": room, "text": "x"}) == "The room is closed."
        shown = tess.ask("GET", "/api/room/").json()[0]
        assert shown["status"] == "closed" and shown["student"]["email"] == ""


@contextmanager
def old(server: Server, query: str = "", headers: dict[str, str] | None = None) -> Iterator[Any]:
    """A client of protocol 4, with bare frames."""
    url = f"{server.socket_url}/socket.io/?EIO=3&transport=websocket{query}"
    with websockets.sync.client.connect(url, additional_headers=headers, proxy=None) as socket:
        assert socket.recv().startswith("0{")
        assert socket.recv() == "40"
        yield socket


def test_old_clients_are_in_at_once(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    bearer = {"Authorization": f"Bearer {stan.access}"}
    for query, headers in [(f"&access_token={stan.access}", None), (f"&token={stan.access}", None), ("", bearer)]:
        with tess.socket() as desk, old(server, query, headers) as pupil:
            assert json.loads(pupil.recv()[2:]) == ["online", {"user": tess.id}]
            assert desk.hears("online") == {"user": stan.id}
            pupil.send(f'425["rooms",{{}}]')
            assert pupil.recv() == f'435[{{"rooms":[{room}]}}]'
            assert pupil.recv() == f'42["rooms",{{"rooms":[{room}]}}]'


def test_old_clients_without_credentials_stay_and_are_told(server: Server) -> None:
    for query in "", "&access_token=nonsense":
        with old(server, query) as stranger:
            told = '{"message":"Authentication credentials were not provided."}'
            stranger.send('421["rooms",{}]')
            assert stranger.recv() == f"431[{told}]"
            assert stranger.recv() == f'42["error",{told}]'
            stranger.send('42["message",{"room":1,"text":"x"}]')
            assert stranger.recv() == f'42["error",{told}]'


def test_messages_survive_a_crash(server: Server) -> None:
    stan, tess = cast(server)
    room = engaged(stan, tess)
    with stan.socket() as pupil:
        said = [pupil.say(room, str(number)) for number in range(20)]
        server.kill9()
    server.restart()
    assert Tutor(server, "stan", new=False).messages(room) == said
