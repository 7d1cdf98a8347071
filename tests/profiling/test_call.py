"""One call, measured: what its sample says, and `peek` from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from adaptive_exec.platform.rests import Rest
from adaptive_exec.platform.thread_clocks import this_thread_clock
from adaptive_exec.platform.thread_states import ThreadState
from adaptive_exec.profiling import call as call_module
from adaptive_exec.profiling.call import CallMeter
from adaptive_exec.profiling.sampler import Sampler
from tests.profiling.fakes import MS, FakeEyes

CLOCKS = pytest.mark.skipif(this_thread_clock() is None, reason="needs thread CPU clocks")


def spin(seconds: float) -> None:
    """Compute for so much CPU time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def measured(action: Callable[[], object]) -> tuple[int, int]:
    """Wall and CPU nanoseconds of a call, by the clocks alone."""
    meter = CallMeter(None)
    meter.start()
    action()
    sample = meter.stop(failed=False)
    return sample.wall_ns, sample.cpu_ns


def test_clocks_alone_tell_computing_from_sleeping() -> None:
    """Sleeping takes wall and hardly any CPU, computing takes the CPU that it takes."""
    slept, idle = measured(lambda: time.sleep(0.05))
    spun, busy = measured(lambda: spin(0.02))

    assert slept >= 49 * MS
    assert idle < 25 * MS
    assert spun >= busy >= 20 * MS


def test_a_sample_carries_who_was_alone_and_what_failed() -> None:
    """The caller's words go into the sample; without a sampler nobody looked."""
    meter = CallMeter(None, alone=True)
    meter.start()
    sample = meter.stop(failed=True)

    assert (True, True, None) == (sample.alone, sample.failed, sample.looks)


def test_what_the_sampler_saw_is_in_the_sample() -> None:
    """The figures of the watch are those of the sample."""
    eyes = FakeEyes()
    sampler = Sampler(eyes)
    sampler._thread = threading.current_thread()
    sampler._wake_ns = 0
    meter = CallMeter(sampler)
    meter.start()
    (watch,) = sampler._watches
    eyes.states[watch.sight] = ThreadState.BLOCKED
    eyes.now = 3 * MS
    sampler._beat()
    sample = meter.stop(failed=False)

    assert (1, 3 * MS, 3 * MS, 0) == (sample.looks, sample.sampled_ns, sample.blocked_ns, sample.gil_wait_ns)
    assert (200_000, 0) == (sample.window_ns, sample.free_ns)


def test_stop_without_start_says_so() -> None:
    """A meter measures nothing before it was started, nor twice."""
    meter = CallMeter(None)
    with pytest.raises(RuntimeError, match="without start"):
        meter.stop(failed=False)
    meter.start()
    meter.stop(failed=False)
    with pytest.raises(RuntimeError, match="without start"):
        meter.stop(failed=False)


@CLOCKS
def test_peek_shows_a_running_call_from_outside() -> None:
    """Another thread sees CPU and wall of the part that has run; before and after there is nothing to see."""
    meter = CallMeter(None)
    before = meter.peek()
    spun, seen = threading.Event(), threading.Event()

    def run() -> None:
        meter.start()
        spin(0.01)
        spun.set()
        seen.wait(20)
        meter.stop(failed=False)

    thread = threading.Thread(target=run)
    thread.start()
    spun.wait(20)
    during = meter.peek()
    seen.set()
    thread.join()

    assert before is None
    assert during is not None
    assert during.wall_ns >= during.cpu_ns >= 10 * MS
    assert meter.peek() is None


@CLOCKS
def test_peek_meets_the_end_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Race 1: the call ends between the first thing that `peek` reads and the last."""
    meter = CallMeter(None)
    meter.start()

    def end_first(_: int) -> int:
        meter.stop(failed=False)
        return 123

    monkeypatch.setattr(call_module, "read_thread_clock", end_first)

    assert meter.peek() is None


@CLOCKS
def test_peek_meets_the_end_of_the_thread() -> None:
    """A call that was never stopped, on a thread that is gone, is unknown, and nothing crashes."""
    meter = CallMeter(None)
    thread = threading.Thread(target=meter.start)
    thread.start()
    thread.join()

    # The kernel may take a moment longer to end the thread than `join` waits for.
    assert any(meter.peek() is None for _ in range(1_000_000))
    assert meter.peek() is None


def test_peek_without_thread_clocks_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a thread's CPU clock can't be read by others there is nothing to say."""
    monkeypatch.setattr(call_module, "this_thread_clock", lambda: None)
    meter = CallMeter(None)
    meter.start()

    assert meter.peek() is None
    assert meter.stop(failed=False).wall_ns >= 0


def test_a_watched_call_knows_how_long_it_waited_at_least() -> None:
    """What its thread's counters read before and after is in the sample; without counters, or a watch, nothing is."""
    eyes = FakeEyes()
    sampler = Sampler(eyes)
    meter = CallMeter(sampler)
    found = []
    for rests in ([Rest(3, 0), Rest(4, 0)], []):
        eyes.rests = list(rests)
        meter.start()
        found.append(meter.stop(failed=False).waited_ns)
    sampler.close()
    plain = CallMeter(None)
    plain.start()

    assert found[0] is not None
    assert found[0] >= 0
    assert [None, None] == [found[1], plain.stop(failed=False).waited_ns]
