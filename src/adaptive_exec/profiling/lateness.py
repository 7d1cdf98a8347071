"""What the sampler's own lateness tells: who wants the GIL and does not get it learns that somebody holds it.

A call that holds the GIL for 3 ms is never met by a look in its middle, however soon the sampler wakes: it has to wait
until the interpreter takes the GIL away, which it does after 5 ms. That wait is evidence itself, and costs nothing.
"""

from __future__ import annotations

from typing import Final

__all__ = ["held_by_call"]

_LEAST_NS: Final = 200_000
_MOST_OF_IT: Final = 0.6
_OTHERS: Final = 0.25


def held_by_call(late_ns: int, cpu_ns: int, others_ns: int) -> int:
    """For how long a call that is watched alone held the GIL, in nanoseconds.

    Only what is plain counts: had the call let go of the GIL in between, the sampler would have come. A call that holds
    it half of the time is met by looks, whose windows tell the half; to add its lateness would tell that half twice.

    Args:
        late_ns: How long the sampler has wanted the GIL, less the time in which the call did not compute: it may
            have been without a core in the very moment in which it held the GIL.
        cpu_ns: CPU time of the call since the sampler last looked, or since it began.
        others_ns: CPU time of the process's other threads in that time.

    Returns:
        The lateness; 0 if it is too little to tell, or if others may have held the GIL.
    """
    if late_ns < max(_LEAST_NS, int(_MOST_OF_IT * cpu_ns)) or others_ns > _OTHERS * cpu_ns:
        return 0
    return min(late_ns, cpu_ns)
