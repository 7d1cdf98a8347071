"""What assigning, deleting and iterating do."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Any, Final

from .arguments import Args
from .heap import ITEMS, KEYS, is_mapping
from .lookups import Lookups
from .mappings import text_of
from .origins import (
    NOTHING,
    Fresh,
    LocalClass,
    Outside,
    Value,
)
from .scopes import Frame, Scope

__all__ = ["Targets"]


_LISTED: Final = ("__iter__", "__next__", "__getitem__", "__len__", "__length_hint__")


class Targets(Lookups):
    """Assigns to whatever can stand on the left."""

    @abstractmethod
    def value(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression may stand for."""

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Assign to a name, an attribute, an item or several of them."""
        frame = scope.frame
        if isinstance(target, ast.Name):
            self.store_name(scope, target.id, value, target)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.fresh(target, "rest", list, value), scope)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.refuse_order(value, target, frame)
            made = self.touch(value, ("__iter__", "__next__", "__getitem__"), target, frame)
            for each, part in self._parts(target, value):
                self.assign(each, part | made, scope)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, value, scope)
        elif isinstance(target, ast.Subscript):
            held = self.value(target.value, scope)
            key = self.value(target.slice, scope)
            self.hash_keys(key, target, frame)
            self._put_keys(held, key)
            self.touch(held, ("__setitem__",), target, frame, value)
            if isinstance(target.slice, ast.Slice):
                self.touch(value, _LISTED, target, frame)
            text = text_of(target.slice)
            mine = frozenset(each for each in held if is_mapping(each)) if text is not None else NOTHING
            for thing in mine:
                if isinstance(thing, Fresh):
                    self.put_at(thing, text, value)
            self.change(mine, "assigns an item of", target, frame)
            self.change(held - mine, "assigns an item of", target, frame, value, needed="__setitem__")

    def _put_keys(self, held: Value, key: Value) -> None:
        """Note the keys of what may be mappings."""
        for thing in held:
            if isinstance(thing, Fresh) and (is_mapping(thing) or thing.kind is None):
                self.put(thing, KEYS if is_mapping(thing) else ITEMS, key)

    def _parts(self, target: ast.Tuple | ast.List, value: Value) -> list[tuple[ast.expr, Value]]:
        """What each of several targets gets."""
        if any(isinstance(each, ast.Starred) for each in target.elts):
            return [(each, self.items(value)) for each in target.elts]
        return [(each, self.place(value, index)) for index, each in enumerate(target.elts)]

    def _assign_attribute(self, target: ast.Attribute, value: Value, scope: Scope) -> None:
        """Set an attribute; a property or a `__setattr__` of ours is run."""
        frame, name = scope.frame, target.attr
        held = self.value(target.value, scope)
        self.touch(held, ("__setattr__",), target, frame, value)
        for thing in held:
            if isinstance(thing, Fresh) and isinstance(thing.kind, type):
                self._set_through(thing, thing.kind, name, value, target, frame)
            if isinstance(thing, LocalClass):
                thing.names[name] = thing.names.get(name, NOTHING) | value
        self.change(held, f"sets the attribute {name} of", target, frame, value, name, needed=name)

    def _set_through(
        self, thing: Fresh, kind: type, name: str, value: Value, node: Any, frame: Frame
    ) -> None:
        """Run a setter that stands in the class."""
        if not self.world.is_ours(kind.__module__):
            return
        for owner, found in self.methods_of(kind, name):
            if isinstance(found, property) and found.fset is not None:
                self.run_found(found.fset, Args((frozenset({thing}), value)), node, frame, owner)
            elif self.methods_of(type(found), "__set__"):
                descriptor = self.world.class_data(owner, name, found)
                self.call_method(descriptor, "__set__", Args((frozenset({thing}), value)), node, frame)

    def delete_through(self, held: Value, name: str, node: Any, frame: Frame) -> None:
        """Run what stands in the class for deleting an attribute."""
        for thing in held:
            me: Value = frozenset({thing})
            for owner, found in [
                each for kind in self.classes_of(thing) for each in self.methods_of(kind, name)
            ]:
                if isinstance(found, property) and found.fdel is not None:
                    self.run_found(found.fdel, Args((me,)), node, frame, owner)
                elif self.methods_of(type(found), "__delete__"):
                    descriptor: Value = frozenset({Outside(f"what {owner.__qualname__} holds", found)})
                    self.call_method(descriptor, "__delete__", Args((me,)), node, frame)

    def delete(self, target: ast.expr, scope: Scope) -> None:
        """Delete a name, an attribute or an item."""
        frame = scope.frame
        if isinstance(target, ast.Name):
            if target.id in frame.names.globals | frame.names.nonlocals:
                self.stay(f"deletes {target.id}", target, frame)
        elif isinstance(target, ast.Attribute):
            held = self.value(target.value, scope)
            self.touch(held, ("__delattr__",), target, frame)
            self.delete_through(held, target.attr, target, frame)
            self.change(held, f"deletes the attribute {target.attr} of", target, frame)
        elif isinstance(target, ast.Subscript):
            held = self.value(target.value, scope)
            self.value(target.slice, scope)
            self.touch(held, ("__delitem__",), target, frame)
            self.change(held, "deletes an item of", target, frame, needed="__delitem__")
        elif isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self.delete(each, scope)

    def grown(self, before: Value, operand: Value, dunder: str) -> Value:
        """Those objects of the call's own that `+=` may have changed in place; a method of ours says itself how."""
        for thing in before:
            if isinstance(thing, Fresh) and not self.methods_of(thing.kind, dunder):
                self.put(thing, ITEMS, self.items(operand))
        return frozenset(thing for thing in before if isinstance(thing, Fresh))

    def sum_of(self, before: Value, operand: Value, node: Any) -> Value:
        """The new object that an operator makes where it changes none."""
        return self.fresh(node, "sum", None, self.items(before | operand)) if before or operand else NOTHING

    def iterate(self, node: ast.expr, scope: Scope) -> Value:
        """What iterating over an expression gives."""
        return self.iterated(self.value(node, scope), node, scope)

    def iterated(self, value: Value, node: ast.expr, scope: Scope) -> Value:
        """What iterating over a value gives."""
        made = self.touch(value, ("__iter__", "__next__", "__getitem__"), node, scope.frame)
        if made:
            made |= self.items(made) | self.touch(made, ("__next__",), node, scope.frame)
        return self.each_of(value) | made

    def test(self, node: ast.expr, scope: Scope) -> None:
        """Evaluate a condition."""
        self.touch(self.value(node, scope), ("__bool__", "__len__"), node, scope.frame)

    def assign_inside(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Bind a comprehension's own names, which are neither global nor the function's."""
        if isinstance(target, ast.Name):
            self.bind(scope, target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.refuse_order(value, target, scope.frame)
            for each, part in self._parts(target, value):
                self.assign_inside(each, part, scope)
        elif isinstance(target, ast.Starred):
            self.assign_inside(target.value, self.fresh(target, "rest", list, value), scope)
        else:
            self.assign(target, value, scope)
