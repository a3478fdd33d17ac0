"""The tutoring document with socket.io-client 4 and 2.

`TERTULIA_NODE_MODULES` names a folder with `socket.io-client` and `socket.io-client-2`; without it `node/node_modules`
beside the Python environment is looked at. A client that is not there is skipped.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.server import Server
from support.tutors import TRANSPORTS, Tutor

MODULES = Path(os.environ.get("TERTULIA_NODE_MODULES") or Path(sys.prefix).parent / "node" / "node_modules")
SCRIPT = Path(__file__).parent / "clients" / "tutoring.cjs"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", ["socket.io-client", "socket.io-client-2"])
def test_a_room_from_the_first_word_to_the_last(server: Server, client: str, transport: str) -> None:
    module = MODULES / client
    if not module.exists():
        pytest.skip(f"{module} is missing")
    stan, tess = Tutor(server, "stan"), Tutor(server, "tess", "teacher")
    command = ["node", SCRIPT, module, server.url, transport, stan.access, tess.access]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
