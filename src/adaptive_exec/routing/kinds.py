"""Of which classes the objects are that can be reached from some values.

An operator on a value of which nothing is known may run the special method of any class that there is, but only of
such whose instances can be there: those of arguments, of data that is read, and those that the code itself names.

Guarantees: no code of what is looked at runs; where an object can't be looked into, that is said.
"""

from __future__ import annotations

import copyreg
import functools
import gc
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

__all__ = [
    "PLAIN_KINDS",
    "brought_by",
    "has_any",
    "is_ever_ours",
    "kinds_in",
    "kinds_of_call",
    "reached_from",
]

_MOST: Final = 50_000
PLAIN_KINDS: Final = frozenset(
    {
        int,
        float,
        complex,
        bool,
        str,
        bytes,
        type(None),
        type(Ellipsis),
        type(NotImplemented),
        range,
    }
)
"""Classes whose objects never change, hold nothing and run nobody's code."""
_COLLECTED: Final = 1 << 14  # Py_TPFLAGS_HAVE_GC: it tells what it holds
_MADE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: it is among what each of its instances refers to
_LEAF: Final = sys.stdlib_module_names | {"numpy"}
"""Packages whose classes hold nothing of ours."""
_NUMBERS: Final = frozenset({"fractions", "decimal", "datetime"})
"""Modules whose objects don't change and hold nothing."""
_OPEN: Final = frozenset({"io", "_io", "mmap", "ctypes", "_ctypes"})
"""Modules whose objects lend what they hold as something else."""
_CODE: Final = (
    *(types.FunctionType, staticmethod, classmethod, property),
    *(types.MemberDescriptorType, types.GetSetDescriptorType),
)
_PICKLED_BY: Final = (
    *("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__"),
)
"""What a class may have that makes a copy hold something else than its original."""

_dict_offset: Final = vars(type)["__dictoffset__"].__get__
_flags: Final = vars(type)["__flags__"].__get__
_module: Final = vars(type)["__module__"].__get__
_attributes: Final = vars(type)["__dict__"].__get__
_bases: Final = vars(type)["__mro__"].__get__


def is_ever_ours(kind: type) -> bool:
    """Whether a class may be anybody's own, and its methods worth reading.

    Args:
        kind: The class.
    """
    return _home(kind) not in _LEAF


def has_any(kinds: Iterable[type], names: Sequence[str]) -> bool:
    """Whether an object of one of these classes may have such an attribute; numbers and the like are not asked.

    Args:
        kinds: Classes.
        names: Names of methods, special or other; an object with attributes of its own may have any of the others.
    """
    own = any(not name.startswith("__") for name in names)
    for kind in kinds:
        home = _home(kind)
        if home in _OPEN or (own and _dict_offset(kind)):
            return True
        for base in _bases(kind) if home not in _NUMBERS else ():
            space = _attributes(base)
            if any(name in space for name in names) or (own and "__getattr__" in space):
                return True
    return False


def kinds_of_call(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> frozenset[type] | None:
    """The classes, those of the standard library excepted, of what a call is given.

    Args:
        fn: What is called: with it come the object of a method, what a partial has bound, a closure and defaults.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Returns:
        The classes; None if not all can be looked at.
    """
    given = [each for each in (*args, *kwargs.values(), *brought_by(fn)) if type(each) not in PLAIN_KINDS]
    return kinds_in(given, copied=True) if given else frozenset()


def brought_by(fn: Any) -> list[Any]:
    """What comes with a function to each of its calls.

    Args:
        fn: The function, method, partial or other callable.
    """
    if isinstance(fn, types.MethodType):
        return [fn.__self__, *brought_by(fn.__func__)]
    if not isinstance(fn, types.FunctionType):
        return [fn]
    found = _in_closure(fn) if fn.__closure__ else []
    if fn.__defaults__ or fn.__kwdefaults__ or fn.__dict__:
        found += [*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values(), *fn.__dict__.values()]
    return found


def kinds_in(things: Iterable[Any], *, copied: bool = False) -> frozenset[type] | None:
    """The classes of all that can be reached from some things, and those that are reached themselves.

    Args:
        things: Data, and functions with what they hold.
        copied: Whether it is copies that matter: of an object that is pickled in a way of its own they may hold
            something else.

    Returns:
        The classes, those of numbers and texts excepted; None if not all can be looked at.
    """
    kinds: dict[int, type] = {}
    if _walk(things, kinds) is None:
        return None
    if not all(map(_is_hashed_plainly, kinds.values())) or (copied and any(map(_is_reduced, kinds.values()))):
        return None
    return frozenset(kinds.values())


def reached_from(things: Iterable[Any]) -> list[Any] | None:
    """All that can be reached from some things, as `kinds_in` looks at it; None if not all can be looked at.

    Args:
        things: Data, and functions with what they hold.
    """
    seen = _walk(things, {})
    return None if seen is None else list(seen.values())


def _walk(things: Iterable[Any], kinds: dict[int, type]) -> dict[int, Any] | None:
    """All that can be reached, by identity, numbers and texts excepted; notes the classes."""
    seen: dict[int, Any] = {}
    met: set[type] = (
        set()
    )  # classes whose other instances are as the first one was: what they refer to is all
    todo = [each for each in things if type(each) not in PLAIN_KINDS]
    while todo:
        level = {id(each): each for each in todo if id(each) not in seen}
        seen.update(level)
        if len(seen) > _MOST:
            return None
        todo = []
        others: list[Any] = []
        for thing in level.values():
            kind = type(thing)
            if kind in met:
                others.append(thing)
                continue
            inside = _inside(thing, kinds)
            if inside is None:
                return None
            if _refers_to_all(kind):
                met.add(kind)
            todo += [each for each in inside if type(each) not in PLAIN_KINDS]
        if others:  # all at once: one by one that took longer than to pickle them
            inside = gc.get_referents(*others)
            if not PLAIN_KINDS.issuperset(map(type, inside)):
                own = _merely_of(others, inside)
                todo += [each for each in inside if type(each) not in PLAIN_KINDS and id(each) not in own]
    return seen


def _merely_of(things: list[Any], inside: list[Any]) -> set[int]:
    """The classes that are among what things refer to only because they are the classes of these things."""
    counts = Counter(id(kind) for kind in map(type, things) if _flags(kind) & _MADE)
    found = Counter(id(each) for each in inside if isinstance(each, type))
    return {number for number, count in found.items() if count <= counts[number]}


def _refers_to_all(kind: type) -> bool:
    """Whether all that an instance of a class holds is what it refers to, besides what its class holds."""
    if kind in (types.FunctionType, types.BuiltinFunctionType, memoryview) or _home(kind) == "adaptive_exec":
        return False
    return bool(_flags(kind) & _COLLECTED) and not issubclass(kind, (type, types.ModuleType))


def _inside(thing: Any, kinds: dict[int, type]) -> Sequence[Any] | None:
    """What lies one step down from something; notes its class. None if that can't be told."""
    kind = type(thing)
    if _home(kind) in _LEAF:
        kinds[id(kind)] = kind
    if kind in (list, tuple, dict, set, frozenset):
        return gc.get_referents(thing)
    if issubclass(kind, type):
        return _of_class(thing, kinds)
    if issubclass(kind, types.ModuleType):
        return None
    if kind is types.FunctionType:
        return [thing.__defaults__, thing.__kwdefaults__, thing.__dict__, *_in_closure(thing)]
    if kind is types.BuiltinFunctionType:
        return () if isinstance(thing.__self__, types.ModuleType) else (thing.__self__,)
    if kind is memoryview:
        return (thing.obj,)
    if _home(kind) == "adaptive_exec":
        return (getattr(thing, "__adaptive_subject__", None),)
    of_class = _of_class(kind, kinds)
    if _dict_offset(kind):
        kinds[id(dict)] = dict  # what `vars` gives
    if _flags(kind) & _COLLECTED:
        return [*(each for each in gc.get_referents(thing) if each is not kind), *of_class]
    return None if _is_opaque(kind, thing) else of_class


def _in_closure(fn: types.FunctionType) -> list[Any]:
    """What a function's closure holds; modules in it are read like globals."""
    held = [each for cell in fn.__closure__ or () for each in gc.get_referents(cell)]
    return [each for each in held if not isinstance(each, types.ModuleType)]


def _of_class(kind: type, kinds: dict[int, type]) -> list[Any]:
    """The data of a class and its bases; notes the class."""
    if id(kind) in kinds or _home(kind) in _LEAF:
        return []
    kinds[id(kind)] = kind
    data: list[Any] = [type(kind)] if type(kind) is not type else []
    for base in _bases(kind):
        if _home(base) not in _LEAF:
            data += [
                value
                for name, value in list(_attributes(base).items())
                if not isinstance(value, _CODE) and name not in ("__annotations__", "_abc_impl")
            ]
    return data


def _is_hashed_plainly(kind: type) -> bool:
    """Whether no metaclass has a say in what a class is equal to."""
    return type(kind).__hash__ is type.__hash__ and type(kind).__eq__ is type.__eq__


def _is_reduced(kind: type) -> bool:
    """Whether somebody has written how instances of a class are pickled."""
    if _home(kind) in _LEAF:
        return False
    return kind in copyreg.dispatch_table or any(
        name in _attributes(base) and not _is_generated(_attributes(base)[name])
        for base in _bases(kind)
        if _home(base) not in _LEAF
        for name in _PICKLED_BY
    )


def _is_generated(value: Any) -> bool:
    """Whether a method is the standard library's, as those are that `dataclass` and `NamedTuple` make."""
    if not isinstance(value, types.FunctionType):
        return False
    home = value.__globals__.get("__name__")
    return isinstance(home, str) and home.partition(".")[0] in sys.stdlib_module_names


@functools.lru_cache(1024)
def _top(module: str) -> str:
    """The top-level package of a module."""
    return module.partition(".")[0]


def _home(kind: type) -> str:
    """The top-level package of a class."""
    module = _module(kind)
    return _top(module) if type(module) is str else ""


def _is_opaque(kind: type, thing: Any) -> bool:
    """Whether an object that tells nobody what it holds may hold objects."""
    if _home(kind) in sys.stdlib_module_names:
        return False  # it would tell if it did
    if _home(kind) == "numpy":
        return bool(getattr(getattr(thing, "dtype", None), "hasobject", False))
    return True
