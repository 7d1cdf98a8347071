"""A scout's world, compared before and after its call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends.base import Task
from ..routing.store import FunctionRecord

if TYPE_CHECKING:
    from ..routing.check import CallCheck

__all__ = ["ScoutCheck"]


class ScoutCheck:
    """A scout's `CallCheck`, made on the scout's thread, since it may have to pickle megabytes."""

    def __init__(self, task: Task, record: FunctionRecord) -> None:
        # Not the task, which leads here: it and its future would be there until the garbage collector comes.
        self._call = task.fn, task.args, task.kwargs
        self._record = record
        self._check: CallCheck | None = None

    @property
    def finding(self) -> str | None:
        """Why calls like this one must stay, None if nothing was seen."""
        return None if self._check is None else self._check.finding

    def before(self) -> None:
        """Note the call's world; of the modules' state only what is known to matter by now."""
        from ..routing.check import CallCheck

        verdict = self._record.verdict
        if verdict is None or verdict.allowed:
            reads = () if verdict is None else verdict.reads
            fn, args, kwargs = self._call
            self._check = CallCheck(fn, args, dict(kwargs), reads)
            self._check.before()

    def after(self, value: Any, sample: Any) -> Any:
        """Compare it, and add what the payload would be."""
        return sample if self._check is None else self._check.after(value, sample)
