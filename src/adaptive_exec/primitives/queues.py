"""`Queue`: one queue for threads, coroutines and processes.

The two faces only choose how to wait; what happens is decided by the core (`queue_core`, `remote_queue`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from queue import Empty, Full
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, final

from . import homes
from .async_queue import AsyncQueue
from .queue_core import NOTHING, QueueCore
from .ticket import TIMED_OUT, ThreadTicket, wait

if TYPE_CHECKING:
    from .address import HomeAddress
    from .remote_queue import RemoteQueueCore

__all__ = ["Queue"]

T = TypeVar("T")


@final
class Queue(Generic[T]):
    """A first-in, first-out queue for threads, coroutines on any number of loops, and processes.

    Used as `queue.Queue` by threads, by `queue.aio` by coroutines, and by both in other processes that got
    it as an argument, in a closure, inside an item of another queue, or by importing the module that makes
    it. Within the process in which it was made, items go by reference; to and from other processes they are
    pickled. Waiters are served in the order in which they came.

    Args:
        maxsize: How many items it holds; 0 or less: any number.

    Attributes:
        aio: The same queue with the interface of `asyncio.Queue`.
        maxsize: How many items it holds.

    Raises:
        HomeDied: From every use, once the process in which it was made has ended.
    """

    __slots__ = ("__weakref__", "_core")

    _core: QueueCore | RemoteQueueCore

    def __new__(cls, maxsize: int = 0) -> Queue[T]:
        made: Queue[T] = homes.make("Queue", (maxsize,))
        return made

    @property
    def maxsize(self) -> int:
        """How many items it holds; 0 or less: any number."""
        return self._core.maxsize

    @property
    def unfinished_tasks(self) -> int:
        """The number of items put and not yet marked by `task_done`."""
        return self._core.sizes()[1]

    @property
    def is_shutdown(self) -> bool:
        """True once `shutdown` was called."""
        return self._core.sizes()[2]

    @property
    def aio(self) -> AsyncQueue[T]:
        """The same queue with the interface of `asyncio.Queue`."""
        return AsyncQueue(self._core)

    def put(self, item: T, block: bool = True, timeout: float | None = None) -> None:
        """Put an item at the end.

        Args:
            item: The item.
            block: Wait for room if the queue is full.
            timeout: Seconds to wait at most; None: without limit.

        Raises:
            Full: There was no room, or not in time.
            ShutDown: The queue was shut down.
            ValueError: A negative timeout.
            NotPicklable: The queue lives in another process and the item can't go there.
        """
        core = self._core
        if timeout is not None and block and timeout < 0 and core.maxsize > 0:
            raise ValueError("'timeout' must be a non-negative number")
        if core.put_now(item):
            return
        if not block:
            core.try_put((item,))
        else:
            self._put_all((item,), timeout)

    def put_nowait(self, item: T) -> None:
        """Put an item if there is room; as `put(item, block=False)`."""
        self.put(item, block=False)

    def put_many(self, items: Iterable[T]) -> None:
        """Put all items in their order, waiting for room as often as it takes.

        If the call is interrupted, the items that are in by then stay in.

        Args:
            items: The items; the iterable is read to its end before the first is put.

        Raises:
            ShutDown: The queue was shut down; items put before that stay.
            NotPicklable: The queue lives in another process and an item can't go there; none is put.
        """
        self._put_all(tuple(items), None)

    def _put_all(self, items: tuple[T, ...], timeout: float | None) -> None:
        """Put items, waiting at most `timeout` seconds for room each time."""
        core = self._core
        while items:
            filled = wait(
                core,
                ThreadTicket(),
                timeout,
                partial(core.ask_put, items=items),
                partial(core.fill, items=items),
            )
            if filled is TIMED_OUT:
                raise Full
            items = items[cast(int, filled) :]

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Take the first item out.

        Args:
            block: Wait for an item if the queue is empty.
            timeout: Seconds to wait at most; None: without limit.

        Returns:
            The item.

        Raises:
            Empty: There was no item, or not in time.
            ShutDown: The queue was shut down and is empty.
            ValueError: A negative timeout.
            NotPicklable: The first item was put in the process where the queue lives and can't leave it. It
                stays there for those who can have it.
        """
        if timeout is not None and block and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        core = self._core
        item = core.get_now()
        if item is NOTHING:
            item = (core.try_get(1) if not block else self._get_some(1, timeout))[0]
        return cast(T, item)

    def get_nowait(self) -> T:
        """Take the first item out if there is one; as `get(block=False)`."""
        return self.get(block=False)

    def get_many(self, max_items: int, timeout: float | None = None) -> list[T]:
        """Take out what is there, waiting until there is at least one item.

        Args:
            max_items: How many items at most.
            timeout: Seconds to wait for the first item; None: without limit.

        Returns:
            From one to `max_items` items.

        Raises:
            Empty: There was no item in time.
            ShutDown: The queue was shut down and is empty.
            ValueError: `max_items` below 1, or a negative timeout.
            NotPicklable: As for `get`.
        """
        if max_items < 1:
            raise ValueError("'max_items' must be at least 1")
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        return self._get_some(max_items, timeout)

    def _get_some(self, limit: int, timeout: float | None) -> list[T]:
        """Wait for items and take up to `limit`."""
        core = self._core
        items = wait(
            core,
            ThreadTicket(),
            timeout,
            partial(core.ask_get, limit=limit),
            partial(core.taken, limit=limit),
        )
        if items is TIMED_OUT:
            raise Empty
        return cast("list[T]", items)

    def task_done(self) -> None:
        """Say that an item that was taken out has been dealt with.

        Raises:
            ValueError: Called more often than items were put.
        """
        self._core.task_done()

    def join(self) -> None:
        """Wait until every item that was put has been marked by `task_done`."""
        core = self._core
        wait(core, ThreadTicket(), None, core.ask_join, lambda ticket: ticket.spend())

    def qsize(self) -> int:
        """Return the number of items; it may have changed by the time the caller looks at it."""
        return self._core.sizes()[0]

    def empty(self) -> bool:
        """Return whether there are no items; that may have changed by the time the caller looks at it."""
        return not self._core.sizes()[0]

    def full(self) -> bool:
        """Return whether there is no room; that may have changed by the time the caller looks at it."""
        return 0 < self._core.maxsize <= self._core.sizes()[0]

    def shutdown(self, immediate: bool = False) -> None:
        """Accept no more items: `put` raises ShutDown, and so does `get` once the queue is empty.

        Args:
            immediate: Drop the items that are there and count them as done.
        """
        self._core.shutdown(immediate)

    def __copy__(self) -> Queue[T]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Queue[T]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return homes.reduced(self._core)

    def __repr__(self) -> str:
        where = " of another process" if self._core.elsewhere else f" with {self.qsize()} items"
        return f"<{type(self).__name__}{where} at {id(self):#x}>"


def _remote(home: HomeAddress, oid: int) -> RemoteQueueCore:
    """Make the way to a queue that lives elsewhere."""
    from .remote_queue import RemoteQueueCore

    return RemoteQueueCore(home, oid)


homes.register_kind("Queue", homes.Kind(Queue, QueueCore, _remote))
