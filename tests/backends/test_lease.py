"""The lease: who waits for the only call reads its answer, nobody else wakes up, and nothing is missed."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.processes import manager
from adaptive_exec.backends.processes.lease import DISAPPOINTED, MOST_SECONDS, TRUSTED, Lease
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.errors import WorkerDied
from adaptive_exec.platform.readiness import make_readiness
from tests import work
from tests.backends.support import Handed, until, wind_up

Make = Callable[..., ProcessBackend]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools whose answers are waited for, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 2, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, **kwargs)
            stack.callback(wind_up, pool)
            return pool

        yield made


@pytest.fixture
def let(make: Make, monkeypatch: pytest.MonkeyPatch) -> ProcessBackend:
    """A pool whose only worker is let, for as long as it takes."""
    monkeypatch.setattr(manager, "MOST_SECONDS", 60.0)
    pool = make()
    readiness = make_readiness()
    bell = readiness.bell
    readiness.close()
    if bell is None:
        pytest.skip("there is no bell")
    until(lambda: trusting(pool) and stays(pool))
    return pool


def waited(pool: ProcessBackend, fn: Callable[..., Any], *args: Any) -> Any:
    """The result of a call that is waited for at once."""
    task = Handed().task(fn, *args)
    pool.submit(task)
    return task.future.result(20)


def lease_of(pool: ProcessBackend, *_: Any) -> Any:
    """The worker that is let."""
    return pool._crew.lease.worker


def leases(pool: ProcessBackend) -> list[Any]:
    """Gets the worker that is let, or None, as it stands when a call is given out: its answer may end that at once."""
    seen: list[Any] = []
    lease: Any = pool._crew.lease
    inside = lease.settle

    def settle(*args: Any, **kwargs: Any) -> bool:
        begun: bool = inside(*args, **kwargs)
        seen.append(lease.worker)
        return begun

    lease.settle = settle
    return seen


def trusts(pool: ProcessBackend, *_: Any) -> bool:
    """Whether its worker is let, and will be with the next call."""
    crew = pool._crew
    return (
        crew.readiness is not None
        and crew.readiness.lent is not None
        and crew.lease.worker is crew.readiness.lent
        and crew.lease._waited == TRUSTED
    )


def trusting(pool: ProcessBackend) -> bool:
    """After a call by one who is trusted: on a machine with much else to do, trust would take long to be earned."""
    pool._crew.lease._waited = TRUSTED
    return trusts(pool, waited(pool, work.double, 1))


def stays(pool: ProcessBackend) -> bool:
    """Whether no bell was being rung when its worker was last seen to be let."""
    time.sleep(0.02)  # longer than it takes a worker from looking to ringing
    return trusts(pool)


class FakeReadiness:
    """Writes down what is lent."""

    def __init__(self) -> None:
        self.lent: Any = None
        self.steps: list[Any] = []

    def lend(self, key: Any) -> None:
        self.lent = key
        self.steps.append(key)

    def take_back(self) -> None:
        self.lent = None
        self.steps.append("back")


class FakeWorker:
    """One with a bell, or without."""

    def __init__(self, *, rings: bool = True) -> None:
        self.let = False
        self.rings = rings


class Bench:
    """A lease without a pool."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.lease = Lease(enabled=enabled)
        self.readiness: Any = FakeReadiness()
        self.worker: Any = FakeWorker()

    def call(self, worker: Any = None, *, alone: bool = True) -> bool:
        """Whether the worker that gets a call is let then."""
        worker = worker or self.worker
        self.lease.settle(self.readiness, worker, alone=alone)
        return bool(worker.let)


def test_only_after_a_few_that_were_waited_for() -> None:
    """Who doesn't wait would get answers late."""
    bench = Bench()
    for _ in range(TRUSTED):
        assert not bench.call()
        bench.lease.waited()
    assert bench.call()
    assert bench.call()

    assert [bench.worker] == [step for step in bench.readiness.steps if step != "back"], (
        "once for all of them"
    )


def test_whoever_is_disappointed_is_slow_to_trust() -> None:
    """The manager had to read: submitters have other things to do than to wait."""
    bench = Bench()
    for _ in range(TRUSTED):
        bench.lease.waited()
    assert bench.call()
    bench.lease.rang()
    for _ in range(TRUSTED - DISAPPOINTED):
        assert not bench.call()
        bench.lease.waited()

    assert bench.call()


def test_one_at_a_time() -> None:
    """Another worker, or a second call, ends it; without a bell, or cores to poll on, it never begins."""
    bench, other, deaf = Bench(), FakeWorker(), FakeWorker(rings=False)
    for _ in range(TRUSTED):
        bench.lease.waited()
    assert bench.call()
    assert bench.call(other)
    assert not bench.worker.let
    assert not bench.call(deaf)
    assert (False, None) == (other.let, bench.readiness.lent)
    assert bench.call()
    assert not bench.call(alone=False)
    assert bench.readiness.lent is None
    bench = Bench(enabled=False)
    for _ in range(5 * TRUSTED):
        bench.lease.waited()

    assert not bench.call()


def test_it_rang_while_it_was_thought_to_be_let() -> None:
    """The manager watches it again: the next call lets it anew."""
    bench = Bench()
    for _ in range(TRUSTED):
        bench.lease.waited()
    bench.call()
    bench.readiness.take_back()
    assert bench.call()

    assert bench.readiness.lent is bench.worker


def test_the_manager_sleeps(let: ProcessBackend) -> None:
    """While calls are waited for one after the other, it is not woken at all."""
    readiness: Any = let._crew.readiness
    woken: list[Any] = []
    inside = readiness.wait

    def wait(timeout: float | None) -> Any:
        woken.append(timeout)
        return inside(timeout)

    readiness.wait = wait
    readiness.wake()  # so that it is in the one that counts
    until(lambda: woken)
    until(lambda: trusting(let))
    asleep = 0
    for _ in range(20):  # a thread that gets no core for a while is late, and then the worker rings
        trusting(let)
        woken.clear()
        for n in range(10):
            assert 2 * n == waited(let, work.double, n)
        asleep += not woken

    assert asleep >= 5


def test_nobody_waits(let: ProcessBackend) -> None:
    """The bell is rung for an answer that nobody reads."""
    handed, seen = Handed(), leases(let)
    let.submit(handed.task(work.double, 21))
    (worker,) = seen
    assert worker is not None

    assert [42] == [outcome.value for outcome in handed.wait(1)]
    until(lambda: not let._crew.readiness or let._crew.readiness.lent is None)


def test_a_second_call_ends_the_lease(let: ProcessBackend, tmp_path: Path) -> None:
    """Both are answered, whichever is waited for, or none."""
    handed, seen = Handed(), leases(let)
    ends = tmp_path / "it may end"
    first, second = handed.task(work.compute_until, str(ends)), handed.task(work.double, 3)
    let.submit(first)
    let.submit(second)
    assert seen[0] is not None
    assert not lease_of(let)
    assert not any(worker.let for worker in let._crew.workers)

    ends.touch()
    assert 2 == len(handed.wait(2))


def test_a_second_call_for_the_one_that_is_let(make: Make) -> None:
    """With one worker it is sent behind the first, whose answer may lie unread by then."""
    pool = make(1)
    for _ in range(20):
        waited(pool, work.double, 1)
    handed = Handed()
    tasks = [handed.task(work.double, n) for n in range(30)]
    for task in tasks:
        pool.submit(task)

    assert [2 * n for n in range(30)] == [task.future.result(20) for task in tasks]


def test_a_long_call_is_watched_by_the_manager(let: ProcessBackend) -> None:
    """Who waits polls for a moment, then all is as with any other call."""
    assert lease_of(let)
    assert waited(let, work.nap, 0.1)

    assert let._crew.readiness is not None
    assert let._crew.readiness.lent is None


def test_it_never_rings(let: ProcessBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be stopped, or its GIL be held by a thread that a call has left: the manager looks after a while."""
    monkeypatch.setattr(manager, "MOST_SECONDS", MOST_SECONDS)
    let._wake()  # it sleeps for as long as was the rule before
    assert waited(let, be_mute)
    until(lambda: trusting(let))
    handed = Handed()
    let.submit(handed.task(work.double, 21))

    assert [42] == [outcome.value for outcome in handed.wait(1, 5.0)]
    assert lease_of(let) is None


def be_mute() -> bool:
    """In a worker: from now on the bell makes no sound."""
    from adaptive_exec.backends.processes import outlet

    outlet.ring = lambda bell: None  # type: ignore[attr-defined]
    return True


@pytest.mark.parametrize("waits", [False, True])
def test_it_dies_while_it_is_let(let: ProcessBackend, waits: bool) -> None:
    """That is noticed, whether somebody waits or not."""
    handed = Handed()
    task = handed.task(work.kill_me, 9)
    let.submit(task)
    if waits:
        with pytest.raises(WorkerDied):
            task.future.result(20)
    else:
        assert isinstance(handed.wait(1)[0].error, WorkerDied)
    assert 4 == waited(let, work.double, 2)


def test_it_dies_while_it_is_let_and_idle(let: ProcessBackend) -> None:
    """The next call goes to another."""
    worker = lease_of(let)
    worker.handle.kill()
    until(lambda: worker.handle.pid not in let.pids())

    assert lease_of(let) is None
    assert 4 == waited(let, work.double, 2)


def test_what_a_call_logs_is_told_while_it_runs(
    let: ProcessBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """The manager is rung for it, though nobody waits for the call."""
    handed = Handed()
    with caplog.at_level(logging.WARNING, "adaptive_exec.tests"):
        let.submit(handed.task(log_and_wait, 0.5))
        until(lambda: caplog.records)
        assert [] == handed.outcomes
        handed.wait(1)

    assert ["from a worker"] == [record.getMessage() for record in caplog.records]


def log_and_wait(seconds: float) -> None:
    """Log first."""
    logging.getLogger("adaptive_exec.tests").warning("from a worker")
    time.sleep(seconds)


def test_a_large_answer(let: ProcessBackend) -> None:
    """More than the channel holds, as text, waited for or not."""
    assert "x" * 300_000 == waited(let, large, 300_000)
    until(lambda: trusting(let))
    handed = Handed()
    let.submit(handed.task(large, 300_000))

    assert ["x" * 300_000] == [outcome.value for outcome in handed.wait(1)]


def large(size: int) -> str:
    """Plain, and not small."""
    return "x" * size


@pytest.mark.stress
def test_whoever_waits_or_does_not(make: Make) -> None:
    """Two threads, calls that are waited for at once, later, or never: each is answered, and soon."""
    pool = make(2)
    handed = Handed()
    late: list[float] = []

    def submit(seed: int) -> None:
        for n in range(1500):
            task = handed.task(work.double, n)
            began = time.monotonic()
            pool.submit(task)
            match (n * 7 + seed) % 5:
                case 0 | 1 | 2:
                    assert 2 * n == task.future.result(20)
                case 3:
                    done = threading.Event()
                    task.future.add_done_callback(lambda _, done=done: done.set())  # type: ignore[misc]
                    assert done.wait(20)
            late.append(time.monotonic() - began)

    threads = [threading.Thread(target=submit, args=(seed,), daemon=True) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    handed.wait(3000)

    assert 3000 == len(late)
    assert max(late) < 5.0
    assert os.getpid() not in pool.pids()


@pytest.mark.parametrize(
    ("cores", "busy", "polls"), [(2, 1, True), (2, 2, False), (1, 1, False), (4, 2, True)]
)
def test_who_waits_polls_only_on_a_core_that_is_left(
    make: Make, monkeypatch: pytest.MonkeyPatch, cores: int, busy: int, polls: bool
) -> None:
    """The workers that are at work have the first claim on the cores."""
    pool = make(2, cores=cores)
    handed = Handed()
    first = [handed.task(work.nap, 0.05) for _ in range(2)]
    for task in first:
        pool.submit(task)
    handed.wait(2)
    timeouts: list[float] = []
    readiness: Any = pool._crew.readiness
    inside = readiness.readable

    def readable(timeout: float) -> Any:
        timeouts.append(timeout)
        return inside(timeout)

    monkeypatch.setattr(readiness, "readable", readable)
    tasks = [handed.task(work.nap, 0.3) for _ in range(busy)]
    for task in tasks:
        pool.submit(task)
    timeouts.clear()  # the manager's, if it looked
    tasks[0].future.attend(tasks[0].future, 0.001)  # type: ignore[misc]

    assert timeouts
    assert polls is (timeouts[0] == 0.0)
    handed.wait(2 + busy)
