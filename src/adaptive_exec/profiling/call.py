"""One plain call, measured in the thread that runs it.

Guarantees:
    - Without a sampler a measurement costs two readings of each of two clocks and one tuple.
    - `peek` may be called by any thread at any time and never raises. It gives either figures of the call that
      is running, or None.

Assumes:
    - Setting and reading one attribute of an object is atomic, on builds with and without a GIL.

Races:
    1. `peek` finds the call running, and it ends (and its thread with it) before the CPU clock is read: the
       clock id of an ended thread gives an error, not another thread's time, and a call that has ended
       meanwhile is reported as None -> tests/profiling/test_call.py::test_peek_meets_the_end_of_the_call
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from ..platform.thread_clocks import read_thread_clock, this_thread_clock
from ..sample import Sample

if TYPE_CHECKING:
    from .sampler import Sampler, Watch

__all__ = ["CallMeter"]

_wall_ns = time.perf_counter_ns
_cpu_ns = time.thread_time_ns


_Begun = tuple["Watch | None", int | None, int, int]
"""A call that is running: watch, CPU clock, and what wall and CPU clock read at its start."""


@final
class CallMeter:
    """Measures one call at a time: `start()` and `stop()` in the thread that runs it.

    Args:
        sampler: Watches the thread meanwhile, so that waiting and the GIL can be told apart; None for the
            clocks alone, which cost about a microsecond.
        alone: True where nothing else runs in the process (a worker).
    """

    __slots__ = ("_alone", "_begun", "_sampler")

    def __init__(self, sampler: Sampler | None, *, alone: bool = False) -> None:
        self._sampler = sampler
        self._alone = alone
        self._begun: _Begun | None = None

    def start(self, on_wait: Callable[[], object] | None = None) -> None:
        """Begin to measure the calling thread.

        Args:
            on_wait: Called once, by the sampler's thread, when the call is first seen to wait; has to return at once.
        """
        watch = None if self._sampler is None else self._sampler.watch(on_wait)
        self._begun = (watch, this_thread_clock(), _wall_ns(), _cpu_ns())

    def stop(self, *, failed: bool) -> Sample:
        """End the measurement; called by the thread that called `start`.

        Args:
            failed: True if the call raised.

        Raises:
            RuntimeError: `start` was not called.
        """
        cpu, wall = _cpu_ns(), _wall_ns()
        begun = self._begun
        if begun is None:
            raise RuntimeError("stop() without start()")
        self._begun = None
        watch, _, wall_begun, cpu_begun = begun
        if watch is None:
            return Sample(wall - wall_begun, cpu - cpu_begun, alone=self._alone, failed=failed)
        waited = watch.waited_ns(wall - wall_begun, cpu - cpu_begun)
        watch.stop()
        return self._sample(wall - wall_begun, cpu - cpu_begun, watch, failed, waited)

    def peek(self) -> Sample | None:
        """What is known of the running call so far, for another thread than the one that runs it.

        Returns:
            A sample of the part that has run; None if no call is running or the system can't read another
            thread's CPU clock.
        """
        begun = self._begun
        if begun is None:
            return None
        watch, clock, wall_begun, cpu_begun = begun
        cpu = None if clock is None else read_thread_clock(clock)
        wall = _wall_ns()
        if cpu is None:
            return None
        if self._begun is not begun:
            return None
        return self._sample(wall - wall_begun, cpu - cpu_begun, watch, False)

    def _sample(
        self, wall_ns: int, cpu_ns: int, watch: Watch | None, failed: bool, waited_ns: int | None = None
    ) -> Sample:
        """Clocks and what the sampler saw, as one value."""
        if watch is None:
            return Sample(wall_ns, cpu_ns, alone=self._alone, failed=failed)
        seen = watch.seen
        return Sample(
            wall_ns,
            cpu_ns,
            sampled_ns=seen.sampled_ns,
            blocked_ns=seen.blocked_ns,
            gil_wait_ns=seen.gil_wait_ns,
            window_ns=seen.window_ns,
            free_ns=seen.free_ns,
            looks=seen.looks if watch.sees_states else None,
            waited_ns=waited_ns,
            alone=self._alone,
            failed=failed,
        )
