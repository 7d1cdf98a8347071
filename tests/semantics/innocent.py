"""Functions that change nothing: they must be allowed to leave, and give the same elsewhere."""

from __future__ import annotations

import math

from tests.semantics.case import Case


def hypotenuse(n: int) -> float:
    """Plain arithmetic."""
    return math.hypot(n, n + 1)


CASES = [Case(hypotenuse)]
