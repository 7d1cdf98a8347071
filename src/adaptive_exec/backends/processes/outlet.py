"""A worker's way to its parent: answers, and notes that any of its threads may want to send.

Guarantees:
    - Frames are whole, whoever sends them.
    - A note is sent before the answer of a call that had it sent; one that is made while its own thread is
      in the middle of sending (a signal handler or a finalizer may do that) goes right after that.
    - `note` never raises, even if the parent is gone.
    - While it is quiet, nobody may be watching at the other end: all that is sent is followed by a ring of the
      bell, and what was left is rung for by `settle`.
Assumes:
    - The parent reads what is written, always, so that a write ends.
State table of quietness:
    loud  -> quiet  the parent lets this worker (`lease.py`), and is rung for if something lies unread already
    quiet -> loud   it was rung, and watches; or it says that it watches
State of a note: sent at once; or left in `_notes` by the thread that is sending, which sends it before it is done.
Races:
    - many threads send at once: `tests/backends/test_outlet.py::test_many_threads`
    - a note comes from inside a send: `tests/backends/test_outlet.py::test_note_from_inside_a_send`
    - a note is sent, and not rung for, while it becomes quiet: it has become so before it looks what lies unread, and
      whoever sends looks whether it is quiet after sending. Both go through the pipe's own lock in between, so one of
      them sees the other:
      `tests/backends/test_outlet.py::test_what_was_said_before_it_became_quiet`
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from ...platform.bell import ring
from ...platform.channels import Channel

__all__ = ["Outlet"]


class Outlet:
    """Sends frames.

    Args:
        channel: Where to; nobody else sends there.
        bell: A descriptor by which the parent is woken; None if it always watches.

    Attributes:
        quiet: Whether the parent watches for nothing but the bell.
    """

    def __init__(self, channel: Channel, bell: int | None = None) -> None:
        self.quiet = False
        self._channel = channel
        self._bell = bell
        self._mute = False
        self._sending: Any = threading.RLock()  # one that knows whether this very thread holds it
        self._notes: deque[bytes] = deque()

    def send(self, data: bytes) -> None:
        """Send an answer.

        Raises:
            OSError: The parent is gone.
        """
        self.leave(data)
        if self.quiet:
            self._ring()

    def leave(self, data: bytes) -> None:
        """Send an answer that somebody is likely to read who waits for it; `settle` is to be called soon.

        Raises:
            OSError: The parent is gone.
        """
        if self._mute:
            return
        with self._sending:
            rest = self._channel.send(data)
            if rest is not None:
                if self.quiet:
                    self._ring()  # it has to be read before all of it can be written
                self._channel.send_all(rest)
        if self._notes:
            self._send_notes()

    def become_quiet(self) -> None:
        """The parent no longer watches."""
        if not self.quiet:
            self.quiet = True
            self.settle()

    def settle(self) -> None:
        """Ring if the parent has left something unread."""
        if self.quiet and self._channel.unread():
            self._ring()

    def note(self, data: bytes) -> None:
        """Send something that nobody waits for."""
        if self._mute:
            return
        self._notes.append(data)
        if self._sending._is_owned():
            return
        try:
            self._send_notes()
        except OSError:
            self._notes.clear()  # the parent is gone, and whoever reads from it will see that

    def mute(self) -> None:
        """In a process that a call has forked: the channel is not this one's, and somebody may have held the lock."""
        self._mute = True

    def _ring(self) -> None:
        """Have the parent watch."""
        self.quiet = False  # before: it may let this worker anew as soon as it hears the bell
        if self._bell is not None and not self._mute:
            ring(self._bell)

    def _send_notes(self) -> None:
        """Send the notes there are."""
        while self._notes:
            with self._sending:
                if self._notes:
                    rest = self._channel.send(self._notes.popleft())
                    if self.quiet:
                        self._ring()
                    if rest is not None:
                        self._channel.send_all(rest)
