"""Holding Ctrl-C back for a moment, where it must not strike between two steps.

Python runs signal handlers in the main thread between any two instructions, and the handler of SIGINT
raises there. A thread that has just taken something over for others would lose it. `hold` puts a note in
the place of that handler; `Held.release` puts the handler back and then calls it, if there is a note.

Guarantees:
    - Between `hold` and `release` no signal handler raises in the calling thread.
    - No Ctrl-C is lost.
Assumes:
    - Only handlers set by `signal.signal` raise; threads other than the main one run none.
Races:
    - Ctrl-C just before or after: the handler is the user's then, and nothing has been taken over:
      `tests/platform/test_interrupts.py::test_held_back_and_delivered`
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import signal
import threading
from typing import Any, Final

__all__ = ["Held", "hold"]

_OTHERS: Final = tuple(
    int(getattr(signal, name))
    for name in dir(signal)
    if name
    in {
        "SIGALRM",
        "SIGBREAK",
        "SIGCHLD",
        "SIGHUP",
        "SIGPROF",
        "SIGQUIT",
        "SIGTERM",
        "SIGUSR1",
        "SIGUSR2",
        "SIGVTALRM",
        "SIGWINCH",
    }
)
_SIGINT: Final = int(signal.SIGINT)
_DEFAULT: Final = int(signal.SIG_DFL)
_IGNORED: Final = int(signal.SIG_IGN)
# `signal.signal` and `signal.getsignal` make enumerations of all they touch, which takes 20 µs here; these are
# what they call.
_handler_of: Final = _signal.getsignal
_set_handler: Final = _signal.signal


class Held:
    """What `hold` has put aside."""

    __slots__ = ("_before", "came")

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def _note(self, number: int, frame: object) -> None:
        """Stand in for the handler."""
        self.came = True

    def release(self) -> None:
        """Put the handler back; call it if its signal came meanwhile.

        Raises:
            KeyboardInterrupt: Ctrl-C came, and that is what its handler raises.
        """
        before = self._before
        if before is None:
            return
        self._before = None
        _set_handler(_SIGINT, before)
        if self.came:
            signal.raise_signal(signal.SIGINT)


def hold() -> Held | None:
    """Hold Ctrl-C back in this thread.

    Returns:
        What to call `release` on; None if other handlers are set that could raise as well.
    """
    held = Held()
    if threading.get_ident() != threading.main_thread().ident:
        return held
    for number in _OTHERS:
        if _handler_of(number) not in (_DEFAULT, _IGNORED):
            return None
    handler = _handler_of(_SIGINT)
    if handler is None:
        return None  # somebody's in C
    if handler not in (_DEFAULT, _IGNORED):
        held._before = handler
        _set_handler(_SIGINT, held._note)
    return held
