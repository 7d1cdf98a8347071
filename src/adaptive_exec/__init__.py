"""One executor that measures each task and runs it on threads, in processes or on an asyncio loop.

The names are loaded when they are first used: a spawned worker imports this module too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors as errors
    from .default import get_executor, set_executor
    from .executor import AdaptiveExecutor
    from .futures import Future
    from .groups import TaskGroup
    from .model import Decision, Profile
    from .observe.stats import ExecutorStats
    from .primitives import Lock, Queue
    from .task import task

_HOMES = {
    "AdaptiveExecutor": ".executor",
    "Decision": ".model",
    "ExecutorStats": ".observe.stats",
    "Future": ".futures",
    "Lock": ".primitives",
    "Profile": ".model",
    "Queue": ".primitives",
    "TaskGroup": ".groups",
    "get_executor": ".default",
    "set_executor": ".default",
    "task": ".task",
}

__all__ = [
    "AdaptiveExecutor",
    "Decision",
    "ExecutorStats",
    "Future",
    "Lock",
    "Profile",
    "Queue",
    "TaskGroup",
    "errors",
    "get_executor",
    "set_executor",
    "task",
]

__version__ = "0.1.0.dev0"


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module(".errors", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(home, __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
