"""Functions that are folded into one: each holds the one before, and so all that any of them holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from tests.semantics.case import Case

_log: list[Any] = []

Step = Callable[[Any], Any]


def _case(fn: Any) -> Case:
    """A case that is given a list of lists, and whose world is a log."""
    return Case(fn, arguments=lambda n: ([[n], [n + 1]],), world=lambda: list(_log), reset=_log.clear)


def _double(value: Any) -> Any:
    """Twice as much."""
    return value * 2


def folds_one_that_notes(rows: list[list[int]]) -> int:
    """The last step changes a global, now and then."""

    def note(value: int) -> int:
        if value > 90:
            _log.append(value)
        return value

    steps: list[Step] = [_double, lambda v: v + 1, note]
    composed = reduce(lambda f, g: lambda v: g(f(v)), steps)
    return int(composed(rows[0][0]))


def folds_one_that_fills(rows: list[list[int]]) -> int:
    """A step in the middle changes what it is given."""
    steps: list[Step] = [list, lambda row: rows[0] if row[0] > 40 else row, lambda row: row.append(1)]
    composed = reduce(lambda f, g: lambda v: g(f(v)), steps)
    composed(rows[0])
    return len(rows[0])


def folds_over_what_is_given(rows: list[list[int]]) -> int:
    """Each function of the chain holds a list of its own: those that are given."""
    start: Step = lambda v: v  # noqa: E731

    def link(f: Step, row: list[int]) -> Step:
        return lambda v: f(row.pop() if v > 40 else v)

    return int(reduce(link, rows, start)(rows[0][0]))


def folds_the_first_in(rows: list[list[int]]) -> int:
    """Only the first function holds what is given: to reach it takes going down the chain."""
    first: Callable[[], Any] = lambda: rows  # noqa: E731
    last = reduce(lambda f, g: lambda: f() or g(), [first, list, list, list])
    if rows[0][0] > 40:
        last()[0].append(1)
    return len(rows[0])


def folds_and_rebinds(rows: list[list[int]]) -> int:
    """What one function of a call rebinds another one reads, which has been put away."""
    kept: list[Step] = []

    def link(f: Any, row: list[int]) -> Any:
        held: Any = []

        def swap(v: Any) -> Any:
            nonlocal held
            held = v
            return f

        kept.append(lambda v: held)
        return swap

    last = reduce(link, [[1], [2], [3]], None)
    last(rows[0] if rows[0][0] > 40 else [])
    kept[-1](0).append(1)
    return len(rows[0])


def folds_with_defaults(rows: list[list[int]]) -> int:
    """A default holds what another call has given."""

    def link(f: Any, row: list[int]) -> Any:
        return lambda v, f=f, row=row: [row, *(f(v) if f else [])]

    last = reduce(link, rows, None)
    if rows[0][0] > 40:
        for row in last(0):
            row.append(1)
    return len(rows)


def folds_methods(rows: list[list[int]]) -> int:
    """Holds methods of what is given."""
    steps: list[Step] = [lambda v: v, rows[0].append if rows[0][0] > 40 else str, str]
    reduce(lambda f, g: lambda v: [f(v), g(v)], steps)(1)
    return len(rows[0])


def folds_a_set(rows: list[list[int]]) -> str:
    """The first step gives its words in the order of a set."""
    steps: list[Step] = [lambda v: {f"a{v}", f"b{v}", f"c{v}"}, lambda v: v, "".join]
    return str(reduce(lambda f, g: lambda v: g(f(v)), steps)(rows[0][0]))


def sums_from_a_function(rows: list[list[int]]) -> int:
    """The sum of nothing is what it begins with: a function, which notes."""

    def note(v: int) -> int:
        if v > 40:
            _log.append(v)
        return v

    begun: Any = note
    return int(sum([], begun)(rows[0][0]))


CASES = [
    _case(folds_one_that_notes),
    _case(folds_one_that_fills),
    _case(folds_over_what_is_given),
    _case(folds_the_first_in),
    _case(folds_and_rebinds),
    _case(folds_with_defaults),
    _case(folds_methods),
    _case(folds_a_set),
    _case(sums_from_a_function),
]
