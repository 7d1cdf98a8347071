"""Calls that are over in no time go through an executor without being counted in and out, and none is lost."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.base import SwiftTask, Task
from adaptive_exec.backends.threads import ThreadBackend
from tests.backends.support import until

CALLS = 300


def twice(number: int) -> int:
    return 2 * number


def become_known(executor: AdaptiveExecutor, fn: Callable[[int], object] = twice) -> int:
    """Have calls of it be swift, and by anyone if they may be; how many calls that took."""
    record = executor._dispatcher._store.record(fn)
    for calls in range(1, 20_000):
        executor.submit(fn, calls).result(20)
        steady = record.steady
        if steady is not None and steady.swift and isinstance(record.by_anyone, bool):
            until(lambda: record.by_anyone is not False or fn is not twice)
            if steady.by_anyone is record.by_anyone:
                return calls
    raise AssertionError(record.profile())


def next_swift(executor: AdaptiveExecutor, fn: Callable[..., Any], *args: Any) -> Any:
    """A swift call's future."""
    for _ in range(100):
        future: Any = executor.submit(fn, *args)
        if isinstance(future, SwiftTask):
            return future
        future.result(20)
    raise AssertionError(executor._dispatcher._store.record(fn).steady)


def test_each_is_counted() -> None:
    """Whoever runs it."""
    with AdaptiveExecutor(max_processes=1) as executor:
        before = become_known(executor)
        futures = [executor.submit(twice, n) for n in range(CALLS)]
        assert [2 * n for n in range(CALLS)] == [future.result() for future in futures]
        assert all(future.decision is not None for future in futures)
        (function,) = executor.stats().functions
        assert {"thread": before + CALLS} == dict(function.calls)
        until(lambda: not executor.stats().pending)  # who ended the last one may not have counted it out


def test_nothing_is_kept_alive() -> None:
    """By the future: neither what the call was given nor the executor."""

    class Given:
        """Something that can be seen to go."""

    def take(given: object) -> None:
        """Take anything."""

    async def take_there(given: object) -> None:
        """The same on a loop."""

    executor = AdaptiveExecutor(max_processes=1)
    futures, gone = [], []
    become_known(executor, take)
    for fn in (take, take_there):
        for n in range(CALLS):
            given = Given()
            gone.append(weakref.ref(given))
            futures.append(executor.submit(fn, given))
            if n % 2:
                futures[-1].result(20)
            del given
        executor.submit(fn, None).result(20)
    until(lambda: not any(each() for each in gone))
    assert any(isinstance(future, SwiftTask) for future in futures)

    executor.shutdown()
    last = weakref.ref(executor._dispatcher)
    del executor
    gc.collect()
    assert last() is None
    assert all(future.result(0) is None for future in futures)


@pytest.mark.parametrize("cancel", [False, True])
def test_shutdown_waits_for_them(cancel: bool) -> None:
    """Those that wait behind one that takes long are run, or cancelled; none is left."""
    executor = AdaptiveExecutor(max_threads=1, max_processes=1)
    become_known(executor)
    gate, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        gate.wait(20)

    held = executor.submit(hold)
    assert begun.wait(20)
    futures = [next_swift(executor, twice, 7)] + [executor.submit(twice, n) for n in range(CALLS)]
    assert executor.stats().pending >= CALLS
    ending = threading.Thread(target=lambda: executor.shutdown(cancel_futures=cancel))
    ending.start()
    until(lambda: executor._dispatcher._living.closed)
    if cancel:
        until(lambda: all(future.cancelled() for future in futures))
    assert not held.done()
    gate.set()
    ending.join(20)
    assert not ending.is_alive()
    assert all(future.done() for future in futures)
    assert cancel or [14, *(2 * n for n in range(CALLS))] == [future.result() for future in futures]


def test_one_that_comes_as_it_is_closed() -> None:
    """After it was asked whether it is closed: it is taken back and refused, and the end comes."""
    executor = AdaptiveExecutor(max_processes=1)
    become_known(executor)
    dispatcher = executor._dispatcher
    brief = dispatcher._threads.brief
    looked: list[bool] = []

    class Queue(deque[Task]):
        """The executor is closed just before a call is put."""

        def append(self, task: Task) -> None:
            executor.shutdown(wait=False)
            super().append(task)
            looked.append(True)

    brief.queue = dispatcher._threads._brief_queue = Queue()
    with pytest.raises(RuntimeError, match="after shutdown"):
        next_swift(executor, twice, 1)
    executor.shutdown()

    assert [True] == looked
    assert not brief.under_way()
    until(lambda: not any("adaptive-exec-thread" in each.name for each in threading.enumerate()))


def test_interrupted_as_a_seat_is_taken() -> None:
    """A signal's handler raises just then: what is queued is run at the end, if not before."""
    executor = AdaptiveExecutor(max_processes=1)
    become_known(executor)
    threads: Any = executor._dispatcher._threads
    until(lambda: not threads.brief.seats)

    def interrupted(task: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "_seat", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next_swift(executor, twice, 1)
    (left,) = threads.brief.queue
    executor.shutdown()

    assert 2 == left.future.result(0)


def test_one_that_ends_the_executor_itself() -> None:
    """It is not waited for by itself."""
    executor = AdaptiveExecutor(max_processes=1)
    ends: list[None] = []

    def end(number: int) -> int:
        if ends:
            ends.pop()
            executor.shutdown(wait=True)
        return number

    become_known(executor, end)
    ends.append(None)
    first = next_swift(executor, end, 1)
    until(lambda: executor._dispatcher._living.closed)

    assert 1 == first.result(20)
    until(lambda: executor._dispatcher._living._ended)


def test_the_last_one_ends_it() -> None:
    """Nobody waits for the end, which comes all the same."""
    executor = AdaptiveExecutor(max_processes=1)
    become_known(executor)
    futures = [executor.submit(twice, n) for n in range(CALLS)]
    executor.shutdown(wait=False)

    assert [2 * n for n in range(CALLS)] == [future.result(20) for future in futures]
    until(lambda: executor._dispatcher._living._ended)


@pytest.mark.stress
def test_many_submit_while_it_is_closed() -> None:
    """Each call is refused or ends, time and again."""
    for _ in range(40):
        executor = AdaptiveExecutor(max_processes=1)
        become_known(executor)
        futures: list[list[Any]] = [[] for _ in range(4)]
        begun = threading.Barrier(5)

        def submit(mine: list[Any], executor: AdaptiveExecutor = executor, begun: Any = begun) -> None:
            begun.wait(20)
            try:
                for n in range(100_000):
                    mine.append((n, executor.submit(twice, n)))
                    if n % 7 == 0:
                        mine[-1][1].result()
            except RuntimeError:
                return

        threads = [threading.Thread(target=submit, args=(mine,)) for mine in futures]
        for thread in threads:
            thread.start()
        begun.wait(20)
        threading.Event().wait(0.01)
        executor.shutdown(wait=True)
        ended = [(n, future) for mine in futures for n, future in mine]
        assert all(future.done() for _, future in ended)
        for thread in threads:
            thread.join(20)
        assert all(future.result(0) == 2 * n for mine in futures for n, future in mine)


def doubled(number: int) -> int:
    return twice(number)


def raised(number: int, by: int = 1) -> int:
    return number + by


@pytest.mark.parametrize(("fn", "anyone"), [(twice, True), (doubled, False), (raised, True)])
def test_by_whom_calls_may_be_run(fn: Callable[[int], int], anyone: bool) -> None:
    """By who waits only if nothing that could be put in the place of something else is called, which one may patch."""
    with AdaptiveExecutor(max_processes=1) as executor:
        executor._dispatcher._router.ask_who_may_run(executor._dispatcher._store.record(fn), fn)
        assert executor._dispatcher._store.record(fn).by_anyone is anyone


def _is_gone(kept: weakref.ref[Any], threads: ThreadBackend) -> bool:
    """Whether nobody has it any more."""
    threads.move_on_slow()  # as somebody does now and then, who notes which call he has seen
    gc.collect()
    return kept() is None


def test_a_thread_that_sleeps_in_its_seat_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the call that it had before."""
    monkeypatch.setattr("adaptive_exec.backends.brief.DOZE_SECONDS", 600.0)

    class Value:
        """Something that can be referred to weakly."""

    def make(_: int) -> Value:
        return Value()

    with AdaptiveExecutor(max_processes=1) as executor:
        become_known(executor, make)
        threads = executor._dispatcher._threads
        for _ in range(3):
            kept = weakref.ref(next_swift(executor, make, 1).result(20))
            until(lambda: threads.brief.dozing)
            until(partial(_is_gone, kept, threads))
