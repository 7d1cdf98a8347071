"""Readiness: what one thread waits for, another may read; nothing that happens is missed."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.platform.bell import ring
from adaptive_exec.platform.channels import Channel, frame, two_channels
from adaptive_exec.platform.readiness import Readiness, make_readiness

WAYS = [
    pytest.param(
        False, id="epoll", marks=pytest.mark.skipif(not hasattr(select, "epoll"), reason="no epoll")
    ),
    pytest.param(True, id="portable"),
]


class Peer:
    """A channel with its other end, and a pipe that stands for a process: closed means ended."""

    def __init__(self) -> None:
        self.channel, (read, write) = two_channels()
        self.there = Channel(read, write)
        self.sentinel, self._life = os.pipe()

    def say(self, body: bytes = b"hello") -> None:
        assert self.there.send(frame(body)) is None

    def end(self) -> None:
        os.close(self._life)
        self._life = -1

    def close(self) -> None:
        self.channel.close()
        self.there.close()
        for fd in (self.sentinel, self._life):
            if fd >= 0:
                os.close(fd)


class Sleeper(threading.Thread):
    """A thread in `wait`, and what that said."""

    def __init__(self, readiness: Readiness[Any], timeout: float | None = 20.0) -> None:
        super().__init__(daemon=True)
        self._readiness = readiness
        self._timeout = timeout
        self.said: tuple[list[Any], list[Any]] | None = None
        self.start()

    def run(self) -> None:
        self.said = self._readiness.wait(self._timeout)

    def sleeps(self) -> bool:
        """Whether it still waits, after a moment in which it could have woken up."""
        self.join(0.1)
        return self.is_alive()

    def result(self) -> tuple[list[Any], list[Any]]:
        self.join(20)
        assert self.said is not None
        return self.said


@pytest.fixture(params=WAYS)
def readiness(request: pytest.FixtureRequest) -> Iterator[Readiness[Any]]:
    """Both ways."""
    made = make_readiness(portable=request.param)
    yield made
    made.close()


@pytest.fixture
def attendable() -> Iterator[Readiness[Any]]:
    """The way that lets another thread read."""
    made = make_readiness()
    if not made.attend():
        made.close()
        pytest.skip("nobody can attend here")
    made.leave()
    yield made
    made.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    """Two peers."""
    made = [Peer(), Peer()]
    yield made
    for peer in made:
        peer.close()


def test_what_happens_is_named(readiness: Readiness[Any], peers: list[Peer]) -> None:
    """A channel that can be read, a process that has ended, or nothing at all."""
    for name, peer in zip("ab", peers, strict=True):
        readiness.add(name, peer.channel, peer.sentinel)
    readiness.wait(0.0)  # the portable way takes note of the additions
    assert ([], []) == readiness.wait(0.0)
    peers[0].say()
    assert (["a"], []) == readiness.wait(20)
    assert (["a"], []) == readiness.wait(20)  # until it has been read
    peers[1].end()

    assert (["a"], ["b"]) == readiness.wait(20)


def test_wake_before_wait(readiness: Readiness[Any]) -> None:
    """The note stays until `wait` takes it, and any number of wake-ups is one."""
    for _ in range(3):
        readiness.wake()
    assert ([], []) == Sleeper(readiness, None).result()
    sleeper = Sleeper(readiness, None)

    assert sleeper.sleeps()
    readiness.wake()
    assert ([], []) == sleeper.result()


def test_more_wake_ups_than_fit_a_pipe(readiness: Readiness[Any]) -> None:
    """`wake` never waits."""
    for _ in range(100_000):
        readiness.wake()
    while readiness.wait(0.0) != ([], []):
        pass

    assert ([], []) == readiness.wait(0.0)


def test_wake_against_wait(readiness: Readiness[Any]) -> None:
    """However a wake-up and the end of a wait meet, the next wait knows of it."""
    done = threading.Semaphore(0)
    over: list[bool] = []

    def work() -> None:
        while not over:
            readiness.wait(None)
            done.release()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    for _ in range(2000):
        readiness.wake()
        assert done.acquire(timeout=20)
    over.append(True)
    readiness.wake()
    worker.join(20)
    assert not worker.is_alive()


def test_added_while_it_sleeps(readiness: Readiness[Any], peers: list[Peer]) -> None:
    """What is added now is watched now: in this sleep, or in the next if it takes a wake-up."""
    sleeper = Sleeper(readiness)
    assert sleeper.sleeps()
    readiness.add("a", peers[0].channel, peers[0].sentinel)
    peers[0].say()
    said = sleeper.result()
    if said == ([], []):
        said = readiness.wait(20)

    assert (["a"], []) == said


def test_mute(readiness: Readiness[Any], peers: list[Peer]) -> None:
    """A muted channel can end or speak unheard; its process can't."""
    readiness.add("a", peers[0].channel, peers[0].sentinel)
    readiness.mute("a")
    readiness.mute("a")
    readiness.mute("stranger")
    peers[0].say()
    peers[0].there.close()
    while readiness.wait(0.0) != ([], []):
        pass  # the portable way has a note of the addition
    sleeper = Sleeper(readiness)

    assert sleeper.sleeps()
    peers[0].end()
    assert ([], ["a"]) == sleeper.result()
    readiness.remove("a")


def test_remove(readiness: Readiness[Any], peers: list[Peer]) -> None:
    """Nothing is heard of it any more, and its descriptors may be another's."""
    peer, other = peers
    readiness.add("a", peer.channel, peer.sentinel)
    readiness.remove("a")
    peer.say()
    peer.end()
    while readiness.wait(0.0) != ([], []):
        pass
    assert ([], []) == readiness.wait(0.0)
    readiness.add("b", peer.channel, peer.sentinel)
    readiness.add("c", other.channel, other.sentinel)

    readable, ended = readiness.wait(20)
    if not readable and not ended:
        readable, ended = readiness.wait(20)
    assert (["b"], ["b"]) == (readable, ended)


def test_attending_keeps_the_sleeper_asleep(attendable: Readiness[Any], peers: list[Peer]) -> None:
    """While somebody attends, what arrives is theirs; ends and wake-ups still wake the sleeper."""
    for name, peer in zip("ab", peers, strict=True):
        attendable.add(name, peer.channel, peer.sentinel)
    sleeper = Sleeper(attendable, None)
    assert sleeper.sleeps()
    assert attendable.attend()
    peers[0].say()

    assert ["a"] == attendable.readable(20)
    assert sleeper.sleeps()
    assert [b"hello"] == peers[0].channel.receive()
    assert [] == attendable.readable(0.0)
    peers[1].end()
    assert ([], ["b"]) == sleeper.result()
    attendable.remove("b")
    attendable.wake()
    assert ([], []) == attendable.wait(20)
    attendable.leave()


@pytest.mark.parametrize("sleeping", [True, False])
def test_leaving_gives_back_what_was_unread(
    attendable: Readiness[Any], peers: list[Peer], sleeping: bool
) -> None:
    """What arrived during the attendance and was not read then is seen by the sleeper, or by the next wait."""
    attendable.add("a", peers[0].channel, peers[0].sentinel)
    assert attendable.attend()
    sleeper = Sleeper(attendable) if sleeping else None
    peers[0].say()
    assert ["a"] == attendable.readable(20)
    if sleeper is not None:
        assert sleeper.sleeps()
    else:
        assert ([], []) == attendable.wait(0.0)
    attendable.leave()

    assert (["a"], []) == (sleeper or Sleeper(attendable)).result()


def test_removed_while_attended(attendable: Readiness[Any], peers: list[Peer]) -> None:
    """An attendant hears nothing of a channel that is gone, and the others as before."""
    for name, peer in zip("ab", peers, strict=True):
        attendable.add(name, peer.channel, peer.sentinel)
    assert attendable.attend()
    peers[0].say()
    attendable.remove("a")
    peers[1].say()

    assert ["b"] == attendable.readable(20)
    attendable.leave()


def test_the_portable_way_lets_nobody_attend(peers: list[Peer]) -> None:
    """It says so, and goes on watching."""
    readiness = make_readiness(portable=True)
    readiness.add("a", peers[0].channel, peers[0].sentinel)
    assert not readiness.attend()
    assert [] == readiness.readable(0.0)
    peers[0].say()
    readable, _ = readiness.wait(20)
    readiness.close()

    assert ["a"] == readable


def test_nothing_is_kept_open(readiness: Readiness[Any]) -> None:
    """Closing gives every descriptor back."""
    before = set(os.listdir("/dev/fd"))
    for portable in (False, True):
        made = make_readiness(portable=portable)
        made.wake()
        made.close()

    assert before == set(os.listdir("/dev/fd"))


def rung(readiness: Readiness[Any]) -> None:
    """Somebody rings."""
    assert readiness.bell is not None
    ring(readiness.bell)


def test_a_lent_channel_is_left_to_others(attendable: Readiness[Any], peers: list[Peer]) -> None:
    """What comes on it wakes nobody until the bell is rung; the others are watched as before."""
    for name, peer in zip("ab", peers, strict=True):
        attendable.add(name, peer.channel, peer.sentinel)
    attendable.lend("a")
    assert "a" == attendable.lent
    sleeper = Sleeper(attendable, None)
    assert sleeper.sleeps()
    peers[0].say()
    assert sleeper.sleeps()
    peers[1].say()
    assert (["b"], []) == sleeper.result()
    assert [b"hello"] == peers[1].channel.receive()
    rung(attendable)

    assert ([], []) == attendable.wait(20)
    assert (["a"], []) == attendable.wait(20)
    assert attendable.lent is None


def test_what_was_unread_when_it_was_taken_back(attendable: Readiness[Any], peers: list[Peer]) -> None:
    """It is seen then; and taking back what nobody has is nothing."""
    attendable.take_back()
    attendable.add("a", peers[0].channel, peers[0].sentinel)
    attendable.lend("a")
    peers[0].say()
    sleeper = Sleeper(attendable, None)
    assert sleeper.sleeps()
    attendable.take_back()

    assert (["a"], []) == sleeper.result()
    assert attendable.lent is None


@pytest.mark.parametrize("attended", [False, True])
def test_the_end_of_a_lent_channel_is_seen(
    attendable: Readiness[Any], peers: list[Peer], attended: bool
) -> None:
    """Whoever has it may be asleep: the other end's being gone wakes the watcher, and so does the process's end."""
    attendable.add("a", peers[0].channel, peers[0].sentinel)
    attendable.lend("a")
    if attended:
        assert attendable.attend()
    sleeper = Sleeper(attendable, None)
    assert sleeper.sleeps()
    if attended:
        peers[0].end()
        assert ([], ["a"]) == sleeper.result()
    else:
        peers[0].there.close()
        assert (["a"], []) == sleeper.result()


@pytest.mark.parametrize("how", ["mute", "remove"])
def test_lent_and_gone(attendable: Readiness[Any], peers: list[Peer], how: str) -> None:
    """Nobody has what is not there any more, and the bell is no error."""
    attendable.add("a", peers[0].channel, peers[0].sentinel)
    attendable.lend("a")
    getattr(attendable, how)("a")
    assert attendable.lent is None
    rung(attendable)
    assert ([], []) == attendable.wait(20)
    attendable.lend("stranger")

    assert attendable.lent is None


def test_lending_against_taking_back(attendable: Any, peers: list[Peer]) -> None:
    """The bell rings while a channel is being lent: it is watched after that, not lost between the two."""
    attendable.add("a", peers[0].channel, peers[0].sentinel)
    inside, go_on = threading.Event(), threading.Event()
    channels = attendable._channels

    class Gated:
        """The kernel's set, with a gate before what is no longer watched."""

        def modify(self, fd: int, events: int) -> None:
            if events == 0:
                inside.set()
                assert go_on.wait(20)
            channels.modify(fd, events)

        def __getattr__(self, name: str) -> Any:
            return getattr(channels, name)

    attendable._channels = Gated()
    lender = threading.Thread(target=attendable.lend, args=("a",), daemon=True)
    lender.start()
    assert inside.wait(20)
    rung(attendable)
    sleeper = Sleeper(attendable, None)
    while not attendable._lending.locked() or select.select([attendable._read], [], [], 0)[0]:
        threading.Event().wait(0.001)  # until the ring has been read, and so is about to be heeded
    assert sleeper.is_alive()
    go_on.set()
    lender.join(20)

    assert ([], []) == sleeper.result()
    assert attendable.lent is None
    peers[0].say()
    assert (["a"], []) == attendable.wait(20)


def test_the_portable_way_lends_nothing(peers: list[Peer]) -> None:
    """It has no bell, and goes on watching."""
    readiness = make_readiness(portable=True)
    readiness.add("a", peers[0].channel, peers[0].sentinel)
    readiness.lend("a")
    assert readiness.bell is None
    assert readiness.lent is None
    peers[0].say()
    readable, _ = readiness.wait(20)
    readiness.take_back()
    readiness.close()

    assert ["a"] == readable
