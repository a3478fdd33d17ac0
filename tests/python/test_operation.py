"""Running it: commands, settings, exit statuses, health, stopping."""

import re
import signal
import stat

import pytest

from support.database import Sqlite
from support.people import Person, signed_in
from support.server import Server
from support.waiting import until
from test_sessions import claims

SETTINGS = [
    "--listen", "--data-dir", "--config", "--database-url", "--smtp-url", "--smtp-ca", "--mail-from", "--mail-subject",
    "--public-url", "--trusted-proxy", "--access-life", "--refresh-life", "--session-idle", "--rotate",
    "--revoke-rotated", "--message-rate",
    "--fortytwo-client-id", "--fortytwo-client-secret", "--fortytwo-authorize-url", "--fortytwo-token-url",
    "--fortytwo-api-url", "--fortytwo-home-url",
]  # fmt: skip


def access_life(server: Server) -> int:
    """Seconds that an access token lives: shows which source a setting came from."""
    [ana] = signed_in(server, "ana")
    return claims(ana.access)["exp"] - claims(ana.access)["iat"]


# the command line


@pytest.mark.only("sqlite")
def test_help_names_every_setting_and_its_environment_variable(new_server) -> None:
    shown = new_server().cli("serve", "--help", data=False)
    assert shown.returncode == 0
    for flag in SETTINGS:
        assert re.search(rf"{flag}\b", shown.stdout), f"{flag} is not in the help"
    for variable in ("TERTULIA_LISTEN", "TERTULIA_ACCESS_LIFE", "TERTULIA_SECRET_KEY"):
        assert variable in shown.stdout
    for default in ("127.0.0.1:8000", "60m", "24h", "30d"):
        assert default in shown.stdout

    overview = new_server().cli("--help", data=False)
    assert overview.returncode == 0
    for command in ("serve", "user", "doctor"):
        assert re.search(rf"^\s+{command}\b", overview.stdout, re.MULTILINE)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["serve", "--frobnicate"],
        ["serve", "--access-life", "soon"],
        ["serve", "--listen", "nowhere"],
        ["user"],
        ["user", "add"],
        ["user", "add", "ana", "--role", "king"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_wrong_usage_is_status_2(new_server, arguments: list[str]) -> None:
    done = new_server().cli(*arguments, data=False)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stderr, "it says what is wrong"
    assert done.stdout == ""


# settings


@pytest.mark.only("sqlite")
def test_flags_win_over_the_environment_and_that_over_the_file(new_server) -> None:
    file = new_server()
    (file.folder / "tertulia.toml").write_text('access-life = "11m"\n')
    assert access_life(file.start()) == 11 * 60

    variable = new_server()
    (variable.folder / "tertulia.toml").write_text('access-life = "11m"\n')
    assert access_life(variable.start(env={"TERTULIA_ACCESS_LIFE": "12m"})) == 12 * 60

    flag = new_server()
    (flag.folder / "tertulia.toml").write_text('access-life = "11m"\n')
    assert access_life(flag.start("--access-life", "13m", env={"TERTULIA_ACCESS_LIFE": "12m"})) == 13 * 60

    named = new_server()
    (named.folder / "elsewhere.toml").write_text('access-life = "14m"\nlisten = "127.0.0.1:0"\n')
    assert access_life(named.start("--config", "elsewhere.toml", listen=False)) == 14 * 60


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('acess-life = "1m"\n', ["acess-life", "access-life"]),
        ('access-life = "soon"\n', ["access-life", "soon"]),
        ("access-life = \n", ["tertulia.toml"]),
    ],
    ids=["unknown key", "bad value", "no TOML"],
)
def test_a_mistake_in_the_file_is_named(new_server, text: str, said: list[str]) -> None:
    server = new_server()
    (server.folder / "tertulia.toml").write_text(text)
    done = server.cli("serve", "--listen", "127.0.0.1:0")
    assert done.returncode in (1, 2)
    for word in said:
        assert word in done.stderr, done.stderr


@pytest.mark.only("sqlite")
def test_a_settings_file_that_is_not_there_is_an_error_when_it_was_named(new_server) -> None:
    done = new_server().cli("serve", "--listen", "127.0.0.1:0", "--config", "missing.toml")
    assert done.returncode in (1, 2)
    assert "missing.toml" in done.stderr


# serve


@pytest.mark.only("sqlite")
def test_the_secret_key_is_made_once_and_only_the_owner_reads_it(new_server) -> None:
    server = new_server().start()
    [key] = [path for path in server.data.iterdir() if "key" in path.name or "secret" in path.name]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert len(before) >= 32
    server.stop()
    server.restart()
    assert key.read_bytes() == before
    # The database is nobody else's business either.
    for path in server.data.iterdir():
        if path.is_file():
            assert not stat.S_IMODE(path.stat().st_mode) & stat.S_IWOTH, path


@pytest.mark.only("postgres")
def test_postgresql_needs_a_secret_key(new_server) -> None:
    done = new_server().cli("serve", "--listen", "127.0.0.1:0", TERTULIA_SECRET_KEY="")
    assert done.returncode in (1, 2)
    assert "TERTULIA_SECRET_KEY" in done.stderr


@pytest.mark.only("sqlite")
def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    [ana] = signed_in(server, "ana")
    done = server.cli("serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr
    ana.get("/users/user_list/")
    # A server that was killed leaves nothing behind that would refuse the next one.
    server.kill9()
    server.restart()
    ana.get("/users/user_list/")


@pytest.mark.only("sqlite")
def test_an_address_in_use_is_status_1(server: Server, new_server) -> None:
    host, port = server.address
    done = new_server().cli("serve", "--listen", f"{host}:{port}")
    assert done.returncode == 1
    assert str(port) in done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_closes_sockets_with_1001(server: Server, how: signal.Signals) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as anas, ben.chat(conversation) as bens:
        anas.say("the last word")
        assert anas.message()["text"] == "the last word"
        assert server.stop(how) == 0
        assert anas.close_code() == 1001
        assert bens.message()["text"] == "the last word"
        assert bens.close_code() == 1001
    server.restart()
    assert [message["text"] for message in ben.history(conversation)] == ["the last word"]


def test_health(server: Server) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = server.http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json(), dict)


@pytest.mark.only("postgres")
def test_not_ready_while_the_database_is_away(server: Server, database) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket:
        socket.say("before")
        socket.message()
        database.cut_off()
        until(lambda: server.http.get("/health/ready").status_code == 503, "not ready without its database")
        assert server.http.get("/health/ready").headers["content-type"] == "application/json"
        assert server.http.get("/health/live").status_code == 200
        # No one is told of a message that is not stored.
        socket.say("lost?")
        assert list(socket.frame()) == ["error"]
        database.bring_back()
        until(lambda: server.http.get("/health/ready").status_code == 200, "ready again")
        socket.say("after")
        assert socket.message()["text"] == "after"
    assert [message["text"] for message in ben.history(conversation)] == ["before", "after"]


# the other commands


def test_user_commands_beside_a_running_server(server: Server) -> None:
    def ok(*arguments: str, **more: str) -> str:
        done = server.cli("user", *arguments, **more)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    ok("add", "tess", "--email", "tess@example.org", "--role", "teacher", "--first-name", "Tess",
       "--last-name", "Teacher", "--password-stdin", input="correct horse 9\n")  # fmt: skip
    ok("add", "ghost")
    listed = ok("list")
    assert "tess" in listed and "ghost" in listed and "teacher" in listed

    # The one signs in, by password and code; the other has no password.
    tess = Person(server, "tess", email="tess@example.org", password="correct horse 9").login()
    assert [user["username"] for user in tess.get("/users/user_list/")] == ["ghost", "tess"]

    ok("set", "tess", "--email", "new@example.org", "--password-stdin", input="battery staple 9\n")
    assert tess.try_login("000000").status_code == 400
    tess.email, tess.password = "new@example.org", "battery staple 9"
    tess.login()

    ok("delete", "ghost")
    assert "ghost" not in ok("list")


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["add", "ANA"], None),
        (["add", "no blanks"], None),
        (["add", "ben", "--password-stdin"], "1234567\n"),
        (["add", "ben", "--email", "nonsense"], None),
        (["set", "nobody", "--email", "a@example.org"], None),
        (["delete", "nobody"], None),
        (["key", "nobody"], None),
        (["key", "ana", "--revoke", "nothing"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_status_1(new_server, arguments: list[str], typed: str | None) -> None:
    server = new_server()
    assert server.cli("user", "add", "ana").returncode == 0
    done = server.cli("user", *arguments, input=typed)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stderr and done.stdout == ""
    assert "panicked" not in done.stderr


@pytest.mark.only("sqlite")
def test_the_password_rules_hold_on_the_command_line(new_server) -> None:
    done = new_server().cli("user", "add", "ben", "--password-stdin", input="short\n")
    assert done.returncode == 1
    assert "This password is too short" in done.stderr


def test_doctor_of_a_healthy_place(server: Server) -> None:
    done = server.cli("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("data", "sync", "file", "mail", "database"):
        assert word in done.stdout.lower()


def test_doctor_says_what_to_mend(new_server, database) -> None:
    if isinstance(database, Sqlite):
        server = new_server()
        server.data.write_text("a file where the data directory should be")
    else:
        server = new_server()
        database.cut_off()
    done = server.cli("doctor")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "panicked" not in done.stderr
