"""Calls of a known function are not all measured, and a change is met within twenty calls all the same."""

from __future__ import annotations

import threading

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.sample import Sample
from tests.profiling.fakes import MS

pytestmark = pytest.mark.full  # plain sums, the same on every Python

COMPUTES = Sample(10 * MS, 10 * MS, sampled_ns=10 * MS, gil_wait_ns=10 * MS, window_ns=400_000, looks=2)
SLOWER = Sample(60 * MS, 60 * MS)
FASTER = Sample(MS // 2, MS // 2)
WAITS = Sample(10 * MS, 0, sampled_ns=10 * MS, blocked_ns=10 * MS, window_ns=400_000, looks=2)


def call(estimator: Estimator, sample: Sample) -> bool:
    """One call as a backend makes it; whether it was measured."""
    watched = estimator.needs_sampling()
    if not watched and estimator.glances.allowed():
        estimator.glances.take(sample.wall_ns)
        return False
    estimator.add(sample if watched else sample._replace(looks=None, window_ns=0, sampled_ns=0, blocked_ns=0))
    return True


def known(sample: Sample = COMPUTES) -> Estimator:
    """One that has met forty calls of this kind."""
    estimator = Estimator(has_gil=True)
    for _ in range(40):
        call(estimator, sample)
    return estimator


def calls_until(estimator: Estimator, sample: Sample, calls: int = 60) -> int:
    """How many of such calls it takes until the profile is theirs."""
    for number in range(1, calls + 1):
        call(estimator, sample)
        profile = estimator.profile()
        if profile.settled and abs(profile.cpu * 1e9 - sample.cpu_ns) <= 0.1 * max(sample.cpu_ns, MS):
            return number
    return calls + 1


def test_unknown_functions_are_measured_at_every_call() -> None:
    """Until the figures suffice no call is only glanced at."""
    estimator = Estimator(has_gil=True)

    assert all(call(estimator, COMPUTES) for _ in range(4))


def test_known_ones_are_measured_one_in_eight() -> None:
    """And every call counts, measured or not."""
    estimator = known()
    measured = sum(call(estimator, COMPUTES) for _ in range(80))

    assert 10 <= measured <= 20
    assert 120 - estimator.profile().calls < 72


def test_brief_ones_are_measured_one_in_thirty_two() -> None:
    """And a longer one among them is noticed at once."""
    brief = Sample(40_000, 40_000)
    estimator = known(brief)
    for _ in range(320):
        call(estimator, brief)

    assert 10 <= sum(call(estimator, brief) for _ in range(320)) <= 14
    assert calls_until(estimator, COMPUTES) <= 20


@pytest.mark.parametrize("sample", [SLOWER, FASTER, WAITS], ids=["slower", "faster", "waits"])
def test_a_change_is_met_within_twenty_calls(sample: Sample) -> None:
    """Also if nothing in the walls shows it."""
    assert calls_until(known(), sample) <= 20


def test_a_call_that_does_not_fit_makes_the_next_ones_be_measured() -> None:
    """Eight of them; then, if all was well, most are only glanced at again."""
    estimator = known()
    while not estimator.glances.allowed():
        call(estimator, COMPUTES)
    estimator.glances.take(SLOWER.wall_ns)

    assert [True] * 7 == [call(estimator, COMPUTES) for _ in range(7)]
    assert sum(call(estimator, COMPUTES) for _ in range(16)) < 8


def test_what_is_spent_at_home_counts_all_calls() -> None:
    """The GIL time of calls that were not measured is that of those that were."""
    estimator = known()
    before = estimator.gil_spent_s
    for _ in range(80):
        call(estimator, COMPUTES)

    assert 0.7 <= estimator.gil_spent_s - before <= 0.81


def test_many_threads_may_ask() -> None:
    """Whoever asks at once, about one in eight is measured, and nobody waits."""
    estimator = known()
    measured: list[bool] = []
    threads = [
        threading.Thread(target=lambda: measured.extend(call(estimator, COMPUTES) for _ in range(200)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 100 <= sum(measured) <= 800


def test_for_real() -> None:
    """Calls of a known function give their values and errors as before, and the executor knows how many there were."""

    def f(x: int) -> float:
        return 1 / x

    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(pure=False)
        futures = [view.submit(f, 2) for _ in range(1000)]
        values = {future.result(20) for future in futures}
        error = view.submit(f, 0).exception(20)
        calls = executor.explain(f).profile

    assert {0.5} == values
    assert isinstance(error, ZeroDivisionError)
    assert calls is not None
    assert calls.calls > 700  # it may lag by 256
