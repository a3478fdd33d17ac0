"""python-socketio against the toy: python python_client.py URL websocket|polling|upgrade"""

import queue
import sys
import time

import socketio

URL, MODE = sys.argv[1], sys.argv[2]
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}[MODE]
PATIENCE = 30


def client(*namespaces):
    """A client, and where what it hears is kept."""
    sio, heard = socketio.Client(reconnection=False), queue.Queue()
    for namespace in namespaces:
        sio.on("*", lambda event, *args: heard.put((event, *args)), namespace=namespace)
        for event in ("connect", "disconnect", "connect_error"):
            sio.on(event, lambda *args, event=event: heard.put((event, *args)), namespace=namespace)
    return sio, heard


def expect(heard, *expected):
    got = heard.get(timeout=PATIENCE)
    assert got[: len(expected)] == expected, f"{got}, not {expected}"


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# Both namespaces over one connection.
sio, heard = client("/", "/widget")
sio.connect(URL, auth={"token": "ana"}, transports=TRANSPORTS, namespaces=["/", "/widget"], wait_timeout=PATIENCE)
first = sorted([heard.get(timeout=PATIENCE) for _ in range(4)])
assert first == [("connect",), ("connect",), ("message", "connected"), ("welcome", "ana")], first
until(lambda: sio.transport() == ("polling" if MODE == "polling" else "websocket"))

for what in ["é🙂", 5, {"a": [1, None, True]}, "x" * 300_000]:
    assert sio.call("echo", what, timeout=PATIENCE) == what
    expect(heard, "echo", what)
assert sio.call("sum", (1, 2, 39), timeout=PATIENCE) == 42
assert sio.call("nonsense", timeout=PATIENCE) == {"message": "Unknown event"}
assert sio.call("get", namespace="/widget", timeout=PATIENCE) == []
expect(heard, "message", [])
sio.emit("echo", b"\x01\x02\x03")
expect(heard, "error", {"message": "Unusable"})

# Far more packets than it takes in one payload.
for n in range(100):
    sio.emit("say", n)
# (It hands each event to a thread of its own, so that their order is lost with it.)
assert sorted(heard.get(timeout=PATIENCE) for _ in range(100)) == [("said", n) for n in range(100)]

# Let in, told why not, shown out. (It overlooks a DISCONNECT that comes before its connect() has returned.)
out, story = client("/widget")
out.connect(URL, transports=TRANSPORTS, namespaces=["/widget"], wait_timeout=PATIENCE)
told = sorted(story.get(timeout=PATIENCE) for _ in range(2))
assert told == [("connect",), ("message", {"data": {"message": "Not you"}, "code": 401, "request_id": ""})], told

# Refused.
bad, story = client("/")
try:
    bad.connect(URL, auth={"token": "bad"}, transports=TRANSPORTS, namespaces=["/"], wait_timeout=PATIENCE)
except socketio.exceptions.ConnectionError:
    expect(story, "connect_error", {"message": "Not you"})
else:
    raise AssertionError("it was let in")

# The session ends.
sio.emit("end")
expect(heard, "disconnect")
expect(heard, "disconnect")
