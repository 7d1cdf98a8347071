"""What the executor and tasks promise, promise by promise: each test is named for one. Depth is in the parts' tests."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import inspect
import pickle
import sys
import threading
import time
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import adaptive_exec
from adaptive_exec import (
    AdaptiveExecutor,
    Decision,
    Future,
    Profile,
    TaskGroup,
    get_executor,
    set_executor,
    task,
)
from adaptive_exec.errors import TaskTimeout
from adaptive_exec.model import DEFAULT
from tests import work
from tests.backends.support import until

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


@pytest.fixture
def default(executor: AdaptiveExecutor) -> Iterator[AdaptiveExecutor]:
    """The process-wide one."""
    set_executor(executor)
    yield executor
    set_executor(None)


# --- the executor -------------------------------------------------------------------------------------


def test_it_is_a_standard_executor(executor: AdaptiveExecutor) -> None:
    """Whatever takes one of those takes it."""
    assert isinstance(executor, concurrent.futures.Executor)
    done, left = concurrent.futures.wait([executor.submit(work.double, n) for n in range(3)], 20)
    assert (3, 0) == (len(done), len(left))


def test_with_and_async_with_end_it() -> None:
    """And wait for what was accepted."""
    with AdaptiveExecutor(max_processes=1) as executor:
        future = executor.submit(time.sleep, 0.05)
    assert future.done()
    with pytest.raises(RuntimeError, match="shutdown"):
        executor.submit(work.double, 1)

    async def main() -> None:
        async with AdaptiveExecutor(max_processes=1) as inner:
            late = inner.submit(asyncio.sleep, 0.05)
        assert late.done()

    asyncio.run(main())


def test_max_threads_caps_what_waits() -> None:
    """No more threads work at once."""
    with AdaptiveExecutor(max_threads=3, max_processes=1) as executor:
        view = executor.options(backend="thread")
        at_once, most = [0], [0]
        lock = threading.Lock()

        def wait() -> None:
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.01)
            with lock:
                at_once[0] -= 1

        for future in [view.submit(wait) for _ in range(30)]:
            future.result(20)
    assert 1 <= most[0] <= 3


def test_max_processes_is_what_is_usable_by_default() -> None:
    """By affinity and quota; with a number, no more than that."""
    with AdaptiveExecutor() as executor:
        assert executor._dispatcher._router.machine.processes == executor._dispatcher._router.machine.cores
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="process")
        assert 1 == len({future.result(60) for future in [view.submit(work.pid) for _ in range(8)]})


def test_max_pending_bounds_what_is_under_way() -> None:
    """`submit` waits for room; code that awaits holds up no loop."""
    gate = threading.Event()
    with AdaptiveExecutor(max_processes=1, max_pending=2) as executor:
        futures = [executor.submit(gate.wait, 20) for _ in range(2)]
        third: list[Future[Any]] = []
        waiting = threading.Thread(target=lambda: third.append(executor.submit(work.double, 4)))
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
        gate.set()
        waiting.join(20)
        assert 8 == third[0].result(20)
        assert all(future.result(20) for future in futures)


def test_no_fork_of_a_program_with_threads() -> None:
    """Workers come from a fork server, or are spawned: they know nothing of what is here."""
    work.note("here")
    with AdaptiveExecutor(max_processes=1) as executor:
        assert [] == executor.options(backend="process").submit(work.noted).result(60)
    work.NOTED.clear()


def test_initializer_runs_once_in_each_worker() -> None:
    """Before its first call."""
    with AdaptiveExecutor(max_processes=1, initializer=work.note, initargs=("begun",)) as executor:
        view = executor.options(backend="process")
        assert ["begun"] == [view.submit(work.noted).result(60) for _ in range(2)][1]


def test_profiles_live_from_run_to_run(tmp_path: Path) -> None:
    """In a file."""
    file = tmp_path / "profiles"
    with AdaptiveExecutor(max_processes=1, profiles=file) as executor:
        for _ in range(20):
            executor.submit(time.sleep, 0.001).result(20)
    assert file.exists()
    with AdaptiveExecutor(max_processes=1, profiles=file) as executor:
        executor.submit(time.sleep, 0.001).result(20)
        assert (executor.explain(time.sleep).profile or Profile()).calls > 1


def test_submit_takes_plain_functions_and_async_ones(executor: AdaptiveExecutor) -> None:
    """Positional only, so that `fn` may be a keyword of the call's own."""
    assert 6 == executor.submit(work.double, 3).result(20)
    assert 6 == executor.submit(work.async_double, 3).result(20)
    assert {"fn": 1, "self": 2} == executor.submit(lambda **given: given, fn=1, self=2).result(20)


def test_map_is_iterated_both_ways(executor: AdaptiveExecutor) -> None:
    """In order, or as results come; of several iterables the shortest ends it."""
    assert [2, 4] == list(executor.map(work.double, [1, 2]))
    assert {2, 4} == set(executor.map(work.double, [1, 2], ordered=False))
    assert [1, 8] == list(executor.map(pow, [1, 2, 3], [2, 3]))

    async def main() -> list[int]:
        return [each async for each in executor.map(work.async_double, [1, 2])]

    assert [2, 4] == asyncio.run(main())


def test_map_starts_sized_inputs_at_once(executor: AdaptiveExecutor) -> None:
    """As in the standard library."""
    begun = threading.Barrier(3)
    results = executor.options(kind="io").map(lambda _: begun.wait(20), [1, 2])
    begun.wait(20)
    assert 2 == len(list(results))


def test_map_takes_no_more_than_buffersize_from_an_iterator(executor: AdaptiveExecutor) -> None:
    """Beyond what has been given out."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in range(1_000):
            taken.append(n)
            yield n

    results = executor.map(work.double, items(), buffersize=5)
    assert 5 == len(taken)
    assert 0 == next(results)
    assert len(taken) <= 6
    results.close()


def test_map_keeps_to_its_timeout(executor: AdaptiveExecutor) -> None:
    """From the call on."""
    gate = threading.Event()
    results = executor.map(gate.wait, [20], timeout=0.01)
    with pytest.raises(TimeoutError):
        next(results)
    gate.set()


def test_map_shows_progress(
    executor: AdaptiveExecutor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert [2, 4] == list(executor.map(work.double, [1, 2], progress=True))
    assert "2 of 2" in capsys.readouterr().err


def test_map_does_not_end_with_what_ends_iterations(executor: AdaptiveExecutor) -> None:
    """A function that raises `StopIteration` has failed."""

    def ends(n: int) -> int:
        if n:
            raise StopIteration
        return n

    with pytest.raises(RuntimeError, match="StopIteration"):
        list(executor.map(ends, [0, 1, 0]))

    async def main(error: type[Exception]) -> None:
        def fails(n: int) -> int:
            if n:
                raise error
            return n

        async for _ in executor.map(fails, [0, 1, 0]):
            pass

    for error in (StopIteration, StopAsyncIteration):
        with pytest.raises(RuntimeError, match="StopIteration"):
            asyncio.run(main(error))


def test_options_give_a_view(executor: AdaptiveExecutor) -> None:
    """With `submit`, `map` and `options`, which change what they name and keep the rest."""
    view = executor.options(backend="thread").options(retries=1)
    assert 6 == view.submit(work.double, 3).result(20)
    assert [2] == list(view.map(work.double, [1]))
    decision = view.submit(work.double, 1).decision
    assert decision is not None
    assert "thread" == decision.backend


@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
def test_backend_is_the_users_word(executor: AdaptiveExecutor, backend: Any) -> None:
    """Whatever is measured."""
    fn = work.async_double if backend == "loop" else work.double
    future: Future[int] = executor.options(backend=backend).submit(fn, 2)
    assert 4 == future.result(60)
    assert future.decision is not None
    assert backend == future.decision.backend


def test_explain_says_where_and_why(executor: AdaptiveExecutor) -> None:
    """In one sentence, with the profile it goes by."""
    executor.submit(work.double, 1).result(20)
    decision = executor.explain(work.double)
    assert isinstance(decision, Decision)
    assert decision.backend in ("thread", "process", "loop", "inline")
    assert decision.reason
    assert "\n" not in decision.reason
    assert decision.profile is not None
    for name in (
        "calls",
        "wall",
        "cpu",
        "cpu_ratio",
        "gil_ratio",
        "payload_bytes",
        "process_safe",
        "uncertainty",
    ):
        assert hasattr(decision.profile, name)


def test_stats_are_frozen_and_name_each_backend(executor: AdaptiveExecutor) -> None:
    """Those that ran something."""
    executor.submit(work.double, 1).result(20)
    executor.submit(work.async_double, 1).result(20)
    executor.options(backend="process").submit(work.double, 1).result(60)
    stats = executor.stats()
    assert {"thread", "loop", "process"} == set(stats.backends)
    assert all(name in str(stats) for name in stats.backends)
    with pytest.raises(AttributeError):
        stats.pending = 3  # type: ignore[misc]


def test_shutdown_cancels_what_has_not_begun() -> None:
    """Where it is asked to, and returns at once where it is asked not to wait; twice is once."""
    executor = AdaptiveExecutor(max_threads=1, max_processes=1)
    gate, begun = threading.Event(), threading.Event()

    def hold() -> bool:
        begun.set()
        return gate.wait(20)

    running = executor.options(backend="thread").submit(hold)
    assert begun.wait(20)
    waiting = executor.options(backend="thread").submit(work.double, 1)
    executor.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    gate.set()
    assert running.result(20)
    executor.shutdown()


def test_the_default_executor_is_made_on_first_use() -> None:
    """And may be another one."""
    with AdaptiveExecutor(max_processes=1) as mine:
        set_executor(mine)
        try:
            assert mine is get_executor()
        finally:
            set_executor(None)
    made = get_executor()
    assert made is not mine
    assert made is get_executor()
    set_executor(None)
    made.shutdown()


# --- futures ------------------------------------------------------------------------------------------


def test_a_future_is_a_standard_one(executor: AdaptiveExecutor) -> None:
    """So that `as_completed` and `asyncio.wrap_future` work."""
    future = executor.submit(work.double, 2)
    assert isinstance(future, concurrent.futures.Future)
    assert [future] == list(concurrent.futures.as_completed([future], 20))

    async def main() -> int:
        return await asyncio.wrap_future(executor.submit(work.double, 3))

    assert 6 == asyncio.run(main())


def test_a_future_is_awaitable_on_any_loop(executor: AdaptiveExecutor) -> None:
    """By several at once."""
    future = executor.submit(time.sleep, 0.05)

    async def main() -> list[None]:
        return list(await asyncio.gather(future, future))

    assert [None, None] == asyncio.run(main())
    assert [None, None] == asyncio.run(main())


def test_cancel_ends_running_coroutines_and_processes(executor: AdaptiveExecutor) -> None:
    """A running thread can't be stopped, and it says so."""
    coroutine = executor.submit(asyncio.sleep, 60)
    until(coroutine.running)
    assert coroutine.cancel()
    process = executor.options(backend="process").submit(time.sleep, 60)
    until(process.running)
    assert process.cancel()
    gate = threading.Event()
    thread = executor.options(backend="thread").submit(gate.wait, 20)
    until(thread.running)
    assert not thread.cancel()
    gate.set()
    assert thread.result(20)


def test_a_future_tells_where_it_ran(executor: AdaptiveExecutor) -> None:
    """By its decision."""
    future = executor.submit(work.double, 2)
    assert 4 == future.result(20)
    assert future.decision is not None
    assert "thread" == future.decision.backend


# --- loops --------------------------------------------------------------------------------------------


async def where() -> asyncio.AbstractEventLoop:
    """The loop it runs on."""
    return asyncio.get_running_loop()


def test_a_coroutine_runs_on_the_loop_that_submits_it(executor: AdaptiveExecutor) -> None:
    """From anywhere else on the library's own, and there by force."""

    async def main() -> None:
        here = asyncio.get_running_loop()
        assert here is await executor.submit(where)
        assert here is not await executor.options(backend="loop").submit(where)

    asyncio.run(main())
    assert executor.submit(where).result(20) is executor.submit(where).result(20)


def test_result_never_blocks_the_loop_that_has_to_bring_it(executor: AdaptiveExecutor) -> None:
    """It says what to do instead."""

    async def main() -> None:
        future = executor.submit(where)
        with pytest.raises(RuntimeError, match="await it"):
            future.result()
        await future

    asyncio.run(main())


def test_context_variables_are_carried(executor: AdaptiveExecutor) -> None:
    """To threads and coroutines; what a call sets stays with it."""

    async def who() -> str:
        return WHO.get()

    token = WHO.set("me")
    try:
        assert "me" == executor.options(backend="thread").submit(WHO.get).result(20)
        assert "me" == executor.submit(who).result(20)
        executor.options(backend="thread").submit(WHO.set, "you").result(20)
        assert "me" == WHO.get()
    finally:
        WHO.reset(token)


# --- tasks --------------------------------------------------------------------------------------------


@task
def doubled(number: int) -> int:
    """Twice the number."""
    return 2 * number


@task(kind="io", timeout=0.05)
def rests(seconds: float) -> float:
    """Wait."""
    time.sleep(seconds)
    return seconds


class Shop:
    """Has tasks of all kinds."""

    factor = 3

    @task
    def price(self, number: int) -> int:
        """A method."""
        return self.factor * number

    @task
    @staticmethod
    def plain(number: int) -> int:
        """A static one."""
        return number

    @task
    @classmethod
    def named(cls) -> str:
        """A class's."""
        return cls.__name__


@task
async def slowly(number: int) -> int:
    """A coroutine function."""
    await asyncio.sleep(0)
    return number


def test_a_task_is_called_as_if_undecorated() -> None:
    """It keeps signature, docstring, name and types."""
    assert 6 == doubled(3)
    assert "Twice the number." == doubled.__doc__
    assert ["number"] == list(inspect.signature(doubled).parameters)
    assert {"number": int, "return": int} == typing.get_type_hints(doubled)
    assert "doubled" == doubled.__name__


@pytest.mark.skipif(sys.version_info < (3, 14), reason="before, what an annotation names has to be there")
def test_a_task_may_name_classes_that_come_later() -> None:
    """As any function may, where annotations wait until somebody asks."""
    names: dict[str, Any] = {"task": task}
    exec("@task\ndef later(given: Late) -> int: return 1", names)
    assert {"given", "return"} == set(names["later"].__annotations__)


def test_a_task_is_submitted_mapped_and_explained(default: AdaptiveExecutor) -> None:
    """`await` works, too."""

    async def main() -> int:
        return await doubled.submit(4)

    assert 6 == doubled.submit(3).result(20)
    assert [2, 4] == list(doubled.map([1, 2]))
    assert doubled.explain().reason
    assert 8 == asyncio.run(main())
    assert 6 == doubled.options(timeout=5).submit(3).result(20)


def test_a_tasks_options_hold_wherever_it_is_submitted(default: AdaptiveExecutor) -> None:
    """What the caller says comes first; what they leave open is the task's."""
    assert 0.001 == rests.submit(0.001).result(20)
    for future in (
        rests.submit(0.5),
        default.submit(rests, 0.5),
        default.options(kind="io").submit(rests, 0.5),
    ):
        with pytest.raises(TaskTimeout):
            future.result(20)
    with pytest.raises(TaskTimeout):
        list(default.map(rests, [0.5]))
    assert 0.1 == default.options(timeout=20).submit(rests, 0.1).result(20)
    assert 0.1 == rests.options(timeout=None).submit(0.1).result(20)
    assert doubled.__adaptive_options__ == DEFAULT


def test_a_task_goes_to_the_executor_it_names(executor: AdaptiveExecutor) -> None:
    """Not to the default one."""
    mine = task(executor=executor)(work.double)
    assert 4 == mine.submit(2).result(20)
    assert ["double"] == [function.name for function in executor.stats().functions]


def test_tasks_are_methods_of_all_kinds_and_coroutines(default: AdaptiveExecutor) -> None:
    """Bound as plain ones are."""
    assert 6 == Shop().price(2)
    assert 6 == Shop().price.submit(2).result(20)
    assert 5 == Shop.plain.submit(5).result(20)
    assert "Shop" == Shop.named.submit().result(20)
    assert 7 == slowly.submit(7).result(20)
    assert 7 == asyncio.run(slowly(7))


def test_a_task_is_pickled_by_reference_to_itself() -> None:
    """The very object."""
    assert doubled is pickle.loads(pickle.dumps(doubled))


def test_a_twin_runs_on_the_loop_where_many_calls_are_slow(default: AdaptiveExecutor) -> None:
    """The plain call is the function's, and so are few calls."""
    ran: list[str] = []

    @task
    def fetch(number: int) -> int:
        ran.append("function")
        time.sleep(0.001)
        return number

    @fetch.coroutine
    async def _(number: int) -> int:
        ran.append("twin")
        await asyncio.sleep(0.001)
        return number

    assert 1 == fetch(1)
    assert 2 == fetch.submit(2).result(20)
    assert ["function"] * 2 == ran


# --- groups -------------------------------------------------------------------------------------------


def test_a_group_ends_when_all_its_calls_have(default: AdaptiveExecutor) -> None:
    """Over all backends; with the default executor if none is given."""
    with TaskGroup(default) as group:
        futures = [group.submit(work.double, 1), group.submit(work.async_double, 2)]
    assert [2, 4] == [future.result(0) for future in futures]

    async def main() -> int:
        async with TaskGroup() as inner:
            future = inner.submit(doubled, 3)
        return await future

    assert 6 == asyncio.run(main())


def test_a_group_cancels_the_rest_on_the_first_failure(executor: AdaptiveExecutor) -> None:
    """And raises what was raised as one group."""
    waits: list[Future[None]] = []

    def fail() -> None:
        with TaskGroup(executor) as group:
            waits.append(group.submit(asyncio.sleep, 60))
            group.submit(int, "no number")

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    assert waits[0].cancelled()
    assert [ValueError] == [type(error) for error in caught.value.exceptions]


def test_a_failure_that_nobody_looked_at_is_logged_once(
    executor: AdaptiveExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """When its future goes."""

    def logged() -> int:
        gc.collect()
        return sum("nobody asked" in record.getMessage() for record in caplog.records)

    for look in (lambda future: future.exception(), lambda future: concurrent.futures.wait([future]), None):
        future: Any = executor.submit(int, "no number")
        until(future.done)
        if look is not None:
            look(future)
        if look is None:
            until(lambda: not executor._dispatcher.is_busy())
        del future
    until(lambda: logged() == 2)
    assert "int failed" in caplog.text
    assert "no number" in caplog.text

    with pytest.raises(ValueError, match="no number"):
        list(executor.map(int, ["no number"] * 3))
    executor.shutdown()
    assert 2 == logged()


def test_everything_public_is_there() -> None:
    """And imported only when it is asked for."""
    for name in adaptive_exec.__all__:
        assert getattr(adaptive_exec, name) is not None
