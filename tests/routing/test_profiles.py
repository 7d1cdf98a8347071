"""Profiles in a file: the next run begins where this one ended, and no file does any harm."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.platform.folder_lock import folder_lock
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.routing import profiles
from adaptive_exec.routing.profiles import ProfileFile
from adaptive_exec.routing.store import FunctionRecord, Store
from adaptive_exec.sample import Sample
from tests import work
from tests.backends.support import until

MS = 1_000_000
COMPUTES = Sample(20 * MS, 20 * MS, 20 * MS, 0, 0, MS, 0, 100, 50, 1000, alone=True, looks=10)
WAITS = Sample(50 * MS, 10_000, 50 * MS, 50 * MS - 10_000, looks=20)


def made(source: str, lines_above: int = 0) -> Any:
    """A function `f` from its source."""
    space: dict[str, Any] = {"__name__": "somewhere"}
    exec(compile("\n" * lines_above + source, "<a cell>", "exec", dont_inherit=True), space)
    return space["f"]


def learn(path: Path, *functions: Callable[..., Any], sample: Sample = COMPUTES) -> None:
    """Have a run learn this of functions, and keep it."""
    file, store = ProfileFile(path), Store()
    for fn in functions:
        record = store.record(fn)
        for _ in range(20):
            record.estimator.add(sample)
    file.keep(store.all())


def recalled(path: Path, fn: Callable[..., Any]) -> FunctionRecord:
    """The record that another run makes of a function."""
    return Store(recall=ProfileFile(path).recall).record(fn)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where there is no file yet, nor its folder."""
    return tmp_path / "kept" / "profiles.json"


def test_the_next_run_knows(path: Path) -> None:
    """The figures are there before the first call."""
    learn(path, work.double)
    record = recalled(path, work.double)

    assert record.recalled
    assert record.profile().settled
    assert record.profile().cpu == pytest.approx(0.02)


def test_waiting_functions_wait_on_threads_from_the_first_call_on(path: Path) -> None:
    """None is held until others have been measured."""
    learn(path, work.nap, sample=WAITS)
    with AdaptiveExecutor(profiles=path) as executor:
        assert "waits" in executor.explain(work.nap).reason
        first = executor.submit(work.nap, 0.001)
        first.result(20)
        assert first.decision is not None
        assert "waits" in first.decision.reason


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing has to leave")
def test_what_may_leave_is_looked_at_here_first(path: Path) -> None:
    """Another run's figures say nothing of what a call does to its arguments."""
    learn(path, work.compute)
    with AdaptiveExecutor(max_processes=2, profiles=path) as executor:
        executor.options(backend="process").submit(work.compute, 10).result(20)
        explained = executor.explain(work.compute)
        assert "thread" == explained.backend
        assert "another run" in explained.reason
        first = executor.submit(work.compute, 20_000)
        first.result(20)
        second = executor.submit(work.compute, 20_000)
        second.result(20)
        assert first.decision is not None
        assert "thread" == first.decision.backend
        assert second.decision is not None
        assert "process" == second.decision.backend


@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing has to leave")
def test_a_long_call_keeps_nobody_waiting(path: Path, tmp_path: Path) -> None:
    """The others leave while the first, which is looked at here, still computes."""
    learn(path, work.compute_until)
    stop = tmp_path / "stop"
    with AdaptiveExecutor(max_processes=2, profiles=path) as executor:
        executor.options(backend="process").submit(abs, 1).result(20)
        futures = [executor.submit(work.compute_until, str(stop)) for _ in range(4)]
        try:
            until(lambda: any(f.decision and f.decision.backend == "process" for f in futures))
            assert not any(future.done() for future in futures)
        finally:
            stop.touch()


def test_an_executor_keeps_what_it_has_learned(path: Path) -> None:
    """When it has ended; and the next one adds to it."""
    for fn in (work.nap, work.double):
        with AdaptiveExecutor(profiles=path) as executor:
            for future in [executor.submit(fn, 0.002) for _ in range(40)]:
                future.result(20)

    names = [entry["name"] for entry in json.loads(path.read_text())["functions"].values()]
    assert ["double", "nap"] == sorted(names)


F = "def f(x):\n    return [n * 2 for n in range(x)]\n"


@pytest.mark.parametrize(
    ("source", "known"),
    [
        (F, True),
        ("# nothing but a comment\n" + F, True),
        (F.replace("* 2", "* 3"), False),
        (F.replace("range(x)", "range(x + 1)"), False),
        (F.replace("def f(x)", "def f(x, y=1)"), False),
        (F.replace("range", "sorted"), False),
    ],
)
def test_an_edit_forgets(path: Path, source: str, known: bool) -> None:
    """What stands above the function is no part of it."""
    learn(path, made(F))

    assert known is recalled(path, made(source, lines_above=7)).recalled


def test_what_has_no_code(path: Path) -> None:
    """Functions of the interpreter's own go by their names."""
    learn(path, len, json.JSONDecoder)

    assert recalled(path, len).recalled
    assert recalled(path, json.JSONDecoder).recalled
    assert not recalled(path, max).recalled


FOREIGN = {
    "empty": b"",
    "torn": b'{"title": "adaptive_exec profiles", "format": 1, "functions": {"a": {"na',
    "a picture": bytes(range(256)),
    "a pickle": b"cos\nsystem\n(S'echo hello'\ntR.",
    "a list": b"[1, 2, 3]",
    "somebody else's": b'{"name": "package", "version": "1.0"}',
    "of another format": b'{"title": "adaptive_exec profiles", "format": 99, "functions": {}}',
    "without functions": b'{"title": "adaptive_exec profiles", "format": 1}',
    "deep": b"[" * 200_000,
    "large numbers": b'{"title": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_of_something_else(path: Path, what: str) -> None:
    """It is ignored with a warning, and a good one takes its place."""
    path.parent.mkdir()
    path.write_bytes(FOREIGN[what])
    with pytest.warns(RuntimeWarning, match=r"profiles in .*profiles\.json.*: it "):
        assert not recalled(path, work.double).recalled
    learn(path, work.double)

    assert recalled(path, work.double).recalled


def test_figures_that_cannot_be(path: Path) -> None:
    """The function is as good as new, others are not touched."""
    learn(path, work.double, work.nap)
    kept = json.loads(path.read_text())
    for entry in kept["functions"].values():
        if entry["name"] == "double":
            entry["figures"]["calls"] = -3
    path.write_text(json.dumps(kept))
    with pytest.warns(RuntimeWarning, match="double is ignored"):
        assert not recalled(path, work.double).recalled

    assert recalled(path, work.nap).recalled


def test_an_endless_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads on for ever."""
    monkeypatch.setattr(profiles, "LARGEST", 1000)
    path.parent.mkdir()
    path.write_bytes(b" " * 5000)
    with pytest.warns(RuntimeWarning, match="larger than any"):
        assert not recalled(path, work.double).recalled


@pytest.mark.parametrize("kind", ["folder", "file in the way"])
def test_a_place_where_nothing_can_be_written(tmp_path: Path, kind: str) -> None:
    """It is said, and the executor ends as ever; even where warnings are errors."""
    path = tmp_path / "place"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_text("not a folder")
        path = path / "profiles.json"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with AdaptiveExecutor(profiles=path) as executor:
            futures = [executor.submit(work.nap, 0.002) for _ in range(20)]
            assert [0.002] * 20 == [future.result(20) for future in futures]
    with pytest.warns(RuntimeWarning, match="can't be"):
        learn(path, work.double)


def test_two_write_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits until the first is done, and keeps what that has written."""
    inside, go_on = threading.Event(), threading.Event()
    write = ProfileFile._write

    def slowly(self: ProfileFile, entries: Any) -> None:
        inside.set()
        assert go_on.wait(20)
        write(self, entries)

    monkeypatch.setattr(ProfileFile, "_write", slowly)
    first = threading.Thread(target=learn, args=(path, work.double))
    first.start()
    assert inside.wait(20)
    second = threading.Thread(target=learn, args=(path, work.nap))
    second.start()
    second.join(0.2)
    assert second.is_alive() is (sys.platform != "win32")
    go_on.set()
    first.join(20)
    second.join(20)

    assert recalled(path, work.double).recalled
    assert recalled(path, work.nap).recalled


def test_somebody_holds_the_folder_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the end does not wait for it, and the file is whole all the same."""
    monkeypatch.setattr("adaptive_exec.platform.folder_lock.WAIT_SECONDS", 0.05)
    path.parent.mkdir()
    with folder_lock(path.parent) as held:
        assert held
        learn(path, work.double)

    assert recalled(path, work.double).recalled


def test_killed_while_it_writes(path: Path) -> None:
    """What a killed process has left half written is in nobody's way, nor a link that somebody put there."""
    learn(path, work.double)
    half = path.with_name(path.name + ".new")
    half.write_text('{"title": "adap')
    learn(path, work.nap)
    assert not half.exists()
    half.symlink_to(path.parent / "elsewhere")
    learn(path, work.fail)

    assert all(recalled(path, fn).recalled for fn in (work.double, work.nap, work.fail))
    assert [path.name] == os.listdir(path.parent)


def test_the_file_stays_what_it_is(path: Path) -> None:
    """A link goes on being one, and who may read it may go on reading it."""
    learn(path, work.double)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o664)
    link = path.parent / "link.json"
    link.symlink_to(path)
    learn(link, work.nap)

    assert link.is_symlink()
    assert 0o664 == stat.S_IMODE(path.stat().st_mode)
    assert recalled(path, work.nap).recalled


def test_it_does_not_grow_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not been met for longest goes."""
    monkeypatch.setattr(profiles, "MOST", 3)
    functions = [made(F.replace("* 2", f"* {n}")) for n in range(3, 9)]
    for at, fn in enumerate(functions):
        monkeypatch.setattr("time.time", lambda at=at: 1000.0 + at)
        learn(path, fn)

    assert [False, False, False, True, True, True] == [recalled(path, fn).recalled for fn in functions]


def test_nothing_learned_nothing_written(path: Path) -> None:
    """An executor that has run nothing makes no file."""
    with AdaptiveExecutor(profiles=path):
        pass

    assert not path.parent.exists()


@pytest.mark.parametrize(("given", "error"), [(3, TypeError), (b"profiles", TypeError), ("", ValueError)])
def test_what_is_no_path(given: Any, error: type[Exception]) -> None:
    """The error says what to give."""
    with pytest.raises(error, match=r"profiles|path"):
        AdaptiveExecutor(profiles=given)
