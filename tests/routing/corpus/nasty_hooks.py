"""Code that runs without being called by its name: each class has one special method only, which leaves a trace."""

# mypy: disable-error-code="no-any-return,no-untyped-call,arg-type,misc,attr-defined,operator,call-overload,index"
# mypy: disable-error-code="no-untyped-def,type-arg,var-annotated,return-value"
# ruff: noqa: UP030, UP031, UP032

from __future__ import annotations

import contextlib
import copy
import enum
import functools
import operator
import pickle
import shutil
from typing import Any

LOG: list[Any] = []


class Lengthy:
    def __len__(self) -> int:
        LOG.append(1)
        return 2


class Hinting:
    def __length_hint__(self) -> int:
        LOG.append(1)
        return 2

    def __iter__(self):
        return iter((1, 2))


class InBytes:
    def __bytes__(self) -> bytes:
        LOG.append(1)
        return b"a"


class Shown:
    def __repr__(self) -> str:
        LOG.append(1)
        return "shown"


class AskingInstances(type):
    def __instancecheck__(cls, instance: object) -> bool:
        LOG.append(1)
        return True


class Instances(metaclass=AskingInstances):
    pass


class AskingClasses(type):
    def __subclasscheck__(cls, subclass: type) -> bool:
        LOG.append(1)
        return True


class Classes(metaclass=AskingClasses):
    pass


class Itemised(type):
    def __getitem__(cls, key: int) -> int:
        LOG.append(key)
        return key

    def __iter__(cls):
        LOG.append(1)
        return iter((1, 2))

    @property
    def answer(cls) -> int:
        LOG.append(1)
        return 42

    def __getattr__(cls, name: str) -> int:
        LOG.append(name)
        return 1


class Shelf(metaclass=Itemised):
    pass


class Priced:
    __match_args__ = ("total",)

    @property
    def total(self) -> int:
        LOG.append(1)
        return 2


class Watched:
    n = 1

    def __getattribute__(self, name: str) -> Any:
        LOG.append(name)
        return object.__getattribute__(self, name)


class Split:
    def __divmod__(self, other: int) -> int:
        LOG.append(other)
        return 1


class Ordered:
    def __lt__(self, other: object) -> bool:
        LOG.append(other)
        return False


class Equal:
    def __eq__(self, other: object) -> bool:
        LOG.append(other)
        return True

    __hash__ = object.__hash__


class Rows:
    def __getitem__(self, key: object) -> int:
        LOG.append(key)
        return 1


class Sink:
    def write(self, text: str) -> int:
        LOG.append(text)
        return 1


class Restored:
    def __setstate__(self, state: Any) -> None:
        LOG.append(state)


class Level:
    def __get__(self, instance: object, owner: type) -> int:
        LOG.append(1)
        return 1


class Described:
    level = Level()


class Colour(enum.Enum):
    RED = 1

    @classmethod
    def _missing_(cls, value: object) -> Colour:
        LOG.append(value)
        return cls.RED


@contextlib.contextmanager
def _noted():
    LOG.append(1)
    yield


class _Around(contextlib.ContextDecorator):
    def __enter__(self) -> None:
        LOG.append(1)

    def __exit__(self, *error: object) -> None:
        pass


@_noted()
def _managed(n: int) -> int:
    return n


@_Around()
def _surrounded(n: int) -> int:
    return n


def _note(n: int) -> int:
    LOG.append(n)
    return n


_noting = functools.partial(_note, 1)
_holding = functools.partial(max, LOG)
_FROZEN = pickle.dumps(len)
_error: Any = None
_match: Any = None


def listing_asks_for_the_length(n: int) -> list[Any]:
    return list(Lengthy())


def listing_asks_for_a_hint(n: int) -> list[Any]:
    return list(Hinting())


def truth_is_a_length(n: int) -> bool:
    return bool(Lengthy())


def bytes_are_asked(n: int) -> bytes:
    return bytes(InBytes())


def a_text_of_a_list(n: int) -> str:
    return str([Shown()])


def one_of_a_class_with_a_class(n: int) -> bool:
    return isinstance(n, Instances)


def one_of_several_classes(n: int) -> bool:
    return isinstance(n, (int, Instances))


def derives_from_a_class_with_a_class(n: int) -> bool:
    return issubclass(int, Classes)


def matches_a_class_with_a_class(n: int) -> int:
    match n:
        case Instances():
            return 1
    return 0


def an_item_of_a_class(n: int) -> int:
    return Shelf[n]


def goes_through_a_class(n: int) -> list[int]:
    return [each for each in Shelf]  # noqa: C416


def a_property_of_a_class(n: int) -> int:
    return Shelf.answer


def what_a_class_lacks(n: int) -> int:
    return Shelf.nothing_of_the_kind


def a_descriptor_in_a_class(n: int) -> int:
    return Described.level


def matches_a_property(n: int) -> int:
    match Priced():
        case Priced(total=2):
            return 1
    return 0


def matches_a_property_by_place(n: int) -> int:
    match Priced():
        case Priced(2):
            return 1
    return 0


def asks_for_a_property(n: int) -> bool:
    return hasattr(Priced(), "total")


def any_attribute(name: str) -> int:
    return getattr(Priced(), name)


def sees_each_access(n: int) -> int:
    return Watched().n


def quotient_and_rest(n: int) -> int:
    return divmod(Split(), n)


def sorts_in_place(n: int) -> int:
    things = [Ordered(), Ordered()]
    things.sort()
    return len(things)


def counts_equals(n: int) -> int:
    things = [Equal(), Equal()]
    return things.count(n)


def sorts_by_a_getter(n: int) -> int:
    return len(sorted([Priced(), Priced()], key=operator.attrgetter("total")))


def sorts_by_an_item(n: int) -> int:
    return len(sorted([Rows(), Rows()], key=operator.itemgetter("x")))


_total = operator.attrgetter("total")


def maps_a_getter(n: int) -> list[int]:
    return list(map(_total, [Priced()]))


def copies_into_a_sink(path: str) -> int:
    with open(path) as file:
        shutil.copyfileobj(file, Sink())
    return 1


def copies_what_is_restored(n: int) -> int:
    copy.copy(Restored())
    return n


def freezes_and_thaws(n: int) -> int:
    pickle.loads(pickle.dumps(Restored()))
    return n


def takes_a_property_apart(n: int) -> int:
    return Priced.total.fget(Priced())


def a_member_that_is_missing(n: int) -> str:
    return Colour(n).name


def a_helper_with_a_manager(n: int) -> int:
    return _managed(n)


def a_helper_that_is_surrounded(n: int) -> int:
    return _surrounded(n)


def what_a_partial_calls(n: int) -> int:
    return _noting.func(n)


def what_a_partial_holds(n: int) -> int:
    _holding.args[0].append(n)
    return n


def thaws_a_constant(n: int) -> int:
    return pickle.loads(_FROZEN)(n)


def thaws_an_argument(data: bytes) -> Any:
    return pickle.loads(data)


def the_frame_of_a_generator(n: int) -> Any:
    each = (x for x in range(n))
    return each.gi_frame.f_globals["LOG"]


def catches_globally(n: int) -> int:
    return _catch(n)


def _catch(n: int) -> int:
    global _error
    try:
        return n // 0
    except ZeroDivisionError as _error:
        return 0


def matches_globally(n: int) -> int:
    return _matched(n)


def _matched(n: int) -> int:
    global _match
    match n:
        case int(_match):
            return 1
    return 0


class Settable:
    @property
    def level(self) -> int:
        return 1

    @level.deleter
    def level(self) -> None:
        LOG.append(1)


class Deleting:
    def __delete__(self, instance: object) -> None:
        LOG.append(instance)


class Deletable:
    level = Deleting()


class Baptised:
    def __set_name__(self, owner: type, name: str) -> None:
        LOG.append(name)


class Missing(dict):
    def __missing__(self, key: str) -> str:
        LOG.append(key)
        return key


class Several:
    def __iter__(self):
        LOG.append(1)
        return iter((1, 2))


class Truth:
    def __bool__(self) -> bool:
        LOG.append(1)
        return True


class Compared:
    def __gt__(self, other: object) -> Truth:
        return Truth()

    def __lt__(self, other: object) -> Truth:
        return Truth()


class Base:
    def run(self) -> int:
        return self.step()

    def step(self) -> int:
        LOG.append(1)
        return 1


class Derived(Base):
    def run(self) -> int:
        return 1


def deletes_through_a_property(n: int) -> int:
    thing = Settable()
    del thing.level
    return n


def deletes_by_name(n: int) -> int:
    delattr(Settable(), "level")
    return n


def deletes_through_a_descriptor(n: int) -> int:
    thing = Deletable()
    del thing.level
    return n


def baptises(n: int) -> int:
    class Local:
        level = Baptised()

    return n


def sorts_by_keys_that_are_compared(n: int) -> int:
    return len(sorted([n, 1], key=lambda each: Ordered()))


def formats_what_is_missing(n: int) -> str:
    return "%(a)s" % Missing()


def formats_a_property(n: int) -> str:
    return "{0.total}".format(Priced())


def takes_a_class_apart(n: int) -> int:
    return vars(Base)["step"](Base())


def calls_by_super_with_arguments(n: int) -> int:
    return super(Derived, Derived()).run()


def grows_by_several(n: int) -> list[int]:
    things = [n]
    things += Several()
    return things


def fills_a_slice(n: int) -> list[int]:
    things = [n]
    things[:] = Several()
    return things


def compares_twice(n: int) -> bool:
    return 1 < Compared() < 3
