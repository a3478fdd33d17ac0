"""Sign-in by 42, against a stand-in of it."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from support.fortytwo import CLIENT_ID, CLIENT_SECRET, Answer, FortyTwo
from support.people import Person, signed_in
from support.pictures import is_picture
from support.server import Server
from support.smtp import free_port
from support.waiting import until

STATE_REFUSED = {"message": "Invalid state parameter"}
NO_TOKEN = {"message": "Failed to obtain access token"}


@pytest.fixture
def fortytwo() -> Iterator[FortyTwo]:
    with FortyTwo() as stand_in:
        yield stand_in


@pytest.fixture
def server(new_server, fortytwo: FortyTwo) -> Server:
    return new_server().start(*fortytwo.flags())


class Browser:
    """Follows the sign-in as a browser does, one step a call."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookie = ""
        self.state = ""
        self.asked: dict[str, str] = {}
        self.authorize_url = ""

    def leave(self) -> "Browser":
        """`/oauth/authorize`: is sent to 42, with a state."""
        answer = self.server.http.get("/oauth/authorize")
        assert answer.status_code == 302, answer.text
        target = urlsplit(answer.headers["location"])
        self.authorize_url = target._replace(query="").geturl()
        self.asked = dict(parse_qsl(target.query))
        self.state = self.asked["state"]
        [self.set_cookie] = answer.headers.get_list("set-cookie")
        self.cookie = self.set_cookie.split(";")[0]
        self.server.http.cookies.clear()
        return self

    def come_back(self, cookie: str | None = None, **query: str) -> httpx.Response:
        """`/oauth/callback`, as 42 sends the browser there; with this browser's own cookie unless told otherwise."""
        cookie = self.cookie if cookie is None else cookie
        headers = {"Cookie": cookie} if cookie else {}
        parameters = {"code": "42-code", "state": self.state} | query
        answer = self.server.http.get("/oauth/callback", params=parameters, headers=headers)
        self.server.http.cookies.clear()
        return answer


def sign_in(server: Server) -> Person:
    """The whole way; the person who is signed in then."""
    answer = Browser(server).leave().come_back()
    assert answer.status_code == 200, answer.text
    return Person(server, "?").take(answer.json())


def names(person: Person) -> list[str]:
    return [user["username"] for user in person.get("/users/user_list/")]


def test_the_way_to_42(server: Server, fortytwo: FortyTwo) -> None:
    browser = Browser(server).leave()
    assert browser.authorize_url == f"{fortytwo.url}/oauth/authorize"
    assert set(browser.asked) == {"client_id", "redirect_uri", "response_type", "scope", "state"}
    assert browser.asked["client_id"] == CLIENT_ID
    assert browser.asked["redirect_uri"].rstrip("/") == f"{server.url}/oauth/callback"
    assert (browser.asked["response_type"], browser.asked["scope"]) == ("code", "public")
    assert len(browser.state) >= 43, "32 random bytes"
    attributes = browser.set_cookie.lower()
    assert "httponly" in attributes and "samesite=lax" in attributes
    assert Browser(server).leave().state != browser.state


def test_the_first_sign_in_makes_the_account_and_the_second_finds_it(server: Server, fortytwo: FortyTwo) -> None:
    browser = Browser(server).leave()
    answer = browser.come_back()
    assert answer.status_code == 200
    first = Person(server, "potxolo").take(answer.json())
    assert names(first) == ["potxolo"]

    exchange = next(asked for asked in fortytwo.asked if asked.path == "/oauth/token")
    assert exchange.method == "POST"
    assert exchange.form["grant_type"] == "authorization_code"
    assert exchange.form["code"] == "42-code"
    assert exchange.form["redirect_uri"] == browser.asked["redirect_uri"]
    assert exchange.form["client_id"] == CLIENT_ID
    assert exchange.form["client_secret"] == CLIENT_SECRET
    me = next(asked for asked in fortytwo.asked if asked.path == "/v2/me")
    assert me.headers["authorization"] == "Bearer 42-token"

    # Known by the number, whatever the login is by now.
    fortytwo.person(4242, "renamed")
    second = sign_in(server)
    assert names(second) == ["potxolo"]
    assert second.token != first.token
    first.get("/users/user_list/")


def test_the_picture_becomes_the_avatar(server: Server) -> None:
    person = sign_in(server)

    def avatar() -> str:
        return person.get("/users/user_list/")[0]["avatar"]

    until(lambda: avatar() != "/media/avatars/default.png", "the picture of 42 is the avatar")
    assert is_picture(server.http.get(avatar()).content)


def test_a_picture_elsewhere_is_not_fetched(server: Server, fortytwo: FortyTwo) -> None:
    with FortyTwo() as elsewhere:
        fortytwo.person(1, "ana", picture=f"http://localhost:{elsewhere.port}/picture.png")
        ana = sign_in(server)
        # A second sign-in, to be sure that the first one's work is done.
        fortytwo.person(2, "ben")
        ben = sign_in(server)
        until(
            lambda: ben.get("/users/user_list/")[1]["avatar"] != "/media/avatars/default.png", "ben's picture is there"
        )
        assert ana.get("/users/user_list/")[0]["avatar"] == "/media/avatars/default.png"
        assert elsewhere.asked == []


def test_something_that_is_no_picture_leaves_the_default(server: Server, fortytwo: FortyTwo) -> None:
    fortytwo.answers["/picture.png"] = Answer(body=b"<html>", kind="image/png")
    person = sign_in(server)
    assert person.get("/users/user_list/")[0]["avatar"] == "/media/avatars/default.png"


def test_a_taken_login_gets_a_number(server: Server, fortytwo: FortyTwo) -> None:
    Person(server, "Potxolo", email="potxolo@student.42.example").register()
    person = sign_in(server)
    # The address of the local account is the same: it is not joined by that.
    assert names(person) == ["Potxolo", "potxolo2"]
    fortytwo.person(43, "potxolo")
    assert names(sign_in(server)) == ["Potxolo", "potxolo2", "potxolo3"]


def test_characters_that_usernames_lack_are_dropped(server: Server, fortytwo: FortyTwo) -> None:
    fortytwo.person(5, "jo hn!<x>")
    assert names(sign_in(server)) == ["johnx"]


def test_an_account_of_42_has_no_password(server: Server) -> None:
    sign_in(server)
    person = Person(server, "potxolo", email="potxolo@student.42.example")
    code = person.mailed_code()
    for password in ["", "potxolo", "popopopo0987"]:
        person.password = password
        answer = person.try_login(code)
        assert (answer.status_code, answer.json()) == (400, {"error": "Invalid credentials"})


def test_a_state_works_once(server: Server) -> None:
    browser = Browser(server).leave()
    assert browser.come_back().status_code == 200
    answer = browser.come_back()
    assert (answer.status_code, answer.json()) == (400, STATE_REFUSED)


def test_a_wrong_or_missing_state_is_refused(server: Server, fortytwo: FortyTwo) -> None:
    browser, other = Browser(server).leave(), Browser(server).leave()
    for answer in [
        browser.come_back(state=other.state),
        Browser(server).leave().come_back(state=""),
        Browser(server).leave().come_back(cookie=""),
        Browser(server).leave().come_back(cookie=other.cookie),
        server.http.get("/oauth/callback", params={"code": "42-code"}),
        server.http.get("/oauth/callback"),
    ]:
        assert (answer.status_code, answer.json()) == (400, STATE_REFUSED)
    assert fortytwo.asked == []


def test_the_user_says_no(server: Server, fortytwo: FortyTwo) -> None:
    browser = Browser(server).leave()
    answer = server.http.get(
        "/oauth/callback",
        params={"error": "access_denied", "state": browser.state},
        headers={"Cookie": browser.cookie},
    )
    assert (answer.status_code, answer.json()) == (400, NO_TOKEN)
    assert fortytwo.asked == []


@pytest.mark.parametrize(
    "token",
    [
        Answer.of({"error": "invalid_grant"}, 401),
        Answer.of({"error": "invalid_grant"}, 400),
        Answer.of({"token_type": "bearer"}),
    ],
    ids=["401", "400", "none"],
)
def test_no_token_from_42(server: Server, fortytwo: FortyTwo, token: Answer) -> None:
    fortytwo.answers["/oauth/token"] = token
    answer = Browser(server).leave().come_back()
    assert (answer.status_code, answer.json()) == (400, NO_TOKEN)


def gateway_fault(answer: httpx.Response) -> None:
    assert answer.status_code == 502, answer.text
    assert list(answer.json()) == ["message"] and answer.json()["message"]


@pytest.mark.parametrize(
    ("page", "nonsense"),
    [
        ("/oauth/token", Answer(body=b"<html>Sorry</html>", kind="text/html")),
        ("/oauth/token", Answer.of([1, 2])),
        ("/v2/me", Answer(body=b"<html>Sorry</html>", kind="text/html")),
        ("/v2/me", Answer.of({})),
        ("/v2/me", Answer.of({"id": "no number", "login": 7})),
        ("/v2/me", Answer(500, b"")),
    ],
)
def test_nonsense_from_42(server: Server, fortytwo: FortyTwo, page: str, nonsense: Answer) -> None:
    fortytwo.answers[page] = nonsense
    gateway_fault(Browser(server).leave().come_back())


def test_42_out_of_reach(new_server, fortytwo: FortyTwo) -> None:
    server = new_server().start(*fortytwo.flags(token_url=f"http://127.0.0.1:{free_port()}/oauth/token"))
    gateway_fault(Browser(server).leave().come_back())


def test_not_configured(new_server) -> None:
    server = new_server().start()
    for path in ("/oauth/authorize", "/oauth/callback?code=a&state=b"):
        answer = server.http.get(path)
        assert answer.status_code == 503
        assert answer.json() == {"message": "42 sign-in is not configured"}


@pytest.mark.parametrize("public", [None, "https://chat.example"])
def test_a_home_url_gets_the_tokens_as_cookies(new_server, fortytwo: FortyTwo, public: str | None) -> None:
    home = "http://localhost:3000/home"
    more = ["--public-url", public] if public else []
    server = new_server().start(*fortytwo.flags(home_url=home), *more)
    browser = Browser(server).leave()
    if public:
        assert browser.asked["redirect_uri"].rstrip("/") == f"{public}/oauth/callback"
    answer = browser.come_back()
    assert (answer.status_code, answer.headers["location"]) == (302, home)

    cookies = {}
    for line in answer.headers.get_list("set-cookie"):
        for name, morsel in SimpleCookie(line).items():
            cookies[name] = morsel
    tokens = {name: cookies[name].value for name in ("access_token", "refresh_token", "token_auth")}
    for name in tokens:
        assert cookies[name]["path"] == "/"
        assert cookies[name]["samesite"].lower() == "lax"
        assert not cookies[name]["httponly"]
        assert bool(cookies[name]["secure"]) == bool(public)
    assert names(Person(server, "?").take(tokens)) == ["potxolo"]


def test_42_and_the_rest_share_one_account_base(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    potxolo = sign_in(server)
    conversation = ana.post("/conversations/start/", {"username": "potxolo"})["conversation_id"]
    with potxolo.chat(conversation) as socket:
        socket.say("from 42")
        assert socket.message()["realSender"] == "potxolo"
