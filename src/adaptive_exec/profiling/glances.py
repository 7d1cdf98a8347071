"""Calls of which only the wall is looked at: those of a function that is known, most of the time.

Two readings of a clock instead of four, and no sample: measuring every call costs more than many a call itself. One in
eight is measured all the same (of calls under 0.1 ms, which stay where they are whatever they do, one in 32), and one
whose wall does not fit the profile makes the next ones be measured, so that
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
from .drift import limits_of

__all__ = ["Glances"]

_IN_A_ROW: Final = 7
_BRIEF_IN_A_ROW: Final = 31
_BRIEF_SECONDS: Final = 100e-6
_EXACT_CALLS: Final = 8


class Glances:
    """Says which calls need no measuring, and whether what they took fits.

    Attributes:
        left: So many of the next calls need no measuring.
        limits: What a call's wall has to keep to if it is to fit the profile.
        seen: Calls that were not measured, and did; not yet asked for.
    """

    __slots__ = ("_exact", "left", "limits", "seen")

    def __init__(self) -> None:
        self.left = 0
        self.seen = 0
        self._exact = _EXACT_CALLS
        self.limits = limits_of(Profile())

    def allowed(self) -> bool:
        """Whether the next call need not be measured; then `take` is to be told how long it took."""
        left = self.left
        if left <= 0:
            return False
        self.left = left - 1
        return True

    def take(self, wall_ns: int) -> None:
        """A call that was not measured has ended."""
        limits = self.limits
        if limits.least_cpu <= wall_ns <= limits.most_slack:
            self.seen += 1
        else:
            self.doubt()

    def doubt(self) -> None:
        """A call's wall did not fit: measure the next ones."""
        self.left = 0
        self._exact = _EXACT_CALLS

    def renew(self, profile: Profile, *, doubted: bool) -> None:
        """A call has been measured: allow for some that are not, unless the profile is doubted."""
        if doubted or not profile.settled:
            self._exact = max(self._exact, 1)
        if self._exact > 0:
            self._exact -= 1
            self.left = 0
            return
        if self.limits.profile is not profile:
            self.limits = limits_of(profile)
        self.left = _IN_A_ROW if profile.wall >= _BRIEF_SECONDS else _BRIEF_IN_A_ROW

    def alike(self, calls: int) -> None:
        """So many calls beside the one that is learned next were as that one, as in a chunk of a `map`."""
        self.seen += calls

    def taken(self) -> int:
        """How many calls have been taken since this was asked last."""
        seen, self.seen = self.seen, 0
        return seen

    def stop(self) -> None:
        """The function is another one now: its next calls are measured."""
        self.doubt()
