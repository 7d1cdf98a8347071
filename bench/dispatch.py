"""What it costs to hand over a task, an item or a lock, beside the part of the standard library that does it.

"round trip": submit one no-op and wait for it. "queued task": submit many at once and wait for all. "await": a sync
no-op from a coroutine, and "rested" the same after a moment in which nothing happens. There functions are pinned to a
backend, so the figures are those of the engines, with everything the library does for every call (measuring
included), and without the choice of a place.

"map": with nothing said, next to the standard pools' `map` with whichever chunk size is best, found out beforehand.
"memory": what is allocated, by `tracemalloc`; of coroutines that all wait at once, next to plain asyncio tasks.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from typing import Any, Self

from adaptive_exec import AdaptiveExecutor, Lock, Queue
from adaptive_exec import Future as OurFuture
from harness import HEADER, Measure, arguments, compare, print_machine, timed

try:
    from anyio import to_thread
except ImportError:
    to_thread = None  # type: ignore[assignment]

Submit = Callable[[Callable[[], Any]], "Future[Any]"]

TRIPS = 200
BURST = 1000
PAIRS = 20_000
REST = 0.05
COROUTINES = 10_000


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


def awaited(call: Callable[[], Awaitable[Any]], rest: float = 0.0) -> Measure:
    """A sync no-op from a coroutine, one after the other, after so many seconds in which nothing happens."""

    async def work() -> float:
        for _ in range(TRIPS // 4):
            await call()
        started = time.perf_counter()
        for _ in range(TRIPS):
            await call()
        return (time.perf_counter() - started) / TRIPS

    def rested() -> float:
        time.sleep(rest)
        return asyncio.run(work())

    return rested


def same(x: int) -> int:
    """An item that costs next to nothing."""
    return x


def adds(steps: int) -> int:
    """Compute, some 22 ns a step."""
    total = 0
    for step in range(steps):
        total += step
    return total


HEAVY_TAILED = [200_000 if n % 61 == 7 else 300 for n in range(600)]
MAPS: dict[str, tuple[Callable[[int], int], Sequence[int]]] = {
    "0.1 µs": (same, range(20_000)),
    "10 µs": (adds, [450] * 8_000),
    "1 ms": (adds, [45_000] * 200),
    "10 ms": (adds, [450_000] * 30),
    "heavy-tailed": (adds, HEAVY_TAILED),
}


def mapped(map_: Callable[..., Any], fn: Callable[[int], int], items: Sequence[int], **how: Any) -> Measure:
    """All items."""

    def work() -> None:
        assert len(list(map_(fn, items, **how))) == len(items)

    return lambda: timed(work, len(items))


def best_map(pools: Sequence[Any], fn: Callable[[int], int], items: Sequence[int]) -> Measure:
    """The fastest of the standard pools' maps, by the best of two tries of each."""
    sizes = sorted({1, *(max(1, len(items) // parts) for parts in (2, 4, 8, 32, 128))})
    if len(items) > 2_000:
        sizes.remove(1)  # a hundred times as long
    ways = [mapped(pool.map, fn, items, chunksize=size) for pool in pools for size in sizes]
    return min(ways, key=lambda way: min(way(), way()))


def allocated(make: Callable[[], object]) -> float:
    """Bytes that something takes for as long as it is held."""
    tracemalloc.start()
    try:
        held = make()
        size, _ = tracemalloc.get_traced_memory()
        del held
        return float(size)
    finally:
        tracemalloc.stop()


def futures_of(kind: Callable[[], object]) -> Measure:
    """Bytes of a future that nobody has asked for anything."""
    return lambda: allocated(lambda: [kind() for _ in range(BURST)]) / BURST


def waiting_at_once(submit: Callable[[Callable[[], Any]], Any]) -> Measure:
    """Bytes of a coroutine that waits, of many."""

    async def work() -> float:
        gate = asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        tracemalloc.start()
        try:
            futures = [submit(wait) for _ in range(COROUTINES)]
            await asyncio.sleep(0.2)
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        gate.set()
        for future in futures:
            await future
        return size / COROUTINES

    return lambda: asyncio.run(work())


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

    def run(title: str, ours: Measure, theirs: Measure, goal: float | None = None) -> None:
        if options.only in title:
            named = title if goal is None else f"{title} (≤ {goal:.2f})"
            show: Any = {"show": lambda size: f"{size:,.0f} B"} if title.startswith("memory") else {}
            compare(named, ours, theirs, rounds=options.rounds, **show)

    with (
        AdaptiveExecutor(max_processes=2) as executor,
        ThreadPoolExecutor(2) as threads,
        StandardLoop() as loop,
    ):
        thread = executor.options(backend="thread")
        ours_loop = executor.options(backend="loop")
        run("thread, queued task", queued(thread.submit), queued(threads.submit), 0.40)
        run("thread, round trip", round_trip(thread.submit), round_trip(threads.submit), 0.40)
        run(
            "coroutine, queued task",
            queued(ours_loop.submit, nothing_async),
            queued(loop.submit, nothing_async),
            0.35,
        )
        run(
            "coroutine, round trip",
            round_trip(ours_loop.submit, nothing_async),
            round_trip(loop.submit, nothing_async),
        )
        # On which core the kernel wakes a thread is most of what this takes, and it may be another one after a rest.
        for title, rest in (("await", 0.0), ("await, rested", REST)):
            run(
                f"{title}, asyncio.to_thread",
                awaited(lambda: thread.submit(nothing), rest),
                awaited(lambda: asyncio.to_thread(nothing), rest),
                0.60,
            )
            if to_thread is not None:
                run(
                    f"{title}, anyio.to_thread",
                    awaited(lambda: thread.submit(nothing), rest),
                    awaited(lambda: to_thread.run_sync(nothing), rest),
                    1.0,
                )
        if "memory" in options.only or not options.only:
            run("memory of a future", futures_of(OurFuture), futures_of(Future), 0.60)
            run(
                "memory of a waiting coroutine",
                waiting_at_once(executor.submit),
                waiting_at_once(lambda fn: asyncio.ensure_future(fn())),
                1.30,
            )
    if "map" in options.only or not options.only:
        with (
            AdaptiveExecutor(max_processes=2) as executor,
            process_pool(2) as processes,
            get_context("spawn").Pool(2) as pool,
        ):
            for name, (fn, items) in MAPS.items():
                run(
                    f"map, {name}",
                    mapped(executor.map, fn, items),
                    best_map([processes, pool], fn, items),
                    1.1,
                )
    run("Lock and threading.Lock, pair", lock_pairs(Lock()), lock_pairs(threading.Lock()))
    run("Queue and queue.Queue, item", queue_items(Queue()), queue_items(queue.Queue()))


if __name__ == "__main__":
    main()
