"""`contents`: what values hold, and what about them a copy can't have."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import importlib.util
import io
import math
import zoneinfo
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from adaptive_exec.contents import contents_of
from adaptive_exec.faithful import is_foreign, loses, says_how

NAN = float("nan")


class Plain:
    """Nothing special."""

    def __init__(self, *held: Any) -> None:
        self.held = held


class Slotted:
    """An attribute in a slot."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


class Raising:
    """Whatever is asked of it, it fails: nobody may ask."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError

    def __len__(self) -> int:
        raise AssertionError


class Point(NamedTuple):
    """A tuple with names."""

    x: float
    y: float


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """What `dataclass` writes says how it is pickled, and is to be trusted."""

    x: float


class Stateful:
    """Says what goes along."""

    def __getstate__(self) -> dict[str, int]:
        return {}


class Reducing(list[int]):
    """Says what it is made of."""

    def __reduce__(self) -> Any:
        return Reducing, ()


class Amount(decimal.Decimal):
    """Its base pickles its own part only."""

    unit: str


class Bag(list[int]):
    """Its base takes its attributes along."""

    name: str


class Zone(datetime.tzinfo):
    """A zone of one's own."""

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta()

    dst = utcoffset

    def tzname(self, when: datetime.datetime | None) -> str:
        return "here"


class Colour(enum.Enum):
    """Harmless."""

    RED = 1


class Shelf(enum.Enum):
    """Members that hold what can grow."""

    TOP = [1]  # noqa: RUF012


def _chained() -> Exception:
    """An error with a cause."""
    error = ValueError(1)
    error.__cause__ = KeyError(2)
    return error


def _named(thing: Any) -> Any:
    """With an attribute."""
    thing.name = thing.unit = "name"
    return thing


@pytest.mark.parametrize(
    "given",
    [
        1,
        [1, "a", None, b"", 2.5],
        {"a": [1, (2, {3})]},
        Plain(1, [2], Plain()),
        Slotted([1]),
        Point(1.0, 2.0),
        Frozen(1.0),
        [NAN, float("nan"), 1.0],
        [math.inf, -math.inf] * 100,
        [decimal.Decimal("nan"), decimal.Decimal(1)],
        datetime.datetime.now(datetime.UTC),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
        Colour.RED,
        ValueError("text"),
        collections.Counter("aab"),
        collections.defaultdict(list, a=[1]),
        collections.deque([1, 2]),
        _named(Bag([1])),
        Amount(1),
        int,
        len,
    ],
)
def test_most_things_are_as_good_as_new(given: Any) -> None:
    """Values, containers, objects, times with zones that are known, and numbers that are no numbers."""
    found = contents_of((given,))
    assert found.why is None
    assert found.lost is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([NAN, [NAN]], "the same NaN"),
        ([1.0] * 100 + [NAN, NAN], "the same NaN"),
        ({NAN: 1, "a": Plain(NAN)}, "the same NaN"),
        ([decimal.Decimal("nan")] * 2, "the same NaN"),
        ([iter([1])], "an iterator"),
        (Plain(io.StringIO()), "a file"),
        (Plain(Shelf.TOP), "a member of an enumeration"),
    ],
)
def test_some_speak_against_a_copy(given: Any, why: str) -> None:
    """However deep they lie; in a result they are of no consequence."""
    found = contents_of((given,))
    assert why in str(found.why)
    assert found.lost is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (datetime.datetime(2024, 1, 1, tzinfo=Zone()), "a time zone"),
        ([datetime.time(1, tzinfo=Zone())], "a time zone"),
        (Plain(Stateful()), "__getstate__"),
        ([Reducing()], "__reduce__"),
        (_named(Amount(1)), "attributes are lost"),
        (_chained(), "a cause"),
    ],
)
def test_some_lose_something(given: Any, why: str) -> None:
    """In arguments as in results."""
    assert why in str(contents_of((given,)).lost)
    assert why in str(contents_of((given,)).why)


def test_the_classes_and_functions_are_found() -> None:
    """Of all that is held, in attributes, slots, partial functions and closures."""

    def around(held: Any) -> Callable[[], Any]:
        return lambda: held

    inner = around(Slotted(Point(1, 2)))
    found = contents_of(([Plain({"a": inner})],))

    assert {Plain, Slotted, Point} <= set(found.kinds.values())
    assert [inner] == found.functions


def test_nothing_of_the_user_is_run() -> None:
    """Not even of a class that fails whatever is asked."""
    found = contents_of(([Raising(), Plain(Raising())],))
    assert found.why is None
    assert Raising in found.kinds.values()


def test_identity_of_numbers_matters_where_asked_for() -> None:
    """The same large number twice is told; small ones are the same everywhere."""
    number = float("1.5")
    assert contents_of((number, number)).why is None
    assert "compares identities" in str(contents_of((number, [number]), atoms=True).why)
    assert contents_of((5, 5, None, True), atoms=True).why is None


def test_a_circle_and_a_long_chain_end() -> None:
    """What holds itself is looked at once, and depth needs no stack."""
    circle: list[Any] = []
    circle.append(circle)
    chain: list[Any] = []
    for _ in range(10_000):
        chain = [chain]
    assert contents_of((circle, chain)).why is None


def test_too_much_is_not_looked_at() -> None:
    """And that is said."""
    assert "more than can be looked at" in str(contents_of(([[n] for n in range(200_001)],)).why)
    assert contents_of((list(range(300_000)),)).why is None


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs NumPy")
def test_arrays_that_lie_upon_each_other() -> None:
    """Parts of one array that do not are as good as arrays of their own."""
    import numpy as np

    array = np.arange(10.0)
    assert contents_of((array[:5], array[5:], np.arange(3.0))).why is None
    assert "share memory" in str(contents_of((array[:6], array[5:])).lost)
    assert "share memory" in str(contents_of((array, [array[5:]])).lost)
    assert Plain in contents_of((np.array([Plain()], dtype=object),)).kinds.values()


def test_who_says_how_it_is_pickled() -> None:
    """Only what the user has written counts."""
    assert "__getstate__" == says_how(Stateful)
    assert "" == says_how(Frozen)
    assert "" == says_how(Point)
    assert "" == says_how(datetime.datetime)
    assert loses(Plain()) is None


def test_what_is_foreign() -> None:
    """The standard library and what is installed."""
    assert is_foreign("json")
    assert is_foreign("pytest")
    assert not is_foreign(__name__)
    assert not is_foreign(None)
