"""What calls of one function gain by running at once on threads, as their walls tell: throughput, not a model of it.

Looks and clocks tell how long a call holds the GIL. There are other things that only one thread can have at a time: a
library's own lock, the kernel's lock on the memory of a process, the way to memory. What they cost shows only in how
long calls take that run together, beside what one takes alone.

Not every call says something. Where more computes in the process than these calls' threads, either something else runs,
or each call has threads of its own, as linear algebra often has, and keeps all cores busy anyhow.

With k calls at once, each of which takes the wall w, one ends every w / k. Alone one ends every w1. So the threads do
w1 / (w / k) times as much as one, and min(k, cores) times as much if nothing is in their way.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

__all__ = ["Company", "Gain"]

_KEEPS: Final = 8
_FEW: Final = 4
_FEW_ALONE: Final = 2
_POOR: Final = 0.75  # of what the cores would allow: below that, a fourth is to be had elsewhere
_LASTS: Final = 512
_OTHERS: Final = 0.25


class Company(NamedTuple):
    """What ran beside a call, itself included.

    Attributes:
        at_once: How many calls threads ran when it began, and when it ended.
        process_ns: CPU time of the whole process meanwhile.
    """

    at_once: int
    process_ns: int


class Gain:
    """The last walls of calls that ran alone, and together with others of their function and nothing else."""

    __slots__ = ("_alone", "_seen", "_together")

    def __init__(self) -> None:
        self._alone: deque[tuple[int, int]] = deque(maxlen=_KEEPS)  # wall and CPU time
        self._together: deque[tuple[float, int, int]] = deque(
            maxlen=_KEEPS
        )  # wall / k, CPU time, min(k, cores)
        self._seen = 0

    def note(self, wall_ns: int, cpu_ns: int, company: Company, cores: int, calls: int) -> None:
        """Take a call into account.

        Args:
            wall_ns: From its start to its end.
            cpu_ns: CPU time of its thread.
            company: Calls of the function that ran all the while; no others did.
            cores: Usable cores.
            calls: How many calls there have been until now.
        """
        at_once, process_ns = company
        if process_ns - at_once * cpu_ns > _OTHERS * process_ns:
            return
        if calls - self._seen > _LASTS:
            self._together.clear()
        self._seen = calls
        if at_once == 1:
            self._alone.append((wall_ns, cpu_ns))
        else:
            self._together.append((wall_ns / at_once, cpu_ns, min(at_once, cores)))

    def note_elsewhere(self, wall_ns: int, cpu_ns: int) -> None:
        """Take a call in a worker into account, which has its process for itself.

        Args:
            wall_ns: From its start to its end.
            cpu_ns: CPU time of its thread.
        """
        self._alone.append((wall_ns, cpu_ns))

    def serial_ratio(self, calls: int) -> float | None:
        """The part of its CPU time for which a call keeps all others of its function waiting; None if that is little.

        As a GIL ratio, it says how much can be done at once: 1 / ratio times as much as one thread does. The best
        fourth of the calls counts, since the rest may have met somebody else. Good for 512 calls, as calls
        that have left for workers say nothing of it any more.

        Args:
            calls: How many calls there have been until now.
        """
        if len(self._together) < _FEW or calls - self._seen > _LASTS:
            return None
        per_call = sorted(each[0] for each in self._together)[len(self._together) // 4]
        ideal = sorted(each[2] for each in self._together)[len(self._together) // 2]
        if len(self._alone) >= _FEW_ALONE:
            wall, cpu = _middle([each[0] for each in self._alone]), _middle([each[1] for each in self._alone])
        else:
            wall = cpu = _middle([each[1] for each in self._together])
        if cpu <= 0 or wall >= _POOR * ideal * per_call:
            return None
        return min(per_call / cpu, 1.0)


def _middle(values: list[int]) -> int:
    """The lower median."""
    return sorted(values)[(len(values) - 1) // 2]
