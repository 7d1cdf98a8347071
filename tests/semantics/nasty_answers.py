"""Functions of the standard library that give what a special method answers: here that is what is given."""

from __future__ import annotations

import copy
import math
import operator
import statistics
from typing import Any

from tests.semantics.case import Case


class Lends:
    """Answers everything with its rows."""

    def __init__(self, rows: list[int]) -> None:
        """Keeps them."""
        self.rows = rows

    def __radd__(self, other: Any) -> Any:
        """The very rows."""
        return self.rows

    def __mul__(self, other: Any) -> Any:
        """The very rows."""
        return self.rows

    def __abs__(self) -> Any:
        """The very rows."""
        return self.rows

    def __round__(self) -> Any:
        """The very rows."""
        return self.rows

    def __divmod__(self, other: Any) -> Any:
        """The very rows."""
        return self.rows

    def __pow__(self, other: Any) -> Any:
        """The very rows."""
        return self.rows

    def __floor__(self) -> Any:
        """The very rows."""
        return self.rows

    def __copy__(self) -> Any:
        """The very rows."""
        return self.rows

    def __deepcopy__(self, memo: Any) -> Any:
        """The very rows."""
        return self.rows


def summed(given: list[int]) -> int:
    """By a sum."""
    return _filled(given, sum([Lends(given)]))


def absolute(given: list[int]) -> int:
    """By its absolute value."""
    return _filled(given, abs(Lends(given)))


def rounded(given: list[int]) -> int:
    """By rounding."""
    return _filled(given, round(Lends(given)))


def divided(given: list[int]) -> int:
    """By dividing."""
    return _filled(given, divmod(Lends(given), 2))


def raised(given: list[int]) -> int:
    """By a power."""
    return _filled(given, pow(Lends(given), 2))


def floored(given: list[int]) -> int:
    """By its floor."""
    return _filled(given, math.floor(Lends(given)))


def copied(given: list[int]) -> int:
    """By a copy that is none."""
    return _filled(given, copy.copy(Lends(given)))


def copied_deeply(given: list[int]) -> int:
    """By a deep copy that is none."""
    return _filled(given, copy.deepcopy(Lends(given)))


def multiplied(given: list[int]) -> int:
    """By a function for an operator."""
    return _filled(given, operator.mul(Lends(given), 2))


def summed_to_a_function(given: list[int]) -> int:
    """The sum is a function, which changes what is given."""

    class Adds:
        def __radd__(self, other: Any) -> Any:
            return lambda v: given.append(v) if v > 40 else None

    total: Any = sum([Adds()])
    total(given[0])
    return len(given)


class Row:
    """Is the same as every other, and holds what is given."""

    def __init__(self, rows: list[int]) -> None:
        """Keeps them."""
        self.rows = rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row)

    def __hash__(self) -> int:
        return 7


def most_frequent(given: list[int]) -> int:
    """The mode is one of the things themselves."""
    return _filled(given, statistics.mode([Row(given)]).rows)


def all_most_frequent(given: list[int]) -> int:
    """So are all of them."""
    return _filled(given, statistics.multimode([Row(given)])[0].rows)


def _filled(given: list[int], rows: Any) -> int:
    """Puts something into rows, now and then."""
    if given[0] > 40:
        rows.append(1)
    return len(given)


CASES = [
    Case(fn, arguments=lambda n: ([n, n + 1],))
    for fn in (
        *(summed, absolute, rounded, divided, raised, floored, copied, copied_deeply, multiplied),
        summed_to_a_function,
        most_frequent,
        all_most_frequent,
    )
]
