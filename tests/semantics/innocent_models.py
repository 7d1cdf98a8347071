"""Value objects, constants and helpers that the innocent functions share."""

from __future__ import annotations

import abc
import enum
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
K = TypeVar("K")

VOWELS: Final = frozenset("aeiou")
STOP_WORDS: Final = frozenset({"the", "a", "of", "and", "to", "in"})
NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?")
IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
RATES: Final[Mapping[str, Fraction]] = MappingProxyType(
    {"books": Fraction(7, 100), "food": Fraction(7, 100), "tools": Fraction(19, 100)}
)
CENT: Final = Decimal("0.01")
DIRECTIONS: Final = ((0, 1), (1, 0), (0, -1), (-1, 0))
MORSE: Final = {"a": ".-", "b": "-...", "c": "-.-.", "d": "-..", "e": ".", "s": "...", "o": "---"}


class Suit(enum.Enum):
    """Suits of playing cards."""

    CLUBS = "c"
    DIAMONDS = "d"
    HEARTS = "h"
    SPADES = "s"

    @property
    def is_red(self) -> bool:
        return self in (Suit.DIAMONDS, Suit.HEARTS)


class Level(enum.IntEnum):
    """How bad it is."""

    LOW = 1
    MIDDLE = 2
    HIGH = 3

    @classmethod
    def of(cls, score: float) -> Level:
        return cls.HIGH if score > 0.8 else cls.MIDDLE if score > 0.4 else cls.LOW


class Right(enum.Flag):
    """What one may do."""

    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()


@dataclass(frozen=True, order=True)
class Card:
    """A playing card."""

    rank: int
    suit: str

    def __str__(self) -> str:
        return f"{self.rank}{self.suit}"


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector in the plane."""

    x: float
    y: float

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, factor: float) -> Vector:
        return Vector(self.x * factor, self.y * factor)

    def __abs__(self) -> float:
        return math.hypot(self.x, self.y)

    def cross(self, other: Vector) -> float:
        return self.x * other.y - self.y * other.x

    @property
    def angle(self) -> float:
        return math.atan2(self.y, self.x)

    @classmethod
    def polar(cls, radius: float, angle: float) -> Vector:
        return cls(radius * math.cos(angle), radius * math.sin(angle))

    def rotated(self, angle: float) -> Vector:
        """This vector, turned."""
        return Vector.polar(abs(self), self.angle + angle)

    def walk(self, steps: int) -> list[Vector]:
        """Where a spiral from here goes."""
        found = [self]
        for step in range(steps):
            found.append(found[-1].rotated(0.3) * 1.01 + Vector(step, 0.5))
        return found


@dataclass(frozen=True)
class Item:
    """Something on an invoice."""

    name: str
    kind: str
    cents: int
    count: int = 1
    tags: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.cents * self.count


@dataclass
class Order:
    """An order, which its owner may change."""

    number: int
    items: list[Item] = field(default_factory=list)
    note: str | None = None

    def total(self) -> int:
        """What it costs, without tax."""
        return sum(item.total for item in self.items)

    def by_kind(self) -> dict[str, list[Item]]:
        """The items of each kind."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.kind, []).append(item)
        return found


class Token(NamedTuple):
    """A piece of a source text."""

    kind: str
    text: str
    start: int

    def shifted(self, by: int) -> Token:
        return self._replace(start=self.start + by)


class Span(NamedTuple):
    """A half-open range."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class Shape(abc.ABC):
    """Something with an area."""

    sides: ClassVar[int] = 0

    @abc.abstractmethod
    def area(self) -> float:
        """How much it covers."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.area())

    def describe(self) -> str:
        """Its name and area."""
        return f"{type(self).__name__}({self.sides}): {self.area():.2f}"


class Rectangle(Shape):
    """Four sides."""

    sides = 4

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        return self.width * self.height


class Square(Rectangle):
    """Four equal sides."""

    def __init__(self, side: float) -> None:
        super().__init__(side, side)

    def describe(self) -> str:
        return "nice " + super().describe()


class Circle(Shape):
    """No sides."""

    def __init__(self, radius: float) -> None:
        self._radius = radius

    @property
    def radius(self) -> float:
        return self._radius

    @radius.setter
    def radius(self, value: float) -> None:
        if value < 0:
            raise ValueError("negative radius")
        self._radius = value

    def area(self) -> float:
        return math.pi * self.radius**2


class Stack(Generic[T]):
    """A stack of anything."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)

    def push(self, item: T) -> None:
        self._items.append(item)

    def pop(self) -> T:
        return self._items.pop()

    @property
    def top(self) -> T | None:
        return self._items[-1] if self._items else None

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return reversed(self._items)


class DisjointSets:
    """Sets that can be joined."""

    def __init__(self, size: int) -> None:
        self.parents = list(range(size))
        self.sizes = [1] * size

    def find(self, item: int) -> int:
        while self.parents[item] != item:
            self.parents[item] = self.parents[self.parents[item]]
            item = self.parents[item]
        return item

    def join(self, left: int, right: int) -> bool:
        left, right = self.find(left), self.find(right)
        if left == right:
            return False
        if self.sizes[left] < self.sizes[right]:
            left, right = right, left
        self.parents[right] = left
        self.sizes[left] += self.sizes[right]
        return True


class Scorer(Protocol):
    """Gives a number for a text."""

    def score(self, text: str) -> float: ...


@dataclass
class LengthScorer:
    """Longer is better."""

    factor: float = 1.0

    def score(self, text: str) -> float:
        return len(text) * self.factor


class VowelScorer:
    """More vowels are better."""

    def score(self, text: str) -> float:
        return sum(letter in VOWELS for letter in text) / max(1, len(text))


class ParseError(ValueError):
    """A text is not what it should be."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at {position}")
        self.position = position


def group_by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Items by what a function says of them."""
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def chunks(items: list[T], size: int) -> Iterator[list[T]]:
    """Slices of a list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def first(items: Iterable[T], default: T) -> T:
    """The first of some items."""
    return next(iter(items), default)


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The nearest number within limits."""
    return max(low, min(high, value))


def last_letter(word: str) -> str:
    """A key to sort by."""
    return word[-1:]


def by_length(word: str) -> tuple[int, str]:
    """Another key to sort by."""
    return len(word), word
