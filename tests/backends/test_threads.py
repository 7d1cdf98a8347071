"""The thread backend: lanes, growth, standing aside, the end of idle threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from adaptive_exec.backends.base import UNKNOWN
from adaptive_exec.backends.threads import ThreadBackend
from adaptive_exec.futures import Future
from adaptive_exec.platform.thread_states import open_this_thread
from adaptive_exec.profiling.sampler import Sampler
from adaptive_exec.sample import Sample
from tests.backends.support import Handed, until, wind_up
from tests.profiling.fakes import FakeEyes

Make = Callable[..., ThreadBackend]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes backends, and ends them."""
    with ExitStack() as stack:

        def made(*args: Any, **kwargs: Any) -> ThreadBackend:
            backend = ThreadBackend(*args, **kwargs)
            stack.callback(wind_up, backend)
            return backend

        yield made


def test_it_runs_and_measures(make: Make) -> None:
    """A task's value and a sample come back."""
    handed, backend = Handed(), make()
    backend.submit(handed.task(lambda: 42))

    (outcome,) = handed.wait(1)
    assert 42 == outcome.value
    assert outcome.sample is not None
    assert outcome.sample.wall_ns > 0


def test_the_sampler_is_ready_before_a_measured_call_is_queued(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever submits sees to that, before there are threads that compete with it; the rest costs nothing."""
    eyes = FakeEyes()
    sampler = Sampler(eyes)
    monkeypatch.setattr("adaptive_exec.backends.threads.get_sampler", lambda: sampler)
    by: list[threading.Thread] = []
    eyes.on_prepare = lambda: by.append(threading.current_thread())
    handed, backend = Handed(), make()
    unmeasured, measured = handed.task(lambda: 1), handed.task(lambda: 2)
    unmeasured.measure, measured.measure = False, True
    try:
        backend.submit(unmeasured)
        handed.wait(1)
        assert not by
        backend.submit(measured)
        assert [threading.current_thread()] == by
        handed.wait(2)
        assert 1 == len(by)
    finally:
        sampler.close()


def test_it_hands_errors_back(make: Make) -> None:
    """Every kind of exception comes back, and the thread goes on."""
    handed, backend = Handed(), make()

    def leave() -> None:
        raise SystemExit(3)

    backend.submit(handed.task(leave))
    backend.submit(handed.task(lambda: 1 // 0))
    backend.submit(handed.task(lambda: "fine"))

    errors = {type(outcome.error) for outcome in handed.wait(3)}
    assert {SystemExit, ZeroDivisionError, type(None)} == errors


def test_weights_fill_a_lane(make: Make) -> None:
    """As many tasks run side by side as their weights allow; the rest waits its turn."""
    handed, backend = Handed(), make(cores=2)
    gate = threading.Event()
    running = threading.Semaphore(0)

    def work() -> None:
        running.release()
        gate.wait(10)

    for _ in range(5):
        backend.submit(handed.task(work, lane="free", weight=1.0))
    for _ in range(3):
        backend.submit(handed.task(work, lane="wait", weight=0.5))
    for _ in range(5):
        assert running.acquire(timeout=10)

    load = backend.load()
    assert (3, 5) == (load.queued, load.running)
    gate.set()
    handed.wait(8)


def test_the_cap_holds(make: Make) -> None:
    """No more threads work than `max_threads`, whatever the weights say."""
    handed, backend = Handed(), make(2)
    gate = threading.Event()
    for _ in range(5):
        backend.submit(handed.task(gate.wait, 10))

    assert 2 == backend.load().workers
    gate.set()
    handed.wait(5)
    assert 2 == backend.load().workers


def test_a_waiting_task_stands_aside(make: Make) -> None:
    """With one thread allowed, a task may wait for another that it submitted, to any depth."""
    handed, backend = Handed(), make(1)

    def nest(depth: int) -> int:
        if depth == 0:
            return 0
        inner = handed.task(nest, depth - 1)
        backend.submit(inner)
        result: int = inner.future.result(20)
        return 1 + result

    task = handed.task(nest, 50)
    backend.submit(task)
    assert 50 == task.future.result(20)


def test_nudge_lets_a_stuck_lane_grow(make: Make) -> None:
    """Tasks that wait for those behind them get company, once nothing has ended for a while."""
    handed, backend = Handed(), make(cores=1)
    together = threading.Barrier(4)
    for _ in range(4):
        backend.submit(handed.task(together.wait, 20, lane="free", weight=1.0))
    assert 3 == backend.load().queued

    finished = -1
    for _ in range(20):
        finished = backend.nudge(finished)
    handed.wait(4)


def test_idle_threads_end(make: Make) -> None:
    """A thread that has had nothing to do for a while is gone, and work after that gets a new one."""
    handed, backend = Handed(), make(idle_seconds=0.01)
    backend.submit(handed.task(lambda: 1))
    handed.wait(1)
    while backend.load().workers:
        threading.Event().wait(0.005)  # nobody tells us when a thread leaves

    backend.submit(handed.task(lambda: 2))
    assert 2 == handed.wait(2)[1].value


def test_task_given_to_a_thread_that_is_leaving(make: Make) -> None:
    """A thread whose idle time has just run out takes a task that comes before it is off the list."""
    handed = Handed()
    at_the_door, go_on = threading.Event(), threading.Event()

    def gate() -> None:
        at_the_door.set()
        go_on.wait(10)

    backend = make(idle_seconds=0.01, before_leaving=gate)
    backend.submit(handed.task(threading.get_ident))
    first = handed.wait(1)[0].value
    assert at_the_door.wait(10)
    backend.submit(handed.task(threading.get_ident))
    go_on.set()

    assert first == handed.wait(2)[1].value


def test_submit_against_shutdown(make: Make) -> None:
    """What was taken before the end is finished, what comes after is refused."""
    handed, backend = Handed(), make(1)
    gate = threading.Event()
    backend.submit(handed.task(gate.wait, 10))
    backend.submit(handed.task(lambda: "queued"))
    backend.shutdown(wait=False)

    with pytest.raises(RuntimeError, match="after shutdown"):
        backend.submit(handed.task(lambda: "late"))
    gate.set()
    backend.shutdown(wait=True)
    assert "queued" == handed.wait(2)[1].value
    assert 0 == backend.load().workers


def test_cancelled_tasks_are_dropped_when_their_turn_comes(make: Make) -> None:
    """A cancelled task is handed back without being run."""
    handed, backend = Handed(), make(1)
    gate = threading.Event()
    ran: list[int] = []
    backend.submit(handed.task(gate.wait, 10))
    task = handed.task(ran.append, 1)
    backend.submit(task)
    assert task.future.cancel()
    gate.set()

    handed.wait(2)
    assert [] == ran


def test_context_variables_are_carried(make: Make) -> None:
    """A task sees the context of its submitter."""
    import contextvars

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")
    handed, backend = Handed(), make()
    variable.set("submitter's")
    backend.submit(handed.task(variable.get))

    assert "submitter's" == handed.wait(1)[0].value


def test_waiting_for_an_ordinary_future_of_ours_is_noticed(make: Make) -> None:
    """Standing aside ends with the wait, so the counts come back to what they were."""
    handed, backend = Handed(), make(1)
    future: Future[int] = Future()
    task = handed.task(future.result, 10)
    other = handed.task(lambda: future.try_result(5))
    backend.submit(task)
    backend.submit(other)

    assert 5 == task.future.result(10)
    backend.shutdown(wait=True)
    assert 2 == len(handed.outcomes)
    assert 0 == backend.load().running


def test_a_task_is_taken_back(make: Make) -> None:
    """One that waits can be; one that a thread has been given can't."""
    handed, backend = Handed(), make()
    go, begun = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        go.wait(20)

    running = handed.task(run, lane="gil", weight=2.0)
    waiting = handed.task(lambda: None, lane="gil", weight=2.0)
    backend.submit(running)
    backend.submit(waiting)
    assert begun.wait(20)

    assert not backend.withdraw(running)
    assert backend.withdraw(waiting)
    assert not backend.withdraw(waiting)
    go.set()
    handed.wait(1)
    assert [running] == [task for task, _ in handed.outcomes]
    assert 0 == backend.load().queued


def newcomer(handed: Handed, fn: Callable[[], object]) -> Any:
    """A task of a function that nobody knows."""
    task = handed.task(fn)
    task.lane, task.weight = "new", UNKNOWN
    return task


def test_newcomers_run_two_at_a_time(make: Make) -> None:
    """Beside two that compute no other is begun; what is known goes on beside them."""
    handed, backend, gate = Handed(), make(), threading.Event()
    begun: list[int] = []

    def compute(number: int) -> None:
        begun.append(number)
        assert gate.wait(20)

    for number in range(4):
        backend.submit(newcomer(handed, lambda number=number: compute(number)))  # type: ignore[misc]
    known = handed.task(lambda: None)
    backend.submit(known)
    handed.wait(1)
    until(lambda: len(begun) == 2)

    assert {0, 1} == set(begun)
    assert 2 == backend.load().queued
    gate.set()
    handed.wait(5)
    assert {0, 1, 2, 3} == set(begun)


def test_a_newcomer_that_waits_makes_room(make: Make) -> None:
    """Each that is told to move on lets the next one begin, so those that wait for each other all end."""
    handed, backend, meeting = Handed(), make(), threading.Barrier(4)
    tasks = [newcomer(handed, lambda: meeting.wait(20)) for _ in range(4)]
    for task in tasks:
        backend.submit(task)
    for task in tasks[:2]:
        backend.move_on(task)
        assert "wait" == task.lane

    assert {0, 1, 2, 3} == {outcome.value for outcome in handed.wait(4)}
    assert all(lane.used == 0.0 and lane.running == 0 for lane in backend._lanes.values())
    assert not backend._newcomers


def test_a_newcomer_that_has_left_does_not_move_on(make: Make) -> None:
    """One that has ended, and one that stands aside: the lanes count neither of them twice."""
    handed, backend = Handed(), make()
    ended = newcomer(handed, lambda: None)
    backend.submit(ended)
    handed.wait(1)
    backend.move_on(ended)
    assert "new" == ended.lane

    inner: Future[int] = Future()
    waiting = newcomer(handed, lambda: inner.result(20))
    other = newcomer(handed, lambda: backend.move_on(waiting))
    backend.submit(waiting)
    until(lambda: backend._aside == 1)
    backend.submit(other)
    handed.wait(2)
    assert "new" == waiting.lane
    inner.set_result(1)
    handed.wait(3)

    assert all(lane.used == 0.0 and lane.running == 0 for lane in backend._lanes.values())


@pytest.mark.parametrize(
    ("seen", "moves"),
    [
        pytest.param(None, False, id="nobody can tell"),
        pytest.param(Sample(3_000_000, 2_900_000, looks=1), False, id="it computes"),
        pytest.param(Sample(3_000_000, 100_000, looks=1), False, id="it wants the GIL, the sampler says"),
        pytest.param(Sample(3_000_000, 100_000), True, id="by the clocks it waits"),
        pytest.param(Sample(26_000_000, 26_000_000, looks=9), True, id="it takes long"),
    ],
)
def test_slow_newcomers_move_on(make: Make, seen: Sample | None, moves: bool) -> None:
    """Whoever looks now and then sees to it that nothing is held up by a call that polls, or computes for long."""
    handed, backend, gate = Handed(), make(), threading.Event()

    class Meter:
        def peek(self) -> Sample | None:
            return seen

    task = newcomer(handed, lambda: gate.wait(20))
    begun = threading.Event()
    task.on_begin = begun.set
    backend.submit(task)
    assert begun.wait(20)
    until(lambda: task.meter is not None)
    task.meter = Meter()
    backend.move_on_slow()

    assert ("wait" if moves else "new") == task.lane
    gate.set()
    handed.wait(1)


@pytest.mark.skipif(open_this_thread() is None, reason="states of threads can't be seen")
def test_who_wants_to_know_is_told_of_a_wait(make: Make) -> None:
    """The sampler sees it, and tells it once."""
    handed, backend, told = Handed(), make(), threading.Semaphore(0)
    task = newcomer(handed, lambda: told.acquire(timeout=20))
    task.on_wait = told.release
    task.measure = True
    backend.submit(task)

    (outcome,) = handed.wait(1)
    assert outcome.value is True
    assert not told.acquire(blocking=False)


@pytest.mark.parametrize(
    ("joins", "at_once"), [(False, 2), (True, None)], ids=["all the while", "not always"]
)
def test_who_ran_beside_a_call(make: Make, joins: bool, at_once: int | None) -> None:
    """As many when it ended as when it began, or it says nothing."""
    handed, backend = Handed(), make()
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def say_and_wait(says: threading.Event, until: threading.Event) -> None:
        says.set()
        until.wait(20)

    other = handed.task(lambda: gate.wait(20))
    measured = handed.task(say_and_wait, begun, ended)
    measured.measure = True
    backend.submit(other)
    backend.submit(measured)
    assert begun.wait(20)
    if joins:
        third = threading.Event()
        backend.submit(handed.task(say_and_wait, third, gate))
        assert third.wait(20)
    ended.set()
    handed.wait(1)

    assert other.company is None
    assert at_once == (None if measured.company is None else measured.company.at_once)
    gate.set()
    handed.wait(3 if joins else 2)


@pytest.mark.parametrize("idle", [False, True])
def test_interrupted_as_a_thread_is_given_a_task(make: Make, idle: bool) -> None:
    """Whatever line of it is reached: the task runs, or nothing of it is left; and the next one runs."""
    for step in range(1, 200):
        handed, backend = Handed(), make(2)
        if idle:
            backend.submit(handed.task(int))
            handed.wait(1)
            until(lambda backend=backend: backend.idle)  # type: ignore[misc]
        steps = [0]

        def trace(frame: Any, event: str, _: object, steps: list[int] = steps, step: int = step) -> Any:
            code = frame.f_code
            inside = code.co_name in (
                "_start",
                "_enter",
                "enter",
                "give",
            )  # no signal is dealt with as a lock is let go
            if not (inside and code.co_filename.endswith(("backends/threads.py", "lane.py"))):
                return None
            steps[0] += event == "line"
            if steps[0] == step:
                steps[0] += 1
                raise KeyboardInterrupt
            return trace

        interrupted = False
        ran: list[int] = []
        sys.settrace(trace)
        try:
            backend.submit(handed.task(ran.append, 1))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(None)
        next_one = handed.task(str)
        backend.submit(next_one)
        assert "" == next_one.future.result(20)
        backend.shutdown(wait=True)
        assert (0, 0, 0) == (backend.load().running, backend.load().workers, backend.load().queued)
        assert interrupted or [1] == ran
        if not interrupted:
            assert step > 10
            return
    raise AssertionError("it has more steps than that")


@pytest.mark.parametrize("begun", [False, True])
def test_interrupted_as_a_thread_is_started(make: Make, begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is waited for, or before: the task runs once, or never."""
    start = threading.Thread.start

    def interrupted(self: threading.Thread) -> None:
        if begun:
            start(self)
        raise KeyboardInterrupt

    handed, backend = Handed(), make(2)
    ran: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            backend.submit(handed.task(ran.append, 1))
    last = handed.task(str)
    backend.submit(last)
    assert "" == last.future.result(20)
    backend.shutdown(wait=True)
    assert (0, 0, 0) == (backend.load().running, backend.load().workers, backend.load().queued)
    assert ran in ([], [1])
    assert begun or not ran
