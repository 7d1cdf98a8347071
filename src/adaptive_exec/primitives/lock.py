"""`Lock`: one lock for threads, coroutines and processes.

The two faces only choose how to wait; what happens is decided by the core (`lock_core`, `remote_lock`).
"""

from __future__ import annotations

import threading
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from ..errors import OwnerDiedWarning
from . import homes
from .lock_core import OWNER_DIED, LockCore
from .ticket import TIMED_OUT, ThreadTicket, wait

if TYPE_CHECKING:
    from .address import HomeAddress
    from .core import Core
    from .remote_lock import RemoteLockCore

__all__ = ["AsyncLock", "Lock"]

_WARNING: Final = "the process that held this lock died; what it protects may be half done"


@final
class Lock:
    """A mutual exclusion lock for threads, coroutines on any number of loops, and processes.

    Used as `threading.Lock` by threads, with `async with lock:` or `lock.aio` by coroutines, and by all
    of these in other processes that got it as an argument, in a closure, inside an item of a `Queue`, or by
    importing the module that makes it. Waiters are served in the order in which they came, and any thread
    or process may release it. When a process dies that holds it, the next to acquire it gets an
    `OwnerDiedWarning`.

    Attributes:
        aio: The same lock with the interface of `asyncio.Lock`.

    Raises:
        HomeDied: From every use, once the process in which it was made has ended.
    """

    __slots__ = ("__weakref__", "_core")

    _core: LockCore | RemoteLockCore

    def __new__(cls) -> Lock:
        made: Lock = homes.make("Lock", ())
        return made

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire the lock.

        Args:
            blocking: Wait until it can be had.
            timeout: Seconds to wait at most; -1: without limit.

        Returns:
            True if the lock was acquired, False if it could not be had, or not in time.

        Raises:
            ValueError: A timeout for a call that doesn't block, or a negative one.
            OverflowError: A timeout longer than `threading.TIMEOUT_MAX`.
        """
        if timeout != -1:
            _check(blocking, timeout)
        core = self._core
        if core.take():
            return True
        if not blocking:
            outcome = core.try_acquire()
            if outcome is OWNER_DIED:
                self._tell()
            return outcome is not None
        died = wait(core, ThreadTicket(), None if timeout == -1 else timeout, core.enqueue, core.accept)
        if died is TIMED_OUT:
            return False
        if died:
            self._tell()
        return True

    def release(self) -> None:
        """Release the lock; the first who waits gets it.

        Raises:
            RuntimeError: It isn't locked.
        """
        self._core.release()

    def locked(self) -> bool:
        """Return whether anybody holds the lock."""
        return self._core.locked()

    def __enter__(self) -> bool:
        return self._core.take() or self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._core.release()

    @property
    def aio(self) -> AsyncLock:
        """The same lock with the interface of `asyncio.Lock`."""
        return AsyncLock(self)

    async def __aenter__(self) -> None:
        if not self._core.take():
            await AsyncLock(self).acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        core = self._core
        if core.elsewhere:
            await AsyncLock(self).release_soon()
        else:
            core.release()

    def _tell(self) -> None:
        """Warn that the last holder died; if warnings are errors the lock isn't kept."""
        try:
            warnings.warn(_WARNING, OwnerDiedWarning, stacklevel=3)
        except OwnerDiedWarning:
            self._core.release()
            raise

    def __copy__(self) -> Lock:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Lock:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return homes.reduced(self._core)

    def __repr__(self) -> str:
        core: Core = self._core
        if core.elsewhere:
            return f"<{type(self).__name__} of another process at {id(self):#x}>"
        state = "locked" if self._core.locked() else "unlocked"
        return f"<{state} {type(self).__name__} at {id(self):#x}>"


@final
class AsyncLock:
    """A `Lock` with the interface of `asyncio.Lock`, for coroutines on any number of loops."""

    __slots__ = ("_lock",)

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    async def acquire(self) -> bool:
        """Acquire the lock without blocking the loop; cancelling the call gives up its place in the queue.

        Returns:
            True.
        """
        lock = self._lock
        core = lock._core
        if core.take():
            return True
        from .loop_ticket import LoopTicket, wait_async

        if await wait_async(core, LoopTicket(), None, core.enqueue, core.accept):
            lock._tell()
        return True

    def release(self) -> None:
        """Release the lock without waiting.

        If it lives in another process and this one holds it, it is released there a moment later; what this
        process does with it afterwards happens after that.

        Raises:
            RuntimeError: It isn't locked.
        """
        self._lock._core.release_later()

    async def release_soon(self) -> None:
        """Release the lock as `release` does, without ever blocking the loop.

        Once called it is released even if the caller is cancelled while it waits for the answer.

        Raises:
            RuntimeError: It isn't locked.
        """
        core = self._lock._core
        if core.elsewhere:
            from .loop_ticket import LoopTicket, wait_async

            await wait_async(core, LoopTicket(), None, core.ask_release, lambda ticket: ticket.spend())
        else:
            core.release()

    def locked(self) -> bool:
        """Return whether anybody holds the lock."""
        return self._lock._core.locked()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release_soon()

    def __repr__(self) -> str:
        return f"<aio view of {self._lock!r}>"


def _check(blocking: bool, timeout: float) -> None:
    """Raise what `threading.Lock` raises for arguments that make no sense."""
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")


def _remote(home: HomeAddress, oid: int) -> RemoteLockCore:
    """Make the way to a lock that lives elsewhere."""
    from .remote_lock import RemoteLockCore

    return RemoteLockCore(home, oid)


homes.register_kind("Lock", homes.Kind(Lock, LockCore, _remote))
