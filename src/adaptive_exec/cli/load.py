"""The demo's mixed load: which calls it makes, in which order, and what their answers are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adaptive_exec.cli import workloads
from adaptive_exec.cli.sources import batches, largest

if TYPE_CHECKING:
    from adaptive_exec import Lock, Queue
    from adaptive_exec.model import BackendName

__all__ = ["FULL", "QUICK", "STATIONS", "Job", "Load", "Pipeline", "PipelineCheck", "Sizes"]

_LARGE: Final = 120
STATIONS: Final = ("downloaded", "parsed", "written")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each kind of work the load holds."""

    ranked: int | None
    packed: int
    packed_files: int
    fetched: int
    streamed: int
    indexed: int
    piped: int
    parsers: int = 2


FULL: Final = Sizes(ranked=None, packed=8, packed_files=40, fetched=200, streamed=1000, indexed=60, piped=30)
QUICK: Final = Sizes(ranked=200, packed=6, packed_files=40, fetched=40, streamed=100, indexed=30, piped=12)


@dataclass(frozen=True, slots=True)
class Job:
    """One call of the load.

    Attributes:
        part: The part of the demo that it belongs to.
        fn: The function; one part may have several.
        args: Its arguments.
        pinned: The backend that the caller asks for; None leaves it to the routing.
    """

    part: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    pinned: BackendName | None = None


@dataclass(frozen=True, slots=True)
class PipelineCheck:
    """What the journal of the pipeline says of its items.

    Attributes:
        items: How many went in.
        lost: Entries that are missing, over all stations.
        doubled: Entries that are there more than once, over all stations.
        torn: Entries whose running number is not their place: two writers were in the journal at once.
        rows: The rows in the order of their items.
    """

    items: int
    lost: int
    doubled: int
    torn: int
    rows: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True if every station saw every item exactly once and no two were in the journal at once."""
        return self.lost == self.doubled == self.torn == 0


class Pipeline:
    """Two queues, a lock and a journal between coroutines, processes and a thread.

    Each station ends when the queue before it is shut down; `finished` does that after the last call of
    the station before, so a call that fails ends the pipeline and never stalls it.
    """

    def __init__(self, urls: Sequence[str], parsers: int, journal: Path) -> None:
        from adaptive_exec import Lock, Queue

        self._journal = journal
        self._items = len(urls)
        self._pages: Queue[tuple[int, bytes]] = Queue()
        self._rows: Queue[tuple[int, str]] = Queue()
        lock: Lock = Lock()
        self.jobs = [
            Job("pipeline", workloads.download, (number, url, self._pages, lock, journal))
            for number, url in enumerate(urls)
        ]
        self.jobs += [
            Job("pipeline", workloads.parse_pages, (self._pages, self._rows, lock, journal), pinned="process")
        ] * parsers
        self.jobs.append(Job("pipeline", workloads.write_rows, (self._rows, lock, journal)))
        self._unfinished = Counter(job.fn for job in self.jobs)

    def finished(self, job: Job) -> None:
        """Note that a call has ended; the last one of a station ends the next station."""
        self._unfinished[job.fn] -= 1
        if self._unfinished[job.fn] == 0:
            if job.fn is workloads.download:
                self._pages.shutdown()
            elif job.fn is workloads.parse_pages:
                self._rows.shutdown()

    def close(self) -> None:
        """End all stations, done or not."""
        self._pages.shutdown(immediate=True)
        self._rows.shutdown(immediate=True)

    def check(self) -> PipelineCheck:
        """Read the journal: was every item counted exactly once at every station?"""
        entries = [line.split("\t") for line in self._journal.read_text(encoding="utf-8").splitlines()]
        seen = Counter((station, int(item)) for _, station, item, *_ in entries)
        expected = {(station, item) for station in STATIONS for item in range(self._items)}
        rows = {int(item): row for _, station, item, row in entries if station == "written"}
        return PipelineCheck(
            items=self._items,
            lost=len(expected - seen.keys()),
            doubled=sum(count - 1 for count in seen.values()),
            torn=sum(int(number) != place for place, (number, *_) in enumerate(entries)),
            rows=tuple(rows[item] for item in sorted(rows)),
        )


class Load:
    """Every call of one way of running, made anew for each way and the same for all."""

    def __init__(self, sizes: Sizes, modules: Sequence[Path], server: str, journal: Path) -> None:
        urls = [f"{server}/{number}" for number in range(len(modules))]
        many = [urls[number % len(urls)] for number in range(max(sizes.streamed, sizes.fetched))]
        packs = batches(largest(modules, _LARGE), sizes.packed, sizes.packed_files)
        self.pipeline = Pipeline(many[: sizes.piped], sizes.parsers, journal)
        mixed = _mixed(
            [Job("rank", workloads.rank_functions, (path,)) for path in modules[: sizes.ranked]],
            [Job("pack", workloads.pack_files, (paths,)) for paths in packs],
            [Job("fetch", workloads.fetch_page, (url,)) for url in many[: sizes.fetched]],
            [Job("stream", workloads.stream_page, (url,)) for url in many[: sizes.streamed]],
            [Job("index", workloads.index_words, (path,)) for path in modules[: sizes.indexed]],
        )
        self.jobs = self.pipeline.jobs + mixed
        workloads.WORD_INDEX.clear()

    def answers(self, futures: Sequence[Future[Any]]) -> dict[str, object]:
        """The answer of each part; of a part that failed, its first error."""
        found: dict[str, Any] = {}
        for job, future in zip(self.jobs, futures, strict=True):
            error = future.exception()
            if error is not None and not isinstance(found.get(job.part), BaseException):
                found[job.part] = error
            elif error is None and not isinstance(found.get(job.part), BaseException):
                found.setdefault(job.part, []).append(future.result())
        if not isinstance(found["index"], BaseException):
            found["index"] = {word: sorted(places) for word, places in workloads.WORD_INDEX.items()}
        if not isinstance(found["pipeline"], BaseException):
            found["pipeline"] = self.pipeline.check()
        return found


def _mixed(*parts: Sequence[Job]) -> list[Job]:
    """All parts in one row, each spread evenly over its whole length."""
    placed = [((place + 0.5) / len(part), job) for part in parts for place, job in enumerate(part)]
    return [job for _, job in sorted(placed, key=lambda pair: pair[0])]
