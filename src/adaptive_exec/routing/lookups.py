"""What a name stands for, and where it belongs."""

from __future__ import annotations

import types
from typing import Any, Final

from .attributes import Attributes
from .environment import never_changes
from .origins import (
    NOTHING,
    Known,
    Outside,
    StaysError,
    Value,
)
from .scopes import Frame, Scope
from .world import World, module_of

__all__ = ["Lookups"]


_CODE: Final = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type)


class Lookups(Attributes):
    """Binds and finds names."""

    def __init__(self, world: World, file: str, pinned: frozenset[int] = frozenset()) -> None:
        super().__init__(world, file)
        self.pinned = pinned
        self.root: types.FunctionType | None = None

    def bind(self, scope: Scope, name: str, value: Value) -> None:
        """Bind a name."""
        if scope.env is not None:
            scope.env[name] = value
        ever = scope.frame.ever
        known = ever.get(name)
        if known is None:
            ever[name] = value
            self.changed = self.changed or bool(value)
        elif not value <= known:
            ever[name] = known | value
            self.changed = True

    def store_name(self, scope: Scope, name: str, value: Value, node: Any) -> None:
        """Bind a name, wherever it belongs."""
        frame = scope.frame
        if name in frame.names.globals:
            self.stay(f"rebinds the global {name}", node, frame)
        if name not in frame.names.nonlocals:
            self.bind(scope, name, value)
            return
        outer = frame.parent
        while outer is not None:
            if name in outer.names.locals:
                if name not in outer.rebound:
                    outer.rebound.add(name)
                    self.changed = True
                self.bind(Scope(outer, {}), name, value)
                return
            outer = outer.parent
        self.stay(f"rebinds {name} of the function around it", node, frame)

    def load_name(self, scope: Scope, name: str, node: Any) -> Value:
        """What a name stands for."""
        frame = scope.frame
        if name in frame.names.globals:
            return self._global(frame, name, node)
        if scope.env is not None and name in scope.env:
            value = scope.env[name]
            if name in self.left:
                value = self.untainted(value, node, frame)
            return value | frame.ever.get(name, NOTHING) if name in frame.rebound else value
        if name in frame.names.locals:
            return frame.ever.get(name, NOTHING)
        found: Value = NOTHING
        outer = frame.parent
        while outer is not None:
            if name in outer.ever or name in outer.names.locals:
                found |= outer.ever.get(name, NOTHING)
            if name in outer.names.locals:
                return found
            outer = outer.parent
        if name in frame.fn.__code__.co_freevars:
            return found | self._cell(frame, name, node)
        try:
            return found | self._global(frame, name, node)
        except StaysError:
            if found:
                return found
            raise

    def _global(self, frame: Frame, name: str, node: Any) -> Value:
        """What a global name stands for; the place is added to what keeps the call at home."""
        try:
            return self.world.global_value(frame.fn, name)
        except StaysError as error:
            self.stay(str(error), node, frame)

    def _cell(self, frame: Frame, name: str, node: Any) -> Value:
        """What a name of the function's closure stands for."""
        fn = frame.fn
        cell = (fn.__closure__ or ())[fn.__code__.co_freevars.index(name)]
        try:
            value = cell.cell_contents
        except ValueError:
            self.stay(f"uses {name} of the function around it, which is not bound yet", node, frame)
        if name == "__class__":
            return frozenset({Known(value)})
        label = f"its closure's {name}"
        by_reference = "<locals>" not in fn.__qualname__ and module_of(fn) != "__main__"
        try:
            found = self.world.sort(value, label)
        except StaysError as error:
            self.stay(str(error), node, frame)
        if by_reference and not (never_changes(value) or isinstance(value, _CODE)):
            self.stay(f"reads {label}, which may hold something else in a worker", node, frame)
        if not self._same_each_time(value, fn):
            # The verdict holds for all closures of this code, whatever the next one has there.
            return frozenset({Outside(label)})
        return found

    def _same_each_time(self, value: Any, fn: types.FunctionType) -> bool:
        """Whether the next function of the same code has the same in its closure."""
        if id(value) in self.pinned:
            return True
        if isinstance(value, types.ModuleType):
            return True
        if fn is not self.root and "<locals>" not in fn.__qualname__:
            return True
        if isinstance(value, types.FunctionType):
            around = fn.__qualname__.rpartition("<locals>")[0]
            while around:
                if value.__qualname__.startswith(around + "<locals>") and module_of(value) == module_of(fn):
                    return True
                around = around.rpartition("<locals>")[0]
        return type(value).__module__.startswith("adaptive_exec.primitives")
