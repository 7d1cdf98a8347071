"""Callables of every shape: lambdas, closures, partials, methods, callable objects, decorated functions."""

# ruff: noqa: E731, PLC3002, PLW0108, RUF012
# mypy: disable-error-code="no-any-return,no-untyped-call,func-returns-value,var-annotated,arg-type,misc"

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SEEN: list[Any] = []
FACTOR = 3

one, two, three = lambda x: x + 1, lambda x: SEEN.append(x), lambda x: (lambda y: y * FACTOR)(x)
nested: Any = lambda x: lambda y: SEEN.append(y)
in_a_call = max([lambda x: x, lambda x: SEEN.append(x)], key=id)
pair = (lambda x: x, lambda x: SEEN.append(x))


def make_adder(offset: int) -> Callable[[int], int]:
    def add(x: int) -> int:
        return x + offset

    return add


def make_lookup(table: dict[int, int]) -> Callable[[int], int]:
    return lambda x: table.get(x, 0)


def make_counter() -> Callable[[int], int]:
    count = 0

    def counter(x: int) -> int:
        nonlocal count
        count += 1
        return count

    return counter


def make_collector(seen: list[int]) -> Callable[[int], int]:
    def collect(x: int) -> int:
        seen.append(x)
        return x

    return collect


def make_caller(action: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda x: action(x)


def make_with_helper(scale: int) -> Callable[[int], int]:
    def double(x: int) -> int:
        return 2 * x

    def use(x: int) -> int:
        return double(x) * scale

    return use


def make_with_noting_helper() -> Callable[[int], int]:
    def note(x: int) -> int:
        SEEN.append(x)
        return x

    def use(x: int) -> int:
        return note(x)

    return use


def scale_by(x: int, factor: int) -> int:
    return x * factor


def put_into(x: int, into: list[int]) -> int:
    into.append(x)
    return x


by_three = functools.partial(scale_by, factor=3)
into_a_list = functools.partial(put_into, into=[])


def wrapping(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return inner


def noting(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def inner(*args: Any, **kwargs: Any) -> Any:
        SEEN.append(fn.__name__)
        return fn(*args, **kwargs)

    return inner


@wrapping
@wrapping
def wrapped(x: int) -> int:
    return x * 2


@noting
def noted(x: int) -> int:
    return x * 2


@wrapping
def wrapped_and_noting(x: int) -> int:
    SEEN.append(x)
    return x


class Model:
    """A method that only reads its object, and some that do more."""

    shared: list[Any] = []

    def __init__(self, weights: list[int]) -> None:
        self.weights = weights
        self.calls = 0

    def predict(self, x: int) -> int:
        return sum(weight * x for weight in self.weights)

    def predict_twice(self, x: int) -> int:
        return 2 * self.predict(x)

    def count(self, x: int) -> int:
        self.calls += 1
        return x

    def count_by_another(self, x: int) -> int:
        return self.count(x)

    def note(self, x: int) -> int:
        self.shared.append(x)
        return x

    def sort(self, x: int) -> int:
        self.weights.sort()
        return x

    def hook(self, x: int) -> int:
        return x

    def call_hook(self, x: int) -> int:
        return self.hook(x)

    @staticmethod
    def plain(x: int) -> int:
        return x + 1

    @classmethod
    def of_class(cls, x: int) -> int:
        return x


class Overriding(Model):
    """Its hook makes `call_hook`, which it inherits, a nasty one."""

    def hook(self, x: int) -> int:
        SEEN.append(x)
        return x


class Scaler:
    """A callable object."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, x: int) -> int:
        return x * self.factor


class Counter:
    """A callable object that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, x: int) -> int:
        self.count += 1
        return self.count


@dataclass
class Point:
    """Made in a worker as well as here."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)


class Listed:
    """Every instance is entered in a list."""

    def __init__(self, x: int) -> None:
        SEEN.append(self)


def plain_source(x: int) -> int:
    return x + FACTOR
