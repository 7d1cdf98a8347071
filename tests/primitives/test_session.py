"""What a home does for one process, step by step, without that process."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import pytest

from adaptive_exec.primitives import Lock, Queue
from adaptive_exec.primitives.lock_core import LockCore
from adaptive_exec.primitives.parcel import Parcel
from adaptive_exec.primitives.queue_core import QueueCore
from adaptive_exec.primitives.session import Session
from tests.primitives.helpers import LIMIT, own_server

pytestmark = pytest.mark.full  # no thread, no process: the same on every Python


class Steps:
    """A session that is driven by the test instead of by its thread."""

    def __init__(self) -> None:
        self.other, ours = Pipe()
        self.session = Session(own_server(), ours)
        self.connection: Connection = ours

    def register(self, primitive: Lock | Queue[Any]) -> int:
        """Register a primitive; return its number."""
        core: Any = primitive._core
        self.session._serve(1, "register", core.oid, (core.kind, None))
        assert self.answer()[1] == "done"
        oid: int = core.oid
        return oid

    def ask(self, number: int, operation: str, oid: int, argument: Any = None) -> None:
        """Let the session serve one request."""
        self.session._serve(number, operation, oid, argument)

    def answer(self) -> Any:
        """Return the next answer."""
        assert self.other.poll(LIMIT), "no answer"
        return pickle.loads(self.other.recv_bytes())

    def quiet(self) -> bool:
        """True if there is no answer now."""
        return not self.other.poll(0)

    def end(self) -> None:
        """End the connection."""
        self.session._end()


@pytest.fixture
def steps() -> Iterator[Steps]:
    """A session."""
    made = Steps()
    yield made
    made.end()
    made.other.close()


def test_grant_meets_end(steps: Steps) -> None:
    """The lock is granted to a process whose connection has just ended, or ends then: it comes free again."""
    lock = Lock()
    oid = steps.register(lock)
    lock.acquire()
    steps.ask(5, "acquire", oid)
    (ticket,) = steps.session._open.values()
    core: Any = lock._core

    with core._mutex:  # the grant is made, its waiter not yet roused
        granted = core._pass_on(pickled_grant())
    assert granted is ticket
    steps.end()
    assert granted.wake()

    assert not lock.locked()


def pickled_grant() -> Any:
    """Return the outcome of a grant."""
    from adaptive_exec.primitives.ticket import GRANTED

    return GRANTED


def test_grant_was_delivered_before_the_end(steps: Steps) -> None:
    """The lock was granted and answered, then the connection ends: the next is told of the death."""
    lock = Lock()
    oid = steps.register(lock)
    lock.acquire()
    steps.ask(5, "acquire", oid)
    lock.release()
    assert (5, "done", False) == steps.answer()
    assert lock.locked()

    steps.end()

    core = lock._core
    assert isinstance(core, LockCore)
    outcome = core.try_acquire()
    assert outcome is not None
    assert "owner died" == outcome.value


def test_grant_meets_cancel_message(steps: Steps) -> None:
    """A cancel message comes before or after the grant: one answer, which says which was first."""
    lock = Lock()
    oid = steps.register(lock)
    lock.acquire()
    steps.ask(5, "acquire", oid)
    steps.ask(0, "cancel", 0, 5)
    assert (5, "cancelled", None) == steps.answer()
    steps.ask(6, "acquire", oid)
    lock.release()
    steps.ask(0, "cancel", 0, 6)

    assert (6, "done", False) == steps.answer()
    assert steps.quiet()
    assert lock.locked()


def test_items_on_their_way_come_back(steps: Steps) -> None:
    """Items handed out and not confirmed come back: when they are sent back, and when the connection ends."""
    q: Queue[Any] = Queue()
    q.put_many([1, 2, 3, 4])
    oid = steps.register(q)
    for number in (5, 6, 7):
        steps.ask(number, "try_get", oid, 1)
        steps.answer()
    steps.ask(0, "taken", 0, 5)
    steps.ask(0, "back", 0, 6)
    steps.ask(0, "back", 0, 6)
    assert 2 == q.get()

    steps.end()

    assert [3, 4] == q.get_many(9)


def test_several_unconfirmed_batches_come_back_in_order(steps: Steps) -> None:
    """Batches that were on their way when the connection ended come back in the order in which they lay."""
    q: Queue[Any] = Queue()
    q.put_many(range(6))
    oid = steps.register(q)
    for number in (5, 6):
        steps.ask(number, "try_get", oid, 2)
        steps.answer()

    steps.end()

    assert list(range(6)) == q.get_many(9)


def test_unput_after_consumption_changes_nothing(steps: Steps) -> None:
    """A putter that gives up after somebody got its item changes nothing."""
    q: Queue[Any] = Queue()
    oid = steps.register(q)
    steps.ask(5, "put", oid, [pickle.dumps("a")])
    steps.answer()
    steps.ask(6, "put", oid, [pickle.dumps("a")])
    steps.answer()
    assert "a" == q.get()

    steps.ask(0, "unput", oid, 5)

    assert "a" == q.get()
    steps.ask(0, "unput", oid, 6)
    assert 2 == q.unfinished_tasks


def test_unput_takes_its_own_item_out(steps: Steps) -> None:
    """Of two equal items the one that was given up is taken out."""
    q: Queue[Any] = Queue()
    oid = steps.register(q)
    for number in (5, 6):
        steps.ask(number, "put", oid, [pickle.dumps(number)])
        steps.answer()

    steps.ask(0, "unput", oid, 5)

    assert [6] == q.get_many(5)


def test_waiting_get_is_abandoned_at_the_end(steps: Steps) -> None:
    """A wait that is open at the end leaves its queue."""
    q: Queue[Any] = Queue()
    oid = steps.register(q)
    steps.ask(5, "get", oid, 1)
    core = q._core
    assert isinstance(core, QueueCore)
    assert 1 == len(core._getters)

    steps.end()

    assert not core._getters
    q.put(1)
    assert 1 == q.get_nowait()


def test_unknown_object(steps: Steps) -> None:
    """A request for an object that the process hasn't registered gets an error, not silence."""
    steps.ask(5, "locked", 10**9)

    number, status, error = steps.answer()
    assert (5, "error") == (number, status)
    assert "no longer exists" in str(error)


def test_answer_that_can_not_be_pickled(steps: Steps) -> None:
    """An error that can't be pickled arrives as one that can."""

    class LocalError(Exception):
        pass

    steps.session.answer(5, "error", LocalError("what happened"))

    _, status, error = steps.answer()
    assert "error" == status
    assert "what happened" in str(error)


def test_parcels_are_not_kept_for_unput(steps: Steps) -> None:
    """Noting who put an item doesn't keep the item."""
    q: Queue[Any] = Queue()
    oid = steps.register(q)
    steps.ask(5, "put", oid, [pickle.dumps(1)])
    steps.answer()
    assert isinstance(steps.session.puts[5], Parcel)

    q.get()

    assert 5 not in steps.session.puts


def test_cancel_between_two_waits(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """A put of many is cancelled after its first item went in and before it waits again: no more go in."""
    q: Queue[Any] = Queue(1)
    q.put("old")
    oid = steps.register(q)
    steps.ask(5, "put", oid, [pickle.dumps(item) for item in "abc"])
    reopen = steps.session.open_request

    def cancel_first(ticket: Any) -> bool:
        steps.ask(0, "cancel", 0, 5)
        return reopen(ticket)

    monkeypatch.setattr(steps.session, "open_request", cancel_first)
    assert "old" == q.get()

    assert (5, "cancelled", None) == steps.answer()
    assert "a" == q.get()
    assert q.empty()
    assert not steps.session._steps


def test_cancel_while_many_wait(steps: Steps) -> None:
    """A put of many is cancelled while it waits: what is in stays in, the rest doesn't come."""
    q: Queue[Any] = Queue(1)
    oid = steps.register(q)
    steps.ask(5, "put", oid, [pickle.dumps(item) for item in "abc"])

    steps.ask(0, "cancel", 0, 5)

    assert (5, "cancelled", None) == steps.answer()
    assert ["a"] == q.get_many(9)
    assert not steps.session._steps
