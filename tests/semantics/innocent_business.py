"""Innocent functions over the small classes of applications: records, orders, graphs, schedules, rules."""

from __future__ import annotations

import abc
import copy
import datetime as dt
import difflib
import heapq
import itertools
import operator
import unicodedata
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum, IntEnum, auto
from functools import cached_property, partial, reduce, singledispatch, total_ordering, wraps
from operator import attrgetter, itemgetter
from pathlib import PurePosixPath
from typing import Any, Generic, Protocol, TypeVar

from tests.semantics.case import Case

T = TypeVar("T")
Point = namedtuple("Point", "x y")  # noqa: PYI024


class Status(Enum):
    """Where an order is."""

    NEW = auto()
    PAID = auto()
    SHIPPED = auto()

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self is Status.SHIPPED


class Priority(IntEnum):
    """How soon."""

    LOW = 1
    HIGH = 2


NEXT = {Status.NEW: Status.PAID, Status.PAID: Status.SHIPPED}


@dataclass(frozen=True, slots=True)
class Line:
    """Of an order."""

    sku: str
    price: int
    count: int = 1

    @property
    def total(self) -> int:
        """All of it."""
        return self.price * self.count


@dataclass
class Order:
    """Some lines."""

    number: int
    lines: list[Line] = field(default_factory=list)
    status: Status = Status.NEW
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, sku: str, price: int, count: int = 1) -> Order:
        """One more, and itself."""
        self.lines.append(Line(sku, price, count))
        return self

    @property
    def total(self) -> int:
        """All of them."""
        return sum(line.total for line in self.lines)

    def advance(self) -> None:
        """To the next status."""
        self.status = NEXT.get(self.status, self.status)


class Animal(abc.ABC):
    """Something that speaks."""

    legs = 4

    def __init__(self, name: str) -> None:
        """Has a name."""
        self.name = name

    @abc.abstractmethod
    def sound(self) -> str:
        """What it says."""

    def speak(self, times: int = 1) -> str:
        """Says it."""
        return f"{self.name} ({self.legs} legs): " + " ".join([self.sound()] * times)


class Dog(Animal):
    """Barks."""

    def sound(self) -> str:
        """What it says."""
        return "woof"


class Bird(Animal):
    """Has fewer legs."""

    legs = 2

    def __init__(self, name: str, song: str) -> None:
        """Has a song."""
        super().__init__(name)
        self.song = song

    def sound(self) -> str:
        """What it says."""
        return self.song


@total_ordering
class Version:
    """Of a program."""

    def __init__(self, text: str) -> None:
        """Reads it."""
        self.parts = tuple(int(p) for p in text.split("."))

    def __eq__(self, other: object) -> bool:
        """By parts."""
        return isinstance(other, Version) and self.parts == other.parts

    def __lt__(self, other: Version) -> bool:
        """By parts."""
        return self.parts < other.parts

    def __hash__(self) -> int:
        """By parts."""
        return hash(self.parts)

    def __str__(self) -> str:
        """As it was read."""
        return ".".join(map(str, self.parts))


class Graph:
    """Of places and ways."""

    def __init__(self) -> None:
        """Empty."""
        self.edges: dict[str, list[tuple[str, int]]] = defaultdict(list)

    def connect(self, a: str, b: str, cost: int) -> None:
        """Both ways."""
        self.edges[a].append((b, cost))
        self.edges[b].append((a, cost))

    def shortest(self, start: str, goal: str) -> tuple[int, list[str]] | None:
        """Dijkstra's."""
        heap: list[tuple[int, str, list[str]]] = [(0, start, [start])]
        done: set[str] = set()
        while heap:
            cost, place, path = heapq.heappop(heap)
            if place == goal:
                return cost, path
            if place in done:
                continue
            done.add(place)
            for other, more in self.edges[place]:
                if other not in done:
                    heapq.heappush(heap, (cost + more, other, [*path, other]))
        return None


class Cache(Generic[T]):
    """Keeps the latest."""

    def __init__(self, size: int) -> None:
        """Empty."""
        self._size = size
        self._data: OrderedDict[str, T] = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key: str, make: Callable[[str], T]) -> T:
        """What is kept, or made now."""
        if key in self._data:
            self.hits += 1
            self._data.move_to_end(key)
            return self._data[key]
        self.misses += 1
        value = self._data[key] = make(key)
        if len(self._data) > self._size:
            self._data.popitem(last=False)
        return value


class Account:
    """Money that can't be less than none."""

    def __init__(self, balance: int = 0) -> None:
        """With what is there."""
        self._balance = balance
        self.history: list[tuple[str, int]] = []

    @property
    def balance(self) -> int:
        """What is there."""
        return self._balance

    @balance.setter
    def balance(self, value: int) -> None:
        """Never less than none."""
        if value < 0:
            raise ValueError(f"insufficient funds: {value}")
        self._balance = value

    @contextmanager
    def transaction(self, name: str) -> Iterator[Account]:
        """All or nothing."""
        before = self._balance
        try:
            yield self
        except ValueError:
            self._balance = before
            self.history.append((name, 0))
        else:
            self.history.append((name, self._balance - before))


class Text:
    """With words counted once."""

    def __init__(self, text: str) -> None:
        """Keeps it."""
        self.text = text

    @cached_property
    def words(self) -> Counter[str]:
        """Counted."""
        return Counter(self.text.split())

    def score(self, word: str) -> float:
        """How much a word is."""
        return self.words[word] / max(1, sum(self.words.values()))


class Rule(Protocol):
    """Says whether a record is fine."""

    def check(self, record: dict[str, Any]) -> str | None:
        """What is wrong."""
        ...


class Required:
    """Has to be there."""

    def __init__(self, *names: str) -> None:
        """These."""
        self.names = names

    def check(self, record: dict[str, Any]) -> str | None:
        """What is wrong."""
        missing = [name for name in self.names if not record.get(name)]
        return f"missing {', '.join(missing)}" if missing else None


class Between:
    """Has to be between."""

    def __init__(self, name: str, low: float, high: float) -> None:
        """These."""
        self.name, self.low, self.high = name, low, high

    def check(self, record: dict[str, Any]) -> str | None:
        """What is wrong."""
        value = record.get(self.name)
        if value is None or self.low <= value <= self.high:
            return None
        return f"{self.name}={value!r} is not in [{self.low}, {self.high}]"


RULES: list[Rule] = [Required("name", "age"), Between("age", 0, 120)]


def retry(times: int) -> Callable[[Callable[[int], int]], Callable[[int], int]]:
    """Tries again."""

    def decorate(fn: Callable[[int], int]) -> Callable[[int], int]:
        @wraps(fn)
        def wrapper(n: int) -> int:
            for attempt in range(times):
                try:
                    return fn(n + attempt)
                except ValueError:
                    continue
            raise ValueError(f"gave up on {n}")

        return wrapper

    return decorate


@retry(3)
def even_square(n: int) -> int:
    """Only of even numbers."""
    if n % 4:
        raise ValueError(n)
    return n * n


@singledispatch
def render(value: Any) -> str:
    """As text."""
    return str(value)


@render.register
def _(value: list) -> str:  # type: ignore[type-arg]
    return "[" + "; ".join(render(v) for v in value) + "]"


@render.register
def _(value: float) -> str:
    return f"{value:.2f}"


def process_orders(numbers: list[int]) -> list[dict[str, Any]]:
    """Makes, pays and shows orders."""
    orders = []
    for number in numbers:
        order = Order(number).add("A", 10, number).add("B", 7)
        if order.total > 50:
            order.advance()
            order.notes["why"] = "large"
        orders.append(order)
    orders.sort(key=lambda o: (-o.total, o.number))
    return [{**asdict(o), "status": o.status.name, "final": o.status.final} for o in orders]


def zoo(n: int) -> list[str]:
    """What animals say."""
    animals: list[Animal] = [Dog("rex"), Bird("tweety", "la"), Bird("coco", "kra")]
    return [animal.speak(n % 3 + 1) for animal in sorted(animals, key=attrgetter("legs", "name"))]


def newest(texts: list[str]) -> tuple[str, int]:
    """The newest version, and how many different."""
    versions = [Version(text) for text in texts]
    return str(max(versions)), len(set(versions))


def route(n: int) -> tuple[int, list[str]] | None:
    """The shortest way."""
    graph = Graph()
    for i in range(10):
        graph.connect(chr(65 + i), chr(65 + (i * 3 + 1) % 10), i + n % 5)
    return graph.shortest("A", "F")


def cache_words(words: list[str]) -> tuple[int, int, list[str]]:
    """What a cache comes to."""
    cache: Cache[str] = Cache(3)
    out = [cache.get(word, str.upper) for word in words]
    return cache.hits, cache.misses, out


def bank(amounts: list[int]) -> tuple[int, list[tuple[str, int]]]:
    """Transactions, of which some fail."""
    account = Account(100)
    for i, amount in enumerate(amounts):
        with account.transaction(f"t{i}") as a:
            a.balance -= amount
    return account.balance, account.history


def rank_texts(texts: list[str], word: str) -> list[str]:
    """The texts with most of a word first."""
    made = [Text(t) for t in texts]
    return [t.text for t in sorted(made, key=lambda t: t.score(word), reverse=True)]


def validate(records: list[dict[str, Any]]) -> dict[int, list[str]]:
    """What is wrong with each."""
    problems: dict[int, list[str]] = {}
    for i, record in enumerate(records):
        found = [message for rule in RULES if (message := rule.check(record))]
        if found:
            problems[i] = found
    return problems


def retried(n: int) -> int:
    """Tries again."""
    return even_square(n)


def rendered(n: int) -> str:
    """Dispatches by kind."""
    return render([n, n / 3, [1, "x"]])


def group_sales(sales: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By region, then statistics."""
    result = {}
    for region, group in itertools.groupby(sorted(sales, key=itemgetter("region")), key=itemgetter("region")):
        amounts = [sale["amount"] for sale in group]
        result[region] = {"total": sum(amounts), "max": max(amounts), "count": len(amounts)}
    return result


def business_days(start: dt.date, days: int, holidays: frozenset[dt.date] = frozenset()) -> dt.date:
    """So many working days later."""
    current = start
    while days > 0:
        current += dt.timedelta(days=1)
        if current.weekday() < 5 and current not in holidays:
            days -= 1
    return current


def free_slots(busy: list[tuple[int, int]], opening: int = 8, closing: int = 18) -> list[tuple[int, int]]:
    """Gaps between meetings."""
    merged: list[list[int]] = []
    for start, end in sorted(busy):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    slots, at = [], opening
    for start, end in merged:
        if start > at:
            slots.append((at, start))
        at = max(at, end)
    if at < closing:
        slots.append((at, closing))
    return slots


def deduplicate(names: list[str]) -> list[tuple[str, str]]:
    """Names that are nearly the same."""

    def plain(name: str) -> str:
        folded = unicodedata.normalize("NFKD", name.casefold())
        return "".join(c for c in folded if not unicodedata.combining(c))

    pairs = []
    for a, b in itertools.combinations(names, 2):
        if difflib.SequenceMatcher(None, plain(a), plain(b)).ratio() > 0.8:
            pairs.append((a, b))
    return pairs


def tree_of(paths: list[str]) -> dict[str, Any]:
    """Nested folders."""
    root: dict[str, Any] = {}
    for text in paths:
        node = root
        for part in PurePosixPath(text).with_suffix(".bak").parts:
            node = node.setdefault(part, {})
    return root


def settings_for(user: dict[str, Any]) -> dict[str, Any]:
    """Over the defaults."""
    defaults = {"theme": "light", "size": 10, "tabs": [1, 2]}
    merged = copy.deepcopy(dict(ChainMap(user, defaults)))
    merged["tabs"].append(len(merged))
    return merged


def pipeline(values: list[int]) -> int:
    """Folds composed functions."""
    steps: list[Callable[[int], int]] = [partial(operator.add, 3), lambda v: v * 2, abs]
    composed: Callable[[int], int] = reduce(lambda f, g: lambda v: g(f(v)), steps)
    return sum(map(composed, values))


def walk_points(moves: str) -> list[Any]:
    """Named points along a way."""
    directions = {"n": (0, 1), "s": (0, -1), "e": (1, 0), "w": (-1, 0)}
    at = Point(0, 0)
    way = [at]
    for move in moves:
        dx, dy = directions[move]
        at = at._replace(x=at.x + dx, y=at.y + dy)
        way.append(at)
    return way


def topological(needs: dict[str, list[str]]) -> list[str]:
    """Kahn's."""
    waiting = {task: len(before) for task, before in needs.items()}
    after: dict[str, list[str]] = {task: [] for task in needs}
    for task, before in needs.items():
        for b in before:
            after[b].append(task)
    ready = deque(sorted(t for t, count in waiting.items() if count == 0))
    out = []
    while ready:
        task = ready.popleft()
        out.append(task)
        for other in after[task]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return out


def urgent(tasks: list[tuple[str, int]]) -> list[str]:
    """By priority."""
    heap = [(-Priority(p), i, name) for i, (name, p) in enumerate(tasks)]
    heapq.heapify(heap)
    return [heapq.heappop(heap)[2] for _ in range(len(heap))]


def queens(n: int) -> int:
    """How many ways to place queens."""
    cols: set[int] = set()
    down: set[int] = set()
    up: set[int] = set()
    count = 0

    def place(row: int) -> None:
        nonlocal count
        if row == n:
            count += 1
            return
        for col in range(n):
            if col in cols or row + col in up or row - col in down:
                continue
            cols.add(col)
            up.add(row + col)
            down.add(row - col)
            place(row + 1)
            cols.remove(col)
            up.remove(row + col)
            down.remove(row - col)

    place(0)
    return count


CASES = [
    Case(process_orders, lambda n: ([n, n % 4, 3],)),
    Case(zoo),
    Case(newest, lambda n: ([f"1.{n}", "1.10.2", f"{n % 3}.0", "1.10.2"],)),
    Case(route),
    Case(cache_words, lambda n: (["a", "b", "c", "a", "d", "b"][: n % 7],)),
    Case(bank, lambda n: ([n, 40, 60, 5],)),
    Case(rank_texts, lambda n: (["a b b", "b a a", "c", "b " * n], "b")),
    Case(validate, lambda n: ([{"name": "x", "age": n * 5}, {"age": 3}],)),
    Case(retried),
    Case(rendered),
    Case(group_sales, lambda n: ([{"region": f"r{i % 3}", "amount": i * n} for i in range(9)],)),
    Case(business_days, lambda n: (dt.date(2024, 1, 1), n)),
    Case(free_slots, lambda n: ([(9, 10), (n % 12 + 4, 13), (16, 17)],)),
    Case(deduplicate, lambda n: (["Müller", "Muller", "Meyer", "Maier", str(n)],)),
    Case(tree_of, lambda n: (["a/b/c.txt", f"a/d{n}.py", "e"],)),
    Case(settings_for, lambda n: ({"size": n, **({"tabs": [n]} if n % 2 else {})},)),
    Case(pipeline, lambda n: ([n, -n, 5],)),
    Case(walk_points, lambda n: ("nesw"[: n % 5] * 3,)),
    Case(topological, lambda n: ({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["b"] if n % 2 else []},)),
    Case(urgent, lambda n: ([("a", 1), ("b", n % 2 + 1), ("c", 2)],)),
    Case(queens, lambda n: (n % 6,)),
]
