"""A fresh database for a test: SQLite in the server's own folder, or a new one on the server of TEST_POSTGRES_URL."""

import os
import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "")


class Sqlite:
    """SQLite: nothing to make, the server makes its file in its data directory."""

    name = "sqlite"
    url = None

    def remove(self) -> None:
        """Nothing to do: the file goes with the test's folder."""


class Postgres:
    """A new, empty database on the test server, dropped with all its connections at the end."""

    name = "postgres"

    def __init__(self) -> None:
        self._database = f"tertulia_{secrets.token_hex(6)}"
        self.admin(f"CREATE DATABASE {self._database}")
        self.url = urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{self._database}"))

    @staticmethod
    def admin(statement: str) -> None:
        """Runs one statement as the superuser, outside the test's database."""
        with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
            connection.execute(statement)

    def cut_off(self) -> None:
        """Makes the database unreachable: its connections end, and new ones are refused."""
        self.admin(f"ALTER DATABASE {self._database} WITH ALLOW_CONNECTIONS false")
        self.admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._database}'")

    def bring_back(self) -> None:
        """Undoes `cut_off`."""
        self.admin(f"ALTER DATABASE {self._database} WITH ALLOW_CONNECTIONS true")

    def remove(self) -> None:
        """Drops the database."""
        self.admin(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)")
