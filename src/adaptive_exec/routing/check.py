"""The dynamic half of safety: what one sampled call does to the things it was given.

The things are its arguments, the object whose method it is, what a partial bound, what its closure holds,
its mutable defaults, and the globals that it reads. Each is pickled before and after the call.

Guarantees:
    - Nothing is raised: what can't be compared is itself a finding.
    - Work and memory are bounded: together the things take at most `LIMIT` bytes, or aren't compared.
Assumes: nothing that is unchanged pickles differently; where bytes differ, the two states are compared
    by `==` and by their repr before they count as a change.
Races: another thread that changes an argument during the call makes a finding, and rightly: the call
    shares that argument, so it must see the changes.
"""

from __future__ import annotations

import functools
import struct
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..aliases import parts_of, shares
from ..contents import contents_of
from ..pickling import loads, size_within
from ..sample import Sample
from ..unordered import holds_sets, shown_of
from .environment import current, never_changes
from .safety import judge

__all__ = ["LIMIT", "CallCheck"]

LIMIT: Final = 16 * 1024 * 1024
"""Bytes that are compared; more stays uncompared, and the call at home."""

_PARTS = 16  # wrappers of wrappers end somewhere
_AS_IT_IS: Final = frozenset({type(None), bool, int, float, bytes})
"""What goes to a worker as it is, by the byte and without pickling, and never changes."""


class CallCheck:
    """Compares what a call was given with what it left.

    Use it on the thread of the call: `before()`, the call, `after(value, sample)`; then read `finding`.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
        reads: The globals that it reads, as in `Verdict.reads`.

    Attributes:
        finding: Why calls like this one must stay in this process; None if nothing was seen.
    """

    __slots__ = (
        "_args",
        "_fn",
        "_globals",
        "_kwargs",
        "_left",
        "_noted",
        "_reads",
        "_sent",
        "_spent",
        "finding",
    )

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        reads: tuple[tuple[str, str], ...],
    ) -> None:
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._reads = reads
        self._noted: list[tuple[str, Any, bytes]] = []
        self._globals: list[tuple[str, str, Any, bytes]] = []
        self._left = LIMIT
        self._sent = 0
        self._spent = 0
        self.finding: str | None = None

    def before(self) -> None:
        """Note what the call is about to be given."""
        for label, value in _given(self._args, self._kwargs):
            if _is_iterator(value):
                self._found(f"consumed the iterator in {label}")
            elif callable(value):
                self._judge(label, value)
            if type(value) in _AS_IT_IS:
                self._sent += _plain_size(value)
                continue
            began = time.thread_time_ns()  # others may have the GIL meanwhile
            self._sent += len(self._note(f"its {label}", value))
            self._spent += time.thread_time_ns() - began
        for label, value in _carried(self._fn):
            self._note(label, value)
        self._look_for_sets()
        for module, name in self._reads:
            try:
                value = current(module, name)
            except ValueError as error:
                self._found(f"reads what does not exist any more: {error}")
                continue
            if type(value) is not struct.Struct:  # which never changes, and can't be pickled
                self._globals.append((module, name, value, self._note(name, value, keep=False)))

    def _look_for_sets(self) -> None:
        """Of sets that a call would show the order of, a process would get them in another one."""
        shown: frozenset[str] = getattr(self._reads, "shown", frozenset())
        if not shown:
            return
        given = shown_of(self._fn, self._args, self._kwargs, shown)
        given.extend(
            value for label, value in _carried(self._fn) if label in shown or label.startswith("its bound ")
        )
        if holds_sets(given):
            self._found("is given a set whose order may show, and a process would get it in another one")

    def after(self, value: Any, sample: Sample) -> Sample:
        """Compare, and measure the payload.

        Args:
            value: What the call returned.
            sample: How the call was measured.

        Returns:
            The sample with the sizes of arguments and result, and the time that pickling and unpickling both takes:
            to read something takes about as long as to write it.
        """
        began = time.thread_time_ns()
        plain = type(value) in _AS_IT_IS
        returned = _plain_size(value) if plain else self._result(value)
        spent = self._spent + (0 if plain else time.thread_time_ns() - began)
        for label, thing, data in self._noted:
            if self.finding is not None:
                break
            self._compare(label, thing, data)
        for module, name, thing, data in self._globals:
            self._compare_global(module, name, thing, data)
        self._compare_identities(value)
        self._noted, self._globals = [], []
        if returned is None:
            return sample._replace(argument_bytes=self._sent)
        return sample._replace(argument_bytes=self._sent, result_bytes=returned, pickle_ns=2 * spent)

    def _compare_identities(self, value: Any) -> None:
        """Whoever returns what it was given, or a part of it, returns a copy elsewhere."""
        if never_changes(value):
            return
        for label, thing in _given(self._args, self._kwargs):
            if thing is value and _can_change(thing):
                self._found(f"returned its {label} itself, of which a process would return a copy")
            elif shares(value, parts_of((thing,)) or {}):
                self._found(f"returned a part of its {label}, of which a process would return a copy")

    def _found(self, what: str) -> None:
        """The first finding is the one that is told."""
        if self.finding is None:
            self.finding = what

    def _note(self, label: str, value: Any, *, keep: bool = True) -> bytes:
        """Pickle one thing and keep it for the comparison."""
        try:
            data = size_within(value, self._left)
        except Exception as error:
            self._found(f"{label} can't be pickled: {_first_line(error)}")
            return b""
        if data is None:
            self._found(f"{label} is too large to compare")
            return b""
        if keep and not never_changes(value):
            self._left -= len(data)
            self._noted.append((label, value, data))
        return data

    def _judge(self, label: str, value: Any) -> None:
        """A function that is given to be called is judged by what it does whatever it is called with."""
        verdict = judge(value, ())
        if not verdict.allowed:
            self._found(f"is given a function in {label} that {verdict.reason}")

    def _result(self, value: Any) -> int | None:
        """Pickle the result, if that is possible; how many bytes that takes."""
        try:
            data = size_within(value, LIMIT)
        except Exception as error:
            self._found(f"its result can't be pickled: {_first_line(error)}")
            return None
        if not never_changes(value) and (lost := contents_of((value,)).lost) is not None:
            self._found(f"its result has {lost}")
        if data is None:
            self._found("its result is too large to compare")
        if isinstance(value, types.FunctionType) and "<" in value.__qualname__:
            self._found("returned a function of its own, of which a process would return a copy")
        return None if data is None else len(data)

    def _compare(self, label: str, thing: Any, before: bytes) -> None:
        """Pickle one thing again; a difference is a finding."""
        try:
            after = size_within(thing, max(2 * len(before), 4096))
        except Exception as error:
            self._found(f"changed {label}, which can't be pickled any more: {_first_line(error)}")
            return
        if after != before and (after is None or not _equal(before, after)):
            self._found(f"changed {label}")

    def _compare_global(self, module: str, name: str, thing: Any, before: bytes) -> None:
        """A global may have been rebound as well as changed."""
        if self.finding is not None:
            return
        try:
            now = current(module, name)
        except ValueError:
            self._found(f"deleted {name}")
            return
        if now is not thing or not never_changes(now):
            self._compare(name, now, before)


def _plain_size(value: Any) -> int:
    """How many bytes such a value is on its way, about."""
    return len(value) if type(value) is bytes else 8


def _given(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments, each with what a person calls it."""
    for number, value in enumerate(args, 1):
        yield f"argument {number}", value
    for name, value in kwargs.items():
        yield f"argument {name}", value


def _carried(fn: Any) -> Iterator[tuple[str, Any]]:
    """What travels with the function itself and may change: its object, its closure, its defaults."""
    for _ in range(_PARTS):
        if isinstance(fn, functools.partial):
            for label, value in _given(fn.args, fn.keywords):
                yield f"its bound {label}", value
            fn = fn.func
        elif isinstance(fn, types.MethodType):
            if not isinstance(fn.__self__, (type, types.ModuleType)):
                yield "the object whose method it is", fn.__self__
            fn = fn.__func__
        elif isinstance(fn, types.FunctionType):
            yield from _inside(fn)
            wrapped = getattr(fn, "__wrapped__", None)
            if wrapped is None:
                return
            fn = wrapped
        elif isinstance(fn, types.BuiltinMethodType):
            if fn.__self__ is not None and not isinstance(fn.__self__, (type, types.ModuleType)):
                yield "the object whose method it is", fn.__self__
            return
        elif isinstance(fn, type):
            return
        else:
            wrapped = getattr(fn, "__adaptive_subject__", None) or getattr(fn, "__wrapped__", None)
            if wrapped is None:
                yield "the object that is called", fn
                return
            fn = wrapped


def _inside(fn: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function's closure and defaults hold, its helpers excepted."""
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if isinstance(value, types.FunctionType):
            yield from _held_by(name, value)
        else:
            yield f"its closure's {name}", value
    yield "its defaults", (fn.__defaults__, fn.__kwdefaults__)


def _held_by(name: str, fn: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function in a closure holds in turn, one level down."""
    for inner, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if not isinstance(value, types.FunctionType):
            yield f"its closure's {name}, which holds {inner}", value


def _is_iterator(value: object) -> bool:
    """Whether reading it uses it up."""
    return hasattr(type(value), "__next__")


def _can_change(value: object) -> bool:
    """Whether somebody could tell the very object from a copy, by changing it."""
    return isinstance(value, (list, dict, set, bytearray)) or (
        hasattr(value, "__dict__")
        and not isinstance(value, (type, types.FunctionType, types.ModuleType, BaseException))
    )


def _equal(before: bytes, after: bytes) -> bool:
    """Whether two pickles that differ hold the same: sharing inside may differ without a meaning."""
    try:
        one, other = loads(before), loads(after)
        return type(one) is type(other) and bool(one == other) and repr(one) == repr(other)
    except Exception:
        return False


def _first_line(error: BaseException) -> str:
    """What an error says, briefly."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
