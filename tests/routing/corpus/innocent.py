"""Functions whose calls may leave: all that they change is their own."""

# ruff: noqa: B006, C416, LOG015, PERF401, RUF005, UP033
# mypy: disable-error-code="no-any-return,no-untyped-call,func-returns-value,var-annotated,arg-type,misc"

from __future__ import annotations

import ast
import base64
import bz2
import collections
import csv
import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import heapq
import io
import itertools
import json
import logging
import math
import operator
import os.path
import re
import statistics
import string
import struct
import subprocess
import sys
import textwrap
import zlib
from collections import Counter, defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from . import helpers
from .helpers import LIMIT, STOP_WORDS, Point, Registry, Settings, even, is_prime

PRICES = {"apple": 3, "pear": 4}
WEIGHTS = (0.2, 0.3, 0.5)
WORD = re.compile(r"\w+")
PRIMES = [2, 3, 5, 7]
MATRIX = [[1, 2], [3, 4]]
DAY = datetime.timedelta(days=1)
HEADER = struct.Struct("<IH")
ROOT = Path("/tmp")
_BRANCHES = (ast.If, ast.For, ast.While)
_log = logging.getLogger(__name__)
by_second = operator.itemgetter(1)
add_one = functools.partial(operator.add, 1)


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Pair(NamedTuple):
    left: int
    right: int


class Visitor(ast.NodeVisitor):
    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.count += 1
        self.names.append(node.name)
        self.generic_visit(node)


class Tree:
    def __init__(self, value: int) -> None:
        self.value = value
        self.left: Tree | None = None
        self.right: Tree | None = None

    def insert(self, value: int) -> None:
        if value < self.value:
            if self.left is None:
                self.left = Tree(value)
            else:
                self.left.insert(value)
        elif self.right is None:
            self.right = Tree(value)
        else:
            self.right.insert(value)

    def walk(self) -> Any:
        if self.left is not None:
            yield from self.left.walk()
        yield self.value
        if self.right is not None:
            yield from self.right.walk()


class Stack(list):  # type: ignore[type-arg]
    def push(self, item: int) -> None:
        self.append(item)


@dataclass
class Account:
    owner: str
    entries: list[int] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(self.entries)

    def book(self, amount: int) -> None:
        self.entries.append(amount)


class Base:
    def __init__(self, scale: int) -> None:
        self.scale = scale

    def apply(self, x: int) -> int:
        return self.scale * x


class Derived(Base):
    def __init__(self, scale: int) -> None:
        super().__init__(scale)
        self.seen: dict[int, int] = {}

    def apply(self, x: int) -> int:
        if x not in self.seen:
            self.seen[x] = super().apply(x)
        return self.seen[x]


def prime_sieve(n: int) -> list[int]:
    flags = bytearray([1]) * (n + 1)
    flags[:2] = b"\0\0"
    for k in range(2, int(n**0.5) + 1):
        if flags[k]:
            flags[k * k :: k] = bytes(len(range(k * k, n + 1, k)))
    return [k for k, flag in enumerate(flags) if flag]


def count_primes(n: int) -> int:
    return sum(1 for k in range(n) if is_prime(k))


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def factorial(n: int) -> int:
    result = 1
    while n > 1:
        result *= n
        n -= 1
    return result


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def greatest_divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def sort_a_copy(items: list[int]) -> list[int]:
    items = list(items)
    items.sort(reverse=True)
    return items


def bubble_sort(values: list[int]) -> list[int]:
    out = values[:]
    for i in range(len(out)):
        for j in range(len(out) - 1 - i):
            if out[j] > out[j + 1]:
                out[j], out[j + 1] = out[j + 1], out[j]
    return out


def quicksort(values: list[int]) -> list[int]:
    if len(values) <= 1:
        return values[:]
    pivot = values[0]
    low = [v for v in values[1:] if v < pivot]
    high = [v for v in values[1:] if v >= pivot]
    return quicksort(low) + [pivot] + quicksort(high)


def merge_sort(values: list[int]) -> list[int]:
    if len(values) < 2:
        return list(values)
    middle = len(values) // 2
    left, right = merge_sort(values[:middle]), merge_sort(values[middle:])
    out = []
    while left and right:
        out.append(left.pop(0) if left[0] <= right[0] else right.pop(0))
    out += left
    out.extend(right)
    return out


def heap_sort(values: list[int]) -> list[int]:
    heap: list[int] = []
    for value in values:
        heapq.heappush(heap, value)
    return [heapq.heappop(heap) for _ in range(len(heap))]


def matrix_product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    out = [[0.0] * len(b[0]) for _ in a]
    for i, row in enumerate(a):
        for j in range(len(b[0])):
            for k, value in enumerate(row):
                out[i][j] += value * b[k][j]
    return out


def count_words(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def count_with_counter(text: str) -> list[tuple[str, int]]:
    return Counter(word for word in text.split() if word not in STOP_WORDS).most_common(5)


def group_words(text: str) -> dict[int, list[str]]:
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for word in text.split():
        groups[len(word)].append(word)
    return dict(groups)


def setdefault_on_its_own(text: str) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for place, word in enumerate(re.findall(r"\w+", text)):
        index.setdefault(word, []).append(place)
    return index


def find_all(text: str) -> list[str]:
    return WORD.findall(text)


def replace_all(text: str) -> str:
    return re.sub(r"\d+", lambda match: str(int(match.group()) + 1), text)


def parse_json(text: str) -> int:
    data = json.loads(text)
    data["seen"] = True
    data.setdefault("tags", []).append("new")
    return len(json.dumps(data, sort_keys=True))


def parse_csv(text: str) -> list[dict[str, str]]:
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        row["extra"] = "1"
        rows.append(row)
    return rows


def write_csv(rows: list[list[int]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    return out.getvalue()


def rank_functions(source: str) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((1 + sum(isinstance(inner, _BRANCHES) for inner in ast.walk(node)), node.name))
    found.sort(reverse=True)
    return found[:10]


def visit_functions(source: str) -> tuple[int, list[str]]:
    visitor = Visitor()
    visitor.visit(ast.parse(source))
    return visitor.count, visitor.names


def digest(data: bytes) -> str:
    sha = hashlib.sha256()
    for start in range(0, len(data), 4096):
        sha.update(data[start : start + 4096])
    return sha.hexdigest()


def compress(data: bytes) -> int:
    return len(zlib.compress(bz2.compress(base64.b64encode(data))))


def read_file(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        return sum(len(line) for line in file)


def write_file(path: Path) -> int:
    with path.open("w") as file:
        file.write("hello")
        file.writelines(["a", "b"])
    return path.stat().st_size


def walk_folder(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).rglob("*.py") if path.is_file())


def join_paths(name: str) -> str:
    return os.path.join(ROOT / name, "x")


def price(order: dict[str, int]) -> int:
    return sum(PRICES[name] * amount for name, amount in order.items())


def weighted(values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(WEIGHTS, values, strict=False))


def below_limit(values: list[int]) -> list[int]:
    return [value for value in values if value < LIMIT and value not in PRIMES]


def below_limit_of_a_module(values: list[int]) -> list[int]:
    return [value for value in values if value < helpers.LIMIT]


def trace_of_a_constant_matrix(scale: int) -> int:
    total = 0
    for k, row in enumerate(MATRIX):
        total += row[k] * scale
    return total


def reads_a_class(x: int) -> int:
    return x + Settings.level


def memoises_locally(n: int) -> int:
    known: dict[int, int] = {}

    def ways(k: int) -> int:
        if k <= 1:
            return 1
        if k not in known:
            known[k] = ways(k - 1) + ways(k - 2)
        return known[k]

    return ways(n)


def caches_locally(n: int) -> int:
    @functools.lru_cache(maxsize=None)
    def ways(k: int) -> int:
        return 1 if k <= 1 else ways(k - 1) + ways(k - 2)

    return ways(n)


def counts_with_nonlocal(text: str) -> int:
    count = 0

    def note() -> None:
        nonlocal count
        count += 1

    for _ in text:
        note()
    return count


def uses_a_local_generator(n: int) -> int:
    def squares() -> Any:
        k = 0
        while k < n:
            yield k * k
            k += 1

    return sum(squares())


def uses_a_generator_of_a_helper(numbers: list[int]) -> list[int]:
    return list(even(numbers))


def permutes(items: list[int]) -> int:
    return sum(1 for p in itertools.permutations(items) if p[0] < p[-1])


def queens(n: int) -> int:
    def place(row: int, columns: list[int]) -> int:
        if row == n:
            return 1
        return sum(
            place(row + 1, columns + [c])
            for c in range(n)
            if all(c != k and abs(c - k) != row - r for r, k in enumerate(columns))
        )

    return place(0, [])


def breadth_first(graph: dict[str, list[str]], start: str) -> list[str]:
    seen, queue, order = {start}, deque([start]), []
    while queue:
        node = queue.popleft()
        order.append(node)
        for neighbour in graph.get(node, []):
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
    return order


def dijkstra(graph: dict[str, dict[str, float]], start: str) -> dict[str, float]:
    distance = {start: 0.0}
    heap = [(0.0, start)]
    while heap:
        so_far, node = heapq.heappop(heap)
        for neighbour, length in graph[node].items():
            candidate = so_far + length
            if candidate < distance.get(neighbour, math.inf):
                distance[neighbour] = candidate
                heapq.heappush(heap, (candidate, neighbour))
    return distance


def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def mandelbrot(width: int) -> int:
    inside = 0
    for i in range(width):
        for j in range(width):
            z, c = 0j, complex(3 * i / width - 2, 2 * j / width - 1)
            for _ in range(50):
                z = z * z + c
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside


def life(cells: set[tuple[int, int]]) -> set[tuple[int, int]]:
    counts = Counter((x + i, y + j) for x, y in cells for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
    return {cell for cell, n in counts.items() if n == 3 or (n == 2 and cell in cells)}


def builds_a_tree(values: list[int]) -> list[int]:
    root = Tree(values[0])
    for value in values[1:]:
        root.insert(value)
    return list(root.walk())


def builds_an_account(amounts: list[int]) -> int:
    account = Account("me")
    for amount in amounts:
        account.book(amount)
    return account.balance


def uses_a_subclass_of_list(values: list[int]) -> int:
    stack = Stack()
    for value in values:
        stack.push(value)
    return len(stack)


def uses_super(values: list[int]) -> int:
    derived = Derived(3)
    return sum(derived.apply(value) for value in values)


def uses_a_registry_of_its_own(values: list[int]) -> int:
    registry = Registry()
    for value in values:
        registry.enter(value)
    return registry.total()


def measures_points(points: list[Point]) -> float:
    return max(point.norm() for point in points)


def makes_points(n: int) -> list[Point]:
    points = [Point(k, k) for k in range(n)]
    points[0].tags.append("first")
    points[0].x += 1
    return points


def replaces_a_field(point: Point) -> Point:
    return dataclasses.replace(point, x=0.0)


def names_a_color(n: int) -> str:
    return (Color.RED if n else Color.BLUE).name


def pairs(values: list[int]) -> list[Pair]:
    return [Pair(value, -value)._replace(left=0) for value in values]


def sorts_by_second(values: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(values, key=by_second)


def uses_a_partial(n: int) -> int:
    return add_one(n)


def reduces(values: list[int]) -> int:
    return functools.reduce(lambda a, b: a * b, values, 1)


def appends_by_a_method_in_a_variable(n: int) -> list[int]:
    out: list[int] = []
    append = out.append
    for k in range(n):
        append(k)
    return out


def tries(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        return len(str(error))
    finally:
        with suppress(ValueError):
            int("x")


def raises(n: int) -> int:
    if n < 0:
        raise ValueError(f"negative: {n}")
    return n


def matches(command: list[str]) -> str:
    match command:
        case ["go", where]:
            return where
        case [first, *rest]:
            return first + "".join(rest)
        case _:
            return ""


def imports_inside(n: int) -> int:
    import math as mathematics
    from statistics import median

    return int(mathematics.sqrt(n) + median([1, 2, n]))


def class_inside(n: int) -> int:
    class Total:
        def __init__(self) -> None:
            self.value = 0

        def add(self, k: int) -> None:
            self.value += k

    total = Total()
    for k in range(n):
        total.add(k)
    return total.value


def decorated_inside(n: int) -> int:
    def twice(fn: Any) -> Any:
        @functools.wraps(fn)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return 2 * fn(*args, **kwargs)

        return inner

    @twice
    def plus(k: int, more: int = 1) -> int:
        return k + more

    return plus(n)


def exact(n: int) -> Fraction:
    return sum((Fraction(1, k) for k in range(1, n + 1)), Fraction(0))


def wraps_text(text: str) -> str:
    return textwrap.fill(text, 20).translate(str.maketrans(string.ascii_lowercase, string.ascii_uppercase))


def packs(n: int) -> bytes:
    return HEADER.pack(n, 2) + struct.pack("<I", n)


def tomorrow(day: datetime.date) -> str:
    return (day + DAY).isoformat()


def spreads(values: list[float]) -> float:
    return statistics.pstdev(values) if values else math.nan


def runs_a_program(argument: str) -> bytes:
    return subprocess.run([sys.implementation.name, argument], capture_output=True, check=False).stdout


def variadic(*values: int, **options: int) -> int:
    values = tuple(sorted(values))
    options = dict(options, extra=1)
    options["more"] = 2
    return sum(values) + sum(options.values())


def transposes(rows: list[list[int]]) -> list[list[int]]:
    columns: list[list[int]] = [[] for _ in rows[0]]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


def flattens(rows: list[list[int]]) -> list[int]:
    out = []
    for row in rows:
        out.extend(row)
    out += [1]
    return out


def walks_a_tree(tree: dict[str, Any]) -> int:
    todo, count = [tree], 0
    while todo:
        node = todo.pop()
        count += 1
        todo.extend(node.get("children", []))
    return count


def builds_strings(n: int) -> str:
    text = ""
    for k in range(n):
        text += f"{k:>3}"
    parts = text.split()
    parts.reverse()
    return ",".join(parts)


def zips_a_dict(keys: list[str], values: list[int]) -> dict[str, int]:
    table = dict(zip(keys, values, strict=True))
    table.update(total=sum(values))
    return {key: value for key, value in sorted(table.items(), key=lambda pair: pair[1])}


def simulates_with_its_own_generator(n: int) -> float:
    import random

    rng = random.Random(n)
    return sum(rng.random() for _ in range(n))


def ordered(values: list[str]) -> list[str]:
    return list(collections.OrderedDict.fromkeys(values))


def sorts_a_set(words: list[str]) -> list[str]:
    unique = set(words)
    unique.add("x")
    return sorted(word for word in unique if len(word) < 9)


def counts_a_set(words: list[str]) -> int:
    total = 0
    for word in set(words):
        total += len(word)
    return total


def keeps_class_helpers(n: int) -> int:
    box = _Box()
    box.put_in([n])
    box.put_in([n, n])
    return len(box.things)


class _Box:
    label = "box"
    sizes = (1, 2)

    def __init__(self) -> None:
        self.things: list[list[int]] = []

    def put_in(self, thing: list[int]) -> None:
        self.things.append(thing)
        self.last = thing


def windows(values: list[int], size: int) -> list[int]:
    window = deque(values[:size], maxlen=size)
    out = [sum(window)]
    for value in values[size:]:
        window.append(value)
        out.append(sum(window))
    return out


def histogram(values: list[float], bins: int) -> list[int]:
    low, high = min(values), max(values)
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low or 1) * bins))] += 1
    return counts


def normal_form(table: dict[str, list[float]]) -> dict[str, list[float]]:
    out: dict[str, list[float]] = {}
    for name, row in table.items():
        total = sum(row)
        out[name] = [value / total for value in row]
    return out


def power_sums(values: list[int], n: int) -> list[int]:
    sums = [0] * n
    for value in values:
        power = 1
        for k in range(n):
            power *= value
            sums[k] += power
    return sums


def runs_a_machine(program: list[tuple[str, int]]) -> int:
    registers = {"a": 0, "pc": 0}
    while registers["pc"] < len(program):
        op, value = program[registers["pc"]]
        if op == "add":
            registers["a"] += value
        elif op == "jump":
            registers["pc"] += value
            continue
        registers["pc"] += 1
    return registers["a"]


def parses_dates(lines: list[str]) -> list[str]:
    found = []
    for line in lines:
        when = datetime.datetime.fromisoformat(line.strip())
        found.append((when, line))
    found.sort(key=lambda pair: pair[0])
    return [when.isoformat() for when, _ in found]


def tokenises(source: str) -> dict[str, int]:
    import tokenize

    counts: Counter[str] = Counter()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        counts[tokenize.tok_name[token.type]] += 1
    return dict(counts)


def transforms(source: str) -> str:
    class Rename(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            node.id = node.id.upper()
            return node

    return ast.unparse(Rename().visit(ast.parse(source)))


def static_and_class_methods_inside(n: int) -> int:
    class Here:
        base = 2

        @staticmethod
        def double(k: int) -> int:
            return 2 * k

        @classmethod
        def more(cls, k: int) -> int:
            return k + cls.base

        @property
        def size(self) -> int:
            return 3

    return Here.double(n) + Here.more(n) + Here().size


class _Cell:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

    def __hash__(self) -> int:
        return hash((self.x, self.y))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Cell) and (self.x, self.y) == (other.x, other.y)


def counts_cells(n: int) -> int:
    cells = {_Cell(k, k % 3) for k in range(n)}
    table = {_Cell(0, 0): 1}
    return len(cells) + table.get(_Cell(0, 0), 0)


def reads_a_default(n: int, table: dict[int, int] = {1: 2}) -> int:
    return table.get(n, 0) + _with_default(n)


def _with_default(n: int, powers: list[int] = [1, 2, 4]) -> int:
    return powers[n % 3]


OPERATORS = {"+": operator.add, "-": operator.sub, "square": lambda a, b: a * a}


def evaluates(tokens: list[str]) -> float:
    stack: list[float] = []
    for token in tokens:
        if token in OPERATORS:
            b, a = stack.pop(), stack.pop()
            stack.append(OPERATORS[token](a, b))
        else:
            stack.append(float(token))
    return stack[0]


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: int, right: int) -> None:
        self.left = left
        self.right = right

    def total(self) -> int:
        return max(self.left, self.right)


def uses_slots(n: int) -> int:
    return sum(Slotted(k, n).total() for k in range(n))


def logs(x: int) -> int:
    _log.info("got %s", x)
    return x * 2


def logs_at_the_root(x: int) -> int:
    logging.warning("got %s", x)
    return x * 2


def logs_by_name(x: int) -> int:
    log = logging.getLogger("some.name")
    if log.isEnabledFor(logging.DEBUG):
        log.debug("details of %s", x)
    return x * 2


def logs_a_failure(x: int) -> int:
    try:
        return 1 // x
    except ZeroDivisionError:
        _log.getChild("part").exception("no")
        return 0


def decimals(x: int) -> Decimal:
    with decimal.localcontext() as context:
        context.prec = 30
        return Decimal(x) / 3
