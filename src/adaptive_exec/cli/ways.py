"""The four ways of running the load: routed, all threads, all processes, and by hand."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from inspect import iscoroutinefunction
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from adaptive_exec.cli import workloads
from adaptive_exec.cli.interrupt import Interrupt
from adaptive_exec.cli.load import Job, Load
from adaptive_exec.platform.cores import usable_cores

if TYPE_CHECKING:
    from adaptive_exec.model import Decision, Profile

__all__ = ["AllProcesses", "AllThreads", "ByHand", "FunctionReport", "Routed", "Run", "Way", "run"]

_Pool = TypeVar("_Pool", bound=Executor)
_THREADS: Final = 32
_PROCESSES: Final = 32


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """How one function fared under the routing.

    Attributes:
        fn: The function.
        part: The part of the load that it belongs to.
        pinned: The backend the demo asked for; None if the routing was free.
        routes: How many of its calls ran where.
        decision: The last decision for the place where most of them ran.
        profile: What was measured of it; None if nothing was.
    """

    fn: Callable[..., Any]
    part: str
    pinned: str | None
    routes: Counter[str]
    decision: Decision
    profile: Profile | None

    @property
    def backend(self) -> str:
        """Where most of its calls ran."""
        return self.decision.backend


@dataclass(frozen=True, slots=True)
class Run:
    """One way's run of the whole load.

    Attributes:
        name: The way, for machines.
        title: The way, for people.
        calls: How many calls it made.
        seconds: From the making of its pools to its last result.
        answers: The answer of each part, or the error it failed with.
        functions: Of each function, where it ran and why; empty if the way does not say.
    """

    name: str
    title: str
    calls: int
    seconds: float
    answers: dict[str, object]
    functions: tuple[FunctionReport, ...] = ()


class Way(ABC):
    """Pools, and a rule which of them runs a call; a context manager that makes and ends the pools."""

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self) -> None:
        self._pools = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._pools = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._pools.close()

    @abstractmethod
    def _open(self, stack: ExitStack) -> None:
        """Make the pools and leave their ends on the stack."""

    @abstractmethod
    def submit(self, job: Job) -> Future[Any]:
        """Send one call on its way."""

    def report(self, job_of: Mapping[Future[Any], Job]) -> tuple[FunctionReport, ...]:
        """Where each function ran and why, if the way knows."""
        return ()


def run(way: Way, load: Load, advance: Callable[[], None], interrupt: Interrupt) -> Run:
    """Run the whole load in one way: submit everything, then take the results as they come.

    Args:
        way: The way, not yet opened: making its pools is part of the time.
        load: The calls.
        advance: Called after each finished call.
        interrupt: Asked before each step.

    Raises:
        KeyboardInterrupt: after a Ctrl-C; the pipeline and the pools have been ended then.
    """
    gc.collect()
    start = time.perf_counter()
    with way:
        try:
            job_of = _submit_all(way, load, interrupt)
            for future in _as_done(job_of, interrupt):
                if job_of[future].part == "pipeline":
                    load.pipeline.finished(job_of[future])
                advance()
        except BaseException:
            load.pipeline.close()
            raise
        seconds = time.perf_counter() - start
        functions = way.report(job_of)
    return Run(way.name, way.title, len(load.jobs), seconds, load.answers(list(job_of)), functions)


def _submit_all(way: Way, load: Load, interrupt: Interrupt) -> dict[Future[Any], Job]:
    """Send every call on its way."""
    job_of = {}
    for job in load.jobs:
        interrupt.check()
        job_of[way.submit(job)] = job
    return job_of


def _as_done(futures: Collection[Future[Any]], interrupt: Interrupt) -> Iterator[Future[Any]]:
    """The futures in the order in which they end, as `as_completed`; Ctrl-C is raised between two."""
    done: SimpleQueue[Any] = SimpleQueue()
    interrupt.wakes(done)
    for future in futures:
        future.add_done_callback(done.put)
    for _ in futures:
        future = done.get()
        interrupt.check()
        yield future


def _finish(fn: Callable[..., Any], *args: Any) -> Any:
    """Call `fn`; what it returns if it is a coroutine function is run to its end here."""
    return asyncio.run(fn(*args)) if iscoroutinefunction(fn) else fn(*args)


def _process_pool(stack: ExitStack, workers: int) -> ProcessPoolExecutor:
    """The standard library's pool at its best: fork server with the demo's modules preloaded."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([workloads.__name__, "concurrent.futures.process"])
    pool = ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    return _ended_with(stack, pool)


def _ended_with(stack: ExitStack, pool: _Pool) -> _Pool:
    """Have the stack end a pool: what has not begun is cancelled, what runs is awaited."""
    stack.callback(pool.shutdown, wait=True, cancel_futures=True)
    return pool


class Routed(Way):
    """Our own executor: one `submit` for everything."""

    name = "routed"
    title = "adaptive_exec"

    def _open(self, stack: ExitStack) -> None:
        from adaptive_exec import AdaptiveExecutor

        self._executor = _ended_with(stack, AdaptiveExecutor())

    def submit(self, job: Job) -> Future[Any]:
        chosen = self._executor if job.pinned is None else self._executor.options(backend=job.pinned)
        return chosen.submit(job.fn, *job.args)

    def report(self, job_of: Mapping[Future[Any], Job]) -> tuple[FunctionReport, ...]:
        calls: dict[Callable[..., Any], list[Future[Any]]] = {}
        for future, job in job_of.items():
            calls.setdefault(job.fn, []).append(future)
        jobs = {job.fn: job for job in job_of.values()}
        return tuple(self._report(jobs[fn], futures) for fn, futures in calls.items())

    def _report(self, job: Job, futures: list[Any]) -> FunctionReport:
        decisions: list[Decision] = [future.decision for future in futures]
        routes: Counter[str] = Counter(decision.backend for decision in decisions)
        [(most, _)] = routes.most_common(1)
        decision = next(decision for decision in reversed(decisions) if decision.backend == most)
        profile = self._executor.explain(job.fn).profile or decision.profile
        return FunctionReport(job.fn, job.part, job.pinned, routes, decision, profile)


class AllThreads(Way):
    """Every call on one pool of threads."""

    name = "threads"
    title = f"all on threads ({_THREADS})"

    def _open(self, stack: ExitStack) -> None:
        self._pool = _ended_with(stack, ThreadPoolExecutor(_THREADS))

    def submit(self, job: Job) -> Future[Any]:
        return self._pool.submit(_finish, job.fn, *job.args)


class AllProcesses(Way):
    """Every call on one pool of processes."""

    name = "processes"
    title = f"all on processes ({_PROCESSES})"

    def _open(self, stack: ExitStack) -> None:
        self._pool = _process_pool(stack, _PROCESSES)

    def submit(self, job: Job) -> Future[Any]:
        return self._pool.submit(_finish, job.fn, *job.args)


class ByHand(Way):
    """What somebody who knows every function writes: each kind in the pool that suits it."""

    name = "hand"
    title = "routed by hand"

    def _open(self, stack: ExitStack) -> None:
        cores = usable_cores()
        processes = _process_pool(stack, cores)
        compute = _ended_with(stack, ThreadPoolExecutor(cores))
        waiting = _ended_with(stack, ThreadPoolExecutor(64))
        home = _ended_with(stack, ThreadPoolExecutor(1))
        self._loop = _loop_thread(stack)
        self._pools_of: dict[Callable[..., Any], Executor] = {
            workloads.rank_functions: processes,
            workloads.pack_files: compute,
            workloads.fetch_page: waiting,
            workloads.index_words: home,
            workloads.parse_pages: processes,
            workloads.write_rows: waiting,
        }

    def submit(self, job: Job) -> Future[Any]:
        pool = self._pools_of.get(job.fn)
        if pool is None:
            return asyncio.run_coroutine_threadsafe(job.fn(*job.args), self._loop)
        return pool.submit(job.fn, *job.args)


def _loop_thread(stack: ExitStack) -> asyncio.AbstractEventLoop:
    """An asyncio loop in a thread of its own, ended by the stack."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo-loop")
    thread.start()

    async def finish() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end() -> None:
        asyncio.run_coroutine_threadsafe(finish(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    stack.callback(end)
    return loop
