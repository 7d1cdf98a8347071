"""The sampler's thread: when it runs, what it looks at, and each race that its header names."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from adaptive_exec.platform.thread_states import ThreadState
from adaptive_exec.profiling.sampler import Sampler, Watch, get_sampler
from tests.profiling.fakes import MS, FakeEyes

LONG = 20.0
"""Seconds that a test waits for something that happens at once, if it happens."""


@contextmanager
def sampler_with(eyes: FakeEyes) -> Iterator[Sampler]:
    """A sampler that is closed afterwards."""
    sampler = Sampler(eyes)
    try:
        yield sampler
    finally:
        sampler.close()


def in_thread(action: Callable[[], object]) -> threading.Thread:
    """Do it in another thread."""
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def without_thread(eyes: FakeEyes) -> Sampler:
    """A sampler whose beats are made by hand: it thinks that its thread is running and awake."""
    sampler = Sampler(eyes)
    sampler._thread = threading.current_thread()
    sampler._wake_ns = 0
    return sampler


def test_nothing_is_started_before_the_first_watch() -> None:
    """A sampler costs no thread until somebody watches."""
    eyes = FakeEyes()
    sampler = Sampler(eyes)

    assert sampler._thread is None
    assert 0 == eyes.prepared


def test_nobody_is_watched_while_it_makes_the_sampler_ready() -> None:
    """Who opens the eyes and waits for the thread to start is not seen to wait; its watch begins afterwards."""
    eyes = FakeEyes()
    watched: list[tuple[str, int]] = []
    with sampler_with(eyes) as sampler:
        eyes.on_prepare = lambda: watched.append(("prepare", len(sampler._watches)))
        eyes.on_open = lambda: watched.append(("open", len(sampler._watches)))
        watch = sampler.watch()
        running = sampler._thread
        watch.stop()

    assert [("prepare", 0), ("open", 0)] == watched
    assert running is not None


def test_a_look_speaks_for_the_time_since_the_one_before() -> None:
    """Weights are the time between looks, so that looks far apart count for more."""
    eyes = FakeEyes()
    sampler = without_thread(eyes)
    watch = sampler.watch()
    eyes.states[watch.sight] = ThreadState.BLOCKED
    eyes.now = 2 * MS
    sampler._beat()
    eyes.states[watch.sight] = ThreadState.WANTS_GIL
    eyes.now = 52 * MS
    sampler._beat()
    watch.stop()

    assert (2 * MS, 50 * MS, 52 * MS) == (watch.blocked_ns, watch.gil_wait_ns, watch.sampled_ns)
    assert 2 == watch.seen.looks


def test_of_many_watches_32_are_looked_at_in_turn() -> None:
    """A look at a crowd stays short; each look stands for those that had no turn."""
    eyes = FakeEyes()
    eyes.windows = False
    sampler = without_thread(eyes)
    watches = [sampler.watch() for _ in range(64)]
    for beat in (1, 2):
        eyes.now = beat * MS
        sampler._beat()

    assert 64 == eyes.state_reads
    assert {(1, 2 * MS)} == {(watch.seen.looks, watch.sampled_ns) for watch in watches}


def test_after_the_last_watch_it_lingers_and_parks() -> None:
    """For 5 ms after the last watch it goes on, without a look; then it waits without a limit."""
    eyes = FakeEyes()
    sampler = without_thread(eyes)
    sampler.watch().stop()
    delays = []
    for now in range(7):
        eyes.now = now * MS
        delays.append(sampler._beat())

    assert [MS, MS, MS, MS, MS, None] == delays[:6]
    assert 0 == eyes.state_reads


def test_a_parked_sampler_waits_without_a_limit_and_wakes() -> None:
    """It reads no clock while parked, and a watch wakes it."""
    eyes = FakeEyes()
    looked = threading.Event()
    eyes.on_state = looked.set
    eyes.auto_ns = 10 * MS  # so that lingering is over at once
    with sampler_with(eyes) as sampler:
        sampler.watch().stop()
        until_parked(sampler)
        before = eyes.now
        idle = eyes.now
        looked.clear()
        watch = sampler.watch()
        woken = looked.wait(LONG)
        watch.stop()

    assert woken
    assert before == idle


def until_parked(sampler: Sampler) -> None:
    """Return once the sampler's thread waits for its bell."""
    deadline = threading.Event()
    for _ in range(int(LONG * 1000)):
        if sampler._wake_ns > 1 << 61 and not sampler._watches and sampler._thread is not None:
            return
        deadline.wait(0.001)
    raise AssertionError("the sampler did not park")


def test_stop_in_the_middle_of_a_look() -> None:
    """Race 1: `stop` does not wait for a look that is under way, and the next look leaves the thread alone."""
    eyes = FakeEyes()
    eyes.auto_ns = MS
    eyes.windows = False
    in_look, go_on = threading.Event(), threading.Event()

    def gate() -> None:
        in_look.set()
        go_on.wait(LONG)

    eyes.on_state = gate
    with sampler_with(eyes) as sampler:
        watch = sampler.watch()
        assert in_look.wait(LONG)
        stopper = in_thread(watch.stop)
        stopper.join(LONG)
        stopped = not stopper.is_alive()
        go_on.set()
        until_parked(sampler)

    assert stopped
    assert 1 == eyes.state_reads


class MeetingDict(dict[Watch, None]):
    """Watches, among which one more appears right after the sampler found that there are none."""

    def __init__(self, meet: Callable[[], object]) -> None:
        super().__init__()
        self._meet: Callable[[], object] | None = meet

    def __len__(self) -> int:
        count = super().__len__()
        if self._meet is not None and sys._getframe(1).f_code.co_name == "_park":
            meet, self._meet = self._meet, None
            in_thread(meet).join(LONG)
        return count


def test_watch_that_meets_parking_is_looked_at() -> None:
    """Race 2: a watch that is added between the last check and the parking rings the bell."""
    eyes = FakeEyes()
    eyes.auto_ns = 10 * MS
    looked = threading.Event()
    late: list[Watch] = []
    with sampler_with(eyes) as sampler:
        sampler._watches = MeetingDict(lambda: late.append(sampler.watch()))
        eyes.on_state = lambda: looked.set() if late else None
        sampler.watch().stop()
        met = looked.wait(LONG)
        for watch in late:
            watch.stop()

    assert met
    assert 1 == len(late)


def test_one_thread_is_started_by_many() -> None:
    """Race 3: two that find no thread running start one between them."""
    eyes = FakeEyes()
    eyes.auto_ns = 10 * MS
    arrived = threading.Barrier(3)

    def watch_once() -> None:
        arrived.wait(LONG)
        sampler.watch().stop()

    with sampler_with(eyes) as sampler:
        with sampler._starting:
            threads = [in_thread(watch_once) for _ in range(2)]
            arrived.wait(LONG)
        for thread in threads:
            thread.join(LONG)
        until_parked(sampler)

    assert 1 == eyes.prepared


def test_no_lock_is_held_by_a_preempted_watcher() -> None:
    """Race 5: while one thread is stuck inside `watch`, others watch, stop and are looked at."""
    eyes = FakeEyes()
    inside, go_on, looked = threading.Event(), threading.Event(), threading.Event()

    def stick() -> None:
        if threading.current_thread() is stuck:
            inside.set()
            go_on.wait(LONG)

    eyes.on_open = stick
    eyes.on_state = looked.set
    with sampler_with(eyes) as sampler:
        stuck = threading.Thread(target=lambda: sampler.watch().stop())
        stuck.start()
        assert inside.wait(LONG)
        watch = sampler.watch()
        eyes.now += MS
        seen = looked.wait(LONG)
        watch.stop()
        go_on.set()
        stuck.join(LONG)

    assert seen


def test_closed_sampler_gives_empty_watches() -> None:
    """After `close` there is no thread, and watching still works."""
    eyes = FakeEyes()
    sampler = Sampler(eyes)
    sampler.watch().stop()
    sampler.close()
    watch = sampler.watch()
    watch.stop()

    assert sampler._thread is not None
    assert not sampler._thread.is_alive()
    assert 0 == watch.seen.looks


def test_stopping_twice_or_in_the_wrong_process_is_harmless() -> None:
    """A watch that was lost to a fork, or stopped before, can be stopped."""
    sampler = without_thread(FakeEyes())
    watch = sampler.watch()
    sampler._after_fork()
    watch.stop()
    watch.stop()

    assert {} == sampler._watches


def test_there_is_one_sampler_a_process() -> None:
    """Everybody gets the same one."""
    assert get_sampler() is get_sampler()


FORK = textwrap.dedent("""
    import os, time
    from adaptive_exec.profiling.call import CallMeter
    from adaptive_exec.profiling.sampler import get_sampler

    def looks():
        for _ in range(50):
            meter = CallMeter(get_sampler())
            meter.start()
            end = time.perf_counter() + 0.03
            while time.perf_counter() < end:
                pass
            if meter.stop(failed=False).looks:
                return True
        return False

    assert looks(), "no look in the parent"
    pid = os.fork()
    if pid == 0:
        ok = looks()
        os._exit(0 if ok else 7)
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""")


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs Linux's /proc")
def test_child_of_a_fork_samples_again() -> None:
    """Race 4: the child of a process whose sampler runs starts one of its own and sees its thread."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=50, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_no_thread_at_shutdown_means_an_empty_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, watching does nothing, and says nothing."""

    def refuse(*_: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    sampler = Sampler(FakeEyes())
    watch = sampler.watch()
    watch.stop()

    assert sampler._thread is None
    assert 0 == watch.seen.looks
