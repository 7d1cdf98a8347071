"""What the standard library's executors, futures, `wait` and `as_completed` do, ours do, too.

Each test runs the standard one first, so it says what is so there, and then ours, with the same assertions. What the
standard one can't be asked, since it does not hold there, has tests of its own elsewhere.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import queue
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    InvalidStateError,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, Future
from adaptive_exec.platform.gil import gil_enabled
from tests import work
from tests.backends.support import until

SECONDS = 20
HERE = ("standard", "free", "thread")
EVERYWHERE = (*HERE, "process")

in_this_process = pytest.mark.parametrize("pool", HERE, indirect=True)
on_every_backend = pytest.mark.parametrize("pool", EVERYWHERE, indirect=True)
any_future = pytest.mark.parametrize("make", [concurrent.futures.Future, Future], ids=["standard", "ours"])
# Without a GIL, what another thread has made is let go when that thread, or the collector, comes by.
needs_prompt_counts = pytest.mark.skipif(not gil_enabled(), reason="reference counts are merged later")


def make_executor(kind: str, workers: int) -> Any:
    """The standard executor, or ours, with so many threads."""
    if kind == "standard":
        return ThreadPoolExecutor(workers)
    return AdaptiveExecutor(workers, min(workers, 2))


def entrance(executor: Any, kind: str) -> Any:
    """What calls are submitted to."""
    return executor if kind in {"standard", "free"} else executor.options(backend=kind)


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Three workers of a kind; what has `submit` and `map`."""
    with make_executor(request.param, 3) as executor:
        yield entrance(executor, request.param)


@pytest.fixture(params=HERE)
def kind(request: pytest.FixtureRequest) -> str:
    """Whose executor a test makes for itself."""
    found: str = request.param
    return found


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is let go in the test is so by its reference count alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Gate:
    """Holds calls until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def stand(self) -> str:
        """Wait at it."""
        self.reached.set()
        assert self.opened.wait(SECONDS)
        return "through"

    def stand_and_fail(self) -> None:
        """Wait at it, then raise."""
        self.stand()
        raise ValueError("after the gate")


@contextmanager
def gate() -> Iterator[Gate]:
    """A gate that is open when the test ends, however it does."""
    made = Gate()
    try:
        yield made
    finally:
        made.opened.set()


class Thing:
    """Something that can be referred to weakly."""


def make_thing(_: object = None) -> Thing:
    return Thing()


class IsFalse(Exception):
    """An exception that looks like nothing."""

    def __bool__(self) -> bool:
        return False


def raise_false() -> None:
    raise IsFalse


def broken() -> None:
    raise KeyError("in here")


def leave() -> None:
    raise SystemExit(3)


def pending(make: Callable[[], Any]) -> Any:
    return make()


def running(make: Callable[[], Any]) -> Any:
    future = make()
    assert future.set_running_or_notify_cancel()
    return future


def cancelled(make: Callable[[], Any]) -> Any:
    """Cancelled, and those who wait know it."""
    future = make()
    assert future.cancel()
    assert not future.set_running_or_notify_cancel()
    return future


def successful(make: Callable[[], Any]) -> Any:
    future = make()
    future.set_result(42)
    return future


def failed(make: Callable[[], Any]) -> Any:
    future = make()
    future.set_exception(OSError("no"))
    return future


ENDED = (cancelled, successful, failed)


def ask_and_let_go(futures: list[Any], timeout: float) -> Callable[[], object]:
    """Take a future out of a list, ask it for its result, which is an error, and keep but a weak reference."""
    future = futures.pop()
    itself = weakref.ref(future)
    try:
        future.result(timeout)
    except Exception:
        return itself
    finally:
        del future  # the error's traceback leads to this frame
    raise AssertionError("it did not fail")


# --- submit -------------------------------------------------------------------------------------------


@on_every_backend
def test_what_is_called_has_no_name(pool: Any) -> None:
    """The function is the first argument and can't be given by a keyword."""
    with pytest.raises(TypeError):
        pool.submit(fn=work.double, x=1)
    with pytest.raises(TypeError):
        pool.submit()


@on_every_backend
def test_system_exit_is_an_outcome(pool: Any) -> None:
    """It ends the call that raises it, and no worker."""
    with pytest.raises(SystemExit, match="3"):
        pool.submit(leave).result(SECONDS)

    assert 4 == pool.submit(work.double, 2).result(SECONDS)


@in_this_process
def test_a_traceback_leads_to_where_it_was_raised(pool: Any) -> None:
    """The last frame is the one that has raised, and the caller's is among those before."""
    with pytest.raises(KeyError) as caught:
        pool.submit(broken).result(SECONDS)

    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "broken" == names[-1]
    assert "test_a_traceback_leads_to_where_it_was_raised" == names[0]


def test_a_false_exception_is_one_all_the_same() -> None:
    """It is raised, not taken for none, as in the standard library since 3.14."""
    with AdaptiveExecutor(max_processes=1) as executor:
        for backend in ("thread", "process"):
            future = executor.options(backend=backend).submit(raise_false)
            with pytest.raises(IsFalse):
                future.result(SECONDS)
            assert isinstance(future.exception(), IsFalse)


@in_this_process
def test_as_many_calls_as_workers_run_at_once(pool: Any) -> None:
    """So calls that wait for each other meet, of a function that nobody knows yet, too."""
    meeting = threading.Barrier(3)

    futures = [pool.submit(meeting.wait, SECONDS) for _ in range(3)]

    assert [0, 1, 2] == sorted(future.result(SECONDS) for future in futures)


@in_this_process
def test_a_callback_may_submit(pool: Any) -> None:
    """What it submits is run as anything else."""
    submitted: queue.SimpleQueue[Any] = queue.SimpleQueue()

    pool.submit(work.double, 1).add_done_callback(
        lambda future: submitted.put(pool.submit(work.double, future.result()))
    )

    assert 4 == submitted.get(timeout=SECONDS).result(SECONDS)


@in_this_process
def test_cancel_by_what_has_begun(pool: Any) -> None:
    """A call that waits for a worker is cancelled and never made; one that runs is not."""
    made: list[str] = []
    with gate() as held:
        busy = [pool.submit(held.stand) for _ in range(3)]
        until(lambda: all(future.running() for future in busy))
        waiting = pool.submit(made.append, "made")
        assert not waiting.running()
        assert waiting.cancel()
        assert waiting.cancelled() and waiting.done()
        assert not busy[0].cancel()
        assert not busy[0].cancelled()
        held.opened.set()
        assert ["through"] * 3 == [future.result(SECONDS) for future in busy]

    assert [] == made
    with pytest.raises(CancelledError):
        waiting.result(SECONDS)


@needs_prompt_counts
@pytest.mark.parametrize("pool", EVERYWHERE, indirect=True)
def test_a_result_goes_with_its_future(pool: Any, no_collector: None) -> None:
    """Results may be large, so nothing keeps one whose future is gone, from the first call of a function on."""
    for _ in range(40):
        future = pool.submit(make_thing)
        result, itself = weakref.ref(future.result(SECONDS)), weakref.ref(future)
        del future
        until(lambda: result() is None and itself() is None)  # noqa: B023


@needs_prompt_counts
@pytest.mark.parametrize("pool", EVERYWHERE, indirect=True)
def test_a_failure_goes_with_its_future(pool: Any, no_collector: None) -> None:
    """An exception leads to its frames, but from there nothing leads back to it."""
    for _ in range(40):
        itself = ask_and_let_go([pool.submit(broken)], SECONDS)
        until(lambda: itself() is None)  # noqa: B023


# --- map ----------------------------------------------------------------------------------------------


@needs_prompt_counts
@pytest.mark.parametrize("chunksize", [1, 4])
@on_every_backend
def test_map_lets_go(pool: Any, chunksize: int, no_collector: None) -> None:
    """A result is its reader's, who may be the last to hold it while the next one is being made."""
    for thing in pool.map(make_thing, range(10), chunksize=chunksize):
        seen = weakref.ref(thing)
        del thing
        until(lambda: seen() is None)  # noqa: B023


@on_every_backend
def test_map_ends_with_its_first_error(pool: Any) -> None:
    """What comes before it is given, and nothing after."""
    results = pool.map(divmod, [1, 1, 1, 1], [2, 3, 0, 5])

    assert (0, 1) == next(results)
    assert (0, 1) == next(results)
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@in_this_process
def test_map_ends_with_its_timeout(pool: Any) -> None:
    """What is late is not given later."""
    with gate() as held:
        results = pool.map(lambda wanted: wanted and held.stand(), [0, 1], timeout=0.05)
        late = False
        try:
            assert 0 == next(results)  # unless this machine is very slow
            next(results)
        except TimeoutError:
            late = True
        assert late
        with pytest.raises(StopIteration):
            next(results)


@in_this_process
def test_map_raises_what_an_iterable_raises(pool: Any) -> None:
    """At the call, since that is where they are gone through."""

    def items() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError):
        pool.map(work.double, items())


@on_every_backend
def test_map_of_nothing(pool: Any) -> None:
    """It gives nothing, however many there are of the others."""
    assert [] == list(pool.map(work.add, [], [1, 2]))
    assert [] == list(pool.map(work.add, [1, 2], iter(())))


# --- the end ------------------------------------------------------------------------------------------


def test_shutdown_without_waiting(kind: str) -> None:
    """It returns at once; what was accepted is run, and no more comes in."""
    with gate() as held:
        executor = make_executor(kind, 1)
        inside = entrance(executor, kind)
        running, waiting = inside.submit(held.stand), inside.submit(held.stand)
        executor.shutdown(wait=False)
        assert not running.done()
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            inside.submit(work.double, 1)
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            inside.map(work.double, [1])
        held.opened.set()
        assert "through" == running.result(SECONDS) == waiting.result(SECONDS)
    executor.shutdown()


def test_shutdown_that_cancels(kind: str) -> None:
    """What runs ends as it would; what waits for a worker is cancelled, and its callbacks are told."""
    with gate() as held:
        executor = make_executor(kind, 1)
        inside = entrance(executor, kind)
        running = inside.submit(held.stand)
        assert held.reached.wait(SECONDS)
        waiting = [inside.submit(held.stand) for _ in range(3)]
        told: list[bool] = []
        for future in waiting:
            future.add_done_callback(lambda future: told.append(future.cancelled()))
        executor.shutdown(wait=False, cancel_futures=True)
        assert [True] * 3 == [future.cancelled() for future in waiting] == told
        assert not running.cancelled()
        held.opened.set()
        assert "through" == running.result(SECONDS)
    executor.shutdown()


def test_a_block_that_raises(kind: str) -> None:
    """`with` waits for its calls all the same, and what was raised goes on."""
    with gate() as held:
        executor = make_executor(kind, 1)
        future = entrance(executor, kind).submit(held.stand)

        def leave() -> None:
            with executor:
                held.opened.set()
                raise LookupError("in the block")

        with pytest.raises(LookupError, match="in the block"):
            leave()
        assert future.done()


def test_with_gives_the_executor(kind: str) -> None:
    """So it can be made there; and it is an `Executor`, by its class, too."""
    made = make_executor(kind, 1)
    with made as executor:
        assert made is executor
    assert isinstance(made, concurrent.futures.Executor)
    assert issubclass(type(made), concurrent.futures.Executor)


# --- wait ---------------------------------------------------------------------------------------------


@in_this_process
def test_wait_for_the_first(pool: Any) -> None:
    """What has ended by then is done; one that has ended before suffices, a cancelled one too."""
    with gate() as held:
        slow = pool.submit(held.stand)
        done, left = wait([slow, pool.submit(work.double, 1)], SECONDS, FIRST_COMPLETED)
        assert {2} == {future.result(0) for future in done}
        assert {slow} == left
        for ended in ENDED:
            before = ended(type(slow))
            assert ({before}, {slow}) == wait([before, slow], SECONDS, FIRST_COMPLETED)


@in_this_process
def test_wait_for_the_first_exception(pool: Any) -> None:
    """Results and cancellations don't end it, an exception does, be it there before or not."""
    with gate() as held, gate() as later:
        slow, failing = pool.submit(held.stand), pool.submit(later.stand_and_fail)
        good = pool.submit(work.double, 1)
        good.add_done_callback(lambda _: later.opened.set())
        dropped = cancelled(type(slow))
        done, left = wait([slow, failing, good, dropped], SECONDS, FIRST_EXCEPTION)
        assert ({failing, good, dropped}, {slow}) == (done, left)
        assert isinstance(failing.exception(0), ValueError)
        assert ({failing}, {slow}) == wait([slow, failing], SECONDS, FIRST_EXCEPTION)


@in_this_process
def test_wait_for_all(pool: Any) -> None:
    """However they end, and though one is named twice."""
    futures = [pool.submit(work.double, 1), pool.submit(broken)]
    ended = [state(type(futures[0])) for state in ENDED]

    done, left = wait([*futures, *ended, futures[0]], SECONDS, ALL_COMPLETED)

    assert {*futures, *ended} == done
    assert set() == left
    assert isinstance(futures[1].exception(0), KeyError)


@any_future
@pytest.mark.parametrize("how", [ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION])
def test_wait_for_no_time(make: Any, how: str) -> None:
    """It says what is so now; whoever has stopped waiting is not told any more."""
    open_ones, ended = [pending(make), running(make)], [state(make) for state in ENDED]

    assert (set(), set(open_ones)) == wait(open_ones, 0, how)
    assert (set(ended), set(open_ones)) == wait([*open_ones, *ended], 0, how)
    assert [[], []] == [future._waiters for future in open_ones]


@any_future
def test_wait_is_told_of_a_cancellation(make: Any) -> None:
    """By whoever would have run the call, if the future itself leaves that to them."""
    future = pending(make)
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(wait([future], SECONDS)))
    waiting.start()
    until(lambda: future._waiters)
    future.cancel()
    future.set_running_or_notify_cancel()
    waiting.join(SECONDS)

    assert [({future}, set())] == found


# --- as_completed -------------------------------------------------------------------------------------


@in_this_process
def test_as_completed_in_the_order_of_their_ends(pool: Any) -> None:
    """Each once, though it is named thrice."""
    with gate() as held:
        slow = pool.submit(held.stand)
        quick = pool.submit(work.double, 1)
        given = []
        for future in as_completed(iter([slow, quick, slow, slow]), SECONDS):
            given.append(future)
            held.opened.set()

    assert [quick, slow] == given


@any_future
def test_as_completed_in_time(make: Any) -> None:
    """What has ended is given, then it says how many have not, and leaves nobody waiting for them."""
    left = [pending(make), running(make)]
    given: list[Any] = []

    ended = [state(make) for state in ENDED]

    with pytest.raises(TimeoutError, match=r"2 \(of 5\) futures unfinished"):
        given.extend(as_completed([*left, *ended], 0))

    assert set(ended) == set(given)
    assert [[], []] == [future._waiters for future in left]


@any_future
def test_as_completed_lets_go(make: Any, no_collector: None) -> None:
    """What has been given is held no longer, whether it had ended before or ends meanwhile."""
    futures = [successful(make), failed(make), cancelled(make), *(make() for _ in range(4))]
    seen = 0
    for future in as_completed(futures, SECONDS):
        futures.remove(future)
        gone = weakref.ref(future)
        del future
        assert gone() is None
        seen += 1
        if seen >= 3 and futures:
            futures[0].set_result(None)

    assert 7 == seen


@any_future
def test_as_completed_that_is_left(make: Any) -> None:
    """Nobody waits any more once the iterator is closed."""
    left = pending(make)
    results: Any = as_completed([left, successful(make)])
    next(results)
    assert left._waiters
    results.close()

    assert [] == left._waiters


# --- a future's states --------------------------------------------------------------------------------

STATES = [
    # state, pending to the end: running, done, cancelled, what `cancel` says, how it is shown
    (pending, (False, False, False), True, "state=pending"),
    (running, (True, False, False), False, "state=running"),
    (cancelled, (False, True, True), True, "state=cancelled"),
    (successful, (False, True, False), False, "state=finished returned int"),
    (failed, (False, True, False), False, "state=finished raised OSError"),
]


@any_future
@pytest.mark.parametrize(("state", "flags", "can_be", "shown"), STATES)
def test_what_a_future_says(make: Any, state: Any, flags: tuple[bool, ...], can_be: bool, shown: str) -> None:
    """Of its state, in its representation too, and whether it can be cancelled, which changes nothing else."""
    future = state(make)

    assert flags == (future.running(), future.done(), future.cancelled())
    assert repr(future).startswith("<Future at 0x") and repr(future).endswith(f"{shown}>")
    assert future.cancel() is can_be
    assert future.cancelled() is can_be
    assert flags[0] is future.running() or can_be


@any_future
@pytest.mark.parametrize("timeout", [0, 0.001, -1])
def test_what_a_future_gives_in_time(make: Any, timeout: float) -> None:
    """Its outcome if it has one, however little time there is, else an error."""
    for open_one in (pending(make), running(make)):
        for ask in (open_one.result, open_one.exception):
            with pytest.raises(TimeoutError):
                ask(timeout)
    dropped, bad, good = cancelled(make), failed(make), successful(make)
    for ask in (dropped.result, dropped.exception):
        with pytest.raises(CancelledError):
            ask(timeout=timeout)
    with pytest.raises(OSError, match="no"):
        bad.result(timeout)
    assert isinstance(bad.exception(timeout), OSError)
    assert 42 == good.result(timeout=timeout)
    assert good.exception(timeout=timeout) is None


@any_future
@pytest.mark.parametrize("end", ["result", "failure", "cancellation"])
def test_who_waits_is_woken(make: Any, end: str) -> None:
    """By each of the ways to end, though they wait for as long as it takes."""
    future = make()
    found: list[str] = []
    about = threading.Barrier(2)

    def ask() -> None:
        about.wait(SECONDS)
        try:
            found.append(f"result {future.result()}")
        except OSError:
            found.append("failure")
        except CancelledError:
            found.append("cancellation")

    asking = threading.Thread(target=ask)
    asking.start()
    about.wait(SECONDS)
    if end == "result":
        future.set_result("")
    elif end == "failure":
        future.set_exception(OSError())
    else:
        assert future.cancel()
    asking.join(SECONDS)

    assert [end] == [word.strip() for word in found]


@any_future
def test_a_result_for_many_threads_at_once(make: Any) -> None:
    """Once it is there nobody waits for it, not even for each other, so no time is needed."""
    future = make()
    found: list[int] = []
    start = threading.Barrier(5)

    def ask() -> None:
        start.wait(SECONDS)
        found.extend(future.result(0) for _ in range(500))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    future.set_result(1)
    start.wait(SECONDS)
    for thread in threads:
        thread.join(SECONDS)

    assert [1] * 2000 == found


@any_future
@pytest.mark.parametrize("state", ENDED)
def test_an_end_is_final(make: Any, state: Any) -> None:
    """Whoever ends it again is told so, by an error that shows it, and it is as it was."""
    future = state(make)
    before = repr(future)

    for change in (partial(future.set_result, 7), partial(future.set_exception, KeyError())):
        with pytest.raises(InvalidStateError) as caught:
            change()
        assert before in str(caught.value)
    assert before == repr(future)
    if state is successful:
        assert 42 == future.result(0)


@any_future
@pytest.mark.parametrize("state", [running, successful, failed])
def test_what_has_begun_does_not_begin(make: Any, state: Any, caplog: pytest.LogCaptureFixture) -> None:
    """That is a mistake of whoever runs it: an error, which is logged, and nothing is changed."""
    future = state(make)
    before = repr(future)

    with pytest.raises(RuntimeError, match="unexpected state"):
        future.set_running_or_notify_cancel()
    assert before == repr(future)
    assert ["CRITICAL"] * len(caplog.records) == [record.levelname for record in caplog.records]
    assert caplog.records


def frames(error: BaseException) -> int:
    """How long its traceback is."""
    return sum(1 for _ in traceback.walk_tb(error.__traceback__))


def test_a_traceback_does_not_grow_more_than_there() -> None:
    """Each time a result is asked for and raised, the traceback gets no more frames than the standard future's."""

    def growth(make: Callable[[], Any]) -> list[int]:
        future = failed(make)
        sizes = []
        for _ in range(5):
            with pytest.raises(OSError, match="no") as caught:
                future.result(0)
            sizes.append(frames(caught.value))
        return sizes

    assert all(
        ours <= theirs for ours, theirs in zip(growth(Future), growth(concurrent.futures.Future), strict=True)
    )


@any_future
def test_no_error_leads_back_to_its_future(make: Any, no_collector: None) -> None:
    """Neither one that was raised by it nor one of having waited in vain."""
    for state in (failed, cancelled, pending):
        itself = ask_and_let_go([state(make)], 0)
        assert itself() is None


# --- callbacks ----------------------------------------------------------------------------------------


@any_future
@pytest.mark.parametrize(
    "end", [lambda f: f.set_result(1), lambda f: f.set_exception(OSError()), lambda f: f.cancel()]
)
def test_callbacks_in_order(make: Any, end: Any) -> None:
    """Of any end, with the future, as often as they were given; at once if it has ended, even inside another."""
    future = make()
    told: list[tuple[str, Any]] = []

    def first(given: Any) -> None:
        assert given.done()
        given.add_done_callback(lambda given: told.append(("at once", given)))
        told.append(("first", given))

    def second(given: Any) -> None:
        told.append(("second", given))

    for callback in (first, second, second):
        future.add_done_callback(callback)
    assert [] == told
    end(future)
    assert [("at once", future), ("first", future), ("second", future), ("second", future)] == told
    future.add_done_callback(second)
    assert 5 == len(told)


@any_future
@pytest.mark.parametrize("late", [False, True])
def test_a_callback_that_raises(make: Any, late: bool, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged where the standard library logs it, and the others are called all the same."""
    future = make()
    told: list[Any] = []

    def fail(_: Any) -> None:
        raise LookupError("a callback's")

    with caplog.at_level(logging.ERROR, "concurrent.futures"):
        if late:
            future.set_result(1)
        future.add_done_callback(fail)
        future.add_done_callback(told.append)
        if not late:
            future.set_result(1)

    assert [future] == told
    assert 1 == future.result(0)
    (record,) = caplog.records
    assert "concurrent.futures" == record.name
    assert "exception calling callback for" in record.getMessage()
    assert record.exc_info is not None and isinstance(record.exc_info[1], LookupError)


# --- asyncio ------------------------------------------------------------------------------------------


@pytest.mark.blocks_loop("what goes to a process is sent with the name of the working directory")
@on_every_backend
def test_run_in_executor(pool: Any) -> None:
    """A loop awaits its calls, results and errors alike."""
    assert 2 == pool.submit(work.double, 1).result(SECONDS)  # so that no worker is started on the loop

    async def use() -> None:
        loop = asyncio.get_running_loop()
        assert 4 == await loop.run_in_executor(pool, work.double, 2)
        with pytest.raises(KeyError):
            await loop.run_in_executor(pool, broken)

    asyncio.run(use())


@any_future
def test_wrap_future(make: Any) -> None:
    """It ends on the loop as the future does, wherever that is ended, and cancelling goes both ways."""

    async def use() -> None:
        good, bad, dropped, awaited = make(), make(), make(), make()
        wrapped = [asyncio.wrap_future(future) for future in (good, bad, dropped, awaited)]
        await asyncio.to_thread(lambda: (good.set_result(5), bad.set_exception(OSError()), dropped.cancel()))
        assert 5 == await wrapped[0]
        with pytest.raises(OSError):
            await wrapped[1]
        with pytest.raises(asyncio.CancelledError):
            await wrapped[2]
        wrapped[3].cancel()
        await asyncio.sleep(0)
        assert awaited.cancelled()
        assert 42 == await asyncio.wrap_future(successful(make))

    asyncio.run(use())
