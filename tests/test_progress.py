"""`map(progress=True)`: what is shown, where, and that it never is in the way."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, task
from adaptive_exec.observe import progress as shown
from adaptive_exec.observe.progress import make_progress
from tests import work


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tqdm."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


class Terminal(io.StringIO):
    """Somebody looks on."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """Somebody looked on."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class Clock:
    """A time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(shown, "_now", lambda: self.now)


@pytest.mark.usefixtures("plain")
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, written over a few times a second, and ended once."""
    clock, stream = Clock(monkeypatch), Terminal()
    bar = make_progress("parse", 1000, stream)
    clock.now += 0.125
    bar.update(1)
    clock.now += 0.125
    bar.update(249)
    clock.now += 0.125
    bar.update(750)
    bar.close()
    bar.close()

    lines = [line.rstrip(" ") for line in stream.getvalue().split("\r")]
    assert [
        "",
        "parse: 0 of 1,000 (0%) in 0.0 s",
        "parse: 250 of 1,000 (25%) in 0.2 s, 0.8 s left",
    ] == lines[:3]
    assert "parse: 1,000 of 1,000 (100%) in 0.4 s" == lines[3].rstrip()
    assert stream.getvalue().endswith("\n")
    assert 1 == stream.getvalue().count("\n")


@pytest.mark.usefixtures("plain")
def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets a line every ten seconds, and one at the end; how many there will be need not be known."""
    clock, stream = Clock(monkeypatch), io.StringIO()
    bar = make_progress("parse", None, stream)
    for _ in range(25):
        clock.now += 1.0
        bar.update(100)
    bar.close()

    assert [
        "parse: 1,000 in 10.0 s, 100/s",
        "parse: 2,000 in 20.0 s, 100/s",
        "parse: 2,500 in 25.0 s, 100/s",
    ] == stream.getvalue().splitlines()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("total", [0, 10, None])
def test_whoever_looked_on_has_gone(total: int | None) -> None:
    """Results are what counts."""
    bar = make_progress("parse", total, Gone())
    bar.update(10)
    bar.close()
    closed = io.StringIO()
    bar = make_progress("parse", total, closed)
    closed.close()
    bar.close()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("chunksize", [None, 4])
@pytest.mark.parametrize("sized", [True, False])
def test_of_a_map(monkeypatch: pytest.MonkeyPatch, chunksize: int | None, sized: bool) -> None:
    """Items are counted as their results are taken, from `for` and from `async for`."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    async def main(executor: AdaptiveExecutor) -> list[int]:
        results = executor.map(work.double, items(), chunksize=chunksize, progress=True)
        return [each async for each in results]

    def items() -> Any:
        return range(10) if sized else iter(range(10))

    with AdaptiveExecutor() as executor:
        assert [2 * n for n in range(10)] == list(
            executor.map(work.double, items(), chunksize=chunksize, progress=True)
        )
        assert [2 * n for n in range(10)] == asyncio.run(main(executor))
        assert [2 * n for n in range(10)] == list(
            executor.options(pure=True).map(work.double, items(), progress=True)
        )
        assert [6] == list(task(executor=executor)(work.double).map([3], progress=True))

    count = "10 of 10 (100%)" if sized else "10 in"
    told = stream.getvalue().splitlines()
    assert 4 == len(told)
    assert all(line.startswith(f"double: {count}") for line in told[:3])


@pytest.mark.usefixtures("plain")
def test_a_map_that_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an error, by `close`, or as it begins: the line ends, once."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with AdaptiveExecutor() as executor:
        results = executor.map(work.double, range(10), progress=True)
        assert 0 == next(results)
        results.close()
        with pytest.raises(ValueError, match="as meant"):
            list(executor.map(work.fail, ["as meant"], progress=True))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.map(work.double, range(10), progress=True)

    assert 3 == stream.getvalue().count("\n")


def test_with_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bar, with name and number; what a notebook without widgets is warned of is nobody's business."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    tqdm = pytest.importorskip("tqdm")
    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)  # or it starts a thread that stays
    monkeypatch.setattr(
        tqdm.tqdm, "_lock", threading.RLock(), raising=False
    )  # or it makes one for processes, too
    bar: Any = make_progress("parse", 10, stream)
    bar.update(4)
    bar.close()

    assert "parse:  40%" in stream.getvalue()
    with AdaptiveExecutor() as executor:
        assert [0, 2, 4] == list(executor.map(work.double, range(3), progress=True))


@pytest.mark.parametrize("bad", [None, 1, "yes"])
def test_misuse(bad: Any) -> None:
    """It says yes or no."""
    with AdaptiveExecutor() as executor, pytest.raises(TypeError, match="progress must be True or False"):
        executor.map(work.double, [1], progress=bad)
