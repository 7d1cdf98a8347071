"""Whether a coroutine could run on another event loop as well as on the one it ran on so far.

Sessions, sockets, locks and tasks belong to the loop on which they were made. A coroutine function whose code can
reach none that stood there before the call makes all it needs itself, on whatever loop that is. So what it
reaches is looked through: the globals it names, the functions and classes behind them, its closure, its
defaults, its arguments. Only code and values that can't change may be there.

Guarantees:
    - No code of the user's runs, and nothing is changed. In doubt there is a root.
Assumes:
    - Foreign modules keep what belongs to a loop by that loop, as they must for two loops in one program.
Races: none; what is rebound while it is looked at counts as one or the other.
"""

from __future__ import annotations

import enum
import functools
import logging
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .environment import never_changes

__all__ = ["root_of"]

_MOST: Final = 2000
_LOGGERS: Final = (logging.Logger, logging.RootLogger)
_PARTS: Final = (tuple, list, dict, set, frozenset)


def root_of(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
    """What may bind a call to the loop on which its function ran so far; None if nothing does.

    Args:
        fn: The coroutine function.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Returns:
        Its name, for people.
    """
    todo: list[tuple[str, Any]] = [("the function", fn)]
    todo += [(f"argument {number}", value) for number, value in enumerate(args, 1)]
    todo += [(f"argument {name}", value) for name, value in kwargs.items()]
    seen: set[int] = set()
    while todo:
        name, value = todo.pop()
        if id(value) in seen or never_changes(value):
            continue
        if len(seen) >= _MOST:
            return "more than can be looked through"
        seen.add(id(value))
        inside = _inside(name, value)
        if inside is None:
            return name
        todo += inside
    return None


def _inside(name: str, value: Any) -> list[tuple[str, Any]] | None:
    """What has to be looked at behind something; None if it is neither code nor a container."""
    kind = type(value)
    if kind in _PARTS:
        items = value.values() if kind is dict else value
        # Containers that are no arguments could be filled by anybody later.
        return [(name, each) for each in items] if name.startswith("argument") else None
    if kind is functools.partial:
        parts = [value.func, *value.args, *value.keywords.values()]
        return [(name, each) for each in parts]
    if kind is types.FunctionType:
        return list(_behind(value)) if _is_own(value.__module__) else []
    if isinstance(value, enum.EnumMeta):
        members: dict[str, Any] = vars(value).get("_member_map_", {})
        return [(f"{name}.{each}", member) for each, member in members.items()]
    if isinstance(value, type):
        return list(_members(value)) if _is_own(value.__module__) else []
    if isinstance(value, types.BuiltinFunctionType):
        return [] if isinstance(value.__self__, types.ModuleType | None) else None
    if isinstance(value, enum.Enum):
        return [(name, value._value_)]
    return [] if kind is types.ModuleType or kind in _LOGGERS else None


def _behind(fn: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function's code can reach by name."""
    names = _names(fn.__code__)
    for name in names:
        if name in fn.__globals__:
            found = fn.__globals__[name]
            yield name, found
            if isinstance(found, types.ModuleType) and _is_own(found.__name__):
                for each in names & vars(found).keys():
                    yield f"{name}.{each}", vars(found)[each]
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            yield name, cell
    for value in (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()):
        yield f"a default of {fn.__qualname__}", value
    wrapped = fn.__dict__.get("__wrapped__")
    if wrapped is not None:
        yield fn.__qualname__, wrapped


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """What stands in a class of the user's, and in those it is built on."""
    for base in type.mro(kind):
        for name, value in list(vars(base).items()) if _is_own(base.__module__) else ():
            if name.startswith("__") and name.endswith("__") and not callable(value):
                continue
            for each in _functions(value):
                yield f"{base.__qualname__}.{name}", each


def _functions(value: Any) -> tuple[Any, ...]:
    """What of something in a class can be code: of a property its functions, of a place for data nothing."""
    if isinstance(value, (staticmethod, classmethod)):
        return (value.__func__,)
    if isinstance(value, property):
        return (value.fget, value.fset, value.fdel)
    if isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType)):
        return ()
    return (value,)


@functools.lru_cache(256)
def _names(code: types.CodeType) -> frozenset[str]:
    """The names of globals and attributes in a piece of code, and in what it defines."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


def _is_own(module: str | None) -> bool:
    """Whether a module is not the standard library's."""
    return (module or "").partition(".")[0] not in sys.stdlib_module_names
