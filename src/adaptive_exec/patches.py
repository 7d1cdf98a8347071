"""Whether a library is the same in two processes: its functions and classes may have been replaced in one of them.

Of a module of the standard library that code calls, and of those of its own package that its names come from, all
functions, the members of all classes and the constants in capitals make one number. It is made once, which takes about
a microsecond a name, and again when a name of them stands for something else: before each call that leaves, the
namespaces are compared with what they were, by identity, at about 20 ns a name.

A package of more than `_MOST_NAMES` names is not compared: that would take longer than most calls. Of such a one only
what the user's own code names is looked at, by its fingerprint.

Guarantees: the same files give the same number, in whatever process of the same interpreter; no code of the library
    runs.
Assumes: nobody writes into the code objects of a library. What differs from process to process without a meaning
    (caches, locks, counters, modules that were loaded later) is neither a function, a class nor a constant in capitals,
    nor, in a class, a public text or truth value.
Races: two threads look at once: each keeps what it saw, the namespaces and their number as one tuple.
"""

from __future__ import annotations

import re
import sys
import types
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["Library", "library"]

_CONSTANTS: Final = (int, float, str, bytes, bool, type(None))
_CODE: Final = (types.FunctionType, types.BuiltinFunctionType, type, staticmethod, classmethod)
_MOST: Final = 40
_MOST_NAMES: Final = 700
_MOST_SPACES: Final = 60


_Seen = tuple[list[tuple[Mapping[str, Any], dict[str, Any]]], int]


class Library:
    """One module, with those of its package that its names come from.

    Args:
        name: Of the module.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._seen = self._look()

    def number(self) -> int:
        """What it is now."""
        spaces, number = self._seen
        for space, seen in spaces:
            try:
                same = space == seen
            except Exception:
                same = False
            if not same and not _is_same_code(space, seen):
                self._seen = self._look()
                return self._seen[1]
        return number

    def _look(self) -> _Seen:
        """Look at all of it."""
        spaces: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
        parts: list[str] = []
        for module in _family(self.name):
            space = vars(module)
            seen = dict(space)
            spaces.append((space, seen))
            parts.extend(_parts(module.__name__, seen, spaces))
            if len(spaces) > _MOST_SPACES or sum(len(each) for _, each in spaces) > _MOST_NAMES:
                return [], 0
        return spaces, zlib.crc32("\n".join(sorted(parts)).encode("utf-8", "replace"))


def _is_same_code(space: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether only counters, caches and the like have changed."""
    now = dict(space)
    return all(now.get(name) is value for name, value in seen.items() if _is_told(name, value)) and not any(
        name not in seen and _is_told(name, value) for name, value in now.items()
    )


def _is_told(name: str, value: Any) -> bool:
    """Whether something is a part of what a library is."""
    return isinstance(value, (*_CODE, re.Pattern)) or (not name.startswith("_") and type(value) in _CONSTANTS)


def _family(name: str) -> list[types.ModuleType]:
    """The module, and those of its package where its functions and classes come from."""
    package = name.partition(".")[0]
    found: dict[str, types.ModuleType] = {}
    todo = [name]
    while todo and len(found) < _MOST:
        each = todo.pop()
        module = sys.modules.get(each)
        if each in found or not isinstance(module, types.ModuleType):
            continue
        found[each] = module
        for value in list(vars(module).values()):
            home = value.__module__ if isinstance(value, (type, types.FunctionType)) else None
            if isinstance(home, str) and home.partition(".")[0] == package:
                todo.append(home)
    return list(found.values())


def _parts(
    name: str, space: Mapping[str, Any], spaces: list[tuple[Mapping[str, Any], dict[str, Any]]]
) -> Iterator[str]:
    """What stands in a module, one line a name; the namespaces of its classes are noted."""
    for key, value in space.items():
        told = _told(key, value)
        if told is not None:
            yield f"{name}.{key} {told}"
        if isinstance(value, type) and value.__module__ == name:
            members = vars(value)
            seen = dict(members)
            spaces.append((members, seen))
            for inner, member in seen.items():
                told = _told(inner, member, of_class=True)
                if told is not None:
                    yield f"{name}.{key}.{inner} {told}"


def _told(key: str, value: Any, *, of_class: bool = False) -> str | None:
    """What one name stands for; None if that may differ without a meaning."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, types.FunctionType):
        code = value.__code__
        held = [each for each in value.__defaults__ or () if type(each) in _CONSTANTS]
        return f"{code.co_qualname} {code.co_firstlineno} {zlib.crc32(code.co_code)} {held!r}"
    if isinstance(value, (type, types.BuiltinFunctionType)):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, re.Pattern) and (of_class or key.isupper()):
        return f"{value.pattern!r} {value.flags}"
    if key.startswith("__") or type(value) not in _CONSTANTS:
        return None
    plain = of_class and type(value) is not int and not key.startswith("_")
    return repr(value) if plain or key.isupper() else None


_libraries: dict[str, Library] = {}


def library(name: str) -> Library | None:
    """The library of this name, if it is loaded.

    Args:
        name: Of a module.
    """
    known = _libraries.get(name)
    if known is None and name in sys.modules:
        known = _libraries[name] = Library(name)
    return known
