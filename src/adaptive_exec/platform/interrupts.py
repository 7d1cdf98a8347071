"""Holding signals back for a moment, where their handlers must not strike between two steps.

Python runs signal handlers in the main thread between any two instructions, and some raise there: that of
SIGINT, those of programs that end or limit themselves by SIGTERM or SIGALRM. A thread that has just taken
something over for others would lose it. `hold` puts a note in the place of those handlers; `Held.release`
puts them back and then calls each whose signal came.

Guarantees:
    - Between `hold` and `release` no signal handler raises in the calling thread.
    - No signal is lost; of several with one number one is left, as the system itself has it.
Assumes:
    - Only handlers set by `signal.signal`, for the signals named here, raise; threads other than the main one
      run none.
    - Nobody minds that a system call which such a signal interrupts is not begun anew by the system, as it
      is after `signal.siginterrupt(number, False)`: Python does that itself.
Races:
    - A signal just before or after: the handlers are the user's then, and nothing has been taken over:
      `tests/platform/test_interrupts.py::test_held_back_and_delivered`
    - A handler raises when some have been put aside, or back, and others haven't: all are put back before the
      exception goes on: `tests/platform/test_interrupts.py::test_at_any_moment_with_others`
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["Held", "hold"]

# SIGINT last: for nearly all programs it is the only one that has a handler.
_NAMES: Final = (
    "SIGALRM SIGBREAK SIGCHLD SIGHUP SIGPROF SIGQUIT SIGTERM SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGINT"
)
_NUMBERS: Final = tuple(int(getattr(signal, name)) for name in _NAMES.split() if hasattr(signal, name))
_HARMLESS: Final = (int(signal.SIG_DFL), int(signal.SIG_IGN))
# `signal.signal` and `signal.getsignal` make enumerations of all they touch, which takes 20 µs here; these are
# what they call.
_handler_of: Final[Callable[[int], Any]] = _signal.getsignal
_set_handler: Final[Callable[[int, Any], Any]] = _signal.signal


class Held:
    """What `hold` has put aside."""

    __slots__ = ("_before", "_numbers")

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._before: list[tuple[int, Any]] = []

    @property
    def came(self) -> bool:
        """Whether a signal is waiting for the release."""
        return bool(self._numbers)

    def _note(self, number: int, frame: object) -> None:
        """Stand in for a handler."""
        if number not in self._numbers:
            self._numbers.append(number)

    def release(self) -> None:
        """Put the handlers back; call each whose signal came meanwhile.

        Raises:
            BaseException: What a handler raises: `KeyboardInterrupt` after Ctrl-C, unless somebody set another.
        """
        if not self._before:
            return
        self._put_back()
        _send(self._numbers)

    def _put_back(self) -> None:
        """All handlers are again what they were, whatever one of them raises meanwhile."""
        raised: BaseException | None = None
        while self._before:
            try:
                for number, handler in self._before:
                    _set_handler(number, handler)
                self._before = []
            except BaseException as error:
                raised = error
        if raised is not None:
            try:
                _send(self._numbers)
            finally:
                raise raised


def hold() -> Held | None:
    """Hold signals back in this thread.

    Returns:
        What to call `release` on; None if a signal has a handler that is not Python's.
    """
    held = Held()
    if threading.get_ident() != threading.main_thread().ident:
        return held
    handlers = tuple(map(_handler_of, _NUMBERS))
    if None in handlers:
        return None
    if sum(map(handlers.count, _HARMLESS)) == len(handlers) - 1 and handlers[-1] not in _HARMLESS:
        before = [(_NUMBERS[-1], handlers[-1])]  # in nearly all programs, and ten times each millisecond
    else:
        before = [pair for pair in zip(_NUMBERS, handlers, strict=True) if pair[1] not in _HARMLESS]
    try:
        held._before = before
        for number, _ in before:
            _set_handler(number, held._note)
    except BaseException:
        held.release()
        raise
    return held


def _send(numbers: Sequence[int]) -> None:
    """Send this process these signals, the others also if the handler of one raises."""
    if numbers:
        try:
            signal.raise_signal(numbers[0])
        finally:
            _send(numbers[1:])
