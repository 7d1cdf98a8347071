"""What Python calls on its own, of classes and objects: hooks, descriptors, metaclasses, finalizers."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import gc
import itertools
import sys
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple, Self

from tests.semantics.case import Case

_log: list[Any] = []


class Registered:
    """Notes its subclasses."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _log.append(cls.__name__)


class Named:
    """Notes under which name it is put into a class."""

    def __set_name__(self, owner: type, name: str) -> None:
        _log.append(name)


class Meta(type):
    """Makes one instance a class, and notes what is asked."""

    made: dict[type, Any] = {}  # noqa: RUF012

    def __call__(cls, *args: Any) -> Any:
        if cls not in Meta.made:
            Meta.made[cls] = super().__call__()
        return Meta.made[cls]

    def __getattr__(cls, name: str) -> int:
        if name.startswith("_"):
            raise AttributeError(name)
        _log.append(name)
        return len(_log)

    def __iter__(cls) -> Iterator[int]:
        _log.append("iter")
        return iter([1, 2])

    def __len__(cls) -> int:
        _log.append("len")
        return 2

    def __contains__(cls, thing: object) -> bool:
        _log.append("in")
        return True


class Single(metaclass=Meta):
    """The one instance counts."""

    def __init__(self) -> None:
        self.count = 0

    def bump(self) -> int:
        self.count += 1
        return self.count


class Preparing(type):
    """Notes what a class body is prepared for."""

    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], /, **kwargs: Any) -> dict[str, object]:  # noqa: N804
        _log.append(name)
        return {}


class Item:
    """Is asked for items as a class."""

    def __class_getitem__(cls, key: object) -> int:
        _log.append(key)
        return len(_log)


class Dying:
    """Notes its end."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __del__(self) -> None:
        _log.append(self.n)


class Guarded:
    """Its attributes are noted as they are set, deleted and fetched."""

    def __setattr__(self, name: str, value: object) -> None:
        _log.append(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        _log.append(f"del {name}")
        object.__delattr__(self, name)


class Watched:
    """Every attribute is noted."""

    value = 3

    def __getattribute__(self, name: str) -> Any:
        if name == "value":
            _log.append(name)
        return object.__getattribute__(self, name)


class Numbered:
    """Numbers its instances, as is often done."""

    _ids = itertools.count(1)

    def __init__(self) -> None:
        self.id = next(self._ids)


class Counted:
    """Counts its instances by a class method."""

    total = 0

    def __init__(self) -> None:
        self._count()

    @classmethod
    def _count(cls) -> None:
        cls.total += 1


class CountedChild(Counted):
    """Counts in its own class, out of its parent's."""

    def __init__(self) -> None:
        super().__init__()


@dataclasses.dataclass
class Ticket:
    """Numbered by a default."""

    holder: str
    number: int = dataclasses.field(default_factory=itertools.count(1).__next__)


@dataclasses.dataclass
class Joined:
    """Joins a list once it is made."""

    name: str

    def __post_init__(self) -> None:
        _log.append(self.name)


class Pair(NamedTuple):
    """Notes by a method."""

    a: int
    b: int

    def total(self) -> int:
        _log.append(self.a)
        return self.a + self.b


class Colour(enum.Enum):
    """Notes what is missing."""

    RED = 1

    @classmethod
    def _missing_(cls, value: object) -> Colour:
        _log.append(value)
        return cls.RED


class Borg:
    """All instances share their state."""

    _state: dict[str, int] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.__dict__ = self._state

    def bump(self) -> int:
        self.n = getattr(self, "n", 0) + 1
        return self.n


class Lonely:
    """Its __new__ always gives the same."""

    _one: Lonely | None = None
    n: int

    def __new__(cls) -> Self:
        if cls._one is None:
            cls._one = super().__new__(cls)
            cls._one.n = 0
        return cls._one  # type: ignore[return-value]


class Shop:
    """Computes a property once, and notes it."""

    @functools.cached_property
    def goods(self) -> list[int]:
        _log.append("computed")
        return [1]


_shop = Shop()
_living: weakref.WeakSet[Any] = weakref.WeakSet()
_by_name: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_kept: list[Any] = []


class Changing(ModuleType):
    """A module whose attribute counts."""

    @property
    def level(self) -> int:
        _log.append(1)
        return len(_log)


_changing = Changing("changing")


def subclasses(n: int) -> str:
    """Defines a subclass of what notes its subclasses."""

    class Plugin(Registered):
        """One of them."""

    return Plugin.__name__


def subclasses_by_type(n: int) -> str:
    """The same by calling type."""
    return type(f"P{n}", (Registered,), {}).__name__


def names_a_descriptor(n: int) -> int:
    """Puts a descriptor that notes its name into a class."""

    class Model:
        """With a field."""

        field = Named()

    return len(vars(Model)) - len(vars(Model)) + n


def calls_a_singleton(n: int) -> int:
    """A metaclass gives the one instance, which counts."""
    return int(Single().bump())


def asks_a_metaclass(n: int) -> int:
    """A metaclass notes what is asked of a class."""
    return Single.anything + n


def iterates_a_class(n: int) -> list[int]:
    """A metaclass notes that a class is gone through."""
    return [each + n for each in Single]


def measures_a_class(n: int) -> int:
    """A metaclass notes that the length of a class is asked for."""
    return len(Single) + n


def looks_into_a_class(n: int) -> bool:
    """A metaclass notes that something is looked for in a class."""
    return n in Single


def prepares_a_class(n: int) -> str:
    """A metaclass notes what it prepares."""

    class Made(metaclass=Preparing):
        """Prepared for."""

    return Made.__name__


def asks_a_class_for_an_item(n: int) -> Any:
    """A class notes for which item it is asked."""
    kind: Any = Item
    return kind[n]


def dies(n: int) -> int:
    """What is made here notes its end."""
    return Dying(n).n


def dies_in_a_list(n: int) -> int:
    """The same in a list that is cleared."""
    made = [Dying(i) for i in range(n % 3)]
    made.clear()
    return n


def sets_what_is_guarded(n: int) -> int:
    """Attributes of what is made here are noted as they are set."""
    made = Guarded()
    made.value = n
    return n


def deletes_what_is_guarded(n: int) -> int:
    """The same as they are deleted."""
    made = Guarded()
    vars(made)["value"] = n
    del made.value  # type: ignore[attr-defined]
    return n


def fetches_what_is_watched(n: int) -> int:
    """Attributes of what is made here are noted as they are fetched."""
    return Watched().value + n


def numbers_what_is_made(n: int) -> int:
    """A class numbers its instances."""
    return Numbered().id


def counts_what_is_made(n: int) -> int:
    """A class method counts in its class."""
    return CountedChild().total


def numbers_by_a_default(n: int) -> int:
    """The default of a field numbers instances."""
    return Ticket(str(n)).number


def joins_after_making(n: int) -> str:
    """A dataclass notes its instances."""
    return Joined(f"j{n}").name


def totals_a_tuple(n: int) -> int:
    """A named tuple's method notes."""
    return Pair(n, 1).total()


def finds_a_missing_member(n: int) -> str:
    """An enum notes what it doesn't have."""
    return Colour(n + 1).name


def shares_a_state(n: int) -> int:
    """All instances have one state."""
    return Borg().bump()


def gets_the_only_one(n: int) -> int:
    """A class always gives the same instance."""
    one = Lonely()
    one.n += 1
    return one.n


def computes_once(n: int) -> int:
    """A cached property of an object of the module is computed by the first call."""
    return len(_shop.goods) + n


def adds_to_the_living(n: int) -> int:
    """An argument's class is added to a weak set, with all the others."""
    made = type("Made", (), {})
    _living.add(made)
    _kept.append(made)
    return len(_living)


def names_the_living(n: int) -> int:
    """What is made here is known by name for as long as it lives."""
    made = Shop()
    _by_name[str(n)] = made
    before = len(_by_name)
    del made
    return before * 10 + len(_by_name)


def finalizes(n: int) -> int:
    """Something is called when what is made here ends."""
    made = Shop()
    weakref.finalize(made, _log.append, n)
    return n


def refers_weakly(n: int) -> int:
    """The same by a weak reference."""
    made = Shop()
    ref = weakref.ref(made, _note_end)
    del made
    return int(ref() is None)


def _note_end(ref: object) -> None:
    """Is told of an end."""
    _log.append("end")


def leaves_a_generator(n: int) -> int:
    """A generator that is left notes that as it ends."""

    def numbers() -> Iterator[int]:
        try:
            yield n
            yield n + 1
        finally:
            _log.append(n)

    return next(numbers())


@contextlib.contextmanager
def _noting(n: int) -> Iterator[int]:
    """Notes its end."""
    yield n
    _log.append(n)


def leaves_by_a_stack(n: int) -> int:
    """A stack of contexts ends what was entered."""
    with contextlib.ExitStack() as stack:
        return stack.enter_context(_noting(n))


def calls_back_from_a_stack(n: int) -> int:
    """A stack of contexts calls what was left with it."""
    with contextlib.ExitStack() as stack:
        stack.callback(_log.append, n)
    return n


def asks_a_module(n: int) -> int:
    """A module has a property that counts."""
    return _changing.level


def hooks_the_collector(n: int) -> int:
    """A callback of the collector is added."""
    gc.callbacks.append(_collected)
    return len(gc.callbacks)


def _collected(phase: str, info: dict[str, int]) -> None:
    """Is told of a collection."""


def traces(n: int) -> bool:
    """A trace function is set."""
    before = sys.getprofile()
    sys.setprofile(None if n % 2 else _profiled)
    return before is _profiled


def _profiled(frame: Any, event: str, arg: Any) -> None:
    """Is told of calls."""


def _decorated(fn: Callable[[int], int]) -> Callable[[int], int]:
    """Counts calls in an attribute of the function, as decorators do."""

    @functools.wraps(fn)
    def wrapper(n: int) -> int:
        wrapper.calls += 1  # type: ignore[attr-defined]
        return fn(n) + wrapper.calls  # type: ignore[attr-defined,no-any-return]

    wrapper.calls = 0  # type: ignore[attr-defined]
    return wrapper


@_decorated
def counts_in_a_wrapper(n: int) -> int:
    """Its wrapper counts its calls."""
    return n


class Calls:
    """A decorator that is a class."""

    def __init__(self, fn: Callable[[int], int]) -> None:
        self.fn = fn
        self.calls = 0

    def __call__(self, n: int) -> int:
        self.calls += 1
        return self.fn(n) + self.calls


@Calls
def _counted_by_a_class(n: int) -> int:
    """Its calls are counted by an object."""
    return n


def calls_what_a_class_decorates(n: int) -> int:
    """An object that decorates a helper counts."""
    return _counted_by_a_class(n)


def _reset() -> None:
    """As at the start."""
    _log.clear()
    _kept.clear()
    Meta.made.clear()
    Counted.total = CountedChild.total = 0
    Numbered._ids = itertools.count(1)
    Ticket.__init__.__globals__.setdefault("_", None)
    Borg._state.clear()
    Lonely._one = None
    vars(_shop).pop("goods", None)
    gc.callbacks[:] = [each for each in gc.callbacks if each is not _collected]
    counts_in_a_wrapper.calls = 0  # type: ignore[attr-defined]
    _counted_by_a_class.calls = 0
    gc.collect()


def _world() -> Any:
    """What was noted."""
    hooked = gc.callbacks.count(_collected)
    sys.setprofile(None)
    return list(map(str, _log)), len(_kept), hooked, "goods" in vars(_shop)


CASES = [
    Case(fn, world=_world, reset=_reset)
    for fn in (
        subclasses,
        subclasses_by_type,
        names_a_descriptor,
        calls_a_singleton,
        asks_a_metaclass,
        iterates_a_class,
        measures_a_class,
        looks_into_a_class,
        prepares_a_class,
        asks_a_class_for_an_item,
        dies,
        dies_in_a_list,
        sets_what_is_guarded,
        deletes_what_is_guarded,
        fetches_what_is_watched,
        numbers_what_is_made,
        counts_what_is_made,
        joins_after_making,
        totals_a_tuple,
        finds_a_missing_member,
        shares_a_state,
        gets_the_only_one,
        computes_once,
        adds_to_the_living,
        names_the_living,
        finalizes,
        refers_weakly,
        leaves_a_generator,
        leaves_by_a_stack,
        calls_back_from_a_stack,
        asks_a_module,
        hooks_the_collector,
        traces,
        counts_in_a_wrapper,
        calls_what_a_class_decorates,
    )
]
