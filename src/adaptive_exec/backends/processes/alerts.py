"""Warnings across the border: what a worker warns of is a warning of its parent's.

The parent's filters, as they were when the call was sent, decide in the worker first (`filters.py`): what they ignore
is not sent, what they make an error is raised by the call itself. What is to be shown is sent, and goes
through the parent's filters of that moment.

Guarantees:
    - Category, text, file and line arrive as they were; of a category that can't travel, its nearest base
      that can.
    - Several workers that say the same thing are heard once, where one module at home would be.
Races: none of its own; the order of warnings and results is argued in `relay.py`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

from ... import pickling
from . import wire
from .filters import Filter, adopt_filters, current_filters

__all__ = ["Filter", "Heard", "adopt_filters", "current_filters", "show_at_home"]

MOST_FILES: Final = 1000


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
