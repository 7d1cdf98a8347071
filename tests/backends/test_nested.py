"""Calls that workers submit themselves: they use the parent's pool where it is idle, and never wait for it."""

from __future__ import annotations

import os
import pickle
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, Lock, Queue
from adaptive_exec.backends.base import Outcome, Task
from adaptive_exec.backends.processes import nested
from adaptive_exec.backends.processes.copies import run_copy
from adaptive_exec.backends.processes.nested import NestedBackend
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.backends.threads import ThreadBackend
from adaptive_exec.primitives.ticket import CANCELLED, Ticket
from adaptive_exec.primitives.ticket import Outcome as Answer
from tests import nesting
from tests.backends.support import Handed, until, wind_up

pytestmark = pytest.mark.full


def children_of(pid: int) -> list[int]:
    """The processes whose parent this one is."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("outer", [nesting.squares, nesting.mapped, nesting.routed])
def test_answers(workers: int, outer: Any) -> None:
    """They are the same whatever the pool has free."""
    with AdaptiveExecutor(max_processes=workers) as executor:
        futures = [executor.options(backend="process").submit(outer, 20) for _ in range(4)]

        assert [[n * n for n in range(20)]] * 4 == [future.result(60) for future in futures]


@pytest.mark.parametrize("workers", [1, 2])
def test_waiting_that_nobody_is_told_of(workers: int) -> None:
    """`concurrent.futures.wait` in every worker at once is no deadlock."""
    with AdaptiveExecutor(max_processes=workers) as executor:
        futures = [executor.options(backend="process").submit(nesting.waited_for, 20) for _ in range(4)]

        assert [20] * 4 == [future.result(60) for future in futures]


@pytest.mark.parametrize("outer", [nesting.deep, nesting.deep_mixed, nesting.deep_awaiting])
@pytest.mark.parametrize("workers", [1, 2])
def test_deep(workers: int, outer: Any) -> None:
    """Forty levels."""
    with AdaptiveExecutor(max_processes=workers) as executor:
        future = executor.options(backend="process").submit(outer, 40)

        assert 40 == future.result(60)
        assert executor.stats().workers["process"] <= workers


def test_idle_workers_are_used() -> None:
    """Three calls that wait for each other's pid are in three workers, of which no one has children."""
    pids: Queue[int] = Queue()
    go = Lock()
    with AdaptiveExecutor(max_processes=4) as executor:
        go.acquire()
        future = executor.options(backend="process").submit(nesting.pids_of, 4, pids, go)
        seen = {pids.get(timeout=30) for _ in range(4)}
        children = [child for pid in seen for child in children_of(pid)]
        go.release()

        assert seen == set(future.result(30))
        assert 4 == len(seen)
        assert [] == children


def test_an_exception_comes_back() -> None:
    """With its type and text."""
    with AdaptiveExecutor(max_processes=2) as executor:
        assert "LookupError: no" == executor.options(backend="process").submit(nesting.error_of, "no").result(
            30
        )


def gated(function: Callable[..., Any]) -> Any:
    """What a call gives whose first nested call is held here until it has said how the second one ended."""
    pids: Queue[int] = Queue()
    told: Queue[int] = Queue()
    go = Lock()
    with AdaptiveExecutor(max_processes=2) as executor:
        view = executor.options(backend="process")
        with go:
            future = view.submit(function, pids, told, go)
            told.get(timeout=60)
        assert view.submit(nesting.square, 3).result(30) == 9
        return future.result(60)


def test_a_death_in_another_worker() -> None:
    """It costs the nested call, and not the one that submitted it."""
    said = gated(nesting.death_beside)

    assert "signal SIGKILL" in said
    assert said.endswith(" True")


def test_a_timeout_in_another_worker() -> None:
    """It ends the nested call there."""
    assert "TaskTimeout" == gated(nesting.stopped_beside)


def test_a_cancelled_call_in_another_worker() -> None:
    """It ends there at once."""
    assert (True, True, True) == gated(nesting.cancelled_beside)


def test_arguments_are_copies() -> None:
    """Also where the call stays in the same process."""
    with AdaptiveExecutor(max_processes=1) as executor:
        assert ([1], []) == executor.options(backend="process").submit(nesting.copies).result(30)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_left_behind_is_done(workers: int) -> None:
    """A nested call that nobody waits for runs all the same."""
    pids: Queue[int] = Queue()
    with AdaptiveExecutor(max_processes=workers) as executor:
        executor.options(backend="process").submit(nesting.left_behind, pids).result(30)

    assert pids.get(timeout=10) != os.getpid()


def test_what_is_left_behind_is_waited_for() -> None:
    """Even by a worker that is to make room for another."""
    done: Queue[int] = Queue()
    with AdaptiveExecutor(max_processes=1, max_tasks_per_child=1) as executor:
        executor.options(backend="process").submit(nesting.leave_late, done).result(30)

    assert done.get(timeout=10)


def test_what_is_left_behind_holds_nobody_up() -> None:
    """A worker that only waits for what its calls have left has a stand-in."""
    items: Queue[int] = Queue()
    with AdaptiveExecutor(max_processes=1, max_tasks_per_child=1) as executor:
        view = executor.options(backend="process")
        view.submit(nesting.leave_waiting, items).result(30)

        assert view.submit(nesting.put_one, items).result(30)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_of_other_contexts(context: str) -> None:
    """They have no pools of their own either."""
    with AdaptiveExecutor(max_processes=1, mp_context=context) as executor:
        view = executor.options(backend="process")
        worker = view.submit(os.getppid).result(60)

        assert worker == view.submit(nesting.pool_pids).result(60)


# --- the lender, with a desk that does as it is told ------------------------------------------------------


class Desk:
    """A link to a parent that has one idle worker, and keeps what it is given."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.withdrawn: list[Ticket] = []
        self.idle = 1
        self.came = threading.Semaphore(0)

    def call(self, operation: str, oid: int, argument: object) -> int | None:
        return min(self.idle, int(str(argument))) if operation == "vacancies" else None

    def request(self, ticket: Ticket, operation: str, oid: int, argument: object) -> None:
        self.tickets.append(ticket)
        self.came.release()

    def withdraw(self, ticket: Ticket) -> None:
        self.withdrawn.append(ticket)

    def answer(self, ticket: Ticket, value: bytes | None) -> None:
        assert ticket.finish(Answer(value))
        ticket.wake()


class Gated(ThreadBackend):
    """Threads that let somebody else act just before, or just after, a task is taken back from them."""

    before: Callable[[Task], object] = staticmethod(lambda task: None)
    after: Callable[[Task], object] = staticmethod(lambda task: None)

    def withdraw(self, task: Task) -> bool:
        self.before(task)
        withdrawn = super().withdraw(task)
        self.after(task)
        return withdrawn


class Rig:
    """A nested backend whose own threads are busy until `free` is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.threads, self.handed = Desk(), Gated(cores=1), Handed()
        monkeypatch.setattr(nested, "link_to", lambda address: self.desk)
        self.backend = NestedBackend(self.threads, pickle.dumps(None), 1)
        self.busy = threading.Event()
        self.threads.submit(self.handed.task(self.busy.wait, 30, lane="gil", weight=2.0))

    def submit(self, fn: Callable[..., Any], *args: Any) -> Task:
        task = self.handed.task(fn, *args)
        task.future.stoppable = True
        self.backend.submit(task)
        return task

    def outcomes_of(self, task: Task) -> list[Outcome]:
        return [outcome for handed, outcome in self.handed.outcomes if handed is task]

    def end(self) -> None:
        self.busy.set()
        wind_up(self.backend)
        wind_up(self.threads)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    made = Rig(monkeypatch)
    yield made
    made.end()


def test_what_waits_is_lent(rig: Rig) -> None:
    """And its answer is the task's."""
    task = rig.submit(nesting.square, 3)
    assert rig.desk.came.acquire(timeout=20)
    assert task.future.running()
    rig.desk.answer(rig.desk.tickets[0], run_copy(pickle.dumps((nesting.square, (3,), {}))))

    assert 9 == task.future.result(20)


def test_begun_while_it_is_to_be_lent(rig: Rig) -> None:
    """It runs here, once, and is not sent."""
    begun = threading.Event()

    def let_it_begin(local: Task) -> None:
        rig.busy.set()
        assert begun.wait(20)

    rig.threads.before = let_it_begin
    task = rig.handed.task(nesting.square, 3)
    task.on_begin = begun.set
    rig.backend.submit(task)

    assert 9 == task.future.result(20)
    until(lambda: rig.outcomes_of(task))
    assert [] == rig.desk.tickets
    assert 1 == len(rig.outcomes_of(task))


def test_cancel_while_it_is_being_lent(rig: Rig) -> None:
    """It is not sent."""
    told = threading.Event()

    def cancel(local: Task) -> None:
        if not told.is_set():
            told.set()
            task.future.cancel()
            rig.backend.cancel(task)

    rig.threads.after = cancel
    task = rig.handed.task(nesting.square, 3)
    task.future.stoppable = True
    rig.backend.submit(task)

    assert told.wait(20)
    until(lambda: rig.outcomes_of(task))
    assert [] == rig.desk.tickets
    assert 1 == len(rig.outcomes_of(task))


def test_cancel_before_the_desk_has_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is withdrawn as soon as it is there."""

    def request(ticket: Ticket, *args: object) -> None:
        task.future.cancel()
        rig.backend.cancel(task)
        assert [] == rig.desk.withdrawn
        rig.desk.tickets.append(ticket)

    monkeypatch.setattr(rig.desk, "request", request)
    task = rig.handed.task(nesting.square, 3)
    task.future.stoppable = True
    rig.backend.submit(task)

    until(lambda: rig.desk.withdrawn)
    ticket = rig.desk.withdrawn[0]
    assert ticket.finish(CANCELLED)
    ticket.wake()
    until(lambda: rig.outcomes_of(task))
    assert 1 == len(rig.outcomes_of(task))


def test_an_earlier_attempt_ends_late(rig: Rig) -> None:
    """It says nothing of the later one."""
    rig.desk.idle = 0
    task = rig.submit(nesting.square, 3)
    earlier = task.wire
    rig.backend._over(task)
    rig.backend.submit(task)
    rig.backend._ran(earlier, Outcome(value=run_copy(pickle.dumps((nesting.square, (4,), {})))))
    assert [] == rig.outcomes_of(task)
    rig.busy.set()

    assert 9 == task.future.result(20)


@pytest.mark.parametrize("cancel_first", [True, False])
def test_cancel_against_the_answer(rig: Rig, cancel_first: bool) -> None:
    """Whoever is second changes nothing."""
    task = rig.submit(nesting.square, 3)
    assert rig.desk.came.acquire(timeout=20)
    answer = run_copy(pickle.dumps((nesting.square, (3,), {})))
    if cancel_first:
        rig.backend.cancel(task)
        assert rig.desk.tickets == rig.desk.withdrawn
    rig.desk.answer(rig.desk.tickets[0], answer)
    assert 9 == task.future.result(20)
    rig.backend.cancel(task)

    assert [9] == [outcome.value for outcome in rig.outcomes_of(task)]


def test_vacancy_is_gone(rig: Rig) -> None:
    """What nobody could begin runs here."""
    task = rig.submit(nesting.square, 3)
    assert rig.desk.came.acquire(timeout=20)
    rig.desk.idle = 0
    rig.desk.answer(rig.desk.tickets[0], None)
    until(lambda: rig.threads.load().queued)
    assert not task.future.running()
    rig.busy.set()

    assert 9 == task.future.result(20)


def test_nobody_is_idle_in_a_pool_that_has_not_begun() -> None:
    """So it refuses, and keeps nothing."""
    pool, handed = ProcessBackend(1), Handed()
    try:
        assert not pool.submit_to_idle(handed.task(nesting.pid))
    finally:
        wind_up(pool)
    assert [] == handed.outcomes
