"""What the corpus calls in another module: some of it keeps a record, some does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

SEEN: list[Any] = []
TOTALS: dict[str, int] = {}
LIMIT = 40
STOP_WORDS = frozenset({"a", "the", "of"})


class Registry:
    """Keeps what it is told, for everybody."""

    count = 0
    common: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def enter(self, entry: Any) -> None:
        self.entries.append(entry)

    def total(self) -> int:
        return len(self.entries)


class Settings:
    """State that stands in a class."""

    level = 3


REGISTRY = Registry()


@dataclass
class Point:
    """Plain data."""

    x: float
    y: float
    tags: list[str] = field(default_factory=list)

    def norm(self) -> float:
        return float((self.x * self.x + self.y * self.y) ** 0.5)


def remember(item: Any) -> None:
    """Keep it, two calls away from whoever asks."""
    _keep(item)


def _keep(item: Any) -> None:
    SEEN.append(item)


def table() -> dict[str, int]:
    """Hand out the very dict."""
    return TOTALS


def push(target: list[Any], item: Any) -> None:
    """Change the argument."""
    target.append(item)


def first_of(items: Any) -> Any:
    """A part of the argument."""
    return items[0]


def is_prime(n: int) -> bool:
    """Innocent."""
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))


def even(numbers: Iterable[int]) -> Iterator[int]:
    """Innocent, and lazy."""
    for n in numbers:
        if n % 2 == 0:
            yield n
