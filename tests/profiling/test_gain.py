"""What calls gain by running at once: what their walls say beside one call's."""

from __future__ import annotations

import pytest

from adaptive_exec.model import Profile
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.gain import Company, Gain
from adaptive_exec.sample import Sample

MS = 1_000_000
Run = tuple[int, int, int]  # wall and CPU time in ms, calls at once


def gain_of(*runs: Run, process: float = 1.0, cores: int = 2) -> Gain:
    """From runs whose threads, but for `process`, are all that computes."""
    gain = Gain()
    for n, (wall, cpu, at_once) in enumerate(runs):
        company = Company(at_once, int(at_once * cpu * process * MS))
        gain.note(wall * MS, cpu * MS, company, cores, n)
    return gain


@pytest.mark.parametrize(
    ("runs", "cores", "serial"),
    [
        ([(4, 4, 2)] * 4, 2, None),
        ([(8, 4, 2)] * 4, 2, 1.0),
        ([(6, 4, 2)] * 4, 2, 0.75),
        ([(5, 4, 2)] * 4, 2, None),
        ([(8, 4, 2)] * 3, 2, None),
        ([(8, 4, 4)] * 4, 2, None),
        ([(8, 4, 4)] * 4, 8, 0.5),
        ([(4, 4, 4)] * 4, 8, None),
        ([(4, 4, 1)] * 2 + [(6, 6, 2)] * 4, 2, 0.75),
        ([(4, 4, 1)] + [(6, 6, 2)] * 4, 2, None),
        ([(10, 4, 1)] * 2 + [(10, 4, 2)] * 4, 2, None),
        ([(4, 4, 2)] * 3 + [(9, 4, 2)] * 5, 2, None),
        ([(20, 4, 2)] * 4, 2, 1.0),
        ([(8, 0, 2)] * 4, 2, None),
    ],
    ids=[
        "twice as much",
        "one after the other",
        "a third more",
        "nearly twice as much",
        "too few",
        "as much as two cores can",
        "four threads on many cores do half as much as they might",
        "four times as much",
        "it computes longer if another does",
        "once alone is not enough to know",
        "it waits as well",
        "most met somebody else",
        "slower than one alone",
        "no clock that fine",
    ],
)
def test_serial_ratio(runs: list[Run], cores: int, serial: float | None) -> None:
    """As much as calls are in each other's way, and nothing where they hardly are."""
    found = gain_of(*runs, cores=cores).serial_ratio(len(runs))

    assert found == (None if serial is None else pytest.approx(serial))


@pytest.mark.parametrize(("process", "says"), [(1.1, True), (1.5, False), (2.0, False)])
def test_who_else_computes(process: float, says: bool) -> None:
    """Calls with threads of their own, or beside a program's other threads, tell nothing."""
    found = gain_of(*[(8, 4, 2)] * 4, process=process).serial_ratio(4)

    assert says is (found is not None)


def test_it_lapses() -> None:
    """What has long been elsewhere is tried anew, and what was seen then is no help in that."""
    gain = gain_of(*[(8, 4, 2)] * 4)
    assert gain.serial_ratio(500)

    assert gain.serial_ratio(600) is None
    gain.note(8 * MS, 4 * MS, Company(2, 8 * MS), 2, 600)
    assert gain.serial_ratio(601) is None


def test_workers_tell_what_one_takes_alone() -> None:
    """For a function that always had company at home."""
    gain = gain_of(*[(6, 6, 2)] * 4)
    assert gain.serial_ratio(4) is None
    for _ in range(2):
        gain.note_elsewhere(4 * MS, 4 * MS)

    assert gain.serial_ratio(6) == pytest.approx(0.75)


def seen_free(estimator: Estimator, wall: int, calls: int) -> Profile:
    """The profile after so many calls that compute for 4 ms, without the GIL, two at once."""
    for _ in range(calls):
        sample = Sample(wall * MS, 4 * MS, window_ns=4 * MS, free_ns=4 * MS, looks=8, sampled_ns=wall * MS)
        estimator.add(sample)
        estimator.note_gain(sample, Company(2, 8 * MS), 2)
    return estimator.profile()


def test_the_profile_says_so() -> None:
    """Beside the GIL ratio, which is what it was; and it keeps others waiting for as long."""
    profile = seen_free(Estimator(has_gil=True), 8, 8)

    assert (0.0, 1.0) == (profile.gil_ratio, profile.serial_ratio)
    assert profile.gil_time == pytest.approx(profile.cpu)
    profile = seen_free(Estimator(has_gil=True), 4, 8)
    assert (0.0, None, 0.0) == (profile.gil_ratio, profile.serial_ratio, profile.gil_time)


def test_another_function_now() -> None:
    """With what a function was, its gain is forgotten."""
    estimator = Estimator(has_gil=True)
    seen_free(estimator, 8, 8)
    for _ in range(20):
        estimator.add(Sample(100 * MS, 100 * MS))

    assert estimator.profile().serial_ratio is None


def test_somebody_else_learns() -> None:
    """Nobody waits for that: this call's part is left out."""
    estimator = Estimator(has_gil=True)
    with estimator._lock:
        estimator.note_gain(Sample(8 * MS, 4 * MS), Company(2, 8 * MS), 2)

    assert not estimator._gain._together


def test_its_code_says_that_it_goes_by_turns() -> None:
    """Then nothing has to be measured for that, and nothing that is measured makes it less."""
    estimator = Estimator(has_gil=True)
    estimator.goes_by_turns()

    assert 1.0 == seen_free(estimator, 4, 8).serial_ratio
