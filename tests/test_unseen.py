"""Failures that nobody ever looked at are logged once, wherever their futures go; all others aren't."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec import Future

TOLD = "nobody asked"


def failed() -> Future[int]:
    future: Future[int] = Future()
    assert future.try_exception(LookupError("mine"))
    return future


def logged(caplog: pytest.LogCaptureFixture) -> int:
    gc.collect()
    return sum(TOLD in record.getMessage() for record in caplog.records)


def asked(future: Future[int]) -> None:
    with pytest.raises(LookupError):
        future.result(0)


async def awaited(future: Future[int]) -> None:
    with pytest.raises(LookupError):
        await future


@pytest.mark.parametrize(
    "look",
    [
        asked,
        lambda future: future.exception(0),
        lambda future: asyncio.run(awaited(future)),
        lambda future: future.add_done_callback(lambda each: each.exception()),
        lambda future: future.forgo(),
    ],
    ids=["result", "exception", "await", "callback", "forgone"],
)
def test_who_has_looked_knows(caplog: pytest.LogCaptureFixture, look: Callable[[Future[int]], Any]) -> None:
    """However that was."""
    future = failed()
    look(future)
    del future
    assert 0 == logged(caplog)


@pytest.mark.parametrize(
    "ignore",
    [
        lambda future: None,
        lambda future: future.done(),
        lambda future: concurrent.futures.wait([future]),
        lambda future: future.add_done_callback(lambda each: None),
    ],
    ids=["nothing", "done", "wait", "callback"],
)
def test_nobody_has_looked(caplog: pytest.LogCaptureFixture, ignore: Callable[[Future[int]], Any]) -> None:
    """It is told when nobody can look any more, and not before; with what was raised."""
    future = failed()
    ignore(future)
    assert 0 == logged(caplog)
    del future
    assert 1 == logged(caplog)
    assert "LookupError: mine" in caplog.text
    assert 1 == logged(caplog)


def test_forgone_before_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """As with what is left of a `map` that was closed."""
    future: Future[int] = Future()
    future.forgo()
    assert future.try_exception(LookupError("mine"))
    del future
    assert 0 == logged(caplog)


def test_on_a_loop(caplog: pytest.LogCaptureFixture) -> None:
    """It goes there like anywhere else."""

    async def main() -> None:
        failed()
        gc.collect()

    asyncio.run(main())
    assert 1 == logged(caplog)
