"""The process engine beside other pools of worker processes, and beside two processes that only share a pipe.

Every pool lives in a process of its own (processes_host.py) and is measured when it is its turn; all have two
workers, but for "recovery" one. "again": the same array as the time before. "cold": from making the pool to its
first result, in a fresh process. "memory": what only the worker has (USS), after one no-op. "recovery": from
SIGKILL of the only worker to the result of a task on another; a pool that breaks is replaced by a new one.

At the end stands what the engine is to hold. Three to five minutes; `--rounds 3 --only "round trip"` is quicker.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import marshal
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness import STANDINGS_HEADER, Standings, arguments, machine, print_machine, spread_of, turns

TOTAL_SECONDS: Final = 360.0  # no round begins after that
ANSWER_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0
MARK: Final = "ADAPTIVE_EXEC_BENCH"
HERE: Final = Path(__file__).resolve().parent
PROGRAM: Final = "import sys; sys.path.insert(0, {!r}); import processes_host; processes_host.main({!r})"
LINUX: Final = sys.platform == "linux"

STANDARD: Final = "ProcessPoolExecutor"
PIPES: Final = ("pipe, blocking", "pipe, polling")
PEERS: Final = ("multiprocessing.Pool", "loky", "pebble", "mpire")
POOLS: Final = ("ours", STANDARD, *PEERS)
MAPPED: Final = ("ours", "multiprocessing.Pool", "mpire")
BURST: Final = 8000


# --- what is compared ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """Something that is measured of several contestants.

    Attributes:
        titles: One for each figure that a measurement gives.
        names: The contestants.
        order: What their hosts are told to do.
        args: With what.
        prepare: What each host is told first; a row without it has a fresh process for each measurement.
        uncounted: Whether there is a round before those that count.
        share: Rounds of this row, as a part of those asked for; the costly ones have fewer.
        mapped: Contestants that also do it by their `map`.
        limit: Seconds that a measurement may take.
        numpy: Whether NumPy is needed.
        linux: Whether `/proc` is needed.
        show: Makes a figure readable.
    """

    titles: tuple[str, ...]
    names: tuple[str, ...]
    order: str
    args: tuple[Any, ...] = ()
    prepare: str = ""
    uncounted: bool = True
    share: float = 1.0
    mapped: tuple[str, ...] = ()
    limit: float = ANSWER_SECONDS
    numpy: bool = False
    linux: bool = False
    show: Any = None


ROUND_TRIP: Final = "round trip, back to back"
SILENCE: Final = "round trip after 10 ms of silence"
QUEUED: Final = f"queued task, {BURST} at once"
ARRAY_IN: Final = "48 MB array in"
ARRAY_OUT: Final = "48 MB array out"
READ_ONLY: Final = "48 MB array in again, read-only"
WRITABLE: Final = "48 MB array in again, writable"
COLD: Final = "first result, cold"
MEMORY: Final = "memory of an idle worker"
IDLE: Final = "idle pool, 10 s"


def megabytes(figure: float) -> str:
    """Bytes, readable."""
    return f"{figure / 1e6:.2f} MB"


ROWS: Final = (
    Row((ROUND_TRIP,), (*POOLS, *PIPES), "round_trip", prepare="open"),
    Row((SILENCE,), (*POOLS, *PIPES), "after_silence", prepare="open", share=0.6),
    Row((QUEUED,), POOLS, "queued", (BURST,), prepare="open", share=0.5, mapped=MAPPED),
    Row((ARRAY_IN,), POOLS, "array_in", prepare="open_for_arrays", share=0.5, numpy=True),
    Row((ARRAY_OUT,), POOLS, "array_out", prepare="open_for_arrays", share=0.5, numpy=True),
    Row((READ_ONLY,), POOLS, "array_again", ("read-only",), prepare="open_for_arrays", share=0.4, numpy=True),
    Row((WRITABLE,), POOLS, "array_again", ("writable",), prepare="open_for_arrays", share=0.4, numpy=True),
    Row((COLD, "first result, cold, import included"), POOLS, "cold", share=0.7, limit=15.0),
    Row(
        (MEMORY,),
        (*POOLS, "bare child"),
        "memory",
        uncounted=False,
        share=0.3,
        limit=15.0,
        linux=True,
        show=megabytes,
    ),
    Row(
        ("recovery, idle worker killed",), POOLS, "recovery", (False,), uncounted=False, share=0.3, limit=5.0
    ),
    Row(("recovery, busy worker killed",), POOLS, "recovery", (True,), uncounted=False, share=0.3, limit=5.0),
)


@dataclass(frozen=True)
class Goal:
    """What a ratio may be at most, in the middle; `theirs` is empty for the best of all peers."""

    title: str
    theirs: str
    limit: float


GOALS: Final = (
    Goal(ROUND_TRIP, STANDARD, 0.15),
    Goal(SILENCE, STANDARD, 0.6),
    Goal(QUEUED, STANDARD, 0.12),
    Goal(QUEUED, "", 1.0),
    Goal(ARRAY_IN, STANDARD, 0.10),
    Goal(ARRAY_OUT, STANDARD, 0.10),
    Goal(READ_ONLY, STANDARD, 0.02),
    Goal(COLD, STANDARD, 1.0),
    Goal(MEMORY, "bare child", 1.1),
)


# --- the processes of the contestants ------------------------------------------------------------------


class Lost(Exception):
    """A contestant gave no answer, or said why it couldn't."""


class Host:
    """The process of a contestant.

    Args:
        name: Whose.
        token: Marks it and all that it starts.
    """

    def __init__(self, name: str, token: str) -> None:
        self._mark = f"{token}-{uuid.uuid4().hex}"
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(str(HERE), name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env={**os.environ, MARK: self._mark},
            start_new_session=True,
        )

    def ask(self, order: str, *args: Any, limit: float = ANSWER_SECONDS) -> list[float]:
        """Have something measured; `Lost` if that can't be done, or not in time."""
        self.tell(order, *args)
        return self.answer(limit)

    def tell(self, order: str, *args: Any) -> None:
        """Begin something."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `answer` says why
            self._process.stdin.write(marshal.dumps((order, list(args))))

    def answer(self, limit: float = ANSWER_SECONDS) -> list[float]:
        """The figures of what was begun."""
        assert self._process.stdout is not None
        end = time.monotonic() + limit
        watch = threading.Timer(limit, self.kill)
        watch.start()
        try:
            error, figures = marshal.load(self._process.stdout)
        except (EOFError, ValueError, TypeError):
            if time.monotonic() >= end:
                raise Lost(f"nothing within {limit:.0f} s") from None
            raise Lost(f"its process ended: {self._last_words()}") from None
        finally:
            watch.cancel()
        if error:
            raise Lost(error)
        return list(figures)

    def close(self) -> None:
        """End the pool and the process, by force if need be."""
        try:
            self.ask("close", limit=CLOSE_SECONDS)
            self._process.wait(CLOSE_SECONDS)
        except (Lost, subprocess.TimeoutExpired):
            pass
        finally:
            self.kill()
            self._process.wait()
            for file in (self._process.stdin, self._process.stdout, self._errors):
                if file is not None:
                    file.close()

    def kill(self) -> None:
        """End the process and those that it started."""
        if LINUX:
            _end_marked(self._mark)
        elif os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Hosts:
    """All processes of this run."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self._kept: dict[str, Host] = {}
        self._prepared = ""

    def kept(self, name: str, prepare: str) -> Host:
        """The process that a contestant keeps for all rows that are prepared in this way."""
        if prepare != self._prepared:
            self.close()
            self._prepared = prepare
        if name not in self._kept:
            self._kept[name] = host = Host(name, self.token)
            host.ask(prepare)
        return self._kept[name]

    def drop(self, name: str) -> None:
        """End the process of one that gave no answer."""
        if name in self._kept:
            self._kept.pop(name).close()

    @contextmanager
    def fresh(self, name: str) -> Iterator[Host]:
        """A process for one measurement."""
        host = Host(name, self.token)
        try:
            yield host
        finally:
            host.close()

    def close(self) -> None:
        """End all that are kept."""
        while self._kept:
            self._kept.popitem()[1].close()

    def sweep(self) -> int:
        """End whatever is left of this run anywhere; how many those were."""
        self.close()
        end = time.monotonic() + 2.0
        while left := _marked(self.token) if LINUX else []:
            if time.monotonic() > end:
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return len(left)
            time.sleep(0.05)
        return 0


def _marked(mark: str) -> list[int]:
    """Processes with a mark in the environment that they were started with."""
    start = f"{MARK}={mark}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if any(entry.startswith(start) for entry in path.read_bytes().split(b"\0")):
                found.append(int(path.parent.name))
    return found


def _end_marked(mark: str) -> None:
    """Kill what has a mark, but for resource trackers: those end by themselves, once they have tidied up."""
    for _ in range(20):  # something may be started meanwhile
        left = []
        for pid in _marked(mark):
            with suppress(OSError):
                if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                    left.append(pid)
                    os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.01)


# --- measuring -----------------------------------------------------------------------------------------


def measure(row: Row, hosts: Hosts, rounds: int, end: float, left_out: Sequence[str]) -> list[Standings]:
    """Give everybody a turn, round by round; who gives no answer has no more turns."""
    names = {name: (name, row.order) for name in row.names if name not in left_out}
    names |= {f"{name}, map": (name, "mapped") for name in row.mapped if name in names}
    tables = [Standings(title, row.show) if row.show else Standings(title) for title in row.titles]
    for table in tables:
        table.figures = {name: [] for name in names}
    rounds = max(1, round(rounds * row.share))
    start = time.monotonic()
    for number, label in turns(names, rounds, first=0 if row.uncounted else 1):
        if label not in names or time.monotonic() > end:
            continue
        name, order = names[label]
        try:
            if row.prepare:
                figures = hosts.kept(name, row.prepare).ask(order, *row.args, limit=row.limit)
            else:
                with hosts.fresh(name) as host:
                    figures = host.ask(order, *row.args, limit=row.limit)
        except Lost as error:
            hosts.drop(name)
            del names[label]
            for table in tables:
                table.remarks[label] = str(error)
            continue
        if number:
            for table, figure in zip(tables, figures, strict=False):
                table.figures[label].append(figure)
        if row.order == "recovery" and figures[1]:
            tables[0].remarks[label] = "by a new pool"
    tables[0].seconds = time.monotonic() - start
    return tables


@dataclass
class Idle:
    """What the threads and workers of a pool do while it has nothing to do."""

    wakeups: int
    cpu_seconds: float
    processes: int
    threads: int


def measure_idle(hosts: Hosts, names: Sequence[str]) -> dict[str, Idle | str]:
    """Let all pools rest, at the same time: whoever sleeps doesn't notice the others."""
    resting = {name: Host(name, hosts.token) for name in names}
    found: dict[str, Idle | str] = {}
    try:
        for host in resting.values():
            host.tell("idle")
        for name, host in resting.items():
            try:
                switches, seconds, processes, threads = host.answer(ANSWER_SECONDS)
            except Lost as error:
                found[name] = str(error)
            else:
                found[name] = Idle(int(switches), seconds, int(processes), int(threads))
    finally:
        for host in resting.values():
            host.close()
    return found


def print_idle(found: dict[str, Idle | str]) -> None:
    """The table of the idle pools."""
    print(f"{IDLE}\n  {'':<32} {'wake-ups':>10} {'CPU':>10} {'processes':>10} {'threads':>10}")
    for name, idle in found.items():
        if isinstance(idle, str):
            print(f"  {name:<32} {'-':>10}   {idle}")
        else:
            cpu = f"{idle.cpu_seconds * 1e3:.2f} ms"
            print(f"  {name:<32} {idle.wakeups:>10} {cpu:>10} {idle.processes:>10} {idle.threads:>10}")
    print(flush=True)


# --- what is to hold -----------------------------------------------------------------------------------


@dataclass
class Verdict:
    """A goal and what came of it; `holds` is None if it wasn't measured."""

    goal: str
    limit: float
    ratios: list[float]
    holds: bool | None

    def __str__(self) -> str:
        """One line of the table."""
        limit = f"{self.limit:g}"
        if self.holds is None:
            return f"{self.goal:<66} {limit:>6}   {'not measured':<20}"
        return f"{self.goal:<66} {limit:>6}   {spread_of(self.ratios)}   {'yes' if self.holds else 'NO'}"


def judge(tables: dict[str, Standings], idle: dict[str, Idle | str]) -> list[Verdict]:
    """Hold the goals against the tables."""
    verdicts = []
    for goal in GOALS:
        table = tables.get(goal.title, Standings(goal.title))
        theirs = goal.theirs
        if not theirs:  # the one that is ahead of ours by most
            others = [name for name in table.figures if not name.startswith("ours") and table.ratios(name)]
            theirs = max(others, key=lambda name: statistics.median(table.ratios(name)), default="the best")
        ratios = table.ratios(theirs)
        holds = statistics.median(ratios) <= goal.limit if ratios else None
        words = f"{goal.title}, by {theirs}{'' if goal.theirs else ', the best of all'}"
        verdicts.append(Verdict(words, goal.limit, ratios, holds))
    ours = idle.get("ours")
    counts = [float(ours.wakeups)] if isinstance(ours, Idle) else []
    verdicts.append(Verdict(f"{IDLE}: wake-ups", 0, counts, counts == [0.0] if counts else None))
    return verdicts


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """The last table."""
    print(f"{'goal':<66} {'limit':>6}   {'min':>6} {'med':>6} {'max':>6}   holds")
    for verdict in verdicts:
        print(verdict)


def save(
    path: str,
    rounds: int,
    tables: dict[str, Standings],
    idle: dict[str, Idle | str],
    verdicts: Sequence[Verdict],
) -> None:
    """Write everything as JSON."""
    versions = {}
    for name in ("adaptive-exec", "loky", "pebble", "mpire", "numpy"):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    comparisons = [
        {
            "title": table.title,
            "unit": "bytes" if table.title == MEMORY else "seconds",
            "seconds_of_measuring": table.seconds,
            "figures": table.figures,
            "ratios": {name: _spread(table.ratios(name)) for name in table.figures if name != "ours"},
            "remarks": table.remarks,
        }
        for table in tables.values()
    ]
    report = {
        "machine": machine(),
        "versions": versions,
        "rounds": rounds,
        "comparisons": comparisons,
        "idle": {name: found if isinstance(found, str) else vars(found) for name, found in idle.items()},
        "goals": [{**vars(verdict), "ratios": _spread(verdict.ratios)} for verdict in verdicts],
    }
    Path(path).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _spread(ratios: Sequence[float]) -> dict[str, float] | None:
    if not ratios:
        return None
    return {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)}


def _absent() -> list[str]:
    """Peers that aren't installed; says so."""
    absent = [name for name in ("loky", "pebble", "mpire") if importlib.util.find_spec(name) is None]
    for name in absent:
        print(f"{name} is not installed and is left out")
    return absent


def _adapt(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(rounds=10)
    parser.add_argument("--json", metavar="FILE", help="write all figures there, too")


def main() -> None:
    """Run the comparisons one after the other, then judge."""
    options = arguments(__doc__, _adapt)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the pools on the way
    print_machine()
    left_out = _absent()
    numpy = importlib.util.find_spec("numpy") is not None
    print(STANDINGS_HEADER)
    end = time.monotonic() + TOTAL_SECONDS
    tables: dict[str, Standings] = {}
    idle: dict[str, Idle | str] = {}
    hosts = Hosts()
    try:
        for row in ROWS:
            if not any(options.only in title for title in row.titles):
                continue
            if (row.numpy and not numpy) or (row.linux and not LINUX):
                print(f"{row.titles[0]}: left out, it needs {'NumPy' if row.numpy else 'Linux'}\n")
                continue
            for table in measure(row, hosts, options.rounds, end, left_out):
                tables[table.title] = table
                print(f"{table}\n", flush=True)
        hosts.close()
        if options.only in IDLE and LINUX:
            idle = measure_idle(hosts, [name for name in POOLS if name not in left_out])
            print_idle(idle)
    finally:
        left = hosts.sweep()
    verdicts = judge(tables, idle)
    print_verdicts(verdicts)
    if left:
        print(f"\n{left} processes were still there after their pools were closed, and were ended")
    if options.json:
        save(options.json, options.rounds, tables, idle, verdicts)


if __name__ == "__main__":
    main()
