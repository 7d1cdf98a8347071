"""The future: ends once, cancels what can be cancelled, is a standard future, can be awaited."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, as_completed, wait
from concurrent.futures import Future as StandardFuture
from typing import Any

import pytest

from adaptive_exec.futures import Future, blocking_in


def test_it_rests_on_fields_that_exist() -> None:
    """The fields of the standard future that ours relies on are there."""
    future: StandardFuture[int] = StandardFuture()

    assert {"_condition", "_state", "_waiters", "_result", "_exception"} <= set(vars(future))
    assert callable(future._invoke_callbacks)  # type: ignore[attr-defined]


def test_it_is_a_standard_future() -> None:
    """`wait` and `as_completed` take it."""
    first: Future[int] = Future()
    second: Future[int] = Future()
    first.try_result(1)
    second.try_exception(ValueError())

    assert {first, second} == wait([first, second]).done == set(as_completed([first, second]))


def test_it_ends_once() -> None:
    """The second end is told that it came too late and changes nothing."""
    future: Future[int] = Future()

    assert future.try_result(1)
    assert not future.try_result(2)
    assert not future.try_exception(ValueError())
    assert not future.cancel()
    assert 1 == future.result()


def test_cancel_before_it_begins() -> None:
    """A cancelled call is not begun, and its waiters know at once."""
    future: Future[int] = Future()
    calls: list[object] = []
    future.add_done_callback(calls.append)
    future.on_cancel = lambda _: calls.append("told")

    assert future.cancel()
    assert future.cancel()
    assert not future.begin()
    assert not future.set_running_or_notify_cancel()
    assert [future, "told"] == calls
    assert {future} == wait([future], timeout=0).done
    with pytest.raises(CancelledError):
        future.result(0)


def test_cancel_against_begin() -> None:
    """Of a cancel and a begin, one wins: begun calls that can't be stopped refuse, others are dropped."""
    future: Future[int] = Future()

    assert future.begin()
    assert not future.cancel()
    assert not future.cancel_pending()
    future.stoppable = True
    assert not future.cancel_pending()
    assert future.cancel()


def test_cancel_against_completion() -> None:
    """A result that arrives inside the cancelling is dropped, since the state has changed already."""
    future: Future[int] = Future()
    future.stoppable = True
    future.begin()
    late: list[bool] = []
    future.on_cancel = lambda _: late.append(future.try_result(1))

    assert future.cancel()
    assert [False] == late
    assert future.cancelled()


@pytest.mark.parametrize("come", ["callback", "waiter", "result"])
def test_nothing_ends_silently_if_somebody_is_to_be_told(come: str) -> None:
    """Then nothing has been done; and if nobody is, it has ended."""
    future: Future[int] = Future()
    told: list[object] = []
    if come == "callback":
        future.add_done_callback(told.append)
    elif come == "waiter":
        assert future in wait([future], timeout=0).not_done
        waiters: Any = future._waiters
        waiters.append(None)  # one that waits at this moment
    else:
        with pytest.raises(TimeoutError):
            future.result(0.001)

    assert not future.try_silently(1)
    assert not future.done()
    assert Future[int]().try_silently(1)


def test_who_comes_as_it_ends_silently_is_told() -> None:
    """By the one who ends it, or at once; never by neither, and never twice."""
    for _ in range(200):
        future: Future[int] = Future()
        told: list[object] = []
        gate = threading.Barrier(2)

        def come(
            future: Future[int] = future, told: list[object] = told, gate: threading.Barrier = gate
        ) -> None:
            gate.wait(10)
            future.add_done_callback(told.append)

        thread = threading.Thread(target=come)
        thread.start()
        gate.wait(10)
        if not future.try_silently(1):
            assert future.try_result(1)
        thread.join(10)

        assert [future] == told
        assert 1 == future.result(0)


def test_rest_takes_a_running_call_back() -> None:
    """A call that its worker never began can be begun again; an ended one can't."""
    future: Future[int] = Future()
    future.begin()

    assert future.rest()
    assert not future.running()
    assert future.begin()
    future.try_result(1)
    assert not future.rest()


def test_waiting_is_announced() -> None:
    """A thread of ours that waits for a future is stood in for meanwhile, and only then."""
    future: Future[int] = Future()
    seen: list[str] = []

    class Aside:
        def __enter__(self) -> None:
            seen.append("aside")
            future.try_result(1)

        def __exit__(self, *exc: object) -> None:
            seen.append("back")

    blocking_in(Aside)
    try:
        assert 1 == future.result()
        assert 1 == future.result()
    finally:
        blocking_in(None)
    assert ["aside", "back"] == seen


def test_timeout() -> None:
    """`result` and `exception` give up after their timeout."""
    future: Future[int] = Future()

    with pytest.raises(TimeoutError):
        future.result(0)
    with pytest.raises(TimeoutError):
        future.exception(0)


@pytest.mark.blocks_loop("a barrier makes sure that both loops await before the future ends")
def test_awaited_on_two_loops_at_once() -> None:
    """One future wakes every loop that awaits it."""
    future: Future[int] = Future()
    results: list[int] = []
    waiting = threading.Barrier(3)

    async def await_it() -> int:
        asyncio.get_running_loop().call_soon(waiting.wait)
        return await future

    threads = [threading.Thread(target=lambda: results.append(asyncio.run(await_it()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    waiting.wait(10)
    future.try_result(7)
    for thread in threads:
        thread.join(10)

    assert [7, 7] == results


def test_the_only_loop_is_not_blocked() -> None:
    """Waiting on the loop that alone can finish the call raises at once and says what to do."""
    future: Future[int] = Future()

    async def wait_here() -> None:
        future.only_on = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="await it"):
            future.result()
        with pytest.raises(RuntimeError, match="await it"):
            future.exception()

    asyncio.run(wait_here())


def test_its_text_is_the_standard_ones() -> None:
    """In every state; asking for it makes nothing that would have to be told of the end."""
    changes: tuple[Callable[[StandardFuture[Any]], object], ...] = (
        lambda future: None,
        lambda future: future.set_running_or_notify_cancel(),
        lambda future: future.cancel(),
        lambda future: future.set_result([1]),
        lambda future: future.set_exception(ValueError("no")),
    )
    for change in changes:
        ours: Future[Any] = Future()
        theirs: StandardFuture[Any] = StandardFuture()
        if change(ours) is not change(theirs):
            raise AssertionError
        ours._audience = None
        assert repr(theirs).split(" at ")[0] == repr(ours).split(" at ")[0]
        assert repr(theirs).split(" state=")[1] == repr(ours).split(" state=")[1]
        assert ours._audience is None
        ours.forgo()
