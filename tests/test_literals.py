"""Containers of numbers and texts are told by their pickles, and by nothing that leaves something out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from adaptive_exec.literals import Literal, literal_of

pytestmark = pytest.mark.full  # the same on every Python

MANY = list(range(20))


class Forgetful:
    """Says nothing of what it holds."""

    def __reduce__(self) -> Any:
        return Forgetful, ()


class Ours(list[Any]):
    """A list that may have attributes."""


@pytest.mark.parametrize(
    "value",
    [
        MANY,
        tuple(MANY),
        dict.fromkeys(MANY, 0.5),
        [{"a": [1.5, None, True, b"x", "y"]}] * 20,
        [{1, 2}, *MANY],
    ],
)
def test_what_stands_for_a_value(value: Any) -> None:
    """It gives a value like it, and is the same for one that was made in the same way."""
    literal = literal_of(value)

    assert isinstance(literal, Literal)
    assert value == literal.value()
    assert literal == literal_of(value)


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        "x" * 100,
        [*MANY, Forgetful()],
        [*MANY, OrderedDict()],
        Ours(MANY),
        [*MANY, Ours()],
        [*MANY, len],
        [*MANY, int],
        [*MANY, lambda: 0],
        {key: [[[Forgetful()]]] for key in MANY},
    ],
)
def test_what_nothing_stands_for(value: Any) -> None:
    """What is short, and whatever decides itself how it is pickled."""
    assert literal_of(value) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([*MANY, 1], [*MANY, True]),
        ([*MANY, 0.0], [*MANY, -0.0]),
        ([*MANY, 1], [*MANY, 1.0]),
        (MANY, tuple(MANY)),
        (dict.fromkeys([*MANY, "a", "b"]), dict.fromkeys([*MANY, "b", "a"])),
    ],
)
def test_what_is_only_equal_is_told_apart(one: Any, other: Any) -> None:
    """By type, by sign and by order."""
    assert literal_of(one) != literal_of(other)


def test_one_that_holds_itself_or_is_nested_deeply() -> None:
    """The first can be written, the second can't."""
    ring: list[Any] = list(MANY)
    ring.append(ring)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert literal_of(ring) is not None
    assert literal_of([*MANY, deep]) is None
