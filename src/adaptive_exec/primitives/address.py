"""Where a home is."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import HomeDied

__all__ = ["HomeAddress"]


class HomeAddress(NamedTuple):
    """What another process needs to reach a home; whoever has it may use every primitive there.

    Attributes:
        home: A name no other home has.
        pid: The process.
        address: Where it listens.
        key: The secret that lets one in.
    """

    home: str
    pid: int
    address: str
    key: bytes

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"HomeAddress(home={self.home!r}, pid={self.pid})"

    def died(self) -> HomeDied:
        """Make the error of a home that can't be reached."""
        return HomeDied(
            f"process {self.pid}, in which this primitive lives, has ended; "
            "make it in a process that outlives those who use it"
        )
