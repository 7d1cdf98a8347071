"""`Future`: a `concurrent.futures.Future` that can be awaited and that knows how to stop its task.

Guarantees:
    - A future ends once. `begin`, `try_result`, `try_silently`, `try_exception` and `cancel` each take the future's own
      lock, look at its state and change it in one step; whoever comes second is told False and
      changes nothing. So a result that arrives for a cancelled task is dropped, never an error, and a
      cancellation that arrives after the result is refused.
    - Callbacks and waiters are told after the change, outside the lock.
    - `done`, `cancelled` and `running` take no lock: the state is one reference, and the last thing to be set when
      the call ends, so whoever sees the end sees the result.
Assumes:
    - The state names and the fields `_condition`, `_state`, `_waiters`, `_done_callbacks`, `_result` and
      `_exception` of `concurrent.futures.Future`, unchanged since Python 3.2;
      `tests/test_futures.py` fails if one of them goes.
State table (who may change it):
    PENDING   -> RUNNING     a backend, by `begin`
    PENDING   -> CANCELLED   anybody, by `cancel`
    RUNNING   -> CANCELLED   anybody, by `cancel`, if the backend can stop what runs (`stoppable`)
    RUNNING   -> PENDING     a backend, by `rest`: its worker never began the call, or it is to be run again
    RUNNING   -> FINISHED    a backend, by `try_result` / `try_exception`; the dispatcher, for a thread's timeout
    PENDING   -> FINISHED    the dispatcher, for a task that fails before it begins
Races:
    - cancel against completion: `tests/test_futures.py::test_cancel_against_completion`
    - cancel against begin: `tests/test_futures.py::test_cancel_against_begin`
    - somebody comes to be told while the future ends silently: whoever has come under the lock is told, and whoever
      comes later finds it ended: `tests/test_futures.py::test_who_comes_as_it_ends_silently_is_told`
"""

from __future__ import annotations

import _thread
import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from concurrent.futures import Future as StandardFuture
from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, PENDING, RUNNING
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from .awaiting import until_done
from .model import Decision
from .unseen import Unseen

__all__ = [
    "FINISHED",
    "PENDING",
    "RUNNING",
    "Future",
    "blocking_in",
    "callbacks_by",
    "may_block",
    "new_lock",
    "refuse_to_wait",
    "standing_aside",
]

T = TypeVar("T")

_OPEN: Final = (PENDING, RUNNING)
_CANCELLED: Final = (CANCELLED, CANCELLED_AND_NOTIFIED)
_FOR_EVER: Final = float("inf")
_NAP: Final = 1.0
# What `threading.RLock` calls if nobody has replaced it.
new_lock: Final[Callable[[], Any]] = _thread.RLock
_log = logging.getLogger("adaptive_exec")


_FORGONE: Final = Unseen(Exception(), "nothing")
_FORGONE.seen()


class _Here(threading.local):
    """What is special about this thread: what it does while it waits, and who calls callbacks for it."""

    enter: Callable[[], AbstractContextManager[None]] | None = None
    later: Callable[[Callable[[], object]], object] | None = None


_here = _Here()


def blocking_in(hook: Callable[[], AbstractContextManager[None]] | None) -> None:
    """Set what this thread enters while it waits for a future; None for an ordinary thread."""
    _here.enter = hook


def may_block() -> bool:
    """Whether this thread may wait for a call to end: not if it is one of those that deliver results."""
    return _here.enter is not refuse_to_wait


def standing_aside() -> AbstractContextManager[None]:
    """What this thread enters while it waits, so that its owner may compensate for it."""
    enter = _here.enter
    return _UNHINDERED if enter is None else enter()


def callbacks_by(hook: Callable[[Callable[[], object]], object] | None) -> None:
    """Have another thread call the callbacks of futures that end on this one: `hook` is given what to call.

    For a thread that ends futures of others while it waits for its own. It may hold locks that their callbacks
    want, so it must not call them. None for an ordinary thread.
    """
    _here.later = hook


def refuse_to_wait() -> AbstractContextManager[None]:
    """What a thread that delivers results enters before it waits for one: nobody else could deliver that."""
    raise RuntimeError(
        "a done callback runs on the thread that delivers results, and must not wait for one there: "
        "submit a call that waits, or add a callback to the other future"
    )


class _Audience:
    """Who is to be told of a future's end."""

    __slots__ = ("callbacks", "condition", "waiters")

    def __init__(self) -> None:
        self.condition: threading.Condition | None = None
        self.waiters: list[Any] | None = None
        self.callbacks: list[Callable[[Any], object]] = []


class Future(StandardFuture[T], Generic[T]):
    """The outcome of a submitted call.

    Everything that works with a `concurrent.futures.Future` works with it (`wait`, `as_completed`,
    `asyncio.wrap_future`), and `await future` works on any running loop, on several at once too.

    It is made light: what only somebody who waits needs, a condition and two lists, is made when it is needed.

    Attributes:
        decision: Where the call ran and why; None as long as it has not been decided.
    """

    __slots__ = ("_audience", "_exception", "_lock", "_result", "_state", "decision", "helper")
    _audience: _Audience | None
    _exception: BaseException | None
    _result: Any
    decision: Decision | None
    helper: Callable[[Future[Any]], bool] | None  # brings the end, perhaps; says whether it has

    # What most calls never need stands as a default in the class.
    attend: Callable[[Future[Any], float], None] | None = None  # brings the end nearer for so many seconds
    call: Any = None
    on_cancel: Callable[[Any], object] | None = None  # told that it was cancelled, with `call`
    only_on: asyncio.AbstractEventLoop | None = None
    stoppable = False
    _unseen: Unseen | None = None

    def __init__(self) -> None:
        # Not the standard one's, which makes all of it. Its other methods find theirs in the properties below.
        self._lock = new_lock()
        self._state = PENDING
        self._result = self._exception = self._audience = self.decision = self.helper = None

    def __repr__(self) -> str:
        # Not the standard one's, which makes a condition; and `deque.remove` asks for it if it finds nothing.
        state, how = self._state, ""
        if state == FINISHED:
            error = self._exception
            how = (
                f" returned {type(self._result).__name__}"
                if error is None
                else f" raised {type(error).__name__}"
            )
        name = "cancelled" if state in _CANCELLED else state.lower()
        return f"<Future at {id(self):#x} state={name}{how}>"

    def _get_audience(self) -> _Audience:
        """Who is to be told of the end. Caller holds the lock."""
        audience = self._audience
        if audience is None:
            audience = self._audience = _Audience()
        return audience

    def _get_condition(self) -> threading.Condition:
        """The condition over the future's lock."""
        with self._lock:
            audience = self._get_audience()
            if audience.condition is None:
                audience.condition = threading.Condition(self._lock)
            return audience.condition

    def _get_waiters(self) -> list[Any]:
        """Those of `concurrent.futures.wait` and `as_completed`."""
        with self._lock:
            audience = self._get_audience()
            if audience.waiters is None:
                audience.waiters = []
            return audience.waiters

    def _get_callbacks(self) -> list[Callable[[Any], object]]:
        """What is called at the end."""
        with self._lock:
            return self._get_audience().callbacks

    if not TYPE_CHECKING:  # for a type checker they are the attributes that the standard class has
        _condition = property(_get_condition)
        _waiters = property(_get_waiters)
        _done_callbacks = property(_get_callbacks)

    def done(self) -> bool:
        """True if the call has ended or was cancelled."""
        return self._state not in _OPEN

    def cancelled(self) -> bool:
        """True if the call was cancelled."""
        return self._state in _CANCELLED

    def running(self) -> bool:
        """True if the call has begun and has not ended."""
        return self._state == RUNNING

    def cancel(self) -> bool:
        """Cancel the call if that is still possible.

        What has not begun is forgotten; a running coroutine is cancelled; a process that runs the call
        is ended. A running thread can't be stopped.

        Returns:
            True if the call is cancelled, False if it has ended or can't be stopped.
        """
        return self._cancel(self.stoppable)

    def cancel_pending(self) -> bool:
        """Cancel the call only if it has not begun."""
        return self._cancel(False)

    def _cancel(self, if_running: bool) -> bool:
        """Cancel in one step, then tell waiters, callbacks and whoever runs it."""
        with self._lock:
            if self._state == FINISHED or (self._state == RUNNING and not if_running):
                return False
            if self._state not in _OPEN:
                return True
            self._state = CANCELLED_AND_NOTIFIED
            audience = self._audience
            if audience is not None:
                for waiter in audience.waiters or ():
                    waiter.add_cancelled(self)
                if audience.condition is not None:
                    audience.condition.notify_all()
        self._tell(audience)
        call = self.call  # first: who no longer wants to be told forgets it last
        on_cancel = self.on_cancel
        if on_cancel is not None:
            on_cancel(call)
        return True

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """Have something called with the future once it ends; at once if it has.

        Args:
            fn: It is called on the thread that ends the future, or on this one. What it raises is logged.
        """
        with self._lock:
            if self._state in _OPEN:
                self._get_audience().callbacks.append(fn)
                return
        super().add_done_callback(fn)  # which finds that it has ended

    def begin(self) -> bool:
        """Mark the call as running; False if it has been cancelled and must not be run."""
        with self._lock:
            if self._state == PENDING:
                self._state = RUNNING
            return self._state == RUNNING

    def rest(self) -> bool:
        """Take a running call back to pending, because its worker never began it; False if it has ended."""
        with self._lock:
            if self._state == RUNNING:
                self._state = PENDING
            return self._state == PENDING

    def set_running_or_notify_cancel(self) -> bool:
        """As in the standard library; says False for a future that was cancelled, however often asked."""
        with self._lock:
            if self._state == CANCELLED_AND_NOTIFIED:
                return False
            return super().set_running_or_notify_cancel()

    def try_result(self, value: T) -> bool:
        """End the call with its result; False if it had ended before."""
        return self._end(value, None)

    def try_silently(self, value: T) -> bool:
        """End the call with its result if nobody has to be told; False, and nothing done, otherwise."""
        with self._lock:
            if self._audience is not None or self._state not in _OPEN:
                return False
            self._result = value
            self._state = FINISHED
            return True

    def calls_back(self) -> bool:
        """Whether something is called at the end; a hint."""
        audience = self._audience
        return audience is not None and bool(audience.callbacks)

    def try_exception(self, error: BaseException) -> bool:
        """End the call with an exception; False if it had ended before."""
        return self._end(None, error)

    def _end(self, value: T | None, error: BaseException | None) -> bool:
        """Finish in one step, then tell waiters and callbacks."""
        with self._lock:
            if self._state not in _OPEN:
                return False
            self._result = value
            if error is not None:
                self._exception = error
                if self._unseen is not _FORGONE:
                    self._unseen = Unseen(error, str(getattr(self.call, "name", "a call")))
            self._state = FINISHED
            audience = self._audience
            if audience is not None:
                for waiter in audience.waiters or ():
                    if error is None:
                        waiter.add_result(self)
                    else:
                        waiter.add_exception(self)
                if audience.condition is not None:
                    audience.condition.notify_all()
        self._tell(audience)
        return True

    def _tell(self, audience: _Audience | None) -> None:
        """See that the callbacks are called."""
        if audience is not None and audience.callbacks:
            later = _here.later
            if later is None:
                self._call_back()
            else:
                later(self._call_back)

    def _call_back(self) -> None:
        """Call the callbacks; whatever they raise, even SystemExit, whoever ended the future lives on."""
        try:
            self._invoke_callbacks()  # type: ignore[attr-defined]
        except BaseException:
            _log.exception("adaptive_exec: a done callback of %r raised", self)

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result.

        Args:
            timeout: Seconds to wait at most; None waits as long as it takes.

        Returns:
            What the call returned.

        Raises:
            TimeoutError: It has not ended within `timeout`.
            CancelledError: It was cancelled.
            RuntimeError: It can only end on the event loop that is calling; await it instead.
            BaseException: Whatever the call raised.
        """
        try:
            if self._state in _OPEN:
                helper = self.helper
                if helper is None or timeout is not None or not helper(self):
                    self._wait(timeout)
            if self._state in _CANCELLED:
                raise CancelledError
            if self._exception is not None:
                self._look()
                raise self._exception
            return self._result  # type: ignore[no-any-return]
        finally:
            self = None  # type: ignore[assignment]  # noqa: PLW0642  the error's traceback would lead back here

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end and give the exception that the call raised; as `result` otherwise."""
        if not self.done():
            self._wait(timeout)
        if self._state in _CANCELLED:
            raise CancelledError
        self._look()
        return self._exception

    def forgo(self) -> None:
        """Nobody will ask for the result, and that is as it should be: a failure need not be logged."""
        with self._lock:
            self._look()
            self._unseen = _FORGONE

    def _look(self) -> None:
        """Somebody has seen how it ended."""
        unseen = self._unseen
        if unseen is not None:
            unseen.seen()

    def _wait(self, timeout: float | None) -> None:
        """Wait for the end, helping to bring it if the backend lets waiters do that.

        Raises:
            TimeoutError: It has not come.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._about_to_block():
            attend = self.attend
            if attend is not None and (timeout is None or timeout > 0):
                attend(self, _FOR_EVER if timeout is None else timeout)
                if self._state not in _OPEN:
                    return
            # A signal that comes just before the main thread falls asleep is dealt with only when it wakes.
            longest = _NAP if threading.get_ident() == threading.main_thread().ident else None
            condition = self._get_condition()
            with condition:
                while self._state in _OPEN:
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        raise TimeoutError
                    condition.wait(
                        left if longest is None else longest if left is None else min(left, longest)
                    )

    def _about_to_block(self) -> AbstractContextManager[None]:
        """Refuse to block the one loop that could finish this; else let the thread's owner compensate."""
        loop = asyncio._get_running_loop()
        if loop is not None and loop is self.only_on:
            raise RuntimeError(
                "this result can only come from the event loop that is waiting for it: await it"
            )
        if self.only_on is not None and self.only_on.is_closed():
            raise RuntimeError("this result will never come: the event loop that had to bring it is closed")
        return standing_aside()

    def __await__(self) -> Generator[Any, None, T]:
        try:
            if self._state in _OPEN:
                yield from until_done(self)
            if self._state in _CANCELLED or type(self._exception) is CancelledError:
                self._look()
                raise asyncio.CancelledError
            if self._exception is not None:
                self._look()
                raise self._exception
            return self._result  # type: ignore[no-any-return]
        finally:
            self = None  # type: ignore[assignment]  # noqa: PLW0642  as in `result`


class _Unhindered(AbstractContextManager[None]):
    """The context of a thread that nobody has to stand in for."""

    def __exit__(self, *exc: object) -> None:
        return None


_UNHINDERED: Final = _Unhindered()
