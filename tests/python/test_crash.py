"""What was echoed survives `kill -9`: once, and in the order in which it was echoed."""

import asyncio
import json
import os
import random
from collections import defaultdict

from websockets.exceptions import ConnectionClosed

from support.database import Sqlite
from support.people import Person, signed_in
from support.server import Server

PAIRS = [("ana", "ben"), ("carol", "dave"), ("ana", "dave")]


def rounds(database) -> int:
    """20 over both databases; `CRASH_ROUNDS` sets another number for each."""
    return int(os.environ.get("CRASH_ROUNDS") or (15 if isinstance(database, Sqlite) else 5))


class Storm:
    """Several people talk in several conversations, until the server dies under them."""

    def __init__(self, server: Server, number: int, conversations: dict[int, list[Person]]) -> None:
        self.server = server
        self.number = number
        self.conversations = conversations
        self.heard: dict[int, list[list[dict]]] = defaultdict(list)
        """By conversation, what each of its sockets heard, in order."""
        self.sent: set[str] = set()

    async def run(self, lifetime: float) -> None:
        """Talks for `lifetime` seconds, then kills the server, and waits for every socket to end."""
        sockets = [
            (conversation, person, await person.chat_async(conversation))
            for conversation, members in self.conversations.items()
            for person in members
        ]
        tasks = []
        for conversation, person, socket in sockets:
            heard: list[dict] = []
            self.heard[conversation].append(heard)
            tasks.append(asyncio.create_task(self._listen(socket, heard)))
            tasks.append(asyncio.create_task(self._talk(socket, f"{self.number}/{conversation}/{person.name}")))
        await asyncio.sleep(lifetime)
        await asyncio.to_thread(self.server.kill9)
        await asyncio.wait_for(asyncio.gather(*tasks), 60)

    async def _listen(self, socket, heard: list[dict]) -> None:
        try:
            async for frame in socket:
                heard.append(json.loads(frame))
        except ConnectionClosed:
            pass

    async def _talk(self, socket, name: str) -> None:
        turn = 0
        try:
            while True:
                text = f"{name}/{turn}"
                self.sent.add(text)
                await socket.send(json.dumps({"message": text}))
                turn += 1
                # About the pace at which a socket may talk for ever without meeting the message rate.
                await asyncio.sleep(0.005)
        except ConnectionClosed:
            pass


def last_of(person: Person, conversation: int, floor: int) -> list[dict]:
    """The messages after the one with the id `floor`, oldest first."""
    newer: list[dict] = []
    for page in person.pages(conversation):
        newer += [message for message in page if message["id"] > floor]
        if page and page[-1]["id"] <= floor:
            break
    return newer[::-1]


def check(heard: list[list[dict]], stored: list[dict], sent: set[str]) -> int:
    """One conversation of one round: what its sockets heard against what is in the history. How many were heard."""
    for frames in heard:
        assert all("text" in frame for frame in frames), "no error frame was due"
    longest = max(heard, key=len)
    for frames in heard:
        assert frames == longest[: len(frames)], "the sockets disagree on the order"
    # What the last ones to hear have heard is the beginning of what is stored; a tail that was stored and not
    # told any more is allowed, a hole is not.
    assert stored[: len(longest)] == longest, "the history is not what was echoed"
    texts = [message["text"] for message in stored]
    assert len(texts) == len(set(texts)), "something is stored twice"
    assert set(texts) <= sent, "something is stored that nobody said"
    return len(longest)


def test_what_was_echoed_survives_a_kill(server: Server, database) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = {person.name: person for person in signed_in(server, "ana", "ben", "carol", "dave")}
    conversations = {
        people[one].start_conversation(people[other]): [people[one], people[other]] for one, other in PAIRS
    }
    floor = dict.fromkeys(conversations, 0)
    total = 0
    echoed: dict[int, list[dict]] = defaultdict(list)

    for number in range(rounds(database)):
        storm = Storm(server, number, conversations)
        asyncio.run(storm.run(chance.uniform(0.2, 0.8)))
        server.restart()
        for conversation, members in conversations.items():
            stored = last_of(members[0], conversation, floor[conversation])
            total += check(storm.heard[conversation], stored, storm.sent)
            echoed[conversation] += stored
            if stored:
                floor[conversation] = stored[-1]["id"]

    assert total > 10 * rounds(database), "hardly anything was said: this test has shown nothing"
    for conversation, members in conversations.items():
        assert members[1].history(conversation) == echoed[conversation]


def test_a_stop_stores_what_was_accepted(server: Server) -> None:
    """SIGTERM while people talk: sockets hear all that is stored, and close with 1001."""
    ana, ben = signed_in(server, "ana", "ben")
    conversation = ana.start_conversation(ben)

    async def talk_until_stopped() -> tuple[list[dict], int | None, int]:
        heard: list[dict] = []
        async with ana.chat_async(conversation) as socket:

            async def talk() -> None:
                turn = 0
                try:
                    while True:
                        await socket.send(json.dumps({"message": str(turn)}))
                        turn += 1
                        await asyncio.sleep(0.005)
                except ConnectionClosed:
                    pass

            talking = asyncio.create_task(talk())
            while len(heard) < 50:
                heard.append(json.loads(await asyncio.wait_for(socket.recv(), 60)))
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            try:
                while True:
                    heard.append(json.loads(await asyncio.wait_for(socket.recv(), 60)))
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
            await talking
            return heard, code, await stopping

    heard, code, status = asyncio.run(talk_until_stopped())
    assert (code, status) == (1001, 0)
    server.restart()
    stored = ben.history(conversation)
    assert stored[: len(heard)] == heard
    assert [message["text"] for message in stored] == [str(turn) for turn in range(len(stored))]
