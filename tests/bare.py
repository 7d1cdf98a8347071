"""Functions that import nothing until they are called; importable by worker processes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def loaded(*names: str) -> list[str]:
    """Which of these modules this process has."""
    import sys

    return [name for name in names if name in sys.modules]


def say(text: str) -> int:
    """Log something, as the first to need `logging` here."""
    import logging

    logging.getLogger("tests.telling.log").info(text)
    return logging.getLogger("tests.telling.log").getEffectiveLevel()


def process_name() -> str:
    """What multiprocessing calls this process."""
    import multiprocessing

    return multiprocessing.current_process().name


def append(shared: Any, value: int) -> int:
    """Change a list that a manager's process holds."""
    shared.append(value)
    return len(shared)
