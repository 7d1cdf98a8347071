"""`map` with nothing said: many calls are made as one where that changes nothing but the time it takes."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, task
from adaptive_exec.chunks import ChunkRunner
from adaptive_exec.mapping import AT_LEAST, PROBES, MapResults
from adaptive_exec.model import Options, Profile
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.sample import Sample
from tests import work
from tests.backends.support import until

NOTED: list[int] = []


@pytest.fixture
def executor() -> Iterator[AdaptiveExecutor]:
    with AdaptiveExecutor(max_processes=2) as made:
        yield made


def half(n: int) -> float:
    """Does nothing but compute."""
    return n / 2


def pair(n: int) -> tuple[int, int]:
    """Gives what is not plain."""
    return n, n


def joined(a: str, b: str) -> str:
    """The same of two."""
    return a + b


def larger(a: int, b: int) -> int:
    """The same of numbers."""
    return max(a, b)


def inverse(n: int) -> float:
    """Fails at 0."""
    return 1 / n


def notes(n: int) -> int:
    """Changes what others see."""
    NOTED.append(n)
    return n


def rests(n: int) -> int:
    """Waits."""
    time.sleep(0)
    return n


def first_of(items: list[int]) -> int:
    """Is given something that may be changed."""
    return items[0]


def ends(n: int) -> int:
    """Raises what ends an iteration."""
    if n == 100:
        raise StopIteration
    return n


def known(executor: AdaptiveExecutor, fn: Callable[..., Any], cpu_ns: int = 10_000) -> None:
    """As after some calls."""
    record = executor._dispatcher._store.record(fn)
    for _ in range(20):
        record.estimator.add(Sample(cpu_ns, cpu_ns))


def sizes(
    executor: AdaptiveExecutor, fn: Callable[..., Any], *iterables: Any, **how: Any
) -> tuple[list[int], list[Any]]:
    """How many calls were made as one, one after the other, and what they gave."""
    dispatcher: Any = executor._dispatcher
    accept, made = dispatcher.accept, []

    def note(
        fn: Any, args: Any, kwargs: Any, options: Any, subject: Any, items: int = 1, twin: Any = None
    ) -> Any:
        made.append(items)
        return accept(fn, args, kwargs, options, subject, items, twin)

    dispatcher.accept = note
    try:
        return made, list(executor.map(fn, *iterables, **how))
    finally:
        dispatcher.accept = accept


def test_plain_values_go_together(executor: AdaptiveExecutor) -> None:
    """The fewer are left the fewer, so that no core has nothing to do, but never so few that they take no time."""
    known(executor, half)
    dispatcher, left, together = executor._dispatcher, 10_000, []
    while left:
        together.append(min(left, dispatcher.calls_in_one(half, Options(), left) or 0))
        left -= together[-1]
    assert -(-10_000 // (2 * dispatcher._router.machine.cores)) == together[0]
    assert sorted(together, reverse=True) == together
    assert 50 <= together[-2] <= 200

    made, results = sizes(executor, half, range(10_000))
    assert together[0] == made[0]
    assert 10_000 == sum(made)
    assert [n / 2 for n in range(10_000)] == results
    assert len(sizes(executor, half, range(AT_LEAST))[0]) < 5
    known(executor, joined)
    together, results = sizes(executor, joined, ["a"] * 500, "b" * 500)
    assert together[0] > 10
    assert ["ab"] * 500 == results


def test_a_few_that_take_long_count(executor: AdaptiveExecutor) -> None:
    """A call that is usual says little of what many take as one, if some take far longer."""
    known(executor, half)
    record = executor._dispatcher._store.record(half)
    assert 0.0 == record.mean()
    usual = record.together(100).cpu
    for _ in range(20):
        record.took_together(100, 50_000_000)
    assert 0.0005 == pytest.approx(record.mean())
    assert 0.05 == pytest.approx(record.together(100).cpu)
    assert usual < 0.01
    assert executor._dispatcher.calls_in_one(half, Options(), 1 << 20) == 100


def test_not_a_number_is_looked_after(executor: AdaptiveExecutor) -> None:
    """A copy of it could be told from it."""
    known(executor, half)
    items = [float("nan"), *map(float, range(499))]
    assert {1} == set(sizes(executor, half, items)[0])


def test_a_function_that_is_not_known_is_given_a_moment(executor: AdaptiveExecutor) -> None:
    """A few calls by themselves, then many as one, in order."""
    results = executor.map(half, range(5_000))
    kinds = [future.decision is not None for future in list(results._under_way)[:PROBES]]
    assert [True] * PROBES == kinds

    assert [n / 2 for n in range(5_000)] == list(results)
    assert sizes(executor, half, range(5_000))[0][0] > 1


def test_a_function_that_is_not_known_goes_together_at_once(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as a few calls have shown that it is over in no time, however long the first has to be prepared."""
    monkeypatch.setattr("adaptive_exec.mapping.LONGEST_PROBE_SECONDS", 20.0)
    made, results = sizes(executor, half, range(5_000))

    assert [n / 2 for n in range(5_000)] == results
    assert len(made) < 5 * PROBES


def test_what_takes_long_is_not_waited_for(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that has been running for a while has shown that it is none to go together with others."""
    monkeypatch.setattr("adaptive_exec.mapping.LONGEST_PROBE_SECONDS", 60.0)
    gate = threading.Event()

    def waits(n: int) -> int:
        gate.wait(20)
        return n

    results = executor.map(waits, range(AT_LEAST))
    assert not gate.is_set()
    assert AT_LEAST == len(results._under_way)
    gate.set()
    assert list(range(AT_LEAST)) == list(results)


def test_what_is_left_goes_one_by_one(executor: AdaptiveExecutor) -> None:
    """As soon as calls turn out to be worth that, none twice and none left out."""
    for iterables in ([range(500)], [range(500), range(500)]):
        fn: Callable[..., Any] = half if len(iterables) == 1 else larger
        left = iter([10, 7, 1])
        results: MapResults[Any] = MapResults(
            lambda carrier, args, items: executor.submit(carrier, *args),
            fn,
            tuple(iterables),
            timeout=None,
            chunksize=None,
            buffersize=None,
            ordered=True,
            plan=lambda _, left=left: next(left),  # type: ignore[misc]
            lasts=lambda *_: False,
            later=lambda _: None,
        )
        assert 1 + 500 - 7 == len(results._under_way)  # it was asked once before whether it knows
        assert list(map(fn, *iterables)) == list(results)


def test_closed_while_results_are_gone_through(executor: AdaptiveExecutor) -> None:
    """No more come, though they are there."""
    known(executor, half)
    results = executor.map(half, range(5_000))
    taken = []
    for value in results:
        taken.append(value)
        if value == 7.0:
            results.close()

    assert [n / 2 for n in range(15)] == taken


@pytest.mark.parametrize(
    ("fn", "items", "how"),
    [
        (half, range(AT_LEAST - 1), {}),
        (half, iter(range(500)), {}),
        (half, range(500), {"buffersize": 300}),
        (notes, range(500), {}),
        (rests, range(500), {}),
        (first_of, [[n] for n in range(500)], {}),
        (work.async_double, range(500), {}),
    ],
    ids=["few", "an iterator", "a buffer", "it changes things", "it waits", "not plain", "coroutines"],
)
def test_one_by_one(
    executor: AdaptiveExecutor, fn: Callable[..., Any], items: Any, how: dict[str, Any]
) -> None:
    """Whatever might notice."""
    known(executor, fn)

    assert {1} == set(sizes(executor, fn, items, **how)[0])


@pytest.mark.parametrize(
    ("options", "cpu_ns", "together"),
    [
        (Options(), 10_000, 5000),
        (Options(), 10, 10_000),
        (Options(), 1_000_000, 50),
        (Options(), 10_000_000, 5),
        (Options(), 26_000_000, 1),
        (Options(backend="thread"), 10_000, 5000),
        (Options(backend="process"), 10_000, 5000),
        (Options(backend="loop"), 10_000, 1),
        (Options(kind="io"), 10_000, 1),
        (Options(kind="cpu"), 10_000, 5000),
        (Options(timeout=1.0), 10_000, 1),
        (Options(retries=1), 10_000, 1),
    ],
)
def test_by_options_and_cost(
    executor: AdaptiveExecutor, options: Options, cpu_ns: int, together: int
) -> None:
    """What is wanted of each call by itself is done by itself."""
    dispatcher = executor._dispatcher
    assert dispatcher.calls_in_one(half, options, 1 << 20) in (None, 1)
    known(executor, half, cpu_ns)

    assert together == dispatcher.calls_in_one(half, options, 1 << 20)


def test_a_twin_counts_calls(executor: AdaptiveExecutor) -> None:
    """It runs where many are in flight, so each is."""

    @task(executor=executor)
    def plain(n: int) -> int:
        return n + 1

    @plain.coroutine
    async def _(n: int) -> int:
        return n + 1

    known(executor, plain._fn)

    results = plain.map(range(200))
    assert 1 == results._chunksize
    assert list(range(1, 201)) == list(results)


def test_on_a_loop_nobody_waits_for_probes(
    executor: AdaptiveExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known then decides."""

    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("adaptive_exec.mapping.wait", never)

    async def main() -> list[float]:
        return [each async for each in executor.map(half, range(300))]

    assert [n / 2 for n in range(300)] == asyncio.run(main())


@pytest.mark.parametrize("chunksize", [None, 1, 7])
def test_an_error_comes_where_it_was(executor: AdaptiveExecutor, chunksize: int | None) -> None:
    """After all results before it, and it ends the rest."""
    known(executor, inverse)
    results = executor.map(inverse, [*range(1, 200), 0, *range(1, 200)], chunksize=chunksize)
    taken: list[float] = []
    with pytest.raises(ZeroDivisionError):
        taken.extend(results)

    assert [1 / n for n in range(1, 200)] == taken
    assert [] == list(results)


def test_what_ends_an_iteration_is_an_error(executor: AdaptiveExecutor) -> None:
    """Results must not seem to be all there were (PEP 479)."""
    outcome = ChunkRunner(ends, rows=False)(range(99, 103))

    assert [99] == outcome.values
    assert isinstance(outcome.error, RuntimeError)
    assert "StopIteration" in str(outcome.error)


def test_taking_results_by_turns(executor: AdaptiveExecutor) -> None:
    """One after the other, whichever way they are asked for; a loop that is left can be gone on with."""
    known(executor, half)
    results = executor.map(half, range(1_000))
    assert 0.0 == next(results)
    for value in results:
        if value == 50.0:
            break
    assert 50.5 == next(results)
    assert [51.0, 51.5] == [next(iter(results)), next(results)]
    assert [(52.0, 52.5), (53.0, 53.5)] == [
        pair for _, pair in zip(range(2), zip(results, results, strict=True), strict=False)
    ]

    assert 1000 - 108 == len(list(results))


def test_a_deadlock_is_not_made() -> None:
    """Calls that wait for each other never stand in one line: only what can't wait goes together."""
    together = threading.Barrier(AT_LEAST)

    def meet(_: int) -> int:
        return together.wait(30)

    with AdaptiveExecutor() as executor:
        assert list(range(AT_LEAST)) == sorted(executor.map(meet, range(AT_LEAST)))


def test_chunks_are_routed_as_what_they_are(executor: AdaptiveExecutor) -> None:
    """What is too small by itself is worth the way as many; and each counts as what it has used at home."""
    executor.options(backend="process").submit(work.pid).result(60)
    known(executor, half, 10_000)
    results = executor.map(half, range(20_000))
    futures = list(results._under_way)
    assert [n / 2 for n in range(20_000)] == list(results)
    backends = {future.decision.backend for future in futures if future.decision is not None}

    assert "thread" in executor.explain(half).backend
    assert ("process" in backends) is gil_enabled()
    record = executor._dispatcher._store.record(half)
    assert record.estimator.profile().calls > 500  # some twenty chunks would be no more than that


@pytest.mark.parametrize(("fn", "by_others"), [(half, False), (pair, True)])
def test_who_reads_plain_results_ends_their_calls(
    executor: AdaptiveExecutor, fn: Callable[[int], Any], by_others: bool
) -> None:
    """To read others may run somebody's code, and is left to another thread, which has to be woken for it."""
    workers: Any = executor._dispatcher._processes
    deliver, left = workers._crew.deliver, []

    def note(act: Callable[[], object]) -> None:
        left.append(act)
        deliver(act)

    there = executor.options(backend="process")
    for _ in range(50):
        list(there.map(fn, range(40), chunksize=10))
        workers._crew.deliver = note
        futures = [there.map(fn, range(40), chunksize=10) for _ in range(5)]
        assert [[fn(n) for n in range(40)]] * 5 == [list(each) for each in reversed(futures)]
        workers._crew.deliver = deliver
        if not by_others or left:
            break

    assert by_others is bool(left)


def test_times() -> None:
    """A profile of many calls as one."""
    one = Profile(calls=9, wall=0.002, cpu=0.001, cpu_ratio=0.5, payload_bytes=100, pickling=1e-6)
    many = one.times(10)

    assert (0.02, 0.01, 0.5, 1000) == (many.wall, many.cpu, many.cpu_ratio, many.payload_bytes)
    assert many.pickling == pytest.approx(1e-5)
    assert one is one.times(1)
    assert Profile(cpu=1.0) != Profile(cpu=1.0).times(2)
    assert Profile().times(3).payload_bytes is None


@pytest.mark.parametrize("backend", ["thread", None])
def test_many_as_one_are_not_brief(executor: AdaptiveExecutor, backend: Any) -> None:
    """Calls that are over in no time have a lane of their own; a thousand of them as one don't belong there."""
    known(executor, half)
    threads: Any = executor._dispatcher._threads
    inside, lanes = threads.submit, set()

    def submit(task: Any) -> bool:
        lanes.add((task.items, task.lane))
        inside(task)
        return True

    threads.submit = submit
    executor._dispatcher._swift._put = submit
    view = executor.options(backend=backend)
    assert [n / 2 for n in range(2_000)] == list(view.map(half, range(2_000), chunksize=1_000))
    assert 1.0 == view.submit(half, 2).result(20)

    assert {(1_000, "gil" if gil_enabled() else "free"), (1, "brief")} == lanes


class Once:
    """Can be asked for its items once, and says nothing true of how many there are."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked = 0

    def __len__(self) -> int:
        return 10**10

    def __iter__(self) -> Iterator[int]:
        self.asked += 1
        return iter(range(self.count))


def test_iterables_are_asked_once(executor: AdaptiveExecutor) -> None:
    """And not for how much they are: what they say may be wrong, and asking may have effects."""
    known(executor, half)
    items = Once(200)
    assert [n / 2 for n in range(200)] == list(executor.map(half, items))
    assert 1 == items.asked
    assert [n * n for n in range(200)] == list(executor.map(pow, Once(200), [2] * 200))


def test_nothing_is_kept_of_what_was_given_out(executor: AdaptiveExecutor) -> None:
    """Neither the last result nor, once all were submitted, the items."""

    class Value:
        """Can be seen to go."""

    def make(_: int) -> Value:
        return Value()

    results = executor.map(make, range(3))
    gone = weakref.ref(next(results))
    until(lambda: gc.collect() is not None and gone() is None)

    known(executor, half)
    halves = executor.map(half, range(1_000))
    assert not halves._all
    assert 1_000 == len(list(halves))


def test_an_iterable_asks_for_results_itself(executor: AdaptiveExecutor) -> None:
    """It gets some, and the others are not lost."""
    taken: list[float] = []

    class Items(Iterator[int]):
        """Not a generator, which can't be asked while it is."""

        results: Any = None
        given = -1

        def __next__(self) -> int:
            mine = self.given = self.given + 1
            if mine == 20:
                taken.append(next(self.results))
            if mine >= 40:
                raise StopIteration
            return mine

    items = Items()
    items.results = executor.map(half, items, chunksize=4, buffersize=8)
    taken.extend(items.results)
    assert [n / 2 for n in range(40)] == sorted(taken)


def test_closed_before_an_error_was_given_out(executor: AdaptiveExecutor) -> None:
    """It is not raised afterwards."""
    results = executor.map(inverse, [1, 2, 0, 4], chunksize=4)
    assert 1.0 == next(results)
    results.close()
    assert [] == list(results)


def test_what_only_this_loop_could_bring_is_not_waited_for(executor: AdaptiveExecutor) -> None:
    """In whichever order results are wanted: it says what to do instead."""

    async def main(ordered: bool) -> None:
        results = executor.map(work.async_double, range(3), ordered=ordered)
        with pytest.raises(RuntimeError, match="await it"):
            next(results)

    for ordered in (True, False):
        asyncio.run(main(ordered))


def test_on_the_only_thread_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that maps gives its place to the calls it waits for."""
    monkeypatch.setattr("adaptive_exec.mapping.LONGEST_PROBE_SECONDS", 60.0)
    with AdaptiveExecutor(max_threads=1, max_processes=1) as executor:

        def maps() -> list[float]:
            return list(executor.map(half, range(AT_LEAST)))

        assert [n / 2 for n in range(AT_LEAST)] == executor.submit(maps).result(30)
