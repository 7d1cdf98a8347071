"""What speaks against sending one call away: not its function, but what it is given this time.

A function was read without its arguments. Whose classes they are is known only now, so the verdict is asked for with
the classes of the user's that are in them (`FunctionRecord.judged_with`), and it says what is read of modules.
"""

from __future__ import annotations

import enum
import functools
import math
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..contents import Contents, contents_of
from ..faithful import is_foreign
from .callables import Callables, callables_of_call, code_of
from .environment import Reads, current, never_changes
from .identities import AMONG_NUMBERS
from .kinds import kinds_of_call
from .safety import Verdict, judge

__all__ = ["look", "look_at_plain", "objection"]

_PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_KEPT: Final = 256
_judged: OrderedDict[tuple[object, ...], tuple[types.FunctionType, Verdict]] = OrderedDict()
"""With the function, so that the identities in the key go on meaning its code."""
_joined: OrderedDict[tuple[int, ...], tuple[tuple[Reads, ...], Reads]] = OrderedDict()
"""By the identities of what was joined, which is held along: two that compare equal may rest on other code."""
_bases: Final = vars(type)["__mro__"].__get__
_module: Final = vars(type)["__module__"].__get__
_own: Final = vars(type)["__dict__"].__get__


def objection(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
    """Why this call must stay, as a clause; None if nothing is seen. The function is read for that.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    return look(fn, args, kwargs, functools.partial(judge, fn))[0]


def look(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    judged: Callable[[frozenset[type] | None, frozenset[type], Callables | None], Verdict],
) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Look at what a call is given; it is done before every call that is to leave.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
        judged: Gives the verdict on calls that are given objects of these classes of ours, None being any; and, if
            so, of those that were seen nevertheless; and that may call these functions.

    Returns:
        Why this call must stay, as a clause, or None; and what it reads of modules.
    """
    values = (*args, *kwargs.values())
    given = kinds_of_call(fn, args, kwargs)
    called = callables_of_call(fn, args, kwargs, given)
    verdict = judged(given, frozenset(), called)
    kinds = set(map(type, values))
    carried = () if type(fn) is types.FunctionType and fn.__closure__ is None else _carried(fn)
    plain = kinds <= _PLAIN and not carried and _minds(verdict.reads) != AMONG_NUMBERS
    nan = float in kinds and any(type(value) is float and value != value for value in values)
    if plain and not nan:
        return _verdict_on_call(verdict), verdict.reads
    for value in values:
        kind = type(value)
        if kind is object:
            why = "is given an object whose identity is all there is to it, and a worker would get a copy"
            return why, verdict.reads
        if kind not in _PLAIN and not isinstance(value, (type, types.ModuleType)) and _is_own(fn, value):
            why = "is given an object that it knows as a global, too, and a worker would get a copy"
            return why, verdict.reads
    minds = _minds(verdict.reads)
    found = contents_of((*values, *carried), atoms=minds == AMONG_NUMBERS)
    seen = frozenset(kind for kind in found.kinds.values() if _is_ours(kind))
    if given is None and seen:  # not all can be looked at
        verdict = judged(given, seen, called)
    there = (
        verdict.kinds | given if verdict.closed and verdict.kinds is not None and given is not None else None
    )
    functions = [_judged_alone(each, there, called) for each in found.functions]
    reads = _reads_of(verdict, functions)
    if _minds(reads) == AMONG_NUMBERS and found.atoms is None:
        found = contents_of((*values, *carried), atoms=True)
    inside = _object_to(found, verdict, functions, reads)
    if inside is None and nan:
        inside = "is given a NaN, which is only equal to itself by identity, and a worker would get a copy"
    return inside, reads


def look_at_plain(
    fn: Callable[..., Any],
    row: tuple[Any, ...],
    judged: Callable[[frozenset[type] | None, frozenset[type], Callables | None], Verdict],
) -> tuple[str | None, tuple[tuple[str, str], ...]] | None:
    """The same for many calls, which are all given plain values, and no NaN.

    Args:
        fn: What is called.
        row: Positional arguments of one of them, which stand for all.
        judged: As for `look`.

    Returns:
        As `look`; None if it matters which values they are.
    """
    if type(fn) is not types.FunctionType or fn.__closure__ is not None:
        return None
    given = kinds_of_call(fn, row, {})
    verdict = judged(given, frozenset(), callables_of_call(fn, row, {}, given))
    if _minds(verdict.reads) == AMONG_NUMBERS:
        return None
    return _verdict_on_call(verdict), verdict.reads


def _object_to(found: Contents, verdict: Verdict, functions: list[Verdict], reads: Reads) -> str | None:
    """Why a call must stay that is given this, and these functions."""
    minds = _minds(reads)
    if found.why is not None:
        return f"is given {found.why}"
    for function in functions:
        if not function.allowed:
            return f"is given a function that {function.reason}"
    if not verdict.allowed:
        return _verdict_on_call(verdict)
    if _meets({*found.nans}, reads):
        return "is given the very NaN that it finds elsewhere, and a worker would get a copy"
    if _meets(_told_by_identity(found, minds), reads):
        return "is given the very object that it finds elsewhere, and a worker would get a copy"
    return None


def _verdict_on_call(verdict: Verdict) -> str | None:
    """What a reading with the classes that are given has found."""
    return None if verdict.allowed else f"{verdict.reason}, by what it is given"


def _minds(reads: tuple[tuple[str, str], ...]) -> int:
    """Whose identities the function compares."""
    return getattr(reads, "identities", 0)


def _told_by_identity(found: Contents, minds: int) -> set[int]:
    """The identities of what a function could tell from a copy, if it finds that elsewhere, too."""
    told = {*found.nans, *(found.atoms or ())}
    if minds:
        told.update(
            number
            for number, thing in found.parts.items()
            if not _is_by_name(type(thing)) and type(thing) is not tuple
        )
    alone = {id(kind) for kind in found.kinds.values() if _is_alone(kind)}
    if alone:
        told.update(number for number, thing in found.parts.items() if id(type(thing)) in alone)
    return told


def _is_by_name(kind: type) -> bool:
    """Whether things of a class stand for themselves wherever they are pickled."""
    return issubclass(kind, (type, types.FunctionType, types.ModuleType)) or issubclass(
        type(kind), enum.EnumMeta
    )


def _is_alone(kind: type) -> bool:
    """Whether an object of a class of ours is equal to itself only."""
    if _is_by_name(kind) or not _is_ours(kind):
        return False
    return next(base for base in _bases(kind) if "__eq__" in _own(base)) is object


def _carried(fn: Any) -> tuple[Any, ...]:
    """What travels with a function itself."""
    held: list[Any] = []
    for _ in range(16):
        if isinstance(fn, functools.partial):
            held += [*fn.args, *fn.keywords.values()]
            fn = fn.func
        elif type(fn) is types.MethodType:
            held.append(fn.__self__)
            fn = fn.__func__
        elif type(fn) is types.FunctionType:
            held += [each for cell in fn.__closure__ or () for each in _held_by(cell)]
            break
        else:
            break
    return tuple(each for each in held if not isinstance(each, (types.FunctionType, type, types.ModuleType)))


def _held_by(cell: types.CellType) -> tuple[Any, ...]:
    """What is in a cell, if anything is."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _is_ours(kind: type) -> bool:
    """Whether a class is the user's own, or derives from one."""
    return any(not is_foreign(_module(base)) for base in _bases(kind))


def _meets(told: set[int], reads: Reads) -> bool:
    """Whether one of these is among what the function reads, or the one that the standard library has."""
    if not told:
        return False
    if id(math.nan) in told:
        return True
    values = [current(module, name) for module, name in reads]
    if all(map(never_changes, values)) and not any(
        value != value for value in values if type(value) is float
    ):
        return _minds(reads) == AMONG_NUMBERS and not told.isdisjoint(map(id, values))
    state = contents_of(values, atoms=_minds(reads) == AMONG_NUMBERS)
    return not told.isdisjoint({*state.nans, *state.parts, *(state.atoms or ())})


def _judged_alone(fn: types.FunctionType, kinds: frozenset[type] | None, called: Callables | None) -> Verdict:
    """The verdict on a function that is given: somebody may call it, with objects of these classes or such functions.

    Found once for all that have the same code.
    """
    key = (id(fn.__globals__), *map(id, code_of(fn)), kinds, called)
    known = _judged.get(key)
    if known is None:
        known = _judged[key] = fn, judge(fn, kinds, (), called)
        if len(_judged) > _KEPT:
            _judged.popitem(last=False)
    return known[1]


def _reads_of(verdict: Verdict, functions: list[Verdict]) -> Reads:
    """What a call reads of modules, and what the functions read that it is given; the same object each time."""
    all_of = (each.reads for each in (verdict, *functions))
    found = list({id(reads): reads for reads in all_of if isinstance(reads, Reads)}.values())
    if len(found) < 2:
        return found[0] if found else Reads(verdict.reads)
    key = tuple(map(id, found))
    known = _joined.get(key)
    if known is None:
        known = _joined[key] = tuple(found), found[0].joined(found[1:])
        if len(_joined) > _KEPT:
            _joined.popitem(last=False)
    return known[1]


def _is_own(fn: Any, value: object) -> bool:
    """Whether an argument is the very object that a global is which the function names, so that it could tell."""
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType):
        return False
    names = fn.__globals__
    return any(names.get(name) is value for name in _names(fn.__code__))


@functools.lru_cache(_KEPT)
def _names(code: types.CodeType) -> frozenset[str]:
    """The names of globals and attributes in a piece of code, and in what it defines."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return frozenset(code.co_names).union(*inner)
