"""What decimals signal in a worker is known at home, as if the call had been made there."""

from __future__ import annotations

import contextvars
import decimal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.processes.signals import Signals, raise_flags
from adaptive_exec.platform.gil import gil_enabled
from tests import work

UP = (decimal.Inexact, decimal.Rounded)


def divided(one: Decimal, other: Decimal, times: int) -> Decimal:
    """Computes for a while."""
    result = one
    for _ in range(times):
        result = one / other
    return result


def sets_a_context(precision: int) -> Decimal:
    """Leaves another context behind."""
    decimal.setcontext(decimal.Context(prec=precision))
    return Decimal(1) / 3


def rounded(cents: int, times: int) -> str:
    """Computes in a local context."""
    with decimal.localcontext() as context:
        context.prec = 6
        share = Decimal(cents)
        for _ in range(times):
            share = Decimal(cents) / 3
    return str(share)


@pytest.fixture(autouse=True)
def own_context() -> Iterator[None]:
    """Each test has a context of decimals to itself."""
    before = decimal.getcontext()
    decimal.setcontext(decimal.Context())
    yield
    decimal.setcontext(before)


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL calls stay here")
def test_flags_come_home() -> None:
    """Those of calls that ended at once, too; and those that were up stay up."""
    decimal.getcontext().flags[decimal.Subnormal] = True
    with AdaptiveExecutor(max_processes=2) as executor:
        executor.options(backend="process").submit(work.pid).result(30)
        futures = [executor.submit(divided, Decimal(1), Decimal(3), 30_000) for _ in range(30)]
        assert {Decimal(1) / 3} == {future.result(30) for future in futures}
        assert any(future.decision is not None and future.decision.backend == "process" for future in futures)
        decimal.getcontext().clear_flags()
        last = executor.submit(divided, Decimal(1), Decimal(3), 30_000)
        last.result(30)

        assert last.decision is not None
        assert "process" == last.decision.backend
        assert all(decimal.getcontext().flags[signal] for signal in UP)
        decimal.getcontext().clear_flags()
        executor.submit(divided, Decimal(1), Decimal(4), 30_000).result(30)
        assert not any(decimal.getcontext().flags.values())


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL calls stay here")
def test_what_is_computed_in_a_local_context_leaves() -> None:
    """Its flags are its own."""
    with AdaptiveExecutor(max_processes=2) as executor:
        executor.options(backend="process").submit(work.pid).result(30)
        futures = [executor.submit(rounded, 100, 30_000) for _ in range(20)]
        assert {"33.3333"} == {future.result(30) for future in futures}

    assert "process" in {future.decision.backend for future in futures if future.decision is not None}
    assert not any(decimal.getcontext().flags.values())


def test_a_call_leaves_no_context_behind() -> None:
    """What the next one in the same worker computes with is not what this one has set."""
    assert Decimal("0.33") == Signals().run(sets_a_context, (2,), {})

    assert 28 == decimal.getcontext().prec
    assert not any(decimal.getcontext().flags.values())


def test_flags_of_a_call() -> None:
    """By their names, whichever context they are up in; none that were up before."""
    decimal.getcontext().flags[decimal.Clamped] = True
    signals = Signals()
    signals.run(divided, (Decimal(1), Decimal(3), 1), {})

    assert {"Inexact", "Rounded"} == set(signals.raised())


@pytest.mark.parametrize(
    "names", [("Inexact",), ("Inexact", "Nonsense", "getcontext", "__all__", ""), (None, 7, [], "Inexact")]
)
def test_only_signals_are_raised(names: tuple[Any, ...]) -> None:
    """Whatever a worker says."""
    decimal.getcontext()
    raise_flags(contextvars.copy_context(), names)

    assert [decimal.Inexact] == [signal for signal, up in decimal.getcontext().flags.items() if up]


def test_a_context_that_somebody_runs_in_is_left_alone() -> None:
    """It can't be entered twice."""
    context = contextvars.copy_context()

    def inside() -> Any:
        raise_flags(context, ("Inexact",))

    context.run(inside)

    assert not any(decimal.getcontext().flags.values())
