"""The loop backend: coroutines on the loop that submits them, or on a loop of the library's own.

Guarantees:
    - Each task taken is handed back exactly once, on the loop that ran it.
    - A burst of submissions from other threads costs the library's loop one wake-up, not one each.
    - The library's loop exists from the first task that needs it to `shutdown`, which lets running
      coroutines end, closes asynchronous generators, and then the loop.
Assumes:
    - A loop that submits a coroutine runs it to its end or cancels it, as `asyncio.run` does.
State table of the library's loop (changes under `_lock`):
    none -> running     the first task
    running -> ending   `shutdown`; nothing is accepted any more
    ending -> none      the last task has ended
Races:
    - a submission while the loop drains its inbox: `_scheduled` goes to False before the inbox is read,
      so whoever appends later schedules another drain; one too many is harmless:
      `tests/backends/test_loop.py::test_submission_while_the_inbox_is_drained`
    - cancel before the task has begun: `begin` on the loop decides:
      `tests/backends/test_loop.py::test_cancel_before_the_loop_has_begun`
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine
from typing import Any, ClassVar

from ..model import BackendName
from ..profiling.steps import MeasuredCoroutine
from .base import Backend, BackendLoad, Outcome, Task

__all__ = ["LoopBackend"]


def _new_loop() -> asyncio.AbstractEventLoop:
    """A uvloop where it is installed and works, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class LoopBackend(Backend):
    """Runs coroutines."""

    name: ClassVar[BackendName] = "loop"

    def __init__(self, thread_name: str = "adaptive-exec-loop") -> None:
        """`thread_name` is what the thread of its loop is called."""
        self._thread_name = thread_name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._inbox: deque[Task] = deque()
        self._scheduled = False
        self._closed = False
        self._stopping = False  # the loop has been told to stop, which it must be only once
        self._accepted = 0  # on the library's loop, not yet handed back
        self._elsewhere = 0  # on the submitters' loops, not yet handed back

    def submit(self, task: Task) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            loop = self._loop
            if loop is None:
                loop = self._start()
            self._accepted += 1
            task.future.only_on = loop
            self._inbox.append(task)
            wake = not self._scheduled
            self._scheduled = True
        if wake:
            loop.call_soon_threadsafe(self._drain)

    def submit_here(self, task: Task, loop: asyncio.AbstractEventLoop) -> None:
        """Run the task on `loop`, which is running in this thread."""
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._elsewhere += 1
        task.future.only_on = loop
        self._begin(task, loop)

    def cancel(self, task: Task) -> None:
        loop = task.future.only_on
        if loop is not None:
            try:
                loop.call_soon_threadsafe(_cancel, task)
            except RuntimeError:
                return  # the loop is closed, and so the coroutine over

    def load(self) -> BackendLoad:
        with self._lock:
            return BackendLoad(
                queued=len(self._inbox),
                running=self._accepted + self._elsewhere - len(self._inbox),
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
            self._closed = True
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
        with self._lock:
            self._scheduled = False
            tasks = list(self._inbox)
            self._inbox.clear()
            loop = self._loop
        assert loop is not None
        for task in tasks:
            self._begin(task, loop)

    def _begin(self, task: Task, loop: asyncio.AbstractEventLoop) -> None:
        """Make the asyncio task that runs one coroutine."""
        if not task.begin():
            self._hand_back(task, loop, Outcome())
            return
        try:
            coroutine = task.context.run(_call, task)
            measured = task.meter = MeasuredCoroutine(coroutine) if task.measure else None
            running = loop.create_task(measured or coroutine, name=task.name, context=task.context)
        except BaseException as error:
            self._hand_back(task, loop, Outcome(error=error))
            return
        task.wire = running
        running.add_done_callback(lambda ended: self._ended(task, loop, ended, measured))

    def _ended(
        self,
        task: Task,
        loop: asyncio.AbstractEventLoop,
        ended: asyncio.Task[Any],
        measured: MeasuredCoroutine[Any] | None,
    ) -> None:
        """Hand the task back as its coroutine left it."""
        task.meter = None
        error: BaseException | None
        if ended.cancelled():
            error = asyncio.CancelledError()
        else:
            error = ended.exception()
        sample = None if measured is None else measured.sample(failed=error is not None)
        value = None if error is not None else ended.result()
        self._hand_back(task, loop, Outcome(value, error, sample))

    def _hand_back(self, task: Task, loop: asyncio.AbstractEventLoop, outcome: Outcome) -> None:
        """Give one task back and count it out."""
        try:
            task.done(outcome)
        finally:
            with self._lock:
                if loop is self._loop:
                    self._accepted -= 1
                else:
                    self._elsewhere -= 1
            self._stop_if_over()

    def _stop_if_over(self) -> None:
        """End the library's loop once it has been shut down and has nothing left."""
        with self._lock:
            loop = self._loop
            over = self._closed and self._accepted == 0 and not self._stopping
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
    made = fn(*task.args, **task.kwargs)
    if isinstance(made, Coroutine):
        return made
    return _finished(made)


async def _finished(value: Any) -> Any:
    """A coroutine for a value that is there already."""
    return value
