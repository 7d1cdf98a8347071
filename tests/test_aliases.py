"""Whether a value holds a part of another: what counts as a part, and what nobody could tell from a copy."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
from typing import Any, NamedTuple

import pytest

from adaptive_exec.aliases import parts_of, shares


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Box:
    inside: Any


@dataclasses.dataclass(frozen=True)
class Sealed:
    inside: Any


class Slots:
    __slots__ = ("inside",)

    def __init__(self, inside: Any) -> None:
        self.inside = inside


ROW = [1, 2]
BOX = Box(1)
SHARED = [
    pytest.param(ROW, ROW, id="itself"),
    pytest.param([ROW], [ROW], id="an item"),
    pytest.param((1, (ROW,)), ROW, id="deep in tuples"),
    pytest.param([BOX], {"box": BOX}, id="an instance"),
    pytest.param(Box(ROW), Slots(ROW), id="an attribute of instances"),
    pytest.param(Sealed(ROW), [ROW], id="in a frozen one"),
    pytest.param({"a": ROW}, ROW, id="a value"),
    pytest.param(memoryview(bytearray(b"abc")), None, id="a view"),
]
WHEN, PRICE, PLACE, FROZEN = datetime.datetime(2020, 1, 1), decimal.Decimal(1), Point(1, 2), Sealed((1, 2))
APART = [
    pytest.param([1, 2], [1, 2], id="equal"),
    pytest.param(["long text"], ["long text"], id="texts"),
    pytest.param([(1, 2)], [(1, 2)], id="tuples"),
    pytest.param([WHEN, PRICE, PLACE, FROZEN], [WHEN, PRICE, PLACE, FROZEN], id="what never changes"),
    pytest.param([Colour.RED], [Colour.RED], id="members"),
    pytest.param([int, len, dataclasses], [int, len, dataclasses], id="by name"),
    pytest.param([1], 1, id="a number"),
]


@pytest.mark.parametrize(("given", "value"), SHARED)
def test_shared(given: Any, value: Any) -> None:
    """Whoever changed it in one place would see it in the other."""
    if isinstance(given, memoryview):
        value = given.obj
    parts = parts_of((given,))
    assert parts is not None
    assert shares(value, parts)


@pytest.mark.parametrize(("given", "value"), APART)
def test_apart(given: Any, value: Any) -> None:
    """A copy would be as good."""
    parts = parts_of((given,))
    assert parts is not None
    assert not shares(value, parts)


def test_what_goes_in_a_circle() -> None:
    """Each part is looked at once."""
    ring: list[Any] = []
    ring.append(ring)
    parts = parts_of((ring,))

    assert parts is not None
    assert shares([ring], parts)


def test_what_is_too_much_to_look_at() -> None:
    """Then nobody can tell, in time that is bounded; many numbers are little to look at."""
    assert parts_of(([[n] for n in range(5_000)],)) is None
    assert parts_of((list(range(200_000)),)) is None
    assert parts_of((list(range(50_000)),)) is not None
    assert not shares([[n] for n in range(5_000)], parts_of((ROW,)) or {})


class Raising(type):
    """A metaclass whose classes tell nothing."""

    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError("nobody may ask")


class Silent(metaclass=Raising):
    """An object that tells nothing of itself, as proxies without anything behind them do."""

    def __init__(self, inside: Any) -> None:
        object.__setattr__(self, "inside", inside)

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("nobody may ask")


class Mute(tuple[int, ...], metaclass=Raising):  # noqa: SLOT001 - with room for attributes, so it can change
    """The same, made of numbers."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("nobody may ask")


def test_nothing_of_what_is_looked_at_runs() -> None:
    """Whatever it would raise, and wherever."""
    row, mute = [1], Mute((1, 2))
    silent = Silent(row)
    parts = parts_of((silent, mute))

    assert parts is not None
    assert shares([row], parts)
    assert shares([silent], parts)
    assert shares([mute], parts)
    assert not shares([Silent([1])], parts)


def test_an_array_and_its_view() -> None:
    """They share the memory."""
    numpy = pytest.importorskip("numpy")
    array = numpy.zeros(4)
    parts = parts_of((array,))

    assert parts is not None
    assert shares(array[1:], parts)
    assert not shares(array + 1, parts)
