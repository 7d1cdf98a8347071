"""A private channel between two processes: frames of bytes, in order, each of them whole or not at all.

Guarantees:
    - `receive` gives complete frames only: what a dying sender left half-written is never seen.
    - `send` and `receive` never wait; `wait` waits as long as it is told.
    - A stream that breaks the format raises `Garbled`, and never makes the reader reserve memory that
      the sender has not filled.
Assumes:
    - One thread at a time sends, and one receives; they may be two. Whoever owns the channel sees to that, and
      that neither does while it is closed, or a descriptor that belongs to somebody else by then would be used.
    - Each pipe has one reader and one writer.
State table of the bytes that arrive:
    header of 4 bytes -> body                    the length is below 2**32 - 1
    header of 4 bytes -> header of 8 bytes more  it is 2**32 - 1: the true length follows
    body complete     -> header                  a frame is given out
Races: none of its own.
"""

from __future__ import annotations

import os
import select
import struct
import sys
import threading
import time
from typing import Final

from .elbow_room import ElbowRoom
from .pause import yield_core

__all__ = ["Channel", "FrameReader", "Garbled", "frame", "two_channels"]

_CHUNK: Final = 1 << 16
_LARGE_CHUNK: Final = 1 << 20
_LONGEST: Final = 1 << 40
_HEADER: Final = struct.Struct("<I")
_LONG_HEADER: Final = struct.Struct("<IQ")
_LONG: Final = 0xFFFFFFFF


def frame(body: bytes) -> bytes:
    """A body with its header before it."""
    if len(body) < _LONG:
        return _HEADER.pack(len(body)) + body
    return _LONG_HEADER.pack(_LONG, len(body)) + body


class Garbled(ValueError):
    """What arrived is not made of frames.

    Attributes:
        frames: Those that were complete before that.
    """

    def __init__(self, message: str, frames: list[bytes]) -> None:
        super().__init__(message)
        self.frames = frames


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""  # an incomplete header, or the beginning of a frame that may fit one chunk
        self._parts: list[bytes] = []  # the beginning of a larger one
        self._missing = 0

    @property
    def wanted(self) -> int:
        """How many bytes it is sensible to read at once."""
        return min(max(self._missing, _CHUNK), _LARGE_CHUNK)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes that have arrived.

        Returns:
            The frames that are complete now.

        Raises:
            Garbled: The stream is not one of frames.
        """
        if not self._missing and not self._rest and len(data) >= 4:
            (size,) = _HEADER.unpack_from(data)
            if size == len(data) - 4:  # one frame, all of it: nearly every answer
                return [data[4:]]
        frames: list[bytes] = []
        if self._missing:
            if len(data) < self._missing:
                self._parts.append(data)
                self._missing -= len(data)
                return frames
            self._parts.append(data[: self._missing])
            frames.append(b"".join(self._parts))
            data = data[self._missing :]
            self._parts, self._missing = [], 0
        elif self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 4:
            (size,) = _HEADER.unpack_from(data, at)
            body = at + 4
            if size == _LONG:
                if end - at < _LONG_HEADER.size:
                    break
                _, size = _LONG_HEADER.unpack_from(data, at)
                body = at + _LONG_HEADER.size
                if not _LONG <= size <= _LONGEST:
                    raise Garbled(f"a frame of {size} bytes can't be right", frames)
            if end - body >= size:
                at = body + size
                frames.append(data[body:at])
            elif size <= _CHUNK:
                break
            else:
                self._parts, self._missing = [data[body:]], size - (end - body)
                at = end
        self._rest = data[at:]
        return frames


class Channel:
    """One end of a pair of pipes, one for each direction; sockets take twice as long.

    Args:
        read: Descriptor to read from; this object owns it from now on.
        write: Descriptor to write to; the same.
    """

    def __init__(self, read: int, write: int) -> None:
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        self._read = read
        self._write = write
        self._reader = FrameReader()
        self._ending = threading.Lock()
        self._senders = 0
        self._closed = False
        self._poller: select.poll | None = None

    def fileno(self) -> int:
        """The descriptor that can be read when something has arrived."""
        return self._read

    def send(self, data: bytes) -> memoryview | None:
        """Send as much of some frames as goes without waiting.

        Args:
            data: Complete frames.

        Returns:
            What is left, for `send_all`; nothing else may be sent before that. None if all has gone.

        Raises:
            OSError: The other end has gone.
        """
        try:
            sent = os.write(self._write, data)
        except BlockingIOError:
            sent = 0
        return None if sent == len(data) else memoryview(data)[sent:]

    def send_all(self, data: bytes | memoryview) -> None:
        """Send frames, or the rest of some, and wait for as long as that takes.

        Raises:
            OSError: The other end has gone.
        """
        with self._ending:
            if self._closed:
                raise BrokenPipeError("the channel is closed")
            self._senders += 1
            fd = self._write
        try:
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[os.write(fd, rest) :]
                except BlockingIOError:
                    _wait_for(fd, select.POLLOUT, None)
        finally:
            with self._ending:
                self._senders -= 1
                last = self._closed and not self._senders
            if last:
                os.close(fd)

    def receive(self) -> list[bytes]:
        """What has arrived, without waiting; none if nothing complete has.

        Raises:
            EOFError: The other end has gone, and all that it had sent has been given out.
            Garbled: What arrived is not a stream of frames.
        """
        frames: list[bytes] = []
        while True:
            wanted = self._reader.wanted
            try:
                data = os.read(self._read, wanted)
            except BlockingIOError:
                return frames
            if not data:
                if frames:
                    return frames
                raise EOFError
            try:
                frames += self._reader.feed(data)
            except Garbled as error:
                error.frames = frames + error.frames
                raise
            if len(data) < wanted:
                return frames

    def poll(self, timeout: float | None) -> bool:
        """Sleep until something arrives, or `timeout` seconds."""
        return _wait_for(self._read, select.POLLIN, timeout)

    def arrived(self) -> bool:
        """Whether something can be read, or the other end is gone; for one thread at a time."""
        if self._poller is None:
            self._poller = select.poll()
            self._poller.register(self._read, select.POLLIN)
        return bool(self._poller.poll(0))

    def unread(self) -> bool:
        """Whether the other end has yet to read something that was sent; True where nobody knows."""
        return _bytes_in(self._write) != 0

    def spin(self, seconds: float, room: ElbowRoom | None = None) -> list[bytes]:
        """Look again and again for so long, leaving the core to others in between; what has arrived.

        Args:
            seconds: For how long.
            room: Is told how long each turn took.
        """
        looked = time.perf_counter()
        end = looked + seconds
        frames = self.receive()
        while not frames and looked < end:
            yield_core()
            frames = self.receive()
            now = time.perf_counter()
            if room is not None:
                room.took(now - looked, found=bool(frames))
            looked = now
        return frames

    def close(self) -> None:
        """Give the descriptors back; the one that somebody still writes to when they have ended."""
        with self._ending:
            if self._closed:
                return
            self._closed = True
            idle = not self._senders
            read, self._read = self._read, -1
            write, self._write = self._write, -1
        os.close(read)
        if idle:
            os.close(write)

    def give_up(self) -> None:
        """In a forked copy of this process: close this copy's descriptors, whatever its threads were doing."""
        self._ending = threading.Lock()
        self._senders = 0
        self.close()


def _bytes_in(pipe: int) -> int:
    """How many bytes are in a pipe, given either of its ends; -1 if nobody knows."""
    try:
        import fcntl
        import termios

        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    except (ImportError, OSError):
        return -1


def _wait_for(fd: int, event: int, timeout: float | None) -> bool:
    """Sleep until a descriptor is ready."""
    poller = select.poll()
    poller.register(fd, event)
    return bool(poller.poll(None if timeout is None else max(0.0, timeout * 1000.0)))


def two_channels() -> tuple[Channel, tuple[int, int]]:
    """A channel, and the descriptors (read, write) from which another process makes its end."""
    pipes: list[int] = []
    try:
        pipes += os.pipe()
        pipes += os.pipe()
    except BaseException:
        for fd in pipes:
            os.close(fd)
        raise
    return Channel(pipes[0], pipes[3]), (pipes[2], pipes[1])
