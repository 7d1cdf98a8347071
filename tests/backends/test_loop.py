"""The loop backend: the library's loop and the submitter's, bursts, cancelling, the end."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from adaptive_exec.backends.loop import LoopBackend
from tests import work
from tests.backends.support import Handed, until


@pytest.fixture
def backend() -> Iterator[LoopBackend]:
    made = LoopBackend()
    yield made
    made.shutdown(wait=True)


def test_it_runs_coroutines(backend: LoopBackend) -> None:
    """Values and errors come back; a thousand coroutines wait at the same time."""
    handed = Handed()
    for _ in range(1000):
        backend.submit(handed.task(work.async_nap, 0.05))

    assert {0.05} == {outcome.value for outcome in handed.wait(1000)}


@pytest.mark.blocks_loop("keeps the loop busy while the burst comes")
def test_a_burst_is_one_wake_up(backend: LoopBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the loop is busy, any number of submissions wakes it once."""
    handed = Handed()
    gate, entered = threading.Event(), threading.Event()

    async def block() -> None:
        entered.set()
        gate.wait(10)

    backend.submit(handed.task(block))
    assert entered.wait(10)
    wakes: list[Any] = []
    loop = backend._loop
    assert loop is not None
    real = loop.call_soon_threadsafe

    def counted(*args: Any) -> Any:
        wakes.append(args)
        return real(*args)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    for number in range(100):
        backend.submit(handed.task(work.async_double, number))
    gate.set()
    handed.wait(101)

    assert 1 == len(wakes)


@pytest.mark.blocks_loop("a gate holds the loop inside the draining of its inbox")
def test_submission_while_the_inbox_is_drained(backend: LoopBackend) -> None:
    """What comes while the loop is emptying its inbox is not left there."""
    handed = Handed()
    inside, go_on = threading.Event(), threading.Event()

    def first() -> Any:
        # Called by the drain itself, when it makes the coroutine.
        inside.set()
        go_on.wait(10)
        return work.async_double(1)

    backend.submit(handed.task(first))
    assert inside.wait(10)
    backend.submit(handed.task(work.async_double, 2))
    go_on.set()

    assert [2, 4] == [outcome.value for outcome in handed.wait(2)]


@pytest.mark.blocks_loop("keeps the loop busy until the next task is cancelled")
def test_cancel_before_the_loop_has_begun(backend: LoopBackend) -> None:
    """A coroutine cancelled before its turn is never made."""
    handed = Handed()
    gate, entered = threading.Event(), threading.Event()

    async def block() -> None:
        entered.set()
        gate.wait(10)

    made: list[int] = []
    backend.submit(handed.task(block))
    assert entered.wait(10)
    task = handed.task(made.append, 1)
    backend.submit(task)
    task.future.cancel()
    backend.cancel(task)
    gate.set()

    handed.wait(2)
    assert [] == made


def test_cancel_of_a_running_coroutine(backend: LoopBackend) -> None:
    """It sees a CancelledError inside."""
    handed = Handed()
    began, seen = threading.Event(), threading.Event()

    async def wait_for_long() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            seen.set()

    task = handed.task(wait_for_long)
    backend.submit(task)
    assert began.wait(10)
    backend.cancel(task)
    assert seen.wait(10)
    assert isinstance(handed.wait(1)[0].error, asyncio.CancelledError)


def test_on_the_loop_that_submits(backend: LoopBackend) -> None:
    """A coroutine submitted from a loop runs on that loop."""
    handed = Handed()

    async def main() -> tuple[int, int]:
        task = handed.task(work.running_loop)
        backend.submit_here(task, asyncio.get_running_loop())
        return await task.future, id(asyncio.get_running_loop())

    theirs, ours = asyncio.run(main())
    assert theirs == ours


def test_the_end(backend: LoopBackend) -> None:
    """Shutdown lets coroutines end, closes asynchronous generators, and refuses what comes after."""
    handed = Handed()
    closed: list[str] = []

    async def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            closed.append("generator")

    kept: list[Any] = []

    async def begin_and_leave() -> str:
        generator = numbers()
        kept.append(generator)
        await generator.__anext__()
        await asyncio.sleep(0.02)
        return "ended"

    backend.submit(handed.task(begin_and_leave))
    backend.shutdown(wait=True)

    assert "ended" == handed.wait(1)[0].value
    assert ["generator"] == closed
    with pytest.raises(RuntimeError, match="after shutdown"):
        backend.submit(handed.task(work.async_double, 1))
    backend.shutdown(wait=True)


def test_a_call_that_fails_to_make_its_coroutine(backend: LoopBackend) -> None:
    """Wrong arguments fail that task only."""
    handed = Handed()
    backend.submit(handed.task(work.async_double))
    backend.submit(handed.task(work.async_double, 4))

    errors = [type(outcome.error) for outcome in handed.wait(2)]
    assert [TypeError, type(None)] == errors


def test_plain_functions_by_force(backend: LoopBackend) -> None:
    """A plain function sent to the loop runs there as one step."""
    handed = Handed()
    backend.submit(handed.task(work.double, 4))

    assert 8 == handed.wait(1)[0].value


MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK", default="none")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before, each coroutine begins with a turn of its own")
def test_the_first_step_is_taken_at_once(backend: LoopBackend) -> None:
    """One that waits for nothing takes no turn of the loop; the others go on as they would."""
    handed = Handed()
    order: list[str] = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(order.append, "the next turn")

        async def at_once(name: str) -> None:
            order.append(name)

        async def waits(name: str) -> None:
            order.append(name)
            await asyncio.sleep(0)
            order.append(f"{name} goes on")

        for fn, name in ((at_once, "first"), (waits, "second"), (at_once, "third")):
            backend._inbox.append(handed.task(fn, name))
        backend._drain()

    asyncio.run_coroutine_threadsafe(main(), started(backend)).result(20)
    handed.wait(3)

    assert ["first", "second", "third", "the next turn", "second goes on"] == order


def test_on_the_loop_that_submits_it_comes_next(backend: LoopBackend) -> None:
    """There somebody is at work, who goes on first."""
    handed = Handed()
    order: list[str] = []

    async def at_once() -> None:
        order.append("submitted")

    async def main() -> None:
        backend.submit_here(handed.task(at_once), asyncio.get_running_loop())
        order.append("submitter")
        await asyncio.sleep(0)

    asyncio.run(main())
    assert ["submitter", "submitted"] == order


def started(backend: LoopBackend) -> asyncio.AbstractEventLoop:
    """The library's loop, once it is there."""
    with backend._lock:
        return backend._start()


def test_a_first_step_sees_what_the_next_ones_see(backend: LoopBackend) -> None:
    """Its task, by name, and the submitter's context, which it may change for itself."""
    handed = Handed()

    async def look() -> list[Any]:
        seen: list[Any] = []
        for step in range(2):
            task = asyncio.current_task()
            assert task is not None
            assert task in asyncio.all_tasks()
            seen += [task.get_name(), MARK.get(), asyncio.get_running_loop() is backend._loop]
            MARK.set(f"step {step}")
            await asyncio.sleep(0)
        return seen

    token = MARK.set("submitter")
    task = handed.task(look)
    MARK.reset(token)
    backend.submit(task)

    name = look.__qualname__
    assert [name, "submitter", True, name, "step 0", True] == task.future.result(20)
    assert "none" == MARK.get()


def _note_mark(seen: list[str], _: object) -> None:
    """Note what the context says."""
    seen.append(MARK.get())


def test_who_is_told_sees_the_submitters_context(backend: LoopBackend) -> None:
    """Whether the coroutine has waited or not."""
    handed = Handed()

    async def waits(seconds: float | None) -> None:
        if seconds is not None:
            await asyncio.sleep(seconds)

    for seconds in (None, 0.0):
        seen: list[str] = []
        token = MARK.set("submitter")
        task = handed.task(waits, seconds)
        MARK.reset(token)
        task.future.add_done_callback(partial(_note_mark, seen))
        backend.submit(task)
        handed.wait(1 if seconds is None else 2)
        assert ["submitter"] == seen


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("waits", [False, True])
def test_what_a_step_raises_is_told_once(
    backend: LoopBackend, error: type[BaseException], waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By its future, and to nobody's log; the loop goes on."""
    handed = Handed()

    async def breaks() -> None:
        if waits:
            await asyncio.sleep(0)
        raise error

    task = handed.task(breaks)
    backend.submit(task)
    backend.submit(handed.task(work.async_double, 4))
    outcomes = handed.wait(2)
    gc.collect()

    assert {error, type(None)} == {type(outcome.error) for outcome in outcomes}
    assert not caplog.records


@pytest.mark.blocks_loop("what the loop logs is written down by the test run")
def test_other_complaints_of_the_loop_are_logged(
    backend: LoopBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """As by any loop: what a task of the user's raised that nobody has looked at."""
    handed = Handed()

    async def fails() -> None:
        raise SystemExit

    async def leaves() -> None:
        task = asyncio.get_running_loop().create_task(fails())
        await asyncio.wait([task])  # which doesn't look how it ended
        del task
        gc.collect()

    for _ in range(2):
        backend.submit(handed.task(leaves))
    until(lambda: any("never retrieved" in record.message for record in caplog.records))


def test_a_task_factory_is_heeded(backend: LoopBackend) -> None:
    """Somebody has set one on the library's loop."""
    handed, made = Handed(), []

    def make(loop: Any, coroutine: Any, **how: Any) -> asyncio.Task[Any]:
        made.append(how)
        return asyncio.Task(coroutine, loop=loop, **how)

    loop = started(backend)
    loop.set_task_factory(make)
    backend.submit(handed.task(work.async_double, 4))

    assert [8] == [outcome.value for outcome in handed.wait(1)]
    assert 1 == len(made)


@pytest.mark.blocks_loop("what the loop logs is written down by the test run")
def test_a_defect_as_one_is_told_costs_the_others_nothing(
    backend: LoopBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, as asyncio does it for any callback."""
    handed = Handed()
    task = handed.task(work.async_double, 4)

    def fails(_: object) -> None:
        raise ValueError("a defect")

    task.hand_back = fails  # type: ignore[assignment,method-assign]
    backend.submit(task)
    backend.submit(handed.task(work.async_double, 5))

    assert [10] == [outcome.value for outcome in handed.wait(1)]
    until(lambda: any("a defect" in str(record.exc_info) for record in caplog.records))
