"""Innocent functions that work on numbers."""

from __future__ import annotations

import bisect
import cmath
import contextlib
import dataclasses
import decimal
import functools
import hashlib
import hmac
import itertools
import math
import operator
import random
import secrets
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self, overload

from tests.semantics.case import Case
from tests.semantics.innocent_models import (
    CENT,
    Circle,
    Rectangle,
    Shape,
    Square,
    Vector,
    clamp,
    first,
)

Row = list[float]

GAUSS = ((-0.7745966692, 5 / 9), (0.0, 8 / 9), (0.7745966692, 5 / 9))
SBOX = bytes((index * 7 + 99) % 256 for index in range(256))
_EXACT = decimal.Context(prec=40, rounding=decimal.ROUND_HALF_EVEN)


class Matrix:
    """A small dense matrix."""

    __slots__ = ("columns", "data", "rows")

    def __init__(self, rows: int, columns: int, data: Sequence[float] | None = None) -> None:
        self.rows = rows
        self.columns = columns
        self.data = list(data) if data is not None else [0.0] * (rows * columns)

    @classmethod
    def identity(cls, size: int) -> Matrix:
        made = cls(size, size)
        for index in range(size):
            made[index, index] = 1.0
        return made

    @staticmethod
    def of(rows: Sequence[Sequence[float]]) -> Matrix:
        return Matrix(len(rows), len(rows[0]), [cell for row in rows for cell in row])

    def __getitem__(self, place: tuple[int, int]) -> float:
        return self.data[place[0] * self.columns + place[1]]

    def __setitem__(self, place: tuple[int, int], value: float) -> None:
        self.data[place[0] * self.columns + place[1]] = value

    def __matmul__(self, other: Matrix) -> Matrix:
        made = Matrix(self.rows, other.columns)
        for i, j in itertools.product(range(self.rows), range(other.columns)):
            made[i, j] = sum(self[i, k] * other[k, j] for k in range(self.columns))
        return made

    def __pow__(self, power: int) -> Matrix:
        made, base = Matrix.identity(self.rows), self
        while power:
            if power & 1:
                made @= base
            base = base @ base
            power >>= 1
        return made

    def __iter__(self) -> Iterator[list[float]]:
        for start in range(0, len(self.data), self.columns):
            yield self.data[start : start + self.columns]

    @property
    def trace(self) -> float:
        return sum(self[index, index] for index in range(self.rows))

    @functools.cached_property
    def _unused(self) -> int:
        return 0


def powers_of_a_matrix(n: int) -> list[list[float]]:
    """Operators of a class of ours."""
    return [[value % 1000007 for value in row] for row in Matrix.of([[1, 1], [1, 0]]) ** n]


def traces_of_matrices(rows: list[list[float]]) -> float:
    """A property, an item that is set, and a product."""
    matrix = Matrix.of(rows)
    matrix[0, 0] += 1.0
    return (matrix @ matrix).trace


def solves_equations(rows: list[Row], right: Row) -> Row:
    """Gauss, on copies of the rows that it is given."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    size = len(table)
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(table[index][column]))
        table[column], table[pivot] = table[pivot], table[column]
        for index in range(column + 1, size):
            factor = table[index][column] / table[column][column]
            for k in range(column, size + 1):
                table[index][k] -= factor * table[column][k]
    solution = [0.0] * size
    for index in reversed(range(size)):
        known = math.fsum(table[index][k] * solution[k] for k in range(index + 1, size))
        solution[index] = (table[index][size] - known) / table[index][index]
    return solution


def inverts_exactly(rows: list[list[int]]) -> list[list[Fraction]] | None:
    """Fractions, in lists of lists that are changed in place."""
    size = len(rows)
    work = [list(map(Fraction, row)) + [Fraction(i == j) for j in range(size)] for i, row in enumerate(rows)]
    for column in range(size):
        pivot = next((row for row in range(column, size) if work[row][column]), None)
        if pivot is None:
            return None
        work[column], work[pivot] = work[pivot], work[column]
        lead = work[column][column]
        work[column] = [value / lead for value in work[column]]
        for index, row in enumerate(work):
            if index != column and (factor := row[column]):
                work[index] = [a - factor * b for a, b in zip(row, work[column], strict=True)]
    return [row[size:] for row in work]


def decomposes(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Gram and Schmidt, with inner functions."""

    def dot(a: Row, b: Row) -> float:
        return math.fsum(map(operator.mul, a, b))

    basis: list[Row] = []
    factors: list[Row] = []
    for row in rows:
        rest = row[:]
        factors.append([])
        for vector in basis:
            factor = dot(vector, row)
            factors[-1].append(factor)
            rest = [a - factor * b for a, b in zip(rest, vector, strict=True)]
        norm = math.sqrt(dot(rest, rest)) or 1.0
        basis.append([value / norm for value in rest])
        factors[-1].append(norm)
    return basis, factors


def transforms_by_fourier(values: list[float]) -> list[complex]:
    """A recursive transform."""

    def fourier(part: list[complex]) -> list[complex]:
        size = len(part)
        if size <= 1:
            return part
        even, odd = fourier(part[::2]), fourier(part[1::2])
        turned = [cmath.exp(-2j * cmath.pi * k / size) * odd[k] for k in range(size // 2)]
        return [a + b for a, b in zip(even, turned, strict=True)] + [
            a - b for a, b in zip(even, turned, strict=True)
        ]

    padded = [complex(value) for value in values]
    while len(padded) & (len(padded) - 1):
        padded.append(0j)
    return [complex(round(value.real, 9), round(value.imag, 9)) for value in fourier(padded)]


def _square(x: float) -> float:
    """Something to integrate."""
    return x * x


def _wave(x: float) -> float:
    """Something else."""
    return math.sin(x) + 1


def integrates(function: Callable[[float], float], low: float, high: float, parts: int) -> float:
    """A function of a module comes as an argument and is called."""
    width = (high - low) / parts
    total = 0.0
    for part in range(parts):
        middle = low + (part + 0.5) * width
        total += sum(weight * function(middle + place * width / 2) for place, weight in GAUSS)
    return total * width / 2


def finds_roots(a: float, b: float) -> list[float]:
    """A local function is handed to a helper."""

    def polynomial(x: float) -> float:
        return (x - a) * (x - b) * (x + 1)

    def bisection(f: Callable[[float], float], low: float, high: float) -> float:
        for _ in range(50):
            middle = (low + high) / 2
            if f(low) * f(middle) <= 0:
                high = middle
            else:
                low = middle
        return (low + high) / 2

    edges = [-10 + step * 0.37 for step in range(60)]
    return [
        round(bisection(polynomial, x, y), 6)
        for x, y in itertools.pairwise(edges)
        if polynomial(x) * polynomial(y) < 0
    ]


def composes(n: int) -> int:
    """Functions made of functions."""

    def compose(*functions: Callable[[int], int]) -> Callable[[int], int]:
        return lambda x: functools.reduce(lambda value, function: function(value), functions, x)

    double = functools.partial(operator.mul, 2)
    return compose(double, abs, lambda x: x + n, double)(n - 30)


@dataclass(frozen=True)
class Summary:
    """What there is to say of some numbers."""

    count: int
    mean: float
    deviation: float
    quartiles: tuple[float, ...]
    outliers: list[float] = field(default_factory=list)


def summarises(values: list[float]) -> Summary:
    """A frozen dataclass as the result."""
    quartiles = tuple(statistics.quantiles(values, n=4))
    reach = 1.5 * (quartiles[2] - quartiles[0])
    outliers = [value for value in values if not quartiles[0] - reach <= value <= quartiles[2] + reach]
    return Summary(len(values), statistics.fmean(values), statistics.stdev(values), quartiles, outliers)


class Running:
    """Mean and variance of numbers that come one after the other."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, value: float) -> Running:
        self.count += 1
        delta = value - self.mean
        self.mean += delta / self.count
        self._squares += delta * (value - self.mean)
        return self

    @property
    def variance(self) -> float:
        return self._squares / (self.count - 1) if self.count > 1 else math.nan

    def __iadd__(self, other: Running) -> Self:
        both = self.count + other.count
        delta = other.mean - self.mean
        if both:
            self._squares += other._squares + delta**2 * self.count * other.count / both
            self.mean += delta * other.count / both
            self.count = both
        return self


def runs_statistics(values: list[float]) -> dict[str, float]:
    """An object of its own, changed by methods that give it back."""
    left, right = Running(), Running()
    for index, value in enumerate(values):
        (left if index % 2 else right).add(value).add(value + 1)
    left += right
    return {"mean": left.mean, "variance": left.variance}


def fits_a_line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The standard library's regression, and its named tuple."""
    xs, ys = zip(*points, strict=True)
    slope, intercept = statistics.linear_regression(xs, ys)
    return round(slope, 9), round(intercept, 9)


def clusters(points: list[Vector], count: int) -> list[list[Vector]]:
    """Means that move, over value objects."""
    centres = points[:count]
    groups: list[list[Vector]] = []
    for _ in range(5):
        groups = [[] for _ in centres]
        for point in points:
            nearest = min(range(count), key=lambda index: abs(point - centres[index]))
            groups[nearest].append(point)
        centres = [
            functools.reduce(operator.add, group) * (1 / len(group)) if group else centre
            for group, centre in zip(groups, centres, strict=True)
        ]
    return groups


def hull(points: list[Vector]) -> list[Vector]:
    """The convex hull, with keys and an inner function."""
    ordered = sorted(points, key=lambda point: (point.x, point.y))

    def half(given: list[Vector]) -> list[Vector]:
        chain: list[Vector] = []
        for point in given:
            while len(chain) > 1 and (chain[-1] - chain[-2]).cross(point - chain[-1]) <= 0:
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return half(ordered) + half(ordered[::-1])


def encloses(corners: tuple[Vector, ...], point: Vector) -> bool:
    """Is a point within a polygon?"""
    inside = False
    for a, b in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (a.y > point.y) != (b.y > point.y):
            inside ^= point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x
    return inside


def describes_shapes(n: int) -> list[str]:
    """Abstract classes, properties with setters, and super."""
    circle = Circle(n)
    circle.radius = n + 1
    shapes: list[Shape] = [Rectangle(n, 2), Square(n), circle]
    shapes.sort(key=lambda shape: shape.area())
    return [shape.describe() for shape in shapes]


def measures_given_shapes(shapes: list[Shape]) -> float:
    """Objects of several classes come as arguments."""
    return sum(shape.area() for shape in shapes)


def brightens(pixels: list[tuple[int, int, int]], by: float) -> list[tuple[int, int, int]]:
    """Pixels through colour models."""
    import colorsys

    found = []
    for red, green, blue in pixels:
        hue, light, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        scaled = colorsys.hls_to_rgb(hue, clamp(light * by), saturation)
        red, green, blue = (round(255 * part) for part in scaled)  # noqa: PLW2901
        found.append((red, green, blue))
    return found


def blurs(image: list[list[int]]) -> list[list[int]]:
    """A convolution with borders."""
    height, width = len(image), len(image[0])
    kernel = {(dy, dx): 4 >> (abs(dy) + abs(dx)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
    result = [[0] * width for _ in image]
    for y, x in itertools.product(range(height), range(width)):
        total = weights = 0
        for (dy, dx), weight in kernel.items():
            if 0 <= y + dy < height and 0 <= x + dx < width:
                total += weight * image[y + dy][x + dx]
                weights += weight
        result[y][x] = total // weights
    return result


def rounds_money(cents: list[int], share: int) -> str:
    """Decimals within a local context."""
    with decimal.localcontext(decimal.Context(prec=28, rounding=decimal.ROUND_HALF_UP)):
        total = sum((Decimal(cent) * CENT for cent in cents), Decimal(0))
        return str((total / share).quantize(CENT))


def computes_in_a_context(n: int) -> str:
    """Decimals by the methods of a context of a module."""
    context = _EXACT.copy()
    two = context.create_decimal(2 + n)
    return str(context.divide(context.sqrt(two), context.create_decimal("3")))


def computes_in_an_own_context(n: int) -> str:
    """Decimals by the methods of a context of its own."""
    context = decimal.Context(prec=30)
    return str(context.power(context.create_decimal_from_float(n + 0.5), context.create_decimal(3)))


def continues_fractions(n: int) -> list[Fraction]:
    """Better and better fractions."""
    terms, x = [], Fraction(math.isqrt(n * 10**12), 10**6)
    for _ in range(5):
        terms.append(math.floor(x))
        if x == terms[-1]:
            break
        x = 1 / (x - terms[-1])
    found = []
    for size in range(1, len(terms) + 1):
        value = Fraction(terms[size - 1])
        for term in reversed(terms[: size - 1]):
            value = term + 1 / value
        found.append(value.limit_denominator(1000))
    return found


def factors(n: int) -> dict[int, int]:
    """Pollard's method, with a generator of random numbers of its own."""
    chance = random.Random(n)
    found: dict[int, int] = {}

    def is_prime(x: int) -> bool:
        return x > 1 and all(x % d for d in range(2, math.isqrt(x) + 1))

    def split(x: int) -> None:
        if x == 1:
            return
        if is_prime(x):
            found[x] = found.get(x, 0) + 1
            return
        divisor = x
        while divisor == x:
            a = b = chance.randrange(1, x)
            c = chance.randint(1, x - 1)
            divisor = 1
            while divisor == 1:
                a = (a * a + c) % x
                b = (b * b + c) % x
                b = (b * b + c) % x
                divisor = math.gcd(abs(a - b), x)
            if x % 2 == 0:
                divisor = 2
        split(divisor)
        split(x // divisor)

    split(n + 1000)
    return dict(sorted(found.items()))


def walks_randomly(seed: int, steps: int) -> list[Vector]:
    """A simulation with a generator of its own."""
    chance = random.Random(seed)
    places = [Vector(0.0, 0.0)]
    for _ in range(steps):
        step = Vector(chance.gauss(0, 1), chance.uniform(-1, 1))
        places.append(places[-1] + step * chance.choice((0.5, 1.0)))
    chance.shuffle(places)
    return chance.sample(places, 3)


def bootstraps(values: list[float], seed: int) -> tuple[float, float]:
    """Samples of samples."""
    chance = random.Random(seed)
    means = sorted(statistics.fmean(chance.choices(values, k=len(values))) for _ in range(40))
    return means[1], means[-2]


def encrypts(text: str, key: bytes) -> bytes:
    """A toy cipher of rounds."""
    block = bytearray(text.encode().ljust(16, b"\0")[:16])
    for number in range(4):
        block = bytearray(SBOX[byte ^ key[(index + number) % len(key)]] for index, byte in enumerate(block))
        block.reverse()
        block[0], block[-1] = block[-1], block[0]
        for index in range(1, len(block)):
            block[index] ^= block[index - 1]
    return bytes(block)


def signs(message: bytes, key: bytes) -> dict[str, str]:
    """Digests of several kinds."""
    chain = hashlib.sha256()
    for start in range(0, len(message), 8):
        chain.update(message[start : start + 8])
        chain.update(key)
    made = hmac.new(key, message, hashlib.sha1)
    made.update(b"end")
    return {
        "chain": chain.hexdigest(),
        "hmac": made.hexdigest(),
        "blake": hashlib.blake2b(message, key=key, digest_size=8).hexdigest(),
        "same": str(secrets.compare_digest(made.digest(), made.copy().digest())),
    }


def merkle(leaves: list[bytes]) -> str:
    """A tree of digests."""
    level = [hashlib.sha256(leaf).digest() for leaf in leaves] or [b""]
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [hashlib.sha256(left + right).digest() for left, right in pairs]
    return level[0].hex()


def makes_keys(seed: int) -> tuple[int, int, int]:
    """A toy key pair, and a message through it."""
    chance = random.Random(seed)
    primes = [p for p in range(101, 400) if all(p % d for d in range(2, 20))]
    p, q = chance.sample(primes, 2)
    exponent = first((e for e in (17, 257, 65537, 5, 7, 11) if math.gcd(e, (p - 1) * (q - 1)) == 1), 13)
    private = pow(exponent, -1, (p - 1) * (q - 1)) if math.gcd(exponent, (p - 1) * (q - 1)) == 1 else 1
    return p * q, exponent, pow(pow(42, exponent, p * q), private, p * q)


def grades(scores: list[int]) -> list[str]:
    """Borders and bisection."""
    borders, names = (60, 70, 80, 90), "FDCBA"
    return [names[bisect.bisect(borders, score)] for score in scores]


def keeps_sorted(values: list[int]) -> list[float]:
    """A running median."""
    window: list[int] = []
    medians = []
    for index, value in enumerate(values):
        bisect.insort(window, value)
        if index >= 5:
            window.pop(bisect.bisect_left(window, values[index - 5]))
        medians.append((window[len(window) // 2] + window[~(len(window) // 2)]) / 2)
    return medians


class Polynomial(Sequence[int]):
    """Coefficients, as a sequence of a class of ours."""

    def __init__(self, *coefficients: int) -> None:
        self._coefficients = coefficients

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...
    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        return self._coefficients[index]

    def __len__(self) -> int:
        return len(self._coefficients)

    def __call__(self, x: int) -> int:
        return functools.reduce(lambda total, each: total * x + each, reversed(self._coefficients), 0)

    def __mul__(self, other: Polynomial) -> Polynomial:
        made = [0] * (len(self) + len(other) - 1)
        for (i, a), (j, b) in itertools.product(enumerate(self), enumerate(other)):
            made[i + j] += a * b
        return Polynomial(*made)

    def derived(self) -> Polynomial:
        return Polynomial(*(index * each for index, each in enumerate(self) if index))


def multiplies_polynomials(n: int) -> tuple[list[int], int]:
    """A sequence of a class of ours, which can be called."""
    product = Polynomial(1, n, 2) * Polynomial(n, 1)
    return list(product.derived()), product(3)


def suppresses(texts: list[str]) -> float:
    """What is no number is passed over."""
    total = 0.0
    for text in texts:
        with contextlib.suppress(ValueError, OverflowError):
            total += float(text)
    return total


@contextlib.contextmanager
def _indented(lines: list[str], title: str) -> Iterator[list[str]]:
    """Lines between two others."""
    lines.append(f"<{title}>")
    inner: list[str] = []
    try:
        yield inner
    finally:
        lines.extend(f"  {line}" for line in inner)
        lines.append(f"</{title}>")


def nests(n: int) -> list[str]:
    """A context manager of its own, on local lists."""
    lines: list[str] = []
    with _indented(lines, "outer") as outer, _indented(outer, "inner") as inner:
        inner.extend(map(str, range(n % 4)))
    return lines


class Timer:
    """Counts instead of measuring."""

    def __init__(self) -> None:
        self.laps: list[int] = []

    def __enter__(self) -> Self:
        self.laps.append(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.laps[-1] *= -1

    def tick(self) -> None:
        self.laps[-1] += 1


def counts_laps(n: int) -> list[int]:
    """A context manager that is a class."""
    timer = Timer()
    for lap in range(3):
        with timer as running:
            for _ in range(n % (lap + 2)):
                running.tick()
    return timer.laps


def converts_units(value: float, unit: str) -> dict[str, float]:
    """A table of functions of its own."""
    table: dict[str, Callable[[float], float]] = {
        "celsius": lambda c: c,
        "fahrenheit": lambda f: (f - 32) * 5 / 9,
        "kelvin": lambda k: k - 273.15,
    }
    celsius = table[unit](value)
    return {"celsius": celsius, "fahrenheit": celsius * 9 / 5 + 32, "kelvin": celsius + 273.15}


def summarises_given(summary: Summary) -> Summary:
    """A changed copy of a dataclass that came as an argument."""
    fields = dataclasses.asdict(summary)
    fields["outliers"].append(fields["mean"])
    assert len(fields) == len(dataclasses.fields(summary))
    return dataclasses.replace(summary, outliers=fields["outliers"], count=summary.count + 1)


def trains(samples: list[tuple[float, float, int]]) -> dict[str, Any]:
    """A perceptron."""
    weights = [0.0, 0.0, 0.0]
    mistakes: list[int] = []
    for _epoch in range(6):
        wrong = 0
        for x, y, label in samples:
            guess = 1 if weights[0] + weights[1] * x + weights[2] * y > 0 else -1
            if guess != label:
                wrong += 1
                for index, part in enumerate((1.0, x, y)):
                    weights[index] += 0.1 * label * part
        mistakes.append(wrong)
        if not wrong:
            break
    return {"weights": weights, "mistakes": mistakes}


def _points(n: int) -> list[Vector]:
    """Some points."""
    return [Vector(i * (n + 3) % 17, i * i * (n + 1) % 13) for i in range(12)]


def _values(n: int) -> list[float]:
    """Some numbers."""
    return [(i * (n + 7) % 23) / 3 for i in range(12)]


CASES = [
    Case(powers_of_a_matrix),
    Case(traces_of_matrices, arguments=lambda n: ([[n, 1.0], [2.0, 3.0]],)),
    Case(
        solves_equations, arguments=lambda n: ([[2.0, 1.0, n], [1.0, 3.0, 2.0], [1.0, 0.0, 1.5]], [1.0, 2, n])
    ),
    Case(inverts_exactly, arguments=lambda n: ([[1, n, 0], [2, 1, 3], [n, 0, 1]],)),
    Case(decomposes, arguments=lambda n: ([[1.0, n], [2.0, 1.0]],)),
    Case(transforms_by_fourier, arguments=lambda n: (_values(n),)),
    Case(integrates, arguments=lambda n: (_square if n % 2 else _wave, 0.0, n, 5)),
    Case(finds_roots, arguments=lambda n: (n / 10, 4.2)),
    Case(composes),
    Case(summarises, arguments=lambda n: (_values(n),), ordered=False),
    Case(runs_statistics, arguments=lambda n: (_values(n),)),
    Case(fits_a_line, arguments=lambda n: ([(float(i), i * n + 0.5) for i in range(5)],)),
    Case(clusters, arguments=lambda n: (_points(n), 3)),
    Case(hull, arguments=lambda n: (_points(n),)),
    Case(encloses, arguments=lambda n: (tuple(_points(n)[:5]), Vector(n / 9, 3))),
    Case(describes_shapes),
    Case(measures_given_shapes, arguments=lambda n: ([Square(n), Circle(2), Rectangle(1, n)],)),
    Case(brightens, arguments=lambda n: ([(n, 100, 200), (255, n * 2, 0)], 1.2)),
    Case(blurs, arguments=lambda n: ([[(x * y * n) % 256 for x in range(5)] for y in range(4)],)),
    Case(rounds_money, arguments=lambda n: ([n, 199, 250], 3)),
    Case(computes_in_a_context),
    Case(computes_in_an_own_context),
    Case(continues_fractions, arguments=lambda n: (n + 2,)),
    Case(factors),
    Case(walks_randomly, arguments=lambda n: (n, 10)),
    Case(bootstraps, arguments=lambda n: (_values(n), n)),
    Case(encrypts, arguments=lambda n: (f"attack at {n}", b"secret")),
    Case(signs, arguments=lambda n: (f"message {n} to all".encode(), b"key")),
    Case(merkle, arguments=lambda n: ([bytes([i]) for i in range(n % 7)],)),
    Case(makes_keys),
    Case(grades, arguments=lambda n: ([n, n + 20, n + 40],), ordered=False),
    Case(keeps_sorted, arguments=lambda n: ([i * (n + 3) % 19 for i in range(15)],)),
    Case(multiplies_polynomials),
    Case(suppresses, arguments=lambda n: ([str(n), "x", "2.5", ""],)),
    Case(nests),
    Case(counts_laps),
    Case(converts_units, arguments=lambda n: (float(n), ("celsius", "fahrenheit", "kelvin")[n % 3])),
    Case(summarises_given, arguments=lambda n: (Summary(n, 1.5, 0.5, (1.0, 2.0), [9.0]),)),
    Case(trains, arguments=lambda n: ([(i, i * n % 7, 1 if i > 3 else -1) for i in range(8)],)),
    Case(Vector.polar, arguments=lambda n: (1.0, n)),
    Case(Vector.walk, arguments=lambda n: (Vector(n, 1.0), 5)),
    Case(Vector.rotated, arguments=lambda n: (Vector(n, 1.0), 0.5)),
    Case(Vector(3.0, 4.0).rotated),
    Case(Polynomial(1, 2, 3)),
]
