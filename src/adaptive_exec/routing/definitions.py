"""Functions and classes that a call defines, and modules that it imports."""

from __future__ import annotations

import ast
import importlib.util
import sys
from typing import Any, Final

from .arguments import Args
from .denied import denied
from .expressions import Expressions
from .origins import (
    NOTHING,
    External,
    Known,
    Local,
    LocalClass,
    Outside,
    Param,
    Value,
)
from .scopes import Env, Frame, Scope
from .world import World

__all__ = ["Definitions"]


class Definitions(Expressions):
    """Defines and imports."""

    def __init__(self, world: World, file: str, pinned: frozenset[int] = frozenset()) -> None:
        super().__init__(world, file, pinned)
        self._classes: dict[tuple[int, int], LocalClass] = {}

    def _do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            module = self._module(alias.name, node, scope)
            if alias.asname is None and "." in alias.name:
                module = self._module(alias.name.partition(".")[0], node, scope)
            self.store_name(scope, (alias.asname or alias.name).partition(".")[0], module, node)

    def _do_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        name = node.module or ""
        if node.level:
            package = scope.frame.fn.__globals__.get("__package__") or ""
            name = importlib.util.resolve_name("." * node.level + name, package)
        module = self._module(name, node, scope)
        for alias in node.names:
            if alias.name == "*":
                self.stay("imports everything of a module", node, scope.frame)
            value: Value = NOTHING
            for thing in module:
                if isinstance(thing, Known) and not hasattr(thing.value, alias.name):
                    value |= self._module(f"{name}.{alias.name}", node, scope)
                else:
                    value |= self.attribute_of(thing, alias.name, node, scope)
            self.store_name(scope, alias.asname or alias.name, value, node)

    def _module(self, name: str, node: Any, scope: Scope) -> Value:
        """A module by its name; one of ours that is not loaded yet would be loaded by the call."""
        why = denied(f"{name}.x") if name not in ("sys", "os", "decimal") else None
        if why is not None and denied(name) is not None:
            self.stay(why, node, scope.frame)
        module = sys.modules.get(name)
        if module is not None:
            return frozenset({Known(module)})
        if name.partition(".")[0] == self.world.top or not _is_foreign(name, self.world):
            self.stay(f"imports {name}, which is not loaded yet", node, scope.frame)
        return frozenset({External(name)})

    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        value = self.function(node, scope, None)
        self.store_name(scope, node.name, value, node)

    _do_asyncfunctiondef = _do_functiondef

    def function(self, node: Any, scope: Scope, owner: Any) -> Value:
        """A function that is defined here, with its decorators applied."""
        spec = node.args
        names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
        defaults: Env = {}
        for name, default in zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=False):
            defaults[name] = self.value(default, scope)
        for each, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=False):
            if default is not None:
                defaults[each.arg] = self.value(default, scope)
        style, decorators = None, []
        for decorator in getattr(node, "decorator_list", []):
            applied = self.value(decorator, scope)
            plain = [t.value for t in applied if isinstance(t, Known) and isinstance(t.value, type)]
            styled = next((each for each in _STYLES if any(each is value for value in plain)), None)
            style = styled or style
            if styled is None:
                decorators.append(applied)
        value: Value = frozenset({Local(node, scope.frame, owner, defaults, style)})
        for applied in reversed(decorators):
            value = self.call(applied, Args((value,)), node, scope.frame) | value
        return value

    def _do_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = NOTHING.union(*(self.value(base, scope) for base in node.bases))
        self._check_bases(bases, node, scope.frame)
        kind = self._classes.setdefault((id(node), id(scope.frame)), LocalClass(node, scope.frame, bases, {}))
        inner = Scope(scope.frame, dict(scope.env or {}))
        for statement in node.body:
            self._member(statement, kind, inner)
        value: Value = frozenset({kind})
        for decorator in reversed(node.decorator_list):
            value = value | self.call(self.value(decorator, scope), Args((value,)), node, scope.frame)
        self.store_name(scope, node.name, value, node)

    def _check_bases(self, bases: Value, node: ast.ClassDef, frame: Frame) -> None:
        """A class statement may run code of its bases."""
        for base in bases:
            if isinstance(base, (Param, Outside)):
                self.stay(f"derives a class from {base.label}", node, frame)
            if isinstance(base, Known):
                self.run_methods(
                    self.methods_of(base.value, "__init_subclass__"), Args((bases,)), node, frame
                )
                if self.world.is_ours(type(base.value).__module__):
                    self.stay("defines a class with a metaclass of its own", node, frame)
        if node.keywords:
            self.stay("defines a class with a metaclass or keywords", node, frame)

    def _member(self, statement: ast.stmt, kind: LocalClass, inner: Scope) -> None:
        """One statement of a class body."""
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._set_member(kind, statement.name, self.function(statement, inner, kind), inner)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            value = self.value(statement.value, inner)
            self.touch(value, ("__set_name__",), statement, inner.frame)
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                if isinstance(target, ast.Name):
                    self._set_member(kind, target.id, value, inner)
                else:
                    self.assign(target, value, inner)
        elif not isinstance(statement, (ast.Pass, ast.AnnAssign)) and not _is_docstring(statement):
            self.stay("defines a class with statements in its body", statement, inner.frame)

    def _set_member(self, kind: LocalClass, name: str, value: Value, inner: Scope) -> None:
        """Note what a class body binds."""
        known = kind.names.get(name, NOTHING)
        if not value <= known:
            kind.names[name] = known | value
            self.changed = True
        if inner.env is not None:
            inner.env[name] = value


_STYLES: Final = (staticmethod, classmethod, property)


def _is_foreign(name: str, world: World) -> bool:
    """Whether a module that is not loaded yet is not ours."""
    if name.partition(".")[0] in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return False
    origin = getattr(spec, "origin", None)
    return isinstance(origin, str) and ("site-packages" in origin or "dist-packages" in origin)


def _is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is only a string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
