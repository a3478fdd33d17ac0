"""Everyone agrees on the order of a conversation."""

import asyncio
import json

from support.people import Person, signed_in
from support.server import Server

MESSAGES = 1_000


def test_a_burst_arrives_in_order_everywhere_and_once(server: Server) -> None:
    """1,000 messages as fast as one socket takes them: three listeners, the echo and the history agree."""
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    ana_elsewhere = ana.again()

    async def collect(socket) -> list[dict]:
        return [json.loads(await asyncio.wait_for(socket.recv(), 60)) for _ in range(MESSAGES)]

    async def burst() -> list[list[dict]]:
        async with (
            ana.chat_async(conversation) as sender,
            ana_elsewhere.chat_async(conversation) as first,
            ben.chat_async(conversation) as second,
            ben.chat_async(conversation) as third,
        ):
            readers = [asyncio.create_task(collect(socket)) for socket in (sender, first, second, third)]
            for number in range(MESSAGES):
                await sender.send(json.dumps({"message": f"number {number}"}))
            return await asyncio.gather(*readers)

    echo, *others = asyncio.run(burst())
    assert [message["text"] for message in echo] == [f"number {number}" for number in range(MESSAGES)]
    for heard in others:
        assert heard == echo
    assert ben.history(conversation) == echo
    ids = [message["id"] for message in echo]
    assert ids == sorted(set(ids))


def test_many_senders_agree_on_one_order(server: Server) -> None:
    """Four sockets of two people talk at once; each socket hears the same order, which is the history's."""
    each = 100
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    people: list[Person] = [ana, ana, ben, ben]

    async def talk(number: int, socket) -> list[dict]:
        async def say() -> None:
            for turn in range(each):
                await socket.send(json.dumps({"message": f"{number}:{turn}"}))
                await asyncio.sleep(0)

        saying = asyncio.create_task(say())
        heard = [json.loads(await asyncio.wait_for(socket.recv(), 60)) for _ in range(each * len(people))]
        await saying
        return heard

    async def all_at_once() -> list[list[dict]]:
        sockets = [await person.chat_async(conversation) for person in people]
        try:
            return await asyncio.gather(*(talk(number, socket) for number, socket in enumerate(sockets)))
        finally:
            await asyncio.gather(*(socket.close() for socket in sockets))

    first, *others = asyncio.run(all_at_once())
    for heard in others:
        assert heard == first
    for number in range(len(people)):
        own = [message["text"] for message in first if message["text"].startswith(f"{number}:")]
        assert own == [f"{number}:{turn}" for turn in range(each)]
    assert ana.history(conversation) == first


def test_the_message_rate_answers_with_errors_and_loses_nothing(new_server) -> None:
    """Beyond the bucket a message is refused by an error frame, and only then; the socket stays."""
    server = new_server().start("--message-rate", "1/5")
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)
    with ana.chat(conversation) as socket:
        for number in range(12):
            socket.say(str(number))
        frames = [socket.frame() for _ in range(12)]
        # The bucket refills by one a second: the socket can talk again.
        accepted = [frame["text"] for frame in frames if "text" in frame]
        errors = [frame for frame in frames if list(frame) == ["error"]]
        assert len(accepted) + len(errors) == 12
        assert accepted[:5] == ["0", "1", "2", "3", "4"]
        assert errors
        while True:
            socket.say("later")
            if "text" in socket.frame():
                break
    texts = [message["text"] for message in ben.history(conversation)]
    assert texts == [*accepted, "later"]
