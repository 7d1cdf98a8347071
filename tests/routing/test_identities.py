"""What `is` may tell: in a worker, numbers and texts have other identities, and objects are not those of modules."""

from __future__ import annotations

import enum
import math
from typing import Any

import pytest

from adaptive_exec.routing.given import objection
from adaptive_exec.routing.safety import judge

NAME = "".join(["some", " ", "name"])  # noqa: FLY002
NOTHING_SET = object()
NUMBER = 1.5


class Thing:
    """Equal to itself only."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts


class Equal:
    """Equal to all of its kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)

    __hash__ = None  # type: ignore[assignment]


THINGS = [Thing(), Thing()]
EQUALS = [Equal()]


class Colour(enum.Enum):
    """Members are the same everywhere."""

    RED = 1


def is_the_name(name: str) -> bool:
    return name is NAME


def is_endless(n: float) -> bool:
    return n is math.inf


def are_the_same(one: Any, other: Any) -> bool:
    return one is other


def are_other_bodies(bodies: Any) -> int:
    return sum(one.parts != other.parts for one in bodies for other in bodies if one is not other)


def is_known(thing: Any) -> bool:
    return thing in THINGS


def is_equal(thing: Any) -> bool:
    return thing in EQUALS


def is_missing(value: Any = NOTHING_SET) -> bool:
    return value is NOTHING_SET


def is_red(colour: Any) -> bool:
    return colour is Colour.RED


def is_nothing(value: Any) -> bool:
    return value is None or value is True or value is ...


def is_of_the_kind(one: Any, other: Any) -> bool:
    return type(one) is type(other) or type(one) is int or one.__class__ is other.__class__


def is_its_own(values: list[int]) -> bool:
    best = Thing(values)
    return any(each is best for each in (best, Thing()))


@pytest.mark.parametrize("fn", [is_the_name, is_endless])
def test_numbers_and_texts_have_no_identity(fn: Any) -> None:
    """Who compares an argument with one of a module stays."""
    assert "compares the identity" in judge(fn).reason


@pytest.mark.parametrize(
    "fn",
    [are_the_same, are_other_bodies, is_missing, is_red, is_nothing, is_of_the_kind, is_its_own, is_known],
)
def test_others_may_leave(fn: Any) -> None:
    """There is only one of what they compare with, or it depends on what they are given."""
    assert judge(fn).allowed


def _objection(fn: Any, *args: Any) -> str | None:
    """What speaks against one call."""
    return objection(fn, args, {})


def test_it_depends_on_what_is_given() -> None:
    """Numbers that are the same object, and objects that a module has, too."""
    number, thing = float("1.25"), Thing()
    assert "compares identities" in str(_objection(are_the_same, number, number))
    assert "compares identities" in str(_objection(are_the_same, [number], [number]))
    assert _objection(are_the_same, number, float("1.25")) is None
    assert _objection(are_the_same, thing, thing) is None
    assert _objection(are_the_same, 5, 5) is None
    assert "finds elsewhere" in str(_objection(is_missing, [NOTHING_SET, Thing(NOTHING_SET)]))


def test_numbers_of_what_has_parts_are_of_no_consequence() -> None:
    """Whose attributes are asked for is no number, and stays the same within a call."""
    assert _objection(are_other_bodies, [Thing(NUMBER), Thing(NUMBER)]) is None


def test_who_is_equal_to_itself_only() -> None:
    """Is found by its identity in what a module holds; others are found as their copies are."""
    assert "finds elsewhere" in str(_objection(is_known, THINGS[0]))
    assert _objection(is_known, Thing()) is None
    assert _objection(is_equal, EQUALS[0]) is None
