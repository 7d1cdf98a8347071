"""Awaiting a future: on any loop, by several at once, and whatever happens to who awaits it."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import CancelledError, InvalidStateError
from typing import Any

import pytest

from adaptive_exec import Future


def ended(*, result: Any = None, error: BaseException | None = None) -> Future[Any]:
    future: Future[Any] = Future()
    assert future.try_result(result) if error is None else future.try_exception(error)
    return future


def test_one_that_has_ended_needs_no_turn() -> None:
    """As with asyncio's own."""
    turns: list[int] = []

    async def main() -> int:
        asyncio.get_running_loop().call_soon(turns.append, 1)
        value: int = await ended(result=3)
        assert not turns
        return value

    assert 3 == asyncio.run(main())


@pytest.mark.parametrize("error", [ValueError("mine"), TimeoutError(), InvalidStateError(), SystemExit(3)])
def test_errors_are_what_they_were(error: BaseException) -> None:
    """The very object; and what it leads to can go."""

    async def main() -> BaseException | None:
        try:
            await ended(error=error)
        except BaseException as caught:
            return caught
        return None

    assert error is asyncio.run(main())


def test_an_error_does_not_lead_back_to_the_future() -> None:
    """So that without a garbage collector it goes with who awaited it."""
    gone = threading.Event()

    class Mine(Exception):
        def __del__(self) -> None:
            gone.set()

    async def main() -> None:
        with pytest.raises(Mine):
            await ended(error=Mine())

    gc.disable()
    try:
        asyncio.run(main())
        assert gone.is_set()
    finally:
        gc.enable()


def test_cancelled_by_others() -> None:
    """What is raised is what asyncio understands, not what `result` raises."""

    async def main() -> None:
        future: Future[int] = Future()
        threading.Timer(0.05, future.cancel).start()
        with pytest.raises(asyncio.CancelledError):
            await future
        with pytest.raises(asyncio.CancelledError):
            await ended(error=CancelledError())

    asyncio.run(main())


def test_who_awaits_is_cancelled() -> None:
    """And with it the future, so that others who await it are told."""

    async def main() -> None:
        future: Future[int] = Future()

        async def await_it() -> int:
            return await future

        first, second = asyncio.create_task(await_it()), asyncio.create_task(await_it())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(asyncio.CancelledError):
            await second
        assert future.cancelled()

    asyncio.run(main())


def test_who_awaits_a_running_one_is_cancelled() -> None:
    """It can't be stopped, and nobody waits for it any longer."""

    async def main() -> None:
        future: Future[int] = Future()
        assert future.begin()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await future
        assert future.running()
        assert future.try_result(1)
        await asyncio.sleep(0)
        assert 1 == await future

    asyncio.run(main())


@pytest.mark.blocks_loop("it waits for the thread that ends the future")
def test_cancelled_as_it_ends() -> None:
    """The end is on its way to the loop when who awaits it is cancelled."""

    async def main() -> None:
        future: Future[int] = Future()

        async def await_it() -> int:
            return await future

        task = asyncio.create_task(await_it())
        await asyncio.sleep(0)
        ending = threading.Thread(target=future.try_result, args=(1,))
        ending.start()
        ending.join()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert 1 == future.result(0)

    with pytest.MonkeyPatch.context() as patch:
        logged: list[Any] = []
        patch.setattr(
            asyncio.BaseEventLoop, "call_exception_handler", lambda _, context: logged.append(context)
        )
        asyncio.run(main())
    assert not logged


def test_the_loop_is_closed_before_the_end() -> None:
    """Nobody is there to be told, and who ends the future is not troubled with that."""
    future: Future[int] = Future()
    loop = asyncio.new_event_loop()

    async def await_it() -> int:
        return await future

    waiting = loop.create_task(await_it())
    loop.run_until_complete(asyncio.sleep(0))
    waiting.get_coro().close()
    loop.close()
    assert future.try_result(1)
    assert 1 == future.result(0)
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]


def test_no_loop_runs() -> None:
    """It is awaited on a loop, or not at all."""
    future: Future[int] = Future()
    with pytest.raises(RuntimeError, match="no running event loop"):
        future.__await__().send(None)


def test_told_on_the_loop_that_awaits() -> None:
    """It ends there; then nobody has to be woken, and the next turn goes on with it."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        future: Future[int] = Future()
        loop.call_soon(future.try_result, 5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "call_soon_threadsafe", None)
            return await future

    assert 5 == asyncio.run(main())


def test_a_callback_makes_no_condition() -> None:
    """That takes longer than all the rest; it is called once, at the end or at once."""
    future: Future[int] = Future()
    told: list[int] = []
    future.add_done_callback(lambda each: told.append(each.result(0)))
    assert future._audience is not None and future._audience.condition is None
    assert future.calls_back()
    assert future.try_result(4)
    future.add_done_callback(lambda each: told.append(-each.result(0)))

    assert [4, -4] == told
