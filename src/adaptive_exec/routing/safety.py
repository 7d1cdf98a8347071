"""May calls of this function leave the process on the library's own decision?

The static half: the function's code is read (`reader.py`), with that of all functions of ours that it calls.
A function is allowed to leave only if nothing in it changes what outlives the call, reaches for the state of
this process, or can't be read. What it reads of its modules is listed, so that a worker can compare it. The
dynamic half is `check.CallCheck`.

Guarantees:
    - `judge` never raises, runs no code of the user's, and changes nothing.
    - In doubt the answer is no, and the doubt is named.
Assumes: what tests/routing/corpus holds, by example.
Races: two threads may judge at once; they share only the cache of parsed files, which has a lock.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .arguments import Args
from .callables import Callables
from .environment import environment
from .holding import all_hold
from .kinds import has_any, is_ever_ours
from .origins import NOTHING, Known, Param, StaysError, Value
from .reader import Reader
from .world import World, module_of

__all__ = ["Verdict", "environment", "judge"]

_GLOBAL_STORES = {"STORE_GLOBAL": "rebinds", "DELETE_GLOBAL": "deletes"}
_CELL_STORES = {"STORE_DEREF": "rebinds", "DELETE_DEREF": "deletes"}
_WRAPPERS = 16
_Found = tuple[
    tuple[tuple[str, str], ...], frozenset[type] | None, frozenset[str], bool, bool, float | None, bool
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reading a function's code says.

    Attributes:
        allowed: True if calls may leave the process on the library's own decision.
        reason: Why not, as a clause whose subject is the function; empty if they may.
        reads: (module, name) of the data that the function and what it calls read from modules. A name
            with dots is a path: `Settings.level` is an attribute of the class `Settings`.
        kinds: It holds for calls that are given objects of no other classes of ours than these; None if of any.
        lacking: Special methods that no object may have which a call is given, whatever its class, numbers excepted.
        computes: All that calls do is to compute, if the same is true of the methods of what they are given.
        gil: The part of that in which they hold the GIL, if they only compute; None if that depends.
        by_turns: Whether calls at once keep each other waiting, whether they hold the GIL or not.
        closed: Whether objects of no other classes than `kinds` turn up in the course of a call.
    """

    allowed: bool
    reason: str
    reads: tuple[tuple[str, str], ...] = ()
    kinds: frozenset[type] | None = None
    lacking: frozenset[str] = frozenset()
    computes: bool = False
    gil: float | None = None
    by_turns: bool = False
    closed: bool = field(default=False, compare=False)

    def covers(self, kinds: frozenset[type] | None) -> bool:
        """Whether it holds for a call that is given objects of these classes, None being any."""
        if kinds is None or not kinds:
            return kinds is not None or (self.kinds is None and not self.lacking)
        mine = self.kinds
        known = mine is None or all(kind in mine or not is_ever_ours(kind) for kind in kinds)
        return known and not has_any(kinds, tuple(self.lacking))


def judge(
    fn: Callable[..., Any],
    given: Iterable[type] | None = None,
    seen: Iterable[type] = (),
    called: Callables | None = None,
) -> Verdict:
    """Read a function's code and say whether its calls may leave the process.

    Args:
        fn: What is going to be called: a function, method, partial, class or callable object.
        given: The classes of ours of whatever calls are given, `kinds.kinds_of_call`; None if they may be any.
        seen: Those that are known, if they may be any.
        called: What can be called among what calls are given; None if it can't be told.

    Returns:
        The verdict; the same for every function that has the same code and wraps the same functions.
    """
    try:
        reads, living, lacking, closed, computes, gil, turns = _judge(fn, given, seen, called)
    except StaysError as error:
        return Verdict(False, str(error))
    except RecursionError:
        return Verdict(False, "is nested too deeply to be read")
    except Exception as error:
        return Verdict(False, f"could not be read ({type(error).__name__}: {error})")
    return Verdict(True, "", reads, living, lacking, computes, gil if computes else None, turns, closed)


def _judge(fn: Any, given: Iterable[type] | None, seen: Iterable[type], called: Callables | None) -> _Found:
    """The data that a function reads, and the classes; raises StaysError if its calls must stay."""
    target, me = _unwrap(fn, given)
    if not callable(target):
        raise StaysError("is not something that can be called")
    if isinstance(target, types.FunctionType) and not _is_standard(target):
        for store in _stores(target):
            raise StaysError(store)
        return _read(target, me, _wrapped(fn), World(module_of(target), given, seen, called))
    return _read_other(target, given, seen, called)


def _found_by(world: World) -> _Found:
    """What a reading has found out."""
    known = world.given if world.living is None else world.living
    kinds = None if known is None else frozenset(known)
    closed = world.living is not None
    nature = world.nature
    computes = nature.computes and kinds is not None and closed and all_hold(kinds)
    return world.all_reads(), kinds, frozenset(world.lacking), closed, computes, nature.gil, nature.by_turns


def _unwrap(fn: Any, given: Iterable[type] | None) -> tuple[Any, type | None]:
    """What is really called, and the class of the object that it is called on, if there is one."""
    me: type | None = None
    for _ in range(_WRAPPERS):
        if isinstance(fn, functools.partial):
            for bound in (*fn.args, *fn.keywords.values()):
                if callable(bound) and not (verdict := judge(bound, given)).allowed:
                    raise StaysError(f"holds a function that {verdict.reason}")
            fn = fn.func
        elif isinstance(fn, types.MethodType):
            if isinstance(fn.__self__, type) and given is None:
                raise StaysError("is a class method, and what its class holds belongs to this process")
            me = fn.__self__ if isinstance(fn.__self__, type) else type(fn.__self__)
            fn = fn.__func__
        elif isinstance(fn, (types.FunctionType, types.BuiltinFunctionType, type)):
            return fn, me
        elif hasattr(type(fn), "__adaptive_subject__"):
            fn = fn.__adaptive_subject__
        elif hasattr(type(fn), "cache_info"):
            raise StaysError("keeps a cache in this process")
        elif isinstance(call := inspect.getattr_static(type(fn), "__call__", None), types.FunctionType):
            me, fn = type(fn), call
        else:
            return fn, me
    raise StaysError("is wrapped too often to be read")


def _wrapped(fn: Any) -> frozenset[int]:
    """What decorators have wrapped: those functions are the same each time this one is submitted."""
    found = set()
    for _ in range(_WRAPPERS):
        fn = getattr(fn, "__func__", fn)
        fn = fn.func if isinstance(fn, functools.partial) else getattr(fn, "__wrapped__", None)
        if fn is None:
            break
        found.add(id(fn))
    return frozenset(found)


def _read(fn: types.FunctionType, me: type | None, pinned: frozenset[int], world: World) -> _Found:
    """Read a Python function."""
    kind = fn.__code__.co_flags
    if kind & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        raise StaysError("is a generator function, and generators can't travel")
    if me is not None:
        world.meet(me)
        world.give(me)
    reader = Reader(world, fn.__code__.co_filename, pinned)
    reader.root = fn
    if fn.__globals__.get(fn.__name__) is fn:
        world.pin(fn.__globals__, fn.__name__, fn, (module_of(fn), fn.__name__))
    owner = _owner(fn, me)
    kinds = world.kinds_of(owner or me) if me is not None else None
    args = _parameters(fn, kinds)
    result = reader.settle(lambda: reader.run(fn, args, None, None, owner))
    reader.check_result(result)
    return _found_by(world)


def _read_other(
    target: Any, given: Iterable[type] | None, seen: Iterable[type], called: Callables | None
) -> _Found:
    """Read a class, or look up a builtin by its name."""
    module = getattr(target, "__module__", "") or ""
    ours = "" if module.partition(".")[0] in sys.stdlib_module_names else module
    world = World(ours, given, seen, called)
    world.meet(target)
    if isinstance(target, types.BuiltinFunctionType) and not isinstance(
        target.__self__, types.ModuleType | None
    ):
        world.sort(target, "its own object")
        raise StaysError(f"is the method {target.__name__} of an object, which may change it")
    reader = Reader(world, "")
    nowhere = reader.nowhere()
    everything: Value = frozenset({Param("its argument")})
    args = Args((everything,) * 3, {}, everything)

    def go() -> Value:
        world.refuse_denied(target)
        if isinstance(target, types.FunctionType):
            return reader.call_foreign(world.name_of(target), args, _NOWHERE, nowhere)
        return reader.call_known(Known(target), args, _NOWHERE, nowhere)

    reader.settle(go)
    return _found_by(world)


def _is_standard(fn: types.FunctionType) -> bool:
    """Whether a function is the standard library's, and so goes by its name."""
    return module_of(fn).partition(".")[0] in sys.stdlib_module_names


class _Nowhere:
    """Stands for the call that is going to be made."""


_NOWHERE = _Nowhere()


def _parameters(fn: types.FunctionType, kinds: tuple[type, ...] | None) -> Args:
    """The arguments of the call that is going to be made: all of them the caller's."""
    code = fn.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values: list[Value] = [frozenset({Param(f"its argument {name}")}) for name in names]
    if kinds is not None and code.co_argcount:
        values[0] = frozenset({Param("the object whose method it is", kinds)})
        if any(_is_class_method(fn, kind) for kind in kinds):
            values[0] = frozenset(map(Known, kinds))
    positional = tuple(values[: code.co_argcount])
    named = dict(zip(names[code.co_argcount :], values[code.co_argcount :], strict=True))
    if code.co_flags & inspect.CO_VARARGS:
        positional += (frozenset({Param("its arguments")}),)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        named["**"] = frozenset({Param("its keyword arguments")})
    return Args(positional, named, NOTHING)


def _is_class_method(fn: types.FunctionType, kind: type) -> bool:
    """Whether a function stands in a class as a class method."""
    found = (value for base in kind.__mro__ for value in vars(base).values())
    return any(isinstance(value, classmethod) and value.__func__ is fn for value in found)


def _owner(fn: types.FunctionType, me: type | None) -> type | None:
    """The class that a method stands in."""
    for base in me.__mro__ if me is not None else ():
        for value in vars(base).values():
            if getattr(value, "__func__", value) is fn or getattr(value, "__wrapped__", None) is fn:
                return base
    return me


def _stores(fn: types.FunctionType) -> Iterator[str]:
    """What the bytecode itself says, source or not: names from outside that are rebound."""
    outer = set(fn.__code__.co_freevars)
    todo = [fn.__code__]
    while todo:
        code = todo.pop()
        line = code.co_firstlineno
        for instruction in dis.get_instructions(code):
            position = instruction.positions
            line = (position.lineno if position is not None else None) or line
            if instruction.opname in _GLOBAL_STORES:
                yield f"{_GLOBAL_STORES[instruction.opname]} the global {instruction.argval} (line {line})"
            elif instruction.opname in _CELL_STORES and instruction.argval in outer & set(code.co_freevars):
                what = f"{instruction.argval} of the function around it"
                yield f"{_CELL_STORES[instruction.opname]} {what} (line {line})"
        todo.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
