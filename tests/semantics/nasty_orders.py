"""Results that hang on the order of a set of strings, which every process has for itself."""

from __future__ import annotations

import collections
import functools
import itertools
from typing import Any

from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

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


def settled(words: list[str]) -> list[str]:
    """A dict that is filled in the order of a set, by defaults."""
    found: dict[str, int] = {}
    for word in set(words):
        found.setdefault(word, 1)
    return list(found)


def settled_by_letter(words: list[str]) -> dict[str, str]:
    """The first word of each letter, as they come."""
    found: dict[str, str] = {}
    for word in set(words):
        found.setdefault(word[0], word)
    return dict(sorted(found.items()))


def settled_by_number(words: list[str]) -> list[tuple[str, int]]:
    """Numbers words by defaults."""
    found: dict[str, int] = {}
    for word in set(words):
        found.setdefault(word, len(found))
    return sorted(found.items())


def _groups(words: list[str]) -> dict[str, set[str]]:
    """Sets at keys that come in the order of a set; they overlap."""
    return {word: {other for other in words if other[1] == word[1]} for word in set(words)}


def taken_from_each_other(words: list[str]) -> list[int]:
    """Each set is changed by one of them."""
    groups = _groups(words)
    first = groups[words[0]]
    for group in groups.values():
        group.difference_update(first)
    return sorted(map(len, groups.values()))


def taken_from_the_next(words: list[str]) -> list[int]:
    """Each set is changed by the one before."""
    groups = _groups(words)
    last: set[str] = set()
    for group in groups.values():
        group.difference_update(last)
        last = group
    return sorted(map(len, groups.values()))


def numbered_in_sets(words: list[str]) -> dict[str, set[str]]:
    """Each set gets a number of its own."""
    groups = _groups(words)
    count = 0
    for group in groups.values():
        group.add(str(count))
        count += len(group)
    return dict(sorted(groups.items()))


def out_of_a_jumbled_dict(words: list[str]) -> list[str]:
    """What stands in a dict has another order than the dict, and it is a set's, too."""
    found: dict[str, dict[str, int]] = {}
    for word in set(words):
        found.setdefault(word, dict.fromkeys(set(words), 1))
    return list(found.get(words[0], {}))


def copied_when_jumbled(words: list[str]) -> list[str]:
    """A copy has the order of the dict."""
    found: dict[str, int] = {}
    for word in set(words):
        found.setdefault(word, 1)
    return list(found.copy())


def gone_through_as_a_list(words: list[str]) -> list[str]:
    """A loop over a list of a set's items."""
    found = []
    for word in list(set(words)):
        found.append(word)  # noqa: PERF402
    return found


def kept_as_a_list(words: list[str]) -> list[str]:
    """The list that a loop goes over is kept."""
    for word in (kept := list(set(words))):
        if not word:
            kept = []
    return kept


def last_of_a_list(words: list[str]) -> str:
    """What the last round leaves."""
    word = ""
    for word in list(set(words)):  # noqa: B007
        pass
    return word


def by_what_iterates(words: list[str]) -> list[list[str]]:
    """Sets that stand in a dict, whose keys are sorted."""
    groups = _groups(words)
    return [list(groups[word]) for word in sorted(groups)]


def less_by_items(words: list[str]) -> list[Any]:
    """What the items of two dicts differ in is a set."""
    return list(dict.fromkeys(words, 1).items() - {words[0]: 1}.items())


def less_by_items_that_are_held(words: list[str]) -> list[Any]:
    """The same, by names."""
    one, other = dict.fromkeys(words, 1).items(), {words[0]: 1}.items()
    return list(one - other)


def less_by_given_items(table: dict[str, int]) -> list[Any]:
    """The same, of an argument."""
    items = table.items()
    return list(items - [("c2", 1)])


class Bag:
    """Its items are a set, or a dict's."""

    def __init__(self, words: list[str]) -> None:
        self._words = set(words)

    def items(self) -> set[str]:
        return self._words


class Fields(dict[str, str]):
    """A dict whose keys come in the order of a set."""

    def keys(self) -> Any:
        return set(super().keys())


def listed_items(bag: Bag) -> list[str]:
    """A method by the name of a dict's gives a set."""
    return list(bag.items())


def listed_values(table: dict[str, Any]) -> list[str]:
    """Sets stand in a dict."""
    return [word for words in table.values() for word in words]


def listed_keys(fields: Fields) -> list[str]:
    """A dict of a class of its own."""
    return list(fields.keys())


def held_by_a_method(holder: list[Any]) -> list[str]:
    """A table of things with a method of that name."""
    return [word for each in holder for word in each.items()]


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
            settled,
            settled_by_letter,
            settled_by_number,
            taken_from_each_other,
            taken_from_the_next,
            numbered_in_sets,
            out_of_a_jumbled_dict,
            copied_when_jumbled,
            gone_through_as_a_list,
            kept_as_a_list,
            last_of_a_list,
            by_what_iterates,
        ],
    ),
    *map(_case, [less_by_items, less_by_items_that_are_held]),
    Case(less_by_given_items, arguments=lambda n: (dict.fromkeys(_WORDS[: 5 + n % 20], 1),)),
    Case(listed_items, arguments=lambda n: opaque(Bag(_WORDS[: 5 + n % 20]))),
    Case(listed_values, arguments=lambda n: ({"a": set(_WORDS[: 5 + n % 20])},)),
    Case(listed_keys, arguments=lambda n: (Fields.fromkeys(_WORDS[: 5 + n % 20], ""),)),
    Case(held_by_a_method, arguments=lambda n: opaque([{}, Bag(_WORDS[: 5 + n % 20])])),
    *map(_set_case, [longest, joined, listed, written_out]),
    Case(of_a_global),
    Case(listed_of_a_global),
]
