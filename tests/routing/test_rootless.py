"""What may bind a coroutine to the loop it ran on so far."""

from __future__ import annotations

import asyncio
import enum
import functools
import json
import logging
from typing import Any

import pytest

from adaptive_exec.routing.rootless import root_of

pytestmark = pytest.mark.full  # what code can reach, the same on every Python

LIMIT = 3
NAMES = ("a", ("b", 3))
CACHE: dict[str, Any] = {}
LOCK = object()
log = logging.getLogger(__name__)


class Colour(enum.Enum):
    RED = 1


class Session:
    """Makes all it needs itself."""

    limit = 3

    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    @property
    def free(self) -> bool:
        return not self.lock.locked()

    @staticmethod
    def name() -> str:
        return "session"

    async def close(self) -> None:
        await self.lock.acquire()


class Pool:
    """Holds what all have in common."""

    free: list[Any] = []  # noqa: RUF012


def helper(x: int) -> str:
    log.debug("%s", x)
    return json.dumps([x, LIMIT, NAMES, Colour.RED.value])


def looks_up(x: str) -> Any:
    return CACHE.get(x)


async def alone(x: int) -> str:
    async with Session().lock:
        return helper(x)


async def through_a_helper(x: str) -> Any:
    return looks_up(x)


async def with_a_global() -> None:
    print(LOCK)


async def with_a_class() -> Any:
    return Pool.free


def with_a_default(found: list[int] = []) -> list[int]:  # noqa: B006
    return found


def closed_over(value: Any) -> Any:
    async def inner() -> Any:
        return value

    return inner


@pytest.mark.parametrize(
    ("fn", "args"),
    [
        (alone, (1,)),
        (alone, ([1, {"a": (2, 3)}],)),
        (functools.partial(alone, 3), ()),
        (closed_over(3), ()),
        (closed_over(alone), ()),
        (asyncio.sleep, (1,)),
        (alone, (alone,)),
    ],
)
def test_what_makes_all_it_needs_has_no_root(fn: Any, args: tuple[Any, ...]) -> None:
    """Code, constants, loggers, members of enumerations and plain arguments bind nobody."""
    assert root_of(fn, args, {}) is None


@pytest.mark.parametrize(
    ("fn", "args", "root"),
    [
        (through_a_helper, ("x",), "CACHE"),
        (with_a_global, (), "LOCK"),
        (with_a_class, (), "Pool.free"),
        (with_a_default, (), "a default of with_a_default"),
        (closed_over([1]), (), "value"),
        (closed_over(object()), (), "value"),
        (alone, (object(),), "argument 1"),
        (alone, ([object()],), "argument 1"),
        (Session().close, (), "the function"),
    ],
)
def test_what_stood_there_before_is_a_root(fn: Any, args: tuple[Any, ...], root: str) -> None:
    """Whatever else is reached by name, or given, may belong to a loop."""
    assert root == root_of(fn, args, {})


def test_named_arguments_count() -> None:
    """They are looked at as all others."""
    assert "argument lock" == root_of(alone, (), {"lock": object()})


def test_the_endless_is_given_up() -> None:
    """More than can be looked through is a root by itself."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]

    assert "more than can be looked through" == root_of(alone, (deep,), {})
