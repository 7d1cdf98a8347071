"""Compare ours with theirs, fairly: both in one run, in turns, as a ratio with its spread.

Times differ from machine to machine and from minute to minute; a ratio of two things that were measured in
turns does so much less. Every round measures all contestants once, in an order that changes from round to
round, and gives one ratio; what is printed is the least, the median and the greatest of them.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Measure = Callable[[], float]
"""Does the work once and returns the seconds that one operation of it took."""


@dataclass(frozen=True)
class Result:
    """One comparison: seconds an operation, round by round."""

    title: str
    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, round by round, smallest first."""
        return sorted(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    def __str__(self) -> str:
        """One line of the table."""
        low, middle, high = self.ratios[0], statistics.median(self.ratios), self.ratios[-1]
        return (
            f"{self.title:<44} {_time(statistics.median(self.ours)):>10} {_time(statistics.median(self.theirs)):>10}"
            f"   {low:6.2f} {middle:6.2f} {high:6.2f}"
        )


HEADER = f"{'':<44} {'ours':>10} {'theirs':>10}   {'ratio:':>6}\n{'':<68}{'min':>6} {'med':>6} {'max':>6}"


def compare(title: str, ours: Measure, theirs: Measure, *, rounds: int = 15) -> Result:
    """Measure both in turns, after one round that nobody counts."""
    contestants: Mapping[str, Measure] = {"ours": ours, "theirs": theirs}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    shuffle = random.Random(0)
    for number in range(rounds + 1):
        shuffle.shuffle(order)
        for name in order:
            gc.collect()
            seconds = contestants[name]()
            if number:
                times[name].append(seconds)
    result = Result(title, times["ours"], times["theirs"])
    print(result, flush=True)
    return result


def timed(work: Callable[[], object], operations: int) -> float:
    """Seconds that one of the `operations` in `work()` takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / operations


def arguments(description: str | None) -> argparse.Namespace:
    """The options that every bench has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each side (default: 15)")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only comparisons whose title contains TEXT"
    )
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def print_machine() -> None:
    """What the figures were measured on."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"Python {platform.python_version()}{'' if gil else ' without GIL'}, {platform.system()} {platform.machine()}"
    )
    print(f"{_cpu()}, {cores} usable cores{load}\n")


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
