"""Waiting for many channels and many processes at once, by one thread, or by another in its place.

Guarantees:
    - `wait` returns when a watched channel can be read, a process has ended, or somebody called `wake`,
      also if that was before it began.
    - While somebody attends (`attend` said True), `wait` leaves the channels to them; after `leave` it
      sees what they left unread.
    - A channel that was lent is left to others, whoever attends, until somebody takes it back or the bell is rung; its
      end is still seen. What was left unread is seen then.
Assumes:
    - `wait` is called by one thread; everything else by any.
    - One thread at a time attends.
Races:
    - a wake-up against the end of a wait: the note stays in the pipe until `wait` has taken it:
      `tests/platform/test_readiness.py::test_wake_before_wait`
    - `attend` while `wait` sleeps: the kernel changes what is waited for, nobody is woken:
      `tests/platform/test_readiness.py::test_attending_keeps_the_sleeper_asleep`
    - a channel is lent while the bell takes it back: one lock for both, so that one which is not watched is always
      known as lent: `tests/platform/test_readiness.py::test_lending_against_taking_back`
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Final, Generic, TypeVar

from .bell import RING

__all__ = ["Readiness", "make_readiness"]

K = TypeVar("K", bound=Hashable)

_MOST: Final = 256
_NOTE: Final = b"w"


class Readiness(ABC, Generic[K]):
    """What is watched, by key.

    Attributes:
        bell: A descriptor that other processes may ring (`bell.py`); None if this system has none.
        lent: Whose channel `wait` doesn't watch until the bell is rung.
    """

    bell: int | None = None
    lent: K | None = None

    @abstractmethod
    def add(self, key: K, channel: Any, sentinel: Any) -> None:
        """Watch a channel and the process at its other end."""

    @abstractmethod
    def remove(self, key: K) -> None:
        """Watch neither any more; both still have to be open."""

    @abstractmethod
    def mute(self, key: K) -> None:
        """Watch only the process from now on."""

    @abstractmethod
    def wait(self, timeout: float | None) -> tuple[list[K], list[K]]:
        """Sleep until something happens, or `timeout` seconds.

        Returns:
            Whose channel can be read, and whose process has ended.
        """

    @abstractmethod
    def wake(self) -> None:
        """Make `wait` return."""

    @abstractmethod
    def attend(self) -> bool:
        """Take the channels over from `wait`; False if this system can't."""

    @abstractmethod
    def readable(self, timeout: float) -> list[K]:
        """While attending: whose channel can be read, after at most `timeout` seconds."""

    @abstractmethod
    def leave(self) -> None:
        """Give the channels back to `wait`."""

    def lend(self, key: K) -> None:
        """Leave this one's channel to others, who see that the bell is rung if they don't read it."""
        return  # where that can't be done, it is watched, and the bell is not missed

    def take_back(self) -> None:
        """Watch the one that was lent again, if there is one."""
        return

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds."""


def make_readiness(*, portable: bool = False) -> Readiness[Any]:
    """The best way this system has.

    Args:
        portable: Take the way that works everywhere.
    """
    if hasattr(select, "epoll") and not portable:
        return _Epoll()
    return _Portable()


class _Epoll(Readiness[K]):
    """Two sets of the kernel's: one of the channels, and one with the rest and the first set in it."""

    def __init__(self) -> None:
        self._channels = select.epoll()
        self._all = select.epoll()
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._all.register(self._read, select.EPOLLIN)
        self._all.register(self._channels.fileno(), select.EPOLLIN)
        self._keys: dict[int, K] = {}
        self._places: dict[K, tuple[int, int]] = {}
        self._lending = threading.Lock()
        self.bell = self._write

    def add(self, key: K, channel: Any, sentinel: Any) -> None:
        place = (_number(channel), _number(sentinel))
        self._places[key] = place
        for fd in place:
            self._keys[fd] = key
        self._channels.register(place[0], select.EPOLLIN)
        self._all.register(place[1], select.EPOLLIN)

    def remove(self, key: K) -> None:
        self._forget_lent(key)
        channel, sentinel = self._places.pop(key)
        with contextlib.suppress(OSError):
            self._channels.unregister(channel)
        with contextlib.suppress(OSError):
            self._all.unregister(sentinel)
        for fd in (channel, sentinel):
            self._keys.pop(fd, None)

    def mute(self, key: K) -> None:
        self._forget_lent(key)
        place = self._places.get(key)
        if place is not None:
            with contextlib.suppress(OSError):
                self._channels.unregister(place[0])

    def wait(self, timeout: float | None) -> tuple[list[K], list[K]]:
        readable: list[K] = []
        ended: list[K] = []
        for fd, _ in self._all.poll(timeout, _MOST):
            if fd == self._read:
                with contextlib.suppress(BlockingIOError):
                    if RING in os.read(self._read, 4096):
                        self.take_back()  # the next call of this finds what is in it
            elif fd == self._channels.fileno():
                readable = self.readable(0)
            else:
                ended += self._named([fd])
        return readable, ended

    def wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is full of notes already
            os.write(self._write, _NOTE)

    def attend(self) -> bool:
        self._all.modify(self._channels.fileno(), 0)
        return True

    def readable(self, timeout: float) -> list[K]:
        return self._named([fd for fd, _ in self._channels.poll(timeout, _MOST)])

    def leave(self) -> None:
        self._all.modify(self._channels.fileno(), select.EPOLLIN)

    def lend(self, key: K) -> None:
        with self._lending:
            place = self._places.get(key)
            if place is not None:
                self.lent = (
                    key  # before: whoever is interrupted here leaves one that is watched and called lent
                )
                self._channels.modify(place[0], 0)

    def take_back(self) -> None:
        with self._lending:
            if self.lent is not None:
                place = self._places.get(self.lent)
                if place is not None:
                    with contextlib.suppress(OSError):  # it is muted
                        self._channels.modify(place[0], select.EPOLLIN)
                self.lent = None

    def close(self) -> None:
        self._channels.close()
        self._all.close()
        os.close(self._read)
        os.close(self._write)

    def _forget_lent(self, key: K) -> None:
        """It is going to be watched no more, by nobody."""
        with self._lending:
            if self.lent is key:
                self.lent = None

    def _named(self, fds: list[int]) -> list[K]:
        """Whose they are; somebody may have been removed meanwhile."""
        return [key for fd in fds if (key := self._keys.get(fd)) is not None]


class _Portable(Readiness[K]):
    """What multiprocessing waits with, on every system; nobody can take the channels over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read, self._write = Pipe(duplex=False)
        self._woken = False
        self._watched: dict[K, tuple[Any, Any]] = {}

    def add(self, key: K, channel: Any, sentinel: Any) -> None:
        with self._lock:
            self._watched[key] = (channel, sentinel)
        self.wake()

    def remove(self, key: K) -> None:
        with self._lock:
            del self._watched[key]

    def mute(self, key: K) -> None:
        with self._lock:
            if key in self._watched:
                self._watched[key] = (None, self._watched[key][1])

    def wait(self, timeout: float | None) -> tuple[list[K], list[K]]:
        with self._lock:
            channels = {channel: key for key, (channel, _) in self._watched.items() if channel is not None}
            sentinels = {sentinel: key for key, (_, sentinel) in self._watched.items()}
        readable: list[K] = []
        ended: list[K] = []
        for found in wait([self._read, *channels, *sentinels], timeout):
            if found is self._read:
                self._take_note()
            elif found in channels:
                readable.append(channels[found])
            else:
                ended.append(sentinels[found])
        return readable, ended

    def _take_note(self) -> None:
        """Whoever wakes from now on leaves a new one."""
        with self._lock:
            while self._read.poll(0):
                self._read.recv_bytes()
            self._woken = False

    def wake(self) -> None:
        with self._lock:
            if not self._woken:
                self._write.send_bytes(b"")  # first: an interrupt in between leaves a note too many
                self._woken = True

    def attend(self) -> bool:
        return False

    def readable(self, timeout: float) -> list[K]:
        return []

    def leave(self) -> None:
        pass

    def close(self) -> None:
        for end in (self._read, self._write):
            assert isinstance(end, Connection)
            end.close()


def _number(source: Any) -> int:
    """The descriptor of something that is one or has one."""
    return source if isinstance(source, int) else int(source.fileno())
