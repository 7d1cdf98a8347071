"""Calls that differ by what they are given are told apart by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.model import Machine, Profile
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.shapes import MOST, Shapes, by_shape, kinds_of, shape_of, varies
from adaptive_exec.routing.policy import is_trusted
from adaptive_exec.sample import Sample
from tests import work
from tests.profiling.fakes import MS


class Sly:
    """Its code must not run."""

    def __len__(self) -> int:
        raise AssertionError("nobody may ask")

    def bit_length(self) -> int:
        """As numbers have it."""
        raise AssertionError("nobody may ask")


class Long(list):  # type: ignore[type-arg]
    """The same of a class that has a length by inheritance."""

    def __len__(self) -> int:
        raise AssertionError("nobody may ask")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1000,), (1023,), True),
        ((1000,), (1025,), False),
        (([0] * 8,), ([1] * 15,), True),
        ((b"x" * 8,), (b"x" * 80,), False),
        ((b"x",), ("x",), False),
        ((Sly(),), (Sly(),), True),
        ((Long([1]),), (Long([1, 2, 3]),), True),
        ((1, 2, 3, 4, 5), (1, 2, 3, 4, "five"), True),
    ],
)
def test_shapes(one: tuple[Any, ...], other: tuple[Any, ...], same: bool) -> None:
    """Classes and orders of magnitude of the first few arguments, and no code of theirs runs."""
    assert same is (shape_of(one, {}) == shape_of(other, {}))


def test_names_count_in_their_order() -> None:
    """However they are written."""
    assert shape_of((), {"a": 1, "b": "x"}) == shape_of((), {"b": "x", "a": 1})
    assert kinds_of((1,), {"b": "x"}) == (int, str)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([10, 8, 14, 11, 9, 12], False),
        ([90, 10, 9, 11, 10, 10], False),
        ([90, 10, 9, 80, 10, 90], True),
        ([0.5, 300, 0.5, 300], True),
        ([0.01, 0.4, 0.01, 0.4], False),
        ([1, 100], False),
        ([10] * 6 + [90] * 6, False),
    ],
    ids=[
        "by chance",
        "the first one",
        "twice",
        "by half",
        "by what does not matter",
        "too few",
        "another one now",
    ],
)
def test_varies(costs: list[float], expected: bool) -> None:
    """More than chance, and enough to matter."""
    estimator = Estimator(has_gil=True)
    for ms in costs:
        estimator.add(computed(ms))

    assert expected is varies(estimator.profile(), estimator.spread())


def test_few_calls_of_a_shape_tell_what_they_cost() -> None:
    """Their nature is that of all calls until they have shown their own."""
    overall = Profile(
        calls=40, cpu=0.001, wall=0.002, cpu_ratio=0.5, gil_ratio=1.0, payload_bytes=8, settled=True
    )
    mine = Profile(calls=1, cpu=0.100, wall=0.300, cpu_ratio=0.33, payload_bytes=8_000)

    found = by_shape(overall, mine)

    assert (0.100, 0.200, 0.5, 1.0, 8_000) == (
        found.cpu,
        found.wall,
        found.cpu_ratio,
        found.gil_ratio,
        found.payload_bytes,
    )
    assert overall is by_shape(overall, Profile())


def test_memory_is_bounded() -> None:
    """The shapes that were met last are kept."""
    shapes = Shapes()
    kept, _ = shapes.estimator((1 << 500,), {})
    for size in range(3 * MOST):
        shapes.estimator((1 << size,), {})
        shapes.estimator((1 << 500,), {})

    assert MOST == len(shapes)
    assert kept is shapes.estimator((1 << 500,), {})[0]


def test_the_first_of_its_kind_is_strange() -> None:
    """Of another size nobody needs to learn the nature anew; of another class one does."""
    shapes = Shapes()

    assert [True, False, True, False] == [
        shapes.estimator((each,), {})[1] for each in (1, 1 << 20, "x", "xxxx")
    ]


def test_one_estimator_for_two_first_calls() -> None:
    """Threads that meet a shape at once find one estimator."""
    for _ in range(50):
        shapes = Shapes()
        gate = threading.Barrier(4)
        found: list[Estimator] = []

        def meet(
            shapes: Shapes = shapes, gate: threading.Barrier = gate, found: list[Estimator] = found
        ) -> None:
            gate.wait(10)
            found.append(shapes.estimator((1,), {})[0])

        threads = [threading.Thread(target=meet) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert 1 == len({id(each) for each in found})


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    """One whose workers are there."""
    with AdaptiveExecutor(max_processes=2) as made:
        made.options(backend="process").submit(work.pid).result(30)
        yield made


def computed(ms: float) -> Sample:
    """A call that computed, and was seen to hold the GIL."""
    window = 400_000 if gil_enabled() else 0
    return Sample(
        int(ms * MS), int(ms * MS), sampled_ns=int(ms * MS), window_ns=window, looks=2, argument_bytes=8
    )


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL all calls go to threads")
def test_small_calls_stay_and_large_ones_go(executor: AdaptiveExecutor) -> None:
    """Each call goes where calls like it belong."""
    record = executor._dispatcher._store.record(work.compute)
    record.judged(work.compute)
    for _ in range(20):
        for n, ms in ((1_000, 0.06), (4_000_000, 300.0)):
            record.estimator.add(computed(ms))
            if record.shapes is None:
                record.learned((n,), {})
            else:
                record.shapes.estimator((n,), {})[0].add(computed(ms))

    assert is_trusted(record.profile(), Machine(cores=2))
    small, large = (executor.submit(work.compute, n) for n in (1_000, 4_000_000))
    small.result(30)
    large.result(30)
    assert small.decision is not None
    assert large.decision is not None
    assert ("thread", "process") == (small.decision.backend, large.decision.backend)
    assert "most of the work" in executor.explain(work.compute).reason


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL all calls go to threads")
def test_what_was_never_given_is_looked_at_here_first(executor: AdaptiveExecutor) -> None:
    """With an argument of another class a function may do something else altogether."""
    record = executor._dispatcher._store.record(work.double)
    record.judged(work.double)
    for _ in range(20):
        record.estimator.add(computed(50.0))
    record.learned((1,), {})
    record.learned(("x",), {})

    assert record.shapes is not None
    record.shapes.estimator((1,), {})
    strange = executor.submit(work.double, "x")
    assert "xx" == strange.result(30)
    assert strange.decision is not None
    assert "thread" == strange.decision.backend


def test_a_row_of_other_calls_is_no_change(executor: AdaptiveExecutor) -> None:
    """What is known of all calls lasts, though large ones follow small ones."""
    record = executor._dispatcher._store.record(work.compute)
    for _ in range(8):
        record.estimator.add(computed(0.5))
        record.estimator.add(computed(300.0))
    record.learned((1,), {})
    assert record.shapes is not None

    for _ in range(30):
        record.estimator.add(computed(0.5))

    assert 46 == record.estimator.profile().calls
    assert record.estimator._since_reset == 46
