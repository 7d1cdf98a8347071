"""The worker process: reads calls, runs them one after the other, answers each, until its channel closes.

Guarantees:
    - It notes on its board which call it begins before it touches the call's pickles, so the parent knows
      which one was executing when the worker died; and it has written a call's answer before it begins the next.
    - A call that was withdrawn before that is skipped, and the parent is told so.
    - A call that it can't even read is refused, not failed: the parent may run it elsewhere.
    - Whatever a call returns or raises, something readable goes back.
    - The end of the parent closes the channel, which ends a worker that waits; one that computes is ended
      by the fork server (`platform/forkserver.py`), or at its next word to the parent.
Assumes:
    - One thread, the main one, reads the channel; whoever writes takes `_sending`.
    - The parent reads what is written, always, so that a write ends.
State of a call here: read -> begun (noted on the board) -> answered; or read -> skipped.
Races: none of its own; the parent's are in `pool.py`, the board's in `platform/boards.py`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import deque
from typing import Any, Final

from ... import pickling
from ...model import Sample
from ...platform.boards import Board
from ...platform.channels import Channel
from ...profiling.call import CallMeter
from ...profiling.sampler import get_sampler
from . import wire
from .errors import pack_error
from .wire import Entry, Kind, Measure

__all__ = ["forked", "serve"]

SPIN_SECONDS: Final = 100e-6


def forked(payload: bytes, fds: list[int]) -> None:
    """Where a child of the fork server begins: its settings, and the descriptors of its channel and its board."""
    read, write, board = fds
    memory = Board.of_file(board)
    os.close(board)
    serve(Channel(read, write), memory, pickle.loads(payload))


def serve(channel: Channel, board: Board, settings: wire.Settings) -> None:
    """The life of a worker."""
    with contextlib.suppress(OSError, EOFError):  # the parent is gone, and nobody wants anything any more
        try:
            _prepare(settings)
        except BaseException:
            channel.send_all(wire.encode(Kind.FAILED_START, traceback.format_exc()))
            return
        channel.send_all(wire.encode(Kind.READY))
        _Worker(channel, board, spins=settings.spins).run()


def _prepare(settings: wire.Settings) -> None:
    """Make this process resemble its parent, then run the user's initializer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.path != settings.path:
        sys.path[:] = settings.path
    wire.adopt(settings.around)
    if dict(os.environ) != settings.environ:
        os.environ.clear()
        os.environ.update(settings.environ)
    pickling.set_main_elsewhere()
    if settings.home is not None:
        from ...primitives import set_parent_home

        set_parent_home(settings.home)
    if settings.initializer is not None:
        function, arguments = pickling.loads(settings.initializer)
        function(*arguments)


class _Refusal(Exception):
    """A call can't be run here; the text says why."""


class _Worker:
    """Runs what comes."""

    def __init__(self, channel: Channel, board: Board, *, spins: bool) -> None:
        self._channel = channel
        self._board = board
        self._spin = SPIN_SECONDS if spins else 0.0
        self._sending = threading.Lock()
        self._functions = wire.RecentFunctions(2 * wire.REMEMBERED)
        self._messages: deque[tuple[Any, ...]] = deque()

    def run(self) -> None:
        """Until the parent says so, or is gone."""
        while True:
            message = self._next()
            if message[0] != Kind.RUN:
                return
            _, entries, around = message
            if around is not None:
                wire.adopt(around)
            for entry in entries:
                self._send(self._execute(Entry(*entry)))

    def _next(self) -> tuple[Any, ...]:
        """The next message, however long that takes; first polling for a moment, since sleep is long to end."""
        messages = self._messages
        while not messages:
            bodies = self._channel.spin(self._spin)
            if not bodies:
                self._channel.poll(None)
                bodies = self._channel.receive()
            messages.extend(map(wire.decode, bodies))
        return messages.popleft()

    def _send(self, data: bytes) -> None:
        """Tell the parent."""
        with self._sending:
            self._channel.send_all(data)

    def _execute(self, entry: Entry) -> bytes:
        """Run one call; the answer."""
        number = entry.number
        if not self._board.begin(number):
            return wire.encode(Kind.SKIPPED, number)
        try:
            function, args, kwargs = self._read(entry)
        except _Refusal as refusal:
            return wire.encode(Kind.REFUSED, number, str(refusal))
        except Exception as error:
            self._functions.forget(entry.function)
            why = f"a worker can't read it: {type(error).__name__}: {error}"
            return wire.encode(Kind.REFUSED, number, why)
        if entry.measure == Measure.WALL:
            return self._quickly(number, function, args, kwargs)
        meter = CallMeter(get_sampler() if entry.measure == Measure.SAMPLED else None, alone=True)
        meter.start()
        try:
            value = function(*args, **kwargs)
            if hasattr(value, "send") and hasattr(value, "cr_frame"):
                value = _run_coroutine(value)
        except BaseException as error:
            sample = meter.stop(failed=True)
            return _answer_error(number, error, sample.wall_ns, sample)
        return _answer(number, value, meter.stop(failed=False), len(entry.arguments))

    def _quickly(self, number: int, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """Run a call that is known to be short, and measure no more of it than that it still is."""
        started = time.perf_counter_ns()
        try:
            value = function(*args, **kwargs)
            if hasattr(value, "send") and hasattr(value, "cr_frame"):
                value = _run_coroutine(value)
        except BaseException as error:
            return _answer_error(number, error, time.perf_counter_ns() - started, None)
        wall = time.perf_counter_ns() - started
        if type(value) in wire.PLAIN:
            return wire.encode(Kind.PLAIN, number, value, wall, None)
        try:
            return wire.encode(Kind.VALUE, number, pickling.dumps(value, home=True), wall, None)
        except Exception as error:
            return _answer_error(number, error, wall, None)

    def _read(self, entry: Entry) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """The function and its arguments."""
        if entry.pickled is not None:
            self._functions.add(entry.function, pickling.loads(entry.pickled))
        if entry.function not in self._functions:
            raise _Refusal("a worker can't read its function")
        function = self._functions.use(entry.function)
        args, kwargs = pickling.loads(entry.arguments)
        if entry.environment is not None:
            difference = _difference(entry.environment)
            if difference is not None:
                raise _Refusal(difference)
        return function, args, kwargs


def _answer(number: int, value: Any, sample: Sample, arguments: int) -> bytes:
    """What goes back for a call that has returned."""
    wall = sample.wall_ns
    if type(value) in wire.PLAIN:
        size = len(value) if isinstance(value, (str, bytes)) else 8
        # Nothing is pickled on its own account.
        full = sample._replace(argument_bytes=arguments, result_bytes=size, pickle_ns=0)
        return wire.encode(Kind.PLAIN, number, value, wall, wire.pack_sample(full))
    try:
        started = time.perf_counter_ns()
        data = pickling.dumps(value, home=True)
        spent = time.perf_counter_ns() - started
    except Exception as error:
        return _answer_error(number, error, wall, sample)
    # Reading it again takes about as long as writing it did.
    full = sample._replace(argument_bytes=arguments, result_bytes=len(data), pickle_ns=2 * spent)
    return wire.encode(Kind.VALUE, number, data, wall, wire.pack_sample(full))


def _answer_error(number: int, error: BaseException, wall: int, sample: Sample | None) -> bytes:
    """What goes back for a call that has raised."""
    return wire.encode(Kind.ERROR, number, pack_error(error), wall, wire.pack_sample(sample))


def _run_coroutine(coroutine: Any) -> Any:
    """A coroutine sent to a process by force gets a loop of its own."""
    import asyncio

    return asyncio.run(coroutine)


def _difference(environment: bytes) -> str | None:
    """What a function reads of its modules' state and would find different here; None if nothing."""
    for module_name, name, theirs in pickling.loads(environment):
        ours: Any = sys.modules.get(module_name)
        try:
            for part in name.split("."):
                ours = getattr(ours, part)
        except AttributeError:
            return f"{module_name}.{name} does not exist in a worker"
        try:
            same = type(ours) is type(theirs) and bool(ours == theirs)
        except Exception:
            same = False
        if not same:
            return f"{module_name}.{name} has another value here than in a worker"
    return None
