"""Stand-ins for what the sampler sees, driven by hand."""

from __future__ import annotations

from collections.abc import Callable

from adaptive_exec.platform.rests import Rest
from adaptive_exec.platform.thread_states import ThreadState
from adaptive_exec.profiling.sight import Sight

MS = 1_000_000


class FakeEyes:
    """Eyes with a clock that moves only when told to, and threads whose states and CPU clocks are scripted.

    Attributes:
        now: What the clock reads, in nanoseconds.
        states: State of each thread, by its sight; RUNNING where nothing is said.
        after_window: What they change to in a window.
        rates: CPU nanoseconds that each thread gains for each nanosecond of a window.
        prepared: How often `prepare` was called.
        held: Windows that were held.
        stands_still_us: So much longer than asked for does the next window take.
        held_off: For how long the sampler's thread has been waiting for the GIL.
        blind: CPU clocks can't be read.
        rests: What `rest` gives, in turn; None when there is no more.
        elsewhere: CPU time of threads that nobody watches.
        on_prepare: Called by `prepare`, in the thread that asks for it.
        on_open: Called by `open_this_thread`, in the watching thread.
        on_state: Called by `state`, in the sampler's thread.
    """

    def __init__(self) -> None:
        self.now = 0
        self.states: dict[Sight, ThreadState | None] = {}
        self.after_window: dict[Sight, ThreadState | None] = {}
        self.rates: dict[Sight, float] = {}
        self.cpu: dict[Sight, float] = {}
        self.windows = True
        self.ticks = False
        self.prepared = 0
        self.held = 0
        self.stands_still_us = 0
        self.state_reads = 0
        self.on_prepare: Callable[[], None] = lambda: None
        self.on_open: Callable[[], None] = lambda: None
        self.on_state: Callable[[], None] = lambda: None
        self.auto_ns = 0
        self.held_off = 0
        self.blind = False
        self.elsewhere = 0
        self.rests: list[Rest] = []

    def prepare(self) -> None:
        self.prepared += 1
        self.on_prepare()

    def begin(self) -> None:
        pass

    def held_off_ns(self) -> int:
        return self.held_off

    def open_this_thread(self) -> Sight:
        self.on_open()
        return Sight(1, 1)

    def state(self, sight: Sight) -> ThreadState | None:
        self.state_reads += 1
        self.on_state()
        return self.states.get(sight, ThreadState.RUNNING)

    def sees_state(self, sight: Sight) -> bool:
        return True

    def cpu_ns(self, sight: Sight) -> int | None:
        return None if self.blind else int(self.cpu.get(sight, 0.0))

    def process_ns(self) -> int:
        return int(sum(self.cpu.values()) + self.elsewhere)

    def rest(self, sight: Sight) -> Rest | None:
        return self.rests.pop(0) if self.rests else None

    def now_ns(self) -> int:
        self.now += self.auto_ns
        return self.now

    def hold_gil_us(self, microseconds: int) -> None:
        self.held += 1
        microseconds += self.stands_still_us
        self.stands_still_us = 0
        self.now += microseconds * 1000
        for sight, rate in self.rates.items():
            self.cpu[sight] = self.cpu.get(sight, 0.0) + rate * microseconds * 1000
        self.states.update(self.after_window)

    def has_windows(self) -> bool:
        return self.windows

    def only_ticks(self) -> bool:
        return self.ticks

    def after_fork(self) -> None:
        pass
