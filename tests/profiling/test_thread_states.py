"""What the text of /proc/self/task/TID/syscall means."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.platform.gil_place import gil_place
from adaptive_exec.platform.held_calls import HeldCalls, held_calls
from adaptive_exec.platform.thread_clocks import read_thread_clock, this_thread_clock
from adaptive_exec.platform.thread_states import ThreadState, classify, open_this_thread

LINUX = pytest.mark.skipif(
    sys.platform != "linux" or open_this_thread() is None, reason="needs Linux's /proc"
)
GIL = range(0x1000, 0x1100)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (b"running\n", ThreadState.RUNNING),
        (b"202 0x1000 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x1004 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x10ff 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x1100 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.BLOCKED),
        (b"202 0x2000 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.BLOCKED),
        (b"7 0x5 0x1 0x1e 0x7ffc 0x7f 0x7f\n", ThreadState.BLOCKED),
        (b"-1 0x7ffc 0x7f\n", ThreadState.BLOCKED),
        (b"", None),
        (b"nonsense", None),
        (b"\xff\xfe", None),
    ],
)
def test_text_is_classified(text: bytes, state: ThreadState | None) -> None:
    """A futex where the GIL lies is the GIL's, every other sleep is a wait, nonsense is nothing."""
    assert state is classify(text, GIL)


@pytest.mark.skipif(getattr(os, "uname", tuple)()[4:] != ("x86_64",), reason="the numbers are this machine's")
@pytest.mark.parametrize("number", [9, 10, 11, 12, 25, 28])
def test_a_sleep_in_the_memory_calls_tells_nothing(number: int) -> None:
    """Who maps memory sleeps for another thread of the process that does, not for anything outside."""
    assert classify(f"{number} 0x1000 0x1 0x1e 0x7ffc 0x7f 0x7f\n".encode(), GIL) is None


def test_nothing_is_the_gils_without_a_gil() -> None:
    """On a free-threaded build every sleep is a wait."""
    assert ThreadState.BLOCKED is classify(b"202 0x1000 0x189", range(0))


@contextmanager
def thread_at(gate: threading.Lock) -> Iterator[int]:
    """A thread on its way to a gate that is shut; the descriptor of its state. It has ended afterwards."""
    opened = threading.Event()
    descriptors: list[int | None] = []

    def wait() -> None:
        descriptors.append(open_this_thread())
        opened.set()
        with gate:
            pass

    thread = threading.Thread(target=wait)
    with gate:
        thread.start()
        opened.wait()
        descriptor = descriptors[0]
        assert descriptor is not None
        yield descriptor
    thread.join()


def until(
    wanted: ThreadState, descriptor: int, gil: range, calls: HeldCalls, sleep: Callable[[float], object]
) -> ThreadState | None:
    """The state of a thread once it is the one that is wanted; after five seconds whatever it is."""
    state = None
    for _ in range(5000):
        state = classify(calls.read(descriptor), gil)
        if state is wanted:
            break
        sleep(0.001)
    return state


@LINUX
@pytest.mark.skipif(not gil_enabled(), reason="there is no GIL to wait for")
def test_a_thread_that_wants_the_gil_sleeps_where_that_lies() -> None:
    """The assumption itself, in this interpreter."""
    calls, gil, gate = held_calls(), gil_place(), threading.Lock()
    assert calls is not None
    assert gil
    with thread_at(gate) as descriptor:
        at_gate = until(ThreadState.BLOCKED, descriptor, gil, calls, threading.Event().wait)
        gate.release()
        # From here on the GIL is kept, so that the thread can get no further.
        let_go = until(ThreadState.WANTS_GIL, descriptor, gil, calls, lambda s: calls.sleep_us(int(s * 1e6)))
        gate.acquire()
    os.close(descriptor)

    assert ThreadState.BLOCKED is at_gate
    assert ThreadState.WANTS_GIL is let_go


@LINUX
def test_a_thread_in_a_lock_is_blocked_not_waiting_for_the_gil() -> None:
    """A Python lock is a futex, too, at another address; and of a thread that has ended nothing is told."""
    calls, gil, gate = held_calls(), gil_place(), threading.Lock()
    assert calls is not None
    assert gil is not None
    with thread_at(gate) as descriptor:
        state = until(ThreadState.BLOCKED, descriptor, gil, calls, threading.Event().wait)
    gone = calls.read(descriptor)
    os.close(descriptor)

    assert ThreadState.BLOCKED is state
    assert classify(gone, gil) in (None, ThreadState.RUNNING, ThreadState.BLOCKED)


@pytest.mark.skipif(this_thread_clock() is None, reason="needs thread CPU clocks")
def test_the_clock_of_an_ended_thread_says_nothing() -> None:
    """It gives None, and neither crashes nor reads another thread's clock."""
    clocks: list[int | None] = []
    thread = threading.Thread(target=lambda: clocks.append(this_thread_clock()))
    thread.start()
    thread.join()
    clock, own = clocks[0], this_thread_clock()
    assert clock is not None
    assert own is not None

    # The kernel may take a moment longer to end the thread than `join` waits for.
    assert any(read_thread_clock(clock) is None for _ in range(1_000_000))
    assert read_thread_clock(clock) is None
    assert read_thread_clock(own) is not None
