"""The process backend: isolation, what a death costs, stopping, and what may travel."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.base import Refused, Unavailable
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.errors import NotPicklable, WorkerDied
from adaptive_exec.platform.forkserver import available
from tests import work
from tests.backends.support import Handed, until, wind_up

Make = Callable[..., ProcessBackend]

CONTEXTS = [
    pytest.param(None, id="default"),
    pytest.param("spawn", marks=pytest.mark.full),
    pytest.param(
        "forkserver", marks=[pytest.mark.full, pytest.mark.skipif(not available(), reason="no fork")]
    ),
]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 2, *args: Any, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, *args, **kwargs)
            stack.callback(wind_up, pool)
            return pool

        yield made


def wait_for_file(path: Path) -> int:
    """The pid that a `say_and_wait` has written."""
    for _ in range(2000):
        if path.exists() and (text := path.read_text()):
            return int(text)
        threading.Event().wait(0.005)  # only the file system tells
    raise AssertionError("the task never began")


@pytest.mark.parametrize("context", CONTEXTS)
def test_it_runs_elsewhere(make: Make, context: str | None) -> None:
    """Tasks run in other processes, and their samples come back."""
    handed, pool = Handed(), make(2, context)
    for _ in range(10):
        task = handed.task(work.pid)
        task.measure = True
        pool.submit(task)

    outcomes = handed.wait(10)
    assert os.getpid() not in {outcome.value for outcome in outcomes}
    assert all(outcome.sample is not None and outcome.sample.alone for outcome in outcomes)


def test_nothing_is_started_before_it_is_needed(make: Make) -> None:
    """A pool without tasks has no processes and no thread."""
    threads = threading.active_count()
    pool = make()

    assert [] == pool.pids()
    assert threads == threading.active_count()


def test_no_more_workers_than_work(make: Make) -> None:
    """One task at a time needs one worker."""
    handed, pool = Handed(), make(4)
    for count in range(1, 6):
        pool.submit(handed.task(work.pid))
        handed.wait(count)

    assert 1 == len(pool.pids())


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(
    ("how", "argument", "code", "said"),
    [
        (work.kill_me, signal.SIGKILL, -9, "SIGKILL"),
        (work.kill_me, signal.SIGSEGV, -11, "SIGSEGV"),
        (work.leave, 3, 3, "exit code 3"),
    ],
)
def test_a_death_costs_one_task(
    make: Make, context: str | None, how: Any, argument: int, code: int, said: str
) -> None:
    """Only the task that was executing fails, and the error says what happened; the others don't notice."""
    handed, pool = Handed(), make(2, context)
    before = [handed.task(work.double, n) for n in range(20)]
    fatal = handed.task(how, argument)
    after = [handed.task(work.double, n) for n in range(20)]
    for task in (*before, fatal, *after):
        pool.submit(task)

    assert [2 * n for n in range(20)] * 2 == [task.future.result(30) for task in (*before, *after)]
    error = fatal.future.exception(30)
    assert isinstance(error, WorkerDied)
    assert (code, how.__name__) == (error.exitcode, error.task)
    assert said in str(error)
    assert error.pid is not None


def test_an_idle_worker_may_die(make: Make) -> None:
    """The next task gets another worker."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.pid))
    first = handed.wait(1)[0].value
    os.kill(first, signal.SIGKILL)
    pool.submit(handed.task(work.pid))

    second = handed.wait(2)[1]
    assert second.error is None
    assert first != second.value


def test_death_before_begun(make: Make) -> None:
    """A task that was written to a worker that is stopped, and then killed, was not begun: another runs it."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.pid))
    first = handed.wait(1)[0].value
    os.kill(first, signal.SIGSTOP)
    pool.submit(handed.task(work.pid))
    os.kill(first, signal.SIGKILL)

    second = handed.wait(2)[1]
    assert second.error is None
    assert first != second.value


def test_cancel_ends_a_running_task(make: Make, tmp_path: Path) -> None:
    """Its process is gone, and the pool serves on."""
    handed, pool = Handed(), make(1)
    task = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(task)
    running = wait_for_file(tmp_path / "pid")
    pool.cancel(task)
    pool.submit(handed.task(work.pid))

    assert isinstance(handed.wait(2)[0].error, WorkerDied)
    assert running != handed.wait(2)[1].value


def test_calls_behind_one_whose_arguments_cannot_be_read(make: Make) -> None:
    """They have been sent ahead without the function, which the worker still knows."""
    handed, pool = Handed(), make(1)
    warm = handed.task(work.same, 0)
    pool.submit(warm)
    assert 0 == warm.future.result(20)
    for _ in range(20):
        good = [handed.task(work.same, n) for n in range(12)]
        bad = handed.task(work.same, work.Unreadable())
        for task in [*good[:3], bad, *good[3:]]:
            pool.submit(task)

        assert list(range(12)) == [task.future.result(20) for task in good]
        assert isinstance(bad.future.exception(20), Refused)


def test_cancel_spares_the_next_task(make: Make) -> None:
    """Cancelling a task that has just ended does no harm to the one that follows it."""
    handed, pool = Handed(), make(1)
    first, second = handed.task(work.pid), handed.task(work.nap, 0.2)
    pool.submit(first)
    pool.submit(second)
    first.future.result(20)
    pool.cancel(first)

    assert 0.2 == second.future.result(20)


def test_cancel_of_a_queued_task(make: Make, tmp_path: Path) -> None:
    """It is dropped at once, while the worker goes on with what it has."""
    handed, pool = Handed(), make(1)
    running = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(running)
    wait_for_file(tmp_path / "pid")
    queued = handed.task(work.pid)
    pool.submit(queued)
    queued.future.cancel()
    pool.cancel(queued)

    assert [queued] == [task for task, _ in handed.outcomes]
    pool.cancel(running)
    handed.wait(2)


def test_submit_against_shutdown(make: Make) -> None:
    """What was taken is finished, what comes after is refused, and no process is left."""
    handed, pool = Handed(), make(2)
    for n in range(20):
        pool.submit(handed.task(work.double, n))
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(handed.task(work.pid))

    pool.shutdown(wait=True)
    assert 20 == len(handed.wait(20))
    assert [] == pool.pids()


def test_abort_ends_what_runs(make: Make, tmp_path: Path) -> None:
    """Every task is handed back, in bounded time."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.say_and_wait, str(tmp_path / "pid")))
    wait_for_file(tmp_path / "pid")
    pool.abort()

    assert isinstance(handed.wait(1)[0].error, WorkerDied)
    pool.shutdown(wait=True)


def test_what_cannot_travel(make: Make) -> None:
    """Arguments fail in the submitter, results in the task; both name the object."""
    handed, pool = Handed(), make(1)
    with pytest.raises(NotPicklable, match="lock"):
        pool.submit(handed.task(work.double, threading.Lock()))
    pool.submit(handed.task(work.return_generator))
    pool.submit(handed.task(work.return_unreadable))
    pool.submit(handed.task(work.double, work.Unreadable()))

    generator, unreadable, refused = handed.wait(3)
    assert isinstance(generator.error, NotPicklable)
    assert "can't be read here" in str(unreadable.error)
    assert isinstance(refused.error, Refused)


def test_exceptions(make: Make) -> None:
    """They arrive with the worker's traceback; those that can't be read again arrive wrapped."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.fail, "no luck"))
    pool.submit(handed.task(work.raise_awkward))

    plain, awkward = (outcome.error for outcome in handed.wait(2))
    assert isinstance(plain, ValueError)
    assert "in fail" in str(plain.__cause__)
    assert isinstance(awkward, RuntimeError)
    assert "tests.work.Awkward: one" in str(awkward)


def test_methods_and_closures(make: Make) -> None:
    """The object of a method is an argument; a closure is sent as it is now, each time."""
    handed, pool = Handed(), make(1)
    factor = 2

    def scale(x: int) -> int:
        return x * factor

    pool.submit(handed.task(work.Counter().peek, 10))
    pool.submit(handed.task(scale, 5))
    handed.wait(2)
    factor = 3
    pool.submit(handed.task(scale, 5))

    assert [285, 10, 15] == [outcome.value for outcome in handed.wait(3)]


@pytest.mark.full
def test_more_functions_than_a_worker_remembers(make: Make) -> None:
    """Functions that were forgotten are sent again."""
    handed, pool = Handed(), make(1)
    functions = [eval(f"lambda: {n} + {'0 + ' * 50} 0") for n in range(300)]
    for function in (*functions, *functions):
        pool.submit(handed.task(function))

    assert list(range(300)) * 2 == [outcome.value for outcome in handed.wait(600)]


def test_initializer(make: Make, tmp_path: Path) -> None:
    """It runs once in each worker, before the first task."""
    handed, pool = Handed(), make(1, None, work.initialize, (str(tmp_path / "log"),))
    pool.submit(handed.task(work.pid))
    pool.submit(handed.task(work.pid))

    pids = {outcome.value for outcome in handed.wait(2)}
    assert [str(pid) for pid in pids] == (tmp_path / "log").read_text().split()


def test_initializer_that_fails(make: Make) -> None:
    """It is told once with its traceback, to every task that waits; nothing is started for ever."""
    handed, pool = Handed(), make(1, None, work.initialize_badly)
    pool.submit(handed.task(work.pid))

    (outcome,) = handed.wait(1)
    assert isinstance(outcome.error, Unavailable)
    assert isinstance(outcome.error.__cause__, WorkerDied)
    assert "no licence" in str(outcome.error)


def test_initializer_that_dies(make: Make) -> None:
    """A worker that dies while it starts is tried again a few times, then it is an error."""
    handed, pool = Handed(), make(1, None, work.leave, (9,))
    pool.submit(handed.task(work.pid))

    (outcome,) = handed.wait(1)
    assert isinstance(outcome.error, Unavailable)
    assert isinstance(outcome.error.__cause__, WorkerDied)
    assert "ended while it started (exit code 9)" in str(outcome.error)


@pytest.mark.full
def test_large_messages(make: Make) -> None:
    """Payloads far beyond a pipe's buffer travel both ways, on several workers at once."""
    handed, pool = Handed(), make(2)
    data = b"x" * 5_000_000
    for _ in range(6):
        pool.submit(handed.task(work.double, data))

    assert {10_000_000} == {len(outcome.value) for outcome in handed.wait(6)}


def test_workers_resemble_their_parent(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Environment, directory and import path are the parent's as they are when the worker starts."""
    monkeypatch.setenv("AE_TEST_VALUE", "from the parent")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, "/nowhere"])
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(eval("lambda: __import__('os').environ['AE_TEST_VALUE']")))
    pool.submit(handed.task(os.getcwd))
    pool.submit(handed.task(eval("lambda: __import__('sys').path[-1]")))

    assert ["from the parent", str(tmp_path), "/nowhere"] == [outcome.value for outcome in handed.wait(3)]


def test_surroundings_that_change(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A call finds the directory and the limits that the caller has now, not those of the worker's start."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(os.getcwd))
    assert os.getcwd() == handed.wait(1)[0].value
    monkeypatch.chdir(tmp_path)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 123)
    try:
        pool.submit(handed.task(os.getcwd))
        pool.submit(handed.task(sys.getrecursionlimit))
        assert [str(tmp_path), before + 123] == [outcome.value for outcome in handed.wait(3)[1:]]
    finally:
        sys.setrecursionlimit(before)


def test_an_environment_that_changes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call finds the variables that the caller has now; what another call has set in its worker stays there."""
    read = eval("lambda name: __import__('os').environ.get(name)")
    write = eval("lambda name, value: __import__('os').environ.__setitem__(name, value)")
    handed, pool = Handed(), make(1)

    def found(fn: Any, *args: Any) -> Any:
        before = len(handed.outcomes)
        pool.submit(handed.task(fn, *args))
        return handed.wait(before + 1)[-1].value

    found(write, "AE_OF_THE_WORKER", "its own")
    monkeypatch.setenv("AE_TEST_VALUE", "one")
    assert "one" == found(read, "AE_TEST_VALUE")
    monkeypatch.setenv("AE_TEST_VALUE", "two")
    assert "two" == found(read, "AE_TEST_VALUE")
    monkeypatch.delenv("AE_TEST_VALUE")
    assert found(read, "AE_TEST_VALUE") is None
    assert "its own" == found(read, "AE_OF_THE_WORKER")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the system has no such call")
def test_a_time_zone_that_changes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a variable that programs are asked about by others than `os.environ`."""
    name = eval("lambda: __import__('time').strftime('%Z', __import__('time').localtime(0))")
    handed, pool = Handed(), make(1)
    try:
        for number, zone in enumerate(("AAA-3", "BBB+5"), 1):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            pool.submit(handed.task(name))
            assert zone[:3] == handed.wait(number)[-1].value
    finally:
        monkeypatch.undo()
        time.tzset()


# --- races ----------------------------------------------------------------------------------------------


class Ahead:
    """A pool of one worker that stands at a gate and has been given more calls than that."""

    def __init__(self, make: Make, folder: Path, calls: int, *args: Any) -> None:
        from tests.backends.test_remote_worker import Gate, open_the_play, pass_gate

        self.handed, self.pool, self.gate = Handed(), make(1, *args), Gate(folder)
        opener = self.handed.task(open_the_play, self.gate.path, "opened")
        self.pool.submit(opener)
        self.pid = self.gate.wait()
        self.head = self._brief(pass_gate, self.gate.path, "head")
        self.tasks = [self._brief(work.double, n) for n in range(calls)]
        self.gate.open()
        assert self.pid == self.gate.wait()
        (self.worker,) = self.pool._crew.workers
        with self.pool._crew.lock:
            assert [self.head, *self.tasks] == list(self.worker.assigned.values())

    def _brief(self, fn: Callable[..., Any], *args: Any) -> Any:
        """A call that is known to be short, whatever it does this time, and so may be sent ahead."""
        task = self.handed.task(fn, *args)
        self.pool.submit(task)
        task.wire.function.seconds = 1e-6
        return task


needs_gates = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="gates are named pipes")


@needs_gates
@pytest.mark.parametrize("portable", [False, True])
def test_cancel_of_a_call_that_was_sent_ahead(make: Make, tmp_path: Path, portable: bool) -> None:
    """It is dropped at once and never executed; the worker lives, and the calls around it are untouched."""
    scene = Ahead(lambda *args: make(*args, portable=portable), tmp_path, 3)
    scene.pool.cancel(scene.tasks[1])
    assert [scene.tasks[1]] == [task for task, outcome in scene.handed.outcomes if outcome.error is not None]
    scene.gate.open()

    assert "head" == scene.head.future.result(20)
    assert [0, 4] == [scene.tasks[n].future.result(20) for n in (0, 2)]
    again = scene.handed.task(work.double, 7)
    scene.pool.submit(again)
    assert 14 == again.future.result(20)
    assert [scene.pid] == scene.pool.pids()
    scene.gate.close()


@needs_gates
def test_cancel_of_the_call_that_brought_its_function(make: Make, tmp_path: Path) -> None:
    """A worker that skips the first call of a function can be given the next one."""
    scene = Ahead(make, tmp_path, 1)
    scene.pool.cancel(scene.tasks[0])
    scene.gate.open()
    again = scene.handed.task(work.double, 7)
    scene.pool.submit(again)

    assert 14 == again.future.result(20)
    scene.gate.close()


@needs_gates
def test_cancel_spares_what_the_worker_has_gone_on_to(make: Make, tmp_path: Path) -> None:
    """Cancelling a call whose answer is on its way does no harm to the one that was sent ahead behind it."""
    from tests.backends.test_remote_worker import pass_gate

    scene = Ahead(make, tmp_path, 0)
    following = scene._brief(pass_gate, scene.gate.path, "following")
    with scene.pool._crew.lock:
        del scene.pool._crew.queue[following]
        scene.worker.assign(following)
    scene.pool._crew.set_going([scene.worker])
    with scene.worker.reading:  # the answer is there, and nobody has read it
        scene.gate.open()
        assert scene.pid == scene.gate.wait()
        scene.pool.cancel(scene.head)
    scene.gate.open()

    assert "following" == following.future.result(20)
    assert scene.pid in scene.pool.pids()
    scene.gate.close()


@needs_gates
def test_answers_read_by_many(make: Make, tmp_path: Path) -> None:
    """A thread that finds another one reading waits for it, and takes in what came after; no answer is lost."""
    scene = Ahead(make, tmp_path, 20)
    receive, inside, go_on = scene.worker.channel.receive, threading.Event(), threading.Event()

    def slowly() -> list[bytes]:
        frames = receive()
        if frames and not inside.is_set():
            inside.set()
            assert go_on.wait(20)
        return frames

    scene.worker.channel.receive = slowly  # type: ignore[method-assign]
    scene.gate.open()
    assert inside.wait(20)
    readers = [threading.Thread(target=scene.pool._crew.read, args=(scene.worker,)) for _ in range(3)]
    for reader in readers:
        reader.start()
    go_on.set()
    for reader in readers:
        reader.join(20)

    assert [2 * n for n in range(20)] == [task.future.result(20) for task in scene.tasks]
    scene.handed.wait(22)
    done = [task for task, _ in scene.handed.outcomes]
    assert 22 == len(done) == len(set(done))
    scene.gate.close()


@pytest.mark.full
def test_answers_waited_for_by_many(make: Make) -> None:
    """Threads that submit and wait take turns in reading for each other, and each gets its own."""
    handed, pool, wrong = Handed(), make(2), []

    def use(first: int) -> None:
        for n in range(first, first + 300):
            task = handed.task(work.double, n if n % 7 else str(n) * 10)
            pool.submit(task)
            if n % 3 and task.future.result(20) != (n + n if n % 7 else str(n) * 20):
                wrong.append(n)

    threads = [threading.Thread(target=use, args=(1000 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    handed.wait(1200)

    assert [] == wrong
    assert 1200 == len(handed.outcomes) == len({task for task, _ in handed.outcomes})


def test_answers_that_nobody_waits_for_after_some_that_somebody_did(make: Make) -> None:
    """Who made brief calls and waited for each has a respite from the manager, not from the answers."""
    handed, pool = Handed(), make(1)
    for n in range(50):
        task = handed.task(work.double, n)
        pool.submit(task)
        assert n + n == task.future.result(20)
        if n % 5 == 0:
            told = threading.Event()
            task = handed.task(work.double, n)
            task.future.add_done_callback(lambda _, told=told: told.set())  # type: ignore[misc]
            pool.submit(task)
            assert told.wait(20)


INTERRUPTED = """
import os, signal, sys
from adaptive_exec.backends.processes.pool import ProcessBackend
from tests import work
from tests.backends.support import Handed, wind_up
handed, pool = Handed(), ProcessBackend(2)
interrupts = 0
tasks = []
def interrupt(pid):
    os.kill(pid, signal.SIGINT)
for n in range(150):
    others = [handed.task(work.double, n) for _ in range(3)]
    caller = handed.task(interrupt, os.getpid())
    tasks += [*others, caller]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for task in (caller, *others):
        pool.submit(task)
    task = handed.task(work.nap, 0.002)
    pool.submit(task)
    try:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # it may come this moment
            task.future.result(20)
            for task in others:
                task.future.result(20)
            caller.future.result(20)
        except KeyboardInterrupt:
            interrupts += 1
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        interrupts += 1
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert [2 * n] * 3 == [task.future.result(20) for task in others]
    caller.future.result(20)
handed.wait(150 * 5)
assert 150 * 5 == len(handed.outcomes)
pool.shutdown(wait=True)
print("done", interrupts > 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by os.kill")
def test_interrupted_while_attending(tmp_path: Path) -> None:
    """Ctrl-C again and again while the main thread waits: it is told, and no answer is lost."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=40, cwd=os.getcwd()
    )
    assert ("done True\n", "") == (done.stdout, done.stderr)


@pytest.mark.full
def test_interrupted_while_submitting(make: Make) -> None:
    """Ctrl-C between any two steps of `submit`: the pool still serves what comes after."""
    import linecache

    from adaptive_exec.platform.interrupts import Held

    handed, pool = Handed(), make(1)
    for number in range(1, 200):
        ready = handed.task(work.double, 1)
        pool.submit(ready)
        assert 2 == ready.future.result(20)
        until(lambda: pool._crew.idle)
        count, hit = 0, ""

        def strike(frame: Any, event: str, argument: Any, number: int = number) -> Any:
            nonlocal count, hit
            file = frame.f_code.co_filename
            if "adaptive_exec" not in file or "interrupts" in file:
                return None
            held = getattr(signal.getsignal(signal.SIGINT), "__func__", None) is Held._note
            line = linecache.getline(file, frame.f_lineno).strip()
            # Python runs handlers after a call, not on the way into or out of a `with`.
            if event == "line" and not hit and not held and not line.startswith(("with", "finally", "try")):
                count += 1
                if count == number:
                    hit = f"{file.rpartition('/')[2]}:{frame.f_lineno} {line}"
                    raise KeyboardInterrupt
            return strike

        before, task = sys.gettrace(), handed.task(work.double, 2)
        sys.settrace(strike)
        try:
            pool.submit(task)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        after = handed.task(work.double, 3)
        pool.submit(after)
        try:
            assert 6 == after.future.result(2), hit
        except TimeoutError:
            pool.cancel(after)
            if task.wire is not None:
                pool.cancel(task)
            raise AssertionError(f"the pool is stuck after Ctrl-C before {hit}") from None
        if not hit:
            return
    raise AssertionError("submit never came to its end")


@pytest.mark.full
@pytest.mark.parametrize("when", ["before it looks", "while it delivers"])
def test_wake_while_the_manager_works(make: Make, when: str) -> None:
    """What is left for the manager while it is busy is done next, without another wake-up."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.pid))
    handed.wait(1)
    crew, manager = pool._crew, pool._manager
    assert manager is not None
    readiness = manager._readiness
    busy, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def hold_up() -> None:
        busy.set()
        assert go_on.wait(20)

    if when == "while it delivers":
        crew.deliver(hold_up)
    else:
        wait = readiness.wait

        def wait_and_hold_up(timeout: float | None) -> Any:
            found = wait(timeout)
            readiness.wait = wait  # type: ignore[method-assign]
            hold_up()
            return found

        readiness.wait = wait_and_hold_up  # type: ignore[method-assign]
        manager.wake()  # out of the sleep that has begun
        manager.wake()
    if not busy.wait(1):
        manager.wake()
    assert busy.wait(20)
    crew.deliver(done.set)
    go_on.set()

    assert done.wait(5)


def test_abort_with_more_than_one_task(make: Make, tmp_path: Path) -> None:
    """The running one, those behind it and those in the queue are all handed back, and the pool ends."""
    handed, pool = Handed(), make(1)
    pool.submit(handed.task(work.say_and_wait, str(tmp_path / "pid")))
    wait_for_file(tmp_path / "pid")
    waiting = [handed.task(work.double, n) for n in range(5)]
    for task in waiting:
        pool.submit(task)
    pool.abort()
    try:
        assert 6 == len(handed.wait(6, timeout=5))
    finally:
        for task in waiting:
            pool.cancel(task)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_late_manager_kills_nobody_twice(make: Make, context: str | None, tmp_path: Path) -> None:
    """A worker that died in time and is looked at too late is buried like any other; the pool serves on."""
    handed, pool = Handed(), make(1, context)
    task = handed.task(work.say_and_wait, str(tmp_path / "pid"))
    pool.submit(task)
    wait_for_file(tmp_path / "pid")
    with pool._crew.lock:  # the manager has to wait, as it does when somebody holds the GIL for long
        (worker,) = pool._crew.workers
        pool._crew.doom(worker)
        worker.kill_at = 1.0
        assert worker.handle.ended(20)
    again = handed.task(work.double, 4)
    pool.submit(again)

    assert 8 == again.future.result(20)
    assert isinstance(task.future.exception(20), WorkerDied)


# --- many calls -----------------------------------------------------------------------------------------


@pytest.mark.full
@needs_gates
@pytest.mark.parametrize("ready", [1, 2])
@pytest.mark.parametrize("portable", [False, True])
def test_calls_behind_a_long_one(make: Make, tmp_path: Path, ready: int, portable: bool) -> None:
    """Calls that were sent ahead behind one that turns out long are taken over by whoever could do them now."""
    from tests.backends.test_remote_worker import Gate, pass_gate, warm

    handed, pool, gate = Handed(), make(2, portable=portable), Gate(tmp_path)
    warm(pool, handed, gate, ready)
    tasks = [handed.task(pass_gate, gate.path if n == 10 else None, n) for n in range(50)]
    for task in tasks:
        pool.submit(task)
        task.wire.function.seconds = 1e-6
    gate.wait()

    others = [n for n in range(50) if n != 10]
    try:
        assert others == [tasks[n].future.result(5) for n in others]
        assert not tasks[10].future.done()
    finally:
        gate.open()
    assert 10 == tasks[10].future.result(20)
    gate.close()


@pytest.mark.full
@needs_gates
def test_a_worker_that_could_be_started(make: Make, tmp_path: Path) -> None:
    """Calls behind a long one don't wait for it either if the second worker has not been started yet."""
    from tests.backends.test_remote_worker import pass_gate

    scene = Ahead(make, tmp_path, 5)
    crew = scene.pool._crew
    with crew.lock:
        crew._most = 2  # as if the first worker had taken everything before the manager came to start another
        crew.count_waiting()
    late = scene.handed.task(pass_gate, None, "late")
    scene.pool.submit(late)
    try:
        assert "late" == late.future.result(10)
        assert [2 * n for n in range(5)] == [task.future.result(5) for task in scene.tasks]
    finally:
        scene.gate.open()
    assert "head" == scene.head.future.result(20)
    scene.gate.close()


@needs_gates
def test_recovery_after_a_kill(make: Make, tmp_path: Path) -> None:
    """The task fails, and the next one runs in a new worker, in a fraction of a second."""
    import time

    scene = Ahead(make, tmp_path, 1)
    started = time.monotonic()
    os.kill(scene.pid, signal.SIGKILL)
    error = scene.head.future.exception(20)
    failed = time.monotonic() - started
    assert 0 == scene.tasks[0].future.result(20)
    recovered = time.monotonic() - started

    print(f"\nfailed after {1000 * failed:.1f} ms, served on after {1000 * recovered:.1f} ms")
    assert isinstance(error, WorkerDied)
    assert recovered < 2
    scene.gate.close()


MAIN_TESTS: list[Callable[..., None]] = [
    test_it_runs_elsewhere,
    test_no_more_workers_than_work,
    test_an_idle_worker_may_die,
    test_death_before_begun,
    test_cancel_ends_a_running_task,
    test_cancel_spares_the_next_task,
    test_cancel_of_a_queued_task,
    test_submit_against_shutdown,
    test_abort_ends_what_runs,
    test_what_cannot_travel,
    test_exceptions,
    test_initializer_that_fails,
    test_initializer_that_dies,
    test_large_messages,
    test_answers_waited_for_by_many,
    test_interrupted_while_submitting,
    test_abort_with_more_than_one_task,
]


@pytest.mark.full
@pytest.mark.parametrize("check", MAIN_TESTS, ids=lambda check: check.__name__.removeprefix("test_"))
def test_the_portable_way(make: Make, tmp_path: Path, check: Callable[..., None]) -> None:
    """What holds where the kernel helps holds as well where only multiprocessing's `wait` can be had."""

    def made(*args: Any, **kwargs: Any) -> ProcessBackend:
        return make(*args, portable=True, **kwargs)

    given = {"make": made, "context": None, "tmp_path": tmp_path}
    wanted = check.__code__.co_varnames[: check.__code__.co_argcount]
    check(**{name: given[name] for name in wanted})


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGSEGV, -11)])
def test_a_death_the_portable_way(make: Make, how: int, code: int) -> None:
    """It costs one task there, too."""
    test_a_death_costs_one_task(
        lambda *args: make(*args, portable=True), None, work.kill_me, how, code, signal.Signals(how).name
    )
