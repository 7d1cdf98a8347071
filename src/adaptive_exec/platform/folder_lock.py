"""A lock on a folder, held by one process at a time where the system has such locks; it leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["folder_lock"]

WAIT_SECONDS: Final = 2.0
_NAP_SECONDS: Final = 0.01


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock meanwhile; whoever ends, however, lets it go.

    Args:
        folder: It exists.

    Yields:
        Whether it is held: not where the system can't lock folders, nor if somebody holds it for very long.
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    flock: Any = fcntl.flock
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield _locked(lambda: flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
    finally:
        os.close(fd)


def _locked(try_it: Any) -> bool:
    """Try for a while."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            try_it()
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_NAP_SECONDS)
        except OSError:  # a file system without locks
            return False
        else:
            return True
