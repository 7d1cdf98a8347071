"""What speaks against sending one call away: not its function, but what it is given this time."""

from __future__ import annotations

import functools
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from .safety import judge

__all__ = ["objection"]

_PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_KEPT: Final = 256
_judged: OrderedDict[types.CodeType, str] = OrderedDict()


def objection(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
    """Why this call must stay, as a clause; None if nothing is seen.

    Looks at the arguments themselves and not into them: it is asked before every call that is to leave.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    for value in (*args, *kwargs.values()):
        kind = type(value)
        if kind in _PLAIN:
            if kind is float and value != value:
                return (
                    "is given a NaN, which is only equal to itself by identity, and a worker would get a copy"
                )
            continue
        if kind is object:
            return "is given an object whose identity is all there is to it, and a worker would get a copy"
        if kind is types.FunctionType:
            why = _verdict(value)
            if why:
                return f"is given a function that {why}"
        elif not isinstance(value, (type, types.ModuleType)) and _is_own(fn, value):
            return "is given an object that it knows as a global, too, and a worker would get a copy"
    return None


def _verdict(fn: types.FunctionType) -> str:
    """Why a function must stay; empty if it may leave. Asked once for all that have the same code."""
    code = fn.__code__
    known = _judged.get(code)
    if known is None:
        known = _judged[code] = judge(fn).reason
        if len(_judged) > _KEPT:
            _judged.popitem(last=False)
    return known


def _is_own(fn: Any, value: object) -> bool:
    """Whether an argument is the very object that a global is which the function names, so that it could tell."""
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType):
        return False
    names = fn.__globals__
    return any(names.get(name) is value for name in _names(fn.__code__))


@functools.lru_cache(_KEPT)
def _names(code: types.CodeType) -> frozenset[str]:
    """The names of globals and attributes in a piece of code, and in what it defines."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(code.co_names).union(*inner)
