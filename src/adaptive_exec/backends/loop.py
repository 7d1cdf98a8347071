"""The loop backend: coroutines on the loop that submits them, or on a loop of the library's own.

Guarantees:
    - Each task taken is handed back exactly once, on the loop that ran it.
    - A burst of submissions from other threads costs the library's loop one wake-up, not one each.
    - On the library's loop a coroutine begins as the inbox is drained, where Python can do that (from 3.12 on); on the
      loop that submits it, after whoever submitted it.
    - `under_way` leaves out no call that was taken and has not ended, once `closed` is set.
    - The library's loop exists from the first task that needs it to `shutdown`, which lets running
      coroutines end, closes asynchronous generators, and then the loop.
Assumes:
    - A loop that submits a coroutine runs it to its end or cancels it, as `asyncio.run` does.
    - The methods of `deque` and `set` used here are atomic, and what a thread does before one of them is seen by who
      comes after it at the same object, as with a lock.
State table of the library's loop (changes under `_lock`):
    none -> running     the first task
    running -> ending   `shutdown`; nothing is accepted any more
    ending -> none      the last task has ended
Races:
    - a submission while the loop drains its inbox: `_scheduled` goes to False before the inbox is read,
      so whoever appends later schedules another drain, without a lock; one too many is harmless:
      `tests/backends/test_loop.py::test_submission_while_the_inbox_is_drained`
    - the loop is ended after a task was put and before it is woken for that: others have woken it, and the task has
      ended: `tests/test_shutdown.py::test_ended_before_the_loop_is_woken`
    - a coroutine waits for the rest in its first step, when nobody knows its asyncio task yet: whoever waits is told
      once it is known: `tests/test_shutdown.py::test_in_the_first_step_of_a_coroutine`
    - cancel before the task has begun: `begin` on the loop decides:
      `tests/backends/test_loop.py::test_cancel_before_the_loop_has_begun`
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, ClassVar

from ..model import BackendName
from ..profiling.steps import MeasuredCoroutine
from .accounts import all_of, take_back
from .base import Backend, BackendLoad, Outcome, SwiftTask, Task

__all__ = ["LoopBackend", "LoopTask"]


def _new_loop() -> asyncio.AbstractEventLoop:
    """A uvloop where it is installed and works, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _make(
    loop: asyncio.AbstractEventLoop, coroutine: Any, name: str, context: contextvars.Context
) -> asyncio.Task[Any]:
    """The asyncio task of a coroutine, which begins with the loop's next turn."""
    return loop.create_task(coroutine, name=name, context=context)


class _FirstSteps:
    """Makes coroutines begin at once, on a loop where nobody else is at work then, and deals with its complaints."""

    __slots__ = ("_making",)

    def __init__(self) -> None:
        self._making = False

    def make(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, name: str, context: contextvars.Context
    ) -> asyncio.Task[Any]:
        """As `_make`, but one that waits for nothing has ended when this returns, which takes a fifth of the time."""
        if sys.version_info >= (3, 12) and loop.get_task_factory() is None:
            self._making = True
            try:
                return asyncio.Task(coroutine, loop=loop, name=name, context=context, eager_start=True)
            finally:
                self._making = False
        return _make(loop, coroutine, name, context)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what the loop has nobody to tell of, as it would itself."""
        # A first step that was to end the program has ended its task before anybody had that; its call is told.
        if not (self._making and isinstance(context.get("exception"), (SystemExit, KeyboardInterrupt))):
            loop.default_exception_handler(context)


class LoopTask(SwiftTask):
    """A call of a coroutine function that is known. The asyncio task that runs it calls it at the end."""

    __slots__ = ("among", "backend", "only_on", "wire")
    coroutine = True
    stoppable = True
    backend: LoopBackend | None
    among: set[Task]

    def __call__(self, ended: asyncio.Task[Any]) -> None:
        """The coroutine has ended."""
        backend = self.backend
        if backend is None:
            return  # it has been given up
        if ended.cancelled() or ended.exception() is not None:
            backend.ended(self, self.among, ended)
            return
        value = ended.result()
        if self.try_silently(value):
            self.among.discard(self)
            self.let_go()
            if backend.closed:
                backend.one_less()
        else:
            backend.hand_back(self, self.among, Outcome(value))

    def on_cancel(self, _: object) -> None:
        """It was cancelled."""
        backend = self.backend
        if backend is not None:  # else it has ended meanwhile
            backend.cancel(self)

    def let_go(self) -> None:
        super().let_go()
        self.wire = self.backend = None


class LoopBackend(Backend):
    """Runs coroutines.

    Attributes:
        closed: Nothing more will come.
        told: Called when a call has ended, and is not counted any more, once `closed` is set.
    """

    name: ClassVar[BackendName] = "loop"

    def __init__(self, thread_name: str = "adaptive-exec-loop") -> None:
        """`thread_name` is what the thread of its loop is called."""
        self.closed = False
        self.told: Callable[[], object] = int
        self._thread_name = thread_name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._inbox: deque[Task] = deque()
        self._scheduled = False
        self._refuses = False  # it has been shut down
        self._steps = _FirstSteps()
        self._stopping = False  # the loop has been told to stop, which it must be only once
        self._begun: set[Task] = set()  # on the library's loop, not yet handed back
        self._elsewhere: set[Task] = set()  # on the submitters' loops, not yet handed back

    def submit(self, task: Task) -> None:
        with self._lock:
            if self._refuses:
                raise RuntimeError("cannot schedule new futures after shutdown")
            loop = self._loop
            if loop is None:
                loop = self._start()
            task.future.only_on = loop
            self._inbox.append(task)
        self._wake(loop)

    def put(self, task: LoopTask) -> bool:
        """Take a call that is counted by nobody else; False, and nothing done, if nothing more comes."""
        loop = self._loop
        task.backend, task.wire, task.only_on = self, None, loop
        if loop is None:
            self.submit(task)
            return True
        self._inbox.append(task)
        # Without the lock: who closes sets the flag, and looks for calls then.
        if self.closed and take_back(self._inbox, task):
            return False
        if not self._scheduled:
            self._wake(loop)
        return True

    def put_here(self, task: LoopTask, loop: asyncio.AbstractEventLoop) -> bool:
        """The same on `loop`, which is running in this thread."""
        task.backend, task.wire, task.only_on = self, None, loop
        self._elsewhere.add(task)
        if self.closed:
            self._elsewhere.discard(task)
            return False
        self._begin(task, loop, self._elsewhere)
        return True

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """See that the inbox is looked into."""
        if not self._scheduled:
            self._scheduled = True
            try:
                loop.call_soon_threadsafe(self._drain)
            except BaseException as error:  # of a signal's handler, perhaps
                self._scheduled = False  # who comes next is not to count on it
                # Or what was in the inbox had been begun already, and was the last: nothing is left to wake it for.
                if isinstance(error, RuntimeError) and loop.is_closed() and not self._inbox:
                    return
                raise

    def close(self, told: Callable[[], object]) -> None:
        """Nothing more will come; from now on somebody is told as calls end."""
        self.told = told
        self.closed = True
        loop = self._loop
        if (
            loop is not None and self._inbox
        ):  # who put the last one may have been interrupted before the loop was woken
            self._scheduled = False
            self._wake(loop)

    def submit_here(self, task: Task, loop: asyncio.AbstractEventLoop) -> None:
        """Run the task on `loop`, which is running in this thread."""
        with self._lock:
            if self._refuses:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._elsewhere.add(task)
        task.future.only_on = loop
        self._begin(task, loop, self._elsewhere)

    def give_up(self, task: Task) -> None:
        """The loop that ran it will never run again."""
        self._elsewhere.discard(task)

    def under_way(self) -> list[Task]:
        """The calls that wait or run."""
        # In this order: a call goes from the inbox to those that have begun.
        return [*all_of(self._inbox, self), *self._begun.copy(), *self._elsewhere.copy()]

    def cancel(self, task: Task) -> None:
        loop = task.future.only_on
        if loop is not None:
            try:
                loop.call_soon_threadsafe(_cancel, task)
            except RuntimeError:
                return  # the loop is closed, and so the coroutine over

    def load(self) -> BackendLoad:
        return BackendLoad(
            queued=len(self._inbox),
            running=len(self._begun) + len(self._elsewhere),
            workers=self._loop is not None,
        )

    @property
    def runs(self) -> bool:
        """Whether the library's loop is there; read without the lock, as a hint."""
        return self._loop is not None

    def owns(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this is the library's own loop."""
        return loop is self._loop

    def shutdown(self, *, wait: bool) -> None:
        with self._lock:
            self._refuses = True
            loop, thread = self._loop, self._thread
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._stop_if_over)
            except RuntimeError:
                pass  # it has closed already
        if wait and thread is not None and thread is not threading.current_thread():
            thread.join()

    def abort(self) -> None:
        """Running coroutines are ended by cancelling their futures, which the dispatcher does."""

    def _start(self) -> asyncio.AbstractEventLoop:
        """Make the library's loop and its thread."""
        loop = _new_loop()
        loop.set_exception_handler(self._steps)
        thread = threading.Thread(target=self._serve, args=(loop,), name=self._thread_name, daemon=True)
        try:
            thread.start()
        except BaseException:
            loop.close()
            raise
        self._loop, self._thread = loop, thread
        return loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """The life of the library's loop."""
        asyncio.set_event_loop(loop)
        try:
            while not self._run_until_stopped(loop):
                pass
        finally:
            try:
                for left in asyncio.all_tasks(loop):
                    left.cancel()
                loop.run_until_complete(asyncio.sleep(0))
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
            finally:
                asyncio.set_event_loop(None)
                loop.close()

    def _run_until_stopped(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Run the loop; False if a coroutine broke out of it, which its own future has been told."""
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            return False
        return True

    def _drain(self) -> None:
        """Begin everything in the inbox."""
        self._scheduled = False
        loop, inbox, begun = self._loop, self._inbox, self._begun
        assert loop is not None
        for _ in range(len(inbox)):
            try:
                task = inbox[0]
            except IndexError:
                break
            begun.add(task)  # before it is gone from there
            if take_back(inbox, task):
                self._begin(task, loop, begun)
            else:
                begun.discard(task)  # who put it has taken it back
            del task
        if inbox:  # who came meanwhile has seen that it is scheduled, or will
            self._wake(loop)

    def _begin(self, task: Task, loop: asyncio.AbstractEventLoop, among: set[Task]) -> None:
        """Make the asyncio task that runs one coroutine."""
        if not task.begin():
            self.hand_back(task, among, Outcome())
            return
        context = task.context
        make = self._steps.make if among is self._begun else _make
        try:
            coroutine = context.run(_call, task)
            if task.measure:
                coroutine = task.meter = MeasuredCoroutine(coroutine)
            running = make(loop, coroutine, task.name, context)
        except BaseException as error:
            self.hand_back(task, among, Outcome(error=error))
            del task  # the error leads here
            return
        task.wire = running
        if isinstance(task, LoopTask):
            task.among = among
            ended: Callable[[asyncio.Task[Any]], object] = task
        else:
            ended = functools.partial(self.ended, task, among)
        if not running.done():
            running.add_done_callback(ended, context=context)
            if self.closed:
                self.told()  # who waits for the rest may be this very one
            return
        try:
            context.run(ended, running)
        except Exception as error:  # a defect; asyncio says it of a callback in these words
            loop.call_exception_handler({"message": f"Exception in callback {ended!r}", "exception": error})

    def ended(self, task: Task, among: set[Task], ended: asyncio.Task[Any]) -> None:
        """Hand a task back as its coroutine left it."""
        measured = task.meter
        if measured is not None:
            task.meter = None
        value: Any = None
        error: BaseException | None = None
        if ended.cancelled():
            error = asyncio.CancelledError()
        else:
            error = ended.exception()
            if error is None:
                value = ended.result()
        sample = None if measured is None else measured.sample(failed=error is not None)
        self.hand_back(task, among, Outcome(value, error, sample))

    def hand_back(self, task: Task, among: set[Task], outcome: Outcome) -> None:
        """Give one task back and count it out."""
        try:
            task.hand_back(outcome)
        finally:
            among.discard(task)
            self.one_less()

    def one_less(self) -> None:
        """A task has been handed back and counted out: see whether it was the last."""
        if self.closed:  # when others who count it heard of its end, it was still counted here
            self.told()
        if self._refuses:
            self._stop_if_over()

    def _stop_if_over(self) -> None:
        """End the library's loop once it has been shut down and has nothing left."""
        with self._lock:
            loop = self._loop
            over = not (self._inbox or self._begun or self._stopping)
            over = over and loop is not None and asyncio._get_running_loop() is loop
            self._stopping = self._stopping or over
        if over and loop is not None:
            loop.stop()


def _cancel(task: Task) -> None:
    """Cancel the coroutine of a task, on its loop."""
    running = task.wire
    if running is not None:
        running.cancel()


def _call(task: Task) -> Any:
    """Make the coroutine; a plain function that was sent here by force runs as one step."""
    fn = task.twin if task.twin is not None and task.as_twin else task.fn
    try:
        made = fn(*task.args, **task.kwargs)
    finally:
        del task  # what it raises leads here
    if type(made) is CoroutineType or isinstance(made, Coroutine):
        return made
    return _finished(made)


async def _finished(value: Any) -> Any:
    """A coroutine for a value that is there already."""
    return value
