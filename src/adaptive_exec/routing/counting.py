"""Counts in a dict that a loop's body keeps by `counts[key] = counts.get(key, 0) + 1`: in any order they are the same.

Guarantees:
    - The body does nothing but count in one dict, under one name, beginning with one number.
    - It looks at nothing but what the loop itself binds: the dict may have other names, but they are not in it.
    - Both times the key is the same expression, of names, numbers and operators: it is the same key.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

__all__ = ["Count", "counts_in"]

_SAME_TWICE: Final = (ast.Name, ast.Constant, ast.Tuple, ast.BinOp, ast.UnaryOp)
_CLOSED: Final = (
    *(
        ast.For,
        ast.If,
        ast.Assign,
        ast.Pass,
        ast.Continue,
        ast.Constant,
        ast.Tuple,
        ast.Compare,
        ast.expr_context,
    ),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_GROWING: Final = (ast.Add, ast.Sub)


class Count(NamedTuple):
    """A place where something is counted.

    Attributes:
        name: What the counts are called.
        bases: The nodes of that name.
        parts: The other nodes that look at the counts: the item that is set comes first.
        start: The number that counts begin with.
    """

    name: str
    bases: tuple[ast.Name, ast.Name]
    parts: tuple[ast.Subscript, ast.Call, ast.Attribute]
    start: int


def counts_in(
    body: Collection[ast.AST], bound: Collection[str], is_whole: Callable[[ast.expr], bool]
) -> list[Count]:
    """Return the places where a loop's body counts something, if it does nothing else.

    Args:
        body: All nodes of the body.
        bound: Names that the loop binds.
        is_whole: Whether an expression is a whole number for certain.
    """
    counts = [count for node in body if (count := _count(node, is_whole)) is not None]
    if len({(count.name, count.start) for count in counts}) != 1 or counts[0].name in bound:
        return []
    own = {id(each) for count in counts for each in (*count.bases, *count.parts)}
    return counts if all(id(each) in own or _looks_nowhere(each, bound) for each in body) else []


def _looks_nowhere(node: ast.AST, bound: Collection[str]) -> bool:
    """Whether a node has to do with what the loop binds, and with nothing else."""
    return node.id in bound if isinstance(node, ast.Name) else isinstance(node, _CLOSED)


def _count(node: ast.AST, is_whole: Callable[[ast.expr], bool]) -> Count | None:
    """What a statement counts, if it does nothing else."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return None
    target, grown = node.targets[0], node.value
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return None
    if not isinstance(grown, ast.BinOp) or not isinstance(grown.op, _GROWING) or not is_whole(grown.right):
        return None
    asked = grown.left
    if not isinstance(asked, ast.Call) or asked.keywords or len(asked.args) != 2:
        return None
    get, (key, start) = asked.func, asked.args
    if not isinstance(get, ast.Attribute) or get.attr != "get" or not isinstance(get.value, ast.Name):
        return None
    same = get.value.id == target.value.id and _is_same_twice(target.slice, key)
    if not same or not isinstance(start, ast.Constant) or type(start.value) is not int:
        return None
    return Count(target.value.id, (target.value, get.value), (target, asked, get), start.value)


def _is_same_twice(one: ast.expr, other: ast.expr) -> bool:
    """Whether two expressions are the same, and of such parts that they give the same one after the other."""
    parts = (each for each in ast.walk(one) if isinstance(each, ast.expr))
    return all(isinstance(each, _SAME_TWICE) for each in parts) and ast.dump(one) == ast.dump(other)
