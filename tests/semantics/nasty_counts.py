"""Counts that are kept while a loop goes over a set of words, in ways that show its order after all."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

from tests.semantics.case import Case

_WORDS = [f"{letter}{n % 3}" for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")]


def _case(fn: Any) -> Case:
    """A case that is given words."""
    return Case(fn, arguments=lambda n: (_WORDS[: 8 + n % 18],))


def in_order(words: list[str]) -> list[str]:
    """Keys of a dict of counts come as they were put in."""
    counts: dict[str, int] = {}
    for word in set(words):
        counts[word] = counts.get(word, 0) + 1
    return list(counts)


def as_it_is(words: list[str]) -> dict[str, int]:
    """The dict of counts itself."""
    counts: dict[str, int] = {}
    for word in set(words):
        counts[word + "x"] = counts.get(word + "x", 0) + 1
    return counts


def from_two_starts(words: list[str]) -> list[tuple[int, int]]:
    """The first of a key says with what it begins."""
    counts: dict[int, int] = {}
    n = 3
    for word in set(words):
        if word.startswith("a"):
            counts[n] = counts.get(n, 0) + 1
        else:
            counts[n] = counts.get(n, 5) + 1
    return sorted(counts.items())


def with_another_way(words: list[str]) -> list[tuple[int, int]]:
    """Counted, and set to something."""
    counts: dict[Any, int] = {}
    n = "a0"
    for word in set(words):
        counts[n] = counts.get(n, 0) + 1
        counts[word] = 100
    return sorted(counts.items())


def of_other_keys(words: list[str]) -> list[tuple[Any, int]]:
    """The count of one key is that of another one."""
    counts: dict[Any, int] = {}
    a, b = "a", "b"
    for word in set(words):
        if word > "h":
            counts[a] = counts.get(b, 0) + 1
        else:
            counts[b] = counts.get(a, 0) + 1
    return sorted(counts.items())


def of_a_key_that_changes(words: list[str]) -> list[tuple[Any, int]]:
    """The same expression, but another key each time."""
    counts: dict[Any, int] = {}
    keys = itertools.cycle([1, 2, 3])
    for word in set(words):
        counts[next(keys)] = counts.get(next(keys), len(word)) + 1
    return sorted(counts.items())


def doubled(words: list[str]) -> list[tuple[Any, int]]:
    """No sum."""
    counts: dict[Any, int] = {}
    n = 1
    for word in set(words):
        if word > "h":
            counts[n] = counts.get(n, 1) * 2
        else:
            counts[n] = counts.get(n, 1) + 1
    return sorted(counts.items())


def of_the_last(words: list[str]) -> list[tuple[Any, int]]:
    """The key is what the round before has left."""
    counts: dict[Any, int] = {}
    last = ""
    for word in set(words):
        counts[last] = counts.get(last, 0) + 1
        last = word
    return sorted(counts.items())


def of_a_number(words: list[str]) -> list[tuple[Any, int]]:
    """Strings are put together, which is no sum."""
    counts: dict[Any, Any] = {}
    for word in set(words):
        counts[1] = counts.get(1, "") + word
    return sorted(counts.items())


def looked_at(words: list[str]) -> int:
    """Looks at the counts meanwhile."""
    counts: dict[Any, int] = {}
    best = set()
    n = 1
    for word in set(words):
        counts[n] = counts.get(n, 0) + 1
        if counts[n] > 4:
            best.add(word)
    return sum(map(ord, "".join(sorted(best))))


def looked_at_by_a_helper(words: list[str]) -> list[str]:
    """A function looks at the counts meanwhile."""
    counts: dict[Any, int] = {}
    best = set()
    n = 1

    def many() -> bool:
        return counts.get(1, 0) > 4

    for word in set(words):
        counts[n] = counts.get(n, 0) + 1
        if many():
            best.add(word)
    return sorted(best)


def by_another_name(words: list[str]) -> list[str]:
    """Looks at the counts by another name."""
    counts: dict[Any, int] = {}
    same = counts
    best = set()
    n = 1
    for word in set(words):
        counts[n] = counts.get(n, 0) + 1
        if same[1] > 4:
            best.add(word)
    return sorted(best)


def counted_by_another_name(words: list[str]) -> list[tuple[int, int]]:
    """Two names for one dict, and two starts."""
    counts: dict[Any, int] = {}
    same = counts
    n = 1
    for word in set(words):
        if word > "h":
            counts[n] = counts.get(n, 0) + 1
        else:
            same[n] = same.get(n, 7) + 1
    return sorted(counts.items())


def added_by_another_name(words: list[str]) -> list[str]:
    """Looks at what is added up by another name."""
    counts: Counter[int] = Counter()
    same = counts
    best = set()
    for word in set(words):
        counts[1] += 1
        if same[1] > 4:
            best.add(word)
    return sorted(best)


def added_and_seen_by_a_helper(words: list[str]) -> list[str]:
    """A function of its own looks at what is added up."""
    counts: Counter[int] = Counter()
    best = set()

    def are_many() -> bool:
        return counts[1] > 4

    for word in set(words):
        counts[1] += 1
        if are_many():
            best.add(word)
    return sorted(best)


def added_within_a_holder(words: list[str]) -> list[str]:
    """What is added up is held by something that is looked into."""
    counts: Counter[int] = Counter()
    held = {"counts": counts}
    best = set()
    for word in set(words):
        counts[1] += 1
        if held["counts"][1] > 4:
            best.add(word)
    return sorted(best)


def gathered_by_another_name(words: list[str]) -> list[str]:
    """The same of a set that is filled."""
    firsts: set[str] = set()
    same = firsts
    late = set()
    for word in set(words):
        if len(same) > 3:
            late.add(word)
        firsts.add(word[:1])
    return sorted(late)


def looked_at_by_its_length(words: list[str]) -> list[str]:
    """A holder of the counts is measured meanwhile."""
    counts: dict[Any, int] = {}
    held = [counts]
    best = set()
    for word in set(words):
        counts[word + "x"] = counts.get(word + "x", 0) + 1
        if len(held[0]) > 4:
            best.add(word)
    return sorted(best)


def begun_by_default(words: list[str]) -> list[tuple[int, int]]:
    """What is asked for by another name is put there, and begins with another number."""
    counts: defaultdict[int, int] = defaultdict(lambda: 7)
    same = counts
    n = 1
    for word in set(words):
        if word > "h":
            counts[n] = counts.get(n, 0) + 1
        else:
            same[n] += 1
    return sorted(counts.items())


CASES = [
    _case(in_order),
    _case(as_it_is),
    _case(from_two_starts),
    _case(with_another_way),
    _case(of_other_keys),
    _case(of_a_key_that_changes),
    _case(doubled),
    _case(of_the_last),
    _case(of_a_number),
    _case(looked_at),
    _case(looked_at_by_a_helper),
    _case(by_another_name),
    _case(counted_by_another_name),
    _case(added_by_another_name),
    _case(added_and_seen_by_a_helper),
    _case(added_within_a_holder),
    _case(gathered_by_another_name),
    _case(looked_at_by_its_length),
    _case(begun_by_default),
]
