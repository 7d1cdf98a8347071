"""Coroutines that hold their loop are found, named and moved out of the others' way."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.dispatch import hogs as hogs_module

pytestmark = pytest.mark.blocks_loop("hogs are what is tested")

HELD = 0.03
Hog = Callable[[float], Coroutine[Any, Any, str]]
RESULTS: list[int] = []
GATE = threading.Event()


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[AdaptiveExecutor]:
    """One for which little is long."""
    monkeypatch.setattr(hogs_module, "HOG_SECONDS", HELD)
    with AdaptiveExecutor(max_processes=1) as made:
        yield made


def thread_name() -> str:
    return threading.current_thread().name


async def computes(seconds: float) -> str:
    """Holds its loop by computing."""
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass
    await asyncio.sleep(0)
    return thread_name()


async def computes_into_a_list(seconds: float) -> str:
    RESULTS.append(1)
    return await computes(seconds)


async def blocks(seconds: float) -> str:
    """Holds its loop by blocking."""
    time.sleep(seconds)
    return thread_name()


async def waits(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return thread_name()


async def waits_for_the_gate() -> str:
    GATE.wait(20)
    return thread_name()


@pytest.mark.parametrize("hog", [computes, blocks])
def test_a_hog_is_moved(hog: Hog, executor: AdaptiveExecutor) -> None:
    """Its first calls run where all do; then it has a loop of its own, and what waits runs where it did."""
    places = [executor.submit(hog, 2 * HELD).result(20) for _ in range(4)]
    last = executor.submit(hog, 2 * HELD)

    assert ["adaptive-exec-loop"] * 2 + ["adaptive-exec-hogs"] * 2 == places
    assert "adaptive-exec-hogs" == last.result(20)
    assert "loop of its own" not in executor.explain(waits).reason
    assert last.decision is not None
    assert "one of its own" in last.decision.reason
    assert "one of its own" in executor.explain(hog).reason
    assert "adaptive-exec-loop" == executor.submit(waits, 0.0).result(20)


def test_a_hog_is_named_once(executor: AdaptiveExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """One line in the log says who, for how long, and what to do; `stats()` says it for good."""
    with caplog.at_level(logging.WARNING, "adaptive_exec"):
        for _ in range(3):
            executor.submit(computes, 2 * HELD).result(20)
            executor.submit(waits, 0.0).result(20)
    stats = executor.stats()

    assert ["computes held its event loop"] == [record.message[15:43] for record in caplog.records]
    assert {"computes"} == {each.name for each in stats.functions if each.hogged > HELD}
    assert "held their event loop in one step: computes, for up to" in str(stats)


def test_a_hog_that_never_ends_is_named_meanwhile(
    executor: AdaptiveExecutor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a loop for good is told while it does so."""
    monkeypatch.setattr(hogs_module, "STUCK_SECONDS", 0.05)
    GATE.clear()
    with caplog.at_level(logging.WARNING, "adaptive_exec"):
        future = executor.submit(waits_for_the_gate)
        end = time.monotonic() + 20
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.005)
        GATE.set()
        future.result(20)

    assert "waits_for_the_gate has been holding its event loop" in caplog.records[0].message


def test_what_may_belong_to_its_loop_is_not_moved(executor: AdaptiveExecutor) -> None:
    """A coroutine that can reach something that stood there before stays where that belongs."""
    places = [executor.submit(computes_into_a_list, 2 * HELD).result(20) for _ in range(4)]

    assert {"adaptive-exec-loop"} == set(places)
    assert any(each.hogged for each in executor.stats().functions)


def test_on_a_loop_of_the_users_it_is_only_named(executor: AdaptiveExecutor) -> None:
    """A coroutine that is submitted from a running loop runs there, whatever it does."""

    async def main() -> list[str]:
        return [await executor.submit(computes, 2 * HELD) for _ in range(4)]

    places = asyncio.run(main())

    assert {thread_name()} == set(places)
    assert any(each.hogged for each in executor.stats().functions)


def test_who_no_longer_hogs_comes_back(executor: AdaptiveExecutor) -> None:
    """A function that was moved and gives its loop back in time runs with the others again."""
    for _ in range(3):
        executor.submit(computes, 2 * HELD).result(20)

    places = [executor.submit(computes, 0.0).result(20) for _ in range(40)]

    assert "adaptive-exec-hogs" == places[0]
    assert "adaptive-exec-loop" == places[-1]
