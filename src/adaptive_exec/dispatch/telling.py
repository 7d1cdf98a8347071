"""What an executor says of itself: where the next call would go and why, and what has been done so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from ..backends.base import WorkerPool
from ..backends.loop import LoopBackend
from ..backends.threads import ThreadBackend
from ..model import BackendName, Decision, Load, Options, Profile
from ..observe.stats import ExecutorStats, FunctionStats
from ..routing.advice import advice
from ..routing.policy import Facts, decide
from ..routing.store import FunctionRecord, is_coroutine_function
from .hogs import MOVED_FROM, Hogs
from .living import Living
from .loops import Loops
from .router import Router

__all__ = ["Telling"]

_VARIES: Final = "calls differ by what they are given, and that is for those in which most of the work is"


class Telling:
    """Tells of one executor.

    Args:
        router: Decides.
        hogs: Knows which coroutines are moved.
        living: The calls under way.
        threads: Asked how many there are.
        processes: The same, and what each does.
        loop: Asked whether it runs.
        loops: Has one more.
    """

    def __init__(
        self,
        router: Router,
        hogs: Hogs,
        living: Living,
        threads: ThreadBackend,
        processes: WorkerPool,
        loop: LoopBackend,
        loops: Loops,
    ) -> None:
        self._router = router
        self._hogs = hogs
        self._living = living
        self._threads = threads
        self._processes = processes
        self._loop = loop
        self._loops = loops

    def explain(
        self, record: FunctionRecord | None, fn: Callable[..., Any], options: Options, *, twin: bool
    ) -> Decision:
        """Where the next call of a function would run.

        Args:
            record: What is known of it; None for nothing.
            fn: The function.
            options: What the caller asks for.
            twin: Whether it could be the function's async twin.
        """
        if record is None:
            facts = Facts(options, is_coroutine_function(fn), Profile(), Load(), self._router.machine)
            return decide(facts)
        most = record.weightiest(self._router.machine)
        facts = self._router.facts(record, options, profile=most, twin=twin)
        decision = decide(facts)
        if options.backend is not None:
            return decision
        if decision.backend == "loop" and record.hogging >= MOVED_FROM:
            return self._hogs.apart(record, decision)
        in_flight = sum(task.owner is record for task in self._living.all())
        facts = replace(facts, load=replace(facts.load, in_flight=in_flight))
        found = replace(self._router.first_here(record, decision), advice=advice(facts, decision))
        return found if most is None else replace(found, reason=f"{found.reason}; {_VARIES}")

    def stats(self, records: Iterable[FunctionRecord]) -> ExecutorStats:
        """What has been done so far, by what is known of each function."""
        functions = []
        backends: dict[BackendName, int] = {}
        for record in records:
            counts = record.counted()
            if not counts:
                continue
            for name, count in counts.items():
                backends[name] = backends.get(name, 0) + count
            facts = self._router.facts(
                record,
                Options(),
                profile=record.weightiest(self._router.machine),
                twin=record.twin is not None,
            )
            reason = decide(facts).reason
            longest_step = record.held_ns / 1e9 if record.named else 0.0
            functions.append(
                FunctionStats(record.name, counts, record.failures, record.profile(), reason, longest_step)
            )
        loops = self._loop.load().workers + self._loops.apart.load().workers
        workers: dict[BackendName, int] = {
            "thread": self._threads.load().workers,
            "process": self._processes.load().workers,
            "loop": loops,
        }
        return ExecutorStats(
            tuple(functions),
            backends,
            len(self._living),
            {name: count for name, count in workers.items() if count},
            self._processes.workers(),
            *self._processes.turnover(),
        )
