"""Real work of every kind, for the routing bench: what it is good for is measured, not written down.

Functions stand at the top of this module, so that worker processes find them by name. A call takes some milliseconds.
`SUBJECTS` needs no place but this machine: what waits for the network waits for a small server of the bench's own.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import bz2
import collections
import contextlib
import csv
import datetime
import decimal
import difflib
import fractions
import hashlib
import heapq
import html
import io
import itertools
import json
import lzma
import math
import os
import pickle
import queue
import random
import re
import select
import socket
import sqlite3
import statistics
import string
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tokenize
import urllib.request
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

try:
    import numpy as np
except ImportError:
    np = None

__all__ = ["SUBJECTS", "Subject", "needs_server", "turns_into"]

TEXT: Final = "\n".join(
    f"{n:05d} the quick brown fox number {n * 7919 % 10007} jumps over {'lazy ' * (n % 5)}dog {n % 97}"
    for n in range(1500)
)
SOURCE: Final = "\n".join(
    f"def f{n}(a, b={n}):\n    if a > b:\n        return [x * {n} for x in range(a)]\n    return {{'k{n}': (a, b)}}\n"
    for n in range(60)
)
RECORDS: Final = [
    {"id": n, "name": f"name {n}", "tags": ["a", "b", str(n % 13)], "score": n * 0.37} for n in range(1200)
]
JSON_TEXT: Final = json.dumps(RECORDS)
CSV_TEXT: Final = "\n".join(f"{n},name {n},{n * 0.37},{n % 2}" for n in range(4000))
XML_TEXT: Final = (
    "<all>" + "".join(f"<item id='{n}'><name>n {n}</name></item>" for n in range(2500)) + "</all>"
)
BLOCK: Final = random.Random(1).randbytes(1 << 20)
TEXT_BLOCK: Final = (TEXT * 20).encode()[: 1 << 20]
PACKED_ZLIB: Final = zlib.compress(TEXT_BLOCK, 6)
PACKED_BZ2: Final = bz2.compress(TEXT_BLOCK[: 200 << 10])
PACKED_LZMA: Final = lzma.compress(TEXT_BLOCK)


# --- computing, with the GIL -------------------------------------------------------------------------


def load_all() -> None:
    """Make a worker load this module; none of those that are judged, since a call of nothing would say much of it."""


def turns_into(kind: str) -> int:
    """One function that may be of any nature: what it does depends on its argument."""
    if kind == "waits":
        time.sleep(0.01)
        return 0
    if kind == "free":
        return hashlib.sha256(TEXT_BLOCK * 8).digest()[0]
    return sum(n * n % 7 for n in range(120_000))


def sieve(limit: int) -> int:
    flags = bytearray([1]) * (limit + 1)
    for n in range(2, math.isqrt(limit) + 1):
        if flags[n]:
            for m in range(n * n, limit + 1, n):
                flags[m] = 0
    return sum(flags) - 2


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def collatz(limit: int) -> int:
    longest = 0
    for start in range(1, limit):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        longest = max(longest, steps)
    return longest


def nbody(steps: int) -> float:
    bodies = [[float(n), float(n * n % 7), 0.1 * n, -0.05 * n, 1.0 + n] for n in range(5)]
    for _ in range(steps):
        for a, b in itertools.combinations(bodies, 2):
            dx, dy = a[0] - b[0], a[1] - b[1]
            pull = 0.001 / ((dx * dx + dy * dy + 0.1) ** 1.5)
            a[2] -= dx * b[4] * pull
            a[3] -= dy * b[4] * pull
            b[2] += dx * a[4] * pull
            b[3] += dy * a[4] * pull
        for body in bodies:
            body[0] += body[2]
            body[1] += body[3]
    return round(sum(body[0] for body in bodies), 6)


def matrix_product(size: int) -> int:
    left = [[i * j % 7 for j in range(size)] for i in range(size)]
    columns = list(zip(*left, strict=True))
    return sum(sum(a * b for a, b in zip(row, column, strict=True)) for row in left for column in columns)


def queens(size: int) -> int:
    def place(row: int, columns: int, falling: int, rising: int) -> int:
        if row == size:
            return 1
        free, found = ((1 << size) - 1) & ~(columns | falling | rising), 0
        while free:
            bit = free & -free
            free -= bit
            found += place(row + 1, columns | bit, (falling | bit) << 1, (rising | bit) >> 1)
        return found

    return place(0, 0, 0, 0)


def edit_distance(size: int) -> int:
    left, right = TEXT[:size], TEXT[size : 2 * size]
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def word_count(times: int) -> int:
    counts: collections.Counter[str] = collections.Counter()
    for _ in range(times):
        for line in TEXT.splitlines():
            counts.update(word.strip(string.punctuation) for word in line.split())
    return len(counts)


def json_loads(text: str) -> int:
    return len(json.loads(text))


def json_dumps(times: int) -> int:
    return sum(len(json.dumps(RECORDS)) for _ in range(times))


def regular_expression(times: int) -> int:
    return sum(len(re.findall(r"(\d+) jumps over (?:lazy )*dog (\d+)", TEXT)) for _ in range(times))


def csv_parse(times: int) -> float:
    return sum(float(row[2]) for _ in range(times) for row in csv.reader(io.StringIO(CSV_TEXT)))


def parse_source(source: str) -> int:
    for _ in range(5):  # CPython before 3.13 trips over threads that parse at once (gh-106905)
        with contextlib.suppress(SystemError):
            return sum(1 for _ in ast.walk(ast.parse(source)))
    return sum(1 for _ in ast.walk(ast.parse(source)))


def compile_source(source: str) -> int:
    return len(compile(source, "source", "exec").co_consts)


def tokenize_source(source: str) -> int:
    return sum(1 for _ in tokenize.generate_tokens(io.StringIO(source).readline))


def sort_by_key(size: int) -> int:
    return sorted(range(size), key=lambda n: (n * 7919 % 10007, -n))[size // 2]


def sort_strings(times: int) -> int:
    return sum(len(sorted(TEXT.split())) for _ in range(times))


def pickle_round_trip(times: int) -> int:
    return sum(len(pickle.loads(pickle.dumps(RECORDS))) for _ in range(times))


def difference(lines: int) -> int:
    left = TEXT.splitlines()[:lines]
    right = [line if n % 9 else line[::-1] for n, line in enumerate(left)]
    return sum(1 for _ in difflib.unified_diff(left, right))


def wrap_text(lines: int) -> int:
    return len(textwrap.wrap(" ".join(TEXT.splitlines()[:lines]), 60))


def decimals(steps: int) -> str:
    with decimal.localcontext() as context:
        context.prec = 60
        total = decimal.Decimal(0)
        for n in range(1, steps):
            total += decimal.Decimal(1) / n
        return str(total)


def rationals(steps: int) -> int:
    return sum((fractions.Fraction(1, n * n) for n in range(1, steps)), fractions.Fraction()).denominator % 97


def spread(size: int) -> float:
    return statistics.stdev([n * 7919 % 10007 for n in range(size)])


def format_strings(count: int) -> int:
    return sum(len(f"{n:08.3f} {n:>12} {n:#x} {n % 7!r}") for n in range(count))


def escape_html(times: int) -> int:
    return sum(len(html.unescape(html.escape(TEXT))) for _ in range(times))


def parse_xml(text: str) -> int:
    return len(ET.fromstring(text))


def base64_round_trip(data: bytes) -> int:
    return len(base64.b64decode(base64.b64encode(data)))


def pack_numbers(count: int) -> int:
    return sum(struct.unpack("<IdH", struct.pack("<IdH", n, n * 0.5, n & 0xFFFF))[0] for n in range(count))


def shortest_paths(size: int) -> int:
    best, todo = {0: 0}, [(0, 0)]
    while todo:
        far, node = heapq.heappop(todo)
        if far > best[node]:
            continue
        for step in (1, 7, 31):
            other, length = (node + step) % size, far + (node * step) % 13 + 1
            if length < best.get(other, 1 << 60):
                best[other] = length
                heapq.heappush(todo, (length, other))
    return sum(best.values())


def big_power(bits: int) -> int:
    return pow(3, bits) % 1_000_003


def big_product(digits: int) -> int:
    return (10**digits - 7) * (10**digits - 11) % 1_000_003


def permutations(size: int) -> int:
    return sum(1 for p in itertools.permutations(range(size)) if p[0] < p[-1])


def monte_carlo(count: int) -> float:
    draw = random.Random(7)
    return 4 * sum(draw.random() ** 2 + draw.random() ** 2 <= 1 for _ in range(count)) / count


def calendar(days: int) -> int:
    day = datetime.date(2000, 1, 1)
    return sum((day + datetime.timedelta(n)).isocalendar()[1] for n in range(days))


def translate_text(times: int) -> int:
    table = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[13:] + string.ascii_lowercase[:13])
    return sum(len(TEXT.translate(table)) for _ in range(times))


def life(steps: int) -> int:
    alive = {(n * 7 % 40, n * 13 % 40) for n in range(400)}
    for _ in range(steps):
        near = collections.Counter(
            (x + dx, y + dy) for x, y in alive for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy
        )
        alive = {cell for cell, count in near.items() if count == 3 or (count == 2 and cell in alive)}
    return len(alive)


def knapsack(size: int) -> int:
    best = [0] * (size + 1)
    for item in range(1, 40):
        weight, value = item * 7 % 31 + 1, item * 13 % 47
        for room in range(size, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[size]


# --- computing, without the GIL ----------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha512_often(data: bytes) -> str:
    digest = hashlib.sha512()
    for _ in range(3):
        digest.update(data)
    return digest.hexdigest()


def blake2(data: bytes) -> str:
    return hashlib.blake2b(data * 2).hexdigest()


def sha3(data: bytes) -> str:
    return hashlib.sha3_256(data).hexdigest()


def md5(data: bytes) -> str:
    return hashlib.md5(data * 2).hexdigest()


def derive_key(rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", rounds)


def scrypt(cost: int) -> bytes:
    return hashlib.scrypt(b"secret", salt=b"salt", n=cost, r=8, p=1)


def deflate(data: bytes) -> int:
    return len(zlib.compress(data[: 300 << 10], 6))


def inflate(data: bytes) -> int:
    return len(zlib.decompress(data)) + len(zlib.decompress(data))


def bzip(data: bytes) -> int:
    return len(bz2.compress(data[: 60 << 10]))


def unbzip(data: bytes) -> int:
    return len(bz2.decompress(data))


def xz(data: bytes) -> int:
    return len(lzma.compress(data[: 40 << 10], preset=2))


def unxz(data: bytes) -> int:
    return len(lzma.decompress(data))


def checksum(data: bytes) -> int:
    value = 0
    for _ in range(8):
        value = zlib.crc32(data, value)
    return value


def query(rows: int) -> int:
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t(a, b)")
        base.execute(
            "with recursive n(x) as (select 1 union all select x + 1 from n where x < ?) "
            "insert into t select x, x * 7 % 101 from n",
            (rows,),
        )
        found: int = base.execute("select count(*) from t a join t b on a.b = b.a").fetchone()[0]
    base.close()
    return found


def matrix_product_numpy(size: int) -> float:
    left = np.arange(size * size, dtype=float).reshape(size, size) % 7
    return float((left @ left).sum())


def sort_numpy(size: int) -> float:
    return float(np.sort((np.arange(size) * 7919) % 10007)[size // 2])


def fourier_numpy(size: int) -> float:
    return float(abs(np.fft.fft(np.arange(size) % 17)).sum())


def arithmetic_numpy(size: int) -> float:
    x = np.linspace(0.0, 1.0, size)
    return float((np.sin(x) * np.exp(-x) + np.sqrt(x)).sum())


# --- waiting -----------------------------------------------------------------------------------------


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def wait_for_event(seconds: float) -> bool:
    return threading.Event().wait(seconds)


def wait_for_queue(seconds: float) -> bool:
    try:
        queue.Queue[int]().get(timeout=seconds)
    except queue.Empty:
        return True
    return False


def wait_for_select(seconds: float) -> int:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return len(select.select([ours], [], [], seconds)[0])


def wait_for_condition(seconds: float) -> bool:
    condition = threading.Condition()
    with condition:
        return condition.wait(seconds)


def ask_server(port: int, milliseconds: int) -> int:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET /{milliseconds} HTTP/1.0\r\n\r\n".encode())
        return len(connection.makefile("rb").read())


def fetch(port: int, milliseconds: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{milliseconds}", timeout=20) as answer:
        return len(answer.read())


def fetch_and_parse(port: int, milliseconds: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{milliseconds}", timeout=20) as answer:
        return len(json.loads(answer.read())["values"])


def child_process(seconds: float) -> int:
    return subprocess.run(["sleep", str(seconds)], check=False).returncode


def poll_often(seconds: float) -> int:
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(0.002)
        turns += 1
    return min(turns, 1)


def read_pipe(seconds: float) -> int:
    read, write = os.pipe()
    timer = threading.Timer(seconds, os.write, (write, b"x"))
    timer.start()
    try:
        return len(os.read(read, 1))
    finally:
        timer.join()
        os.close(read)
        os.close(write)


def write_files(count: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for n in range(count):
            with open(os.path.join(folder, str(n)), "wb") as file:
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
        return len(os.listdir(folder))


def sleep_and_compute(seconds: float) -> int:
    time.sleep(seconds)
    return sum(range(20_000))


def compute_and_sleep(seconds: float) -> int:
    total = sum(n * n for n in range(20_000))
    time.sleep(seconds)
    return total


# --- varying -----------------------------------------------------------------------------------------


def sometimes_long(size: int) -> int:
    return sum(n * n % 7 for n in range(size))


def by_type(value: Any) -> int:
    if isinstance(value, bytes):
        return int(hashlib.sha256(value).hexdigest()[:4], 16)
    return len(json.loads(value))


def hash_then_parse(text: str) -> int:
    hashlib.sha256(TEXT_BLOCK).hexdigest()
    return len(json.loads(text))


def inflate_and_count(data: bytes) -> int:
    return len(zlib.decompress(data).split(b"the "))


# --- coroutines --------------------------------------------------------------------------------------


async def sleep_async(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def ask_server_async(port: int, milliseconds: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /{milliseconds} HTTP/1.0\r\n\r\n".encode())
    data = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    return len(data)


async def gather_async(seconds: float) -> int:
    return len(await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(5))))


async def steps_async(count: int) -> int:
    for _ in range(count):
        await asyncio.sleep(0)
    return count


async def queue_async(count: int) -> int:
    items: asyncio.Queue[int] = asyncio.Queue()
    for n in range(count):
        items.put_nowait(n)
    await asyncio.sleep(0.01)
    return sum([await items.get() for _ in range(count)])


@dataclass(frozen=True)
class Subject:
    """A function and what it is called with.

    Attributes:
        fn: The function.
        arguments: Of its calls, in turn; "port" stands for the server's.
    """

    fn: Callable[..., Any]
    arguments: tuple[tuple[Any, ...], ...]

    @property
    def name(self) -> str:
        """The function's name."""
        return str(self.fn.__name__)

    def call(self, number: int, port: int) -> tuple[Any, ...]:
        """The arguments of the call with this number."""
        chosen = self.arguments[number % len(self.arguments)]
        return tuple(port if each == "port" else each for each in chosen)


def needs_server(subject: Subject) -> bool:
    """Whether it talks to the bench's server."""
    return any("port" in arguments for arguments in subject.arguments if isinstance(arguments[0], str))


def _subject(fn: Callable[..., Any], *arguments: Any) -> Subject:
    """A subject with one argument a call, or with tuples of them."""
    return Subject(fn, tuple(each if isinstance(each, tuple) else (each,) for each in arguments))


SUBJECTS: Final = [
    _subject(sieve, 40_000),
    _subject(fibonacci, 22),
    _subject(collatz, 700),
    _subject(nbody, 400),
    _subject(matrix_product, 44),
    _subject(queens, 9),
    _subject(edit_distance, 150),
    _subject(word_count, 1),
    _subject(json_loads, JSON_TEXT),
    _subject(json_dumps, 2),
    _subject(regular_expression, 5),
    _subject(csv_parse, 2),
    _subject(parse_source, SOURCE),
    _subject(compile_source, SOURCE),
    _subject(tokenize_source, SOURCE[: SOURCE.index("def f25")]),
    _subject(sort_by_key, 12_000),
    _subject(sort_strings, 2),
    _subject(pickle_round_trip, 3),
    _subject(difference, 400),
    _subject(wrap_text, 120),
    _subject(decimals, 6_000),
    _subject(rationals, 600),
    _subject(spread, 8_000),
    _subject(format_strings, 6_000),
    _subject(escape_html, 20),
    _subject(parse_xml, XML_TEXT),
    _subject(base64_round_trip, BLOCK),
    _subject(pack_numbers, 10_000),
    _subject(shortest_paths, 3_000),
    _subject(big_power, 250_000),
    _subject(big_product, 60_000),
    _subject(permutations, 8),
    _subject(monte_carlo, 20_000),
    _subject(calendar, 12_000),
    _subject(translate_text, 30),
    _subject(life, 60),
    _subject(knapsack, 1_200),
    _subject(sha256, BLOCK * 4),
    _subject(sha512_often, BLOCK * 2),
    _subject(blake2, BLOCK * 2),
    _subject(sha3, BLOCK * 2),
    _subject(md5, BLOCK * 2),
    _subject(derive_key, 12_000),
    _subject(scrypt, 1 << 12),
    _subject(deflate, TEXT_BLOCK),
    _subject(inflate, PACKED_ZLIB),
    _subject(bzip, TEXT_BLOCK),
    _subject(unbzip, PACKED_BZ2),
    _subject(xz, TEXT_BLOCK),
    _subject(unxz, PACKED_LZMA),
    _subject(checksum, BLOCK * 4),
    _subject(query, 6_000),
    _subject(sleep, 0.005, 0.005),
    _subject(sleep, 0.02),
    _subject(wait_for_event, 0.01),
    _subject(wait_for_queue, 0.01),
    _subject(wait_for_select, 0.01),
    _subject(wait_for_condition, 0.02),
    _subject(ask_server, ("port", 10)),
    _subject(fetch, ("port", 20)),
    _subject(fetch_and_parse, ("port", 15)),
    _subject(child_process, 0.02),
    _subject(poll_often, 0.02),
    _subject(read_pipe, 0.01),
    _subject(write_files, 2),
    _subject(sleep_and_compute, 0.02),
    _subject(compute_and_sleep, 0.02),
    _subject(sometimes_long, 20_000, 80_000, 5_000, 160_000),
    _subject(by_type, BLOCK * 4, JSON_TEXT),
    _subject(hash_then_parse, JSON_TEXT),
    _subject(inflate_and_count, PACKED_ZLIB),
    _subject(sleep_async, 0.01),
    _subject(sleep_async, 0.05),
    _subject(ask_server_async, ("port", 20)),
    _subject(gather_async, 0.01),
    _subject(steps_async, 200),
    _subject(queue_async, 100),
]
if np is not None:
    SUBJECTS += [
        _subject(matrix_product_numpy, 320),
        _subject(sort_numpy, 120_000),
        _subject(fourier_numpy, 100_000),
        _subject(arithmetic_numpy, 200_000),
    ]

if __name__ == "__main__":  # how long a call of each takes
    for subject in SUBJECTS:
        if needs_server(subject) or asyncio.iscoroutinefunction(subject.fn):
            continue
        began = time.perf_counter()
        for turn in range(4):
            subject.fn(*subject.call(turn, 0))
        sys.stdout.write(f"{subject.name:24s}{(time.perf_counter() - began) / 4 * 1e3:8.2f} ms\n")
