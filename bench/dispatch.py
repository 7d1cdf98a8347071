"""What it costs to hand over a task, an item or a lock, beside the part of the standard library that does it.

"round trip": submit one no-op and wait for it. "queued task": submit many at once and wait for all.
The functions are pinned to a backend, so the figures are those of the engines, with everything the library
does for every call (measuring included), and without the choice of a place.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from typing import Any, Self

from adaptive_exec import AdaptiveExecutor, Lock, Queue
from harness import HEADER, Measure, arguments, compare, print_machine, timed

Submit = Callable[[Callable[[], Any]], "Future[Any]"]

TRIPS = 200
BURST = 1000
PAIRS = 20_000


def nothing() -> None:
    """The task."""


async def nothing_async() -> None:
    """The coroutine."""


def round_trip(submit: Submit, task: Callable[[], Any] = nothing) -> Measure:
    """One task at a time."""

    def work() -> None:
        for _ in range(TRIPS):
            submit(task).result()

    return lambda: timed(work, TRIPS)


def queued(submit: Submit, task: Callable[[], Any] = nothing) -> Measure:
    """Many tasks at once."""

    def work() -> None:
        for future in [submit(task) for _ in range(BURST)]:
            future.result()

    return lambda: timed(work, BURST)


def lock_pairs(lock: Any) -> Measure:
    """Acquire and release, nobody else wants it."""

    def work() -> None:
        for _ in range(PAIRS):
            with lock:
                pass

    return lambda: timed(work, PAIRS)


def queue_items(items: Any) -> Measure:
    """One thread puts, this one gets."""

    def put() -> None:
        for number in range(BURST * 5):
            items.put(number)

    def work() -> None:
        producer = threading.Thread(target=put)
        producer.start()
        for _ in range(BURST * 5):
            items.get()
        producer.join()

    return lambda: timed(work, BURST * 5)


class StandardLoop:
    """An event loop in a thread, entered by `run_coroutine_threadsafe`."""

    def __enter__(self) -> Self:
        """Start it."""
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def submit(self, fn: Callable[[], Any]) -> Future[Any]:
        """Run a coroutine function."""
        return asyncio.run_coroutine_threadsafe(fn(), self.loop)


def process_pool(workers: int) -> Executor:
    """The standard pool with the start method that ours uses."""
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(workers, mp_context=get_context(method))


def main() -> None:
    """Run the comparisons one after the other; both sides are warm."""
    options = arguments(__doc__)
    print_machine()
    print(HEADER)

    def run(title: str, ours: Measure, theirs: Measure) -> None:
        if options.only in title:
            compare(title, ours, theirs, rounds=options.rounds)

    with (
        AdaptiveExecutor(max_processes=2) as executor,
        ThreadPoolExecutor(2) as threads,
        process_pool(2) as processes,
        StandardLoop() as loop,
    ):
        thread, process = executor.options(backend="thread"), executor.options(backend="process")
        ours_loop = executor.options(backend="loop")
        run("thread, round trip", round_trip(thread.submit), round_trip(threads.submit))
        run("thread, queued task", queued(thread.submit), queued(threads.submit))
        run("process, round trip", round_trip(process.submit), round_trip(processes.submit))
        run("process, queued task", queued(process.submit), queued(processes.submit))
        run(
            "coroutine, round trip",
            round_trip(ours_loop.submit, nothing_async),
            round_trip(loop.submit, nothing_async),
        )
        run(
            "coroutine, queued task",
            queued(ours_loop.submit, nothing_async),
            queued(loop.submit, nothing_async),
        )
    run("Lock and threading.Lock, pair", lock_pairs(Lock()), lock_pairs(threading.Lock()))
    run("Queue and queue.Queue, item", queue_items(Queue()), queue_items(queue.Queue()))


if __name__ == "__main__":
    main()
