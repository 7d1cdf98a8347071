"""The process backend: isolation, what a death costs, stopping, and what may travel."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.base import Refused, Unavailable
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.errors import NotPicklable, WorkerDied
from adaptive_exec.platform.forkserver import available
from tests import work
from tests.backends.support import Handed

Make = Callable[..., ProcessBackend]

CONTEXTS = [
    pytest.param(None, id="default"),
    pytest.param("spawn", marks=pytest.mark.full),
    pytest.param(
        "forkserver", marks=[pytest.mark.full, pytest.mark.skipif(not available(), reason="no fork")]
    ),
]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 2, *args: Any, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, *args, **kwargs)
            stack.callback(pool.shutdown, wait=True)
            return pool

        yield made


def wait_for_file(path: Path) -> int:
    """The pid that a `say_and_wait` has written."""
    for _ in range(2000):
        if path.exists() and (text := path.read_text()):
            return int(text)
        threading.Event().wait(0.005)  # only the file system tells
    raise AssertionError("the task never began")


@pytest.mark.parametrize("context", CONTEXTS)
def test_it_runs_elsewhere(make: Make, context: str | None) -> None:
    """Tasks run in other processes, and their samples come back."""
    handed, pool = Handed(), make(2, context)
    for _ in range(10):
        task = handed.task(work.pid)
        task.measure = True
        pool.submit(task)

    outcomes = handed.wait(10)
    assert os.getpid() not in {outcome.value for outcome in outcomes}
    assert all(outcome.sample is not None and outcome.sample.alone for outcome in outcomes)


def test_nothing_is_started_before_it_is_needed(make: Make) -> None:
    """A pool without tasks has no processes and no thread."""
    threads = threading.active_count()
    pool = make()

    assert [] == pool.pids()
    assert threads == threading.active_count()


def test_no_more_workers_than_work(make: Make) -> None:
    """One task at a time needs one worker."""
    handed, pool = Handed(), make(4)
    for count in range(1, 6):
        pool.submit(handed.task(work.pid))
        handed.wait(count)

    assert 1 == len(pool.pids())


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(
    ("how", "argument", "code", "said"),
    [
        (work.kill_me, signal.SIGKILL, -9, "SIGKILL"),
        (work.kill_me, signal.SIGSEGV, -11, "SIGSEGV"),
        (work.leave, 3, 3, "exit code 3"),
    ],
)
def test_a_death_costs_one_task(
    make: Make, context: str | None, how: Any, argument: int, code: int, said: str
) -> None:
    """Only the task that was executing fails, and the error says what happened; the others don't notice."""
    handed, pool = Handed(), make(2, context)
    before = [handed.task(work.double, n) for n in range(20)]
    fatal = handed.task(how, argument)
    after = [handed.task(work.double, n) for n in range(20)]
    for task in (*before, fatal, *after):
        pool.submit(task)

    assert [2 * n for n in range(20)] * 2 == [task.future.result(30) for task in (*before, *after)]
    error = fatal.future.exception(30)
    assert isinstance(error, WorkerDied)
    assert (code, how.__name__) == (error.exitcode, error.task)
    assert said in str(error)
    assert error.pid is not None


def test_an_idle_worker_may_die(make: Make) -> None:
    """The next task gets another worker."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.pid))
    first = handed.wait(1)[0].value
    os.kill(first, signal.SIGKILL)
    pool.submit(handed.task(work.pid))

    second = handed.wait(2)[1]
    assert second.error is None
    assert first != second.value


def test_death_before_begun(make: Make) -> None:
    """A task that was written to a worker that is stopped, and then killed, was not begun: another runs it."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.pid))
    first = handed.wait(1)[0].value
    os.kill(first, signal.SIGSTOP)
    pool.submit(handed.task(work.pid))
    os.kill(first, signal.SIGKILL)

    second = handed.wait(2)[1]
    assert second.error is None
    assert first != second.value


def test_cancel_ends_a_running_task(make: Make, tmp_path: Path) -> None:
    """Its process is gone, and the pool serves on."""
    handed, pool = Handed(), make(1)
    task = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(task)
    running = wait_for_file(tmp_path / "pid")
    pool.cancel(task)
    pool.submit(handed.task(work.pid))

    assert isinstance(handed.wait(2)[0].error, WorkerDied)
    assert running != handed.wait(2)[1].value


def test_cancel_spares_the_next_task(make: Make) -> None:
    """Cancelling a task that has just ended does no harm to the one that follows it."""
    handed, pool = Handed(), make(1)
    first, second = handed.task(work.pid), handed.task(work.nap, 0.2)
    pool.submit(first)
    pool.submit(second)
    first.future.result(20)
    pool.cancel(first)

    assert 0.2 == second.future.result(20)


def test_cancel_of_a_queued_task(make: Make, tmp_path: Path) -> None:
    """It is dropped at once, while the worker goes on with what it has."""
    handed, pool = Handed(), make(1)
    running = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(running)
    wait_for_file(tmp_path / "pid")
    queued = handed.task(work.pid)
    pool.submit(queued)
    queued.future.cancel()
    pool.cancel(queued)

    assert [queued] == [task for task, _ in handed.outcomes]
    pool.cancel(running)
    handed.wait(2)


def test_submit_against_shutdown(make: Make) -> None:
    """What was taken is finished, what comes after is refused, and no process is left."""
    handed, pool = Handed(), make(2)
    for n in range(20):
        pool.submit(handed.task(work.double, n))
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(handed.task(work.pid))

    pool.shutdown(wait=True)
    assert 20 == len(handed.wait(20))
    assert [] == pool.pids()


def test_abort_ends_what_runs(make: Make, tmp_path: Path) -> None:
    """Every task is handed back, in bounded time."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.say_and_wait, str(tmp_path / "pid")))
    wait_for_file(tmp_path / "pid")
    pool.abort()

    assert isinstance(handed.wait(1)[0].error, WorkerDied)
    pool.shutdown(wait=True)


def test_what_cannot_travel(make: Make) -> None:
    """Arguments fail in the submitter, results in the task; both name the object."""
    handed, pool = Handed(), make(1)
    with pytest.raises(NotPicklable, match="lock"):
        pool.submit(handed.task(work.double, threading.Lock()))
    pool.submit(handed.task(work.return_generator))
    pool.submit(handed.task(work.return_unreadable))
    pool.submit(handed.task(work.double, work.Unreadable()))

    generator, unreadable, refused = handed.wait(3)
    assert isinstance(generator.error, NotPicklable)
    assert "can't be read here" in str(unreadable.error)
    assert isinstance(refused.error, Refused)


def test_exceptions(make: Make) -> None:
    """They arrive with the worker's traceback; those that can't be read again arrive wrapped."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.fail, "no luck"))
    pool.submit(handed.task(work.raise_awkward))

    plain, awkward = (outcome.error for outcome in handed.wait(2))
    assert isinstance(plain, ValueError)
    assert "in fail" in str(plain.__cause__)
    assert isinstance(awkward, RuntimeError)
    assert "tests.work.Awkward: one" in str(awkward)


def test_methods_and_closures(make: Make) -> None:
    """The object of a method is an argument; a closure is sent as it is now, each time."""
    handed, pool = Handed(), make(1)
    factor = 2

    def scale(x: int) -> int:
        return x * factor

    pool.submit(handed.task(work.Counter().peek, 10))
    pool.submit(handed.task(scale, 5))
    handed.wait(2)
    factor = 3
    pool.submit(handed.task(scale, 5))

    assert [285, 10, 15] == [outcome.value for outcome in handed.wait(3)]


def test_more_functions_than_a_worker_remembers(make: Make) -> None:
    """Functions that were forgotten are sent again."""
    handed, pool = Handed(), make(1)
    functions = [eval(f"lambda: {n} + {'0 + ' * 50} 0") for n in range(300)]
    for function in (*functions, *functions):
        pool.submit(handed.task(function))

    assert list(range(300)) * 2 == [outcome.value for outcome in handed.wait(600)]


def test_initializer(make: Make, tmp_path: Path) -> None:
    """It runs once in each worker, before the first task."""
    handed, pool = Handed(), make(1, None, work.initialize, (str(tmp_path / "log"),))
    pool.submit(handed.task(work.pid))
    pool.submit(handed.task(work.pid))

    pids = {outcome.value for outcome in handed.wait(2)}
    assert [str(pid) for pid in pids] == (tmp_path / "log").read_text().split()


def test_initializer_that_fails(make: Make) -> None:
    """It is told once with its traceback, to every task that waits; nothing is started for ever."""
    handed, pool = Handed(), make(1, None, work.initialize_badly)
    pool.submit(handed.task(work.pid))

    (outcome,) = handed.wait(1)
    assert isinstance(outcome.error, Unavailable)
    assert isinstance(outcome.error.__cause__, WorkerDied)
    assert "no licence" in str(outcome.error)


def test_initializer_that_dies(make: Make) -> None:
    """A worker that dies while it starts is tried again a few times, then it is an error."""
    handed, pool = Handed(), make(1, None, work.leave, (9,))
    pool.submit(handed.task(work.pid))

    (outcome,) = handed.wait(1)
    assert isinstance(outcome.error, Unavailable)
    assert isinstance(outcome.error.__cause__, WorkerDied)
    assert "ended while it started (exit code 9)" in str(outcome.error)


def test_large_messages(make: Make) -> None:
    """Payloads far beyond a pipe's buffer travel both ways, on several workers at once."""
    handed, pool = Handed(), make(2)
    data = b"x" * 5_000_000
    for _ in range(6):
        pool.submit(handed.task(work.double, data))

    assert {10_000_000} == {len(outcome.value) for outcome in handed.wait(6)}


def test_workers_resemble_their_parent(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Environment, directory and import path are the parent's as they are when the worker starts."""
    monkeypatch.setenv("AE_TEST_VALUE", "from the parent")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, "/nowhere"])
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(eval("lambda: __import__('os').environ['AE_TEST_VALUE']")))
    pool.submit(handed.task(os.getcwd))
    pool.submit(handed.task(eval("lambda: __import__('sys').path[-1]")))

    assert ["from the parent", str(tmp_path), "/nowhere"] == [outcome.value for outcome in handed.wait(3)]


def test_surroundings_that_change(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A call finds the directory and the limits that the caller has now, not those of the worker's start."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(os.getcwd))
    assert os.getcwd() == handed.wait(1)[0].value
    monkeypatch.chdir(tmp_path)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 123)
    try:
        pool.submit(handed.task(os.getcwd))
        pool.submit(handed.task(sys.getrecursionlimit))
        assert [str(tmp_path), before + 123] == [outcome.value for outcome in handed.wait(3)[1:]]
    finally:
        sys.setrecursionlimit(before)
