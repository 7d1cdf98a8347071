"""The process backend inside a worker: its calls run here, or in workers of the parent's pool that are idle.

A worker that had a pool of its own would multiply the processes with every level of nesting; one that queued its
calls in the parent's pool could wait for ever for a worker that waits for it. So each call is first a task of this
process's own threads, which never run out, and the lender, one thread, gives those that have not begun to whoever
is idle in the parent's pool:

    submit ──> threads here ──begin──> runs here
                   │ withdraw
                lender ──run──> desk (in the parent) ──> an idle worker

Wherever it runs, a call gets a copy of its arguments and gives back a copy of its result, as from any process.

Guarantees:
    - Each task taken is handed back exactly once.
    - No call waits for a worker of the parent's pool: it runs at once in an idle one, or is a task of this process.
      So calls within calls never deadlock, however deep, and start no processes beyond the pool's own.
    - While nothing waits, nobody asks the parent anything.
Assumes:
    - `ThreadBackend` lets a task whose thread waits for a future stand aside, and hands a task that was withdrawn
      to nobody.
    - The desk answers each request once (`primitives/session.py`).
State table of a task (all changes under `_lock`):
    waiting -> here     its thread begins it
    waiting -> lent     withdrawn from the threads and sent to the desk
    lent    -> waiting  the idle worker was gone when it arrived
    any     -> over     handed back; whatever comes later for it is dropped
Races:
    - a thread begins a task while the lender wants it: `ThreadBackend.withdraw` finds it in the queue or not:
      `tests/backends/test_nested.py::test_begun_while_it_is_to_be_lent`
    - cancel between lending and the desk's having it: the lender looks again when it has sent it:
      `tests/backends/test_nested.py::test_cancel_before_the_desk_has_it`
    - cancel against the answer: both ask `_over`, and the second does nothing:
      `tests/backends/test_nested.py::test_cancel_against_the_answer`
    - cancel between withdrawing and sending: the future says so, and it is not sent:
      `tests/backends/test_nested.py::test_cancel_while_it_is_being_lent`
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar, Final

from ... import pickling
from ...errors import HomeDied
from ...futures import blocking_in, refuse_to_wait
from ...model import BackendName, WorkerStats
from ...primitives.address import HomeAddress
from ...primitives.link import Link
from ...primitives.links import link_to
from ...primitives.ticket import CANCELLED, Ticket
from ..base import BackendLoad, Outcome, Task, WorkerPool
from ..threads import ThreadBackend
from .copies import run_copy
from .ends import outcome_of

__all__ = ["NestedBackend"]

ASK_SECONDS: Final = (0.002, 0.1)  # the lender's pause after nobody was idle: at first, and at most
_log = logging.getLogger("adaptive_exec")
ONE_AT_A_TIME: Final = 2.0  # a weight that fills the lane for calls that hold the GIL


def _guarded(act: Callable[[], None]) -> None:
    """Do something for one task; what goes wrong there is nothing to the others."""
    try:
        act()
    except Exception:
        _log.exception("adaptive_exec: the end of a call within a call could not be told")


class _Answer(Ticket):
    """The wait for what the desk says of one call."""

    __slots__ = ("_came", "sent", "unwanted")

    def __init__(self, came: Callable[[], None]) -> None:
        super().__init__()
        self._came = came
        self.sent = False
        self.unwanted = False

    def wake(self) -> bool:
        """Called by the thread that reads the link, which must not be held up."""
        self._came()
        return True


class NestedBackend(WorkerPool):
    """Runs a worker's own calls.

    Args:
        threads: The threads of the same executor.
        parent: Where the parent's primitives are, pickled.
        desk: The number of the parent's desk there.
    """

    name: ClassVar[BackendName] = "process"

    def __init__(self, threads: ThreadBackend, parent: bytes, desk: int) -> None:
        self._threads = threads
        self._parent = parent
        self._desk = desk
        self._lock = threading.Lock()
        self._open: set[Task] = set()
        self._waiting: OrderedDict[Task, None] = OrderedDict()
        self._lent: dict[Task, _Answer] = {}
        self.queued: Callable[[], None] = lambda: None  # called when a task waits for a thread again
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lending = False  # there is a lender
        self._asking = False  # it has been told that something waits
        self._pause = ASK_SECONDS[0]
        self._link: Link | None = None  # the one that knows the desk
        self._ended = False

    def submit(self, task: Task) -> None:
        """Take a task; `NotPicklable` if it can't travel."""
        blob = pickling.dumps((task.fn, task.args, dict(task.kwargs)))
        local = Task(
            run_copy, (blob,), {}, task.options, run_copy, task.name, task.future, task.context, self._ran
        )
        local.owner = task
        local.on_begin = lambda: self._begun(task)
        local.lane, local.weight, local.cost = "gil", ONE_AT_A_TIME, task.cost
        task.wire = local
        with self._lock:
            if self._ended:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._open.add(task)
        try:
            self._threads.submit(local)
        except BaseException:
            self._over(task)
            raise
        self._wait(task)
        self._tell_lender()

    def cancel(self, task: Task) -> None:
        if task.wire is None:
            return  # it is about to be submitted, and is dropped when it is to begin
        with self._lock:
            lent = self._lent.get(task)
            mine = lent is None and self._take_out(task)
            if lent is not None:
                lent.unwanted = True
        if lent is None:
            self._threads.withdraw(task.wire)
            if mine:
                task.hand_back(Outcome(error=asyncio.CancelledError()))
        elif lent.sent:
            self._withdraw(lent)

    def vacancies(self, calls: int) -> int:
        """None that are known: whoever is idle is found when a call waits."""
        return 0

    def load(self) -> BackendLoad:
        with self._lock:
            waiting, lent = len(self._waiting), len(self._lent)
            return BackendLoad(waiting, len(self._open) - waiting, lent, sum(t.cost for t in self._open))

    def workers(self) -> tuple[WorkerStats, ...]:
        """None are this process's own."""
        return ()

    def pids(self) -> list[int]:
        """None are this process's own."""
        return []

    def turnover(self) -> tuple[int, int]:
        """None die or are replaced here."""
        return 0, 0

    def shutdown(self, *, wait: bool) -> None:
        with self._lock:
            self._ended = True
        self._inbox.put(None)

    def abort(self) -> None:
        with self._lock:
            tasks = list(self._open)
        for task in tasks:
            self.cancel(task)

    def forget(self) -> None:
        """In a forked copy of this process nothing of this runs."""
        self._open = set()

    # --- the ends of a task -------------------------------------------------------------------------

    def _take_out(self, task: Task) -> bool:
        """Note that a task is to be handed back; True for the one who does it. Caller holds `_lock`."""
        if task not in self._open:
            return False
        self._open.discard(task)
        self._waiting.pop(task, None)
        self._lent.pop(task, None)
        return True

    def _over(self, task: Task) -> bool:
        """Note that a task is to be handed back; True for the one who does it."""
        with self._lock:
            return self._take_out(task)

    def _hand_back(self, task: Task, outcome: Outcome) -> None:
        """Hand a task back, if nobody has."""
        if self._over(task):
            task.hand_back(outcome)

    def _begun(self, task: Task) -> None:
        """A thread of this process runs it."""
        with self._lock:
            self._waiting.pop(task, None)
        task.thread = threading.get_ident()
        if task.on_begin is not None:
            task.on_begin()

    def _ran(self, local: Task, outcome: Outcome) -> None:
        """A thread of this process has run it, or dropped it since it was cancelled."""
        task: Task = local.owner
        if task.wire is not local:
            return  # its time was up, and it is being tried again
        if outcome.value is None:
            self._hand_back(task, outcome)
        else:
            self._hand_back(task, outcome_of(pickle.loads(outcome.value)))

    # --- lending ------------------------------------------------------------------------------------

    def _address(self) -> HomeAddress:
        """Where the parent is."""
        address: HomeAddress = pickle.loads(self._parent)
        return address

    def _wait(self, task: Task, *, first: bool = False) -> None:
        """Note that a task waits for a thread, or for the lender, unless it has begun meanwhile."""
        with self._lock:
            if task in self._open and not task.future.running():
                self._waiting[task] = None
                if first:
                    self._waiting.move_to_end(task, last=False)

    def _tell_lender(self) -> None:
        """Something waits, perhaps."""
        with self._lock:
            if not self._waiting or self._asking:
                return
            self._asking = True
            start, self._lending = not self._lending, True
        self._inbox.put(self._nothing)
        if start:
            try:
                threading.Thread(target=self._lend, name="adaptive-exec-lender", daemon=True).start()
            except RuntimeError:  # no more threads: then it all runs here
                return

    def _nothing(self) -> None:
        """A word that only wakes the lender."""
        with self._lock:
            self._asking = False

    def _lend(self) -> None:
        """The lender: takes in what comes back and gives away what waits, until the backend has ended."""
        blocking_in(
            refuse_to_wait
        )  # a callback that waited here would wait for what only this thread can bring
        hungry = False
        while True:
            try:
                act = self._inbox.get(timeout=self._pause if hungry else None)
            except queue.Empty:
                self._pause = min(2 * self._pause, ASK_SECONDS[1])
            else:
                if act is None:
                    return
                _guarded(act)
            try:
                hungry = self._offer()
            except HomeDied:
                hungry = False  # this process follows its parent in a moment; until then all runs here
            except Exception:
                _log.exception("adaptive_exec: a call within a call could not be lent")
                hungry = False

    def _offer(self) -> bool:
        """Lend as many of the tasks that wait as there are idle workers; whether some are left."""
        with self._lock:
            waiting = len(self._waiting)
        if not waiting:
            return False
        link = self._desk_link()
        vacancies = link.call("vacancies", self._desk, waiting)
        if vacancies:
            self._pause = ASK_SECONDS[0]
        for _ in range(vacancies):
            task = self._oldest()
            if task is None:
                return False
            self._send(link, task)
        with self._lock:
            return bool(self._waiting)

    def _desk_link(self) -> Link:
        """The connection to the parent, with the desk made known to it."""
        link = link_to(self._address())
        if link is not self._link:
            link.call("register", self._desk, ("Desk", None))
            self._link = link
        return link

    def _oldest(self) -> Task | None:
        """Take the task that has waited for longest from the threads."""
        while True:
            with self._lock:
                task = next(iter(self._waiting), None)
                if task is None:
                    return None
                del self._waiting[task]
            if self._threads.withdraw(task.wire):
                return task

    def _send(self, link: Link, task: Task) -> None:
        """Give a task to the desk; it begins now."""
        if not task.begin():
            self._hand_back(task, Outcome())
            return
        ticket = _Answer(lambda: self._inbox.put(lambda: self._came(task, ticket)))
        with self._lock:
            if task not in self._open:
                return
            self._lent[task] = ticket
        (blob,) = task.wire.args
        try:
            link.request(ticket, "run", self._desk, (blob, task.name, task.environment, task.cost))
        except Exception as error:
            self._hand_back(task, Outcome(error=error))
            return
        with self._lock:
            ticket.sent = True
            unwanted = ticket.unwanted
        if unwanted:
            self._withdraw(ticket)

    def _withdraw(self, ticket: _Answer) -> None:
        """Ask the desk to end a call; the answer says how it ended."""
        with contextlib.suppress(HomeDied):  # then that is the answer
            link_to(self._address()).withdraw(ticket)

    def _came(self, task: Task, ticket: Ticket) -> None:
        """The desk has answered."""
        outcome = ticket.outcome
        assert outcome is not None
        with self._lock:
            self._lent.pop(task, None)
        if outcome is CANCELLED:
            self._hand_back(task, Outcome(error=asyncio.CancelledError()))
        elif outcome.error is not None:
            self._hand_back(task, Outcome(error=outcome.error))
        elif outcome.value is not None:
            self._hand_back(task, outcome_of(pickle.loads(outcome.value)))
        elif not task.future.rest():
            self._hand_back(task, Outcome())
        else:
            task.begun_at = 0.0  # its time does not run while it waits
            self._put_back(task)

    def _put_back(self, task: Task) -> None:
        """Nobody was idle any more: it is a task of this process again."""
        with self._lock:
            if task not in self._open:
                return
        try:
            self._threads.submit(task.wire)
        except RuntimeError as error:
            self._hand_back(task, Outcome(error=error))
            return
        self._wait(task, first=True)
        self.queued()
