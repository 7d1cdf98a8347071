"""Coroutines that only the loop backend has an account of: none is lost, and each ends its future."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from adaptive_exec.backends.accounts import take_back
from adaptive_exec.backends.base import Task
from adaptive_exec.backends.loop import LoopBackend, LoopTask
from adaptive_exec.model import Options
from tests.backends.support import Handed, until, wind_up


class Owner:
    """What a task's record would say of it."""

    name = "coroutine"


class Scene:
    """A backend, and calls for it."""

    def __init__(self) -> None:
        self.handed = Handed()
        self.backend = LoopBackend()

    def call(self, fn: Callable[..., Any], *args: Any) -> LoopTask:
        """One that can be put."""
        context = contextvars.copy_context()
        return LoopTask(fn, args, {}, Options(), Owner(), context, None, self.handed.done)

    def put(self, fn: Callable[..., Any], *args: Any) -> LoopTask:
        """Have one run on the library's loop."""
        task = self.call(fn, *args)
        assert self.backend.put(task)
        return task


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Its loop is there."""
    with ExitStack() as stack:
        made = Scene()
        stack.callback(wind_up, made.backend)
        assert "first" == made.put(say, "first").result(20)
        until(lambda: not made.backend.under_way())
        yield made


async def say(word: str) -> str:
    await asyncio.sleep(0)
    return word


async def fail() -> None:
    raise LookupError("mine")


def test_it_ends_its_future(scene: Scene) -> None:
    """And is handed to nobody; nothing is left of it."""
    future = scene.put(say, "hello")
    until(future.done)
    assert "hello" == future.result(20)
    until(lambda: not scene.backend.under_way())
    kept: Any = (future.fn, future.args, future.context, future.wire)
    assert (None,) * 4 == kept
    assert not any(task.future is future for task, _ in scene.handed.outcomes)


def test_an_error_is_handed_back(scene: Scene) -> None:
    """Somebody counts failures."""
    future = scene.put(fail)
    with pytest.raises(LookupError, match="mine"):
        future.result(20)
    until(lambda: any(task.future is future for task, _ in scene.handed.outcomes))
    until(lambda: not scene.backend.under_way())


@pytest.mark.blocks_loop("a gate holds it while a call is cancelled that has not begun")
def test_cancelled(scene: Scene) -> None:
    """While it runs, and before it has begun."""
    gate = threading.Event()
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = scene.put(wait)
    assert begun.wait(20)
    loop = scene.backend._loop
    assert loop is not None
    loop.call_soon_threadsafe(gate.wait, 20)
    waiting = scene.put(say, "never")
    assert waiting.cancel()
    gate.set()
    assert running.cancel()
    assert ended.wait(20)
    until(lambda: not scene.backend.under_way())
    assert waiting.cancelled()


def test_put_as_it_is_closed(scene: Scene) -> None:
    """It has been asked whether it is closed before: the call is taken back, and who put it is told."""
    inbox: deque[Task]

    class Inbox(deque[Task]):
        """The end comes just before a call."""

        def append(self, task: Task) -> None:
            scene.backend.closed = True
            super().append(task)

    inbox = scene.backend._inbox = Inbox()
    assert not scene.backend.put(scene.call(say, "late"))
    assert not inbox
    assert not scene.backend.under_way()


def test_put_as_it_is_closed_and_begun(scene: Scene) -> None:
    """The loop has been quicker: then it is run."""

    class Inbox(deque[Task]):
        """The end comes with a call, which begins at once."""

        def append(self, task: Task) -> None:
            super().append(task)
            scene.backend.closed = True
            loop = scene.backend._loop
            assert loop is not None
            loop.call_soon_threadsafe(scene.backend._drain)
            until(lambda: not self)

    scene.backend._inbox = Inbox()
    assert "early" == scene.put(say, "early").result(20)


def test_taken_back_as_the_inbox_is_drained(scene: Scene) -> None:
    """The loop has seen it, and goes on with the next."""
    task = scene.call(say, "late")

    class Inbox(deque[Task]):
        """A call is taken back as it is looked at."""

        def __getitem__(self, index: Any) -> Any:
            found = super().__getitem__(index)
            if found is task:
                assert take_back(self, task)
            return found

    scene.backend._inbox = Inbox()
    scene.backend._inbox.append(task)
    assert "next" == scene.put(say, "next").result(20)
    assert not task.future.done()
    until(lambda: not scene.backend.under_way())


def test_interrupted_as_the_loop_is_woken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler raises just then: the next call wakes it, or the end does."""
    loop = scene.backend._loop
    assert loop is not None

    class Interrupted:
        """A loop that can't be woken."""

        def call_soon_threadsafe(self, _: object) -> None:
            raise KeyboardInterrupt

        def is_closed(self) -> bool:
            return False

    first, second = scene.call(say, "first"), scene.call(say, "second")
    monkeypatch.setattr(scene.backend, "_loop", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        scene.backend.put(first)
    monkeypatch.setattr(scene.backend, "_loop", loop)
    assert "next" == scene.put(say, "next").result(20)
    assert "first" == first.future.result(20)

    monkeypatch.setattr(scene.backend, "_loop", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        scene.backend.put(second)
    monkeypatch.setattr(scene.backend, "_loop", loop)
    scene.backend.close(int)
    assert "second" == second.future.result(20)


def test_told_of_the_last(scene: Scene) -> None:
    """Once nothing more comes, whoever waits for the end is told as calls end."""
    told: list[list[Task]] = []
    gate = asyncio.Event()
    future = scene.put(gate.wait)
    until(lambda: scene.backend._begun)
    scene.backend.told = lambda: told.append(scene.backend.under_way())
    scene.backend.closed = True
    assert 1 == len(scene.backend.under_way())
    loop = scene.backend._loop
    assert loop is not None
    loop.call_soon_threadsafe(gate.set)

    assert future.result(20)
    until(lambda: told == [[]])


def test_on_the_loop_that_submits(scene: Scene) -> None:
    """There it runs, and there it is forgotten; nothing begins once it is closed."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = scene.call(say, "here")
        assert scene.backend.put_here(task, loop)
        assert task in scene.backend.under_way()
        assert task.future.only_on is loop
        assert "here" == await task.future
        assert not scene.backend.under_way()

        scene.backend.closed = True
        late = scene.call(say, "late")
        assert not scene.backend.put_here(late, loop)
        assert late not in scene.backend.under_way()

    asyncio.run(main())


def test_a_loop_that_never_runs_again(scene: Scene) -> None:
    """What it ran can be given up."""
    loop = asyncio.new_event_loop()
    task = scene.call(say, "never")

    async def begin() -> None:
        assert scene.backend.put_here(task, asyncio.get_running_loop())

    loop.run_until_complete(begin())
    loop.close()
    assert task in scene.backend.under_way()
    scene.backend.give_up(task)
    assert task not in scene.backend.under_way()
    task.wire.get_coro().close()
    task.wire._log_destroy_pending = False


@pytest.mark.stress
def test_many_put_at_once(scene: Scene) -> None:
    """From several threads, in bursts and one by one: the inbox is never left with somebody in it."""

    def put(results: list[int]) -> None:
        for n in range(2_000):
            futures = [scene.put(say, str(n)) for _ in range(1 + n % 3)]
            if n % 5 == 0:
                results.extend(int(future.result(20)) for future in futures)

    results: list[list[int]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=put, args=(mine,)) for mine in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    until(lambda: not scene.backend.under_way())
