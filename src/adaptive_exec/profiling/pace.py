"""When the sampler looks next, and when it may hold the GIL for a window."""

from __future__ import annotations

from typing import Final

__all__ = ["WINDOW_US", "Pace"]

WINDOW_US: Final = 200
"""Length of a GIL-hold window that is asked for; the system makes it about 280 us."""

TICK_NS: Final = 500_000
"""The interval of the portable probe."""

_SOONEST_NS: Final = 1_000_000
_LATEST_NS: Final = 10_000_000
_LOOK_SHARE: Final = 0.02
_WINDOW_SHARE: Final = 0.01
_CROWD: Final = 8
_WINDOW_SHARE_IN_A_CROWD: Final = 0.015
_GENEROUS: Final = 6
_GENEROUS_WITH_WINDOWS: Final = 9
_WINDOW_PURSE_NS: Final = 2_000_000
_MOST_DEBT_NS: Final = 10_000_000
_GOLDEN: Final = (5**0.5 - 1) / 2


class Pace:
    """Keeps the looks to 2 % and the windows to 1 % of the time, after a purse of 2 ms for the first ones.

    While there is a newcomer, of which nothing is known, they may take six and nine times as much: that lasts for a
    few calls of a function, and what is learned soon decides where all the others run. In a crowd windows may take
    half as much again: the moments that they see are shared by many calls there.

    A young call is looked at after one millisecond, an old one at intervals of half its age, up to 10 ms: so a
    call of 5 ms is seen about four times and one of a second about a hundred times.

    These are averages: each interval is half as long to half as long again. Calls that do one thing after the other
    would otherwise be met in the same one of them every time. Multiples of the golden ratio spread the lengths evenly,
    however few there are (H. Weyl, 1916: multiples of an irrational number are equally distributed modulo 1).
    """

    __slots__ = ("_phase", "_purse_ns", "_refilled_ns")

    def __init__(self, now_ns: int) -> None:
        self._phase = 0.0
        self._purse_ns = _WINDOW_PURSE_NS
        self._refilled_ns = now_ns

    def delay_ns(self, youngest_age_ns: int, look_cost_ns: int, *, newcomer: bool = False) -> int:
        """Time until the next look.

        Args:
            youngest_age_ns: Age of the youngest watched call.
            look_cost_ns: How long the last look took, windows apart.
            newcomer: Whether there is a call of which nothing is known.
        """
        by_age = min(max(youngest_age_ns // 2, _SOONEST_NS), _LATEST_NS)
        self._phase = (self._phase + _GOLDEN) % 1.0
        return max(
            int(by_age * (0.5 + self._phase)),
            int(look_cost_ns / (_LOOK_SHARE * (_GENEROUS if newcomer else 1))),
        )

    def window_allowed(self, now_ns: int, *, newcomer: bool = False, watched: int = 1) -> bool:
        """True if a window may be held now.

        Depends only on windows held before, never on what the threads are doing now, so that the looks with a
        window are a fair choice among all looks.

        Args:
            now_ns: The time.
            newcomer: Whether there is a call of which nothing is known.
            watched: How many calls are watched.
        """
        share = _WINDOW_SHARE if watched < _CROWD else _WINDOW_SHARE_IN_A_CROWD
        earned = int((now_ns - self._refilled_ns) * share * (_GENEROUS_WITH_WINDOWS if newcomer else 1))
        self._purse_ns = min(self._purse_ns + max(earned, 0), _WINDOW_PURSE_NS)
        self._refilled_ns = now_ns
        return self._purse_ns > 0

    def window_held(self, held_ns: int) -> None:
        """Pay for a window; of one that took long, because the cores were full, no more than 10 ms."""
        self._purse_ns = max(self._purse_ns - held_ns, -_MOST_DEBT_NS)
