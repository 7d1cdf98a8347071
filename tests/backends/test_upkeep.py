"""Workers come and go: idle ones are ended, worn ones replaced, and each can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.processes.launch import CAPS
from adaptive_exec.backends.processes.main_guard import UNGUARDED
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.model import WorkerStats
from adaptive_exec.observe.stats import ExecutorStats
from tests import telling, work
from tests.backends.support import Handed, wind_up

pytestmark = pytest.mark.full

Make = Callable[..., ProcessBackend]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 2, *args: Any, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, *args, **kwargs)
            stack.callback(wind_up, pool)
            return pool

        yield made


def until(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether something comes to hold in that time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)  # nobody tells of what happens inside the pool
    return holds()


def run(pool: ProcessBackend, fn: Callable[..., Any], *args: Any) -> Any:
    """Run one call."""
    task = Handed().task(fn, *args)
    pool.submit(task)
    return task.future.result(20)


def test_idle_workers_are_ended(make: Make) -> None:
    """All of them, in the end; the next task gets a new one."""
    pool, handed = make(2, idle_seconds=0.2), Handed()
    tasks = [handed.task(telling.pid_after, 0.2) for _ in range(2)]
    for task in tasks:
        pool.submit(task)
    first = {task.future.result(20) for task in tasks}
    assert 2 == len(first)
    assert until(lambda: not pool.pids())

    assert run(pool, work.pid) not in first
    assert (0, 0) == pool.turnover()


def test_the_one_that_is_used_is_kept(make: Make) -> None:
    """With too little work for two, the other goes."""
    pool, handed = make(2, idle_seconds=0.4), Handed()
    tasks = [handed.task(telling.pid_after, 0.2) for _ in range(2)]
    for task in tasks:
        pool.submit(task)
    first = {task.future.result(20) for task in tasks}
    used = set()

    def use() -> bool:
        used.add(run(pool, work.pid))
        return len(pool.pids()) == 1

    assert until(use)

    assert used < first
    assert used == set(pool.pids())


def test_an_idle_pool_sleeps(make: Make) -> None:
    """Its thread wakes up for the first that is to go, perhaps once before that, and not again after the last."""
    pool = make(1, idle_seconds=0.5)
    run(pool, work.pid)
    manager: Any = pool._manager
    waits: list[float | None] = []
    wait = manager._readiness.wait

    def counted(timeout: float | None) -> Any:
        waits.append(timeout)
        return wait(timeout)

    manager._readiness.wait = counted
    assert until(lambda: not pool.pids())
    time.sleep(0.2)  # nothing happens now

    assert waits[-1] is None
    assert len(waits) <= 6


def test_a_task_as_the_worker_is_sent_home(make: Make) -> None:
    """Tasks that come at that very moment are run, by this worker or by the next."""
    pool = make(1, idle_seconds=0.02)
    for n in range(25):
        assert 2 * n == run(pool, work.double, n)
        time.sleep(0.02)  # as long as it takes until it goes

    assert 0 == pool.turnover()[0]


def test_so_many_calls(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Each worker answers as many as it may, and not one more; nothing is said about it."""
    pool = make(1, max_tasks=3)
    pids = [run(pool, work.pid) for _ in range(9)]

    assert [3, 3, 3] == [pids.count(pid) for pid in dict.fromkeys(pids)]
    assert until(lambda: pool.turnover() == (0, 3))
    assert [] == caplog.records


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_lost_when_workers_leave(make: Make, workers: int) -> None:
    """What was sent ahead to a worker that leaves is run by others, once."""
    pool, handed = make(workers, max_tasks=20), Handed()
    tasks = [handed.task(work.double, n) for n in range(400)]
    for task in tasks:
        pool.submit(task)

    assert [2 * n for n in range(400)] == [task.future.result(30) for task in tasks]
    died, recycled = pool.turnover()
    assert 0 == died
    assert 20 - workers <= recycled <= 20 + workers
    assert 400 == len(handed.outcomes)


def test_memory_that_has_grown(make: Make) -> None:
    """The worker leaves after the call that made it too large."""
    pool = make(1, max_growth=60 << 20)
    first = run(pool, work.pid)
    assert first == run(pool, telling.hold, 20)
    time.sleep(0.15)  # it is looked at every now and then only
    assert first == run(pool, telling.hold, 80)

    assert until(lambda: pool.turnover() == (0, 1))
    assert first != run(pool, work.pid)


def test_each_worker_can_be_seen(make: Make, tmp_path: Path) -> None:
    """What it does, for how long, and how much it has done."""
    pool, handed = make(2), Handed()
    run(pool, work.pid)
    task = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(task)
    assert until((tmp_path / "pid").exists)
    time.sleep(0.05)  # it runs for some time

    (seen,) = pool.workers()
    assert ("running", "say_and_wait", 1) == (seen.state, seen.task, seen.calls)
    assert 0.05 <= seen.seconds < 20
    pool.cancel(task)
    handed.wait(1)
    assert isinstance(run(pool, work.pid), int)
    assert ["idle"] == [worker.state for worker in pool.workers()]
    assert (0, 0) == pool.turnover()


def test_deaths_are_counted() -> None:
    """In `stats()`, with the workers there are."""
    with AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        assert pool.submit(work.leave, 3).exception(20) is not None
        pid = pool.submit(work.pid).result(20)
        stats = executor.stats()

    assert (1, 0) == (stats.died, stats.recycled)
    assert [(pid, 1)] == [(worker.pid, worker.calls) for worker in stats.processes]
    assert "; died: 1; recycled: 0" in str(stats)


def test_the_table() -> None:
    """One line for all workers, and none if there never were any."""
    workers = (WorkerStats(7, "idle", 3), WorkerStats(8, "running", 0, "f", 1.25), WorkerStats(9, "starting"))
    stats = ExecutorStats((), {}, 0, {}, workers, 1, 2)

    assert (
        "processes: 7 idle (3 calls), 8 runs f for 1.25 s (0 calls), 9 starting (0 calls); died: 1; recycled: 2"
        == str(stats).splitlines()[-1]
    )
    assert "processes" not in str(ExecutorStats((), {}, 0, {}))


@pytest.mark.parametrize(("cores", "workers", "share"), [(8, 2, "4"), (2, 2, "1"), (2, 4, "1")])
def test_threads_of_libraries(
    make: Make, monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, share: str
) -> None:
    """Each worker's libraries may use its share of the cores."""
    for name in CAPS:
        monkeypatch.delenv(name, raising=False)

    assert [share] * len(CAPS) == run(make(workers, cores=cores), telling.environ, *CAPS)


def test_threads_that_the_user_has_set(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """That holds; our own environment is left as it is."""
    for name in CAPS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    assert ["3", "1"] == run(make(2), telling.environ, "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    assert "MKL_NUM_THREADS" not in os.environ


def test_nobody_loads_numpy_before_the_caps() -> None:
    """What the fork server loads for all workers is ours and the standard library's."""
    code = "import sys, adaptive_exec.backends.processes.worker; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)

    assert "False\n" == done.stdout


def test_a_matrix_product_uses_one_thread(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker that has one core."""
    pytest.importorskip("numpy")
    for name in CAPS:
        monkeypatch.delenv(name, raising=False)
    before, after = run(make(2), telling.multiply)

    assert after <= before


# Several processes say their lines at once: each in one write, with unbuffered streams, too.
UNGUARDED_SCRIPT = """
import math, os
from adaptive_exec import AdaptiveExecutor
def say(what):
    os.write(1, f"{{what}}\\n".encode())
say("main")
with AdaptiveExecutor(max_processes=2, mp_context={context!r}) as executor:
    view = executor.options({options})
    for future in [view.submit(math.factorial, n) for n in range(4)]:
        try:
            say(future.result())
        except RuntimeError as error:
            say(error)
"""


@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_a_missing_main_guard_is_named(tmp_path: Path, context: str) -> None:
    """Workers would start workers: it is said what is missing, soon, and nothing is started again and again."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED_SCRIPT.format(context=context, options="backend='process'"))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=30)
    said = done.stdout.splitlines()

    assert 0 == done.returncode
    assert [UNGUARDED] * 4 == [line for line in said if line != "main"]
    assert 2 <= said.count("main") <= 4
    assert "" == done.stderr
