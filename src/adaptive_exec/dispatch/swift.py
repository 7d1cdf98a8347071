"""The short way: calls of functions that are known, which a loop runs or which are over in no time.

For them there is nothing to be decided, measured or counted. One object is made, which is the call and its future; its
backend's queue is the only account of it.

Guarantees: a call is taken, or `send` raises and it never runs.
Assumes: whoever closes the executor closes the backends first, which then take no more (`backends/brief.py`,
    `backends/loop.py`).
Races: those of the backends' `put` against `close`.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any, Final, NoReturn

from ..backends.base import Outcome, Task
from ..backends.brief import BriefTask
from ..backends.loop import LoopTask
from ..backends.threads import ThreadBackend
from ..futures import Future
from ..routing.store import FunctionRecord, Steady
from .loops import Loops
from .nudging import Nudging

__all__ = ["Swift"]

_NO_KWARGS: Final[dict[str, Any]] = {}


class Swift:
    """Sends such calls.

    Args:
        threads: Runs those that are over in no time.
        loops: Run coroutines.
        nudging: Looks after what waits for threads.
        on_done: Takes back a call for which more has to be done than to end its future.
        refuse: Raises what says why no more calls are taken.
    """

    def __init__(
        self,
        threads: ThreadBackend,
        loops: Loops,
        nudging: Nudging,
        on_done: Callable[[Task, Outcome], None],
        refuse: Callable[[], NoReturn],
    ) -> None:
        # Made once, not for each call.
        self._put, self._help, self._attend = threads.put, threads.brief.help, threads.brief.attend
        self._put_on_loop = loops.put
        self._nudging = nudging
        self._on_done = on_done
        self._refuse = refuse

    def send(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        record: FunctionRecord,
        steady: Steady,
    ) -> Future[Any]:
        """Take a call.

        Args:
            fn: What is called.
            args: Positional arguments.
            kwargs: Keyword arguments.
            record: The function's.
            steady: What was decided for it.

        Returns:
            Its future.

        Raises:
            RuntimeError: No more calls are taken.
        """
        context = contextvars.copy_context()
        if steady.place is None:
            call = LoopTask(
                fn,
                args,
                kwargs or _NO_KWARGS,
                steady.options,
                record,
                context,
                steady.decision,
                self._on_done,
            )
            if not self._put_on_loop(call):
                self._refuse()
            record.swift.append(None)
            return call
        task = BriefTask(
            fn, args, kwargs or _NO_KWARGS, steady.options, record, context, steady.decision, self._on_done
        )
        task.glances, task.attend, task.thread = record.estimator.glances, self._attend, None
        if steady.by_anyone:
            task.helper = self._help
        if not self._put(task):
            self._refuse()
        record.swift.append(None)
        if not self._nudging.looks:
            self._nudging.look_after()
        return task
