"""Decimals: with what precision they are computed, and what they signal to their caller."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import Decimal

from tests.semantics.case import Case


def _flags() -> list[str]:
    """What has been signalled in the caller's context."""
    return sorted(signal.__name__ for signal, up in decimal.getcontext().flags.items() if up)


def _lower() -> None:
    """A context as it is at the start."""
    decimal.setcontext(decimal.Context())


def _trap() -> None:
    """One in which nothing may be rounded."""
    decimal.setcontext(decimal.Context(traps=[decimal.Inexact]))


def _coarse() -> None:
    """One of few digits."""
    decimal.setcontext(decimal.Context(prec=4, rounding=decimal.ROUND_UP))


def divides(one: Decimal, other: Decimal) -> Decimal:
    """Signals that it has rounded."""
    return one / other


def divides_inside(n: int) -> str:
    """The same with decimals of its own, at times."""
    return str(Decimal(n) / (7 if n > 40 else 8))


def signals_in_a_helper(n: int) -> str:
    """Two calls away."""
    return divides_inside(n + 10)


def signals_and_fails(n: int) -> int:
    """The flags of a call that raises are up, too."""
    Decimal(n + 1) / 7
    raise ValueError(n)


def rounds_locally(n: int) -> str:
    """Nothing is signalled outside."""
    with decimal.localcontext() as context:
        context.prec = 3
        return str(Decimal(n) / 7)


def rounds_after_that(n: int) -> str:
    """Inside with few digits, outside with many."""
    with decimal.localcontext(decimal.Context(prec=3)):
        inside = Decimal(n) / 7
    return f"{inside} {Decimal(n) / 7}"


def _suspended(digits: int) -> Iterator[int]:
    """Lends its context to whoever asks for the first item."""
    with decimal.localcontext() as context:
        context.prec = digits
        yield digits


def lends_a_context(n: int) -> str:
    """A generator that is not run to its end leaves its context in force."""
    lender = _suspended(n % 5 + 2)
    next(lender)
    text = str(Decimal(n) / 7)
    del lender
    return f"{text} {Decimal(n) / 7}"


def asks_for_digits(n: int) -> int:
    """The precision of the caller's context."""
    return decimal.getcontext().prec + n


def sums_up(n: int) -> str:
    """A sum of many, each of which is rounded as the caller wants."""
    return str(sum((Decimal(each) / 7 for each in range(n)), Decimal(0)))


def quantizes(n: int) -> str:
    """Rounding is the caller's."""
    return str((Decimal(n) / 7).quantize(Decimal("0.01")))


def is_not_a_number(n: int) -> str:
    """An operation that is invalid is an error here, or a signal there."""
    return str(Decimal("sNaN" if n > 50 else n) + 1)


CASES = [
    *(
        Case(each, world=_flags, reset=_lower)
        for each in (
            divides_inside,
            signals_in_a_helper,
            signals_and_fails,
            rounds_locally,
            rounds_after_that,
            lends_a_context,
            asks_for_digits,
            sums_up,
            is_not_a_number,
        )
    ),
    Case(divides, arguments=lambda n: (Decimal(n), Decimal(7)), world=_flags, reset=_lower),
    Case(divides, arguments=lambda n: (Decimal(n), Decimal(8 if n < 50 else 7)), world=_flags, reset=_lower),
    *(Case(each, world=_flags, reset=_trap) for each in (divides_inside, rounds_locally, quantizes)),
    *(
        Case(each, world=_flags, reset=_coarse)
        for each in (rounds_after_that, sums_up, quantizes, asks_for_digits)
    ),
]
