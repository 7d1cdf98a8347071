"""From samples to a profile: figures, settling, sampling less, drift, and many threads at once."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_exec.model import Machine, Profile
from adaptive_exec.profiling import figures
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.evidence import Evidence, half_width
from adaptive_exec.routing.policy import is_trusted
from adaptive_exec.sample import Sample
from tests.profiling.fakes import MS

pytestmark = pytest.mark.full  # plain sums, the same on every Python

WINDOW = 200_000


def computes(ms: float, *, wall: float | None = None, looks: int | None = None, free: float = 0.0) -> Sample:
    """A call with so much CPU; each look brought a window in which this part of its CPU rate was gained."""
    wall_ms = ms if wall is None else wall
    seen = looks or 0
    rate = ms / wall_ms
    return Sample(
        int(wall_ms * MS),
        int(ms * MS),
        sampled_ns=int(wall_ms * MS) if seen else 0,
        gil_wait_ns=int(wall_ms * MS) if seen and not free else 0,
        window_ns=seen * WINDOW,
        free_ns=int(seen * WINDOW * rate * free),
        looks=looks,
    )


def waits(ms: float, *, wall: float | None = None, looks: int | None = None, cpu: float = 0.05) -> Sample:
    """A call that is blocked so long; a longer wall is spent wanting the GIL."""
    wall_ms = ms + cpu if wall is None else wall
    return Sample(
        int(wall_ms * MS),
        int(cpu * MS),
        sampled_ns=int(wall_ms * MS) if looks else 0,
        blocked_ns=int(ms * MS) if looks else 0,
        gil_wait_ns=int((wall_ms - ms) * MS) if looks else 0,
        window_ns=(looks or 0) * WINDOW,
        looks=looks,
    )


def estimate(samples: Iterable[Sample]) -> Estimator:
    """What is made of these, on an interpreter with a GIL."""
    estimator = Estimator(has_gil=True)
    for sample in samples:
        estimator.add(sample)
    return estimator


def test_nothing_is_known_of_a_new_function() -> None:
    """A profile of no calls is empty and not settled, and its first call wants to be sampled."""
    estimator = Estimator(has_gil=True)

    assert Profile() == estimator.profile()
    assert estimator.needs_sampling()
    assert 0.0 == estimator.gil_spent_s


@pytest.mark.parametrize(
    ("samples", "ratio", "gil", "settled"),
    [
        pytest.param([computes(5, looks=2)], 1.0, 1.0, True, id="one call of 5 ms that holds the GIL"),
        pytest.param([computes(5, looks=2, free=0.97)], 1.0, 0.03, True, id="one call of 5 ms that does not"),
        pytest.param([waits(30, looks=5)], 0.0, None, True, id="one wait of 30 ms"),
        pytest.param([computes(5)], 1.0, None, False, id="one call nobody looked at: the GIL is open"),
        pytest.param([waits(30)], 0.0, None, False, id="one wait nobody looked at: a crowd?"),
        pytest.param([waits(30)] * 4, 0.0, None, True, id="four equal waits are no crowd"),
        pytest.param(
            [waits(30, looks=0)] * 4, 0.0, None, False, id="four watched ones that no look met may be"
        ),
        pytest.param([computes(0.05)] * 3, 1.0, None, False, id="three short calls"),
        pytest.param([computes(0.05)] * 4, 1.0, None, True, id="four short calls"),
        pytest.param([waits(1)] * 4, 0.05, None, True, id="four waits of 1 ms"),
        pytest.param(
            [computes(10, wall=250, looks=12)] * 4, 1.0, 1.0, True, id="computing in a crowd never waits"
        ),
        pytest.param(
            [computes(0.05), *[computes(0.05, wall=150)] * 3],
            1.0,
            None,
            True,
            id="short, in a crowd, lucky once",
        ),
    ],
)
def test_kinds_are_told_apart(samples: list[Sample], ratio: float, gil: float | None, settled: bool) -> None:
    """CPU ratio, GIL ratio and whether they suffice, for each kind of function."""
    profile = estimate(samples).profile()

    assert ratio == pytest.approx(profile.cpu_ratio, abs=0.03)
    assert (gil is None) == (profile.gil_ratio is None)
    assert gil is None or gil == pytest.approx(profile.gil_ratio, abs=0.05)
    assert settled is profile.settled
    assert len(samples) == profile.calls


@pytest.mark.parametrize("free", [0.0, 1.0])
def test_the_windows_of_one_call_are_no_independent_witnesses(free: float) -> None:
    """However many a call met, a second call has to say the same before it is certain."""
    machine = Machine(cores=2, processes=2)
    one = estimate([computes(143, looks=30, free=free)]).profile()
    two = estimate([computes(143, looks=30, free=free), computes(90, looks=12, free=free)]).profile()

    assert one.settled
    assert not is_trusted(one, machine)
    assert is_trusted(two, machine)


def test_calls_that_still_run_tell_together() -> None:
    """Two at once are two witnesses."""
    estimator = estimate([])
    running = [computes(150, looks=20, free=1.0), computes(120, looks=20, free=1.0)]
    machine = Machine(cores=2, processes=2)

    assert not is_trusted(estimator.add_live(running[:1]), machine)
    assert is_trusted(estimator.add_live(running), machine)
    assert 0 == estimator.profile().calls


def test_a_wait_is_recovered_from_a_crowd() -> None:
    """30 ms of waiting in walls of 130 ms, seen by the chance of one look every 100 ms."""
    chance = random.Random(7)
    samples = []
    for _ in range(64):
        looks = [at for at in (chance.uniform(0, 100), chance.uniform(0, 100) + 100) if at < 130]
        blocked = sum(100 * MS for at in looks if at < 30)
        samples.append(
            Sample(130 * MS, MS // 10, sampled_ns=100 * MS * len(looks), blocked_ns=blocked, looks=len(looks))
        )

    profile = estimate(samples).profile()

    assert 0.020 <= profile.waiting <= 0.045
    assert profile.cpu_ratio < 0.01


def slept(wall: float, certain: float, *, cpu: float = 0.1, looks: int = 0) -> Sample:
    """A call that waited at least so long for something other than the GIL; looks, if any, met it wanting the GIL."""
    made = computes(cpu, wall=wall, looks=looks)
    return made._replace(looks=looks, waited_ns=int(certain * MS))


@pytest.fixture
def wants_for_5_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    """On builds without a GIL, too, a sleep may have been for it."""
    monkeypatch.setattr(figures, "longest_want_ns", lambda: 5_100_000)


@pytest.mark.usefixtures("wants_for_5_ms")
def test_a_wait_is_recovered_where_looks_come_too_late() -> None:
    """30 ms of waiting in walls of 190 ms, never met by a look: by the sleeps in it, 22 ms at least are certain."""
    walls = (190, 150, 230, 200)
    profile = estimate([slept(wall, 22.4, looks=1) for wall in walls]).profile()

    assert 0.020 <= profile.waiting <= 0.045
    assert profile.cpu_ratio < 0.01
    assert profile.settled


@pytest.mark.usefixtures("wants_for_5_ms")
def test_two_calls_are_not_enough_to_be_certain() -> None:
    """A machine that stood still for a moment makes one call seem to wait, or two."""
    assert estimate([slept(190, 22.4, looks=3)] * 2).profile().waiting < 0.001
    assert estimate([slept(190, 22.4, looks=1), *[slept(190, 0, looks=1)] * 3]).profile().waiting < 0.001


@pytest.mark.usefixtures("wants_for_5_ms")
def test_what_computes_is_never_taken_for_waiting_by_its_sleeps() -> None:
    """Calls that want the GIL sleep often, so that nothing of that is certain."""
    profile = estimate([slept(500, 0, cpu=10, looks=2)] * 8).profile()

    assert 1.0 == profile.cpu_ratio


@pytest.mark.usefixtures("wants_for_5_ms")
def test_good_looks_go_before_sleeps() -> None:
    """Where looks are many they tell more exactly how long a call waited."""
    seen = waits(30, looks=12)._replace(waited_ns=25 * MS)

    assert 0.0295 <= estimate([seen] * 6).profile().waiting <= 0.0305


def test_one_call_in_five_that_waits_counts_by_its_mean() -> None:
    """Where some calls do not wait at all the waiting is the mean that the looks tell."""
    profile = estimate([waits(100, looks=5), *[computes(1, looks=1)] * 4] * 3).profile()

    assert 0.010 <= profile.waiting <= 0.030


def test_figures_are_the_undisturbed_ones() -> None:
    """CPU is the median and the wall is without what a crowd added, so that one slow call does no harm."""
    profile = estimate([computes(10), computes(10, wall=90), computes(11), computes(60, wall=400)]).profile()

    assert 0.0105 == pytest.approx(profile.cpu)
    assert 0.0105 == pytest.approx(profile.wall, rel=0.01)


def test_workers_are_believed_first() -> None:
    """A worker runs one task at a time, so its samples decide where there are a few; what one was given is chance."""
    crowded = [computes(20, wall=100)] * 6
    alone = [Sample(10 * MS, 10 * MS, alone=True)] * 3

    assert 0.010 == pytest.approx(estimate([*crowded, *alone]).profile().cpu)
    assert 0.020 == pytest.approx(estimate([*crowded, *alone[:2]]).profile().cpu)


def test_failed_calls_are_counted_and_not_measured() -> None:
    """A call that raised at once says nothing of the others; if all raise, they are what there is."""
    failed = Sample(1000, 1000, failed=True)

    mixed, only = estimate([computes(10), failed, failed]).profile(), estimate([failed]).profile()

    assert (3, 1) == (mixed.calls, only.calls)
    assert 0.010 == pytest.approx(mixed.cpu)
    assert 1e-6 == pytest.approx(only.cpu)


def test_payload_is_arguments_and_result() -> None:
    """The median of each, added; unknown as long as nobody pickled anything."""
    small = Sample(MS, MS, argument_bytes=100, result_bytes=1000)
    large = Sample(MS, MS, argument_bytes=300, result_bytes=1000)
    arguments_only = Sample(MS, MS, argument_bytes=50)

    assert estimate([computes(1)]).profile().payload_bytes is None
    assert 1100 == estimate([small, large, small]).profile().payload_bytes
    assert 100 == estimate([small, large, small]).profile().uncertainty.payload_bytes
    assert 50 == estimate([arguments_only]).profile().payload_bytes


def test_coroutines_wait_for_what_is_left_of_the_wall() -> None:
    """Their steps are measured, so the low quantile of the rest is their waiting."""
    samples = [Sample((50 + extra) * MS, MS, steps=3, longest_step_ns=MS // 2) for extra in (0, 9, 1, 30)]
    profile = estimate(samples).profile()

    assert 0.05 == pytest.approx(profile.wall, abs=0.002)
    assert profile.gil_ratio is None


def test_without_a_gil_the_axis_is_zero_and_certain() -> None:
    """On a free-threaded build nothing holds the GIL, and settling does not wait for it."""
    estimator = Estimator(has_gil=False)
    estimator.add(computes(5, looks=1))
    profile = estimator.profile()

    assert (0.0, 0.0, True) == (profile.gil_ratio, profile.uncertainty.gil_ratio, profile.settled)


def test_uncertainty_is_infinite_where_nothing_was_measured() -> None:
    """And finite and honest where it was: one call has no range, two have half of it."""
    one, two = estimate([computes(10)]).profile(), estimate([computes(10), computes(14)]).profile()

    assert math.isinf(one.uncertainty.cpu)
    assert math.isinf(one.uncertainty.gil_ratio)
    assert math.isinf(one.uncertainty.payload_bytes)
    assert 0.002 == pytest.approx(two.uncertainty.cpu)


def test_live_call_gives_a_provisional_profile_and_stores_nothing() -> None:
    """A first call that is still running is known by what it did so far."""
    estimator = Estimator(has_gil=True)
    live = estimator.add_live([computes(50, looks=5)])

    assert (1.0, 1.0) == (live.cpu_ratio, live.gil_ratio)
    assert 0.05 == pytest.approx(live.cpu)
    assert Profile() == estimator.profile()


def test_live_call_that_is_short_so_far_changes_no_cost() -> None:
    """What has run of a call is a lower bound; only what exceeds the known counts."""
    estimator = estimate([computes(10)] * 2)

    assert 0.010 == pytest.approx(estimator.add_live([computes(1)]).cpu)
    assert 0.010 < estimator.add_live([computes(1000)]).cpu + 1e-9


def test_unsettled_functions_are_sampled_at_every_call_and_settled_ones_seldom() -> None:
    """After settling one call in eight is watched; of calls of 50 us one in 256, of 1 ms one in 18."""
    unsettled = estimate([computes(5)])
    settled, short = estimate([computes(5, looks=2)] * 4), estimate([computes(0.05)] * 4)
    between = estimate([computes(1, looks=2)] * 4)

    assert all(unsettled.needs_sampling() for _ in range(10))
    assert 10 == sum(settled.needs_sampling() for _ in range(80))
    assert 9 <= sum(short.needs_sampling() for _ in range(2400)) <= 10
    assert 10 <= sum(between.needs_sampling() for _ in range(180)) <= 11


def test_a_watched_call_that_no_window_met_is_made_up_for() -> None:
    """The next one is watched in its place, up to three in a row; then it is another eight calls."""
    estimator = estimate([computes(5, looks=2)] * 20)
    missed = computes(5, looks=2)._replace(window_ns=0)
    asked = []
    for _ in range(30):
        wanted = estimator.needs_sampling()
        asked.append(wanted)
        estimator.add(missed if wanted else computes(5))

    first = asked.index(True)
    assert [True] * 4 + [False] * 7 + [True] == asked[first : first + 12]


def test_a_short_call_that_no_window_met_is_not_made_up_for() -> None:
    """To watch it costs too much of its time."""
    estimator = estimate([computes(0.9, looks=1)] * 20)
    wanted = False
    for _ in range(21):
        if wanted := estimator.needs_sampling():
            break
    assert wanted
    estimator.add(computes(0.9, looks=1)._replace(window_ns=0))

    assert not estimator.needs_sampling()


def test_windows_of_many_milliseconds_are_soon_outweighed() -> None:
    """What kept the sampler waiting for the GIL for 5 ms a call, and then lets go of it, is another function."""
    held = computes(5, looks=1)._replace(window_ns=5 * MS)
    estimator = estimate([held] * 30)
    assert 0.9 < (estimator.profile().gil_ratio or 0.0)
    for _ in range(4):
        estimator.add(computes(5, looks=2, free=1.0))

    assert 0.1 > (1.0 if (found := estimator.profile().gil_ratio) is None else found)


@pytest.mark.parametrize("known", [12, 30])
def test_calls_that_no_longer_let_go_of_the_gil_are_not_explained_away(known: int) -> None:
    """Each of them also changes the profile it is compared with; so they are compared with what it was before."""
    estimator = estimate([computes(5, looks=1, free=1.0)] * known)
    for _ in range(6):
        estimator.add(computes(5, looks=1))

    assert 0.9 < (estimator.profile().gil_ratio or 0.0)


def test_a_function_of_two_halves_is_not_taken_for_another_one() -> None:
    """Now and then looks meet the same half of it several times in a row."""
    halves = [computes(5, looks=1, free=free) for free in (0.0, 1.0)]
    estimator = estimate([halves[n % 2] for n in range(30)])
    calls = 30
    for free in (0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0):
        estimator.add(halves[free])
        calls += 1
        assert calls == estimator.knowledge().calls  # type: ignore[union-attr]


def test_open_gil_question_goes_on_being_sampled_for_a_while() -> None:
    """Settled by patience, but computing for long and nobody knows whether under the GIL: up to 32 calls."""
    estimator = estimate([computes(5)] * 8)
    asked = estimator.profile().settled and estimator.needs_sampling()
    for _ in range(32):
        estimator.add(computes(5))

    assert asked
    assert 1 == sum(estimator.needs_sampling() for _ in range(8))


def test_gil_time_spent_at_home_is_added_up() -> None:
    """All CPU as long as the GIL ratio is unknown, its share afterwards; nothing of what workers did."""
    unknown = estimate([computes(5)] * 2)
    free = estimate([computes(5, looks=3, free=1.0)] * 2)
    away = estimate([Sample(5 * MS, 5 * MS, alone=True)])

    assert 0.010 == pytest.approx(unknown.gil_spent_s)
    assert 0.0 == pytest.approx(free.gil_spent_s)
    assert 0.0 == away.gil_spent_s


def test_a_wait_that_is_gone_is_forgotten_within_20_calls() -> None:
    """What is left of the wall bounds the waiting, so a cache that hits now shows without any look."""
    estimator = estimate([waits(30, looks=5)] * 40)
    for _ in range(20):
        estimator.add(computes(0.05))

    assert estimator.profile().waiting < 0.001


def alone(ms: float) -> Sample:
    """A call in a worker that only computes."""
    return Sample(int(ms * MS) + 1000, int(ms * MS), alone=True)


def test_a_change_of_cost_in_a_worker_is_no_reason_to_doubt_all() -> None:
    """Calls that take four times as long there are taken for that, and what is known of the GIL stays."""
    estimator = estimate([*[computes(5, looks=3)] * 6, *[alone(5)] * 6])
    before = estimator.profile()
    for _ in range(4):
        estimator.add(alone(20))
    after = estimator.profile()

    assert before.settled
    assert after.settled
    assert before.gil_ratio == after.gil_ratio
    assert 0.020 == pytest.approx(after.cpu)


def test_a_change_to_waiting_in_a_worker_starts_again() -> None:
    """A call that computes a fraction of what it did, and takes longer, may be anything now."""
    estimator = estimate([*[computes(5, looks=3)] * 6, *[alone(5)] * 6])
    for _ in range(4):
        estimator.add(Sample(30 * MS, MS // 10, alone=True))

    assert estimator.profile().gil_ratio is None


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (computes(10, looks=2), computes(10, looks=2, free=0.97)),
        (computes(10, looks=2, free=0.97), computes(10, looks=2)),
    ],
    ids=["bound to free", "free to bound"],
)
def test_one_clear_window_asks_for_more_looks(known: Sample, other: Sample) -> None:
    """A call that gains in a window what it never did before, or no longer does, makes the next ones be watched."""
    estimator = estimate([known] * 20)
    before = sum(estimator.needs_sampling() for _ in range(8))
    estimator.add(other)

    assert 1 == before
    assert all(estimator.needs_sampling() for _ in range(6))


STEADY: dict[str, Callable[[bool], Sample]] = {
    "computes": lambda looked: computes(10, looks=2 if looked else None),
    "computes, GIL-free": lambda looked: computes(10, looks=2 if looked else None, free=0.97),
    "waits": lambda looked: waits(30, looks=5 if looked else None),
    "computes longer": lambda looked: computes(50, looks=5 if looked else None),
    "computes and waits": lambda looked: waits(50, cpu=10, looks=5 if looked else None),
}


def is_like(profile: Profile, kind: str) -> bool:
    """Whether a profile tells that kind."""
    one = estimate([STEADY[kind](True)] * 4).profile()
    same_gil = one.gil_ratio is None or (
        profile.gil_ratio is not None and abs(one.gil_ratio - profile.gil_ratio) < 0.35
    )
    return abs(profile.cpu_ratio - one.cpu_ratio) < 0.2 and 0.5 < profile.cpu / one.cpu < 2 and same_gil


def run(estimator: Estimator, kind: str, calls: int) -> None:
    """So many calls of that kind, watched when the estimator wants them watched."""
    for _ in range(calls):
        estimator.add(STEADY[kind](estimator.needs_sampling()))


@pytest.mark.parametrize("after", STEADY)
@pytest.mark.parametrize("before", STEADY)
def test_a_change_of_nature_is_noticed_within_20_calls(before: str, after: str) -> None:
    """From every kind to every other, after 100 calls in which sampling has become rare."""
    estimator = Estimator(has_gil=True)
    run(estimator, before, 100)
    was_right = is_like(estimator.profile(), before)
    run(estimator, after, 20)

    assert was_right
    assert is_like(estimator.profile(), after), estimator.profile()
    assert 120 - estimator.profile().calls < 16


def test_a_crowd_is_no_drift() -> None:
    """When others fill the GIL, walls grow twentyfold; a function that computes still computes, and is known."""
    estimator = Estimator(has_gil=True)
    run(estimator, "computes", 100)
    sampled = 0
    for _ in range(200):
        wanted = estimator.needs_sampling()
        sampled += wanted
        estimator.add(computes(10, wall=200, looks=2 if wanted else None))
    profile = estimator.profile()

    assert profile.cpu_ratio > 0.95
    assert profile.settled
    assert sampled <= 60


def test_single_outliers_are_no_drift() -> None:
    """One call in ten that is fifty times as dear changes neither figures nor nature."""
    estimator = Estimator(has_gil=True)
    for call in range(100):
        estimator.add(computes(500 if call % 10 == 9 else 10, looks=2))

    assert 0.010 == pytest.approx(estimator.profile().cpu)
    assert estimator.profile().settled


class LeavingLock:
    """A lock at whose release another thread has just left a sample and gone."""

    def __init__(self, leave: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._leave: Callable[[], object] | None = leave

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def locked(self) -> bool:
        return self._lock.locked()

    def release(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            other = threading.Thread(target=leave)
            other.start()
            other.join()
        self._lock.release()


@pytest.mark.parametrize("action", ["add", "profile", "needs_sampling", "add_live"])
def test_sample_left_at_the_last_moment_is_learned(action: str) -> None:
    """Race 1: whoever holds the lock looks once more after letting go."""
    estimator: Any = estimate([computes(1)])
    estimator._stale = 1
    estimator._lock = LeavingLock(lambda: estimator.add(computes(1)))
    arguments: dict[str, list[Any]] = {"add": [computes(1)], "add_live": [[computes(1)]]}
    getattr(estimator, action)(*arguments.get(action, []))

    assert not estimator._pending
    assert (3 if action == "add" else 2) == estimator._calls


def test_nobody_waits_for_a_preempted_holder() -> None:
    """While somebody holds the lock, calls return at once: with the last profile, and the sample is kept."""
    estimator = estimate([computes(5)])
    known = estimator.profile()
    with estimator._lock:
        estimator.add(computes(7))
        answers = (estimator.profile(), estimator.needs_sampling(), estimator.add_live([computes(9)]))
    after = estimator.profile()

    assert (known, True, known) == answers
    assert 2 == after.calls


def test_a_full_backlog_waits_for_the_holder() -> None:
    """Race 2: a holder that is preempted for long costs no sample; the one that is too many waits for it."""
    estimator = estimate([])
    with estimator._lock:
        for _ in range(1024):
            estimator.add(computes(1))
        late = threading.Thread(target=estimator.add, args=(computes(1),))
        late.start()
        late.join(0.05)
        assert late.is_alive()
    late.join()

    assert 1025 == estimator._calls
    assert not estimator._pending


def test_many_threads_lose_no_call() -> None:
    """Eight threads add at once; every call is counted and its CPU time with it."""
    estimator = Estimator(has_gil=True)
    start = threading.Barrier(8)

    def add_some() -> None:
        start.wait()
        for _ in range(200):
            estimator.add(computes(1))
            estimator.needs_sampling()
            estimator.profile()

    threads = [threading.Thread(target=add_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    estimator.profile()

    assert 1600 == estimator._calls
    assert 1.6 == pytest.approx(estimator.gil_spent_s)


def test_memory_is_bounded() -> None:
    """Ten thousand calls leave no more behind than a hundred."""
    estimator: Any = estimate(computes(1, looks=1) for _ in range(10_000))

    assert len(estimator._recent) <= 12
    assert len(estimator._payloads) <= 8
    assert not estimator._pending


def any_sample() -> Iterator[st.SearchStrategy[Sample]]:
    """Samples as wild as a broken clock could make them."""
    amounts = st.integers(0, 10**12)
    yield st.builds(
        Sample,
        wall_ns=amounts,
        cpu_ns=amounts,
        sampled_ns=amounts,
        blocked_ns=amounts,
        gil_wait_ns=amounts,
        window_ns=amounts,
        free_ns=amounts,
        looks=st.none() | st.integers(0, 10_000),
        argument_bytes=st.none() | amounts,
        result_bytes=st.none() | amounts,
        alone=st.booleans(),
        failed=st.booleans(),
    )


@given(samples=st.lists(next(any_sample()), max_size=40), has_gil=st.booleans())
def test_whatever_comes_the_figures_stay_in_their_ranges(samples: list[Sample], has_gil: bool) -> None:
    """No sample makes it raise, and ratios are ratios, times are not negative, uncertainty is no NaN."""
    estimator = Estimator(has_gil=has_gil)
    for sample in samples:
        estimator.needs_sampling()
        estimator.add_live([sample])
        estimator.add(sample)
    profile = estimator.profile()

    assert 0.0 <= profile.cpu_ratio <= 1.0
    assert profile.gil_ratio is None or 0.0 <= profile.gil_ratio <= 1.0
    assert min(profile.cpu, profile.wall, profile.waiting, estimator.gil_spent_s) >= 0.0
    spread = profile.uncertainty
    assert all(figure >= 0.0 for figure in (spread.wall, spread.cpu, spread.cpu_ratio, spread.gil_ratio))


@pytest.mark.parametrize(
    ("share", "looks", "least", "most"), [(0, 0, 1, 1), (0, 9, 0.04, 0.06), (0.5, 100, 0.04, 0.06)]
)
def test_half_width_shrinks_with_looks(share: float, looks: float, least: float, most: float) -> None:
    """The Wilson half width: all for no look, small and not zero for a share of zero."""
    assert least <= half_width(share, looks) <= most


def test_windows_in_a_crowd_must_be_many_to_convict() -> None:
    """A thread that computes 3 % of the time is missed by most windows; that is no proof of the GIL."""
    few, many, hit = Evidence(), Evidence(), Evidence()
    few.add(computes(6, wall=200, looks=10))
    for _ in range(60):
        many.add(computes(6, wall=200, looks=10))
    hit.add(Sample(200 * MS, 6 * MS, window_ns=10 * WINDOW, free_ns=WINDOW, looks=10))

    assert (None, 1.0, 0.0) == (few.gil_ratio, many.gil_ratio, hit.gil_ratio)


def test_what_only_computes_by_its_code_is_known_after_one_call() -> None:
    """Among many who want the GIL its wall says nothing, and looks would take a dozen calls."""
    estimator = estimate([computes(5, wall=200)])
    assert not estimator.profile().settled

    estimator.only_computes(1.0)

    profile = estimator.profile()
    assert (1.0, 1.0, True) == (profile.cpu_ratio, profile.gil_ratio, profile.settled)
    assert 0.005 == pytest.approx(profile.wall)
    assert is_trusted(profile, Machine(cores=2))


@pytest.mark.parametrize(("gil", "settled"), [(0.0, True), (None, False)])
def test_what_its_code_says_of_the_gil(gil: float | None, settled: bool) -> None:
    """One call is enough if it is known; if it depends, it is known not to wait, and looks must tell the rest."""
    estimator = estimate([computes(5, wall=200)])

    estimator.only_computes(gil)

    profile = estimator.profile()
    assert (1.0, gil, settled) == (profile.cpu_ratio, profile.gil_ratio, profile.settled)
    assert settled is is_trusted(profile, Machine(cores=2))


def test_what_is_seen_with_certainty_is_believed_in_place_of_the_code() -> None:
    """Reading can be mistaken about what a foreign function does; eyes that have looked often are not."""
    free = estimate([computes(5, looks=8, free=1.0)] * 8)
    bound = estimate([computes(5, looks=40, free=0.0)] * 8)
    bound.only_computes(0.0)
    waiting = estimate([waits(50, looks=20)] * 8)
    for estimator in (free, waiting):
        estimator.only_computes(1.0)

    assert 0.1 > (free.profile().gil_ratio or 0.0)
    assert 0.9 < (bound.profile().gil_ratio or 0.0)
    assert 0.1 > waiting.profile().cpu_ratio


def test_without_a_gil_nothing_holds_it() -> None:
    """What its code says of the GIL means nothing there."""
    estimator = Estimator(has_gil=False)
    estimator.add(computes(5, wall=6))
    estimator.only_computes(1.0)

    assert (1.0, 0.0) == (estimator.profile().cpu_ratio, estimator.profile().gil_ratio)
