"""Special methods that note something in a global, run by operators, builtins and statements."""

from __future__ import annotations

import dataclasses
import json
import math
import operator
import shutil
import xml.sax
from collections.abc import Iterator
from typing import Any

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_log: list[Any] = []


def _case(fn: Any, **more: Any) -> Case:
    """A case whose world is the log."""
    return Case(fn, world=lambda: list(_log), reset=_log.clear, **more)


class _Indexed:
    def __init__(self, n: int) -> None:
        self.n = n

    def __index__(self) -> int:
        _log.append(self.n)
        return self.n % 3


class _Measured:
    def __len__(self) -> int:
        _log.append("len")
        return 2

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))


class _Truthful:
    def __len__(self) -> int:
        _log.append("len")
        return 1


class _Bytes:
    def __bytes__(self) -> bytes:
        _log.append("bytes")
        return b"abc"


class _Complex:
    def __complex__(self) -> complex:
        _log.append("complex")
        return 1j


class _Rounded:
    def __floor__(self) -> int:
        _log.append("floor")
        return 1

    def __ceil__(self) -> int:
        _log.append("ceil")
        return 2

    def __trunc__(self) -> int:
        _log.append("trunc")
        return 3

    def __divmod__(self, other: int) -> tuple[int, int]:
        _log.append("divmod")
        return (1, other)

    def __pow__(self, other: int) -> int:
        _log.append("pow")
        return other

    def __sub__(self, other: int) -> int:
        _log.append("sub")
        return -other


class _Listed:
    def __dir__(self) -> list[str]:
        _log.append("dir")
        return ["b", "a"]


class _Checking(type):
    def __instancecheck__(cls, instance: object) -> bool:
        _log.append("instance")
        return True

    def __subclasscheck__(cls, subclass: type) -> bool:
        _log.append("subclass")
        return True


class _Checked(metaclass=_Checking):
    """Anything is one of these."""


class _Reversible:
    def __reversed__(self) -> Iterator[int]:
        _log.append("reversed")
        return iter((2, 1))


class _Sequence:
    def __getitem__(self, index: int) -> int:
        _log.append(index)
        if index > 2:
            raise IndexError(index)
        return index


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        _log.append(key)
        return key.upper()


class _Fields:
    def __getitem__(self, key: str) -> str:
        _log.append(key)
        return "value"


def _fields() -> Any:
    """Fields, whatever they are."""
    return _Fields()


class _Table:
    def __getitem__(self, code: int) -> str:
        _log.append(code)
        return "x"


class _Shown:
    def __repr__(self) -> str:
        _log.append("repr")
        return "shown"


class _Watched:
    def __init__(self, n: int) -> None:
        self.n = n

    def __getattribute__(self, name: str) -> Any:
        _log.append(name)
        return object.__getattribute__(self, name)


class _Priced:
    def __init__(self, price: int) -> None:
        self.price = price

    @property
    def total(self) -> int:
        _log.append("total")
        return self.price * 2


class _Counting:
    def __get__(self, instance: Any, owner: type) -> int:
        _log.append("got")
        return 7


class _Described:
    level = _Counting()


class _Tee:
    def write(self, text: str) -> int:
        _log.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing to do."""


class _Source:
    def __init__(self) -> None:
        self.left = 2

    def read(self, size: int = -1) -> str:
        _log.append(size)
        self.left -= 1
        return "x" * max(self.left, 0)


class _Encoder(json.JSONEncoder):
    def default(self, o: object) -> str:
        _log.append("default")
        return str(type(o).__name__)


class _Handler(xml.sax.ContentHandler):
    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        _log.append(name)


@dataclasses.dataclass
class _Entry:
    n: int

    def __post_init__(self) -> None:
        _log.append(self.n)


class _Restored:
    def __init__(self, n: int) -> None:
        self.n = n

    def __setstate__(self, state: Any) -> None:
        _log.append("restored")
        self.__dict__.update(state)


class _Merged:
    def __init__(self, n: int) -> None:
        self.n = n

    def __ior__(self, other: int) -> _Merged:  # noqa: PYI034
        _log.append(other)
        return self


_total = operator.attrgetter("total")


def picks_by_an_index(n: int) -> str:
    """An object stands in the brackets."""
    return "abc"[_Indexed(n)]


def cuts_by_an_index(n: int) -> str:
    """An object stands in a slice."""
    return "abcdef"[: _Indexed(n)]


def repeats_by_an_index(n: int) -> list[int]:
    """A list is repeated as often as an object says."""
    return [n] * _Indexed(n)


def lists_what_has_a_length(n: int) -> list[int]:
    """`list` asks for the length first."""
    return [n, *list(_Measured())]


def believes_what_has_a_length(n: int) -> bool:
    """`bool` asks for the length where there is no truth."""
    return bool(_Truthful()) and n >= 0


def makes_bytes(n: int) -> bytes:
    """`bytes` asks the object."""
    return bytes(_Bytes()) + bytes([n])


def makes_a_complex_number(n: int) -> complex:
    """`complex` asks the object."""
    return complex(_Complex()) * n


def rounds_down(n: int) -> int:
    """`math.floor` asks the object."""
    return math.floor(_Rounded()) + n


def rounds_up(n: int) -> int:
    """`math.ceil` asks the object."""
    return math.ceil(_Rounded()) + n


def divides(n: int) -> tuple[int, int]:
    """`divmod` asks the object."""
    return divmod(_Rounded(), n)


def raises_to_a_power(n: int) -> int:
    """`pow` asks the object."""
    return pow(_Rounded(), n)


def subtracts_by_name(n: int) -> int:
    """`operator.sub` asks the object."""
    return operator.sub(_Rounded(), n)  # type: ignore[no-any-return]


def asks_for_names(n: int) -> list[str]:
    """`dir` asks the object."""
    return [*dir(_Listed()), str(n)]


def asks_whether_it_is_one(n: int) -> bool:
    """`isinstance` asks the class of the class."""
    return isinstance(n, _Checked)


def asks_whether_it_derives(n: int) -> bool:
    """`issubclass` asks the class of the class."""
    return issubclass(type(n), _Checked)


def matches_a_class(n: int) -> str:
    """A class pattern asks the class of the class."""
    match n:
        case _Checked():
            return "one"
    return "none"


def matches_an_attribute(n: int) -> str:
    """A class pattern with an attribute runs a property."""
    match _Priced(n):
        case _Priced(total=4):
            return "four"
    return "other"


def goes_backwards(n: int) -> list[int]:
    """`reversed` asks the object."""
    return [n, *reversed(_Reversible())]


def looks_for_it_by_items(n: int) -> bool:
    """`in` goes through the items of what has nothing better."""
    return n in _Sequence()  # type: ignore[operator]


def formats_by_a_map(n: int) -> str:
    """`format_map` asks for what is missing."""
    return f"{n}" + "{name}".format_map(_Names())


def formats_by_percent(n: int) -> str:
    """`%` asks for items."""
    return "%(name)s" % _fields() + str(n)  # noqa: UP031


def formats_an_attribute(n: int) -> str:
    """A format string fetches an attribute, which is a property."""
    return "{0.total}".format(_Priced(n))  # noqa: UP030, UP032


def translates(n: int) -> str:
    """`translate` asks for each character."""
    return f"ab{n}".translate(_Table())


def shows_what_is_inside(n: int) -> str:
    """A formatted list shows its items."""
    return f"{[_Shown(), n]}"


def makes_a_string_of_what_is_inside(n: int) -> str:
    """`str` of a list shows its items."""
    return str([_Shown(), n])


def fetches_any_attribute(n: int) -> int:
    """`__getattribute__` sees each access."""
    return _Watched(n).n + 1


def fetches_through_a_getter(n: int) -> int:
    """`attrgetter` runs a property."""
    return int(_total(_Priced(n)))


def sorts_through_a_getter(n: int) -> list[int]:
    """`attrgetter` as a key runs a property."""
    return [each.price for each in sorted([_Priced(n), _Priced(-n)], key=operator.attrgetter("total"))]


def fetches_through_a_descriptor(thing: Any) -> int:
    """An argument's class has a descriptor of its own kind."""
    return int(thing.level) + 1


def dumps_into_a_tee(n: int) -> int:
    """`json.dump` writes into an object that has `write`."""
    json.dump({"n": n}, _Tee())
    return n


def copies_into_a_tee(n: int) -> int:
    """`copyfileobj` reads from one object and writes into another."""
    shutil.copyfileobj(_Source(), _Tee())
    return n


def dumps_by_an_encoder(n: int) -> str:
    """`json.dumps` makes an encoder of a class and asks it."""
    return json.dumps([n, 1j], cls=_Encoder)


def parses_with_a_handler(n: int) -> int:
    """A parser calls the methods of a handler."""
    xml.sax.parseString(f"<a n='{n}'><b/></a>", _Handler())
    return n


def replaces_a_field(entry: Any) -> int:
    """`replace` makes another one, and that is noted."""
    return int(dataclasses.replace(entry, n=entry.n + 1).n)


def merges_into_an_item(n: int) -> int:
    """An operator works in place on what lies in a list."""
    items = [_Merged(n)]
    items[0] |= n
    return items[0].n


def calls_through_a_class_attribute(n: int) -> int:
    """A property is called by hand."""
    return int(_Priced.total.fget(_Priced(n)))  # type: ignore[attr-defined]


CASES = [
    *map(
        _case,
        [
            picks_by_an_index,
            cuts_by_an_index,
            repeats_by_an_index,
            lists_what_has_a_length,
            believes_what_has_a_length,
            makes_bytes,
            makes_a_complex_number,
            rounds_down,
            rounds_up,
            divides,
            raises_to_a_power,
            subtracts_by_name,
            asks_for_names,
            asks_whether_it_is_one,
            asks_whether_it_derives,
            matches_a_class,
            matches_an_attribute,
            goes_backwards,
            looks_for_it_by_items,
            formats_by_a_map,
            formats_by_percent,
            formats_an_attribute,
            translates,
            shows_what_is_inside,
            makes_a_string_of_what_is_inside,
            fetches_any_attribute,
            fetches_through_a_getter,
            sorts_through_a_getter,
            dumps_into_a_tee,
            copies_into_a_tee,
            dumps_by_an_encoder,
            parses_with_a_handler,
            merges_into_an_item,
            calls_through_a_class_attribute,
        ],
    ),
    _case(fetches_through_a_descriptor, arguments=lambda n: opaque(_Described())),
    Case(
        replaces_a_field,
        arguments=lambda n: (object.__new__(_Entry) if n < 0 else _entry(n),),
        world=lambda: [each for each in _log if each != "made"],
        reset=_log.clear,
    ),
]


def _entry(n: int) -> Any:
    """An entry that was made without a note."""
    made = object.__new__(_Entry)
    made.n = n
    return made
