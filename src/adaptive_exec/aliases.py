"""Whether two values share something that can change: then a copy of one of them would be another answer.

Looked at are lists, dicts, sets, instances and whatever else the garbage collector can look into; not what stands for
itself wherever it is pickled (classes, functions, modules, members of enumerations), and not what never changes.

Guarantees: no code of what is looked at runs, so it neither raises nor has effects, whatever a class has in the place
    of `__class__`, `__getattr__` and the like. Hence `type` and its descriptors instead of `isinstance` and `getattr`.
"""

from __future__ import annotations

import enum
import gc
import types
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["parts_of", "shares"]

_MOST: Final = 4000
_LONGEST: Final = 100_000
_PLAIN: Final = frozenset(
    {int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, slice}
)
_BY_NAME: Final = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
_NEVER_CHANGE: Final = frozenset(
    {"datetime", "decimal", "fractions", "uuid", "pathlib", "pathlib._local", "ipaddress", "zoneinfo", "re"}
)

_descriptors: Final = vars(type)
_attributes: Final = _descriptors["__dict__"].__get__
_bases: Final = _descriptors["__mro__"].__get__
_module: Final = _descriptors["__module__"].__get__
_name: Final = _descriptors["__name__"].__get__
_room_for_attributes: Final = _descriptors["__dictoffset__"].__get__


def parts_of(things: Iterable[Any]) -> dict[int, Any] | None:
    """What these are made of, by identity; None if that is too much to look at.

    Args:
        things: Arguments, or the like.
    """
    found: dict[int, Any] = {}
    todo = list(things)
    while todo:
        thing = todo.pop()
        kind = type(thing)
        if kind in _PLAIN or id(thing) in found or issubclass(kind, _BY_NAME):
            continue
        if issubclass(type(kind), enum.EnumMeta):
            continue
        found[id(thing)] = thing
        inside = gc.get_referents(thing)
        if _is_frozen(kind):
            inside = [each for one in inside for each in (one.values() if type(one) is dict else (one,))]
        if len(inside) > _LONGEST:
            return None
        todo.extend([each for each in inside if type(each) not in _PLAIN])
        if len(found) + len(todo) > _MOST:
            return None
        if kind is memoryview:
            todo.append(thing.obj)
        elif _module(kind) == "numpy" and _name(kind) == "ndarray":
            todo.append(thing.base)
    return found


def shares(value: Any, parts: dict[int, Any]) -> bool:
    """Whether a value holds one of these parts, or is one, that can change; False if it is too much to look at.

    Args:
        value: What a call returned.
        parts: Of what it was given, from `parts_of`.
    """
    held = parts_of((value,))
    if not parts or held is None:
        return False
    return any(number in parts and _changes(thing) for number, thing in held.items())


def _changes(thing: Any) -> bool:
    """Whether there is anything about it that can change, apart from what it holds."""
    kind = type(thing)
    if kind in (tuple, frozenset) or _module(kind) in _NEVER_CHANGE:
        return False
    if issubclass(kind, (tuple, frozenset, str, bytes, int, float)) and not _room_for_attributes(kind):
        return False
    return not _is_frozen(kind)


def _is_frozen(kind: type) -> bool:
    """Whether it is a dataclass whose attributes stay as they are."""
    for base in _bases(kind):
        if "__dataclass_params__" in _attributes(base):
            return getattr(_attributes(base)["__dataclass_params__"], "frozen", False) is True
    return False
