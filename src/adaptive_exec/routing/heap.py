"""What values hold, and what it means to change one."""

from __future__ import annotations

import ast
import enum
import time
import types
from collections import Counter, OrderedDict, defaultdict
from typing import Any, Final, NoReturn

from ..faithful import says_how
from . import tables
from .environment import attributes_of, never_changes
from .origins import (
    NOTHING,
    UNKNOWN,
    Bound,
    Fresh,
    Known,
    Local,
    LocalClass,
    Origin,
    Outside,
    Param,
    StaysError,
    Value,
)
from .scopes import Frame
from .world import World

__all__ = [
    "ARRAY",
    "CONTAINERS",
    "IDENTITY",
    "ITEMS",
    "KEYS",
    "MAPPINGS",
    "Heap",
    "is_mapping",
    "level_of",
    "plain_at",
]

ITEMS: Final = "*"
KEYS: Final = "keys of a mapping"
_AT: Final = "at the key "
ARRAY: Final = "array"
"""The kind of what holds nothing but numbers."""
IDENTITY: Final = "identity"
"""The kind of a function that gives back what it is called with."""
MAPPINGS: Final = (dict, OrderedDict, defaultdict, Counter)
_NO_KEYS: Final = (list, set, bytearray, *MAPPINGS)
CONTAINERS: Final = (dict, list, set, tuple, frozenset, bytearray, types.MappingProxyType)
_DEEP: Final = 4
_WIDE: Final = 10_000
_OPAQUE: Final = object()
_CODE: Final = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
_LENDING: Final = ("__array__", "__alloc__", "frombytes", "cast")
"""What arrays of NumPy, byte arrays, arrays and views of memory have."""
_STEPS: Final = 120_000
_SECONDS: Final = 0.5
"""CPU time that a reading may take: a step among many possible values may take milliseconds."""
_LOOK_EVERY: Final = 32
_NUMBERS: Final = (int, float, complex, str, bytes, tuple, frozenset)
_OF_MEMBERS: Final = (object, int, float, complex, str, bytes)
"""What members of enumerations may be besides."""


class Heap:
    """The objects that a call makes, and what it does to those it does not make."""

    def __init__(self, world: World, file: str) -> None:
        self.world = world
        self.file = file
        self.changed = False
        self.steps = 0
        self._until = time.thread_time() + _SECONDS
        self._held: dict[Fresh, dict[str, Value]] = {}
        self._within: dict[Value, Value] = {}
        self._rows: dict[Fresh, int] = {}
        self._alive: dict[int, Any] = {}
        self._managers: dict[Origin, Value] = {}
        self.raised: Value = NOTHING

    def step(self) -> None:
        """Count; what takes too long to read is not read."""
        self.steps += 1
        if self.steps > _STEPS:
            raise StaysError("calls too much code to read")
        if self.steps % _LOOK_EVERY == 0 and time.thread_time() > self._until:
            raise StaysError("takes too long to read")

    def stay(self, why: str, node: Any = None, frame: Frame | None = None) -> NoReturn:
        """End the reading with a clause that names the place."""
        line = getattr(node, "lineno", None)
        if line is None:
            raise StaysError(why)
        if frame is not None and frame.file != self.file:
            name = frame.file.replace("\\", "/").rpartition("/")[2]
            raise StaysError(f"{why} ({name}, line {line})")
        raise StaysError(f"{why} (line {line})")

    def fresh(self, node: Any, tag: str, kind: Any = None, holds: Value = NOTHING) -> Value:
        """Something new, made at a node of the tree."""
        self._alive[id(node)] = node  # an identity must not be reused while it names a place
        thing = Fresh((id(node), tag), kind)
        self.put(thing, ITEMS, holds)
        return frozenset({thing})

    def put(self, thing: Fresh, where: str, value: Value) -> None:
        """Note that a new object holds something."""
        if not value or thing.kind is ARRAY:
            return
        held = self._held.setdefault(thing, {})
        known = held.get(where, NOTHING)
        if not value <= known:
            held[where] = known | value
            self._within.clear()
            self.changed = True

    def field(self, thing: Fresh, name: str) -> Value:
        """What an attribute of a new object may be."""
        held = self._held.get(thing)
        if held is None:
            return NOTHING
        found = held.get(name, NOTHING)
        return found.union(*self.at_keys(thing).values()) if name == ITEMS and is_mapping(thing) else found

    def places(self, thing: Fresh) -> list[tuple[str, Value]]:
        """Where a new object holds something, and what."""
        return list(self._held.get(thing, {}).items())

    def at_keys(self, thing: Fresh) -> dict[str, Value]:
        """What was put into a mapping at texts that stand in the code; what was put at any other key is not in it."""
        held = self._held.get(thing, {})
        return {where.removeprefix(_AT): value for where, value in held.items() if where.startswith(_AT)}

    def at_key(self, thing: Fresh, key: str | None) -> Value:
        """What may stand at a text in a mapping: what was put there, and what was put at a key that nobody knows."""
        held = self._held.get(thing, {})
        return held.get(ITEMS, NOTHING) | (NOTHING if key is None else held.get(_AT + key, NOTHING))

    def put_at(self, thing: Fresh, key: str | None, value: Value) -> None:
        """Note that something stands at a text in a mapping, or at a key that nobody knows."""
        self.put(thing, ITEMS if key is None else _AT + key, value)

    def fields(self, thing: Fresh) -> Value:
        """Whatever a new object may hold, in attributes as in items."""
        held = self._held.get(thing)
        return NOTHING.union(*held.values()) if held else NOTHING

    def items(self, value: Value) -> Value:
        """What iterating over a value, or taking an item or an unknown attribute of it, may give."""
        found: set[Any] = set()
        for thing in value:
            if isinstance(thing, Fresh):
                found |= self.field(thing, ITEMS) | self.field(thing, KEYS)
                if not isinstance(thing.kind, type) or thing.kind not in (list, set, tuple, str, *MAPPINGS):
                    found |= self.fields(thing) | {thing}
            elif isinstance(thing, Outside):
                found |= self.part(thing)
            elif isinstance(thing, Param):
                found.add(Param(thing.label))
            else:
                found.add(thing)
        return frozenset(found)

    def each_of(self, value: Value) -> Value:
        """What iterating over a value may give: of a mapping its keys, which are no lists, sets or mappings."""
        mine = frozenset(thing for thing in value if is_mapping(thing))
        keys = self.items(mine)
        return self.items(value - mine) | frozenset(
            key for key in keys if not (isinstance(key, Fresh) and key.kind in _NO_KEYS)
        )

    def row(self, node: Any, tag: str, columns: list[Value], rest: Value = NOTHING) -> Value:
        """A new tuple of which it is known what stands where."""
        made = self.fresh(node, tag, tuple, rest.union(*columns))
        for thing in made:
            if isinstance(thing, Fresh):
                self._rows[thing] = max(len(columns), self._rows.get(thing, 0))
                for place, each in enumerate(columns):
                    self.put(thing, str(place), each | rest)
        return made

    def place(self, value: Value, index: int) -> Value:
        """What stands at one place of a value: of tuples made by the call that is known."""
        found: Value = NOTHING
        for thing in value:
            if isinstance(thing, Fresh) and 0 <= index < self._rows.get(thing, 0):
                found |= self.field(thing, str(index))
            else:
                found |= self.items(frozenset({thing}))
        return found

    def manager(self, generators: Value, node: Any) -> Value:
        """What `contextlib.contextmanager` makes of generators of ours."""
        made = self.fresh(node, "manager", None, generators)
        for thing in made:
            if isinstance(thing, Fresh):
                self._managers[thing] = self._managers.get(thing, NOTHING) | generators
        return generators | made

    def lent_by(self, value: Value) -> tuple[Value, Value]:
        """What such managers in a value lend to a block: what is yielded; and what else there is in the value."""
        managers = [thing for thing in value if thing in self._managers]
        generators = NOTHING.union(*(self._managers[thing] for thing in managers))
        lent = (self.field(thing, ITEMS) for thing in generators if isinstance(thing, Fresh))
        return NOTHING.union(*lent), value.difference(managers, generators)

    def part(self, thing: Outside) -> Value:
        """A part of something outside."""
        if never_changes(thing.value):
            return NOTHING
        whole = thing.whole if thing.value is UNKNOWN else thing.value
        return frozenset({Outside(thing.label, UNKNOWN, whole, min(thing.depth + 1, _DEEP))})

    def reach(self, value: Value) -> Value:
        """All that can be reached from a value."""
        known = self._within.get(value)
        if known is not None:
            return known
        found: set[Any] = set()
        todo = list(value)
        while todo:
            thing = todo.pop()
            if thing in found:
                continue
            found.add(thing)
            if isinstance(thing, Fresh):
                todo.extend(self.fields(thing))
            elif isinstance(thing, Bound):
                todo.extend(thing.receiver)
            elif isinstance(thing, LocalClass):
                for each in thing.names.values():
                    todo.extend(each)
        reached = frozenset(found)
        if not any(isinstance(thing, LocalClass) for thing in found):
            self._within[value] = reached
        return reached

    def change(
        self,
        value: Value,
        verb: str,
        node: Any,
        frame: Frame,
        stored: Value = NOTHING,
        where: str = ITEMS,
        needed: str = "",
    ) -> None:
        """Something is done to a value that changes it: innocent if the call itself made it.

        `needed` is what an object must have for that: where nothing that is given has it, there is an error.
        """
        for thing in value:
            if isinstance(thing, Fresh):
                self.put(thing, where, stored)
            elif needed and self.is_without(thing, needed):
                continue
            elif isinstance(thing, (Outside, Param)):
                self.stay(f"{verb} {thing.label}", node, frame)
            elif isinstance(thing, Known):
                name = getattr(thing.value, "__qualname__", None) or getattr(thing.value, "__name__", "?")
                self.stay(f"{verb} {type(thing.value).__name__} {name}", node, frame)
            elif isinstance(thing, (Local, LocalClass)):
                self.raised |= stored  # kept somewhere: an attribute of a function of the call's own

    def refuse_places(self, value: Value, node: Any, frame: Frame) -> None:
        """A function is written out: with its place in memory, which differs from process to process."""
        if value and all(map(_is_function, value)):
            self.stay("writes out a function, and thereby its place in memory", node, frame)

    def is_without(self, thing: Any, name: str) -> bool:
        """Whether something is an argument of unknown class, and nothing that is given has such an attribute."""
        return isinstance(thing, Param) and thing.kinds is None and self.world.lacks(name)

    def check_result(self, value: Value) -> None:
        """The submitted function may not return the very data of this process that somebody may change."""
        for thing in value:
            if isinstance(thing, (Local, LocalClass)):
                self.stay("returns a function or class of its own, of which a process would return a copy")
        for thing in self.reach(value):
            if isinstance(thing, Outside):
                whole = thing.whole if thing.value is UNKNOWN else thing.value
                if whole is UNKNOWN:
                    continue  # of a closure, which travels by value with each call
                if not plain_at(whole, thing.depth, members=self.world.living is not None):
                    self.stay(f"returns {thing.label}, or a part of it that can be changed")

    def check_augmented(self, value: Value, operand: Value, node: ast.AugAssign, frame: Frame) -> None:
        """`x += y` changes a list or an array in place, and makes a new number or string."""
        for thing in value:
            if isinstance(thing, Outside):
                if thing.value is not UNKNOWN and type(thing.value) in _NUMBERS:
                    continue
                if (
                    thing.value is UNKNOWN
                    and thing.whole is not UNKNOWN
                    and plain_at(thing.whole, thing.depth)
                ):
                    continue
                self.stay(f"may change {thing.label} in place", node, frame)
            # With something new beside it, it may be a view of the argument: `numpy.asarray(x)`.
            view = any(isinstance(other, Fresh) and other.site[1] != "sum" for other in value)
            counting = not operand or isinstance(node.op, (ast.FloorDiv, ast.Mod, ast.Pow))
            # Only what lends its memory can be viewed.
            view = view and not (isinstance(thing, Param) and self.world.lacks(*_LENDING))
            if isinstance(thing, Param):
                names: tuple[str, ...] = (tables.OPERATORS[type(node.op).__name__][2],)
                if counting and not view and not isinstance(node.op, ast.Mult):
                    names = _LENDING  # of what is given only arrays can be counted up
                if thing.kinds is None and self.world.lacks(*names):
                    continue
                if view or not counting or self.world.given is not None:
                    self.stay(f"may change {thing.label} in place", node, frame)


def _is_function(thing: object) -> bool:
    """Whether something is a function, written in Python."""
    return isinstance(thing, Local) or (
        isinstance(thing, Known) and isinstance(thing.value, types.FunctionType)
    )


def is_mapping(thing: object) -> bool:
    """Whether something is a dictionary that the call makes, and of no class of anybody's own.

    Args:
        thing: One of what a value may be.
    """
    return isinstance(thing, Fresh) and isinstance(thing.kind, type) and thing.kind in MAPPINGS


def level_of(whole: Any, depth: int) -> list[Any] | None:
    """All that lies so many steps down from a value; None if that is too much."""
    level = [whole]
    for _ in range(depth):
        level = [inner for each in level for inner in _inside(each)]
        if len(level) > _WIDE:
            return None
    return level


def plain_at(whole: Any, depth: int, *, members: bool = False) -> bool:
    """Whether all that lies so many steps down from a value is of types that never change.

    Args:
        whole: The value.
        depth: How many steps.
        members: Whether members of enumerations that hold nothing that changes count, too.
    """
    level = level_of(whole, depth)
    return level is not None and all(_is_plain(each) or (members and _is_fixed(each)) for each in level)


def _is_fixed(value: Any) -> bool:
    """Whether this is a member of an enumeration that travels by its value, and holds nothing that changes."""
    kind = type(value)
    if not isinstance(kind, enum.EnumMeta) or kind.__module__ == "__main__" or says_how(kind):
        return False
    bases = [base for base in kind.__mro__ if not isinstance(base, enum.EnumMeta)]
    slots = any(
        isinstance(each, types.MemberDescriptorType) for base in kind.__mro__ for each in vars(base).values()
    )
    held = attributes_of(value)
    return not slots and all(base in _OF_MEMBERS for base in bases) and all(map(_is_plain, held.values()))


def _is_plain(value: Any) -> bool:
    """Whether a copy of it is as good."""
    return never_changes(value) or isinstance(value, _CODE)


def _inside(value: Any) -> list[Any]:
    """What an item or an attribute of a value may be."""
    if _is_plain(value):
        return []
    if isinstance(value, (dict, types.MappingProxyType)):
        return [*value.values(), *value.keys()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return list(attributes_of(value).values()) or [_OPAQUE]
