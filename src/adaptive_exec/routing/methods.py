"""What calling a method does, by what its object may be."""

from __future__ import annotations

import enum
import inspect
import re
import types
from typing import Any, Final

from . import tables
from .arguments import Args
from .denied import denied
from .dependence import FILES
from .environment import attributes_of, never_changes
from .heap import CONTAINERS, ITEMS, KEYS, MAPPINGS, is_mapping, level_of
from .mappings import Mappings
from .members import METHODS
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
    Super,
    Value,
)
from .scopes import Frame
from .world import LOGGERS

__all__ = ["Methods"]


_LOGGING: Final = frozenset(
    {
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"),
        *("isEnabledFor", "getEffectiveLevel", "getChild"),
    }
)
_SET_METHODS: Final = frozenset({"union", "difference", "intersection", "symmetric_difference", "copy"})


_KEEPING_NOTHING: Final = frozenset({"sort", "index", "count", "remove", "discard", "pop", "reverse"})
"""Methods of lists and sets that put nothing into them."""
_VIEWS: Final = frozenset({"keys", "values", "items"})
_OF_FUNCTIONS: Final = frozenset({"__call__", "__get__", "__wrapped__", "__func__"})
"""What functions have that calls them, or gives them."""
_KINDS: Final = 16


class Methods(Mappings):
    """Follows methods."""

    def call_method(self, receiver: Value, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of whatever the receiver may be."""
        result: Value = NOTHING
        self.world.nature.call_method(name)
        self.change_by_method(name, args, node, frame)
        if name in FILES:
            self.world.settings.setdefault("mask")
        for thing in receiver:
            result |= self._method_of(thing, name, args, node, frame)
        if name in ("join", "extend", "writelines", "extendleft"):
            self.refuse_order(args.all(), node, frame)
        elif name in ("format", "format_map"):
            self.refuse_order(args.all(), node, frame, deep=True)
        if not receiver:
            self.callbacks(args, node, frame)
            self.expose(args.all(), only_special=True)
            if name in ("join", "format", "format_map"):
                self.touch(args.all(), ("__str__", "__format__", "__iter__"), node, frame)
        return result

    def change_by_method(self, name: str, args: Args, node: Any, frame: Frame) -> None:
        """A method that changes one of its arguments, whosever it is."""
        if name in tables.CHANGING_FIRST:
            self.change(args.first() | args.rest, f"calls {name}() on", node, frame)
        if name.startswith("parse_"):
            self.change(args.at("namespace"), f"calls {name}() on", node, frame)
        if name == "translate":
            self.touch(args.all(), ("__getitem__", "__missing__"), node, frame)

    def _method_of(self, thing: Any, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of one thing."""
        match thing:
            case Known():
                return self._method_of_known(thing, name, args, node, frame)
            case External():
                return self.call_foreign(f"{thing.name}.{name}", args, node, frame)
            case Super():
                return self._method_of_super(thing, name, args, node, frame)
            case Param():
                return self._method_of_param(thing, name, args, node, frame)
            case Outside() if type(thing.value) in LOGGERS and name in _LOGGING:
                return self._log(thing, name, args, node, frame)
            case Outside():
                return self._method_of_outside(thing, name, args, node, frame)
            case Fresh():
                made = self._method_of_fresh(thing, name, args, node, frame)
                self.order_of_method(thing, name, args, made, node, frame)
                return made
            case LocalClass():
                return self._method_of_local(thing, name, args, node, frame)
            case Local() | Bound() | Partial():
                return self.call(frozenset({thing}), args, node, frame) if name == "__call__" else NOTHING
        return NOTHING

    def _method_of_local(self, thing: LocalClass, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call an attribute of a class that the call defines."""
        result: Value = NOTHING
        for owner, found in self.methods_of(thing, name):
            plain = isinstance(found, Local) and found.style is None
            given = args if plain else args.behind(frozenset({thing}))
            result |= self.run_methods([(owner, found)], given, node, frame)
        return result

    def _method_of_known(self, thing: Known, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call an attribute of a module, class or function."""
        value = thing.value
        if isinstance(value, type):
            return self._method_of_class(value, name, args, node, frame)
        if isinstance(value, types.ModuleType) or name in getattr(value, "__dict__", {}):
            found = self.world.attribute(value, name, self.world.name_of(value))
            why = denied(f"{self.world.name_of(value)}.{name}")
            if why is not None:
                self.stay(why, node, frame)
            return self.call(found, args, node, frame)
        if name in ("cache_clear", "cache_info", "submit", "map", "register"):
            self.stay(f"calls {name}() of {self.world.name_of(value)}", node, frame)
        if name == "__call__":
            return self.call(frozenset({thing}), args, node, frame)
        return self.call_foreign(f"{self.world.name_of(value)}.{name}", args, node, frame)

    def _method_of_class(self, kind: type, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call an attribute of a class: a class method, a static one, or a plain one with its object."""
        dotted = f"{self.world.name_of(kind)}.{name}"
        why = denied(dotted)
        if why is not None:
            self.stay(why, node, frame)
        found = self.methods_of(kind, name)
        if found:
            owner, what = found[0]
            if isinstance(what, (classmethod, staticmethod)):
                return self.run_methods(found, args.behind(frozenset({Known(kind)})), node, frame)
            if isinstance(what, types.FunctionType):
                return self.run_methods(found, args, node, frame)
            return self.call(self.world.class_data(owner, name, what), args, node, frame)
        meta = self.methods_of(type(kind), name)
        if meta:
            return self.run_methods(meta, args.behind(frozenset({Known(kind)})), node, frame)
        here = inspect.getattr_static(kind, name, None)
        if isinstance(here, (types.MethodDescriptorType, types.WrapperDescriptorType, types.FunctionType)):
            return self.call_method(args.first(), name, args.without_first(), node, frame)
        if kind in MAPPINGS and name == "fromkeys":
            self.hash_keys(self.items(args.first()), node, frame)
            made = self.fresh(node, "fromkeys", kind, args.rest.union(*args.positional[1:]))
            self.put(Fresh((id(node), "fromkeys"), kind), KEYS, self.items(args.first() | args.rest))
            # In the order of a set, if they come from one.
            return made | frozenset(t for t in args.first() if isinstance(t, Fresh) and t.kind is set)
        if not self.world.is_ours(kind.__module__):
            return self.call_foreign(dotted, args, node, frame)
        self.callbacks(args, node, frame)
        if name == "__new__":
            return self.fresh(node, "made", kind)
        return self.fresh(node, "of class", None, args.all())

    def _method_of_super(self, thing: Super, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of the next class in line."""
        result: Value = NOTHING
        if isinstance(thing.owner, LocalClass):
            found = [
                m for base in thing.owner.bases for m in self.methods_of(getattr(base, "value", base), name)
            ]
        else:
            kinds = {kind for each in thing.receiver for kind in self.classes_of(each)} or {thing.owner}
            found = [m for kind in kinds for m in self.methods_of(kind, name, after=thing.owner)]
        if found:
            return self.run_methods(dict.fromkeys(found), args.behind(thing.receiver), node, frame)
        if name == "__new__":
            return self.fresh(node, "made", thing.owner)
        if name in tables.MUTATORS and name != "__init__":
            self.change(thing.receiver, f"calls {name}() on", node, frame, args.all())
        if name == "__init__":
            for each in thing.receiver:
                if isinstance(each, Fresh):
                    self.put(each, ITEMS, args.all() | self.items(args.all()))
        return result | self.items(thing.receiver)

    def _method_of_param(self, thing: Param, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of an argument: whatever class it has, some names say what they do."""
        me = frozenset({thing})
        if thing.kinds:
            found = dict.fromkeys(m for kind in thing.kinds for m in self.methods_of(kind, name))
            result = self.run_methods(found, args.behind(me), node, frame)
            if all(self.methods_of(kind, name) for kind in thing.kinds):
                return result
            if not any(hasattr(kind, name) for kind in thing.kinds):
                self.stay(f"calls {name} of {thing.label}, which may do anything", node, frame)
        held = self._call_held_by(thing, name, args, node, frame)
        return held | self._method_by_name(me, thing.label, name, args, node, frame)

    def _call_held_by(self, thing: Param, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call what an attribute of an argument may be besides a method: a function that is given."""
        world = self.world
        if world.given is None or self.is_without(thing, "__call__"):
            return NOTHING
        if world.called is None:
            if name in _OF_FUNCTIONS or not any(hasattr(kind, name) for kind in world.given):
                self.stay(f"calls {name} of {thing.label}, which may do anything", node, frame)
            return NOTHING
        if name not in _OF_FUNCTIONS and not world.called.held:
            return NOTHING
        return self.call(world.callees(), args, node, frame)

    def _method_by_name(self, me: Value, label: str, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of an object of the caller's, of a class that is not known."""
        if name in tables.MUTATORS and all(self.is_without(each, name) for each in me):
            return NOTHING
        if name in tables.MUTATORS or name == ITEMS:
            self.stay(f"{_verb(name)} {label}", node, frame)
        given = all(isinstance(each, Param) for each in me)
        candidates = [(owner, found) for _, owner, found in self.world.candidates(name, given=given)]
        result = self.run_methods(candidates, args.behind(me), node, frame)
        data = [each for each in self.world.held(name, given=given) if not isinstance(each[2], METHODS)]
        for _, owner, found in data:
            if self.methods_of(type(found), "__call__"):
                result |= self.call(self.world.class_data(owner, name, found), args, node, frame)
        self.callbacks(args, node, frame)
        self.touch(args.all(), tables.ANY_SPECIAL, node, frame, deep=True)
        if name in tables.NEW_RESULTS and not candidates and not data and "copy" not in args.named:
            return self.fresh(node, "new")
        if name == "copy" and not candidates and not data:
            return self.fresh(node, "copy", list, self.items(me))
        held = self.items(me) | args.all()
        if given and name in _VIEWS and self.world.has_standard(name):
            return result | self._view_of_param(name, held, node)
        return result | self.items(me) | self.fresh(node, "from method", None, held)

    def _view_of_param(self, name: str, held: Value, node: Any) -> Value:
        """The keys, values or items of an argument: what has them is no set."""
        if name == "items":
            return self.tuples([held, held], NOTHING, node)
        return self.fresh(node, name, list if name == "values" else None, held)

    def _methods_inside(self, thing: Outside, name: str) -> list[tuple[Any, Any]]:
        """The methods of this name of whatever lies there, if all of that is of classes of ours that have one."""
        level = level_of(thing.whole, thing.depth) if thing.whole is not UNKNOWN else None
        kinds = {type(each) for each in level or ()}
        found = {kind: self.methods_of(kind, name) for kind in kinds}
        if len(kinds) > _KINDS or not all(found.values()):
            return []
        return list(dict.fromkeys(each for methods in found.values() for each in methods))

    def _method_of_outside(self, thing: Outside, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of data of this process."""
        me = frozenset({thing})
        kind = type(thing.value)
        unknown = thing.value is UNKNOWN
        found = self._methods_inside(thing, name) if unknown else self.methods_of(kind, name)
        if unknown and not found:
            return self._method_by_name(me, thing.label, name, args, node, frame)
        if found:
            return self.run_methods(found, args.behind(me), node, frame)
        if name in attributes_of(thing.value):
            self.stay(f"calls {name} of {thing.label}, which may do anything", node, frame)
        if name in tables.MUTATORS and not never_changes(thing.value):
            self.stay(f"{_verb(name)} {thing.label}", node, frame)
        self.callbacks(args, node, frame)
        self.touch(args.all(), tables.ANY_SPECIAL, node, frame, deep=True)
        if isinstance(thing.value, re.Pattern) and name in ("sub", "subn"):
            self.call_foreign("re.sub", args.behind(NOTHING), node, frame)
        if never_changes(thing.value) and hasattr(kind, name):
            return self.fresh(node, "of constant", None, args.all() if name != "split" else NOTHING)
        reading = isinstance(thing.value, CONTAINERS) and name in tables.READERS
        if reading and name == "items":
            return self.tuples([NOTHING, self.items(me)], NOTHING, node)
        if reading and hasattr(kind, name):
            return self.items(me) | self.fresh(node, "read", None, self.items(me) | args.all())
        copied = name == "copy" and self.world.name_of(kind) == "decimal.Context"
        if copied or (kind.__module__.partition(".")[0] in tables.TRUSTED and name not in tables.MUTATORS):
            return self.fresh(node, "trusted", kind if copied else None)
        if kind.__module__.partition(".")[0] == "numpy" and name not in tables.MUTATORS:
            return self.items(me) | self.fresh(node, "array")
        if isinstance(thing.value, enum.Enum):
            return NOTHING
        return self.stay(f"calls {name}() of {thing.label}, which may change it", node, frame)

    def _log(self, thing: Outside, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Log something: that comes home from a worker."""
        if name in attributes_of(thing.value):
            self.stay(f"calls {name} of {thing.label}, which may do anything", node, frame)
        if name in ("isEnabledFor", "getEffectiveLevel"):
            self.world.settings.setdefault(f"level:{thing.value.name}")
        self.callbacks(args, node, frame)
        self.touch(args.all(), tables.ANY_SPECIAL, node, frame, deep=True)
        return frozenset({thing}) if name == "getChild" else NOTHING

    def _method_of_fresh(self, thing: Fresh, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of an object that the call made."""
        me: Value = frozenset({thing})
        if isinstance(thing.kind, LocalClass) or (
            isinstance(thing.kind, type) and self.world.is_ours(thing.kind.__module__)
        ):
            found = self.all_methods(thing.kind) if name == ITEMS else self.methods_of(thing.kind, name)
            if found:
                return self.run_methods(found, args.behind(me), node, frame)
            held = self.field(thing, name)
            if held:
                return self.call(held, args, node, frame)
            # A method that it has from a foreign base may call any of its own: think of a visitor.
            self.put(thing, ITEMS, args.all() | self.items(args.all()))
            inside = Args((me,), {}, args.all() | self.items(args.all()) | self.fresh(node, "visited"))
            result = self.run_methods(self.all_methods(thing.kind), inside, node, frame)
            return result | self.items(me)
        if name in tables.MUTATORS:
            self.changes_in_loop(thing, node, frame, args.all())
        known = self.method_of_mapping(thing, name, args, node, frame) if is_mapping(thing) else None
        return self._method_of_new(thing, name, args, node, frame) if known is None else known

    def _method_of_new(self, thing: Fresh, name: str, args: Args, node: Any, frame: Frame) -> Value:
        """Call a method of an object that the call made, of a foreign class or one that is not known."""
        me: Value = frozenset({thing})
        if thing.kind is None:
            candidates = [(owner, found) for _, owner, found in self.world.candidates(name)]
            self.run_methods(candidates, args.behind(me), node, frame)
        called = self.callbacks(args, node, frame, me)
        self.touch(args.all(), tables.ANY_SPECIAL, node, frame, deep=True)
        self.touch(self.items(me) | called, tables.ORDERING.get(name, ()), node, frame)
        if name in ("send", "throw") and not args.all() <= self.sent:
            self.sent |= args.all()
            self.raised |= args.all()
            self.changed = True
        held = self.field(thing, name)
        held = frozenset(
            t for t in held | self.given_code(held) if isinstance(t, (Known, Local, Bound, Partial))
        )
        if held:
            return self.call(held, args, node, frame)
        if name in tables.NEW_RESULTS:
            return self.fresh(node, "new")
        if name == "items" and not args.positional and not args.rest:
            keys_and_values = self.items(me) - (me if thing.kind is None else NOTHING)
            return self.tuples([keys_and_values, keys_and_values], NOTHING, node)
        if name != "sort" and (name not in _KEEPING_NOTHING or thing.kind not in (list, set, tuple)):
            alone = name in ("append", "add")
            self.put(thing, ITEMS, args.all() | self.items(NOTHING if alone else args.all()))
        if name == "pop" and thing.kind in (list, set):
            return self.items(me)  # nothing else
        kind = set if thing.kind is set and name in _SET_METHODS else None
        return self.items(me) | self.fresh(node, "from fresh", kind, self.items(me) | args.all())


def _verb(name: str) -> str:
    """How a message says that a method is called."""
    return {
        "append": "appends to",
        "pop": "pops from",
        "sort": "sorts",
        "clear": "clears",
        "extend": "extends",
    }.get(name, f"calls {name}() on")
