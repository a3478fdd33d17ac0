"""Coming back: `?since=` gives what was missed, without a gap and without a double, and a repeat is stored once."""

import asyncio
import base64
import json
import os
import random
from collections import defaultdict
from collections.abc import Callable
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from support.friends import POST_MESSAGE, POST_SEEN, Friend, flags, friends, message_in, said
from support.server import Server
from support.waiting import until

BOUND = 60
"""Seconds. No test here comes near it."""


def chance() -> random.Random:
    """Random numbers of a seed that is printed, or given as `FRIENDS_SEED`."""
    seed = int(os.environ.get("FRIENDS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FRIENDS_SEED={seed}")
    return random.Random(seed)


def texts(rows: list[dict]) -> list[str]:
    return [row["message"]["content"] for row in rows]


def test_since_gives_what_was_missed_of_all_friendships(server: Server) -> None:
    ana, ben, carol = friends(server, "ana", "ben", "carol")
    with_ben, with_carol = ana.befriend(ben), carol.befriend(ana)
    others = ben.befriend(carol)
    foreign = ben.send(others, "not for ana")["message"]["id"]
    start = ben.send(with_ben, "heard")
    ben.send(with_ben, "1 from ben")
    ana.send(with_ben, "2 my own")
    ben.send(others, "not for ana either")
    carol.send(with_carol, "3 from carol")
    ana.send(with_carol, "4 my own, seen")
    carol.post(POST_SEEN, {"message_id": carol.history(with_carol)[1]["message"]["id"]})

    with ana.socket(query=f"?since={start['message']['id']}") as line:
        # In the order in which they were written, with what became of them meanwhile.
        replayed = [line.message() for _ in range(4)]
        assert texts(replayed) == ["1 from ben", "2 my own", "3 from carol", "4 my own, seen"]
        assert flags(replayed[1]) == (False, False) and flags(replayed[3]) == (True, True)
        assert [row["message"]["sender"] for row in replayed] == [ben.id, ana.id, carol.id, ana.id]
        # Then what is new.
        ben.send(with_ben, "5 live")
        assert line.message()["message"]["content"] == "5 live"
    # A replay is written to a socket of the receiver: those are received (what he reads himself is, too).
    until(
        lambda: [row["is_received"] for row in ben.history(with_ben)] == [False, True, True, True],
        "what was written to her socket is received",
    )

    last = replayed[-1]["message"]["id"]
    with ana.socket(query=f"?token={ana.access}&since={last}", headers={}) as line:
        assert line.message()["message"]["content"] == "5 live"
        carol.send(with_carol, "6 live")
        assert line.message()["message"]["content"] == "6 live"

    for since in ["", "x", "7", str(uuid4()), foreign, start["id"]]:
        with pytest.raises(InvalidStatus) as refused, ana.socket(query=f"?since={since}"):
            pass
        assert refused.value.response.status_code == 400, since
    with pytest.raises(InvalidStatus) as refused, ana.socket(query=f"?since={last}", headers={}):
        pass
    assert refused.value.response.status_code == 401


def test_a_long_replay_arrives_whole_with_live_messages_behind_it(server: Server) -> None:
    """More than a page of anything, while the other side goes on writing."""
    missed, live = 1_500, 300
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    start = ana.send(channel, "start")["message"]["id"]

    async def play() -> list[dict]:
        async with ana.socket_async() as sender:

            async def drain() -> None:
                async for _ in sender:
                    pass

            draining = asyncio.create_task(drain())
            for number in range(missed):
                await sender.send(said(channel, str(number)))

            async def go_on() -> None:
                for number in range(missed, missed + live):
                    await sender.send(said(channel, str(number)))
                    await asyncio.sleep(0.001)

            going_on = asyncio.create_task(go_on())
            async with ben.socket_async(query=f"?since={start}") as receiver:
                heard = [message_in(json.loads(await receiver.recv())) for _ in range(missed + live)]
            await going_on
            draining.cancel()
            return heard

    heard = asyncio.run(asyncio.wait_for(play(), BOUND))
    assert texts(heard) == [str(number) for number in range(missed + live)]


class Sender:
    """Says 0, 1, 2, … to one friend, and says again, by the same `client_id`, what the server did not confirm."""

    def __init__(self, person: Friend, channel: str, total: int, pause: float, file_every: int | None = None) -> None:
        self.person = person
        self.file_every = file_every
        """Every so many messages one with a file, which takes another way to the store."""
        self.channel = channel
        self.total = total
        self.pause = pause
        self.confirmed = 0
        """How many were echoed, the first ones."""
        self.ahead: set[int] = set()
        """Echoed before one that was said earlier: the answer to a repeat may come behind the echo of a new message."""

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            print(f"{self.person.name}: {self.confirmed} of {self.total} confirmed")

    async def _run(self) -> None:
        while self.confirmed < self.total:
            async with connected(lambda: self.person.socket_async()) as socket:
                talking = asyncio.create_task(self._talk(socket, self.confirmed))
                try:
                    async for frame in socket:
                        self._heard(json.loads(frame))
                        if self.confirmed == self.total:
                            break
                except ConnectionClosed:
                    pass
                finally:
                    talking.cancel()

    async def _talk(self, socket, first: int) -> None:
        try:
            for number in range(first, self.total):
                more = {"client_id": f"{self.channel}/{number}"}
                if self.file_every and number % self.file_every == 0:
                    more["media"] = [{"a.txt": base64.b64encode(str(number).encode()).decode()}]
                await socket.send(said(self.channel, str(number), **more))
                await asyncio.sleep(self.pause)
        except ConnectionClosed:
            pass

    def _heard(self, frame: dict) -> None:
        if frame["type"] == "friendship_message" and frame["message"]["message"]["sender"] == self.person.id:
            if frame["message"]["message"]["friendship"] == self.channel:
                number = int(frame["message"]["message"]["content"])
                assert frame["client_id"] == f"{self.channel}/{number}"
                self.ahead.add(number)
                while self.confirmed in self.ahead:
                    self.ahead.remove(self.confirmed)
                    self.confirmed += 1


class Receiver:
    """Reads for a while, goes away without a word, and comes back with the last message it had."""

    def __init__(self, person: Friend, start: str, total: int, random: random.Random) -> None:
        self.person = person
        self.last = start
        self.total = total
        self.random = random
        self.heard: list[dict] = []
        self.connections = 0

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            print(f"{self.person.name}: {len(self.heard)} of {self.total} heard on {self.connections} connections")

    async def _run(self) -> None:
        while len(self.heard) < self.total:
            async with connected(lambda: self.person.socket_async(query=f"?since={self.last}")) as socket:
                self.connections += 1
                goal = min(len(self.heard) + self.random.choice([0, 1, 3, 10, 40]), self.total)
                try:
                    while len(self.heard) < goal:
                        frame = json.loads(await socket.recv())
                        if frame.get("type") != "friendship_message":
                            assert frame.get("type") == "chat_friendship_notification", frame
                            continue
                        self.heard.append(message_in(frame))
                        self.last = self.heard[-1]["message"]["id"]
                    await asyncio.sleep(self.random.choice([0, 0, 0.002, 0.02]))
                except ConnectionClosed:
                    continue
                # Half of the time as a train that enters a tunnel.
                if self.random.random() < 0.5:
                    socket.transport.abort()


class connected:  # noqa: N801  # used as a function
    """A socket, asked for again and again while the server is away."""

    def __init__(self, connect: Callable) -> None:
        self.connect = connect

    async def __aenter__(self):
        while True:
            try:
                self.socket = await self.connect()
                return self.socket
            except InvalidStatus:
                raise
            except (OSError, EOFError, InvalidHandshake, ConnectionClosed):
                await asyncio.sleep(0.02)

    async def __aexit__(self, *_) -> None:
        await self.socket.close()


async def all_of(*coroutines) -> None:
    """Runs all at once; the first failure ends them all."""
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


def numbers(total: int) -> list[str]:
    return [str(number) for number in range(total)]


def test_a_receiver_that_keeps_coming_back_misses_nothing(server: Server) -> None:
    total = 300
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    start = ana.send(channel, "start")["message"]["id"]
    receiver = Receiver(ben, start, total, chance())
    asyncio.run(all_of(Sender(ana, channel, total, 0.004).run(), receiver.run()))
    assert receiver.connections > 5, "it hardly ever went away: this test has shown nothing"
    assert texts(receiver.heard) == numbers(total)
    assert [row["message"] for row in ana.history(channel)[1:]] == [row["message"] for row in receiver.heard]
    assert all(row["is_received"] for row in ben.history(channel))


def test_nothing_is_missed_between_friendships(server: Server) -> None:
    """Three friends and oneself write at the same time: the last message heard of one hides none of another."""
    each = 120
    ana, ben, carol, dave = friends(server, "ana", "ben", "carol", "dave")
    channels = {one.name: one.befriend(ana) for one in (ben, carol, dave)}
    start = ben.send(channels["ben"], "start")["message"]["id"]
    senders = [
        Sender(ben, channels["ben"], each, 0.001),
        Sender(carol, channels["carol"], each, 0.001, file_every=4),
        Sender(dave, channels["dave"], each, 0.001, file_every=7),
    ]
    senders.append(Sender(ana.again(), channels["dave"], each, 0.001))
    receivers = [Receiver(ana, start, each * len(senders), chance()) for _ in range(2)]
    asyncio.run(all_of(*(sender.run() for sender in senders), *(receiver.run() for receiver in receivers)))

    for receiver in receivers:
        ids = [row["message"]["id"] for row in receiver.heard]
        assert len(ids) == len(set(ids)), "something came twice"
        by_sender = defaultdict(list)
        by_channel = defaultdict(list)
        for row in receiver.heard:
            by_sender[row["message"]["sender"]].append(row["message"]["content"])
            by_channel[row["message"]["friendship"]].append(row["message"]["id"])
        assert dict(by_sender) == {one.id: numbers(each) for one in (ana, ben, carol, dave)}
        for channel in channels.values():
            stored = [row["message"]["id"] for row in ana.history(channel)]
            assert by_channel[channel] == (stored[1:] if channel == channels["ben"] else stored)


def test_nothing_is_missed_across_crashes(server: Server) -> None:
    """As above, with `kill -9` under both sides of it."""
    total, crashes = 400, 4
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    start = ana.send(channel, "start")["message"]["id"]
    dice = chance()
    sender = Sender(ana, channel, total, 0.004)
    receiver = Receiver(ben, start, total, dice)

    async def crash() -> None:
        for number in range(1, crashes + 1):
            # Somewhere in the middle of it, by how far it has come and not by the clock.
            goal = total * number // (crashes + 1) + dice.randrange(20)
            while sender.confirmed < goal:
                await asyncio.sleep(0.001)
            await asyncio.to_thread(server.kill9)
            await asyncio.to_thread(server.restart)

    asyncio.run(all_of(sender.run(), receiver.run(), crash()))
    assert texts(receiver.heard) == numbers(total)
    assert [row["message"] for row in ana.history(channel)[1:]] == [row["message"] for row in receiver.heard]


def test_a_client_id_is_stored_once_across_crashes(server: Server) -> None:
    """Sent, perhaps stored, perhaps not, and the server dies: sent again until it is confirmed, it is there once."""
    rounds, batch = 5, 20
    ana, ben = friends(server, "ana", "ben")
    channel = ana.befriend(ben)
    dice = chance()

    async def send_and_crash(number: int) -> None:
        async with ana.socket_async() as socket:
            for turn in range(batch):
                await socket.send(said(channel, f"{number}/{turn}", client_id=f"{number}/{turn}"))
            # After some of the echoes, or none of them.
            for _ in range(dice.choice([0, 0, 1, 5, batch])):
                await socket.recv()
            await asyncio.to_thread(server.kill9)

    async def send_again(number: int) -> list[dict]:
        """By two sockets and over HTTP at the same time."""
        bodies = [
            {"channel": channel, "content": f"{number}/{turn}", "client_id": f"{number}/{turn}"}
            for turn in range(batch)
        ]

        async def by_socket() -> list[dict]:
            async with ana.socket_async() as socket:
                first: dict[str, dict] = {}
                for turn in range(batch):
                    await socket.send(said(channel, f"{number}/{turn}", client_id=f"{number}/{turn}"))
                while len(first) < batch:
                    frame = json.loads(await socket.recv())
                    assert frame["type"] == "friendship_message", frame
                    first.setdefault(frame["client_id"], frame["message"]["message"])
                return list(first[f"{number}/{turn}"] for turn in range(batch))

        def by_http() -> list[dict]:
            return [ana.post(POST_MESSAGE, body, status=201)["data"]["message"] for body in bodies]

        async with asyncio.timeout(BOUND):
            answers = await asyncio.gather(by_socket(), by_socket(), asyncio.to_thread(by_http))
        assert answers[0] == answers[1] == answers[2], "a repeat is given its first result"
        return answers[0]

    confirmed = []
    for number in range(rounds):
        asyncio.run(send_and_crash(number))
        server.restart()
        confirmed += asyncio.run(send_again(number))
    stored = [row["message"] for row in ana.history(channel)]
    assert sorted(message["content"] for message in stored) == sorted(
        f"{number}/{turn}" for number in range(rounds) for turn in range(batch)
    )
    by_id = {message["id"]: message for message in stored}
    assert all(by_id[message["id"]] == message for message in confirmed)
