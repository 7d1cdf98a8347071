"""The end of an executor: no more calls come in, those under way end or are given up, then its backends do.

Guarantees:
    - `shutdown(wait=True)` returns when the last accepted call has ended, except those that can only end
      on the loop or in the call that is waiting.
    - The backends are ended once, by whoever sees first that nothing is left.
Assumes: whoever counts a call out asks `if_over` afterwards if that may have been the last.
Races:
    - a signal's handler shuts down without waiting, at any step of somebody who submits or shuts down, too: it takes
      no lock: `tests/test_shutdown.py::test_by_a_signal_inside_submit`
    - those of the last calls that leave at once: `living.py`
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext

from ..backends.base import Backend, Task
from ..backends.threads import ThreadBackend
from ..futures import may_block, standing_aside
from .admission import Admission
from .living import Living
from .loops import Loops
from .supervisor import Supervisor

__all__ = ["Ending"]


class Ending:
    """Ends it all.

    Args:
        living: The calls under way.
        admission: Those that wait to come in; None if there is no bound.
        threads: Ended, as are the others.
        loops: The same.
        others: The other backends.
        supervisor: Ended last; goes on with what may not be done in a signal's handler.
        lost: A call can never end by itself: end its future with this error, and count it out.
        over: Told when all has ended; more than once, perhaps.
    """

    def __init__(
        self,
        living: Living,
        admission: Admission | None,
        threads: ThreadBackend,
        loops: Loops,
        others: list[Backend],
        supervisor: Supervisor,
        lost: Callable[[Task, BaseException], None],
        over: Callable[[], None],
    ) -> None:
        self._living = living
        self._admission = admission
        self._threads = threads
        self._loops = loops
        self._backends: list[Backend] = [threads, *others]
        self._supervisor = supervisor
        self._lost = lost
        self._over = over

    def shutdown(self, *, wait: bool, cancel_futures: bool, caller: object, at_exit: bool) -> None:
        """Take no more calls; with `wait`, return when the last has ended.

        Args:
            wait: Return when the last has ended.
            cancel_futures: Cancel what has not begun.
            caller: The asyncio task that waits, if one does.
            at_exit: Loops that don't run never will again.
        """
        if self._living.forgotten:
            return
        if not (wait or cancel_futures) and self._supervisor.runs:
            # This may be a signal's handler, and any lock held by what it has interrupted: the rest is done elsewhere.
            self._refuse()
            self._supervisor.soon(self._wind_up)
            return
        live = self._close()
        if cancel_futures:
            for task in live:
                task.future.cancel_pending()
        if wait:
            # What is queued may need this thread's place.
            aside = standing_aside() if may_block() else nullcontext()
            with aside, self._living.waiter(threading.get_ident() if caller is None else caller):
                while not self._living.wait_for_rest():
                    self._end_stranded(at_exit)
        self.if_over(wait=wait)

    def abort(self) -> None:
        """End everything that can be ended, now."""
        if self._living.forgotten:
            return
        for task in self._close():
            task.future.cancel()
        for backend in self._backends:
            backend.abort()
        self.if_over(wait=False)

    def if_over(self, *, wait: bool) -> None:
        """Once nothing is accepted and nothing is live, end the backends; whoever comes first does it."""
        if not self._living.claim_end(again=wait):
            return
        for backend in (*self._backends, self._loops.apart):
            backend.shutdown(wait=wait)
        self._supervisor.stop(wait=wait)
        self._over()

    def _refuse(self) -> None:
        """Let no more calls come in; no lock is taken."""
        self._threads.close(self._swift_ended)
        self._loops.close(self._swift_ended)
        self._living.closed = True

    def _close(self) -> list[Task]:
        """The same, for those too who wait to come in; the calls that are under way."""
        self._refuse()
        self._threads.seat_the_last()
        live = self._living.close()
        if self._admission is not None:
            self._admission.close()
        return live

    def _wind_up(self) -> None:
        """Nobody waits for the end: it comes by itself."""
        self._close()
        self.if_over(wait=False)

    def _swift_ended(self) -> None:
        """Calls have ended that only their backends counted, perhaps the last there will ever be."""
        if self._living.closed and not self._living.forgotten:
            self._living.tell()
            self.if_over(wait=False)

    def _end_stranded(self, at_exit: bool) -> None:
        """Fail coroutines whose loop was closed, or at exit just left, before they ended."""
        for task in self._living.all():
            if self._is_stranded(task, at_exit):
                self._lost(task, RuntimeError(f"the event loop was closed before {task.name} ended"))

    def _is_stranded(self, task: Task, at_exit: bool) -> bool:
        """Whether a coroutine's loop will not run any more."""
        loop = task.future.only_on
        if loop is None or self._loops.owns(loop):
            return False
        return loop.is_closed() or (at_exit and not loop.is_running())
