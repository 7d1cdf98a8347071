"""How a call in a worker can end: with a result, with an error, with the worker."""

from __future__ import annotations

import signal
from typing import Any

from ... import pickling
from ...errors import WorkerDied
from ..base import Outcome, Refused, Task
from . import wire
from .buffers import load
from .errors import text_of, unpack_error
from .plain import Place
from .wire import Kind

__all__ = ["death_of", "describe_exit", "outcome_of"]


def outcome_of(message: tuple[Any, ...], task: Task | None = None) -> Outcome:
    """What a worker's answer to a call says; `task` is the call.

    Raises:
        LookupError: It says that the call has returned an argument that there is not.
    """
    kind = message[0]
    if kind == Kind.PLAIN:
        _, _, value, _, fields = message
        return Outcome(value, None, None if fields is None else wire.unpack_sample(fields))
    if kind == Kind.GIVEN:
        return Outcome(_argument(task, message[2]), None, wire.unpack_sample(message[4]))
    if kind == Kind.REFUSED:
        return Outcome(error=Refused(message[2]))
    data, sample = message[2], wire.unpack_sample(message[4])
    if kind == Kind.ERROR:
        return Outcome(error=unpack_error(data), sample=sample)
    arrived = message[5]
    try:
        if isinstance(arrived, Exception):
            raise arrived
        value = pickling.loads(data) if arrived is None else load(data, arrived)
        return Outcome(value, None, sample)
    except BaseException as error:  # even SystemExit: it is that call's, not this thread's
        problem = RuntimeError(
            f"the task returned, but its result can't be read here: {type(error).__name__}: {text_of(error)}"
        )
        problem.__cause__ = error
        return Outcome(error=problem, sample=sample)


def _argument(task: Task | None, place: Any) -> Any:
    """The argument that a call has returned; what its function travelled with may stand before it."""
    if task is None or not isinstance(place, Place):
        raise LookupError("no such argument")
    if isinstance(place, str):
        return task.kwargs[place]
    number = place - task.wire.before
    if number < 0:
        raise LookupError("no such argument")
    return task.args[number]


def describe_exit(code: int | None) -> str:
    """An exit code in words."""
    if code is None:
        return "exit code unknown"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def death_of(pid: int, code: int | None, begun: bool, name: str) -> WorkerDied:
    """The error of the task that a dying worker was executing, or that it never got to after several tries."""
    what = f"while it executed {name}; only this task is lost"
    if not begun:
        what = f"before it began {name}, as others did before it"
    return WorkerDied(f"worker process {pid} died ({describe_exit(code)}) {what}", pid, code, name)
