"""The boards document with socket.io-client 4 and 2.

`TERTULIA_NODE_MODULES` names a folder with `socket.io-client` and `socket.io-client-2`; without it `node/node_modules`
beside the Python environment is looked at. A client that is not there is skipped.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.dashboards import TRANSPORTS, key_of
from support.people import Person
from support.server import Server

MODULES = Path(os.environ.get("TERTULIA_NODE_MODULES") or Path(sys.prefix).parent / "node" / "node_modules")
SCRIPT = Path(__file__).parent / "clients" / "boards.cjs"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", ["socket.io-client", "socket.io-client-2"])
def test_dashboards_from_the_sign_in_to_the_last_widget(server: Server, client: str, transport: str) -> None:
    module = MODULES / client
    if not module.exists():
        pytest.skip(f"{module} is missing")
    ana = Person(server, "ana").register().login()
    tokens = {"access": ana.access, "refresh": ana.refresh, "opaque": ana.token}
    tokens |= {"key": key_of(server, "ana", new=False), "stranger": key_of(server, "ben")}
    command = ["node", SCRIPT, module, server.url, transport, json.dumps(tokens)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
