"""What is known of one function: samples in, profile out.

Guarantees:
    - Memory is bounded, however many calls there are: 12 samples, 8 that know pickled sizes, a dozen sums, and
      about 1024 samples that are not yet learned (only while a holder of the lock is preempted).
    - No call is lost, and `add`, `add_live`, `profile` and `needs_sampling` may be called by any threads at once.
      None of them waits: whoever finds the lock taken leaves its sample for the holder, or takes the last
      profile. (A holder can lose the GIL for a tenth of a second. Threads that waited for it were seen to queue
      up behind each other, one call at a time.) Only an `add` that finds 1024 samples left waits for the holder.
    - A step change in CPU cost, in nature (computing, waiting) or in what holds the GIL makes the profile start
      again within 20 calls.

Assumes:
    - Nothing of the GIL. A `Profile` is frozen, so that one which was handed out can be read without a lock.

Races:
    1. A sample is left for the holder, who is just about to let go: after letting go it looks once more
       -> tests/profiling/test_estimate.py::test_sample_left_at_the_last_moment_is_learned
    2. The holder is preempted for so long that more samples are left than memory should hold
       -> tests/profiling/test_estimate.py::test_a_full_backlog_waits_for_the_holder

State: `_since_reset` counts calls since the function was new or last changed. Unsettled functions are sampled at
every call; settled ones at every eighth, or less often where a call is so short that watching it would cost
more than 2 % of its time. A watched call that no window met says nothing of the GIL, so the next one is watched in its
place, a few times. Calls that contradict the profile make it start again (drift.py):

    | contradiction                                                   | then                    |
    |-----------------------------------------------------------------|-------------------------|
    | CPU time 3 times as long, or 3 times as short, 4 calls in a row | start again             |
    | the same in a worker, where calls only compute                  | forget the costs        |
    | looks at the last calls say the opposite                        | start again             |
    | they say something else, or a wall is 3 times what is explained | sample the next 8 calls |
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..model import Profile
from ..platform.gil import gil_enabled
from ..sample import Sample
from .drift import COSTLY_ROW, Drift
from .evidence import Evidence
from .figures import Claim, figure_out
from .gain import Company, Gain
from .glances import Glances
from .keeping import Knowledge

__all__ = ["Estimator"]

_RECENT: Final = 12
_PAYLOADS: Final = 8
_PENDING: Final = 1024
_EXACT_CALLS: Final = 64
_REFRESH_CALLS: Final = 8
_SAMPLE_EVERY: Final = 8
_SAMPLE_SELDOM: Final = 256
_WATCH_COST_S: Final = 360e-6  # two wake-ups of an idle core, handing over the GIL for a look, and its window
_SAMPLED_SHARE: Final = 0.02
_GIL_MATTERS_S: Final = 1e-3
_GIL_CALLS: Final = 32
_MISSES: Final = 4
_AFFORDS_NS: Final = 3_000_000
_FEW: Final = 4
_TO_AND_FRO: Final = 3


class _Home(NamedTuple):
    """CPU time spent at home: what held the GIL before the last reset, and all since."""

    gil_ns: float
    cpu_ns: int


class Estimator:
    """Learns what a function's calls cost.

    Args:
        has_gil: Whether the interpreter has a GIL; None to ask it.

    Attributes:
        glances: Of which calls it is enough to know the wall.
        skip: So many of the next calls need not be watched.
    """

    __slots__ = (
        "_by_turns",
        "_calls",
        "_claim",
        "_drift",
        "_evidence",
        "_gain",
        "_has_gil",
        "_home",
        "_lock",
        "_missed",
        "_payloads",
        "_pending",
        "_profile",
        "_recent",
        "_since_reset",
        "_since_sampled",
        "_stale",
        "_varied",
        "glances",
        "skip",
    )

    def __init__(self, *, has_gil: bool | None = None) -> None:
        self._lock = threading.Lock()
        self._pending: deque[Sample] = deque()
        self._has_gil = gil_enabled() if has_gil is None else has_gil
        self._recent: deque[Sample] = deque(maxlen=_RECENT)
        self._payloads: deque[Sample] = deque(maxlen=_PAYLOADS)
        self._evidence = Evidence()
        self._drift = Drift()
        self._profile = Profile()
        self._stale = 0
        self._calls = 0
        self._since_reset = 0
        self._since_sampled = 0
        self.skip = 0
        self._missed = 0
        self._claim: Claim | None = None
        self._by_turns = False
        self._varied = False
        self._home = _Home(0.0, 0)
        self._gain = Gain()
        self.glances = Glances()

    def add(self, sample: Sample) -> None:
        """Learn from a call that has ended."""
        self._pending.append(sample)
        if len(self._pending) > _PENDING:
            with self._lock:
                self._drain()
        self._absorb()

    def add_live(self, samples: Sequence[Sample]) -> Profile:
        """A provisional profile: what is known, and what running calls tell so far. Stores nothing.

        The costs of a call that has not ended are lower bounds, so they count only where they already exceed
        what is known, or where nothing is.

        Args:
            samples: From `CallMeter.peek`; at least one.
        """
        if not self._lock.acquire(blocking=False):
            return self._profile
        try:
            known = self._refreshed()
            evidence = self._evidence.copy()
            for sample in samples:
                evidence.add(sample)
            cpu_ns, wall_ns = known.cpu * 1e9, known.wall * 1e9
            exceeding = [
                sample for sample in samples if sample.cpu_ns >= cpu_ns and sample.wall_ns >= wall_ns
            ]
            recent = [*self._recent, *exceeding] if self._recent else list(samples)
            return self._figures(recent, evidence)
        finally:
            self._release()

    def profile(self) -> Profile:
        """What is known so far; `process_safe` is None.

        For functions with many calls, `Profile.calls` may lag by as many as eight measured ones stand for: 64, or 256
        of calls that are over in no time.
        """
        if (self._stale or self._pending) and self._lock.acquire(blocking=False):
            try:
                return self._refreshed()
            finally:
                self._release()
        return self._profile

    def skips(self) -> bool:
        """Whether it is certain that the next call need not be watched.

        May be asked before `needs_sampling`, which has to be asked if the answer is no. Threads that ask at once
        may count one call for two.
        """
        left = self.skip
        if left <= 0:
            return False
        self.skip = left - 1
        return True

    def rests(self, calls: int) -> None:
        """So many of the next calls need not be watched: as many are already as could tell anything."""
        self.skip = max(self.skip, calls)

    def needs_sampling(self) -> bool:
        """Whether the next call should be watched by the sampler; asked once for each call."""
        if self.skips():
            return False
        if not self._lock.acquire(blocking=False):
            return not self._profile.settled
        try:
            return self._is_due(self._refreshed())
        finally:
            self._release()

    def only_computes(self, gil: float | None) -> None:
        """Its code has been read: it does nothing but to compute.

        Args:
            gil: The part of that in which it holds the GIL, as its code says; None if that must be seen.
        """
        with self._lock:
            self._claim = Claim(gil)
            self._stale = max(self._stale, _REFRESH_CALLS)

    def goes_by_turns(self) -> None:
        """Its code has been read: calls at once keep each other waiting, whether they hold the GIL or not."""
        with self._lock:
            self._by_turns = True
            self._stale = max(self._stale, _REFRESH_CALLS)

    def spread(self) -> float:
        """Seconds between what calls computed lately at most and at least, if they go to and fro.

        One of each is excepted, which may be chance. Calls that have been of one kind and are of another now are no
        spread: then the function has changed.
        """
        with self._lock:
            costs = [sample.cpu_ns for sample in self._recent if not sample.failed]
        if len(costs) < _FEW:
            return 0.0
        ordered = sorted(costs)
        least, most = ordered[1], ordered[-2]
        large = [cost > (least + most) / 2 for cost in costs]
        turns = sum(one is not other for one, other in itertools.pairwise(large))
        return (most - least) / 1e9 if turns >= _TO_AND_FRO else 0.0

    def varies(self) -> None:
        """Calls differ by what they are given: however many are long, that does not make it another function."""
        self._varied = True

    def note_gain(self, sample: Sample, company: Company, cores: int) -> None:
        """Learn from a call on a thread what calls at once gain there; left out if somebody else is learning.

        Args:
            sample: The call, which `add` has been given.
            company: Calls of this function that ran all the while; none of others did.
            cores: Usable cores.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._gain.note(sample.wall_ns, sample.cpu_ns, company, cores, self._calls)
            self._stale = max(self._stale, 1)
        finally:
            self._release()

    def knowledge(self) -> Knowledge | None:
        """What could be kept for another run; None if that would settle nothing."""
        with self._lock:
            if not self._refreshed().settled:
                return None
            good = tuple([sample for sample in self._recent if not sample.failed and sample.wall_ns])
            payloads = tuple([sample for sample in self._payloads if not sample.failed and sample.wall_ns])
            return Knowledge(self._since_reset, good, payloads, self._evidence.copy()) if good else None

    def recall(self, known: Knowledge) -> None:
        """Begin with what was known in another run; for an estimator that knows nothing yet."""
        with self._lock:
            if self._calls:
                return
            self._recent.extend(known.recent)
            self._payloads.extend(known.payloads)
            self._evidence = known.evidence.copy()
            self._calls = self._since_reset = known.calls
            self._stale = _REFRESH_CALLS

    @property
    def gil_spent_s(self) -> float:
        """Seconds of GIL-held CPU that the function used so far in samples not taken in a worker."""
        home = self._home
        return (home.gil_ns + home.cpu_ns * _gil_share(self.profile())) / 1e9

    def _absorb(self) -> None:
        """Learn what is pending, unless somebody else is at it, who then learns that too."""
        while self._pending and self._lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._lock.release()

    def _release(self) -> None:
        """Let go of the lock, then learn what was left meanwhile."""
        self._lock.release()
        self._absorb()

    def _drain(self) -> None:
        """Learn what is pending. Caller holds `_lock`, so nobody else takes samples away."""
        assert self._lock.locked()
        while self._pending:
            self._learn(self._pending.popleft())

    def _learn(self, sample: Sample) -> None:
        """Take one call into account. Caller holds `_lock`."""
        change = self._drift.contradicts(sample, self._computed(), varied=self._varied)
        if change == "nature":
            self._reset()
        elif change == "cost":
            self._forget_costs()
        if self._drift.suspects or self._was_missed(sample):
            self.skip = 0
        calls = 1 + self.glances.taken()  # those that were not measured were as this one
        self._calls += calls
        self._since_reset += calls
        if sample.alone:
            self._gain.note_elsewhere(sample.wall_ns, sample.cpu_ns)
        else:
            self._home = _Home(self._home.gil_ns, self._home.cpu_ns + calls * sample.cpu_ns)
        self._recent.append(sample)
        if sample.argument_bytes is not None or sample.result_bytes is not None:
            self._payloads.append(sample)
        self._evidence.add(sample)
        self._stale += 1
        self.glances.renew(self._profile, doubted=self._drift.doubts)

    def _is_due(self, profile: Profile) -> bool:
        """Whether the next call is one of those to watch. Caller holds `_lock`."""
        if not profile.settled or self._drift.suspects or self._gil_open(profile):
            self._since_sampled = 0
            return True
        self._since_sampled += 1
        period = _sampling_period(profile.wall)
        left = period - self._since_sampled
        if left > 0:
            self._since_sampled += left - 1
            self.skip = left - 1
            return False
        self._since_sampled = self.skip = period - 1  # of those that follow this one nobody need ask
        return True

    def _was_missed(self, sample: Sample) -> bool:
        """Whether a call was watched in vain, so that the next one has to be; in a row a few times only.

        Caller holds `_lock`.
        """
        if sample.looks is None or not self._has_gil or sample.cpu_ns < _AFFORDS_NS:
            return False
        self._missed = 0 if sample.window_ns else self._missed + 1
        again = 0 < self._missed < _MISSES
        if again:
            self._since_sampled = _SAMPLE_SELDOM
        return again

    def _gil_open(self, profile: Profile) -> bool:
        """True while it matters, and is unknown, whether a function holds the GIL. Caller holds `_lock`."""
        if profile.gil_ratio is not None or self._since_reset >= _GIL_CALLS:
            return False
        return profile.cpu >= _GIL_MATTERS_S and profile.cpu_ratio > 0.1

    def _reset(self) -> None:
        """Forget the figures; the function is another one now. Caller holds `_lock`."""
        home = self._home
        self._home = _Home(home.gil_ns + home.cpu_ns * _gil_share(self._profile), 0)
        self._recent.clear()
        self._evidence = Evidence()
        self._gain = Gain()
        self._since_reset = 0
        self.skip = 0
        self.glances.stop()
        self._stale = _REFRESH_CALLS

    def _forget_costs(self) -> None:
        """Keep only the calls that showed that they have changed. Caller holds `_lock`."""
        while len(self._recent) >= COSTLY_ROW:
            self._recent.popleft()
        self.glances.stop()
        self._stale = _REFRESH_CALLS

    def _refreshed(self) -> Profile:
        """The profile with all that is pending. Caller holds `_lock`."""
        self._drain()
        return self._computed()

    def _computed(self) -> Profile:
        """The profile, computed anew if that is due. Caller holds `_lock`."""
        assert self._lock.locked()
        if self._stale >= _REFRESH_CALLS or (self._stale and self._since_reset <= _EXACT_CALLS):
            self._stale = 0
            if self._recent:
                self._profile = self._figures(list(self._recent), self._evidence)
        return self._profile

    def _figures(self, recent: list[Sample], evidence: Evidence) -> Profile:
        """The profile that these add up to. Caller holds `_lock`."""
        return figure_out(
            recent,
            evidence,
            calls=self._calls,
            since_reset=self._since_reset,
            has_gil=self._has_gil,
            payloads=self._payloads,
            claim=self._claim,
            serial=1.0 if self._by_turns else self._gain.serial_ratio(self._calls),
        )


def _gil_share(profile: Profile) -> float:
    """The GIL ratio, all while unknown."""
    return 1.0 if profile.gil_ratio is None else profile.gil_ratio


def _sampling_period(wall_s: float) -> int:
    """How many calls of a settled function there are to one that is watched."""
    if wall_s <= 0.0:
        return _SAMPLE_SELDOM
    affordable = _WATCH_COST_S / (_SAMPLED_SHARE * wall_s)
    return int(min(max(affordable, _SAMPLE_EVERY), _SAMPLE_SELDOM))
