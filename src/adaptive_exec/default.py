"""The process-wide executor."""

from __future__ import annotations

import threading

from . import parent
from .executor import AdaptiveExecutor, executor_of_worker
from .platform.forks import run_in_forked_child

__all__ = ["get_executor", "set_executor"]

_lock = threading.Lock()
_default: AdaptiveExecutor | None = None


def get_executor() -> AdaptiveExecutor:
    """The process-wide executor, made on first use and ended at exit.

    In a worker process of an executor it has that executor's pool for its processes: what is submitted there runs
    in workers that are idle, and else in this one.
    """
    global _default
    with _lock:
        found = _default
    if found is not None:
        return found
    if parent.home is None or parent.desk is None:
        made = AdaptiveExecutor()
    else:
        made = executor_of_worker(parent.home, parent.desk)
    with _lock:
        if _default is None:
            _default = made
        return _default


def set_executor(executor: AdaptiveExecutor | None) -> None:
    """Make another executor the process-wide one.

    The one before goes on for whoever still has it; nobody ends it but its owner, or the exit.

    Args:
        executor: The new one; None means: make another on the next use.

    Raises:
        TypeError: It is not an `AdaptiveExecutor`.
    """
    global _default
    if executor is not None and not isinstance(executor, AdaptiveExecutor):
        raise TypeError(f"set_executor() takes an AdaptiveExecutor or None, not {type(executor).__name__}")
    with _lock:
        _default = executor


def _in_forked_child() -> None:
    """The parent's executor doesn't work here, and somebody may have held the lock."""
    global _default, _lock
    _lock = threading.Lock()
    _default = None


run_in_forked_child(_in_forked_child)
