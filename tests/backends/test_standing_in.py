"""A worker whose call waits for a shared primitive does not hold up those that it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from adaptive_exec import AdaptiveExecutor, Lock, Queue
from tests import nesting, work

pytestmark = pytest.mark.full


@pytest.mark.parametrize("workers", [1, 2])
def test_all_workers_wait_for_a_call_that_is_queued(workers: int) -> None:
    """Somebody stands in, and it ends."""
    items: Queue[int] = Queue()
    taken: Queue[list[int]] = Queue()
    with AdaptiveExecutor(max_processes=workers) as executor:
        view = executor.options(backend="process")
        waiting = [view.submit(work.take_two, items, taken) for _ in range(workers)]
        giving = view.submit(work.give, items, 2 * workers)

        assert giving.result(60) not in {future.result(60) for future in waiting}


def test_stand_ins_are_no_more_than_those_that_may_wait() -> None:
    """However many calls wait."""
    go = Lock()
    pids: Queue[int] = Queue()
    with AdaptiveExecutor(max_processes=2) as executor:
        view = executor.options(backend="process")
        go.acquire()
        futures = [view.submit(nesting.put_pid, pids, go) for _ in range(12)]
        seen = {pids.get(timeout=30) for _ in range(4)}
        with pytest.raises(TimeoutError):
            futures[-1].result(0.2)
        workers = executor.stats().workers["process"]
        go.release()
        seen |= {future.result(30) for future in futures}

    assert 4 == workers == len(seen)


def test_no_more_compute_than_may(tmp_path: Path) -> None:
    """Once the call that waited goes on, its stand-in gets nothing new until it has ended."""
    go = Lock()
    begun: Queue[int] = Queue()
    first, second = tmp_path / "first", tmp_path / "second"
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="process")
        go.acquire()
        waits = view.submit(nesting.wait_and_go_on, go, begun, first)
        stands_in = view.submit(nesting.go_on, begun, second)
        begun.get(timeout=30)
        go.release()
        begun.get(timeout=30)
        queued = view.submit(nesting.pid)
        second.touch()
        stand_in = stands_in.result(30)
        with pytest.raises(TimeoutError):
            queued.result(0.3)
        first.touch()

        assert waits.result(30) != stand_in
        assert queued.result(30)


def test_calls_that_were_sent_ahead() -> None:
    """What a worker was given before its call began to wait is done by others, also where one is idle already."""
    items: Queue[int] = Queue()
    taken: Queue[list[int]] = Queue()
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="process")
        for _ in range(3):  # then both functions are known to be short, and there is a stand-in
            waits = view.submit(work.take_two, items, taken)
            assert view.submit(work.give, items, 2).result(30) != waits.result(30)
        for _ in range(5):
            view.submit(work.give, items, 4).result(30)
        for future in [view.submit(work.take_two, items, taken) for _ in range(10)]:
            future.result(30)
        waits = view.submit(work.take_two, items, taken)
        gives = [view.submit(work.give, items, 1) for _ in range(2)]

        assert waits.result(30) not in {future.result(30) for future in gives}


def test_a_call_that_forks() -> None:
    """What its child waits for is nothing to the parent of them both."""
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="process")

        assert [0] * 5 == [view.submit(nesting.fork_and_wait).result(30) for _ in range(5)]
