"""Every way to shut an executor down: no call that was accepted is lost, nothing hangs, and nothing of ours is left."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, Future, get_executor, set_executor
from adaptive_exec.backends.base import Outcome, SwiftTask, Task
from adaptive_exec.backends.brief import BriefCalls, BriefTask
from adaptive_exec.dispatch import exits
from adaptive_exec.model import Options
from adaptive_exec.profiling.glances import Glances
from adaptive_exec.routing.store import FunctionRecord
from tests import work
from tests.backends.support import LookedAt, until
from tests.dispatch.test_swift import become_known, next_swift, twice

LONG = 20.0
CALLS = 40


async def twice_later(number: int) -> int:
    return 2 * number


async def until_set(event: threading.Event) -> int:
    """Wait for something that another thread sets."""
    while not event.is_set():
        await asyncio.sleep(0.001)
    return 1


def become_known_there(executor: AdaptiveExecutor) -> None:
    """Have calls of a coroutine function be swift."""
    for n in range(2000):
        future: Any = executor.submit(twice_later, n)
        future.result(LONG)
        if isinstance(future, SwiftTask):
            return
    raise AssertionError(executor._dispatcher._store.record(twice_later).profile())


def some_of_all(executor: AdaptiveExecutor) -> list[Any]:
    """Calls on every backend, some of which have to wait for their turn."""
    futures: list[Any] = []
    for n in range(10):
        futures.append(executor.submit(work.double, n))
        futures.append(executor.options(backend="process").submit(work.double, n))
        futures.append(executor.options(backend="thread").submit(work.async_double, n))
        futures.append(executor.options(backend="loop").submit(work.async_double, n))
    return futures


DOUBLED = [2 * n for n in range(10) for _ in range(4)]


def ended(threads: list[threading.Thread]) -> None:
    """Wait for threads that must not hang."""
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads)


def is_over(executor: AdaptiveExecutor) -> bool:
    """Whether it has ended, and nothing keeps it for the end of the program."""
    dispatcher = executor._dispatcher
    return dispatcher._living.over and dispatcher not in exits._under_way


# --- from wherever ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [True, False])
def test_from_another_thread(wait: bool) -> None:
    """What was accepted elsewhere has ended when it returns, or ends soon."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    futures = some_of_all(executor)
    done: list[bool] = []

    def end() -> None:
        executor.shutdown(wait=wait)
        done.append(all(future.done() for future in futures))

    other = threading.Thread(target=end)
    other.start()
    ended([other])

    assert DOUBLED == [future.result(LONG) for future in futures]
    assert not wait or done == [True]
    until(lambda: is_over(executor))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(work.double, 1)


@pytest.mark.blocks_loop("a call for a worker takes along what the working directory is")
def test_at_the_end_of_an_async_with() -> None:
    """It waits for calls on all backends, and the loop serves its others meanwhile."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    executor.options(backend="process").submit(work.double, 1).result(
        LONG
    )  # to start a worker writes to pipes

    async def main() -> tuple[list[Any], int]:
        gate, turns = threading.Event(), 0

        async def serve() -> None:
            nonlocal turns
            while turns < 5:
                turns += 1
                await asyncio.sleep(0)
            gate.set()

        async with executor:
            held = executor.submit(gate.wait, LONG)
            futures = [*some_of_all(executor), executor.submit(work.async_double, 5)]
            server = asyncio.create_task(serve())
        assert all(future.done() for future in futures)
        assert held.result(0)
        await server
        return [future.result(0) for future in futures], turns

    assert ([*DOUBLED, 10], 5) == asyncio.run(main())


@pytest.mark.blocks_loop("the first step of a coroutine is held up")
def test_in_the_first_step_of_a_coroutine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the rest leaves that coroutine out, though nobody knows its task when it is looked at."""
    monkeypatch.setattr("adaptive_exec.dispatch.living._LOOK_AGAIN_SECONDS", 600.0)
    executor = AdaptiveExecutor(max_processes=1)
    living, looked = executor._dispatcher._living, threading.Event()
    ends_after_me = living._ends_after_me

    def look(task: Any) -> bool:
        found = ends_after_me(task)
        looked.set()
        return found

    async def to_thread(fn: Callable[[], Any]) -> Any:
        done = asyncio.get_running_loop().run_in_executor(None, fn)
        assert looked.wait(LONG)
        return await done

    async def main() -> str:
        async with executor:
            pass
        return "ended"

    monkeypatch.setattr(living, "_ends_after_me", look)
    monkeypatch.setattr(asyncio, "to_thread", to_thread)

    assert "ended" == executor.submit(main).result(LONG)


@pytest.mark.blocks_loop("shutdown is called on a loop on purpose")
@pytest.mark.parametrize("wait", [True, False])
def test_in_a_coroutine_on_a_running_loop(wait: bool) -> None:
    """It waits for all but the calls of that loop, which end afterwards."""

    async def main() -> list[Any]:
        executor = AdaptiveExecutor(max_threads=2, max_processes=1)
        here = [executor.submit(twice_later, n) for n in range(3)]
        futures = some_of_all(executor)
        executor.shutdown(wait=wait)
        assert not wait or all(future.done() for future in futures)
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(twice_later, 1)
        assert [0, 2, 4] == [await future for future in here]
        return [await future for future in futures]

    assert DOUBLED == asyncio.run(main())


@pytest.mark.blocks_loop("shutdown is called on a loop on purpose")
@pytest.mark.parametrize("wait", [True, False])
def test_on_the_library_s_own_loop(wait: bool) -> None:
    """A coroutine of its own may end it; those beside it on the loop end afterwards."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    begun = threading.Event()
    seen: list[bool] = []

    async def beside() -> str:
        begun.set()
        while not executor._dispatcher._living.closed:
            await asyncio.sleep(0)
        return "went on"

    async def end() -> str:
        executor.shutdown(wait=wait)
        seen.append(all(future.done() for future in futures))
        return "ended it"

    other = executor.submit(beside)
    assert begun.wait(LONG)
    futures = some_of_all(executor)
    for future in futures[3::4]:  # on the same loop, behind which they could not be waited for
        future.result(LONG)

    assert "ended it" == executor.submit(end).result(LONG)
    assert "went on" == other.result(LONG)
    assert not wait or seen == [True]
    assert DOUBLED == [future.result(LONG) for future in futures]
    until(lambda: is_over(executor))


@pytest.mark.parametrize("known", [False, True])
def test_in_a_call_whose_thread_others_wait_for(known: bool) -> None:
    """With one thread only: it stands aside for those that are queued, and they have ended when it goes on."""
    executor = AdaptiveExecutor(max_threads=1, max_processes=1)
    if known:
        become_known(executor)
    gate, begun = threading.Event(), threading.Event()

    def end() -> list[bool]:
        begun.set()
        gate.wait(LONG)
        executor.shutdown()
        return [future.done() for future in futures]

    ending = executor.submit(end)
    assert begun.wait(LONG)
    futures = [executor.options(backend="thread").submit(work.double, n) for n in range(5)]
    if known:
        futures += [next_swift(executor, twice, n) for n in range(5)]
    gate.set()

    assert [True] * len(futures) == ending.result(LONG)
    assert [0, 2, 4, 6, 8] * (1 + known) == [future.result(0) for future in futures]


def test_in_two_calls_at_once() -> None:
    """Neither waits for the other."""
    executor = AdaptiveExecutor(max_processes=1)
    both = threading.Barrier(2)

    def end() -> str:
        both.wait(LONG)
        executor.shutdown()
        return "ended it"

    futures = [executor.options(backend="thread").submit(end) for _ in range(2)]
    assert ["ended it"] * 2 == [future.result(LONG) for future in futures]


def end_one_of_its_own(wait: bool) -> list[Any]:
    """In a worker: make an executor with a pool, give it work, and end it."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    futures = some_of_all(executor)
    executor.shutdown(wait=wait)
    return [future.result(LONG) for future in futures]


def end_the_one_there(wait: bool) -> list[Any]:
    """In a worker: give the executor that is there work, and end it."""
    executor = get_executor()
    futures = some_of_all(executor)
    executor.shutdown(wait=wait)
    set_executor(None)  # the next call here finds another
    return [future.result(LONG) for future in futures]


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("end", [end_one_of_its_own, end_the_one_there])
def test_in_a_worker_process(end: Callable[[bool], list[Any]], wait: bool) -> None:
    """An executor that is used there ends as one at home does, and the worker serves on."""
    with AdaptiveExecutor(max_processes=1) as executor:
        forced = executor.options(backend="process")
        assert [DOUBLED] * 2 == [forced.submit(end, wait).result(2 * LONG) for _ in range(2)]


# --- in a signal's handler ------------------------------------------------------------------------------


@contextmanager
def handling(act: Callable[[], object]) -> Iterator[None]:
    """Meanwhile this is what SIGUSR1 does."""
    before = signal.signal(signal.SIGUSR1, lambda number, frame: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def poke_once(state: Callable[[], object]) -> threading.Thread:
    """Send the main thread SIGUSR1 once it has come to that."""
    main = threading.main_thread().ident
    assert main is not None

    def poke() -> None:
        until(state)
        signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=poke)
    thread.start()
    return thread


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="needs signals of threads")


@needs_signals
@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
def test_by_a_signal_while_a_result_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: Any, wait: bool
) -> None:
    """The call that is waited for ends as if nothing had happened."""
    executor = AdaptiveExecutor(max_processes=1)
    there, gate = tmp_path / "there", threading.Event()
    view = executor.options(backend=backend)
    calls: dict[str, Callable[[], Any]] = {
        "thread": lambda: view.submit(gate.wait, LONG),
        "process": lambda: view.submit(work.compute_until, str(there)),
        "loop": lambda: view.submit(until_set, gate),
    }
    future = calls[backend]()

    def end() -> None:
        there.touch()
        gate.set()
        executor.shutdown(wait=wait)

    waited_for = threading.Event()

    def wait_noted(self: Future[Any], timeout: float | None) -> None:
        waited_for.set()
        wait_for(self, timeout)

    wait_for = Future._wait
    monkeypatch.setattr(Future, "_wait", wait_noted)
    until(future.running)
    with handling(end):
        poker = poke_once(waited_for.is_set)
        assert future.result() >= 0
    ended([poker])
    until(lambda: is_over(executor))


@needs_signals
@pytest.mark.parametrize("wait", [True, False])
def test_by_a_signal_while_it_is_shut_down(wait: bool) -> None:
    """Both shutdowns end, and so does the call that is waited for."""
    executor = AdaptiveExecutor(max_processes=1)
    gate = threading.Event()
    future = executor.submit(gate.wait, LONG)
    until(future.running)

    def end() -> None:
        gate.set()
        executor.shutdown(wait=wait)

    with handling(end):
        poker = poke_once(lambda: executor._dispatcher._living._waiting)
        executor.shutdown()
    ended([poker])

    assert future.result(0)
    assert is_over(executor)


class Interrupted:
    """Something is done in the middle of something else: as a signal's handler would do it, but at a given step.

    On a thread of its own, so that one that waits for itself is seen.
    """

    def __init__(self, act: Callable[[], object], step: int, *, instructions: bool = False) -> None:
        self._act = act
        self._step = step
        self._event = "opcode" if instructions else "line"
        self._steps = 0
        # One object: CPython 3.11 goes on with it though it is replaced meanwhile, in a finalizer that is traced.
        self._tracer = self._trace
        self.at = ""

    def __call__(self, fn: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """Call it; its value, and what it raised."""
        found: list[tuple[Any, BaseException | None]] = []

        def run() -> None:
            sys.settrace(self._tracer)
            try:
                found.append((fn(), None))
            except BaseException as error:
                found.append((None, error))
            finally:
                sys.settrace(None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(LONG)
        assert not thread.is_alive(), f"it waits for itself: {self.at}"
        return found[0]

    def _trace(self, frame: Any, event: str, _: object) -> Any:
        """Count steps in the library's own code."""
        code = frame.f_code
        if "adaptive_exec" not in code.co_filename:
            return None
        frame.f_trace_opcodes = self._event == "opcode"
        self._steps += event == self._event
        if self._steps == self._step and not self.at:
            self.at = f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
            sys.settrace(None)
            self._act()
            sys.settrace(self._tracer)
        return self._tracer


Scene = tuple[AdaptiveExecutor, Callable[[], Any]]


def unknown() -> Scene:
    executor = AdaptiveExecutor(max_processes=1)
    return executor, functools.partial(executor.submit, work.double, 21)


def unknown_with_room() -> Scene:
    executor = AdaptiveExecutor(max_processes=1, max_pending=1)
    return executor, functools.partial(executor.submit, work.double, 21)


def brief() -> Scene:
    executor = AdaptiveExecutor(max_processes=1)
    become_known(executor)
    return executor, functools.partial(executor.submit, twice, 21)


def coroutine() -> Scene:
    executor = AdaptiveExecutor(max_processes=1)
    become_known_there(executor)
    return executor, functools.partial(executor.submit, twice_later, 21)


def process() -> Scene:
    executor = AdaptiveExecutor(max_processes=1)
    forced = executor.options(backend="process")
    assert 2 == forced.submit(work.double, 1).result(LONG)
    return executor, functools.partial(forced.submit, work.double, 21)


def first_process() -> Scene:
    executor = AdaptiveExecutor(max_processes=1)
    return executor, functools.partial(executor.options(backend="process").submit, work.double, 21)


SCENES = [unknown, unknown_with_room, brief, coroutine, process, first_process]


@pytest.mark.parametrize(
    ("instructions", "stride", "with_processes"),
    [
        pytest.param(False, 7, 41, id="some-lines"),
        pytest.param(False, 1, 9, id="lines", marks=[pytest.mark.full, pytest.mark.timeout(200)]),
        pytest.param(True, 1, 17, id="instructions", marks=[pytest.mark.stress, pytest.mark.timeout(200)]),
    ],
)
@pytest.mark.parametrize("scene", SCENES)
def test_by_a_signal_inside_submit(
    scene: Callable[[], Scene], instructions: bool, stride: int, with_processes: int
) -> None:
    """Whatever step of it is reached when the handler ends the executor: the call is refused, or its future ends."""
    for step in range(1, 20_000, with_processes if scene in (process, first_process) else stride):
        executor, submit = scene()
        interrupted = Interrupted(
            functools.partial(executor.shutdown, wait=False), step, instructions=instructions
        )
        future, error = interrupted(submit)
        if error is None:
            assert 42 == future.result(LONG), interrupted.at
        else:
            assert isinstance(error, RuntimeError), (interrupted.at, error)
            assert "after shutdown" in str(error), (interrupted.at, error)
        executor.shutdown()
        assert is_over(executor), interrupted.at
        if not interrupted.at:
            assert step > 40
            return
    raise AssertionError("it has more steps than that")


@pytest.mark.parametrize("known", [False, True])
def test_ended_before_the_loop_is_woken(known: bool) -> None:
    """A coroutine that was put there has ended when its submitter comes to wake the loop: then that is no error."""
    executor, submit = coroutine()
    if not known:
        submit = functools.partial(executor.submit, work.async_double, 21)
    loop: Any = executor._dispatcher._backends["loop"]
    wake = loop._wake

    def end_first(running: asyncio.AbstractEventLoop) -> None:
        loop._wake = wake
        executor.shutdown()
        assert running.is_closed()
        wake(running)

    loop._wake = end_first

    assert 42 == submit().result(0)
    assert is_over(executor)


@pytest.mark.parametrize("cancel", [False, True])
def test_by_a_signal_at_any_step_of_a_shutdown(cancel: bool) -> None:
    """Both end, and the call that was accepted has ended then."""
    for step in range(1, 20_000):
        executor = AdaptiveExecutor(max_processes=1)
        gate = threading.Event()
        future = executor.submit(gate.wait, LONG)
        until(future.running)

        def open_gate(executor: AdaptiveExecutor = executor, gate: threading.Event = gate) -> None:
            until(lambda: executor._dispatcher._living._waiting)
            gate.set()

        opener = threading.Thread(target=open_gate)
        opener.start()
        interrupted = Interrupted(functools.partial(executor.shutdown, wait=False), step)
        _, error = interrupted(functools.partial(executor.shutdown, cancel_futures=cancel))
        assert error is None, (interrupted.at, error)
        assert future.result(0)
        ended([opener])
        until(functools.partial(is_over, executor))
        if not interrupted.at:
            assert step > 20
            return
    raise AssertionError("it has more steps than that")


# --- time and again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [False, True])
def test_by_many_at_once(used: bool) -> None:
    """With and without waiting: all return, and whoever waited finds everything ended."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    futures = some_of_all(executor) if used else []
    together = threading.Barrier(6)
    found: list[bool] = []

    def end(wait: bool) -> None:
        together.wait(LONG)
        executor.shutdown(wait=wait)
        if wait:
            found.append(all(future.done() for future in futures) and executor._dispatcher._living.over)

    threads = [threading.Thread(target=end, args=(n % 2 == 0,)) for n in range(6)]
    for thread in threads:
        thread.start()
    ended(threads)

    assert [True] * 3 == found
    assert not used or DOUBLED == [future.result(0) for future in futures]
    executor.shutdown()
    executor.shutdown(wait=False)
    executor.shutdown(wait=False, cancel_futures=True)


@pytest.mark.parametrize("wait", [True, False])
def test_cancelling_after_all(wait: bool) -> None:
    """A second shutdown cancels what a first one would have let run and has not begun."""
    executor = AdaptiveExecutor(max_threads=1, max_processes=1)
    gate = threading.Event()
    held = executor.submit(gate.wait, LONG)
    until(held.running)
    rest = [executor.options(backend="thread").submit(work.double, n) for n in range(CALLS)]
    executor.shutdown(wait=False)
    assert not any(future.done() for future in rest)
    second = threading.Thread(target=executor.shutdown, kwargs={"wait": wait, "cancel_futures": True})
    second.start()
    until(lambda: all(future.cancelled() for future in rest))
    assert not held.done()
    gate.set()
    ended([second])

    assert held.result(LONG)
    until(lambda: is_over(executor))


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("scene", SCENES)
def test_while_many_submit(scene: Callable[[], Scene], wait: bool) -> None:
    """Each call is refused, or its future ends."""
    executor, submit = scene()
    together = threading.Barrier(4)
    futures: list[list[Any]] = [[] for _ in range(3)]
    refused: list[str] = []

    def go_on(mine: list[Any]) -> None:
        together.wait(LONG)
        try:
            while True:
                mine.append(submit())
                if len(mine) % 8 == 0:
                    mine[-1].result(LONG)
        except RuntimeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=go_on, args=(mine,)) for mine in futures]
    for thread in threads:
        thread.start()
    together.wait(LONG)
    until(lambda: all(len(mine) >= 5 for mine in futures))
    executor.shutdown(wait=wait)
    ended(threads)

    assert 3 == len([text for text in refused if "after shutdown" in text]), refused
    assert {42} == {future.result(LONG) for mine in futures for future in mine}
    until(lambda: is_over(executor))


def test_two_wait_for_a_call_that_either_may_run() -> None:
    """The one that is too late leaves it under way, so that no shutdown goes by without it."""
    brief = BriefCalls(2, int, int)
    queue = brief.queue = LookedAt()
    gate, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        gate.wait(LONG)

    def done(task: Task, outcome: Outcome) -> None:
        task.future.try_result(outcome.value)

    owner = FunctionRecord("hold", (), coroutine=False)
    task = BriefTask(hold, (), {}, Options(), owner, contextvars.copy_context(), None, done)
    task.attend, task.glances, task.thread = None, Glances(), None
    task.glances.left = 1 << 30
    queue.append(task)
    first = threading.Thread(target=brief.help, args=(task,))

    def first_comes_before() -> None:
        first.start()
        assert begun.wait(LONG)

    queue.happens = first_comes_before
    assert not brief.help(task)
    under_way = task in brief.under_way()
    gate.set()
    ended([first])

    assert task.done()
    assert under_way


# --- what coroutines have opened ---------------------------------------------------------------------------


class Opened:
    """Notes what of a coroutine has been closed."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.closed: list[str] = []
        self.kept: Any = None

    async def numbers(self) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            self.closed.append("generator")

    @asynccontextmanager
    async def resource(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.sleep(0)
            self.closed.append("manager")

    async def use(self) -> None:
        """Wait for ever with all of it open."""
        self.kept = self.numbers()
        async with self.resource():
            try:
                async for _ in self.kept:
                    self.begun.set()
                    await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0)
                self.closed.append("body")
                await self.kept.aclose()

    async def abandon(self) -> None:
        """End with a generator that somebody else still holds."""
        self.kept = self.numbers()
        async for _ in self.kept:
            self.begun.set()
            return


ALL_CLOSED = ["body", "generator", "manager"]


@pytest.mark.parametrize("way", ["cancelled", "interrupted"])
def test_what_is_open_on_the_library_s_loop(way: str) -> None:
    """It is closed as its coroutine is cancelled, by its future or by Ctrl-C, before the executor has ended."""
    opened = Opened()
    executor = AdaptiveExecutor(max_processes=1)
    future = executor.submit(opened.use)
    assert opened.begun.wait(LONG)
    if way == "cancelled":
        with executor:
            assert future.cancel()
    else:
        with pytest.raises(KeyboardInterrupt), executor:
            raise KeyboardInterrupt
        executor.shutdown()

    assert future.cancelled()
    assert ALL_CLOSED == opened.closed


@pytest.mark.parametrize("way", ["cancelled", "interrupted", "left"])
def test_what_is_open_on_a_user_s_loop(way: str) -> None:
    """The same there, and as the loop's program is left."""
    opened = Opened()

    async def main() -> Any:
        executor = AdaptiveExecutor(max_processes=1)
        future = executor.submit(opened.use)
        while not opened.begun.is_set():
            await asyncio.sleep(0)
        if way == "cancelled":
            async with executor:
                assert future.cancel()
        elif way == "interrupted":
            with pytest.raises(asyncio.CancelledError):
                async with executor:
                    raise asyncio.CancelledError
            await asyncio.to_thread(executor.shutdown)
        else:
            executor.shutdown(wait=False)
        return future

    assert asyncio.run(main()).cancelled()
    assert ALL_CLOSED == opened.closed


@pytest.mark.parametrize("wait", [True, False])
def test_a_generator_that_was_left_open(wait: bool) -> None:
    """The library's loop closes it before it ends itself."""
    opened = Opened()
    executor = AdaptiveExecutor(max_processes=1)
    executor.submit(opened.abandon).result(LONG)
    assert [] == opened.closed
    executor.shutdown(wait=wait)

    until(lambda: opened.closed)
    assert ["generator"] == opened.closed


# --- a call that doesn't end -------------------------------------------------------------------------------


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_beside_one_that_is_stuck(same: bool, known: bool) -> None:
    """With two threads, one is enough for the others, of the same function or of another, before and after its end."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    gate = threading.Event()
    stuck: list[bool] = []

    def get(number: int) -> int:
        if stuck:
            stuck.pop()
            gate.wait(LONG)
        return 2 * number

    def other(number: int) -> int:
        return 2 * number

    if known:
        become_known(executor, get)
        become_known(executor, other)
    stuck.append(True)
    held = executor.submit(get, 1)
    until(lambda: not stuck)
    calls = [executor.submit(get if same else other, n) for n in range(CALLS)]
    assert [2 * n for n in range(CALLS)] == [future.result(LONG) for future in calls]
    calls = [executor.submit(get if same else other, n) for n in range(CALLS)]
    executor.shutdown(wait=False)
    assert [2 * n for n in range(CALLS)] == [future.result(LONG) for future in calls]
    assert not held.done()
    gate.set()
    executor.shutdown()

    assert 2 == held.result(0)


def test_beside_one_whose_time_is_up() -> None:
    """Its thread is lost as long as it goes on, no other; and it is not waited for as a call, but as a thread."""
    executor = AdaptiveExecutor(max_threads=2, max_processes=1)
    gate = threading.Event()
    late = executor.options(timeout=0.01).submit(gate.wait, LONG)
    assert isinstance(late.exception(LONG), TimeoutError)
    calls = [executor.options(backend="thread").submit(work.double, n) for n in range(CALLS)]
    assert [2 * n for n in range(CALLS)] == [future.result(LONG) for future in calls]
    executor.shutdown(wait=False)
    gate.set()
    executor.shutdown()

    assert is_over(executor)


# --- at the end of the program -----------------------------------------------------------------------------


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """A program of a user's, with every warning an error, that has to end soon."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *args],
        capture_output=True,
        text=True,
        timeout=2 * LONG,
        cwd=os.getcwd(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


AT_EXIT = """
import atexit, os, sys, threading, time
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def slow(name):
    time.sleep(0.1)
    say("done", name)
def submit(name):
    import adaptive_exec
    for backend in ("thread", "process"):
        try:
            adaptive_exec.get_executor().options(backend=backend).submit(slow, name)
        except RuntimeError as error:
            starts_no_threads = "can't create new thread" in str(error)  # Python 3.12, by then
            assert "after" in str(error) or starts_no_threads, error
            say("refused", name)
            if starts_no_threads:
                say("starts no threads")
        else:
            say("accepted", name)
atexit.register(submit, "before")
import adaptive_exec
if sys.argv[1] == "loaded":
    adaptive_exec.AdaptiveExecutor
atexit.register(submit, "after")
if sys.argv[1] == "used":
    submit("main")
"""


@pytest.mark.parametrize("use", ["used", "loaded", "unused"])
def test_handlers_of_atexit_submit(use: str) -> None:
    """Whether they were registered before the import or after it: they are refused, or what they submit is done."""
    done = run(AT_EXIT, use)

    assert (0, "") == (done.returncode, done.stderr)
    said = done.stdout.splitlines()
    assert said.count("accepted main") == (2 if use == "used" else 0)
    assert use != "loaded" or "accepted after" in said or "starts no threads" in said
    for name in ("main", "after", "before"):
        assert said.count(f"done {name}") == said.count(f"accepted {name}"), said
        assert name == "main" or said.count(f"refused {name}") + said.count(f"accepted {name}") == 2


A_THREAD_GOES_ON = """
import os, threading, time
from adaptive_exec import get_executor
from tests import work
accepted, ended = [], []
def submit():
    while True:
        try:
            future = get_executor().submit(work.double, 21)
        except RuntimeError as error:
            assert "after shutdown" in str(error), error
            break
        accepted.append(future)
        future.add_done_callback(lambda future: ended.append(future.result()))
        if len(accepted) == 20:
            enough.set()
    assert [42] * len(accepted) == [future.result(20) for future in accepted]
    while len(ended) < len(accepted):
        time.sleep(0.001)
    os.write(1, b"all are done\\n")
enough = threading.Event()
threading.Thread(target=submit).start()
enough.wait(20)
"""


def test_a_thread_submits_as_the_program_ends() -> None:
    """Until it is refused; and what was accepted till then has been done."""
    done = run(A_THREAD_GOES_ON)

    assert (0, "", "all are done\n") == (done.returncode, done.stderr, done.stdout)


A_THREAD_BEGINS = """
import os, threading, time
from adaptive_exec import AdaptiveExecutor
executor = AdaptiveExecutor()
def slow():
    time.sleep(0.1)
    os.write(1, b"done\\n")
def submit():
    threading.main_thread().join()  # which is taken for ended as soon as the interpreter exits
    try:
        executor.submit(slow)
    except RuntimeError:
        os.write(1, b"done\\n")
threading.Thread(target=submit).start()
"""


def test_a_thread_begins_to_submit_as_the_program_ends() -> None:
    """The first call of all comes too late for the first hooks, and is refused or done all the same."""
    done = run(A_THREAD_BEGINS)

    assert (0, "", "done\n") == (done.returncode, done.stderr, done.stdout)


LEFT_ALONE = """
import asyncio, os, time
from adaptive_exec import AdaptiveExecutor
def say(text):
    os.write(1, f"{text}\\n".encode())
def slow(x):
    time.sleep(0.05)
    say(f"slow {x}")
async def slow_too(x):
    await asyncio.sleep(0.05)
    say(f"slow_too {x}")
async def for_ever():
    try:
        say("begun")
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        say("closed")
async def main():
    executor.submit(for_ever)  # on this loop, which is left
    executor.options(backend="loop").submit(slow_too, 0)
    await asyncio.sleep(0.01)
executor = AdaptiveExecutor(max_threads=2, max_processes=1)
asyncio.run(main())
executor.submit(slow_too, 1)
kept = executor.map(slow, range(3))
executor.map(slow, range(3, 5))
executor.options(backend="process").map(slow, [5])
executor.map(slow_too, [2, 3])
"""


def test_what_nobody_waits_for() -> None:
    """Coroutines that nobody awaits and results of `map` that nobody takes are worked out all the same."""
    done = run(LEFT_ALONE)

    assert (0, "") == (done.returncode, done.stderr)
    expected = ["begun", "closed", *(f"slow {n}" for n in range(6)), *(f"slow_too {n}" for n in range(4))]
    assert sorted(expected) == sorted(done.stdout.splitlines())


CLOSED_BY_A_SIGNAL = """
import asyncio, os, signal, threading, time
from adaptive_exec import AdaptiveExecutor
from tests import work
def end(number, frame):
    executor.shutdown(wait=False)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, end)
executor = AdaptiveExecutor(max_processes=1)
futures = [executor.submit(work.double, n) for n in range(50)]
futures += [executor.options(backend="process").submit(work.double, n) for n in range(50)]
threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
import atexit
atexit.register(lambda: os.write(1, b"%d\\n" % sum(future.done() for future in futures)))
while True:
    executor.submit(work.async_double, 1)
    time.sleep(0.001)
"""


@needs_signals
def test_a_program_that_ends_by_a_signal() -> None:
    """Its handler shuts the executor down without waiting and leaves: what was accepted is done, and it ends."""
    done = run(CLOSED_BY_A_SIGNAL)

    assert (0, "", "100\n") == (done.returncode, done.stderr, done.stdout)
