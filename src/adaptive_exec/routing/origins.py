"""What a value may be, as far as that matters: the words of the abstract interpreter.

A `Value` is the set of the things that an expression may stand for. Numbers, strings and whatever else
can't be changed and leads nowhere are no things at all: their value is the empty set.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = [
    "NOTHING",
    "UNKNOWN",
    "Bound",
    "External",
    "Fresh",
    "Known",
    "Local",
    "LocalClass",
    "Origin",
    "Outside",
    "Param",
    "Partial",
    "Shared",
    "StaysError",
    "Super",
    "Value",
]

UNKNOWN: Final = object()
"""Stands for the value of something of which only the place is known."""


class StaysError(Exception):
    """Ends the reading of a function: the message is the clause that says why its calls must stay."""


class Origin:
    """One thing that a value may be."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Param(Origin):
    """An argument of the submitted function, or a part of one; `kinds` where its class is known."""

    label: str
    kinds: tuple[type, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outside(Origin):
    """Data of this process that outlives the call, or a part of it.

    `value` is what it is now. Of a part that is UNKNOWN, but `whole` is what it is part of, `depth` steps down.
    """

    label: str
    value: Any = UNKNOWN
    whole: Any = UNKNOWN
    depth: int = 0

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Outside)
            and self.label == other.label
            and self.value is other.value
            and self.whole is other.whole
            and self.depth == other.depth
        )

    def __hash__(self) -> int:
        return hash((self.label, id(self.value), id(self.whole), self.depth))


@dataclass(frozen=True, slots=True)
class Fresh(Origin):
    """An object that the call itself makes, by the place where it is made; `kind` is its class if known."""

    site: tuple[int, str]
    kind: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Known(Origin):
    """A module, function or class that exists already."""

    value: Any
    name: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True, slots=True)
class External(Origin):
    """Something of a foreign module that is not loaded yet, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Local(Origin):
    """A function that the call defines, with the frame that its free names belong to.

    `style` is `staticmethod`, `classmethod` or `property` where it is decorated so.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Any
    owner: Any = None
    defaults: Any = field(default=None, repr=False)
    style: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and self.node is other.node and self.frame is other.frame

    def __hash__(self) -> int:
        return hash((id(self.node), id(self.frame)))


@dataclass(frozen=True, slots=True, eq=False)
class LocalClass(Origin):
    """A class that the call defines."""

    node: ast.ClassDef
    frame: Any
    bases: frozenset[Origin]
    names: dict[str, frozenset[Origin]] = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalClass) and self.node is other.node and self.frame is other.frame

    def __hash__(self) -> int:
        return hash((id(self.node), id(self.frame)))


@dataclass(frozen=True, slots=True)
class Bound(Origin):
    """An attribute fetched and perhaps called later: the method `name` of `receiver`."""

    receiver: frozenset[Origin]
    name: str


@dataclass(frozen=True, slots=True)
class Partial(Origin):
    """A function with some arguments given: those of a `functools.partial` that exists already."""

    func: frozenset[Origin]
    held: frozenset[Origin]


@dataclass(frozen=True, slots=True)
class Super(Origin):
    """What `super()` gives in a method that `owner` defines."""

    receiver: frozenset[Origin]
    owner: Any


@dataclass(frozen=True, slots=True)
class Shared(Origin):
    """A primitive of this library: it works across processes, so nothing done with it is lost."""


Value = frozenset[Origin]
NOTHING: Final[Value] = frozenset()
