"""The supervisor: one thread that does what has to be done later.

It looks again and again at functions whose calls wait to be routed, ends tasks whose time is up, and lets
the thread backend grow when nothing moves. With none of that to do it sleeps without waking.

It is an actor: whoever wants something puts a message into its inbox, and all its state belongs to its own
thread. So it needs no lock, and a message may be left from anywhere, a finalizer that the garbage collector
runs in the middle of somebody's critical section included.

Guarantees:
    - A deadline is acted on within a tick after it has passed; one that was given up is forgotten.
    - Leaving a message never blocks and never raises. Once the thread is over, nothing is kept of it.
    - A callback that raises is logged and costs nobody else anything.
Assumes:
    - `SimpleQueue.put` is reentrant and atomic, which its documentation promises for just this use.
    - Callbacks don't block for long.
State table (of the thread's own state):
    asleep  -> awake    a message, or the next deadline
    awake   -> ticking  something is watched
    ticking -> asleep   nothing is watched any more
    any     -> over     the message that `stop` leaves
Races:
    - a key is watched again while its look says that nothing is left: the message is read after the look, and
      watches it again: `tests/dispatch/test_supervisor.py::test_watch_during_the_last_look`
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Hashable
from queue import Empty, SimpleQueue

from ..futures import blocking_in, refuse_to_wait

__all__ = ["Deadline", "Supervisor"]

TICK_SECONDS = 0.005
_LONGEST_PAUSE = 3600.0
_SWEEP_FROM = 64
_log = logging.getLogger("adaptive_exec")

Look = Callable[[], bool]
Act = Callable[[], object]


class Deadline:
    """Something to be done at a time, until it is given up."""

    __slots__ = ("act", "when")

    def __init__(self, when: float, act: Act) -> None:
        self.when = when
        self.act: Act | None = act

    def give_up(self) -> None:
        """Forget it, and with it all that it would have touched."""
        self.act = None


Message = tuple[Hashable, Look] | Deadline | Act | None


class Supervisor:
    """Calls back later."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._over = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether messages are read."""
        return self._thread is not None

    def start(self) -> bool:
        """Make the thread, if it isn't there: messages that come before wait for it.

        Returns:
            Whether it was made now.

        Raises:
            RuntimeError: No thread can be had, as when the interpreter exits.
        """
        if self._thread is not None:
            return False
        with self._starting:
            if self._thread is not None:
                return False
            thread = threading.Thread(target=self._run, name="adaptive-exec-supervisor", daemon=True)
            thread.start()
            self._thread = thread
            return True

    def watch(self, key: Hashable, look: Look) -> None:
        """Call `look` every tick until it returns False; watching a key again makes sure of one more look."""
        self._leave((key, look))

    def at(self, when: float, act: Act) -> Deadline:
        """Call `act` once `time.monotonic()` has passed `when`, unless that is given up before."""
        deadline = Deadline(when, act)
        self._leave(deadline)
        return deadline

    def soon(self, act: Act) -> None:
        """Call `act` on the supervisor's thread; may be asked for inside a finalizer."""
        self._leave(act)

    def stop(self, *, wait: bool) -> None:
        """End the thread after the messages left so far; with `wait`, return when it has ended."""
        self._inbox.put(None)
        thread = self._thread  # without the lock: this may be a signal handler inside `start`
        if wait and thread is not None and thread is not threading.current_thread():
            thread.join()

    def _leave(self, message: Message) -> None:
        """Leave a message, if somebody may read it."""
        if not self._over:
            self._inbox.put(message)

    def _run(self) -> None:
        """The thread's life."""
        try:
            self._serve()
        finally:
            self._over = True
            self._messages(0.0)  # what is left leads to those who left it

    def _serve(self) -> None:
        """Read messages, keep deadlines, tick while there is something to look at."""
        blocking_in(refuse_to_wait)
        watched: dict[Hashable, Look] = {}
        due: list[tuple[float, int, Deadline]] = []
        order = itertools.count()
        sweep_at = _SWEEP_FROM
        while True:
            over = False
            for message in self._messages(TICK_SECONDS if watched else _pause(due)):
                if message is None:
                    over = True
                elif isinstance(message, Deadline):
                    heapq.heappush(due, (message.when, next(order), message))
                elif isinstance(message, tuple):
                    watched[message[0]] = message[1]
                else:
                    _safely(message)
            if over:
                return
            if len(due) >= sweep_at:
                due = [entry for entry in due if entry[2].act is not None]
                heapq.heapify(due)
                sweep_at = max(_SWEEP_FROM, 2 * len(due))
            now = time.monotonic()
            while due and due[0][0] <= now:
                act = heapq.heappop(due)[2].act
                if act is not None:
                    _safely(act)
            for key, look in list(watched.items()):
                if not _safely(look):
                    del watched[key]

    def _messages(self, timeout: float | None) -> list[Message]:
        """What is in the inbox, after waiting for the first message at most `timeout` seconds."""
        found: list[Message] = []
        try:
            found.append(self._inbox.get(timeout=timeout))
            while True:
                found.append(self._inbox.get_nowait())
        except Empty:
            return found


def _pause(due: list[tuple[float, int, Deadline]]) -> float | None:
    """Seconds until the next deadline, None if there is none."""
    return min(max(0.0, due[0][0] - time.monotonic()), _LONGEST_PAUSE) if due else None


def _safely(act: Callable[[], object]) -> object:
    """Call something of somebody's; the supervisor lives on."""
    try:
        return act()
    except BaseException:
        _log.exception("adaptive_exec: something that was to be done later failed")
        return None
