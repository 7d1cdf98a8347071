"""What expressions may stand for."""

from __future__ import annotations

import ast
import builtins
import operator
import re
import sys
from abc import abstractmethod
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from . import tables
from .arguments import Args
from .asking import getter
from .heap import ARRAY, ITEMS, KEYS, is_mapping
from .identities import Identities
from .kinds import has_any
from .loops import has_own_keys
from .mappings import text_of
from .origins import (
    NOTHING,
    UNKNOWN,
    Bound,
    External,
    Fresh,
    Known,
    Outside,
    Param,
    Value,
)
from .scopes import Env, Scope

__all__ = ["Expressions", "beside"]

_SEQUENCES: Final = (list, tuple, bytearray, deque)
_ARRAYS: Final = frozenset({"numpy", "torch", "jax", "cupy"})


class Expressions(Identities):
    """Evaluates expressions."""

    @abstractmethod
    def function(self, node: Any, scope: Scope, owner: Any) -> Value:
        """A function that is defined here, with its decorators applied."""

    def value(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression may stand for."""
        self.step()
        run = getattr(self, f"_ev_{type(node).__name__.lower()}", None)
        if run is None:
            self.stay(
                f"has an expression of a kind that is not known here ({type(node).__name__})",
                node,
                scope.frame,
            )
        result: Value = run(node, scope)
        return result

    def _ev_constant(self, node: ast.Constant, scope: Scope) -> Value:
        return NOTHING

    def _ev_name(self, node: ast.Name, scope: Scope) -> Value:
        return self.load_name(scope, node.id, node)

    def _ev_attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        return self.attribute(self.value(node.value, scope), node.attr, node, scope)

    def _ev_call(self, node: ast.Call, scope: Scope) -> Value:
        callee = self.value(node.func, scope)
        free = self.note_sorted(callee, node)
        positional: list[Value] = []
        rest: Value = NOTHING
        for each in node.args:
            if isinstance(each, ast.Starred):
                rest |= self._spread(each.value, scope, shows=not free)
            elif rest:
                rest |= self.value(each, scope)
            else:
                positional.append(self.value(each, scope))
        named: Env = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            if keyword.arg is None:
                rest |= self.items(value)
            else:
                named[keyword.arg] = value
        args = Args(tuple(positional), named, rest)
        return self._special(callee, args, node, scope) | self.call(callee, args, node, scope.frame)

    def _special(self, callee: Value, args: Args, node: ast.Call, scope: Scope) -> Value:
        """Calls that read an attribute by its name, or would reach the reader's own names."""
        result: Value = NOTHING
        for thing in callee:
            value = thing.value if isinstance(thing, Known) else None
            if value is builtins.getattr and len(node.args) >= 2:
                name = node.args[1]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    result |= self.attribute(args.positional[0], name.value, node, scope)
                else:
                    result |= self._any_attribute(args.positional[0], node, scope)
            elif (value is builtins.hasattr or value is builtins.delattr) and len(node.args) == 2:
                self._is_there(node, args, scope)
            elif isinstance(value, type) and issubclass(value, (operator.attrgetter, operator.itemgetter)):
                result |= self._getter(value, node, scope)
            elif value is builtins.vars and not node.args:
                self.stay("calls vars() on its own names", node, scope.frame)
        if not callee and isinstance(node.func, ast.Attribute):
            result |= self._on_constant(node.func.attr, args, node, scope)
        return result

    def _on_constant(self, name: str, args: Args, node: ast.Call, scope: Scope) -> Value:
        """Call a method of a number or string."""
        if name in ("format", "format_map"):
            self._fetch_fields(node, args, scope)
        self.change_by_method(name, args, node, scope.frame)
        self.callbacks(args, node, scope.frame)
        self.expose(args.all(), only_special=True)
        if name in ("join", "format"):
            self.refuse_order(args.all(), node, scope.frame, deep=name == "format")
            spoken = ("__str__", "__format__", "__repr__", "__iter__", "__next__")
            self.touch(args.all(), spoken, node, scope.frame, deep=True)
        if name in (
            "split",
            "rsplit",
            "splitlines",
            "encode",
            "decode",
            "partition",
            "to_bytes",
        ):
            return self.fresh(node, "new", list if "split" in name else None)
        return NOTHING

    def _fetch_fields(self, node: ast.Call, args: Args, scope: Scope) -> None:
        """A format string fetches attributes and items."""
        text = node.func.value if isinstance(node.func, ast.Attribute) else None
        names = set(re.findall(r"\.(\w+)", str(text.value))) if _is_text(text) else set()
        for name in sorted(names):
            self.attribute(self.reach(args.all()), name, node, scope)
        self.touch(args.all(), ("__getitem__", "__missing__"), node, scope.frame, deep=True)

    def _getter(self, kind: type, node: ast.Call, scope: Scope) -> Value:
        """A function that fetches attributes or items."""
        if kind is operator.itemgetter:
            return frozenset({getter(kind, (0,))})
        names = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
        for name in names:
            if not isinstance(name, str) or name.rpartition(".")[2] in tables.MUTATORS:
                self.stay("fetches a method by its name", node, scope.frame)
        return frozenset({getter(kind, tuple(names))}) if names else NOTHING

    def _is_there(self, node: ast.Call, args: Args, scope: Scope) -> None:
        """`hasattr` fetches the attribute; `delattr` may run what stands in the class."""
        name = node.args[1]
        mine = frozenset(each for each in args.positional[0] if isinstance(each, (Fresh, Param, Outside)))
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.attribute(mine, name.value, node, scope)
            self.delete_through(mine, name.value, node, scope.frame)
        else:
            self._any_attribute(mine, node, scope)

    def _any_attribute(self, value: Value, node: ast.Call, scope: Scope) -> Value:
        """An attribute whose name nobody knows."""
        for thing in value:
            if isinstance(thing, (Known, External)):
                self.stay("looks up a name that is only known when it runs", node, scope.frame)
        mine = frozenset(thing for thing in value if isinstance(thing, (Fresh, Param, Outside)))
        for thing in mine:
            methods = [found for kind in self.classes_of(thing) for found in self.all_methods(kind)]
            run = [found for found in methods if isinstance(found[1], property)]
            self.run_methods(run, Args((frozenset({thing}),)), node, scope.frame)
        return self.items(mine) | frozenset({Bound(mine, ITEMS)})

    def _ev_binop(self, node: ast.BinOp, scope: Scope) -> Value:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if not left and not right:
            return NOTHING
        dunders = tables.OPERATORS[type(node.op).__name__]
        made = self.touch(left, dunders[:1], node, scope.frame, right)
        made |= self.touch(right, dunders[1:2], node, scope.frame, left)
        if isinstance(node.op, ast.Mult):
            self.touch(left | right, ("__index__",), node, scope.frame)
        if isinstance(node.op, ast.Mod):
            spoken = ("__str__", "__repr__", "__getitem__", "__missing__", "__format__")
            self.touch(right, spoken, node, scope.frame, deep=True)
            self.expose(right, only_special=True)  # a text asks for its items, and these for theirs
            self.refuse_order(right, node, scope.frame, deep=True)
        sets = self.is_set_sum(node, left, right)
        if (
            not made
            and not sets
            and self.is_number(left | right, dunders[:2], beside(node.op, node.left, node.right))
        ):
            return NOTHING
        kinds = {thing.kind if isinstance(thing, Fresh) else None for thing in left | right}
        kind = next(iter(kinds)) if len(kinds) == 1 else None
        kind = set if sets else kind
        if isinstance(node.op, ast.Mult) and list in kinds:
            rows = frozenset(
                thing for thing in left | right if isinstance(thing, Fresh) and thing.kind is list
            )
            return made | self.fresh(node, "sum", list, self.items(rows))
        return made | self.fresh(
            node, "sum", kind if kind in (list, tuple, set, ARRAY) else None, self.items(left | right)
        )

    def is_number(self, value: Value, names: tuple[str, ...], but: tuple[type, ...] = ()) -> bool:
        """Whether an operator can make of these nothing but numbers and texts: other things don't know it.

        Where it knows objects of these classes otherwise, it is an error.
        """
        for thing in value:
            if isinstance(thing, Fresh):
                if not isinstance(thing.kind, type) or self.world.is_ours(thing.kind.__module__):
                    return False
                if thing.kind not in but and has_any((thing.kind,), names):
                    return False
            elif isinstance(thing, Param):
                if thing.kinds is not None or not self.world.lacks(*names, but=but):
                    return False
            elif isinstance(thing, Outside) and thing.value is not UNKNOWN:
                if has_any((type(thing.value),), names):
                    return False
            elif not isinstance(thing, Bound):
                return False
        return True

    def _ev_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self.value(node.operand, scope)
        made = self.touch(value, tables.OPERATORS[type(node.op).__name__], node, scope.frame)
        if isinstance(node.op, ast.Not) or not value:
            return NOTHING
        if not made and self.is_number(value, tables.OPERATORS[type(node.op).__name__]):
            return NOTHING
        return made | self.fresh(node, "unary")

    def _ev_boolop(self, node: ast.BoolOp, scope: Scope) -> Value:
        value = NOTHING.union(*(self.value(each, scope) for each in node.values))
        self.touch(value, ("__bool__", "__len__"), node, scope.frame)
        return value

    def _ev_compare(self, node: ast.Compare, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        before = node.left
        result: Value = NOTHING
        for op, each in zip(node.ops, node.comparators, strict=True):
            right = self.value(each, scope)
            if isinstance(op, (ast.Is, ast.IsNot)):
                self.compare_identities(((before, left), (each, right)), node, scope)
            before = each
            both, names = left | right, tables.OPERATORS[type(op).__name__]
            self.touch(result, ("__bool__", "__len__"), node, scope.frame)
            result |= self.touch(both, names, node, scope.frame, both, deep=True)
            left = right
        return result

    def _ev_ifexp(self, node: ast.IfExp, scope: Scope) -> Value:
        self.test(node.test, scope)
        return self.value(node.body, scope) | self.value(node.orelse, scope)

    def _ev_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def _ev_lambda(self, node: ast.Lambda, scope: Scope) -> Value:
        return self.function(node, scope, None)

    def _ev_starred(self, node: ast.Starred, scope: Scope) -> Value:
        return self._spread(node.value, scope, shows=True)

    def _spread(self, node: ast.expr, scope: Scope, *, shows: bool) -> Value:
        """What stands behind a star; whether it shows in which order that comes."""
        value = self.value(node, scope)
        if shows:
            self.refuse_order(value, node, scope.frame)
        return self.iterated(value, node, scope)

    def _ev_tuple(self, node: ast.Tuple | ast.List | ast.Set, scope: Scope) -> Value:
        kind = {"Tuple": tuple, "List": list, "Set": set}[type(node).__name__]
        if kind is tuple and not any(isinstance(each, ast.Starred) for each in node.elts):
            return self.row(node, "display", [self.value(each, scope) for each in node.elts])
        held = NOTHING.union(
            *(
                self._spread(each.value, scope, shows=kind is not set)
                if isinstance(each, ast.Starred)
                else self.value(each, scope)
                for each in node.elts
            )
        )
        if kind is set:
            self.hash_keys(held, node, scope.frame)
        return self.fresh(node, "display", kind, held)

    _ev_list = _ev_set = _ev_tuple

    def _ev_dict(self, node: ast.Dict, scope: Scope) -> Value:
        made = self.fresh(node, "display", dict)
        thing = Fresh((id(node), "display"), dict)
        merged: Value = NOTHING
        for key, each in zip(node.keys, node.values, strict=True):
            value = self.value(each, scope)
            if key is None:
                merged |= value
                self.touch(value, ("keys", "__getitem__"), node, scope.frame)
                self.pour(thing, Args((value,)))
                continue
            keys = self.value(key, scope)
            self.hash_keys(keys, node, scope.frame)
            self.put(thing, KEYS, keys)
            self.put_at(thing, text_of(key), value)
        return self.pass_order(merged, made)

    def _ev_subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        index = self.value(node.slice, scope)
        self.hash_keys(index, node, scope.frame)
        self.touch(index, ("__index__",), node, scope.frame)
        made = self.touch(
            value, ("__getitem__", "__missing__", "__class_getitem__"), node, scope.frame, index
        )
        if any(isinstance(thing, Known) for thing in value):
            made |= frozenset(thing for thing in value if isinstance(thing, Known))
            made |= self._item_of_class(value, index, node, scope)
        data = frozenset(thing for thing in value if not isinstance(thing, Known))
        for thing in data:
            if isinstance(thing, Outside) and isinstance(thing.value, defaultdict):
                self.stay(f"may add a missing key to {thing.label}", node, scope.frame)
        constant = node.slice.value if isinstance(node.slice, ast.Constant) else None
        mine = frozenset(thing for thing in data if is_mapping(thing))
        rest = data - mine
        items = self.place(rest, constant) if type(constant) is int else self.items(rest)
        items |= self.values_at(mine, text_of(node.slice))
        if isinstance(node.slice, ast.Slice):
            new = self.fresh(node, "slice", None if "numpy" in sys.modules else list, items)
            return made | (new | value if _ARRAYS & sys.modules.keys() else new)
        return items | made

    def _item_of_class(self, value: Value, index: Value, node: ast.Subscript, scope: Scope) -> Value:
        """`Kind[key]` runs what the class has for that."""
        result: Value = NOTHING
        for thing in value:
            kind = thing.value if isinstance(thing, Known) else None
            if isinstance(kind, type) and not self.methods_of(type(kind), "__getitem__"):
                found = self.methods_of(kind, "__class_getitem__")
                result |= self.run_methods(found, Args((frozenset({thing}), index)), node, scope.frame)
        return result

    def _ev_slice(self, node: ast.Slice, scope: Scope) -> Value:
        ends = NOTHING.union(
            *(self.value(each, scope) for each in (node.lower, node.upper, node.step) if each)
        )
        self.touch(ends, ("__index__",), node, scope.frame)
        return ends

    def _ev_joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Value:
        for each in node.values:
            self.value(each, scope)
        return NOTHING

    def _ev_formattedvalue(self, node: ast.FormattedValue, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        self.refuse_places(value, node, scope.frame)
        self.refuse_order(value, node, scope.frame, deep=True)
        self.touch(value, ("__format__", "__str__", "__repr__"), node, scope.frame, deep=True)
        if node.format_spec is not None:
            self.value(node.format_spec, scope)
        return NOTHING

    def _comprehension(
        self, node: Any, results: Sequence[ast.expr], scope: Scope
    ) -> tuple[list[Value], Value]:
        """Run a comprehension's loops, twice: what is bound late may be used early. What it holds, and goes over."""
        self.world.nature.repeat()
        outer = scope.env
        held: list[Value] = []
        over: Value = NOTHING
        scope.env = dict(outer or {})
        for _ in range(2):
            for generator in node.generators:
                if generator.is_async:
                    self.stay("awaits", node, scope.frame)
                value = self.value(generator.iter, scope)
                over |= value
                self.assign_inside(generator.target, self.iterated(value, generator.iter, scope), scope)
                for condition in generator.ifs:
                    self.test(condition, scope)
            held = [self.value(each, scope) for each in results]
        bound = {
            each.id
            for generator in node.generators
            for each in ast.walk(generator.target)
            if isinstance(each, ast.Name)
        }
        walruses = {each.target.id for each in ast.walk(node) if isinstance(each, ast.NamedExpr)} - bound
        if outer is not None and scope.env is not None:
            for name in walruses & scope.env.keys():
                outer[name] = outer.get(name, NOTHING) | scope.env[name]
        scope.env = outer
        return held, over

    def _ev_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Value:
        (held,), over = self._comprehension(node, [node.elt], scope)
        if isinstance(node, ast.SetComp):
            self.hash_keys(held, node, scope.frame)
            return self.fresh(node, "comprehension", set, held)
        made = self.fresh(node, "comprehension", list, held)
        if self.is_sorted(node):
            return made
        if isinstance(node, ast.ListComp):
            self.refuse_order(over, node, scope.frame)
        return self.pass_order(over, made)

    _ev_setcomp = _ev_generatorexp = _ev_listcomp

    def _ev_dictcomp(self, node: ast.DictComp, scope: Scope) -> Value:
        (keys, values), over = self._comprehension(node, [node.key, node.value], scope)
        self.hash_keys(keys, node, scope.frame)
        if not has_own_keys(node):
            self.refuse_order(over, node, scope.frame)
        self.put(Fresh((id(node), "comprehension"), dict), KEYS, keys)
        return self.pass_order(over, self.fresh(node, "comprehension", dict, values))

    def _ev_yield(self, node: ast.Yield, scope: Scope) -> Value:
        if node.value is not None:
            scope.yields |= self.value(node.value, scope)
        return self.sent | self.fresh(node, "sent")

    def _ev_yieldfrom(self, node: ast.YieldFrom, scope: Scope) -> Value:
        items = self._spread(node.value, scope, shows=True)
        scope.yields |= items
        return items

    def _ev_await(self, node: ast.Await, scope: Scope) -> Value:
        self.stay("awaits", node, scope.frame)


def beside(op: ast.operator, *operands: ast.expr) -> tuple[type, ...]:
    """Return the classes that know an operator, but not beside one of these: to a number nobody adds a list.

    Args:
        op: The operator.
        operands: Its sides, or the one of them that is seen.
    """
    number = any(isinstance(each, ast.Constant) and type(each.value) in (int, float) for each in operands)
    return _SEQUENCES if number and isinstance(op, ast.Add) else ()


def _is_text(node: ast.expr | None) -> TypeGuard[ast.Constant]:
    """Whether an expression is a string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
