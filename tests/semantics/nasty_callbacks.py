"""Functions of the standard library that call back: what they give, and what the callbacks do meanwhile."""

from __future__ import annotations

import bisect
import json
import re
from typing import Any

from tests.semantics.case import Case

_seen: list[Any] = []
_style: dict[str, Any] = {"case": "lower"}


class Loud(str):  # noqa: SLOT000 - it is to hold a list
    """A text that holds a list."""

    marks: list[int]


def _case(fn: Any) -> Case:
    """A case that is given a list, and whose world is another one."""
    return Case(fn, arguments=lambda n: ([n, n + 1],), world=lambda: list(_seen), reset=_seen.clear)


def replaces_and_notes(given: list[int]) -> str:
    """The callback changes what is given, now and then."""

    def fix(match: re.Match[str]) -> str:
        if given[0] > 40:
            given.append(len(match.group()))
        return match.group().upper()

    return re.sub("a+", fix, "banana")


def replaces_and_counts(given: list[int]) -> tuple[str, int]:
    """The callback changes a global, now and then."""

    def fix(match: re.Match[str]) -> str:
        if given[0] > 40:
            _seen.append(match.start())
        return match.group().upper()

    return re.subn("a+", fix, "banana")


def hands_the_callback_over(given: list[int]) -> str:
    """The callback is called once more, and changes a global then, now and then."""

    def fix(match: re.Match[str]) -> str:
        if match.string == "x" and given[0] > 40:
            _seen.append(1)
        return match.group().upper()

    made = re.sub("a+", fix, "banana")
    return made + re.compile("x").sub(fix, "x")


def replaces_by_what_holds(given: list[int]) -> Any:
    """The callback gives a text that holds what is given; what is replaced is a text of its own."""
    loud = Loud("o")
    loud.marks = given

    def fix(match: re.Match[str]) -> str:
        return loud

    made: Any = re.sub(".", fix, "b")
    if given[0] > 40:
        (made if hasattr(made, "marks") else loud).marks.append(1)
    return made, type(made).__name__


def hooks_what_is_given(given: list[int]) -> int:
    """The parser gives what the hook gives."""

    def hook(found: dict[str, Any]) -> Any:
        return given

    made = json.loads('{"a": 1}', object_hook=hook)
    if given[0] > 40:
        made.append(1)
    return len(given)


def hooks_a_hook(given: list[int]) -> int:
    """The parser gives a function that changes what is given."""

    def note(found: dict[str, Any]) -> Any:
        if given[0] > 40:
            given.append(1)
        return note

    json.loads('{"a": {"b": 1}}', object_hook=note)({})
    return len(given)


def finds_and_notes(given: list[int]) -> int:
    """The key changes a global, now and then."""

    def key(value: int) -> int:
        if given[0] > 40:
            _seen.append(value)
        return -value

    return bisect.bisect_left([9, 5, 1], -4, key=key)


def measures_what_it_makes(given: list[int]) -> int:
    """Whether any row is left that the callback gives: the rows are those that are given."""

    def row(value: int) -> list[int]:
        if given[0] > 40:
            given.pop()
        return given

    return any(map(row, [1, 2, 3])) + len(given)


def by_a_style(given: list[int]) -> str:
    """The callback reads a global that is another one than in a worker."""

    def fix(match: re.Match[str]) -> str:
        return match.group().upper() if _style["case"] == "upper" else match.group()

    return re.sub("[a-z]+", fix, f"Banana {given[0]}")


CASES = [
    _case(replaces_and_notes),
    _case(replaces_and_counts),
    _case(hands_the_callback_over),
    _case(replaces_by_what_holds),
    _case(hooks_what_is_given),
    _case(hooks_a_hook),
    _case(finds_and_notes),
    _case(measures_what_it_makes),
    Case(
        by_a_style,
        arguments=lambda n: ([n],),
        reset=lambda: _style.update(case="upper"),
        world=lambda: _style.update(case="lower"),
    ),
]
