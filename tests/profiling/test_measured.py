"""Real functions, really measured: which kind each is, never how long it took.

The margins are wide, because other programs may be using the cores; what is held is what routing needs.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing

import pytest

from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.platform.held_calls import held_calls
from adaptive_exec.platform.thread_states import open_this_thread
from adaptive_exec.profiling.call import CallMeter
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.sampler import get_sampler

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or open_this_thread() is None or held_calls() is None,
        reason="needs Linux's /proc and ctypes",
    ),
]

NOISE = os.urandom(32 << 20)
RECORDS = json.dumps([{"a": i, "b": str(i)} for i in range(60_000)])
with open(os.__file__, encoding="utf-8") as _file:
    SOURCE = _file.read() * 4
NUMBERS = [random.random() for _ in range(200_000)]


def loop() -> int:
    """Compute in Python."""
    return sum(i * i for i in range(300_000))


def receive() -> None:
    """Wait for a socket that stays silent."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.settimeout(0.03)
        with pytest.raises(TimeoutError):
            ours.recv(1)


def wait_for_lock() -> None:
    """Wait for a lock that stays taken: a futex, like the GIL."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=0.03)


WAITING: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(0.03),
    "select": lambda: select.select([], [], [], 0.03),
    "recv": receive,
    "lock": wait_for_lock,
    "child": lambda: subprocess.run(["sleep", "0.03"], check=True),
}
FREE: dict[str, Callable[[], object]] = {
    "sha256": lambda: hashlib.sha256(NOISE).digest(),
    "zlib": lambda: zlib.compress(NOISE[: 1 << 20]),
}
BOUND: dict[str, Callable[[], object]] = {
    "loop": loop,
    "json": lambda: json.loads(RECORDS),
    "re": lambda: re.findall(r"(\w+)\s*\(", SOURCE),
    "sorted": lambda: sorted(NUMBERS),
    "ast": lambda: ast.parse(SOURCE),
}


def call(estimator: Estimator, function: Callable[[], object]) -> None:
    """One call, watched if wanted."""
    meter = CallMeter(get_sampler() if estimator.needs_sampling() else None)
    meter.start()
    function()
    estimator.add(meter.stop(failed=False))


def learn(function: Callable[[], object], most: int = 60) -> Estimator:
    """Call it until the profile tells all that it can about a call that nobody disturbs."""
    estimator = Estimator()
    for _ in range(most):
        call(estimator, function)
        profile = estimator.profile()
        if profile.settled and (profile.gil_ratio is not None or profile.cpu_ratio < 0.3):
            break
    return estimator


@pytest.mark.parametrize("name", WAITING)
def test_waiting_is_told(name: str) -> None:
    """Whatever it waits in, a waiting call hardly computes."""
    profile = learn(WAITING[name]).profile()

    assert profile.cpu_ratio < 0.3
    assert profile.waiting > 0.002


@pytest.mark.parametrize("name", FREE)
def test_computing_without_the_gil_is_told(name: str) -> None:
    """C code that releases the GIL computes, and does not hold it."""
    profile = learn(FREE[name]).profile()

    assert profile.cpu_ratio > 0.7
    assert profile.gil_ratio is not None
    assert profile.gil_ratio < 0.5


@pytest.mark.parametrize("name", BOUND)
def test_computing_under_the_gil_is_told(name: str) -> None:
    """Python code, and long C calls that keep the GIL, compute and hold it."""
    profile = learn(BOUND[name]).profile()

    assert profile.cpu_ratio > 0.7
    assert profile.gil_ratio is not None
    assert profile.gil_ratio > 0.5 or not gil_enabled()


@pytest.mark.full
def test_sixteen_threads_that_fight_are_told_apart() -> None:
    """What waits for the GIL is never taken for waiting, nor waiting for anything else."""
    chosen = {name: (WAITING | FREE | BOUND)[name] for name in ("sleep", "recv", "loop", "json")}
    estimators = {name: Estimator() for name in chosen}
    end = time.monotonic() + 6.0

    def work(name: str) -> None:
        while time.monotonic() < end:
            call(estimators[name], chosen[name])

    threads = [threading.Thread(target=work, args=(name,)) for name in list(chosen) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ratios = {name: estimator.profile().cpu_ratio for name, estimator in estimators.items()}

    assert ratios["loop"] > 0.7, ratios
    assert ratios["json"] > 0.7, ratios
    assert ratios["sleep"] < 0.3, ratios
    assert ratios["recv"] < 0.3, ratios


def test_a_running_call_is_known_before_it_ends() -> None:
    """A first call that goes on and on is known by a live look from outside."""
    meter, done, started = CallMeter(get_sampler()), threading.Event(), threading.Event()
    estimator = Estimator()

    def run() -> None:
        meter.start()
        started.set()
        while not done.is_set():
            loop()
        meter.stop(failed=False)

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    profile = None
    for _ in range(500):
        time.sleep(0.01)
        sample = meter.peek()
        if sample is not None:
            profile = estimator.add_live([sample])
            if profile.settled:
                break
    done.set()
    thread.join()

    assert profile is not None
    assert profile.settled
    assert profile.cpu_ratio > 0.7


def test_an_idle_process_has_no_wake_ups() -> None:
    """Once nothing is watched, the sampler's thread is not scheduled any more."""
    meter = CallMeter(get_sampler())
    meter.start()
    meter.stop(failed=False)
    sampler = next(thread for thread in threading.enumerate() if thread.name == "adaptive-exec-sampler")

    def switches() -> int:
        with open(f"/proc/self/task/{sampler.native_id}/status", encoding="ascii") as status:
            return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)

    time.sleep(0.2)
    before = switches()
    time.sleep(0.3)

    assert before == switches()
