"""One other process that uses primitives of this one, as its home sees it.

Guarantees:
    - Each request gets one answer: what it asked for, an error, or that it was cancelled.
    - What the process holds when its connection ends is given free in one sweep: locks it holds go to the
      next, who is told; its waits end; items on the way to it go back to the front of their queues.
    - No thread of this process that puts, releases or gets ever waits for the other process or pickles for
      it: answers to requests that had to wait are sent by the session's own writer.
Assumes:
    - The other end's reading thread always reads (`link`), so sending here always goes on, unless that
      process is stopped, which then stalls its own session and no other.
State (under `_mutex`; for a request that has to wait):
    | state             | event            | then                                                   |
    | open              | granted          | -> popped by whoever woke it, who answers              |
    | open              | cancel           | withdrawn at the core: answered "cancelled", or granted |
    | open              | connection ends  | abandoned at the core, which hands a grant on          |
    | between two waits | cancel           | answered "cancelled" instead of waiting again          |
    | handed (items)    | taken            | forgotten                                              |
    | handed (items)    | back, or the end | put back to the front                                  |
Races:
    1. A grant meets the end of the connection -> test_session.py::test_grant_meets_end
    2. A grant meets a cancel message -> test_session.py::test_grant_meets_cancel_message
    3. A cancel message comes between two waits of one request -> test_session.py::test_cancel_between_two_waits
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from ..platform import endpoints
from .address import HomeAddress
from .core import Core
from .here import gone, local_core
from .link import THREAD_NAME
from .ticket import CANCELLED, Ticket, Waitable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Home", "RemoteTicket", "Service", "Session", "services"]

Service = Callable[["Session", Any, int, Any], None]
"""Does one operation: gets the session, the primitive, the number of the request and its argument."""

services: Final[dict[str, Mapping[str, Service]]] = {}
"""What other processes can ask of what lives here and is no primitive, by its kind."""


class Home(Protocol):
    """What a session needs of the home.

    Attributes:
        address: Where the home is, with the key that lets one in.
        made: Refers to what an import made here; gets kind, arguments and key.
        services: What can be asked of each kind of primitive.
    """

    address: HomeAddress
    made: Callable[..., object]
    services: Mapping[str, Mapping[str, Service]]

    def send_off(self, core: Core, /) -> int:
        """Keep a primitive for a pickle; return the pickle's token."""

    def arrived(self, token: int | None, /) -> None:
        """Note that a pickle has been loaded."""


class HeldCore(Protocol):
    """A lock, as a session sees it when its process dies."""

    def owner_died(self, who: object, /) -> None:
        """Free the lock if `who` holds it."""


class ItemCore(Protocol):
    """A queue, as a session sees it when its process dies."""

    def put_back(self, items: Sequence[Any], /) -> None:
        """Put items back to the front."""


@final
class RemoteTicket(Ticket):
    """A wait of another process."""

    __slots__ = ("_granted", "_session", "core", "number")

    def __init__(
        self, session: Session, number: int, core: Waitable, granted: Callable[[RemoteTicket], None]
    ) -> None:
        super().__init__()
        self._session = session
        self.number = number
        self.core = core
        self._granted = granted

    def wake(self) -> bool:
        """Answer the request; what it got has been taken care of if the process has gone."""
        if self._session.close_request(self):
            outcome = self.outcome
            if outcome is not None and outcome.error is not None:
                self._session.answer_soon(self.number, "error", outcome.error)
            else:
                self._granted(self)
        return True


@final
class Session:
    """Serves one connection.

    Attributes:
        puts: The items that requests have put and that are still there, by the number of the request.
    """

    def __init__(self, home: Home, connection: Connection) -> None:
        self._home = home
        self._connection = connection
        self._mutex = threading.Lock()
        self._sending = threading.Lock()
        self._ended = False
        self._registered: dict[int, tuple[Core, int]] = {}
        self._open: dict[int, RemoteTicket] = {}
        self._steps: dict[int, bool] = {}
        self._holding: dict[HeldCore, None] = {}
        self._handed: dict[int, tuple[ItemCore, list[Any]]] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._writing = False
        self._ident = 0
        self._proven = False
        self.puts: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()

    def start(self) -> None:
        """Serve, in a thread of its own."""
        threading.Thread(target=self._run, name=THREAD_NAME, daemon=True).start()

    def give_up(self) -> None:
        """Close this forked process's copy of the connection."""
        self._connection.close()

    # What the services need.

    def answer(self, number: int, status: str, value: Any = None) -> None:
        """Answer a request; for the session's own threads."""
        if not number:
            return
        try:
            message = pickle.dumps((number, status, value), protocol=5)
        except Exception as error:
            message = pickle.dumps((number, "error", RuntimeError(f"{value!r} ({error})")), protocol=5)
        with self._sending:
            try:
                self._connection.send_bytes(message)
            except (OSError, ValueError):
                return

    def later(self, job: Callable[[], None]) -> None:
        """Have the writer do something; never waits."""
        self._jobs.put(job)
        with self._mutex:
            start, self._writing = not self._writing, True
        if start:
            threading.Thread(target=self._write, name=THREAD_NAME, daemon=True).start()

    def answer_soon(self, number: int, status: str, value: Any = None) -> None:
        """Answer a request: at once in the session's own thread, by the writer from any other."""
        if threading.get_ident() == self._ident:
            self.answer(number, status, value)
        else:
            self.later(lambda: self.answer(number, status, value))

    def open_request(self, ticket: RemoteTicket) -> bool:
        """Note a request that may have to wait; False if it was cancelled or the connection has ended."""
        with self._mutex:
            cancelled = self._steps.get(ticket.number, False)
            if not self._ended and not cancelled:
                self._open[ticket.number] = ticket
                return True
        if cancelled:
            self.end_steps(ticket.number)
            self.answer_soon(ticket.number, "cancelled")
        return False

    def begin_steps(self, number: int) -> None:
        """Note a request that may wait several times, so that a cancel message between two finds it."""
        with self._mutex:
            self._steps[number] = False

    def end_steps(self, number: int) -> None:
        """Note that such a request will not wait again."""
        with self._mutex:
            self._steps.pop(number, None)

    def close_request(self, ticket: RemoteTicket) -> bool:
        """True for the one caller who has to answer the request."""
        with self._mutex:
            return self._open.pop(ticket.number, None) is not None

    def settled(self, ticket: RemoteTicket) -> None:
        """Answer a request at once if it didn't have to wait."""
        if ticket.outcome is not None:
            ticket.wake()

    def holds(self, core: HeldCore) -> None:
        """Note that the process holds a lock, which comes free with its death."""
        with self._mutex:
            if not self._ended:
                self._holding[core] = None
                return
        core.owner_died(self)

    def released(self, core: HeldCore) -> None:
        """Note that the process gave a lock back."""
        with self._mutex:
            self._holding.pop(core, None)

    def hand(self, number: int, core: ItemCore, items: list[Any]) -> None:
        """Note items that are on their way to the process."""
        with self._mutex:
            if not self._ended:
                self._handed[number] = (core, items)
                return
        core.put_back(items)

    def hand_only(self, number: int, length: int) -> bool:
        """Note that only the first items go to the process; False if all have been put back already."""
        with self._mutex:
            entry = self._handed.pop(number, None)
            if entry is not None and length:
                self._handed[number] = (entry[0], entry[1][:length])
            return entry is not None

    # Serving.

    def _run(self) -> None:
        """Let the process prove itself, then serve it until the connection ends."""
        self._ident = threading.get_ident()
        try:
            with contextlib.suppress(Exception):
                endpoints.prove(self._connection, self._home.address.key, first=True)
                self._proven = True
            with contextlib.suppress(OSError, EOFError):
                while self._proven:
                    number, operation, oid, argument = pickle.loads(self._connection.recv_bytes())
                    self._serve(number, operation, oid, argument)
                    del argument
        finally:
            self._end()

    def _serve(self, number: int, operation: str, oid: int, argument: Any) -> None:
        """Do what is asked, and answer if that can be done at once."""
        try:
            own = _OWN.get(operation)
            if own is not None:
                self.answer(number, "done", own(self, oid, argument))
                return
            with self._mutex:
                core = self._registered.get(oid, (None, 0))[0]
            if core is None:
                raise gone("object")
            self._home.services[core.kind][operation](self, core, number, argument)
        except Exception as error:
            self.answer(number, "error", error.with_traceback(None))

    def _register(self, oid: int, argument: tuple[str, int | None]) -> tuple[Any, ...]:
        """Keep a primitive for the process until it drops it or ends."""
        kind, token = argument
        core = local_core(oid)
        if core is None:
            raise gone(kind)
        with self._mutex:
            self._registered[oid] = (core, self._registered.get(oid, (core, 0))[1] + 1)
        self._home.arrived(token)
        return core.parameters()

    def _drop(self, oid: int, _: object) -> None:
        """Forget one registration."""
        with self._mutex:
            core, count = self._registered.pop(oid, (None, 0))
            if core is not None and count > 1:
                self._registered[oid] = (core, count - 1)

    def _token(self, oid: int, _: object) -> int:
        """Make a token for a pickle that the process makes."""
        with self._mutex:
            core = self._registered.get(oid, (None, 0))[0]
        if core is None:
            raise gone("object")
        return self._home.send_off(core)

    def _arrived(self, _: int, token: int) -> None:
        """Note that a pickle was loaded by a process that has the primitive already."""
        self._home.arrived(token)

    def _made(self, _: int, argument: tuple[str, tuple[Any, ...], Any]) -> object:
        """Refer to what an import made here."""
        return self._home.made(*argument)

    def _cancel(self, _: int, number: int) -> None:
        """End a wait unless it has been granted."""
        with self._mutex:
            ticket = self._open.get(number)
            if number in self._steps:
                self._steps[number] = True
        if ticket is None:
            return
        ticket.core.withdraw(ticket)
        if ticket.outcome is CANCELLED and self.close_request(ticket):
            self.end_steps(number)
            self.answer(number, "cancelled")

    def _taken(self, _: int, number: int) -> None:
        """Forget items that have arrived."""
        with self._mutex:
            entry = self._handed.pop(number, None)
        del entry

    def _back(self, _: int, number: int) -> None:
        """Put items back that nobody there wants any more."""
        with self._mutex:
            entry = self._handed.pop(number, None)
        if entry is not None:
            entry[0].put_back(entry[1])

    def _write(self) -> None:
        """Do what was left for the writer."""
        while (job := self._jobs.get()) is not None:
            job()
            del job

    def _end(self) -> None:
        """Give everything free that the process had."""
        with self._mutex:
            self._ended = True
            waits, self._open = list(self._open.values()), {}
            holding, self._holding = list(self._holding), {}
            handed, self._handed = list(self._handed.values()), {}
            registered, self._registered = self._registered, {}
        self._jobs.put(None)
        for ticket in waits:
            ticket.core.abandon(ticket)
        for lock in holding:
            lock.owner_died(self)
        for core, items in reversed(handed):
            core.put_back(items)
        del registered
        with self._sending:
            self._connection.close()


_OWN: dict[str, Callable[[Session, int, Any], Any]] = {
    "register": Session._register,
    "drop": Session._drop,
    "token": Session._token,
    "arrived": Session._arrived,
    "made": Session._made,
    "cancel": Session._cancel,
    "taken": Session._taken,
    "back": Session._back,
}
