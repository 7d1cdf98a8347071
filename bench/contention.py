"""What is measured of functions while 32 threads fight for the GIL and the cores?

What each function of the corpus (`routing_corpus.py`) is, is found out first, alone, by clocks: it waits if it
computes for less than a fifth of its time; if it computes, two threads do twice as much where it is free of the GIL,
and no more than one where it is bound to it. Those in between are left out here. Then 32 threads call functions, one
after the other, through an executor that has to keep them on threads: each thread its own function ("each other"),
half of them pure Python and other rivals ("mixed"), or as the first with other programs that keep all cores busy ("busy
machine"). After some seconds the executor's profiles are compared with what the functions are. Some minutes, in which
nothing else may run on the machine; `--only mixed` is quicker.

They are kept on threads by `pure=False`, so that the executor does for them what it does for any function that it has
to find a place for: it watches calls, and reads the code of what computes. With `--by-looks` they are pinned to
threads, where no code is read: then all that is known is what was seen.
"""

# ruff: noqa: E402  what libraries read from the environment has to be there before they are imported

from __future__ import annotations

import os

# Libraries that start threads of their own would gain nothing by a second one of ours.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import json
import queue
import random
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.model import Profile
from harness import arguments, print_machine
from routing_corpus import SUBJECTS, needs_server

THREADS: Final = 32
SECONDS: Final = 12.0  # for which they fight
WAIT: Final = 0.030
LEAST_CPU: Final = 0.0005  # what computes less than this has nothing that could be told apart
LOOP: Final = "while True: pass"


def sleeps() -> None:
    """Wait in a system call of Python's own."""
    time.sleep(WAIT)


def selects() -> None:
    """Wait for no descriptor."""
    select.select([], [], [], WAIT)


def receives() -> None:
    """Wait for a socket that stays silent."""
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        ours.settimeout(WAIT)
        with contextlib.suppress(TimeoutError):
            ours.recv(1)


def waits_for_a_lock() -> None:
    """Wait in a futex, as for the GIL."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=WAIT)


def waits_for_a_queue() -> None:
    """Wait for an item that doesn't come."""
    with contextlib.suppress(queue.Empty):
        queue.SimpleQueue[int]().get(timeout=WAIT)


WAITING: Final[tuple[Callable[[], None], ...]] = (
    sleeps,
    selects,
    receives,
    waits_for_a_lock,
    waits_for_a_queue,
)


# --- what a function is --------------------------------------------------------------------------------


def _timed(work: Callable[[], object], calls: int) -> tuple[float, float]:
    """Wall and CPU seconds of a call, of the best of a few."""
    best: list[tuple[float, float]] = []
    for _ in range(calls):
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        best.append((time.perf_counter() - wall, time.thread_time() - cpu))
    return min(best)


def _gain_of_two(work: Callable[[], object], alone: float) -> float:
    """How much more two threads get done than one; each time beside one alone, since the machine's speed changes."""
    calls = max(2, int(0.03 / alone))

    def several() -> None:
        for _ in range(calls):
            work()

    def seconds(count: int) -> float:
        threads = [threading.Thread(target=several) for _ in range(count)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    return statistics.median(2 * seconds(1) / seconds(2) for _ in range(9))


def nature(work: Callable[[], object]) -> str:
    """What a function is: "waits", "free", "bound"; empty for what is in between."""
    wall, cpu = _timed(work, 5)
    if cpu < 0.2 * wall:
        return "waits"
    if cpu < 0.9 * wall or cpu < LEAST_CPU:
        return ""
    gain = _gain_of_two(work, wall)
    if gain > 1.7:
        return "free"
    return "bound" if gain < 1.15 else ""


# --- the fight -----------------------------------------------------------------------------------------


def loops() -> None:
    """Pure Python."""
    sum(n * n for n in range(20_000))


def hashes() -> None:
    """Computes without the GIL."""
    hashlib.sha256(_BLOCK).digest()


def parses() -> None:
    """Holds the GIL for milliseconds in one call of C code."""
    json.loads(_TEXT)


def naps() -> None:
    """Wants the GIL often and for a moment."""
    for _ in range(20):
        time.sleep(0.0005)


_BLOCK: Final = b"x" * (4 << 20)
_TEXT: Final = json.dumps([{"a": n, "b": str(n)} for n in range(6000)])
CROWDS: Final = ("each other", "mixed", "busy machine")
RIVALS: Final = (loops, hashes, loops, parses, naps, loops, hashes, loops)

Job = tuple[Callable[..., object], tuple[Any, ...], str]
"""A function, its arguments, and what it is; nothing for a rival."""


def groups(crowd: str, jobs: list[Job]) -> Iterator[list[Job]]:
    """The functions that fight at the same time, always as many as there are threads."""
    own = THREADS // 2 if crowd == "mixed" else THREADS
    for at in range(0, len(jobs), own):
        group = jobs[at : at + own]
        rivals = itertools.cycle(RIVALS)
        yield group + [(next(rivals), (), "") for _ in range(THREADS - len(group))]


@contextlib.contextmanager
def other_programs(count: int) -> Iterator[None]:
    """So many processes that compute."""
    programs = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait(10)


def fight(group: list[Job], by_looks: bool) -> dict[str, Profile]:
    """What an executor knows of each of these, by name, after their fight."""
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="thread") if by_looks else executor.options(pure=False)
        end = time.monotonic() + SECONDS

        def call_on(job: Job) -> None:
            while time.monotonic() < end:
                view.submit(job[0], *job[1]).result(60)

        threads = [threading.Thread(target=call_on, args=(job,)) for job in group]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = {fn.__name__: executor.explain(fn).profile for fn, _, kind in group if kind}
    return {name: profile for name, profile in found.items() if profile is not None}


def told(profile: Profile) -> str:
    """What a profile says of a function."""
    if profile.cpu_ratio < 0.5:
        return "waits"
    if profile.gil_ratio is None:
        return "unknown"
    return "free" if profile.gil_ratio < 0.5 else "bound"


class Score:
    """What came of all fights."""

    def __init__(self) -> None:
        self.right = 0
        self.computing = 0
        self.misread = 0
        self.waits: list[float] = []

    def add(self, kind: str, profile: Profile) -> bool:
        """One function's profile; whether it tells what the function is."""
        if kind == "30 ms":
            self.waits.append(profile.waiting)
            return 0.020 <= profile.waiting <= 0.045
        if kind != "waits":
            self.computing += 1
            self.right += told(profile) == kind
            self.misread += kind == "bound" and told(profile) == "waits"
        return told(profile) == kind

    def __str__(self) -> str:
        waits = sorted(1e3 * each for each in self.waits)
        return (
            f"told apart: {self.right} of {self.computing}, {self.right / max(1, self.computing):.1%} (goal: 97 %)\n"
            f"bound to the GIL and read as waiting: {self.misread} (goal: 0)\n"
            f"30 ms of waiting: {waits[0]:.1f} to {waits[-1]:.1f} ms, {statistics.median(waits):.1f} in the middle "
            f"(goal: 20 to 45), {sum(20 <= each <= 45 for each in waits)} of {len(waits)} within"
        )


def show(name: str, kind: str, profile: Profile) -> None:
    """One line for what was not told as it is."""
    gil = "?" if profile.gil_ratio is None else f"{profile.gil_ratio:.2f}"
    print(
        f"  {name:24s} is {kind:6s} said {told(profile):8s} cpu ratio {profile.cpu_ratio:.2f}, GIL ratio {gil:5s} "
        f"cpu {profile.cpu * 1e3:6.2f} ms, waits {profile.waiting * 1e3:6.1f} ms, {profile.calls} calls"
    )


def main() -> None:
    """Run it."""

    def extend(parser: argparse.ArgumentParser) -> None:
        parser.set_defaults(rounds=1)
        parser.add_argument(
            "--by-looks", action="store_true", help="pin the functions, so that no code is read"
        )

    options = arguments(__doc__, extend)
    print_machine()
    jobs: list[Job] = [(fn, (), "30 ms") for fn in WAITING]
    for subject in SUBJECTS:
        if not needs_server(subject) and not asyncio.iscoroutinefunction(subject.fn):
            args = subject.call(0, 0)
            kind = nature(lambda fn=subject.fn, args=args: fn(*args))  # type: ignore[misc]
            if kind:
                jobs.append((subject.fn, args, kind))
    counts = {each: sum(kind == each for _, _, kind in jobs) for each in ("30 ms", "waits", "free", "bound")}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    total = Score()
    for crowd in CROWDS if not options.only else [options.only]:
        score = Score()
        print(f"\n{crowd}")
        with other_programs(2 * (os.cpu_count() or 1) if crowd == "busy machine" else 0):
            for turn in range(options.rounds):
                random.Random(turn).shuffle(jobs)
                for group in groups(crowd, jobs):
                    kinds = {fn.__name__: kind for fn, _, kind in group}
                    for name, profile in fight(group, options.by_looks).items():
                        total.add(kinds[name], profile)
                        if not score.add(kinds[name], profile):
                            show(name, kinds[name], profile)
        print(score)
    print(f"\nall\n{total}")


if __name__ == "__main__":
    main()
