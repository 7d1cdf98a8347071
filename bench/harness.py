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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Measure = Callable[[], float]
"""Does the work once and returns the seconds that one operation of it took."""


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


@dataclass(frozen=True)
class Result:
    """One comparison: seconds an operation, round by round."""

    title: str
    ours: Sequence[float]
    theirs: Sequence[float]
    show: Callable[[float], str] = _time

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, round by round, smallest first."""
        return sorted(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    def __str__(self) -> str:
        """One line of the table."""
        low, middle, high = self.ratios[0], statistics.median(self.ratios), self.ratios[-1]
        return (
            f"{self.title:<44} {self.show(statistics.median(self.ours)):>10}"
            f" {self.show(statistics.median(self.theirs)):>10}"
            f"   {low:6.2f} {middle:6.2f} {high:6.2f}"
        )


HEADER = f"{'':<44} {'ours':>10} {'theirs':>10}   {'ratio:':>6}\n{'':<68}{'min':>6} {'med':>6} {'max':>6}"


def compare(
    title: str, ours: Measure, theirs: Measure, *, rounds: int = 15, show: Callable[[float], str] = _time
) -> Result:
    """Measure both in turns, after one round that nobody counts."""
    contestants: Mapping[str, Measure] = {"ours": ours, "theirs": theirs}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number, name in turns(contestants, rounds):
        gc.collect()
        seconds = contestants[name]()
        if number:
            times[name].append(seconds)
    result = Result(title, times["ours"], times["theirs"], show)
    print(result, flush=True)
    return result


def turns(names: Iterable[str], rounds: int, *, first: int = 0) -> Iterator[tuple[int, str]]:
    """Whose turn it is: every name in every round, in an order that changes.

    Rounds are numbered from `first`; the usual round 0 is to warm up and is not to be counted.
    """
    order = list(names)
    shuffle = random.Random(0)
    for number in range(first, rounds + 1):
        shuffle.shuffle(order)
        for name in order:
            yield number, name


@dataclass
class Standings:
    """One comparison of ours with many.

    Attributes:
        title: What is compared.
        show: Makes a figure readable.
        figures: What was measured of each contestant, round by round; the names begin with "ours".
        remarks: What else is to be said of a contestant.
        seconds: How long all the measuring took.
    """

    title: str
    show: Callable[[float], str] = _time
    figures: dict[str, list[float]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def ratios(self, name: str) -> list[float]:
        """Ours by theirs, round by round, smallest first; empty if one of them has no figures."""
        pairs = zip(
            self.figures.get("ours", []), self.figures.get(name, []), strict=False
        )  # one may have left
        return sorted(mine / other for mine, other in pairs if other)

    def __str__(self) -> str:
        """The title, and a line for each contestant."""
        lines = [f"{self.title}  ({self.seconds:.0f} s of measuring)" if self.seconds else self.title]
        for name in dict.fromkeys([*self.figures, *self.remarks]):
            figures, ratios = self.figures.get(name), self.ratios(name)
            middle = self.show(statistics.median(figures)) if figures else "-"
            spread = "" if name == "ours" or not ratios else spread_of(ratios)
            lines.append(f"  {name:<32} {middle:>10}   {spread:<20}  {self.remarks.get(name, '')}".rstrip())
        return "\n".join(lines)


STANDINGS_HEADER = f"{'':<34} {'median':>10}   {'ours/theirs:':>20}\n{'':<48}{'min':>6} {'med':>6} {'max':>6}"


def spread_of(ratios: Sequence[float]) -> str:
    """Least, median and greatest."""
    return f"{min(ratios):6.3f} {statistics.median(ratios):6.3f} {max(ratios):6.3f}"


def timed(work: Callable[[], object], operations: int) -> float:
    """Seconds that one of the `operations` in `work()` takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / operations


def arguments(
    description: str | None, extend: Callable[[argparse.ArgumentParser], object] | None = None
) -> argparse.Namespace:
    """The options that every bench has, and those that `extend` adds for one."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=15, help="measurements of each side (default: %(default)s)"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only comparisons whose title contains TEXT"
    )
    if extend is not None:
        extend(parser)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def machine() -> dict[str, object]:
    """What the figures are measured on."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def print_machine() -> None:
    """What the figures were measured on."""
    facts = machine()
    gil = "" if facts["gil"] else " without GIL"
    load = "" if facts["load"] is None else f", load {facts['load']:.1f}"
    print(f"Python {facts['python']}{gil}, {facts['system']} {facts['architecture']}")
    print(f"{facts['cpu']}, {facts['cores']} usable cores{load}\n")


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown processor"
