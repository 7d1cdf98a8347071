"""Innocent functions that compute: matrices, simulations, sequences, money, statistics."""

from __future__ import annotations

import bisect
import cmath
import functools
import hashlib
import itertools
import math
import operator
import random
import statistics
import struct
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tests.semantics.case import Case

GRAVITY = 6.674e-11
CENT = Decimal("0.01")
RATES = {"standard": Decimal("0.19"), "reduced": Decimal("0.07")}


@dataclass
class Body:
    """A mass that moves."""

    x: float
    y: float
    vx: float
    vy: float
    mass: float

    def pull(self, other: Body, dt: float) -> None:
        """What another does to this."""
        dx, dy = other.x - self.x, other.y - self.y
        d2 = dx * dx + dy * dy + 0.01
        force = other.mass / (d2 * math.sqrt(d2))
        self.vx += dx * force * dt
        self.vy += dy * force * dt

    def move(self, dt: float) -> None:
        """One step."""
        self.x += self.vx * dt
        self.y += self.vy * dt


class Matrix:
    """Rows of numbers."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Iterable[float]]) -> None:
        """Copies them."""
        self.rows = [list(row) for row in rows]

    @classmethod
    def identity(cls, n: int) -> Matrix:
        """Ones on the diagonal."""
        return cls([[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)])

    def __matmul__(self, other: Matrix) -> Matrix:
        """The product."""
        columns = list(zip(*other.rows, strict=True))
        return Matrix([[sum(map(operator.mul, row, col)) for col in columns] for row in self.rows])

    def __pow__(self, exponent: int) -> Matrix:
        """By squaring."""
        result, base = Matrix.identity(len(self.rows)), self
        while exponent:
            if exponent & 1:
                result = result @ base
            base = base @ base
            exponent >>= 1
        return result


def nbody(steps: int) -> list[tuple[float, float]]:
    """Where three bodies are after so many steps."""
    bodies = [Body(0, 0, 0, 0, 10), Body(1, 0, 0, 3, 0.1), Body(0, 2, -2, 0, 0.2)]
    for _ in range(steps):
        for a in bodies:
            for b in bodies:
                if a is not b:
                    a.pull(b, 0.01)
        for body in bodies:
            body.move(0.01)
    return [(round(b.x, 9), round(b.y, 9)) for b in bodies]


def nbody_pairs(steps: int) -> float:
    """The same by combinations, and the energy."""
    bodies = [Body(i, i * i % 5, 0.1 * i, 0, 1 + i) for i in range(4)]
    for _ in range(steps):
        for one, two in itertools.combinations(bodies, 2):
            one.pull(two, 0.001)
            two.pull(one, 0.001)
        for b in bodies:
            b.move(0.001)
    return sum(0.5 * b.mass * (b.vx**2 + b.vy**2) for b in bodies)


def fibonacci_matrix(n: int) -> float:
    """Fibonacci by a power of a matrix."""
    return (Matrix([[1, 1], [1, 0]]) ** n).rows[0][1]


def mandelbrot(width: int, height: int, limit: int = 30) -> list[str]:
    """Draws the set."""
    lines = []
    for j in range(height):
        line = ""
        for i in range(width):
            c = complex(-2 + 3 * i / width, -1 + 2 * j / height)
            z = 0j
            for k in range(limit):  # noqa: B007
                if abs(z) > 2:
                    break
                z = z * z + c
            line += " .:-=+*#%@"[k * 9 // limit]
        lines.append(line)
    return lines


def monte_carlo_pi(seed: int, n: int) -> float:
    """Pi by throwing darts."""
    rng = random.Random(seed)
    inside = sum(1 for _ in range(n) if rng.random() ** 2 + rng.random() ** 2 <= 1)
    return 4 * inside / n


def queue_simulation(seed: int, customers: int) -> dict[str, float]:
    """Customers at one till."""
    rng = random.Random(seed)
    clock, free_at = 0.0, 0.0
    waits: list[float] = []
    queue: deque[float] = deque()
    for _ in range(customers):
        clock += rng.expovariate(1.0)
        queue.append(clock)
        start = max(clock, free_at)
        waits.append(start - queue.popleft())
        free_at = start + rng.gauss(0.8, 0.1)
    return {"mean": statistics.fmean(waits), "worst": max(waits), "p90": sorted(waits)[int(len(waits) * 0.9)]}


def primes() -> Iterator[int]:
    """All of them."""
    found: dict[int, int] = {}
    for n in itertools.count(2):
        p = found.pop(n, None)
        if p is None:
            yield n
            found[n * n] = n
        else:
            m = n + p
            while m in found:
                m += p
            found[m] = p


def first_primes(count: int) -> list[int]:
    """So many."""
    return list(itertools.islice(primes(), count))


def collatz_longest(limit: int) -> tuple[int, int]:
    """The start of the longest way, by a memo inside."""

    @functools.lru_cache(maxsize=None)  # noqa: UP033
    def length(n: int) -> int:
        return 1 if n == 1 else 1 + length(n // 2 if n % 2 == 0 else 3 * n + 1)

    return max((length(n), n) for n in range(1, limit + 1))


def knapsack(items: list[tuple[int, int]], capacity: int) -> int:
    """The best value, by a memo inside."""

    @functools.cache
    def best(i: int, room: int) -> int:
        if i == len(items):
            return 0
        weight, value = items[i]
        skip = best(i + 1, room)
        return skip if weight > room else max(skip, value + best(i + 1, room - weight))

    return best(0, capacity)


def invoice(lines: list[tuple[str, str, int]]) -> dict[str, Decimal]:
    """Net, tax and gross by kind."""
    net = Decimal(0)
    tax = Decimal(0)
    for kind, price, count in lines:
        amount = Decimal(price) * count
        net += amount
        tax += (amount * RATES[kind]).quantize(CENT, rounding=ROUND_HALF_UP)
    return {"net": net.quantize(CENT), "tax": tax, "gross": (net + tax).quantize(CENT)}


def egyptian(numerator: int, denominator: int) -> list[Fraction]:
    """Greedy unit fractions."""
    rest = Fraction(numerator, denominator)
    parts: list[Fraction] = []
    while rest > 0 and len(parts) < 12:
        part = Fraction(1, math.ceil(1 / rest))
        parts.append(part)
        rest -= part
    return parts


def moving_average(values: Sequence[float], size: int) -> list[float]:
    """Over a window."""
    window: deque[float] = deque(maxlen=size)
    out = []
    for v in values:
        window.append(v)
        out.append(sum(window) / len(window))
    return out


def describe(values: list[float]) -> dict[str, float]:
    """Statistics of values."""
    mean = statistics.mean(values)
    return {
        "mean": mean,
        "median": statistics.median(values),
        "stdev": statistics.stdev(values) if len(values) > 1 else 0.0,
        "skewed": float(statistics.median(values) < mean),
    }


def fft(values: list[complex]) -> list[complex]:
    """Recursively."""
    n = len(values)
    if n == 1:
        return values
    even, odd = fft(values[::2]), fft(values[1::2])
    twiddled = [cmath.exp(-2j * cmath.pi * k / n) * odd[k] for k in range(n // 2)]
    return [e + t for e, t in zip(even, twiddled, strict=True)] + [
        e - t for e, t in zip(even, twiddled, strict=True)
    ]


def spectrum(n: int) -> list[float]:
    """Of a wave."""
    wave = [complex(math.sin(2 * math.pi * n * i / 32)) for i in range(32)]
    return [round(abs(v), 6) for v in fft(wave)]


def brute_pin(digest: str) -> str | None:
    """The pin that has this digest."""
    for digits in itertools.product("0123456789", repeat=2):
        pin = "".join(digits)
        if hashlib.sha256(pin.encode("utf-8")).hexdigest() == digest:
            return pin
    return None


def encode_frames(numbers: list[int]) -> bytes:
    """Packs numbers with a checksum each."""
    out = bytearray()
    for n in numbers:
        body = struct.pack("<Ih", n, -n % 100)
        out += body
        out += struct.pack("<I", zlib.crc32(body) & 0xFFFFFFFF)
    return bytes(out)


def bucket(values: list[float], edges: list[float]) -> list[int]:
    """A histogram."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect.bisect_right(edges, value)] += 1
    return counts


def sieve(limit: int) -> int:
    """How many primes, by an array."""
    flags = array("B", [1]) * (limit + 1)
    flags[0] = flags[1] = 0
    for i in range(2, int(limit**0.5) + 1):
        if flags[i]:
            for j in range(i * i, limit + 1, i):
                flags[j] = 0
    return sum(flags)


def life(rows: list[str], generations: int) -> list[str]:
    """Conway's."""
    cells = {(x, y) for y, row in enumerate(rows) for x, c in enumerate(row) if c == "#"}
    for _ in range(generations):
        near: dict[tuple[int, int], int] = {}
        for x, y in cells:
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        near[x + dx, y + dy] = near.get((x + dx, y + dy), 0) + 1
        cells = {cell for cell, count in near.items() if count == 3 or (count == 2 and cell in cells)}
    return ["".join("#" if (x, y) in cells else "." for x in range(len(rows[0]))) for y in range(len(rows))]


def power_iteration(seed: int, size: int) -> float:
    """The largest eigenvalue, with numpy."""
    rng = np.random.default_rng(seed)
    a = rng.random((size, size))
    a = (a + a.T) / 2
    v = np.ones(size)
    for _ in range(20):
        w = a @ v
        v = w / np.linalg.norm(w)
    return round(float(v @ a @ v), 6)


def normalise(rows: list[list[float]]) -> Any:
    """Columns with mean nought, with numpy."""
    data = np.asarray(rows, dtype=float)
    centred = data - data.mean(axis=0)
    spread = centred.std(axis=0)
    spread[spread == 0] = 1.0
    return np.round(centred / spread, 6).tolist()


def integrate(n: int) -> float:
    """Simpson's rule over a closure over a constant."""
    k = n / 10

    def f(x: float) -> float:
        return math.exp(-k * x) * math.cos(x)

    h = 1 / 50
    inner = sum((4 if i % 2 else 2) * f(i * h) for i in range(1, 50))
    return h / 3 * (f(0) + inner + f(1))


CASES = [
    Case(nbody),
    Case(nbody_pairs),
    Case(fibonacci_matrix),
    Case(mandelbrot, lambda n: (n % 8 + 3, 5)),
    Case(monte_carlo_pi, lambda n: (n, 200)),
    Case(queue_simulation, lambda n: (n, 50)),
    Case(first_primes, lambda n: (n,)),
    Case(collatz_longest, lambda n: (n + 5,)),
    Case(knapsack, lambda n: ([(i % 5 + 1, i * n % 11) for i in range(8)], n % 20)),
    Case(invoice, lambda n: ([("standard", "9.99", n), ("reduced", "1.05", 3)],)),
    Case(egyptian, lambda n: (n + 1, n + 7)),
    Case(moving_average, lambda n: ([float(i * n % 7) for i in range(30)], 5)),
    Case(describe, lambda n: ([float(i * n % 7) for i in range(30)],)),
    Case(spectrum),
    Case(brute_pin, lambda n: (hashlib.sha256(f"{n:02d}".encode()).hexdigest(),)),
    Case(encode_frames, lambda n: (list(range(n)),)),
    Case(bucket, lambda n: ([i * n % 13 / 2 for i in range(40)], [1.0, 2.0, 4.0])),
    Case(sieve, lambda n: (n * 10 + 5,)),
    Case(life, lambda n: ([".....", "..#..", "..#..", "..#..", "....."], n % 4)),
    Case(power_iteration, lambda n: (n, 5)),
    Case(normalise, lambda n: ([[i * n, i + 1.0, 3.0] for i in range(5)],)),
    Case(integrate),
]
