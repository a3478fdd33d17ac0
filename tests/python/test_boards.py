"""The `boards` dialect, with python-socketio: over a WebSocket, over polling alone, and from one to the other."""

import queue
import threading
import uuid
from contextlib import ExitStack
from typing import Any

import pytest
import socketio

from support.dashboards import TRANSPORTS, Dashboard, key_of, sign_in
from support.discord import Discord
from support.people import Person
from support.server import Server
from support.waiting import BOUND

NOTE = {"widget_tag": "note", "widget_x": 9, "widget_y": 8, "widget_size_x": 9, "widget_size_y": 8}
UNAUTHORISED = {
    "absent": "Authorization not found, Please send valid token in headers",
    "bad": "Authorization has failed, Please send valid token.",
}


def envelope(code: int, message: str) -> dict:
    return {"data": {"message": message}, "code": code, "request_id": ""}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_documents_story(server: Server, transport: str) -> None:
    key = key_of(server, "ana")
    tokens = sign_in(server, key)
    header = {"Authorization": f"Bearer {tokens['access']}"}
    with Dashboard(server, transport, headers=header) as board, Dashboard(server, auth={"token": key}) as other:
        assert board.hears() == ("message", "connected")
        assert other.hears() == ("message", "connected")
        assert board.ask("get_all_widgets") == []

        posted = board.ask("post_widget", NOTE)
        assert list(posted) == [*NOTE, "uuid"]
        assert {**NOTE, "uuid": posted["uuid"]} == posted
        assert str(uuid.UUID(posted["uuid"])) == posted["uuid"]
        assert other.hears() == ("widget", {"action": "created", "widget": posted})

        changed = {**NOTE, "widget_x": 99999, "widget_y": 1}
        assert board.ask("update_widget", {**changed, "uuid": uuid.UUID(posted["uuid"]).hex}) == changed
        shown = {**changed, "uuid": posted["uuid"]}
        assert other.hears() == ("widget", {"action": "updated", "widget": shown})
        assert board.ask("get_all_widgets", {"any": "thing"}) == [shown] == other.ask("get_all_widgets")

        assert board.ask("update_widget", NOTE) == envelope(400, "uuid: This field is required.")
        assert board.ask("delete_widget", {"uuid": "x"}) == envelope(400, "uuid: Must be a valid UUID.")
        assert board.ask("delete_widget", {"uuid": str(uuid.uuid4())}) == envelope(404, "Widget not found")
        assert board.ask("post_widget", b"binary") == envelope(400, "Invalid data. Expected a dictionary.")

        assert board.ask("delete_widget", {"widget_uuid": posted["uuid"]}) == "widget was successfully deleted"
        assert other.hears() == ("widget", {"action": "deleted", "widget": shown})
        assert other.ask("get_all_widgets") == []
        assert board.has_heard_all() and other.has_heard_all()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_refused_are_told_and_shown_out(server: Server, transport: str) -> None:
    tokens = sign_in(server, key_of(server, "ana"))
    with Dashboard(server, auth={"token": tokens["access"]}) as witness:
        assert witness.hears() == ("message", "connected")
        for credentials, why in [
            ({}, "absent"),
            ({"auth": {"token": "nonsense"}}, "bad"),
            ({"auth": {"token": tokens["refresh"]}}, "bad"),
            ({"headers": {"Authorization": "Bearer a.b.c"}}, "bad"),
        ]:
            refused = Dashboard(server, transport, **credentials)
            assert refused.hears() == ("message", envelope(401, UNAUTHORISED[why]))
            assert refused.hears() == ("disconnect", None)
            refused.client.disconnect()
            assert witness.ask("get_all_widgets") == []
        assert witness.has_heard_all()


def test_the_providers_sign_in_and_what_they_give_opens_a_dashboard(new_server) -> None:
    with Discord() as discord:
        server = new_server().start(*discord.flags())
        ana = Person(server, "ana").register().login()
        # An opaque token gives tokens of its own session, an access key opens one, a code makes an account.
        signed_in = [sign_in(server, token) for token in (ana.token, key_of(server, "ana", new=False), "7-nelly")]
        assert [form["code"] for form in discord.asked] == ["7-nelly"]
        again = sign_in(server, "7-renamed")
        with ExitStack() as stack:
            boards = [
                stack.enter_context(Dashboard(server, auth={"access_token": tokens["access"]}))
                for tokens in (*signed_in, again)
            ]
            for board in boards:
                assert board.hears() == ("message", "connected")
            posted = boards[0].ask("post_widget", NOTE)
            assert boards[1].hears() == ("widget", {"action": "created", "widget": posted})
            posted = boards[2].ask("post_widget", NOTE)
            assert boards[3].hears() == ("widget", {"action": "created", "widget": posted})
            assert ana.ask("POST", "/auth/logout/").status_code == 200
            assert boards[0].hears() == ("disconnect", None)
            assert len(boards[1].ask("get_all_widgets")) == 1
            assert all(board.has_heard_all() for board in boards)
        for broken in [(500, b"upstream-secret"), (200, b"upstream-secret"), (200, b"[]")]:
            discord.broken = broken
            answer = server.http.post("/api/v1/auth/", json={"token": "8-x"})
            assert answer.status_code == 503 and list(answer.json()) == ["message"], answer.text
            assert "upstream" not in answer.text
        discord.broken = None
        answer = server.http.post("/api/v1/auth/", json={"token": "nonsense"})
        refused = {"message": "Bad Request: the token is not valid"}
        assert (answer.status_code, answer.json()) == (400, refused)


def test_an_expired_token_is_said_so(new_server) -> None:
    server = new_server().start("--access-life", "1s")
    tokens = sign_in(server, key_of(server, "ana"))
    while True:
        with Dashboard(server, auth={"token": tokens["access"]}) as board:
            event, answer = board.hears()
            if answer != "connected":
                assert answer == envelope(401, "Authentication token has expired")
                assert board.hears() == ("disconnect", None)
                return


def test_the_limit_holds_however_many_ask_at_once(new_server) -> None:
    server = new_server().start("--max-widgets", "10")
    key = key_of(server, "ana")
    boards = [Dashboard(server, auth={"token": key}) for _ in range(4)]
    made: list = []

    def fill(board: Dashboard) -> None:
        assert board.hears() == ("message", "connected")
        for _ in range(10):
            made.append(board.client.call("post_widget", NOTE, namespace="/widget", timeout=60))

    threads = [threading.Thread(target=fill, args=[board]) for board in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in made if answer == envelope(400, "The limit of widgets has been reached")]
    assert (len(made), len(refused)) == (40, 30)
    with Dashboard(server, auth={"token": key}) as reader:
        assert reader.hears() == ("message", "connected")
        assert len(reader.ask("get_all_widgets")) == 10
    for board in boards:
        board.client.disconnect()


def test_two_accounts_do_not_meet(server: Server) -> None:
    keys = [key_of(server, name) for name in ["ana", "ben"]]
    with Dashboard(server, auth={"token": keys[0]}) as hers, Dashboard(server, auth={"token": keys[1]}) as his:
        for board in hers, his:
            assert board.hears() == ("message", "connected")
        for _ in range(10):
            posted = hers.ask("post_widget", NOTE)
            assert his.ask("delete_widget", {"uuid": posted["uuid"]}) == envelope(404, "Widget not found")
            assert his.ask("post_widget", NOTE)["uuid"] != posted["uuid"]
        assert len(hers.ask("get_all_widgets")) == len(his.ask("get_all_widgets")) == 10
        assert hers.has_heard_all() and his.has_heard_all()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_boards_and_tutoring_share_a_connection(server: Server, transport: str) -> None:
    access = sign_in(server, key_of(server, "ana"))["access"]
    client = socketio.Client(reconnection=False)
    auth = {"access_token": access}
    namespaces = ["/", "/widget"]
    transports = TRANSPORTS[transport]
    client.connect(server.url, auth=auth, namespaces=namespaces, transports=transports, wait_timeout=BOUND)

    def ask(name: str, argument: Any, namespace: str) -> Any:
        return client.call(name, argument, namespace=namespace, timeout=BOUND)

    for _ in range(3):
        posted = ask("post_widget", NOTE, "/widget")
        assert ask("rooms", {}, "/") == {"rooms": []}
        assert ask("delete_widget", {"uuid": posted["uuid"]}, "/widget") == "widget was successfully deleted"
        assert ask("nonsense", {}, "/") == {"message": "Unknown event"}
        assert ask("nonsense", {}, "/widget") == envelope(400, "Unknown event")
    # The session is one: its end puts out both.
    gone: queue.Queue[str] = queue.Queue()
    for namespace in "/", "/widget":
        client.on("disconnect", lambda *_, name=namespace: gone.put(name), namespace=namespace)
    bearer = {"Authorization": f"Bearer {access}"}
    assert server.http.post("/auth/logout/", headers=bearer).status_code == 200
    assert {gone.get(timeout=BOUND), gone.get(timeout=BOUND)} == {"/", "/widget"}
    client.disconnect()


def test_numbers_that_only_python_writes_are_bad_input(server: Server) -> None:
    with Dashboard(server, auth={"token": key_of(server, "ana")}) as board:
        assert board.hears() == ("message", "connected")
        for number in float("nan"), float("inf"), float("-inf"):
            answer = board.ask("post_widget", {**NOTE, "widget_x": number})
            assert answer == envelope(400, "Invalid data. Expected a dictionary.")
        assert board.ask("get_all_widgets", float("nan")) == []


def test_widgets_survive_a_kill(server: Server) -> None:
    key = key_of(server, "ana")
    with Dashboard(server, auth={"token": key}) as board:
        assert board.hears() == ("message", "connected")
        posted = [board.ask("post_widget", {**NOTE, "widget_x": x}) for x in range(20)]
        server.kill9()
    server.restart()
    with Dashboard(server, auth={"token": key}) as board:
        assert board.hears() == ("message", "connected")
        assert board.ask("get_all_widgets") == posted


def test_the_end_of_a_key_disconnects(server: Server) -> None:
    key = key_of(server, "ana")
    with Dashboard(server, auth={"token": key}) as board:
        assert board.hears() == ("message", "connected")
        assert server.cli("user", "delete", "ana").returncode == 0
        assert board.hears() == ("disconnect", None)
