"""`@task`: the plain call stays, and submitting is added."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, get_executor, set_executor, task
from tests.work import compute


@task
def triple(x: int) -> int:
    """Three times x."""
    return 3 * x


@task(backend="process")
def far(x: int) -> int:
    return 4 * x


@task
async def later(x: int) -> int:
    await asyncio.sleep(0)
    return 5 * x


class Scale:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    @task
    def apply(self, x: int) -> int:
        return self.factor * x

    @task
    @staticmethod
    def fixed(x: int) -> int:
        return 7 * x

    @classmethod
    def name(cls, x: int) -> str:
        return f"{cls.__name__} {x}"


@pytest.fixture(autouse=True)
def _default_executor() -> Iterator[None]:
    yield
    get_executor().shutdown()
    set_executor(None)


def test_plain_call_and_looks() -> None:
    """It is called, shown and documented like the function."""
    assert 6 == triple(2)
    assert ("triple", "Three times x.") == (triple.__name__, triple.__doc__)
    assert ["x"] == list(inspect.signature(triple).parameters)
    assert "<task triple>" == repr(triple)


def test_submit_map_explain() -> None:
    """They do what the executor's do, on the process-wide executor."""
    assert 6 == triple.submit(2).result(20)
    assert [0, 3, 6] == list(triple.map(range(3)))
    assert "thread" == triple.explain().backend
    assert 6 == triple.options(timeout=20).submit(2).result(20)
    assert {"triple"} == {f.name for f in get_executor().stats().functions}


def test_options_of_the_decorator() -> None:
    """They hold for each submission, and can be overridden."""
    future = far.submit(2)
    assert 8 == future.result(20)
    assert future.decision is not None
    assert "process" == future.decision.backend

    future = far.options(backend="thread").submit(2)
    assert 8 == future.result(20)
    assert future.decision is not None
    assert "thread" == future.decision.backend


def test_coroutine_functions() -> None:
    """Submitted, they run on a loop; awaited, too."""

    async def main() -> tuple[int, int]:
        return await later(1), await later.submit(2)

    assert (5, 10) == asyncio.run(main())
    assert 15 == later.submit(3).result(20)


def test_methods() -> None:
    """Bound, static and class methods are submitted as they are called."""
    scale = Scale(10)

    assert 20 == scale.apply(2)
    assert 20 == scale.apply.submit(2).result(20)
    assert 20 == scale.apply.options(backend="process").submit(2).result(20)
    assert 14 == Scale.fixed(2) == Scale.fixed.submit(2).result(20)
    assert "Scale 3" == task(Scale.name).submit(3).result(20)


def test_pickled_by_reference() -> None:
    """A task pickles as a name, a local one as the function it holds."""
    assert triple is pickle.loads(pickle.dumps(triple))
    bound: Any = pickle.loads(pickle.dumps(Scale(3).apply))
    assert 6 == bound(2)

    @task(backend="process")
    def local(x: int) -> int:
        return 9 * x

    assert 18 == local.submit(2).result(20)


def test_an_executor_of_its_own() -> None:
    """A task may be bound to an executor."""
    with AdaptiveExecutor() as mine:
        bound = task(executor=mine)(compute)
        assert compute(10) == bound.submit(10).result(20)
        assert {"compute"} == {f.name for f in mine.stats().functions}


def test_bad_input() -> None:
    """What isn't a function, and options that make no sense, are refused when decorating."""
    with pytest.raises(TypeError, match="takes a function, not int"):
        task(5)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="unknown backend"):
        task(backend="gpu")  # type: ignore[call-overload]
