"""What statements do to names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from . import tables
from .arguments import Args
from .definitions import Definitions
from .expressions import beside
from .loops import names_of
from .mappings import text_of
from .origins import (
    NOTHING,
    Fresh,
    Known,
    LocalClass,
    Outside,
    Param,
    Value,
)
from .scopes import Scope, joined

__all__ = ["Statements"]

_ROUNDS: Final = 25


class Statements(Definitions):
    """Runs statements, joins where ways meet, and goes round loops until nothing new turns up."""

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Run statements until control can't come further."""
        for statement in body:
            if scope.env is None:
                return
            self.step()
            for place, seen in enumerate(scope.tries):
                scope.tries[place] = joined(seen, scope.env) or {}
            run = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if run is None:
                self.stay(
                    f"has a statement of a kind that is not known here ({type(statement).__name__})",
                    statement,
                    scope.frame,
                )
            run(statement, scope)
        if scope.env is not None:
            for place, seen in enumerate(scope.tries):
                scope.tries[place] = joined(seen, scope.env) or {}

    def _do_expr(self, node: ast.Expr, scope: Scope) -> None:
        self.value(node.value, scope)

    def _do_pass(self, node: ast.Pass, scope: Scope) -> None:
        pass

    _do_global = _do_nonlocal = _do_pass

    def _do_typealias(self, node: Any, scope: Scope) -> None:
        self.store_name(scope, node.name.id, NOTHING, node)

    def _do_return(self, node: ast.Return, scope: Scope) -> None:
        if node.value is not None:
            scope.returns |= self.value(node.value, scope)
        scope.env = None

    def _do_raise(self, node: ast.Raise, scope: Scope) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.raised |= self._instances(self.value(part, scope), node, scope)
        scope.env = None

    def _instances(self, value: Value, node: Any, scope: Scope) -> Value:
        """`raise Error` makes an instance."""
        kinds = frozenset(thing for thing in value if isinstance(thing, (Known, LocalClass)))
        return (value - kinds) | (self.call(kinds, Args(), node, scope.frame) if kinds else NOTHING)

    def _do_assert(self, node: ast.Assert, scope: Scope) -> None:
        self.test(node.test, scope)
        if node.msg is not None:
            self.raised |= self.value(node.msg, scope)

    def _do_break(self, node: ast.Break, scope: Scope) -> None:
        if scope.env is not None and scope.breaks:
            scope.breaks[-1].append(scope.env)
        scope.env = None

    def _do_continue(self, node: ast.Continue, scope: Scope) -> None:
        if scope.env is not None and scope.continues:
            scope.continues[-1].append(scope.env)
        scope.env = None

    def _do_if(self, node: ast.If, scope: Scope) -> None:
        self.test(node.test, scope)
        self._branches([node.body, node.orelse], scope)

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> None:
        """Run each of several bodies from here, and join where they end."""
        begin, ends = scope.env, []
        for body in bodies:
            scope.env = None if begin is None else dict(begin)
            self.block(body, scope)
            ends.append(scope.env)
        scope.env = joined(*ends)

    def _do_while(self, node: ast.While, scope: Scope) -> None:
        self._loop(lambda: self.test(node.test, scope), node, scope)

    def _do_for(self, node: ast.For, scope: Scope) -> None:
        self.note_copy(node.iter)
        value = self.value(node.iter, scope)
        items = self.iterated(value, node.iter, scope)
        unordered = self.enter_loop(value, node, scope.frame)
        if unordered is None:
            labels = self.labels_of(value)
            last = names_of(node.target) if labels else None
            leave = None if last is None else lambda: self.taint(scope, last, labels)
            self._loop(lambda: self.assign(node.target, items, scope), node, scope, leave)
            return

        def head() -> None:
            self.taint(scope, unordered.carried)
            self.assign(node.target, items, scope)

        self._loop(head, node, scope, lambda: self.leave_loop(unordered, node, scope))

    def _loop(
        self,
        head: Callable[[], None],
        node: ast.While | ast.For,
        scope: Scope,
        tail: Callable[[], None] | None = None,
    ) -> None:
        """Run a loop's head and body until the names stand for nothing new."""
        self.world.nature.repeat()
        scope.breaks.append([])
        scope.continues.append([])
        for _ in range(_ROUNDS):
            begin = dict(scope.env or {})
            head()
            self.block(node.body, scope)
            scope.env = joined(begin, scope.env, *scope.continues[-1])
            if scope.env == begin:
                break
        else:
            self.stay("has a loop too tangled to read", node, scope.frame)
        scope.continues.pop()
        broken = scope.breaks.pop()
        if tail is not None:
            tail()
        self.block(node.orelse, scope)
        scope.env = joined(scope.env, *broken)

    def _do_with(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            self.entering.add(id(item.context_expr))
            yielded, manager = self.lent_by(self.value(item.context_expr, scope))
            entered = self.touch(manager, ("__enter__",), node, scope.frame)
            self.touch(manager, ("__exit__",), node, scope.frame)
            for thing in manager:
                if isinstance(thing, Outside) or (
                    isinstance(thing, Param) and not self.is_without(thing, "__enter__")
                ):
                    self.stay(f"enters {thing.label}", node, scope.frame)
            if item.optional_vars is not None:
                lent = frozenset(thing for thing in manager if not self._enters_itself(thing))
                self.assign(item.optional_vars, yielded | entered | manager | self.items(lent), scope)
        scope.tries.append(dict(scope.env or {}))
        self.block(node.body, scope)
        scope.env = joined(scope.env, scope.tries.pop())  # the manager may swallow an exception

    def _enters_itself(self, thing: Any) -> bool:
        """Whether `with` gives the very object: as files do, and archives."""
        kind = thing.kind if isinstance(thing, Fresh) else None
        return isinstance(kind, type) and tables.gives_new(self.world.name_of(kind))

    def _do_try(self, node: ast.Try, scope: Scope) -> None:
        scope.tries.append(dict(scope.env or {}))
        self.block(node.body, scope)
        thrown = scope.tries.pop()
        self.block(node.orelse, scope)
        ends = [scope.env]
        for handler in node.handlers:
            scope.env = dict(thrown)
            if handler.type is not None:
                self.value(handler.type, scope)
            if handler.name:
                self.store_name(scope, handler.name, self.raised | self.fresh(handler, "caught"), handler)
            scope.tries.append(dict(thrown))
            self.block(handler.body, scope)
            thrown = joined(thrown, scope.tries.pop()) or {}
            ends.append(scope.env)
        if not node.finalbody:
            scope.env = joined(*ends)
            return
        alive = joined(*ends)
        scope.env = joined(alive, thrown)
        self.block(node.finalbody, scope)
        if alive is None:
            scope.env = None

    _do_trystar = _do_try

    def _do_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            self.delete(target, scope)

    def _do_assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value, scope), scope)

    def _do_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        frame, target = scope.frame, node.target
        operand = self.value(node.value, scope)
        dunders = tables.OPERATORS[type(node.op).__name__]
        self.touch(operand, (dunders[1], "__iter__", "__next__", "__hash__"), node, frame)
        if isinstance(target, ast.Name):
            before = self.load_name(scope, target.id, target)
            made = self.touch(before, dunders, node, frame, operand)
            self.check_augmented(before, operand, node, frame)
            kept = self.grown(before, operand, dunders[2])
            self.store_name(scope, target.id, kept | made | self._sum(before, operand, made, node), node)
            return
        held = self.value(target.value, scope)
        if isinstance(target, ast.Attribute):
            before = self.attribute(held, target.attr, target, scope)
        else:
            self.value(target.slice, scope)
            before = self.values_at(held, text_of(target.slice))
        made = self.touch(before, dunders, node, frame, operand)
        self.check_augmented(before, operand, node, frame)
        kept = self.grown(before, operand, dunders[2])
        self.assign(target, kept | self._sum(before, operand, made, node), scope)

    def _sum(self, before: Value, operand: Value, made: Value, node: ast.AugAssign) -> Value:
        """What an operator gives where it changes nothing; `made` is what special methods of ours give."""
        names = tables.OPERATORS[type(node.op).__name__]
        if not made and self.is_number(before | operand, names, beside(node.op, node.value)):
            return NOTHING
        return self.sum_of(before, operand, node)

    def _do_match(self, node: ast.Match, scope: Scope) -> None:
        subject = self.value(node.subject, scope)
        once = self.items(subject)
        parts = subject | once | self.items(once)
        begin, ends = scope.env, []
        for case in node.cases:
            scope.env = dict(begin or {})
            for inner in ast.walk(case.pattern):
                name = getattr(inner, "name", None) or getattr(inner, "rest", None)
                if isinstance(name, str):
                    self.store_name(scope, name, parts, inner)
                elif isinstance(inner, ast.expr):
                    self.value(inner, scope)
            self._match_classes(case.pattern, parts, scope)
            self.touch(subject, ("__eq__", "__len__", "__getitem__"), node, scope.frame)
            if case.guard is not None:
                self.test(case.guard, scope)
            self.block(case.body, scope)
            ends.append(scope.env)
        scope.env = joined(begin, *ends)

    def _match_classes(self, pattern: ast.pattern, parts: Value, scope: Scope) -> None:
        """A class pattern asks whether it is one, and fetches attributes."""
        for inner in ast.walk(pattern):
            if isinstance(inner, ast.MatchClass):
                kinds = self.value(inner.cls, scope)
                self.ask_whether("builtins.isinstance", Args((parts, kinds)), inner, scope.frame)
                names = list(inner.kwd_attrs)
                for kind in kinds:
                    known = getattr(getattr(kind, "value", None), "__match_args__", ())
                    names += known[: len(inner.patterns)] if isinstance(known, tuple) else ()
                for name in names:
                    self.attribute(parts, name, inner, scope)
