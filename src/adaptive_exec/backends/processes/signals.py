"""What decimals have signalled in a call: at home flags would be up in the caller's context, so they go there.

At home a call runs in a copy of its caller's context variables, and finds the caller's own context of decimals in it if
there is one. So a call in a worker has a copy of the worker's context to itself, with no flag up, in which it also may
leave another one; and the flags that are up when it ends go home before its result.

Guarantees: a program that has not loaded `decimal` pays nothing for it.
Assumes: the precision and the rest are the caller's already (`contexts.py`).
Races: none of its own: who raises flags holds the crew's lock, and nobody here lowers any.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Signals", "raise_flags"]


class Signals:
    """One call's flags."""

    __slots__ = ("_context",)

    def __init__(self) -> None:
        self._context = contextvars.copy_context()

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Make the call."""
        return self._context.run(_apart, fn, args, kwargs)

    def raised(self) -> tuple[str, ...]:
        """The names of the flags that are up."""
        decimal: Any = sys.modules.get("decimal")
        if decimal is None:
            return ()
        flags = self._context.run(decimal.getcontext).flags
        return tuple(signal.__name__ for signal, up in flags.items() if up)


def _apart(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Make a call with a context of decimals of its own."""
    decimal: Any = sys.modules.get("decimal")
    if decimal is not None:
        own = decimal.getcontext().copy()
        own.clear_flags()
        decimal.setcontext(own)
    return fn(*args, **kwargs)


def raise_flags(context: contextvars.Context, names: tuple[Any, ...]) -> None:
    """In the parent: as the call would have done here, where its caller sees it.

    Args:
        context: The one that the call would have run in.
        names: Of the signals, as a worker says; whatever else is among them is passed over.
    """
    decimal: Any = sys.modules.get("decimal")
    if decimal is None:
        return  # then nobody has a context
    try:
        flags = context.run(decimal.getcontext).flags
    except RuntimeError:
        return  # somebody runs in it, who has been given the result before
    up = {name for name in names if type(name) is str}
    for signal in flags:
        if signal.__name__ in up:
            flags[signal] = True
