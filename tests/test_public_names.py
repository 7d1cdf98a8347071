"""What `adaptive_exec` offers: the names, that each resolves, is documented and says where it comes from."""

from __future__ import annotations

import inspect
from importlib.resources import files

import pytest

import adaptive_exec
from adaptive_exec import errors

PROMISED = {
    "AdaptiveExecutor",
    "Decision",
    "ExecutorStats",
    "Future",
    "Lock",
    "Profile",
    "Queue",
    "TaskGroup",
    "errors",
    "get_executor",
    "set_executor",
    "task",
}
"""What a program may rely on so far. Names are added here, never taken away or renamed."""


def test_every_promised_name_is_there() -> None:
    """A name that was once public stays."""
    assert PROMISED <= set(adaptive_exec.__all__)


@pytest.mark.parametrize("name", sorted(adaptive_exec.__all__))
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    """Lazy as they are, all names can be had, and each has a docstring of its own."""
    value = getattr(adaptive_exec, name)

    assert name in dir(adaptive_exec)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value)


@pytest.mark.parametrize(
    "name", sorted(name for name in adaptive_exec.__all__ if inspect.isclass(getattr(adaptive_exec, name)))
)
def test_public_methods_are_documented(name: str) -> None:
    """Each public method and property of a public class, its own or one it inherits from us."""
    cls = getattr(adaptive_exec, name)
    bare = [
        f"{name}.{attribute}"
        for attribute, value in inspect.getmembers(cls)
        if not attribute.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property))
        and not inspect.getdoc(value)
    ]

    assert [] == bare


def test_all_is_sorted_and_without_doubles() -> None:
    """So that two changes to it don't collide and nothing is listed twice."""
    assert sorted(set(adaptive_exec.__all__)) == list(adaptive_exec.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A lazy module says what a plain one says."""
    with pytest.raises(AttributeError, match=r"module 'adaptive_exec' has no attribute 'no_such_name'"):
        getattr(adaptive_exec, "no_such_name")  # noqa: B009  the literal attribute would not pass mypy


def test_errors_lists_all_errors() -> None:
    """Every error class of ours is public, ours, and also of the standard class its users catch."""
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__ and not name.startswith("_")
    }

    assert defined == set(errors.__all__)
    for name in defined - {"AdaptiveExecError", "OwnerDiedWarning"}:
        error = getattr(errors, name)
        assert issubclass(error, errors.AdaptiveExecError)
        assert 2 == len(error.__bases__), f"{name} has no standard parent"


def test_the_package_is_marked_as_typed() -> None:
    """Type checkers read the annotations of an installed package only if it says so."""
    assert files("adaptive_exec").joinpath("py.typed").is_file()


def test_star_import_brings_all() -> None:
    """`from adaptive_exec import *` works with lazy names."""
    names: dict[str, object] = {}
    exec("from adaptive_exec import *", names)

    assert set(adaptive_exec.__all__) <= names.keys()
