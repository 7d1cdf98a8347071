"""`decide`, as a table and by its properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_exec.model import Load, Machine, Options, Profile, Uncertainty
from adaptive_exec.routing.policy import (
    DOUBTFUL_CALLS,
    Facts,
    calls_on_trial,
    decide,
    is_trusted,
    on_trial,
    seconds,
)

pytestmark = pytest.mark.full  # plain sums, the same on every Python

HOLDS = Profile(
    calls=4,
    wall=0.02,
    cpu=0.02,
    cpu_ratio=1.0,
    gil_ratio=1.0,
    payload_bytes=1000,
    uncertainty=Uncertainty(gil_ratio=0.02),
    settled=True,
)
FREE = replace(HOLDS, gil_ratio=0.02)
WAITS = Profile(
    calls=4, wall=0.05, cpu=0.001, cpu_ratio=0.02, gil_ratio=1.0, payload_bytes=1000, settled=True
)
FACTS = Facts(Options(), False, HOLDS, Load(process_warm=True), Machine(cores=2, processes=2))


def facts(**changes: Any) -> Facts:
    return replace(FACTS, **changes)


def met_often(ratio: float, off: float, **changes: Any) -> Profile:
    """A function that was seen to hold the GIL for this part of its time, give or take `off`."""
    return replace(HOLDS, gil_ratio=ratio, uncertainty=Uncertainty(gil_ratio=off), **changes)


DOUBTED = met_often(1.0, 0.2)
NO_GIL = Machine(cores=2, processes=2, gil=False)


@pytest.mark.parametrize(
    ("known", "tried"),
    [
        (facts(profile=DOUBTED), True),
        (facts(profile=replace(DOUBTED, gil_ratio=None)), True),
        (facts(profile=replace(DOUBTED, settled=False)), True),
        (facts(profile=replace(DOUBTED, settled=False, cpu_ratio=0.1)), True),
        (facts(profile=replace(DOUBTED, settled=False, calls=0)), False),
        (facts(profile=replace(DOUBTED, settled=False, cpu=100e-6)), False),
        (facts(profile=replace(DOUBTED, settled=False), load=Load(waiting_calls=30)), False),
        (facts(profile=DOUBTED, machine=NO_GIL), False),
        (facts(profile=replace(DOUBTED, settled=False), machine=NO_GIL), False),
        (facts(profile=met_often(0.3, 0.2)), False),
        (facts(profile=replace(DOUBTED, cpu_ratio=0.4)), False),
        (facts(profile=DOUBTED, stay="writes to a global"), False),
        (facts(profile=replace(DOUBTED, cpu=100e-6)), False),
        (facts(profile=DOUBTED, machine=Machine(cores=1)), False),
        (facts(profile=DOUBTED, load=Load(waiting_calls=3)), False),
        (facts(profile=DOUBTED, load=Load(waiting_calls=30)), True),
    ],
    ids=[
        "holds the GIL, perhaps",
        "nobody has looked",
        "computes, and may wait as well",
        "computes, and waits or is kept waiting",
        "no call has ended",
        "too few calls, and small ones",
        "too few calls to start a pool",
        "no GIL",
        "no GIL, and too few calls",
        "rather not",
        "may be waiting",
        "must stay",
        "too small",
        "one core",
        "not worth a pool",
        "worth a pool",
    ],
)
def test_idle_workers_take_what_is_doubted(known: Facts, tried: bool) -> None:
    """What is seen to compute, and may be worth the way; by a process."""
    decision = on_trial(known)

    assert tried is (decision is not None)
    assert decision is None or ("process" == decision.backend and "still being looked at" in decision.reason)


@pytest.mark.parametrize(
    ("profile", "calls"),
    [
        (replace(DOUBTED, cpu=0.001), 50),
        (replace(DOUBTED, cpu=0.02), 2),
        (replace(DOUBTED, cpu=3.0), 1),
        (replace(DOUBTED, cpu=0.001, gil_ratio=None), 1),
        (replace(DOUBTED, cpu=0.001, settled=False), 1),
        (replace(DOUBTED, cpu=0.0), 1),
    ],
)
def test_a_worker_is_given_several_calls_on_trial_if_something_speaks_for_it(
    profile: Profile, calls: int
) -> None:
    """So many as it is busy with for a twentieth of a second, and always one."""
    assert calls == calls_on_trial(profile)


LOCKED = replace(FREE, serial_ratio=0.9)


@pytest.mark.parametrize(
    ("known", "backend", "why"),
    [
        (facts(profile=LOCKED), "process", "yet keeps others on threads waiting for 90 %"),
        (facts(profile=replace(FREE, serial_ratio=0.3)), "thread", "holds the GIL for only 2 %"),
        (facts(profile=LOCKED, stay="writes to a global"), "thread", "writes to a global"),
        (facts(profile=LOCKED, machine=NO_GIL), "thread", "without a GIL"),
        (facts(profile=replace(LOCKED, payload_bytes=1 << 30)), "thread", "the way to another process"),
        (facts(profile=replace(LOCKED, cpu_ratio=0.1)), "thread", "waits 90 %"),
    ],
    ids=["it wins", "little", "must stay", "no GIL", "too much to carry", "it waits"],
)
def test_measured_throughput_wins(known: Facts, backend: str, why: str) -> None:
    """Calls let go of the GIL, and yet two threads do hardly more than one."""
    decision = decide(known)

    assert (backend, True) == (decision.backend, why in decision.reason), decision.reason
    assert is_trusted(replace(LOCKED, uncertainty=Uncertainty(gil_ratio=0.3)), known.machine)


@pytest.mark.parametrize(
    ("profile", "machine", "trusted"),
    [
        (met_often(1.0, 0.05), Machine(cores=2, processes=2), True),
        (met_often(1.0, 0.11), Machine(cores=2, processes=2), False),
        (met_often(0.72, 0.1), Machine(cores=2, processes=2), False),
        (met_often(0.66, 0.05), Machine(cores=2, processes=2), True),
        (met_often(0.45, 0.05), Machine(cores=8, processes=8), True),
        (met_often(0.4, 0.3), Machine(cores=2, processes=2), False),
        (met_often(0.0, 0.07), Machine(cores=2, processes=2), False),
        (met_often(0.0, 0.05), Machine(cores=2, processes=2), True),
        (met_often(0.4, 0.2), Machine(cores=2, processes=2), False),
        (met_often(0.5, 0.1), Machine(cores=2, processes=2), True),
        (met_often(0.66, 0.15, calls=DOUBTFUL_CALLS), Machine(cores=2, processes=2), True),
        (met_often(0.66, 0.15), Machine(cores=2, processes=2, gil=False), True),
        (replace(HOLDS, gil_ratio=None), Machine(cores=2, processes=2), False),
        (WAITS, Machine(cores=2, processes=2), True),
        (replace(WAITS, cpu_ratio=0.35), Machine(cores=2, processes=2), False),
    ],
    ids=[
        "holds it",
        "met there every time, and seldom",
        "met there by chance?",
        "met there often",
        "free at most for a third of eight cores",
        "anything",
        "seen without it once?",
        "does without it",
        "needs it for about as long as it may?",
        "as good anywhere",
        "seen often enough",
        "no GIL",
        "nobody looked",
        "plainly waits",
        "waits, or is kept waiting?",
    ],
)
def test_figures_that_a_crowd_is_not_trusted_to(profile: Profile, machine: Machine, trusted: bool) -> None:
    """A crowd of calls waits for better figures where these could be a matter of chance."""
    assert trusted is is_trusted(profile, machine)


@pytest.mark.parametrize(
    ("case", "backend", "said"),
    [
        (facts(), "process", "holds the GIL for 100 %"),
        (facts(profile=FREE), "thread", "holds the GIL for only 2 %"),
        (facts(profile=WAITS), "thread", "waits 98 %"),
        (facts(profile=WAITS, stay="writes to X"), "thread", "and it writes to X"),
        (facts(profile=Profile()), "thread", "nothing is known"),
        (facts(profile=replace(HOLDS, settled=False)), "thread", "too few"),
        (facts(coroutine=True), "loop", "coroutine function"),
        (facts(stay="appends to INDEX"), "thread", "appends to INDEX"),
        (facts(options=Options(backend="process"), stay="appends to INDEX"), "process", "you asked"),
        (facts(options=Options(backend="thread"), coroutine=True), "thread", "you asked"),
        (facts(options=Options(kind="io"), profile=Profile()), "thread", 'kind="io"'),
        (facts(options=Options(kind="cpu"), profile=Profile()), "process", 'kind="cpu"'),
        (facts(options=Options(kind="cpu"), stay="appends to INDEX"), "thread", "appends to INDEX"),
        (facts(machine=Machine(cores=2, processes=2, gil=False)), "thread", "without a GIL"),
        (facts(machine=Machine(cores=1)), "thread", "only one core"),
        (facts(profile=replace(HOLDS, cpu=0.0002)), "thread", "computes only 200 µs"),
        (
            facts(profile=replace(HOLDS, payload_bytes=20_000_000)),
            "thread",
            "the way to another process costs",
        ),
        (facts(load=Load(process_warm=False)), "thread", "but the next call is done in"),
        (facts(load=Load(process_warm=False, waiting_calls=100)), "process", "101 calls are done in"),
        (facts(load=Load(process_warm=False, gil_spent=1.0)), "process", "the next call"),
        (facts(load=Load(process_warm=True, process_backlog=10.0)), "process", "done in 5.01 s by processes"),
        (
            facts(load=Load(process_warm=True, process_backlog=10.0), machine=Machine(cores=2, processes=1)),
            "thread",
            "but the next call is done in 10 s by processes and in 5.01 s by threads",
        ),
        (facts(load=Load(process_warm=True, process_backlog=10.0, gil_backlog=10.0)), "process", ""),
        (facts(profile=replace(HOLDS, cpu=0.002, gil_ratio=0.55)), "process", "and in 2.04 ms by threads"),
    ],
)
def test_table(case: Facts, backend: str, said: str) -> None:
    """Each row of facts gives its backend, and the sentence says why."""
    decision = decide(case)

    assert backend == decision.backend
    assert said in decision.reason
    assert decision.profile is case.profile


ratios = st.floats(0.0, 1.0)
amounts = st.floats(0.0, 10.0)
profiles = st.builds(
    Profile,
    calls=st.just(4),
    wall=amounts,
    cpu=st.floats(1e-6, 10.0),
    cpu_ratio=st.floats(0.001, 1.0),
    gil_ratio=ratios,
    serial_ratio=st.none() | ratios,
    payload_bytes=st.integers(0, 10**9),
    settled=st.just(True),
)
loads = st.builds(
    Load,
    waiting_calls=st.integers(0, 1000),
    gil_backlog=amounts,
    gil_spent=amounts,
    process_backlog=amounts,
    process_warm=st.booleans(),
)
all_facts = st.builds(
    Facts,
    options=st.just(Options()),
    coroutine=st.just(False),
    profile=profiles,
    load=loads,
    machine=st.builds(Machine, cores=st.integers(1, 64), processes=st.integers(1, 64)),
    before=st.sampled_from(["thread", "process", None]),
)


@given(all_facts, ratios)
def test_more_gil_never_moves_work_towards_threads(case: Facts, gil_ratio: float) -> None:
    """A function that holds the GIL for more of its time is no better placed on threads."""
    more = replace(case.profile, gil_ratio=max(gil_ratio, case.profile.gil_ratio or 0.0))

    if decide(case).backend == "process":
        assert "process" == decide(replace(case, profile=more)).backend


@given(all_facts, ratios)
def test_less_gain_by_threads_never_moves_work_towards_them(case: Facts, serial_ratio: float) -> None:
    """Whatever it is that calls wait for in each other's way."""
    more = replace(case.profile, serial_ratio=max(serial_ratio, case.profile.serial_ratio or 0.0))

    if decide(case).backend == "process":
        assert "process" == decide(replace(case, profile=more)).backend


@given(all_facts, st.integers(0, 10**9))
def test_a_larger_payload_never_moves_work_to_processes(case: Facts, payload: int) -> None:
    """What has more to carry has less reason to travel."""
    more = replace(case.profile, payload_bytes=max(payload, case.profile.payload_bytes or 0))

    if decide(case).backend == "thread":
        assert "thread" == decide(replace(case, profile=more)).backend


@given(all_facts, amounts)
def test_a_longer_queue_of_processes_never_attracts(case: Facts, backlog: float) -> None:
    """Full processes are no reason to send more there, and a busy GIL none to stay."""
    fuller = replace(case.load, process_backlog=max(backlog, case.load.process_backlog))
    busier = replace(case.load, gil_backlog=max(backlog, case.load.gil_backlog))

    if decide(case).backend == "thread":
        assert "thread" == decide(replace(case, load=fuller)).backend
    else:
        assert "process" == decide(replace(case, load=busier)).backend


@given(all_facts)
def test_what_must_stay_stays(case: Facts) -> None:
    """Nothing that was measured sends away a function that changes shared state."""
    assert "thread" == decide(replace(case, stay="appends to INDEX")).backend


@given(all_facts)
def test_it_does_not_flap(case: Facts) -> None:
    """A function whose calls go to processes is not called back by the same facts."""
    if decide(replace(case, before=None)).backend == "process":
        assert "process" == decide(replace(case, before="process")).backend


@pytest.mark.parametrize(
    ("value", "text"), [(2e-6, "2 µs"), (0.00123, "1.23 ms"), (0.25, "250 ms"), (12.345, "12.3 s")]
)
def test_seconds(value: float, text: str) -> None:
    """Durations are told with the unit that fits."""
    assert text == seconds(value)


def test_what_pickling_takes_keeps_work_here() -> None:
    """Of the same size: memory that is moved as it is leaves, and a list whose items are pickled one by one stays."""
    moved = replace(HOLDS, payload_bytes=1_000_000, pickling=0.0003)
    pickled = replace(moved, pickling=0.020)

    assert "process" == decide(facts(profile=moved)).backend
    assert "thread" == decide(facts(profile=pickled)).backend
