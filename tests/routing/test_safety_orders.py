"""The order of a set differs from process to process: functions stay that let it show, and no others."""

from __future__ import annotations

import functools
import itertools
import json
import operator
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec.routing.check import CallCheck
from adaptive_exec.routing.environment import Reads, environment
from adaptive_exec.routing.safety import judge

TAGS = frozenset({"red", "green", "blue"})
ONE = frozenset({"red"})
GROUPS = {"warm": {"red", "orange"}}


def sorts_by_length(words: list[str]) -> list[str]:
    return sorted(set(words), key=len)


def longest(words: list[str]) -> str:
    return max(set(words), key=len)


def numbers(words: list[str]) -> dict[str, int]:
    index: dict[str, int] = {}
    for word in set(words):
        index[word] = len(index)
    return index


def strings_together(words: list[str]) -> str:
    text = ""
    for word in set(words):
        text += word
    return text


def keeps_the_last(words: list[str]) -> str:
    last = ""
    for word in set(words):
        if len(word) > 2:
            last = word
    return last


def chooses_greedily(words: list[str]) -> int:
    chosen: set[str] = set()
    for word in set(words):
        if not any(word[0] == other[0] for other in chosen):
            chosen.add(word)
    return len(chosen)


def fills_through_a_helper(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in set(words):
        _put(found, word)
    return found


def _put(found: list[str], word: str) -> None:
    found.append(word)


def spreads(words: list[str]) -> list[str]:
    return [*set(words)]


def takes_apart(words: list[str]) -> str:
    first, *_ = set(words)
    return first


def passes_by_star(words: list[str]) -> str:
    return "{} {}".format(*set(words))


def maps(words: list[str]) -> list[str]:
    return list(map(str.upper, set(words)))


def reduces(words: list[str]) -> str:
    return functools.reduce(operator.add, set(words))


def chains(words: list[str]) -> list[str]:
    return list(itertools.chain(set(words), "x"))


def lists_a_dict(words: list[str]) -> list[str]:
    return list({word: 0 for word in set(words)})  # noqa: C420


def returns_a_dict(words: list[str]) -> dict[str, int]:
    return {word: len(word) for word in set(words)}


def overwrites_keys(words: list[str]) -> int:
    return len({word[0]: word for word in set(words)}["a"])


def dumps_a_dict(words: list[str]) -> str:
    return json.dumps({word: len(word) for word in set(words)})


def counts_most_common(words: list[str]) -> list[tuple[str, int]]:
    return Counter(set(words)).most_common(2)


def writes_with_percent(words: list[str]) -> str:
    return "%s" % set(words)  # noqa: UP031


def writes_what_is_inside(words: list[str]) -> str:
    return f"{[set(words)]}"


def queues(words: list[str]) -> str:
    return deque(set(words)).popleft()


def common(one: dict[str, int], other: dict[str, int]) -> list[str]:
    return list(dict(one).keys() & dict(other).keys())


def lists_inner(rows: list[str]) -> list[str]:
    return [letter for row in rows for letter in set(row)]


def lists_each(rows: list[str]) -> list[list[str]]:
    return list(map(list, [set(row) for row in rows]))


def sums_weights(words: list[str]) -> float:
    return sum(1.0 / len(word) for word in set(words))


def joins_a_global(n: int) -> str:
    return ",".join(TAGS) * n


def joins_a_part(n: int) -> str:
    return ",".join(GROUPS["warm"]) * n


def tells_which(words: list[str]) -> int:
    for word in set(words):
        if word == "bad":
            raise ValueError(f"this one: {word}")
    return 0


def updates_what_it_asks(words: list[str]) -> int:
    seen: set[str] = set()
    total = 0
    for word in set(words):
        if word not in seen:
            seen.update(word)
            total += 1
    return total


def asks_for_another_name(words: list[str]) -> int:
    seen: set[str] = set()
    total = 0
    for word in set(words):
        word = word.lower()  # noqa: PLW2901
        if word[0] not in seen:
            seen.add(word)
            total += 1
    return total


def merges_dicts(words: list[str]) -> int:
    found: dict[str, int] = {}
    for word in set(words):
        found.update({word[0]: len(word)})
    return found["a"]


SHOWS = [
    updates_what_it_asks,
    asks_for_another_name,
    merges_dicts,
    sorts_by_length,
    longest,
    numbers,
    strings_together,
    keeps_the_last,
    chooses_greedily,
    fills_through_a_helper,
    spreads,
    takes_apart,
    passes_by_star,
    maps,
    reduces,
    chains,
    lists_a_dict,
    returns_a_dict,
    overwrites_keys,
    dumps_a_dict,
    counts_most_common,
    writes_with_percent,
    writes_what_is_inside,
    queues,
    common,
    lists_inner,
    lists_each,
    sums_weights,
    joins_a_global,
    joins_a_part,
    tells_which,
]


def asks(words: list[str]) -> list[bool]:
    known = set(words)
    return [word in known for word in words] + [len(known) > 2, "a" in TAGS]


def sorts(words: list[str]) -> list[str]:
    return sorted(set(words)) + sorted(word.upper() for word in set(words))


def sorts_by_length_and_name(words: list[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))


def sorts_counts(words: list[str]) -> list[tuple[str, int]]:
    counts = {word: words.count(word) for word in set(words)}
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def counts(words: list[str]) -> int:
    total = 0
    found = False
    widest = 0
    for word in set(words):
        if word in TAGS:
            total += len(word)
            found = True
        widest = max(widest, len(word))
    return total + found + widest


def gathers(words: list[str]) -> set[str]:
    seen: set[str] = set()
    for word in set(words):
        seen.add(word.upper())
    return seen | {word.lower() for word in TAGS}


def asks_of_each(words: list[str]) -> list[bool]:
    return [any(word in words for word in set(words)), all(map(str.isalpha, set(words)))]


def sums_numbers(numbers: list[int]) -> int:
    return sum({number * 2 for number in numbers}) + sum(len(word) for word in TAGS)


def goes_on_with_a_name(words: list[str]) -> list[str]:
    total = 0
    for word in set(words):
        length = len(word)
        total += int(length)
    found = [str(total)]
    for word in words:
        length = len(word)
        found.append(word * length)
    return found


def lists_a_single_one(n: int) -> list[str]:
    return list(ONE) * n


def fills_what_is_sorted(words: list[str]) -> list[tuple[str, int]]:
    index: dict[str, int] = {}
    for word in set(words):
        index[word] = len(word)
    return sorted(index.items())


def asks_what_it_adds(words: list[str]) -> int:
    seen: set[str] = set()
    total = 0
    for word in set(words):
        if word not in seen:
            seen.add(word)
            total += 1
    return total


HIDES = [
    asks_what_it_adds,
    asks,
    sorts,
    sorts_by_length_and_name,
    sorts_counts,
    counts,
    gathers,
    asks_of_each,
    sums_numbers,
    goes_on_with_a_name,
    lists_a_single_one,
    fills_what_is_sorted,
]


@pytest.mark.parametrize("fn", SHOWS)
def test_what_shows_an_order_stays(fn: Callable[..., Any]) -> None:
    """A set of strings that the call has made, or a module has."""
    verdict = judge(fn)

    assert not verdict.allowed
    assert "order of a set" in verdict.reason


@pytest.mark.parametrize("fn", HIDES)
def test_what_shows_none_leaves(fn: Callable[..., Any]) -> None:
    """What is asked, counted, gathered or sorted comes out the same in any order."""
    assert judge(fn).allowed, judge(fn).reason


def lists_given(tags: Any, other: Any = ()) -> list[Any]:
    return [tag for tag in tags if tag not in other]


def counts_given(tags: Any, *, limit: int = 3) -> int:
    total = 0
    for tag in tags:
        if len(tag) > limit:
            total += 1
    return total + len(sorted(tags))


def lists_in_common(one: Any, other: Any) -> list[Any]:
    return list(one & other)


def keeps_the_last_given(tags: Any) -> Any:
    total = 0
    for tag in tags:  # noqa: B007
        total += 1
    return tag, total


def _kept(found: list[Any], tag: Any) -> bool:
    found.append(tag)
    return True


def fills_with_a_helper(tags: Any) -> list[Any]:
    found: list[Any] = []
    for tag in tags:
        if _kept(found, tag):
            pass
    return found


def sums_given(tags: Any) -> Any:
    return sum(set(tags))


def _shown(fn: Callable[..., Any]) -> frozenset[str]:
    """Of which arguments the order would show."""
    verdict = judge(fn)
    assert verdict.allowed
    assert isinstance(verdict.reads, Reads)
    return verdict.reads.shown


def test_of_which_arguments_it_would_show() -> None:
    """Nobody knows whether they are sets."""
    assert {"its argument tags"} == _shown(lists_given)
    assert not _shown(counts_given)
    for fn in (keeps_the_last_given, fills_with_a_helper, sums_given):
        assert {"its argument tags"} == _shown(fn)
    assert {"its argument one", "its argument other"} == _shown(lists_in_common)


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (({"a", "b"},), True),
        (([frozenset({"a", "b"})],), True),
        (({"a"},), False),
        ((["a", "b"], {"a", "b"}), False),
    ],
)
def test_a_call_that_is_given_a_set(args: tuple[Any, ...], found: bool) -> None:
    """Is looked at at home."""
    check = CallCheck(lists_given, args, {}, judge(lists_given).reads)
    check.before()

    assert found == (check.finding is not None)


def test_a_worker_is_told() -> None:
    """Behind values and code."""
    data = environment(judge(lists_given).reads)

    assert data is not None
    assert b"its argument tags" in data
