"""`TaskGroup`: calls that end together, or fail together, on whatever backends they run.

One body of logic (`_Members`) under two faces: `with`, which waits for each call's future as anybody who waits does, so
that threads are compensated and answers of workers are read; and `async with`, which does as `asyncio.TaskGroup` does.

Guarantees:
    - Whoever leaves the block does so when every call that was submitted through the group has ended, those too
      that other calls have submitted meanwhile.
    - The first failure cancels the others, once; what fails after it is told as well. Nothing that raised is lost.
    - No call enters a group that is ending because of a failure, or has ended.
Assumes: a future's callbacks are called once it has ended, by any thread.
State table of a group (all changes under the lock):
    new     -> open      it is entered
    open    -> failing   a call, or the block, has raised; or somebody cancels the task that waits
    open    -> ended     who leaves the block finds no call under way
    failing -> ended     the same
Races:
    - a call is submitted as another fails: it is among those to cancel, or it is cancelled by who submits it:
      `tests/test_groups.py::test_submitting_as_another_fails`
    - a call is submitted by another call as the last one ends: who submits is counted, so the end waits:
      `tests/test_groups.py::test_the_end_waits_for_who_submits`
    - a call ends between two looks of who waits: whoever of its callback and of who waits comes first counts it
      out, and the other does nothing: `tests/test_groups.py::test_each_call_is_counted_out_once`
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar, overload

from .default import get_executor
from .executor import AdaptiveExecutor, ExecutorView
from .futures import Future

__all__ = ["TaskGroup"]

P = ParamSpec("P")
T = TypeVar("T")
_UNHANDLED: Final = "unhandled errors in a TaskGroup"
_NAP: Final = 1.0
_OUTRIGHT: Final = (KeyboardInterrupt, SystemExit)


class _Members:
    """The calls of a group, and what has become of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.pending: dict[Future[Any], None] = {}
        self.errors: list[BaseException] = []
        self.outright: BaseException | None = (
            None  # what is not for a group, but for whoever runs the program
        )
        self.entered = False
        self.failing = False
        self.ended = False
        self.submitting = 0
        self.on_failure: Callable[[], object] | None = None
        self.on_rest: Callable[[], object] | None = None

    def enter(self) -> None:
        """The block begins."""
        with self.lock:
            if self.entered:
                raise RuntimeError("this TaskGroup has been entered before: make a new one for each block")
            self.entered = True

    def admit(self) -> None:
        """A call is about to be submitted."""
        with self.lock:
            if not self.entered:
                raise RuntimeError("this TaskGroup has not been entered: submit within its `with` block")
            if self.ended:
                raise RuntimeError("this TaskGroup has ended: submit within its `with` block")
            if self.failing:
                raise RuntimeError(
                    "this TaskGroup is shutting down: one of its calls, or its block, has failed"
                )
            self.submitting += 1

    def admitted(self, future: Future[Any] | None) -> None:
        """It has been submitted, or could not be."""
        with self.lock:
            if future is not None:
                self.pending[future] = None
        if future is not None:
            future.add_done_callback(self.count_out)
        with self.lock:
            self.submitting -= 1
            late = self.failing
            self.changed.notify_all()
        if late and future is not None:
            future.cancel()
        self._rested()

    def count_out(self, future: Any) -> None:
        """A call has ended."""
        if self._note(future):
            self.fail()
        self._rested()

    def _rested(self) -> None:
        """Tell who waits, if anybody does, that it may be over."""
        on_rest = self.on_rest
        if on_rest is not None:
            on_rest()

    def _note(self, future: Future[Any]) -> bool:
        """Take a call that has ended out; True if it is the first to fail."""
        error = None if future.cancelled() else future.exception(0)
        with self.lock:
            if future not in self.pending:
                return False
            del self.pending[future]
            self.changed.notify_all()
            if error is None:
                return False
            if isinstance(error, _OUTRIGHT):
                self.outright = self.outright or error
            elif not any(error is known for known in self.errors):
                self.errors.append(error)
            return not self.failing

    def fail(self) -> None:
        """Cancel whatever has not ended, and let no more calls enter; the second time nothing is left to do."""
        with self.lock:
            if self.failing:
                return
            self.failing = True
            others = list(self.pending)
        for future in reversed(others):  # the last first, so that nothing moves up meanwhile
            future.cancel()
        if self.on_failure is not None:
            self.on_failure()

    def next(self) -> Future[Any] | None:
        """One that has not been counted out; None, and the group has ended, once there are no more."""
        with self.changed:
            while not self.pending and self.submitting:
                self.changed.wait(
                    _NAP
                )  # a signal that comes as the main thread falls asleep would have to wait
            first = next(iter(self.pending), None)
            self.ended = first is None
            return first

    def is_over(self) -> bool:
        """Whether nothing is under way; then the group has ended."""
        with self.lock:
            self.ended = not self.pending and not self.submitting
            return self.ended

    def raised(self, error: Exception) -> None:
        """The block has raised this, which may be what one of the calls has."""
        if not any(error is known for known in self.errors):
            self.errors.append(error)

    def tell(self) -> None:
        """Raise what calls have raised."""
        try:
            if self.outright is not None:
                raise self.outright
            if self.errors:
                raise BaseExceptionGroup(_UNHANDLED, self.errors) from None
        finally:
            self.errors = []  # they lead to frames that lead back here
            self.outright = None


class TaskGroup:
    """Calls that belong together: the block ends when all have ended, and if one fails the others are cancelled::

        with TaskGroup() as group:
            left = group.submit(parse, text)
            right = group.submit(fetch, url)
        print(left.result(), right.result())

    As `asyncio.TaskGroup`, for calls on any backend, with `with` and with `async with`, one within the other as deep as
    one likes. When a call raises, what has not begun, coroutines and calls in worker processes are cancelled, and all
    that was raised comes as one `ExceptionGroup`, for `except*`. A call that runs on a thread can't be stopped: the
    block waits for it. `submit` may be called by any thread, also by calls of the group, until the block has ended.

    With `async with` the task in the block is cancelled as soon as a call fails, so that it doesn't wait for what
    will not come. With `with` nothing can interrupt the block: `submit` says that the group is shutting down, and
    futures that were cancelled raise `CancelledError`.

    Args:
        executor: Where calls are submitted: an executor or a view of one with options; None means `get_executor()`.

    Raises:
        TypeError: `executor` is something else.
    """

    def __init__(self, executor: AdaptiveExecutor | ExecutorView | None = None) -> None:
        if executor is not None and not isinstance(executor, (AdaptiveExecutor, ExecutorView)):
            raise TypeError(
                f"TaskGroup() takes an AdaptiveExecutor, a view of one, or nothing, not {type(executor).__name__}"
            )
        self._executor = executor
        self._members = _Members()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parent: asyncio.Task[Any] | None = None
        self._in_block = False
        self._interrupted = False  # whether the group, and nobody else, has cancelled its parent
        self._rest: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        members = self._members
        state = (
            "ended"
            if members.ended
            else "failing"
            if members.failing
            else "open"
            if members.entered
            else "new"
        )
        return f"<TaskGroup {state} pending={len(members.pending)} errors={len(members.errors)}>"

    @overload
    def submit(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]: ...

    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `fn(*args, **kwargs)` somewhere, as a part of the group.

        Args:
            fn: A function, plain or `async def`, or any other callable.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Returns:
            A future of its result. Cancelling it is no failure of the group.

        Raises:
            TypeError: `fn` can't be called.
            RuntimeError: The group has not been entered, is shutting down or has ended; or its executor has been
                shut down.
        """
        self._members.admit()
        try:
            future = (self._executor or get_executor()).submit(fn, *args, **kwargs)
        except BaseException:
            self._members.admitted(None)
            raise
        self._members.admitted(future)
        return future

    def __enter__(self) -> Self:
        self._members.enter()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        members = self._members
        if exc is not None:
            members.fail()
        interruption = self._wait_for_all()
        if exc is not None and not isinstance(exc, Exception):
            return  # an interruption, or the end of a generator: that goes on as it is
        if interruption is not None:
            raise interruption
        if isinstance(exc, CancelledError):
            members.tell()  # the block has asked for a result that there won't be, as another call has failed
        elif isinstance(exc, Exception):
            members.raised(exc)
        members.tell()

    def _wait_for_all(self) -> BaseException | None:
        """Wait until no call is under way; gives what has interrupted that, after which the others were cancelled."""
        members, interruption = self._members, None
        while (future := members.next()) is not None:
            try:
                future.exception()
            except CancelledError:
                pass
            except BaseException as error:  # Ctrl-C, or a loop that waits for itself
                if interruption is not None or isinstance(error, RuntimeError):
                    members.fail()
                    raise
                interruption = error
                members.fail()
                continue
            members.count_out(future)
        return interruption

    async def __aenter__(self) -> Self:
        parent = asyncio.current_task()
        if parent is None:
            raise RuntimeError("`async with TaskGroup()` has to run in an asyncio task")
        self._members.enter()
        self._loop, self._parent, self._in_block = asyncio.get_running_loop(), parent, True
        self._members.on_failure = lambda: self._call_soon(self._interrupt)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        parent, members = self._parent, self._members
        assert parent is not None
        self._in_block = False
        cancellation = exc if isinstance(exc, asyncio.CancelledError) else None
        if self._interrupted and parent.uncancel() == 0:
            cancellation = None  # it was the group's, and nobody else's
        if exc is not None:
            members.fail()
        cancellation = await self._rest_of_all(cancellation)
        try:
            if exc is not None and not isinstance(exc, (Exception, asyncio.CancelledError)):
                return
            if isinstance(exc, Exception):
                members.raised(exc)
            if parent.cancelling() and members.errors:
                # Errors go first; that somebody wants this task to end is not forgotten over them.
                parent.uncancel()
                parent.cancel()
            members.tell()
            if cancellation is not None:
                raise cancellation
        finally:
            self._parent = self._loop = members.on_failure = members.on_rest = None

    async def _rest_of_all(
        self, cancellation: asyncio.CancelledError | None
    ) -> asyncio.CancelledError | None:
        """Wait until no call is under way; gives the cancellation that has come meanwhile, or did before."""
        members, loop = self._members, self._loop
        assert loop is not None
        members.on_rest = lambda: self._call_soon(self._wake)
        while not members.is_over():
            self._rest = loop.create_future()
            try:
                await self._rest
            except asyncio.CancelledError as error:
                cancellation = error
                members.fail()
        return cancellation

    def _wake(self) -> None:
        """On the loop: a call has ended."""
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    def _interrupt(self) -> None:
        """On the loop: a call has failed, so the block need not go on."""
        if self._in_block and not self._interrupted and self._parent is not None and not self._parent.done():
            self._interrupted = True
            self._parent.cancel()

    def _call_soon(self, act: Callable[[], object]) -> None:
        """Have the loop do something, if it still runs."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(act)
            except RuntimeError:  # it was closed, and nobody waits any more
                pass
