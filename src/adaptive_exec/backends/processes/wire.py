"""What a parent and its worker say to each other, over a private channel of their own.

Every message is one pickled tuple whose first item names it. Calls and results travel inside as bytes
that were pickled before, so a message can always be read even if what it carries can't.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections import OrderedDict
from dataclasses import astuple, dataclass
from typing import Any, Final

from ...model import Sample

__all__ = [
    "BEGUN",
    "DONE",
    "FAILED_START",
    "READY",
    "REFUSED",
    "RUN",
    "STOP",
    "RecentFunctions",
    "Settings",
    "adopt",
    "decode",
    "encode",
    "pack_sample",
    "surroundings",
    "unpack_sample",
]

Surroundings = tuple[str | None, int, int]

# task id, digest of the function, its pickle or None, arguments, measure, environment, surroundings if they
# are others than at the last call
RUN: Final = "run"
STOP: Final = "stop"
READY: Final = "ready"
FAILED_START: Final = "failed start"  # traceback text
BEGUN: Final = "begun"  # task id
DONE: Final = "done"  # task id, whether it returned, pickled value or error, sample
REFUSED: Final = "refused"  # task id, why; the call was not begun


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker is told when it starts.

    Attributes:
        number: The worker's number in its pool, from 1.
        path: The parent's `sys.path`.
        around: The parent's surroundings.
        environ: The parent's environment.
        home: Where the parent's shared primitives are found; None if it has none.
        initializer: Pickled (function, arguments), run before the first task; None if there is none.
    """

    number: int
    path: list[str]
    around: Surroundings
    environ: dict[str, str]
    home: Any
    initializer: bytes | None


def surroundings() -> Surroundings:
    """What a call may depend on without naming it: working directory, recursion limit, digits of integers."""
    try:
        directory: str | None = os.getcwd()
    except OSError:
        directory = None  # it has been removed
    return directory, sys.getrecursionlimit(), sys.get_int_max_str_digits()


def adopt(theirs: Surroundings) -> None:
    """Make the parent's surroundings this process's own."""
    directory, depth, digits = theirs
    if directory is not None:
        with contextlib.suppress(OSError):
            os.chdir(directory)
    sys.setrecursionlimit(depth)
    sys.set_int_max_str_digits(digits)


def encode(*message: Any) -> bytes:
    """A message as bytes."""
    return pickle.dumps(message, protocol=5)


def decode(data: bytes) -> tuple[Any, ...]:
    """Read a message."""
    message: tuple[Any, ...] = pickle.loads(data)
    return message


def pack_sample(sample: Sample | None) -> tuple[Any, ...] | None:
    """A sample as a plain tuple, which is half the size of the object's own pickle."""
    return None if sample is None else astuple(sample)


def unpack_sample(fields: tuple[Any, ...] | None) -> Sample | None:
    """The sample again."""
    return None if fields is None else Sample(*fields)


class RecentFunctions:
    """The functions that a worker remembers, by digest: the last `LIMIT` that it was sent or asked to run.

    Parent and worker each keep one and take the same steps in the same order, so the parent knows
    without asking what it need not send again.
    """

    LIMIT = 256

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Any] = OrderedDict()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._known

    def use(self, digest: bytes) -> Any:
        """The function, which becomes the most recent one."""
        self._known.move_to_end(digest)
        return self._known[digest]

    def add(self, digest: bytes, function: Any) -> None:
        """Remember a function; the one that has not been used for longest may go."""
        self._known[digest] = function
        if len(self._known) > self.LIMIT:
            self._known.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Drop a function, if it is there."""
        self._known.pop(digest, None)
