"""Classes whose objects are given to functions of other modules, and leave traces in roundabout ways."""

from __future__ import annotations

from .quiet import Quiet


class Loud(Quiet):
    """What it inherits calls what it has of its own."""

    def factor(self) -> int:
        Noted.log.append(1)
        return 3


class Noted:
    """Where that is noted."""

    log: list[int] = []  # noqa: RUF012


class Asking:
    """Answers whatever is asked, and notes it."""

    def __getattr__(self, name: str) -> int:
        if name.startswith("__"):
            raise AttributeError(name)
        Noted.log.append(1)
        return 1
