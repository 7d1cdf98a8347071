"""The outlet: whole frames and notes, whoever sends them and whenever."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.backends.processes import wire
from adaptive_exec.backends.processes.outlet import Outlet
from adaptive_exec.platform.bell import RING
from adaptive_exec.platform.channels import Channel, two_channels

pytestmark = pytest.mark.full


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """The parent's end and the worker's."""
    ours, (read, write) = two_channels()
    theirs = Channel(read, write)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_many_threads(ends: tuple[Channel, Channel]) -> None:
    """Frames larger than the pipe, from several threads at once, arrive whole."""
    ours, theirs = ends
    outlet = Outlet(theirs)

    def send(kind: int) -> None:
        for _ in range(20):
            outlet.note(wire.encode(kind, b"x" * 100_000))

    senders = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for sender in senders:
        sender.start()
    found: list[int] = []
    while len(found) < 80:
        assert ours.poll(10)
        found += [wire.decode(body)[0] for body in ours.receive()]
    for sender in senders:
        sender.join()

    assert sorted(list(range(4)) * 20) == sorted(found)


def test_note_from_inside_a_send(ends: tuple[Channel, Channel]) -> None:
    """As a finalizer or a signal handler would: it neither waits for itself nor comes into the middle."""
    ours, theirs = ends

    class Interrupted:
        """A channel in whose `send` something is logged."""

        def __init__(self) -> None:
            self.inside = False

        def send(self, data: bytes) -> Any:
            if not self.inside:
                self.inside = True
                outlet.note(wire.encode(2))
            return theirs.send(data)

    channel: Any = Interrupted()
    outlet = Outlet(channel)
    outlet.send(wire.encode(1))

    assert [(1,), (2,)] == [wire.decode(body) for body in ours.receive()]


def test_nobody_there(ends: tuple[Channel, Channel]) -> None:
    """A note to a parent that is gone is no error; an answer is."""
    ours, theirs = ends
    ours.close()
    outlet = Outlet(theirs)
    outlet.note(wire.encode(1))

    with pytest.raises(OSError, match="pipe"):
        outlet.send(wire.encode(2))


@pytest.fixture
def bell() -> Iterator[tuple[int, int]]:
    """What listens and what is rung."""
    made = os.pipe()
    os.set_blocking(made[0], False)
    yield made
    for fd in made:
        os.close(fd)


def rings(bell: tuple[int, int]) -> int:
    """How often it was rung since the last look."""
    try:
        return os.read(bell[0], 100).count(RING)
    except BlockingIOError:
        return 0


def test_while_it_is_quiet(ends: tuple[Channel, Channel], bell: tuple[int, int]) -> None:
    """The bell is rung for whatever is sent, and for what was left if it lies unread; once, then the parent watches."""
    ours, theirs = ends
    outlet = Outlet(theirs, bell[1])
    outlet.send(wire.encode(1))
    outlet.note(wire.encode(1))
    outlet.settle()
    assert 0 == rings(bell), "the parent watches"
    assert 2 == len(ours.receive())

    outlet.become_quiet()
    outlet.leave(wire.encode(2))
    assert 0 == rings(bell)
    assert 1 == len(ours.receive())
    outlet.settle()
    assert (0, True) == (rings(bell), outlet.quiet), "it was read"
    outlet.leave(wire.encode(3))
    outlet.settle()
    assert (1, False) == (rings(bell), outlet.quiet)
    outlet.settle()
    assert 0 == rings(bell)
    assert 1 == len(ours.receive())

    for tell in (outlet.send, outlet.note):
        outlet.become_quiet()
        tell(wire.encode(4))
        tell(wire.encode(5))
        assert (1, False) == (rings(bell), outlet.quiet)
        assert 2 == len(ours.receive())


def test_an_answer_that_does_not_fit(ends: tuple[Channel, Channel], bell: tuple[int, int]) -> None:
    """Somebody has to read its beginning, or it would never be sent."""
    ours, theirs = ends
    outlet = Outlet(theirs, bell[1])
    outlet.become_quiet()
    sender = threading.Thread(target=outlet.leave, args=(wire.encode(1, bytes(1_000_000)),), daemon=True)
    sender.start()
    assert select.select([bell[0]], [], [], 20)[0]
    found: list[bytes] = []
    while not found:
        assert ours.poll(20)
        found = ours.receive()
    sender.join(20)

    assert 1 == rings(bell)


def test_what_was_said_before_it_became_quiet(ends: tuple[Channel, Channel], bell: tuple[int, int]) -> None:
    """A thread has sent, and not looked yet whether it should ring, when another reads that it should."""
    ours, theirs = ends
    sent, go_on = threading.Event(), threading.Event()

    class Gated:
        """A channel with a gate behind `send`."""

        def send(self, data: bytes) -> Any:
            rest = theirs.send(data)
            sent.set()
            assert go_on.wait(20)
            return rest

        def unread(self) -> bool:
            return theirs.unread()

    channel: Any = Gated()
    outlet = Outlet(channel, bell[1])
    noter = threading.Thread(target=outlet.note, args=(wire.encode(1),), daemon=True)
    noter.start()
    assert sent.wait(20)
    outlet.become_quiet()
    assert 1 == rings(bell)
    outlet.become_quiet()  # it is let anew, before the thread goes on
    go_on.set()
    noter.join(20)

    assert rings(bell) >= 1
    assert 1 == len(ours.receive())


def test_a_bell_that_nobody_hears(ends: tuple[Channel, Channel]) -> None:
    """The parent may have gone, or have more rings to hear than a pipe holds."""
    _, theirs = ends
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, RING * 4096)
    outlet = Outlet(theirs, write)
    outlet.become_quiet()
    outlet.send(wire.encode(1))
    os.close(read)
    outlet.become_quiet()
    outlet.send(wire.encode(1))
    os.close(write)

    assert not outlet.quiet
