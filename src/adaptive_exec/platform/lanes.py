"""Lanes: the way for descriptors of segments from one process to another, beside their channel.

Guarantees:
    - Descriptors arrive in the order in which they were sent, each with the number that was sent with it.
    - Nothing waits: `send` says if there is no room, `receive` if nothing has come.
    - A descriptor that arrives is not inherited by programs that this process starts.
Assumes:
    - One thread at a time sends, and one receives; they may be two.
    - Bytes that were sent with a descriptor are not received together with those of another one; since all
      numbers have one length, each is received alone.
State table: none; the system has it.
Races: none of its own.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

__all__ = ["Lane", "two_lanes"]

_NUMBER: Final = struct.Struct("<Q")


class Lane:
    """One end of the way on which descriptors of segments travel, both ways; it never waits.

    Args:
        connection: A stream socket between the two processes; this object owns it from now on.
    """

    __slots__ = ("_socket",)

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection

    @classmethod
    def of_fd(cls, fd: int) -> Lane:
        """The end whose descriptor came from the other process; this object owns it from now on."""
        return cls(socket.socket(fileno=fd))

    def send(self, number: int, fd: int) -> None:
        """Pass a segment's descriptor; it stays open here.

        Raises:
            BlockingIOError: The peer has too many to fetch as it is.
            OSError: The peer has gone, or the system allows no more descriptors on their way.
        """
        socket.send_fds(self._socket, [_NUMBER.pack(number)], [fd])

    def receive(self) -> tuple[int, int] | None:
        """A segment's number and its descriptor here; None if nothing has come.

        Raises:
            OSError: This process can't have more descriptors.
            EOFError: The peer has gone.
        """
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, fds, _, _ = socket.recv_fds(self._socket, _NUMBER.size, 1, flags)
        except BlockingIOError:
            return None
        if not data:
            raise EOFError
        if len(data) < _NUMBER.size or not fds:
            raise OSError("a descriptor was lost: this process has too many open")
        os.set_inheritable(fds[0], False)
        return _NUMBER.unpack(data)[0], fds[0]

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def two_lanes() -> tuple[Lane, int]:
    """A lane, and the descriptor from which another process makes its end."""
    ours, theirs = socket.socketpair()
    return Lane(ours), theirs.detach()
