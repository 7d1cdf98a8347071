"""What a call is given that can be called: found wherever it is held, and told apart by what a reading depends on."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec.routing.callables import Callables, callables_of_call, code_of, place_of
from adaptive_exec.routing.environment import Reads
from adaptive_exec.routing.kinds import kinds_of_call
from adaptive_exec.routing.safety import judge


def double(n: int) -> int:
    """A function with a name."""
    return n * 2


def found_in(*args: Any) -> Callables | None:
    """What a call with these arguments is given."""
    return callables_of_call(double, args, {}, kinds_of_call(double, args, {}))


def wrapped(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator."""

    @functools.wraps(fn)
    def wrapper(n: int) -> Any:
        return fn(n)

    return wrapper


def adder(step: int) -> Callable[[int], int]:
    """A function with a closure."""
    return lambda n: n + step


class Box:
    """Holds anything."""

    def __init__(self, held: Any = None) -> None:
        self.held = held

    @staticmethod
    def made() -> int:
        """Stands in its class as something else."""
        return 1

    def method(self) -> int:
        """A method."""
        return 1


class Calling:
    """Can be called."""

    def __call__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("args", "count"),
    [
        ((1, "a", [2.5]), 0),
        ((double,), 1),
        (([double, {"a": double}], abs), 2),
        ((adder(1), adder(2)), 1),
        ((operator.itemgetter(1), operator.itemgetter(1)), 1),
        ((operator.itemgetter(1), operator.itemgetter(2)), 2),
        ((math.sin, len), 2),
        ((list.sort,), 1),
    ],
)
def test_each_is_found(args: tuple[Any, ...], count: int) -> None:
    """In containers, too; those of one code are one. Classes of what is given may be among them."""
    found = found_in(*args, int)
    assert found is not None
    assert count == sum(not isinstance(each.value, type) for each in found.callees)
    assert any(each.value is int for each in found.callees)


@pytest.mark.parametrize(
    "thing", [[].append, Box().method, Calling(), wrapped(double), Box.made, functools.partial(double)]
)
def test_what_nobody_reads_is_said(thing: Any) -> None:
    """Methods, objects that are called, and functions that a worker may find otherwise by their names."""
    assert found_in(thing) is None
    assert found_in([Box(thing)]) is None


def test_what_an_attribute_may_be() -> None:
    """Only objects that have attributes hold functions in them."""
    for args, held in (((double, [1]), False), ((double, Box()), True), ((Box(double),), True)):
        found = found_in(*args)
        assert found is not None
        assert held is found.held


def test_places() -> None:
    """A function stands where its name says, or nowhere."""
    assert place_of(double) == (globals(), __name__, "double")
    assert place_of(Box.method) == (vars(Box), __name__, "Box.method")
    assert place_of(Box.made) is None
    assert place_of(adder(1)) is None
    assert (wrapped(double).__code__, double.__code__) == code_of(wrapped(double))  # type: ignore[arg-type]


def test_a_verdict_is_for_those_functions() -> None:
    """The same code with another function is another question."""

    def apply(fn: Callable[[Any], Any], n: int) -> int:
        """Calls its argument."""
        return len(str(fn(n)))

    log: list[Any] = []

    def verdict(fn: Any) -> bool:
        kinds = kinds_of_call(apply, (fn, 1), {})
        return judge(apply, kinds, (), callables_of_call(apply, (fn, 1), {}, kinds)).allowed

    assert verdict(double)
    assert verdict(adder(1))
    assert verdict(math.sqrt)
    assert not verdict(log.append)
    assert not verdict(lambda n: log.append(n + 1))
    assert not verdict(print)
    assert not verdict(Calling())


def test_reads_are_joined() -> None:
    """Names, settings and code of all; which arguments show their order is for each to say."""
    one = Reads([("a", "x")], (), frozenset({"its argument n"}), ("csv",))
    other = Reads(
        [("a", "x"), ("b", "y")],
        (({}, "f", None, ("b", "f")),),
        frozenset({"its argument k"}),
        ("argv",),
        (),
        2,
    )
    both = one.joined([other])
    assert [("a", "x"), ("b", "y")] == list(both)
    assert (("csv", "argv"), other.pins, one.shown, 2) == (
        both.settings,
        both.pins,
        both.shown,
        both.identities,
    )
