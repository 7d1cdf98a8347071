"""The way to a worker: calls arrive once and in order, whoever writes them, however full the channel is."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.base import Task
from adaptive_exec.backends.processes import wire
from adaptive_exec.backends.processes.buffers import Buffers
from adaptive_exec.backends.processes.call import Call, Functions
from adaptive_exec.backends.processes.crew import Crew
from adaptive_exec.backends.processes.pool import ProcessBackend, _helps_after
from adaptive_exec.backends.processes.remote_worker import RemoteWorker
from adaptive_exec.backends.processes.shelf import Shelf
from adaptive_exec.backends.processes.wire import Entry, Kind
from adaptive_exec.errors import WorkerDied
from adaptive_exec.platform.boards import SIZE, SLOTS, Board
from adaptive_exec.platform.channels import Channel, two_channels
from tests import work
from tests.backends.support import Handed, Nobody, wind_up

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="gates are named pipes; stops are signals")

LARGE = 50_000_000


class Gate:
    """A place where calls in workers wait until the test lets them go on: two named pipes."""

    def __init__(self, folder: Path, name: str = "gate") -> None:
        self.path = str(folder / name)
        for end in (".in", ".out"):
            os.mkfifo(self.path + end)
        self._arrivals = os.open(self.path + ".in", os.O_RDWR)
        self._permits = os.open(self.path + ".out", os.O_RDWR)

    def wait(self, timeout: float = 20.0) -> int:
        """The pid of the worker whose call has arrived."""
        poller = select.poll()
        poller.register(self._arrivals, select.POLLIN)
        assert poller.poll(timeout * 1000), "nobody came to the gate"
        return int(os.read(self._arrivals, 8))

    def open(self, count: int = 1) -> None:
        """Let so many go on."""
        os.write(self._permits, b"g" * count)

    def close(self) -> None:
        os.close(self._arrivals)
        os.close(self._permits)


def pass_gate(path: str | None, value: Any = None) -> Any:
    """In a worker: wait at a gate, if there is one; the value, or the worker's pid."""
    if path is not None:
        with open(path + ".in", "wb", buffering=0) as file:
            file.write(b"%8d" % os.getpid())
        with open(path + ".out", "rb", buffering=0) as file:
            file.read(1)
    return os.getpid() if value is None else value


def open_the_play(path: str, value: Any) -> Any:
    """In a worker: as `pass_gate`, under a name of its own, so that its time isn't taken for the other's."""
    return pass_gate(path, value)


def leave_a_mark(path: str) -> int:
    """In a worker: tell by a file how often it was called."""
    with open(path, "a", encoding="utf-8") as file:
        file.write("x")
    return 8


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """One gate."""
    made = Gate(tmp_path)
    yield made
    made.close()


Make = Callable[..., ProcessBackend]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 2, *args: Any, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, *args, **kwargs)
            stack.callback(wind_up, pool)
            return pool

        yield made


class Bench:
    """A worker seen from its parent, and in its place the test."""

    def __init__(self) -> None:
        ours, (read, write) = two_channels()
        self.there = Channel(read, write)
        self._shelf = Shelf(enabled=False)
        self.worker = RemoteWorker(Nobody(), ours, Board(bytearray(SIZE)), Buffers(None, self._shelf))
        self._functions = Functions()
        self._handed = Handed()

    def task(self, *args: Any, fn: Callable[..., Any] = work.double) -> Task:
        made = self._handed.task(fn, *args)
        made.wire = Call(made, self._functions, self._shelf)
        return made

    def give(self, *args: Any, fn: Callable[..., Any] = work.double) -> Task:
        made = self.task(*args, fn=fn)
        self.worker.assign(made)
        return made

    def arrived(self, count: int) -> list[Entry]:
        """So many calls, in the order in which they arrived."""
        entries: list[Entry] = []
        while len(entries) < count:
            assert self.there.poll(20)
            for body in self.there.receive():
                message = wire.decode(body)
                assert Kind.RUN == message[0]
                entries += [Entry(*fields) for fields in message[1]]
        assert len(entries) == count
        return entries

    def close(self) -> None:
        self.worker.channel.close()
        self.there.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A worker without a process."""
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[Bench]:
    """Another worker without a process."""
    made = Bench()
    yield made
    made.close()


def test_two_writers(bench: Bench) -> None:
    """One thread is in the middle of writing when another has a call: it leaves it to the first, or follows it."""
    bench.give(1)
    inside, go_on = threading.Event(), threading.Event()
    original = bench.worker.channel.send

    def slow_send(data: bytes) -> memoryview | None:
        inside.set()
        assert go_on.wait(20)
        return original(data)

    bench.worker.channel.send = slow_send  # type: ignore[method-assign]
    first = threading.Thread(target=bench.worker.write)
    first.start()
    assert inside.wait(20)
    bench.give(2)
    second = threading.Thread(target=bench.worker.write)
    second.start()
    go_on.set()
    first.join(20)
    second.join(20)

    assert [1, 2] == [entry.number for entry in bench.arrived(2)]
    assert not bench.worker.outbox


def test_many_writers(bench: Bench) -> None:
    """Each of two thousand calls arrives once and in order, with its function only the first time."""
    lock = threading.Lock()

    def write() -> None:
        for _ in range(500):
            with lock:
                bench.give(0)
            bench.worker.write()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    entries = bench.arrived(2000)
    for thread in threads:
        thread.join(20)

    assert list(range(1, 2001)) == [entry.number for entry in entries]
    assert [True] + [False] * 1999 == [entry.pickled is not None for entry in entries]


def test_calls_behind_a_large_one(bench: Bench) -> None:
    """What comes while a thread is still at a large call follows it, and nobody waits."""
    bench.give(bytes(LARGE))
    bench.worker.write()
    for n in range(5):
        bench.give(n)
        bench.worker.write()

    entries = bench.arrived(6)
    assert list(range(1, 7)) == [entry.number for entry in entries]
    assert len(entries[0].arguments) > LARGE


def test_stop_behind_a_large_call(bench: Bench) -> None:
    """The worker is told to end after what it is still being sent, not in the middle of it."""
    task = bench.give(bytes(5_000_000))
    bench.worker.write()
    assert bench.worker.withdraw(task.wire.number)
    bench.worker.stop()

    kinds: list[int] = []
    while len(kinds) < 2:
        assert bench.there.poll(5), f"only {kinds} came"
        kinds += [wire.decode(body)[0] for body in bench.there.receive()]
    assert [Kind.RUN, Kind.STOP] == kinds


def test_function_in_a_withdrawn_call(bench: Bench) -> None:
    """A function travels once, with the first call, also if that is withdrawn: the worker keeps it then."""
    first = bench.give(1)
    bench.worker.write()
    assert bench.worker.withdraw(first.wire.number)
    bench.give(2)
    bench.worker.write()

    entries = bench.arrived(2)
    begun = [entry for entry in entries if bench.worker.board.begin(entry.number)]
    assert [2] == [entry.number for entry in begun]
    assert [True, False] == [entry.pickled is not None for entry in entries]


def test_withdrawn_calls_stay_withdrawn(bench: Bench, other: Bench) -> None:
    """However many calls follow, one that was taken back is not opened again before the worker has passed it."""
    crew = Crew(2, lambda: None, Shelf(enabled=False))
    slow, quick = bench.worker, other.worker
    for worker in (slow, quick):
        worker.ready = True
        crew.workers.add(worker)
    withdrawn: list[int] = []
    for _ in range(10):  # the slow worker does not even come to pass what the quick one takes from it
        for _ in range(SLOTS // 2):
            task = bench.task(0)
            task.wire.function.seconds = 1e-7
            crew.queue[task] = None
        crew.refill(slow)
        before = set(slow.assigned)
        for _ in range(10):
            crew.refill(quick)
            quick.assigned.clear()  # it has dealt with them
        withdrawn += before - set(slow.assigned)
        crew.queue.clear()
    for _ in range(SLOTS // 2):
        task = bench.task(0)
        task.wire.function.seconds = 1e-7
        crew.queue[task] = None
    crew.refill(slow)

    begun = [number for number in withdrawn if slow.board.begin(number)]
    assert len(withdrawn) > 100
    assert [] == begun, "calls that the quick worker has dealt with would be executed once more"


def test_an_idle_worker_that_gets_a_long_call_is_idle_no_more(bench: Bench) -> None:
    """Though the next one did not fit behind it."""
    crew = Crew(1, lambda: None, Shelf(enabled=False))
    worker = bench.worker
    worker.ready = True
    crew.workers.add(worker)
    crew.idle.append(worker)
    for _ in range(3):
        crew.queue[bench.task(0)] = None  # nobody knows how long these take

    crew.refill(worker)

    assert (1, 2) == (len(worker.assigned), len(crew.queue))
    assert [] == crew.idle


def test_calls_that_were_cancelled_take_nobodys_place(bench: Bench) -> None:
    """However many there are before it in the queue, the next one is begun."""
    crew = Crew(1, lambda: None, Shelf(enabled=False))
    worker = bench.worker
    worker.ready = True
    crew.workers.add(worker)
    for _ in range(2 * SLOTS):
        task = bench.task(0)
        task.future.cancel()
        crew.queue[task] = None
    last = bench.task(0)
    crew.queue[last] = None

    dropped = crew.refill(worker)

    assert 2 * SLOTS == len(dropped)
    assert [last] == list(worker.assigned.values())


def test_written_to_a_dead_worker(bench: Bench) -> None:
    """Nobody is told off: whoever buries the worker finds the call."""
    bench.there.close()
    bench.give(1)
    bench.worker.write()

    assert [1] == list(bench.worker.assigned)


# --- with real workers --------------------------------------------------------------------------------


def warm(pool: ProcessBackend, handed: Handed, gate: Gate, count: int) -> list[int]:
    """Have so many workers ready and idle; their pids."""
    tasks = [handed.task(pass_gate, gate.path) for _ in range(count)]
    for task in tasks:
        pool.submit(task)
    pids = [gate.wait() for _ in tasks]
    gate.open(count)
    assert sorted(pids) == sorted(task.future.result(20) for task in tasks)
    handed.wait(count)
    return pids


def test_full_channel(make: Make, gate: Gate) -> None:
    """A worker that does not read holds up neither the submitter nor other workers; it gets its call when it reads."""
    handed, pool = Handed(), make(2)
    stopped, _ = warm(pool, handed, gate, 2)
    pool._crew.idle.sort(key=lambda worker: worker.handle.pid == stopped)  # the last one is taken first
    os.kill(stopped, signal.SIGSTOP)
    try:
        large = handed.task(len, bytes(LARGE))
        submitted = threading.Event()

        def submit() -> None:
            pool.submit(large)
            submitted.set()

        threading.Thread(target=submit).start()
        assert submitted.wait(5), "submit waits for the worker"
        others = [handed.task(pass_gate, None, n) for n in range(20)]
        for task in others:
            pool.submit(task)
        assert list(range(20)) == [task.future.result(10) for task in others]
        assert not large.future.done()
    finally:
        go_on(stopped)

    assert LARGE == large.future.result(20)
    after = handed.task(pass_gate, gate.path)
    pool.submit(after)
    assert gate.wait() in pool.pids()
    gate.open()
    assert after.future.result(20) in pool.pids()


def go_on(stopped: int) -> None:
    """Let a process go on that was stopped, if nobody has ended it meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)


def test_cancel_on_a_full_channel(make: Make, gate: Gate) -> None:
    """A large call to a worker that does not read is given up at once; the pool serves on and ends in time."""
    handed, pool = Handed(), make(1)
    (stopped,) = warm(pool, handed, gate, 1)
    os.kill(stopped, signal.SIGSTOP)
    try:
        large = handed.task(len, bytes(LARGE))
        pool.submit(large)
        pool.cancel(large)
        handed.wait(2, timeout=5)
    finally:
        go_on(stopped)
    after = handed.task(work.double, 4)
    pool.submit(after)

    assert 8 == after.future.result(20)
    assert [large] == [task for task, outcome in handed.outcomes if outcome.error is not None]


def test_cancel_of_a_call_that_is_read(make: Make, gate: Gate) -> None:
    """A worker that is stopped in the middle of its call, with a large one on the way, is ended all the same."""
    handed, pool = Handed(), make(1)
    (pid,) = warm(pool, handed, gate, 1)
    running = handed.task(pass_gate, gate.path)
    pool.submit(running)
    assert pid == gate.wait()
    os.kill(pid, signal.SIGSTOP)
    large = handed.task(len, bytes(LARGE))
    pool.submit(large)
    pool.cancel(running)

    assert LARGE == large.future.result(20)
    error = running.future.exception(20)
    assert isinstance(error, WorkerDied)
    assert error.exitcode in (-signal.SIGTERM, -signal.SIGKILL)


def test_shutdown_after_a_cancelled_large_call(
    make: Make, gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    """The worker that still has to read it ends by itself and in order."""
    handed, pool = Handed(), make(1)
    (stopped,) = warm(pool, handed, gate, 1)
    (worker,) = pool._crew.workers
    told = threading.Event()
    original = RemoteWorker.stop

    def stop(self: RemoteWorker) -> None:
        original(self)
        told.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RemoteWorker, "stop", stop)
        os.kill(stopped, signal.SIGSTOP)
        try:
            large = handed.task(len, bytes(LARGE))
            pool.submit(large)
            pool.cancel(large)
            handed.wait(2)
            pool.shutdown(wait=False)
            assert told.wait(5)
        finally:
            go_on(stopped)
        pool.shutdown(wait=True)

    assert (0, "") == (worker.handle.exitcode, capfd.readouterr().err)


def test_buried_while_a_second_writer_looks(bench: Bench) -> None:
    """It has come too late to write anything, and in time to keep the way there from being closed: so it does that."""
    worker = bench.worker
    writing = worker._writing

    class Writing:
        """Somebody else writes just before this one can, and the worker is buried just after."""

        def __enter__(self) -> None:
            worker._stopping = False
            writing.acquire()
            setattr(worker, "_writing", writing)  # noqa: B010
            worker.close()
            assert not worker.channel._closed

        def __exit__(self, *exc: object) -> None:
            writing.release()

    setattr(worker, "_writing", Writing())  # noqa: B010
    worker.stop()

    assert worker.channel._closed


def test_written_to_a_buried_worker(make: Make, gate: Gate, tmp_path: Path) -> None:
    """A thread that is late with writing a call writes into nobody's descriptor, not the next worker's either."""
    handed, pool = Handed(), make(1)
    (pid,) = warm(pool, handed, gate, 1)
    (worker,) = pool._crew.workers
    chosen, go_on = threading.Event(), threading.Event()
    original = RemoteWorker._batch

    def late(self: RemoteWorker) -> bytes:
        data = original(self)
        if self is worker:
            chosen.set()
            assert go_on.wait(20)
        return data

    task = handed.task(leave_a_mark, str(tmp_path / "marks"))
    submitter = threading.Thread(target=pool.submit, args=(task,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RemoteWorker, "_batch", late)
        submitter.start()
        assert chosen.wait(20)
        os.kill(pid, signal.SIGKILL)
        assert 8 == task.future.result(5)  # the manager has buried it and given the call to another
        strangers = [os.pipe() for _ in range(8)]
        for read, _ in strangers:
            os.set_blocking(read, False)
        go_on.set()
        submitter.join(20)
        after = handed.task(work.double, 2)
        pool.submit(after)
        assert 4 == after.future.result(20)
    stray = b""
    for read, write in strangers:
        os.close(write)
        with contextlib.suppress(BlockingIOError):
            stray += os.read(read, 1000)
        os.close(read)

    assert "x" == (tmp_path / "marks").read_text(), "the next worker got the call twice"
    assert b"" == stray, "a call was written into a stranger's pipe"


def test_read_from_a_buried_worker(make: Make, gate: Gate) -> None:
    """A thread that is late with reading a dead worker takes nothing that the next worker says."""
    handed, pool = Handed(), make(1)
    (pid,) = warm(pool, handed, gate, 1)
    (buried,) = pool._crew.workers
    os.kill(pid, signal.SIGKILL)
    task = handed.task(pass_gate, gate.path, 8)
    pool.submit(task)
    gate.wait()
    (worker,) = pool._crew.workers
    assert worker is not buried
    with worker.reading:
        gate.open()
        assert worker.channel.poll(20)  # its answer is there
        pool._crew.read(buried)  # as an attendant does that found it readable just before it was buried

    try:
        assert 8 == task.future.result(5), "somebody else has taken its answer"
    finally:
        pool.cancel(task)


@pytest.mark.parametrize(
    ("seconds", "after"),
    [(None, 32), (1.0, 32), (20e-6, 32), (10e-6, 50), (5e-6, 100), (1e-6, 128), (0.0, 128)],
)
def test_how_often_a_submitter_reads_answers(bench: Bench, seconds: float | None, after: int) -> None:
    """Once for as many calls as a worker is sent ahead; not too seldom if they are nothing, and not often if long."""
    call = bench.task(0).wire
    call.function.seconds = seconds

    assert after == _helps_after(call)
