"""Where a function has an `async def` twin: a thread runs the function, or the loop its twin.

A thread that waits is idle, but it had to be started, and each of its calls is handed to it and back. On the loop a
call costs its own steps and little else. So a few calls in flight are best on threads that are there, and of
many the loop is cheaper, from a number on that follows from what was measured: of the function's calls on
threads, of its twin's on the loop, and of how long it takes to start a thread.

Pure: it reads no clock and takes no lock.
"""

from __future__ import annotations

from typing import Final

from ..model import Decision
from .facts import Facts, percent, seconds

__all__ = ["crosses", "crossing"]

WAITS: Final = 0.5
"""As in `policy`: what computes more than this part of its time is no matter for a loop."""

NOTICED: Final = 0.05
"""Who saves less than this part of what the calls take anyway saves nothing that anybody would notice,"""

NOTICED_SECONDS: Final = 2e-3
"""unless it is as much as this: long calls keep their threads long."""

LESS_TO_COME_BACK: Final = 0.5
"""Once calls run on the loop, half of that keeps them there, so that they don't flap."""

WORTH_A_THREAD: Final = 10.0
"""Calls that wait so many times as long as a thread takes to start have one each; others wait until one is free."""


def crosses(facts: Facts) -> bool:
    """Whether it depends on how many calls are in flight where the next one goes.

    Args:
        facts: What is known.
    """
    if facts.twin is None or facts.options.backend is not None or facts.options.kind == "cpu":
        return False
    if facts.options.kind == "io":
        return True
    return facts.profile.settled and facts.profile.cpu_ratio < WAITS


def crossing(facts: Facts) -> Decision:
    """Choose between a thread and the loop for the next call of a function that waits and has a twin.

    Args:
        facts: What is known, with a twin.
    """
    profile, calls = facts.profile, facts.load.in_flight
    on_threads, on_loop = _on_threads(facts), _on_loop(facts)
    worth = (
        min(NOTICED * max(profile.waiting, on_threads), NOTICED_SECONDS) if profile.calls else NOTICED_SECONDS
    )
    if facts.before == "loop":
        worth *= LESS_TO_COME_BACK
    if profile.calls:
        waits = f"it waits {percent(1.0 - profile.cpu_ratio)} of a call of {seconds(profile.cpu + profile.waiting)}"
    else:
        waits = 'you said kind="io"'
    many = f"{calls} calls" if calls > 1 else "one call"
    sums = f"{many} in flight cost {seconds(on_loop)} on the loop and {seconds(on_threads)} on threads"
    if on_threads - on_loop > worth:
        return Decision("loop", f"{waits}; {sums}, so its async twin runs", profile)
    return Decision("thread", f"{waits}; {sums}", profile)


def _on_threads(facts: Facts) -> float:
    """Seconds that the calls in flight cost on threads: computing, handing over, starting threads, and standing in line
    where there are more calls than there may be threads.
    """
    profile, load, machine = facts.profile, facts.load, facts.machine
    calls = max(1, load.in_flight)
    started = 0.0
    if not profile.calls or profile.waiting >= WORTH_A_THREAD * load.thread_start:
        started = load.thread_start * max(0, min(calls, load.most_threads) - load.idle_threads)
    in_line = ((calls - 1) // load.most_threads) * profile.waiting
    return calls * (profile.cpu + machine.thread_hop) + started + in_line


def _on_loop(facts: Facts) -> float:
    """The same on the loop, which has to be started if it isn't there; of an unknown twin as if it computed as much."""
    twin, machine = facts.twin, facts.machine
    assert twin is not None
    cpu = twin.cpu if twin.calls else facts.profile.cpu
    start = 0.0 if facts.load.loop_runs else machine.loop_start
    return start + max(1, facts.load.in_flight) * (cpu + machine.loop_hop)
