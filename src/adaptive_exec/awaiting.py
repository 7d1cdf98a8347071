"""Awaiting the end of a future of another thread, on the loop that runs.

`asyncio.wrap_future` does that by a second future that takes over the first one's state. Here the loop is only woken,
and who awaits looks at the future itself: half of what is to be done, and nothing that would need a turn of the loop of
its own where the future ends on the loop that awaits it.

Guarantees:
    - Any number of tasks, on any number of loops, may await one future.
    - Who is cancelled while it awaits cancels the future, as with `asyncio.wrap_future`.
Assumes: `add_done_callback` calls what it is given once the future has ended, on whichever thread.
Races:
    - the future ends as its loop is closed: nobody awaits there any more, so nobody is told:
      `tests/test_awaiting.py::test_the_loop_is_closed_before_the_end`
    - the future ends as the task that awaits it is cancelled: the waiter has ended by then, and is left alone:
      `tests/test_awaiting.py::test_cancelled_as_it_ends`
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Protocol

__all__ = ["until_done"]


class _Ends(Protocol):
    """What is awaited."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> object:
        """Call something at the end."""

    def cancel(self) -> bool:
        """Try to bring the end."""


def until_done(future: _Ends) -> Generator[Any, None, None]:
    """Let the running loop do other things until a future has ended.

    Args:
        future: Ends on any thread.

    Raises:
        RuntimeError: No loop is running.
        CancelledError: The task that awaits has been cancelled, and with it the future.
    """
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    future.add_done_callback(partial(_tell, loop, waiter))
    try:
        yield from waiter
    except asyncio.CancelledError:
        future.cancel()
        raise


def _tell(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], _: object) -> None:
    """The future has ended: wake who awaits it."""
    if asyncio._get_running_loop() is loop:
        _wake(waiter)
        return
    try:
        loop.call_soon_threadsafe(_wake, waiter)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _wake(waiter: asyncio.Future[None]) -> None:
    """Let a task go on, unless it has been cancelled."""
    if not waiter.done():
        waiter.set_result(None)
