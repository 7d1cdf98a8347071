"""The connection from this process to the home of primitives that live in another.

Guarantees:
    - Each request gets exactly one answer: the home's, or a `HomeDied` of its own when the connection ends.
    - An answer that comes after its ticket was given up is undone: what was granted is handed back.
    - The reading thread only reads and rouses. It never sends and never waits, so the home can always
      send to us, and therefore always reads what we send: neither end can stall the other.
Assumes:
    - A connection whose peer dies ends; the kernel closes the descriptors of a dead process. Children that
      this process forks give up their copies (`homes`).
    - `queue.SimpleQueue.put` may be called from a finalizer that interrupts any code (documented).
State:
    | state | request                   | answer           | end of connection      |
    | open  | kept under its id, sent   | finishes ticket  | all kept ones HomeDied |
    | dead  | HomeDied                  | -                | -                      |
Races:
    1. A request is made while the connection ends -> test_link.py::test_request_meets_end
    2. An answer meets giving up -> test_lock_processes.py::test_cancelled_remote_acquire_is_handed_back
"""

from __future__ import annotations

import contextlib
import itertools
import pickle
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, final

from ..errors import HomeDied
from ..platform import endpoints
from .request import Request, Undo
from .ticket import CANCELLED, Outcome, ThreadTicket, Ticket

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from .address import HomeAddress

__all__ = ["THREAD_NAME", "Link"]

THREAD_NAME: Final = "adaptive-exec-home"


def _outcome(status: str, value: Any) -> Outcome:
    """Read an answer."""
    if status == "cancelled":
        return CANCELLED
    return Outcome(error=value) if status == "error" else Outcome(value)


@final
class Link:
    """A connection to one home, shared by all proxies of this process for objects that live there."""

    def __init__(self, home: HomeAddress) -> None:
        """Connect; raises HomeDied if nobody listens there."""
        self.home = home
        self.dead = False
        self._mutex = threading.Lock()
        self._sending = threading.Lock()
        self._kept: dict[int, Ticket] = {}
        self._ids = itertools.count(1)
        self._outbox: deque[bytes] = deque()
        self._signal: queue.SimpleQueue[bool] = queue.SimpleQueue()
        try:
            self._connection: Connection = endpoints.connect(home.address)
            endpoints.prove(self._connection, home.key, first=False)
        except (OSError, EOFError) as error:
            raise home.died() from error
        for work in (self._read, self._carry):
            threading.Thread(target=work, name=THREAD_NAME, daemon=True).start()

    def request(
        self, ticket: Ticket, operation: str, oid: int, argument: Any, undo: Undo | None = None
    ) -> None:
        """Send a request; its answer finishes and rouses `ticket`.

        Args:
            ticket: Whom to tell.
            operation: What is asked.
            oid: Of which object.
            argument: What with; plain values and bytes only.
            undo: Hands back what the answer granted if nobody wants it any more; it must not wait.

        Raises:
            HomeDied: The home has ended.
        """
        number = next(self._ids)
        ticket.tag = Request(self, number, undo)
        with self._mutex:
            if self.dead:
                raise self.home.died()
            self._kept[number] = ticket
        try:
            self._send((number, operation, oid, argument), waits=isinstance(ticket, ThreadTicket))
        except HomeDied:
            with self._mutex:
                self._kept.pop(number, None)
            raise

    def call(self, operation: str, oid: int, argument: Any = None, undo: Undo | None = None) -> Any:
        """Send a request that the home answers at once, and return the answer or raise its error."""
        ticket = ThreadTicket()
        try:
            self.request(ticket, operation, oid, argument, undo)
            ticket.park(None)
            outcome = ticket.outcome
            assert outcome is not None
            if outcome.error is not None:
                raise outcome.error
            return outcome.value
        except BaseException:
            self.abandon(ticket)
            raise

    def withdraw(self, ticket: Ticket) -> None:
        """Ask the home to end a wait; the answer says whether that or a grant was first."""
        if isinstance(ticket.tag, Request):
            self.post("cancel", 0, ticket.tag.number)

    def abandon(self, ticket: Ticket) -> None:
        """End a wait for good and hand back what it is granted, now or later; never waits."""
        request = ticket.tag
        if ticket.finish(CANCELLED):
            if isinstance(request, Request):
                self.post("cancel", 0, request.number)
        elif isinstance(request, Request) and (outcome := ticket.outcome) is not None and ticket.spend():
            request.take_back(outcome)

    def post(self, operation: str, oid: int, argument: Any = None) -> None:
        """Send something that gets no answer; never waits.

        A home that has ended needs no telling: what would be released or put back there is gone with it.
        """
        self._send((0, operation, oid, argument), waits=False)

    def give_up(self) -> None:
        """Close this forked process's copy of the connection."""
        self.dead = True
        self._connection.close()

    def _send(self, message: tuple[int, str, int, Any], *, waits: bool) -> None:
        """Send one message, after all that were left before it; raises HomeDied if the connection has ended.

        Unless it may wait, as threads may and event loops and finalizers may not, the carrier sends it.
        """
        self._outbox.append(pickle.dumps(message, protocol=5))
        if waits:
            self._drain()
        else:
            self._signal.put(True)

    def _drain(self) -> None:
        """Send what was left, in order."""
        with self._sending:
            try:
                while self._outbox:
                    self._connection.send_bytes(self._outbox.popleft())
            except (OSError, ValueError) as error:
                raise self.home.died() from error

    def _read(self) -> None:
        """Give each answer to its ticket until the connection ends."""
        try:
            while True:
                number, status, value = pickle.loads(self._connection.recv_bytes())
                with self._mutex:
                    ticket = self._kept.pop(number, None)
                if ticket is not None:
                    self._answer(ticket, _outcome(status, value))
                del ticket, value
        except (OSError, EOFError):
            pass
        finally:
            self._end()

    def _answer(self, ticket: Ticket, outcome: Outcome) -> None:
        """Finish a ticket; hand back a grant that it doesn't want any more."""
        request: Request = ticket.tag
        if ticket.finish(outcome):
            if not ticket.wake() and ticket.spend():
                request.take_back(outcome)
        else:
            request.take_back(outcome)

    def _end(self) -> None:
        """Fail what is open."""
        with self._mutex:
            self.dead = True
            kept, self._kept = self._kept, {}
        self._signal.put(False)
        for ticket in kept.values():
            if ticket.finish(Outcome(error=self.home.died())):
                ticket.wake()
        with self._sending:
            self._connection.close()

    def _carry(self) -> None:
        """Send what was left by those who must not wait."""
        while self._signal.get():
            with contextlib.suppress(HomeDied):
                self._drain()
