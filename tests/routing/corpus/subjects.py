"""What `CallCheck` is tried on: functions that do something only now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

CONFIG: dict[str, Any] = {"level": 1}
LIMIT = 3
NAMES = ("a", "b")
TABLE: dict[int, list[int]] = {}
LARGE: list[int] = []


class Settings:
    """State that stands in a class."""

    level = 3


@dataclass
class Account:
    """Something that a method may change."""

    entries: list[int] = field(default_factory=list)

    def book(self, amount: int) -> int:
        if amount > 100:
            self.entries.append(amount)
        return amount


class Opaque:
    """Can't be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("not this one")


def double(x: int) -> int:
    return 2 * x


def total(values: list[int]) -> int:
    return sum(values)


def append_when_long(values: list[int], more: int = 0) -> int:
    if len(values) > 3:
        values.append(more)
    return len(values)


def consume(values: Iterator[int]) -> int:
    return sum(values)


def same(value: Any) -> Any:
    return value


def opaque(value: Any) -> Any:
    return Opaque()


def configure(value: Any) -> Any:
    CONFIG["level"] = value
    return value


def rebind(value: Any) -> Any:
    global LIMIT
    LIMIT = value
    return value


def call(action: Callable[[Any], Any], value: Any) -> Any:
    action(value)
    return None


def collector(seen: list[Any]) -> Callable[[Any], Any]:
    def collect(value: Any) -> Any:
        seen.append(value)
        return None

    return collect


def function(value: Any) -> Any:
    return lambda: value


def note(value: Any) -> Any:
    TABLE.setdefault(0, []).append(value)
    return value


def helper(x: int) -> int:
    return x + 1


def uses_helper(x: int) -> int:
    return helper(x)
