"""The relay: the thread of the parent that hands what workers log and warn of to the handlers here.

    worker ══channel══> Crew.read ──deliveries──> manager ──tell──> relay's thread ──> logging, warnings
                                       │                   <──done or PATIENCE──┘
                                       └──answers that came after the record──> futures

Handlers are somebody's code. They take locks, they may be slow, and they may wait for a call of this very
pool. So neither the manager nor a thread that attends runs them: only this thread does, and nothing of the
pool depends on its going on.

Guarantees:
    - A record of a call has been handled when the call's future ends, unless handlers have been at it for
      more than `PATIENCE`; then results no longer wait for records until this thread has caught up.
    - Records of one worker are handled in the order in which they were made.
    - Nothing that a handler, a filter or an unpickled field raises gets beyond this thread.
    - The thread is there from the first record to the end of the pool, and sleeps while there are none.
Why nothing can deadlock on a handler's lock: a thread that holds one and waits for a future waits, at worst,
    for the manager. The manager waits for this thread alone, and for `PATIENCE` at most. A thread that attends
    never waits for it: it leaves the answers that follow a record to the manager, and lets go of the channels.
Assumes:
    - One thread at a time tells: the manager.
State of the thread: none -> working <-> asleep -> ended. State of a record: told -> handled.
Races:
    - a record is read by one thread and the answer after it by another: `Crew` puts both in one queue while
      it holds the worker's `reading`: `tests/backends/test_relay.py::test_records_come_before_results`
    - the pool ends while handlers are at it: `close` waits a while, and the thread is a daemon:
      `tests/backends/test_relay.py::test_a_stuck_handler_does_not_hold_the_end_up`
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from . import logs
from .alerts import Heard
from .wire import Kind

__all__ = ["Relay"]

PATIENCE: Final = 0.25
CLOSE_SECONDS: Final = 1.0


class Relay:
    """Handles what workers say beside their answers.

    Args:
        patience: Seconds that results wait for handlers at most.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._changed = threading.Condition()
        self._told: deque[tuple[Any, ...]] = deque()
        self._handled = 0
        self._count = 0
        self._late = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._heard = Heard()

    def tell(self, messages: list[tuple[Any, ...]]) -> None:
        """Have messages handled, and wait for that, but not longer than is sensible."""
        if self._thread is None and not self._start():
            for message in messages:
                self._handle(message)
            return
        with self._changed:
            self._told.extend(messages)
            self._count += len(messages)
            self._changed.notify_all()
            if self._late:
                return
            mine = self._count
            self._late = not self._changed.wait_for(lambda: self._handled >= mine, self._patience)

    def close(self) -> None:
        """End the thread once it has handled everything; one that is stuck is left behind."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_SECONDS)

    def _start(self) -> bool:
        """Start the thread; False if the interpreter is on its way out and starts none any more."""
        thread = threading.Thread(target=self._run, name="adaptive-exec-relay", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        """Until the pool has ended."""
        while True:
            with self._changed:
                while not self._told:
                    if self._closed:
                        return
                    self._changed.wait()
                message = self._told.popleft()
            self._handle(message)
            with self._changed:
                self._handled += 1
                if not self._told:
                    self._late = False
                self._changed.notify_all()

    def _handle(self, message: tuple[Any, ...]) -> None:
        """One record or one warning."""
        act: Callable[..., None] = logs.handle if message[0] == Kind.LOG else self._heard.show
        try:
            act(*message[1:])
        except BaseException as error:  # even SystemExit: a handler of the user's is no reason to fall silent
            _report(error)


def _report(error: BaseException) -> None:
    """Say what a handler raised as the interpreter says it of any thread."""
    try:
        threading.excepthook(
            threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread()))
        )
    except Exception:
        pass  # the hook is somebody's, too
