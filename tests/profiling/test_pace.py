"""When the sampler looks, and how much of the time it may take."""

from __future__ import annotations

import itertools

import pytest

from adaptive_exec.profiling.pace import Pace
from tests.profiling.fakes import MS


@pytest.mark.parametrize(
    ("age_ms", "cost_us", "delay_ms"),
    [(0, 0, 1.0), (1, 10, 1.0), (8, 10, 4.0), (1000, 10, 10.0), (0, 100, 5.0), (1000, 1000, 50.0)],
)
def test_old_calls_and_dear_looks_are_looked_at_less(age_ms: int, cost_us: int, delay_ms: float) -> None:
    """Half the age of the youngest call, within 1 and 10 ms, on the average, but never more than 2 % of the time."""
    pace = Pace(0)
    delays = [pace.delay_ns(age_ms * MS, cost_us * 1000) for _ in range(50)]
    dearest = cost_us * 50_000

    assert delay_ms * MS == pytest.approx(sum(delays) / 50, rel=0.05)
    assert all(
        max(0.5 * delay_ms * MS, dearest) <= delay <= max(1.5 * delay_ms * MS, dearest) for delay in delays
    )


def test_looks_meet_every_part_of_calls_that_are_alike() -> None:
    """Of what is done in the first and in the second half of a millisecond each is met as often."""
    pace = Pace(0)
    phases = sorted(pace.delay_ns(0, 0) for _ in range(21))

    assert all(later - earlier < 0.1 * MS for earlier, later in itertools.pairwise(phases))
    assert 0.1 * MS > phases[0] - 0.5 * MS


@pytest.mark.parametrize(("watched", "share"), [(1, 0.01), (7, 0.01), (8, 0.015), (32, 0.015)])
def test_first_windows_come_at_once_and_later_ones_cost_at_most_their_share(
    watched: int, share: float
) -> None:
    """A new process may hold ten windows in a row; over ten seconds they take little more than 1 % of the time."""
    pace, window = Pace(0), 280_000
    in_a_row = 0
    while pace.window_allowed(0, watched=watched):
        pace.window_held(window)
        in_a_row += 1
    held = 0
    for now in range(0, 10_000 * MS, 2 * MS):
        if pace.window_allowed(now, watched=watched):
            pace.window_held(window)
            held += window

    assert 5 <= in_a_row <= 10
    assert 0.8 < held / (10_000 * MS) / share < 1.2


def test_a_window_that_took_long_does_not_end_all_windows() -> None:
    """On full cores a window can take a tenth of a second; the next one is a second away."""
    pace = Pace(0)
    assert pace.window_allowed(0)
    pace.window_held(100 * MS)

    assert not pace.window_allowed(300 * MS)
    assert pace.window_allowed(1100 * MS)


def test_a_clock_that_stands_still_earns_nothing() -> None:
    """Without time passing the purse does not fill, whatever is asked."""
    pace = Pace(5)
    pace.window_allowed(5)
    pace.window_held(10 * MS)

    assert not pace.window_allowed(5)
    assert not pace.window_allowed(4)
