"""What values hold: the classes in them, and what about them a copy elsewhere can't have.

A copy has other identities, and pickling may leave something out. Most things are as good as new; what is not is
named here: numbers that are not equal to themselves and so are found by identity, zones whose identity decides how
times are subtracted, arrays that lie upon each other, iterators and files, and objects whose class says itself how
they are pickled.

Guarantees: no code of what is looked at runs (see `aliases.py`), and looking takes less time than pickling does: what
    containers hold is looked at a whole level at a time.
Assumes: nobody changes the containers meanwhile; who does gets `RuntimeError` from them, and is told that.
"""

from __future__ import annotations

import contextlib
import enum
import gc
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, Final

from .faithful import loses, may_lose

__all__ = ["ATOMS", "Contents", "contents_of"]

ATOMS: Final = frozenset(
    {
        *(int, float, complex, bool, str, bytes, bytearray, type(None), type(Ellipsis), type(NotImplemented)),
        *(range, slice, type(dict.keys), type(len)),
    }
)
"""Types of which nothing is to be seen inside."""

_MOST: Final = 200_000
_FEW: Final = 64
_NUMBERS: Final = frozenset({int, float, bool})
_SINGLES: Final = frozenset({bool, type(None), type(Ellipsis), type(NotImplemented)})
_SMALL: Final = range(-5, 257)

_bases: Final = vars(type)["__mro__"].__get__
_own: Final = vars(type)["__dict__"].__get__
_module: Final = vars(type)["__module__"].__get__


class Contents:
    """What was found.

    Attributes:
        kinds: The classes of the objects, and those that are held themselves; by identity.
        functions: The functions that are held.
        nans: The numbers that are not equal to themselves, by identity.
        parts: All that was looked into, by identity.
        atoms: Numbers and texts by identity, where that was asked for.
        why: What speaks against a copy, as what follows "is given"; None if nothing was seen.
        lost: The same, but only of what every copy lacks, whatever is done with it.
    """

    __slots__ = ("_arrays", "atoms", "functions", "kinds", "lost", "nans", "parts", "why")

    def __init__(self, *, atoms: bool = False) -> None:
        self.kinds: dict[int, type] = {}
        self.functions: list[types.FunctionType] = []
        self.nans: dict[int, Any] = {}
        self.parts: dict[int, Any] = {}
        self.atoms: dict[int, Any] | None = {} if atoms else None
        self.why: str | None = None
        self.lost: str | None = None
        self._arrays: dict[int, list[Any]] = {}

    def object_to(self, why: str) -> None:
        """The first thing that speaks against a copy is the one that is told."""
        self.why = self.why or why

    def miss(self, why: str) -> None:
        """The same for what a copy lacks."""
        self.why = self.why or why
        self.lost = self.lost or why

    def walk(self, things: Iterable[Any]) -> None:
        """Look at values, and at what they hold."""
        level = self._sift(list(things))
        while level and self.lost is None:
            new = dict(zip(map(id, level), level, strict=True))
            if not self.parts.keys().isdisjoint(new):
                for seen in self.parts.keys() & new.keys():
                    del new[seen]
            self.parts.update(new)
            if len(self.parts) > _MOST:
                self.object_to("more than can be looked at")
                return
            level = [
                each for group in _grouped(list(new.values())) for each in self._sift(self._inside(group))
            ]

    def _sift(self, inner: list[Any]) -> list[Any]:
        """Those of some things that may hold others; the rest is looked at here."""
        types_of = set(map(type, inner))
        if float in types_of:
            self._look_for_nans(inner if types_of <= _NUMBERS else [x for x in inner if type(x) is float])
        if self.atoms is not None:
            self._note_atoms(inner)
        if types_of <= ATOMS:
            return []
        if "decimal" in sys.modules and (decimal := sys.modules["decimal"].Decimal) in types_of:
            for each in inner:
                if type(each) is decimal and each.is_nan():
                    self._note_nan(each)
        return [each for each in inner if type(each) not in ATOMS]

    def _inside(self, group: list[Any]) -> list[Any]:
        """What things of one class hold; the class is noted."""
        kind = type(group[0])
        if kind is list or kind is tuple or kind is set or kind is frozenset or kind is deque:
            return list(chain.from_iterable(group))
        if kind is dict:
            return [*chain.from_iterable(group), *chain.from_iterable(map(dict.values, group))]
        if issubclass(kind, types.FunctionType):
            self.functions += group
            cells = [cell for function in group for cell in function.__closure__ or ()]
            return gc.get_referents(*cells) if cells else []
        if issubclass(kind, types.ModuleType):
            return []
        self.kinds[id(kind)] = kind
        if issubclass(kind, type):
            self.kinds.update({id(thing): thing for thing in group})
            return []
        if issubclass(type(kind), enum.EnumMeta):
            self._look_at_members(group)
            return []
        found = [each for each in gc.get_referents(*group) if each is not kind]
        for look in self._looks_at(kind):
            for thing in group:
                found += look(thing) or ()
        return found

    def _look_at_members(self, members: list[Any]) -> None:
        """A member of an enumeration goes by its name, and is another object elsewhere, which may hold other things."""
        for member in members:
            held = object.__getattribute__(member, "__dict__").values()
            if any(type(each) in (list, dict, set, bytearray) for each in held):
                self.object_to("a member of an enumeration that holds what can change")

    def _inside_array(self, thing: Any) -> list[Any]:
        """What an array of objects holds; where arrays lie upon each other."""
        numpy, kind = sys.modules["numpy"], type(thing)
        base = thing if kind is numpy.ndarray else numpy.ndarray.view(thing, numpy.ndarray)
        owner = base
        while type(owner.base) is numpy.ndarray:
            owner = owner.base
        others = self._arrays.setdefault(id(owner if owner.base is None else owner.base), [])
        if any(numpy.may_share_memory(each, base) for each in others):
            self.miss("arrays that share memory, of which a worker would get copies")
        others.append(base)
        return list(base.ravel().tolist()) if base.dtype.hasobject else []

    def _looks_at(self, kind: type) -> list[Callable[[Any], list[Any] | None]]:
        """How single objects of a class are looked at; what is to be said of all of them is said here."""
        if any(_module(base) == "_io" for base in _bases(kind)):
            self.object_to("a file, which a worker would read or write in its copy only")
        elif any("__next__" in _own(base) for base in _bases(kind)):
            self.object_to("an iterator, which a worker would use up in its copy only")
        elif any(_is_random(_module(base)) for base in _bases(kind)):
            self.object_to("a generator of random numbers, which a worker would advance in its copy only")
        looks: list[Callable[[Any], list[Any] | None]] = []
        if issubclass(kind, float):
            looks.append(self._look_at_number)
        if "datetime" in sys.modules and issubclass(kind, _times()):
            looks.append(self._look_at_time)
        if "numpy" in sys.modules and issubclass(kind, sys.modules["numpy"].ndarray):
            looks.append(self._inside_array)
        if may_lose(kind):
            looks.append(self._look_for_losses)
        return looks

    def _look_at_number(self, thing: Any) -> None:
        """A number of a class of its own."""
        if float.__ne__(thing, thing):
            self._note_nan(thing)

    def _look_for_losses(self, thing: Any) -> None:
        """An object that pickling may not take along wholly."""
        if (lost := loses(thing)) is not None:
            self.miss(lost)

    def _look_at_time(self, thing: Any) -> None:
        """Times are subtracted as they stand if they have the very same zone object."""
        datetime = sys.modules["datetime"]
        for each in (datetime.datetime, datetime.time):
            if issubclass(type(thing), each):
                thing = each.tzinfo.__get__(thing)
        kind = type(thing)
        if issubclass(kind, datetime.tzinfo) and kind is not datetime.timezone:
            top = _module(kind)
            if not isinstance(top, str) or top.partition(".")[0] not in ("zoneinfo", "pytz"):
                self.miss("a time zone whose identity matters, and a worker would get a copy")

    def _look_for_nans(self, numbers: list[Any]) -> None:
        """Numbers that are not equal to themselves; a sum tells whether there are any among many."""
        if len(numbers) > _FEW:
            with contextlib.suppress(OverflowError):
                total = sum(numbers)
                if total == total:
                    return
        for each in numbers:
            if each != each:
                self._note_nan(each)

    def _note_nan(self, number: Any) -> None:
        """One that is met twice is found by its identity."""
        if id(number) in self.nans:
            self.object_to("the same NaN twice, which is found by its identity")
        self.nans[id(number)] = number

    def _note_atoms(self, inner: Any) -> None:
        """Numbers and texts that could be told from equal ones."""
        assert self.atoms is not None
        for each in inner:
            kind = type(each)
            if kind not in ATOMS or kind in _SINGLES or (kind is int and each in _SMALL):
                continue
            if id(each) in self.atoms:
                self.object_to("the same number or text twice, and it compares identities")
            self.atoms[id(each)] = each


def _is_random(module: object) -> bool:
    """Whether the classes of a module are generators of random numbers."""
    return isinstance(module, str) and (module in ("random", "_random") or module.startswith("numpy.random"))


def _grouped(things: list[Any]) -> Iterable[list[Any]]:
    """Things of one class each."""
    groups: dict[int, list[Any]] = {}
    if len(set(map(type, things))) == 1:
        return (things,)
    for thing in things:
        groups.setdefault(id(type(thing)), []).append(thing)
    return groups.values()


def _times() -> tuple[type, ...]:
    """The classes of times and zones."""
    datetime = sys.modules["datetime"]
    return (datetime.datetime, datetime.time, datetime.tzinfo)


def contents_of(things: Iterable[Any], *, atoms: bool = False) -> Contents:
    """Look at values, and at what they hold.

    Args:
        things: Arguments, or the like.
        atoms: Whether the identity of numbers and texts matters.
    """
    found = Contents(atoms=atoms)
    try:
        found.walk(things)
    except Exception as error:  # it changes while it is looked at, or is of no ordinary kind
        found.object_to(f"what can't be looked at ({type(error).__name__})")
    return found
