"""Two people on several sockets do everything at once, at random: receipts only ever grow, and each is told once.

`FRIENDS_SEED` repeats the choices of a run; `FRIENDS_CASES` sets how many cases there are.
"""

import asyncio
import json
import os
import random
from collections import Counter, defaultdict

import pytest
from websockets.exceptions import ConnectionClosed

from support.friends import POST_SEEN, Friend, flags, friends, history_path, message_in, receipt_in, said, seen
from support.server import Server

CASES = int(os.environ.get("FRIENDS_CASES") or 4)
STEPS = 60
"""Deeds of one person in one case."""
BOUND = 60

DEEDS = {
    "say": 8,
    "say by HTTP": 2,
    "see": 8,
    "see by HTTP": 3,
    "see one's own": 1,
    "read": 2,
    "read a page": 2,
    "go and come back": 4,
    "go": 2,
    "come": 3,
    "rest": 4,
}


class Heard:
    """One connection of one person, and all that it heard."""

    def __init__(self, side: "Side", socket, since: str | None) -> None:
        self.side = side
        self.socket = socket
        self.since = since
        self.messages: list[dict] = []
        self.receipts: list[dict] = []
        self.errors: list[str] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                frame = json.loads(data)
                if "error" in frame:
                    self.errors.append(frame["error"])
                elif frame["type"] == "friendship_message":
                    self.messages.append(message_in(frame))
                    self.side.know(self.messages[-1]["message"])
                else:
                    self.receipts.append(receipt_in(frame))
        except ConnectionClosed:
            pass

    async def end(self) -> None:
        """Goes, and stays with what it heard."""
        await self.socket.close()
        await self.reading

    def has(self, text: str) -> bool:
        """Whether that was heard."""
        return any(row["message"]["content"] == text for row in self.messages)


class Side:
    """One of the two, with what they have heard on which connection."""

    def __init__(self, person: Friend, channel: str, dice: random.Random, keeps_one: bool) -> None:
        self.person = person
        self.channel = channel
        self.dice = dice
        self.keeps_one = keeps_one
        """Whether one socket stays open all the time: it must hear every receipt."""
        self.open: list[Heard] = []
        self.all: list[Heard] = []
        self.witness: Heard | None = None
        self.said = 0
        self.refused = 0
        """Frames that the server must have answered with an error, as long as the socket lived."""
        self.latest: dict[str, str] = {}
        self.other: "Side"

    def know(self, message: dict) -> None:
        """Both know what either has heard of, as two people in one room: what is seen need not have been received."""
        for side in (self, self.other):
            side.latest[message["id"]] = message["sender"]

    async def come(self, since: str | None = None) -> Heard:
        """Opens a socket."""
        heard = Heard(self, await self.person.socket_async(query=f"?since={since}" if since else ""), since)
        self.open.append(heard)
        self.all.append(heard)
        return heard

    async def start(self) -> None:
        for _ in range(2):
            await self.come()
        if self.keeps_one:
            self.witness = await self.come()
            self.open.remove(self.witness)

    async def run(self) -> None:
        """Does things at random; none waits for the effect of another."""
        for _ in range(STEPS):
            await self._do(self.dice.choices(list(DEEDS), list(DEEDS.values()))[0])

    async def _do(self, deed: str) -> None:
        socket = self.dice.choice([*self.open, *filter(None, [self.witness])]) if self.open or self.witness else None
        theirs = [one for one, sender in self.latest.items() if sender != self.person.id]
        own = [one for one, sender in self.latest.items() if sender == self.person.id]
        match deed:
            case "say" if socket:
                await socket.socket.send(said(self.channel, self._next()))
            case "say by HTTP":
                await asyncio.to_thread(self.person.send, self.channel, self._next())
            case "see" if socket and theirs:
                await socket.socket.send(seen(self.channel, self.dice.choice(theirs[-8:])))
            case "see by HTTP" if theirs:
                await asyncio.to_thread(self.person.post, POST_SEEN, {"message_id": self.dice.choice(theirs[-8:])})
            case "see one's own" if socket and own:
                self.refused += 1
                await socket.socket.send(seen(self.channel, self.dice.choice(own)))
            case "read":
                await asyncio.to_thread(self.person.history, self.channel)
            case "read a page":
                query = {"page_size": 3, "before": "true"}
                await asyncio.to_thread(self.person.get, history_path(self.channel), params=query)
            case "go and come back" if self.open:
                gone = self._leave()
                await gone.end()
                last = gone.messages[-1]["message"]["id"] if gone.messages else gone.since
                await self.come(last)
            case "go" if self.open:
                await self._leave().end()
            case "come" if len(self.open) < 3:
                await self.come()
            case _:
                await asyncio.sleep(0.005)

    def _leave(self) -> Heard:
        return self.open.pop(self.dice.randrange(len(self.open)))

    def _next(self) -> str:
        self.said += 1
        return f"{self.person.name} {self.said}"


async def heard_by_all(sides: list[Side], sender: Side, text: str) -> None:
    """Says something, and waits until every open socket of both has heard it: what was before it has come too."""
    await asyncio.to_thread(sender.person.send, sender.channel, text)
    sockets = [one for side in sides for one in [*side.open, *filter(None, [side.witness])]]
    while not all(one.has(text) for one in sockets):
        for one in sockets:
            assert not one.reading.done() or one.has(text), "a socket was closed"
        await asyncio.sleep(0.01)


async def play(sides: list[Side]) -> list[dict]:
    """One case; the history in the end, in which everything was received."""
    for side in sides:
        await side.start()
    async with asyncio.timeout(BOUND):
        await asyncio.gather(*(side.run() for side in sides))
        # What is left becomes received, and each witness hears of all of it before the last words.
        for side in sides:
            await heard_by_all(sides, side, f"{side.person.name} is done")
            await asyncio.to_thread(side.person.history, side.channel)
        history = await asyncio.to_thread(sides[0].person.history, sides[0].channel)
        for side in sides:
            while side.witness and not told_of_all(side, history):
                await asyncio.sleep(0.01)
        # What would have been told twice has been told twice when this is heard.
        for side in sides:
            await heard_by_all(sides, side, f"{side.person.name} says good-bye")
        for side in sides:
            for one in [*side.open, *filter(None, [side.witness])]:
                await one.end()
    return await asyncio.to_thread(sides[0].person.history, sides[0].channel)


def told_of_all(side: Side, history: list[dict]) -> bool:
    """Whether the witness has heard the last word on each message of that person."""
    assert side.witness
    last = {row["message"]["id"]: flags(row) for row in side.witness.receipts}
    own = [row for row in history if row["message"]["sender"] == side.person.id]
    return all(last.get(row["message"]["id"]) == flags(row) for row in own)


def check_messages(side: Side, history: list[dict]) -> None:
    """Every connection heard one stretch of the history, once and in order; after `since`, from there on."""
    place = {row["message"]["id"]: index for index, row in enumerate(history)}
    for heard in side.all:
        places = [place[row["message"]["id"]] for row in heard.messages]
        if not places:
            continue
        assert places == list(range(places[0], places[0] + len(places))), "a hole, a double or another order"
        if heard.since:
            assert places[0] == place[heard.since] + 1, "the replay does not begin behind `since`"
        for row in heard.messages:
            stored = history[place[row["message"]["id"]]]
            assert row["message"] == stored["message"] and row["id"] == stored["id"]
            assert flags(row) <= flags(stored)
            # Without a replay, a message comes as it was when it was posted.
            assert heard.since or flags(row) == (False, False)


def check_receipts(side: Side, history: list[dict]) -> None:
    """Each connection of the sender heard each receipt once at most, and growing; the witness heard all."""
    stored = {row["message"]["id"]: row for row in history}
    for heard in side.all:
        told: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
        for row in heard.receipts:
            assert row["message"] == stored[row["message"]["id"]]["message"]
            assert row["message"]["sender"] == side.person.id, "a receipt is its sender's alone"
            told[row["message"]["id"]].append(flags(row))
        for one, notes in told.items():
            assert notes in [[(True, False)], [(True, True)], [(True, False), (True, True)]], (one, notes)
            assert notes[-1] <= flags(stored[one])
    if side.witness:
        told = Counter((row["message"]["id"], row["is_seen"]) for row in side.witness.receipts)
        assert set(told.values()) == {1}
        for row in history:
            if row["message"]["sender"] == side.person.id and "good-bye" not in row["message"]["content"]:
                assert told[row["message"]["id"], row["is_seen"]] == 1, "a receipt was not told"


@pytest.mark.parametrize("case", range(CASES))
def test_receipts_grow_and_are_told_once(server: Server, case: int) -> None:
    seed = int(os.environ.get("FRIENDS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FRIENDS_SEED={seed}")
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    # By turns both, one and the other keep a socket: who keeps none may be away when something comes.
    sides = [
        Side(ana, channel, random.Random(seed), keeps_one=case % 4 != 2),
        Side(ben, channel, random.Random(seed + 1), keeps_one=case % 4 in (0, 2)),
    ]
    sides[0].other, sides[1].other = sides[1], sides[0]
    history = asyncio.run(play(sides))

    texts = [row["message"]["content"] for row in history]
    assert len(texts) == len(set(texts)), "something is stored twice"
    for side in sides:
        # By socket some of it may have been on its way when the socket was closed; nothing else is missing.
        stored = [text for text in texts if text.startswith(f"{side.person.name} ") and text.split()[1].isdigit()]
        assert set(stored) <= {f"{side.person.name} {number}" for number in range(1, side.said + 1)}
        check_messages(side, history)
        check_receipts(side, history)
        errors = [error for heard in side.all for error in heard.errors]
        assert set(errors) <= {"this message id is not exist or channel"} and len(errors) <= side.refused
    assert any(row["is_seen"] for row in history) and len(history) > 20, "hardly anything happened"
