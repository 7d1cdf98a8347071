"""What a function that travels by value takes along, so that its pickle can be used again while that is the same.

A function of `__main__`, a notebook's or a nested one is pickled with the globals and cells that its code names. Doing
that for every call costs more than the call's whole way to a worker; and what it takes may be another thing the next
time. So what it takes is noted by identity, where none of it can change inside, and looked at before every call.

Guarantees:
    - `same` is True only if pickling the function again would take along the very same objects, and none of them can
      change.
    - Neither the function is kept alive nor anything that leads to it: its globals, its cells, its helpers.
Assumes:
    - cloudpickle takes the globals that the code and the code within it name, the submodules of packages among them
      that the code names, and what the function is called, documented and annotated with; it sends modules, and
      what can be imported, by name.
Races:
    - a global changes while the function is pickled, and is changed back: who keeps a pickle has seen it come out twice
      alike, with the same holdings before and after each: `call.py`,
      `tests/backends/test_holdings.py::test_a_global_that_changes_during_the_pickling`
    - another thread is just importing cloudpickle, whose module is there but empty: then nothing is used again:
      `tests/backends/test_holdings.py::test_while_another_thread_imports_cloudpickle`
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, Final

__all__ = ["Holdings", "holdings_of"]

_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_MISSING: Final = object()
_ITSELF: Final = object()
_ABOUT_THE_MODULE: Final = ("__package__", "__name__", "__path__", "__file__")
_DEEPEST: Final = 4
_MOST: Final = 64


class Holdings:
    """The objects that one function takes along, none of which can change.

    Attributes:
        names: Its globals by name; a mark for those that are not there.
        cells: What is in its cells, in order; a mark for the function itself.
        helpers: Those of its globals that travel by value, too, and what they take along; None if that is being
            looked at already.
        submodules: Modules that its code may mean by attributes of packages; a mark for those that are not loaded.
    """

    __slots__ = ("_about", "_annotations", "_code", "cells", "helpers", "names", "submodules")

    def __init__(self, fn: types.FunctionType, annotations: dict[str, Any]) -> None:
        self._code = fn.__code__
        self._about = _about(fn)
        self._annotations = annotations
        self.names: list[tuple[str, object]] = []
        self.cells: list[object] = []
        self.helpers: list[tuple[str, weakref.ref[types.FunctionType], Holdings | None]] = []
        self.submodules: list[tuple[str, object]] = []

    def same(self, fn: types.FunctionType) -> bool:
        """Whether the function still takes along the same."""
        if fn.__code__ is not self._code or fn.__dict__ or fn.__kwdefaults__ or _registered():
            return False
        if not _alike(_about(fn), self._about) or not self._same_annotations(fn):
            return False
        space = fn.__globals__
        for name, value in self.names:
            if space.get(name, _MISSING) is not value:
                return False
        for name, value in self.submodules:
            if sys.modules.get(name, _MISSING) is not value:
                return False
        if not _alike(_cells(fn), self.cells):
            return False
        for name, helper, holdings in self.helpers:
            function: types.FunctionType | None = helper()
            if function is None:
                return False
            found: object = space.get(name)
            if found is not function or not (holdings is None or holdings.same(function)):
                return False
        return True

    def _same_annotations(self, fn: types.FunctionType) -> bool:
        """Whether it is annotated with the very same objects."""
        now, then = _annotations(fn), self._annotations
        return now is not None and _alike(now, then) and _alike(now.values(), then.values())


def holdings_of(fn: types.FunctionType) -> Holdings | None:
    """What a function takes along; None if any of that may change inside, or there is too much of it."""
    return _holdings_of(fn, set(), 0)


def _holdings_of(fn: types.FunctionType, known: set[int], depth: int) -> Holdings | None:
    """The same for a function that others may name; `known` are those which are being looked at."""
    known.add(id(fn))
    annotations = _annotations(fn)
    if depth > _DEEPEST or fn.__dict__ or fn.__kwdefaults__ or annotations is None or _registered():
        return None
    if getattr(fn, "__type_params__", ()) or not all(
        map(_never_changes, (*_about(fn), *annotations.values()))
    ):
        return None
    holdings = Holdings(fn, annotations)
    names = list(dict.fromkeys(_names(fn.__code__)))
    holdings.cells = _cells(fn)
    if len(names) + len(holdings.cells) > _MOST:
        return None
    if not all(content is _ITSELF or _never_changes(content) for content in holdings.cells):
        return None
    for name in names:
        value = fn.__globals__.get(name, _MISSING)
        if _never_changes(value):
            holdings.names.append((name, value))
            if isinstance(value, types.ModuleType):
                holdings.submodules += _submodules(value.__name__, names)
        elif isinstance(value, types.FunctionType):
            helper = None
            if id(value) not in known:
                helper = _holdings_of(value, known, depth + 1)
                if helper is None:
                    return None
            holdings.helpers.append((name, weakref.ref(value), helper))
        else:
            return None
    return holdings


def _about(fn: types.FunctionType) -> list[object]:
    """What is pickled of every function."""
    space = fn.__globals__
    about: list[object] = [fn.__defaults__, fn.__name__, fn.__qualname__, fn.__module__, fn.__doc__]
    about += [space.get(name, _MISSING) for name in _ABOUT_THE_MODULE]
    return about


def _annotations(fn: types.FunctionType) -> dict[str, Any] | None:
    """Its annotations as they are now; None if they can't be told, since they name what is not there yet."""
    try:
        return dict(fn.__annotations__)
    except Exception:
        return None


def _alike(some: Iterable[object], others: Iterable[object]) -> bool:
    """Whether these are the very same objects, or equal texts."""
    left, right = list(some), list(others)
    return len(left) == len(right) and all(
        one is other or (type(one) is type(other) is str and one == other)
        for one, other in zip(left, right, strict=True)
    )


def _names(code: types.CodeType) -> Iterator[str]:
    """The names in a code and in all code within it: of globals, and of attributes, which do no harm."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _cells(fn: types.FunctionType) -> list[object]:
    """What is in its cells; a mark where that is the function itself, and one where there is nothing."""
    contents: list[object] = []
    for cell in fn.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            content = _MISSING
        contents.append(_ITSELF if content is fn else content)
    return contents


def _submodules(package: str, names: list[str]) -> Iterator[tuple[str, object]]:
    """What the code may mean by attributes of a module, as far as it is loaded, and whether it is."""
    for name in names:
        full = f"{package}.{name}"
        module = sys.modules.get(full, _MISSING)
        yield full, module
        if module is not _MISSING:
            yield from _submodules(full, [other for other in names if other != name])


def _never_changes(value: object) -> bool:
    """Whether this is nothing, an immutable value, or sent by its name."""
    kind = type(value)
    if value is _MISSING or value is type(None) or kind in _ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return all(type(item) in _ATOMS for item in value)  # type: ignore[attr-defined]
    if isinstance(value, (types.GenericAlias, types.UnionType)):
        return all(map(_never_changes, (getattr(value, "__origin__", None), *value.__args__)))
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
    """Whether the user has had cloudpickle send whole modules by value, or may have: it is being imported."""
    if (cloudpickle := sys.modules.get("cloudpickle")) is None:
        return False
    registry = getattr(cloudpickle, "list_registry_pickle_by_value", None)
    return registry is None or bool(registry())
