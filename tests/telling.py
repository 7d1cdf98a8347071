"""Functions that log and warn, and that say what their process is like; importable by worker processes."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from typing import Any

LOG = logging.getLogger("tests.telling.log")


class Thing:
    """An extra field that can travel."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


class Talkative:
    """Logs whenever it is turned into text."""

    def __str__(self) -> str:
        LOG.warning("%s", self)
        return "talkative"


class OwnWarning(UserWarning):
    """A category of the user's, made of more than a text."""

    def __init__(self, first: str, second: int) -> None:
        super().__init__(f"{first} {second}")
        self.first, self.second = first, second

    def __reduce__(self) -> Any:
        return OwnWarning, (self.first, self.second)


def say(text: str, *args: Any, level: int = logging.WARNING) -> str:
    LOG.log(level, text, *args)
    return text


def say_many(count: int) -> int:
    for n in range(count):
        LOG.warning("record %d", n)
    return count


def say_with_extras() -> None:
    LOG.warning("extras", extra={"thing": Thing(3), "lock": threading.Lock(), "plain": 7})


def say_and_fail() -> None:
    try:
        raise KeyError("inner")
    except KeyError:
        LOG.exception("it failed")


def say_and_die() -> None:
    LOG.warning("the last words")
    os._exit(3)


def say_in_a_thread() -> None:
    thread = threading.Thread(target=LOG.warning, args=("from a thread",), name="talker")
    thread.start()
    thread.join()


def say_wrongly() -> str:
    LOG.warning("%d", "no number")
    return "went on"


def say_talkatively() -> str:
    LOG.warning("%s", Talkative())
    return "went on"


def own_handler(path: str) -> None:
    """An initializer that sees to the records itself."""
    logging.basicConfig(filename=path, level=logging.INFO)


def say_from_the_start() -> None:
    """An initializer that logs."""
    LOG.warning("initializing")


def warn(text: str = "careful") -> str:
    warnings.warn(text, DeprecationWarning, stacklevel=1)
    return "went on"


def warn_own() -> None:
    warnings.warn(OwnWarning("own", 5), stacklevel=1)


def environ(*names: str) -> list[str | None]:
    return [os.environ.get(name) for name in names]


def hold(megabytes: int) -> int:
    """Keep memory for good."""
    HELD.append(b"x" * (megabytes << 20))
    return os.getpid()


HELD: list[bytes] = []


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def multiply() -> tuple[int, int]:
    """Threads of this process before and after a matrix product."""
    before = len(os.listdir("/proc/self/task"))
    import numpy as np

    a = np.ones((600, 600))
    for _ in range(3):
        a = a @ a / 600.0
    return before, len(os.listdir("/proc/self/task"))


def bytes_read() -> int:
    """Bytes that this process has read."""
    with open("/proc/self/io", encoding="ascii") as file:
        return int(dict(line.split(": ") for line in file)["rchar"])


def total_of(array: Any) -> int:
    return int(array.sum())


def make_array(size: int) -> Any:
    import numpy as np

    return np.ones(size, dtype=np.uint8)
