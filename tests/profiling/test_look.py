"""One look at threads in known states."""

from __future__ import annotations

import pytest

from adaptive_exec.platform.thread_states import ThreadState
from adaptive_exec.profiling.look import Ledger, count_tick, look_at
from adaptive_exec.profiling.pace import TICK_NS, WINDOW_US
from adaptive_exec.profiling.sight import Sight
from tests.profiling.fakes import MS, FakeEyes


def ledger_in(eyes: FakeEyes, state: ThreadState | None, rate: float = 0.0) -> Ledger:
    """A call on a thread in that state that gains CPU at that rate while the GIL is withheld."""
    sight = Sight(1, 1)
    eyes.states[sight] = state
    eyes.rates[sight] = rate
    return Ledger(sight, eyes.now)


@pytest.mark.parametrize(
    ("state", "blocked", "wants"),
    [
        (ThreadState.BLOCKED, 2 * MS, 0),
        (ThreadState.WANTS_GIL, 0, 2 * MS),
        (ThreadState.RUNNING, 0, 0),
    ],
)
def test_a_look_stands_for_its_weight(state: ThreadState, blocked: int, wants: int) -> None:
    """The time that a look stands for goes to the state that was seen."""
    eyes = FakeEyes()
    ledger = ledger_in(eyes, state)

    look_at([ledger], eyes, weight_ns=2 * MS, window=False)

    seen = ledger.seen
    assert (1, 2 * MS, blocked, wants) == (seen.looks, seen.sampled_ns, seen.blocked_ns, seen.gil_wait_ns)
    assert 0 == eyes.held


def test_a_state_that_cannot_be_read_counts_as_no_look() -> None:
    """A thread that has ended, or one too many, adds no look; its clock may still be read in a window."""
    eyes = FakeEyes()
    ledger = ledger_in(eyes, None, rate=0.5)

    look_at([ledger], eyes, weight_ns=MS, window=True)

    assert (0, 0) == (ledger.seen.looks, ledger.seen.sampled_ns)
    assert (WINDOW_US * 1000, WINDOW_US * 500) == (ledger.seen.window_ns, ledger.seen.free_ns)


def test_a_window_credits_who_computes_without_the_gil() -> None:
    """Of two running threads, the one whose CPU clock moves on while nobody can hold the GIL is free of it."""
    eyes = FakeEyes()
    free, bound = ledger_in(eyes, ThreadState.RUNNING, 1.0), ledger_in(eyes, ThreadState.RUNNING, 0.0)

    eyes.after_window[bound.sight] = ThreadState.WANTS_GIL

    held = look_at([free, bound], eyes, weight_ns=MS, window=True)

    assert WINDOW_US * 1000 == held == free.seen.window_ns == bound.seen.window_ns
    assert (held, 0) == (free.seen.free_ns, bound.seen.free_ns)


@pytest.mark.parametrize("after", [ThreadState.RUNNING, ThreadState.WANTS_GIL])
def test_a_window_in_which_the_machine_stood_still_is_one_window(after: ThreadState) -> None:
    """A hundred times as long as the others, it would outweigh them all; and who was on a core is charged for it."""
    eyes = FakeEyes()
    ledger = ledger_in(eyes, ThreadState.RUNNING, 0.5)
    eyes.after_window[ledger.sight] = after
    eyes.stands_still_us = 20_000

    held = look_at([ledger], eyes, weight_ns=MS, window=True)

    assert (WINDOW_US + 20_000) * 1000 == held
    assert WINDOW_US * 500 == pytest.approx(ledger.seen.free_ns, rel=0.01)
    assert ledger.seen.window_ns <= WINDOW_US * 1000


def test_gaining_nothing_without_a_core_is_no_proof() -> None:
    """On full cores a thread may run no further and want no GIL either: that window says nothing of it."""
    eyes = FakeEyes()
    starved, slow = ledger_in(eyes, ThreadState.RUNNING, 0.0), ledger_in(eyes, ThreadState.RUNNING, 0.25)

    held = look_at([starved, slow], eyes, weight_ns=MS, window=True)

    assert (0, 0) == (starved.seen.window_ns, starved.seen.free_ns)
    assert held // 4 == slow.seen.window_ns == slow.seen.free_ns


def test_nobody_running_means_a_window_without_holding_the_gil() -> None:
    """Threads that want the GIL or are blocked gain nothing in a window, so it is entered and not held."""
    eyes = FakeEyes()
    wants, blocked = ledger_in(eyes, ThreadState.WANTS_GIL), ledger_in(eyes, ThreadState.BLOCKED)

    held = look_at([wants, blocked], eyes, weight_ns=MS, window=True)

    assert (0, 0) == (held, eyes.held)
    assert WINDOW_US * 1000 == wants.seen.window_ns == blocked.seen.window_ns
    assert 0 == wants.seen.free_ns == blocked.seen.free_ns


def test_gain_is_bounded_by_the_window() -> None:
    """A clock that jumps further than the window was long (a virtual machine) counts as the window."""
    eyes = FakeEyes()
    ledger = ledger_in(eyes, ThreadState.RUNNING, 7.0)

    held = look_at([ledger], eyes, weight_ns=MS, window=True)

    assert held == ledger.seen.free_ns


def test_late_ticks_are_held_time() -> None:
    """A tick on time adds nothing; one that comes late adds what it was late by."""
    eyes = FakeEyes()
    ledger = ledger_in(eyes, None)

    count_tick([ledger], TICK_NS)
    on_time = ledger.seen.late_ns
    count_tick([ledger], 11 * TICK_NS)

    assert (0, 9 * TICK_NS) == (on_time, ledger.seen.late_ns)
