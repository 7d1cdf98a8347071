"""The facade: what a user sees of it, bad input, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

import pytest

import adaptive_exec
from adaptive_exec import AdaptiveExecutor, get_executor, set_executor
from tests import work


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


def run(script: str, *args: str, timeout: float = 40, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """A program of a user's, with every warning an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        **kwargs,
    )


def test_it_is_a_standard_executor(executor: AdaptiveExecutor) -> None:
    """It can stand wherever a `concurrent.futures.Executor` is wanted."""
    assert isinstance(executor, Executor)
    futures = [executor.submit(work.double, n) for n in range(5)]
    assert [0, 2, 4, 6, 8] == sorted(future.result() for future in as_completed(futures, 20))

    async def main() -> int:
        return await asyncio.get_running_loop().run_in_executor(executor, work.double, 4)

    assert 8 == asyncio.run(main())


def test_errors_are_the_caller_s(executor: AdaptiveExecutor) -> None:
    """What a call raises is raised by `result`."""
    with pytest.raises(ValueError, match="no luck"):
        executor.submit(work.fail, "no luck").result(20)


def test_keyword_arguments(executor: AdaptiveExecutor) -> None:
    """They are passed on, even those whose names the executor uses itself."""
    assert 7 == executor.submit(work.add, 3, b=4).result(20)
    assert {"fn": 1, "self": 2, "timeout": 3} == executor.submit(dict, fn=1, self=2, timeout=3).result(20)  # type: ignore[call-arg, call-overload, arg-type, unused-ignore]


@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
@pytest.mark.parametrize("fn", [work.double, work.async_double])
def test_every_kind_on_every_backend(executor: AdaptiveExecutor, backend: Any, fn: Any) -> None:
    """By force anything runs anywhere, with the same answer."""
    future = executor.options(backend=backend).submit(fn, 21)

    assert 42 == future.result(20)
    assert future.decision is not None
    assert (backend, "you asked" in future.decision.reason) == (future.decision.backend, True)


def test_coroutines_run_on_the_submitter_s_loop(executor: AdaptiveExecutor) -> None:
    """Its sockets and sessions belong to it; by force, or from elsewhere, it is the library's."""

    async def main() -> tuple[int, int, int]:
        here = executor.submit(work.running_loop)
        library = executor.options(backend="loop").submit(work.running_loop)
        return id(asyncio.get_running_loop()), await here, await library

    ours, here, library = asyncio.run(main())
    assert ours == here != library
    assert library == executor.submit(work.running_loop).result(20)


def test_a_result_that_could_never_come(executor: AdaptiveExecutor) -> None:
    """Blocking on a coroutine of one's own loop raises at once."""

    async def main() -> None:
        future = executor.submit(work.async_double, 1)
        with pytest.raises(RuntimeError, match="await it"):
            future.result()
        assert 2 == await future

    asyncio.run(main())


def test_cancelled_coroutines(executor: AdaptiveExecutor) -> None:
    """A coroutine that cancels itself ends as cancelled, both for threads and for coroutines."""
    from concurrent.futures import CancelledError

    with pytest.raises(CancelledError):
        executor.submit(work.cancel_yourself).result(20)

    async def main() -> None:
        future = executor.submit(work.async_nap, 60)
        await asyncio.sleep(0.01)
        assert future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future

    asyncio.run(main())


def test_explain_before_and_after(executor: AdaptiveExecutor) -> None:
    """Unknown functions are explained as such, known ones by their figures."""
    assert "nothing is known" in executor.explain(work.nap).reason
    for future in [executor.submit(work.nap, 0.02) for _ in range(8)]:
        future.result(20)

    decision = executor.explain(work.nap)
    assert "thread" == decision.backend
    assert "waits" in decision.reason
    assert decision.profile is not None
    assert decision.profile.calls >= 4
    assert decision.profile.cpu_ratio < 0.3


def test_stats(executor: AdaptiveExecutor) -> None:
    """They name what ran, where, and how often it failed, and print as a table."""
    executor.submit(work.double, 1).result(20)
    executor.submit(work.async_double, 1).result(20)
    executor.options(backend="process").submit(work.double, 1).result(20)
    with pytest.raises(ValueError):
        executor.submit(work.fail, "no luck").result(20)
    stats = executor.stats()

    assert {"thread": 2, "process": 1, "loop": 1} == stats.backends
    assert {"double": 0, "async_double": 0, "fail": 1} == {f.name: f.failures for f in stats.functions}
    assert "calls by backend: loop: 1, process: 1, thread: 2" in str(stats)


def test_nothing_is_started_before_it_is_needed() -> None:
    """An executor that was only made has no threads and no processes."""
    before = threading.active_count()
    executor = AdaptiveExecutor()

    assert before == threading.active_count()
    executor.shutdown()


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ValueError, {"max_threads": 0}),
        (ValueError, {"max_processes": -1}),
        (ValueError, {"max_tasks_per_child": 0}),
        (TypeError, {"max_tasks_per_child": 2.5}),
        (TypeError, {"max_threads": "4"}),
        (TypeError, {"max_processes": True}),
        (TypeError, {"initializer": 5}),
        (ValueError, {"mp_context": "telepathy"}),
        (TypeError, {"mp_context": 5}),
    ],
)
def test_constructor_arguments_that_make_no_sense(error: type[Exception], arguments: dict[str, Any]) -> None:
    """They are refused as the standard pools refuse them."""
    with pytest.raises(error):
        AdaptiveExecutor(**arguments)


@pytest.mark.parametrize(
    ("error", "said", "arguments"),
    [
        (ValueError, "unknown backend 'gpu': use one of", {"backend": "gpu"}),
        (ValueError, "unknown kind", {"kind": "mixed"}),
        (TypeError, "pure must be", {"pure": "yes"}),
        (ValueError, "timeout must be greater than 0", {"timeout": 0}),
        (ValueError, "timeout must be greater than 0", {"timeout": float("nan")}),
        (TypeError, "timeout must be a number", {"timeout": "1"}),
        (ValueError, "retries must not be negative", {"retries": -1}),
        (TypeError, "retries must be an integer", {"retries": 1.5}),
    ],
)
def test_options_that_make_no_sense(
    executor: AdaptiveExecutor, error: type[Exception], said: str, arguments: dict[str, Any]
) -> None:
    """Each is refused in one sentence, also by a view of a view, and the executor serves on."""
    with pytest.raises(error, match=said):
        executor.options(**arguments)
    with pytest.raises(error, match=said):
        executor.options().options(**arguments)
    with pytest.raises(TypeError, match="the options are backend, kind"):
        executor.options().options(speed="high")

    assert 2 == executor.submit(work.double, 1).result(20)


def test_what_cannot_be_called(executor: AdaptiveExecutor) -> None:
    """A result instead of a function is the usual mistake, and the message says so."""
    calls: list[Any] = [executor.submit, executor.map, executor.explain]
    for call in calls:
        with pytest.raises(TypeError, match="not callable: pass a function and its arguments separately"):
            call(5)

    assert 2 == executor.submit(work.double, 1).result(20)


def test_after_shutdown(executor: AdaptiveExecutor) -> None:
    """Every way in is closed, and a second shutdown is harmless."""
    executor.shutdown()
    executor.shutdown()

    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(work.double, 1)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.map(work.double, [1])
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(work.async_double, 1)


def test_shutdown_finishes_what_was_accepted() -> None:
    """On every backend, held calls included, without waiting as well as with."""
    executor = AdaptiveExecutor(max_processes=1)
    futures: list[Any] = [executor.submit(work.nap, 0.02) for _ in range(20)]
    futures += [executor.options(backend="process").submit(work.double, n) for n in range(5)]
    futures += [executor.submit(work.async_nap, 0.02) for _ in range(5)]
    executor.shutdown(wait=False)
    assert [0.02] * 20 + [0, 2, 4, 6, 8] + [0.02] * 5 == [future.result(20) for future in futures]
    executor.shutdown()


def test_shutdown_cancels_what_has_not_begun() -> None:
    """With `cancel_futures`, what runs goes on and the rest is cancelled."""
    executor = AdaptiveExecutor(max_threads=1)
    gate, began = threading.Event(), threading.Event()

    def hold() -> str:
        began.set()
        gate.wait(20)
        return "held"

    first = executor.submit(hold)
    assert began.wait(20)
    rest = [executor.options(backend="thread").submit(work.double, n) for n in range(10)]
    ending = threading.Thread(target=executor.shutdown, kwargs={"cancel_futures": True})
    ending.start()
    while not all(future.cancelled() for future in rest):
        threading.Event().wait(0.005)
    gate.set()
    ending.join(20)

    assert "held" == first.result(0)


@pytest.mark.blocks_loop("shutdown is called on a loop on purpose")
def test_shutdown_from_inside() -> None:
    """A call, and a coroutine on its own loop, may end the executor they run in."""
    executor = AdaptiveExecutor()
    assert executor.submit(executor.shutdown).exception(20) is None

    async def main() -> int:
        async with AdaptiveExecutor() as other:
            mine = other.submit(work.async_nap, 0.01)
            await asyncio.sleep(0)
            other.shutdown()
            await mine
            return await asyncio.sleep(0, 5)

    assert 5 == asyncio.run(main())


def test_a_loop_closed_under_its_coroutine() -> None:
    """The coroutine's future fails instead of keeping `shutdown` for ever."""
    executor = AdaptiveExecutor()
    loop = asyncio.new_event_loop()
    futures: list[Any] = []

    async def leave_behind() -> None:
        futures.append(executor.submit(work.async_nap, 60))
        await asyncio.sleep(0)

    loop.run_until_complete(leave_behind())
    pending = asyncio.all_tasks(loop)
    loop.close()
    executor.shutdown()

    with pytest.raises(RuntimeError, match="loop was closed"):
        futures[0].result(0)
    for task in pending:
        setattr(task, "_log_destroy_pending", False)  # noqa: B010  the test destroys it on purpose
        coroutine: Any = task.get_coro()
        coroutine.close()


def test_the_default_executor() -> None:
    """There is one, made on first use, and it can be replaced."""
    first = get_executor()
    assert first is get_executor()
    mine = AdaptiveExecutor()
    set_executor(mine)
    assert mine is get_executor()
    set_executor(None)
    assert get_executor() not in (first, mine)
    with pytest.raises(TypeError, match="takes an AdaptiveExecutor"):
        set_executor("mine")  # type: ignore[arg-type]
    for executor in (first, mine, get_executor()):
        executor.shutdown()
    set_executor(None)


def test_a_dropped_executor_ends() -> None:
    """Without a shutdown, its work is finished and its threads and processes are given back."""
    executor = AdaptiveExecutor(max_processes=1)
    futures = [executor.submit(work.double, 1), executor.options(backend="process").submit(work.double, 1)]
    del executor

    assert [2, 2] == [future.result(20) for future in futures]


NEVER_SHUT_DOWN = """
import adaptive_exec, asyncio, os, time
ex = adaptive_exec.AdaptiveExecutor()
def slow(x):
    time.sleep(0.2)
    os.write(1, f"done {x}\\n".encode())
async def slow_too(x):
    await asyncio.sleep(0.2)
    os.write(1, f"done {x}\\n".encode())
for n in range(3):
    ex.submit(slow, n)
ex.options(backend="process").submit(slow, 3)
ex.submit(slow_too, 4)
adaptive_exec.get_executor().submit(slow, 5)
"""


def test_never_shut_down() -> None:
    """A script that leaves its executors alone ends by itself, its work done, without a warning."""
    done = run(NEVER_SHUT_DOWN)

    assert (0, "") == (done.returncode, done.stderr)
    assert [f"done {n}" for n in range(6)] == sorted(done.stdout.splitlines())


EXIT_BEFORE_ROUTING = """
import sys
from adaptive_exec import AdaptiveExecutor
from tests import work
futures = []
ex = AdaptiveExecutor(max_processes=2)
for _ in range(200):
    ex.submit(work.compute, 100_000).add_done_callback(lambda future: futures.append(future.result()))
import atexit
atexit.register(lambda: print(len(futures), flush=True))
"""


def test_exit_before_the_calls_were_routed() -> None:
    """Calls that are still held when the program ends are done all the same, wherever that is possible then."""
    done = run(EXIT_BEFORE_ROUTING, cwd=os.getcwd())

    assert (0, "", "200\n") == (done.returncode, done.stderr, done.stdout)


UNGUARDED = """
import sys
from adaptive_exec import AdaptiveExecutor
print("main runs", flush=True)
class Point:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return type(self) is type(other) and self.x == other.x
def move(point, by): return Point(point.x + by)
with AdaptiveExecutor(max_processes=2) as ex:
    forced = ex.options(backend="process")
    assert forced.submit(move, Point(1), 2).result() == Point(3)
    assert [p.x for p in forced.map(lambda x: Point(x), range(5))] == [0, 1, 2, 3, 4]
"""


def test_without_a_main_guard(tmp_path: Path) -> None:
    """Functions and classes of an unguarded script work in processes, and the script runs once."""
    (tmp_path / "script.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(tmp_path / "script.py")],
        capture_output=True,
        text=True,
        timeout=40,
    )

    assert (0, "", "main runs\n") == (done.returncode, done.stderr, done.stdout)


KILLED = """
import os, signal, sys, time
from adaptive_exec import AdaptiveExecutor
from tests import work
ex = AdaptiveExecutor(max_processes=2)
forced = ex.options(backend="process")
print(forced.submit(os.getpid).result(), flush=True)
forced.submit(work.say_and_wait, sys.argv[1])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_with_work_under_way(tmp_path: Path) -> None:
    """After a SIGKILL no worker is left within a second or two, the busy one included."""
    done = run(KILLED, str(tmp_path / "pid"), cwd=os.getcwd())
    assert -signal.SIGKILL == done.returncode, done.stderr
    pids = {int(done.stdout), int((tmp_path / "pid").read_text() or done.stdout)}

    end = time.monotonic() + 3
    while time.monotonic() < end and any(os.path.exists(f"/proc/{pid}") for pid in pids):
        time.sleep(0.02)  # nobody tells us of the end of somebody else's child
    assert [] == [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


INTERRUPTED = """
import sys, time
from adaptive_exec import AdaptiveExecutor
from tests import work
with AdaptiveExecutor(max_processes=1) as ex:
    for _ in range(10):
        ex.options(backend="process").submit(work.nap, 60)
    ex.submit(work.async_nap, 60)
    print("ready", flush=True)
    while True:
        time.sleep(0.1)  # a signal that comes just before a sleep begins is only dealt with after it, in any program
"""


def test_interrupted() -> None:
    """One Ctrl-C ends a program whose executor has a minute's work, and nothing of it stays."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.getcwd(),
    )
    with process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)

    assert time.monotonic() - started < 5
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert 1 == errors.count("Traceback")


FORKED = """
import os, sys
from adaptive_exec import AdaptiveExecutor, get_executor
from tests import work
ex = AdaptiveExecutor(max_processes=1)
assert ex.submit(work.double, 1).result() == 2
assert ex.options(backend="process").submit(work.double, 1).result() == 2
assert get_executor().submit(work.double, 1).result() == 2
pid = os.fork()
if pid == 0:
    try:
        ex.submit(work.double, 1)
    except RuntimeError as error:
        print(error, flush=True)
    with AdaptiveExecutor(max_processes=1) as mine:
        assert mine.submit(work.double, 2).result() == 4
        assert mine.options(backend="process").submit(work.double, 2).result() == 4
    assert get_executor().submit(work.double, 3).result() == 6
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert ex.submit(work.double, 4).result() == 8
assert ex.options(backend="process").submit(work.double, 4).result() == 8
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked() -> None:
    """The parent's executor refuses in the child and works on in the parent; the child can make its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=40,
        cwd=os.getcwd(),
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "belongs to the process that forked this one" in done.stdout


def test_version() -> None:
    """The package tells its version."""
    assert adaptive_exec.__version__


DROPPED = """
import os, time
from adaptive_exec import AdaptiveExecutor
def slow():
    time.sleep(0.3)
    os.write(1, b"done\\n")
AdaptiveExecutor().submit(slow)
"""


def test_dropped_and_then_the_program_ends() -> None:
    """Work of an executor that nobody holds any more is finished before the interpreter goes."""
    done = run(DROPPED)

    assert (0, "", "done\n") == (done.returncode, done.stderr, done.stdout)


@pytest.mark.blocks_loop("the callback of a coroutine ends its executor on the loop")
@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
def test_shutdown_in_a_callback(backend: Any) -> None:
    """A done callback may end the executor whose call has just ended, and does not wait for itself."""
    executor = AdaptiveExecutor(max_processes=1)
    ended = threading.Event()

    def end(future: Any) -> None:
        executor.shutdown()
        ended.set()

    executor.options(backend=backend).submit(work.nap, 0.05).add_done_callback(end)
    assert ended.wait(20)
    executor.shutdown()


def test_a_callback_that_leaves(executor: AdaptiveExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """SystemExit in a callback is logged; the thread, worker or loop that told it goes on."""
    for view in (executor.options(backend="process"), executor.options(backend="thread")):
        future = view.submit(work.nap, 0.05)
        future.add_done_callback(lambda future: sys.exit(3))
        assert 4 == view.submit(work.double, 2).result(20)

    executor.shutdown()
    assert 2 == len([record for record in caplog.records if "callback" in record.message])


def test_a_coroutine_that_leaves(executor: AdaptiveExecutor) -> None:
    """SystemExit ends that coroutine, not the library's loop and the others on it."""

    async def leave() -> None:
        sys.exit(3)

    other = executor.submit(work.async_nap, 0.1)
    with pytest.raises(SystemExit):
        executor.submit(leave).result(20)

    assert 0.1 == other.result(20)
    assert 4 == executor.submit(work.async_double, 2).result(20)


def test_a_generator_on_the_loop(executor: AdaptiveExecutor) -> None:
    """Only coroutines are run there; a generator is a value like any other."""
    made = executor.options(backend="loop").submit(work.return_generator).result(20)

    assert [0, 1, 2] == list(made)


def test_an_unordered_map_inside_a_task() -> None:
    """With one thread, a task may wait for whichever of its calls ends first."""
    with AdaptiveExecutor(max_threads=1) as executor:

        def inner() -> list[int]:
            return sorted(executor.map(work.double, range(10), ordered=False))

        assert list(range(0, 20, 2)) == executor.submit(inner).result(30)


def test_an_initializer_that_cannot_travel() -> None:
    """It is an error at once for who forces a process; others are served on threads."""
    from adaptive_exec.errors import NotPicklable

    with AdaptiveExecutor(initializer=print, initargs=(threading.Lock(),)) as executor:
        with pytest.raises(NotPicklable, match="lock"):
            executor.options(backend="process").submit(work.double, 2).result(20)
        assert 4 == executor.submit(work.double, 2).result(20)


def test_what_a_partial_holds_is_new_for_each_call(executor: AdaptiveExecutor) -> None:
    """A worker does not go on with what an earlier call has changed."""
    import functools

    call = functools.partial(work.grow, [])
    forced = AdaptiveExecutor(max_processes=1)

    assert [1, 1, 1] == [forced.options(backend="process").submit(call).result(20) for _ in range(3)]
    forced.shutdown()


@pytest.mark.parametrize("backend", ["thread", "process", "loop"])
def test_arguments_are_let_go(executor: AdaptiveExecutor, backend: Any) -> None:
    """Once a call has ended nothing of ours holds its arguments, though its future is kept."""
    import gc
    import weakref

    argument = work.Counter()
    seen = weakref.ref(argument)
    gc.disable()
    try:
        future = executor.options(backend=backend).submit(work.take, argument)
        assert 0 == future.result(20)
        del argument
        end = time.monotonic() + 5
        while seen() is not None and time.monotonic() < end:
            threading.Event().wait(0.005)  # the thread that ended it lets go a moment later
        assert seen() is None
    finally:
        gc.enable()


MANY_DESCRIPTORS = """
import os, resource
from adaptive_exec import AdaptiveExecutor
from tests import work
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1500)]
with AdaptiveExecutor(max_processes=2) as ex:
    assert [0, 2, 4] == list(ex.options(backend="process").map(work.double, range(3)))
    assert 4 == ex.submit(work.async_double, 2).result()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs descriptors and their limit")
def test_many_descriptors() -> None:
    """A program that has more than a thousand files open can use processes."""
    done = run(MANY_DESCRIPTORS, cwd=os.getcwd())

    assert (0, "") == (done.returncode, done.stderr)


def test_workers_that_have_served_long_enough() -> None:
    """Each is replaced after its calls, and a counter tells."""
    with AdaptiveExecutor(max_processes=1, max_tasks_per_child=5) as executor:
        pids = [executor.options(backend="process").submit(work.pid).result(20) for _ in range(15)]

        assert [5, 5, 5] == [len(list(group)) for _, group in itertools.groupby(pids)]
        assert executor.stats().recycled >= 2
