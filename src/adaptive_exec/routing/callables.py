"""What a call is given that can be called: functions and classes among its arguments, and in what these hold.

A function that calls what it is given, or hands it to code that may, is read together with it, as if it named it.
A verdict that rests on such a reading holds for those functions; so they are told apart by what a reading depends on:
what a worker finds by its name is itself, and what is made anew for each call is its code.

Guarantees: no code of what is looked at runs; where something could be called that can't be read, that is said.
"""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .environment import current, never_changes
from .kinds import brought_by, has_any, is_ever_ours, reached_from

__all__ = ["Callables", "Callee", "callables_of_call", "code_of", "place_of"]

_CALLED: Final = ("__call__",)
_GETTERS: Final = (operator.itemgetter, operator.attrgetter)
_WRAPPED: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """Something that may be called, equal to another one of which a reading says the same.

    Attributes:
        value: The function or class itself.
        key: What a reading depends on.
    """

    value: Any
    key: tuple[object, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callee) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class Callables:
    """All that a call is given that can be called.

    Attributes:
        callees: Each of them.
        held: Whether an attribute of something given may be one.
    """

    callees: frozenset[Callee] = frozenset()
    held: bool = False


def callables_of_call(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], kinds: frozenset[type] | None
) -> Callables | None:
    """What a call is given that can be called.

    Args:
        fn: What is called: with it come the object of a method, what a partial has bound, a closure and defaults.
        args: Positional arguments.
        kwargs: Keyword arguments.
        kinds: The classes of all that, as `kinds.kinds_of_call` says; None if not all can be looked at.

    Returns:
        Them; None if there may be others that can't be read, as objects with a `__call__`, or methods.
    """
    if kinds is None:
        return None
    if not has_any(kinds, _CALLED):
        return Callables()
    things = reached_from((*args, *kwargs.values(), *brought_by(fn)))
    return None if things is None else _callables_among(things)


def _callables_among(things: Iterable[Any]) -> Callables | None:
    """Those that can be called; None if one of them can't be read."""
    callees: set[Callee] = set()
    held = False
    asked: dict[type, bool] = {}
    for thing in things:
        kind = type(thing)
        if kind not in asked:
            asked[kind] = has_any((kind,), _CALLED)
            held = held or (
                kind is not types.FunctionType and (is_ever_ours(kind) or has_any((kind,), ("",)))
            )
        if asked[kind] and not _is_alias(kind):
            callee = _callee(thing)
            if callee is None:
                return None
            callees.add(callee)
            held = held or (kind is types.FunctionType and bool(thing.__dict__))
    return Callables(frozenset(callees), held)


def _is_alias(kind: type) -> bool:
    """Whether things of a class call what they stand for, which is reached, too: `list[int]`."""
    return kind is types.GenericAlias or kind.__module__ == "typing"


def _callee(thing: Any) -> Callee | None:
    """One that can be called; None if nobody knows what that would do."""
    kind = type(thing)
    if kind is types.FunctionType:
        return _function(thing)
    if kind is types.BuiltinFunctionType:
        of_module = thing.__self__ is None or isinstance(thing.__self__, types.ModuleType)
        return Callee(thing, (thing,)) if of_module else None
    if kind in _GETTERS:
        return Callee(thing, (kind, *thing.__reduce__()[1]))
    if issubclass(kind, type) or kind is types.MethodDescriptorType:
        return Callee(thing, (id(thing), kind))
    return None


def _function(fn: types.FunctionType) -> Callee | None:
    """A function by its name; or by its code, if that and what it holds is all that it is."""
    if place_of(fn) is not None:
        return Callee(fn, (fn,))
    if fn.__module__ != fn.__globals__.get("__name__") or _is_somewhere(fn):
        return None  # a worker may find another one by its name
    defaults = (fn.__defaults__, *(fn.__kwdefaults__ or {}).values())
    alone = not fn.__dict__ and all(map(never_changes, defaults))
    if not alone or (fn.__closure__ and "<locals>" not in fn.__qualname__):
        return None
    return Callee(fn, (id(fn.__globals__), *map(id, code_of(fn))))


def place_of(thing: Any) -> tuple[Mapping[str, Any], str, str] | None:
    """Where a function or class stands under its own name, if it does: its namespace, its module, and the name there.

    Args:
        thing: The function or class.
    """
    function = isinstance(thing, types.FunctionType)
    module: Any = thing.__globals__.get("__name__") if function else thing.__module__
    path: str = thing.__qualname__
    holder, _, name = path.rpartition(".")
    try:
        owner: Any = current(module, holder) if holder else sys.modules.get(module)
        return (vars(owner), module, path) if vars(owner).get(name) is thing else None
    except (TypeError, ValueError):
        return None


def _is_somewhere(fn: types.FunctionType) -> bool:
    """Whether a function is found by its name, though it does not stand there itself, as static methods don't."""
    try:
        return current(fn.__module__, fn.__qualname__) is fn
    except ValueError:
        return False


def code_of(fn: types.FunctionType) -> tuple[types.CodeType, ...]:
    """A function's code, and that of what it wraps.

    Args:
        fn: The function.
    """
    found: list[types.CodeType] = []
    inner: Any = fn
    while isinstance(inner, types.FunctionType) and len(found) < _WRAPPED:
        found.append(inner.__code__)
        inner = inner.__dict__.get("__wrapped__")
    return tuple(found)
