"""How far a `map` has come, for a person: by tqdm where it is installed, notebooks too, else by a line of our own.

It goes to standard error, and is told by whoever takes results, so nothing of the library waits for a terminal.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Final, Protocol, TextIO

__all__ = ["Progress", "make_progress"]

_REDRAWN_EVERY: Final = 0.2
_TOLD_EVERY: Final = 10.0
_WIDTH: Final = 78
_now = time.monotonic


class Progress(Protocol):
    """What tells how far something has come."""

    def update(self, items: int, /) -> object:
        """So many items more have been done."""

    def close(self) -> object:
        """Nothing more follows; may be said twice."""


def make_progress(name: str, total: int | None, stream: TextIO | None = None) -> Progress:
    """The progress that suits where it is shown.

    Args:
        name: Of what is done.
        total: How many items there are; None if nobody knows.
        stream: Where a line of our own goes; None for standard error, as it is now.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook without widgets gets the plain bar, which is fine
            from tqdm.auto import tqdm
    except ImportError:
        return _Line(name, total, sys.stderr if stream is None else stream)
    bar: Progress = tqdm(total=total, desc=name, file=stream)
    return bar


class _Line:
    """On a terminal one line that is written over; elsewhere a line now and then, and one at the end."""

    def __init__(self, name: str, total: int | None, stream: TextIO) -> None:
        self._name = name
        self._total = total
        self._stream = stream
        self._done = 0
        self._terminal = stream.isatty()
        self._every = _REDRAWN_EVERY if self._terminal else _TOLD_EVERY
        self._began = self._told = _now()
        self._open = True
        if self._terminal:
            self._tell("\r", "")

    def update(self, items: int, /) -> None:
        self._done += items
        if _now() - self._told >= self._every:
            self._told = _now()
            if self._terminal:
                self._tell("\r", "")
            else:
                self._tell("", "\n")

    def close(self) -> None:
        if self._open:
            self._open = False
            self._tell("\r" if self._terminal else "", "\n")

    def _tell(self, before: str, after: str) -> None:
        """Write how far it has come."""
        text = self._text()
        try:
            self._stream.write(before + (text.ljust(_WIDTH) if self._terminal else text) + after)
            self._stream.flush()
        except (OSError, ValueError):  # whoever looked on has gone, and results are what counts
            self._every = float("inf")

    def _text(self) -> str:
        """The line."""
        seconds = max(_now() - self._began, 1e-9)
        if self._total is None:
            return f"{self._name}: {self._done:,} in {seconds:.1f} s, {self._done / seconds:,.0f}/s"
        share = self._done / self._total if self._total else 1.0
        text = f"{self._name}: {self._done:,} of {self._total:,} ({share:.0%}) in {seconds:.1f} s"
        if not self._open or not self._done:
            return text
        return f"{text}, {seconds / self._done * (self._total - self._done):.1f} s left"
