"""The classes of what a call is given are known only then: the function is read with them."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest

from adaptive_exec.routing.given import look, objection
from adaptive_exec.routing.safety import judge
from tests.routing.corpus.loud import Asking, Loud, Noted
from tests.routing.corpus.quiet import Quiet, looks_around
from tests.semantics import nasty_apart as apart
from tests.semantics.nasty_elsewhere import Cart, Lazy, Traveller

ASKING = [
    apart.total_of,
    apart.checked_out,
    apart.size_of,
    apart.goods_of,
    apart.added_to,
    apart.text_of,
]


@pytest.mark.parametrize("fn", ASKING)
def test_what_leaves_a_trace_stays(fn: Any) -> None:
    """Though the function's own code may leave, and wherever the object lies."""
    assert judge(fn).allowed
    for given in (Cart(1), [Cart(1)], {"a": (1, [Cart(1)])}, functools.partial(int, Cart(1))):
        assert "by what it is given" in str(objection(fn, (given,), {}))
        assert "by what it is given" in str(objection(fn, (), {"cart": given}))


@pytest.mark.parametrize("fn", [*ASKING, apart.rate_of])
def test_what_leaves_none_may_go(fn: Any) -> None:
    """The same questions, to another class."""
    assert objection(fn, (Quiet(1),), {}) is None
    assert objection(fn, ([Quiet(1)],), {}) is None


@pytest.mark.parametrize("fn", [apart.total_of, apart.checked_out])
def test_what_an_inherited_method_calls(fn: Any) -> None:
    """Is that of the object's own class."""
    assert "appends" in str(objection(fn, (Loud(1),), {}))


def test_attributes_that_are_made_up() -> None:
    """`__getattr__` is run for what the class does not have."""
    assert "appends" in str(objection(apart.total_of, (Asking(),), {}))


def test_what_a_class_holds_is_compared() -> None:
    """It is state of this process, as a global would be."""
    why, reads = look(apart.rate_of, (Quiet(1),), {}, functools.partial(judge, apart.rate_of))
    assert why is None
    assert (Quiet.__module__, "Quiet.rate") in reads

    why, reads = look(apart.rate_of, (Traveller(1),), {}, functools.partial(judge, apart.rate_of))
    assert why is None
    assert (Quiet.__module__, "Quiet.rate") not in reads


def test_what_lies_beside_what_can_not_be_looked_at() -> None:
    """Where there is too much to walk through, the classes that were seen are read nevertheless."""
    many = [[number] for number in range(60_000)]
    assert "by what it is given" in str(objection(apart.length_of, ([Cart(1), many],), {}))
    assert objection(apart.length_of, ([Quiet(1), many],), {}) is None


def test_what_may_give_anything_does_not_cover_all_that_is_given() -> None:
    """The first reading holds for classes of modules that it has seen, and not for those that calls bring along."""
    verdict = judge(looks_around, ())
    assert verdict.allowed
    assert verdict.covers(frozenset({list}))
    assert not verdict.covers(frozenset({Cart}))
    assert "by what it is given" in str(objection(looks_around, (Cart(1),), {}))


def test_methods_are_pinned() -> None:
    """Who replaces one later has other code than was read."""
    _, reads = look(apart.checked_out, (Quiet(1),), {}, functools.partial(judge, apart.checked_out))
    assert "checkout" in {name for _, name, _, _ in getattr(reads, "pins", ())}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((math.nan,), "finds elsewhere"),
        (([1.0, [math.nan]],), "finds elsewhere"),
        ((Lazy(1),), "__getstate__"),
        ((iter([1]),), "an iterator"),
        (([lambda n: Noted.log.append(n + 1)],), "given a function that"),
    ],
)
def test_what_no_copy_can_be(given: tuple[Any, ...], why: str) -> None:
    """Whatever the function does with it."""
    assert why in str(objection(len, given, {}))


def test_a_number_that_is_none_may_go() -> None:
    """Where it is met once only."""
    assert objection(len, ([float("nan"), float("nan")],), {}) is None
