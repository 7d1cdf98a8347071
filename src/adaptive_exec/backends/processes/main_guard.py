"""The missing `if __name__ == "__main__":`, named where multiprocessing would start process after process.

A process that multiprocessing spawns imports the user's main module first. If that module starts workers
when it is imported, the new process would have to start some too before it can serve as one. Ours ends
there, with an exit code that its parent knows, and the parent says once what is missing.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from typing import Final

__all__ = [
    "UNGUARDED",
    "UNGUARDED_CODE",
    "UnguardedError",
    "fork_server_refused",
    "refuse_unguarded",
    "worker_name",
]

UNGUARDED_CODE: Final = 79
UNGUARDED: Final = (
    "worker processes can't start: each imports the main module, and that starts workers itself. "
    'Put what the program does behind `if __name__ == "__main__":`, or leave out mp_context='
)

_FORK_SERVER: Final = "MainProcess"


class UnguardedError(RuntimeError):
    """The main module has no guard."""

    def __init__(self) -> None:
        super().__init__(UNGUARDED)


def fork_server_refused() -> bool:
    """Whether multiprocessing's fork server has ended because the main module has no guard."""
    from multiprocessing import forkserver

    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    if pid is None or not hasattr(os, "waitid"):
        return False
    with contextlib.suppress(OSError):
        for _ in range(100):
            # Without taking the status, which multiprocessing itself is going to ask for.
            end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if end is not None:
                return end.si_status == UNGUARDED_CODE
            time.sleep(0.01)  # its connections close a moment before it is gone
    return False


def worker_name(number: int) -> str:
    """What a worker's process is called."""
    return f"adaptive-exec-{number}"


def refuse_unguarded() -> None:
    """Called where workers that import the main module are to be started for the first time.

    Raises:
        RuntimeError: The main module is just being imported, by a process that somebody else has started.
    """
    process = multiprocessing.current_process()
    if not getattr(process, "_inheriting", False):
        return
    # From Python 3.14 on, multiprocessing's fork server imports it as well, as what its processes inherit.
    if process.name != _FORK_SERVER and not process.name.startswith(worker_name(0)[:-1]):
        raise RuntimeError(UNGUARDED)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    # Nothing in the way may catch it, and no more of the program may run here a second time.
    os._exit(UNGUARDED_CODE)
