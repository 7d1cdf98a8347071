"""Whether there are sets in what a call is given, of which it would show that they are in another order elsewhere.

A set that has been pickled is filled anew, and strings have other hashes in another process. Reading a function's code
says of which of its arguments the order would show (`routing/orders.py`); whether there is one is looked at here.
A set of one item has only one order.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["holds_sets", "may_hold_sets", "shown_of"]

_NAMED: Final = "its argument "
_PICKLED: Final = (b"\x8f\x94", b"\x91\x94")
_LEAVES: Final = frozenset({int, float, complex, bool, str, bytes, bytearray, type(None), range})
_BY_NAME: Final = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def may_hold_sets(data: bytes) -> bool:
    """Whether there may be sets in something pickled: an empty set or a frozen one, noted for later use.

    Args:
        data: Bytes of the protocol 4 or a later one.
    """
    return _PICKLED[0] in data or _PICKLED[1] in data


def holds_sets(things: Iterable[Any]) -> bool:
    """Whether any of these is, or holds, a set of more than one item; runs no code of theirs.

    Args:
        things: Arguments, or the like.
    """
    seen: set[int] = set()
    kept: list[Any] = []  # identities of what is made anew at each look must not be used again
    todo = list(things)
    while todo:
        thing = todo.pop()
        kind = type(thing)
        if kind in _LEAVES or id(thing) in seen or issubclass(kind, _BY_NAME):
            continue
        seen.add(id(thing))
        kept.append(thing)
        if issubclass(kind, set) and set.__len__(thing) > 1:
            return True
        if issubclass(kind, frozenset) and frozenset.__len__(thing) > 1:
            return True
        todo.extend([each for each in gc.get_referents(thing) if type(each) not in _LEAVES])
    return False


def shown_of(fn: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], shown: frozenset[str]) -> list[Any]:
    """Those arguments whose order would show.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
        shown: What the reader of the code calls them.
    """
    first = int(isinstance(fn, types.MethodType))
    code = getattr(getattr(fn, "__func__", fn), "__code__", None)
    if not isinstance(code, types.CodeType) or hasattr(fn, "__wrapped__") or "its argument" in shown:
        return [*args, *kwargs.values()]
    names = code.co_varnames[first : code.co_argcount]
    found = [value for name, value in zip(names, args, strict=False) if _NAMED + name in shown]
    if "its arguments" in shown:
        found.extend(args[len(names) :])
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for name, value in kwargs.items():
        if _NAMED + name in shown or (name not in known and "its keyword arguments" in shown):
            found.append(value)
    return found
