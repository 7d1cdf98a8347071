"""What only computes and holds the GIL is known by reading it."""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
import math
import re
import sqlite3
import threading
import time
from collections import Counter, OrderedDict, deque
from datetime import date
from fractions import Fraction

import pytest

from adaptive_exec import Lock
from adaptive_exec.routing.holding import all_hold, holds
from adaptive_exec.routing.safety import judge


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("builtins.sorted", True),
        ("builtins.open", False),
        ("builtins.print", False),
        ("math.sqrt", True),
        ("_json.loads", True),
        ("json.load", False),
        ("binascii.hexlify", True),
        ("binascii.crc32", False),
        ("zlib.compress", False),
        ("hashlib.sha256", False),
        ("time.perf_counter", True),
        ("time.sleep", False),
        ("os.path.join", True),
        ("os.path.exists", False),
        ("os.read", False),
        ("numpy.dot", False),
        ("somebody.elses", False),
    ],
)
def test_by_name(name: str, expected: bool) -> None:
    """What is not known to hold the GIL is not said to."""
    assert expected is holds(name)


class Ours:
    """A class of ours."""

    def method(self) -> None:
        """A method, which is read as code."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (list, True),
        (deque, True),
        (OrderedDict, True),
        (Fraction, True),
        (date, True),
        (re.Pattern, True),
        (Ours, True),
        (sqlite3.Connection, False),
        (type(hashlib.sha256()), False),
        (type(threading.Lock()), False),
    ],
)
def test_by_class(kind: type, expected: bool) -> None:
    """Of what is written in C one has to know it."""
    assert expected is all_hold([str, kind])


def counts_words(text: str) -> list[tuple[str, int]]:
    """Pure Python, and what is known of the standard library."""
    return Counter(re.findall(r"\w+", json.loads(json.dumps(text)))).most_common(3)


def goes_round(steps: int) -> float:
    """Calls another function of ours."""
    queue: list[float] = []
    for step in range(steps):
        heapq.heappush(queue, helps(step))
    return math.fsum(queue)


def helps(step: int) -> float:
    """Is called."""
    return math.sqrt(step)


def hashes(data: bytes) -> str:
    """Lets go of the GIL while it hashes much."""
    return hashlib.sha256(data).hexdigest()


def waits(seconds: float) -> None:
    """Two calls away from a wait."""
    waits_for_real(seconds)


def waits_for_real(seconds: float) -> None:
    """Sleeps."""
    time.sleep(seconds)


def logs(steps: int) -> int:
    """Whoever handles the record may write it to a disk."""
    logging.getLogger(__name__).info("%d steps", steps)
    return steps


SHARED = Lock()


def takes_a_lock(steps: int) -> int:
    """Waits for somebody else."""
    with SHARED:
        return steps


ROWS = [hashlib.sha256(b"row")]


def uses_what_is_there(steps: int) -> list[object]:
    """Reads data of its module whose methods let go of the GIL."""
    return [each for each in ROWS if steps]


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (counts_words, True),
        (goes_round, True),
        (hashes, False),
        (waits, False),
        (logs, False),
        (takes_a_lock, False),
        (uses_what_is_there, False),
    ],
)
def test_by_reading(fn: object, expected: bool) -> None:
    """One call of something else is enough for nothing to be said."""
    verdict = judge(fn, ())  # type: ignore[arg-type]

    assert expected is verdict.computes
