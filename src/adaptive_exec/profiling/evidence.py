"""What the sampler's looks at many calls of one function add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ..sample import Sample
from .pace import WINDOW_US

__all__ = ["Evidence", "half_width"]

_LASTING: Final = 1.0 - 1.0 / 64.0
_WINDOW_NS: Final = WINDOW_US * 1000
_FREE_NS: Final = _WINDOW_NS / 2
_CERTAIN: Final = 1.5
_SUREST_RATE: Final = 0.95
_MOST_OF_A_CALL: Final = 6.0
_SUMS: Final = (
    "_calls",
    "_wall",
    "_cpu",
    "_looks",
    "_exposed",
    "_free",
    "_certainty",
    "_withheld",
)


def half_width(share: float, observations: float) -> float:
    """Half the width of the Wilson interval (one standard deviation) of a share seen in so many observations."""
    if observations <= 0.0:
        return 1.0
    spread = share * (1.0 - share) / observations + 1.0 / (4.0 * observations * observations)
    return math.sqrt(max(spread, 0.0)) / (1.0 + 1.0 / observations)


class Evidence:
    """Sums over the sampled calls, fading with every further one. Not safe for threads by itself.

    Args:
        keep: What part of a sum is left after one more call; by default 64 calls count.
    """

    __slots__ = (
        "_calls",
        "_certainty",
        "_cpu",
        "_exposed",
        "_free",
        "_keep",
        "_looks",
        "_shares",
        "_wall",
        "_withheld",
    )

    def __init__(self, keep: float = _LASTING) -> None:
        self._keep = keep
        self._calls = 0.0
        self._wall = 0.0
        self._cpu = 0.0
        self._looks = 0.0
        self._shares = (0.0, 0.0)
        self._exposed = 0.0
        self._free = 0.0
        self._certainty = 0.0
        self._withheld = 0.0

    def copy(self) -> Evidence:
        """The same sums, to go on with apart from these."""
        twin = Evidence(self._keep)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def sums(self) -> list[float]:
        """All sums as numbers, for `of_sums`; how they fade is not among them."""
        return [getattr(self, name) for name in _SUMS] + list(self._shares)

    @classmethod
    def of_sums(cls, sums: Sequence[float]) -> Evidence:
        """The evidence with these sums, each finite and not negative.

        Raises:
            ValueError: There are not as many as there should be, or two of them contradict each other.
        """
        if len(sums) != len(_SUMS) + 2:
            raise ValueError("not the sums of what was seen")
        made = cls()
        for name, value in zip(_SUMS, sums[:-2], strict=True):
            setattr(made, name, value)
        blocked, sampled = sums[-2:]
        if blocked > sampled:
            raise ValueError("more was seen waiting than was seen")
        made._shares = (blocked, sampled)
        return made

    def add(self, sample: Sample) -> None:
        """Add what the sampler saw of one call, if anything."""
        if sample.looks is not None:
            # Calls that were watched and never met by a look count, too: without them short ones would be lost.
            self._add_looks(sample, sample.looks)
        if sample.window_ns and sample.wall_ns:
            self._add_windows(sample)

    def _add_looks(self, sample: Sample, looks: int) -> None:
        """Add the states that were seen."""
        keep = self._keep
        self._calls = self._calls * keep + 1.0
        self._wall = self._wall * keep + sample.wall_ns
        self._cpu = self._cpu * keep + sample.cpu_ns
        self._looks = self._looks * keep + looks
        blocked, sampled = self._shares
        # A look that happens to meet a short system call of a busy call stands for much time. No more of it can
        # have been spent waiting than the call's clocks leave open.
        left_open = max(sample.wall_ns - sample.cpu_ns, 0) / sample.wall_ns if sample.wall_ns else 1.0
        most = sample.sampled_ns * left_open
        self._shares = (blocked * keep + min(sample.blocked_ns, most), sampled * keep + sample.sampled_ns)

    def _add_windows(self, sample: Sample) -> None:
        """Add what was gained while the GIL was withheld, and what could have been.

        A call computes at the rate cpu / wall, whoever it competes with. Had all its computing been free of the
        GIL, it would have gained that part of its windows; and the chance that it gained nothing in any of
        n windows would have been (1 - rate)**n, whose negative logarithm is added up as certainty.

        For the ratio a look counts as one window, however long it took: a call that keeps the sampler waiting for the
        GIL counts as a window of that time, which would outweigh all looks at what it does without the GIL.
        """
        keep = self._keep
        rate = min(1.0, sample.cpu_ns / sample.wall_ns)
        part = 1.0
        if sample.looks is not None:
            part = min(1.0, max(sample.looks, 1) * _WINDOW_NS / sample.window_ns)
        self._exposed = self._exposed * keep + sample.window_ns * rate * part
        self._free = self._free * keep + sample.free_ns * part
        self._withheld = self._withheld * keep + 1.0
        silence = -math.log1p(-min(rate, _SUREST_RATE))
        self._certainty = self._certainty * keep + silence * sample.window_ns / _WINDOW_NS

    @property
    def looks(self) -> float:
        """How many looks count."""
        return self._looks

    @property
    def was_watched(self) -> bool:
        """Whether any of the calls was watched by a sampler that can tell states."""
        return self._calls > 0.0

    @property
    def blocked_share(self) -> float | None:
        """The part of the wall time that is spent blocked; None if nobody looked."""
        blocked, sampled = self._shares
        return blocked / sampled if sampled > 0.0 else None

    @property
    def mean_wall_ns(self) -> float:
        """Mean wall time of the calls that were looked at."""
        return self._wall / self._calls if self._calls > 0.0 else 0.0

    @property
    def mean_cpu_ns(self) -> float:
        """Mean CPU time of the calls that were looked at."""
        return self._cpu / self._calls if self._calls > 0.0 else 0.0

    @property
    def windows(self) -> float:
        """How many decisive windows the GIL evidence is worth; one seen alone is worth three.

        Those of one call don't speak independently: it may have met all of them in the one part that is not like the
        rest of it, or in one moment in which the machine was not like itself.
        """
        return min(max(self._certainty, self._free / _FREE_NS), _MOST_OF_A_CALL * self._withheld)

    @property
    def knows_gil(self) -> bool:
        """True if the GIL ratio is more than a guess."""
        return self._free >= _FREE_NS or self._certainty >= _CERTAIN

    @property
    def gil_ratio(self) -> float | None:
        """The part of the CPU time that holds the GIL; None as long as too little speaks of it."""
        if not self.knows_gil:
            return None
        if self._free >= self._exposed:
            return 0.0
        return 1.0 - self._free / self._exposed
