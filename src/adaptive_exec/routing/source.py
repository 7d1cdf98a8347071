"""From a function to its syntax tree, and only if the source is really the function's own.

The source that stands on disk may have been edited since the import, and several lambdas may stand on one
line. So the file is compiled again, and a tree counts only if its code equals the function's, instruction
by instruction and position by position.
"""

from __future__ import annotations

import ast
import linecache
import threading
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["FunctionNode", "NoSourceError", "find"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_KEPT: Final = 64  # files
_TRIES: Final = 20


class NoSourceError(Exception):
    """There is no source that can be trusted; the message is a clause."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file's tree and code, as its lines are now."""

    text: str
    nodes: dict[tuple[str, int], list[FunctionNode]]
    codes: dict[tuple[str, int], list[types.CodeType]]


_files: dict[str, _File] = {}
_lock = threading.RLock()


def find(fn: types.FunctionType) -> FunctionNode:
    """Return the node that a function was compiled from.

    Raises:
        NoSourceError: There is no source, or it has been edited, or several nodes fit.
    """
    code = fn.__code__
    with _lock:
        try:
            file = _read(code.co_filename, fn.__globals__)
        except NoSourceError:
            raise
        except Exception as error:
            raise NoSourceError(f"has source that can't be read ({type(error).__name__})") from error
    place = (code.co_name, code.co_firstlineno)
    if not any(_same(code, other) for other in file.codes.get(place, ())):
        raise NoSourceError("has source that has been edited since it was loaded")
    nodes = file.nodes.get(place, [])
    if isinstance(nodes[0] if nodes else None, ast.Lambda):
        nodes = [node for node in nodes if isinstance(node, ast.Lambda) and _covers(node, code)]
    if len(nodes) != 1:
        raise NoSourceError("has source that does not say which of several functions it is")
    return nodes[0]


def _read(filename: str, module: dict[str, Any]) -> _File:
    """Parse a file, or take what was parsed if its text is the same."""
    linecache.checkcache(filename)
    text = "".join(linecache.getlines(filename, module))
    if not text:
        raise NoSourceError("has no source to read")
    known = _files.get(filename)
    if known is not None and known.text == text:
        return known
    tree = _parse(text)
    file = _File(text, {}, {})
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            file.nodes.setdefault((node.name, first), []).append(node)
        elif isinstance(node, ast.Lambda):
            file.nodes.setdefault(("<lambda>", node.lineno), []).append(node)
    for code in _codes(compile(text, filename, "exec", dont_inherit=True)):
        file.codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    if len(_files) >= _KEPT:
        _files.clear()
    _files[filename] = file
    return file


def _parse(text: str) -> ast.Module:
    """`ast.parse`, tried again where CPython before 3.13 trips over threads that parse at once (gh-106905)."""
    for _ in range(_TRIES):
        try:
            return ast.parse(text)
        except SystemError:
            continue
    return ast.parse(text)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that it contains."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _same(one: types.CodeType, other: types.CodeType) -> bool:
    """Whether two code objects come from the same text at the same place."""
    return (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and one.co_cellvars == other.co_cellvars
        and list(one.co_positions()) == list(other.co_positions())
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_constant, one.co_consts, other.co_consts))
    )


def _same_constant(one: object, other: object) -> bool:
    """Whether two constants are the same, codes among them."""
    if isinstance(one, types.CodeType):
        return isinstance(other, types.CodeType) and _same(one, other)
    return type(one) is type(other) and repr(one) == repr(other) and one == other


def _covers(node: ast.Lambda, code: types.CodeType) -> bool:
    """Whether a lambda's code lies exactly where this node's body lies."""
    body = node.body
    whole = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return any(position == whole for position in code.co_positions())
