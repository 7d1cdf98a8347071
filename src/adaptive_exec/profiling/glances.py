"""Calls of which only the wall is looked at: those of a function that is known, most of the time.

Two readings of a clock instead of four, and no sample: measuring every call costs more than many a call itself. One in
eight is measured all the same, and one whose wall does not fit the profile makes the next ones be measured, so that
a change of cost or nature is met within a few calls.

Guarantees:
    - `allowed` and `take` may be called by any threads at once, take no lock and cost some 0.2 µs.
Assumes:
    - Setting and reading one attribute of an object is atomic, on builds with and without a GIL. Threads that count at
      once may count one call for two: these are counts of what is not worth measuring.
    - Whoever calls `renew` and `taken` holds the estimator's lock.
Races: none that matter, see above.
"""

from __future__ import annotations

from typing import Final

from ..model import Profile

__all__ = ["Glances"]

_IN_A_ROW: Final = 7
_EXACT_CALLS: Final = 8
_FACTOR: Final = 3
_CPU_SLOP_NS: Final = 500_000
_WALL_SLOP_NS: Final = 1_000_000


class Glances:
    """Says which calls need no measuring, and whether what they took fits."""

    __slots__ = ("_exact", "_least", "_left", "_most", "_profile", "_seen")

    def __init__(self) -> None:
        self._left = 0
        self._seen = 0
        self._exact = _EXACT_CALLS
        self._profile: Profile | None = None
        self._least = self._most = 0.0

    def allowed(self) -> bool:
        """Whether the next call need not be measured; then `take` is to be told how long it took."""
        left = self._left
        if left <= 0:
            return False
        self._left = left - 1
        return True

    def take(self, wall_ns: int) -> None:
        """A call that was not measured has ended."""
        if self._least <= wall_ns <= self._most:
            self._seen += 1
        else:
            self._left = 0
            self._exact = _EXACT_CALLS

    def renew(self, profile: Profile, *, doubted: bool) -> None:
        """A call has been measured: allow for some that are not, unless the profile is doubted."""
        if doubted or not profile.settled:
            self._exact = max(self._exact, 1)
        if self._exact > 0:
            self._exact -= 1
            self._left = 0
            return
        if self._profile is not profile:
            self._profile = profile
            # The limits beyond which `drift.py` would call it a contradiction.
            self._least = (profile.cpu * 1e9 - _CPU_SLOP_NS) / _FACTOR
            self._most = profile.wall * 1e9 * _FACTOR + _WALL_SLOP_NS
        self._left = _IN_A_ROW

    def taken(self) -> int:
        """How many calls have been taken since this was asked last."""
        seen, self._seen = self._seen, 0
        return seen

    def stop(self) -> None:
        """The function is another one now: its next calls are measured."""
        self._left = 0
        self._exact = _EXACT_CALLS
