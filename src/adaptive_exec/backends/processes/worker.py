"""The worker process: reads a task, runs it, answers, until its channel closes.

Guarantees:
    - It says `begun` before it touches a call's pickles and `done` after, so the parent always knows
      whether a task was executing when the worker died.
    - A call that it can't even read is refused, not failed: the parent may run it elsewhere.
    - Whatever a call returns or raises, something readable goes back.
    - The end of the parent closes the channel, which ends a worker that waits; one that computes is ended
      by the fork server (`platform/forkserver.py`), or at its next word to the parent.
Assumes:
    - One thread, the main one, reads and writes the channel.
Races: none of its own; the parent's are in `pool.py`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import time
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from ... import pickling
from ...model import Sample
from ...profiling.call import CallMeter
from ...profiling.sampler import get_sampler
from . import wire

__all__ = ["forked", "serve"]


class RemoteTraceback(Exception):
    """The text of a traceback in a worker; the `__cause__` of the error it came with."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def forked(payload: bytes, fds: list[int]) -> None:
    """Where a child of the fork server begins: its settings, and the descriptor of its channel."""
    serve(Connection(fds[0]), pickle.loads(payload))


def serve(channel: Connection, settings: wire.Settings) -> None:
    """The life of a worker."""
    try:
        _prepare(settings)
    except BaseException:
        _send(channel, wire.encode(wire.FAILED_START, traceback.format_exc()))
        return
    if not _send(channel, wire.encode(wire.READY)):
        return
    functions = wire.RecentFunctions()
    while True:
        try:
            message = wire.decode(channel.recv_bytes())
        except (EOFError, OSError):
            return
        if message[0] != wire.RUN:
            return
        answer = _execute(channel, functions, *message[1:])
        del message
        if answer is None or not _send(channel, answer):
            return


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


def _send(channel: Connection, data: bytes) -> bool:
    """Tell the parent; False if it is gone."""
    try:
        channel.send_bytes(data)
    except OSError:
        return False
    return True


def _execute(
    channel: Connection,
    functions: wire.RecentFunctions,
    task_id: int,
    digest: bytes,
    pickled: bytes | None,
    call: bytes,
    measure: bool,
    environment: bytes | None,
    surroundings: wire.Surroundings | None,
) -> bytes | None:
    """Run one call; the answer, or None if the parent is gone."""
    if not _send(channel, wire.encode(wire.BEGUN, task_id)):
        return None
    try:
        if surroundings is not None:
            wire.adopt(surroundings)
        if pickled is not None:
            functions.add(digest, pickling.loads(pickled))
        function = functions.use(digest)
        args, kwargs = pickling.loads(call)
        if environment is not None:
            difference = _difference(environment)
            if difference is not None:
                functions.forget(digest)
                return wire.encode(wire.REFUSED, task_id, difference)
    except Exception as error:
        functions.forget(digest)
        return wire.encode(wire.REFUSED, task_id, f"a worker can't read it: {type(error).__name__}: {error}")
    meter = CallMeter(get_sampler() if measure else None, alone=True)
    meter.start()
    try:
        value = function(*args, **kwargs)
        if hasattr(value, "send") and hasattr(value, "cr_frame"):
            value = _run_coroutine(value)
    except BaseException as error:
        sample = meter.stop(failed=True)
        return wire.encode(wire.DONE, task_id, False, _pack_error(error), wire.pack_sample(sample))
    sample = meter.stop(failed=False)
    try:
        started = time.perf_counter_ns()
        data = pickling.dumps(value, home=True)
        spent = time.perf_counter_ns() - started
    except Exception as error:
        return wire.encode(wire.DONE, task_id, False, _pack_error(error), wire.pack_sample(sample))
    return wire.encode(wire.DONE, task_id, True, data, _with_payload(sample, len(call), len(data), spent))


def _with_payload(sample: Sample, arguments: int, result: int, pickle_ns: int) -> tuple[Any, ...]:
    """The sample with what travelled; reading it again takes about as long as writing it did."""
    full = replace(sample, argument_bytes=arguments, result_bytes=result, pickle_ns=2 * pickle_ns)
    return wire.pack_sample(full) or ()


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


def _pack_error(error: BaseException) -> bytes:
    """An exception with its traceback's text, in a form that is known to arrive."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        data = pickling.dumps((error, text), home=True)
        pickling.loads(data)
    except Exception:
        # It can't be pickled, or can't be read again: its name and its text can.
        wrapped = RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}: {_text(error)}")
        data = pickling.dumps((wrapped, text))
    return data


def _text(error: BaseException) -> str:
    """What an exception says, even if saying it fails."""
    try:
        return str(error)
    except Exception:
        return "<no text>"


def unpack_error(data: bytes) -> BaseException:
    """In the parent: the exception again, with the worker's traceback as its cause."""
    try:
        error, text = pickling.loads(data)
    except BaseException as problem:
        return RuntimeError(f"the task failed, and its exception can't be read here: {problem}")
    if isinstance(error, BaseException):
        with contextlib.suppress(Exception):  # a class of the user's may not let itself be written to
            error.__cause__ = RemoteTraceback(text)
        return error
    return RuntimeError(str(error))
