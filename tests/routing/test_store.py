"""Records: one for what is the same function, bounded, safe from races."""

from __future__ import annotations

import functools
import threading
import zlib
from typing import Any

import pytest

from adaptive_exec.routing.safety import Verdict
from adaptive_exec.routing.store import Store, is_coroutine_function, name_of
from tests import work

pytestmark = pytest.mark.full  # plain sums, the same on every Python


def test_the_same_function_in_many_guises() -> None:
    """Partials, lambdas made in a loop and methods of several objects share what they have in common."""
    store = Store()
    lambdas = [lambda x, n=n: x + n for n in range(3)]

    assert store.record(work.double) is store.record(functools.partial(work.double, 1))
    assert 1 == len({id(store.record(f)) for f in lambdas})
    assert store.record(work.Counter().bump) is store.record(work.Counter().bump)
    assert store.record([].append) is store.record([1].append)
    assert store.record(zlib.compress) is store.record(zlib.compress)


def test_different_functions_of_one_decorator() -> None:
    """A wrapper's code is shared by all that it decorates; they are told apart by what it wraps."""

    def decorate(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(*args: Any) -> Any:
            return fn(*args)

        return wrapper

    store = Store()
    assert store.record(decorate(work.double)) is not store.record(decorate(work.compute))


def test_same_names_are_not_the_same_function() -> None:
    """Two functions of one name are two functions; two methods of one object, too."""
    store = Store()

    def make(step: int) -> Any:
        if step:

            def f(x: int) -> int:
                return x + 1

        else:

            def f(x: int) -> int:
                return x - 1

        return f

    counter = work.Counter()
    assert store.record(make(0)) is not store.record(make(1))
    assert store.record(counter.bump) is not store.record(counter.peek)
    assert store.record(zlib.compress) is not store.record(zlib.decompress)


def test_memory_is_bounded() -> None:
    """The least recently used records are forgotten, but not those with work under way."""
    store = Store(limit=3)
    kept = store.record(work.double)
    kept.held.append(object())  # type: ignore[arg-type]
    for number in range(10):
        store.record(eval(f"lambda: {number}"))

    assert 3 == len(store.all())
    assert kept is store.record(work.double)


def test_one_record_for_two_first_submissions() -> None:
    """However many threads see a function first, it gets one record."""
    store = Store()
    together = threading.Barrier(8)
    found: list[int] = []

    def look() -> None:
        together.wait(10)
        found.append(id(store.record(work.double)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert 1 == len(set(found))
    assert 8 == len(found)


class _Callable:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (work.async_double, True),
        (functools.partial(work.async_double, 1), True),
        (_Callable(), True),
        (work.double, False),
        (work.Counter, False),
        (len, False),
    ],
)
def test_coroutine_functions(fn: Any, expected: bool) -> None:
    """They are recognised through partials and callable objects."""
    assert expected is is_coroutine_function(fn)


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (work.double, "double"),
        (functools.partial(work.double, 1), "double"),
        (work.Counter().bump, "Counter.bump"),
        (_Callable(), "_Callable"),
        (len, "len"),
    ],
)
def test_names(fn: Any, name: str) -> None:
    """People recognise the function by its name."""
    assert name == name_of(fn)


def test_code_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks while somebody reads waits, and is told the same."""
    record = Store().record(work.double)
    begun, go_on = threading.Event(), threading.Event()
    readings: list[object] = []

    def read(*given: object) -> Verdict:
        readings.append(given)
        begun.set()
        assert go_on.wait(10)
        return Verdict(False, "is read")

    monkeypatch.setattr("adaptive_exec.routing.safety.judge", read)
    verdicts: list[Verdict] = []
    threads = [threading.Thread(target=lambda: verdicts.append(record.judged(work.double))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert 1 == len(readings)
    assert [Verdict(False, "is read")] * 4 == verdicts
    assert "is read" == record.stay
