"""What `is` may tell: a copy in a worker is the same as nothing but itself."""

from __future__ import annotations

import ast
import enum
from typing import Any, Final

from .environment import never_changes
from .origins import UNKNOWN, Known, Outside, Param, Value
from .scopes import Scope
from .targets import Targets

__all__ = ["AMONG_NUMBERS", "AMONG_OBJECTS", "Identities"]

AMONG_OBJECTS: Final = 1
"""Objects are compared: those of one call's arguments stay the same to each other, but not to those of modules."""
AMONG_NUMBERS: Final = 2
"""Numbers and texts may be compared, too, of which each place gets a copy of its own."""

_SMALL: Final = range(-5, 257)
_SINGLES: Final = (type(None), bool, type(Ellipsis), type(NotImplemented), type, enum.Enum)


class Identities(Targets):
    """Compares identities."""

    def compare_identities(
        self, sides: tuple[tuple[ast.expr, Value], tuple[ast.expr, Value]], node: Any, scope: Scope
    ) -> None:
        """One thing is, or is not, another."""
        if any(self._is_single(each, value, scope) for each, value in sides):
            return
        if not any(isinstance(thing, Param) for _, value in sides for thing in value):
            return
        for _, value in sides:
            if not value or any(isinstance(thing, Outside) and never_changes(thing.value) for thing in value):
                self.stay("compares the identity of a number or text", node, scope.frame)
        names = scope.frame.names.taken_apart
        objects = any(isinstance(each, ast.Name) and each.id in names for each, _ in sides)
        self.world.identities = max(self.world.identities, AMONG_OBJECTS if objects else AMONG_NUMBERS)

    def _is_single(self, node: ast.expr, value: Value, scope: Scope) -> bool:
        """Whether an expression stands for what there is only one of, or for what the call itself has made."""
        if isinstance(node, ast.Constant):
            return is_single(node.value)
        if value:
            return all(_is_by_name(thing) for thing in value)
        if not isinstance(node, ast.Attribute):
            return not isinstance(node, (ast.JoinedStr, ast.UnaryOp))
        held = [thing.value for thing in self.value(node.value, scope) if isinstance(thing, Known)]
        return all(is_single(vars(each).get(node.attr)) for each in held if hasattr(each, "__dict__"))


def is_single(value: object) -> bool:
    """Tell whether there is only one such value, in every process.

    Args:
        value: Anything.
    """
    if isinstance(value, _SINGLES):
        return True
    if type(value) is int:
        return value in _SMALL
    return not never_changes(value)


def _is_by_name(thing: Any) -> bool:
    """Whether one thing goes by its name, or is the call's own."""
    if isinstance(thing, Outside):
        if thing.value is UNKNOWN:
            return thing.whole is UNKNOWN and thing.label.startswith("the class of")
        return isinstance(thing.value, _SINGLES) or (type(thing.value) is int and thing.value in _SMALL)
    return not isinstance(thing, Param)
