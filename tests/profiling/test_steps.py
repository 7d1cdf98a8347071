"""A measured coroutine is the coroutine it wraps, and knows what its steps cost."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import threading
import time
import types
from collections.abc import Callable, Generator
from types import SimpleNamespace

import pytest

from adaptive_exec.profiling import steps as steps_module
from adaptive_exec.profiling.steps import MeasuredCoroutine
from tests.profiling.fakes import MS


@types.coroutine
def pause(value: object = None) -> Generator[object, object, object]:
    """One step: hands out a value and returns what is sent."""
    return (yield value)


class Clock:
    """Clocks that a coroutine moves on by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = 1
        self.cpu = 0
        monkeypatch.setattr(steps_module, "_wall_ns", lambda: self.wall)
        self.others = 0
        monkeypatch.setattr(steps_module, "_cpu_ns", lambda: self.cpu)
        monkeypatch.setattr(steps_module, "_process_ns", lambda: self.cpu + self.others)

    def compute(self, milliseconds: int) -> None:
        self.wall += milliseconds * MS
        self.cpu += milliseconds * MS

    def wait(self, milliseconds: int) -> None:
        self.wall += milliseconds * MS


def test_steps_are_counted_and_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU is that of the steps, wall includes the time between them, the step that held its loop longest is known."""
    clock = Clock(monkeypatch)

    async def work() -> str:
        clock.compute(2)
        await pause()
        clock.compute(5)
        clock.wait(7)
        await pause()
        clock.compute(1)
        return "done"

    measured = MeasuredCoroutine(work())
    measured.send(None)
    clock.wait(100)
    measured.send(None)
    with pytest.raises(StopIteration) as stopped:
        measured.send(None)
    sample = measured.sample(False)

    assert "done" == stopped.value.value
    assert (3, 8 * MS, 115 * MS, 7 * MS) == (
        sample.steps,
        sample.cpu_ns,
        sample.wall_ns,
        sample.longest_step_ns,
    )


def test_what_others_compute_is_not_held_against_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that takes long since other threads compute has held its loop for as long as it computed, no longer."""
    clock = Clock(monkeypatch)

    async def work() -> None:
        clock.compute(3)
        clock.wait(50)
        clock.others += 50 * MS

    measured = MeasuredCoroutine(work())
    with pytest.raises(StopIteration):
        measured.send(None)

    assert 3 * MS == measured.sample(False).longest_step_ns


def test_a_step_under_way_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that does not end shows, which is how a hog is found while it hogs."""
    clock = Clock(monkeypatch)
    seen: list[int] = []

    async def work() -> None:
        clock.compute(30)
        seen.append(measured.step_wall_ns())

    measured = MeasuredCoroutine(work())
    before = measured.step_wall_ns()
    with pytest.raises(StopIteration):
        measured.send(None)

    assert (0, [30 * MS], 0) == (before, seen, measured.step_wall_ns())


async def returns() -> int:
    await asyncio.sleep(0)
    return 42


async def raises() -> None:
    await asyncio.sleep(0)
    raise KeyError("as it was")


def test_a_task_runs_it_as_the_original() -> None:
    """The loop makes a task of it; results and exceptions are the coroutine's own."""

    async def main() -> None:
        assert 42 == await asyncio.create_task(MeasuredCoroutine(returns()))
        with pytest.raises(KeyError, match="as it was"):
            await asyncio.create_task(MeasuredCoroutine(raises()))
        assert 42 == await MeasuredCoroutine(returns())
        assert [42, 42] == list(
            await asyncio.gather(MeasuredCoroutine(returns()), MeasuredCoroutine(returns()))
        )

    asyncio.run(main())


def test_cancelling_reaches_the_coroutine() -> None:
    """A cancelled task throws into the coroutine, which may clean up in further steps."""
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cleaned.append("yes")
            raise

    async def main() -> int:
        measured = MeasuredCoroutine(work())
        task: asyncio.Task[None] = asyncio.create_task(measured)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return measured.sample(True).steps

    assert 3 == asyncio.run(main())
    assert ["yes"] == cleaned


def test_throw_and_close_pass_through() -> None:
    """Both reach the wrapped coroutine, which sees its own exception or GeneratorExit."""
    log: list[str] = []

    async def work() -> None:
        try:
            await pause()
        except ValueError as error:
            log.append(str(error))
        try:
            await pause()
        finally:
            log.append("closed")

    measured = MeasuredCoroutine(work())
    measured.send(None)
    measured.throw(ValueError("thrown"))
    measured.close()

    assert ["thrown", "closed"] == log
    assert 2 == measured.sample(True).steps


@pytest.mark.parametrize(
    "look",
    [
        lambda coro: coro.cr_frame is not None,
        lambda coro: coro.cr_code is returns.__code__,
        lambda coro: coro.__qualname__ == "returns",
        lambda coro: coro.__name__ == "returns",
        lambda coro: not coro.cr_running,
        asyncio.iscoroutine,
        lambda coro: "returns" in repr(coro),
    ],
)
def test_attributes_are_the_coroutines_own(look: Callable[[object], bool]) -> None:
    """What tracebacks, task names and debuggers ask for is there."""
    measured = MeasuredCoroutine(returns())
    try:
        assert look(measured)
    finally:
        measured.close()


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    """Also on an object whose making was cut short, as copying and pickling do."""
    with pytest.raises(AttributeError):
        MeasuredCoroutine.__new__(MeasuredCoroutine).cr_frame  # noqa: B018
    measured = MeasuredCoroutine(returns())
    with pytest.raises(AttributeError):
        measured.no_such_thing  # noqa: B018
    measured.close()


def test_real_steps_are_told_apart() -> None:
    """For real: a coroutine that computes 20 ms and sleeps 20 ms has a long step and a longer wall."""

    async def work() -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass
        await asyncio.sleep(0.02)

    async def main() -> MeasuredCoroutine[None]:
        measured = MeasuredCoroutine(work())
        await measured
        return measured

    sample = asyncio.run(main()).sample(False)

    assert sample.longest_step_ns >= 20 * MS
    assert sample.wall_ns > sample.longest_step_ns
    assert sample.wall_ns >= 39 * MS


def test_what_other_programs_computed_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is kept waiting for a core by others holds up nobody by that."""
    clock = itertools.count(0, 200_000_000)
    waits = itertools.count(1_000_000_000, 195_000_000)
    monkeypatch.setattr(steps_module, "_wall_ns", lambda: next(clock))
    monkeypatch.setattr(steps_module, "_cpu_ns", lambda: 0)
    monkeypatch.setattr(steps_module, "_process_ns", lambda: 0)
    monkeypatch.setattr(steps_module._here, "run_queue", SimpleNamespace(waited_ns=lambda: next(waits)))

    async def short() -> None:
        """One step."""

    measured = MeasuredCoroutine(short())
    with pytest.raises(StopIteration):
        measured.send(None)

    assert 5_000_000 == measured.sample(failed=False).longest_step_ns


def test_a_thread_that_ends_leaves_no_file_open() -> None:
    """Each thread that runs measured coroutines has one for its wait for cores."""

    async def nothing() -> None:
        """One step."""

    def run() -> None:
        with pytest.raises(StopIteration):
            MeasuredCoroutine(nothing()).send(None)

    def descriptors() -> int:
        return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0

    before = descriptors()
    for _ in range(20):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    gc.collect()

    assert descriptors() <= before + 1
