"""Results that hang on the order of a set of strings, which every process has for itself."""

from __future__ import annotations

import collections
import functools
import itertools
from typing import Any

from tests.semantics.case import Case

_WORDS = [f"{letter}{n % 3}" for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")]
_TAGS = frozenset(_WORDS)


def _case(fn: Any) -> Case:
    """A case that is given words."""
    return Case(fn, arguments=lambda n: (_WORDS[: 5 + n % 20],))


def _set_case(fn: Any) -> Case:
    """A case that is given a set of words."""
    return Case(fn, arguments=lambda n: (set(_WORDS[: 5 + n % 20]),))


def most_common(words: list[str]) -> str:
    """The usual one-liner, with ties."""
    return max(set(words), key=words.count)


def sorted_by_length(words: list[str]) -> list[str]:
    """Sorts a set by something that is often the same."""
    return sorted(set(words), key=len)


def numbered(words: list[str]) -> dict[str, int]:
    """Numbers the words of a vocabulary as they come."""
    index: dict[str, int] = {}
    for word in set(words):
        index[word] = len(index)
    return index


def strung_together(words: list[str]) -> str:
    """Adds one word to the next."""
    text = ""
    for word in set(words):
        text += word
    return text


def spread(words: list[str]) -> list[str]:
    """A set is spread out in a list."""
    return [*set(words)]


def first_and_rest(words: list[str]) -> str:
    """A set is taken apart."""
    first, *_ = set(words)
    return first


def mapped(words: list[str]) -> list[str]:
    """A function is mapped over a set."""
    return list(map(str.upper, set(words)))


def reduced(words: list[str]) -> str:
    """A set is folded up."""
    return functools.reduce(lambda one, other: one + other, set(words))


def chained(words: list[str]) -> list[str]:
    """A set goes through a chain."""
    return list(itertools.chain(set(words), "x"))


def kept_once(words: list[str]) -> list[str]:
    """A set becomes a dict, and that a list."""
    return list(dict.fromkeys(set(words)))


def of_a_comprehension(words: list[str]) -> list[str]:
    """The keys of a dict that was made of a set."""
    return list({word: 0 for word in set(words)})  # noqa: C420


def by_percent(words: list[str]) -> str:
    """A set is written out."""
    return "%s" % set(words)  # noqa: UP031


def counted(words: list[str]) -> list[tuple[str, int]]:
    """A counter of a set, whose counts are all the same."""
    return collections.Counter(set(words)).most_common(3)


def queued(words: list[str]) -> str:
    """A set fills a queue."""
    return collections.deque(set(words)).popleft()


def last_one(words: list[str]) -> str:
    """What a loop over a set saw last."""
    last = ""
    for word in set(words):
        last = word
    return last


def longest(tags: set[str]) -> str:
    """One of several longest ones of a set that is given."""
    return max(tags, key=len)


def joined(tags: set[str]) -> str:
    """A set that is given is joined."""
    return ",".join(tags)


def listed(tags: set[str]) -> list[str]:
    """A set that is given is listed."""
    return list(tags)


def written_out(tags: set[str]) -> str:
    """A set that is given is written out."""
    return f"{tags}"


def of_a_global(n: int) -> str:
    """A global set is joined."""
    return ",".join(_TAGS) + str(n)


def listed_of_a_global(n: int) -> list[str]:
    """A global set is listed."""
    return list(_TAGS)[n % 5 :]


def sorted_by_hash(words: list[str]) -> list[str]:
    """Strings are sorted by their hashes."""
    return sorted(words, key=hash)


def hashes(words: list[str]) -> list[int]:
    """Strings' hashes."""
    return list(map(hash, words))


def by_a_method(words: list[str]) -> list[str]:
    """A method of `object`, which is `hash` by another name."""
    return sorted(words, key=str.__hash__)


def by_dunder(words: list[str]) -> int:
    """A hash, fetched by hand."""
    return words[0].__hash__()


CASES = [
    *map(
        _case,
        [
            most_common,
            sorted_by_length,
            numbered,
            strung_together,
            spread,
            first_and_rest,
            mapped,
            reduced,
            chained,
            kept_once,
            of_a_comprehension,
            by_percent,
            counted,
            queued,
            last_one,
            sorted_by_hash,
            hashes,
            by_a_method,
            by_dunder,
        ],
    ),
    *map(_set_case, [longest, joined, listed, written_out]),
    Case(of_a_global),
    Case(listed_of_a_global),
]
