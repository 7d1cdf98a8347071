"""Calls that submit calls of their own, for tests in which workers import them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from adaptive_exec import Lock, Queue, get_executor
from adaptive_exec.errors import WorkerDied


def pid() -> int:
    return os.getpid()


def square(number: int) -> int:
    return number * number


def fail(text: str) -> None:
    raise LookupError(text)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def append(items: list[int]) -> list[int]:
    items.append(1)
    return items


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def in_processes() -> Any:
    return get_executor().options(backend="process")


def squares(count: int) -> list[int]:
    return [future.result() for future in [in_processes().submit(square, n) for n in range(count)]]


def mapped(count: int) -> list[int]:
    return list(in_processes().map(square, range(count)))


def waited_for(count: int) -> int:
    """Wait in a way that nobody is told of."""
    done, _ = wait([in_processes().submit(square, n) for n in range(count)], timeout=60)
    return len(done)


def routed(count: int) -> list[int]:
    return [future.result() for future in [get_executor().submit(square, n) for n in range(count)]]


def deep(levels: int) -> int:
    return 0 if levels == 0 else 1 + int(in_processes().submit(deep, levels - 1).result())


def deep_mixed(levels: int) -> int:
    if levels == 0:
        return 0
    view = in_processes() if levels % 2 else get_executor().options(backend="thread")
    return 1 + int(view.submit(deep_mixed, levels - 1).result())


async def deep_awaiting(levels: int) -> int:
    return 0 if levels == 0 else 1 + int(await in_processes().submit(deep_awaiting, levels - 1))


def put_pid(pids: Queue[int], go: Lock) -> int:
    pids.put(os.getpid())
    with go:
        return os.getpid()


def pids_of(calls: int, pids: Queue[int], go: Lock) -> list[int]:
    """Submit calls that all wait for `go`."""
    return [future.result() for future in [in_processes().submit(put_pid, pids, go) for _ in range(calls)]]


def error_of(text: str) -> str:
    error = in_processes().submit(fail, text).exception()
    return f"{type(error).__name__}: {error}"


def beside(pids: Queue[int], go: Lock) -> Any:
    """A call that keeps this process's own threads busy until `go`, so that the next one can only be lent."""
    return in_processes().submit(put_pid, pids, go)


def death_beside(pids: Queue[int], told: Queue[int], go: Lock) -> str:
    """A nested call that dies in another worker costs that call alone."""
    own, other = beside(pids, go), in_processes().submit(die)
    error = other.exception(60)
    told.put(os.getpid())
    own.result(60)
    return f"{error} {isinstance(error, WorkerDied) and os.getpid() != error.pid}"


def stopped_beside(pids: Queue[int], told: Queue[int], go: Lock) -> str:
    """A nested call that takes too long in another worker is ended there."""
    own = beside(pids, go)
    error = get_executor().options(backend="process", timeout=0.3).submit(time.sleep, 60).exception(60)
    told.put(os.getpid())
    own.result(60)
    return type(error).__name__


def cancelled_beside(pids: Queue[int], told: Queue[int], go: Lock) -> tuple[bool, bool, bool]:
    """A nested call that is cancelled once it runs in another worker."""
    own, other = beside(pids, go), in_processes().submit(put_pid, pids, go)
    where = {pids.get(timeout=60), pids.get(timeout=60)}
    cancelled = other.cancel()
    told.put(os.getpid())
    own.result(60)
    return len(where) == 2, cancelled, other.cancelled()


def copies() -> tuple[list[int], list[int]]:
    """What a nested call does to its arguments stays its own."""
    items: list[int] = []
    return in_processes().submit(append, items).result(), items


def left_behind(pids: Queue[int]) -> None:
    """Submit and return."""
    in_processes().submit(put_later, pids)


def put_later(pids: Queue[int]) -> None:
    """Not before the call that submitted this has ended; nobody is left who could tell."""
    time.sleep(0.2)
    pids.put(os.getpid())


def go_on(begun: Queue[int], end: Path) -> int:
    """Be at it until a file is there."""
    begun.put(os.getpid())
    while not end.exists():
        time.sleep(0.005)
    return os.getpid()


def wait_and_go_on(go: Lock, begun: Queue[int], end: Path) -> int:
    with go:
        return go_on(begun, end)


def fork_and_wait() -> int:
    """Fork a child that waits for a lock in vain; its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 7
        try:
            lock = Lock()
            lock.acquire()
            code = int(lock.acquire(timeout=0.05))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def pool_pids(_: object = None) -> int:
    """Who is the parent of a nested call's process."""
    return int(in_processes().submit(os.getppid).result())


def compute_and_meet(number: int, begun: Queue[int], go: Queue[int]) -> int:
    """Compute for a while, then wait until all have."""
    end = time.thread_time() + 0.15
    while time.thread_time() < end:
        sum(range(1000))
    begun.put(number)
    go.get(timeout=60)
    return number


def leave_late(done: Queue[int]) -> None:
    """Submit what takes longer than anybody waits for a worker that has nothing to do."""
    in_processes().submit(put_after, done, 2.6)


def put_after(done: Queue[int], seconds: float) -> None:
    time.sleep(seconds)
    done.put(os.getpid())


def leave_waiting(items: Queue[int]) -> None:
    """Submit a call that waits for one that somebody else has to make."""
    in_processes().submit(take_one, items)


def take_one(items: Queue[int]) -> int:
    return items.get(timeout=60)


def put_one(items: Queue[int]) -> int:
    items.put(1)
    return os.getpid()
