"""What is learned of a function from a call of it that has ended."""

from __future__ import annotations

from ..backends.base import Outcome, Task
from ..profiling.shapes import MATTERS_NS
from ..routing.store import FunctionRecord
from ..sample import Sample
from .hogs import Hogs
from .living import Living
from .router import Router
from .shares import per_call

__all__ = ["Learning"]


class Learning:
    """Takes calls' figures.

    Args:
        router: Told what speaks against leaving the process.
        hogs: Told for how long coroutines hold their loop.
        living: Asked what else is under way.
    """

    def __init__(self, router: Router, hogs: Hogs, living: Living) -> None:
        self._router = router
        self._hogs = hogs
        self._living = living

    def learn(self, task: Task, record: FunctionRecord, outcome: Outcome) -> None:
        """Take a call's figures, and what was seen of its effects."""
        # What speaks against leaving is noted before the figures that may settle the function.
        if task.snapshot is not None and task.snapshot.finding is not None:
            self._router.stay(record, task.snapshot.finding)
        sample = outcome.sample
        if sample is None:
            return
        if sample.steps:
            self._hogs.note(record, sample.longest_step_ns)
        estimator = record.twin if task.as_twin and record.twin is not None else record.estimator
        if task.items != 1:
            estimator.glances.alike(task.items - 1)
            record.took_together(task.items, sample.cpu_ns)
        estimator.add(per_call(sample, task.items))
        if task.company is not None and self._says_what_threads_gain(task, sample):
            estimator.note_gain(sample, task.company, self._router.machine.cores)
        if task.shape is not None:
            task.shape.add(sample)
        elif sample.cpu_ns >= MATTERS_NS and record.shapes is None and not (task.items != 1 or task.as_twin):
            record.learned(task.args, task.kwargs)

    def _says_what_threads_gain(self, task: Task, sample: Sample) -> bool:
        """Whether a call was one of several on threads, all of one function and alike, with nothing else to do."""
        return (
            sample.cpu_ns >= MATTERS_NS
            and not (sample.failed or task.scout or task.as_twin or task.items != 1 or task.shape is not None)
            and self._living.are_all(task.owner, "thread")
        )
