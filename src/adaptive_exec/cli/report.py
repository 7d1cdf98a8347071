"""What the demo found, judged once and told twice: to people as a table, to machines as JSON."""

from __future__ import annotations

import json
import platform
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from adaptive_exec.cli import workloads
from adaptive_exec.cli.load import STATIONS, PipelineCheck
from adaptive_exec.cli.ways import ByHand, FunctionReport, Routed, Run
from adaptive_exec.platform.cores import usable_cores
from adaptive_exec.platform.gil import gil_enabled

__all__ = ["Verdict", "as_json", "judge", "print_report"]

_WIDTH: Final = 80
_DOES: Final[dict[Callable[..., Any], str]] = {
    workloads.rank_functions: "parses a module",
    workloads.pack_files: "hashes and compresses",
    workloads.fetch_page: "waits for a page, urllib",
    workloads.stream_page: "waits for a page, asyncio",
    workloads.index_words: "changes shared state",
    workloads.download: "pipeline, coroutine",
    workloads.parse_pages: "pipeline, backend= given",
    workloads.write_rows: "pipeline, one thread",
}
_BELONGS: Final[dict[Callable[..., Any], str]] = {
    workloads.rank_functions: "process",
    workloads.pack_files: "thread",
    workloads.fetch_page: "thread",
    workloads.stream_page: "loop",
    workloads.index_words: "thread",
    workloads.download: "loop",
    workloads.parse_pages: "process",
    workloads.write_rows: "thread",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The runs of all ways, and what is wrong with ours.

    Attributes:
        runs: Ours first.
        faults: One sentence for each wrong route and each wrong answer of ours; empty if all is well.
        differences: Of each way, its parts that differ from the run by hand, with what is wrong.
    """

    runs: tuple[Run, ...]
    faults: tuple[str, ...]
    differences: dict[str, dict[str, str]]

    @property
    def ok(self) -> bool:
        """True if every route and every answer of ours is right."""
        return not self.faults

    @property
    def ours(self) -> Run:
        """The routed run."""
        return self.runs[0]


def judge(runs: Sequence[Run]) -> Verdict:
    """Compare every answer with that of the run by hand, and every route with where the function belongs."""
    trusted = next(run for run in runs if run.name == ByHand.name)
    differences = {run.name: dict(_differences(run, trusted)) for run in runs}
    faults = [
        f"{function.fn.__name__} ran on {function.backend}, it belongs on {_belongs(function.fn)[0]}"
        for function in runs[0].functions
        if function.backend not in _belongs(function.fn)
    ]
    faults += [f"{run.title}: {part}: {fault}" for run in (trusted,) for part, fault in _failures(run)]
    faults += [f"{part}: {fault}" for part, fault in differences[Routed.name].items()]
    return Verdict(tuple(runs), tuple(faults), differences)


def _belongs(fn: Callable[..., Any]) -> tuple[str, ...]:
    """Where a function may run; with one core or no GIL, GIL-bound work gains nothing from processes."""
    place = _BELONGS[fn]
    free = fn is workloads.rank_functions and (usable_cores() == 1 or not gil_enabled())
    return (place, "thread") if free else (place,)


def _failures(run: Run) -> Iterable[tuple[str, str]]:
    """The parts of a run that are wrong by themselves."""
    for part, answer in run.answers.items():
        if isinstance(answer, BaseException):
            yield part, f"failed with {type(answer).__name__}: {answer}"
        elif isinstance(answer, PipelineCheck) and not answer.ok:
            yield part, f"{answer.lost} entries lost, {answer.doubled} doubled, {answer.torn} out of order"


def _differences(run: Run, trusted: Run) -> Iterable[tuple[str, str]]:
    """The parts of a run that are wrong by themselves or differ from the trusted run's."""
    failed = dict(_failures(run))
    yield from failed.items()
    for part, answer in run.answers.items():
        if part not in failed and answer != trusted.answers[part]:
            if isinstance(answer, dict) and not answer:
                yield part, "lost in the workers"
            else:
                yield part, "differs"


def as_json(verdict: Verdict) -> str:
    """The whole verdict as one JSON document."""
    by_name = {run.name: run for run in verdict.runs}
    ours = verdict.ours.seconds
    pipeline = verdict.ours.answers["pipeline"]
    document = {
        "ok": verdict.ok,
        "faults": list(verdict.faults),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": usable_cores(),
            "gil": gil_enabled(),
        },
        "functions": [_function_as_json(function) for function in verdict.ours.functions],
        "ways": [
            {
                "name": run.name,
                "title": run.title,
                "calls": run.calls,
                "seconds": run.seconds,
                "times_ours": run.seconds / ours,
                "answers": {part: verdict.differences[run.name].get(part, "equal") for part in run.answers},
            }
            for run in verdict.runs
        ],
        "beats": {name: ours < run.seconds for name, run in by_name.items() if name != Routed.name},
        "pipeline": _pipeline_as_json(pipeline),
    }
    return json.dumps(document, indent=2)


def _function_as_json(function: FunctionReport) -> dict[str, Any]:
    """One row of the table."""
    profile = function.profile
    return {
        "function": function.fn.__name__,
        "part": function.part,
        "does": _DOES[function.fn],
        "calls": function.routes.total(),
        "cpu_ratio": None if profile is None else profile.cpu_ratio,
        "gil_ratio": None if profile is None else profile.gil_ratio,
        "cpu_seconds": None if profile is None else profile.cpu,
        "wall_seconds": None if profile is None else profile.wall,
        "backend": function.backend,
        "expected": _belongs(function.fn)[0],
        "pinned": function.pinned,
        "routes": dict(function.routes),
        "reason": function.decision.reason,
        "ok": function.backend in _belongs(function.fn),
    }


def _pipeline_as_json(answer: object) -> dict[str, Any]:
    """What the journal of our pipeline says."""
    if not isinstance(answer, PipelineCheck):
        return {"ok": False, "error": str(answer)}
    return {
        "ok": answer.ok,
        "items": answer.items,
        "lost": answer.lost,
        "doubled": answer.doubled,
        "out_of_order": answer.torn,
    }


def print_report(verdict: Verdict, stream: TextIO) -> None:
    """Print the verdict for people, in colour where rich is installed and the stream is a terminal."""
    lines = [*_function_lines(verdict), ("", ""), *_way_lines(verdict), ("", ""), *_closing_lines(verdict)]
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        for line, _ in lines:
            print(line, file=stream)
        return
    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line, style in lines:
        console.print(Text(line, style=style))


def _function_lines(verdict: Verdict) -> Iterable[tuple[str, str]]:
    """The table of functions: a row of figures and, below it, the reason in words."""
    yield f"{'function':<16}{'':<26}{'calls':>6}{'CPU %':>7}{'GIL %':>7}  where", "bold"
    for function in verdict.ours.functions:
        profile = function.profile
        cpu = None if profile is None or not profile.calls else profile.cpu_ratio
        gil = None if profile is None else profile.gil_ratio
        total, here = function.routes.total(), function.routes[function.backend]
        place = function.backend if here == total else f"{function.backend} {here}/{total}"
        named = f"{function.fn.__name__:<16}{_DOES[function.fn]:<26}"
        figures = f"{total:>6,}{_percent(cpu):>7}{_percent(gil):>7}"
        yield f"{named}{figures}  {place}", "" if function.backend in _belongs(function.fn) else "red"
        for line in textwrap.wrap(function.decision.reason, _WIDTH - 4):
            yield f"    {line}", "dim"


def _percent(ratio: float | None) -> str:
    """A ratio as a whole percentage; a dash where nobody knows."""
    return "-" if ratio is None else f"{ratio:.0%}".rstrip("%")


def _way_lines(verdict: Verdict) -> Iterable[tuple[str, str]]:
    """The table of the four ways."""
    yield f"{f'the whole load, {verdict.ours.calls:,} calls':<30}{'seconds':>8}{'':>8}  answers", "bold"
    for run in verdict.runs:
        wrong = verdict.differences[run.name]
        if run.name == ByHand.name and not wrong:
            told = "the measure of the others"
        elif wrong:
            told = "; ".join(f"{part}: {fault}" for part, fault in wrong.items()) + "; the rest equal"
        else:
            told = "all equal"
        factor = f"{run.seconds / verdict.ours.seconds:.2f} x"
        head = f"{run.title:<30}{run.seconds:>8.2f}{factor:>8}  "
        first, *rest = textwrap.wrap(told, _WIDTH - len(head))
        yield head + first, "green" if run is verdict.ours and not wrong else ""
        for line in rest:
            yield " " * len(head) + line, ""


def _closing_lines(verdict: Verdict) -> Iterable[tuple[str, str]]:
    """The pipeline's count, and every fault."""
    pipeline = verdict.ours.answers["pipeline"]
    if isinstance(pipeline, PipelineCheck) and pipeline.ok:
        stations = f"{', '.join(STATIONS[:-1])} and {STATIONS[-1]}"
        yield f"pipeline: {pipeline.items} items, each {stations} exactly once", ""
    for fault in verdict.faults:
        for line in textwrap.wrap(f"WRONG: {fault}", _WIDTH):
            yield line, "bold red"
    if verdict.ok:
        yield "every function where it belongs, every answer right", "green"
