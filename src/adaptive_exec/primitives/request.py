"""What a ticket remembers that waits for another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from .ticket import CANCELLED, Outcome

__all__ = ["Poster", "Request", "Undo"]


class Poster(Protocol):
    """A connection to a home, as far as handing back is concerned."""

    def post(self, operation: str, oid: int, argument: Any = None) -> None:
        """Send something that gets no answer; never waits."""


Undo = Callable[[Poster, int, Any], None]
"""Hands back what the answer to the request of this id granted; gets that answer, too."""


class Request(NamedTuple):
    """What the tag of a ticket says that waits for an answer."""

    link: Poster
    number: int
    undo: Undo | None

    def take_back(self, outcome: Outcome) -> None:
        """Hand back what was granted; never waits."""
        if self.undo is not None and outcome.error is None and outcome is not CANCELLED:
            self.undo(self.link, self.number, outcome.value)
