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
import zlib
from collections import Counter, OrderedDict, deque
from datetime import date
from fractions import Fraction

import pytest

from adaptive_exec import Lock
from adaptive_exec.routing.holding import all_hold, holds, lets_go
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_blake2.blake2b", True),
        ("hashlib.openssl_sha256", True),
        ("zlib.compress", True),
        ("lzma.decompress", True),
        ("zlib.ZLIB_VERSION", False),
        ("sqlite3.connect", False),
        ("json.loads", False),
        ("time.sleep", False),
    ],
)
def test_what_lets_go_by_name(name: str, expected: bool) -> None:
    """Only what computes meanwhile: a wait lets go of the GIL, too."""
    assert expected is lets_go(name)


def asks_a_database(rows: int) -> int:
    """Lets go of the GIL, and waits for a lock of the library's."""
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t(a)")
        base.executemany("insert into t values (?)", [(row,) for row in range(rows)])
        found: int = base.execute("select count(*) from t").fetchone()[0]
    base.close()
    return found


def test_what_goes_by_turns() -> None:
    """SQLite does one thing at a time, and of nothing else is that said."""
    assert judge(asks_a_database).by_turns
    assert not judge(asks_a_database).computes
    assert not judge(counts_words).by_turns


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


def hashes_a_tree(tree: list[object] | bytes) -> bytes:
    """Many small pieces, for which the GIL is held."""
    if isinstance(tree, bytes):
        return hashlib.sha256(tree).digest()
    left, right = tree
    return hashlib.sha256(hashes_a_tree(left) + hashes_a_tree(right)).digest()  # type: ignore[arg-type]


def packs_what_it_hashes(data: bytes) -> str:
    """One after the other."""
    return hashlib.blake2b(zlib.compress(data), digest_size=len(data) % 60 + 1).hexdigest()


def hashes_pieces(data: bytes) -> list[str]:
    """Each of them may be small."""
    return [hashlib.sha256(data[at : at + 100]).hexdigest() for at in range(0, len(data), 100)]


def hashes_numbers(numbers: list[int]) -> str:
    """Most of it is making a text, for which the GIL is held."""
    return hashlib.sha256(" ".join(map(str, sorted(numbers))).encode()).hexdigest()


def loads_what_is_packed(data: bytes) -> object:
    """Reading it may take longer than unpacking it."""
    return json.loads(zlib.decompress(data))


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
        (counts_words, 1.0),
        (goes_round, 1.0),
        (hashes, 0.0),
        (hashes_a_tree, None),
        (packs_what_it_hashes, 0.0),
        (hashes_pieces, None),
        (hashes_numbers, None),
        (loads_what_is_packed, None),
        (waits, False),
        (logs, False),
        (takes_a_lock, False),
        (uses_what_is_there, False),
    ],
)
def test_by_reading(fn: object, expected: float | None) -> None:
    """One call of something else is enough for nothing to be said; False stands for what may do more than compute."""
    verdict = judge(fn, ())  # type: ignore[arg-type]

    assert (expected is not False) is verdict.computes
    assert verdict.gil == (None if expected is False else expected)
