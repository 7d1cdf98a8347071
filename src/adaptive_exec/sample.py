"""One call, as it was measured: what workers send home with every result, so it loads fast and weighs little."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Sample"]


class Sample(NamedTuple):
    """One call, as it was measured where it ran.

    A tuple, since one is made for every call: a frozen dataclass of this size takes seven times as long.

    Attributes:
        wall_ns: From the start of the call to its end.
        cpu_ns: CPU time of the calling thread in between; right under any contention.
        sampled_ns: Time that the three-state sampler's looks at this call stand for: `wall_ns` on the average of
            many calls, more or less for one; 0 where it did not look.
        blocked_ns: Part of `sampled_ns` in which the thread waited for something other than the GIL.
        gil_wait_ns: Part of `sampled_ns` in which the thread wanted the GIL and did not have it.
        window_ns: Time in which the sampler held the GIL and watched this thread's CPU clock.
        free_ns: CPU time that the thread gained in those windows, that is, without the GIL.
        argument_bytes: Pickled size of the arguments; None where nobody pickled them.
        result_bytes: Pickled size of the result; None where nobody pickled it.
        pickle_ns: Time that pickling and unpickling both takes, about; None where nobody did either.
        steps: Number of steps of a coroutine; 0 for a plain call.
        longest_step_ns: For how long a step of a coroutine has held its loop at most.
        alone: True where nothing else ran in the process (a worker), so that the wall is the call's own.
        failed: True if the call raised.
        looks: How often the three-state sampler looked; None where it did not watch the call.
        waited_ns: For how long the call waited for something other than the GIL or a core at least, whatever else
            went on (`platform/rests.py`); None where it can't be told.
    """

    wall_ns: int
    cpu_ns: int
    sampled_ns: int = 0
    blocked_ns: int = 0
    gil_wait_ns: int = 0
    window_ns: int = 0
    free_ns: int = 0
    argument_bytes: int | None = None
    result_bytes: int | None = None
    pickle_ns: int | None = None
    steps: int = 0
    longest_step_ns: int = 0
    alone: bool = False
    failed: bool = False
    looks: int | None = None
    waited_ns: int | None = None
