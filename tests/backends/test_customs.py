"""What a caller has set in the standard library: asked for cheaply, adopted by a worker, or refused there."""

from __future__ import annotations

import argparse
import builtins
import codecs
import contextvars
import csv
import decimal
import json
import logging
import mimetypes
import os
import shutil
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, contexts, patches
from adaptive_exec.backends.processes import filters
from adaptive_exec.backends.processes.watching import difference_of, is_not_registered_here
from adaptive_exec.contexts import unusual
from adaptive_exec.customs import settle, value_of
from adaptive_exec.fingerprints import fingerprint
from adaptive_exec.pickling import dumps
from tests import work


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything afterwards as it was."""
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(contexts, "_seen", set())
    mask = os.umask(0o22)
    os.umask(mask)
    context = decimal.getcontext().copy()
    yield
    os.umask(mask)
    decimal.setcontext(context)


CHANGES: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
    ("csv", lambda: csv.register_dialect("ours", delimiter="|"), lambda: csv.unregister_dialect("ours")),
    ("csv", lambda: csv.field_size_limit(7), lambda: csv.field_size_limit(131072)),
    ("socket", lambda: socket.setdefaulttimeout(7), lambda: socket.setdefaulttimeout(None)),
    ("mimetypes", lambda: mimetypes.add_type("x/y", ".ours"), mimetypes.init),
    (
        "level:ours",
        lambda: logging.getLogger("ours").setLevel(3),
        lambda: logging.getLogger("ours").setLevel(0),
    ),
]


@pytest.mark.parametrize(("name", "change", "undo"), CHANGES)
def test_what_a_worker_refuses(name: str, change: Callable[[], Any], undo: Callable[[], Any]) -> None:
    """A setting that it has otherwise, and only as long as it has."""
    mimetypes.init()
    before = value_of(name)
    assert before == value_of(name)
    assert settle(((name, before),)) is None
    change()
    try:
        assert before != value_of(name)
        assert name == settle(((name, before),))
    finally:
        undo()
    assert settle(((name, before),)) is None


@pytest.mark.parametrize(
    ("name", "theirs"), [("argv", (("program", "x"), None)), ("tempdir", "/nowhere"), ("mask", 0o077)]
)
def test_what_a_worker_adopts(name: str, theirs: Any, usual: None) -> None:
    """What is plain."""
    if name == "argv":
        theirs = theirs[0], value_of("argv")[1]
    if name == "mask" and value_of("mask") is None:
        pytest.skip("there is no way to ask for it here")
    assert settle(((name, theirs),)) is None
    assert theirs == value_of(name)


def _told_of_decimals(context: contextvars.Context | None) -> tuple[tuple[str, Any], ...]:
    """Of nothing else."""
    return tuple(each for each in unusual(context) if each[0] == "decimal")


def test_decimals_of_a_context(usual: None) -> None:
    """Told once somebody computes otherwise than usual, from then on always, and adopted."""
    decimal.setcontext(decimal.Context())
    assert () == _told_of_decimals(None)
    context = contextvars.copy_context()
    context.run(decimal.setcontext, decimal.Context(prec=5, rounding=decimal.ROUND_UP, traps=[]))
    ((name, theirs),) = _told_of_decimals(context)
    assert "decimal" == name
    assert (("decimal", None),) == _told_of_decimals(None)

    assert settle((("decimal", theirs),)) is None
    assert 5 == decimal.getcontext().prec
    assert decimal.Decimal("0.33334") == 1 / decimal.Decimal(3)
    assert (("decimal", theirs),) == _told_of_decimals(None)

    assert settle((("decimal", None),)) is None
    assert 28 == decimal.getcontext().prec


def test_a_library_that_was_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function, a member of a class, a constant; and again as it was."""
    library = patches.library("json")
    assert library is not None
    before = library.number()
    for owner, name, value in [
        (json.JSONEncoder, "default", lambda self, o: "other"),
        (json.JSONEncoder, "item_separator", ";"),
        (json, "dumps", work.double),
        (json.encoder, "INFINITY", 3.0),
        (json.encoder, "py_encode_basestring", work.double),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            assert before != library.number(), name
            assert "library:json" == settle((("library:json", before),))
        assert before == library.number()
    assert patches.library("no_such_module") is None


def test_what_differs_innocently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches, locks and counters are no part of what a library is."""
    library = patches.library("tempfile")
    assert library is not None
    before = library.number()
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert before == library.number()
    seen = library._seen
    monkeypatch.setattr(tempfile, "_name_sequence", object())
    monkeypatch.setattr(tempfile, "_once_lock", threading.Lock())

    assert before == library.number()
    assert seen is library._seen  # it need not be looked at anew


def test_what_stands_in_settings_is_compared_in_a_worker(usual: None) -> None:
    """Behind values and code."""
    settings = (("socket", 5.0),)
    data = dumps(([], b"", frozenset(), settings))

    assert "socket is not" in str(difference_of(data))


def test_filters_are_copied_when_they_change() -> None:
    """The same object until then."""
    first = filters.latest_filters()
    assert first is filters.latest_filters()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BytesWarning)
        assert first != filters.latest_filters()
        assert "ignore" == filters.latest_filters()[0][0]
    assert first == filters.latest_filters()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: b"".decode("no_such_encoding") or b"x".decode("no_such_encoding"), True),
        (lambda: "ä".encode("ascii", "no_such_handler"), True),
        (lambda: codecs.lookup("no_such_encoding"), True),
        (lambda: dict[str, int]()["unknown encoding"], False),
    ],
)
def test_what_a_worker_does_not_know(make: Callable[[], Any], expected: bool) -> None:
    """An encoding or a handler of errors that the parent may have registered."""
    with pytest.raises(LookupError) as caught:
        make()

    assert expected == is_not_registered_here(caught.value)


def test_a_call_that_fails_for_an_encoding_runs_at_home() -> None:
    """It is the same error there, or none."""
    with AdaptiveExecutor(max_processes=1) as executor, pytest.raises(LookupError, match="no_such"):
        executor.submit(codecs.lookup, "no_such").result(60)


def test_builtins_that_were_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another fingerprint than those that were not."""
    before = fingerprint(abs)
    monkeypatch.setattr(builtins, "abs", work.double)

    assert before != fingerprint(builtins.abs)


def test_names_of_programs(usual: None) -> None:
    """A worker is called like its parent."""
    assert settle((("argv", (("ours", "x"), value_of("argv")[1])),)) is None
    assert "ours" in argparse.ArgumentParser().prog or sys.version_info >= (3, 14)


def test_locale_and_arrays(usual: None) -> None:
    """Told once they are set otherwise, from then on always, and adopted; refused where that can't be done."""
    numpy = pytest.importorskip("numpy")
    with numpy.errstate(divide="raise"), numpy.printoptions(precision=3):
        told = dict(unusual(None))["numpy"]
    assert dict(unusual(None))["numpy"] is None
    try:
        assert settle((("numpy", told),)) is None
        assert "raise" == numpy.geterr()["divide"]
        assert "[0.333]" == str(numpy.array([1 / 3]))
    finally:
        assert settle((("numpy", None),)) is None
    assert "warn" == numpy.geterr()["divide"]
    assert "[0.33333333]" == str(numpy.array([1 / 3]))
    with numpy.printoptions(formatter={"float": str}):
        told = dict(unusual(None))["numpy"]
    assert "numpy" == settle((("numpy", told),))
    assert settle((("numpy", None),)) is None


def test_a_locale_that_no_worker_has() -> None:
    """Is refused, and the usual one is never told."""
    assert "locale" not in dict(unusual(None))
    assert "locale" == settle((("locale", "no_such_locale"),))
    assert settle((("locale", None),)) is None


def test_what_was_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of archives, and of what a database keeps."""
    sqlite3 = pytest.importorskip("sqlite3")
    formats: Any = vars(shutil)["_ARCHIVE_FORMATS"]

    for name, registered in (("shutil", formats), ("sqlite3", sqlite3.converters)):
        before = value_of(name)
        assert settle(((name, before),)) is None
        with monkeypatch.context() as patch:
            patch.setitem(registered, "OURS", (work.double, [], ""))
            assert name == settle(((name, before),))


def test_a_large_library_is_not_compared() -> None:
    """It would take longer than most calls."""
    pytest.importorskip("numpy")
    library = patches.library("numpy")

    assert library is not None
    assert 0 == library.number()
