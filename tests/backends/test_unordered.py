"""Sets among arguments: a worker gets them in another order, and must not show that."""

from __future__ import annotations

import functools
import pickle
from collections import UserDict
from typing import Any

import pytest

from adaptive_exec.backends.processes.watching import refuse_order
from adaptive_exec.unordered import holds_sets, may_hold_sets, shown_of


def listed(tags: Any, *more: Any, limit: int = 1, **named: Any) -> list[Any]:
    """Something that lists."""
    return [*tags, *more, limit, *named]


@pytest.mark.parametrize("thing", [{1, 2}, frozenset("ab"), [({1, 2},)], {"a": {1, 2}}, UserDict(a={1, 2})])
def test_sets_are_found(thing: Any) -> None:
    """Wherever they are, in the values and in what is pickled."""
    assert holds_sets([thing])
    assert may_hold_sets(pickle.dumps(thing, 5))


@pytest.mark.parametrize("thing", [{1}, frozenset(), [1, "\x8f\x94"], {"a": 1}, None, set, len])
def test_what_has_only_one_order(thing: Any) -> None:
    """Nothing to be found."""
    assert not holds_sets([thing])


def test_which_arguments_are_looked_at() -> None:
    """By the names of the parameters; all of them if what is called has none that are known."""
    args, named = (1, 2, 3), {"limit": 4, "other": 5}

    assert [1] == shown_of(listed, args, named, frozenset({"its argument tags"}))
    assert [2, 3] == shown_of(listed, args, named, frozenset({"its arguments"}))
    assert [4] == shown_of(listed, args, named, frozenset({"its argument limit"}))
    assert [5] == shown_of(listed, args, named, frozenset({"its keyword arguments"}))
    assert [1, 2, 3, 4, 5] == shown_of(
        functools.partial(listed, 0), args, named, frozenset({"its argument tags"})
    )


@pytest.mark.parametrize(("tags", "refused"), [({"a", "b"}, True), (["a", "b"], False), ({"a"}, False)])
def test_a_worker_refuses(tags: Any, refused: bool) -> None:
    """Only what it would show the order of."""
    pickled = pickle.dumps(((tags,), {}), 5)
    shows = pickle.dumps(([], b"", frozenset({"its argument tags"})))
    hides = pickle.dumps(([], b""))

    assert refused == (refuse_order(shows, pickled, listed, (tags,), {}) is not None)
    assert refuse_order(hides, pickled, listed, (tags,), {}) is None
