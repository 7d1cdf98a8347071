"""Whether this interpreter has a GIL at the moment."""

from __future__ import annotations

import sys

__all__ = ["gil_enabled"]


def gil_enabled() -> bool:
    """False on a free-threaded build that runs without its GIL (an extension may switch it on again)."""
    probe = getattr(sys, "_is_gil_enabled", None)
    return True if probe is None else bool(probe())
