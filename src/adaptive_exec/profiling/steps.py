"""A coroutine, measured step by step on whatever loop drives it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Final, TypeVar, final

from ..platform.rests import rest_meter
from ..sample import Sample

__all__ = ["MeasuredCoroutine"]

T_co = TypeVar("T_co", covariant=True)

_LONG_NS: Final = 50_000_000
_wall_ns = time.perf_counter_ns
_cpu_ns = time.thread_time_ns
_process_ns = time.process_time_ns


class _RunQueue:
    """A thread's wait for cores; its file is closed with the thread."""

    def __init__(self) -> None:
        self._meter = rest_meter()

    def waited_ns(self) -> int:
        """For how long the thread has been awake and had no core so far; 0 where the system does not tell."""
        rest = None if self._meter is None else self._meter.read()
        return 0 if rest is None else rest.queued_ns

    def __del__(self) -> None:
        if self._meter is not None:
            os.close(self._meter.descriptor)


class _Here(threading.local):
    """What belongs to this thread."""

    def __init__(self) -> None:
        self.run_queue = _RunQueue()


_here = _Here()


@final
class MeasuredCoroutine(Coroutine[Any, Any, T_co]):
    """Drives a coroutine and measures each step; otherwise it is the coroutine it wraps.

    Results, exceptions, `throw`, `close` and the attributes of the wrapped coroutine (`cr_frame`, `cr_await`,
    `__qualname__`, ...) pass through. One thread at a time may drive it, as with any coroutine; `step_wall_ns`
    and `sample` may be asked by any thread.

    Args:
        coro: The coroutine.

    A step holds its loop for as long as it computes. What it takes beyond that it may have blocked, or wanted the GIL
    or a core that others had: of that counts what is more than all threads of the process have computed meanwhile, and
    than the thread was kept waiting for a core by other programs, where the system tells.
    """

    __slots__ = (
        "__weakref__",
        "_begun_ns",
        "_coro",
        "_cpu_ns",
        "_ended_ns",
        "_longest_ns",
        "_others_begun_ns",
        "_queued_ns",
        "_step_begun_ns",
        "_steps",
    )

    def __init__(self, coro: Coroutine[Any, Any, T_co]) -> None:
        self._coro = coro
        self._begun_ns = 0
        self._ended_ns = 0
        self._step_begun_ns = 0
        self._cpu_ns = 0
        self._longest_ns = 0
        self._others_begun_ns = 0
        self._queued_ns = 0
        self._steps = 0

    def send(self, value: Any, /) -> Any:
        """Run one step."""
        begun = self._begin_step()
        try:
            return self._coro.send(value)
        finally:
            self._end_step(begun)

    def throw(self, typ: Any, val: BaseException | object = None, tb: TracebackType | None = None, /) -> Any:
        """Run one step that begins with an exception."""
        begun = self._begin_step()
        try:
            if val is None and tb is None:
                return self._coro.throw(typ)
            return self._coro.throw(typ, val, tb)
        finally:
            self._end_step(begun)

    def close(self) -> None:
        """Close the wrapped coroutine."""
        self._coro.close()

    def __await__(self) -> Generator[Any, Any, T_co]:
        """Await it as any coroutine: the awaiting one drives its steps."""
        # An iterator with send, throw and close is all that `await` asks for; a generator in between would
        # cost every step once more.
        return self

    def __iter__(self) -> MeasuredCoroutine[T_co]:
        """Itself: the iterator that `await` asks for."""
        return self

    def __next__(self) -> Any:
        """Run one step."""
        return self.send(None)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the wrapped coroutine's."""
        return getattr(object.__getattribute__(self, "_coro"), name)

    def __repr__(self) -> str:
        """The wrapped coroutine with a word in front."""
        return f"<measured {self._coro!r}>"

    def sample(self, failed: bool) -> Sample:
        """What was measured so far: wall from the first step to the end of the last.

        Args:
            failed: True if the coroutine raised.
        """
        return Sample(
            self._ended_ns - self._begun_ns,
            self._cpu_ns,
            steps=self._steps,
            longest_step_ns=self._longest_ns,
            failed=failed,
        )

    def step_wall_ns(self) -> int:
        """How long the step that is running now has been running; 0 between steps."""
        begun = self._step_begun_ns
        return _wall_ns() - begun if begun else 0

    def _begin_step(self) -> int:
        """Note the start of a step; returns the CPU clock."""
        self._others_begun_ns = _process_ns()
        now = _wall_ns()
        self._step_begun_ns = now
        if not self._begun_ns:
            self._begun_ns = now
            self._queued_ns = _here.run_queue.waited_ns()
        return _cpu_ns()

    def _end_step(self, cpu_begun_ns: int) -> None:
        """Add a step that has ended."""
        cpu = _cpu_ns() - cpu_begun_ns
        now = self._ended_ns = _wall_ns()
        wall = now - self._step_begun_ns
        self._step_begun_ns = 0
        self._steps += 1
        self._cpu_ns += cpu
        if wall > self._longest_ns:
            held = max(cpu, wall - (_process_ns() - self._others_begun_ns))
            if held >= _LONG_NS:
                # Since the last time that this was asked, which may be more than in this step, but never less.
                before, self._queued_ns = self._queued_ns, _here.run_queue.waited_ns()
                held = max(cpu, held - (self._queued_ns - before))
            self._longest_ns = max(self._longest_ns, held)
