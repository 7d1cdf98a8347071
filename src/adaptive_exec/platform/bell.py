"""The bell: what a process writes to have the thread woken that watches for many (`readiness.py`)."""

from __future__ import annotations

import contextlib
import os
from typing import Final

__all__ = ["RING", "ring"]

RING: Final = b"b"


def ring(bell: int) -> None:
    """Wake who listens to that descriptor, if anybody does; never waits."""
    with contextlib.suppress(OSError):  # it is full, and so will be heard; or nobody is there any more
        os.write(bell, RING)
