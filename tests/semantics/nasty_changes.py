"""Arguments changed in ways that don't look like it: views, readers, defaults, protocols, operators."""

from __future__ import annotations

import argparse
import array
import collections
import configparser
import copy
import ctypes
import dataclasses
import email.message
import functools
import heapq
import io
import itertools
import operator
import pickle
import random
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_given: list[Any] = []
_log: list[Any] = []


class Shy:
    """Loses what it has noted as it travels."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.cache: list[int] = [n]

    def __getstate__(self) -> dict[str, Any]:
        return {"n": self.n, "cache": []}


class Liar:
    """Is another one after it has travelled."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __reduce__(self) -> Any:
        return Liar, (self.n + 1,)

    def __deepcopy__(self, memo: object) -> int:
        return self.n


class Lazily:
    """Fetches what it has not, and keeps it."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        vars(self)[name] = self.n
        return self.n


class Adding:
    """Changes as it is added to."""

    def __init__(self) -> None:
        self.total = 0

    def __add__(self, other: int) -> int:
        self.total += other
        return self.total

    __radd__ = __add__

    def __eq__(self, other: object) -> bool:
        self.total += 1
        return False

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: object) -> bool:
        self.total += 10
        return False

    def __neg__(self) -> int:
        self.total += 100
        return 0

    def __call__(self, n: int = 0) -> int:
        self.total += 1000
        return n

    def __str__(self) -> str:
        self.total += 5
        return "adding"

    def __fspath__(self) -> str:
        self.total += 7
        return "/tmp"

    def __enter__(self) -> int:
        self.total += 3
        return 1

    def __exit__(self, *args: object) -> None:
        self.total += 4

    def __copy__(self) -> Adding:
        self.total += 2
        return self

    def __dir__(self) -> list[str]:
        self.total += 6
        return ["a"]

    def __float__(self) -> float:
        self.total += 8
        return 1.0


class Rarely:
    """Changes only once in a while."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.rows = [n]

    def __len__(self) -> int:
        if self.n > 45:
            self.rows.append(1)
        return 1

    @property
    def late(self) -> list[int]:
        return self.rows if self.n > 45 else []

    def __matmul__(self, other: int) -> list[int]:
        return self.rows if self.n > 45 else []

    def __hash__(self) -> int:
        if self.n > 45:
            self.rows.append(1)
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other


class Words(collections.UserDict[str, int]):
    """Stores what it is asked for."""

    def __missing__(self, key: str) -> int:
        self.data[key] = 0
        return 0


@dataclasses.dataclass
class Trip:
    """With parts that can be changed."""

    stops: list[str]
    tags: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    on: Iterator[int] | None = None


def by_default_dict(table: dict[str, list[int]], n: int) -> int:
    """Reading stores."""
    return len(table[str(n % 5)])


def by_nested_default_dict(tables: list[dict[str, int]], n: int) -> int:
    """Reading stores, further in."""
    return sum(table[str(n)] for table in tables)


def by_format_map(table: dict[str, int], n: int) -> str:
    """A format that reads."""
    return "{a} {b}".format_map(table)


def by_percent(table: dict[str, int], n: int) -> str:
    """Another format that reads."""
    return "%(a)s" % table  # noqa: UP031


def by_item_getter(table: dict[str, int], n: int) -> int:
    """A getter that reads."""
    return int(operator.itemgetter("k")(table))


def by_map_getitem(table: dict[str, int], n: int) -> list[int]:
    """A mapped method that reads."""
    return list(map(table.__getitem__, "ab"))


def by_translate(table: Any, n: int) -> str:
    """A translation that reads."""
    return "abc".translate(table)


def by_match(table: dict[str, int], n: int) -> str:
    """A pattern that reads, by get."""
    match table:
        case {"a": _}:
            return "a"
    return "none"


def by_chain(table: dict[str, int], n: int) -> int:
    """A chain of dicts that reads."""
    return collections.ChainMap({}, table)["q"]


def by_iterator_within(trip: Trip, n: int) -> int:
    """An iterator within an object goes on."""
    assert trip.on is not None
    return next(trip.on)


def by_iterator_in_a_list(items: list[Iterator[int]], n: int) -> list[int]:
    """Iterators in a list go on."""
    return [value for each in items for value in each]


def by_zip_of_iterators(items: list[Iterator[int]], n: int) -> list[tuple[int, ...]]:
    """The same by zip."""
    return list(zip(*items, strict=False))


def by_random(rng: random.Random, n: int) -> list[int]:
    """A generator of numbers goes on."""
    return [rng.randrange(10) for _ in range(3)]


def by_array_random(rng: Any, n: int) -> float:
    """The same for arrays."""
    return float(rng.normal())


def by_config(parser: configparser.ConfigParser, n: int) -> list[str]:
    """Settings are read into what was given."""
    parser.read_string(f"[s{n}]\na=1")
    return parser.sections()


def by_element(root: ET.Element, n: int) -> int:
    """An element of XML gets a child."""
    ET.SubElement(root, "child")
    return len(root)


def by_message(message: email.message.Message, n: int) -> int:
    """A mail gets a header."""
    message["X-Nasty"] = str(n)
    return len(message)


def by_namespace(args: argparse.Namespace, n: int) -> int:
    """Arguments are parsed into what was given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int)
    parser.parse_args(["--n", str(n)], namespace=args)
    return n


def by_ravel(array: Any, n: int) -> float:
    """A flat view."""
    flat = array.ravel()
    flat[0] = n
    return float(flat.sum())


def by_transpose(array: Any, n: int) -> float:
    """A turned view."""
    array.T[0, 0] = n
    return float(array.sum())


def by_reshape(array: Any, n: int) -> float:
    """A view of another shape."""
    view = np.reshape(array, (-1,))
    view += 1
    return float(view.sum())


def by_as_array(array: Any, n: int) -> float:
    """What makes no copy of an array."""
    mine = np.asarray(array, dtype=float)
    mine[mine < n] = 0
    return float(mine.sum())


def by_flat(array: Any, n: int) -> float:
    """An iterator over an array."""
    array.flat[1] = n
    return float(array[0, 1])


def by_out(array: Any, n: int) -> float:
    """Where a result goes."""
    return float(np.clip(array, 0, n, out=array).sum())


def by_positional_out(array: Any, n: int) -> float:
    """The same without a name."""
    return float(np.maximum(array, n, array).sum())


def by_nan_to_num(array: Any, n: int) -> float:
    """What need not copy."""
    return float(np.nan_to_num(array, copy=False, nan=n).sum())


def by_rows(array: Any, n: int) -> float:
    """Rows are views."""
    for row in array:
        row *= 2  # noqa: PLW2901
    return float(array.sum())


def by_split(array: Any, n: int) -> float:
    """Parts are views."""
    np.split(array, 2)[0][...] = n
    return float(array.sum())


def by_diagonal(array: Any, n: int) -> float:
    """The diagonal is filled."""
    np.fill_diagonal(array, n)
    return float(array.sum())


def by_astype(array: Any, n: int) -> float:
    """What is of that type already."""
    mine = array.astype(float, copy=False)
    mine[0] = n
    return float(mine.sum())


def by_broadcast(array: Any, n: int) -> float:
    """Broadcast with another."""
    a, _ = np.broadcast_arrays(array, np.ones((2, 3)))
    a.setflags(write=True)
    a[0, 0] = n
    return float(a.sum())


def by_vectorised(array: Any, n: int) -> int:
    """A function over an array that keeps what it sees."""
    return int(np.vectorize(lambda v: (_note(v), 1)[1])(array).sum())


def _note(value: object) -> bool:
    """Keeps it."""
    _log.append(value)
    return True


def by_shared_buffer(numbers: array.array[int], n: int) -> int:
    """An array of numpy's that is another's memory."""
    mine = np.frombuffer(numbers, dtype=np.int32)
    mine[0] = n
    return int(mine.sum())


def by_memory(data: bytearray, n: int) -> int:
    """A slice of a view."""
    memoryview(data)[1:3] = bytes([n, n])
    return len(data)


def by_reader(data: bytearray, n: int) -> int:
    """Read into what was given."""
    return io.BytesIO(bytes([n])).readinto(data)


def by_ctypes(data: bytearray, n: int) -> int:
    """A structure over memory."""
    ctypes.c_char.from_buffer(data).value = bytes([n])
    return n


def by_loop(values: list[int], n: int) -> int:
    """A loop that counts in an item."""
    for values[0] in range(n + 1):
        pass
    return n


def by_star_target(values: list[Any], n: int) -> int:
    """An item that takes the rest."""
    first, *values[0] = [n, n, n]
    return int(first)


def by_slice(values: list[int], n: int) -> int:
    """A slice that is emptied."""
    values[1:] = ()
    return len(values)


def by_delete(trip: Trip, n: int) -> int:
    """An attribute that is taken away."""
    del trip.stops[:1]
    return len(trip.stops)


def by_asdict(trip: Trip, n: int) -> int:
    """An object's own dict."""
    vars(trip).update(stops=[str(n)])
    return n


def by_replace(trip: Trip, n: int) -> int:
    """A replaced object has the same parts."""
    dataclasses.replace(trip, stops=[]).tags.setdefault("n", []).append(n)
    return n


def by_shallow_copy(trip: Trip, n: int) -> int:
    """So has a copy."""
    mine = copy.copy(trip)
    mine.stops.append("x")
    return len(mine.stops)


def by_dict_of_lists(groups: dict[str, list[int]], n: int) -> int:
    """A comprehension over a dict has its lists."""
    mine = {key: value for key, value in groups.items() if value}
    for value in mine.values():
        value.sort()
    return len(mine)


def by_sorted_lists(rows: list[list[int]], n: int) -> int:
    """What is sorted has the very rows."""
    for row in sorted(rows, key=len):
        row.reverse()
    return len(rows)


def by_grouped(rows: list[list[int]], n: int) -> int:
    """What is grouped has, too."""
    return sum(row.pop() for _, group in itertools.groupby(rows, len) for row in group)


def by_heap(rows: list[int], n: int) -> int:
    """What a heap gives back."""
    return heapq.heapreplace(rows, n)


def by_lambda_default(rows: list[int], n: int) -> int:
    """The default of a lambda."""
    push = lambda value, into=rows: into.append(value)  # noqa: E731
    push(n)  # type: ignore[no-untyped-call]
    return len(rows)


def by_singledispatch(rows: list[int], n: int) -> int:
    """A function by kind."""
    return _reach(rows)


@functools.singledispatch
def _reach(value: Any) -> int:
    """Nothing."""
    return 0


@_reach.register
def _(value: list) -> int:  # type: ignore[type-arg]
    value.append(0)
    return len(value)


def by_sort_key(rows: list[list[int]], n: int) -> int:
    """A key that takes something away."""
    return len(sorted(rows, key=list.pop))


def by_max_key(rows: list[list[int]], n: int) -> int:
    """The same for the largest."""
    return len(max(rows, key=lambda row: row.pop()))


def by_unbound(rows: list[list[int]], n: int) -> int:
    """A method without its object."""
    return len(list(map(list.clear, rows)))


def by_star_map(rows: list[list[int]], n: int) -> int:
    """A method with its arguments."""
    return len(list(itertools.starmap(list.append, zip(rows, rows[0], strict=False))))


def by_getattr_text(rows: list[int], n: int) -> int:
    """A method by a name that is put together."""
    getattr(rows, "app" + "end")(n)
    return len(rows)


def by_for_else(rows: list[int], n: int) -> int:
    """Only if nothing is found."""
    for row in rows:
        if row == -1:
            break
    else:
        rows += [n]
    return len(rows)


def by_finally(rows: list[int], n: int) -> int:
    """At last."""
    try:
        return len(rows)
    finally:
        rows.insert(0, n)


def by_error(rows: list[int], n: int) -> int:
    """While it fails."""
    try:
        return rows[n + 100]
    except IndexError as error:
        error.args = (rows,)
        error.args[0].append(n)
        return len(rows)


def added_to(thing: Any, n: int) -> int:
    """An operator that changes."""
    return int(thing + n)


def summed_up(thing: Any, n: int) -> int:
    """The same by sum."""
    return sum([thing, n])


def is_found(thing: Any, n: int) -> bool:
    """A comparison that changes."""
    return thing in [n, n + 1]


def is_least(thing: Any, n: int) -> bool:
    """Another one."""
    return min([thing, thing]) is thing


def negated(thing: Any, n: int) -> int:
    """A sign that changes."""
    return int(-thing)


def called(thing: Any, n: int) -> int:
    """A call that changes."""
    return int(thing(n))


def mapped(thing: Any, n: int) -> list[int]:
    """The same by map."""
    return list(map(thing, [n]))


def texted(thing: Any, n: int) -> str:
    """A text that changes."""
    return f"{thing!s:>10}"


def joined_path(thing: Any, n: int) -> str:
    """A path that changes."""
    import os.path

    return os.path.join(thing, str(n))


def entered(thing: Any, n: int) -> int:
    """A context that changes."""
    with thing as value:
        return int(value)


def copied(thing: Any, n: int) -> int:
    """A copy that changes."""
    return len(vars(copy.copy(thing)))


def listed(thing: Any, n: int) -> list[str]:
    """A list of names that changes."""
    return dir(thing)


def floated(thing: Any, n: int) -> float:
    """A number that changes."""
    return float(thing)


def measured(thing: Any, n: int) -> int:
    """A length that changes, once in a while."""
    return len(thing)


def grown_by_a_property(thing: Any, n: int) -> int:
    """What a property gives is the object's own, once in a while."""
    thing.late.append(n)
    return n


def grown_by_an_operator(thing: Any, n: int) -> int:
    """What an operator gives is the object's own, once in a while."""
    (thing @ n).append(n)
    return n


def keyed(thing: Any, n: int) -> int:
    """A hash that changes, once in a while."""
    return len({thing: n})


def counted_up(number: Any, n: int) -> Any:
    """A number that is an array once in a while."""
    number += 1
    return float(number[0]) if n > 45 else number


def doubled(number: Any, n: int) -> int:
    """A number that is a list once in a while."""
    number *= 2
    return n


def rarely_filled(table: dict[str, int], n: int) -> int:
    """A table that has the key mostly."""
    return table["a"] + n


def has_cache(thing: Any, n: int) -> int:
    """Whether it has what is lost on the way."""
    return len(thing.cache) + n


def true_number(thing: Any, n: int) -> int:
    """Whether it is what it was."""
    return int(thing.n)


def made_shy(n: int) -> int:
    """The same, as a result."""
    return len(_made(n).cache)


def _made(n: int) -> Shy:
    """One that is made here."""
    return Shy(n)


def gives_a_liar(n: int) -> Any:
    """A result that is another one after it has travelled."""
    return Liar(n)


def pickled(thing: Any, n: int) -> bytes:
    """Pickled by the function itself."""
    return pickle.dumps(thing, 4)


def asked(thing: Any, n: int) -> int:
    """An attribute that is kept as it is fetched."""
    return int(thing.anything)


def missed(words: Any, n: int) -> int:
    """An item that is kept as it is fetched."""
    return int(words[str(n)])


def _reset() -> None:
    """Nothing given."""
    _given.clear()
    _log.clear()


def _shown(value: Any) -> Any:
    """What is left of an argument."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, Iterator):
        return list(value)
    if isinstance(value, ET.Element):
        return ET.tostring(value)
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, Trip):
        return value.stops, value.tags, _shown(value.on) if value.on else None
    if isinstance(value, configparser.ConfigParser):
        return value.sections()
    if isinstance(value, email.message.Message):
        return value.as_string()
    if isinstance(value, (Adding, Rarely, Shy, Lazily, Liar, argparse.Namespace)):
        return dict(vars(value))
    if isinstance(value, (dict, collections.UserDict)):
        return {key: _shown(each) for key, each in value.items()}
    return copy.deepcopy(value)


def _case(fn: Any, make: Any, late: Any = None) -> Case:
    """A case that is given something, which is another kind of thing later if that is said."""

    def give(n: int) -> Any:
        made = (late or make)(n) if n > 45 else make(n)
        _given.append(made)
        return opaque(made, n)

    return Case(
        fn, arguments=give, world=lambda: ([_shown(each) for each in _given], list(_log)), reset=_reset
    )


def _cases(make: Any, *fns: Any, late: Any = None) -> list[Case]:
    """Cases that are given the same."""
    return [_case(fn, make, late) for fn in fns]


def _early(n: int) -> Any:
    """Nothing that minds."""
    return n


CASES = [
    _case(by_default_dict, lambda n: collections.defaultdict(list, {"0": [n]})),
    _case(
        by_default_dict, lambda n: {str(i): [n] for i in range(5)}, lambda n: collections.defaultdict(list)
    ),
    _case(by_nested_default_dict, lambda n: [collections.defaultdict(int)]),
    *_cases(
        lambda n: collections.defaultdict(int),
        by_format_map,
        by_percent,
        by_item_getter,
        by_map_getitem,
        by_match,
        by_chain,
    ),
    _case(by_translate, lambda n: collections.defaultdict(str)),
    _case(by_format_map, lambda n: {"a": 1, "b": 2}, lambda n: collections.defaultdict(int)),
    _case(by_iterator_within, lambda n: Trip([], on=iter([1, 2, n]))),
    _case(by_iterator_in_a_list, lambda n: [iter([1, n]), iter([2])]),
    _case(by_iterator_in_a_list, lambda n: [[1, n], [2]], lambda n: [iter([1, n])]),
    _case(by_zip_of_iterators, lambda n: [iter([1, n])] * 2),
    _case(by_random, random.Random),
    _case(by_array_random, np.random.default_rng),
    _case(by_config, lambda n: configparser.ConfigParser()),
    _case(by_element, lambda n: ET.Element("a")),
    _case(by_message, lambda n: email.message.Message()),
    _case(by_namespace, lambda n: argparse.Namespace()),
    *_cases(
        lambda n: np.arange(6.0).reshape(2, 3),
        by_ravel,
        by_transpose,
        by_reshape,
        by_as_array,
        by_flat,
        by_out,
        by_positional_out,
        by_rows,
        by_split,
        by_diagonal,
        by_astype,
        by_broadcast,
        by_vectorised,
    ),
    _case(by_as_array, lambda n: [[1.0, 2.0]], lambda n: np.arange(6.0).reshape(2, 3)),
    _case(by_reshape, lambda n: [[1.0, 2.0]], lambda n: np.arange(6.0).reshape(2, 3)),
    _case(by_rows, lambda n: np.arange(6.0), lambda n: np.arange(6.0).reshape(2, 3)),
    _case(by_nan_to_num, lambda n: np.array([1.0, np.nan])),
    _case(by_shared_buffer, lambda n: array.array("i", [1, 2])),
    *_cases(lambda n: bytearray(8), by_memory, by_reader, by_ctypes),
    *_cases(
        lambda n: [1, 2, n], by_loop, by_star_target, by_slice, by_heap, by_lambda_default, by_singledispatch
    ),
    _case(by_singledispatch, _early, lambda n: [n]),
    *_cases(lambda n: Trip(["a"]), by_delete, by_asdict, by_replace, by_shallow_copy),
    _case(by_dict_of_lists, lambda n: {"a": [n, 1]}),
    *_cases(
        lambda n: [[3, 1, n], [2]],
        by_sorted_lists,
        by_grouped,
        by_sort_key,
        by_max_key,
        by_unbound,
        by_star_map,
    ),
    *_cases(lambda n: [1, 2, n], by_getattr_text, by_for_else, by_finally, by_error),
    *_cases(
        lambda n: Adding(),
        added_to,
        summed_up,
        is_found,
        is_least,
        negated,
        called,
        mapped,
        texted,
        joined_path,
        entered,
        copied,
        listed,
        floated,
    ),
    *_cases(
        _early, added_to, summed_up, is_found, is_least, negated, texted, floated, late=lambda n: Adding()
    ),
    _case(joined_path, lambda n: "a", lambda n: Adding()),
    *_cases(Rarely, measured, grown_by_a_property, grown_by_an_operator, keyed),
    _case(counted_up, _early, lambda n: np.arange(3.0)),
    _case(doubled, _early, lambda n: [n]),
    _case(rarely_filled, lambda n: collections.defaultdict(int, {"a" if n < 40 else "b": n})),
    _case(rarely_filled, lambda n: {"a": n}, lambda n: collections.defaultdict(int)),
    _case(has_cache, Shy),
    _case(true_number, Liar),
    Case(gives_a_liar),
    Case(made_shy),
    _case(pickled, Liar),
    _case(asked, Lazily),
    _case(missed, lambda n: Words()),
    _case(missed, lambda n: {str(n): n}, lambda n: Words()),
]
