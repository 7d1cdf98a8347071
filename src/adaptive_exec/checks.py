"""What users give, checked: the exception of the standard twin, and one sentence that says what to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final

from .model import DEFAULT, Options

__all__ = [
    "check_callable",
    "check_options",
    "check_size",
    "check_twin",
    "options_for",
    "subject_of",
    "twin_of",
]

RUNNABLE: Final = ("thread", "process", "loop")


def check_callable(fn: Any) -> Callable[..., Any]:
    """Refuse what can't be called."""
    if not callable(fn):
        raise TypeError(
            f"{type(fn).__name__!r} object is not callable: pass a function and its arguments separately, "
            "as in submit(f, x), not submit(f(x))"
        )
    found: Callable[..., Any] = fn
    return found


def subject_of(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a carrier of ours, such as a `@task`, stands for."""
    subject: Callable[..., Any] = getattr(fn, "__adaptive_subject__", fn)
    return subject


def twin_of(fn: Callable[..., Any]) -> Callable[..., Any] | None:
    """The coroutine function that may run on a loop in a task's place, None for most."""
    twin: Callable[..., Any] | None = getattr(fn, "__adaptive_twin__", None)
    return twin


def options_for(fn: Callable[..., Any], options: Options) -> Options:
    """What is asked for calls of a function: by the caller, and what that leaves open by the `@task` itself."""
    own: Options | None = getattr(fn, "__adaptive_options__", None)
    if own is None or own is options:
        return options
    if options == DEFAULT:
        return own
    open_here = {
        each.name for each in fields(options) if getattr(options, each.name) == getattr(DEFAULT, each.name)
    }
    return replace(options, **{name: getattr(own, name) for name in open_here})


def check_size(name: str, value: int | None) -> None:
    """Refuse sizes that make no sense, as the standard pools do."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer or None, not {type(value).__name__}")
    if value <= 0:
        raise ValueError(f"{name} must be greater than 0, not {value}: leave it out to have it chosen")


def check_options(options: Options) -> Options:
    """Refuse options that make no sense."""
    if options.backend is not None and options.backend not in RUNNABLE:
        raise ValueError(
            f"unknown backend {options.backend!r}: use one of {', '.join(map(repr, RUNNABLE))}, or None"
        )
    if options.kind not in (None, "cpu", "io"):
        raise ValueError(f"unknown kind {options.kind!r}: use 'cpu', 'io' or None")
    if options.pure not in (None, True, False):
        raise TypeError("pure must be True, False or None")
    if options.timeout is not None:
        if options.timeout == float("inf"):
            return check_options(replace(options, timeout=None))
        if not isinstance(options.timeout, (int, float)) or isinstance(options.timeout, bool):
            raise TypeError(
                f"timeout must be a number of seconds or None, not {type(options.timeout).__name__}"
            )
        if not options.timeout > 0:
            raise ValueError(f"timeout must be greater than 0, not {options.timeout}: None means no limit")
    if not isinstance(options.retries, int) or isinstance(options.retries, bool):
        raise TypeError(f"retries must be an integer, not {type(options.retries).__name__}")
    if options.retries < 0:
        raise ValueError(
            f"retries must not be negative, is {options.retries}: 0 means that a call is run once"
        )
    return options


def check_twin(fn: Any, twin: Any) -> None:
    """Refuse an async twin that could not stand in for a function."""
    fn, twin = getattr(fn, "__func__", fn), getattr(twin, "__func__", twin)
    if inspect.iscoroutinefunction(fn):
        raise TypeError("this task is a coroutine function already, and needs no async twin")
    if not inspect.iscoroutinefunction(twin):
        raise TypeError(
            f"coroutine takes an `async def` function with the task's parameters, not {type(twin).__name__}"
        )
    ours, theirs = _parameters(fn), _parameters(twin)
    if ours is not None and theirs is not None and ours != theirs:
        raise TypeError(
            f"the async twin must have the parameters of {fn.__qualname__}, ({', '.join(n for n, _, _ in ours)}), "
            f"not ({', '.join(n for n, _, _ in theirs)}), with the same defaults"
        )


def _parameters(fn: Any) -> list[tuple[str, object, object]] | None:
    """Names, kinds and defaults of a function's parameters; None if nobody can tell."""
    try:
        found = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return None
    return [(each.name, each.kind, each.default) for each in found]
