"""Pickling: plain where that works, by value where it must, and errors that name the culprit."""

from __future__ import annotations

import functools
import pickle
import threading
from typing import Any

import pytest

from adaptive_exec import pickling
from adaptive_exec.errors import NotPicklable
from tests import work


def test_plain_pickle_where_it_works() -> None:
    """Importable things travel by reference."""
    data = pickling.dumps(work.double)

    assert data == pickle.dumps(work.double, protocol=5)
    assert pickling.loads(data) is work.double


def test_closures_and_lambdas() -> None:
    """What has no importable name travels by value."""
    offset = 3

    assert 10 == pickling.loads(pickling.dumps(lambda x: x + offset))(7)


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        ({"a": [1, threading.Lock()]}, "['a'][1]"),
        (functools.partial(work.double, threading.Lock()), "args[0]"),
        (((n for n in range(3)),), "[0]"),
    ],
)
def test_the_culprit_is_named(obj: Any, path: str) -> None:
    """The error says which object can't be pickled, where it is, and what to do."""
    with pytest.raises(NotPicklable, match="pass what it is made from") as caught:
        pickling.dumps(obj)

    assert path in str(caught.value)
    assert isinstance(caught.value, pickle.PicklingError)


def test_the_culprit_in_a_closure() -> None:
    """A captured object is found by the variable's name."""
    lock = threading.Lock()

    with pytest.raises(NotPicklable, match=r"lock object .* at lock \(closure\)"):
        pickling.dumps(lambda: lock)


def test_a_repr_that_fails_does_not_hide_the_error() -> None:
    """An object that can be neither pickled nor shown is named by its type."""

    class Shy:
        def __reduce__(self) -> Any:
            raise TypeError("no")

        def __repr__(self) -> str:
            raise RuntimeError("no")

    with pytest.raises(NotPicklable, match="Shy"):
        pickling.dumps(Shy())


def test_size_within() -> None:
    """Small things are pickled, large ones are refused before they have cost much."""
    small = pickling.size_within([1, 2, 3], 1000)

    assert small is not None
    assert [1, 2, 3] == pickling.loads(small)
    assert pickling.size_within(list(range(100_000)), 1000) is None
    assert pickling.size_within(lambda: 1, 100_000) is not None
    with pytest.raises(NotPicklable):
        pickling.size_within(threading.Lock(), 1000)
