"""What the sampler can see of a thread, and with what: the seam at which tests put a fake in place.

`Eyes` is the real thing: thread states from /proc, CPU clocks of threads, and a sleep that keeps the GIL. Each of
them may be missing on a system, and then says None.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Final, Protocol

from ..platform.gil import gil_enabled
from ..platform.gil_place import GilPlace, gil_place
from ..platform.gil_wait import gil_wait_ns
from ..platform.held_calls import HeldCalls, held_calls
from ..platform.rests import Rest, RestMeter, rest_meter
from ..platform.slices import ask_for_short_slices
from ..platform.thread_clocks import read_thread_clock, this_thread_clock
from ..platform.thread_states import ThreadState, classify, open_this_thread

__all__ = ["Eyes", "Sight", "SystemEyes", "forced_to_ticks"]

_MOST_DESCRIPTORS: Final = 64
"""Threads whose two files are kept open; the rest are watched by their clocks alone (a common limit is 1024)."""


def forced_to_ticks() -> bool:
    """True if the user or a test wants the portable probe: `ADAPTIVE_EXEC_PROBE=ticks`."""
    return os.environ.get("ADAPTIVE_EXEC_PROBE") == "ticks"


class Sight:
    """One thread as it can be seen from another: its CPU clock and a descriptor of its state file."""

    __slots__ = ("__weakref__", "_owner", "clock", "descriptor", "rest")

    def __init__(
        self,
        clock: int | None,
        descriptor: int | None,
        owner: SystemEyes | None = None,
        rest: RestMeter | None = None,
    ) -> None:
        """`rest` may be asked by the thread itself."""
        self.clock = clock
        self.descriptor = descriptor
        self.rest = rest
        self._owner = owner

    def __del__(self) -> None:
        # The descriptor may not be closed when the thread ends: a sampler that is just reading it would read
        # whatever file got its number next. It goes with the last watch that still holds this object.
        if self._owner is not None and self.descriptor is not None:
            self._owner.close(self.descriptor)
            if self.rest is not None:
                os.close(self.rest.descriptor)


class Eyes(Protocol):
    """What a sampler needs from the system."""

    def prepare(self) -> None:
        """Get ready to look; called before the sampler's thread starts, by one thread at a time."""

    def begin(self) -> None:
        """Called once by the sampler's thread before it looks for the first time."""

    def held_off_ns(self) -> int:
        """For how long the sampler's thread has been waiting for the GIL; asked by a thread that holds it."""

    def open_this_thread(self) -> Sight:
        """The sight of the calling thread, kept for its next call."""

    def state(self, sight: Sight) -> ThreadState | None:
        """What the thread is doing now; None if that can't be told."""

    def cpu_ns(self, sight: Sight) -> int | None:
        """CPU time of the thread so far; None if that can't be told."""

    def process_ns(self) -> int:
        """CPU time of all threads of the process so far."""

    def rest(self, sight: Sight) -> Rest | None:
        """How the calling thread, whose sight this is, has rested so far; None if that can't be told."""

    def sees_state(self, sight: Sight) -> bool:
        """True if the thread's state can be told."""

    def now_ns(self) -> int:
        """The monotonic clock."""

    def hold_gil_us(self, microseconds: int) -> None:
        """Sleep without releasing the GIL."""

    def has_windows(self) -> bool:
        """True if GIL-hold windows are possible and mean something."""

    def only_ticks(self) -> bool:
        """True if threads can't be seen at all, so that the sampler's own lateness is the only evidence."""

    def after_fork(self) -> None:
        """Forget what belonged to the parent's threads."""


class SystemEyes:
    """The real eyes. Any thread may ask for clocks, `open_this_thread` and `held_off_ns`; the rest is the sampler's.

    Args:
        ticks: Pretend that nothing can be seen, as on systems without /proc and thread clocks.
    """

    def __init__(self, *, ticks: bool = False) -> None:
        self._ticks = ticks
        self._calls: HeldCalls | None = None
        self._gil_place: GilPlace | None = None
        self._gil = gil_enabled()
        self._blind = ticks
        self._own: Sight | None = None
        self._forget_descriptors()

    def prepare(self) -> None:
        """Load the C library and find where threads wait for the GIL."""
        if self._ticks or self._calls is not None:
            return
        calls = held_calls()
        self._gil = gil_enabled()
        if calls is not None:
            self._gil_place = self._place()
        self._blind = calls is None or (self._gil_place is None and this_thread_clock() is None)
        self._calls = calls  # last, since a child forked meanwhile would take it for a sign that all is done

    def begin(self) -> None:
        """See to it that the calling thread looks when it means to, and not when another one's slice ends."""
        ask_for_short_slices()
        self._own = self._open()

    def held_off_ns(self) -> int:
        """What the sampler's thread is waiting in now tells it."""
        own = None if self._own is None else self._own.descriptor
        if own is None or self._gil_place is None or not self._gil:
            return 0
        calls = held_calls()  # not the sampler's own, which it may just be using
        return 0 if calls is None else gil_wait_ns(calls.read(own), self._gil_place)

    def open_this_thread(self) -> Sight:
        """The sight of the calling thread; opened once in a thread's life and closed after its end."""
        local = self._local
        try:
            sight: Sight = local.sight
        except AttributeError:
            sight = local.sight = self._open()
        return sight

    def state(self, sight: Sight) -> ThreadState | None:
        """Read and classify the thread's state, without releasing the GIL."""
        if sight.descriptor is None or self._gil_place is None or self._calls is None:
            return None
        return classify(self._calls.read(sight.descriptor), self._gil_place)

    def cpu_ns(self, sight: Sight) -> int | None:
        """Read the thread's CPU clock, without releasing the GIL."""
        return None if sight.clock is None else read_thread_clock(sight.clock)

    def process_ns(self) -> int:
        """The CPU clock of the process."""
        return time.process_time_ns()

    def rest(self, sight: Sight) -> Rest | None:
        """Read the thread's counters, without releasing the GIL."""
        return None if sight.rest is None else sight.rest.read()

    def sees_state(self, sight: Sight) -> bool:
        """True with a state file and, where there is a GIL, with its place known."""
        return sight.descriptor is not None and self._gil_place is not None

    def now_ns(self) -> int:
        """The performance counter."""
        return time.perf_counter_ns()

    def hold_gil_us(self, microseconds: int) -> None:
        """`usleep` through `ctypes.PyDLL`."""
        if self._calls is not None:
            self._calls.sleep_us(microseconds)

    def has_windows(self) -> bool:
        """True with a GIL and a C library to hold it with."""
        return self._gil and self._calls is not None

    def only_ticks(self) -> bool:
        """True where neither states nor clocks of threads can be read and there is a GIL to ask about."""
        return self._blind and self._gil

    def after_fork(self) -> None:
        """Drop the parent's descriptors; the child's GIL lies at the same place."""
        self._own = None
        self._forget_descriptors()

    def close(self, descriptor: int) -> None:
        """Close the state file of a thread that nobody watches any more."""
        os.close(descriptor)
        self._permits.append(None)

    def _forget_descriptors(self) -> None:
        """Start with no thread known and none of its files open."""
        self._local = threading.local()
        # Not a counter with a lock: the collector may close one in the middle of opening another.
        self._permits: deque[None] = deque([None] * _MOST_DESCRIPTORS)

    def _open(self) -> Sight:
        """Open the calling thread, without its state file if too many are open already."""
        if self._ticks:
            return Sight(None, None)
        try:
            self._permits.pop()
        except IndexError:
            return Sight(this_thread_clock(), None, self)
        descriptor = open_this_thread()
        if descriptor is None:
            self._permits.append(None)
        return Sight(this_thread_clock(), descriptor, self, rest_meter())

    def _place(self) -> GilPlace | None:
        """Where threads wait for the GIL; nowhere on a free-threaded build; None where states can't be read."""
        descriptor = open_this_thread()
        if descriptor is None:
            return None
        os.close(descriptor)
        return gil_place()
