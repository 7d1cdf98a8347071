"""The demo: once end to end, its plain output, its end by Ctrl-C, and how it judges."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Literal

import pytest

from adaptive_exec.cli import report, workloads
from adaptive_exec.cli.load import PipelineCheck
from adaptive_exec.cli.progress import make_progress
from adaptive_exec.cli.report import as_json, judge, print_report
from adaptive_exec.cli.ways import FunctionReport, Run
from adaptive_exec.model import Decision, Profile
from adaptive_exec.platform.gil import gil_enabled

DEMO = [sys.executable, "-m", "adaptive_exec", "demo"]
WITHOUT_RICH = "import sys; sys.modules['rich'] = None; from adaptive_exec.cli import main; sys.exit(main())"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run_demo(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the demo as a program of its own."""
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.full
def test_json_end_to_end() -> None:
    """A small run routes every function, gets every answer right, and prints one document alone."""
    ended = run_demo([*DEMO, "--quick", "--json"])

    document = json.loads(ended.stdout)
    assert document["faults"] == []
    assert (ended.returncode, ended.stderr) == (0, "")
    assert document["pipeline"]["ok"]
    assert [way["name"] for way in document["ways"]] == ["routed", "processes", "threads", "hand"]
    index = next(row for row in document["functions"] if row["function"] == "index_words")
    assert index["backend"] == "thread"
    if gil_enabled():  # without one it stays on threads anyway, like everything that computes
        assert "WORD_INDEX" in index["reason"]
    processes = next(way for way in document["ways"] if way["name"] == "processes")
    assert processes["answers"].pop("index") == "lost in the workers"
    assert set(processes["answers"].values()) == {"equal"}


@pytest.mark.full
def test_plain_without_rich() -> None:
    """Without rich the same tables come as plain text that fits into 80 columns."""
    ended = run_demo([sys.executable, "-c", WITHOUT_RICH, "demo", "--quick"])

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "rank_functions" in ended.stdout
    assert "lost in the workers" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr
    assert max(map(len, ended.stdout.splitlines())) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="needs a process group that a signal reaches")
@pytest.mark.parametrize(
    "way",
    [
        "adaptive_exec",
        pytest.param("routed by hand", marks=[pytest.mark.full, pytest.mark.stress]),
        pytest.param("all on processes", marks=[pytest.mark.full, pytest.mark.stress]),
    ],
)
def test_interrupted(way: str) -> None:
    """Ctrl-C in any way ends the demo quietly with 130; the pipe ends only once all its processes have."""
    with subprocess.Popen(
        [*DEMO, "--quick"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as running:
        assert running.stderr is not None
        said = ""
        while way not in said:
            character = running.stderr.read(1)
            assert character, said
            said += character

        os.killpg(running.pid, signal.SIGINT)
        out, errors = running.communicate(timeout=30)

    assert running.returncode == 130, errors
    assert out == ""
    assert "Traceback" not in errors


INDEX = {"word": [("module.py", 0)]}
PIPED = PipelineCheck(items=2, lost=0, doubled=0, torn=0, rows=("a 1", "b 2"))


def ranked_on(backend: Literal["thread", "process"]) -> FunctionReport:
    """A report of `rank_functions`, most calls of which ran on `backend`."""
    return FunctionReport(
        workloads.rank_functions,
        "rank",
        pinned=None,
        routes=Counter({backend: 9, "loop": 1}),
        decision=Decision(backend, "3.2 ms of CPU a call, all of it with the GIL held, " * 4),
        profile=Profile(calls=10, wall=0.004, cpu=0.003, cpu_ratio=0.987, gil_ratio=0.994),
    )


def runs(ours: Run | None = None) -> list[Run]:
    """Our run, and one by hand with the same answers."""
    right: dict[str, object] = {"rank": [1, 2], "index": INDEX, "pipeline": PIPED}
    ours = ours or Run("routed", "adaptive_exec", 10, 2.0, right, (ranked_on("process"),))
    return [
        ours,
        Run("hand", "routed by hand", 10, 1.5, right),
        Run("processes", "all on processes", 10, 3.0, right),
    ]


def with_answer(part: str, answer: object) -> Run:
    """Our run with one answer changed."""
    ours = runs()[0]
    return replace(ours, answers={**ours.answers, part: answer})


def test_right_answers_and_routes_are_ok() -> None:
    """Nothing wrong, no fault."""
    assert judge(runs()).ok


@pytest.mark.parametrize(
    ("part", "answer", "fault"),
    [
        ("rank", [1, 3], "rank: differs"),
        ("rank", ValueError("no such file"), "rank: failed with ValueError: no such file"),
        ("index", {}, "index: lost in the workers"),
        ("pipeline", replace(PIPED, lost=1), "pipeline: 1 entries lost, 0 doubled, 0 out of order"),
        ("pipeline", replace(PIPED, doubled=2), "pipeline: 0 entries lost, 2 doubled, 0 out of order"),
        ("pipeline", replace(PIPED, rows=("a 1", "c 2")), "pipeline: differs"),
    ],
)
def test_wrong_answer_of_ours_is_a_fault(part: str, answer: object, fault: str) -> None:
    """Every kind of wrong answer is named, and the document says that not all is well."""
    verdict = judge(runs(with_answer(part, answer)))

    assert verdict.faults == (fault,)
    assert json.loads(as_json(verdict))["ok"] is False


def test_wrong_answer_of_another_way_is_shown_but_no_fault() -> None:
    """That the workers lose the index is theirs to answer for."""
    routed, hand, processes = runs()

    verdict = judge([routed, hand, replace(processes, answers={**processes.answers, "index": {}})])

    assert verdict.ok
    assert verdict.differences["processes"] == {"index": "lost in the workers"}


def test_failed_measure_is_a_fault() -> None:
    """Without right answers by hand nothing can be compared."""
    routed, hand, processes = runs()

    verdict = judge([routed, replace(hand, answers={**hand.answers, "rank": OSError("gone")}), processes])

    assert "routed by hand: rank: failed with OSError: gone" in verdict.faults


def test_wrong_route_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that ran where it does not belong is named, unless there is nothing to gain elsewhere."""
    ours = replace(runs()[0], functions=(ranked_on("thread"),))
    monkeypatch.setattr(report, "gil_enabled", lambda: True)
    monkeypatch.setattr(report, "usable_cores", lambda: 2)

    assert judge(runs(ours)).faults == ("rank_functions ran on thread, it belongs on process",)

    monkeypatch.setattr(report, "usable_cores", lambda: 1)

    assert judge(runs(ours)).ok


@pytest.mark.parametrize("rich", [True, False])
def test_report_fits_into_80_columns(rich: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With or without rich, piped text is the same, without colour and never wider."""
    plain = io.StringIO()
    if not rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)

    print_report(judge(runs(with_answer("rank", ValueError("a long story " * 9)))), plain)

    printed = plain.getvalue()
    assert "rank_functions" in printed
    assert "process 9/10" in printed
    assert "WRONG: rank: failed" in printed
    assert "\x1b" not in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("rich", [True, False])
def test_bar_on_a_terminal(rich: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sees a bar, drawn by rich or by hand."""
    screen = Terminal()
    if not rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    progress = make_progress(screen)

    progress.begin("a way", 2)
    progress.advance()
    progress.advance()
    progress.end(1.5)
    progress.close()

    assert "a way" in screen.getvalue()


def test_quiet_in_a_pipe() -> None:
    """Who asks for JSON in a pipe gets no progress; who does not gets a line."""
    silent, told = io.StringIO(), io.StringIO()
    for stream, quiet in ((silent, True), (told, False)):
        progress = make_progress(stream, quiet=quiet)
        progress.begin("a way", 2)
        progress.advance()
        progress.end(1.5)
        progress.close()

    assert silent.getvalue() == ""
    assert told.getvalue() == "a way: 2 calls in 1.50 s\n"
