"""All interleavings of a few actors' steps, against what a lock and a queue may do at all.

The cores' operations are atomic under their mutex, so every real execution is one of these orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Full
from typing import Any

import pytest

from adaptive_exec.errors import ShutDown
from adaptive_exec.primitives.lock_core import LockCore
from adaptive_exec.primitives.queue_core import QueueCore
from adaptive_exec.primitives.ticket import CANCELLED, ThreadTicket

pytestmark = pytest.mark.full  # no thread, no process: the same on every Python


def interleavings(*lengths: int) -> Iterator[tuple[int, ...]]:
    """Every order in which actors with so many steps each can take them."""
    if not any(lengths):
        yield ()
        return
    for actor, length in enumerate(lengths):
        if length:
            left = [*lengths]
            left[actor] -= 1
            for rest in interleavings(*left):
                yield (actor, *rest)


class LockActor:
    """Waits for the lock, then releases it or gives up; each call of `step` is one atomic move."""

    def __init__(self, core: LockCore, name: int, gives_up: bool) -> None:
        self.core, self.name, self.gives_up = core, name, gives_up
        self.ticket = ThreadTicket()
        self.holds = False

    def step(self, number: int) -> None:
        """Ask; then give up if that is its way; then use and release what it got."""
        if number == 0:
            self.core.enqueue(self.ticket)
        elif number == 1 and self.gives_up:
            self.core.abandon(self.ticket)
        elif number == 2:
            self.finish()

    def finish(self) -> None:
        """Release the lock if it was granted."""
        if self.ticket.spend():
            self.core.release()

    @property
    def owns(self) -> bool:
        """True while the lock is granted and neither used up nor given back."""
        return (
            self.ticket.outcome is not None
            and self.ticket.outcome is not CANCELLED
            and not self.ticket._spent
        )


@pytest.mark.parametrize(
    "gives_up", [(False, False, False), (True, False, False), (True, True, False), (True,) * 3]
)
def test_lock_histories(gives_up: tuple[bool, ...]) -> None:
    """In each of the 1680 orders of three actors at most one owns the lock, and it is free in the end."""
    for order in interleavings(3, 3, 3):
        core = LockCore()
        actors = [LockActor(core, number, each) for number, each in enumerate(gives_up)]
        done = [0, 0, 0]
        for actor in order:
            actors[actor].step(done[actor])
            done[actor] += 1
            assert sum(each.owns for each in actors) <= 1, order
            assert core.locked() == any(each.owns for each in actors), order
        while any(each.owns for each in actors):
            for each in actors:
                each.finish()
        assert not core.locked(), order
        assert not core._waiters, order


class QueueWorld:
    """A queue of one place, two putters, and two getters, of which some give up."""

    def __init__(self, maxsize: int) -> None:
        self.core = QueueCore(maxsize)
        self.put: list[int] = []
        self.got: list[int] = []

    def putter(self, item: int, gives_up: bool) -> list[Any]:
        """Ask for room, perhaps give up, then put if there was room."""
        ticket = ThreadTicket()

        def fill() -> None:
            if ticket.outcome is None:
                self.core.withdraw(ticket)
            elif ticket.outcome is not CANCELLED and not ticket._spent and ticket.outcome.error is None:
                try:
                    self.core.fill(ticket, [item])
                except ShutDown:
                    return
                self.put.append(item)

        middle = (lambda: self.core.abandon(ticket)) if gives_up else (lambda: None)
        return [lambda: self.core.ask_put(ticket, [item]), middle, fill]

    def getter(self, gives_up: bool) -> list[Any]:
        """Ask for an item, perhaps give up, then take it if there was one."""
        ticket = ThreadTicket()

        def take() -> None:
            if ticket.outcome is None:
                self.core.withdraw(ticket)
            elif ticket.outcome is not CANCELLED and not ticket._spent and ticket.outcome.error is None:
                try:
                    self.got += self.core.taken(ticket, 1)
                except ShutDown:
                    return

        middle = (lambda: self.core.abandon(ticket)) if gives_up else (lambda: None)
        return [lambda: self.core.ask_get(ticket, 1), middle, take]

    def check(self) -> None:
        """Nobody waits for what is there; what is promised is there."""
        core = self.core
        assert 0 <= core._promised
        assert 0 <= core._reserved
        if not core._closed:
            assert core._promised <= len(core._items)
        assert not (core._getters and len(core._items) > core._promised)
        if core.maxsize:
            assert len(core._items) + core._reserved <= core.maxsize
            assert core._closed or not (core._putters and core._room() > 0)


@pytest.mark.parametrize("maxsize", [0, 1])
@pytest.mark.parametrize(
    "gives_up", [(False, False, False), (False, True, False), (True, False, True), (False, False, True)]
)
@pytest.mark.parametrize("second", ["getter", "shutdown"])
def test_queue_histories(maxsize: int, gives_up: tuple[bool, bool, bool], second: str) -> None:
    """In every order of two putters and a getter or a shutdown nothing is lost, doubled or reordered."""
    lengths = (3, 3, 3) if second == "getter" else (3, 3, 1)
    for order in interleavings(*lengths):
        world = QueueWorld(maxsize)
        last = (
            world.getter(gives_up[2])
            if second == "getter"
            else [lambda world=world: world.core.shutdown(False)]
        )
        actors = [world.putter(1, gives_up[0]), world.putter(2, gives_up[1]), last]
        for actor in order:
            actors[actor].pop(0)()
            world.check()
        got = list(world.got)
        while True:
            try:
                got += world.core.try_get(1)
            except (Empty, ShutDown):
                break
        assert world.put == got, order
        assert (0, 0) == (world.core._promised, world.core._reserved), order
        assert not (world.core._getters or world.core._putters), order
        assert len(got) == world.core.sizes()[1], order


@pytest.mark.parametrize("gives_up", [(False, False), (True, False), (False, True), (True, True)])
def test_getter_histories(gives_up: tuple[bool, bool]) -> None:
    """In every order of two getters and a putter the item goes to one getter that wants it, or stays."""
    for order in interleavings(3, 3, 1):
        world = QueueWorld(0)

        def put(world: QueueWorld = world) -> None:
            world.core.try_put([1])

        actors = [world.getter(gives_up[0]), world.getter(gives_up[1]), [put]]
        for actor in order:
            actors[actor].pop(0)()
            world.check()
        left = world.core.sizes()[0]
        assert 1 == left + len(world.got), order
        assert 0 == world.core._promised, order


def test_full_is_not_raised_while_there_is_room() -> None:
    """`try_put` counts reserved room as taken and given-up room as free."""
    core = QueueCore(1)
    core.try_put([1])
    ticket = ThreadTicket()
    core.ask_put(ticket, [2])
    core.try_get(1)
    with pytest.raises(Full):
        core.try_put([3])

    core.abandon(ticket)

    core.try_put([3])
    assert [3] == core.try_get(1)
