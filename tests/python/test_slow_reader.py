"""A listener that does not read is closed with 4008, alone; nobody waits for it."""

import asyncio
import json
import socket

from websockets.exceptions import ConnectionClosed

from support.people import signed_in
from support.server import Server

LENGTH = 4_096
"""Characters of one message: the most that is allowed. Each takes four bytes on the wire."""
MESSAGES = 1_000
"""16 MB in all: more than the socket's queue (1 MiB) and the system's buffers hold together."""
WINDOW = 16
"""Messages on the way at most, so that the talkers read as fast as they write."""


def test_only_the_one_who_does_not_read_is_closed(server: Server) -> None:
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)

    def bare_socket() -> socket.socket:
        """With the smallest buffer, so that the server soon notices."""
        bare = socket.socket()
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        bare.connect(server.address)
        bare.setblocking(False)
        return bare

    async def receive(listener) -> dict:
        return json.loads(await asyncio.wait_for(listener.recv(), 60))

    async def story() -> tuple[list[dict], list[dict], list[dict], int | None]:
        async with (
            ana.chat_async(conversation) as talker,
            ben.chat_async(conversation) as reader,
            # Reads the first frame off the wire and then no more, until it is asked to.
            ben.chat_async(conversation, sock=bare_socket(), max_queue=1) as sleeper,
        ):
            free = asyncio.Semaphore(WINDOW)

            async def talk() -> None:
                for number in range(MESSAGES):
                    await free.acquire()
                    await talker.send(json.dumps({"message": f"{number:04}".ljust(LENGTH, "🙂")}, ensure_ascii=False))

            async def hear_echo() -> list[dict]:
                echo = []
                for _ in range(MESSAGES):
                    echo.append(await receive(talker))
                    free.release()
                return echo

            async def hear() -> list[dict]:
                return [await receive(reader) for _ in range(MESSAGES)]

            _, echo, heard = await asyncio.gather(talk(), hear_echo(), hear())

            # Now the sleeper wakes up, and reads what was on the way to it, then the end.
            slept: list[dict] = []
            code = None
            try:
                while True:
                    slept.append(await receive(sleeper))
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None

            # The others are there still.
            await talker.send(json.dumps({"message": "and on"}))
            assert (await receive(talker))["text"] == (await receive(reader))["text"] == "and on"
            return echo, heard, slept, code

    echo, heard, slept, code = asyncio.run(story())
    assert [message["text"][:4] for message in echo] == [f"{number:04}" for number in range(MESSAGES)]
    assert heard == echo
    assert code == 4008
    # It got the beginning, without a hole, and not all.
    assert len(slept) < MESSAGES
    assert slept == echo[: len(slept)]
    assert len(ben.history(conversation)) == MESSAGES + 1
