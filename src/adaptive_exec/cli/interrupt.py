"""Ctrl-C as a question that is asked between steps, not an exception in the middle of one.

# Guarantees: the first Ctrl-C interrupts no step half-way; `check` raises KeyboardInterrupt after it, and
#             whoever waits on the given queue is woken. The second one ends the process at once.
#             Processes that are started meanwhile hear nothing of it: their parent ends them.
# Assumes:    a blocked signal stays blocked in threads and processes that are started later (POSIX).
# Races:      1. As an exception it can strike inside a weakref's callback during a garbage collection,
#                where Python prints and drops it: the demo went on and ended with 0.
#             2. A process that is just starting has not come to ignoring it yet, and dies of it with a
#                traceback: so it is blocked, not handled. -> tests/cli/test_demo.py::test_interrupted
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing import resource_tracker
from queue import SimpleQueue
from typing import Any, Self

__all__ = ["Interrupt"]


class Interrupt:
    """Watches for Ctrl-C; a context manager for the main thread, before it starts anything."""

    def __init__(self) -> None:
        self._struck = False
        self._closed = False
        self._woken: SimpleQueue[Any] = SimpleQueue()
        self._watcher = threading.Thread(target=self._watch, name="adaptive-exec-interrupt", daemon=True)

    def wakes(self, queue: SimpleQueue[Any]) -> None:
        """Put None into `queue` when Ctrl-C is pressed, in place of the queue given before."""
        self._woken = queue
        if self._struck:
            queue.put(None)

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self._struck:
            raise KeyboardInterrupt

    # Windows has no signal masks. There Ctrl-C stays the exception that it is.
    if sys.platform == "win32":

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None: ...

        def _watch(self) -> None: ...

    else:

        def __enter__(self) -> Self:
            # Whoever starts the standard library's resource tracker finds SIGINT unblocked afterwards.
            resource_tracker.ensure_running()
            self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            self._watcher.start()
            return self

        def __exit__(self, *error: object) -> None:
            self._closed = True
            assert self._watcher.ident is not None
            signal.pthread_kill(self._watcher.ident, signal.SIGINT)
            self._watcher.join()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

        def _watch(self) -> None:
            """Take the signal in the one thread that waits for it."""
            while True:
                signal.sigwait({signal.SIGINT})
                if self._closed:
                    return
                if self._struck:
                    os._exit(130)
                self._struck = True
                self._woken.put(None)
