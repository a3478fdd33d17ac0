"""python-socketio, with the events that the measurement uses: those of document 003.

python app.py PORT relay            passes messages on and stores nothing
python app.py PORT durable FOLDER   stores each in that folder, synced, before anyone is told of it
"""

import sys
from datetime import datetime, timezone
from pathlib import Path

import jwt
import orjson
import socketio
import uvicorn

from store import Relay, Store

KEY = "a key for measurements alone, long enough to be taken"

people: list[list[int]] = []  # by id - 1: the ids of their rooms
rooms = 0


class Json:
    """JSON by orjson, which is faster than the standard library."""

    @staticmethod
    def dumps(value, **_):
        return orjson.dumps(value).decode()

    loads = staticmethod(orjson.loads)
    JSONDecodeError = orjson.JSONDecodeError


port, mode, *folder = sys.argv[1:]
store = Store(Path(folder[0])) if mode == "durable" else Relay()
sio = socketio.AsyncServer(async_mode="asgi", json=Json, logger=False, engineio_logger=False)


@sio.event
async def connect(sid, environ, auth):
    try:
        user = jwt.decode((auth or {}).get("access_token", ""), KEY, algorithms=["HS256"])["user_id"]
    except jwt.InvalidTokenError:
        raise socketio.exceptions.ConnectionRefusedError("Given token not valid for any token type")
    await sio.save_session(sid, user)
    for room in people[user - 1]:
        await sio.enter_room(sid, str(room))


@sio.event
async def message(sid, data):
    user = await sio.get_session(sid)
    if data["room"] not in people[user - 1]:
        error = {"message": "You do not have permission to perform this action."}
        await sio.emit("error", error, to=sid)
        return error
    timestamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    told = {
        "id": 0, "text": data["text"], "image": "", "seen": False, "timestamp": timestamp,
        "room": data["room"], "user": user,
    }
    told["id"] = await store.add((data["room"], user, data["text"], "", timestamp))
    await sio.emit("message", told, room=str(data["room"]))
    return told


async def minted(scope, receive, send):
    """`POST /people` makes somebody, `POST /rooms` a room for `{"people": [ids]}`."""
    global rooms
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    status, answer = 404, {"detail": "Not found."}
    if (scope["method"], scope["path"]) == ("POST", "/people"):
        people.append([])
        status, answer = 201, {"id": len(people), "access": jwt.encode({"user_id": len(people)}, KEY)}
    elif (scope["method"], scope["path"]) == ("POST", "/rooms"):
        rooms += 1
        for person in orjson.loads(body)["people"]:
            people[person - 1].append(rooms)
        status, answer = 201, {"id": rooms}
    text = orjson.dumps(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


uvicorn.run(
    socketio.ASGIApp(sio, other_asgi_app=minted),
    host="127.0.0.1", port=int(port), loop="uvloop", http="httptools", ws="websockets-sansio", lifespan="off",
    # The timeout: or it would close connections whose pongs it has not got round to reading.
    ws_ping_timeout=600, ws_per_message_deflate=False, access_log=False, log_level="warning", backlog=4096,
)
