"""The other half of bench/processes.py: a process that holds one contestant's pool and measures it when told.

Each contestant has a process of its own, so that the threads of one pool don't disturb another's, a pool that
hangs can be ended with its process, and what is measured cold is cold. No contestant is imported, nor `typing`
and the like, before it is told to: the import is timed, too. (Hence `marshal`, which is built in, for talking.)
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import subprocess
import sys
import time

import processes_work as work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TRIPS = 200
SILENCES = 30
SILENCE_SECONDS = 0.01
AGAIN = 2
REST_SECONDS = 1.0
IDLE_SECONDS = 10.0
NEVER_SECONDS = 60.0


class Contestant:
    """A pool.

    Attributes:
        submit: Submits a function without arguments.
        take: Waits for what `submit` gave, and returns the result.
    """

    submit: Callable[..., Any]
    take: Callable[[Any], Any]

    def load(self) -> None:
        """Import what it needs."""

    def open(self, workers: int) -> None:
        """Make the pool."""
        raise NotImplementedError

    def close(self) -> None:
        """End the pool."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Turn away from a pool that broke."""
        self.close()

    def send(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Submit a function with arguments."""
        return self.submit(fn, *args)

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Submit a function and wait for its result."""
        return self.take(self.send(fn, *args))

    def map(self, count: int) -> None:
        """Run so many no-ops by the pool's own `map`, one at a time."""
        raise NotImplementedError


class Ours(Contestant):
    """What all this is about."""

    def load(self) -> None:
        from adaptive_exec import AdaptiveExecutor

        self.make = AdaptiveExecutor

    def open(self, workers: int) -> None:
        self.executor = self.make(max_processes=workers)
        self.view = self.executor.options(backend="process")
        self.submit = self.view.submit
        self.take = _result

    def close(self) -> None:
        self.executor.shutdown()

    def map(self, count: int) -> None:
        for _ in self.view.map(work.nothing, range(count), chunksize=1):
            pass


class Standard(Contestant):
    """`concurrent.futures.ProcessPoolExecutor`."""

    def load(self) -> None:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        self.make = ProcessPoolExecutor
        self.context = multiprocessing.get_context(_method())

    def open(self, workers: int) -> None:
        self.executor = self.make(workers, mp_context=self.context)
        self.submit = self.executor.submit
        self.take = _result

    def close(self) -> None:
        self.executor.shutdown()

    def give_up(self) -> None:
        self.executor.shutdown(wait=False)


class Pool(Contestant):
    """`multiprocessing.Pool`."""

    def load(self) -> None:
        import multiprocessing
        import multiprocessing.pool

        self.context = multiprocessing.get_context(_method())

    def open(self, workers: int) -> None:
        self.pool = self.context.Pool(workers)
        self.submit = self.pool.apply_async
        self.take = _get

    def close(self) -> None:
        self.pool.terminate()
        self.pool.join()

    def send(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.pool.apply_async(fn, args)

    def map(self, count: int) -> None:
        self.pool.map(work.nothing, range(count), chunksize=1)


class Loky(Contestant):
    """`loky`, with its reusable executor."""

    def load(self) -> None:
        import loky

        self.make = loky.get_reusable_executor

    def open(self, workers: int) -> None:
        self.executor = self.make(max_workers=workers, timeout=None)
        self.submit = self.executor.submit
        self.take = _result

    def close(self) -> None:
        self.executor.shutdown()

    def give_up(self) -> None:
        pass  # asking for the reusable executor again replaces a broken one


class Pebble(Contestant):
    """`pebble.ProcessPool`."""

    def load(self) -> None:
        import multiprocessing

        import pebble

        self.make = pebble.ProcessPool
        self.context = multiprocessing.get_context(_method())

    def open(self, workers: int) -> None:
        self.pool = self.make(max_workers=workers, context=self.context)
        self.submit = self.pool.schedule
        self.take = _result

    def close(self) -> None:
        self.pool.close()
        self.pool.join()

    def give_up(self) -> None:
        self.pool.stop()

    def send(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.pool.schedule(fn, args=args)


class Mpire(Contestant):
    """`mpire.WorkerPool`, which keeps its workers."""

    def load(self) -> None:
        import mpire

        self.make = mpire.WorkerPool

    def open(self, workers: int) -> None:
        self.pool = self.make(n_jobs=workers, start_method=_method(), keep_alive=True)
        self.submit = self.pool.apply_async
        self.take = _get

    def close(self) -> None:
        self.pool.terminate()

    def send(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.pool.apply_async(fn, args)

    def map(self, count: int) -> None:
        self.pool.map(work.nothing, range(count), chunk_size=1)


class Pipes(Contestant):
    """Two processes and two pipes, and nothing else: the limit."""

    def __init__(self, *, polling: bool) -> None:
        self.polling = polling

    def open(self, workers: int) -> None:
        word = "polling" if self.polling else "blocking"
        self.child = subprocess.Popen(
            [sys.executable, work.__file__, word], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.child.stdin is not None and self.child.stdout is not None
        there, back = self.child.stdin.fileno(), self.child.stdout.fileno()
        os.set_blocking(back, not self.polling)
        read = work.read_polling if self.polling else work.read_blocking
        self.submit = lambda fn: os.write(there, b".")
        self.take = lambda _: read(back)

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.take(self.submit(fn))

    def close(self) -> None:
        self.child.communicate()


class BareChild(Contestant):
    """A process of multiprocessing's that waits at a connection: what a worker weighs at least."""

    def load(self) -> None:
        import multiprocessing

        self.context: Any = multiprocessing.get_context(_method())

    def open(self, workers: int) -> None:
        self.connection, theirs = self.context.Pipe()
        self.child = self.context.Process(target=work.wait_for_end, args=(theirs,), daemon=True)
        self.child.start()
        theirs.close()
        self.pid = self.connection.recv()

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.pid

    def close(self) -> None:
        self.connection.close()
        self.child.join()


def contestant(name: str) -> Contestant:
    """The contestant of that name."""
    if name.startswith("pipe"):
        return Pipes(polling=name.endswith("polling"))
    kinds: dict[str, type[Contestant]] = {
        "ours": Ours,
        "ProcessPoolExecutor": Standard,
        "multiprocessing.Pool": Pool,
        "loky": Loky,
        "pebble": Pebble,
        "mpire": Mpire,
        "bare child": BareChild,
    }
    return kinds[name]()


def _result(future: Any) -> Any:
    return future.result()


def _get(result: Any) -> Any:
    return result.get()


def _method() -> str:
    """The start method that ours is most like."""
    import multiprocessing

    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


# --- what can be measured; each returns figures --------------------------------------------------------


class Host:
    """One contestant and what is kept for it from one measurement to the next.

    Args:
        name: Whose turn it is.
    """

    def __init__(self, name: str) -> None:
        self.one = contestant(name)
        self.arrays: dict[str, Any] = {}
        self.opened = False

    def open(self, workers: int = 2) -> list[float]:
        """Make the pool and see to it that each worker is there and has worked."""
        self.one.load()
        self.one.open(workers)
        self.opened = True
        if not isinstance(self.one, Pipes | BareChild):
            self._on_every_worker(workers, work.snooze, 0.05)
        for _ in range(20):
            self.one.call(work.pid)
        return []

    def close(self) -> list[float]:
        """End the pool."""
        if self.opened:
            self.arrays.clear()
            self.one.close()
        return []

    def round_trip(self) -> list[float]:
        """Seconds for one no-op, one straight after the other."""
        submit, take, task = self.one.submit, self.one.take, work.nothing
        start = time.perf_counter()
        for _ in range(TRIPS):
            take(submit(task))
        return [(time.perf_counter() - start) / TRIPS]

    def after_silence(self) -> list[float]:
        """Seconds for one no-op while all have been asleep."""
        submit, take, task = self.one.submit, self.one.take, work.nothing
        total = 0.0
        for _ in range(SILENCES):
            time.sleep(SILENCE_SECONDS)
            start = time.perf_counter()
            take(submit(task))
            total += time.perf_counter() - start
        return [total / SILENCES]

    def queued(self, count: int) -> list[float]:
        """Seconds for one of many no-ops that were submitted at once."""
        submit, take, task = self.one.submit, self.one.take, work.nothing
        start = time.perf_counter()
        for future in [submit(task) for _ in range(count)]:
            take(future)
        return [(time.perf_counter() - start) / count]

    def mapped(self, count: int) -> list[float]:
        """Seconds for one of many no-ops in a `map`."""
        start = time.perf_counter()
        self.one.map(count)
        return [(time.perf_counter() - start) / count]

    def open_for_arrays(self) -> list[float]:
        """Make the pool, and the arrays here and in each worker."""
        import numpy

        self.open()
        self._on_every_worker(2, work.make_array)
        for name in ("base", "read-only", "writable"):
            self.arrays[name] = numpy.arange(work.ITEMS, dtype=numpy.float64)
        self.arrays["read-only"].flags.writeable = False
        return []

    def array_in(self) -> list[float]:
        """Seconds to send an array that was never sent before."""
        return [self._send_array(self.arrays["base"].copy())]

    def array_again(self, kind: str) -> list[float]:
        """Seconds to send an array that was sent before."""
        array = self.arrays[kind]
        self._send_array(array)
        return [sum(self._send_array(array) for _ in range(AGAIN)) / AGAIN]

    def array_out(self) -> list[float]:
        """Seconds to get an array."""
        start = time.perf_counter()
        array = self.one.call(work.made_array)
        seconds = time.perf_counter() - start
        if len(array) != work.ITEMS or array[-1] != work.ITEMS - 1:
            raise RuntimeError("a wrong array came back")
        return [seconds]

    def cold(self) -> list[float]:
        """Seconds from making the pool, and from before its import, to the first result."""
        begin = time.perf_counter()
        self.one.load()
        loaded = time.perf_counter()
        self.one.open(2)
        self.opened = True
        self.one.take(self.one.submit(work.nothing))
        end = time.perf_counter()
        return [end - loaded, end - begin]

    def idle(self) -> list[float]:
        """Context switches and CPU seconds of a pool that rests, and how many processes and threads it has."""
        self.open()
        time.sleep(REST_SECONDS)
        before = _activity()
        time.sleep(IDLE_SECONDS)
        after = _activity()
        switches = seconds = 0.0
        for key, (count, used) in after.items():
            old_count, old_used = before.get(key, (0, 0.0))
            switches += count - old_count
            seconds += used - old_used
        return [switches, seconds, len({process for process, _ in after}), len(after)]

    def memory(self) -> list[float]:
        """Bytes that only an idle worker has."""
        self.one.load()
        self.one.open(2)
        self.opened = True
        worker = self.one.call(work.pid)
        time.sleep(0.5)
        kilobytes = 0
        with open(f"/proc/{worker}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    kilobytes += int(line.split()[1])
        return [kilobytes * 1024.0]

    def recovery(self, busy: bool) -> list[float]:
        """Seconds from the death of the only worker to a result from another, and how many pools that took."""
        one = self.one
        self.open(1)
        worker = one.call(work.pid)
        if busy:
            one.send(work.snooze, NEVER_SECONDS)
        time.sleep(0.1)
        new_pools = 0
        start = time.perf_counter()
        os.kill(worker, signal.SIGKILL)
        while True:
            try:
                if one.call(work.pid) != worker:
                    return [time.perf_counter() - start, new_pools]
            except Exception:  # whatever a broken pool raises
                one.give_up()
                one.open(1)
                new_pools += 1

    def _on_every_worker(self, workers: int, fn: Callable[..., int], *args: Any) -> None:
        """Run a function that takes a while on each worker."""
        seen: set[int] = set()
        for _ in range(20):
            seen.update(
                [self.one.take(future) for future in [self.one.send(fn, *args) for _ in range(workers)]]
            )
            if len(seen) >= workers:
                return
        raise RuntimeError(f"only {len(seen)} of {workers} workers work")

    def _send_array(self, array: Any) -> float:
        start = time.perf_counter()
        result = self.one.call(work.three_items, array)
        seconds = time.perf_counter() - start
        if result != array[0] + array[len(array) // 2] + array[-1]:
            raise RuntimeError("a wrong array arrived")
        return seconds


def _activity() -> dict[tuple[int, int], tuple[int, float]]:
    """Context switches and CPU seconds of each thread, but for this one, of this process and those below it."""
    found: dict[tuple[int, int], tuple[int, float]] = {}
    main = os.getpid()
    for process in [main, *_descendants(main)]:
        threads = [int(name) for name in os.listdir(f"/proc/{process}/task")]
        for thread in threads:
            if thread == main:
                continue
            switches = 0
            with open(f"/proc/{process}/task/{thread}/status", encoding="utf-8") as file:
                for line in file:
                    if "voluntary_ctxt_switches:" in line:  # and "nonvoluntary_ctxt_switches:"
                        switches += int(line.split()[1])
            # Clock ids are made as in the kernel's posix-timers.h. A thread's clock can only be read from inside
            # its process, so elsewhere the process's stands with its first thread.
            if process == main:
                seconds = time.clock_gettime((~thread << 3) | 6)
            else:
                seconds = time.clock_gettime((~process << 3) | 2) if thread == process else 0.0
            found[process, thread] = switches, seconds
    return found


def _descendants(root: int) -> list[int]:
    """Processes below one, its own children first."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended
            children.setdefault(parent, []).append(int(name))
    found = list(children.get(root, []))
    for process in found:  # which grows meanwhile
        found += children.get(process, [])
    return found


def main(name: str) -> None:
    """Do what is said on stdin, and answer on what was stdout, until told to close."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what others print must not get between the answers
    orders = os.fdopen(os.dup(0), "rb", buffering=0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    host = Host(name)
    while True:
        try:
            order, args = marshal.load(orders)
        except EOFError:
            order, args = "close", []
        answer: tuple[str, list[float]]
        gc.collect()
        try:
            answer = "", getattr(host, order)(*args)
        except BaseException as error:  # told to whoever asked
            answer = f"{type(error).__name__}: {error}"[:300] or "failed", []
        try:
            answers.write(marshal.dumps(answer))
        except BrokenPipeError:
            order = "close"
        if order == "close":
            return
