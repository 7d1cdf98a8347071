"""Who waits for one thing, first come, first served.

Belongs to the mutex of the primitive that owns it: every call is made with that held. Leaving from the
middle costs the same as leaving from the front, so a thousand waits that time out cost a thousand steps.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import final

from .ticket import CANCELLED, GRANTED, Outcome, Ticket

__all__ = ["WaitQueue"]


@final
class WaitQueue(OrderedDict[Ticket, None]):
    """Tickets in the order in which they came; a mapping, so that asking whether it is empty costs no call."""

    def park(self, ticket: Ticket) -> None:
        """Add a ticket at the end."""
        self[ticket] = None

    def grant(self, outcome: Outcome = GRANTED) -> Ticket | None:
        """Finish the first ticket that is still open and take it out; None if there is none."""
        while self:
            ticket, _ = self.popitem(last=False)
            if ticket.finish(outcome):
                return ticket
        return None

    def cancel(self, ticket: Ticket) -> bool:
        """Take a ticket out and finish it as cancelled; False if it had been finished."""
        self.pop(ticket, None)
        return ticket.finish(CANCELLED)
