"""Other processes to test with, and waiting for a state instead of for a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from adaptive_exec.primitives import home_address
from adaptive_exec.primitives.here import here
from adaptive_exec.primitives.server import HomeServer

LIMIT = 30.0


def own_server() -> HomeServer:
    """Return the server of this process."""
    home_address()
    server = here().server
    assert isinstance(server, HomeServer)
    return server


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + LIMIT
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition never came to hold"
        tick.wait(0.001)


def _serve(pipe: Connection) -> None:
    """Run what comes over the pipe until it ends."""
    while True:
        try:
            fn, args = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, fn(*args))
        except BaseException as error:
            answer = (False, error)
        pipe.send(answer)
        del fn, args, answer


class Peer:
    """A process that runs already and is sent functions by a plain pipe."""

    def __init__(self, method: str) -> None:
        context: Any = multiprocessing.get_context(method)
        self._pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def start(self, fn: Callable[..., Any], *args: Any) -> None:
        """Have it run a function; `result` gets what it returns."""
        self._pipe.send((fn, args))

    def result(self) -> Any:
        """Return or raise what the function did."""
        assert self._pipe.poll(LIMIT), "the other process did not answer"
        done, value = self._pipe.recv()
        if not done:
            raise value
        return value

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Have it run a function and return what that does."""
        self.start(fn, *args)
        return self.result()

    def kill(self) -> None:
        """End it by SIGKILL."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(LIMIT)

    def close(self) -> None:
        """Let it end, or make it."""
        self._pipe.close()
        self.process.join(2)
        if self.process.is_alive():
            self.kill()
        self.process.close()


@contextmanager
def peers(number: int, method: str = "forkserver") -> Iterator[list[Peer]]:
    """Start processes and end them."""
    started: list[Peer] = []
    try:
        while len(started) < number:
            started.append(Peer(method))
        yield started
    finally:
        for peer in started:
            peer.close()


class Background:
    """A thread whose result or error is fetched."""

    def __init__(self, fn: Callable[..., Any], *args: Any) -> None:
        self._fn, self._args = fn, args
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._fn(*self._args)
        except BaseException as error:
            self._error = error
        finally:
            del self._fn, self._args

    def result(self) -> Any:
        """Return or raise what it did."""
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "the thread did not end"
        if self._error is not None:
            raise self._error
        return self._value
