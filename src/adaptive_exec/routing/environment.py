"""What a function reads of its modules, packed so that a worker can compare it with its own.

Guarantees:
    - The bytes hold the values as they are when `environment` is called; bytes of an earlier call are used
      again only if every value is the very same object and can't change inside.
    - A function whose values are too large or can't be pickled gets an exception, never a part of them.
Assumes: a compiled pattern and the types in `_ATOMS` never change; tests/routing/test_safety_environment.py.
Races: a value that changes while it is pickled gives the bytes of some moment of that change, or an error.
    Code that changes its modules' state while calls are under way gets no more from threads.
"""

from __future__ import annotations

import abc
import contextvars
import re
import struct
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from ..contexts import unusual
from ..customs import value_of
from ..digests import DIGESTED_FROM, Digest, digest_of
from ..errors import NotPicklable
from ..fingerprints import fingerprint
from ..literals import literal_of
from ..pickling import dumps, size_within
from .kinds import PLAIN_KINDS

__all__ = ["LIMIT", "Pin", "Reads", "attributes_of", "current", "environment", "never_changes"]

LIMIT: Final = 64 * 1024
"""Bytes that what a function reads may take, all together, long texts by their digests."""

_ATOMS: Final = PLAIN_KINDS | {re.Pattern, struct.Struct}
_KEPT: Final = 1024
_NONE: Final[frozenset[str]] = frozenset()

Pin = tuple[Mapping[str, Any], str, object, tuple[str, str]]
"""A namespace, a name in it, the code that stood there when it was read, and where others find it: module, name."""


class Reads(tuple[tuple[str, str], ...]):  # noqa: SLOT001 - a tuple has no room for slots
    """The (module, name) pairs of a verdict, with the code on which the verdict rests.

    A function that somebody replaces later, in a notebook or by patching a module, was not read.
    """

    pins: tuple[Pin, ...]
    prints: bytes | None
    shown: frozenset[str]
    settings: tuple[str, ...]
    tables: tuple[tuple[Mapping[Any, Any], dict[Any, Any]], ...]
    token: object
    identities: int

    def __new__(
        cls,
        reads: Iterable[tuple[str, str]] = (),
        pins: tuple[Pin, ...] = (),
        shown: frozenset[str] = frozenset(),
        settings: tuple[str, ...] = (),
        tables: tuple[tuple[Mapping[Any, Any], dict[Any, Any]], ...] = (),
        identities: int = 0,
    ) -> Self:
        made = super().__new__(cls, reads)
        made.identities = identities
        made.pins = pins
        made.shown = shown
        made.settings = settings
        made.tables = tables
        made.token = None
        made.prints = None
        return made

    def joined(self, others: Iterable[Reads]) -> Reads:
        """Return these reads with others, whose arguments are none of this function's.

        Args:
            others: Those of functions that a call is given.
        """
        all_of = [self, *others]
        return Reads(
            dict.fromkeys(read for each in all_of for read in each),
            tuple(pin for each in all_of for pin in each.pins),
            self.shown,
            tuple(dict.fromkeys(name for each in all_of for name in each.settings)),
            tuple(table for each in all_of for table in each.tables),
            max(each.identities for each in all_of),
        )

    def packed_prints(self) -> bytes:
        """Pickled (module, name, fingerprint) of that code; made once, since it is looked at before every call."""
        token = abc.get_cache_token()  # another one when a class has been registered with another
        if self.prints is None or self.token != token:
            found = [
                (*place, fingerprint(value))
                for _, _, value, place in self.pins
                if place[0] != "__main__" and not _is_built_in(value, place)
            ]
            self.prints, self.token = dumps(found) if found else b"", token
        return self.prints


def _is_built_in(value: object, place: tuple[str, str]) -> bool:
    """Whether this is, in every process, what its name says; None stands for a name that hides no builtin."""
    return value is None or (
        isinstance(value, (type, types.BuiltinFunctionType))
        and place == ("builtins", value.__name__)
        and value.__module__ == "builtins"
    )


_Key = tuple[tuple[tuple[str, str], ...], bytes, frozenset[str], tuple[Any, ...]]
_packed: dict[_Key, tuple[tuple[Any, ...], bytes]] = {}


def never_changes(value: object) -> bool:
    """Tell whether a value, and all that it holds, is of types that can't change."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if isinstance(value, (tuple, frozenset)) and kind in (tuple, frozenset):
        return all(map(never_changes, value))
    return False


def attributes_of(value: object) -> dict[str, Any]:
    """Return an object's own attributes, without running any code of its class."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def current(module: str, name: str) -> Any:
    """Return the value that a module's name, or a dotted path from it, has now.

    Raises:
        ValueError: There is no such thing any more.
    """
    found: Any = sys.modules.get(module)
    try:
        if "." not in name:
            return found.__dict__[name]
        for part in name.split("."):
            found = getattr(found, part)
    except (AttributeError, KeyError):
        raise ValueError(f"{module}.{name} does not exist any more") from None
    return found


def environment(
    reads: tuple[tuple[str, str], ...], context: contextvars.Context | None = None
) -> bytes | None:
    """Pack what a function reads of its modules, for a worker to compare.

    Args:
        reads: (module, name) pairs, as in `Verdict.reads`.
        context: In which the call would run here; None for the one that runs now.

    Returns:
        The pickle of a list of (module, name, value now or what stands for it), and behind it, as bytes, that of the
        code that was read (`Reads.packed_prints`), then of which arguments the order would show (`Reads.shown`), and
        the settings that it depends on (`customs`); None if there is nothing to compare. What is in `__main__` is not
        in it: functions defined there are pickled by value, with what they read.

    Raises:
        NotPicklable: One of the values can't be pickled.
        ValueError: They are larger than `LIMIT` together, or one is gone, or code that the verdict rests on
            has been replaced.
    """
    for space, name, value, _ in getattr(reads, "pins", ()):
        if space.get(name) is not value:
            raise ValueError(f"{name} has been replaced since its code was read")
    for table, seen in getattr(reads, "tables", ()):
        if table != seen:
            raise ValueError("a function has been registered since its code was read")
    prints = reads.packed_prints() if isinstance(reads, Reads) else b""
    asked: tuple[str, ...] = getattr(reads, "settings", ())
    settings = (*((name, value_of(name)) for name in asked), *unusual(context))
    shown: frozenset[str] = getattr(reads, "shown", _NONE)
    if any(module == "__main__" for module, _ in reads):
        # What is defined there travels by value, with what it reads, in the function's own pickle.
        reads = tuple([read for read in reads if read[0] != "__main__"])
    if not reads and not prints and not shown and not settings:
        return None
    values = tuple([current(module, name) for module, name in reads])
    known = _packed.get((reads, prints, shown, settings))
    if known is not None and all(map(_same, values, known[0])):
        return known[1]
    data = _pack(reads, values, prints, *((shown, settings) if shown or settings else ()))
    if all(map(never_changes, values)):
        if len(_packed) >= _KEPT:
            _packed.clear()
        _packed[reads, prints, shown, settings] = (values, data)
    return data


def _same(one: object, other: object) -> bool:
    """Identity, as a function."""
    return one is other


def _short(value: object) -> object:
    """A value, or what stands for a long text, a layout of bytes or a container of many."""
    if isinstance(value, struct.Struct) and type(value) is struct.Struct:
        return Digest("Struct", value.size, value.format.encode())  # it can't be pickled
    if type(value) in (str, bytes) and isinstance(value, (str, bytes)) and len(value) >= DIGESTED_FROM:
        return digest_of(value)
    return literal_of(value) or value


def _pack(reads: tuple[tuple[str, str], ...], values: tuple[Any, ...], prints: bytes, *more: object) -> bytes:
    """Pickle the list, or say why it can't be."""
    listed = (
        [(module, name, _short(value)) for (module, name), value in zip(reads, values, strict=True)],
        prints,
        *more,
    )
    try:
        data = size_within(listed, LIMIT)
        if data is not None and b"__main__" in data:
            # What is defined in __main__ goes by value: a worker has another one.
            data = dumps(listed)
    except NotPicklable:
        raise
    except Exception as error:
        raise ValueError(f"what it reads can't be pickled now: {error}") from error
    if data is None or len(data) > LIMIT:
        names = ", ".join(name for _, name in reads)
        raise ValueError(f"{names} together are larger than {LIMIT // 1024} KB")
    return data
