"""The portable probe: what it makes of late ticks, and that it can be forced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.profiling import sampler as sampler_module
from adaptive_exec.profiling.call import CallMeter
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.look import Seen
from adaptive_exec.profiling.sampler import Sampler, Watch
from adaptive_exec.sample import Sample
from tests.profiling.fakes import MS, FakeEyes


class FakeTime:
    """The CPU clocks of the thread and of the process, set by hand."""

    def __init__(self) -> None:
        self.thread = 0
        self.process = 0

    def thread_time_ns(self) -> int:
        return self.thread

    def process_time_ns(self) -> int:
        return self.process


def watched(
    monkeypatch: pytest.MonkeyPatch, *, cpu: int, others: int, late: int, crowd: bool = False
) -> Watch:
    """A call of 100 ms with so much CPU, its own and others', whose ticks came so late (all in ms)."""
    clocks = FakeTime()
    monkeypatch.setattr(sampler_module, "time", clocks)
    eyes = FakeEyes()
    eyes.ticks = True
    sampler = Sampler(eyes)
    sampler._thread = threading.current_thread()
    sampler._wake_ns = 0
    watch = sampler.watch()
    if crowd:
        sampler.watch()
    watch.seen = Seen(late_ns=late * MS)
    watch.ticked_ns = eyes.now = 100 * MS
    clocks.thread = cpu * MS
    clocks.process = (cpu + others) * MS
    watch.stop()
    return watch


@pytest.mark.parametrize(
    ("cpu", "late", "free"),
    [(100, 90, 10), (100, 0, 100), (100, 100, 0), (10, 0, 10), (0, 0, 0), (40, 60, 0)],
)
def test_what_was_not_late_was_free(monkeypatch: pytest.MonkeyPatch, cpu: int, late: int, free: int) -> None:
    """CPU time beyond the time in which ticks were held up did without the GIL."""
    watch = watched(monkeypatch, cpu=cpu, others=0, late=late)

    assert (100 * MS, free * MS) == (watch.window_ns, watch.free_ns)


@pytest.mark.parametrize(("others", "crowd"), [(50, False), (0, True)])
def test_it_is_trusted_only_alone(monkeypatch: pytest.MonkeyPatch, others: int, crowd: bool) -> None:
    """Others that computed, or that were watched at the same time, may have held the GIL."""
    watch = watched(monkeypatch, cpu=100, others=others, late=50, crowd=crowd)

    assert (0, 0) == (watch.window_ns, watch.free_ns)


@pytest.mark.parametrize("forced_by", ["argument", "environment"])
def test_it_can_be_forced(monkeypatch: pytest.MonkeyPatch, forced_by: str) -> None:
    """An argument or `ADAPTIVE_EXEC_PROBE=ticks` makes a system without /proc of this one."""
    if forced_by == "environment":
        monkeypatch.setenv("ADAPTIVE_EXEC_PROBE", "ticks")
    sampler = Sampler(ticks=forced_by == "argument")

    assert gil_enabled() == sampler._eyes.only_ticks()
    assert not sampler._eyes.has_windows()


@pytest.mark.skipif(not gil_enabled(), reason="there is no GIL to hold")
def test_pure_python_is_seen_to_hold_the_gil() -> None:
    """The probe for real: a loop keeps the probe's ticks waiting, and sleeping is read from the clocks."""
    sampler = Sampler(ticks=True)
    computing, sleeping = Estimator(), Estimator()
    try:
        for _ in range(6):
            computing.add(measure(sampler, spin))
            sleeping.add(measure(sampler, lambda: time.sleep(0.02)))
    finally:
        sampler.close()

    assert (
        computing.profile().gil_ratio is None or computing.profile().gil_time > 0.5 * computing.profile().cpu
    )
    assert sleeping.profile().cpu_ratio < 0.3


def spin() -> None:
    """Compute in Python for 40 ms."""
    end = time.thread_time() + 0.04
    while time.thread_time() < end:
        sum(range(50))


def measure(sampler: Sampler, action: Callable[[], object]) -> Sample:
    """One call, measured."""
    meter = CallMeter(sampler)
    meter.start()
    action()
    return meter.stop(failed=False)
