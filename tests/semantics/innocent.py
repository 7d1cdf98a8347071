"""Functions that change nothing: they must be allowed to leave, and give the same elsewhere."""

from __future__ import annotations

import importlib.util
import math

from tests.semantics import (
    innocent_business,
    innocent_maths,
    innocent_parsing,
    innocent_records,
    innocent_search,
    innocent_text,
)
from tests.semantics.case import Case


def hypotenuse(n: int) -> float:
    """Plain arithmetic."""
    return math.hypot(n, n + 1)


CASES = [
    Case(hypotenuse),
    *innocent_text.CASES,
    *innocent_maths.CASES,
    *innocent_search.CASES,
    *innocent_records.CASES,
    *innocent_business.CASES,
    *innocent_parsing.CASES,
]

if importlib.util.find_spec("numpy"):
    from tests.semantics import innocent_numbers

    CASES += [*innocent_numbers.CASES]
