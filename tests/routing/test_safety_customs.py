"""What code depends on that the caller may have set or replaced: noted while it is read, and looked at before calls."""

from __future__ import annotations

import abc
import argparse
import builtins
import codecs
import csv
import functools
import json
import linecache
import logging
import math
import os
import pathlib
import socket
import sys
import tempfile
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, customs
from adaptive_exec.backends.processes.watching import difference_of
from adaptive_exec.fingerprints import fingerprint
from adaptive_exec.pickling import loads
from adaptive_exec.routing.environment import Reads, environment
from adaptive_exec.routing.safety import judge
from tests import work

_logger = logging.getLogger("tests.routing.customs")
_bound = functools.partial(work.add, 1)


class Shape(abc.ABC):  # noqa: B024
    """Others are registered with it."""


class Square:
    """One of them."""


@functools.singledispatch
def named(value: object) -> str:
    """Dispatches."""
    return "object"


@named.register
def _(value: str) -> str:
    """To this."""
    return "text"


def reads_rows(text: str) -> list[list[str]]:
    return list(csv.reader([text]))


def parses(n: int) -> str:
    return argparse.ArgumentParser().prog


def opens(n: int) -> Any:
    return socket.socket().gettimeout()


def writes(name: str) -> int:
    with open(name, "w") as file:
        return file.fileno()


def reads(name: str) -> str:
    with open(name) as file:
        return file.name


def touches(name: str) -> None:
    pathlib.Path(name).touch()


def makes_temporary(n: int) -> str:
    return tempfile.gettempdir()


def is_verbose(n: int) -> bool:
    return _logger.isEnabledFor(logging.DEBUG)


def dumps(n: int) -> str:
    return json.dumps([n])


def dedents(n: int) -> str:
    return textwrap.dedent(f" {n}")


def computes(n: int) -> float:
    return math.floor(abs(n)) + len(str(n))


def calls_a_partial(n: int) -> int:
    return _bound(n)


def asks(n: int) -> bool:
    return isinstance(Square(), Shape)


def dispatches(n: int) -> str:
    return named(n)


def reads_a_constant(n: int) -> bool:
    return logging.raiseExceptions


def reads_a_member(n: int) -> str:
    return json.JSONEncoder.item_separator


def reads_handlers(n: int) -> int:
    return len(_logger.handlers)


def reads_a_line(n: int) -> str:
    return linecache.getline("x", n)


def registers(n: int) -> None:
    codecs.register_error("x", codecs.ignore_errors)


def _reads(fn: Callable[..., Any]) -> Reads:
    """What a function reads that may leave."""
    verdict = judge(fn)
    assert verdict.allowed, verdict.reason
    assert isinstance(verdict.reads, Reads)
    return verdict.reads


@pytest.mark.parametrize(
    ("fn", "names"),
    [
        (reads_rows, {"csv"}),
        (parses, {"argv", "library:argparse"}),
        (opens, {"socket", "library:socket"}),
        (writes, {"mask"}),
        (reads, set()),
        (touches, {"mask", f"library:{pathlib.Path.__module__}"}),
        (makes_temporary, {"tempdir", "mask", "library:tempfile"}),
        (is_verbose, {"level:tests.routing.customs"}),
        (dumps, {"library:json"}),
        (dedents, {"library:textwrap"}),
        (computes, set()),
    ],
)
def test_what_it_depends_on(fn: Callable[..., Any], names: set[str]) -> None:
    """By the names of the functions that are called; what is not called is not looked at."""
    assert names == set(_reads(fn).settings)


@pytest.mark.parametrize("fn", [reads_handlers, reads_a_line, registers])
def test_what_stays(fn: Callable[..., Any]) -> None:
    """What can't be compared."""
    assert not judge(fn).allowed


def test_constants_of_libraries_are_read() -> None:
    """Of modules and of classes."""
    assert (("logging", "raiseExceptions"),) == tuple(_reads(reads_a_constant))
    assert (("json.encoder", "JSONEncoder.item_separator"),) == tuple(_reads(reads_a_member))


def test_builtins_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced, or hidden by a global, since the code was read; as they are everywhere, nothing of them is sent."""
    verdict = _reads(computes)
    data = environment(verdict)
    assert data is not None
    assert b"builtins" not in data
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "abs", work.double)
        with pytest.raises(ValueError, match="abs has been replaced"):
            environment(verdict)
        patched = environment(_reads(computes))
        assert patched is not None
        assert b"builtins" in patched
    assert "builtins.abs is not the same" in str(difference_of(patched))
    monkeypatch.setattr(sys.modules[__name__], "len", work.double, raising=False)
    with pytest.raises(ValueError, match="len has been replaced"):
        environment(verdict)


def test_a_builtin_that_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else has it."""
    monkeypatch.setattr(builtins, "translated", work.double, raising=False)
    data = environment(_reads(_translates))
    assert data is not None
    monkeypatch.undo()
    assert "builtins.translated is not the same" in str(difference_of(data))


def _translates(n: int) -> Any:
    return translated(n)  # type: ignore[name-defined] # noqa: F821


def test_partials_are_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another function, other arguments."""
    prints = {fingerprint(functools.partial(each)) for each in (work.add, work.double)}
    prints |= {fingerprint(functools.partial(work.add, 1)), fingerprint(functools.partial(work.add, b=1))}
    assert 4 == len(prints)

    verdict = _reads(calls_a_partial)
    data = environment(verdict)
    assert data is not None
    monkeypatch.setattr(sys.modules[__name__], "_bound", functools.partial(work.add, 2))
    assert "_bound is not the same" in str(difference_of(data))
    with pytest.raises(ValueError, match="_bound has been replaced"):
        environment(verdict)


def test_classes_that_are_registered() -> None:
    """With an abstract class: its fingerprint is another one, and is taken again."""
    verdict = _reads(asks)
    before, first = fingerprint(Shape), environment(verdict)
    assert first is environment(verdict)

    Shape.register(Square)

    assert before != fingerprint(Shape)
    assert first != environment(verdict)
    assert first is not None
    assert "Shape is not the same" in str(difference_of(first))


def test_functions_that_are_registered() -> None:
    """With a dispatcher: what was read is not all there is any more."""
    verdict = _reads(dispatches)
    before = fingerprint(named)
    assert environment(verdict) is not None

    def number(value: int) -> str:
        return "number"

    named.register(int, number)

    assert before != fingerprint(named)
    with pytest.raises(ValueError, match="registered"):
        environment(verdict)
    assert environment(_reads(dispatches)) is not None


def test_the_mask_is_that_of_now() -> None:
    """And asking for it leaves it."""
    if customs.value_of("mask") is None:
        pytest.skip("there is no way to ask for it here")
    before = os.umask(0o27)
    try:
        assert 0o27 == customs.value_of("mask")
        assert 0o27 == customs.value_of("mask")
    finally:
        os.umask(before)


def test_a_setting_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the call, and is what it was when it was sent."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    data = environment(_reads(makes_temporary))

    assert data is not None
    assert ("tempdir", "/nowhere") in loads(data)[3]


def test_workers_adopt_filters_and_settings() -> None:
    """What is told goes with each call that is sent."""
    import warnings

    with AdaptiveExecutor(max_processes=1) as executor, warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="careful"):
            executor.options(backend="process").submit(_warns).result(60)
        warnings.simplefilter("ignore")
        assert 1 == executor.options(backend="process").submit(_warns).result(60)


def _warns() -> int:
    import warnings

    warnings.warn("careful", stacklevel=1)
    return 1
