"""A real browser without a window: Chromium, by its DevTools protocol."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import websockets.sync.client

from support.waiting import BOUND, until

CHROMIUM = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
]


class Page:
    """One tab."""

    def __init__(self, connection: websockets.sync.client.ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; its result."""
        answer = self._ask(method, parameters)
        assert "result" in answer, answer
        return answer["result"]

    def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=BOUND))
            if answer.get("id") == number:
                return answer

    def opens(self, url: str) -> None:
        """Goes there, and waits until the page is loaded."""
        self.tell("Page.navigate", url=url)
        self.shows("location.href !== 'about:blank' && document.readyState === 'complete'")

    def script(self, expression: str) -> Any:
        """What a JavaScript expression of the page's is."""
        done = self.tell("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def shows(self, expression: str) -> None:
        """Waits until the expression is true. While a page gives way to the next one there is none to ask."""
        asked = {"expression": f"Boolean({expression})", "returnByValue": True}

        def is_true() -> bool:
            done = self._ask("Runtime.evaluate", asked)
            return "result" in done and done["result"]["result"].get("value") is True

        until(is_true, expression)

    def text(self) -> str:
        """What a person reads."""
        return self.script("document.body.innerText")

    def fills(self, **fields: str) -> None:
        """Writes into the fields of those names."""
        for name, value in fields.items():
            self.script(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")

    def clicks(self, selector: str) -> None:
        """Clicks the first such element."""
        self.script(f"document.querySelector({json.dumps(selector)}).click()")


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Chromium with a profile of its own in `folder`, ended at the end; its tab."""
    assert CHROMIUM
    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = folder / "DevToolsActivePort"
        port = until(lambda: told.exists() and told.read_text().split("\n")[0], "Chromium's port")
        pages = [tab for tab in httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False).json() if tab["type"] == "page"]
        address = pages[0]["webSocketDebuggerUrl"]
        with websockets.sync.client.connect(address, max_size=None, proxy=None, open_timeout=BOUND) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(timeout=BOUND)
