"""`ExecutorStats`: what an executor has done so far, frozen at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model import BackendName, Profile, WorkerStats

__all__ = ["ExecutorStats", "FunctionStats", "WorkerStats"]


@dataclass(frozen=True, slots=True)
class FunctionStats:
    """One function's share.

    Attributes:
        name: Its qualified name.
        calls: Calls sent to each backend.
        failures: Calls that raised, or whose worker died.
        profile: What was measured.
        reason: Why the next call would go where it would go.
        hogged: Seconds for which a step of a coroutine function has held its event loop at most, if it is one
            that holds up others; 0 for all that aren't.
    """

    name: str
    calls: Mapping[BackendName, int]
    failures: int
    profile: Profile
    reason: str
    hogged: float = 0.0


@dataclass(frozen=True, slots=True)
class ExecutorStats:
    """What an executor has done; `str()` of it is a table.

    Attributes:
        functions: One entry a function, in order of first submission.
        backends: Calls sent to each backend that ran something.
        pending: Calls accepted and not ended.
        workers: Threads, processes and loops that exist now.
        processes: One entry a worker process.
        died: Worker processes that have died, other than by our hand.
        recycled: Worker processes that were replaced after so many calls, or because their memory had grown.
    """

    functions: tuple[FunctionStats, ...]
    backends: Mapping[BackendName, int]
    pending: int
    workers: Mapping[BackendName, int]
    processes: tuple[WorkerStats, ...] = ()
    died: int = 0
    recycled: int = 0

    def __str__(self) -> str:
        rows = [("function", "calls", "failed", "ms/call", "CPU %", "GIL %", "where", "why")]
        for function in self.functions:
            profile = function.profile
            where = ", ".join(f"{name} {count}" for name, count in sorted(function.calls.items()))
            measured = profile.calls > 0
            rows.append(
                (
                    function.name,
                    str(sum(function.calls.values())),
                    str(function.failures),
                    f"{profile.wall * 1e3:.3g}" if measured else "-",
                    f"{profile.cpu_ratio * 100:.0f}" if measured else "-",
                    "-" if profile.gil_ratio is None else f"{profile.gil_ratio * 100:.0f}",
                    where or "-",
                    function.reason,
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
        lines = [
            "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
            for row in rows
        ]
        total = (
            ", ".join(f"{name}: {count}" for name, count in sorted(self.backends.items()))
            or "nothing ran yet"
        )
        lines.append(f"calls by backend: {total}; pending: {self.pending}")
        hogs = [f"{each.name}, for up to {each.hogged:.3g} s" for each in self.functions if each.hogged]
        if hogs:
            lines.append(f"held their event loop in one step: {'; '.join(hogs)}")
        if self.processes or self.died or self.recycled:
            each = [_in_words(worker) for worker in self.processes] or ["none"]
            lines.append(f"processes: {', '.join(each)}; died: {self.died}; recycled: {self.recycled}")
        return "\n".join(lines)


def _in_words(worker: WorkerStats) -> str:
    """A worker in a few words."""
    doing: str = worker.state
    if worker.task is not None:
        doing = f"runs {worker.task} for {worker.seconds:.3g} s"
    return f"{worker.pid} {doing} ({worker.calls} calls)"
