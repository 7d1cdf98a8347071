"""The face of a `Queue` for coroutines."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from queue import Empty, Full
from typing import TYPE_CHECKING, Generic, TypeVar, cast, final

from .queue_core import NOTHING, QueueCore
from .ticket import TIMED_OUT

if TYPE_CHECKING:
    from .remote_queue import RemoteQueueCore

__all__ = ["AsyncQueue"]

T = TypeVar("T")


@final
class AsyncQueue(Generic[T]):
    """A `Queue` with the interface of `asyncio.Queue`, for coroutines on any number of loops.

    The methods that aren't awaited never wait, except for the answer of another process if the queue
    lives there.
    """

    __slots__ = ("_core",)

    def __init__(self, core: QueueCore | RemoteQueueCore) -> None:
        self._core = core

    @property
    def maxsize(self) -> int:
        """How many items it holds; 0 or less: any number."""
        return self._core.maxsize

    async def put(self, item: T) -> None:
        """Put an item at the end, waiting for room.

        A put that is cancelled while it waits has put nothing. If the queue lives in another process and
        the item was accepted there at that very moment, it is taken out again unless somebody has it already.

        Raises:
            ShutDown: The queue was shut down.
            NotPicklable: The queue lives in another process and the item can't go there.
        """
        if not self._core.put_now(item):
            await self._put_all((item,))

    async def put_many(self, items: Iterable[T]) -> None:
        """Put all items in their order, waiting for room as often as it takes.

        If the call is cancelled, the items that are in by then stay in.

        Args:
            items: The items; the iterable is read to its end before the first is put.

        Raises:
            ShutDown: The queue was shut down; items put before that stay.
            NotPicklable: The queue lives in another process and an item can't go there; none is put.
        """
        await self._put_all(tuple(items))

    async def _put_all(self, items: tuple[T, ...]) -> None:
        """Put items, waiting for room."""
        from .loop_ticket import LoopTicket, wait_async

        core = self._core
        while items:
            filled = await wait_async(
                core, LoopTicket(), None, partial(core.ask_put, items=items), partial(core.fill, items=items)
            )
            items = items[cast(int, filled) :]

    def put_nowait(self, item: T) -> None:
        """Put an item if there is room.

        Raises:
            asyncio.QueueFull: There is none.
            ShutDown: The queue was shut down.
            NotPicklable: The queue lives in another process and the item can't go there.
        """
        if self._core.put_now(item):
            return
        try:
            self._core.try_put((item,))
        except Full:
            from asyncio import QueueFull

            raise QueueFull from None

    async def get(self) -> T:
        """Take the first item out, waiting for one; a get that is cancelled has taken nothing.

        Raises:
            ShutDown: The queue was shut down and is empty.
            NotPicklable: The first item can't leave the process where the queue lives; it stays there.
        """
        item = self._core.get_now()
        if item is NOTHING:
            item = (await self._get_some(1, None))[0]
        return cast(T, item)

    async def get_many(self, max_items: int, timeout: float | None = None) -> list[T]:
        """Take out what is there, waiting until there is at least one item.

        Args:
            max_items: How many items at most.
            timeout: Seconds to wait for the first item; None: without limit.

        Returns:
            From one to `max_items` items.

        Raises:
            asyncio.QueueEmpty: There was no item in time.
            ShutDown: The queue was shut down and is empty.
            ValueError: `max_items` below 1, or a negative timeout.
            NotPicklable: As for `get`.
        """
        if max_items < 1:
            raise ValueError("'max_items' must be at least 1")
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        return await self._get_some(max_items, timeout)

    async def _get_some(self, limit: int, timeout: float | None) -> list[T]:
        """Wait for items and take up to `limit`."""
        from .loop_ticket import LoopTicket, wait_async

        core = self._core
        items = await wait_async(
            core, LoopTicket(), timeout, partial(core.ask_get, limit=limit), partial(core.taken, limit=limit)
        )
        if items is TIMED_OUT:
            from asyncio import QueueEmpty

            raise QueueEmpty
        return cast("list[T]", items)

    def get_nowait(self) -> T:
        """Take the first item out if there is one.

        Raises:
            asyncio.QueueEmpty: There is none.
            ShutDown: The queue was shut down and is empty.
            NotPicklable: As for `get`.
        """
        item = self._core.get_now()
        if item is not NOTHING:
            return cast(T, item)
        try:
            return cast(T, self._core.try_get(1)[0])
        except Empty:
            from asyncio import QueueEmpty

            raise QueueEmpty from None

    def task_done(self) -> None:
        """Say that an item that was taken out has been dealt with.

        Raises:
            ValueError: Called more often than items were put.
        """
        self._core.task_done()

    async def join(self) -> None:
        """Wait until every item that was put has been marked by `task_done`."""
        from .loop_ticket import LoopTicket, wait_async

        await wait_async(self._core, LoopTicket(), None, self._core.ask_join, lambda ticket: ticket.spend())

    def qsize(self) -> int:
        """Return the number of items."""
        return self._core.sizes()[0]

    def empty(self) -> bool:
        """Return whether there are no items."""
        return not self._core.sizes()[0]

    def full(self) -> bool:
        """Return whether there is no room."""
        return 0 < self._core.maxsize <= self._core.sizes()[0]

    def shutdown(self, immediate: bool = False) -> None:
        """Accept no more items: `put` raises ShutDown, and so does `get` once the queue is empty.

        Args:
            immediate: Drop the items that are there and count them as done.
        """
        self._core.shutdown(immediate)
