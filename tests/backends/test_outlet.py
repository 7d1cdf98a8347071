"""The outlet: whole frames and notes, whoever sends them and whenever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.backends.processes import wire
from adaptive_exec.backends.processes.outlet import Outlet
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
