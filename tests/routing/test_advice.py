"""What `explain` advises."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.model import Load, Machine, Options, Profile
from adaptive_exec.routing.advice import advice
from adaptive_exec.routing.facts import Facts
from adaptive_exec.routing.policy import decide

WAITS = Profile(calls=20, wall=0.05, cpu=100e-6, cpu_ratio=0.002, settled=True)
HOLDS = Profile(calls=20, wall=0.05, cpu=0.05, cpu_ratio=1.0, gil_ratio=1.0, payload_bytes=1000, settled=True)
SMALL = replace(HOLDS, wall=20e-6, cpu=20e-6)
FACTS = Facts(Options(), False, HOLDS, Load(process_warm=True), Machine(cores=4, processes=4))


def advised(**changes: Any) -> str:
    facts = replace(FACTS, **changes)
    return advice(facts, decide(facts))


def test_many_that_wait_are_told_of_twins() -> None:
    """The number of threads that a twin would save is in it; a few are not worth a word."""
    many, few = Load(in_flight=800), Load(in_flight=8)

    assert "an async twin (`@task` and its `coroutine`) would save 800 threads" in advised(
        profile=WAITS, load=many
    )
    assert not advised(profile=WAITS, load=few)
    assert not advised(profile=WAITS, load=many, twin=WAITS)
    assert not advised(profile=WAITS, load=many, options=Options(backend="thread"))


def test_what_must_stay_is_told_of_pure() -> None:
    """Where a promise would help, and none was given."""
    assert "pure=True lets its calls of 50 ms use all cores" in advised(stay="appends to INDEX")
    assert not advised(stay="appends to INDEX", options=Options(pure=False))
    assert not advised(stay="appends to INDEX", profile=replace(HOLDS, cpu=1e-3))
    assert not advised(stay="appends to INDEX", profile=replace(HOLDS, gil_ratio=0.01))
    assert not advised()


def test_what_is_too_small_is_told_of_chunks() -> None:
    """As many as make the way worth while."""
    assert "15 items to a call" in advised(profile=replace(SMALL, payload_bytes=0, pickling=0.0))


def test_explain_counts_calls_in_flight() -> None:
    """For real: while forty calls wait, the advice says so; the decisions of calls have none."""
    with AdaptiveExecutor() as executor:
        for _ in range(20):
            executor.submit(time.sleep, 0.01).result(20)
        futures = [executor.submit(time.sleep, 0.3) for _ in range(40)]
        decision = executor.explain(time.sleep)

    assert "would save 40 threads" in decision.advice
    assert futures[0].decision is not None
    assert not futures[0].decision.advice
