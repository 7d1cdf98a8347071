"""Starting worker processes: from our own fork server where there can be one, else through multiprocessing.

A worker from the fork server starts in a millisecond or two and does not run the user's `__main__`. One
from a `multiprocessing` context (asked for by `mp_context=`, and the only way on Windows) starts as that
context starts it, and so wants the usual `if __name__ == "__main__"` guard.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from abc import ABC, abstractmethod
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, Final

from ...futures import blocking_in
from ...platform import forkserver
from ...platform.boards import SIZE, Board, anonymous_file
from ...platform.channels import Channel, two_channels
from ...platform.forks import run_in_forked_child
from ...platform.lanes import Lane, two_lanes
from . import wire, worker
from .alerts import current_filters
from .logs import current_levels
from .main_guard import UnguardedError, fork_server_refused, refuse_unguarded, worker_name

__all__ = ["CAPS", "Handle", "Launcher", "capped", "launcher_for"]

CAPS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class Handle(ABC):
    """A worker process, seen from the parent."""

    pid: int
    sentinel: Any  # something `multiprocessing.connection.wait` takes; ready once the process has ended

    @abstractmethod
    def ended(self, timeout: float) -> bool:
        """Whether it has ended, after waiting up to `timeout` seconds."""

    @property
    @abstractmethod
    def exitcode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs or if nobody knows."""

    @abstractmethod
    def terminate(self) -> None:
        """Ask it to end."""

    @abstractmethod
    def kill(self) -> None:
        """End it."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the handle holds."""


class Launcher(ABC):
    """A way to start workers.

    Attributes:
        rings: Whether its workers get the bell.
    """

    rings = False

    def prepare(self) -> None:
        """Begin with what the first worker will need, if that takes long, and wait for nothing."""
        return  # most have nothing to begin with

    @abstractmethod
    def launch(self, settings: wire.Settings, bell: int | None) -> tuple[Handle, Channel, Board, Lane | None]:
        """Start a worker; its handle, the parent's ends of its channel and of its lane, and its board.

        Args:
            settings: What it is told.
            bell: A descriptor by which it can wake the manager.
        """

    @abstractmethod
    def close(self) -> None:
        """No more workers will be started, and those there were have ended."""


def launcher_for(mp_context: BaseContext | str | None) -> Launcher:
    """The launcher for a context, given as in `multiprocessing.get_context`, or for none.

    Raises:
        RuntimeError: The main module has no guard, so workers would start workers.
    """
    if mp_context is None:
        if forkserver.available():
            return _FromForkServer()
        mp_context = "spawn"
    if isinstance(mp_context, str):
        mp_context = multiprocessing.get_context(mp_context)
    if mp_context.get_start_method() != "fork":
        refuse_unguarded()
    return _FromContext(mp_context)


class _ForkedHandle(Handle):
    """A child of the fork server."""

    def __init__(self, child: forkserver.Child) -> None:
        self._child = child
        self.pid = child.pid
        self.sentinel = child.sentinel

    def ended(self, timeout: float) -> bool:
        return self._child.poll(timeout)

    @property
    def exitcode(self) -> int | None:
        return self._child.exitcode

    def terminate(self) -> None:
        self._child.signal(signal.SIGTERM)

    def kill(self) -> None:
        self._child.signal(signal.SIGKILL)

    def close(self) -> None:
        self._child.close()


class _SharedServer:
    """The process-wide fork server: started by its first user, ended by its last."""

    def __init__(self) -> None:
        self.server = forkserver.ForkServer(f"{worker.__name__}:forked", [worker.WATCHING])
        self._lock = threading.Lock()
        self._users = 0

    def enter(self) -> None:
        """One more user."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """One fewer; the last one ends the server."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self.server.close()

    def forget(self) -> None:
        """In a forked copy of the process nobody uses it."""
        self._lock = threading.Lock()
        self._users = 0


_shared: _SharedServer | None = None
_shared_lock = threading.Lock()


def _shared_server() -> _SharedServer:
    """Make the process-wide fork server's handle; nothing is started yet."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = _SharedServer()
            run_in_forked_child(_shared.forget)
        return _shared


class _FromForkServer(Launcher):
    """Forks workers from the process-wide fork server."""

    rings = True

    def __init__(self) -> None:
        self._shared = _shared_server()
        self._shared.enter()

    def prepare(self) -> None:
        with contextlib.suppress(OSError):  # `launch` will say so
            self._shared.server.start()

    def launch(self, settings: wire.Settings, bell: int | None) -> tuple[Handle, Channel, Board, Lane | None]:
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            board = anonymous_file(SIZE)
            theirs.callback(os.close, board)
            channel, ends = two_channels()
            ours.callback(channel.close)
            for fd in ends:
                theirs.callback(os.close, fd)
            lane, end = two_lanes()
            ours.callback(lane.close)
            theirs.callback(os.close, end)
            shared = Board.of_file(board)
            fds = [*ends, board, end] if bell is None else [*ends, board, end, bell]
            child = self._shared.server.fork(pickle.dumps(settings), fds)
            ours.pop_all()
        return _ForkedHandle(child), channel, shared, lane

    def close(self) -> None:
        self._shared.leave()


class _ContextHandle(Handle):
    """A process of multiprocessing's."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        assert process.pid is not None
        self._process = process
        self.pid = process.pid
        self.sentinel = process.sentinel

    def ended(self, timeout: float) -> bool:
        self._process.join(timeout)
        return not self._process.is_alive()

    @property
    def exitcode(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        with contextlib.suppress(ValueError):  # it has been buried
            self._process.terminate()

    def kill(self) -> None:
        with contextlib.suppress(ValueError):
            self._process.kill()

    def close(self) -> None:
        with contextlib.suppress(ValueError):
            self._process.close()


class _FromContext(Launcher):
    """Starts workers as a multiprocessing context does."""

    def __init__(self, context: BaseContext) -> None:
        self._context = context

    def launch(self, settings: wire.Settings, bell: int | None) -> tuple[Handle, Channel, Board, Lane | None]:
        ends = [*self._context.Pipe(duplex=False), *self._context.Pipe(duplex=False)]
        try:
            memory: Any = self._context.RawArray("B", SIZE)
            # Daemonic, so that multiprocessing itself ends it at exit should ours fail to.
            process: Any = self._context.Process(  # type: ignore[attr-defined]
                target=_started,
                args=(ends[2], ends[1], memory, settings),
                name=settings.name,
                daemon=True,
            )
            try:
                process.start()
            except (ConnectionError, EOFError):
                if self._context.get_start_method() == "forkserver" and fork_server_refused():
                    raise UnguardedError from None
                raise
            ours = Channel(os.dup(ends[0].fileno()), os.dup(ends[3].fileno()))
        finally:
            for end in ends:
                end.close()
        return _ContextHandle(process), ours, Board(memory), None

    def close(self) -> None:
        pass


def _started(read: Connection, write: Connection, memory: Any, settings: wire.Settings) -> None:
    """Where a process of multiprocessing's begins: it may have children of its own, daemonic or not."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    blocking_in(None)  # a context that forks copies the manager's thread, which must not wait for futures
    threading.Thread(target=_follow_parent, name="adaptive-exec-parent", daemon=True).start()
    channel = Channel(os.dup(read.fileno()), os.dup(write.fileno()))
    read.close()
    write.close()
    worker.serve(channel, Board(memory), None, None, settings)


def _follow_parent() -> None:
    """End this process when its parent has ended: no fork server of ours does it for this one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def current_settings(
    number: int,
    home: bytes | None,
    initializer: bytes | None,
    *,
    spins: bool,
    threads: int = 1,
    max_tasks: int | None = None,
    max_growth: int | None = None,
    desk: int | None = None,
) -> wire.Settings:
    """This process as a new worker should resemble it, with `threads` of them for each of its libraries."""
    return wire.Settings(
        worker_name(number),
        [entry for entry in sys.path if isinstance(entry, str)],
        wire.surroundings(),
        capped(dict(os.environ), threads),
        home,
        initializer,
        spins,
        tuple(current_levels()),
        current_filters(),
        max_tasks,
        max_growth,
        desk,
        bytes(multiprocessing.current_process().authkey),
    )


def capped(environ: dict[str, str], threads: int) -> dict[str, str]:
    """An environment in which libraries that compute on threads of their own start so many, or what the user set.

    Each worker has its share of the cores. Libraries that know nothing of the other workers would start a thread
    for each core in each of them. They read this once, when they are loaded.
    """
    return dict.fromkeys(CAPS, str(threads)) | environ
