"""Code that is not ours: it goes by its name, and may call whatever it is given."""

from __future__ import annotations

import decimal
import logging
import operator
import sys
import types
from typing import Any, Final

from . import tables
from .arguments import Args
from .asking import PICKLED, Asking
from .denied import denied
from .environment import never_changes
from .heap import ARRAY, IDENTITY, MAPPINGS
from .origins import (
    NOTHING,
    Bound,
    Fresh,
    Known,
    Local,
    LocalClass,
    Outside,
    Param,
    Partial,
    Value,
)
from .scopes import Frame, shared
from .world import module_of

__all__ = ["Foreign"]


class Foreign(Asking):
    """Knows what foreign functions do."""

    def call_foreign(self, name: str, args: Args, node: Any, frame: Frame, kind: Any = None) -> Value:
        """Call a function that is not ours, by its name."""
        if name in ("builtins.hash", "builtins.id") and self.hashing:
            return NOTHING
        why = denied(name)
        if why is not None:
            self.stay(why, node, frame)
        known = self._known_foreign(name, args, node, frame)
        if known is not None:
            return known
        if tables.gives_anything(name):
            self.world.meet_any()
        keyed = "key" in args.named or (len(args.positional) > 2 and name.startswith("heapq."))
        ordered = self.order_of_call(name, args.without("key"), node, frame, keyed=keyed)
        self._check_arguments(name, args, node, frame)
        called = self.callbacks(args, node, frame)
        self.touch(args.all(), tables.TOUCHES.get(name, tables.ANY_SPECIAL), node, frame, deep=True)
        answers = tables.answering(name)
        answered = self.touch(args.all(), answers, node, frame, args.all(), deep=True) if answers else NOTHING
        if name not in tables.TOUCHES:
            self.expose(args.all() | called, only_special=tables.asks_only_specially(name))
        if name == "pickle.dumps":
            return self.fresh(node, "pickled", PICKLED, self.reach(args.first()))
        if not name.startswith("builtins."):
            self.ask_file(args, node, frame)
        if name in tables.CHOOSING:
            self.touch(called, ("__lt__", "__gt__"), node, frame, deep=True)
            args, called = args.without("key"), NOTHING
        if name in _RESULTS:
            return self._known_result(name, args, node)
        if name == "copy.deepcopy":
            made = self._copied(args.first() | self.given_code(args.first()), node, set())
        else:
            made = self._result(name, args, called, kind, node)
        made |= answered
        return self.pass_order(args.all(), made) if ordered else made

    def _known_foreign(self, name: str, args: Args, node: Any, frame: Frame) -> Value | None:
        """Call one of those functions whose ways are known one by one; None if it is none of them."""
        self.world.depend(name, node)
        if name in _KEEPING_THE_FUNCTION:
            # Of a function within; what a call keeps in such a cache is gone with the call.
            self.run_any("__hash__")
            self.run_any("__eq__")
            first = args.first() | self.given_code(args.first())
            functions = frozenset(each for each in first if isinstance(each, (Known, Local, Bound, Partial)))
            decorated = functions if name != "functools.wraps" else NOTHING
            return decorated or self.fresh(node, "wraps", IDENTITY)
        if name == "decimal.localcontext":
            if id(node) not in self.entering:
                self.stay("makes a local context of decimals that no `with` leaves again", node, frame)
            return self.fresh(node, "context", decimal.Context)
        if name == "sqlite3.connect" and "uri" in args.named:
            self.stay("opens a database by its URI, which may be one in this process's memory", node, frame)
        if name in ("builtins.repr", "builtins.ascii"):
            self.refuse_places(args.first(), node, frame)
        if name == "functools.reduce" and len(args.positional) > 1 and not args.rest:
            return self._reduce(args, node, frame)
        if name in _LOOKING:
            self.ask_whether(name, args, node, frame)
        if name in _LOOKING or name in ("builtins.callable", "builtins.hasattr"):
            return NOTHING
        if name in _UNPICKLING:
            return self.unpickle(args, node, frame)
        if name == "logging.getLogger":
            return frozenset({Outside("a logger", logging.root)})
        return None

    def _reduce(self, args: Args, node: Any, frame: Frame) -> Value:
        """Call a function with what it has given before and one item after the other."""
        self.order_of_call("functools.reduce", args, node, frame, keyed=False)
        self._check_arguments("functools.reduce", args, node, frame)
        sequence = args.positional[1]
        made = self.touch(sequence, ("__iter__", "__next__", "__getitem__"), node, frame)
        items = self.items(sequence) | made | self.items(made)
        value = args.positional[2] if len(args.positional) > 2 else items
        for _ in range(_ROUNDS):
            more = value | self._without_twins(
                self.call(args.first(), Args((value, items)), node, frame), value
            )
            if more == value:
                return value
            value = more
        return self.stay("calls functools.reduce() in a way too tangled to read", node, frame)

    def _without_twins(self, made: Value, known: Value) -> Value:
        """Without the functions of which there is one already, made by the same lines in another call of them.

        Each call makes one that holds the last one: from now on any of them stands for all, and holds what they hold.
        """
        kept = set(made)
        there = [thing for thing in known if isinstance(thing, Local)]
        for each in [thing for thing in made - known if isinstance(thing, Local)]:
            for twin in there:
                if _are_twins(each, twin):
                    self.changed = shared(each.frame, twin.frame) or self.changed
                    kept.discard(each)
        return frozenset(kept)

    def _check_arguments(self, name: str, args: Args, node: Any, frame: Frame) -> None:
        """What a foreign function does to what it is given, besides calling it."""
        if name in tables.CHANGES_ARGUMENT:
            self._changes_argument(name, args, node, frame)
        if "out" in args.named:
            self.change(args.named["out"], "writes its output into", node, frame)
        if name.startswith("numpy."):
            self._changes_array(name, args, node, frame)
        for place in tables.CALLS_ARGUMENT.get(name, ()):
            for thing in args.at(place):
                if (isinstance(thing, Param) and not self.is_readable(thing)) or (
                    isinstance(thing, Outside) and not never_changes(thing.value)
                ):
                    self.stay(f"calls {thing.label}, which may do anything", node, frame)

    def _changes_array(self, name: str, args: Args, node: Any, frame: Frame) -> None:
        """A function of NumPy may write where it is told to, though that is not named, and need not copy."""
        count = getattr(vars(sys.modules["numpy"]).get(name.removeprefix("numpy.")), "nin", 3)
        for written in args.positional[count:]:
            self.change(written, "writes its output into", node, frame, needed="__array__")
        if name == "numpy.nan_to_num" and ("copy" in args.named or len(args.positional) > 1):
            self.change(args.first(), "calls nan_to_num() on", node, frame, needed="__array__")

    def _known_result(self, name: str, args: Args, node: Any) -> Value:
        """What those builtins give of which it is known exactly."""
        columns = [self.items(each) for each in args.positional]
        match name.removeprefix("builtins."):
            case "vars" | "memoryview":
                if any(isinstance(thing, (Known, LocalClass)) for thing in args.first()):
                    self.stay("takes a class or module apart", node)
                return args.all()
            case "open":
                return self.fresh(node, "file")
            case "zip":
                return self.tuples(columns, args.rest, node)
            case "enumerate":
                return self.tuples([NOTHING, *columns[:1]], args.rest, node)
            case "getattr":
                return self.items(args.first()) | args.all()
        return self.fresh(node, "made", list, self.each_of(args.all()))

    def _result(self, name: str, args: Args, called: Value, kind: Any, node: Any) -> Value:
        """What any other foreign function may give."""
        builtin = name.startswith("builtins.")
        if tables.gives_plain(name):
            called = NOTHING
        if tables.gives_new(name) and not called and (kind is not None or "copy" not in args.named):
            if name.startswith("numpy.") or kind is bytearray:
                kind = ARRAY
            return NOTHING if builtin and kind is None else self.fresh(node, "foreign", kind)
        everything = args.all()
        held = called | self.items(everything) | everything
        new = self.fresh(node, "foreign", kind, held)
        if builtin and name.partition(".")[2] in _WRAPPING:
            return new
        if name.startswith(tables.COPYING) and name != "collections.ChainMap":
            return new | called
        if name == "builtins.sum" and len(args.positional) == 1 and not args.named and not args.rest:
            held = frozenset(
                thing for thing in held if not isinstance(thing, Local)
            )  # to 0 nobody adds functions
        return new | held

    def _copied(self, value: Value, node: Any, seen: set[Fresh]) -> Value:
        """A deep copy: containers that the call has made are copied as what they are, one for all of a class.

        Functions and classes are not copied. Of anything else the copy is new, and holds nothing of it but these.
        """
        found: Value = NOTHING
        for thing in value:
            kind = thing.kind if isinstance(thing, Fresh) else None
            if isinstance(thing, Fresh) and isinstance(kind, type) and kind in (list, set, tuple, *MAPPINGS):
                made = self.fresh(node, f"copy of a {kind.__name__}", kind)
                found |= made
                if thing not in seen:
                    seen.add(thing)
                    self._copy_into(made, thing, node, seen)
            elif isinstance(thing, (Param, Outside, Fresh)):
                found |= self.fresh(node, "foreign")
            else:
                found |= {thing}
        return found

    def _copy_into(self, made: Value, thing: Fresh, node: Any, seen: set[Fresh]) -> None:
        """Copy what a container holds, and that its order is a set's."""
        if thing in self.jumbled:
            self.jumble(made)
        for each in made:
            if isinstance(each, Fresh):
                for where, held in self.places(thing):
                    self.put(each, where, self._copied(held | self.given_code(held), node, seen))

    def tuples(self, columns: list[Value], rest: Value, node: Any) -> Value:
        """An iterator over tuples, of each of whose places it is known what stands there."""
        return self.fresh(node, "rows", list, self.row(node, "row", columns, rest))

    def _changes_argument(self, name: str, args: Args, node: Any, frame: Frame) -> None:
        """A function that changes one of its arguments."""
        place = tables.CHANGES_ARGUMENT[name]
        target = args.at(place) | args.rest
        verb = "advances" if name == "builtins.next" else f"calls {name.removeprefix('builtins.')}() on"
        after = 2 if name == "builtins.setattr" else 1  # the name of an attribute is kept nowhere
        stored = NOTHING.union(*args.positional[after:], *args.named.values())
        self.change(target, verb, node, frame, stored)

    def callbacks(self, args: Args, node: Any, frame: Frame, more: Value = NOTHING) -> Value:
        """Code that is not ours may call every function it is given, with anything else it is given."""
        reached = self.reach(args.all())
        mine = self.given_code(reached)
        functions = [
            thing
            for thing in reached | mine
            if isinstance(thing, (Local, Partial, LocalClass))
            or (isinstance(thing, Bound) and self._worth_calling(thing))
            or (isinstance(thing, Known) and isinstance(thing.value, (types.FunctionType, type, *_GETTERS)))
            or (isinstance(thing, Known) and self._of_consequence(thing.value, node, frame))
        ]
        if not functions:
            return NOTHING
        given = self.reach(args.all() | more) | self.fresh(node, "handed over")
        data: Value = frozenset(thing for thing in given if isinstance(thing, (Param, Outside, Fresh)))
        data |= self.items(data)
        result: Value = NOTHING
        for thing in functions:
            self.order_of_callback(thing, args.all() | mine, node, frame)
            if isinstance(thing, Known) and isinstance(thing.value, (*_IN_C, *_GETTERS)):
                result |= self.call(frozenset({thing}), Args((data,) * 3, {}, data), node, frame)
                continue
            if isinstance(thing, Known) and not self._ours_or_denied(thing.value):
                continue
            result |= self._call_back(thing, data, node, frame)
        return result

    def _of_consequence(self, value: Any, node: Any, frame: Frame) -> bool:
        """Whether a function of the interpreter's own that is passed on changes what it is called with."""
        if not isinstance(value, _IN_C):
            return False
        name = self.world.name_of(value)
        why = denied(name) if name not in ("builtins.hash", "builtins.id") or not self.hashing else None
        if why is not None:
            self.stay(why, node, frame)
        return name in tables.CHANGES_ARGUMENT or (
            isinstance(value, types.MethodDescriptorType) and value.__name__ in tables.MUTATORS
        )

    def _worth_calling(self, thing: Bound) -> bool:
        """Whether an attribute that is passed on may be a method of consequence."""
        if thing.name in tables.MUTATORS:
            return True
        return any(
            isinstance(found, _CALLED)
            for each in thing.receiver
            for kind in self.classes_of(each)
            for _, found in self.methods_of(kind, thing.name)
        )

    def _ours_or_denied(self, value: Any) -> bool:
        """Whether calling an existing function or class through foreign code matters."""
        self.world.refuse_denied(value)
        return self.world.is_ours(value.__module__ if isinstance(value, type) else module_of(value))


_ROUNDS: Final = 25
_KEEPING_THE_FUNCTION: Final = frozenset({"functools.wraps", "functools.cache", "functools.lru_cache"})
"""What makes of a function one that does the same, or gives a decorator that does so."""
_GETTERS: Final = (operator.attrgetter, operator.itemgetter)
_IN_C: Final = (types.BuiltinFunctionType, types.MethodDescriptorType)
_CALLED: Final = (types.FunctionType, classmethod, staticmethod, Local)
_LOOKING: Final = ("builtins.isinstance", "builtins.issubclass")
_UNPICKLING: Final = frozenset(
    f"{module}.{name}"
    for module in ("pickle", "cloudpickle", "dill")
    for name in ("load", "loads", "Unpickler")
) | {"shelve.open", "joblib.load", "pandas.read_pickle", "marshal.loads", "marshal.load"}
_RESULTS: Final = frozenset(
    f"builtins.{name}" for name in ("vars", "memoryview", "open", "zip", "enumerate", "getattr", "sorted")
)
_WRAPPING: Final = frozenset(
    {"iter", "enumerate", "zip", "reversed", "map", "filter", "slice", "super", "object"}
)


def _are_twins(one: Local, other: Local) -> bool:
    """Whether two functions differ at most in what the names of the call stand for that has made them."""
    mine, others = one.frame, other.frame
    return (
        one.node is other.node
        and not (one.defaults or other.defaults)
        and (one.owner, one.style) == (other.owner, other.style)
        and mine.names is others.names
        and mine.fn is others.fn
        and mine.parent is others.parent
        and mine.owner is others.owner
    )
