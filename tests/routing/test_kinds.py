"""Only classes whose objects can be there matter: which those are, and what a verdict takes for granted of them."""

from __future__ import annotations

import collections
import enum
import functools
import io
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from adaptive_exec.routing.kinds import has_any, is_ever_ours, kinds_in, kinds_of_call
from adaptive_exec.routing.safety import judge

noted: list[Any] = []


class Innocent:
    """An operator that computes."""

    def __init__(self, held: Any = None) -> None:
        self.held = held

    def __add__(self, other: int) -> int:
        return other + 1


class Nasty:
    """An operator that notes, and so does all else."""

    __slots__ = ("held",)

    def __add__(self, other: int) -> int:
        noted.append(other)
        return other

    def __repr__(self) -> str:
        noted.append("repr")
        return "nasty"

    @property
    def total(self) -> int:
        noted.append("total")
        return 1


class Late(Innocent):
    """Inherits what is innocent, and overrides what that calls."""

    helper = Nasty()


class Calling:
    """Calls a hook from an operator."""

    def __add__(self, other: int) -> int:
        return self.hook(other)

    def hook(self, other: int) -> int:
        return other


class Hooked(Calling):
    """Has another hook."""

    def hook(self, other: int) -> int:
        noted.append(other)
        return other


class Reduced:
    """Becomes something else on the way."""

    def __reduce__(self) -> Any:
        return Nasty, ()


class Pair(NamedTuple):
    """Two things."""

    one: Any
    two: Any


class Level(enum.Enum):
    """Some levels."""

    LOW = 1
    HIGH = 2


@dataclass
class Box:
    """A thing in a box."""

    things: list[Any] = field(default_factory=list)


def adds(x: Any) -> Any:
    """An operator on an argument."""
    return x + 1


def shows(x: Any) -> str:
    """A text of an argument."""
    return f"{x}"


def totals(x: Any) -> Any:
    """An attribute of an argument."""
    return x.total


def makes_one(n: int) -> Any:
    """The nasty one is made within, and its class is not seen where it is added to."""
    things = [kind() for kind in (Nasty,)]
    return things[0] + n


def appends(x: Any) -> int:
    """What may be a list grows."""
    x.append(1)
    return 1


def sets_an_item(x: Any) -> int:
    """What may be a container gets an item."""
    x[0] = 1
    return 1


def sets_an_attribute(x: Any) -> int:
    """What may be an object gets an attribute."""
    x.held = 1
    return 1


def calls(x: Any) -> Any:
    """What may be a function is called."""
    return x(1)


def counts_in_place(xs: list[Any]) -> Any:
    """An operator in place on what comes out of an argument."""
    total = xs[0]
    for x in xs:
        total += x
    return total


def computes(xs: list[Any]) -> Any:
    """Differences are numbers, and what they are added to is."""
    mean = spread = 0.0
    for x in xs:
        delta = x - mean
        mean += delta / 2
        spread += delta * (x - mean)
    return spread


def allowed(fn: Callable[..., Any], *args: Any) -> bool:
    """Whether a call with these arguments may leave."""
    kinds = kinds_of_call(fn, args, {})
    verdict = judge(fn, ())
    if verdict.allowed and not verdict.covers(kinds):
        verdict = judge(fn, kinds)
        assert not verdict.allowed or verdict.covers(kinds)
    return verdict.allowed


@pytest.mark.parametrize("fn", [adds, shows, totals])
@pytest.mark.parametrize(
    "given", [1, "x", [1, [2]], Innocent(), Level.LOW, Innocent([Pair(1, None)]), Box([1])]
)
def test_what_is_not_there_does_not_matter(fn: Callable[..., Any], given: Any) -> None:
    """A nasty class stands in the module, but the call is not given any of its objects."""
    assert allowed(fn, given)


@pytest.mark.parametrize("fn", [adds, shows, totals])
@pytest.mark.parametrize(
    "given",
    [
        Nasty(),
        [Nasty()],
        {"a": (1, Nasty())},
        {Nasty(): 1},
        Innocent(Nasty()),
        Late(),
        Late,
        Nasty,
        Pair(1, Nasty()),
        Box([Box([Nasty()])]),
        collections.deque([Nasty()]),
        types.SimpleNamespace(x=Nasty()),
        types.MappingProxyType({1: Nasty()}),
        functools.partial(print, Nasty()),
        iter([Nasty()]),
    ],
)
def test_what_is_there_matters(fn: Callable[..., Any], given: Any) -> None:
    """Wherever it is held: an item, an attribute, a class attribute, or the class itself."""
    assert not allowed(fn, given)


def test_what_the_code_makes_matters() -> None:
    """Its classes are named in the code."""
    assert "appends to the module-level list noted" in judge(makes_one, ()).reason


def test_the_class_that_is_given_is_read_and_not_its_base() -> None:
    """A method that it inherits calls what it overrides."""
    assert allowed(adds, Calling())
    assert not allowed(adds, Hooked())


def test_closures_defaults_and_objects_of_methods_are_given() -> None:
    """They come with the function."""
    nasty = Nasty()

    def around(held: Any) -> Callable[[], Any]:
        return lambda: held + 1

    def with_default(x: Any = nasty) -> Any:
        return x

    assert kinds_of_call(around(1), (), {}) == frozenset()
    assert Nasty in (kinds_of_call(around([Nasty()]), (), {}) or ())
    assert Nasty in (kinds_of_call(with_default, (), {}) or ())
    assert Innocent in (kinds_of_call(Innocent().__add__, (), {}) or ())
    assert Nasty in (kinds_of_call(Innocent(Nasty()).__add__, (), {}) or ())


@pytest.mark.parametrize(
    "given", [Reduced(), [Innocent(Reduced())], types, list(map(Innocent, range(60_000)))]
)
def test_what_cannot_be_told_is_anything(given: Any) -> None:
    """An object that is pickled in a way of its own, a module, and too much."""
    assert kinds_of_call(adds, (given,), {}) is None
    assert not judge(adds, ()).covers(None)


def test_looking_runs_nothing() -> None:
    """Neither special methods nor properties of what is looked at."""
    before = list(noted)
    assert Nasty in (kinds_in([Nasty(), {Nasty(): Late()}]) or ())
    assert before == noted


@pytest.mark.parametrize(
    ("fn", "harmless", "harmful"),
    [
        (appends, ["x", 1, (1, 2), {1: 2}], [[1], [[1]], Box(), types.SimpleNamespace()]),
        (sets_an_item, ["x", 1, (1, 2), {1, 2}], [[1], {1: 1}, (1, [2]), bytearray(b"x"), io.BytesIO()]),
        (sets_an_attribute, ["x", 1, [1]], [Box(), types.SimpleNamespace(), Nasty, adds, Nasty()]),
        (calls, ["x", 1, [1], Innocent()], [adds, [adds], len, Nasty, functools.partial(adds)]),
        (counts_in_place, [[1], ["x"], [(1,), (2,)]], []),
        (computes, [[1.0, 2], (3, 4)], []),
    ],
)
def test_only_what_can_be_changed_is_changed(
    fn: Callable[..., Any], harmless: list[Any], harmful: list[Any]
) -> None:
    """What nothing has that is given raises an error, and changes nothing."""
    if fn is counts_in_place:
        # The list itself could be added to; what comes out of a tuple of numbers can't.
        assert not allowed(fn, [[1]])
        assert allowed(fn, (1, 2))
        return
    for given in harmless:
        assert allowed(fn, given), given
    for given in harmful:
        assert not allowed(fn, given), given


def test_numbers_that_differ_are_no_sets() -> None:
    """A difference of sets is a set, which an operator in place would change."""
    assert not judge(computes, ()).covers(frozenset({set}))
    assert judge(computes, ()).covers(frozenset({list, tuple}))


def test_names_are_looked_for_in_classes() -> None:
    """In all bases; an object with attributes of its own may have any name that is not special."""
    assert has_any([Late], ("__add__",))
    assert has_any([Late], ("anything",))
    assert not has_any([Late], ("__setitem__",))
    assert not has_any([Nasty], ("anything",))
    assert not has_any([tuple, str], ("append", "__setitem__"))
    assert has_any([tuple, list], ("append",))
    assert is_ever_ours(Nasty)
    assert not is_ever_ours(list)


def test_plain_arguments_cost_next_to_nothing() -> None:
    """They are not walked through, and a list of numbers is left at once."""
    began = time.perf_counter()
    for _ in range(1000):
        kinds_of_call(adds, (1, "x", None, 2.5), {"y": 3})
    assert time.perf_counter() - began < 1

    assert frozenset({list}) == kinds_of_call(adds, (list(range(100_000)),), {})


def test_a_class_that_is_held_is_told_from_that_of_an_object() -> None:
    """Objects refer to their class; that it is given, too, is seen where one of them holds it, or a list does."""
    assert type not in (kinds_in([Innocent(n) for n in range(5)]) or {type})
    assert type in (kinds_in([*(Innocent(n) for n in range(5)), Innocent(Innocent)]) or ())
    assert type in (kinds_in([[1], [2], [list]]) or ())
