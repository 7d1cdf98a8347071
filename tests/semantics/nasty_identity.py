"""Whether it is the very same object, which a copy in another process never is."""

from __future__ import annotations

import datetime
import math
from typing import Any

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_NAN = float("nan")
_DEFAULTS = {"colour": "red"}
_EMPTY: list[int] = []
_NAME = "".join(["some name"])  # noqa: FLY002
_FAR = datetime.timedelta(days=9)


class Missing:
    """A sentinel that says it equals its kind."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing)

    __hash__ = None  # type: ignore[assignment]


_MISSING = Missing()


class Kept:
    """Something that shows, as it is looked at by the caller, whether it is one that the caller has."""

    mine: tuple[Kept, ...] = ()

    def __init__(self, price: int) -> None:
        self.price = price

    def __deepcopy__(self, memo: object) -> str:
        return f"{self.price}, {'mine' if any(each is self for each in Kept.mine) else 'a copy'}"


class Stop(Exception):
    """An error that is one object, and known by that."""

    def __str__(self) -> str:
        return "the one" if self is _STOP else "another"


_STOP = Stop()


class Failed(Exception):
    """An error whose constructor takes other things than it hands on."""

    def __init__(self, code: int, *, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Chained(Exception):
    """An error that tells what it comes from."""

    def __str__(self) -> str:
        return f"{self.args[0]} from {self.__cause__!r} after {self.__context__!r}"


class Summer(datetime.tzinfo):
    """A zone whose clock is one hour ahead from April on."""

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(hours=1 + (when is not None and when.month > 3))

    def dst(self, when: datetime.datetime | None) -> datetime.timedelta:
        return self.utcoffset(when) - datetime.timedelta(hours=1)

    def tzname(self, when: datetime.datetime | None) -> str:
        return "here"


_HERE = Summer()
_EPOCH = datetime.datetime(2024, 1, 1, tzinfo=_HERE)


def holds(values: list[float], wanted: float) -> bool:
    """Not a number is found where it is the same object."""
    return wanted in values


def holds_the_nan(values: list[float]) -> bool:
    """The same with that of the math module."""
    return math.nan in values  # noqa: PLW0177


def how_often(values: list[float], wanted: float) -> int:
    """Counting compares by identity first."""
    return values.count(wanted)


def looks_up(prices: dict[float, int], wanted: float) -> int:
    """A key is found by identity first."""
    return prices.get(wanted, -1)


def are_equal(one: list[float], other: list[float]) -> bool:
    """Lists compare their items by identity first."""
    return one == other


def is_default(options: dict[str, str]) -> bool:
    """An argument is compared with a global by identity."""
    return options is _DEFAULTS


def is_missing(value: Any) -> bool:
    """An argument is compared with a sentinel by identity."""
    return value is _MISSING


def is_among(value: Any) -> bool:
    """The same in a generator."""
    return any(value is each for each in (_EMPTY, _DEFAULTS))


def is_the_name(name: str) -> bool:
    """A string is compared with a global by identity."""
    return name is _NAME


def is_same_time(one: float, other: float) -> bool:
    """Two numbers that are the same object."""
    return one is other


def hours_between(when: datetime.datetime) -> float:
    """Times with the same zone object are subtracted as they stand; with another, as the world turns."""
    return (when - _EPOCH).total_seconds() / 3600


def cheapest(offers: list[Kept]) -> Kept:
    """Gives one of the things in its argument."""
    return min(offers, key=lambda offer: offer.price)


def sorted_offers(offers: list[Kept]) -> list[Kept]:
    """Gives a new list of the old things."""
    return sorted(offers, key=lambda offer: -offer.price)


def by_price(offers: list[Kept]) -> dict[int, Kept]:
    """Gives a new dict of the old things."""
    return {offer.price: offer for offer in offers}


def boxed(offer: Kept) -> tuple[Kept]:
    """Gives its argument in a box."""
    return (offer,)


def raises_the_one(n: int) -> int:
    """Raises an error that is held globally."""
    if n % 2:
        raise _STOP
    return n


def returns_the_one(n: int) -> str:
    """Catches the one that a helper raised, and knows it."""
    try:
        raises_the_one(n)
    except Stop as error:
        return "known" if error is _STOP else "unknown"
    return "none"


def fails_in_its_own_way(n: int) -> int:
    """Raises an error that can't be made again from its arguments."""
    raise Failed(n, text="no")


def fails_with_a_cause(n: int) -> int:
    """Raises an error whose text tells its cause."""
    try:
        return 1 // 0
    except ZeroDivisionError as error:
        raise Chained(n) from error


def fails_in_a_context(n: int) -> int:
    """Raises an error whose text tells what happened before."""
    try:
        return [][n]
    except IndexError:
        raise Chained(n)  # noqa: B904


class Report:
    """A report that leaves its rows behind when it travels."""

    def __init__(self, rows: list[int]) -> None:
        self.rows: list[int] | None = rows

    def __getstate__(self) -> dict[str, object]:
        return {"rows": None}

    def __deepcopy__(self, memo: object) -> str:
        return f"report of {self.rows}"


def counts_rows(report: Any) -> int:
    """Reads what does not travel, and can do without."""
    return len(report.rows or ())


def makes_a_report(n: int) -> Report:
    """Returns what does not travel."""
    return Report([n])


class Rows(list[int]):
    """A list that is copied without its name."""

    name = "nobody's"

    def __reduce__(self) -> Any:
        return Rows, (list(self),)

    def __deepcopy__(self, memo: object) -> str:
        return f"{self.name} {list(self)}"


def names_rows(n: int) -> Rows:
    """Returns a list with an attribute that does not travel."""
    rows = Rows([n])
    rows.name = "mine"
    return rows


def _offers(n: int) -> Any:
    """Things that the caller keeps."""
    made = tuple(Kept(n + each) for each in range(3))
    Kept.mine += made
    return made


def _forget() -> None:
    """The caller has nothing."""
    Kept.mine = ()


CASES = [
    Case(holds, arguments=lambda n: opaque([1.0, _NAN], _NAN)),
    Case(holds_the_nan, arguments=lambda n: opaque([1.0, math.nan])),
    Case(how_often, arguments=lambda n: opaque([1.0, _NAN, _NAN], _NAN)),
    Case(looks_up, arguments=lambda n: opaque({_NAN: n}, _NAN)),
    Case(are_equal, arguments=lambda n: opaque([_NAN, float(n)], [_NAN, float(n)])),
    Case(is_default, arguments=lambda n: (_DEFAULTS if n % 2 else {},)),
    Case(is_missing, arguments=lambda n: (_MISSING,)),
    Case(is_among, arguments=lambda n: ([_EMPTY, _DEFAULTS, []][n % 3],)),
    Case(is_the_name, arguments=lambda n: (_NAME,)),
    Case(is_same_time, arguments=lambda n: (_NAN, _NAN)),
    Case(hours_between, arguments=lambda n: opaque(_EPOCH + (n + 1) * _FAR)),
    Case(cheapest, arguments=lambda n: opaque(list(_offers(n))), reset=_forget),
    Case(sorted_offers, arguments=lambda n: opaque(list(_offers(n))), reset=_forget),
    Case(by_price, arguments=lambda n: opaque(list(_offers(n))), reset=_forget),
    Case(boxed, arguments=lambda n: opaque(_offers(n)[0]), reset=_forget),
    Case(raises_the_one),
    Case(returns_the_one),
    Case(fails_in_its_own_way),
    Case(fails_with_a_cause),
    Case(fails_in_a_context),
    Case(counts_rows, arguments=lambda n: opaque(Report([n]))),
    Case(makes_a_report),
    Case(names_rows),
]
