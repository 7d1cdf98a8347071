"""Code of ours that runs without being called by its name: of classes of classes, by getters, around a helper."""

from __future__ import annotations

import functools
import operator
import types
from abc import abstractmethod
from typing import Any, Final

from . import tables
from .arguments import Args
from .environment import attributes_of, never_changes
from .members import Members
from .origins import NOTHING, Fresh, Known, LocalClass, Outside, Param, Value
from .scopes import Frame, Scope
from .world import module_of

__all__ = ["PICKLED", "Asking", "getter"]

PICKLED: Final = "pickled"
"""The kind of bytes that the call itself has pickled."""


class Asking(Members):
    """Runs what nobody calls by its name."""

    @abstractmethod
    def attribute(self, value: Value, name: str, node: Any, scope: Scope) -> Value:
        """What an attribute of a value may be."""

    def ask_class(self, kind: Any, names: tuple[str, ...], node: Any, frame: Frame, more: Value) -> Value:
        """Run the special methods that a class has from its own class."""
        result: Value = NOTHING
        for name in names if isinstance(kind, type) and type(kind) is not type else ():
            found = self.methods_of(type(kind), name)
            result |= self.run_methods(found, Args((frozenset({Known(kind)}),), {}, more), node, frame)
        return result

    def ask_whether(self, name: str, args: Args, node: Any, frame: Frame) -> None:
        """`isinstance` and `issubclass` ask the class, its class, and the object for its class."""
        hook = f"__{name.removeprefix('builtins.').replace('is', '', 1)}check__"
        asked = args.positional[0] if args.positional else args.rest
        self.touch(asked, ("__class__",), node, frame)
        classes = self.reach(args.rest.union(*args.positional[1:]))
        for thing in classes:
            if isinstance(thing, Param) and not thing.kinds:
                self.run_any(hook)
            kind = thing.value if isinstance(thing, Known) else None
            if not isinstance(kind, type):
                continue
            self.ask_class(kind, (hook,), node, frame, asked)
            hooks = self.methods_of(kind, "__subclasshook__")
            self.run_methods(hooks, Args((frozenset({thing}),), {}, asked), node, frame)

    def ask_file(self, args: Args, node: Any, frame: Frame) -> None:
        """Foreign code may take an object of ours for a file."""
        for thing in self.reach(args.all()):
            if isinstance(thing, Fresh) and isinstance(thing.kind, (type, LocalClass)):
                self.touch(frozenset({thing}), tables.FILE_METHODS, node, frame)

    def call_getter(self, value: Any, args: Args, node: Any, frame: Frame) -> Value:
        """Call an `attrgetter` or an `itemgetter`."""
        things = args.first() | args.rest
        if isinstance(value, operator.itemgetter):
            return self.items(things) | self.touch(things, ("__getitem__", "__missing__"), node, frame)
        held: Value = NOTHING
        for path in value.__reduce__()[1]:
            found = things
            for name in path.split("."):
                found = self.attribute(found, name, node, Scope(frame, {}))
            held |= found
        return held | self.fresh(node, "got", tuple, held)

    def call_wrapper(self, fn: types.FunctionType, wrapped: Any, args: Args, node: Any, frame: Frame) -> None:
        """A foreign function around one of ours: whatever else it holds of ours may be run as well."""
        todo = [cell.cell_contents for cell in fn.__closure__ or () if _is_bound(cell)]
        seen: set[int] = {id(wrapped)}
        while todo:
            held = todo.pop()
            if id(held) in seen or never_changes(held) or isinstance(held, (types.ModuleType, type)):
                continue
            seen.add(id(held))
            if isinstance(held, types.FunctionType):
                if self.world.is_ours(module_of(held)):
                    self.call_function(held, args, node, frame)
            elif isinstance(held, (list, tuple)):
                todo.extend(held)
            elif isinstance(held, dict):
                todo.extend(held.values())
            elif isinstance(held, types.GeneratorType) or type(held).__module__ == "builtins":
                continue  # of a context manager, which makes another one for each call
            elif self.world.is_ours(type(held).__module__) or callable(held):
                self._run_held(held, fn, node, frame)
            else:
                todo.extend(attributes_of(held).values())

    def _run_held(self, held: Any, fn: types.FunctionType, node: Any, frame: Frame) -> None:
        """Run what a wrapper's object has in its class."""
        me: Value = frozenset({Outside(f"what {fn.__qualname__} is wrapped in", held)})
        kind = type(held)
        names = {name for base in kind.__mro__ if self.world.is_ours(base.__module__) for name in vars(base)}
        for name in sorted(names):
            found = [each for each in self.methods_of(kind, name) if self.world.is_written(each[1])]
            if name != "__init__" and found and callable(found[0][1]):
                self.run_methods(found, Args((me,), {}, self.fresh(node, "wrapped")), node, frame)
        for each in attributes_of(held).values():
            if isinstance(each, types.FunctionType) and self.world.is_ours(module_of(each)):
                self.call_function(each, Args((), {}, self.fresh(node, "wrapped")), node, frame)

    def unpickle(self, args: Args, node: Any, frame: Frame) -> Value:
        """What comes out of bytes: of those that the call has pickled it is known what they hold."""
        if not args.all() or not all(
            isinstance(thing, Fresh) and thing.kind is PICKLED for thing in args.first() | args.rest
        ):
            self.stay("unpickles what it has not pickled itself, which can call anything", node, frame)
        held = self.items(args.first())
        self.touch(held, ("__setstate__", "__init__", "__new__"), node, frame, deep=True)
        return held | self.fresh(node, "unpickled", None, held)


@functools.lru_cache(256)
def getter(kind: type[Any], names: tuple[Any, ...]) -> Known:
    """The getter that such a call makes; the same for the same names."""
    return Known(kind(*names))


def _is_bound(cell: types.CellType) -> bool:
    """Whether there is anything in a cell."""
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
