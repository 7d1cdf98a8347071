"""A `Queue` that lives in another process.

Items are pickled by the putter before anything is sent and unpickled by the getter, in their own threads;
the home keeps what it hands out until it is told `taken`, and takes it back if this process dies before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, final

from .. import pickling
from .queue_core import NOTHING
from .remote import RemoteCore
from .request import Poster, Request
from .ticket import Ticket

__all__ = ["RemoteQueueCore"]


def _give_back(link: Poster, number: int, _: Any) -> None:
    """Give items back that were granted to nobody."""
    link.post("back", 0, number)


def _take_out(oid: int, link: Poster, number: int, _: Any) -> None:
    """Take an item out again whose putter gave up at the moment it was accepted."""
    link.post("unput", oid, number)


@final
class RemoteQueueCore(RemoteCore):
    """Has the interface of `QueueCore`; every answer is the home's."""

    __slots__ = ()

    kind = "Queue"

    @property
    def maxsize(self) -> int:
        """How many items it holds; 0 or less: any number."""
        return int(self.parameters()[0])

    def put_now(self, item: Any) -> bool:
        """There is no fast path across processes yet."""
        return False

    def get_now(self) -> Any:
        """There is no fast path across processes yet."""
        return NOTHING

    def try_put(self, items: Sequence[Any]) -> None:
        """Put all items, or raise Full or ShutDown and put none."""
        self.link().call("try_put", self.oid, [pickling.dumps(item) for item in items])

    def try_get(self, limit: int) -> list[Any]:
        """Take up to `limit` items; raise Empty or ShutDown if there is none."""
        number, data = self.link().call("try_get", self.oid, limit, _give_back)
        return self._unpack(number, data)

    def ask_put(self, ticket: Ticket, items: Sequence[Any]) -> None:
        """Ask the home to put the items as room appears."""
        data = [pickling.dumps(item) for item in items]
        self.link().request(ticket, "put", self.oid, data, partial(_take_out, self.oid))

    def ask_get(self, ticket: Ticket, limit: int) -> None:
        """Ask for up to `limit` items."""
        self.link().request(ticket, "get", self.oid, limit, _give_back)

    def ask_join(self, ticket: Ticket) -> None:
        """Ask to be told when all items are done."""
        self.link().request(ticket, "join", self.oid, None)

    def fill(self, ticket: Ticket, items: Sequence[Any]) -> int:
        """Return the number of items; the home has put them all."""
        ticket.spend()
        return len(items)

    def taken(self, ticket: Ticket, limit: int) -> list[Any]:
        """Unpickle what was granted."""
        assert isinstance(ticket.tag, Request)
        outcome = ticket.outcome
        assert outcome is not None
        if not ticket.spend():
            return []
        number, data = outcome.value
        return self._unpack(number, data)

    def task_done(self) -> None:
        """Count one item as done."""
        self.link().call("task_done", self.oid)

    def shutdown(self, immediate: bool) -> None:
        """Accept no more items; with `immediate`, drop those that are there."""
        self.link().call("shutdown", self.oid, immediate)

    def sizes(self) -> tuple[int, int, bool]:
        """Return the number of items, of unfinished items, and whether it was shut down."""
        items, unfinished, closed = self.link().call("sizes", self.oid)
        return items, unfinished, closed

    def _unpack(self, number: int, data: Sequence[bytes]) -> list[Any]:
        """Unpickle items and tell the home that they have been taken, even if they can't be unpickled."""
        link = self.link()
        try:
            items = [pickling.loads(item) for item in data]
        except Exception:
            link.post("taken", 0, number)
            raise
        except BaseException:
            _give_back(link, number, None)
            raise
        link.post("taken", 0, number)
        return items
