"""What calling something does: it is followed into our own code, and looked up by name elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
import operator
import types
from collections import Counter, OrderedDict, defaultdict
from typing import Any, Final

from . import tables
from .arguments import Args
from .environment import never_changes
from .heap import CONTAINERS, IDENTITY, ITEMS, level_of
from .methods import Methods
from .origins import (
    NOTHING,
    UNKNOWN,
    Bound,
    External,
    Fresh,
    Known,
    Local,
    LocalClass,
    Outside,
    Param,
    Partial,
    Shared,
    Super,
    Value,
)
from .scopes import Frame
from .world import module_of

__all__ = ["Calls"]

_MANAGING: Final = contextlib.contextmanager(lambda: iter(()))
_COMPUTED: Final = frozenset({"sum", "unary"})
"""What operators have made: numbers and containers, which can't be called."""
_SPOKEN: Final = ("__str__", "__repr__", "__int__", "__float__", "__bool__", "__index__", "__trunc__")
_ASKED: Final[dict[type, tuple[str, ...]]] = {
    bool: ("__bool__", "__len__"),
    bytes: (
        "__bytes__",
        "__iter__",
        "__next__",
        "__len__",
        "__length_hint__",
        "__getitem__",
        "__index__",
        "__buffer__",
    ),
    complex: ("__complex__", "__float__", "__index__"),
    str: ("__str__", "__repr__"),
    range: ("__index__",),
    slice: (),
}
"""The special methods that making a number or a string calls; `_SPOKEN` where nothing stands."""
_LISTED: Final = ("__iter__", "__next__", "keys", "__getitem__", "__len__", "__length_hint__")
_MAKERS: Final = {"list": list, "dict": dict, "set": set, "tuple": tuple, "sorted": list, "frozenset": set}


class Calls(Methods):
    """Follows calls."""

    def call(self, callee: Value, args: Args, node: Any, frame: Frame) -> Value:
        """Call whatever `callee` may be."""
        self.step()
        # Fetching a method gives the method and, in case it is data, whatever the object holds: of the two
        # it is the method that is called.
        data: Value = NOTHING
        for thing in callee:
            if isinstance(thing, Bound):
                data |= thing.receiver | self.items(thing.receiver)
        result: Value = NOTHING
        for thing in callee:
            if not (thing in data and isinstance(thing, (Param, Outside, Fresh))):
                result |= self._call_one(thing, args, node, frame)
        return result

    def _call_one(self, thing: Any, args: Args, node: Any, frame: Frame) -> Value:
        """Call one thing."""
        match thing:
            case Known():
                return self.call_known(thing, args, node, frame)
            case Local():
                return self.run_local(thing, args, node, frame)
            case Bound():
                return self.call_method(thing.receiver, thing.name, args, node, frame)
            case Partial():
                merged = Args((), {}, args.all() | thing.held)
                return self.call(thing.func, merged, node, frame)
            case LocalClass():
                return self._make_local(thing, args, node, frame)
            case External():
                return self.call_foreign(thing.name, args, node, frame)
            case Param() | Outside():
                return self._call_data(thing, args, node, frame)
            case Fresh():
                return self._call_fresh(thing, args, node, frame)
            case Shared():
                self.world.meet_any()
                return frozenset({Outside("what came out of a shared queue")})
        return NOTHING

    def _call_data(self, thing: Param | Outside, args: Args, node: Any, frame: Frame) -> Value:
        """Call something that is data of the caller's."""
        if isinstance(thing, Outside) and self.world.top != "__main__":
            return self._call_outside(thing, args, node, frame)
        if isinstance(thing, Param) and self.is_readable(thing):
            return self.call(self.given_code(frozenset({thing})), args, node, frame)
        return self.stay(f"calls {thing.label}, which may do anything", node, frame)

    def _call_outside(self, thing: Outside, args: Args, node: Any, frame: Frame) -> Value:
        """Call data of an importable module: what it is now it is in the worker, or the call is refused there."""
        if thing.value is UNKNOWN and thing.whole is not UNKNOWN:
            inside = level_of(thing.whole, thing.depth)
            code = [each for each in inside or () if callable(each)]
            if code:
                called = (self.world.sort(each, thing.label) for each in code)
                return self.call(NOTHING.union(*called), args, node, frame)
        elif thing.value is not UNKNOWN:
            if never_changes(thing.value):
                return NOTHING  # None or a number: where it is called it will be something else, and refused
            kind = type(thing.value)
            call = getattr(kind, "__call__", None)
            if isinstance(call, types.FunctionType) and self.world.is_ours(kind.__module__):
                return self.run(call, args.behind(frozenset({thing})), node, frame, kind)
        return self.stay(f"calls {thing.label}, which may do anything", node, frame)

    def _call_fresh(self, thing: Fresh, args: Args, node: Any, frame: Frame) -> Value:
        """Call an object that the call made: its `__call__`, or what it holds (a partial, a wrapper)."""
        if thing.kind is IDENTITY:
            return args.first()
        if thing.site[1] in _COMPUTED:
            return NOTHING
        if isinstance(thing.kind, (type, LocalClass)):
            found = self.methods_of(thing.kind, "__call__")
            if found:
                return self.run_methods(found, args.behind(frozenset({thing})), node, frame)
        if thing in self._calling:
            return self._call_back(thing, args.all(), node, frame)
        self._calling.add(thing)
        try:
            return self._call_held(thing, args, node, frame)
        finally:
            self._calling.discard(thing)

    def _call_held(self, thing: Fresh, args: Args, node: Any, frame: Frame) -> Value:
        """Call what an object holds."""
        inside = Args((), {}, args.all() | self.items(frozenset({thing})))
        held_data = frozenset(
            t for t in self.items(frozenset({thing})) if isinstance(t, (Param, Outside, Fresh))
        )
        result = held_data | self.fresh(node, "called", None, args.all())
        for held in self.fields(thing):
            if isinstance(held, (Known, Local, Bound, Partial, LocalClass, Param)):
                result |= self.call(frozenset({held}), inside, node, frame)
        return result

    def call_known(self, known: Known, args: Args, node: Any, frame: Frame) -> Value:
        """Call a function or class that exists already."""
        value = known.value
        if not (self.hashing and (value is hash or value is id)):
            self.world.refuse_denied(value)
        if isinstance(value, type):
            return self.make(value, args, node, frame)
        if isinstance(value, types.FunctionType):
            return self.call_function(value, args, node, frame)
        if isinstance(value, (operator.attrgetter, operator.itemgetter)):
            return self.call_getter(value, args, node, frame)
        if isinstance(value, (types.MethodDescriptorType, types.WrapperDescriptorType)):
            return self.call_method(args.first(), value.__name__, args.without_first(), node, frame)
        if isinstance(value, types.ModuleType):
            return NOTHING
        return self.call_foreign(known.name or self.world.name_of(value), args, node, frame)

    def call_function(self, fn: types.FunctionType, args: Args, node: Any, frame: Frame) -> Value:
        """Call a Python function."""
        registry = getattr(fn, "registry", None)
        if registry is not None and hasattr(fn, "dispatch"):
            self.world.tables[id(registry)] = registry
            found = [each for each in registry.values() if isinstance(each, types.FunctionType)]
            return NOTHING.union(*(self.call_function(each, args, node, frame) for each in found))
        if self.world.is_ours(module_of(fn)):
            self.world.nature.repeat()  # it may be the function itself
            return self.run(fn, args, node, frame)
        wrapped = getattr(fn, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType):
            result = self.call_function(wrapped, args, node, frame)
            self.call_wrapper(fn, wrapped, args, node, frame)
            if self._manages(fn, wrapped):
                return self.manager(result, node)
            return result | self.fresh(node, "wrapped", None, result)
        for cell in fn.__closure__ or ():
            held = getattr(cell, "cell_contents", None)
            if isinstance(held, types.FunctionType) and self.world.is_ours(module_of(held)):
                self.run(held, args, node, frame)  # a wrapper that does not say so
        return self.call_foreign(self.world.name_of(fn), args, node, frame)

    def _manages(self, fn: types.FunctionType, wrapped: types.FunctionType) -> bool:
        """Whether a function is what `contextlib.contextmanager` makes of this generator function of ours."""
        if fn.__code__ is not _MANAGING.__code__ or hasattr(wrapped, "__wrapped__"):
            return False
        around = [cell.cell_contents for cell in fn.__closure__ or ()]
        generator = bool(wrapped.__code__.co_flags & inspect.CO_GENERATOR)
        return (
            len(around) == 1 and around[0] is wrapped and generator and self.world.is_ours(module_of(wrapped))
        )

    def make(self, kind: type, args: Args, node: Any, frame: Frame) -> Value:
        """Make an instance."""
        name = self.world.name_of(kind)
        if kind is type:
            return self._class_of(args, node, frame)
        if kind is super:
            return self._super(args, frame)
        if issubclass(kind, enum.Enum):
            self.run_methods(self.methods_of(type(kind), "__call__"), args, node, frame)
            self.run_methods(
                self.methods_of(kind, "_missing_"), args.behind(frozenset({Known(kind)})), node, frame
            )
            return NOTHING
        if not self.world.is_ours(kind.__module__):
            return self._make_foreign(kind, name, args, node, frame)
        self._meet_inherited(kind)
        meta = self.methods_of(type(kind), "__call__")
        if meta:
            return self.run_methods(meta, args.behind(frozenset({Known(kind)})), node, frame)
        thing = Fresh((id(node), "made"), kind)
        made = self.fresh(node, "made", kind)
        for owner, new in self.methods_of(kind, "__new__"):
            if not self.world.is_written(new):
                continue
            made |= self.run_found(
                getattr(new, "__func__", new), args.behind(frozenset({Known(kind)})), node, frame, owner
            )
        begun = False
        for each in self.methods_of(kind, "__init__"):
            if self.world.is_written(each[1]):
                begun = True
                self.run_methods([each], args.behind(made), node, frame)
        if dataclasses.is_dataclass(kind) or not begun:
            self._fill(kind, thing, args, node, frame)
        for hook in ("__post_init__", "__del__"):
            self.run_methods(self.methods_of(kind, hook), Args((made,)), node, frame)
        return made

    def _meet_inherited(self, kind: type) -> None:
        """What a class of ours inherits from foreign ones may give objects of any class."""
        names = (self.world.name_of(base) for base in kind.__mro__ if not self.world.is_ours(base.__module__))
        if any(map(tables.gives_anything, names)):
            self.world.meet_any()

    def _fill(self, kind: type, thing: Fresh, args: Args, node: Any, frame: Frame) -> None:
        """What a generated or inherited constructor does: it keeps its arguments."""
        names: list[str] = list(getattr(kind, "_fields", ()))
        if dataclasses.is_dataclass(kind):
            for each in dataclasses.fields(kind):
                if each.init:
                    names.append(each.name)
                if each.default_factory is not dataclasses.MISSING:
                    made = self.call(self.world.sort(each.default_factory, each.name), Args(), node, frame)
                    self.put(thing, each.name, made)
        for place, value in enumerate(args.positional):
            self.put(thing, names[place] if place < len(names) else ITEMS, value)
            if issubclass(kind, CONTAINERS):
                self.put(thing, ITEMS, value | self.items(value))
        for name, value in args.named.items():
            self.put(thing, name, value)
        self.put(thing, ITEMS, args.rest | self.items(args.rest))
        self.callbacks(args, node, frame)

    def _make_foreign(self, kind: type, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Make an instance of a foreign class, which keeps its arguments."""
        if issubclass(kind, BaseException) or kind in (int, float, str, bytes, bool, complex, range, slice):
            if kind in (str, bytes) or issubclass(kind, BaseException):
                self.refuse_order(args.all(), node, frame, deep=kind is str)
            if kind is str:
                self.refuse_places(args.first(), node, frame)
            self.touch(
                args.all(),
                _ASKED.get(kind, _SPOKEN),
                node,
                frame,
                deep=kind is str,
            )
            return self.fresh(node, "made", kind, args.all()) if issubclass(kind, BaseException) else NOTHING
        maker = _MAKERS.get(kind.__name__) if kind.__module__ == "builtins" else None
        if maker is not None:
            self.touch(args.all(), _LISTED, node, frame)
            if maker is dict:
                return self.pass_order(args.all(), self._make_mapping(kind, args, node))
            made = self.fresh(node, "made", maker, self.items(args.all()))
            return self.lists_order(args.all(), made, node, frame) if maker in (list, tuple) else made
        made = self.call_foreign(name, args, node, frame, kind)
        if kind is defaultdict and args.positional:
            found = self._make_mapping(kind, args.without_first(), node)
            given = self.call(args.first(), Args(), node, frame)
            self.change(found, "fills", node, frame, given)
            return self.pass_order(args.all(), found)
        if kind in (Counter, OrderedDict, defaultdict):
            return self.pass_order(args.all(), self._make_mapping(kind, args, node))
        return made

    def _make_mapping(self, kind: type, args: Args, node: Any) -> Value:
        """Make a dictionary."""
        made = self.fresh(node, "mapping", kind)
        self.pour(Fresh((id(node), "mapping"), kind), args)
        return made

    def _make_local(self, kind: LocalClass, args: Args, node: Any, frame: Frame) -> Value:
        """Make an instance of a class that the call defines."""
        made = self.fresh(node, "made", kind)
        thing = Fresh((id(node), "made"), kind)
        self._fill(object, thing, args, node, frame)
        for name in ("__new__", "__init__", "__post_init__", "__del__"):
            first = frozenset({kind}) if name == "__new__" else made
            self.run_methods(self.methods_of(kind, name), args.behind(first), node, frame)
        return made

    def _class_of(self, args: Args, node: Any, frame: Frame) -> Value:
        """`type(x)`."""
        if len(args.positional) != 1:
            self.stay("makes a class with type()", node, frame)
        return self.class_of(args.positional[0])

    def _super(self, args: Args, frame: Frame) -> Value:
        """`super()` in a method, or with a class and an object."""
        if args.positional:
            owners = [getattr(thing, "value", thing) for thing in args.positional[0]]
            receiver = args.rest.union(*args.positional[1:])
            return frozenset(Super(receiver, owner) for owner in owners)
        while frame.parent is not None and frame.owner is None:
            frame = frame.parent
        return frozenset({Super(frame.ever.get(frame.first, NOTHING), frame.owner)})
