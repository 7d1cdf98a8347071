"""How a thread has rested tells for how long it cannot have wanted the GIL."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from adaptive_exec.platform import rests
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.platform.rests import Rest, longest_want_ns, rest_meter, waited_ns

MS = 1_000_000
needs_counters = pytest.mark.skipif(rest_meter() is None, reason="the system counts no sleeps of threads")


@pytest.mark.parametrize(
    ("wall", "cpu", "sleeps", "queued", "waited"),
    [
        (30, 0, 1, 0, 30 - 5.1),  # one sleep, which may have been for the GIL
        (190, 0, 33, 0, 190 - 33 * 5.1),  # the same, and then the GIL was wanted for 160 ms
        (160, 10, 31, 0, 0),  # nothing but that
        (100, 10, 3, 80, 0),  # awake without a core
        (30, 0, 30, 0, 0),  # thirty short waits: nobody can tell
        (10, 10, 0, 0, 0),
    ],
)
def test_what_cannot_have_been_the_gil(
    wall: int, cpu: int, sleeps: int, queued: int, waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sleep may have been one for the GIL, for as long as that takes at most; the rest was something else."""
    monkeypatch.setattr(rests, "gil_enabled", lambda: True)

    after = Rest(7 + sleeps, (3 + queued) * MS)
    found = waited_ns(wall * MS, cpu * MS, Rest(7, 3 * MS), after)

    assert waited * MS == pytest.approx(found)


def test_without_a_gil_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, all rest is a wait."""
    monkeypatch.setattr(rests, "gil_enabled", lambda: False)

    assert 30 * MS == waited_ns(31 * MS, MS, Rest(0, 0), Rest(30, 0))


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nobody wants it")
def test_the_switch_interval_is_the_users() -> None:
    """How long a thread sleeps for the GIL at a time is a setting, and is asked for."""
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.02)
        assert 20 * MS <= longest_want_ns() < 21 * MS
    finally:
        sys.setswitchinterval(before)


@needs_counters
def test_a_real_wait_is_seen_among_threads_that_compute() -> None:
    """For real: of three waits of 60 ms among four threads that compute, the middle one is known to be long."""
    stop = threading.Event()

    def computes() -> None:
        while not stop.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=computes) for _ in range(4)]
    for thread in threads:
        thread.start()
    meter = rest_meter()
    assert meter is not None
    found = []
    try:
        for _ in range(3):
            wall, cpu, before = time.perf_counter_ns(), time.thread_time_ns(), meter.read()
            time.sleep(0.06)
            after, cpu_after, wall_after = meter.read(), time.thread_time_ns(), time.perf_counter_ns()
            assert before is not None
            assert after is not None
            found.append(waited_ns(wall_after - wall, cpu_after - cpu, before, after))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        os.close(meter.descriptor)

    assert sorted(found)[1] > 35 * MS


@needs_counters
def test_a_file_that_is_gone_says_nothing() -> None:
    """A descriptor that leads nowhere gives no counters, and no error."""
    meter = rest_meter()
    assert meter is not None
    os.close(meter.descriptor)
    meter.descriptor = -1

    assert meter.read() is None


def test_systems_without_counters_have_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, calls are judged by looks and clocks alone."""
    monkeypatch.setattr(rests, "_usage", None)

    assert rest_meter() is None
