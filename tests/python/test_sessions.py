"""Sessions: what ends them, what that closes, and what it leaves alone."""

import base64
import json

import pytest

from support.people import Chat, Person, signed_in
from support.server import Server
from support.waiting import until

INVALID_BEARER = {
    "detail": "Given token not valid for any token type",
    "code": "token_not_valid",
    "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid or expired"}],
}
USERS = "/users/user_list/"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims(token: str) -> dict:
    """What a JWT says, unverified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def still_open(socket: Chat, text: str) -> bool:
    """Says something on the socket and hears it."""
    socket.say(text)
    return socket.message()["text"] == text


def test_the_claims_of_the_tokens(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    for token, kind, life in [(ana.access, "access", 3600), (ana.refresh, "refresh", 86_400)]:
        said = claims(token)
        assert list(said)[:5] == ["token_type", "exp", "iat", "jti", "user_id"]
        assert said["token_type"] == kind
        assert said["exp"] - said["iat"] == life
        assert len(said["jti"]) == 32 and int(said["jti"], 16) >= 0
        assert isinstance(said["user_id"], int)


def test_a_sign_out_ends_its_own_session_only(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    phone = ana.again()
    conversation = ana.start_conversation(ben)
    with (
        ana.chat(conversation) as here,
        ana.chat(conversation, headers=bearer(ana.access)) as here_too,
        phone.chat(conversation) as on_the_phone,
        ben.chat(conversation) as bens,
    ):
        ana.post("/auth/logout/")
        assert here.close_code() == 4001
        assert here_too.close_code() == 4001
        on_the_phone.say("still here")
        assert bens.message()["text"] == "still here"
        assert on_the_phone.message()["text"] == "still here"

    for headers, body in [
        ({"Authorization": f"Token {ana.token}"}, {"detail": "Invalid token."}),
        (bearer(ana.token), INVALID_BEARER),
        (bearer(ana.access), INVALID_BEARER),
    ]:
        answer = ana.ask("GET", USERS, token="", headers=headers)
        assert (answer.status_code, answer.json()) == (401, body)
    answer = ana.ask("POST", "/api/token/refresh/", token="", headers={"Bearer": f"Token {ana.refresh}"})
    assert answer.status_code == 401
    # She is connected as long as one session lives.
    connected = {user["username"]: user["is_connected"] for user in phone.get(USERS)}
    assert connected == {"ana": True, "ben": True}


def test_a_password_change_ends_every_other_session(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    phone, tablet = ana.again(), ana.again()
    conversation = ana.start_conversation(ben)
    with (
        ana.chat(conversation) as here,
        phone.chat(conversation) as on_the_phone,
        tablet.chat(conversation) as on_the_tablet,
    ):
        new = {"new_password1": "popopopo1234", "new_password2": "popopopo1234"}
        ana.post("/auth/password/change/", new)
        assert on_the_phone.close_code() == 4001
        assert on_the_tablet.close_code() == 4001
        assert still_open(here, "mine goes on")
    assert phone.ask("GET", USERS).status_code == 401
    assert tablet.ask("GET", USERS, token="", headers=bearer(tablet.access)).status_code == 401
    ana.get(USERS)
    ben.get(USERS)


def test_deleting_an_account_from_the_command_line(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    ana.post("/users/add_friend/", {"friend_username": "ben"})
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as anas, ben.chat(conversation) as bens:
        assert still_open(anas, "written by ana")
        bens.message()
        done = server.cli("user", "delete", "ana")
        assert done.returncode == 0, done.stderr
        assert anas.close_code() == 4001
        assert still_open(bens, "is she gone?")

    until(lambda: ana.ask("GET", USERS).status_code == 401, "her token no longer works")
    assert ana.ask("GET", USERS, token="", headers=bearer(ana.access)).status_code == 401
    until(lambda: [user["username"] for user in ben.get(USERS)] == ["ben"], "she is no longer listed")
    assert ben.get("/users/friend_list/") == []
    # What she wrote stays.
    assert [(message["realSender"], message["text"]) for message in ben.history(conversation)] == [
        ("deleted", "written by ana"),
        ("ben", "is she gone?"),
    ]


def test_access_keys(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    made = server.cli("user", "key", "ana", "--label", "robot")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert len(key) == 30 and key.isalnum() and made.stdout.count("\n") == 1

    until(lambda: ana.ask("GET", USERS, token="", headers=bearer(key)).status_code == 200, "the key works")
    with ana.chat(conversation, headers=bearer(key)) as socket:
        assert still_open(socket, "by key")
    # A key is no session, and cannot sign out.
    assert ana.ask("POST", "/auth/logout/", token="", headers=bearer(key)).status_code == 403

    assert server.cli("user", "key", "ana", "--revoke", "robot").returncode == 0
    until(lambda: ana.ask("GET", USERS, token="", headers=bearer(key)).status_code == 401, "the key is revoked")
    assert ana.ask("GET", USERS, token="", headers=bearer(key)).json() == INVALID_BEARER
    ana.get(USERS)
    assert server.cli("user", "key", "ana", "--revoke", "robot").returncode == 1


def test_an_access_token_expires(new_server) -> None:
    server = new_server().start("--access-life", "1s")
    [ana] = signed_in(server, "ana")
    assert claims(ana.access)["exp"] - claims(ana.access)["iat"] == 1

    def answer():
        return ana.ask("GET", USERS, token="", headers=bearer(ana.access))

    until(lambda: answer().status_code == 401, "the access token expires")
    assert answer().json() == INVALID_BEARER
    assert answer().headers["www-authenticate"] == 'Bearer realm="api"'
    # The session does not, and a refresh token in the wrong place is told so.
    ana.get(USERS)
    answer_to_refresh = ana.ask("GET", USERS, token="", headers=bearer(ana.refresh))
    assert answer_to_refresh.status_code == 401
    assert answer_to_refresh.json()["messages"][0]["message"] == "Token has wrong type"
    refreshed = ana.post("/api/token/refresh/", {"refresh": ana.refresh})
    assert claims(refreshed["access"])["user_id"] == claims(ana.access)["user_id"]


def test_a_refresh_token_expires(new_server) -> None:
    server = new_server().start("--refresh-life", "1s")
    [ana] = signed_in(server, "ana")

    def answer():
        return ana.ask("POST", "/api/token/refresh/", token="", json={"refresh": ana.refresh})

    until(lambda: answer().status_code == 401, "the refresh token expires")
    assert answer().json() == {"detail": "Token is invalid or expired", "code": "token_not_valid"}


def test_rotation(new_server) -> None:
    server = new_server().start("--rotate")
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket:
        first = ana.refresh
        rotated = ana.post("/api/token/refresh/", {"refresh": first}, token="")
        assert set(rotated) == {"access", "refresh"}
        assert rotated["refresh"] != first

        dead = {"detail": "Token is invalid or expired", "code": "token_not_valid"}
        answer = ana.ask("POST", "/api/token/refresh/", token="", json={"refresh": first})
        assert (answer.status_code, answer.json()) == (401, dead)

        headers = {"Bearer": f"Token {rotated['refresh']}"}
        again = ana.post("/api/token/refresh/", token="", headers=headers)
        assert set(again) == {"access_token", "refresh_token"}
        assert again["refresh_token"] != rotated["refresh"]
        answer = ana.ask("POST", "/api/token/refresh/", token="", headers=headers)
        assert (answer.status_code, answer.json()) == (401, dead)

        ana.get(USERS, token="", headers=bearer(again["access_token"]))
        assert still_open(socket, "rotation closes no socket")


def test_sessions_survive_a_restart(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    phone = ana.again()
    phone.post("/auth/logout/")
    conversation = ana.start_conversation(ben)
    assert server.stop() == 0
    server.restart()
    ana.get(USERS)
    ana.get(USERS, token="", headers=bearer(ana.access))
    assert phone.ask("GET", USERS).status_code == 401
    assert set(ana.post("/api/token/refresh/", {"refresh": ana.refresh}, token="")) == {"access"}
    with ana.chat(conversation) as socket:
        assert still_open(socket, "again")


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Authentication credentials were not provided."),
        ({"Authorization": "Basic YTpi"}, "Authentication credentials were not provided."),
        ({"Authorization": "Token"}, "Invalid token header. No credentials provided."),
        ({"Authorization": "Token a b"}, "Invalid token header. Token string should not contain spaces."),
        ({"Authorization": "Token " + "0" * 40}, "Invalid token."),
        ({"Authorization": "Bearer"}, "Authorization header must contain two space-delimited values"),
        ({"Authorization": "Bearer a b"}, "Authorization header must contain two space-delimited values"),
        ({"Authorization": "Bearer a.b.c"}, "Given token not valid for any token type"),
    ],
)
def test_bad_credentials(server: Server, headers: dict, detail: str) -> None:
    answer = server.http.get(USERS, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["detail"] == detail
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'
    # An open endpoint does not look at them.
    body = {"username": "w", "email": "w@example.org", "password1": "popopopo0987", "password2": "popopopo0987"}
    assert server.http.post("/auth/registration/", json=body, headers=headers).status_code == 201


def test_a_token_signed_by_another_key_or_by_none_is_refused(server: Server) -> None:
    [ana] = signed_in(server, "ana")

    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    _, body, signature = ana.access.split(".")
    unsigned = part({"alg": "none", "typ": "JWT"})
    head = ana.access.split(".")[0]
    changed = part(claims(ana.access) | {"user_id": claims(ana.access)["user_id"] + 1})
    for token in [f"{unsigned}.{body}.", f"{unsigned}.{body}.{signature}", f"{head}.{changed}.{signature}"]:
        answer = ana.ask("GET", USERS, token="", headers=bearer(token))
        assert (answer.status_code, answer.json()) == (401, INVALID_BEARER)


def test_nobody_reads_secrets_in_the_log(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation, query=f"?token={ana.token}", headers={}) as socket:
        assert still_open(socket, "hello")
    Person(server, "ana").try_login("000000")
    ana.post("/auth/logout/")
    assert server.stop() == 0
    log = server.log.read_text()
    assert "ana" in log, "sign-ins are logged"
    for secret in (ana.token, ana.access, ana.refresh, ana.password, ben.token):
        assert secret not in log
