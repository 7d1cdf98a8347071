"""Looking after threads: while calls wait for one, somebody sees every now and then whether they make progress.

Guarantees: `look_after` costs a comparison while nothing waits, or while somebody looks already.
Assumes: the supervisor calls a look again for as long as it says True.
Races:
    - a call is queued while the last look ends: the flag is taken down before the queue is looked at, so one of the two
      sees it: `tests/dispatch/test_nudging.py::test_a_call_that_is_queued_as_the_last_look_ends_is_seen`
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ..backends.threads import ThreadBackend
from .supervisor import Supervisor

__all__ = ["Nudging"]

NUDGE_SECONDS: Final = 0.1
_IDLE_SHARE: Final = 0.5


class Nudging:
    """Looks after one thread backend.

    Args:
        threads: The backend.
        supervisor: Calls the looks.

    Attributes:
        looks: Somebody looks already; a hint that saves asking again.
    """

    def __init__(self, threads: ThreadBackend, supervisor: Supervisor) -> None:
        self._threads = threads
        self._supervisor = supervisor
        self.looks = False

    def look_after(self) -> None:
        """See that somebody looks whether what is queued for threads makes progress."""
        if not self.looks and self._threads.queued:
            self.looks = True
            self._supervisor.watch(self._threads, self._look())

    def _look(self) -> Callable[[], bool]:
        """A look at the threads, to be taken every now and then; it says False once nothing waits."""
        state = {
            "at": time.monotonic(),
            "cpu": time.process_time(),
            "finished": -1,
            "brief": self._threads.gone_through,
        }

        def look() -> bool:
            self._threads.move_on_slow()
            now = time.monotonic()
            passed = now - state["at"]
            if passed >= NUDGE_SECONDS:
                cpu = time.process_time()
                idle = cpu - state["cpu"] < _IDLE_SHARE * passed
                state["at"], state["cpu"] = now, cpu
                state["finished"] = self._threads.nudge(int(state["finished"]) if idle else -1)
            # First the flag, then the look: a task queued in between is seen by one of the two. Where brief calls come
            # and go, it is cheaper to look on.
            self.looks = False
            brief = self._threads.gone_through
            passing, state["brief"] = brief != state["brief"], brief
            self.looks = passing or self._threads.queued > 0
            return self.looks

        return look
