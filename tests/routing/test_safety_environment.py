"""`environment`: what a function reads, packed for a worker to compare."""

from __future__ import annotations

import re
import sys
import types
from typing import Any

import pytest

from adaptive_exec import digests
from adaptive_exec.backends.processes.watching import difference_of
from adaptive_exec.digests import digest_of
from adaptive_exec.fingerprints import fingerprint
from adaptive_exec.pickling import loads
from adaptive_exec.routing.environment import LIMIT, attributes_of, environment, never_changes
from adaptive_exec.routing.safety import judge
from tests.routing.corpus import subjects

MODULE = subjects.__name__


class Label(str):
    """A text that may hold more."""

    __slots__ = ()


def test_nothing_read_is_nothing_to_send() -> None:
    """Most functions read no data."""
    assert environment(()) is None
    assert environment(((MODULE, "LIMIT"),)) is not None


def test_code_goes_as_fingerprints() -> None:
    """Of the function itself and of what it calls: a worker has its own, unless somebody has replaced one of them."""
    data = environment(judge(subjects.uses_helper).reads)
    assert data is not None
    values, prints = loads(data)

    assert [] == values
    assert [
        (MODULE, "helper", fingerprint(subjects.helper)),
        (MODULE, "uses_helper", fingerprint(subjects.uses_helper)),
    ] == sorted(loads(prints))


def test_values_are_those_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebound or changed inside: the next call sends what is there."""
    reads = ((MODULE, "CONFIG"), (MODULE, "LIMIT"))
    monkeypatch.setattr(subjects, "CONFIG", {"level": 1})

    def sent() -> Any:
        data = environment(reads)
        assert data is not None
        values, prints = loads(data)
        assert b"" == prints
        return values

    assert [(MODULE, "CONFIG", {"level": 1}), (MODULE, "LIMIT", 3)] == sent()
    subjects.CONFIG["level"] = 2
    assert {"level": 2} == sent()[0][2]
    monkeypatch.setattr(subjects, "LIMIT", 4)
    assert 4 == sent()[1][2]


def test_constants_are_packed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The very same objects of types that never change: the very same bytes."""
    reads = ((MODULE, "LIMIT"), (MODULE, "NAMES"))

    first = environment(reads)
    assert first is environment(reads)
    monkeypatch.setattr(subjects, "NAMES", ("a", "c"))
    assert first != environment(reads)


@pytest.mark.parametrize("text", ["long text \ud800" * 100_000, b"long bytes" * 100_000])
def test_long_texts_are_told_by_their_digests(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    """However long they are; another object with other contents has another one."""
    monkeypatch.setattr(subjects, "LIMIT", text)
    reads = ((MODULE, "LIMIT"),)
    first = environment(reads)
    assert first is not None
    assert len(first) < 500
    assert first is environment(reads)
    assert difference_of(first) is None

    monkeypatch.setattr(subjects, "LIMIT", text[1:-1] * 2)
    assert first != environment(reads)
    assert "another value" in str(difference_of(first))
    monkeypatch.setattr(
        subjects, "LIMIT", text.encode("utf-8", "surrogatepass") if isinstance(text, str) else list(text)
    )
    assert "another value" in str(difference_of(first))


def test_a_subclass_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else it holds would not be told."""
    monkeypatch.setattr(subjects, "LIMIT", Label("x" * 100_000))
    with pytest.raises(ValueError, match="larger than"):
        environment(((MODULE, "LIMIT"),))


def test_digests_are_made_once() -> None:
    """Of the same object; of an equal one they are equal."""
    text = "x" * 10_000

    assert digest_of(text) is digest_of(text)
    assert digest_of(text) == digest_of("".join(["x" * 9_999, "x"]))
    assert digest_of("x" * 5_000) != digest_of(b"x" * 5_000)
    for number in range(200):
        digest_of(str(number) * 5_000)
    assert len(digests._known) <= 64


def test_class_attributes_have_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Settings.level` is found below its class."""
    monkeypatch.setattr(subjects.Settings, "level", 5)
    data = environment(((MODULE, "Settings.level"),))

    assert data is not None
    assert ([(MODULE, "Settings.level", 5)], b"") == loads(data)


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker would spend its time comparing."""
    monkeypatch.setattr(subjects, "LARGE", list(range(LIMIT)))

    with pytest.raises(ValueError, match="LARGE together are larger than 64 KB"):
        environment(((MODULE, "LARGE"),))


def test_what_is_gone_is_refused() -> None:
    """So is the module that it was in."""
    with pytest.raises(ValueError, match="GONE does not exist any more"):
        environment(((MODULE, "GONE"),))
    with pytest.raises(ValueError, match="does not exist any more"):
        environment((("tests.no_such_module", "X"),))


def test_what_can_not_be_pickled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """NotPicklable is a ValueError's neighbour: the caller catches both."""
    from adaptive_exec.errors import NotPicklable

    monkeypatch.setattr(subjects, "CONFIG", subjects.Opaque())

    with pytest.raises((NotPicklable, ValueError)):
        environment(((MODULE, "CONFIG"),))


def test_main_travels_with_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of `__main__` are pickled by value, with what they read."""
    main = types.ModuleType("__main__")
    main.LIMIT = 3  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)

    assert environment((("__main__", "LIMIT"),)) is None


def test_code_that_was_replaced_is_no_longer_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict was on the helper that stood there then."""
    verdict = judge(subjects.uses_helper)
    assert verdict.allowed
    assert environment(verdict.reads) is not None

    monkeypatch.setattr(subjects, "helper", subjects.note)

    with pytest.raises(ValueError, match="helper has been replaced"):
        environment(verdict.reads)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, True),
        ("text", True),
        (None, True),
        (re.compile("x"), True),
        ((1, ("a", frozenset({2}))), True),
        ((1, []), False),
        ([], False),
        ({}, False),
        (object(), False),
        (bytearray(), False),
    ],
)
def test_never_changes(value: object, expected: bool) -> None:
    """Only exact types, all the way down."""
    assert expected == never_changes(value)


def test_subclasses_may_change() -> None:
    """An int with attributes is not an int."""

    class Number(int):
        pass

    class Row(tuple[int, ...]):
        __slots__ = ()

    assert not never_changes(Number(3))
    assert not never_changes(Row((1, 2)))


def test_attributes_are_read_without_running_code() -> None:
    """A class may define `__getattr__` or `__getattribute__`; neither is asked."""

    class Loud:
        def __init__(self) -> None:
            object.__setattr__(self, "x", 1)

        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    assert {"x": 1} == attributes_of(Loud())
    assert {} == attributes_of(3)
