"""Functions whose calls must stay in this process because of the classes that they use."""

# ruff: noqa: C416, F401, PLW1641, RUF012, UP031, UP032
# mypy: disable-error-code="no-any-return,no-untyped-call,func-returns-value,var-annotated,arg-type,misc"

from __future__ import annotations

import ast
from typing import Any

from .helpers import Point
from .traces import Counted, Money, Singleton, Tracer

LOG: list[Any] = []


def a_singleton(x: int) -> int:
    Singleton().value = x  # type: ignore[attr-defined]
    return x


def a_metaclass_that_counts(x: int) -> int:
    Counted()
    return x


def an_operator_with_a_trace(x: int) -> int:
    return (Money(x) + Money(1)).amount


def sum_with_a_trace(x: int) -> int:
    return sum([Money(x), Money(1)], start=Money(0)).amount


def a_context_manager_with_a_trace(x: int) -> int:
    with Tracer():
        return x


def a_class_inside_with_a_trace(n: int) -> int:
    class Noting:
        def note(self, k: int) -> None:
            LOG.append(k)

    noting = Noting()
    noting.note(n)
    return n


def reads_a_property_that_notes(n: int) -> int:
    return Noisy().value + n


class Noisy:
    @property
    def value(self) -> int:
        LOG.append(1)
        return 1


def sets_a_property_that_notes(n: int) -> int:
    Setting().value = n
    return n


class Setting:
    @property
    def value(self) -> int:
        return 1

    @value.setter
    def value(self, new: int) -> None:
        LOG.append(new)


def formats_an_object_that_notes(n: int) -> str:
    return f"{Spoken()}"


class Spoken:
    def __str__(self) -> str:
        LOG.append(1)
        return "spoken"


def iterates_over_an_object_that_notes(n: int) -> list[int]:
    return [k for k in Walked()]


class Walked:
    def __iter__(self) -> Any:
        LOG.append(1)
        return iter([1])


def compares_objects_that_note(n: int) -> bool:
    return Compared() in [Compared(), n]


class Compared:
    def __eq__(self, other: object) -> bool:
        LOG.append(1)
        return True


def lets_go_of_an_object_that_notes(n: int) -> int:
    Dying()
    return n


class Dying:
    def __del__(self) -> None:
        LOG.append(1)


def asks_an_unknown_object_with_a_method_that_notes(thing: Any) -> int:
    return thing.measure()


class Measured:
    def measure(self) -> int:
        LOG.append(1)
        return 1


def by_a_plugin_class(n: int) -> int:
    class Mine(Plugin):
        pass

    return n


class Plugin:
    known: list[Any] = []

    def __init_subclass__(cls) -> None:
        Plugin.known.append(cls)


def by_a_descriptor(n: int) -> int:
    return Described().field + n


class Field:
    def __get__(self, instance: Any, owner: Any = None) -> int:
        LOG.append(1)
        return 1


class Described:
    field = Field()


def by_a_missing_attribute(n: int) -> Any:
    return Guessing().anything


class Guessing:
    def __getattr__(self, name: str) -> int:
        LOG.append(name)
        return 1


def through_an_attribute_that_is_a_function(n: int) -> int:
    job = Job(LOG.append)
    job.action(n)
    return n


class Job:
    def __init__(self, action: Any) -> None:
        self.action = action


def through_a_method_of_a_job(n: int) -> int:
    Job2(LOG.append).run(n)
    return n


class Job2(Job):
    def run(self, n: int) -> None:
        self.action(n)


def through_an_exception_class(n: int) -> int:
    try:
        raise Loud(n)
    except Loud:
        return n


class Loud(Exception):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        LOG.append(n)


def through_a_sort_key_method(items: list[int]) -> list[int]:
    return sorted(items, key=Keyed().key)


class Keyed:
    def key(self, n: int) -> int:
        LOG.append(n)
        return n


def through_a_visitor(source: str) -> int:
    import ast

    Noting().visit(ast.parse(source))
    return 1


class Noting(ast.NodeVisitor):
    def visit_Name(self, node: ast.Name) -> None:
        LOG.append(node.id)


def formats_by_percent(n: int) -> str:
    return "%s" % Spoken()


def formats_by_format(n: int) -> str:
    return "{}".format(Spoken())


def compares_inside_lists(n: int) -> bool:
    return [Compared()] == [Compared()]


def hashes_a_key(n: int) -> int:
    return len({Hashed(): n})


def hashes_in_a_set(n: int) -> int:
    return len({Hashed() for _ in range(n)})


def hashes_by_setdefault(n: int) -> int:
    table: dict[Any, int] = {}
    table.setdefault(Hashed(), n)
    return len(table)


class Hashed:
    def __hash__(self) -> int:
        LOG.append(1)
        return 1
