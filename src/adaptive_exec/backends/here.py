"""Running one call in this thread: measured, or at a glance, in the context of its submitter."""

from __future__ import annotations

import asyncio
import time

from ..profiling.call import CallMeter
from ..profiling.glances import Glances
from ..profiling.sampler import get_sampler
from .base import Outcome, Task

__all__ = ["run_here", "without_this_frame"]


def run_here(task: Task) -> Outcome:
    """Run a task's call in this thread, measured, in the context of its submitter."""
    glances = task.glances
    if glances is not None and glances.allowed():
        try:
            return _run_at_a_glance(task, glances)
        finally:
            del task
    snapshot = task.snapshot
    if snapshot is not None:
        snapshot.before()
    meter = CallMeter(get_sampler() if task.measure else None)
    task.meter = meter
    meter.start(task.on_wait)
    try:
        value = task.context.run(task.fn, *task.args, **task.kwargs)
        if task.coroutine:
            value = task.context.run(asyncio.run, value)
    except BaseException as error:
        sample = meter.stop(failed=True)
        task.meter = None
        del task
        return Outcome(error=without_this_frame(error), sample=sample)
    sample = meter.stop(failed=False)
    task.meter = None
    if snapshot is not None:
        sample = snapshot.after(value, sample)
    return Outcome(value=value, sample=sample)


def _run_at_a_glance(task: Task, glances: Glances) -> Outcome:
    """The same for a call of a function that is known, of which only the wall is looked at."""
    began = time.perf_counter_ns()
    try:
        value = task.context.run(task.fn, *task.args, **task.kwargs)
    except BaseException as error:
        del task
        return Outcome(error=without_this_frame(error))
    glances.take(time.perf_counter_ns() - began)
    return Outcome(value=value)


def without_this_frame(error: BaseException) -> BaseException:
    """The error without the frame that caught it, which is none of the user's.

    The frame of the user's function leads there all the same, by `f_back`, and from there to those that have called it.
    If one of them kept the task, that led by its future back to the error, and all of it would be there until the
    garbage collector comes. So each forgets the task, and the outcome, when it ends.
    """
    trace = error.__traceback__
    return error.with_traceback(trace.tb_next if trace is not None else None)
