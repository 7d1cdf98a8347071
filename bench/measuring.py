"""What it costs to measure calls, as threads and workers do: a part of every call, and looks at some of them.

Goals: the part of every call takes at most 1 µs of a function that is known, and the looks take at most 2 % of calls
of a millisecond and more. Calls are made one after the other, bare and measured in turns: what is taken for a call's
cost is the time of a few measured ones less that of as many bare ones just before or after, on the average of many
such pairs, since the speed of a machine changes by more than what is sought. The executor's own way of a call (queues,
futures) is not in it; `dispatch.py` and `processes.py` measure that. A minute.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from adaptive_exec.profiling.call import CallMeter
from adaptive_exec.profiling.estimate import Estimator
from adaptive_exec.profiling.sampler import get_sampler
from harness import arguments, print_machine, turns

SHORT_CALLS = 50_000


def nothing() -> None:
    """A call that takes no time."""


def computes(seconds: float) -> Callable[[], object]:
    """A call that computes for about so long."""
    steps = 1000
    while True:
        begun = time.perf_counter()
        sum(n * n for n in range(steps))
        took = time.perf_counter() - begun
        if took >= seconds:
            return lambda: sum(n * n for n in range(steps))
        steps = int(steps * min(10.0, 1.05 * seconds / took)) + 1


def bare(fn: Callable[[], object], calls: int) -> float:
    """Seconds that so many calls take, with nothing around them."""
    begun = time.perf_counter()
    for _ in range(calls):
        fn()
    return time.perf_counter() - begun


def measured(fn: Callable[[], object], calls: int, estimator: Estimator) -> float:
    """The same, measured as `backends/threads.py` measures and `dispatch/dispatcher.py` asks for it."""
    glances = estimator.glances
    # What the sampler may take of a time, it would take twice of this half: the bare calls' share, too.
    get_sampler()._pace._refilled_ns = time.perf_counter_ns()
    begun = time.perf_counter()
    for _ in range(calls):
        watch = not estimator.skips() and estimator.needs_sampling()
        if not watch and glances.allowed():
            start = time.perf_counter_ns()
            fn()
            glances.take(time.perf_counter_ns() - start)
            continue
        meter = CallMeter(get_sampler() if watch else None)
        meter.start()
        fn()
        estimator.add(meter.stop(failed=False))
    return time.perf_counter() - begun


def costs(fn: Callable[[], object], calls: int, pairs: int, rounds: int) -> list[tuple[float, float]]:
    """Seconds that measuring adds to a call, and what part of the call's own that is; smallest first."""
    estimator = Estimator()
    measured(fn, 200, estimator)
    found = []
    for _ in range(rounds):
        took: dict[str, list[float]] = {"bare": [], "measured": []}
        for number, way in turns(took, pairs):
            seconds = bare(fn, calls) if way == "bare" else measured(fn, calls, estimator)
            if number:
                took[way].append(seconds / calls)
        added = [ours - theirs for ours, theirs in zip(took["measured"], took["bare"], strict=True)]
        # What lies far off on either side is not the work of measuring.
        kept = sorted(added)[pairs // 10 : pairs - pairs // 10]
        mean = statistics.fmean(kept)
        found.append((mean, mean / statistics.median(took["bare"])))
    return sorted(found)


def show(title: str, figures: list[str], goal: str) -> None:
    """One line: least, median and most."""
    print(f"{title:<36} {figures[0]:>9} {figures[len(figures) // 2]:>9} {figures[-1]:>9}   {goal}")


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, lambda parser: parser.set_defaults(rounds=5))
    print_machine()
    print(f"{'':<36} {'least':>9} {'median':>9} {'most':>9}   goal")
    if options.only in "every call":
        found = costs(nothing, SHORT_CALLS // 50, 50, options.rounds)
        show("every call, of a known function", [f"{added * 1e6:.2f} µs" for added, _ in found], "≤ 1 µs")
    for milliseconds in (1, 3, 10):
        title = f"looks, at calls of {milliseconds} ms"
        if options.only in title:
            calls, pairs = max(8, 24 // milliseconds), 60 // milliseconds + 10
            found = costs(computes(milliseconds / 1e3), calls, pairs, options.rounds)
            show(title, [f"{share:.1%}" for _, share in found], "≤ 2 %")


if __name__ == "__main__":
    main()
