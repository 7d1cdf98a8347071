"""The demo's progress: a bar where rich is installed and a person looks on, plain lines otherwise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar

__all__ = ["Progress", "make_progress"]

_REDRAWN_EVERY: Final = 0.2
_BAR_WIDTH: Final = 30


class Progress(Protocol):
    """What the demo tells of its advance, one way after the other."""

    def begin(self, title: str, total: int) -> None:
        """A way of running starts."""

    def advance(self) -> None:
        """One of its calls has ended."""

    def end(self, seconds: float) -> None:
        """All of its calls have ended."""

    def close(self) -> None:
        """Nothing more follows, be it the end or a failure."""


def make_progress(stream: TextIO, *, quiet: bool = False) -> Progress:
    """The progress that suits a stream.

    Args:
        stream: Where it goes: standard error, so that standard output holds the report alone.
        quiet: Say nothing unless a person looks on.
    """
    if not stream.isatty():
        return _Silence() if quiet else _Lines(stream)
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ImportError:
        return _RewrittenLine(stream)
    return _Bars(Bar(console=Console(file=stream), refresh_per_second=1 / _REDRAWN_EVERY))


class _Silence:
    """For machines that asked for a document and nothing else."""

    def begin(self, title: str, total: int) -> None: ...

    def advance(self) -> None: ...

    def end(self, seconds: float) -> None: ...

    def close(self) -> None: ...


class _Lines:
    """For pipes and files: a line for each way, begun with it and ended with it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, title: str, total: int) -> None:
        self._write(f"{title}: {total:,} calls ")

    def advance(self) -> None: ...

    def end(self, seconds: float) -> None:
        self._write(f"in {seconds:.2f} s\n")

    def close(self) -> None: ...

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class _RewrittenLine(_Lines):
    """For terminals without rich: a bar of characters on a line that is written over."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._title = ""
        self._total = 0
        self._done = 0
        self._drawn = 0.0

    def begin(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._draw()

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._drawn >= _REDRAWN_EVERY:
            self._draw()

    def end(self, seconds: float) -> None:
        self.close()
        self._write(f"{self._title}: {self._total:,} calls in {seconds:.2f} s\n")

    def close(self) -> None:
        self._write("\r" + " " * 78 + "\r")

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        filled = _BAR_WIDTH * self._done // self._total
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        self._write(f"\r{self._title:<24} [{bar}] {self._done:,}/{self._total:,}")


class _Bars:
    """For terminals with rich: a bar for each way."""

    def __init__(self, bar: RichBar) -> None:
        self._bar = bar
        self._bar.start()
        self._task: Any = None

    def begin(self, title: str, total: int) -> None:
        self._task = self._bar.add_task(title, total=total)

    def advance(self) -> None:
        self._bar.advance(self._task)

    def end(self, seconds: float) -> None: ...

    def close(self) -> None:
        self._bar.stop()
