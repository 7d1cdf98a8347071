"""The neighbours of what leaves a trace: the same special methods, which leave none."""

# mypy: disable-error-code="no-any-return,no-untyped-call,arg-type,misc,attr-defined,operator,call-overload,index"
# mypy: disable-error-code="no-untyped-def,type-arg,var-annotated"

from __future__ import annotations

import contextlib
import copy
import enum
import functools
import operator
import pickle
from typing import Any


class Checking(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return hasattr(instance, "real")

    def __getitem__(cls, key: int) -> int:
        return key


class Checked(metaclass=Checking):
    pass


class Priced:
    __match_args__ = ("total",)

    def __init__(self, price: int) -> None:
        self.price = price
        self.asked = 0

    @property
    def total(self) -> int:
        self.asked += 1
        return self.price * 2

    def __len__(self) -> int:
        return 2

    def __lt__(self, other: Priced) -> bool:
        return self.price < other.price

    def __bytes__(self) -> bytes:
        return b"abc"

    def __repr__(self) -> str:
        return f"Priced({self.price})"

    def __getattribute__(self, name: str) -> Any:
        return object.__getattribute__(self, name)


class Colour(enum.Enum):
    RED = 1

    @classmethod
    def _missing_(cls, value: object) -> Colour:
        return cls.RED


@contextlib.contextmanager
def _quietly():
    yield


@_quietly()
def _managed(n: int) -> int:
    return n + 1


_plus = functools.partial(operator.add, 1)
_total = operator.attrgetter("total")


def one_of_a_class_with_a_class(n: int) -> bool:
    return isinstance(n, (str, Checked))


def an_item_of_a_class(n: int) -> int:
    return Checked[n]


def matches_a_property(n: int) -> int:
    match Priced(n):
        case Priced(total=2):
            return 1
        case Priced(4):
            return 2
    return 0


def measures(n: int) -> tuple[bool, bytes, str]:
    return bool(Priced(n)), bytes(Priced(n)), str([Priced(n)])


def sorts_by_getters(n: int) -> list[int]:
    things = [Priced(n), Priced(-n)]
    things.sort()
    things = sorted(things, key=operator.attrgetter("total"))
    rows = sorted([{"x": n}, {"x": -n}], key=operator.itemgetter("x"))
    return [each.price for each in things] + [row["x"] for row in rows] + list(map(_total, things))


def copies(n: int) -> int:
    return copy.copy(Priced(n)).price + pickle.loads(pickle.dumps(Priced(n))).price


def takes_a_property_apart(n: int) -> int:
    return Priced.total.fget(Priced(n))


def a_member_that_is_missing(n: int) -> str:
    return Colour(n).name


def a_helper_with_a_manager(n: int) -> int:
    return _managed(n)


def what_a_partial_calls(n: int) -> int:
    return _plus.func(n, 2) + _plus(n)


def catches(n: int) -> str:
    try:
        return str(n // 0)
    except ZeroDivisionError as error:
        return str(error)
