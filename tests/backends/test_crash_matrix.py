"""Where a worker dies, and how: the task it was executing fails with the reason, and nobody else notices.

Each row is played on a pool of two workers. One of them is held at a gate, so it can't take anything over. The
other executes `opener`, gets the fatal task and with it a few more that are sent ahead, and dies. One more task
stays in the queue.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adaptive_exec.backends.base import Refused, Task
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.backends.processes.remote_worker import RemoteWorker
from adaptive_exec.errors import NotPicklable, WorkerDied
from adaptive_exec.platform.forkserver import available
from tests.backends.support import Handed, wind_up
from tests.backends.test_remote_worker import Gate, pass_gate

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not available(), reason="gates are named pipes; deaths are signals"),
]

LARGE = 20_000_000
CONTEXTS = [
    pytest.param(None, id="default"),
    pytest.param("spawn", marks=pytest.mark.stress),  # the same worker, started otherwise
    pytest.param("forkserver", marks=pytest.mark.stress),
]


class Row(NamedTuple):
    """One way to go.

    Attributes:
        where: What the worker is doing then.
        how: What ends it, or what is raised.
        error: What the fatal task fails with; None if it was not begun, so that another worker finishes it.
        exitcode: What the error has to say of the worker's end.
        said: Words of its message.
        survives: Whether the worker lives on.
    """

    where: str
    how: str
    error: type[BaseException] | None
    exitcode: int | None
    said: str = ""
    survives: bool = False


DIED = "while it executed fatal"
MATRIX = [
    Row("before it reads the call", "SIGKILL", None, None),
    Row("before it reads the call", "SIGSEGV", None, None),
    Row("reading arguments", "SIGKILL", WorkerDied, -9, f"(signal SIGKILL) {DIED}"),
    Row("reading arguments", "SIGSEGV", WorkerDied, -11, f"(signal SIGSEGV) {DIED}"),
    Row("reading arguments", "exit", WorkerDied, 7, f"(exit code 7) {DIED}"),
    Row(
        "reading arguments", "Unpicklable", Refused, None, "can't read it: Unpicklable: stuck", survives=True
    ),
    Row("reading arguments", "Speechless", Refused, None, "can't read it: Speechless", survives=True),
    Row("reading arguments", "SystemExit", Refused, None, "can't read it: SystemExit", survives=True),
    Row("in the initializer", "SIGKILL", None, None),
    Row("in the initializer", "SIGSEGV", None, None),
    Row("in the initializer", "exit", None, None),
    Row("running", "SIGKILL", WorkerDied, -9, f"(signal SIGKILL) {DIED}"),
    Row("running", "SIGSEGV", WorkerDied, -11, f"(signal SIGSEGV) {DIED}"),
    Row("running", "exit", WorkerDied, 7, f"(exit code 7) {DIED}"),
    Row("running", "Unpicklable", RuntimeError, None, "Unpicklable: stuck", survives=True),
    Row("running", "Unreadable", RuntimeError, None, "Unreadable: first", survives=True),
    Row("running", "Speechless", BaseException, None, survives=True),
    Row("running", "SystemExit", SystemExit, None, "9", survives=True),
    Row("writing down the result", "SIGKILL", WorkerDied, -9, f"(signal SIGKILL) {DIED}"),
    Row("writing down the result", "SIGSEGV", WorkerDied, -11, f"(signal SIGSEGV) {DIED}"),
    Row("writing down the result", "exit", WorkerDied, 7, f"(exit code 7) {DIED}"),
    Row("writing down the result", "Unpicklable", NotPicklable, None, "can't pickle", survives=True),
    Row("writing down the result", "Speechless", NotPicklable, None, "can't pickle", survives=True),
    Row("writing down the result", "SystemExit", BaseException, None, survives=True),
    Row("sending a large result", "SIGKILL", WorkerDied, -9, f"(signal SIGKILL) {DIED}"),
    Row("sending a large result", "SIGSEGV", WorkerDied, -11, f"(signal SIGSEGV) {DIED}"),
    Row("idle", "SIGKILL", None, None),
    Row("idle", "SIGSEGV", None, None),
    Row("being sent a large call", "SIGKILL", None, None),
    Row("being sent a large call", "SIGSEGV", None, None),
]


# --- what workers do ----------------------------------------------------------------------------------


class Unpicklable(Exception):
    """Can't be sent."""

    def __reduce__(self) -> Any:
        raise TypeError("not this one")


class Unreadable(Exception):
    """Can be sent, and not read again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


class Speechless(Exception):
    """Can be sent; asked what it says, it fails."""

    def __str__(self) -> str:
        raise TypeError("no words")


def end(how: str) -> None:
    """End this process, or raise."""
    if how == "exit":
        os._exit(7)
    if how.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, how))
    if how == "Unpicklable":
        raise Unpicklable("stuck")
    if how == "Unreadable":
        raise Unreadable("first", "second")
    if how == "Speechless":
        raise Speechless
    if how == "SystemExit":
        raise SystemExit(9)


def end_once(path: str, how: str) -> None:
    """An initializer that ends the first worker only."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    end(how)


def come_and_end(gate: str, how: str) -> str:
    pass_gate(gate)
    end(how)
    return "read"


class FatalToRead:
    """An argument that ends its reader."""

    def __init__(self, gate: str, how: str) -> None:
        self.gate, self.how = gate, how

    def __reduce__(self) -> Any:
        return come_and_end, (self.gate, self.how)


class FatalToWrite:
    """A result that ends its writer."""

    passed = False

    def __init__(self, gate: str, how: str) -> None:
        self.gate, self.how = gate, how

    def __reduce__(self) -> Any:
        if not FatalToWrite.passed:
            FatalToWrite.passed = True
            pass_gate(self.gate)
        end(self.how)
        return str, ("written",)


class SpeechlessAtHome:
    """A result that can't be read, for a reason that can't be told."""

    def __reduce__(self) -> Any:
        return end, ("Speechless",)


class WaitsAtHome:
    """A result whose reading waits for another result of the same pool."""

    pool: ProcessBackend | None = None

    def __reduce__(self) -> Any:
        return submit_and_wait, ()


def submit_and_wait() -> Any:
    """At home, in the thread that reads the result."""
    assert WaitsAtHome.pool is not None
    task = Handed().task(follow, 3)
    WaitsAtHome.pool.submit(task)
    return task.future.result(2)


def make_result(name: str) -> Any:
    return globals()[name]()


def fatal(where: str, how: str, gate: str, argument: Any = None) -> Any:
    """The task that it is about."""
    if where == "running":
        pass_gate(gate)
        end(how)
    if where == "writing down the result":
        return FatalToWrite(gate, how)
    if where == "sending a large result":
        pass_gate(gate)
        return bytes(LARGE)
    return "survived"


def follow(n: int) -> int:
    """A task that is sent ahead."""
    return n * n


def queued(n: int) -> int:
    """A task of a function that nobody knows yet: it is not sent ahead."""
    return n * n


# --- the play -----------------------------------------------------------------------------------------


class Play:
    """A pool of two workers, one of which is about to die."""

    def __init__(self, pool: ProcessBackend, handed: Handed, folder: Path) -> None:
        self.pool = pool
        self.handed = handed
        self.opening, self.holding, self.dying = (
            Gate(folder, name) for name in ("opening", "holding", "dying")
        )
        self.opener = self.submit(pass_gate, self.opening.path, "opened")
        self.victim = self.opening.wait()
        self.holder = self.submit(pass_gate, self.holding.path, "held")
        self.other = self.holding.wait()
        self.bystanders: list[Task] = []

    @property
    def worker(self) -> RemoteWorker:
        """The one that dies."""
        (found,) = [worker for worker in self.pool._crew.workers if worker.handle.pid == self.victim]
        return found

    def submit(self, fn: Callable[..., Any], *args: Any) -> Task:
        made = self.handed.task(fn, *args)
        self.pool.submit(made)
        return made

    def brief(self, fn: Callable[..., Any], *args: Any) -> Task:
        """Submit a call that is known to be short, whatever it does this time."""
        made = self.submit(fn, *args)
        made.wire.function.seconds = 1e-6
        return made

    def follow(self) -> None:
        """The tasks that must not notice."""
        self.bystanders += [self.brief(follow, n) for n in range(5)]
        self.bystanders.append(self.submit(queued, 5))

    def open(self) -> None:
        """The opener ends."""
        self.opening.open()
        assert "opened" == self.opener.future.result(20)

    def kill(self, how: str) -> None:
        """End the victim from outside."""
        os.kill(self.victim, getattr(signal, how))
        with contextlib.suppress(
            ProcessLookupError
        ):  # SIGKILL ends what is stopped, too, and may have by now
            os.kill(self.victim, signal.SIGCONT)  # a stopped process takes what is pending first

    def until_idle(self) -> None:
        """The victim has told its result, and has been noted as idle."""
        crew = self.pool._crew
        for _ in range(4000):
            with crew.lock:
                if any(worker.handle.pid == self.victim for worker in crew.idle):
                    return
            threading.Event().wait(0.001)  # a list that nobody tells of
        raise AssertionError("it never became idle")

    def close(self) -> None:
        for gate in (self.opening, self.holding, self.dying):
            gate.close()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """Makes the pool of a play, and ends it."""
    with ExitStack() as stack:

        def made(*args: Any) -> Play:
            pool = ProcessBackend(2, *args)
            stack.callback(wind_up, pool)
            found = Play(pool, Handed(), tmp_path)
            stack.callback(found.close)
            return found

        yield made


def sent_ahead(play: Play) -> list[Task]:
    """What the victim has been given beyond what it executes."""
    with play.pool._crew.lock:
        return list(play.worker.assigned.values())[1:]


def die_in_a_call(play: Play, row: Row) -> Task:
    """The fatal task comes to its gate with others sent ahead, and goes through."""
    argument = FatalToRead(play.dying.path, row.how) if row.where == "reading arguments" else None
    task = play.brief(fatal, row.where, row.how, play.dying.path, argument)
    play.follow()
    play.open()
    assert play.victim == play.dying.wait()
    assert play.bystanders[:5] == sent_ahead(play)
    if row.where != "sending a large result":
        play.dying.open()
        return task
    worker = play.worker
    with worker.reading:  # nobody reads, so the channel fills up
        play.dying.open()
        for _ in range(4000 if row.error is WorkerDied else 200):
            waiting = struct.unpack("i", fcntl.ioctl(worker.channel.fileno(), termios.FIONREAD, bytes(4)))[0]
            if waiting >= 65536:
                break
            threading.Event().wait(0.001)  # a pipe that nobody tells of
        play.kill(row.how)
    return task


def die_without_a_call(play: Play, row: Row) -> Task:
    """The victim is idle, or stopped while it is given the fatal task, which it never sees."""
    play.open()
    play.until_idle()
    if row.where == "idle":
        play.kill(row.how)
        task = play.submit(fatal, row.where, row.how, play.dying.path)
    else:
        os.kill(play.victim, signal.SIGSTOP)
        large = bytes(LARGE) if row.where == "being sent a large call" else None
        task = play.submit(fatal, row.where, row.how, play.dying.path, large)
        assert task in play.worker.assigned.values()
        play.kill(row.how)
    play.follow()
    return task


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.where}-{row.how}".replace(" ", "_"))
def test_crash(play: Callable[..., Play], tmp_path: Path, row: Row, context: str | None) -> None:
    """Exactly the task that was begun fails, exactly so; all others give their values, and the pool serves on."""
    if row.where == "sending a large result" and context is None:
        row = row._replace(
            error=None
        )  # it lies in shared memory at once, so it has been made, and is delivered
    if row.where == "in the initializer":
        scene = play(context, end_once, (str(tmp_path / "flag"), row.how))
        doomed = scene.submit(fatal, row.where, row.how, scene.dying.path)
        scene.follow()
        scene.open()
    else:
        scene = play(context)
        outside = ("idle", "before it reads the call", "being sent a large call")
        doomed = (die_without_a_call if row.where in outside else die_in_a_call)(scene, row)

    error = doomed.future.exception(20)
    if row.error is None:
        value = doomed.future.result(0)
        assert "survived" == value or len(value) >= LARGE
    else:
        assert isinstance(error, row.error), repr(error)
        if row.said:
            assert row.said in str(error)
    if isinstance(error, WorkerDied):
        assert (scene.victim, row.exitcode, "fatal") == (error.pid, error.exitcode, error.task)
        assert str(scene.victim) in str(error)
    assert row.error is WorkerDied or not isinstance(error, WorkerDied)
    assert [n * n for n in range(6)] == [task.future.result(20) for task in scene.bystanders]
    assert not scene.holder.future.done()
    scene.holding.open()
    assert "held" == scene.holder.future.result(20)
    after = [scene.submit(follow, n) for n in range(20)]
    assert [n * n for n in range(20)] == [task.future.result(20) for task in after]
    assert row.survives is (scene.victim in scene.pool.pids()) or row.where == "in the initializer"
    assert scene.other in scene.pool.pids()
    tasks = [scene.opener, scene.holder, doomed, *scene.bystanders, *after]
    assert len(tasks) == len(scene.handed.wait(len(tasks)))  # each was handed back, and once
    assert set(tasks) == {task for task, _ in scene.handed.outcomes}


def test_a_result_that_fails_without_a_word(play: Callable[..., Play]) -> None:
    """It fails that task, and neither the thread that read it nor the pool."""
    scene = play()
    task = scene.submit(make_result, "SpeechlessAtHome")
    scene.follow()
    scene.open()
    scene.holding.open()

    assert "Speechless" in str(task.future.exception(5))
    assert [n * n for n in range(6)] == [task.future.result(5) for task in scene.bystanders]


@pytest.mark.parametrize("attended", [True, False])
def test_a_result_whose_reading_waits(
    play: Callable[..., Play], attended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a result may run somebody's code, which may wait for another one: in time, or it is told off."""
    scene = play()
    monkeypatch.setattr(WaitsAtHome, "pool", scene.pool)
    scene.holding.open()
    scene.open()
    for n in range(20):  # sooner or later the thread that waits is the one that reads
        before = len(scene.handed.outcomes)
        task = scene.submit(make_result, "WaitsAtHome")
        if not attended:
            scene.handed.wait(before + 1)
        error = task.future.exception(10)
        assert not isinstance(error and error.__cause__, TimeoutError), f"nobody read for this thread ({n})"
        assert error is not None or task.future.result(0) == 9
