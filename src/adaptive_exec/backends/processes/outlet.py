"""A worker's way to its parent: answers, and notes that any of its threads may want to send.

Guarantees:
    - Frames are whole, whoever sends them.
    - A note is sent before the answer of a call that had it sent; one that is made while its own thread is
      in the middle of sending (a signal handler or a finalizer may do that) goes right after that.
    - `note` never raises, even if the parent is gone.
Assumes:
    - The parent reads what is written, always, so that a write ends.
State of a note: sent at once; or left in `_notes` by the thread that is sending, which sends it before it is done.
Races:
    - many threads send at once: `tests/backends/test_outlet.py::test_many_threads`
    - a note comes from inside a send: `tests/backends/test_outlet.py::test_note_from_inside_a_send`
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from ...platform.channels import Channel

__all__ = ["Outlet"]


class Outlet:
    """Sends frames.

    Args:
        channel: Where to; nobody else sends there.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._mute = False
        self._sending: Any = threading.RLock()  # one that knows whether this very thread holds it
        self._notes: deque[bytes] = deque()

    def send(self, data: bytes) -> None:
        """Send an answer.

        Raises:
            OSError: The parent is gone.
        """
        if self._mute:
            return
        with self._sending:
            rest = self._channel.send(data)
            if rest is not None:
                self._channel.send_all(rest)
        if self._notes:
            self._send_notes()

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

    def _send_notes(self) -> None:
        """Send the notes there are."""
        while self._notes:
            with self._sending:
                if self._notes:
                    rest = self._channel.send(self._notes.popleft())
                    if rest is not None:
                        self._channel.send_all(rest)
