"""What a worker was told of its parent, kept for whoever asks for it later.

Most workers never use a shared primitive, nor submit calls of their own, so they start without loading what does
that; it looks here when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

__all__ = ["desk", "home", "unfinished", "waiting"]

home: bytes | None = None
"""The pickled address of the parent's primitives; None in a process that is nobody's worker."""

desk: int | None = None
"""The number of the desk of this worker's pool, at that address; None in a process that is nobody's worker."""

waiting: Callable[[], AbstractContextManager[object]] | None = None
"""In a worker, what a thread enters while it waits for long, so that the parent may have somebody stand in."""

unfinished: Callable[[], bool] | None = None
"""In a worker, whether calls have submitted calls there that have not ended; None if none ever has."""
