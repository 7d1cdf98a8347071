"""The sampler's lateness: what it tells of a call that never lets go of the GIL, and of whom it tells nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from adaptive_exec.platform.gil_place import gil_place
from adaptive_exec.platform.held_calls import held_calls
from adaptive_exec.platform.thread_states import ThreadState, open_this_thread
from adaptive_exec.profiling.lateness import held_by_call
from adaptive_exec.profiling.sampler import Sampler, Watch
from tests.profiling.fakes import MS, FakeEyes


@pytest.mark.parametrize(
    ("late", "computed", "stood", "others", "held"),
    [
        pytest.param(3.0, 3.0, 0.0, 0.0, 3.0, id="all of it"),
        pytest.param(2.0, 3.0, 0.0, 0.0, 2.0, id="most of it"),
        pytest.param(1.0, 3.0, 0.0, 0.0, 0.0, id="less than half: it let go in between"),
        pytest.param(9.0, 3.0, 0.0, 0.0, 3.0, id="no longer than it computed"),
        pytest.param(3.0, 3.0, 0.0, 0.5, 2.5, id="for a part others may have held it"),
        pytest.param(3.0, 3.0, 0.0, 2.0, 0.0, id="for most of it others may have"),
        pytest.param(3.0, 3.0, 2.0, 0.0, 0.0, id="it may have stood still while it held it"),
        pytest.param(3.0, 3.0, -0.1, -0.2, 3.0, id="clocks that disagree"),
        pytest.param(0.1, 0.1, 0.0, 0.0, 0.0, id="too short to tell"),
        pytest.param(5.0, 0.0, 5.0, 0.0, 0.0, id="it did not compute"),
        pytest.param(-4.0, 3.0, 0.0, 0.0, 0.0, id="not late"),
    ],
)
def test_what_is_plain(late: float, computed: float, stood: float, others: float, held: float) -> None:
    """Only who computed all the while can have held the GIL, and only while nobody else did."""
    assert int(held * MS) == held_by_call(
        int(late * MS), int(computed * MS), int(stood * MS), int(others * MS)
    )


def called(eyes: FakeEyes, *, took: float, due: float, computed: float) -> tuple[Sampler, Watch]:
    """A call that has run for so many milliseconds, in which a look was due; the sampler's thread is asleep."""
    sampler = Sampler(eyes)
    sampler._thread = threading.current_thread()
    sampler._wake_ns = 0
    watch = sampler.watch()
    sampler._due_ns = int(due * MS)
    eyes.now = int(took * MS)
    eyes.cpu[watch.sight] = computed * MS
    return sampler, watch


def test_a_call_that_ends_before_the_sampler_gets_the_gil() -> None:
    """For as long as the sampler has waited, the call has held it."""
    eyes = FakeEyes()
    eyes.held_off = 3 * MS
    _, watch = called(eyes, took=4.0, due=1.0, computed=4.0)
    watch.stop()

    assert (3 * MS, 0, 0) == (watch.window_ns, watch.free_ns, watch.seen.looks)


def test_only_what_came_after_the_last_look_is_compared() -> None:
    """A call that is met by a look and then holds the GIL to its end is told by both."""
    eyes = FakeEyes()
    eyes.held_off, eyes.windows = 3 * MS, False
    sampler, watch = called(eyes, took=5.0, due=5.0, computed=5.0)
    sampler._beat()
    sampler._due_ns, eyes.now = 6 * MS, 9 * MS
    eyes.cpu[watch.sight] = 9 * MS
    watch.stop()

    assert 3 * MS == watch.window_ns


@pytest.mark.parametrize(("state", "held"), [(ThreadState.WANTS_GIL, 4), (ThreadState.RUNNING, 0)])
def test_a_look_that_comes_late(state: ThreadState, held: int) -> None:
    """Who wants the GIL back held it until now; who computes without it was not in the way."""
    eyes = FakeEyes()
    eyes.windows = False
    sampler, watch = called(eyes, took=5.0, due=1.0, computed=5.0)
    eyes.states[watch.sight] = state
    sampler._beat()
    sampler._due_ns = 7 * MS
    eyes.now = 8 * MS
    eyes.cpu[watch.sight] = 8 * MS
    sampler._beat()  # late by one of the three milliseconds since: it let go in between

    assert held * MS == watch.window_ns


def test_of_several_only_the_one_that_computed() -> None:
    """Those that wait at the same time did not hold the GIL."""
    eyes = FakeEyes()
    eyes.windows = False
    sampler, busy = called(eyes, took=0.0, due=1.0, computed=0.0)
    waiting = sampler.watch()
    sampler._due_ns, eyes.now = 1 * MS, 5 * MS
    eyes.cpu[busy.sight], eyes.cpu[waiting.sight] = 5 * MS, int(0.2 * MS)
    eyes.states[busy.sight] = eyes.states[waiting.sight] = ThreadState.WANTS_GIL
    sampler._beat()

    assert int(3.8 * MS) == busy.window_ns
    assert 0 == waiting.window_ns


@pytest.mark.parametrize(
    "why",
    [
        "it woke late",
        "it does not want the GIL",
        "others computed",
        "it was not due for long",
        "it stood still",
    ],
)
def test_lateness_that_has_another_cause(why: str) -> None:
    """A late alarm, a look that is not due, and other threads are no sign that the call holds the GIL."""
    eyes = FakeEyes()
    eyes.held_off = {"it woke late": 1, "it does not want the GIL": 0}.get(why, 3) * MS
    due = 3.9 if why == "it was not due for long" else 1.0
    _, watch = called(eyes, took=4.0, due=due, computed=1.0 if why == "it stood still" else 4.0)
    if why == "others computed":
        eyes.elsewhere = 2 * MS
    watch.stop()

    assert 0 == watch.window_ns


def test_a_thread_whose_clock_cannot_be_read() -> None:
    """Nothing can be said of it."""
    eyes = FakeEyes()
    eyes.held_off, eyes.blind = 3 * MS, True
    _, watch = called(eyes, took=4.0, due=1.0, computed=4.0)
    watch.stop()

    assert 0 == watch.window_ns


def spin(seconds: float) -> None:
    """Compute with the GIL held."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def without_gil(seconds: float) -> None:
    """Compute with the GIL released."""
    import hashlib

    block = bytes(1 << 20)
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(block)


needs_the_gil = pytest.mark.skipif(
    not gil_place() or open_this_thread() is None or held_calls() is None,
    reason="needs a GIL that can be seen",
)


@needs_the_gil
@pytest.mark.parametrize(("work", "plain"), [(spin, True), (without_gil, False)])
def test_real_calls_of_three_milliseconds(work: Callable[[float], None], plain: bool) -> None:
    """Of calls shorter than the interpreter's 5 ms many tell, though no look meets them; free ones don't."""
    sampler = Sampler()
    sampler.prepare()
    told: list[bool] = []

    def act() -> None:
        for _ in range(12):
            time.sleep(
                0.012
            )  # beyond the sampler's linger, so that each call finds it parked as a first one does
            watch = sampler.watch()
            work(0.003)
            watch.stop()
            told.append(watch.window_ns > 1.9 * MS)

    try:
        thread = threading.Thread(target=act)
        thread.start()
        thread.join(20)
    finally:
        sampler.close()

    assert 12 == len(told)
    assert any(told) if plain else sum(told) <= 1, told
