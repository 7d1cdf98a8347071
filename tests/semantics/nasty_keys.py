"""Keys that note something, and how they come to a function."""

from __future__ import annotations

import functools
import reprlib
from typing import Any

from tests.semantics import nasty_apart as apart
from tests.semantics.case import Case
from tests.semantics.nasty_given import opaque

_log: list[Any] = []


def _case(fn: Any, **more: Any) -> Case:
    """A case whose world is the log."""
    return Case(fn, world=lambda: list(_log), reset=_log.clear, **more)


class Shown:
    """A class whose repr notes, wrapped by the standard library."""

    def __init__(self, n: int) -> None:
        self.n = n

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        _log.append(self.n)
        return f"Shown({self.n})"


def shows(n: int) -> str:
    """Calls a repr that the standard library has wrapped."""
    return repr(Shown(n))


def _noting_key(n: int) -> int:
    """A key that notes."""
    _log.append(n)
    return -n


class Key:
    """A key that notes, as an object."""

    def __call__(self, n: int) -> int:
        _log.append(n)
        return -n


class Wrapping:
    """A class whose instances are noted as they are made."""

    def __init__(self, n: int) -> None:
        _log.append(n)
        self.n = n

    def __lt__(self, other: Wrapping) -> bool:
        return self.n < other.n


sorted_by_a_noting_key = functools.partial(sorted, key=_noting_key)
largest_by_a_noting_key = functools.partial(max, key=_noting_key)
copy_sorted_by_a_noting_key = functools.partial(apart.sorts_a_copy, key=_noting_key)


CASES = [
    _case(shows),
    _case(sorted_by_a_noting_key, arguments=lambda n: ([n, 1, 2],)),
    _case(largest_by_a_noting_key, arguments=lambda n: ([n, 1, 2],)),
    _case(copy_sorted_by_a_noting_key, arguments=lambda n: ([n, 1, 2],)),
    _case(apart.sorts_a_copy, arguments=lambda n: opaque([n, 1, 2], Key())),
    Case(
        apart.sorts_a_copy,
        arguments=lambda n: ([n, 1, 2], Wrapping),
        world=lambda: len(_log) > 60,
        reset=_log.clear,
    ),
    Case(
        apart.sorts_a_copy,
        arguments=lambda n: ([n, 1, 2], _noting_key if n > 40 else abs),
        world=lambda: list(_log),
        reset=_log.clear,
    ),
]
