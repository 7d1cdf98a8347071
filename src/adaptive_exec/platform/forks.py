"""What has to be put right in the child when the user's program forks."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["run_in_forked_child"]


def run_in_forked_child(callback: Callable[[], None]) -> None:
    """Call `callback` in the child after every `os.fork`; does nothing where there is no fork."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=callback)
