"""Lanes: which one a call on a thread belongs to, and how much of it it takes up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adaptive_exec.backends.base import UNKNOWN
from adaptive_exec.model import Machine, Options, Profile
from adaptive_exec.routing.lanes import place

WITH_GIL, WITHOUT = Machine(cores=2, gil=True), Machine(cores=2, gil=False)
WAITS = Profile(calls=9, wall=0.1, cpu=0.002, cpu_ratio=0.02, gil_ratio=1.0, settled=True)
HASHES = Profile(calls=9, wall=0.1, cpu=0.1, cpu_ratio=1.0, gil_ratio=0.0, settled=True)
BRIEF = Profile(calls=9, wall=20e-6, cpu=20e-6, cpu_ratio=1.0, settled=True)
PARSES = Profile(calls=9, wall=0.1, cpu=0.1, cpu_ratio=1.0, gil_ratio=1.0, settled=True)


@pytest.mark.parametrize(
    ("profile", "options", "machine", "lane", "weight"),
    [
        pytest.param(Profile(), Options(), WITH_GIL, "new", UNKNOWN, id="nobody knows"),
        pytest.param(Profile(), Options(), WITHOUT, "wait", UNKNOWN, id="no GIL to fight for"),
        pytest.param(Profile(), Options(backend="thread"), WITH_GIL, "wait", UNKNOWN, id="sent here"),
        pytest.param(Profile(), Options(kind="io"), WITH_GIL, "wait", UNKNOWN, id="said to wait"),
        pytest.param(Profile(), Options(kind="cpu"), WITH_GIL, "gil", 1.0, id="said to compute"),
        pytest.param(Profile(), Options(kind="cpu"), WITHOUT, "free", 1.0, id="said to compute, no GIL"),
        pytest.param(BRIEF, Options(), WITH_GIL, "brief", 1.0, id="over in no time"),
        pytest.param(BRIEF, Options(backend="thread"), WITHOUT, "brief", 1.0, id="over in no time, no GIL"),
        pytest.param(replace(BRIEF, settled=False), Options(), WITH_GIL, "new", UNKNOWN, id="perhaps"),
        pytest.param(WAITS, Options(), WITH_GIL, "wait", 0.02, id="waits"),
        pytest.param(WAITS, Options(), WITHOUT, "wait", 0.02, id="waits, no GIL"),
        pytest.param(HASHES, Options(), WITH_GIL, "free", 1.0, id="without the GIL"),
        pytest.param(PARSES, Options(), WITH_GIL, "gil", 1.0, id="with the GIL"),
        pytest.param(PARSES, Options(), WITHOUT, "free", 1.0, id="there is none"),
    ],
)
def test_places(profile: Profile, options: Options, machine: Machine, lane: str, weight: float) -> None:
    """What is known decides, then what the user said; of whom nothing is known is looked at alone."""
    where = place(profile, options, machine)

    assert lane == where.lane
    assert where.weight == pytest.approx(weight)
