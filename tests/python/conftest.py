"""Fixtures that every test may ask for."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.database import POSTGRES_URL, Postgres, Sqlite
from support.server import BINARY, Server


def pytest_sessionstart(session: pytest.Session) -> None:
    # A SIGTERM ends the run as Ctrl-C does, so that no server is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not BINARY.exists() and not session.config.option.collectonly:
        pytest.exit(f"{BINARY} is missing: cargo build --workspace --bins", returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that uses a database runs once on each kind; `@pytest.mark.only("sqlite")` says that one is enough."""
    if "database" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("only")
        metafunc.parametrize("database", only.args if only else ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Sqlite | Postgres]:
    """A fresh database of the kind that this run of the test is about."""
    if request.param == "sqlite":
        made: Sqlite | Postgres = Sqlite()
    elif POSTGRES_URL:
        made = Postgres()
    else:
        pytest.skip("TEST_POSTGRES_URL is not set (./test sets it)")
    yield made
    made.remove()


@pytest.fixture
def new_server(tmp_path: Path, database: Sqlite | Postgres) -> Iterator[Callable[[], Server]]:
    """Makes servers that are not started yet, on this test's database, each with a data directory of its own."""
    made: list[Server] = []

    def make() -> Server:
        folder = tmp_path / f"server-{len(made) + 1}"
        folder.mkdir()
        made.append(Server(folder, database.url))
        return made[-1]

    yield make
    for server in made:
        server.clean_up()


@pytest.fixture
def server(new_server: Callable[[], Server]) -> Server:
    """A running server with default settings."""
    return new_server().start()
