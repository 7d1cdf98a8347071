"""The sampler: one thread a process that looks at the threads which are running unsettled tasks.

Guarantees:
    - While nothing is watched the thread is parked without a time limit: an idle process has no wake-ups. It is
      started by the first `watch()`, or by whoever asks for it to be ready for one, and never before.
    - `watch()` and `stop()` take no lock that anybody holds for long, so a crowd of threads never queues up
      behind one that lost the GIL in the middle; they never raise. Where no thread can be started (interpreter
      shutdown) a watch stays empty.
    - What a look adds to a watch becomes visible all at once.
    - No file or clock of a thread is read after it was closed: a look keeps what it looks at alive.
    - In a forked child the sampler is new: nothing is watched, no thread is assumed to exist.

Assumes:
    - The kernel's `/proc/self/task/TID/syscall` and thread CPU clocks; without them it falls back to ticks
      (tests/profiling/test_fallback.py).
    - Single operations of a dict (set, pop, tuple of keys) and of an attribute are atomic and ordered, on builds
      with and without a GIL. The GIL matters only to what a look *means*: it is taken while the sampler holds it.

State:
    | state     | watch()                        | stop() | the sampler's thread                           |
    |-----------|--------------------------------|--------|------------------------------------------------|
    | no thread | add; start thread -> ticking   | remove | -                                              |
    | parked    | add; ring                      | remove | waits for the bell without limit -> ticking    |
    | ticking   | add; ring if it sleeps long    | remove | looks, waits for the bell with a limit;        |
    |           |                                |        | nothing watched for 5 ms -> parked             |
    | closed    | add                            | remove | ends                                           |

Races:
    1. A watch stops while the sampler looks at it: the look may add to the watch afterwards, which nobody reads
       any more, and it reads no closed file -> test_sampler.py::test_stop_in_the_middle_of_a_look
       What the sampler's lateness tells at the end of a call is lost, if a look comes at the same time.
    2. A watch comes between the decision to park and the parking: the sampler says that it parks *before* it
       checks for watches a last time, and `watch` adds *before* it asks whether to ring; so one of them sees the
       other -> test_sampler.py::test_watch_that_meets_parking_is_looked_at
    3. Two threads watch at once and neither finds a thread running: one starts it, under `_starting`
       -> test_sampler.py::test_one_thread_is_started_by_many
    4. The process forks with a thread running: the child has none and starts its own
       -> test_sampler.py::test_child_of_a_fork_samples_again
    5. A look is due while a thread that was preempted is in `watch` or `stop`: nothing is locked, nobody waits.
       With a lock here, threads that compute were seen to queue up behind it, and read as waiting
       -> test_sampler.py::test_no_lock_is_held_by_a_preempted_watcher
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

from ..platform.forks import run_in_forked_child
from ..platform.rests import waited_ns
from .lateness import held_by_call
from .look import Ledger, Seen, count_tick, look_at
from .pace import TICK_NS, Pace
from .sight import Eyes, SystemEyes, forced_to_ticks

__all__ = ["Sampler", "Watch", "get_sampler"]

_NAME: Final = "adaptive-exec-sampler"
_LINGER_NS: Final = 5_000_000
_MOST_LOOKED_AT: Final = 32
_SOON_NS: Final = 1_000_000
_NEVER: Final = 1 << 62


Clocks = tuple[int, int | None, int]
"""What clocks read: time, the watched thread's CPU (None: it can't be told), and that of the whole process."""


@final
class Watch(Ledger):
    """One call that is being watched, and what was seen of it (`seen`).

    Attributes:
        clocks: What they read at the last look, or at the start.
    """

    __slots__ = ("_cpu_ns", "_crowded", "_on_wait", "_process_ns", "_rest", "_sampler", "clocks")

    def __init__(self, sampler: Sampler, eyes: Eyes, on_wait: Callable[[], object] | None = None) -> None:
        super().__init__(eyes.open_this_thread(), eyes.now_ns())
        self._sampler = sampler
        self._on_wait = on_wait
        self._crowded = False
        self._cpu_ns = 0
        self._process_ns = 0
        self.clocks: Clocks = (self.started_ns, eyes.cpu_ns(self.sight), eyes.process_ns())
        self._rest = eyes.rest(self.sight)

    def stop(self) -> None:
        """End the watch; called by the watched thread. What was seen is in `seen` and the properties."""
        self._sampler._end(self)

    def waited_ns(self, wall_ns: int, cpu_ns: int) -> int | None:
        """For how long the call has waited for something other than the GIL or a core at least; None if nobody knows.

        Called by the watched thread when the call has ended.
        """
        before = self._rest
        after = None if before is None else self._sampler._eyes.rest(self.sight)
        return None if before is None or after is None else waited_ns(wall_ns, cpu_ns, before, after)

    def enter_held(self, late_ns: int, clocks: Clocks, eyes: Eyes | None = None) -> None:
        """Enter that the call held the GIL while the sampler was late, if it did: as good as a window without a gain.

        Args:
            late_ns: For how long a look had been due.
            clocks: What they read now.
            eyes: To see whether the sampler's thread is waiting for the GIL now; None if it has just come.
        """
        (now, cpu, process), (looked, cpu_before, process_before) = clocks, self.clocks
        if cpu is None or cpu_before is None:
            return
        computed = cpu - cpu_before
        others = process - process_before - computed
        stood = now - looked - computed
        held = held_by_call(late_ns, computed, stood, others)
        if held and eyes is not None:
            held = held_by_call(min(late_ns, eyes.held_off_ns()), computed, stood, others)
        if held:
            self.seen = self.seen._replace(window_ns=self.seen.window_ns + held)

    def tell_if_it_waits(self) -> None:
        """Tell who wants to know, once."""
        if self._on_wait is not None and self.seen.blocked_ns:
            told, self._on_wait = self._on_wait, None
            told()

    @property
    def is_new(self) -> bool:
        """Whether somebody wants to know what this call is like, and it has not yet been seen to wait."""
        return self._on_wait is not None

    @property
    def sees_states(self) -> bool:
        """Whether looks at this thread tell its state, so that no look at all means a short call."""
        return self._sampler._eyes.sees_state(self.sight)

    @property
    def sampled_ns(self) -> int:
        """Time that the looks stand for."""
        return self.seen.sampled_ns

    @property
    def blocked_ns(self) -> int:
        """The part of it spent waiting for something other than the GIL."""
        return self.seen.blocked_ns

    @property
    def gil_wait_ns(self) -> int:
        """The part of it in which the thread wanted the GIL."""
        return self.seen.gil_wait_ns

    @property
    def window_ns(self) -> int:
        """Time in which the sampler withheld the GIL."""
        return self.seen.window_ns

    @property
    def free_ns(self) -> int:
        """CPU time that the thread gained in it."""
        return self.seen.free_ns


class Sampler:
    """Watches threads while they run tasks.

    Args:
        eyes: What to look with; None for the system's own. Tests pass a fake.
        ticks: Use the portable probe even where threads can be seen (also: `ADAPTIVE_EXEC_PROBE=ticks`).
    """

    def __init__(self, eyes: Eyes | None = None, *, ticks: bool = False) -> None:
        self._eyes: Eyes = SystemEyes(ticks=ticks or forced_to_ticks()) if eyes is None else eyes
        self._closed = False
        self._starting = threading.Lock()
        self._bell = _silent_bell()
        self._watches: dict[Watch, None] = {}
        self._thread: threading.Thread | None = None
        self._wake_ns = _NEVER
        self._due_ns = _NEVER  # when the thread, which sleeps, is to be awake
        self._idle_since_ns: int | None = None
        self._looked_ns = self._eyes.now_ns()
        self._turn = 0
        self._pace = Pace(self._looked_ns)

    def prepare(self) -> None:
        """Be able to look from now on, and have the thread running; quick once that is so.

        Left to the thread itself, among busy threads, that was seen to take half a second: what ran meanwhile was
        judged by its clocks alone, by which a wait for the GIL looks like any other.
        """
        if self._thread is None:
            self._start()

    def watch(self, on_wait: Callable[[], object] | None = None) -> Watch:
        """Watch the calling thread, which is about to run a task, until `stop()` of what is returned.

        Args:
            on_wait: Called once, by the sampler's thread, when the thread is first seen to wait.
        """
        self.prepare()
        watch = Watch(self, self._eyes, on_wait)
        if self._eyes.only_ticks():
            self._begin_ticks(watch)
        self._watches[watch] = None
        if self._wake_ns > watch.started_ns + _SOON_NS:
            self._due_ns = watch.started_ns
            self._ring()
        return watch

    def close(self) -> None:
        """End the thread and wait for it; later watches stay empty. For tests: a process needs no closing."""
        self._closed = True
        self._ring()
        with self._starting:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _after_fork(self) -> None:
        """Start afresh in a child, where the parent's threads and their files do not exist."""
        self._eyes.after_fork()
        self._starting = threading.Lock()
        self._bell = _silent_bell()
        self._watches = {}
        self._thread = None
        self._wake_ns = self._due_ns = _NEVER
        self._idle_since_ns = None

    def _start(self) -> None:
        """Open the eyes and start the thread, unless another does so just now or none can be started."""
        with self._starting:
            if self._thread is not None or self._closed:
                return
            self._eyes.prepare()
            thread = threading.Thread(target=self._run, name=_NAME, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return
            self._thread = thread

    def _ring(self) -> None:
        """Wake the sampler's thread, or let it not fall asleep."""
        try:
            self._bell.release()
        except RuntimeError:  # it has been rung and not yet been heard
            pass

    def _end(self, watch: Watch) -> None:
        """Remove a watch, which may have been lost to a fork."""
        known = watch in self._watches
        self._watches.pop(watch, None)
        if not known:
            return
        if self._eyes.only_ticks():
            self._judge_by_ticks(watch)
        else:
            self._judge_by_lateness(watch)

    def _judge_by_lateness(self, watch: Watch) -> None:
        """Enter for how long the call that ends has kept the sampler's thread from the GIL, if it did so alone."""
        now, due = self._eyes.now_ns(), max(self._due_ns, watch.started_ns)
        if now > due:
            watch.enter_held(
                now - due, (now, self._eyes.cpu_ns(watch.sight), self._eyes.process_ns()), self._eyes
            )

    def _begin_ticks(self, watch: Watch) -> None:
        """Note what the portable probe needs; its evidence is void where calls overlap."""
        watch._cpu_ns = time.thread_time_ns()
        watch._process_ns = time.process_time_ns()
        for other in tuple(self._watches.copy()):
            other._crowded = watch._crowded = True

    def _judge_by_ticks(self, watch: Watch) -> None:
        """Put what the portable probe saw into a window as long as the call.

        Time in which ticks were late was held by somebody; if nobody else computed, by this call. The rest of
        its CPU time was then free of the GIL.
        """
        now = self._eyes.now_ns()
        count_tick((watch,), now)
        wall = now - watch.started_ns
        cpu = time.thread_time_ns() - watch._cpu_ns
        others = time.process_time_ns() - watch._process_ns - cpu
        if watch._crowded or wall < 4 * TICK_NS or others > 0.25 * cpu + 0.05 * wall:
            return
        watch.seen = Seen(window_ns=wall, free_ns=max(0, cpu - watch.seen.late_ns))

    def _run(self) -> None:
        """The thread: look, wait, park, until closed."""
        self._eyes.begin()
        while not self._closed:
            delay = self._beat()
            if delay is None:
                self._park()
            else:
                self._due_ns = self._wake_ns = self._eyes.now_ns() + delay
                self._bell.acquire(timeout=delay / 1e9)

    def _park(self) -> None:
        """Wait for the bell without limit, unless a watch came meanwhile (race 2)."""
        self._wake_ns = _NEVER
        if self._watches or self._closed:
            return
        self._bell.acquire()
        # The next look speaks for the time since now, not for the time in which there was nothing to see.
        self._looked_ns = self._eyes.now_ns()

    def _beat(self) -> int | None:
        """Look once; returns nanoseconds until the next look, None to park."""
        now = self._eyes.now_ns()
        due, self._due_ns = self._due_ns, _NEVER
        watches = tuple(self._watches.copy())
        if not watches:
            return self._linger(now)
        self._idle_since_ns = None
        if self._eyes.only_ticks():
            count_tick(watches, now)
            return TICK_NS
        chosen = self._choose(watches)
        wanted = [watch.seen.gil_wait_ns for watch in chosen]
        weight = (now - self._looked_ns) * len(watches) // len(chosen)
        newcomer = any(watch.is_new for watch in watches)
        window = self._eyes.has_windows() and self._pace.window_allowed(
            now, newcomer=newcomer, watched=len(watches)
        )
        self._looked_ns = now
        held = look_at(chosen, self._eyes, weight_ns=weight, window=window)
        self._pace.window_held(held)
        self._tell_by_lateness(chosen, wanted, now, due)
        for watch in chosen:
            watch.tell_if_it_waits()
        cost = self._eyes.now_ns() - now - held
        return self._pace.delay_ns(now - watches[-1].started_ns, cost, newcomer=newcomer)

    def _tell_by_lateness(self, watches: Sequence[Watch], wanted: Sequence[int], now: int, due: int) -> None:
        """Enter for how long the look that was just made had been kept waiting by one of these calls.

        Args:
            watches: The calls that were looked at.
            wanted: For how long each had been seen to want the GIL before. Who wants it now gave it up just now;
                who does not was not in the look's way.
            now: When the look began.
            due: When it should have.
        """
        process = self._eyes.process_ns()
        for watch, before in zip(watches, wanted, strict=True):
            clocks = (now, self._eyes.cpu_ns(watch.sight), process)
            if now > due and watch.seen.gil_wait_ns > before:
                watch.enter_held(now - max(due, watch.started_ns), clocks)
            watch.clocks = clocks

    def _linger(self, now: int) -> int | None:
        """Stay awake for 5 ms after the last watch: waking is dearer than looking."""
        self._looked_ns = now
        if self._idle_since_ns is None:
            self._idle_since_ns = now
        if now - self._idle_since_ns < _LINGER_NS:
            return _SOON_NS
        self._idle_since_ns = None
        return None

    def _choose(self, watches: Sequence[Watch]) -> Sequence[Watch]:
        """The watches to look at now: all, or 32 in turn."""
        if len(watches) <= _MOST_LOOKED_AT:
            return watches
        first = self._turn % len(watches)
        self._turn = first + _MOST_LOOKED_AT
        return [*watches[first:], *watches[:first]][:_MOST_LOOKED_AT]


def _silent_bell() -> threading.Lock:
    """A lock used as a bell: held while silent, released to ring, taken by the one who hears it."""
    bell = threading.Lock()
    bell.acquire()
    return bell


_made: list[Sampler] = []
_making = threading.Lock()


def get_sampler() -> Sampler:
    """The sampler of this process, made on first use."""
    # Not functools.cache: two threads that ask at once would get two.
    if not _made:
        with _making:
            if not _made:
                sampler = Sampler()
                run_in_forked_child(sampler._after_fork)
                _made.append(sampler)
    return _made[0]
