"""The program under test, as a process."""

import os
import re
import secrets
import signal
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue

import httpx

from support.outbox import Outbox

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("TERTULIA_BIN") or ROOT / "target" / "debug" / "tertulia")
URL_LINE = re.compile(r"https?://[^\s/]+")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of the program, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    return kept | more


class Server:
    """`tertulia serve` on a data directory of its own, and the other commands on the same data.

    It runs in `folder` (so that no stray `tertulia.toml` is found), listens on a port that the system chooses,
    and can be stopped, killed and started again; `url` and `http` are those of the present run.
    """

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.outbox = Outbox(self.data / "outbox")
        self.url = ""
        self.http: httpx.Client = None  # type: ignore[assignment]  # made by start()
        self.process: subprocess.Popen[str] | None = None
        self.flags: tuple[str, ...] = ()
        self.log = folder / "log"
        self._environment: dict[str, str] = {}
        self._where = ["--data-dir", str(self.data)]
        if database_url:
            self._where += ["--database-url", database_url]
            # PostgreSQL may be shared by several nodes, so the key is given and not made.
            self._environment["TERTULIA_SECRET_KEY"] = secrets.token_hex(32)

    def start(self, *flags: str, env: dict[str, str] | None = None, listen: bool = True) -> "Server":
        """Starts the program and waits until it says that it is ready. The flags hold for later restarts too.

        `listen=False` leaves the address to `env` or to a settings file.
        """
        self.flags = flags
        self._environment |= env or {}
        self._listen = ["--listen", "127.0.0.1:0"] if listen else []
        return self._launch()

    def restart(self) -> "Server":
        """Starts it again on the same data, with the same flags; on another port."""
        return self._launch()

    def _launch(self) -> "Server":
        assert self.process is None, "it runs already"
        lines: Queue[str] = Queue()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", *self._listen, *self._where, *self.flags],
                cwd=self.folder,
                env=clean_environment(**self._environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read_stdout, args=(self.process, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=60)
            except Empty:
                raise AssertionError("no URL on stdout in 60 seconds") from None
            if not line:
                self.process.wait(timeout=60)
                code, self.process = self.process.returncode, None
                raise AssertionError(f"serve ended with status {code} before it was ready:\n{self.log_text()}")
            if found := URL_LINE.search(line):
                self.url = found[0]
                break
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        return self

    @staticmethod
    def _read_stdout(process: subprocess.Popen[str], lines: "Queue[str]") -> None:
        """Keeps the pipe empty for as long as the process lives; an empty line marks the end."""
        assert process.stdout
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    @property
    def socket_url(self) -> str:
        """The same address for WebSockets."""
        return "ws" + self.url.removeprefix("http")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for bare sockets."""
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host, int(port)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to stop, waits, and returns its exit status."""
        assert self.process
        self.process.send_signal(how)
        return self._ended()

    def kill9(self) -> None:
        """Ends it as a crash would."""
        assert self.process
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process
        code = self.process.wait(timeout=60)
        self.process = None
        self.http.close()
        return code

    def cli(
        self, *arguments: str, input: str | None = None, data: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs another command; on this server's data unless `data=False`."""
        return subprocess.run(
            [BINARY, *arguments, *(self._where if data else [])],
            cwd=self.folder,
            env=clean_environment(**(self._environment | env)),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def log_text(self, tail: int = 20_000) -> str:
        """The end of what it has written to stderr."""
        return self.log.read_text(errors="replace")[-tail:] if self.log.exists() else ""

    def clean_up(self) -> None:
        """Ends it if it still runs, and shows its log (pytest prints that for failed tests only)."""
        if self.process:
            self.kill9()
        print(f"--- log of the server in {self.folder.name} ---")
        print(self.log_text())
