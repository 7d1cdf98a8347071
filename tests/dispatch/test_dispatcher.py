"""The dispatcher: scouts, held calls, what is refused, retried, timed out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.base import Outcome, Task
from adaptive_exec.errors import NotPicklable, TaskTimeout, WorkerDied
from adaptive_exec.executor import AdaptiveExecutor
from adaptive_exec.futures import Future
from adaptive_exec.model import DEFAULT, Decision, Profile
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.primitives import Queue
from adaptive_exec.profiling.call import CallMeter
from adaptive_exec.profiling.gain import Company
from adaptive_exec.sample import Sample
from tests import nesting, work
from tests.backends.support import Handed


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


def test_a_burst_of_an_unknown_function_is_routed_together(executor: AdaptiveExecutor) -> None:
    """Of many calls at once only the scouts run before it is known where the others belong."""
    futures = [executor.submit(work.compute, 300_000) for _ in range(60)]
    results = {future.result(30) for future in futures}

    assert {work.compute(300_000)} == results
    if gil_enabled():
        assert backends_of(futures).count("process") >= 40
    else:
        assert {"thread"} == set(backends_of(futures))


def backends_of(futures: list[Future[int]]) -> list[str]:
    """Where each of the calls went."""
    return [future.decision.backend for future in futures if future.decision is not None]


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is in doubt")
def test_idle_workers_take_calls_while_figures_are_doubted(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the doubts never end, every call does, most of them in workers."""
    monkeypatch.setattr("adaptive_exec.dispatch.router.is_trusted", lambda profile, machine: False)
    executor.options(backend="process").submit(work.pid).result(30)
    futures = [executor.submit(work.compute, 300_000) for _ in range(60)]

    assert {work.compute(300_000)} == {future.result(60) for future in futures}
    reasons = [future.decision.reason for future in futures if future.decision is not None]
    assert sum("still being looked at" in reason for reason in reasons) > 10
    assert backends_of(futures).count("process") > 30


@pytest.mark.parametrize(
    ("looks", "blocked", "more"),
    [(None, 0, True), (0, 0, False), (3, 0, False), (3, 300_000_000, True)],
    ids=["nobody can look", "no look yet", "seen to want the GIL", "seen to wait"],
)
def test_more_scouts_are_sent_only_if_one_was_seen_to_wait(
    executor: AdaptiveExecutor,
    monkeypatch: pytest.MonkeyPatch,
    looks: int | None,
    blocked: int,
    more: bool,
) -> None:
    """By its clocks a scout that can't get the GIL looks as if it waited; they count where nothing else can be seen."""
    monkeypatch.setattr("adaptive_exec.dispatch.scouting.PATIENCE_SECONDS", 3600.0)
    monkeypatch.setattr(
        "adaptive_exec.profiling.call.CallMeter.peek",
        lambda meter: Sample(300_000_000, 0, sampled_ns=300_000_000, blocked_ns=blocked, looks=looks),
    )
    monkeypatch.setattr("adaptive_exec.dispatch.router.is_trusted", lambda profile, machine: False)
    begun, gate = threading.Semaphore(0), threading.Event()

    def wait_at_gate() -> None:
        begun.release()
        gate.wait(30)

    futures = [executor.submit(wait_at_gate) for _ in range(40)]
    try:
        all_sixteen = all(begun.acquire(timeout=30.0 if more else 0.5) for _ in range(16))
    finally:
        gate.set()
    for future in futures:
        future.result(30)

    assert more == all_sixteen


def test_scouts_in_a_queue_call_for_no_others(executor: AdaptiveExecutor) -> None:
    """That none of them ends says nothing as long as one has not begun; once all have, there are to be more."""
    scouting, handed = executor._dispatcher._scouting, Handed()
    record = executor._dispatcher._store.record(work.nap)
    limit = record.scout_limit
    scouts = [handed.task(work.nap, 0) for _ in range(limit)]
    held = handed.task(work.nap, 0)
    record.scouts.update(scouts)
    record.held.append(held)
    for scout in scouts[1:]:
        scout.meter = CallMeter(None)
    long_ago = record.released = record.widened = time.monotonic() - 60.0
    try:
        assert ([], True) == scouting._more_scouts(record, Profile(), tried=False)
        assert limit == record.scout_limit
        scouts[0].meter = CallMeter(None)
        record.released = long_ago
        assert ([held], False) == scouting._more_scouts(record, Profile(), tried=False)
        assert 2 * limit == record.scout_limit
    finally:
        record.scouts.clear()


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is in doubt")
def test_calls_that_meet_while_no_worker_is_idle(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them get to run here, though the pool could have them."""
    monkeypatch.setattr("adaptive_exec.dispatch.router.is_trusted", lambda profile, machine: False)
    monkeypatch.setattr(
        "adaptive_exec.dispatch.scouting.on_trial", lambda facts: Decision("process", "why not")
    )
    monkeypatch.setattr(
        "adaptive_exec.backends.processes.pool.ProcessBackend.vacancies", lambda pool, calls: 0
    )
    begun: Queue[int] = Queue()
    go: Queue[int] = Queue()
    futures = [executor.submit(nesting.compute_and_meet, n, begun, go) for n in range(6)]
    assert set(range(6)) == {begun.get(timeout=30) for _ in range(6)}
    for _ in range(6):
        go.put(0)

    assert list(range(6)) == [future.result(30) for future in futures]


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is in doubt")
def test_trials_for_which_no_pool_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls run here."""
    monkeypatch.setattr("adaptive_exec.dispatch.router.is_trusted", lambda profile, machine: False)
    with AdaptiveExecutor(max_processes=2, initializer=print, initargs=(threading.Lock(),)) as executor:
        futures = [executor.submit(work.compute, 300_000) for _ in range(40)]

        assert {work.compute(300_000)} == {future.result(60) for future in futures}


def test_waiting_calls_are_released_before_the_first_has_ended(executor: AdaptiveExecutor) -> None:
    """A scout that is seen waiting is enough to let the others wait beside it."""
    started = time.monotonic()
    assert [0.3] * 60 == list(executor.map(work.nap, [0.3] * 60))

    assert time.monotonic() - started < 0.3 * 10


def test_scouts_that_wait_for_those_behind_them(executor: AdaptiveExecutor) -> None:
    """Calls that can only go on together all get to run, however many are held at first."""
    together = threading.Barrier(20)
    futures = [executor.submit(together.wait, 30) for _ in range(20)]

    assert set(range(20)) == {future.result(30) for future in futures}


def test_call_held_as_the_last_scout_ends(executor: AdaptiveExecutor) -> None:
    """Calls that arrive while scouts are ending are not forgotten."""
    for number in range(30):
        function = eval(f"lambda x: x + {number}")  # unknown each time
        futures = [executor.submit(function, 0) for _ in range(10)]
        assert {number} == {future.result(20) for future in futures}


def test_cancel_against_release(executor: AdaptiveExecutor) -> None:
    """A held call that is cancelled never runs, and the others do."""
    gate = threading.Event()
    ran: list[int] = []

    def work_on(number: int) -> int:
        gate.wait(20)
        ran.append(number)
        return number

    futures = [executor.submit(work_on, number) for number in range(10)]
    assert futures[9].cancel()
    gate.set()

    assert list(range(9)) == [future.result(20) for future in futures[:9]]
    assert 9 not in ran
    with pytest.raises(CancelledError):
        futures[9].result(0)


def test_shared_state_is_never_left_behind(executor: AdaptiveExecutor) -> None:
    """A function that changes its module stays here, and every change is there."""
    work.SEEN.clear()
    list(executor.map(work.remember, range(50)))

    assert list(range(50)) == sorted(work.SEEN)
    if gil_enabled():
        assert "SEEN" in executor.explain(work.remember).reason


def test_module_state_that_differs_in_a_worker(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that reads what was changed here since its module was imported gives the answer of here."""
    monkeypatch.setattr(work, "LIMIT", 5)

    assert [0, 1, 2, 3, 4, 5, 5, 5] * 5 == list(executor.map(work.limited, list(range(8)) * 5))
    monkeypatch.setattr(work, "LIMIT", 7)
    assert [7] == list(executor.map(work.limited, [9]))


def test_results_that_cannot_travel_stay(executor: AdaptiveExecutor) -> None:
    """A function whose results can't be pickled is run here."""

    def generate(n: int) -> object:
        work.compute(n)
        return (i for i in range(3))

    for future in [executor.submit(generate, 60_000) for _ in range(30)]:
        assert [0, 1, 2] == list(future.result(20))  # type: ignore[call-overload]


def test_arguments_that_cannot_travel_stay(executor: AdaptiveExecutor) -> None:
    """A call with an argument that can't be pickled is run here, though others went away."""
    lock = threading.Lock()

    def compute(n: int, extra: object = None) -> int:
        return work.compute(n)

    expected = work.compute(60_000)
    assert {expected} == {executor.submit(compute, 60_000).result(20) for _ in range(60)}
    future = executor.submit(compute, 60_000, lock)

    assert expected == future.result(20)
    assert future.decision is not None
    assert "thread" == future.decision.backend


def test_forced_but_unable(executor: AdaptiveExecutor) -> None:
    """By force, what can't travel is an error that says so, and the executor serves on."""
    forced = executor.options(backend="process")
    with pytest.raises(NotPicklable, match="lock"):
        forced.submit(work.double, threading.Lock()).result(20)
    with pytest.raises(NotPicklable, match="leave the backend to the executor"):
        forced.submit(work.double, work.Unreadable()).result(20)

    assert 4 == forced.submit(work.double, 2).result(20)


def test_retries_after_a_death(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """A call whose worker died is run again if that was allowed."""
    forced = executor.options(backend="process")
    with pytest.raises(WorkerDied):
        forced.submit(work.die_once, str(tmp_path / "a")).result(20)

    assert "second time" == forced.options(retries=1).submit(work.die_once, str(tmp_path / "b")).result(20)


def test_no_retry_after_an_exception(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """What a function raises is its answer, not an accident."""
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ValueError

    with pytest.raises(ValueError):
        executor.options(retries=5).submit(fail).result(20)
    assert [1] == calls


def test_timeout_of_a_process(executor: AdaptiveExecutor, tmp_path: Path) -> None:
    """The process is ended, also when a retry follows, and the error names the limit."""
    path = tmp_path / "pid"
    limited = executor.options(backend="process", timeout=0.3)
    with pytest.raises(TaskTimeout, match=r"say_and_wait ran longer than its timeout of 0\.3 s"):
        limited.options(retries=1).submit(work.say_and_wait, str(path)).result(20)

    with pytest.raises(ProcessLookupError):
        _must_be_gone(int(path.read_text()))
    assert 4 == limited.submit(work.double, 2).result(20)


def _must_be_gone(pid: int) -> None:
    import os

    for _ in range(400):
        os.kill(pid, 0)
        threading.Event().wait(0.005)


def test_timeout_of_a_coroutine(executor: AdaptiveExecutor) -> None:
    """The coroutine is cancelled."""
    with pytest.raises(TaskTimeout):
        executor.options(timeout=0.05).submit(work.async_nap, 60).result(20)


def test_timeout_of_a_thread(executor: AdaptiveExecutor) -> None:
    """The thread goes on, and the error says so."""
    gate = threading.Event()
    future = executor.options(timeout=0.05).submit(gate.wait, 20)
    with pytest.raises(TaskTimeout, match="can't be stopped"):
        future.result(20)
    gate.set()


def test_no_timeout_for_what_ends_in_time(executor: AdaptiveExecutor) -> None:
    """A limit that is kept changes nothing."""
    limited = executor.options(timeout=20)

    assert 4 == limited.submit(work.double, 2).result(20)
    assert 4 == limited.options(backend="process").submit(work.double, 2).result(20)
    assert 4 == limited.submit(work.async_double, 2).result(20)


def test_a_finding_comes_before_the_figures(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sees a function settled sees also what spoke against its leaving in the call that settled it."""
    from adaptive_exec.profiling.estimate import Estimator

    mine: list[int] = []

    def change(target: list[int]) -> int:
        target.append(1)
        return work.compute(300_000)

    record = executor._dispatcher._store.record(change)
    stay_when_learnt: list[str] = []
    add = Estimator.add

    def gate(self: Estimator, sample: Sample) -> None:
        if self is record.estimator:
            stay_when_learnt.append(record.stay)
        add(self, sample)

    monkeypatch.setattr(Estimator, "add", gate)
    executor.submit(change, mine).result(20)

    assert [1] == mine
    if gil_enabled():  # without one nothing has a reason to leave, so nothing is compared
        assert "argument" in stay_when_learnt[0]


def test_a_verdict_is_published_last(executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees that a function was judged before its reason to stay is there."""
    from adaptive_exec.routing import store

    record = executor._dispatcher._store.record(work.remember)
    seen: list[bool] = []
    original = store.FunctionRecord.__setattr__

    def gate(self: store.FunctionRecord, name: str, value: object) -> None:
        if name == "verdict" and self is record:
            seen.append(bool(record.stay))
        original(self, name, value)

    monkeypatch.setattr(store.FunctionRecord, "__setattr__", gate, raising=False)
    assert not record.judged(work.remember).allowed
    assert [True] == seen


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is in doubt")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((300_000,), True),
        ((Queue(),), False),
        ((threading.Lock(),), False),
        (([b""],), True),
        (([time.sleep],), False),
    ],
    ids=["a number", "something shared", "a lock", "a list", "a function"],
)
def test_code_that_only_computes_ends_doubts(
    executor: AdaptiveExecutor, given: tuple[object, ...], expected: bool
) -> None:
    """After one call among many who want the GIL, whose wall says nothing; unless what it is given may wait."""
    dispatcher = executor._dispatcher
    record = dispatcher._store.record(work.compute)
    record.estimator.add(Sample(200_000_000, 5_000_000))
    task = Task(
        work.compute, given, {}, DEFAULT, work.compute, "compute", Future(), copy_context(), lambda *end: None
    )

    dispatcher._router.consult(task, record)

    assert expected is dispatcher._router.trusts(record, record.profile())
    assert expected is ("too few to judge" not in executor.explain(work.compute).reason)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, True),
        ({"scout": True}, False),
        ({"items": 4}, False),
        ({"as_twin": True}, False),
        ({"shape": object()}, False),
        ({"company": None}, False),
        ({"owner": "another"}, False),
        ({"sample": Sample(4_000_000, 300_000)}, False),
        ({"sample": Sample(4_000_000, 4_000_000, failed=True)}, False),
    ],
    ids=[
        "it does",
        "a scout",
        "a chunk",
        "a twin",
        "calls differ",
        "not seen",
        "others run",
        "short",
        "failed",
    ],
)
def test_which_calls_tell_what_threads_gain(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: bool
) -> None:
    """Those of one function, and alike, that nothing else was in the way of."""
    dispatcher = executor._dispatcher
    record = dispatcher._store.record(work.compute)
    task, beside = Handed().task(work.compute, 1), Handed().task(work.compute, 1)
    for each in (task, beside):
        each.owner, each.decision = record, Decision("thread", "as said")
        dispatcher._living.enter(each)
    told: list[Company] = []
    monkeypatch.setattr(
        type(record.estimator), "note_gain", lambda self, sample, company, cores: told.append(company)
    )
    task.company = Company(2, 8_000_000)
    sample = change.pop("sample", Sample(4_000_000, 4_000_000))
    if change.pop("owner", None):
        beside.owner = dispatcher._store.record(work.double)
    for name, value in change.items():
        setattr(task, name, value)
    if task.shape is not None:
        task.shape = record.estimator
    dispatcher._learning.learn(task, record, Outcome(sample=sample))
    for each in (task, beside):
        dispatcher._living.leave(each)

    assert ([Company(2, 8_000_000)] if says else []) == told
