"""Doing something when a module is imported, for the sake of programs that never import it.

A worker process is to resemble its parent in what `logging` and `multiprocessing` keep, too. To load them takes as
long as everything else that a worker loads, and most calls need neither. So what has to be set there is set
when somebody imports them.

Guarantees:
    - What is to be done is done once: at once if the module is there, else right after its code has run and before
      whoever imports it goes on. In a forked copy it is done there.
    - Afterwards the module is as if nobody had been there: its loader is its own.
    - An import that fails is no import: the next one counts.
Assumes:
    - The import system holds a module's own lock while it looks for it and runs it.
    - No other thread is in the middle of importing it when this is asked for, as none is when a process begins.
Races:
    - two threads import it at once: the import system lets one after the other, and the second finds it there:
      `tests/platform/test_imports.py::test_two_threads_import_it`
    - another thread goes through the finders while this one steps back: it goes through the list as it was:
      `tests/platform/test_imports.py::test_somebody_goes_through_the_finders`
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

__all__ = ["when_imported"]


def when_imported(name: str, act: Callable[[], object]) -> None:
    """Do something as soon as a module has been imported; what that raises, the import raises.

    Args:
        name: The module's full name.
        act: Called without arguments, inside the import.
    """
    if name in sys.modules:
        act()
    else:
        sys.meta_path = [_Watch(name, act), *sys.meta_path]


class _Watch:
    """A finder that finds nothing of its own, but sees who is looked for."""

    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self._name = name
        self._act = act
        self._done = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """The spec that the others find, with a loader that tells when it is done."""
        if name != self._name or self._done:
            return None
        for finder in sys.meta_path:
            found: Any = finder.find_spec(name, path, target) if finder is not self else None
            if found is not None:
                if hasattr(found.loader, "exec_module"):
                    found.loader = _Loader(found.loader, self)
                return found
        return None

    def imported(self) -> None:
        """The module has been imported."""
        if self._done:
            return
        self._done = True
        # Another list: a thread that is going through this one would miss the next finder.
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
        self._act()


class _Loader:
    """A module's loader, until it has loaded it."""

    def __init__(self, loader: Any, watch: _Watch) -> None:
        self._loader = loader
        self._watch = watch

    def create_module(self, spec: Any) -> ModuleType | None:
        """As the module's own loader does."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: Any) -> None:
        """Run the module's code, step back, and tell."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._watch.imported()
