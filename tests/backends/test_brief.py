"""The brief lane: one thread goes through calls that are over in no time, and none of them holds up the others."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from adaptive_exec.backends.base import Task
from adaptive_exec.backends.threads import NEWCOMER_SECONDS, ThreadBackend
from adaptive_exec.platform.alarm import Alarm, make_alarm
from adaptive_exec.platform.gil import gil_enabled
from tests.backends.support import Handed, until, wind_up


@pytest.fixture(params=[pytest.param(False, id="pipe"), pytest.param(True, id="portable")])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadBackend]:
    """One that has one thread for brief calls, GIL or not; each kind of alarm."""
    monkeypatch.setattr("adaptive_exec.backends.threads.gil_enabled", lambda: True)
    monkeypatch.setattr("adaptive_exec.backends.brief.make_alarm", lambda: make_alarm(portable=request.param))
    with ExitStack() as stack:
        made = ThreadBackend(cores=2)
        stack.callback(wind_up, made)
        yield made


@pytest.fixture
def long_doze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sleeps in a seat doesn't wake by itself."""
    monkeypatch.setattr("adaptive_exec.backends.brief.DOZE_SECONDS", 600.0)


def brief(handed: Handed, fn: Callable[..., Any], *args: Any) -> Task:
    return handed.task(fn, *args, lane="brief", weight=1.0)


def test_one_thread_goes_through_them(backend: ThreadBackend) -> None:
    """In order, and each is handed back; what raises, or was cancelled, is nothing special."""
    handed, gate = Handed(), threading.Event()
    order: list[int] = []
    first = brief(handed, gate.wait, 20)
    backend.submit(first)
    tasks = [brief(handed, order.append, n) for n in range(50)]
    fails, cancelled = brief(handed, lambda: 1 // 0), brief(handed, order.append, -1)
    for task in (*tasks, fails, cancelled):
        backend.submit(task)
    assert cancelled.future.cancel()
    assert (52, 1, 1) == (backend.load().queued, backend.load().running, backend.load().workers)
    gate.set()
    handed.wait(53)

    assert list(range(50)) == order
    assert isinstance(fails.future.exception(0), ZeroDivisionError)
    until(lambda: backend.load().running == 0)
    assert (0, 1) == (backend.load().queued, backend.load().workers)


@pytest.mark.skipif(gil_enabled(), reason="with a GIL one thread is enough")
def test_without_a_gil_there_are_as_many_as_cores() -> None:
    """They compute at the same time."""
    handed, backend = Handed(), ThreadBackend(cores=2)
    together = threading.Barrier(2)
    for _ in range(2):
        backend.submit(brief(handed, together.wait, 20))
    handed.wait(2)
    wind_up(backend)


def test_one_that_was_ended_by_others_is_handed_back(backend: ThreadBackend) -> None:
    """Before it began: its dispatcher waits for it until it is."""
    handed, gate = Handed(), threading.Event()
    ran: list[int] = []
    backend.submit(brief(handed, gate.wait, 20))
    ended = brief(handed, ran.append, 1)
    backend.submit(ended)
    assert ended.future.try_result(None)
    gate.set()

    assert 2 == len(handed.wait(2))
    assert not ran


def test_a_brief_call_comes_as_the_last_one_ends(backend: ThreadBackend) -> None:
    """The thread has found nothing more, and is about to leave."""
    handed = Handed()
    late = brief(handed, lambda: "late")

    class Queue(deque[Task]):
        """Another task comes just as it is seen to be empty."""

        def popleft(self) -> Task:
            try:
                return super().popleft()
            except IndexError:
                if not late.future.done() and late not in self:
                    backend.submit(late)
                raise

    backend.brief.queue = backend._brief_queue = Queue()
    backend.submit(brief(handed, lambda: "early"))

    assert ["early", "late"] == [outcome.value for outcome in handed.wait(2)]


def test_one_that_takes_long_moves_on(backend: ThreadBackend) -> None:
    """Another thread takes over, and the first goes on to other things when its call ends."""
    handed, gate, begun = Handed(), threading.Event(), threading.Event()

    def blocks() -> bool:
        begun.set()
        return gate.wait(20)

    backend.submit(brief(handed, blocks))
    behind = [brief(handed, lambda: "behind") for _ in range(3)]
    for task in behind:
        backend.submit(task)
    assert begun.wait(20)
    backend.move_on_slow()
    assert not any(task.future.done() for task in behind)
    time.sleep(NEWCOMER_SECONDS)
    backend.move_on_slow()
    handed.wait(3)

    assert 1 == backend._lanes["wait"].running
    gate.set()
    handed.wait(4)
    until(lambda: not any(lane.running for lane in backend._lanes.values()))
    assert not backend._newcomers


def test_it_moves_on_as_it_ends(backend: ThreadBackend) -> None:
    """Its thread may be at the next call by then: what it takes up is counted once, wherever that is."""
    handed, gate, begun = Handed(), threading.Event(), threading.Event()

    def blocks() -> bool:
        begun.set()
        return gate.wait(20)

    backend.submit(brief(handed, blocks))
    assert begun.wait(20)
    (seat,) = backend._newcomers
    backend.move_on(seat)
    backend.move_on(seat)
    backend.submit(brief(handed, lambda: 1))
    handed.wait(1)
    gate.set()
    handed.wait(2)

    until(lambda: not any(lane.running for lane in backend._lanes.values()))
    assert all(lane.used == 0.0 for lane in backend._lanes.values())
    backend.move_on(seat)
    assert not any(lane.running for lane in backend._lanes.values())


def test_one_that_waits_for_another_stands_aside(backend: ThreadBackend) -> None:
    """A brief call may wait for one that is queued behind it, to any depth."""
    handed = Handed()

    def nest(depth: int) -> int:
        if depth == 0:
            return 0
        inner = brief(handed, nest, depth - 1)
        backend.submit(inner)
        result: int = inner.future.result(20)
        return 1 + result

    task = brief(handed, nest, 50)
    backend.submit(task)

    assert 50 == task.future.result(20)
    until(lambda: not any(lane.running for lane in backend._lanes.values()))
    assert 0 == backend._aside


def test_one_that_waits_for_those_behind_it_gets_company(backend: ThreadBackend) -> None:
    """In ways that nobody knows of; then a nudge lets another thread go through the rest."""
    handed, gate = Handed(), threading.Event()
    backend.submit(brief(handed, gate.wait, 20))
    backend.submit(brief(handed, gate.set))
    finished = backend.nudge(-1)
    assert 0 == finished
    backend.nudge(finished)

    assert {None, True} == {outcome.value for outcome in handed.wait(2)}


def test_one_is_taken_back(backend: ThreadBackend) -> None:
    """As long as no thread has it."""
    handed, gate = Handed(), threading.Event()
    backend.submit(brief(handed, gate.wait, 20))
    first, second = brief(handed, lambda: 1), brief(handed, lambda: 2)
    backend.submit(first)
    backend.submit(second)

    assert backend.withdraw(first)
    assert not backend.withdraw(first)
    assert 1 == backend.load().queued
    gate.set()
    assert [True, 2] == [outcome.value for outcome in handed.wait(2)]


def test_what_was_taken_before_the_end_is_finished(backend: ThreadBackend) -> None:
    """Then there are no more threads."""
    handed, gate = Handed(), threading.Event()
    backend.submit(brief(handed, gate.wait, 20))
    for _ in range(20):
        backend.submit(brief(handed, lambda: "queued"))
    backend.shutdown(wait=False)
    gate.set()
    backend.shutdown(wait=True)

    assert 21 == len(handed.wait(21))
    assert 0 == backend.load().workers


def test_no_thread_can_be_started(backend: ThreadBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any the submitter is told; with one that is busy elsewhere, that one comes to it."""
    handed, gate = Handed(), threading.Event()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            backend.submit(brief(handed, lambda: 1))
    assert (0, 0) == (backend.load().queued, backend.load().running)
    backend.submit(handed.task(gate.wait, 20))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        backend.submit(brief(handed, lambda: 2))
    assert (1, 1) == (backend.load().queued, backend.load().running)
    gate.set()

    assert [True, 2] == [outcome.value for outcome in handed.wait(2)]


@pytest.mark.usefixtures("long_doze")
def test_a_thread_sleeps_in_its_seat(backend: ThreadBackend) -> None:
    """It has nothing to do, seems to take no time, and has the next call at once."""
    handed = Handed()
    for n in range(3):
        backend.submit(brief(handed, threading.get_ident))
        handed.wait(n + 1)
        until(lambda: backend.brief.dozing)
        (seat,) = backend.brief.seats
        assert not any(seat.is_slow(when, 1.0) for when in (1.0, 100.0, 200.0))
        assert (0, 1) == (backend.load().running, backend.load().workers)

    assert 1 == len({outcome.value for outcome in handed.wait(3)})


def test_nobody_sleeps_for_ever(backend: ThreadBackend) -> None:
    """The seat is left, and the thread is idle as any other."""
    handed = Handed()
    backend.submit(brief(handed, int))
    handed.wait(1)

    until(lambda: backend.idle == 1)
    assert not backend.brief.dozing
    assert not backend.brief.seats


@pytest.mark.usefixtures("long_doze")
def test_who_sleeps_in_a_seat_makes_room(backend: ThreadBackend) -> None:
    """With one thread at most, for a call of another lane; and nobody sleeps there while that has to wait."""
    handed, gate = Handed(), threading.Event()
    backend.most = 1
    backend.submit(brief(handed, int))
    until(lambda: backend.brief.dozing)
    backend.submit(handed.task(int))
    handed.wait(2)
    backend.submit(brief(handed, gate.wait, 20))
    backend.submit(handed.task(int))
    gate.set()

    assert [0, 0, True, 0] == [outcome.value for outcome in handed.wait(4)]
    assert 1 == backend.load().workers


@pytest.mark.parametrize("comes", ["brief", "put", "other", "close", "end"])
@pytest.mark.parametrize("when", ["before it hangs", "when it hangs"])
@pytest.mark.usefixtures("long_doze")
def test_something_comes_as_one_falls_asleep(backend: ThreadBackend, comes: str, when: str) -> None:
    """It has seen that there are no calls, and hangs up its alarm just then."""
    handed = Handed()
    happens: list[Callable[[], object]] = [
        {
            "brief": lambda: backend.submit(brief(handed, int)),
            "put": lambda: backend.put(brief(handed, int)),
            "other": lambda: backend.submit(handed.task(int)),
            "close": lambda: backend.close(int),
            "end": lambda: backend.shutdown(wait=False),
        }[comes]
    ]

    class Dozing(deque[Alarm]):
        """Something else happens as the first alarm is hung up."""

        def append(self, alarm: Alarm) -> None:
            if when == "when it hangs":
                super().append(alarm)
            if happens:
                happens.pop()()
            if when != "when it hangs":
                super().append(alarm)

    backend.most = 1
    backend.brief.dozing = backend._dozing = Dozing()
    backend.submit(brief(handed, int))

    if comes in ("close", "end"):
        until(lambda: not backend.brief.seats)
    else:
        handed.wait(2)


def test_a_call_comes_as_the_time_of_a_seat_runs_out(
    backend: ThreadBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its alarm has been taken down and not been rung yet, or never is."""
    handed = Handed()
    late = brief(handed, lambda: "late")

    class Runs(Alarm):
        """The time has run out, and somebody comes."""

        def sleep(self, seconds: float) -> bool:
            if late not in backend.brief.queue and not late.future.done():
                backend.brief.dozing.pop()
                backend.brief.queue.append(late)
            return False

        def ring(self) -> None:
            raise AssertionError

    monkeypatch.setattr("adaptive_exec.backends.brief.make_alarm", Runs)
    backend.submit(brief(handed, lambda: "early"))

    assert ["early", "late"] == [outcome.value for outcome in handed.wait(2)]


def test_a_ring_of_old_wakes_who_sleeps_next(backend: ThreadBackend) -> None:
    """It looks, finds nothing, and sleeps on; its alarm hangs there once."""
    handed = Handed()
    stale = make_alarm()
    stale.ring()
    backend.brief._alarms.append(stale)
    hung: list[int] = []

    class Dozing(deque[Alarm]):
        """Notes how many hang there."""

        def append(self, alarm: Alarm) -> None:
            super().append(alarm)
            hung.append(len(self))

    backend.brief.dozing = backend._dozing = Dozing()
    backend.submit(brief(handed, int))
    until(lambda: backend.idle == 1)

    assert [1, 1] == hung[:2]
    assert not backend.brief.dozing
    assert 1 == len(backend.brief._alarms)


@pytest.mark.skipif(gil_enabled(), reason="with a GIL one thread is enough")
@pytest.mark.usefixtures("long_doze")
def test_without_a_gil_many_wake_all_that_sleep() -> None:
    """One call wakes one of them, and two that wait for each other both."""
    handed, backend = Handed(), ThreadBackend(cores=2)
    for _ in range(20):
        together = threading.Barrier(2)
        for _ in range(2):
            backend.submit(brief(handed, together.wait, 20))
        until(lambda: len(backend.brief.dozing) == 2)
    backend.put(brief(handed, int))
    handed.wait(41)
    wind_up(backend)

    assert 0 == backend.load().workers


@pytest.mark.stress
def test_many_submitters_and_many_kinds() -> None:
    """Each is handed back once, whichever lane it was in, and whoever was about to leave."""
    handed, backend = Handed(), ThreadBackend(cores=2)
    mover = threading.Event()

    def submit(seed: int) -> None:
        for n in range(4000):
            lane: Any = ("brief", "brief", "brief", "wait", "gil")[(n + seed) % 5]
            fn = time.sleep if n % 997 == 0 else int
            backend.submit(handed.task(fn, 0, lane=lane, weight=1.0 if lane != "wait" else 0.1))

    def move() -> None:
        while not mover.is_set():
            for seat in list(backend._newcomers):
                backend.move_on(seat)
            backend.nudge(-1)

    moving = threading.Thread(target=move)
    moving.start()
    threads = [threading.Thread(target=submit, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = handed.wait(16_000, 60)
    mover.set()
    moving.join()
    wind_up(backend)

    assert 16_000 == len(outcomes)
    assert not any(lane.running or lane.queue for lane in backend._lanes.values())
    assert not backend._newcomers
