"""The state of a `Queue`, without the ways to wait for it.

Guarantees:
    - Items leave in the order in which they came; an item that was handed to a process which died before it
      took it goes back to the front.
    - A grant is a promise, not an item: to a getter, that an item lies there for it; to a putter, that
      there is room. Items move only when the getter or putter itself goes on, so one that has gone loses
      and doubles nothing: its promise is handed on.
    - No critical section blocks or calls code that isn't ours.
Assumes:
    - As `lock_core`.
State (all moves under `_mutex`; n = items, P = promised to getters, R = room reserved by putters):
    | event           | needs                | effect                                             |
    | put             | n + R < maxsize      | n+1, unfinished+1; then settle                     |
    | get             | n > P                | n-1; then settle                                   |
    | settle          | n > P, getters wait  | first getter granted, P+1                          |
    |                 | room, putters wait   | first putter granted, R+1                          |
    | taken by getter | granted              | P-1, items leave; none there: ShutDown             |
    | filled by putter| granted              | R-1, items come in; shut down: ShutDown            |
    | abandon         | granted, not spent   | P-1 or R-1; then settle                            |
    | shutdown        |                      | putters fail; getters that find nothing fail       |
    |   (immediate)   |                      | n -> 0, unfinished - n                             |
    After each event nobody waits for what is there (settled).
Races:
    1. A put meets the cancellation of the getter it was for -> test_queue.py::test_put_meets_cancelled_getter
    2. Room meets the cancellation of the putter it was for -> test_queue.py::test_room_meets_cancelled_putter
    3. Shutdown between grant and taking -> test_queue.py::test_shutdown_meets_granted_getter
    4. A process dies with items on the way to it -> test_queue_processes.py::test_killed_getter
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from queue import Empty, Full
from typing import Any, Final, final

from ..errors import ShutDown
from .core import Core
from .parcel import WRAPPED, unwrap
from .ticket import CANCELLED, GRANTED, Outcome, Ticket
from .wait_queue import WaitQueue

__all__ = ["NOTHING", "QueueCore"]

NOTHING: Final = object()
GET: Final = "get"
PUT: Final = "put"
JOIN: Final = "join"


def _shut_down() -> ShutDown:
    """Make the error of a queue that was shut down."""
    return ShutDown("the queue has been shut down")


@final
class QueueCore(Core):
    """The items, and who waits for items, for room, or for all of them to be done."""

    __slots__ = (
        "_closed",
        "_getters",
        "_immediate",
        "_items",
        "_joiners",
        "_mutex",
        "_promised",
        "_putters",
        "_reserved",
        "_unfinished",
        "maxsize",
    )

    kind = "Queue"

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__()
        self.maxsize = maxsize
        self._mutex = threading.Lock()
        self._items: deque[Any] = deque()
        self._getters = WaitQueue()
        self._putters = WaitQueue()
        self._joiners = WaitQueue()
        self._promised = 0
        self._reserved = 0
        self._unfinished = 0
        self._closed = False
        self._immediate = False

    def parameters(self) -> tuple[Any, ...]:
        """The arguments it was made with."""
        return (self.maxsize,)

    def put_now(self, item: Any) -> bool:
        """Put an item if that is all there is to do; the fast path."""
        with self._mutex:
            items = self._items
            if self._getters or self._closed or 0 < self.maxsize <= len(items) + self._reserved:
                return False
            items.append(item)
            self._unfinished += 1
            return True

    def get_now(self) -> Any:
        """Take an item if that is all there is to do, else NOTHING; the fast path."""
        with self._mutex:
            items = self._items
            if len(items) <= self._promised or self._putters:
                return NOTHING
            item = items.popleft()
        if item.__class__ in WRAPPED:
            return unwrap((item,))[0]
        return item

    def try_put(self, items: Sequence[Any]) -> None:
        """Put all items, or raise Full or ShutDown and put none."""
        with self._mutex:
            if self._closed:
                raise _shut_down()
            if self.maxsize > 0 and self._room() < len(items):
                raise Full
            self._append(items)
            roused = self._settle()
        self._deliver(roused)

    def try_get(self, limit: int) -> list[Any]:
        """Take up to `limit` items; raise Empty or ShutDown if there is none."""
        return unwrap(self.try_pop(limit))

    def try_pop(self, limit: int) -> list[Any]:
        """As `try_get`, with the items as they lie in the deque."""
        with self._mutex:
            if len(self._items) <= self._promised:
                raise _shut_down() if self._closed else Empty
            items = self._pop(limit)
            roused = self._settle()
        self._deliver(roused)
        return items

    def ask_put(self, ticket: Ticket, items: Sequence[Any]) -> None:
        """Wait for room; `items` are for cores that live elsewhere and have no meaning here."""
        self._ask(ticket, PUT)

    def ask_get(self, ticket: Ticket, limit: int) -> None:
        """Wait for an item; `limit` is for cores that live elsewhere and has no meaning here."""
        self._ask(ticket, GET)

    def ask_join(self, ticket: Ticket) -> None:
        """Wait until all items are done."""
        self._ask(ticket, JOIN)

    def _ask(self, ticket: Ticket, kind: str) -> None:
        """Put a ticket in its queue, and grant it at once where it can be."""
        with self._mutex:
            ticket.tag = kind
            if kind is JOIN:
                self._joiners.park(ticket)
            elif kind is GET:
                self._getters.park(ticket)
            elif self._closed:
                ticket.finish(Outcome(error=_shut_down()))
            else:
                self._putters.park(ticket)
            roused = self._settle()
        self._deliver(roused, but=ticket)

    def fill(self, ticket: Ticket, items: Sequence[Any]) -> int:
        """Put as many of `items` as there is room for, with a granted ticket; return their number."""
        with self._mutex:
            ticket.spend()
            self._reserved -= 1
            if not self._closed:
                items = items[: max(1, self._room())] if self.maxsize > 0 else items
                self._append(items)
            closed = self._closed
            roused = self._settle()
        self._deliver(roused)
        if closed:
            raise _shut_down()
        return len(items)

    def taken(self, ticket: Ticket, limit: int) -> list[Any]:
        """Take up to `limit` items with a granted ticket."""
        return unwrap(self.pop_granted(ticket, limit))

    def pop_granted(self, ticket: Ticket, limit: int) -> list[Any]:
        """As `taken`, with the items as they lie in the deque."""
        with self._mutex:
            ticket.spend()
            self._promised -= 1
            items = self._pop(limit)
            roused = self._settle()
        self._deliver(roused)
        if not items:
            raise _shut_down()
        return items

    def put_back(self, items: Sequence[Any]) -> None:
        """Put items that were taken out and never used back to the front, in their order."""
        with self._mutex:
            if self._immediate:
                self._done(len(items))
            else:
                self._items.extendleft(reversed(items))
            roused = self._settle()
        self._deliver(roused)

    def unput(self, item: object) -> None:
        """Take an item out whose putter gave up, if it is still there and promised to nobody."""
        with self._mutex:
            spare = len(self._items) > self._promised
            for index, present in enumerate(self._items if spare else ()):
                if present is item:
                    del self._items[index]
                    self._done(1)
                    break
            roused = self._settle()
        self._deliver(roused)

    def task_done(self) -> None:
        """Count one item as done; raise ValueError if all were done before."""
        with self._mutex:
            if self._unfinished <= 0:
                raise ValueError("task_done() called too many times")
            self._unfinished -= 1
            roused = self._settle() if not self._unfinished else []
        self._deliver(roused)

    def shutdown(self, immediate: bool) -> None:
        """Accept no more items; with `immediate`, drop those that are there."""
        with self._mutex:
            self._closed = True
            if immediate:
                self._immediate = True
                self._done(len(self._items))
                dropped, self._items = self._items, deque()
            else:
                dropped = deque()
            roused = self._settle()
        self._deliver(roused)
        dropped.clear()

    def sizes(self) -> tuple[int, int, bool]:
        """Return the number of items, of unfinished items, and whether it was shut down."""
        with self._mutex:
            return len(self._items), self._unfinished, self._closed

    def withdraw(self, ticket: Ticket) -> None:
        """End a wait that has not been granted."""
        with self._mutex:
            self._leave(ticket)

    def abandon(self, ticket: Ticket) -> None:
        """End a wait; a promise it got and didn't use goes to the next."""
        with self._mutex:
            self._leave(ticket)
            self._forgo(ticket)
            roused = self._settle()
        self._deliver(roused)

    def pristine(self) -> bool:
        """True if it is empty, nothing is unfinished and it was not shut down."""
        return self.sizes() == (0, 0, False)

    # Below: the caller holds the mutex, except for `_deliver`.

    def _room(self) -> int:
        """Return how many items may come in."""
        return self.maxsize - len(self._items) - self._reserved

    def _append(self, items: Sequence[Any]) -> None:
        """Take items in."""
        self._items.extend(items)
        self._unfinished += len(items)

    def _pop(self, limit: int) -> list[Any]:
        """Take out up to `limit` items that are promised to nobody else."""
        number = min(limit, len(self._items) - self._promised)
        return [self._items.popleft() for _ in range(number)]

    def _done(self, number: int) -> None:
        """Count items as done that nobody will call `task_done` for."""
        self._unfinished = max(0, self._unfinished - number)

    def _leave(self, ticket: Ticket) -> None:
        """Take an open ticket out of its queue and finish it as cancelled."""
        if ticket.tag is GET:
            self._getters.cancel(ticket)
        elif ticket.tag is PUT:
            self._putters.cancel(ticket)
        elif ticket.tag is JOIN:
            self._joiners.cancel(ticket)
        else:
            ticket.finish(CANCELLED)

    def _forgo(self, ticket: Ticket) -> None:
        """Give up the promise of a granted ticket that was not spent."""
        if not ticket.spend():
            return
        if ticket.tag is GET:
            self._promised -= 1
        elif ticket.tag is PUT:
            self._reserved -= 1

    def _settle(self) -> list[Ticket]:
        """Grant and fail whatever can be; return the tickets to rouse."""
        roused: list[Ticket] = []
        while self._getters and len(self._items) > self._promised:
            ticket = self._getters.grant()
            if ticket is not None:
                self._promised += 1
                roused.append(ticket)
        while self._putters and not self._closed and (self.maxsize <= 0 or self._room() > 0):
            ticket = self._putters.grant()
            if ticket is not None:
                self._reserved += 1
                roused.append(ticket)
        if self._closed:
            self._grant_all(self._getters, roused, failed=True)
            self._grant_all(self._putters, roused, failed=True)
        if not self._unfinished:
            self._grant_all(self._joiners, roused, failed=False)
        return roused

    def _grant_all(self, waiters: WaitQueue, roused: list[Ticket], *, failed: bool) -> None:
        """Finish all waits of a queue, each with an outcome of its own if they fail."""
        while (ticket := waiters.grant(Outcome(error=_shut_down()) if failed else GRANTED)) is not None:
            roused.append(ticket)

    def _deliver(self, roused: list[Ticket], but: Ticket | None = None) -> None:
        """Rouse those who were granted; the promises of those who have gone go to the next."""
        while roused:
            gone = [ticket for ticket in roused if ticket is not but and not ticket.wake()]
            if not gone:
                return
            with self._mutex:
                for ticket in gone:
                    self._forgo(ticket)
                roused = self._settle()
