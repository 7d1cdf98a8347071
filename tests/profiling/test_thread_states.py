"""What the text of /proc/self/task/TID/syscall means."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.platform.held_calls import held_calls
from adaptive_exec.platform.thread_clocks import read_thread_clock, this_thread_clock
from adaptive_exec.platform.thread_states import ThreadState, classify, learn_gil_words, open_this_thread

LINUX = pytest.mark.skipif(
    sys.platform != "linux" or open_this_thread() is None, reason="needs Linux's /proc"
)
WORDS = frozenset({(202, 0x1000)})


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (b"running\n", ThreadState.RUNNING),
        (b"202 0x1000 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x1004 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x1060 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.WANTS_GIL),
        (b"202 0x2000 0x189 0x0 0x7ffc 0x7f 0x7f\n", ThreadState.BLOCKED),
        (b"7 0x1000 0x1 0x1e 0x7ffc 0x7f 0x7f\n", ThreadState.BLOCKED),
        (b"-1 0x7ffc 0x7f\n", ThreadState.BLOCKED),
        (b"", None),
        (b"nonsense", None),
        (b"\xff\xfe", None),
    ],
)
def test_text_is_classified(text: bytes, state: ThreadState | None) -> None:
    """A futex near the learned one is the GIL's, every other sleep is a wait, nonsense is nothing."""
    assert state is classify(text, WORDS)


@pytest.mark.skipif(getattr(os, "uname", tuple)()[4:] != ("x86_64",), reason="the numbers are this machine's")
@pytest.mark.parametrize("number", [9, 10, 11, 12, 25, 28])
def test_a_sleep_in_the_memory_calls_tells_nothing(number: int) -> None:
    """Who maps memory sleeps for another thread of the process that does, not for anything outside."""
    assert classify(f"{number} 0x1000 0x1 0x1e 0x7ffc 0x7f 0x7f\n".encode(), WORDS) is None


def test_no_word_is_known_without_a_gil() -> None:
    """On a free-threaded build every sleep is a wait."""
    assert ThreadState.BLOCKED is classify(b"202 0x1000 0x189", frozenset())


@LINUX
def test_a_word_must_be_seen_three_times() -> None:
    """Neither single sightings nor those at the gate count; if nothing repeats, nothing is learned."""
    addresses = iter(range(0x1000, 0x100000, 0x1000))
    gate, other, word = b"202 0x10 0x1", b"202 0x30 0x1", b"202 0x20 0x1"
    texts = iter([b"running", gate, gate, gate, gate, other, word, word, word])

    learned = learn_gil_words(lambda _: next(texts), lambda _: None)
    nothing = learn_gil_words(lambda _: f"202 {next(addresses):#x} 0x1".encode(), lambda _: None)

    assert frozenset({(202, 0x20)}) == learned
    assert nothing is None


@LINUX
@pytest.mark.skipif(not gil_enabled(), reason="there is no GIL to wait for")
def test_the_gil_is_found_in_this_interpreter() -> None:
    """The assumption itself: a thread from which the GIL is withheld sleeps in a futex near one address."""
    calls = held_calls()
    assert calls is not None
    found = [learn_gil_words(calls.read, calls.sleep_us) for _ in range(3)]
    words = [word for one in found if one for _, word in one]

    assert 3 == len(words)
    assert max(words) - min(words) <= 144


@LINUX
def test_a_thread_in_a_lock_is_blocked_not_waiting_for_the_gil() -> None:
    """A Python lock is a futex, too, at another address."""
    calls = held_calls()
    assert calls is not None
    words = learn_gil_words(calls.read, calls.sleep_us) if gil_enabled() else frozenset()
    assert words is not None
    lock, opened = threading.Lock(), threading.Event()
    descriptors: list[int | None] = []

    def wait() -> None:
        descriptors.append(open_this_thread())
        opened.set()
        with lock:
            pass

    with lock:
        thread = threading.Thread(target=wait)
        thread.start()
        opened.wait()
        descriptor = descriptors[0]
        assert descriptor is not None
        states = [classify(calls.read(descriptor), words)]
        while states[-1] is not ThreadState.BLOCKED and len(states) < 5000:
            threading.Event().wait(0.001)
            states.append(classify(calls.read(descriptor), words))
    thread.join()
    gone = calls.read(descriptor)
    os.close(descriptor)

    assert ThreadState.BLOCKED is states[-1]
    assert classify(gone, words) in (None, ThreadState.RUNNING, ThreadState.BLOCKED)


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
