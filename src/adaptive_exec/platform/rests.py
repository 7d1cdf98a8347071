"""How a thread has rested: how often it fell asleep, and for how long it was awake and had no core (Linux).

A thread that wants the GIL sleeps for the interpreter's switch interval at a time (5 ms) and asks for it again, so that
a wait of 160 ms for the GIL is 32 sleeps, while one for a socket is a single sleep, however long. So the number of its
sleeps tells how much of its rest it can have spent wanting the GIL, at most.

Nothing here releases the GIL: who wants to know is the thread itself, between two steps of a busy program.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .gil import gil_enabled
from .held_calls import HeldCalls, held_calls

__all__ = ["Rest", "RestMeter", "longest_want_ns", "rest_meter", "waited_ns"]

_OVERSLEPT_NS: Final = 100_000
"""What a timed sleep takes beyond what was asked for, with the way back to a core."""


def _usage_of_this_thread() -> Callable[[], Any] | None:
    """What gives the calling thread's resource usage; None where the system does not tell it apart."""
    try:
        import resource
    except ImportError:
        return None
    this_thread = getattr(resource, "RUSAGE_THREAD", None)
    if this_thread is None:
        return None
    usage = resource.getrusage
    return lambda: usage(this_thread)


_usage: Final = _usage_of_this_thread()


class Rest(NamedTuple):
    """What a thread's counters read.

    Attributes:
        sleeps: How often it has fallen asleep.
        queued_ns: For how long it was awake and had no core.
    """

    sleeps: int
    queued_ns: int


class RestMeter:
    """Reads the counters of the thread that made it; only that thread may ask.

    Args:
        descriptor: Of the thread's `schedstat` file; closed by whoever owns this.
        calls: A set of held calls that nobody else uses.
    """

    __slots__ = ("_calls", "descriptor")

    def __init__(self, descriptor: int, calls: HeldCalls) -> None:
        self.descriptor = descriptor
        self._calls = calls

    def read(self) -> Rest | None:
        """What they read now; None if they can't be read."""
        if _usage is None:
            return None
        try:
            _, queued, *_ = self._calls.read(self.descriptor).split()
            return Rest(_usage().ru_nvcsw, int(queued))
        except (OSError, ValueError):
            return None


def rest_meter() -> RestMeter | None:
    """A meter for the calling thread; None where the system has no such counters."""
    calls = held_calls() if _usage is not None else None
    if calls is None:
        return None
    try:
        descriptor = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except (OSError, AttributeError):
        return None
    meter = RestMeter(descriptor, calls)
    if meter.read() is None:
        os.close(descriptor)
        return None
    return meter


def waited_ns(wall_ns: int, cpu_ns: int, before: Rest, after: Rest) -> int:
    """For how long a thread has waited for something other than the GIL or a core, at least.

    Each time that it fell asleep it may have wanted the GIL, for a switch interval at most; the rest it can't have.
    Several waits with one sleep each are thus worth less than one as long as all of them.

    Args:
        wall_ns: From `before` to `after`.
        cpu_ns: CPU time of the thread in between.
        before: What its counters read.
        after: The same, later.
    """
    asleep = wall_ns - cpu_ns - (after.queued_ns - before.queued_ns)
    return max(0, asleep - (after.sleeps - before.sleeps) * longest_want_ns())


def longest_want_ns() -> int:
    """For how long a thread that wants the GIL sleeps at a time, at most; 0 without a GIL."""
    return int(sys.getswitchinterval() * 1e9) + _OVERSLEPT_NS if gil_enabled() else 0
