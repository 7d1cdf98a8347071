"""What exists before the call: modules, functions, classes and data, and what each is to a reader of code."""

from __future__ import annotations

import builtins
import collections
import enum
import functools
import inspect
import io
import logging
import operator
import socket
import sys
import threading
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..installed import is_installed
from .callables import Callables, place_of
from .denied import denied, denied_objects
from .dependence import settings_of
from .environment import Pin, Reads, attributes_of, current, never_changes
from .holding import Nature
from .kinds import has_any, is_ever_ours, kinds_in
from .origins import NOTHING, Bound, Known, Outside, Partial, Shared, StaysError, Value

__all__ = ["LOGGERS", "TUPLE_GETTER", "World", "module_of"]

TUPLE_GETTER: Final = type(vars(collections.namedtuple("_One", "one"))["one"])  # noqa: PYI024
"""What stands in a named tuple's class for each of its fields."""
LOGGERS: Final = (logging.Logger, logging.RootLogger)

_TYPING: Final = frozenset({"typing", "typing_extensions", "_typing", "types", "ast"})
_SAFE_CALLABLES: Final = (operator.itemgetter, operator.attrgetter)

_HELD: Final[tuple[tuple[type[Any], str], ...]] = (
    (type(threading.Lock()), "lock"),
    (type(threading.RLock()), "lock"),
    (threading.Condition, "condition"),
    (threading.Event, "event"),
    (threading.Semaphore, "semaphore"),
    (threading.Barrier, "barrier"),
    (threading.local, "thread-local data"),
    (threading.Thread, "thread"),
    (io.IOBase, "open file"),
    (socket.socket, "socket"),
    (types.GeneratorType, "generator"),
    (types.CoroutineType, "coroutine"),
    (types.FrameType, "frame"),
)


def module_of(fn: Any) -> str:
    """The name of the module whose globals a function sees: what `functools.wraps` copies is not asked."""
    found = (
        fn.__globals__.get("__name__")
        if isinstance(fn, types.FunctionType)
        else getattr(fn, "__module__", None)
    )
    return found if isinstance(found, str) else ""


class World:
    """Sorts what exists into ours and foreign, and notes which data is read.

    Args:
        module: Name of the module of the submitted function: its top-level package is ours in any case.
        given: Of which classes objects may be given; None if that is not known.
        seen: Some of which they are, where not all are known.
        called: What can be called among what is given; None if it can't be told.

    Attributes:
        living: The classes whose objects can be there at all; None if it may be any that modules define.
        lacking: Special methods of which it was taken that no object has that is given.
        nature: What all that has been met does with its time, objects excepted.
    """

    def __init__(
        self,
        module: str,
        given: Iterable[type] | None = None,
        seen: Iterable[type] = (),
        called: Callables | None = None,
    ) -> None:
        self.top = module.partition(".")[0]
        self.reads: dict[tuple[str, str], None] = {}
        self.denied = _denied_objects()
        self._ours: dict[str, bool] = {}
        self._methods: dict[str, dict[str, list[tuple[type, Any]]]] = {}
        self.identities = 0  # whether identities are compared, and whose: see `identities.py`
        self._counted: tuple[int, ...] = ()
        self._names: set[str] = set()
        self.pins: dict[tuple[tuple[str, str], int], Pin] = {}
        self.touched: dict[str, None] = {}
        self.shown: set[str] = set()
        self.settings: dict[str, None] = {}
        self.tables: dict[int, Mapping[Any, Any]] = {}
        self.given: dict[type, None] | None = None if given is None else dict.fromkeys(given)
        self._seen = dict.fromkeys(seen)
        self.called = called
        self._callees: Value | None = None
        self.living: dict[type, None] | None = None if given is None else dict.fromkeys(given)
        self.lacking: dict[str, None] = {}
        self._met: dict[int, Any] = {}
        self._alive: dict[str, tuple[int, list[tuple[type, type, Any]]]] = {}
        self._names_in: dict[type, frozenset[str]] = {}
        self.nature = Nature()

    def meet(self, value: Any) -> None:
        """Note the classes of what the code reaches: their objects can be there from now on."""
        code = (types.FunctionType, types.ModuleType)
        if self.living is None or id(value) in self._met or never_changes(value) or isinstance(value, code):
            return
        self._met[id(value)] = value
        found = kinds_in((value,))
        if found is None:
            self.living = None
        else:
            self.living.update(dict.fromkeys(found))

    def give(self, kind: type) -> None:
        """Calls are given an object of this class, too."""
        if self.given is not None:
            self.given.setdefault(kind)

    def gives(self, kind: type) -> bool:
        """Whether calls are known to be given objects of this class, or of one that derives from it."""
        given = self._seen if self.given is None else self.given
        return any(kind in each.__mro__ for each in given)

    def callees(self) -> Value:
        """What can be called among what is given, as far as it can be read; its code is noted.

        Nobody names these functions, so that they stand where they do has to be compared like any other code.
        """
        if self._callees is None:
            found = [callee.value for callee in self.called.callees] if self.called is not None else []
            for value in found:
                place = place_of(value) if isinstance(value, (types.FunctionType, type)) else None
                if place is not None:
                    space, module, path = place
                    self.pin(space, path.rpartition(".")[2], value, (module, path))
            self._callees = frozenset(map(Known, found))
        return self._callees

    def lacks(self, *names: str, but: tuple[type, ...] = ()) -> bool:
        """Whether nothing that a call is given has such attributes, numbers and objects of these classes excepted.

        Then what an operator makes of such things is a number or a text, or an error, and none of them is changed.
        """
        if self.given is None or has_any([kind for kind in self.given if kind not in but], names):
            return False
        if not any(
            kind in self.given for kind in but
        ):  # with one of them it has only been asked of the others
            self.lacking.update(dict.fromkeys(names))
        return True

    def has_standard(self, name: str) -> bool:
        """Whether no object that a call is given has a method of this name but such as standard classes have."""
        return self.given is not None and not any(
            name in vars(base) and is_ever_ours(base) for kind in self.given for base in kind.__mro__
        )

    def meet_any(self) -> None:
        """Objects of any class can be there from now on."""
        self.living = None

    def all_reads(self) -> Reads:
        """What is read, and the code on which the verdict rests."""
        for kind in {**(self.given or {}), **self._seen, **(self.living or {})}:
            members: dict[str, enum.Enum] = (
                vars(kind)["_member_map_"] if isinstance(kind, enum.EnumMeta) else {}
            )
            for name, member in members.items():
                self._note_member(kind, name, member)
        tables = tuple((table, dict(table)) for table in self.tables.values())
        return Reads(
            self.reads,
            tuple(self.pins.values()),
            frozenset(self.shown),
            tuple(self.settings),
            tables,
            self.identities,
        )

    def depend(self, name: str, node: Any) -> None:
        """Note the settings and libraries that a call of a foreign function depends on, and how it spends its time."""
        self.nature.call(name)
        for each in settings_of(name, node):
            self.settings.setdefault(each)

    def is_ours(self, module: Any) -> bool:
        """Whether a module is the user's own code, to be read and not to be trusted blindly."""
        if not isinstance(module, str) or not module:
            return False
        known = self._ours.get(module)
        if known is None:
            known = self._ours[module] = self._is_ours(module)
        return known

    def _is_ours(self, name: str) -> bool:
        """The same, found out."""
        top = name.partition(".")[0]
        if top in (self.top, "__main__", "__mp_main__"):
            return True
        if top in sys.stdlib_module_names or top == "adaptive_exec":
            return False
        file = getattr(sys.modules.get(name), "__file__", None)
        return isinstance(file, str) and not is_installed(file)

    def name_of(self, value: Any) -> str:
        """The dotted name of a function, class or module."""
        if isinstance(value, types.ModuleType):
            return value.__name__
        if isinstance(value, types.BuiltinMethodType) and isinstance(value.__self__, types.ModuleType):
            return f"{_plain(value.__self__.__name__)}.{value.__name__}"
        module = (
            module_of(value) or getattr(getattr(value, "__objclass__", None), "__module__", "") or "builtins"
        )
        module = _plain(module)
        return f"{module}.{getattr(value, '__qualname__', type(value).__qualname__)}"

    def refuse_denied(self, value: Any) -> None:
        """Raise if this object is one that reaches the state of this process."""
        found = self.denied.get(id(value))
        why = denied(found[1]) if found else None
        if why is None and isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            why = denied(self.name_of(value))
        if why is not None:
            raise StaysError(why)

    def global_value(self, fn: types.FunctionType, name: str) -> Value:
        """What a global name of a function's module stands for."""
        module = module_of(fn)
        if name in fn.__globals__:
            if sys.modules.get(module) is None or vars(sys.modules[module]) is not fn.__globals__:
                raise StaysError(f"sees globals that are not those of the module {module}")
            self.touched.setdefault(module)
            value = fn.__globals__[name]
            self.pin(fn.__globals__, name, value, (module, name))
            return self.sort(value, f"the module-level {_kind(value)} {name}", (module, name))
        if hasattr(builtins, name):
            self.pins[(module, name), id(None)] = (fn.__globals__, name, None, (module, name))
            return self._builtin(name, getattr(builtins, name))
        raise StaysError(f"uses the name {name}, which does not exist yet")

    def _builtin(self, name: str, value: Any) -> Value:
        """What a name of the builtins stands for: perhaps something that was put there."""
        self.pin(vars(builtins), name, value, ("builtins", name))
        if name in _BUILTINS or isinstance(value, _PINNED):
            return frozenset({Known(value, f"builtins.{name}")}) if callable(value) else NOTHING
        return self.sort(value, f"the builtin {name}", ("builtins", name))

    def pin(self, space: Any, name: str, value: Any, place: tuple[str, str]) -> None:
        """Note code that was read, and where a worker finds it: the verdict holds as long as it stands there."""
        if isinstance(value, _PINNED):
            self.pins[place, id(value)] = (space, name, value, place)

    def sort(self, value: Any, label: str, read: tuple[str, str] | None = None) -> Value:
        """What an existing object is; data is noted in `reads` if it can be named."""
        self.refuse_denied(value)
        self.meet(value)
        if isinstance(value, functools.partial):
            given = (*value.args, *value.keywords.values())
            self._note(read, given)
            held = NOTHING.union(*(self.sort(each, label) for each in given))
            return frozenset({Partial(self.sort(value.func, label), held)})
        if isinstance(value, _SAFE_CALLABLES):
            return frozenset({Known(value)})
        if isinstance(value, (types.ModuleType, type, types.FunctionType)):
            return frozenset({Known(value)})
        if isinstance(value, (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)):
            return self._method(value, label, read)
        subject = getattr(type(value), "__adaptive_subject__", None)
        if subject is not None:
            return self.sort(value.__adaptive_subject__, label, read)
        if type(value).__module__.startswith("adaptive_exec.primitives"):
            self.nature.computes = False
            return frozenset({Shared()})
        self._refuse_held(value, label)
        if isinstance(value, enum.Enum):
            _refuse_open(value, label)
        if type(value).__module__ in _TYPING and not isinstance(value, (type, types.SimpleNamespace)):
            return NOTHING
        if callable(value) and not self.is_ours(type(value).__module__) and hasattr(value, "__name__"):
            return frozenset({Known(value)})
        if type(value) in LOGGERS:
            self.nature.computes = False
            return frozenset({Outside(label, value)})  # every process has one of that name
        if read is not None:
            self.reads.setdefault(read)
        return frozenset({Outside(label, value)})

    def _note(self, read: tuple[str, str] | None, held: tuple[Any, ...]) -> None:
        """Note something for comparison whose parts may be other ones in a worker."""
        plain = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
        if read is not None and not all(never_changes(each) or isinstance(each, plain) for each in held):
            self.reads.setdefault(read)

    def _method(self, value: Any, label: str, read: tuple[str, str] | None) -> Value:
        """A method that was fetched from its object earlier."""
        owner = value.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            return frozenset({Known(value)})
        if isinstance(owner, type):
            return frozenset({Bound(frozenset({Known(owner)}), value.__name__)})
        self._note(read, (owner,))
        return frozenset({Bound(self.sort(owner, f"the object of {label}", None), value.__name__)})

    def _refuse_held(self, value: Any, label: str) -> None:
        """Raise for what can't leave: locks, files, iterators and the like."""
        for kind, what in _HELD:
            if isinstance(value, kind):
                raise StaysError(f"uses {label}, {_an(what)} of this process")
        if hasattr(type(value), "__next__"):
            raise StaysError(f"uses {label}, an iterator that its calls have in common")
        home = type(value).__module__
        if isinstance(value, (logging.LoggerAdapter, logging.Handler, logging.Filter, logging.Formatter)):
            raise StaysError(f"uses {label}, a part of how this process logs")
        if hasattr(type(value), "cache_info") and not _is_of_the_library(value):
            raise StaysError(f"uses {label}, which keeps a cache in this process")
        if home.split(".")[0] in (
            "_contextvars",
            "contextvars",
            "sqlite3",
            "_thread",
            "asyncio",
            "multiprocessing",
        ):
            raise StaysError(f"uses {label}, which belongs to this process")
        if type(value).__qualname__ in ("ContextVar", "Context", "Token") and home in (
            "_contextvars",
            "builtins",
        ):
            raise StaysError(f"uses {label}, a context variable")
        if not self.is_ours(home) and home.split(".")[0] in ("random", "_random"):
            raise StaysError(f"uses {label}, whose state belongs to this process")

    def class_attribute(self, kind: type, name: str) -> Any:
        """Look an attribute up without running anything; AttributeError if the class has none."""
        for base in kind.__mro__:
            if name in vars(base):
                return base, vars(base)[name]
        raise AttributeError(name)

    def class_data(self, owner: type, name: str, value: Any) -> Value:
        """Data that stands in a class, and so is common to all its instances."""
        label = f"the class attribute {owner.__qualname__}.{name}"
        self.meet(owner)
        if isinstance(value, enum.Enum):
            _refuse_open(value, label)
            self._note_member(owner, name, value)
            return NOTHING
        ours = self.is_ours(owner.__module__) or (never_changes(value) and not name.startswith("__"))
        read = (owner.__module__, f"{owner.__qualname__}.{name}") if ours else None
        if isinstance(
            value,
            (
                *(types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType),
                TUPLE_GETTER,
            ),
        ):
            return NOTHING
        if hasattr(type(value), "__get__"):
            self.meet(value)
            return frozenset({Outside(label, value)})
        if read is not None:
            read = self.findable(read, value)
            if read is None and not never_changes(value):
                raise StaysError(f"reads {label}, of a class that no worker can find")
        return self.sort(value, label, read)

    def _note_member(self, owner: type, name: str, member: enum.Enum) -> None:
        """Note the attributes of a member of an enumeration: it goes by its name, and they may be others elsewhere."""
        for each, held in attributes_of(member).items() if self.is_ours(owner.__module__) else ():
            place = (owner.__module__, f"{owner.__qualname__}.{name}.{each}")
            if not each.startswith("_") and never_changes(held) and self.findable(place, held):
                self.reads.setdefault(place)

    def findable(self, place: tuple[str, str], value: Any) -> tuple[str, str] | None:
        """The place itself if a value is found there, None otherwise."""
        try:
            return place if current(*place) is value else None
        except ValueError:
            return None

    def default(self, fn: types.FunctionType, name: str, value: Any) -> Value:
        """What a parameter is that a call does not give; what can change in it is compared in a worker."""
        label = f"the default of the parameter {name}"
        if never_changes(value) or isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            return self.sort(value, label)
        attribute = (
            "__defaults__" if any(each is value for each in fn.__defaults__ or ()) else "__kwdefaults__"
        )
        place = self.findable((module_of(fn), f"{fn.__qualname__}.{attribute}"), getattr(fn, attribute))
        if place is not None:
            self.reads.setdefault(place)
        return self.sort(value, label)

    def attribute(self, value: Any, name: str, holder: str) -> Value:
        """An attribute of a module or function that exists already."""
        dotted = f"{holder}.{name}"
        why = denied(dotted)
        if why is not None:
            raise StaysError(why)
        if name not in vars(value):
            submodule = sys.modules.get(dotted)
            if submodule is not None:
                return frozenset({Known(submodule)})
            if isinstance(value, types.ModuleType):
                if hasattr(inspect.getattr_static(type(value), name, None), "__get__"):
                    raise StaysError(f"runs {dotted}, a property of a module")
                if self.is_ours(value.__name__) or not hasattr(value, name):
                    raise StaysError(f"uses {dotted}, which does not exist yet")
                return self.sort(getattr(value, name), f"{dotted}", None)
            return NOTHING  # the __name__ of a function, and the like
        found = vars(value)[name]
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                raise StaysError(f"reads {dotted}, which a worker does not have")
            self.touched.setdefault(value.__name__)
            self.pin(vars(value), name, found, (value.__name__, name))
            stdlib = value.__name__.partition(".")[0] in sys.stdlib_module_names
            if (
                not self.is_ours(value.__name__)
                and not callable(found)
                and not isinstance(found, types.ModuleType)
            ):
                if never_changes(found) and stdlib:
                    if value is not sys and not name.startswith("__"):
                        self.reads.setdefault((value.__name__, name))
                    return NOTHING
                compared = not stdlib or isinstance(found, (list, dict, set))
                return self.sort(found, f"{dotted}", (value.__name__, name) if compared else None)
            return self.sort(found, f"the module-level {_kind(found)} {dotted}", (value.__name__, name))
        place = (module_of(value), f"{value.__qualname__}.{name}")
        return self.sort(found, f"the function attribute {dotted}", self.findable(place, found))

    def candidates(self, name: str, *, given: bool = False) -> Iterator[tuple[type, type, Any]]:
        """Every method of this name that an object may have: its class, the one that defines it, the method.

        Of all classes of ours whose objects can be there; if that is not known, of all that modules read so far see.
        Of an argument it is only those that calls are given.
        """
        if self.living is not None:
            alive = self._candidates_alive(name, self.living)
            only = self.given if given else None
            yield from alive if only is None else [each for each in alive if each[0] in only]
            return
        for module in list(self.touched):
            index = self._methods.get(module)
            if index is None:
                index = self._methods[module] = self._index(module)
            for owner, value in index.get(name, ()):
                yield owner, owner, value
        for kind, owner, value in self.held(name, given=True):
            if isinstance(value, _CODE) and owner.__module__ not in self.touched:
                yield kind, owner, value

    def _candidates_alive(self, name: str, living: dict[type, None]) -> list[tuple[type, type, Any]]:
        """The candidates among classes whose objects can be there, found anew only when there are more of these."""
        count, found = self._alive.get(name, (-1, []))
        if count != len(living):
            found = [each for each in self.held(name, given=False) if isinstance(each[2], _CODE)]
            for _, owner, value in found:
                self.pin(vars(owner), name, value, (owner.__module__, f"{owner.__qualname__}.{name}"))
            self._alive[name] = len(living), found
        return found

    def held(self, name: str, *, given: bool) -> Iterator[tuple[type, type, Any]]:
        """What classes have of ours under a name: the class, the one that defines it, and what stands there.

        Those of what calls are given, or all whose objects can be there, as far as they are known.
        """
        for kind in list(self._kinds(given=given)):
            owner = next((base for base in kind.__mro__ if name in vars(base)), None)
            if owner is not None and self.is_ours(owner.__module__):
                value = vars(owner)[name]
                if self.is_written(value):
                    yield kind, owner, value

    def _kinds(self, *, given: bool) -> dict[type, None]:
        """The classes of what calls are given, or of all that can be there, as far as they are known."""
        kinds = self.given if given or self.living is None else self.living
        return self._seen if kinds is None else kinds

    def written_names(self) -> set[str]:
        """The names of all candidates."""
        kinds = self._kinds(given=False)
        count = (len(kinds), len(self.touched) if self.living is None else -1)
        if self._counted != count:
            self._counted = count
            self._names = set().union(*map(self.names_in, kinds))
            if self.living is None:
                list(self.candidates(""))
                self._names.update(*self._methods.values())
        return self._names

    def names_in(self, kind: type) -> frozenset[str]:
        """The names that a class has from classes of ours."""
        known = self._names_in.get(kind)
        if known is None:
            ours = [vars(base) for base in kind.__mro__ if self.is_ours(base.__module__)]
            known = self._names_in[kind] = frozenset().union(*ours)
        return known

    def _index(self, module: str) -> dict[str, list[tuple[type, Any]]]:
        """The methods of a module's classes, and of their subclasses, by name."""
        index: dict[str, list[tuple[type, Any]]] = {}
        seen: set[type] = set()
        todo = [value for value in list(vars(sys.modules[module]).values()) if isinstance(value, type)]
        while todo:
            kind = todo.pop()
            if kind in seen or not self.is_ours(kind.__module__):
                continue
            seen.add(kind)
            todo.extend(type.__subclasses__(kind))
            todo.extend(kind.__mro__[1:])
            todo.extend(value for value in vars(kind).values() if isinstance(value, type))
            for name, value in vars(kind).items():
                if isinstance(value, _CODE) and self.is_written(value):
                    index.setdefault(name, []).append((kind, value))
        return index

    def is_written(self, value: Any) -> bool:
        """Whether what stands in a class body was written there, and not put there by a foreign decorator."""
        for name in ("__func__", "fget", "func"):
            value = getattr(value, name, value)
        value = getattr(value, "__wrapped__", value)
        if not isinstance(value, types.FunctionType):
            return True
        return self.is_ours(module_of(value)) and value.__code__.co_filename != "<string>"

    def kinds_of(self, owner: type) -> tuple[type, ...]:
        """A class and all its subclasses of ours: an inherited method is judged for all of them at once."""
        if self.living is not None:
            return tuple(kind for kind in self.living if owner in kind.__mro__)
        found: dict[type, None] = {}
        todo = [owner]
        while todo:
            kind = todo.pop()
            if kind not in found:
                found[kind] = None
                todo.extend(type.__subclasses__(kind))
        return tuple(found)


_BUILTINS: Final = frozenset(
    name for name, value in vars(builtins).items() if never_changes(value) or callable(value)
)
_PINNED: Final = (
    functools.partial,
    types.FunctionType,
    types.BuiltinFunctionType,
    type,
    types.ModuleType,
    classmethod,
    staticmethod,
    *LOGGERS,
)
_CODE: Final = (
    types.FunctionType,
    classmethod,
    staticmethod,
    property,
    functools.cached_property,
    functools.partialmethod,
)


_denied: tuple[int, dict[int, tuple[Any, str]]] = (0, {})


def _denied_objects() -> dict[int, tuple[Any, str]]:
    """What is denied, found anew only when modules have been loaded."""
    global _denied
    loaded = len(sys.modules)
    if _denied[0] != loaded:
        _denied = (loaded, denied_objects())
    return _denied[1]


def _is_of_the_library(value: Any) -> bool:
    """Whether a function that keeps what it has given is the standard library's: that gives the same everywhere."""
    return module_of(getattr(value, "__wrapped__", None)).partition(".")[0] in sys.stdlib_module_names


def _plain(module: str) -> str:
    """The public name of a module that is written in C: `heapq` for `_heapq`."""
    public = {"posix": "os", "nt": "os"}.get(module, module.lstrip("_"))
    return public if public in sys.stdlib_module_names else module


def _kind(value: Any) -> str:
    """What a message calls the class of a value."""
    return type(value).__name__


def _an(what: str) -> str:
    """The article too."""
    if what.endswith("data"):
        return what
    return f"an {what}" if what[0] in "aeio" else f"a {what}"


def _refuse_open(member: enum.Enum, label: str) -> None:
    """Raise for a member of an enumeration that holds what can grow: each process has one of its own."""
    for held in attributes_of(member).values():
        if isinstance(held, (list, dict, set, bytearray)):
            raise StaysError(f"uses {label}, a member of an enumeration that holds a {type(held).__name__}")
