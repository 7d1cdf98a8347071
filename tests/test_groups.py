"""`TaskGroup`: what ends together, fails together; with `with` and with `async with`, over all backends."""

# ruff: noqa: PT012 (what raises is the end of the group's block, whatever stands in it)
from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, TaskGroup, set_executor
from adaptive_exec.futures import Future
from adaptive_exec.groups import _Members
from tests import work
from tests.backends.support import until


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


def fail(message: str) -> None:
    raise ValueError(message)


async def fail_async(message: str) -> None:
    raise LookupError(message)


async def sleep_async(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


def errors_of(group: BaseExceptionGroup[Any]) -> list[str]:
    return sorted(f"{type(each).__name__}: {each}" for each in group.exceptions)


def test_it_ends_when_all_have(executor: AdaptiveExecutor) -> None:
    """Calls of all kinds; their results are there after the block."""
    with TaskGroup(executor) as group:
        futures = [group.submit(work.double, n) for n in range(20)]
        slow = group.submit(sleep_async, 0.02)
        assert "open" in repr(group)

    assert all(future.done() for future in futures)
    assert [2 * n for n in range(20)] == [future.result(0) for future in futures]
    assert 0.02 == slow.result(0)
    assert "<TaskGroup ended pending=0 errors=0>" == repr(group)


def test_of_nothing() -> None:
    """A group without calls ends at once, and starts nothing."""
    with TaskGroup():
        pass


@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
def test_the_first_failure_cancels_the_rest(executor: AdaptiveExecutor, backend: Any) -> None:
    """Coroutines and processes at once; of threads what has not begun. All that was raised comes together."""
    view: Any = executor.options(backend=backend)
    others: list[Future[Any]] = []
    gate = threading.Event()
    began = time.monotonic()
    with pytest.raises(ExceptionGroup) as caught, TaskGroup(view) as group:
        if backend == "loop":
            others = [group.submit(sleep_async, 60.0) for _ in range(5)]
            group.submit(fail_async, "one")
        elif backend == "process":
            others = [group.submit(work.nap, 60.0)]
            group.submit(fail, "one")
        else:
            with AdaptiveExecutor(max_threads=1) as narrow:
                group._executor = narrow
                group.submit(gate.wait, 20)
                failing = group.submit(fail, "one")
                others = [group.submit(time.sleep, 60.0) for _ in range(5)]
                gate.set()
                failing.exception(20)

    assert all(future.cancelled() for future in others)
    assert time.monotonic() - began < 20
    assert ["LookupError: one" if backend == "loop" else "ValueError: one"] == errors_of(caught.value)


def test_over_all_backends(executor: AdaptiveExecutor) -> None:
    """One that fails anywhere ends what is elsewhere, and `except*` takes apart what was raised."""
    told: list[str] = []
    others: list[Future[Any]] = []
    try:
        with TaskGroup(executor) as group:
            others.append(group.submit(sleep_async, 60.0))
            group._executor = executor.options(backend="process")
            others.append(group.submit(work.nap, 60.0))
            group._executor = executor.options(backend="thread")
            group.submit(fail, "on a thread")
    except* ValueError as found:
        told += errors_of(found)
    except* OSError:
        told.append("none of those")

    assert ["ValueError: on a thread"] == told
    assert [True, True] == [future.cancelled() for future in others]


def test_the_block_fails(executor: AdaptiveExecutor) -> None:
    """Then calls are cancelled, and what it raised comes with what they did."""
    with pytest.raises(ExceptionGroup) as caught, TaskGroup(executor) as group:
        other = group.submit(sleep_async, 60.0)
        raise KeyError("block")

    assert ["KeyError: 'block'"] == errors_of(caught.value)
    assert other.cancelled()


def test_the_same_error_is_told_once(executor: AdaptiveExecutor) -> None:
    """A block that asks for the result of the call that failed raises what that did."""
    with pytest.raises(ExceptionGroup) as caught, TaskGroup(executor) as group:
        group.submit(fail, "once").result(20)

    assert ["ValueError: once"] == errors_of(caught.value)


def test_a_result_that_will_not_come(executor: AdaptiveExecutor) -> None:
    """That it was cancelled is no error of its own, if another one is the reason."""
    with pytest.raises(ExceptionGroup) as caught, TaskGroup(executor) as group:
        other = group.submit(sleep_async, 60.0)
        group.submit(fail, "the reason")
        other.result(20)
    assert ["ValueError: the reason"] == errors_of(caught.value)

    with pytest.raises(CancelledError), TaskGroup(executor) as group:
        other = group.submit(sleep_async, 60.0)
        other.cancel()
        other.result(20)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_not_for_a_group(executor: AdaptiveExecutor, kind: type[BaseException]) -> None:
    """An interruption or the program's end goes on as it is, from a call or from the block, once all have ended."""
    begun = threading.Event()

    def end() -> None:
        begun.set()
        raise kind

    def fail_beside_it() -> None:
        assert begun.wait(20)  # what has not begun would be cancelled, and raise nothing
        fail("goes unheard")

    with pytest.raises(kind), TaskGroup(executor.options(backend="thread")) as group:
        group.submit(end)
        group.submit(fail_beside_it)
    with pytest.raises(kind), TaskGroup(executor) as group:
        other = group.submit(sleep_async, 60.0)
        raise kind

    assert other.done()


def test_cancelling_a_call_is_no_failure(executor: AdaptiveExecutor) -> None:
    """The others go on."""
    with TaskGroup(executor) as group:
        other = group.submit(sleep_async, 60.0)
        mine = group.submit(sleep_async, 0.02)
        assert other.cancel()

    assert 0.02 == mine.result(0)


def test_groups_in_groups(executor: AdaptiveExecutor) -> None:
    """An inner one's failures are one failure of the outer one."""

    def inner() -> None:
        with TaskGroup(executor) as group:
            group.submit(fail, "deep")
            group.submit(fail_async, "down")

    with pytest.raises(ExceptionGroup) as caught, TaskGroup(executor) as group:
        group.submit(inner)
        other = group.submit(sleep_async, 60.0)

    (deep,) = caught.value.exceptions
    assert isinstance(deep, ExceptionGroup)
    assert "ValueError: deep" in errors_of(deep)
    assert other.cancelled()
    assert caught.value.split(ValueError)[0] is not None


def test_calls_submit_calls(executor: AdaptiveExecutor) -> None:
    """The block ends when those have ended, too."""
    done: list[int] = []

    def spread(depth: int) -> None:
        if depth:
            for _ in range(2):
                group.submit(spread, depth - 1)
        done.append(depth)

    with TaskGroup(executor.options(backend="thread")) as group:
        group.submit(spread, 5)

    assert 63 == len(done)


@pytest.mark.parametrize("max_threads", [1, 4])
def test_groups_in_calls_never_deadlock(max_threads: int) -> None:
    """However few threads there are: who waits in a group stands aside."""
    with AdaptiveExecutor(max_threads=max_threads) as executor:

        def tree(depth: int) -> int:
            if depth == 0:
                return 1
            with TaskGroup(executor) as group:
                parts = [group.submit(tree, depth - 1) for _ in range(2)]
            return sum(part.result(0) for part in parts)

        assert 64 == executor.submit(tree, 6).result(60)


def test_the_default_executor(executor: AdaptiveExecutor) -> None:
    """Where none is named; and in a worker process it is the worker's."""
    set_executor(executor)
    try:
        with TaskGroup() as group:
            future = group.submit(work.double, 2)
    finally:
        set_executor(None)
    assert 4 == future.result(0)
    assert ["double"] == [each.name for each in executor.stats().functions]

    assert 6 == executor.options(backend="process").submit(in_a_worker).result(60)


def in_a_worker() -> int:
    """A group in a call."""
    with TaskGroup() as group:
        future = group.submit(work.double, 3)
    return int(future.result(0))


def test_misuse(executor: AdaptiveExecutor) -> None:
    """Each says what to do."""
    with pytest.raises(TypeError, match="an AdaptiveExecutor, a view of one, or nothing, not str"):
        TaskGroup("here")  # type: ignore[arg-type]
    group = TaskGroup(executor)
    with pytest.raises(RuntimeError, match="has not been entered"):
        group.submit(work.double, 1)
    with group:
        with pytest.raises(TypeError, match="callable"):
            group.submit(3)  # type: ignore[call-overload]
        with pytest.raises(RuntimeError, match="entered before"), group:
            pass
    with pytest.raises(RuntimeError, match="has ended"):
        group.submit(work.double, 1)
    with pytest.raises(RuntimeError, match="entered before"), group:
        pass
    with pytest.raises(ExceptionGroup), TaskGroup(executor) as failing:
        failing.submit(fail, "now").exception(20)
        failing._members.fail()
        with pytest.raises(RuntimeError, match="shutting down"):
            failing.submit(work.double, 1)


def test_an_executor_that_was_shut_down() -> None:
    """What can't be submitted is the block's error."""
    executor = AdaptiveExecutor()
    executor.shutdown()

    with pytest.raises(ExceptionGroup, match="unhandled") as caught, TaskGroup(executor) as group:
        group.submit(work.double, 1)
    assert "after shutdown" in errors_of(caught.value)[0]


def test_a_loop_that_waits_for_itself(executor: AdaptiveExecutor) -> None:
    """`with` in a coroutine, for calls that can only end on its loop, is refused and not a deadlock."""

    async def wrongly() -> None:
        with TaskGroup(executor) as group:
            group.submit(sleep_async, 60.0)

    with pytest.raises(RuntimeError, match="await it"):
        asyncio.run(wrongly())


def test_interrupted_while_it_waits(executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C cancels the others and comes out once they have ended."""
    future: Future[Any]
    inside = Future.exception
    asked: list[Any] = []

    def exception(self: Future[Any], timeout: float | None = None) -> BaseException | None:
        if timeout is None and not asked:
            asked.append(self)
            raise KeyboardInterrupt
        return inside(self, timeout)

    monkeypatch.setattr(Future, "exception", exception)
    with pytest.raises(KeyboardInterrupt), TaskGroup(executor) as group:
        future = group.submit(sleep_async, 60.0)

    assert [future] == asked
    assert future.cancelled()


def test_submitting_as_another_fails(executor: AdaptiveExecutor) -> None:
    """Who is just submitting when the group begins to fail cancels the call."""
    members = _Members()
    members.enter()
    members.admit()
    members.fail()
    late: Future[int] = Future()
    members.admitted(late)

    assert late.cancelled()
    assert members.next() is None


def test_the_end_waits_for_who_submits() -> None:
    """A call that submits another holds the group open until that is in it."""
    members = _Members()
    members.enter()
    members.admit()
    first: list[Any] = []
    waiter = threading.Thread(target=lambda: first.append(members.next()))
    waiter.start()
    assert not members.is_over()
    future: Future[int] = Future()
    members.admitted(future)
    waiter.join(20)
    assert [future] == first
    members.admit()
    future.try_result(1)
    assert not members.is_over()
    members.admitted(None)

    assert members.is_over()


def test_each_call_is_counted_out_once() -> None:
    """By its callback or by who waits for it, and its error is told once."""
    members = _Members()
    members.enter()
    members.admit()
    future: Future[int] = Future()
    members.admitted(future)
    error = ValueError("once")
    future.try_exception(error)
    members.count_out(future)

    assert [error] == members.errors
    assert members.next() is None


def test_nothing_is_kept(executor: AdaptiveExecutor) -> None:
    """Neither results nor errors outlive who asked for them, though the group is still there."""
    with TaskGroup(executor) as group:
        for n in range(50):
            group.submit(work.double, n)
    assert not group._members.pending
    gone: list[weakref.ref[BaseException]] = []

    class OwnError(Exception):
        """One that can be referred to weakly."""

    def fail_so() -> None:
        raise OwnError

    try:
        with TaskGroup(executor) as failed:
            failed.submit(fail_so)
    except ExceptionGroup as error:
        gone.append(weakref.ref(error.exceptions[0]))

    def has_gone() -> bool:
        gc.collect()
        return gone[0]() is None

    until(has_gone)  # the thread that ran it may just be leaving


# --- async with --------------------------------------------------------------------------------------


def run(main: Callable[[AdaptiveExecutor], Any]) -> Any:
    """Run a coroutine function with an executor."""

    async def inner() -> Any:
        async with AdaptiveExecutor(max_processes=2) as executor:
            return await asyncio.wait_for(main(executor), 60)

    return asyncio.run(inner())


def test_async_it_ends_when_all_have() -> None:
    """The loop goes on meanwhile."""

    async def main(executor: AdaptiveExecutor) -> list[Any]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.ensure_future(tick())
        async with TaskGroup(executor) as group:
            futures = [group.submit(work.double, n) for n in range(10)]
            futures.append(group.submit(time.sleep, 0.05))
            here = group.submit(sleep_async, 0.01)
        ticking.cancel()
        assert ticks > 5
        return [future.result(0) for future in (*futures, here)]

    assert [*range(0, 20, 2), None, 0.01] == run(main)


def test_async_the_first_failure_interrupts_the_block() -> None:
    """It doesn't wait for what will not come."""

    async def main(executor: AdaptiveExecutor) -> tuple[list[str], bool, int]:
        task = asyncio.current_task()
        assert task is not None
        told: list[str] = []
        others: list[Future[Any]] = []
        try:
            async with TaskGroup(executor) as group:
                others.append(group.submit(sleep_async, 60.0))
                group.submit(fail, "one")
                await asyncio.sleep(60.0)
        except* ValueError as found:
            told += errors_of(found)
        return told, others[0].cancelled(), task.cancelling()

    assert (["ValueError: one"], True, 0) == run(main)


def test_async_the_block_fails() -> None:
    """As with `with`; and a result that will not come is no error of its own."""

    async def main(executor: AdaptiveExecutor) -> list[list[str]]:
        told = []
        for awaits in (False, True):
            try:
                async with TaskGroup(executor) as group:
                    other = group.submit(sleep_async, 60.0)
                    if awaits:
                        group.submit(fail, "the reason")
                        await other
                    raise KeyError("block")
            except* (KeyError, ValueError) as found:
                told.append(errors_of(found))
        return told

    assert [["KeyError: 'block'"], ["ValueError: the reason"]] == run(main)


def test_async_cancelled_from_outside() -> None:
    """In the block, and while it waits for calls: they are cancelled, and the cancellation goes on."""

    async def main(executor: AdaptiveExecutor) -> list[bool]:
        seen = []
        for in_block in (True, False):
            futures: list[Future[Any]] = []
            entered = asyncio.Event()

            async def work_on(
                in_block: bool = in_block, futures: list[Any] = futures, entered: asyncio.Event = entered
            ) -> None:
                async with TaskGroup(executor) as group:
                    futures.append(group.submit(sleep_async, 60.0))
                    entered.set()
                    if in_block:
                        await asyncio.sleep(60.0)

            task = asyncio.ensure_future(work_on())
            await entered.wait()
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
            seen += [task.cancelled(), futures[0].cancelled()]
        return seen

    assert [True] * 4 == run(main)


def test_async_a_timeout_around_it() -> None:
    """The cancellation is the timeout's, and it takes it back."""

    async def main(executor: AdaptiveExecutor) -> bool:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                async with TaskGroup(executor) as group:
                    future = group.submit(sleep_async, 60.0)
        return future.cancelled()

    assert run(main)


def test_async_cancelled_from_outside_while_it_fails() -> None:
    """Errors go first, and that somebody wants the task to end is not forgotten."""

    async def main(executor: AdaptiveExecutor) -> tuple[list[str], bool]:
        gate = threading.Event()
        told: list[str] = []

        async def work_on() -> None:
            try:
                async with TaskGroup(executor) as group:
                    group.submit(gate.wait, 20)
                    group.submit(fail, "first")
            except* ValueError as found:
                told.extend(errors_of(found))
            await asyncio.sleep(60.0)

        task = asyncio.ensure_future(work_on())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.wait([task])
        return told, task.cancelled()

    assert (["ValueError: first"], True) == run(main)


def test_async_what_is_not_for_a_group() -> None:
    """Somebody's own way to end everything comes out as it is."""

    async def main(executor: AdaptiveExecutor) -> bool:
        def end() -> None:
            raise SystemExit(3)

        with pytest.raises(SystemExit):
            async with TaskGroup(executor) as group:
                other = group.submit(sleep_async, 60.0)
                group.submit(end)
        return other.cancelled()

    assert run(main)


def test_async_groups_in_groups_and_calls() -> None:
    """Coroutines that are called have groups of their own, on any loop."""

    async def inner(executor: AdaptiveExecutor, depth: int) -> int:
        if depth == 0:
            return 1
        async with TaskGroup(executor) as group:
            parts = [group.submit(inner, executor, depth - 1) for _ in range(2)]
        return sum(part.result(0) for part in parts)

    async def main(executor: AdaptiveExecutor) -> tuple[int, int]:
        own = executor.options(backend="loop").submit(inner, executor, 4)
        return await inner(executor, 4), await own

    assert (16, 16) == run(main)


def test_async_outside_of_a_task() -> None:
    """There is nobody whom a failure could interrupt."""

    async def enter() -> None:
        await TaskGroup().__aenter__()

    coroutine = enter()
    with pytest.raises(RuntimeError, match=r"asyncio task|no running event loop"):
        coroutine.send(None)


@pytest.mark.stress
def test_many_groups_at_once(executor: AdaptiveExecutor) -> None:
    """Threads submit to one group while it fails, again and again: each call ends, and every block."""
    for round_ in range(60):
        ready = threading.Barrier(4)
        futures: list[Future[Any]] = []

        def submit(group: TaskGroup, ready: threading.Barrier = ready, futures: list[Any] = futures) -> None:
            ready.wait(20)
            with contextlib.suppress(RuntimeError):
                futures.extend(group.submit(work.double, n) for n in range(200))

        try:
            with TaskGroup(executor) as group:
                threads = [threading.Thread(target=submit, args=(group,)) for _ in range(3)]
                for thread in threads:
                    thread.start()
                ready.wait(20)
                if round_ % 2:
                    group.submit(fail, "now")
                for thread in threads:
                    thread.join(20)
        except* ValueError:
            pass
        assert all(future.done() for future in futures)
