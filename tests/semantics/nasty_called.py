"""Functions that come as arguments, or in one, and are called: what they read and do counts as the caller's own."""

from __future__ import annotations

import csv
import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_log: list[Any] = []
_factor = 1
_ranks = {"a": 1, "b": 2, "c": 3}
_shared: list[int] = []
_here = sys.modules[__name__]


def _case(fn: Any, arguments: Callable[[int], tuple[Any, ...]]) -> Case:
    """A case whose world is the log; its arguments are functions, which are never compared."""
    return Case(fn, arguments, world=lambda: [*_log, *_shared], reset=_forget)


def _set(name: str, value: Any, fn: Any, arguments: Callable[[int], tuple[Any, ...]]) -> Case:
    """A case before which a global is set that is as it was afterwards."""
    before = vars(_here)[name]
    return Case(
        fn,
        arguments,
        reset=lambda: setattr(_here, name, value),
        world=lambda: setattr(_here, name, before),
    )


def _forget() -> None:
    """As at the beginning."""
    _log.clear()
    _shared.clear()
    Numbered.made = 0


def _late(n: int, plain: Any, nasty: Any) -> Any:
    """Harmless as long as calls are looked at here."""
    return plain if n < 40 else nasty


def _plain(n: Any) -> Any:
    """Harmless."""
    return n


def _noting(n: Any) -> Any:
    """Notes."""
    _log.append(str(n))
    return n


def _scaled(n: int) -> int:
    """Reads a global."""
    return n * _factor


def _helped(n: int) -> int:
    """Calls a function that a global names."""
    return _helper(n)


def _helper(n: int) -> int:
    """Is replaced."""
    return n + 1


def _other_helper(n: int) -> int:
    """Replaces it."""
    return n + 2


def _rank(word: str) -> int:
    """Reads a table."""
    return _ranks[word]


def _decorated(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Functions of this have one code."""

    @functools.wraps(fn)
    def wrapper(n: Any) -> Any:
        return fn(n)

    return wrapper


def _undecorated(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same, but it doesn't tell what it wraps."""

    def wrapper(n: Any) -> Any:
        return fn(n)

    return wrapper


_calm = _decorated(_plain)
_busy = _decorated(_noting)


def _into(log: list[Any]) -> Callable[[Any], Any]:
    """A function that notes in what its closure holds."""

    def note(n: Any) -> int:
        log.append(n)
        return len(log)

    return note


def _lends() -> list[int]:
    """Gives what belongs to the module."""
    return _shared


def _listed(each: Any) -> list[Any]:
    """Tells in which order things come."""
    return [x for x in each]  # noqa: C416


def _keep(value: list[Any]) -> list[Any]:
    """Notes an argument, to see what becomes of it."""
    _log.append(value)
    return value


def _makes() -> list[int]:
    """Gives something new."""
    return []


def _delimiter(n: int) -> int:
    """Reads what somebody may have registered."""
    return len(next(csv.reader([f"{n};{n}"], "excel")))


class Numbered:
    """Counts its objects."""

    made = 0

    def __init__(self, n: int) -> None:
        Numbered.made += 1
        self.number = Numbered.made + n


class Holder:
    """Holds a function."""

    def __init__(self, fn: Callable[[Any], Any]) -> None:
        self.fn = fn

    def __deepcopy__(self, memo: object) -> str:
        return "holder"


def calls_it(fn: Callable[[Any], Any], n: Any) -> Any:
    """Calls what it is given."""
    return str(fn(n))


def calls_it_by_its_dunder(fn: Callable[[Any], Any], n: Any) -> Any:
    """The same, by a name that all functions have."""
    return str(fn.__call__(n))  # type: ignore[operator]


def calls_it_from_a_table(table: dict[str, Callable[[Any], Any]], n: Any) -> Any:
    """The same, out of a dict."""
    return str(table["fn"](n))


def calls_it_by_an_operator(fn: Callable[[Any], Any], n: Any) -> Any:
    """The same, by the standard library."""
    return str(functools.reduce(lambda value, each: each(value), [functools.partial(fn)] * 2, n))


def calls_it_through_a_cache(fn: Callable[[Any], Any], n: Any) -> Any:
    """The same, by a cache that is gone with the call."""
    known = functools.cache(fn)
    return str([known(n), known(n)])


def calls_what_is_held(holder: Holder, n: Any) -> Any:
    """The same, as an attribute of an object."""
    return str(holder.fn(n))


def calls_what_is_asked_for(holder: Holder, n: Any) -> Any:
    """The same, by a getter."""
    return str(operator.attrgetter("fn")(holder)(n))


def sorts_in_place(words: list[str], key: Callable[[str], Any]) -> list[str]:
    """A method of a new list calls it."""
    words = list(words)
    words.sort(key=key)
    return words


def groups_by_it(words: list[str], key: Callable[[str], Any]) -> dict[str, list[str]]:
    """It says what stands together."""
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(str(key(word)), []).append(word)
    return found


def maps_it(fn: Callable[[Any], Any], rows: list[Any]) -> str:
    """Calls it with parts of an argument."""
    return str(list(map(fn, rows)))


def goes_through(fn: Callable[[Any], Any], rows: list[Any]) -> int:
    """The same, for its effect."""
    for row in rows:
        fn(row)
    return len(rows)


def fills_what_it_makes(make: Callable[[], list[int]], n: int) -> int:
    """Changes what it is given by a function."""
    made = make()
    made.append(n)
    return len(made)


def collects_in_what_it_makes(make: Callable[[], list[int]], n: int) -> int:
    """The same, by something of the standard library."""
    import collections

    found: dict[str, list[int]] = collections.defaultdict(make)
    found["a"].append(n)
    return len(found["a"])


def numbers_of(make: Callable[[int], Any], n: int) -> int:
    """Makes an object of a class that it is given."""
    return int(make(n).number)


def _words(n: int) -> list[str]:
    """Three words."""
    return ["c", "a", "b"][: n % 4]


CASES = [
    _set("_factor", 3, calls_it, lambda n: (_scaled, n)),
    _set("_factor", 3, calls_it, lambda n: opaque(lambda x: _scaled(x) + 1, n)),
    _set("_factor", 3, calls_it_by_its_dunder, lambda n: (_scaled, n)),
    _set("_factor", 3, calls_it_from_a_table, lambda n: ({"fn": _scaled}, n)),
    _set("_factor", 3, calls_it_by_an_operator, lambda n: (_scaled, n)),
    _set("_factor", 3, calls_it_through_a_cache, lambda n: (_scaled, n)),
    _set("_factor", 3, calls_what_is_held, lambda n: (Holder(_scaled), n)),
    _set("_factor", 3, calls_what_is_asked_for, lambda n: (Holder(_scaled), n)),
    _set("_factor", 3, maps_it, lambda n: (_scaled, [n, n + 1])),
    _set("_ranks", {"a": 3, "b": 2, "c": 1}, sorts_in_place, lambda n: (_words(n), _rank)),
    _set("_ranks", {"a": 3, "b": 2, "c": 2}, groups_by_it, lambda n: (_words(n), _rank)),
    _set("_helper", _other_helper, calls_it, lambda n: (_helped, n)),
    _set("_helper", _other_helper, calls_what_is_held, lambda n: (Holder(_helped), n)),
    Case(
        calls_it,
        lambda n: (_delimiter, n),
        reset=lambda: csv.register_dialect("excel", delimiter=";"),
        world=lambda: csv.register_dialect("excel", csv.excel),
    ),
    _case(calls_it, lambda n: (_late(n, _plain, _noting), n)),
    _case(calls_it, lambda n: (_late(n, _calm, _busy), n)),
    _case(calls_it, lambda n: opaque(_undecorated(_late(n, _plain, _noting)), n)),
    _case(calls_it, lambda n: opaque(_late(n, _plain, functools.partial(_noting)), n)),
    _case(calls_it, lambda n: opaque(_into(_log), n)),
    _case(calls_it, lambda n: (_late(n, _plain, _log.append), n)),
    _case(calls_it_by_its_dunder, lambda n: (_late(n, _plain, _noting), n)),
    _case(calls_it_from_a_table, lambda n: ({"fn": _late(n, _plain, _noting)}, n)),
    _case(calls_it_through_a_cache, lambda n: (_late(n, _plain, _noting), n)),
    _case(calls_what_is_held, lambda n: (Holder(_late(n, _plain, _noting)), n)),
    _case(groups_by_it, lambda n: (_words(n), _late(n, str.lower, _noting))),
    _case(sorts_in_place, lambda n: (_words(n), _late(n, str.lower, _noting))),
    _case(goes_through, lambda n: (_late(n, len, list.sort), [[3, 2, n], [2, 1]])),
    _case(goes_through, lambda n: (_late(n, len, list.clear), [[3, 2, n], [2, 1]])),
    _case(goes_through, lambda n: opaque(_late(n, str, operator.methodcaller("clear")), _keep([[n]]))),
    _case(goes_through, lambda n: opaque(_late(n, len, lambda row: row.pop()), _keep([[3, 2, n], [2, 1]]))),
    _case(maps_it, lambda n: (_late(n, len, list), [{f"w{n}", "b", "a"}])),
    _case(maps_it, lambda n: (_late(n, len, ",".join), [{f"w{n}", "b", "a"}])),
    _case(calls_it, lambda n: (_late(n, len, list), {f"w{n}", "b", "a"})),
    _case(calls_it, lambda n: (_late(n, len, _listed), {f"w{n}", "b", "a"})),
    _case(calls_it, lambda n: (_late(n, type, id), n)),
    _case(fills_what_it_makes, lambda n: (_late(n, _makes, _lends), n)),
    _case(collects_in_what_it_makes, lambda n: (_late(n, _makes, _lends), n)),
    _case(numbers_of, lambda n: (Numbered, n)),
]
