"""What only this process's objects have: sizes, counts of references, places in memory, frames, orders of sets."""

from __future__ import annotations

import collections
import contextvars
import copy
import functools
import heapq
import inspect
import itertools
import json
import os
import random
import re
import statistics
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_WORDS = [f"{letter}{n % 3}" for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")]
_MODE = "".join(["mo", "de"])  # noqa: FLY002
_SENTINEL: Any = object()
_pair = ([1], [2])
_current: contextvars.ContextVar[int] = contextvars.ContextVar("current", default=0)
_local = threading.local()
_mine: list[Any] = []


@dataclass(frozen=True)
class Tag:
    """A hash of a text is part of its hash."""

    name: str
    weight: float = 1.0


class Plain:
    """Has no order and no text of its own."""


def size_of(values: list[int]) -> int:
    """A list that grew has room that a copy has not."""
    return sys.getsizeof(values)


def own_size_of(values: list[int]) -> int:
    """The same by a method."""
    return values.__sizeof__()


def size_of_a_dict(values: dict[int, int]) -> int:
    """A dict that shrank has room that a copy has not."""
    return sys.getsizeof(values)


def order_of_numbers(values: set[int]) -> list[int]:
    """A set that shrank keeps its table, and thereby its order."""
    return list(values)


def first_of_numbers(values: set[int]) -> int:
    """The same, for the first."""
    return next(iter(values))


def any_of_numbers(values: set[int]) -> int:
    """The same, for any."""
    for value in values:
        return value
    return -1


def text_of_numbers(values: set[int]) -> str:
    """The same, as text."""
    return f"{values}"


def is_mode(text: str) -> bool:
    """Whether it is the very text."""
    return text is _MODE


def are_one(a: list[int], b: list[int]) -> bool:
    """Whether two arguments are one."""
    return a is b


def are_one_within(pair: tuple[list[int], list[int]]) -> bool:
    """Whether two parts of an argument are those of the module."""
    return pair[0] is _pair[0]


def is_the_sentinel(value: Any) -> bool:
    """Whether nothing was given, by a default of the module."""
    return value is _SENTINEL


def counts_the_same(values: list[Any]) -> int:
    """How many of a list are objects of the module, by a comprehension."""
    return sum(1 for value in values if value is _pair)


def finds_the_same(values: list[Any]) -> bool:
    """Whether a list has an object that equals only itself."""
    return _mine[0] in values


def counts_by_itself(values: list[Any]) -> int:
    """How often."""
    return values.count(_mine[0])


def index_by_itself(values: list[Any]) -> int:
    """Where."""
    return values.index(_mine[0])


def looks_up_by_itself(values: dict[Any, int]) -> int:
    """A dict by objects."""
    return values.get(_mine[0], -1)


def subtracts_by_itself(values: set[Any]) -> int:
    """A difference of sets of objects."""
    return len(values - {_mine[0]})


def compares_by_itself(values: list[Any]) -> bool:
    """Lists of objects."""
    return values == [_mine[0]]


def matches_by_itself(value: Any) -> str:
    """A value pattern of an object."""
    match value:
        case _Names.one:
            return "one"
        case _:
            return "another"


class _Names:
    """A name for an object."""

    one: Any = None


def hash_of_a_text(text: str) -> int:
    """As shards are often chosen."""
    return hash(text) % 8


def hash_of_a_tag(name: str) -> int:
    """The same through a class."""
    return hash(Tag(name)) % 8


def hash_in_a_tuple(name: str) -> int:
    """The same through a tuple, by its method."""
    return (name, 1).__hash__() % 8


def shards(names: list[str]) -> list[list[str]]:
    """The same by a key function."""
    out: list[list[str]] = [[] for _ in range(4)]
    for name in names:
        out[_shard(name)].append(name)
    return out


def _shard(name: str) -> int:
    """Where it belongs."""
    return hash(name) & 3


def sums_floats(names: list[str]) -> float:
    """Floats are added in the order of a set."""
    total = 0.0
    for name in set(names):
        total += 1 / (ord(name[0]) + 0.1)
    return total


def sums_floats_at_once(names: list[str]) -> float:
    """The same by sum."""
    return sum({1.1 * ord(name[0]): name for name in set(names)})


def pattern_of_a_set(names: list[str]) -> list[str]:
    """A pattern of alternatives in the order of a set."""
    pattern = re.compile("|".join({name[0] for name in names} | set(names)))
    return pattern.findall("a0b1c2d0e1")


def chooses_of_a_set(names: list[str]) -> str:
    """A choice that is seeded, out of a set."""
    return random.Random(1).choice(list(set(names)))


def samples_of_keys(names: list[str]) -> list[str]:
    """A sample of a difference of keys."""
    return random.Random(1).sample(list(dict.fromkeys(names).keys() - {"a0"}), 2)


def order_of_common_keys(names: list[str]) -> list[str]:
    """What two dicts have in common."""
    return list(dict.fromkeys(names).keys() & dict.fromkeys(_WORDS).keys())


def order_of_items(names: list[str]) -> Any:
    """The items that two dicts don't have in common."""
    return list(dict.fromkeys(names, 1).items() ^ {"a0": 1}.items())[0]  # noqa: RUF015


def largest_of_a_set(names: list[str]) -> list[str]:
    """The largest by a key with ties."""
    return heapq.nlargest(2, set(names), key=lambda name: name[1])


def mode_of_a_set(names: list[str]) -> str:
    """The most frequent, where the first wins."""
    return statistics.mode([name[1] for name in set(names)]) + next(
        iter(collections.Counter({n[1] for n in names}))
    )


def last_wins(names: list[str]) -> dict[str, str]:
    """A dict in which the last wins."""
    return {name[1]: name for name in set(names)}


def groups_a_set(names: list[str]) -> dict[str, list[str]]:
    """Groups, in whose lists the order of a set is."""
    groups: dict[str, list[str]] = {}
    for name in set(names):
        groups.setdefault(name[1], []).append(name)
    return {key: groups[key] for key in sorted(groups)}


def pops_a_set(names: list[str]) -> list[str]:
    """A set is worked off."""
    todo, done = set(names), []
    while todo:
        done.append(todo.pop())
    return done


def order_of_tags(names: list[str]) -> list[str]:
    """A set of objects whose hash hangs on texts."""
    return [tag.name for tag in {Tag(name) for name in names}]


def order_of_bytes(names: list[str]) -> bytes:
    """A set of bytes."""
    return b"".join({name.encode() for name in names})


def order_of_frozen_sets(names: list[str]) -> int:
    """A set of sets."""
    return len(next(iter({frozenset(names[:2]), frozenset(names[:3]), frozenset(names)})))


def order_of_types(n: int) -> list[str]:
    """A set of classes, which hash by where they are."""
    return [each.__name__ for each in {int, str, float, Plain, Tag, list, dict, tuple}]


def order_of_objects(n: int) -> list[int]:
    """A set of objects, which hash by where they are."""
    objects = [Plain() for _ in range(20)]
    return [objects.index(each) for each in set(objects)]


def order_of_nones(names: list[str]) -> list[str | None]:
    """A set with None in it, which hashes by where it is."""
    return list({None, *names})


def order_of_an_encoder(names: list[str]) -> str:
    """A set that an encoder's default lists."""
    return json.dumps({"tags": set(names)}, default=list)


def order_of_products(names: list[str]) -> list[str]:
    """Pairs out of a set."""
    return ["".join(pair) for pair in itertools.combinations(set(names), 2)]


def partition_of_a_set(names: list[str]) -> tuple[list[str], set[str]]:
    """Half of a set."""
    return sorted(itertools.islice(set(names), 2)), set()


def update_order(names: list[str]) -> list[str]:
    """A counter that is filled from a set, the most common of which tie."""
    counter: collections.Counter[str] = collections.Counter()
    counter.update(set(names))
    return [name for name, _ in counter.most_common(2)]


def text_of_a_function(n: int) -> str:
    """Where a function is, as text."""
    return f"{_shard!r}"


def sorts_by_place(n: int) -> list[int]:
    """Sorted by where they are."""
    objects = [Plain() for _ in range(9)]
    return [objects.index(each) for each in sorted(objects, key=id)]


def place_of(values: list[int]) -> int:
    """Where an argument is."""
    return id(values)


def depth(n: int) -> int:
    """How deep the stack is."""
    return len(inspect.stack())


def stack(n: int) -> str:
    """What the stack is."""
    return "".join(traceback.format_stack())


def caller(n: int) -> str:
    """Who called."""
    return sys._getframe(1).f_code.co_name


def process(n: int) -> int:
    """Which process this is."""
    return os.getpid()


def has_local(n: int) -> int:
    """What the process holds for a thread."""
    return len(vars(_local))


def used_time(n: int) -> bool:
    """How much time the process has used."""
    return bool(time.process_time() < _mine[1])


def variable(n: int) -> int:
    """A context variable."""
    return _current.get()


def sets_a_variable(n: int) -> int:
    """A context variable is set and put back."""
    token = _current.set(n)
    value = _current.get()
    _current.reset(token)
    return value


def copies(value: Any) -> int:
    """What a class does as it is copied."""
    return int(copy.copy(value).n)


@functools.lru_cache(maxsize=2)
def remembers(n: int) -> int:
    """A cache is the function itself."""
    return n


def asks_what_it_remembers(n: int) -> int:
    """How much a cache has."""
    remembers(n)
    return remembers.cache_info().currsize


def _shrunk(n: int) -> set[int]:
    """A set that once was large."""
    values = set(range(200))
    values -= set(range(200)) - {97 + n % 3, 130, 2, 64, 35}
    return values


def _shrunk_dict(n: int) -> dict[int, int]:
    """A dict that once was large."""
    values = dict.fromkeys(range(200))
    for key in range(n % 7 + 3, 200):
        del values[key]
    return values  # type: ignore[return-value]


def _grown(n: int) -> list[int]:
    """A list that grew."""
    values: list[int] = []
    for number in range(n + 5):
        values.append(number)  # noqa: PERF402
    return values


def _reset() -> None:
    """An object of the module."""
    _mine[:] = [Plain(), time.process_time() + 3600]
    _Names.one = _mine[0]
    remembers.cache_clear()


def _case(fn: Any, arguments: Any = lambda n: (n,)) -> Case:
    """A case with an object of the module."""
    return Case(fn, arguments=arguments, reset=_reset)


def _names(n: int) -> tuple[Any]:
    """Some words."""
    return (_WORDS[: 5 + n % 20],)


CASES = [
    *(_case(fn, lambda n: (_grown(n),)) for fn in (size_of, own_size_of)),
    _case(size_of_a_dict, lambda n: (_shrunk_dict(n),)),
    *(
        _case(fn, lambda n: (_shrunk(n),))
        for fn in (order_of_numbers, first_of_numbers, any_of_numbers, text_of_numbers)
    ),
    _case(is_mode, lambda n: (_MODE,)),
    _case(are_one, lambda n: ([n],) * 2),
    _case(are_one_within, lambda n: (_pair,)),
    _case(is_the_sentinel, lambda n: opaque(_SENTINEL)),
    _case(counts_the_same, lambda n: ([_pair, n],)),
    *(
        _case(fn, lambda n: opaque([_mine[0], n]))
        for fn in (finds_the_same, counts_by_itself, index_by_itself)
    ),
    _case(looks_up_by_itself, lambda n: opaque({_mine[0]: n})),
    _case(subtracts_by_itself, lambda n: opaque({_mine[0], n})),
    _case(compares_by_itself, lambda n: opaque([_mine[0]])),
    _case(matches_by_itself, lambda n: opaque(_mine[0])),
    *(_case(fn, lambda n: (_WORDS[n % 26],)) for fn in (hash_of_a_text, hash_of_a_tag, hash_in_a_tuple)),
    *(
        _case(fn, _names)
        for fn in (
            shards,
            sums_floats,
            sums_floats_at_once,
            pattern_of_a_set,
            chooses_of_a_set,
            samples_of_keys,
            order_of_common_keys,
            order_of_items,
            largest_of_a_set,
            mode_of_a_set,
            last_wins,
            groups_a_set,
            pops_a_set,
            order_of_tags,
            order_of_bytes,
            order_of_frozen_sets,
            order_of_nones,
            order_of_an_encoder,
            order_of_products,
            partition_of_a_set,
            update_order,
        )
    ),
    *map(
        _case,
        (
            order_of_types,
            text_of_a_function,
            process,
            has_local,
            used_time,
            variable,
            sets_a_variable,
            asks_what_it_remembers,
        ),
    ),
]
