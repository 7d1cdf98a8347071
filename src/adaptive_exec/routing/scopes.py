"""Names: which are a function's own, what each may stand for, and where."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from typing import Any

from .origins import NOTHING, Value
from .source import FunctionNode

__all__ = ["Env", "Frame", "Names", "Scope", "joined", "shared"]

Env = dict[str, Value]
_OF_NUMBERS = frozenset(name for kind in (int, float, complex, str, bytes) for name in dir(kind))


class Names:
    """The names that a function binds, and those it declares to be somebody else's."""

    __slots__ = ("generator", "globals", "locals", "nonlocals", "taken_apart")

    def __init__(self, node: FunctionNode) -> None:
        arguments = node.args
        self.locals = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        self.locals |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.generator = False
        self.taken_apart = {
            inner.value.id  # what has parts is no number
            for inner in ast.walk(node)
            if isinstance(inner, (ast.Attribute, ast.Subscript))
            and isinstance(inner.value, ast.Name)
            and getattr(inner, "attr", "") not in _OF_NUMBERS
        }
        for inner in _own(node.body if isinstance(node.body, list) else [node.body]):
            self._note(inner)
        self.locals -= self.globals | self.nonlocals

    def _note(self, node: ast.AST) -> None:
        """Take note of what one node binds."""
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.locals.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.locals.add(node.name)
        elif isinstance(node, ast.alias):
            self.locals.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchStar, ast.MatchAs)) and node.name:
            self.locals.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.locals.add(node.rest)
        elif isinstance(node, ast.Global):
            self.globals.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            self.nonlocals.update(node.names)
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            self.generator = True


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _own(nodes: list[Any]) -> Iterator[ast.AST]:
    """The nodes of a body without those of the functions and classes in it, nor comprehensions' targets."""
    todo: list[ast.AST] = list(nodes)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo.extend([*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)])
        elif isinstance(node, ast.Lambda):
            todo.extend([*node.args.defaults, *(d for d in node.args.kw_defaults if d)])
        elif isinstance(node, ast.ClassDef):
            todo.extend([*node.decorator_list, *node.bases])
        elif isinstance(node, _COMPREHENSIONS):
            todo.extend(walrus for walrus in ast.walk(node) if isinstance(walrus, ast.NamedExpr))
        else:
            todo.extend(ast.iter_child_nodes(node))


class Frame:
    """A function that is being read, for one kind of arguments.

    Attributes:
        fn: The existing function whose globals and closure it sees.
        parent: The frame of the function that it is defined in, if that was read too.
        names: Which names it binds.
        ever: All that each of its names was ever seen to stand for: what inner functions see.
        rebound: Names that inner functions rebind.
        owner: The class whose method it is.
        first: Name of its first parameter, for `super()`.
        file: Where it stands.
    """

    __slots__ = ("ever", "file", "first", "fn", "names", "owner", "parent", "rebound")

    def __init__(
        self, fn: types.FunctionType, parent: Frame | None, names: Names, owner: Any, first: str, file: str
    ) -> None:
        self.fn = fn
        self.parent = parent
        self.names = names
        self.ever: Env = {}
        self.rebound: set[str] = set()
        self.owner = owner
        self.first = first
        self.file = file


class Scope:
    """Where the reader stands in a frame: what each name is now, and where control may go.

    Attributes:
        env: What the names are; None where control can't come.
        breaks: For each loop around, what the names were at each `break`.
        continues: The same for `continue`.
        tries: For each `try` around, what the names were before each statement in it.
    """

    __slots__ = ("breaks", "continues", "env", "frame", "returns", "tries", "yields")

    def __init__(self, frame: Frame, env: Env) -> None:
        self.frame = frame
        self.env: Env | None = env
        self.breaks: list[list[Env]] = []
        self.continues: list[list[Env]] = []
        self.tries: list[Env] = []
        self.returns: Value = NOTHING
        self.yields: Value = NOTHING


def joined(*envs: Env | None) -> Env | None:
    """What the names may be where several ways meet; None if no way leads here."""
    alive = [env for env in envs if env is not None]
    if not alive:
        return None
    result = dict(alive[0])
    for env in alive[1:]:
        for name, value in env.items():
            known = result.get(name)
            if known is None:
                result[name] = value
            elif not value <= known:
                result[name] = known | value
    return result


def shared(one: Frame, other: Frame) -> bool:
    """Let each name of two frames of one function stand for all that it stands for in either; whether that is new.

    Args:
        one: A frame.
        other: Another one, of the same function, in the same one.
    """
    new = one.rebound != other.rebound
    one.rebound = other.rebound = one.rebound | other.rebound
    for name in one.ever | other.ever:
        mine, others = one.ever.get(name, NOTHING), other.ever.get(name, NOTHING)
        if mine != others or name not in one.ever or name not in other.ever:
            new = True
            one.ever[name] = other.ever[name] = mine | others
    return new
