"""A `Lock` that lives in another process."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, final

from .address import HomeAddress
from .lock_core import OWNER_DIED
from .remote import RemoteCore
from .request import Poster
from .ticket import GRANTED, Outcome, Ticket

__all__ = ["RemoteLockCore"]


def _hand_back(oid: int, link: Poster, _: int, owner_died: Any) -> None:
    """Give back a lock that was granted to nobody."""
    if owner_died is not None:
        link.post("hand_back", oid, owner_died)


@final
class RemoteLockCore(RemoteCore):
    """Has the interface of `LockCore`; every answer is the home's."""

    __slots__ = ("_held", "_mutex")

    kind = "Lock"

    def __init__(self, home: HomeAddress, oid: int) -> None:
        super().__init__(home, oid)
        self._mutex = threading.Lock()
        self._held = 0

    def _count(self, change: int) -> bool:
        """Count what this process holds; True if it held the lock before."""
        with self._mutex:
            before = self._held
            self._held = max(0, before + change)
        return before > 0

    def take(self) -> bool:
        """There is no fast path across processes yet."""
        return False

    def try_acquire(self) -> Outcome | None:
        """Take the lock if it is free; None if it isn't."""
        owner_died = self.link().call("try_acquire", self.oid, undo=partial(_hand_back, self.oid))
        if owner_died is None:
            return None
        self._count(1)
        return OWNER_DIED if owner_died else GRANTED

    def enqueue(self, ticket: Ticket) -> None:
        """Ask for the lock."""
        self.link().request(ticket, "acquire", self.oid, None, partial(_hand_back, self.oid))

    def accept(self, ticket: Ticket) -> bool:
        """Use a grant; True if the last holder died with the lock."""
        ticket.spend()
        self._count(1)
        outcome = ticket.outcome
        return outcome is not None and bool(outcome.value)

    def release(self) -> None:
        """Release it; returns when the home has done it."""
        self._count(-1)
        self.link().call("release", self.oid)

    def release_later(self) -> None:
        """Release it without waiting for the home, unless this process doesn't hold it."""
        if self._count(-1):
            self.link().post("release", self.oid)
        else:
            self.release()

    def ask_release(self, ticket: Ticket) -> None:
        """Release it; the ticket is finished when the home has done it."""
        self._count(-1)
        self.link().request(ticket, "release", self.oid, None)

    def locked(self) -> bool:
        """True if somebody holds it."""
        return bool(self.link().call("locked", self.oid))
