"""The loop backend: the library's loop and the submitter's, bursts, cancelling, the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.backends.loop import LoopBackend
from tests import work
from tests.backends.support import Handed


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
