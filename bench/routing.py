"""Is each function routed where it is done soonest? Where that is, is measured here, on this machine, in this run.

For each function of the corpus (`routing_corpus.py`) a batch of calls is timed on two threads, on many threads and in
worker processes, by turns; the best of all rounds counts, and every backend within a tenth of the best one is right.
"alone": a new executor gets 8 calls of one function, one after the other, and is asked where the next would run
after the second, the fourth and the eighth. "mixed": calls of all functions at once, in a random order: an executor
that knows nothing (cold), the same again (warm), beside routing by hand as measured here, all on 32 threads, all in
processes, and BetaPool's threads. Coroutines run on a loop wherever that is possible. "drift": a function that has been
called 40 times begins to do something else, and it is counted how many more calls it takes until they go elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from adaptive_exec import AdaptiveExecutor, Profile
from harness import arguments, machine, print_machine, turns
from routing_corpus import SUBJECTS, Subject, load_all, needs_server, turns_into

try:
    from betapool import AdaptiveThreadPoolExecutor as BetaPool
except ImportError:
    BetaPool = None

BATCH: Final = 24
AFTER: Final = (2, 4, 8)
NEAR: Final = 1.10
MANY: Final = 64
KINDS: Final = ("computes", "free", "waits")
MIXED_CALLS: Final = 12
_MARKS: Final = ("<!-- scoreboard -->", "<!-- end of scoreboard -->")
SERVER: Final = """
import asyncio, json, sys
BODY = json.dumps({"values": list(range(200))}).encode()
async def answer(reader, writer):
    line = await reader.readline()
    while (await reader.readline()).strip():
        pass
    await asyncio.sleep(int(line.split()[1][1:]) / 1000)
    writer.write(b"HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(BODY) + BODY)
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""

Submit = Callable[[Subject, int], "Future[Any]"]


@contextlib.contextmanager
def server() -> Iterator[int]:
    """A web server in a process of its own, which ends with this one; its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


class Loop:
    """A running loop of asyncio's, as a user would make one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def submit(self, fn: Any, *args: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(fn(*args), self.loop)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def is_coroutine(subject: Subject) -> bool:
    return asyncio.iscoroutinefunction(subject.fn)


def seconds_of(submit: Submit, subject: Subject, calls: int = BATCH) -> float:
    """Time for a batch of calls."""
    start = time.perf_counter()
    for future in [submit(subject, number) for number in range(calls)]:
        future.result()
    return time.perf_counter() - start


def warm(executor: AdaptiveExecutor) -> AdaptiveExecutor:
    """An executor whose workers are there and have loaded the corpus."""
    pinned = executor.options(backend="process")
    for future in [pinned.submit(time.sleep, 0.05) for _ in range(4)]:
        future.result()
    for future in [pinned.submit(load_all) for _ in range(8)]:
        future.result()
    return executor


class Oracle:
    """Which backend is best for which function, as measured.

    Attributes:
        seconds: Of a batch, by function and place.
    """

    def __init__(self) -> None:
        self.seconds: dict[int, dict[str, float]] = {}

    def measure(self, subjects: list[Subject], port: int, rounds: int) -> None:
        """Time each function everywhere."""
        with (
            ThreadPoolExecutor(2) as few,
            ThreadPoolExecutor(MANY) as many,
            warm(AdaptiveExecutor()) as executor,
        ):
            pinned = executor.options(backend="process")
            ways: dict[str, Submit] = {
                "few threads": lambda s, n: few.submit(s.fn, *s.call(n, port)),
                "many threads": lambda s, n: many.submit(s.fn, *s.call(n, port)),
                "process": lambda s, n: pinned.submit(s.fn, *s.call(n, port)),
            }
            for at, subject in enumerate(subjects):
                if is_coroutine(subject):
                    continue
                best = self.seconds[at] = {}
                for _, way in turns(ways, rounds - 1):
                    took = seconds_of(ways[way], subject)
                    best[way] = min(took, best.get(way, took))

    def right(self, at: int, subject: Subject) -> set[str]:
        """The backends that are as good as any."""
        if is_coroutine(subject):
            return {"loop"}
        best = self.seconds[at]
        limit = NEAR * min(best.values())
        return {"process" if way == "process" else "thread" for way, took in best.items() if took <= limit}

    def place(self, at: int, subject: Subject) -> str:
        """Where somebody who knows all this would run it."""
        return "loop" if is_coroutine(subject) else min(self.seconds[at], key=self.seconds[at].__getitem__)


def alone(subjects: list[Subject], oracle: Oracle, port: int) -> dict[str, dict[int, str]]:
    """Where each function would run after so many calls, by an executor that has met no other."""
    told: dict[str, dict[int, str]] = {}
    for at, subject in enumerate(subjects):
        name = f"{at} {subject.name}"
        told[name] = {}
        with warm(AdaptiveExecutor()) as executor:
            for number in range(max(AFTER)):
                executor.submit(subject.fn, *subject.call(number, port)).result()
                if number + 1 in AFTER:
                    decision = executor.explain(subject.fn)
                    told[name][number + 1] = decision.backend
            if told[name][4] not in oracle.right(at, subject):
                took = {way: f"{value * 1e3:.0f} ms" for way, value in oracle.seconds.get(at, {}).items()}
                print(f"  {name}: {told[name]}, {took}: {executor.explain(subject.fn).reason}", flush=True)
    return told


def mixture(subjects: list[Subject], calls: range) -> list[tuple[int, int]]:
    """Calls of all functions in a random order: which function, and the number of its call."""
    order = [(at, number) for at in range(len(subjects)) for number in calls]
    random.Random(5).shuffle(order)
    return order


def run_mixed(order: list[tuple[int, int]], submit: Callable[[int, int], Any]) -> float:
    """Seconds for a mixture."""
    start = time.perf_counter()
    for future in [submit(at, number) for at, number in order]:
        future.result()
    return time.perf_counter() - start


def mixed(subjects: list[Subject], oracle: Oracle, port: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of the mixed load, by way and round."""
    took: dict[str, list[float]] = {}
    order = mixture(subjects, range(MIXED_CALLS))

    def run(place: Callable[[int], Any]) -> float:
        """Each call submitted where its function belongs."""

        def submit(at: int, number: int) -> Any:
            subject = subjects[at]
            return place(at).submit(subject.fn, *subject.call(number, port))

        return run_mixed(order, submit)

    ways = ["ours", "by hand", "all threads", "all processes", *(["BetaPool"] if BetaPool else [])]
    for number, way in turns(ways, rounds):
        with contextlib.ExitStack() as stack:
            executor = stack.enter_context(warm(AdaptiveExecutor()))
            if way == "ours":
                found = {"cold": run(lambda at: executor), "warm": run(lambda at: executor)}  # noqa: B023
            else:
                loop = Loop()
                stack.callback(loop.close)
                places: dict[str, Any] = {
                    "few threads": stack.enter_context(ThreadPoolExecutor(2)),
                    "many threads": stack.enter_context(ThreadPoolExecutor(MANY)),
                    "all threads": stack.enter_context(ThreadPoolExecutor(32)),
                    "process": executor.options(backend="process"),
                    "loop": loop,
                }
                places["all processes"] = places["process"]
                if way == "BetaPool":
                    places[way] = stack.enter_context(BetaPool(min_workers=4, max_workers=MANY))
                found = {way: run(lambda at: places[place_of(way, at, subjects, oracle)])}  # noqa: B023
        for name, seconds in found.items() if number else ():
            took.setdefault(name, []).append(seconds)
    return took


def place_of(way: str, at: int, subjects: list[Subject], oracle: Oracle) -> str:
    """Where this way runs that function."""
    if way == "by hand":
        return oracle.place(at, subjects[at])
    return "loop" if is_coroutine(subjects[at]) else way


def wrong_when_mixed(subjects: list[Subject], oracle: Oracle, port: int) -> list[str]:
    """The functions that are not right after four calls of each, all at once."""
    wrong: list[str] = []
    with warm(AdaptiveExecutor()) as executor:
        run_mixed(
            mixture(subjects, range(4)),
            lambda at, n: executor.submit(subjects[at].fn, *subjects[at].call(n, port)),
        )
        for at, subject in enumerate(subjects):
            decision = executor.explain(subject.fn)
            if decision.backend not in oracle.right(at, subject):
                wrong.append(f"{subject.name}: {decision.backend}: {decision.reason}")
    return wrong


def drift(before: str, after: str) -> int:
    """How many calls of another kind it takes until the next would go where that kind belongs."""
    belongs = {"computes": "process", "free": "thread", "waits": "thread"}
    with warm(AdaptiveExecutor()) as executor:
        for _ in range(40):
            executor.submit(turns_into, before).result()
        for number in range(1, 61):
            executor.submit(turns_into, after).result()
            decision = executor.explain(turns_into)
            if decision.backend == belongs[after] and nature_of(decision.profile) == after:
                return number
    return 61


def nature_of(profile: Profile | None) -> str:
    """What a profile says of a function."""
    if profile is None or not profile.settled:
        return ""
    if profile.cpu_ratio < 0.5:
        return "waits"
    return "free" if profile.gil_ratio is not None and profile.gil_ratio < 0.5 else "computes"


def write_scoreboard(path: str, board: list[tuple[str, str, str]]) -> None:
    """Put the table between the two marks of a page."""
    found = machine()
    page = pathlib.Path(path).read_text(encoding="utf-8")
    before, _, rest = page.partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    rows = [f"| {what} | {goal} | {figure} |" for what, goal, figure in board]
    where = f"Python {found['python']}, {found['system']}, {found['cpu']}, {found['cores']} cores"
    table = "\n".join(
        [f"{where}; median, in brackets least and most.", "", "| | goal | measured |", "|---|---|---|", *rows]
    )
    pathlib.Path(path).write_text(f"{before}{_MARKS[0]}\n\n{table}\n\n{_MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Measure and print."""

    def extend(parser: argparse.ArgumentParser) -> None:
        parser.set_defaults(rounds=3)
        parser.add_argument("--json", metavar="FILE", help="write all figures there, too")
        parser.add_argument("--scoreboard", metavar="FILE", help="put the table into this page")

    options = arguments(__doc__, extend)
    board: list[tuple[str, str, str]] = []
    print_machine()
    with server() as port:
        subjects = [subject for subject in SUBJECTS if options.only in subject.name]
        oracle = Oracle()
        oracle.measure(subjects, port, options.rounds)
        print(f"\n{len(subjects)} functions, {sum(map(needs_server, subjects))} of which ask a server")
        print("\nnot right after 4 calls, alone:")
        told = alone(subjects, oracle, port)
        for after in AFTER:
            good = sum(
                told[f"{at} {subject.name}"][after] in oracle.right(at, subject)
                for at, subject in enumerate(subjects)
            )
            print(f"alone, right after {after} calls: {good} of {len(subjects)}, {good / len(subjects):.1%}")
            goal = "≥ 97 %" if after == 4 else ""
            board.append((f"right after {after} calls, alone", goal, f"{good / len(subjects):.1%}"))
        wrong = wrong_when_mixed(subjects, oracle, port)
        took = mixed(subjects, oracle, port, options.rounds)
    drifted = {(one, other): drift(one, other) for one, other in itertools.permutations(KINDS, 2)}
    share = f"{1 - len(wrong) / len(subjects):.1%}"
    print(f"\nmixed, right after 4 calls: {share}")
    board.append(("right after 4 calls of each, all mixed together", "≥ 95 %", share))
    for line in wrong:
        print(f"  {line}")
    print(f"\n{len(subjects) * MIXED_CALLS} calls of all functions, seconds; ratios: least, median, most")
    for way, seconds in took.items():
        print(f"  {way:16s}{statistics.median(seconds):8.2f}")
    for ours, theirs, limit in (
        ("warm", ("by hand",), 1.05),
        ("cold", ("by hand",), 1.25),
        ("warm", ("all threads", "all processes"), 0.75),
        ("cold", ("all threads", "all processes"), 0.75),
        *([("warm", ("BetaPool",), 1.0), ("cold", ("BetaPool",), 1.0)] if BetaPool else []),
    ):
        best = [min(each) for each in zip(*(took[way] for way in theirs), strict=True)]
        ratios = sorted(mine / other for mine, other in zip(took[ours], best, strict=True))
        title = f"{ours} by {' or '.join(theirs)}"
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        board.append((f"time of the mixture, {ours} ÷ {' or '.join(theirs)}", f"≤ {limit:.2f}", spread))
        print(f"{title:44s}{limit:6.2f}  {ratios[0]:6.2f} {statistics.median(ratios):6.2f} {ratios[-1]:6.2f}")
    print("\ncalls until a function that has become another one goes where it belongs:")
    for (one, other), number in drifted.items():
        print(f"  {one} -> {other}: {number}")
    worst = max(drifted.values())
    board.append(("calls until a function that has changed is re-routed, at most", "≤ 20", str(worst)))
    if options.scoreboard:
        write_scoreboard(options.scoreboard, board)
    if options.json:
        figures = {
            "machine": machine(),
            "alone": told,
            "oracle": oracle.seconds,
            "mixed": took,
            "wrong": wrong,
        }
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
