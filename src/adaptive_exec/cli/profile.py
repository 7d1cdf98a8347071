"""`adaptive-exec profile`: what one function of the user's is like, and where its calls would run."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adaptive_exec.cli.errors import CommandError

if TYPE_CHECKING:
    from adaptive_exec.model import Decision

__all__ = ["profile"]


def profile(target: str, arguments: Sequence[str], *, calls: int) -> int:
    """Call a function through the executor and print what was measured and decided.

    Args:
        target: `MODULE:FUNCTION`.
        arguments: Python literals; what is no literal is taken as a string.
        calls: How often to call it.

    Raises:
        CommandError: if there is no such function or a call of it fails.
    """
    fn = _find(target)
    values = [_value(text) for text in arguments]
    from adaptive_exec import AdaptiveExecutor

    with AdaptiveExecutor() as executor:
        for _ in range(calls):
            try:
                executor.submit(fn, *values).result()
            except Exception as error:
                raise CommandError(f"{target} failed with {type(error).__name__}: {error}") from error
        decision = executor.explain(fn)
    _print(target, decision)
    return 0


def _print(target: str, decision: Decision) -> None:
    """The profile as a small table, then the decision."""
    print(target)
    found = decision.profile
    if found is not None:
        gil = "unknown" if found.gil_ratio is None else f"{found.gil_ratio:.0%} of the CPU time"
        payload = "unknown" if found.payload_bytes is None else f"{found.payload_bytes:,} bytes"
        safe = {None: "unknown", True: "yes", False: "no"}[found.process_safe]
        print(f"  calls measured   {found.calls}")
        print(f"  wall             {found.wall * 1e3:.3f} ms")
        print(f"  CPU              {found.cpu * 1e3:.3f} ms, {found.cpu_ratio:.0%} of the time")
        print(f"  holds the GIL    {gil}")
        print(f"  payload          {payload}")
        print(f"  process-safe     {safe}")
    print(f"  where            {decision.backend}")
    print(f"  why              {decision.reason}")
    if decision.advice:
        print(f"  advice           {decision.advice}")


def _find(target: str) -> Callable[..., Any]:
    """The function that `MODULE:FUNCTION` names; the working folder comes first, as with `python -m`."""
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise CommandError(f"expected MODULE:FUNCTION, got {target!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise CommandError(f"can't import {module_name}: {error}") from error
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise CommandError(f"{module_name} has no {path}") from None
    if not callable(found):
        raise CommandError(f"{target} is a {type(found).__name__}, not a function")
    function: Callable[..., Any] = found
    return function


def _value(text: str) -> Any:
    """A Python literal, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
