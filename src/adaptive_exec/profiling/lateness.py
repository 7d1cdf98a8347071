"""What the sampler's own lateness tells: who wants the GIL and does not get it learns that somebody holds it.

A call that holds the GIL for 3 ms is never met by a look in its middle, however soon the sampler wakes: it has to wait
until the interpreter takes the GIL away, which it does after 5 ms. That wait is evidence itself, and costs nothing.
"""

from __future__ import annotations

from typing import Final

__all__ = ["held_by_call"]

_LEAST_NS: Final = 200_000
_MOST_OF_IT: Final = 0.5


def held_by_call(late_ns: int, computed_ns: int, stood_ns: int, others_ns: int) -> int:
    """For how long, at least, a call held the GIL while the sampler wanted it, in nanoseconds.

    Somebody held it all that time. It was not the call for longer than others computed; and when the call did not
    compute, it may have been without a core in the very moment in which it held it for once.

    Only what is plain counts: had the call let go of the GIL in between, the sampler would have come. A call that holds
    it for a third of the time is met by looks, whose windows tell the third; to add its lateness would tell that twice.

    Args:
        late_ns: How long the sampler has wanted the GIL.
        computed_ns: CPU time of the call since the sampler last looked, or since it began.
        stood_ns: The rest of that time.
        others_ns: CPU time of the process's other threads in that time.

    Returns:
        The time; 0 if it is too little to tell.
    """
    held = min(late_ns - max(stood_ns, 0) - max(others_ns, 0), computed_ns)
    return held if held >= max(_LEAST_NS, int(_MOST_OF_IT * computed_ns)) else 0
