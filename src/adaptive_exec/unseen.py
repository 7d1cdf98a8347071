"""Failures that nobody ever looks at: they are logged, once, when nobody can look any more.

Guarantees: a call that succeeds pays nothing for it.
Assumes: what a future leads to goes with it, now or when the garbage collector comes by; on whichever thread.
"""

from __future__ import annotations

import logging

__all__ = ["Unseen"]

_log = logging.getLogger("adaptive_exec")


class Unseen:
    """Goes with a future that has failed, and tells of that unless somebody has seen it.

    Args:
        error: How it failed.
        name: What has failed, for people.
    """

    __slots__ = ("_error", "_name")

    def __init__(self, error: BaseException, name: str) -> None:
        self._error: BaseException | None = error
        self._name = name

    def seen(self) -> None:
        """Somebody has looked."""
        self._error = None

    def __del__(self) -> None:
        error = self._error
        if error is not None:
            _log.error(
                "adaptive_exec: %s failed, and nobody asked its future for the result: %s: %s",
                self._name,
                type(error).__name__,
                error,
                exc_info=error,
            )
