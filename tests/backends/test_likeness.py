"""A worker resembles its parent in what `logging` and `multiprocessing` keep, and loads neither without need."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from adaptive_exec.backends.processes.pool import ProcessBackend
from tests import bare
from tests.backends.support import Handed, wind_up

pytestmark = pytest.mark.full

Make = Callable[..., ProcessBackend]
CONTEXTS = [None, "spawn", "forkserver"]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(context: str | None = None) -> ProcessBackend:
            pool = ProcessBackend(1, context)
            stack.callback(wind_up, pool)
            return pool

        yield made


def run(pool: ProcessBackend, fn: Callable[..., Any], *args: Any) -> Any:
    """Run one call."""
    task = Handed().task(fn, *args)
    pool.submit(task)
    return task.future.result(20)


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """A handler of a logger whose level is its own."""
    logger, handler = logging.getLogger("tests.telling.log"), Kept()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(before)
    logger.removeHandler(handler)


def test_a_call_that_needs_neither_loads_neither(make: Make) -> None:
    """Nor what they would bring along."""
    assert [] == run(make(), bare.loaded, "logging", "multiprocessing", "traceback", "concurrent.futures")


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_is_logged_by_the_first_to_import_logging(make: Make, kept: Kept, context: str | None) -> None:
    """At the parent's level, by the worker's name, to the parent's handlers."""
    assert logging.INFO == run(make(context), bare.say, "at last")

    (record,) = kept.records
    assert ("at last", "adaptive-exec-1") == (record.getMessage(), record.processName)


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_name_of_its_process(make: Make, context: str | None) -> None:
    """It is there when multiprocessing is, however the worker was started."""
    assert "adaptive-exec-1" == run(make(context), bare.process_name)


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_a_manager_holds(make: Make, context: str | None) -> None:
    """Its proxies can be passed to workers, which know the key that the manager asks for."""
    with multiprocessing.get_context("spawn").Manager() as manager:
        shared = manager.list([1])
        assert 2 == run(make(context), bare.append, shared, 5)
        assert [1, 5] == list(shared)
