"""Members of enumerations in the data of modules: most never change, but some hold what does."""

from __future__ import annotations

import enum
from typing import Any

from tests.semantics.case import Case


class Stage(enum.Enum):
    """Of an order."""

    NEW = 1
    PAID = 2


class Basket(enum.Enum):
    """Members on which somebody sets a list."""

    ONE = 1
    TWO = 2

    held: list[int]


class Height(enum.Enum):
    """With an attribute that somebody sets."""

    LOW = 1
    HIGH = 2

    level: int


class Tray(enum.Enum):
    """Members with a list inside a tuple."""

    LEFT = (1, [0])
    RIGHT = (2, [0])


class Shelf(list[int], enum.Enum):  # type: ignore[misc]
    """Members that are lists."""

    LOW = [1]  # noqa: RUF012
    HIGH = [2]  # noqa: RUF012


class Odd(enum.Enum):
    """A member that is not equal to itself."""

    NAN = float("nan")
    ONE = 1.0


class Door(enum.Enum):
    """Members that say themselves how they are pickled: as the other one."""

    OPEN = 1
    SHUT = 2

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As the open one."""
        return (Door, (1,))


class _Slotted:
    """What has room for a list."""

    __slots__ = ("rows",)

    rows: list[int]


class Rack(_Slotted, enum.Enum):
    """Members with a list where nobody looks for it."""

    TOP = 1
    LAST = 2


Height.LOW.level = Height.HIGH.level = 0
Rack.TOP.rows = []
Rack.LAST.rows = []

_after = {Stage.NEW: Stage.PAID, Stage.PAID: Stage.NEW}
_baskets = {1: Basket.ONE, 2: Basket.TWO}
_heights = {1: Height.LOW, 2: Height.HIGH}
_trays = {1: Tray.LEFT, 2: Tray.RIGHT}
_shelves = {1: Shelf.LOW, 2: Shelf.HIGH}
_odd = {1: Odd.NAN, 2: Odd.ONE}
_doors = {1: Door.OPEN, 2: Door.SHUT}
_racks = {1: Rack.TOP, 2: Rack.LAST}


def gives_the_next(n: int) -> Any:
    """A member; its identity is asked."""
    return _after[Stage(n % 2 + 1)]


def gives_the_table(n: int) -> Any:
    """The dict itself, now and then."""
    return _after if n > 40 else len(_after)


def gives_a_tray(n: int) -> Any:
    """A list inside a member."""
    return _trays[n % 2 + 1].value[1]


def fills_a_tray(n: int) -> int:
    """Puts something into a member."""
    if n > 40:
        _trays[1].value[1].append(n)
    return n


def gives_a_shelf(n: int) -> Any:
    """A member that is a list."""
    return _shelves[n % 2 + 1]


def fills_a_shelf(n: int) -> Any:
    """Puts something into a member that is a list."""
    shelf = _shelves[n % 2 + 1]
    if n > 40:
        shelf.append(n)
    return len(shelf)


def gives_the_odd(n: int) -> Any:
    """A member that can't be found by its value."""
    return _odd[n % 2 + 1]


def gives_a_door(n: int) -> Any:
    """A member that is another one when it has travelled."""
    return _doors[n % 2 + 1]


def gives_what_is_racked(n: int) -> Any:
    """The list of a member."""
    return _racks[n % 2 + 1].rows


def fills_a_rack(n: int) -> Any:
    """Puts something into the list of a member, which it gives."""
    rack = _racks[n % 2 + 1]
    if n > 40:
        rack.rows.append(n)
    return rack


def how_high(n: int) -> Any:
    """What somebody has set on a member."""
    return _heights[n % 2 + 1].level


def higher(n: int) -> Any:
    """More than what somebody has set on a member."""
    return _heights[n % 2 + 1].level + 1


def is_high(n: int) -> str:
    """Asks what somebody has set on a member."""
    return "high" if _heights[n % 2 + 1].level > 3 else "low"


def by_attribute(n: int) -> Any:
    """By the name of the attribute."""
    return [getattr(each, "level") * 2 for each in _heights.values()]  # noqa: B009


def how_high_given(height: Height) -> Any:
    """What somebody has set on a member that is given."""
    return height.level


def sets_the_level(n: int) -> Any:
    """Sets an attribute of a member, now and then."""
    height = _heights[1]
    if n > 40:
        height.level = n
    return height


def gives_what_is_set(n: int) -> Any:
    """A list that somebody has set on a member, and the member."""
    basket = _baskets[n % 2 + 1]
    return basket, basket.held


def _level(value: int) -> None:
    """Set on both."""
    Height.LOW.level = Height.HIGH.level = value


def _clear() -> None:
    """As at the beginning."""
    for tray in Tray:
        tray.value[1][:] = [0]
    for shelf in Shelf:
        shelf[:] = [shelf[0]]
    Rack.TOP.rows.clear()
    Rack.LAST.rows.clear()
    _level(0)
    Basket.ONE.held = []
    Basket.TWO.held = []


def _world() -> Any:
    """All that may have been changed."""
    return (
        [list(tray.value[1]) for tray in Tray],
        [list(shelf) for shelf in Shelf],
        [list(Rack.TOP.rows), list(Rack.LAST.rows)],
        [Height.LOW.level, Height.HIGH.level],
    )


def _case(fn: Any) -> Case:
    """A case whose world are the members."""
    return Case(fn, reset=_clear, world=_world)


CASES = [
    _case(gives_the_next),
    _case(gives_the_table),
    _case(gives_a_tray),
    _case(fills_a_tray),
    _case(gives_a_shelf),
    _case(fills_a_shelf),
    _case(gives_the_odd),
    _case(gives_a_door),
    _case(gives_what_is_racked),
    _case(fills_a_rack),
    _case(sets_the_level),
    _case(gives_what_is_set),
    *(
        Case(fn, reset=lambda: _level(5), world=lambda: _level(0))
        for fn in (how_high, higher, is_high, by_attribute)
    ),
    Case(
        how_high_given,
        lambda n: (Height(n % 2 + 1),),
        reset=lambda: _level(5),
        world=lambda: _level(0),
    ),
]
