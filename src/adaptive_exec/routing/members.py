"""The classes that objects may have, their methods of ours, and the special methods that operators run."""

from __future__ import annotations

import dataclasses
import functools
import types
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from . import tables
from .arguments import Args
from .heap import ITEMS
from .orders import Orders
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
    Partial,
    Value,
)
from .scopes import Frame
from .world import TUPLE_GETTER, World, module_of

__all__ = ["METHODS", "Members"]

_NEVER_ASKED: Final = {"__new__", "__class_getitem__", "__init_subclass__", "__annotate_func__", "__del__"}
METHODS: Final = (
    *(types.FunctionType, classmethod, staticmethod, property, functools.cached_property),
    functools.partialmethod,
)
"""What stands in a class body and is run by fetching or calling it."""
SOME: Final = "some"
"""Where an object is made that stands for those of an unknown class; a method that gives it gives its own object."""
_SLOTS: Final = (types.MemberDescriptorType, types.GetSetDescriptorType, TUPLE_GETTER)


_CHANGING: Final = {
    *("__setitem__", "__delitem__", "__setattr__", "__delattr__", "__setstate__", "__init__", "__next__"),
    *("__enter__", "__exit__", "__call__", "run"),
}
"""What changes its object by what it is for: those who call it on an argument are told elsewhere."""


class Members(Orders):
    """Finds and runs what stands in classes."""

    def __init__(self, world: World, file: str) -> None:
        super().__init__(world, file)
        self.sent: Value = NOTHING
        self.hashing = 0
        self.entering: set[int] = set()  # expressions that stand in a `with`
        self._waiting: dict[tuple[int, int, bool], tuple[type, type, Any]] = {}
        self._given: dict[tuple[int, int, bool], Value] = {}
        self._later: dict[tuple[int, int, bool], tuple[Any, Any, Value, Value]] = {}
        self._calling: set[Fresh] = set()
        self._called_back: dict[Origin, tuple[Value, Value, Any, Frame]] = {}
        self._known_later: dict[tuple[int, int, bool], Value] = {}
        self._touching: set[tuple[Origin, tuple[str, ...]]] = set()

    @abstractmethod
    def run(
        self, fn: types.FunctionType, args: Args, node: Any, frame: Frame | None, owner: Any = None
    ) -> Value:
        """Read a function of ours with these arguments."""

    @abstractmethod
    def run_local(self, local: Local, args: Args, node: Any, frame: Frame) -> Value:
        """Read a function that the call defines."""

    @abstractmethod
    def call(self, callee: Value, args: Args, node: Any, frame: Frame) -> Value:
        """Call whatever `callee` may be."""

    @abstractmethod
    def call_function(self, fn: types.FunctionType, args: Args, node: Any, frame: Frame) -> Value:
        """Call a Python function that exists already."""

    def given_code(self, value: Value) -> Value:
        """The functions and classes that arguments among these may be, or hold."""
        mine = any(isinstance(thing, Param) and not self.is_without(thing, "__call__") for thing in value)
        return self.world.callees() if mine else NOTHING

    def is_readable(self, thing: Param) -> bool:
        """Whether all is known that an argument may be if it can be called; most can't."""
        if self.is_without(thing, "__call__"):
            return True
        return thing.kinds is None and self.world.called is not None

    @abstractmethod
    def ask_class(self, kind: Any, names: tuple[str, ...], node: Any, frame: Frame, more: Value) -> Value:
        """Run the special methods that a class has from its own class."""

    def classes_of(self, thing: Any) -> tuple[Any, ...]:
        """The classes that a thing may have, as far as they are known."""
        if isinstance(thing, Fresh):
            return (thing.kind,) if isinstance(thing.kind, (type, LocalClass)) else ()
        if isinstance(thing, Param):
            return thing.kinds or ()
        if isinstance(thing, Outside) and thing.value is not UNKNOWN:
            return (type(thing.value),)
        if isinstance(thing, Known):
            return (thing.value,) if isinstance(thing.value, type) else ()
        return ()

    def class_of(self, value: Value) -> Value:
        """The class of a value, as far as it is known."""
        found: set[Any] = set()
        for thing in value:
            kind = thing.kind if isinstance(thing, Fresh) else None
            if isinstance(kind, type):
                found.add(Known(kind))
            elif isinstance(kind, LocalClass):
                found.add(kind)
            elif isinstance(thing, Param):
                found |= {Known(each) for each in thing.kinds or ()} or {Outside("the class of its argument")}
            elif isinstance(thing, Outside):
                found.add(
                    Known(type(thing.value))
                    if thing.value is not UNKNOWN
                    else Outside("the class of a value")
                )
            elif isinstance(thing, Known) and isinstance(thing.value, type):
                found.add(Known(type(thing.value)))
        return frozenset(found)

    def methods_of(self, kind: Any, name: str, after: Any = None) -> list[tuple[Any, Any]]:
        """The method of this name that a class has, if it is ours; [(defining class, what stands there)]."""
        if isinstance(kind, LocalClass):
            if name in kind.names:
                return [(kind, each) for each in kind.names[name]]
            return [
                found for base in kind.bases for found in self.methods_of(getattr(base, "value", base), name)
            ]
        if not isinstance(kind, type):
            return []
        mro = kind.__mro__
        if after in mro:
            mro = mro[mro.index(after) + 1 :]
        for base in mro:
            if name in vars(base):
                if not self.world.is_ours(base.__module__):
                    return []
                found = vars(base)[name]
                self.world.pin(vars(base), name, found, (base.__module__, f"{base.__qualname__}.{name}"))
                self.world.touched.setdefault(base.__module__)
                return [(base, found)]
        return []

    def all_methods(self, kind: Any) -> list[tuple[Any, Any]]:
        """Every method that a class of ours defines or inherits from classes of ours."""
        if isinstance(kind, LocalClass):
            inherited = [m for base in kind.bases for m in self.all_methods(getattr(base, "value", base))]
            return [
                (kind, each) for name in kind.names for each in kind.names[name] if name != "__init__"
            ] + inherited
        if not isinstance(kind, type):
            return []
        code = (types.FunctionType, classmethod, staticmethod, property, functools.cached_property)
        return [
            (base, value)
            for base in kind.__mro__
            if self.world.is_ours(base.__module__)
            for name, value in vars(base).items()
            if isinstance(value, code)
            and name not in ("__init__", "__new__", "__class_getitem__", "__annotate_func__")
        ]

    def is_generated(self, method: tuple[Any, Any], kind: type) -> bool:
        """Whether a method was written by `dataclass`, and so has no source and no surprises."""
        fn = getattr(method[1], "__wrapped__", method[1])
        code = getattr(fn, "__code__", None)
        return dataclasses.is_dataclass(kind) and code is not None and code.co_filename == "<string>"

    def run_methods(self, methods: Iterable[tuple[Any, Any]], args: Args, node: Any, frame: Frame) -> Value:
        """Run what stands in classes, with the object as the first argument."""
        result: Value = NOTHING
        for owner, found in methods:
            style = found.style if isinstance(found, Local) else None
            if style is staticmethod:
                called = self.call(frozenset({found}), args.without_first(), node, frame)
            elif style is classmethod:
                own = args.without_first().behind(frozenset({owner}))
                called = self.call(frozenset({found}), own, node, frame)
            elif isinstance(found, _SLOTS):
                called = NOTHING
                for each in args.first():
                    if isinstance(each, Fresh):
                        held = self.field(each, getattr(found, "__name__", ITEMS))
                        called |= self.call(held, args.without_first(), node, frame)
            elif isinstance(found, staticmethod):
                called = self.run_found(found.__func__, args.without_first(), node, frame, owner)
            elif isinstance(found, classmethod):
                classes = frozenset(t for t in args.first() if _is_class(t))
                kinds = classes | self.class_of(args.first() - classes)
                called = self.run_found(
                    found.__func__, args.without_first().behind(kinds), node, frame, owner
                )
            elif isinstance(found, property):
                called = NOTHING
                if found.fget is not None:
                    called = self.run_found(found.fget, args, node, frame, owner)
            elif isinstance(found, functools.cached_property):
                self.change(args.first(), f"fills the cached property {found.attrname} of", node, frame)
                called = self.run_found(found.func, args, node, frame, owner)
            else:
                called = self.run_found(found, args, node, frame, owner)
            result |= called
        return result

    def run_found(self, found: Any, args: Args, node: Any, frame: Frame, owner: Any) -> Value:
        """Run one function out of a class body."""
        if isinstance(found, types.FunctionType):
            if isinstance(owner, type) and self.is_generated((owner, found), owner):
                if found.__name__ == "__init__":
                    self.change(args.first(), "calls __init__() on", node, frame, args.all())
                return NOTHING
            if self.world.is_ours(module_of(found)):
                return self.run(found, args, node, frame, owner)
            return self.call_function(found, args, node, frame)
        if isinstance(found, (Local, Bound, Known, Partial, Fresh)):
            return self.call(frozenset({found}), args, node, frame)
        return self.call(self.world.sort(found, "what its class holds"), args, node, frame)

    def touch(
        self,
        value: Value,
        names: tuple[str, ...],
        node: Any,
        frame: Frame,
        more: Value = NOTHING,
        *,
        deep: bool = False,
    ) -> Value:
        """Run the special methods that an operator or a foreign function may call."""
        result: Value = NOTHING
        unknown: set[bool] = set()  # whether it is an argument
        for thing in self.reach(value) if deep else value:
            if isinstance(thing, (Param, Outside, Fresh)):
                if self.classes_of(thing):
                    result |= self._touch_one(thing, names, node, frame, more)
                else:
                    unknown.add(isinstance(thing, Param))
            elif isinstance(thing, Known) and isinstance(thing.value, type):
                result |= self.ask_class(thing.value, names, node, frame, more)
        if not unknown:
            return result
        written = self.world.written_names()
        asked = [name for name in names if name in written]
        mine = True in unknown
        if mine and "__missing__" in names and names is not tables.ANY_SPECIAL:
            self._refuse_filling(node, frame)
        found = NOTHING.union(*(self.run_any(name, given=False not in unknown, mine=mine) for name in asked))
        if any(isinstance(each, Fresh) and each.site[1] == SOME for each in found):
            found |= frozenset(each for each in value if isinstance(each, Param) and each.kinds is None)
        return result | found

    def _refuse_filling(self, node: Any, frame: Frame) -> None:
        """An argument is asked for an item: a dictionary with defaults may get one more by that."""
        if not self.world.lacks("__missing__") and self.world.gives(defaultdict):
            self.stay("may add a missing key to a defaultdict that it is given", node, frame)

    def run_any(self, name: str, only: Any = object, *, given: bool = False, mine: bool = False) -> Value:
        """Run what an object of an unknown class may have under this name: every such method of ours.

        Each is read once, on an object of its own class that the call might have made, and, if it may be an argument
        (`mine`) and its class is one of those that calls are given, on an argument: `CallCheck` would not see what is
        done to it once in a while, or by a class that comes later. It is read later, by `run_waiting`, so that such
        calls don't nest; what it gives is known a round later.
        """
        result: Value = NOTHING
        for kind, owner, found in list(self.world.candidates(name, given=given)):
            if isinstance(found, only):
                whose = (mine or given) and name not in _CHANGING and self.world.gives(kind)
                key = (id(kind), id(found), whose)
                self._waiting.setdefault(key, (kind, owner, found))
                result |= self._given.get(key, NOTHING)
        return result

    def expose(self, value: Value, *, only_special: bool) -> None:
        """Foreign code gets these things: read what it may run of them, each method on an object of its class."""
        kinds: dict[Any, None] = {}
        for thing in self.reach(value):
            if isinstance(thing, (Param, Outside, Fresh)):
                there = self.world.given if isinstance(thing, Param) else self.world.living
                kinds.update(dict.fromkeys(self.classes_of(thing) or there or ()))
        for kind in kinds:
            if isinstance(kind, type):
                for owner, found in self._exposed(kind, only_special):
                    self._waiting.setdefault((id(kind), id(found), False), (kind, owner, found))

    def _exposed(self, kind: type, only_special: bool) -> list[tuple[type, Any]]:
        """The methods of a class that foreign code may run: special ones and properties, or all."""
        names = {name for base in kind.__mro__ if self.world.is_ours(base.__module__) for name in vars(base)}
        return [
            method
            for name in names - _NEVER_ASKED
            for method in self.methods_of(kind, name)
            if isinstance(method[1], METHODS)
            and self.world.is_written(method[1])
            and (not only_special or name.startswith("__") or isinstance(method[1], property))
        ]

    def run_waiting(self, frame: Frame) -> None:
        """Read the methods that objects of unknown classes may have."""
        done = 0
        while done < len(self._waiting):
            key, (kind, owner, found) = list(self._waiting.items())[done]
            done += 1
            me, anything = self.fresh(kind, SOME, kind), self.fresh(kind, "anything")
            if key[2]:
                me = frozenset({Param(f"a {kind.__name__} that it is given", (kind,))})
            self.hashing += (
                1  # whether that ever runs is not known: that it asks for a hash is no reason to stay
            )
            given = self.run_methods([(owner, found)], Args((me,), {}, anything), kind, frame)
            self.hashing -= 1
            known = self._given.get(key, NOTHING)
            if not given <= known:
                self._given[key] = known | given
                self.changed = True
        self._run_later(frame)

    def _put_off(self, methods: list[tuple[Any, Any]], thing: Any, more: Value) -> Value:
        """Read special methods later, once for all that they are run with, and say what is known of their results.

        So that such calls, of which each may lead to the next, don't nest.
        """
        result: Value = NOTHING
        for owner, found in methods:
            key = (id(owner), id(found), self.hashing > 0)
            _, _, mine, others = self._later.get(key, (owner, found, NOTHING, NOTHING))
            if thing not in mine or not more <= others:
                self._later[key] = owner, found, mine | {thing}, others | more
                self.changed = True
            result |= self._known_later.get(key, NOTHING)
        return result

    def _call_back(self, thing: Origin, data: Value, node: Any, frame: Frame) -> Value:
        """Foreign code calls a function: read it later, once for all that it is called with."""
        given, result, _, _ = self._called_back.get(thing, (NOTHING, NOTHING, node, frame))
        if not data <= given or thing not in self._called_back:
            self._called_back[thing] = given | data, result, node, frame
            self.changed = True
        return result

    def _run_called_back(self) -> None:
        """Read the functions that foreign code calls."""
        for thing, (data, _, node, frame) in list(self._called_back.items()):
            found = self.call(frozenset({thing}), Args((), {}, data), node, frame)
            given, result, _, _ = self._called_back[thing]
            if not found <= result:
                self._called_back[thing] = given, result | found, node, frame
                self.changed = True

    def _run_later(self, frame: Frame) -> None:
        """Read the special methods that were put off."""
        self._run_called_back()
        for key, (owner, found, mine, more) in list(self._later.items()):
            self.hashing = int(key[2])
            given = self.run_methods([(owner, found)], Args((mine,), {}, more), owner, frame)
            known = self._known_later.get(key, NOTHING)
            if not given <= known:
                self._known_later[key] = known | given
                self.changed = True
        self.hashing = 0

    def hash_keys(self, value: Value, node: Any, frame: Frame) -> None:
        """What becomes a key is hashed and compared."""
        self.touch(value, ("__hash__", "__eq__"), node, frame, deep=True)

    def _touch_one(self, thing: Any, names: tuple[str, ...], node: Any, frame: Frame, more: Value) -> Value:
        """The same for one thing."""
        result: Value = NOTHING
        kinds = self.classes_of(thing)
        rest = Args((frozenset({thing}),), {}, more)
        if (thing, names) in self._touching:
            return result
        self._touching.add((thing, names))
        try:
            return self._touch_with(kinds, names, rest, node, frame)
        finally:
            self._touching.discard((thing, names))

    def _written_of(self, kinds: tuple[Any, ...], names: tuple[str, ...]) -> Iterable[str]:
        """Those of these names that the classes may have of ours: mostly none."""
        if any(isinstance(kind, LocalClass) for kind in kinds):
            return names
        present = {name for kind in kinds for name in self.world.names_in(kind)}
        return [name for name in names if name in present] if present else ()

    def _touch_with(
        self, kinds: tuple[Any, ...], names: tuple[str, ...], rest: Args, node: Any, frame: Frame
    ) -> Value:
        """Run those special methods that the classes have."""
        result: Value = NOTHING
        for name in self._written_of(kinds, names):
            found = [
                method
                for kind in kinds
                if isinstance(kind, LocalClass) or name in self.world.names_in(kind)
                for method in self.methods_of(kind, name)
            ]
            self.hashing += name == "__hash__"
            try:
                result |= self._put_off(found, next(iter(rest.first())), rest.rest)
            finally:
                self.hashing -= name == "__hash__"
        return result


def _is_class(thing: object) -> bool:
    """Whether this is a class, through which a class method may be called."""
    return isinstance(thing, LocalClass) or (isinstance(thing, Known) and isinstance(thing.value, type))
