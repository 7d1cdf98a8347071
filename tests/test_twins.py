"""A task's async twin: `@f.coroutine`."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
import threading
import time
from collections.abc import Iterator

import pytest

from adaptive_exec import AdaptiveExecutor, get_executor, set_executor, task

HERE = contextvars.ContextVar("HERE", default="nowhere")
MANY = 120


def where() -> str:
    """Whether this is a thread of the loop's."""
    return "loop" if threading.current_thread().name == "adaptive-exec-loop" else "thread"


@task
def nap(seconds: float, *, note: str = "") -> tuple[str, str]:
    """Wait."""
    time.sleep(seconds)
    return where(), note


@nap.coroutine
async def nap_twin(seconds: float, *, note: str = "") -> tuple[str, str]:
    await asyncio.sleep(seconds)
    return where(), note


class Line:
    def __init__(self, name: str) -> None:
        self.name = name

    @task(kind="io")
    def ask(self, seconds: float) -> tuple[str, str]:
        time.sleep(seconds)
        return where(), self.name

    @ask.coroutine
    async def _(self, seconds: float) -> tuple[str, str]:
        await asyncio.sleep(seconds)
        return where(), self.name

    @task(kind="io")
    @staticmethod
    def plain(seconds: float) -> str:
        time.sleep(seconds)
        return where()

    @plain.coroutine
    async def _plain(seconds: float) -> str:  # type: ignore[misc]  # noqa: N805
        await asyncio.sleep(seconds)
        return where()


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    """The default executor, new for each test."""
    before = get_executor()
    made = AdaptiveExecutor(max_processes=2)
    set_executor(made)
    yield made
    set_executor(before)
    made.shutdown()


def known(executor: AdaptiveExecutor) -> None:
    """Let the library learn that it waits."""
    for _ in range(6):
        assert ("thread", "") == nap.submit(0.02).result(20)


def test_a_thread_runs_the_function_of_a_few_and_the_loop_the_twin_of_many(
    executor: AdaptiveExecutor,
) -> None:
    """Both give the same; which of them runs follows from how many calls are in flight."""
    known(executor)

    many = [nap.submit(0.05, note=str(n)) for n in range(MANY)]
    places = [place for place, _ in (future.result(20) for future in many)]
    notes = [future.result()[1] for future in many]

    assert [str(n) for n in range(MANY)] == notes
    assert places.count("loop") > MANY / 2
    decision = many[-1].decision
    assert decision is not None
    assert "async twin" in decision.reason
    assert "loop" == decision.backend
    assert ("thread", "") == nap.submit(0.02).result(20)
    assert "nap" in str(executor.stats())


def test_calls_that_come_at_once_from_cold_reach_the_loop(executor: AdaptiveExecutor) -> None:
    """A burst of calls that nobody knows waits until two were looked at, and goes where many belong."""
    futures = [nap.submit(0.05) for _ in range(MANY)]

    assert sum(future.result(20)[0] == "loop" for future in futures) > MANY / 2


def test_the_plain_call_is_the_functions(executor: AdaptiveExecutor) -> None:
    """Calling the task never runs the twin, and the twin can be called by its own name."""
    assert ("thread", "x") == nap(0.0, note="x")
    assert ("thread", "y") == asyncio.run(nap_twin(0.0, note="y"))


def test_methods_have_twins(executor: AdaptiveExecutor) -> None:
    """A twin is bound as its function is; static methods need no decorator of their own."""
    line = Line("four")
    futures = [line.ask.submit(0.05) for _ in range(MANY)]
    plain = [Line.plain.submit(0.05) for _ in range(MANY)]

    assert {"four"} == {future.result(20)[1] for future in futures}
    assert "loop" in {future.result(20)[0] for future in futures}
    assert "loop" in {future.result(20) for future in plain}


def test_submitting_the_task_to_an_executor_has_the_twin_too(executor: AdaptiveExecutor) -> None:
    """`executor.submit(task, …)`, `task.map`, `task.options(…)` and a pickled task are the task's own `submit`."""
    again = pickle.loads(pickle.dumps(nap))
    forced = [
        executor.options(backend="loop").submit(nap, 0.0),
        nap.options(backend="loop").submit(0.0),
        again.options(backend="loop").submit(0.0),
    ]
    mapped = nap.options(kind="io").map([0.05] * MANY)

    assert ["loop"] * 3 == [future.result(20)[0] for future in forced]
    assert "thread" == executor.options(backend="thread").submit(nap, 0.0).result(20)[0]
    assert "loop" in {place for place, _ in mapped}


@pytest.mark.blocks_loop("a submitter blocks for its result")
def test_whoever_submits_may_block_or_await(executor: AdaptiveExecutor) -> None:
    """The twin runs on the library's loop, so a submitter's own loop may block for it or await it."""

    async def main() -> tuple[set[str], str]:
        HERE.set("main")
        futures = [nap.options(kind="io").submit(0.05) for _ in range(MANY)]
        places = {place for place, _ in await asyncio.gather(*futures)}
        return places, nap.options(backend="loop").submit(0.0).result(20)[0]

    places, blocked = asyncio.run(main())

    assert "loop" in places
    assert "loop" == blocked


def test_on_the_librarys_own_loop_a_thread_runs_the_function(executor: AdaptiveExecutor) -> None:
    """Who blocks there for a result would wait for itself, so calls from there stay on threads."""

    async def main() -> set[str]:
        futures = [nap.options(kind="io").submit(0.05) for _ in range(MANY)]
        return {place for place, _ in await asyncio.gather(*futures)}

    future = executor.submit(main)

    assert {"thread"} == future.result(20)


def test_a_twin_sees_context_and_can_be_cancelled(executor: AdaptiveExecutor) -> None:
    """Context variables of the submitter are there, and a running twin is ended by `cancel`."""

    @task
    def seen() -> str:
        return HERE.get()

    @seen.coroutine
    async def _() -> str:
        return HERE.get()

    token = HERE.set("here")
    loop = seen.options(backend="loop").submit()
    HERE.reset(token)
    long = nap.options(backend="loop").submit(30.0)
    while not long.running():
        time.sleep(0.001)

    assert "here" == loop.result(20)
    assert long.cancel()


def test_a_failing_twin_fails_as_its_function(executor: AdaptiveExecutor) -> None:
    """What the twin raises is what the caller gets, and a timeout ends it."""

    @task(kind="io")
    def fails(x: int) -> int:
        raise LookupError(x)

    @fails.coroutine
    async def _(x: int) -> int:
        raise LookupError(x)

    assert isinstance(fails.options(backend="loop").submit(3).exception(20), LookupError)
    assert isinstance(nap.options(backend="loop", timeout=0.05).submit(30.0).exception(20), TimeoutError)


@pytest.mark.parametrize(
    ("twin", "why"),
    [
        (lambda x: x, "async def"),
        (3, "async def"),
    ],
)
def test_what_is_no_coroutine_function_is_refused(twin: object, why: str) -> None:
    """A twin that could not be awaited is refused when it is given, not when many calls come."""

    @task
    def f(x: int) -> int:
        return x

    with pytest.raises(TypeError, match=why):
        f.coroutine(twin)  # type: ignore[arg-type]


def test_other_parameters_are_refused() -> None:
    """A twin with other parameters or defaults would give other answers, for some calls only."""

    @task
    def f(x: int, y: int = 1) -> int:
        return x + y

    async def other(x: int, y: int = 2) -> int:
        return x + y

    async def fewer(x: int) -> int:
        return x

    async def own(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="same defaults"):
        f.coroutine(other)
    with pytest.raises(TypeError, match="parameters of"):
        f.coroutine(fewer)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="already"):
        task(own).coroutine(own)  # type: ignore[arg-type]
