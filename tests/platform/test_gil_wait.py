"""How long a thread has waited for the GIL: read from a real one, and from texts that say something else."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

import pytest

from adaptive_exec.platform.gil_place import gil_place
from adaptive_exec.platform.gil_wait import gil_wait_ns
from adaptive_exec.platform.held_calls import held_calls
from adaptive_exec.platform.thread_states import ThreadState, classify, open_this_thread

MS = 1_000_000


@pytest.mark.skipif(
    not gil_place() or open_this_thread() is None or held_calls() is None,
    reason="needs a GIL that can be seen",
)
def test_a_thread_that_is_kept_waiting() -> None:
    """It has waited for as long as it has been seen to want the GIL, up to one switch interval."""
    calls, gil = held_calls(), gil_place()
    assert calls is not None
    assert gil is not None
    descriptors: list[int] = []
    go, there = threading.Lock(), threading.Event()
    go.acquire()

    def wants() -> None:
        descriptor = open_this_thread()
        assert descriptor is not None
        descriptors.append(descriptor)
        there.set()
        go.acquire()

    thread = threading.Thread(target=wants)
    thread.start()
    assert there.wait(20)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5.0)
    try:
        calls.sleep_us(20_000)  # it sleeps in its lock
        asleep = gil_wait_ns(calls.read(descriptors[0]), gil)
        go.release()
        for _ in range(2000):
            calls.sleep_us(1000)
            if classify(calls.read(descriptors[0]), gil) is ThreadState.WANTS_GIL:
                break
        first = gil_wait_ns(calls.read(descriptors[0]), gil)
        begun = time.perf_counter_ns()
        calls.sleep_us(30_000)
        second = gil_wait_ns(calls.read(descriptors[0]), gil)
        passed = time.perf_counter_ns() - begun
    finally:
        sys.setswitchinterval(interval)
    thread.join(20)

    assert 0 == asleep
    assert 0 < first
    assert second - first == pytest.approx(passed, abs=5 * MS)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"running\n",
        b"-1 0x7f 0x7f\n",
        b"202 0x10 0x89 0x0 0x0 0x0 0xffffffff 0x7f 0x7f\n",  # without a limit
        b"202 0x99 0x89 0x0 {at} 0x0 0xffffffff 0x7f 0x7f\n",  # another futex
        b"202 0x10 0x80 0x0 {at} 0x0 0xffffffff 0x7f 0x7f\n",  # a limit that counts from its beginning
        b"202 0x10 0x189 0x0 {at} 0x0 0xffffffff 0x7f 0x7f\n",  # by the clock on the wall
        b"202 x 0x89 0x0 {at} 0x0 0xffffffff 0x7f 0x7f\n",
    ],
)
def test_what_tells_nothing(text: bytes) -> None:
    """Threads that do something else, and systems that wait in another way."""
    deadline = (ctypes.c_int64 * 2)(*divmod(time.clock_gettime_ns(time.CLOCK_MONOTONIC) + 2 * MS, 10**9))
    at = hex(ctypes.addressof(deadline)).encode()

    assert 0 == gil_wait_ns(text.replace(b"{at}", at), range(0x10, 0x20))


@pytest.mark.parametrize(("left", "waited"), [(2.0, 3.0), (0.0, 5.0), (9.0, 0.0), (-50.0, 0.0)])
def test_by_the_deadline(left: float, waited: float) -> None:
    """The wait began one switch interval before it; one that is farther away, or long past, is something else."""
    deadline = (ctypes.c_int64 * 2)(
        *divmod(time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(left * MS), 10**9)
    )
    at = hex(ctypes.addressof(deadline)).encode()
    told = gil_wait_ns(b"202 0x10 0x89 0x0 " + at + b" 0x0 0xffffffff 0x7f 0x7f", range(0x10, 0x20))

    assert told == pytest.approx(waited * MS, abs=2 * MS)
