"""An estimator's knowledge as numbers: the same comes back, and nothing else gets in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.keeping import as_numbers, from_numbers
from adaptive_exec.sample import Sample

pytestmark = pytest.mark.full  # plain sums, the same on every Python

MS = 1_000_000


def learned(*samples: Sample) -> Estimator:
    """An estimator that has seen these."""
    made = Estimator(has_gil=True)
    for sample in samples:
        made.add(sample)
    return made


def kept(estimator: Estimator) -> Any:
    """What a file would say."""
    known = estimator.knowledge()
    assert known is not None
    return json.loads(json.dumps(as_numbers(known)))


def computing(ns: int = 20 * MS) -> Sample:
    """A call in a worker that computes and holds the GIL, with five windows in which it gained nothing."""
    return Sample(ns, ns, ns, 0, 0, 5 * 200_000, 0, 100, 50, 1000, alone=True, looks=10)


def waiting(ns: int = 50 * MS) -> Sample:
    """A call that was seen waiting."""
    return Sample(ns, 10_000, ns, ns - 10_000, looks=20)


@pytest.mark.parametrize("sample", [computing(), waiting()])
@pytest.mark.parametrize("calls", [4, 20, 500])
def test_the_same_comes_back(sample: Sample, calls: int) -> None:
    """All figures are those that were kept, and they are settled."""
    before = learned(*[sample] * calls)
    after = Estimator(has_gil=True)
    after.recall(from_numbers(kept(before)))
    then, now = before.profile(), after.profile()

    assert now.settled
    assert (then.gil_ratio, then.payload_bytes) == (now.gil_ratio, now.payload_bytes)
    assert (then.wall, then.cpu, then.cpu_ratio) == pytest.approx((now.wall, now.cpu, now.cpu_ratio))
    # The profile of many calls may lag by a few.
    assert then.uncertainty.gil_ratio == pytest.approx(now.uncertainty.gil_ratio, rel=0.1)
    assert then.uncertainty.cpu_ratio == pytest.approx(now.uncertainty.cpu_ratio, rel=0.1, abs=1e-6)
    assert now.calls == min(calls, 64)


def test_what_is_recalled_is_overruled_by_what_is_seen() -> None:
    """A function that waits now is one that waits, within twenty calls."""
    after = Estimator(has_gil=True)
    after.recall(from_numbers(kept(learned(*[computing()] * 50))))
    for _ in range(20):
        after.add(waiting())

    assert after.profile().cpu_ratio < 0.1


def test_who_knows_something_recalls_nothing() -> None:
    """What was seen here comes first."""
    after = learned(*[waiting()] * 4)
    profile = after.profile()
    after.recall(from_numbers(kept(learned(*[computing()] * 50))))

    assert profile is after.profile()


def test_what_is_not_settled_is_not_kept() -> None:
    """Nor what nobody has called."""
    assert learned().knowledge() is None
    assert learned(Sample(MS, MS // 2)).knowledge() is None


GOOD = kept(learned(*[computing()] * 8))


def changed(**changes: Any) -> dict[str, Any]:
    """Figures with something else in them."""
    return {**json.loads(json.dumps(GOOD)), **changes}


def with_field(at: int, value: Any) -> dict[str, Any]:
    """Figures with one field of one sample changed."""
    figures = changed()
    figures["recent"][0][at] = value
    return figures


BAD: list[Any] = [
    None,
    [],
    {},
    "figures",
    changed(calls=-1),
    changed(calls=65),
    changed(calls=1.5),
    changed(calls=True),
    changed(calls=2),
    changed(recent=[]),
    changed(recent=None),
    changed(recent={"0": 1}),
    changed(recent=GOOD["recent"] * 2),
    changed(recent=[GOOD["recent"][0][:-1]]),
    changed(payloads=None),
    changed(evidence=None),
    changed(evidence=GOOD["evidence"][:-1]),
    changed(evidence=[*GOOD["evidence"], 1]),
    changed(evidence=["1"] * len(GOOD["evidence"])),
    changed(evidence=[float("nan")] * len(GOOD["evidence"])),
    changed(evidence=[float("inf")] * len(GOOD["evidence"])),
    changed(evidence=[-1.0] * len(GOOD["evidence"])),
    changed(evidence=[*GOOD["evidence"][:-2], 5.0, 4.0]),
    with_field(0, 0),
    with_field(0, -5),
    with_field(0, 1e9),
    with_field(0, 1 << 70),
    with_field(0, None),
    with_field(0, "1"),
    with_field(12, 1),
    with_field(13, True),
]


@pytest.mark.parametrize("bad", BAD)
def test_what_no_estimator_could_have_known(bad: Any) -> None:
    """It is refused as a whole."""
    with pytest.raises(ValueError, match=r"\w"):
        from_numbers(bad)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=16) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(
    st.fixed_dictionaries(
        {
            "calls": st.integers(-1, 70) | anything,
            "recent": st.lists(st.lists(anything, min_size=15, max_size=15), max_size=13) | anything,
            "payloads": st.just([]) | anything,
            "evidence": st.lists(st.floats() | st.integers(), min_size=10, max_size=10) | anything,
        }
    )
)
def test_whatever_stands_there(figures: dict[str, Any]) -> None:
    """It is refused, or gives a profile whose figures make sense."""
    try:
        known = from_numbers(figures)
    except ValueError:
        return
    estimator = Estimator(has_gil=True)
    estimator.recall(known)
    profile = estimator.profile()

    assert profile.cpu >= 0.0
    assert profile.wall >= 0.0
    assert 0.0 <= profile.cpu_ratio <= 1.0
    assert profile.gil_ratio is None or 0.0 <= profile.gil_ratio <= 1.0
