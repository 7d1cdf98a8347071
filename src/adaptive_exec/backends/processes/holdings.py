"""What a function that travels by value takes along, so that its pickle can be used again while that is the same.

A function of `__main__`, a notebook's or a nested one is pickled with the globals and cells that its code names. Doing
that for every call costs more than the call's whole way to a worker; and what it takes may be another thing the next
time. So what it takes is noted by identity, where none of it can change inside, and looked at before every call.

Guarantees:
    - `same` is True only if pickling the function again would take along the very same objects, and none of them can
      change.
Assumes:
    - cloudpickle takes the globals that the code and the code within it name, and sends modules, and what can be
      imported, by name.
Races:
    - a global changes while the function is pickled: who keeps a pickle asks `same` before and after:
      `tests/backends/test_holdings.py::test_a_global_that_changes_during_the_pickling`
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Holdings", "holdings_of"]

_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_MISSING: Final = object()
_DEEPEST: Final = 4
_MOST: Final = 64


class Holdings:
    """The objects that one function takes along, none of which can change.

    Attributes:
        names: Where a global was found, its name, and it, or a mark for its absence.
        cells: The cells, and what was in them.
        helpers: Functions among them that travel by value, too.
    """

    __slots__ = ("_code", "_defaults", "cells", "helpers", "names")

    def __init__(self, fn: types.FunctionType) -> None:
        self._code = fn.__code__
        self._defaults = fn.__defaults__
        self.names: list[tuple[dict[str, Any], str, object]] = []
        self.cells: list[tuple[types.CellType, object]] = []
        self.helpers: list[tuple[types.FunctionType, Holdings]] = []

    def same(self, fn: types.FunctionType) -> bool:
        """Whether the function still takes along the same."""
        if fn.__code__ is not self._code or fn.__defaults__ is not self._defaults:
            return False
        if fn.__dict__ or fn.__kwdefaults__ or _registered():
            return False
        for space, name, value in self.names:
            if space.get(name, _MISSING) is not value:
                return False
        for cell, value in self.cells:
            if _content(cell) is not value:
                return False
        return all(helper.same(function) for function, helper in self.helpers)


def holdings_of(fn: types.FunctionType) -> Holdings | None:
    """What a function takes along; None if any of that may change inside, or there is too much of it."""
    return _holdings_of(fn, {}, 0)


def _holdings_of(fn: types.FunctionType, known: dict[int, Holdings], depth: int) -> Holdings | None:
    """The same for a function that others may name; `known` are those which are being looked at."""
    holdings = Holdings(fn)
    known[id(fn)] = holdings
    if depth > _DEEPEST or fn.__dict__ or fn.__kwdefaults__ or _registered():
        return None
    if not all(type(value) in _ATOMS for value in fn.__defaults__ or ()):
        return None
    space = fn.__globals__
    values: list[object] = []
    for name in dict.fromkeys(_names(fn.__code__)):
        value = space.get(name, _MISSING)
        holdings.names.append((space, name, value))
        values.append(value)
    for cell in fn.__closure__ or ():
        value = _content(cell)
        holdings.cells.append((cell, value))
        values.append(value)
    if len(values) > _MOST:
        return None
    for value in values:
        if _never_changes(value):
            continue
        if not isinstance(value, types.FunctionType):
            return None
        if id(value) not in known:
            helper = _holdings_of(value, known, depth + 1)
            if helper is None:
                return None
            holdings.helpers.append((value, helper))
    return holdings


def _names(code: types.CodeType) -> Iterator[str]:
    """The names in a code and in all code within it: of globals, and of attributes, which do no harm."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _content(cell: types.CellType) -> object:
    """What is in a cell."""
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _never_changes(value: object) -> bool:
    """Whether this is nothing, an immutable value, or sent by its name."""
    kind = type(value)
    if value is _MISSING or kind in _ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return all(type(item) in _ATOMS for item in value)  # type: ignore[attr-defined]
    if kind is types.ModuleType:
        name = getattr(value, "__name__", "")
        return name != "__main__" and sys.modules.get(name) is value
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return _is_importable(value)
    return False


def _is_importable(value: Any) -> bool:
    """Whether a function or class is found by its name in a module that is not `__main__`."""
    name = getattr(value, "__module__", None)
    found: Any = sys.modules.get(name) if isinstance(name, str) and name != "__main__" else None
    if found is None:
        return False
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is value


def _registered() -> bool:
    """Whether the user has had cloudpickle send whole modules by value."""
    cloudpickle: Any = sys.modules.get("cloudpickle")
    return cloudpickle is not None and bool(cloudpickle.list_registry_pickle_by_value())
