"""What an attribute of something may be."""

from __future__ import annotations

import enum
import functools
import types
from typing import Any, Final

from .arguments import Args
from .calls import Calls
from .denied import denied
from .environment import attributes_of, never_changes
from .heap import ITEMS, MAPPINGS, is_mapping
from .origins import (
    NOTHING,
    UNKNOWN,
    Bound,
    External,
    Fresh,
    Known,
    Local,
    LocalClass,
    Origin,
    Outside,
    Param,
    Partial,
    Shared,
    StaysError,
    Super,
    Value,
)
from .scopes import Frame, Scope
from .world import LOGGERS, TUPLE_GETTER

__all__ = ["Attributes"]


_DATA: Final = (types.MemberDescriptorType, property, functools.cached_property, TUPLE_GETTER)
_REACHING: Final = frozenset(
    {
        "__globals__",
        "__dict__",
        "__closure__",
        "__code__",
        "__subclasses__",
        "__builtins__",
        "__hash__",
        "__sizeof__",
    }
)
_OF_FRAMES: Final = frozenset(
    {"gi_frame", "cr_frame", "ag_frame", "tb_frame", "f_globals", "f_locals", "f_builtins", "f_back"}
)


def _has_plain_members(kind: type) -> bool:
    """Whether a class is an enumeration whose members' values never change."""
    members = vars(kind).get("_member_map_")
    return isinstance(members, dict) and all(
        never_changes(attributes_of(each).get("_value_", each)) for each in members.values()
    )


class Attributes(Calls):
    """Follows attributes, through properties and class attributes."""

    def attribute(self, value: Value, name: str, node: Any, scope: Scope) -> Value:
        """What an attribute of a value may be."""
        if name in _OF_FRAMES:
            self.stay(f"reaches for {name}", node, scope.frame)
        return NOTHING.union(*(self.attribute_of(thing, name, node, scope) for thing in value))

    def attribute_of(self, thing: Origin, name: str, node: Any, scope: Scope) -> Value:
        """What an attribute of one thing may be."""
        frame, me = scope.frame, frozenset({thing})
        if name == "__class__" and not isinstance(thing, (Known, LocalClass)):
            return self.class_of(me)
        if name in _REACHING:
            return self._reached(thing, name, node, frame)
        bound: Value = frozenset({Bound(me, name)}) | self._seen_by(thing, node, frame)
        match thing:
            case Known():
                return self._attribute_of_known(thing, name, node, frame)
            case External():
                return self._attribute_of_external(thing, name, node, frame)
            case Shared():
                return me
            case Bound() | Partial() | Local():
                return self._attribute_of_function(thing, name, node, frame)
            case Super():
                return bound
            case LocalClass():
                data = (t for t in thing.names.get(name, NOTHING) if not isinstance(t, Local))
                return frozenset(data) | bound
            case Fresh():
                found = self._attribute_of_fresh(thing, name, node, frame)
                return found if self._is_data(thing, name) else found | bound
            case Outside() if thing.value is not UNKNOWN:
                return self._attribute_of_outside(thing, name, node, frame) | bound
        return self.items(me) | self._properties(thing, name, node, frame) | bound

    def _reached(self, thing: Origin, name: str, node: Any, frame: Frame) -> Value:
        """An attribute through which all else can be reached."""
        if isinstance(thing, (Known, Local, LocalClass)) or name != "__dict__":
            self.stay(f"reaches for {name}", node, frame)
        return frozenset({thing}) | self.items(frozenset({thing}))

    def _seen_by(self, thing: Any, node: Any, frame: Frame) -> Value:
        """Run a `__getattribute__` of ours, which sees each access."""
        if not isinstance(thing, (Fresh, Outside, Param)):
            return NOTHING
        kinds = self.classes_of(thing)
        if not kinds:
            return self.run_any("__getattribute__", given=isinstance(thing, Param))
        found = [method for kind in kinds for method in self.methods_of(kind, "__getattribute__")]
        return self.run_methods(dict.fromkeys(found), Args((frozenset({thing}),)), node, frame)

    def _attribute_of_function(
        self, thing: Bound | Partial | Local, name: str, node: Any, frame: Frame
    ) -> Value:
        """An attribute of a function, partial, method or property that was fetched: mostly what it is made of."""
        me: Value = frozenset({thing})
        if isinstance(thing, Partial):
            return {"func": thing.func, "args": thing.held, "keywords": thing.held}.get(name, NOTHING)
        if isinstance(thing, Local):
            return me if name in ("__wrapped__", "__call__") else NOTHING
        if name == "__self__":
            return thing.receiver
        if name in ("__call__", "__get__", "__wrapped__"):
            return me
        if name not in ("fget", "fset", "fdel", "func", "__func__"):
            return NOTHING
        found: set[Any] = set()
        for each in thing.receiver:
            kinds = (each.value,) if isinstance(each, Known) else self.classes_of(each)
            for kind in kinds:
                for _, held in self.methods_of(kind, thing.name):
                    part = getattr(held, name, held)
                    found.add(part if isinstance(part, Origin) else Known(part))
        return frozenset(found) or self.stay(f"takes a method apart ({name})", node, frame)

    def _properties(self, thing: Any, name: str, node: Any, frame: Frame) -> Value:
        """Run what an attribute of an object of the caller's may be: properties of classes of ours."""
        kinds = self.classes_of(thing)
        if not kinds:
            given = isinstance(thing, Param)
            seeing = ("__getattr__", "__get__") if self.world.living is not None else ()
            seen = NOTHING.union(*(self.run_any(each, given=given) for each in seeing))
            run = self.run_any(name, (property, functools.cached_property), given=given)
            return seen | run | self._held_in_classes(thing, name, node, frame)
        found = [m for kind in kinds for m in self.methods_of(kind, name)]
        wanted = [m for m in found if isinstance(m[1], (property, functools.cached_property))]
        if not found:
            wanted += [m for kind in kinds for m in self.methods_of(kind, "__getattr__")]
        return self.run_methods(wanted, Args((frozenset({thing}),)), node, frame)

    def _held_in_classes(self, thing: Any, name: str, node: Any, frame: Frame) -> Value:
        """What the classes of an unknown object may hold under a name besides methods: descriptors, and data."""
        result: Value = NOTHING
        me: Value = frozenset({thing})
        for _, owner, found in list(self.world.held(name, given=isinstance(thing, Param))):
            if self.methods_of(type(found), "__get__"):
                descriptor: Value = frozenset({Outside(f"what {owner.__qualname__} holds", found)})
                result |= self.call_method(descriptor, "__get__", Args((me, NOTHING)), node, frame)
            elif not hasattr(type(found), "__get__") and not isinstance(found, type):
                try:
                    data = self.world.class_data(owner, name, found)
                except StaysError as error:
                    self.stay(str(error), node, frame)
                result |= NOTHING if never_changes(found) else data
        return result

    def _attribute_of_external(self, thing: External, name: str, node: Any, frame: Frame) -> Value:
        """An attribute of a foreign module that is not loaded yet."""
        why = denied(f"{thing.name}.{name}")
        if why is not None:
            self.stay(why, node, frame)
        return frozenset({External(f"{thing.name}.{name}")})

    def _attribute_of_known(self, thing: Known, name: str, node: Any, frame: Frame) -> Value:
        """An attribute of a module, class or function that exists already."""
        value = thing.value
        if isinstance(value, type):
            return self._in_class(value, name, node, frame) | self._of_its_class(value, name, node, frame)
        try:
            if isinstance(value, types.ModuleType):
                return self.world.attribute(value, name, value.__name__)
            if name in getattr(value, "__dict__", {}) and name != "__wrapped__":
                return self.world.attribute(value, name, self.world.name_of(value))
        except StaysError as error:
            self.stay(str(error), node, frame)
        return frozenset({Bound(frozenset({thing}), name)})

    def _in_class(self, kind: type, name: str, node: Any, frame: Frame) -> Value:
        """What stands in a class; the place is added to what keeps the call at home."""
        try:
            return self._attribute_of_class(kind, name)
        except StaysError as error:
            self.stay(str(error), node, frame)

    def _attribute_of_class(self, kind: type, name: str) -> Value:
        """An attribute of a class: data in it is state of this process."""
        bound = frozenset({Bound(frozenset({Known(kind)}), name)})
        try:
            owner, found = self.world.class_attribute(kind, name)
        except AttributeError:
            return bound
        why = denied(f"{self.world.name_of(kind)}.{name}")
        if why is not None:
            raise StaysError(why)
        if isinstance(found, enum.property) and _has_plain_members(kind):
            return NOTHING
        if callable(found) or isinstance(found, (staticmethod, classmethod, property)):
            return frozenset({Known(found)}) if isinstance(found, type) else bound
        return self.world.class_data(owner, name, found)

    def _of_its_class(self, kind: type, name: str, node: Any, frame: Frame) -> Value:
        """Run what looking at an attribute of a class runs: descriptors in it, and what its own class has."""
        me: Value = frozenset({Known(kind)})
        found = [m for m in self.methods_of(type(kind), name) if isinstance(m[1], property)]
        found += self.methods_of(type(kind), "__getattribute__")
        owner, here = next(
            ((base, vars(base)[name]) for base in kind.__mro__ if name in vars(base)), (None, None)
        )
        if owner is None and not found:
            found = self.methods_of(type(kind), "__getattr__")
        result = self.run_methods(found, Args((me,)), node, frame)
        if owner is not None and self.methods_of(type(here), "__get__"):
            descriptor: Value = frozenset({Outside(f"what {kind.__qualname__} holds", here)})
            result |= self.call_method(descriptor, "__get__", Args((NOTHING, me)), node, frame)
        return result

    def _attribute_of_fresh(self, thing: Fresh, name: str, node: Any, frame: Frame) -> Value:
        """An attribute of an object that the call made."""
        me = frozenset({thing})
        kind = thing.kind
        if isinstance(kind, LocalClass):
            return self._attribute_of_own(thing, kind, name, node, frame)
        if isinstance(kind, type) and self.world.is_ours(kind.__module__):
            held = self.field(thing, name) | self.field(thing, ITEMS)
            try:
                owner, found = self.world.class_attribute(kind, name)
            except AttributeError:
                run = self.run_methods(self.methods_of(kind, "__getattr__"), Args((me,)), node, frame)
                return held | run
            if isinstance(found, (property, functools.cached_property)):
                return held | self.run_methods([(owner, found)], Args((me,)), node, frame)
            if (
                callable(found)
                or isinstance(found, (staticmethod, classmethod, TUPLE_GETTER))
                or not self.world.is_ours(owner.__module__)
            ):
                return held
            if self.methods_of(type(found), "__get__"):
                descriptor = self.world.class_data(owner, name, found)
                return held | self.call_method(
                    descriptor, "__get__", Args((me, frozenset({Known(kind)}))), node, frame
                )
            try:
                return held | self.world.class_data(owner, name, found)
            except StaysError as error:
                self.stay(str(error), node, frame)
        if thing.kind is None:
            return self.items(me) | self._properties(thing, name, node, frame)
        if kind in (list, set, tuple, *MAPPINGS) and callable(getattr(kind, name, None)):
            return NOTHING  # a method of a container, and nothing that it holds
        return self.fields(thing) | (NOTHING if kind in (list, set, tuple) or is_mapping(thing) else me)

    def _is_data(self, thing: Fresh, name: str) -> bool:
        """Whether an attribute of an object that the call made is no method: then it is what it was set to."""
        kind = thing.kind
        if not isinstance(kind, type) or not self.world.is_ours(kind.__module__):
            return False
        try:
            owner, found = self.world.class_attribute(kind, name)
        except AttributeError:
            return bool(self.field(thing, name))
        if isinstance(found, _DATA):
            return True
        return (
            self.world.is_ours(owner.__module__)
            and not callable(found)
            and not hasattr(type(found), "__get__")
        )

    def _attribute_of_own(self, thing: Fresh, kind: LocalClass, name: str, node: Any, frame: Frame) -> Value:
        """An attribute of an instance of a class that the call defines."""
        me: Value = frozenset({thing})
        inherited = [found for _, found in self.methods_of(kind, name)]
        run: Value = NOTHING
        for found in inherited:
            if isinstance(found, Local) and found.style is property:
                run |= self.call(frozenset({found}), Args((me,)), node, frame)
        if not inherited:
            run |= self.run_methods(self.methods_of(kind, "__getattr__"), Args((me,)), node, frame)
        data = frozenset(
            each for each in inherited if isinstance(each, Origin) and not isinstance(each, Local)
        )
        return self.field(thing, name) | self.field(thing, ITEMS) | data | run

    def _attribute_of_outside(self, thing: Outside, name: str, node: Any, frame: Frame) -> Value:
        """An attribute of data of this process."""
        run = self._properties(thing, name, node, frame)
        kind = type(thing.value)
        if kind in LOGGERS and name in attributes_of(thing.value) and name != "name":
            self.stay(f"reads {name} of {thing.label}, a part of how this process logs", node, frame)
        if name not in attributes_of(thing.value) and self.world.is_ours(kind.__module__):
            try:
                owner, found = self.world.class_attribute(kind, name)
            except AttributeError:
                return self.part(thing) | run
            if not callable(found) and not isinstance(found, (staticmethod, classmethod, property)):
                try:
                    return self.part(thing) | run | self.world.class_data(owner, name, found)
                except StaysError as error:
                    self.stay(str(error), node, frame)
        return self.part(thing) | run
