"""A call within a call, run from a copy of it: in the worker that made it, or in another one."""

from __future__ import annotations

import pickle
import time

from ... import pickling
from .errors import pack_error, text_of
from .wire import Kind
from .worker import run_coroutine

__all__ = ["run_copy"]


def run_copy(blob: bytes) -> bytes:
    """Run a call from its pickle; how it ended as a pickled answer, as of any worker."""
    try:
        function, args, kwargs = pickling.loads(blob)
    except BaseException as error:  # even SystemExit: it is that call's
        why = f"a worker can't read it: {type(error).__name__}: {text_of(error)}"
        return pickle.dumps((Kind.REFUSED, 0, why))
    started = time.perf_counter_ns()
    try:
        value = function(*args, **kwargs)
        if hasattr(value, "send") and hasattr(value, "cr_frame"):
            value = run_coroutine(value)
        wall = time.perf_counter_ns() - started
        return pickle.dumps((Kind.VALUE, 0, pickling.dumps(value), wall, None, None))
    except BaseException as error:
        return pickle.dumps((Kind.ERROR, 0, pack_error(error), time.perf_counter_ns() - started, None))
