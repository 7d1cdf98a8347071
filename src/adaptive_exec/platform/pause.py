"""Leaving the core to others for a moment."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["yield_core"]


def _sleep_shortly() -> None:
    """What there is where no thread can yield."""
    time.sleep(0)


yield_core: Final[Callable[[], Any]] = getattr(os, "sched_yield", _sleep_shortly)
"""Let another thread or process run, if one wants to; return at once otherwise."""
