"""Warnings across the border: what a worker warns of is a warning of its parent's.

The parent's filters, as they were when the worker started, decide in the worker first: what they ignore is
not sent, what they make an error is raised by the call itself. What is to be shown is sent, and goes
through the parent's filters of that moment.

Guarantees:
    - Category, text, file and line arrive as they were; of a category that can't travel, its nearest base
      that can.
    - Several workers that say the same thing are heard once, where one module at home would be.
    - No module is imported for the sake of a filter.
Assumes:
    - `warnings` asks whether one category is part of another by `issubclass`.
Races: none of its own; the order of warnings and results is argued in `relay.py`.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

from ... import pickling
from . import wire

__all__ = ["Filter", "Heard", "adopt_filters", "current_filters", "show_at_home"]

Filter = tuple[str, "str | re.Pattern[str] | None", tuple[str, str], "str | re.Pattern[str] | None", int]

MOST_FILES: Final = 1000


def current_filters() -> list[Filter]:
    """This process's filters, with categories by their names."""
    found: list[Filter] = []
    for action, message, category, module, line in list(warnings.filters):
        patterns = (message, module)
        if isinstance(category, type) and all(isinstance(p, (str, re.Pattern, type(None))) for p in patterns):
            named = (category.__module__, category.__qualname__)
            found.append((action, message, named, module, line))  # type: ignore[arg-type, unused-ignore]
    return found


def adopt_filters(filters: list[Filter]) -> None:
    """Make the parent's filters this process's own."""
    warnings.resetwarnings()
    warnings.filters[:] = [  # type: ignore[index, unused-ignore]
        (action, message, _category(*named), module, line) for action, message, named, module, line in filters
    ]


def _category(module: str, name: str) -> type[Warning]:
    """The class, if its module is here; else something that stands for it until it is."""
    found: Any = sys.modules.get(module) if module != "__main__" else None
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Warning):
        return found
    stands_for: Any = _Named(name, (Warning,), {"__module__": module})
    return stands_for  # type: ignore[no-any-return]


class _Named(type):
    """A category that is known by its name: its module is only imported if somebody uses it."""

    def __subclasscheck__(cls, kind: type) -> bool:
        return any(
            base.__module__ == cls.__module__ and base.__qualname__ == cls.__qualname__
            for base in kind.__mro__
        )


def show_at_home(note: Callable[[bytes], object]) -> None:
    """Have the parent show what this process would show."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        if file is not None:
            file.write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        where = (str(filename), int(lineno), _module_of(filename))
        note(wire.encode(wire.Kind.WARNING, _packed(message, category), *where))

    warnings.showwarning = show


def _module_of(filename: str) -> str | None:
    """The name of the module that warns, by which filters may go; it is on the stack."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == filename:
            name = frame.f_globals.get("__name__")
            return name if isinstance(name, str) else None
        frame = frame.f_back
    return None


def _packed(message: Warning | str, category: type[Warning]) -> bytes:
    """A warning in a form that is known to arrive: (text, category), or the warning itself as its own category."""
    text = str(message)
    for what in (message if isinstance(message, Warning) else None, *category.__mro__):
        if what is None:
            continue
        try:
            data = pickling.dumps((text, what), home=True)
            pickling.loads(data)
        except Exception:
            continue
        return data
    return pickling.dumps((text, Warning))


class Heard:
    """In the parent: the warnings of one pool's workers."""

    def __init__(self) -> None:
        self._registries: dict[str, dict[Any, Any]] = {}

    def show(self, data: bytes, filename: str, lineno: int, module: str | None) -> None:
        """Warn again, here."""
        text, what = pickling.loads(data)
        message, category = (what, type(what)) if isinstance(what, Warning) else (text, what)
        if len(self._registries) > MOST_FILES:
            self._registries.clear()
        registry = self._registries.setdefault(filename, {})
        try:
            warnings.warn_explicit(message, category, filename, lineno, module, registry)
        except Warning:
            # Made an error since the worker started. Its call has gone on, so there is nobody to raise it for.
            warnings.showwarning(message, category, filename, lineno)
