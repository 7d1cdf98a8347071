"""`CallCheck`: what one call did to what it was given."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec.routing import check
from adaptive_exec.routing.check import CallCheck
from adaptive_exec.sample import Sample
from tests.routing.corpus import subjects

MODULE = subjects.__name__
SAMPLE = Sample(wall_ns=10, cpu_ns=5)


def checked(
    fn: Callable[..., Any], *args: Any, reads: tuple[tuple[str, str], ...] = (), **kwargs: Any
) -> tuple[str | None, Sample]:
    """Make a call under a check; the finding and the sample."""
    looked = CallCheck(fn, args, kwargs, reads)
    looked.before()
    value = fn(*args, **kwargs)
    sample = looked.after(value, SAMPLE)
    return looked.finding, sample


def test_an_innocent_call_is_measured() -> None:
    """The sizes of what would travel, and how long they take to pickle; all else is kept."""
    finding, sample = checked(subjects.total, [1] * 1000)

    assert finding is None
    assert sample.argument_bytes is not None
    assert 2000 < sample.argument_bytes < 4000
    assert sample.result_bytes is not None
    assert 0 < sample.result_bytes < 20
    assert sample.pickle_ns is not None
    assert sample.pickle_ns > 0
    assert (10, 5) == (sample.wall_ns, sample.cpu_ns)


@pytest.mark.parametrize(
    ("fn", "args", "finding"),
    [
        (subjects.append_when_long, ([1, 2, 3],), None),
        (subjects.append_when_long, ([1, 2, 3, 4],), "changed its argument 1"),
        (subjects.append_when_long, ([[1]], 5), None),
        (subjects.consume, (iter([1, 2]),), "consumed the iterator in argument 1"),
        (subjects.consume, ((n for n in range(3)),), "consumed the iterator in argument 1"),
        (subjects.consume, (map(abs, [1]),), "consumed the iterator in argument 1"),
        (subjects.same, (3,), None),
        (subjects.same, ("text",), None),
        (subjects.same, ((1, 2),), None),
        (subjects.same, ([1],), "returned its argument 1 itself, of which a process would return a copy"),
        (subjects.opaque, (1,), "its result can't be pickled: "),
        (subjects.same, (subjects.Opaque(),), "its argument 1 can't be pickled: "),
        (subjects.function, (1,), "returned a function of its own"),
        (subjects.call, (subjects.note, 1), "is given a function in argument 1 that calls setdefault() on "),
        (subjects.call, (subjects.collector([]), 1), "is given a function in argument 1 that appends to "),
        (subjects.call, (subjects.double, 1), None),
        (subjects.collector([1]), (2,), "changed its closure's seen"),
        (functools.partial(subjects.append_when_long, [1, 2, 3, 4]), (), "changed its bound argument 1"),
        (subjects.Account([1]).book, (5,), None),
        (subjects.Account([1]).book, (500,), "changed the object whose method it is"),
        ([3].append, (1,), "changed the object whose method it is"),
        (io.StringIO("text").read, (), "changed the object whose method it is"),
    ],
)
def test_findings(fn: Callable[..., Any], args: tuple[Any, ...], finding: str | None) -> None:
    """What was seen, or nothing."""
    found, _ = checked(fn, *args)

    if finding is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(finding)


def test_keyword_arguments_go_by_their_names() -> None:
    """`values=` is what the caller wrote."""
    found, _ = checked(subjects.append_when_long, values=[1, 2, 3, 4])

    assert "changed its argument values" == found


def test_a_global_that_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed inside or rebound: both are found."""
    monkeypatch.setattr(subjects, "CONFIG", {"level": 1})
    monkeypatch.setattr(subjects, "LIMIT", 3)

    assert "changed CONFIG" == checked(subjects.configure, 2, reads=((MODULE, "CONFIG"),))[0]
    assert checked(subjects.configure, 2, reads=((MODULE, "CONFIG"),))[0] is None
    assert "changed LIMIT" == checked(subjects.rebind, 7, reads=((MODULE, "LIMIT"),))[0]


def test_a_global_that_is_gone() -> None:
    """It can't be compared, here or anywhere."""
    found, _ = checked(subjects.double, 2, reads=((MODULE, "GONE"),))

    assert found is not None
    assert found.startswith("reads what does not exist any more")


def test_what_is_too_large_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the call stays, since nobody looked."""
    monkeypatch.setattr(check, "LIMIT", 10_000)

    found, _ = checked(subjects.total, list(range(10_000)))
    assert "its argument 1 is too large to compare" == found

    found, _ = checked(subjects.function, list(range(10_000)))
    assert found is not None
    assert "too large" in found


def test_equal_values_pickled_otherwise_are_unchanged() -> None:
    """Sharing inside differs after the call, but nothing that anybody could tell."""
    pieces = ["ab", "cd"]
    text = "".join(pieces)
    values = {"one": text, "two": "".join(pieces)}

    def share(table: dict[str, str]) -> int:
        table["two"] = table["one"]
        return len(table)

    assert checked(share, values)[0] is None


def test_nothing_is_raised_by_hostile_objects() -> None:
    """Objects that fail to compare, to show themselves or to pickle make findings."""

    class Hostile:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        def __repr__(self) -> str:
            raise RuntimeError("no")

        def __reduce__(self) -> Any:
            raise RuntimeError("no")

        __hash__ = object.__hash__

    found, _ = checked(subjects.same, Hostile())

    assert found is not None
    assert "can't be pickled" in found
