"""Pain 12: decorated functions and lambdas can't be pickled (cpython#85749, pyper-dev/pyper#18)."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, task
from tests.pains.support import standard

pytestmark = pytest.mark.full


def plainly_wrapped(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that forgets the name, as many do."""

    def inner(*args: Any) -> Any:
        return fn(*args), os.getpid()

    return inner


@plainly_wrapped
def twice(x: int) -> int:
    return 2 * x


@task
def thrice(x: int) -> int:
    return 3 * x


def test_the_standard_way() -> None:
    """Neither the decorated function nor the lambda gets there."""
    with standard() as pool:
        for fn in (twice, lambda x: 2 * x):
            with pytest.raises((pickle.PicklingError, AttributeError)):
                pool.submit(fn, 4).result(30)


def test_ours() -> None:
    """Both run in a worker; a function made with `@task` goes by its own name."""
    with AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        value, pid = pool.submit(twice, 4).result(20)
        assert (8, True) == (value, pid != os.getpid())
        assert 8 == pool.submit(lambda x: 2 * x, 4).result(20)
        assert 12 == pool.submit(thrice, 4).result(20)

    assert pickle.loads(pickle.dumps(thrice)) is thrice
