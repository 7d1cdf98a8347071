"""The filters of warnings, across the border: those of the parent hold in its workers, and are told when they change.

Guarantees: no module is imported for the sake of a filter.
Assumes: `warnings` asks whether one category is part of another by `issubclass`.
Races: filters that are changed while they are copied are copied again before the next call.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

__all__ = ["Filter", "adopt_filters", "current_filters", "latest_filters"]

Filter = tuple[str, "str | re.Pattern[str] | None", tuple[str, str], "str | re.Pattern[str] | None", int]

_latest: tuple[list[Any], list[Filter]] = ([], [])


def latest_filters() -> list[Filter]:
    """This process's filters; the same object for as long as nothing in them changes. Not to be changed."""
    global _latest
    seen, found = _latest
    if seen != warnings.filters:
        seen = list(warnings.filters)
        found = current_filters()
        _latest = seen, found
    return found


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
