"""Between a function and its async twin: threads for a few calls, the loop for many, by what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_exec.model import Load, Machine, Options, Profile
from adaptive_exec.routing.facts import Facts
from adaptive_exec.routing.policy import decide, decide_steadily

pytestmark = pytest.mark.full  # plain sums, the same on every Python

WAITS = Profile(calls=8, wall=0.05, cpu=100e-6, cpu_ratio=0.002, settled=True)
TWIN = Profile(calls=8, wall=0.05, cpu=20e-6, cpu_ratio=0.0004, settled=True)
FACTS = Facts(Options(), False, WAITS, Load(thread_start=100e-6), Machine(cores=2), twin=TWIN)


def with_calls(calls: int, facts: Facts = FACTS, **changes: Any) -> Facts:
    return replace(facts, load=replace(facts.load, in_flight=calls, **changes))


def from_how_many(facts: Facts) -> int:
    """From how many calls in flight on the twin runs; 0 for never."""
    return next((calls for calls in range(1, 3000) if decide(with_calls(calls, facts)).backend == "loop"), 0)


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_a_few_calls_wait_on_threads(calls: int) -> None:
    """Where nobody would notice what the loop saves, the function itself runs."""
    assert "thread" == decide(with_calls(calls)).backend


@pytest.mark.parametrize("calls", [30, 800, 5000])
def test_many_slow_calls_wait_on_the_loop(calls: int) -> None:
    """Where each would need a thread of its own, the twin runs."""
    assert "loop" == decide(with_calls(calls)).backend


def test_the_crossing_point_follows_from_what_was_measured() -> None:
    """Dear threads bring it nearer, a dear twin moves it away, and threads that are there do too."""
    middle = from_how_many(FACTS)

    assert 4 < middle < 30
    assert 0 < from_how_many(with_calls(0, thread_start=500e-6)) < middle
    assert from_how_many(replace(FACTS, twin=replace(TWIN, cpu=150e-6))) > middle
    assert from_how_many(with_calls(0, idle_threads=50)) > middle


def test_a_dear_twin_runs_only_where_there_are_no_more_threads() -> None:
    """An async library that computes more than a thread costs is better than standing in line, no more."""
    dear = replace(FACTS, twin=replace(TWIN, cpu=1e-3), load=replace(FACTS.load, most_threads=40))

    assert "thread" == decide(with_calls(40, dear)).backend
    assert "loop" == decide(with_calls(400, dear)).backend


def test_short_waits_need_no_threads_of_their_own() -> None:
    """Calls that are over before a thread would have been started are no reason for a loop."""
    short = replace(FACTS, profile=replace(WAITS, cpu=50e-6, cpu_ratio=0.1), twin=replace(TWIN, cpu=60e-6))

    assert "thread" == decide(with_calls(100, short)).backend


def test_calls_do_not_flap() -> None:
    """Once calls run on the loop, fewer are enough to stay there than were needed to go."""
    start = from_how_many(with_calls(0, loop_runs=True))
    less = with_calls(start - 1, loop_runs=True)

    assert "thread" == decide(less).backend
    assert "loop" == decide(replace(less, before="loop")).backend
    assert "thread" == decide(replace(with_calls(1, loop_runs=True), before="loop")).backend


@pytest.mark.parametrize(
    ("changes", "backend"),
    [
        ({"twin": None}, "thread"),
        ({"options": Options(backend="thread")}, "thread"),
        ({"options": Options(backend="process")}, "process"),
        ({"options": Options(kind="cpu")}, "process"),
        ({"options": Options(kind="io")}, "loop"),
        ({"options": Options(kind="io"), "profile": Profile()}, "loop"),
        ({"profile": Profile()}, "thread"),
        ({"profile": replace(WAITS, settled=False)}, "thread"),
        ({"profile": replace(WAITS, cpu=0.05, cpu_ratio=1.0, gil_ratio=0.01, calls=20)}, "thread"),
        ({"twin": Profile()}, "loop"),
    ],
)
def test_who_crosses(changes: dict[str, Any], backend: str) -> None:
    """Only what has a twin and waits, or is said to; where the user named a place, that is it."""
    assert backend == decide(replace(with_calls(500), **changes)).backend


def test_the_sentence_has_the_figures() -> None:
    """Both sums and the number of calls are in it."""
    said = decide(with_calls(500)).reason

    assert "500 calls in flight" in said
    assert "on the loop" in said
    assert "on threads" in said
    assert decide_steadily(with_calls(500)) is None


@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.floats(1e-6, 1e-2),
    st.floats(1e-6, 1e-2),
    st.floats(1e-3, 10.0),
    st.sampled_from(["thread", "loop", None]),
)
def test_more_calls_never_move_towards_threads(
    calls: int, more: int, ours: float, theirs: float, waiting: float, before: Any
) -> None:
    """The more calls there are in flight, the more speaks for the loop."""
    profile = replace(WAITS, cpu=ours, cpu_ratio=ours / (ours + waiting))
    facts = replace(FACTS, profile=profile, twin=replace(TWIN, cpu=theirs), before=before)

    if decide(with_calls(calls, facts)).backend == "loop" and theirs <= ours:
        assert "loop" == decide(with_calls(calls + more, facts)).backend
