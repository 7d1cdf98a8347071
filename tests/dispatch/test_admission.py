"""`max_pending=`: who waits for room, who doesn't, and that nobody waits for ever."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, TaskGroup
from adaptive_exec.backends.base import Task
from adaptive_exec.dispatch.admission import Admission
from adaptive_exec.futures import Future, blocking_in, refuse_to_wait
from tests import work
from tests.backends.support import Handed, until

Make = Callable[..., AdaptiveExecutor]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes executors, and ends them."""
    with ExitStack() as stack:

        def made(most: int, **kwargs: Any) -> AdaptiveExecutor:
            return stack.enter_context(AdaptiveExecutor(max_pending=most, max_processes=2, **kwargs))

        yield made


def in_thread(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def waiting(executor: AdaptiveExecutor) -> int:
    """How many stand in line."""
    admission = executor._dispatcher._admission
    assert admission is not None
    return len(admission._line)


def free(executor: AdaptiveExecutor) -> int:
    """How many places are left."""
    admission = executor._dispatcher._admission
    assert admission is not None
    return admission._free


def a_task() -> Task:
    return Handed().task(print)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "many"])
def test_bad_bounds(bad: Any) -> None:
    """As for the other sizes."""
    with pytest.raises((TypeError, ValueError), match="max_pending"):
        AdaptiveExecutor(max_pending=bad)


def test_a_thread_waits_for_room(make: Make) -> None:
    """And goes on as soon as a call has ended."""
    executor, gate = make(3), threading.Event()
    futures: list[Future[Any]] = []
    for _ in range(3):
        futures.append(executor.submit(gate.wait, 20))  # noqa: PERF401  one by one is what this is about
    thread = in_thread(lambda: futures.append(executor.submit(work.double, 4)))
    until(lambda: waiting(executor))
    assert 3 == len(futures)
    gate.set()
    thread.join(20)

    assert 8 == futures[3].result(20)
    until(lambda: free(executor) == 3)


@pytest.mark.parametrize("backend", ["thread", "process", "loop", None])
def test_never_more_than_that(make: Make, backend: Any) -> None:
    """Whatever the backend, and however calls end."""
    executor = make(4)
    view = executor.options(backend=backend)
    fn: Any = nothing_async if backend == "loop" else work.double
    most = 0
    futures = []
    for n in range(100):
        futures.append(view.submit(fn, n) if n % 10 else view.submit(work.fail, "as meant"))
        most = max(most, sum(not future.done() for future in futures))

    assert most <= 4
    assert 10 == sum(future.exception(20) is not None for future in futures)
    until(lambda: free(executor) == 4)


async def nothing_async(n: int) -> int:
    await asyncio.sleep(0)
    return n


def is_long(found: list[Any], length: int) -> bool:
    return len(found) == length


def test_in_the_order_of_coming() -> None:
    """Threads and calls in one line."""
    admission = Admission(1)
    assert admission.wait()
    order: list[str] = []
    first = in_thread(lambda: order.append("thread") if admission.wait() else None)
    until(lambda: len(admission._line) == 1)
    assert not admission.line_up(a_task(), lambda: order.append("call"))
    second = in_thread(lambda: order.append("another") if admission.wait() else None)
    until(lambda: len(admission._line) == 3)
    for number in range(1, 4):
        admission.leave()
        until(partial(is_long, order, number))
    first.join(20)
    second.join(20)

    assert ["thread", "call", "another"] == order
    admission.leave()
    assert admission.line_up(a_task(), lambda: None)


def test_a_loop_does_not_wait(make: Make) -> None:
    """The futures are there at once, calls come in one after the other, and the loop goes on."""
    executor = make(2)

    async def main() -> tuple[float, int, list[Any], list[Any]]:
        began = time.monotonic()
        futures = [executor.submit(time.sleep, 0.02) for _ in range(10)]
        took = time.monotonic() - began
        lined_up = waiting(executor)
        here = [executor.submit(where_async, n) for n in range(10)]
        return took, lined_up, await asyncio.gather(*futures), await asyncio.gather(*here)

    took, lined_up, results, here = asyncio.run(main())
    assert took < 0.5
    assert lined_up >= 6
    assert [None] * 10 == results
    assert [(n, True) for n in range(10)] == [(n, loop is here[0][1]) for n, loop in here]
    until(lambda: free(executor) == 2)


async def where_async(n: int) -> tuple[int, asyncio.AbstractEventLoop]:
    """Coroutines run on the loop on which they were submitted, though later."""
    await asyncio.sleep(0.001)
    return n, asyncio.get_running_loop()


def test_calls_of_calls_never_wait(make: Make) -> None:
    """With all room taken by calls that wait for others there is no deadlock: threads, coroutines, mixtures."""
    executor = make(1)

    def nest(depth: int) -> int:
        return 0 if depth == 0 else 1 + executor.submit(nest, depth - 1).result(20)

    async def nest_async(depth: int) -> int:
        return 0 if depth == 0 else 1 + await executor.submit(nest_async, depth - 1)

    async def mixed(depth: int) -> int:
        if depth == 0:
            return 0
        return 1 + await executor.submit(lambda: executor.submit(mixed, depth - 1).result(20))

    def grouped(depth: int) -> int:
        if depth == 0:
            return 1
        with TaskGroup(executor) as group:
            parts = [group.submit(grouped, depth - 1) for _ in range(2)]
        return sum(part.result(0) for part in parts)

    assert 30 == executor.submit(nest, 30).result(60)
    assert 30 == executor.submit(nest_async, 30).result(60)
    assert 10 == executor.submit(mixed, 10).result(60)
    assert 16 == executor.submit(grouped, 4).result(60)
    assert [sum(range(5))] * 3 == list(
        executor.map(lambda _: sum(executor.map(work.same, range(5))), range(3))
    )
    until(lambda: free(executor) == 1)


def test_done_callbacks_never_wait(make: Make) -> None:
    """Whoever calls them has to make room first."""
    executor = make(1)
    ended: list[Any] = []

    def again(future: Any) -> None:
        if len(ended) < 20:
            ended.append(future.result())
            executor.submit(work.double, len(ended)).add_done_callback(again)

    for backend in ("thread", "process"):
        ended.clear()
        view: Any = executor.options(backend=backend)
        view.submit(work.double, 0).add_done_callback(again)
        until(lambda: len(ended) == 20)
    until(lambda: free(executor) == 1)


def test_threads_that_deliver_never_wait() -> None:
    """Those of the library that others wait for."""
    admission = Admission(1)
    assert not admission.never_waits()
    blocking_in(refuse_to_wait)
    try:
        assert admission.never_waits()
    finally:
        blocking_in(None)
    context = copy_context()
    admission.mark(context)

    assert context.run(admission.never_waits)
    assert not context.run(Admission(1).never_waits)


def test_a_map_is_bounded_as_well(make: Make) -> None:
    """It takes what there is room for, from a thread and from a loop."""
    executor = make(5)
    assert [2 * n for n in range(200)] == list(executor.map(work.double, range(200)))
    assert [2 * n for n in range(200)] == list(executor.map(work.double, range(200), chunksize=7))

    async def main() -> list[int]:
        return [each async for each in executor.map(work.double, iter(range(200)))]

    assert [2 * n for n in range(200)] == asyncio.run(main())


def test_cancelled_in_line(make: Make) -> None:
    """It is gone at once and takes no place; the one behind it comes in."""
    executor, gate = make(1), threading.Event()

    async def main() -> tuple[bool, Any]:
        first = executor.submit(gate.wait, 20)
        second = executor.submit(work.double, 1)
        third = executor.submit(work.double, 2)
        assert second.cancel()
        assert 1 == waiting(executor)
        gate.set()
        await first
        return second.cancelled(), await third

    assert (True, 4) == asyncio.run(main())
    until(lambda: free(executor) == 1)


def test_cancelled_as_it_is_placed() -> None:
    """Who takes it out of the line deals with it."""
    admission, task = Admission(1), a_task()
    assert admission.wait()
    came: list[int] = []
    assert not admission.line_up(task, lambda: came.append(1))
    admission.leave()
    assert not admission.withdraw(task)
    assert [1] == came
    assert not admission.line_up(task, lambda: came.append(2))
    assert admission.withdraw(task)
    admission.leave()

    assert [1] == came
    assert 1 == admission._free


@pytest.mark.parametrize("placed", [False, True])
def test_interrupted_as_it_is_placed(monkeypatch: pytest.MonkeyPatch, placed: bool) -> None:
    """Its place goes on to the next, and if it had none there is nothing to give back."""
    admission = Admission(1)
    assert admission.wait()

    class Interrupted:
        """In the place of what a thread does while it waits."""

        def __enter__(self) -> None:
            if placed:
                admission.leave()
            raise KeyboardInterrupt

        def __exit__(self, *exc: object) -> None: ...

    monkeypatch.setattr("adaptive_exec.dispatch.admission.standing_aside", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        admission.wait()

    assert (int(placed), 0) == (admission._free, len(admission._line))


def test_ctrl_c_while_it_waits(make: Make) -> None:
    """The main thread is not stuck in `submit`."""
    executor, gate = make(1), threading.Event()
    executor.submit(gate.wait, 20)

    def interrupt() -> None:
        until(lambda: waiting(executor))
        signal.raise_signal(signal.SIGINT)

    teller = in_thread(interrupt)
    with pytest.raises(KeyboardInterrupt):
        executor.submit(work.double, 1)
    teller.join(20)
    gate.set()

    assert 6 == executor.submit(work.double, 3).result(20)


def test_shut_down_while_threads_wait(make: Make) -> None:
    """They are told; calls that loops have lined up were accepted, and are done."""
    executor, gate = make(1), threading.Event()
    told: list[str] = []

    def submit() -> None:
        try:
            executor.submit(work.double, 1)
        except RuntimeError as error:
            told.append(str(error))

    async def main() -> Any:
        executor.submit(gate.wait, 20)
        lined_up = executor.submit(work.double, 5)
        thread = in_thread(submit)
        await asyncio.to_thread(until, lambda: waiting(executor) == 2)
        executor.shutdown(wait=False)
        await asyncio.to_thread(thread.join, 20)
        gate.set()
        return await lined_up

    assert 10 == asyncio.run(main())
    (message,) = told
    assert "after shutdown" in message


def test_coming_as_it_closes() -> None:
    """Before, it is sent away with the others; after, it doesn't even begin to wait."""
    admission = Admission(1)
    assert admission.wait()
    answers: list[bool] = []
    thread = in_thread(lambda: answers.append(admission.wait()))
    until(lambda: admission._line)
    admission.close()
    thread.join(20)
    answers.append(admission.wait())

    assert [False, False] == answers
    admission.leave()
    assert 1 == admission._free


def test_cancel_futures_empties_the_line(make: Make) -> None:
    """What has no place yet has not begun."""
    executor, gate = make(1), threading.Event()

    async def main() -> list[bool]:
        executor.submit(gate.wait, 20)
        lined_up = [executor.submit(work.double, n) for n in range(5)]
        executor.shutdown(wait=False, cancel_futures=True)
        gate.set()
        return [future.cancelled() for future in lined_up]

    assert [True] * 5 == asyncio.run(main())


def test_a_loop_that_is_left_with_calls_in_line(make: Make) -> None:
    """Coroutines can't begin without it: they fail, what is behind them comes in, and the end does not wait."""
    executor, gate = make(1), threading.Event()
    futures: list[Future[Any]] = []

    async def main() -> None:
        executor.submit(gate.wait, 20)
        futures.append(executor.submit(where_async, 1))
        futures.append(executor.submit(work.double, 2))

    asyncio.run(main())
    gate.set()
    until(futures[0].done)
    with pytest.raises(RuntimeError, match="the event loop was closed before where_async began"):
        futures[0].result(0)

    assert 4 == futures[1].result(20)
    until(lambda: free(executor) == 1)


def test_another_executors_threads_stand_aside(make: Make) -> None:
    """A call that waits for room elsewhere does not keep its own executor's thread from others."""
    executor, gate = make(1), threading.Event()
    executor.submit(gate.wait, 20)
    with AdaptiveExecutor(max_threads=1) as other:
        waits = other.submit(lambda: executor.submit(work.double, 4).result(20))
        until(lambda: waiting(executor))
        assert 2 == other.submit(work.double, 1).result(20)
        gate.set()
        assert 8 == waits.result(20)


@pytest.mark.stress
def test_many_at_the_door(make: Make) -> None:
    """Threads and loops submit to few places, and cancel: each call ends, and no place is lost."""
    executor = make(3)
    ended: list[Any] = []

    def submit() -> None:
        for n in range(1500):
            future = executor.submit(work.double, n)
            if n % 7 == 0:
                future.cancel()
            ended.append(future)

    async def submit_async() -> None:
        for block in range(15):
            futures = [executor.submit(nothing_async if n % 2 else work.double, n) for n in range(100)]
            for future in futures[block::9]:
                future.cancel()
            await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
            ended.extend(futures)

    threads = [in_thread(submit) for _ in range(3)] + [in_thread(lambda: asyncio.run(submit_async()))]
    for thread in threads:
        thread.join(120)
    until(lambda: all(future.done() for future in ended))

    assert 3 * 1500 + 1500 == len(ended)
    until(lambda: free(executor) == 3)
    assert not waiting(executor)
