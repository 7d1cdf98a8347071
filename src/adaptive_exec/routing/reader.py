"""Reads functions: an abstract interpreter over statements and expressions.

It runs a function's tree with values that say only where things come from (`origins`), and goes round again
until nothing new turns up. The first thing that must keep the call at home ends it. Its layers, each in a
file: `heap` (what holds what, and what a change means), `members`, `asking`, `foreign`, `methods`, `calls`,
`attributes`, `lookups`, `targets`, `identities`, `expressions`, `definitions`, `statements`.
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable
from typing import Any, Final

from . import source
from .arguments import Args
from .origins import (
    NOTHING,
    Local,
    StaysError,
    Value,
)
from .scopes import Env, Frame, Names, Scope
from .statements import Statements
from .world import World, module_of

__all__ = ["Reader"]

_FUNCTIONS: Final = 400

_ROUNDS: Final = 25

Key = tuple[Any, ...]


class Reader(Statements):
    """One reading of one submitted function."""

    def __init__(self, world: World, file: str, pinned: frozenset[int] = frozenset()) -> None:
        super().__init__(world, file, pinned)
        self._names: dict[int, Names] = {}
        self._frames: dict[Key, Frame] = {}
        self._known: dict[Key, Value] = {}
        self._done: set[Key] = set()
        self._nodes: dict[int, Any] = {}

    def settle(self, go: Callable[[], Value]) -> Value:
        """Read again and again until a reading finds nothing new."""
        nowhere = self.nowhere()
        for _ in range(_ROUNDS):
            self.changed = False
            self._done.clear()
            living = None if self.world.living is None else len(self.world.living)
            result = go()
            self.run_waiting(nowhere)
            now = None if self.world.living is None else len(self.world.living)
            if not self.changed and living == now:
                return result
        raise StaysError("is too tangled to read")

    def nowhere(self) -> Frame:
        """The frame of a call that no function makes."""
        node = ast.parse("lambda: None", mode="eval").body
        assert isinstance(node, ast.Lambda)
        return Frame(
            types.FunctionType(compile("None", "", "eval"), {}), None, Names(node), None, "", self.file
        )

    def run(
        self, fn: types.FunctionType, args: Args, node: Any, frame: Frame | None, owner: Any = None
    ) -> Value:
        """Read a function of ours with these arguments."""
        self.world.refuse_denied(fn)
        tree = self._nodes.get(id(fn.__code__))
        if tree is None:
            try:
                tree = source.find(fn)
            except source.NoSourceError as error:
                who = "" if fn is self.root else f"calls {fn.__qualname__}, which "
                raise StaysError(f"{who}{error}") from None
            self._nodes[id(fn.__code__)] = tree
        self.world.touched.setdefault(module_of(fn)) if module_of(fn) in sys.modules else None
        return self._run(tree, fn, None, owner, args, self._defaults(fn), fn.__code__.co_filename, node)

    def run_local(self, local: Local, args: Args, node: Any, frame: Frame) -> Value:
        """Read a function that the call defines."""
        outer: Frame = local.frame
        return self._run(
            local.node, outer.fn, outer, local.owner, args, local.defaults or {}, outer.file, node
        )

    def _defaults(self, fn: types.FunctionType) -> Env:
        """What the parameters are that a call does not give."""
        code = fn.__code__
        found: Env = {}
        names = code.co_varnames[: code.co_argcount]
        given = fn.__defaults__ or ()
        for name, value in [
            *zip(names[len(names) - len(given) :], given, strict=False),
            *(fn.__kwdefaults__ or {}).items(),
        ]:
            found[name] = self.world.default(fn, name, value)
        return found

    def _run(
        self,
        node: source.FunctionNode,
        fn: types.FunctionType,
        parent: Frame | None,
        owner: Any,
        args: Args,
        defaults: Env,
        file: str,
        at: Any,
    ) -> Value:
        """Read a body, once a round for each kind of arguments."""
        self.step()
        env = self._bind(node, args, defaults)
        key: Key = (id(node), id(parent), id(fn), id(owner), tuple(self.loops[-1:]), frozenset(env.items()))
        if key in self._done:
            return self._known.get(key, NOTHING)
        self._done.add(key)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _FUNCTIONS:
                raise StaysError("calls too many functions to read")
            names = self._names.get(id(node))
            if names is None:
                names = self._names[id(node)] = Names(node)
            arguments = [*node.args.posonlyargs, *node.args.args]
            first = arguments[0].arg if arguments else ""
            frame = self._frames[key] = Frame(fn, parent, names, owner, first, file)
        scope = Scope(frame, {})
        for name, value in env.items():
            self.bind(scope, name, value)
        result = self._body(node, scope)
        known = self._known.get(key, NOTHING)
        if not result <= known:
            self._known[key] = known | result
            self.changed = True
        return self._known.get(key, NOTHING)

    def _body(self, node: source.FunctionNode, scope: Scope) -> Value:
        """Run a body and say what it returns."""
        if isinstance(node, ast.Lambda):
            return self.value(node.body, scope)
        self.block(node.body, scope)
        if isinstance(node, ast.AsyncFunctionDef):
            return self.fresh(node, "coroutine", None, scope.returns | scope.yields)
        if scope.frame.names.generator:
            return self.fresh(node, "generator", None, scope.returns | scope.yields)
        return scope.returns

    def _bind(self, node: source.FunctionNode, args: Args, defaults: Env) -> Env:
        """Give the parameters their values."""
        spec = node.args
        plain = [*spec.posonlyargs, *spec.args]
        env: Env = {}
        for place, each in enumerate(plain):
            if place < len(args.positional):
                env[each.arg] = args.positional[place]
            elif each.arg in args.named:
                env[each.arg] = args.named[each.arg]
            else:
                env[each.arg] = defaults.get(each.arg, NOTHING) | args.rest
        for each in spec.kwonlyargs:
            env[each.arg] = args.named.get(each.arg, defaults.get(each.arg, NOTHING)) | args.rest
        if spec.vararg is not None:
            held = args.rest.union(*args.positional[len(plain) :])
            env[spec.vararg.arg] = self.fresh(spec.vararg, "args", tuple, held)
        if spec.kwarg is not None:
            taken = {each.arg for each in (*plain, *spec.kwonlyargs)}
            held = args.rest.union(*(value for name, value in args.named.items() if name not in taken))
            env[spec.kwarg.arg] = self.fresh(spec.kwarg, "kwargs", dict, held)
        return env
