"""Single rules of reading, each with a neighbour that must stay."""

from __future__ import annotations

import collections
import contextlib
import enum
import functools
import math
import string
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from adaptive_exec.backends.processes.watching import alike, difference_of
from adaptive_exec.routing.environment import environment
from adaptive_exec.routing.given import objection
from adaptive_exec.routing.kinds import kinds_of_call
from adaptive_exec.routing.safety import judge
from adaptive_exec.routing.store import Store

LOG: list[Any] = []


class Suit(enum.Enum):
    """Plain values."""

    CLUBS = "c"
    HEARTS = "h"


class Held(enum.Enum):
    """Values that grow."""

    ONE = [1]  # noqa: RUF012


class Piece(NamedTuple):
    """A named tuple."""

    kind: str
    things: list[Any]


class Shown:
    """Shows itself with a note."""

    def __repr__(self) -> str:
        LOG.append(1)
        return "shown"

    def write(self, text: str) -> int:
        LOG.append(text)
        return 1


def groups(xs: list[Any]) -> dict[Any, list[Any]]:
    """The keys are its argument's, the values are not."""
    found: dict[Any, list[Any]] = {}
    for x in xs:
        found.setdefault(x, []).append(x)
        found[x] += [1]
        found.get(x, []).append(2)
    return found


def groups_by_default(xs: list[Any]) -> dict[Any, list[Any]]:
    """A factory makes the values."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    nested: defaultdict[Any, Any] = defaultdict(lambda: defaultdict(int))
    for x in xs:
        found[x].append(x)
        nested[x][x] += 1
    return found


def counts(xs: list[Any]) -> dict[Any, int]:
    """Other kinds of dictionaries."""
    found = Counter(xs)
    ordered: OrderedDict[Any, list[int]] = OrderedDict((x, []) for x in xs)
    for x in xs:
        found[x] += 1
        ordered[x].append(1)
    return dict.fromkeys(found, 0)


def changes_what_stands_there(xs: list[Any]) -> int:
    """The values are the global."""
    found = dict.fromkeys(xs, LOG)
    found[xs[0]].append(1)
    return 1


def changes_what_came_in_pairs(n: int) -> int:
    """Pairs make a dictionary."""
    dict([(1, LOG)])[1].append(n)  # noqa: C406
    return n


def changes_what_was_updated(n: int) -> int:
    """Another dictionary is poured into it."""
    found: dict[int, list[Any]] = {}
    found.update({n: LOG})
    found.pop(n).append(n)
    return n


def changes_a_key(n: int) -> int:
    """A key is an object of the module's."""
    found = {_THING: n}
    for key in found:
        key.n = n
    return n


def changes_what_a_view_shows(n: int) -> int:
    """Items come out of a dictionary."""
    for _, value in {1: LOG}.items():  # noqa: PERF102
        value.append(n)
    return n


class Thing:
    """Something with an attribute."""

    n = 0


_THING = Thing()


def changes_what_a_factory_gives(n: int) -> int:
    """A factory gives the global."""
    found: defaultdict[int, list[Any]] = defaultdict(lambda: LOG)
    found[n].append(n)
    return n


def reduces(n: int) -> int:
    """Functions among the items are called, and given back by nobody."""
    functions: list[Callable[[int], int]] = [abs, lambda x: x + n]
    return functools.reduce(lambda value, function: function(value), functions, n)


def reduces_nastily(n: int) -> Any:
    """What it calls notes something."""
    return functools.reduce(_noting, [1, 2], n)


def _noting(value: int, item: int) -> int:
    """Notes what it is called with."""
    LOG.append(item)
    return value


def caches_within(n: int) -> int:
    """A cache that is gone with the call."""

    @functools.cache
    def steps(k: int) -> int:
        return 0 if k <= 1 else 1 + steps(k // 2)

    return steps(n)


def caches_nastily(n: int) -> int:
    """Not the cache is the trouble."""

    @functools.cache
    def steps(k: int) -> int:
        LOG.append(k)
        return k

    return steps(n)


@functools.cache
def cached(n: int) -> int:
    """A cache of this process."""
    return n


def uses_a_cache(n: int) -> int:
    """That outlives the call."""
    return cached(n)


def names_suits(n: int) -> list[str]:
    """The values of an enumeration."""
    return [suit.value for suit in Suit]


def changes_a_member(n: int) -> int:
    """The value of a member grows."""
    for member in Held:
        member.value.append(n)
    return n


def reads_pieces(n: int) -> list[str]:
    """Fields of a named tuple that the call makes."""
    pieces = [Piece("a", [n]), Piece("b", [])._replace(kind="c")]
    pieces[0].things.append(n)
    return [piece.kind for piece in pieces]


def changes_a_field(n: int) -> int:
    """A field holds the global."""
    Piece("a", LOG).things.append(n)
    return n


def shows_by_percent(n: int) -> str:
    """A text asks what it is given for its own text."""
    return "%s" % [Shown(), n]


def prints_to(n: int) -> int:
    """Foreign code calls methods by other than special names."""
    import json

    json.dump(n, Shown())
    return n


def looks_into_a_frame(n: int) -> Any:
    """All globals can be reached from a frame."""
    values: Any = (x for x in [n])
    return values.gi_frame.f_globals["LOG"].append(n)


def closes(n: int) -> int:
    """Closes what is the module's."""
    with contextlib.closing(_FILE):
        return n


_FILE: Any = collections.UserList([1])


def most_common(words: list[str]) -> str:
    """Of those that are found as often, the one that comes first in a set."""
    return max(set(words), key=words.count)


@pytest.mark.parametrize(
    ("fn", "given"),
    [
        (groups, [1, "x"]),
        (groups_by_default, [1, "x"]),
        (counts, [1, "x"]),
        (reduces, 1),
        (caches_within, 1),
        (names_suits, 1),
        (reads_pieces, 1),
    ],
)
def test_it_may_leave(fn: Callable[..., Any], given: Any) -> None:
    """With arguments like these."""
    verdict = judge(fn, kinds_of_call(fn, (given,), {}))
    assert "" == verdict.reason


@pytest.mark.parametrize(
    "fn",
    [
        changes_what_stands_there,
        changes_what_came_in_pairs,
        changes_what_was_updated,
        changes_a_key,
        changes_what_a_view_shows,
        changes_what_a_factory_gives,
        reduces_nastily,
        caches_nastily,
        uses_a_cache,
        changes_a_member,
        changes_a_field,
        shows_by_percent,
        prints_to,
        looks_into_a_frame,
        closes,
        most_common,
    ],
)
def test_it_must_stay(fn: Callable[..., Any]) -> None:
    """Whatever it is given."""
    assert not judge(fn, ()).allowed
    assert not judge(fn).allowed


class Kept:
    """A class with class methods."""

    made = 0

    @classmethod
    def twice(cls, n: int) -> int:
        return 2 * n

    @classmethod
    def count(cls, n: int) -> int:
        cls.made += n
        return n


def test_class_methods_may_leave() -> None:
    """If they leave their class as it is."""
    assert judge(Kept.twice, ()).allowed
    assert "sets the attribute made of type Kept" in judge(Kept.count, ()).reason


LAYOUT = struct.Struct("<IH")


def packs(n: int) -> bytes:
    """A layout of the module's is used."""
    return LAYOUT.pack(n, n)


_ROOM = bytearray(100)


def packs_into_a_global(n: int) -> int:
    """A layout fills what is the module's."""
    LAYOUT.pack_into(_ROOM, 0, n, n)
    return n


def test_layouts_are_compared_by_their_formats() -> None:
    """They never change, and can't be pickled."""
    verdict = judge(packs, ())
    data = environment(verdict.reads)

    assert not judge(packs_into_a_global, ()).allowed
    assert data is not None
    assert difference_of(data) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "LAYOUT", struct.Struct("<IQ"))
        assert "LAYOUT" in str(difference_of(data))


def test_what_can_only_be_told_by_identity_is_alike() -> None:
    """Lambdas of the same code, and objects of the same attributes."""

    def made(n: int) -> Any:
        return (lambda x: x + 1) if n else (lambda x: x + 2)

    assert alike({"a": made(1)}, {"a": made(1)})
    assert not alike({"a": made(1)}, {"a": made(0)})
    assert alike(string.Template("$a"), string.Template("$a"))
    assert not alike(string.Template("$a"), string.Template("$b"))
    assert not alike(Noting(), object())


def test_a_nan_stays() -> None:
    """It is found in a container by its identity only."""
    assert "NaN" in str(objection(max, (1.0, math.nan), {}))
    assert objection(max, (1.0, math.inf), {}) is None


def adds(x: Any) -> Any:
    """An operator on an argument."""
    return x + 1


class Noting:
    """Its operator notes."""

    def __add__(self, other: Any) -> Any:
        LOG.append(other)
        return other


def test_a_record_keeps_a_verdict_for_each_kind_of_arguments() -> None:
    """A call with a nasty object stays, and the function's others may leave."""
    record = Store().record(adds)
    plain = record.judged_with(adds, frozenset())
    nasty = record.judged_with(adds, frozenset({Noting}))

    assert plain.allowed
    assert not nasty.allowed
    assert nasty is record.judged_with(adds, frozenset({Noting}))
    assert plain is record.judged_with(adds, frozenset())
    assert not record.stay
