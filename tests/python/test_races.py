"""The same thing asked many times at once: it happens once, and no answer is a 5xx."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

from support.friends import FRIENDSHIP, POST_MESSAGE, POST_SEEN, flags, friends
from support.people import Person, signed_in
from support.server import Server

AT_ONCE = 16


def at_once(ask, *arguments) -> list[httpx.Response]:
    """Calls `ask` from as many threads as there are arguments; the answers."""
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(ask, arguments))


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_one_name_is_taken_once(server: Server) -> None:
    def register(number: int) -> httpx.Response:
        name = "ana" if number % 2 else "ANA"
        fields = {"username": name, "email": "a@example.org", "password1": "popopopo0987", "password2": "popopopo0987"}
        return server.http.post("/auth/registration/", json=fields)

    answers = at_once(register, *range(AT_ONCE))
    assert statuses(answers) == {201: 1, 400: AT_ONCE - 1}
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json() == {"username": ["A user with that username already exists."]}


def test_a_code_signs_in_once(server: Server) -> None:
    ana = Person(server, "ana").register()
    code = ana.mailed_code()
    answers = at_once(lambda _: ana.try_login(code), *range(4))
    assert statuses(answers) == {200: 1, 400: 3}


def test_a_code_cannot_be_guessed_at_once(server: Server) -> None:
    """Five wrong codes void it, also when they come together with the right one after them."""
    ana = Person(server, "ana").register()
    code = ana.mailed_code()
    wrong = [f"{(int(code) + step) % 1_000_000:06}" for step in range(1, 8)]
    answers = at_once(ana.try_login, *wrong)
    assert statuses(answers) == {400: len(wrong)}
    assert ana.try_login(code).status_code == 400


def test_a_pair_has_one_conversation(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")

    def start(number: int) -> httpx.Response:
        one, other = (ana, ben) if number % 2 else (ben, ana)
        return one.ask("POST", "/conversations/start/", json={"username": other.name})

    answers = at_once(start, *range(AT_ONCE))
    assert statuses(answers) == {200: AT_ONCE}
    assert len({answer.json()["conversation_id"] for answer in answers}) == 1
    assert len({answer.json()["initiator"]["username"] for answer in answers}) == 1
    assert len(ana.get("/conversations/")) == 1


def test_friends_at_once(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")

    def change(number: int) -> httpx.Response:
        one, other = (ana, ben) if number % 2 else (ben, ana)
        what = "add" if number % 4 < 2 else "remove"
        return one.ask("POST", f"/users/{what}_friend/", json={"friend_username": other.name})

    assert statuses(at_once(change, *range(AT_ONCE))) == {200: AT_ONCE}
    # Both sides see the same, whatever came last.
    sees = {person.name: [user["username"] for user in person.get("/users/friend_list/")] for person in (ana, ben)}
    assert sees in ({"ana": ["ben"], "ben": ["ana"]}, {"ana": [], "ben": []})


def test_a_refresh_token_rotates_once(new_server) -> None:
    server = new_server().start("--rotate")
    [ana] = signed_in(server, "ana")
    answers = at_once(
        lambda _: ana.ask("POST", "/api/token/refresh/", token="", json={"refresh": ana.refresh}), *range(8)
    )
    assert statuses(answers) == {200: 1, 401: 7}


def test_signing_out_many_times_at_once(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    answers = at_once(lambda _: ana.ask("POST", "/auth/logout/"), *range(8))
    assert set(statuses(answers)) <= {200, 401}
    assert statuses(answers)[200] >= 1
    assert ana.ask("GET", "/users/user_list/").status_code == 401


def test_one_friendship_a_pair_whoever_asks_first(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")

    def ask(pair) -> httpx.Response:
        return pair[0].ask("POST", FRIENDSHIP, json={"to_user": pair[1].id, "status": "accepted"})

    answers = at_once(ask, *[(ana, ben), (ben, ana)] * 6)
    assert statuses(answers) == {201: 1, 400: 11}
    assert {answer.json()["detail"] for answer in answers if answer.status_code == 400} == {"Friendship already exists."}
    [made] = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert [one["id"] for one in ana.get(FRIENDSHIP)] == [one["id"] for one in ben.get(FRIENDSHIP)] == [made]


def test_one_message_a_client_id_and_one_receipt_a_message(server: Server) -> None:
    ana, ben = friends(server, "ana", "ben")
    friendship = ana.befriend(ben)
    with ana.socket() as anas:
        body = {"channel": friendship, "content": "once", "client_id": "c"}
        answers = at_once(lambda _: ana.ask("POST", POST_MESSAGE, json=body), *range(12))
        assert statuses(answers) == {201: 12}
        [message] = {answer.json()["data"]["message"]["id"] for answer in answers}
        seen = at_once(lambda _: ben.ask("POST", POST_SEEN, json={"message_id": message}), *range(12))
        assert statuses(seen) == {200: 12}
        assert anas.message()["message"]["id"] == message
        assert flags(anas.receipt()) == (True, True)
        anas.say(friendship, "nothing between")
        assert anas.message()["message"]["content"] == "nothing between"
    assert [row["message"]["content"] for row in ben.history(friendship)] == ["once", "nothing between"]
