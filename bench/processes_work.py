"""What the worker processes of bench/processes.py run; small, because each of them imports it."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # `typing` would be one more import in each worker
if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from typing import Any

POLL_SECONDS = 50e-6
ITEMS = 6_000_000
"""Of eight bytes each: 48 MB."""

_made: list[Any] = []


def nothing(_: object = None) -> None:
    """The task."""


def pid() -> int:
    """Who runs this."""
    return os.getpid()


def snooze(seconds: float) -> int:
    """Keep a worker busy; which one."""
    time.sleep(seconds)
    return os.getpid()


def three_items(array: Any) -> float:
    """Look at an array that was sent, with next to no work."""
    return float(array[0] + array[len(array) // 2] + array[-1])


def make_array() -> int:
    """Make the array that `made_array` returns, and stay busy for long enough that each worker gets one."""
    import numpy

    if not _made:
        _made.append(numpy.arange(ITEMS, dtype=numpy.float64))
    time.sleep(0.1)
    return os.getpid()


def made_array() -> Any:
    """Return an array that was there already, so that nothing but its journey is timed."""
    return _made[0]


def wait_for_end(connection: Connection) -> None:
    """A child that says it is there and then waits."""
    connection.send(os.getpid())
    try:
        connection.recv()
    except EOFError:
        pass


def read_blocking(fd: int) -> bytes:
    """One byte, asleep until it is there."""
    return os.read(fd, 1)


def read_polling(fd: int) -> bytes:
    """One byte, polled for a moment before going to sleep; the descriptor doesn't block."""
    end = time.perf_counter() + POLL_SECONDS
    while True:
        try:
            return os.read(fd, 1)
        except BlockingIOError:
            if time.perf_counter() > end:
                import select

                select.select([fd], [], [])


def echo(polling: bool) -> None:
    """Send back every byte until there are no more."""
    read = read_polling if polling else read_blocking
    os.set_blocking(0, not polling)
    while byte := read(0):
        os.write(1, byte)


if __name__ == "__main__":
    echo(sys.argv[1] == "polling")
