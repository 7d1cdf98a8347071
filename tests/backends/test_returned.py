"""A call that returns a text or a number that it was given returns that very object, wherever it ran."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.backends.base import Task
from adaptive_exec.backends.processes.ends import outcome_of
from adaptive_exec.backends.processes.plain import place_of
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.backends.processes.wire import Kind
from tests.backends.support import Handed, wind_up

TEXT = "a text that nobody " + "has interned" * 3
LONG = "x" * (2 << 20)
NUMBER = 10.0**3 / 7


class Chooser:
    """Something whose method returns what it is given."""

    def choose(self, left: Any, right: Any) -> Any:
        return right


def choose(left: Any, *, right: Any) -> Any:
    return right


def first(left: Any, right: Any) -> Any:
    return left


def copied(text: str) -> str:
    return text[:-1] + text[-1]


@pytest.fixture
def pool() -> Iterator[ProcessBackend]:
    """One of two workers."""
    made = ProcessBackend(2)
    yield made
    wind_up(made)


def run(pool: ProcessBackend, task: Task, *, chosen: bool = True) -> Any:
    """The result of a call that the library, or its user, has sent there."""
    task.environment = b"" if chosen else None
    pool.submit(task)
    return task.future.result(30)


def test_the_very_object_comes_back(pool: ProcessBackend) -> None:
    """By place or by name, through a method, short or long, also once calls are known to be brief."""
    handed = Handed()
    for _ in range(5):
        assert run(pool, handed.task(first, TEXT, 1)) is TEXT
        assert run(pool, handed.task(first, NUMBER, [1])) is NUMBER
        assert run(pool, handed.task(Chooser().choose, 1, TEXT)) is TEXT
        named = handed.task(choose, 1)
        named.kwargs = {"right": TEXT}
        assert run(pool, named) is TEXT
    assert run(pool, handed.task(first, LONG, 1)) is LONG


def test_an_equal_one_stays_another(pool: ProcessBackend) -> None:
    """What a call makes itself is its own; and whoever sent the call there asked for copies."""
    handed = Handed()

    assert (TEXT, False) == ((made := run(pool, handed.task(copied, TEXT))), made is TEXT)
    assert (TEXT, False) == ((sent := run(pool, handed.task(first, TEXT, 1), chosen=False)), sent is TEXT)


@pytest.mark.parametrize(
    ("value", "args", "place"),
    [
        (TEXT, (1, TEXT), 1),
        (TEXT, (TEXT, TEXT), 0),
        (TEXT, (1, 2), None),
        (None, (None,), None),
        ([TEXT], (TEXT,), None),
    ],
)
def test_which_one(value: Any, args: tuple[Any, ...], place: Any) -> None:
    """The first argument that is the very object; nothing is said of what can change, or of None."""
    assert place == place_of(value, args, {})
    assert (place_of(TEXT, (), {"left": 1, "right": TEXT})) == "right"


@pytest.mark.parametrize("place", [5, -1, "nobody", None, 1.5])
def test_a_place_that_is_not_there(place: Any) -> None:
    """A worker that says nonsense costs its call an error, and nobody else anything."""
    task = Handed().task(first, 1, 2)
    task.wire = type("Call", (), {"before": 0})()

    with pytest.raises(LookupError):
        outcome_of(pickle.loads(pickle.dumps((Kind.GIVEN, 1, place, 5, None))), task)
