"""Which import made this object?

A worker that imports a module makes the module's locks and queues again. So that they are the same
objects as in its parent, each is named by what both processes have in common: the module, the lines of
the call chain that leads from the module's body to the constructor, and how many were made there
before. Lines rather than a plain count, so that what only one of the two makes (under
`if __name__ == "__main__"`, say) does not shift the names of the others.

Known limits: a thread that a module starts while it is imported is not seen as part of the import;
reloading a module makes new objects.
"""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Final

__all__ = ["Key", "Place", "import_place", "numbered"]

Place = tuple[str, tuple[int, ...]]
Key = tuple[str, tuple[int, ...], int]

_MAIN: Final = ("__main__", "__mp_main__")


def import_place(*, in_worker: bool) -> Place | None:
    """Return the module that is being imported by the calling thread, and the lines that lead here.

    Args:
        in_worker: This process runs tasks for another; its own `__main__` is then not the user's, only
            what `multiprocessing` imported as `__mp_main__` is.
    """
    frame: FrameType | None = sys._getframe(1)
    lines: list[int] = []
    while frame is not None:
        # The constructors' own frames say nothing.
        if frame.f_globals.get("__package__") != __package__:
            lines.append(frame.f_lineno or 0)
        if frame.f_code.co_name == "<module>":
            name = _imported(frame, in_worker)
            if name is not None:
                return name, tuple(lines)
        frame = frame.f_back
    return None


def numbered(place: Place, seen: Counter[Place]) -> Key:
    """Tell apart objects that were made at the same place, by their order."""
    number = seen[place]
    seen[place] = number + 1
    return (*place, number)


def _imported(frame: FrameType, in_worker: bool) -> str | None:
    """Return the name of the module whose body this frame runs, if that is an import."""
    name = frame.f_globals.get("__name__")
    if not isinstance(name, str):
        return None
    if getattr(frame.f_globals.get("__spec__"), "_initializing", False):
        return name
    if name not in _MAIN or frame.f_code.co_filename.startswith("<"):
        return None
    return None if in_worker and name == "__main__" else "__main__"
