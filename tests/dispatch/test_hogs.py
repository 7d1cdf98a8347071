"""Coroutines that hold their loop are found, named and moved out of the others' way."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.base import SwiftTask, Task
from adaptive_exec.dispatch import hogs as hogs_module
from adaptive_exec.dispatch.hogs import ENOUGH, ONE_IN, Hogs
from adaptive_exec.dispatch.supervisor import Deadline, Supervisor
from adaptive_exec.futures import Future
from adaptive_exec.routing.store import FunctionRecord

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


class Timer:
    """A supervisor whose time is the test's."""

    def __init__(self) -> None:
        self.due: list[Deadline] = []

    def at(self, when: float, act: Callable[[], object]) -> Deadline:
        self.due.append(Deadline(when, act))
        return self.due[-1]

    def pending(self) -> list[Deadline]:
        """Those that have not been given up."""
        return [each for each in self.due if each.act is not None]

    def go(self) -> None:
        """The first one's time comes."""
        act = self.due.pop(0).act
        if act is not None:
            act()


class Measured:
    """A call whose coroutine has been in one step for so long."""

    def __init__(self, stuck: float = 0.0) -> None:
        self.future: Future[None] = Future()
        self.stuck = stuck

    @property
    def meter(self) -> Measured:
        return self

    def step_wall_ns(self) -> int:
        return int(self.stuck * 1e9)


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    """Looks are due at once."""
    monkeypatch.setattr(hogs_module, "STUCK_SECONDS", 0.0)
    return Timer()


def watcher(timer: Timer) -> tuple[Callable[[Measured], None], FunctionRecord]:
    """What watches calls of a function."""
    record = FunctionRecord("waits", (), coroutine=True)
    hogs = Hogs(cast(Supervisor, timer))
    return lambda call: hogs.watch(cast(Task, call), record), record


def test_one_timer_for_all(timer: Timer) -> None:
    """Of those that wait, few are kept, the last ones; those that have ended are forgotten at the next look."""
    watch, record = watcher(timer)
    calls = [Measured() for _ in range(3 * ENOUGH)]
    for call in calls:
        watch(call)
    kept: list[Any] = [ref() for ref in record.measured]
    assert calls[-ENOUGH:] == kept
    assert 1 == len(timer.pending())

    timer.go()
    assert 1 == len(timer.pending())
    for call in calls:
        call.future.try_result(None)
    timer.go()
    assert not timer.pending()
    assert not record.measured


def test_others_take_the_place_of_those_that_have_ended(timer: Timer) -> None:
    """As soon as there are too many."""
    watch, record = watcher(timer)
    calls = [Measured() for _ in range(ENOUGH + 1)]
    for call in calls[:ENOUGH]:
        watch(call)
    for call in calls[1:ENOUGH]:
        call.future.try_result(None)
    watch(calls[-1])

    watched: list[Any] = [ref() for ref in record.measured]
    assert [calls[0], calls[-1]] == watched


def test_a_call_that_is_gone_is_no_hog(timer: Timer, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody keeps it for a last look; one that holds its loop is named, whatever came before it."""
    watch, record = watcher(timer)
    watch(Measured(stuck=9.0))
    stuck = Measured(stuck=3.0)
    watch(stuck)
    with caplog.at_level(logging.WARNING, "adaptive_exec"):
        timer.go()

    assert 3e9 == record.held_ns
    (said,) = [each.message for each in caplog.records]
    assert "waits has been holding its event loop" in said


@pytest.mark.parametrize("over", [False, True])
def test_measured_as_the_last_look_is_over(timer: Timer, over: bool) -> None:
    """Before or after it is seen that nothing is left to look at: there is one more look, not none and not two."""
    watch, record = watcher(timer)
    first, second = Measured(), Measured()

    class Late(deque[Any]):
        """Where a call comes as somebody looks, or has just seen that nothing is left."""

        moment = ""

        def __iter__(self) -> Any:
            self.moment = "over" if over else ""
            if not over:
                watch(second)
            return super().__iter__()

        def __len__(self) -> int:
            length = super().__len__()
            if self.moment == "over":
                self.moment = ""
                watch(second)
            return length

    record.measured = Late()
    watch(first)
    first.future.try_result(None)
    timer.go()

    assert 1 == len(timer.pending())
    assert second in [ref() for ref in record.measured]


def test_measured_as_others_are_looked_at(timer: Timer) -> None:
    """Without a GIL calls come while somebody goes through them, which goes on all the same."""
    watch, record = watcher(timer)
    calls = [Measured() for _ in range(3)]

    class Changing(deque[Any]):
        """Where a call comes as the first one is looked at, once."""

        def __iter__(self) -> Any:
            for each in super().__iter__():
                yield each
                if len(calls) == 3:
                    calls.append(Measured())
                    watch(calls[-1])

    record.measured = Changing()
    for call in calls[:3]:
        watch(call)
    timer.go()

    assert calls == [ref() for ref in record.measured]
    assert 1 == len(timer.pending())


def test_few_of_many_that_wait_are_measured() -> None:
    """Ten thousand of an unknown function, at once: each is run, and few are measured."""

    async def main(executor: AdaptiveExecutor) -> int:
        gate = asyncio.Event()

        async def wait(number: int) -> int:
            await gate.wait()
            return number

        futures = [executor.submit(wait, number) for number in range(10_000)]
        record = executor._dispatcher._store.record(wait)
        measured = sum(not isinstance(future, SwiftTask) for future in futures)
        assert len(record.swift) < 1000
        gate.set()
        assert list(range(10_000)) == [await future for future in futures]
        return measured

    with AdaptiveExecutor(max_processes=1) as made:
        assert ENOUGH < asyncio.run(main(made)) < 3 * ENOUGH


def test_calls_that_never_end_hide_no_others(
    executor: AdaptiveExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a function some of whose calls wait for ever, the others are measured now and then: a hog is found."""

    async def main() -> None:
        gate = asyncio.Event()

        async def serves(seconds: float) -> None:
            if seconds:
                time.sleep(seconds)
            else:
                await gate.wait()

        waiting = [executor.submit(serves, 0.0) for _ in range(2 * ENOUGH)]
        for _ in range(2 * ENOUGH * ONE_IN):
            await executor.submit(serves, 1e-6)
        for _ in range(2 * ENOUGH * ONE_IN):
            await executor.submit(serves, 2 * HELD)
            if caplog.records:
                break
        gate.set()
        for future in waiting:
            await future

    with caplog.at_level(logging.WARNING, "adaptive_exec"):
        asyncio.run(main())
    assert "held its event loop" in caplog.records[0].message
