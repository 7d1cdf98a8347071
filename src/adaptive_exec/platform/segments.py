"""Segments: pieces of nameless memory that one process fills and another one reads, without a copy.

One process makes a segment, fills it and passes its descriptor on a lane (`lanes.py`); the other one maps what
it reads. A receiver's mapping is copy-on-write: what it writes is seen by
nobody else, and several receivers can share one segment.

Guarantees:
    - Nothing has a name: with the last descriptor and the last mapping the memory is gone, however the
      processes ended.
    - Want of memory is an `OSError` from `Segment`, never a SIGBUS later: pages come into being by `pwrite`, and
      only those are written through a mapping.
    - A receiver sees what was in the segment when it was sent for as long as it holds the `Use`, and so does a
      child that it forked meanwhile: such a use ends with "never overwrite it", not with "it is free".
    - The copies let other threads run.
Assumes:
    - The owner overwrites a piece only when no use of it is left.
    - A mapping of a file sees what `pwrite` put there (it does where both go through the page cache):
      `tests/platform/test_segments.py::test_what_is_written_is_seen`
State table of a `Use`, as its sender hears of it by the sign of its number:
    held -> ended     the last object that looks at it died, and the process has not forked since it came
    held -> kept      it has: somewhere a forked child may still look at it
Races:
    - a use ends in any thread, inside a garbage collection: it only appends to a deque:
      `tests/platform/test_segments.py::test_a_use_ends_inside_a_collection`
"""

from __future__ import annotations

import mmap
import os
import socket
import sys
import threading
from collections import deque
from typing import Any, Final

from .boards import anonymous_file
from .comparing import CHUNK, same_until

__all__ = ["Foreign", "Segment", "Use", "available", "most_segments"]

COPY_BELOW: Final = 512 << 10
"""Bytes up to which a receiver copies, since making and ending a mapping costs as much, and a descriptor."""

_HUGE_FROM: Final = 4 << 20
_TOUCH: Final = 64 << 10  # one access maps this much around it
_MOST_AT_ONCE: Final = 1 << 30  # systems take less than 2 GiB in one call

_epoch = object()  # another one after every fork: no number, since two threads may fork at once
_mapped: deque[None] = deque()  # an item for each mapping there is: a counter that needs no lock


def _about_to_fork() -> None:
    """Note that a child will see what is mapped now."""
    global _epoch
    _epoch = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_about_to_fork)


def available() -> bool:
    """Whether this system can pass segments from process to process."""
    return hasattr(socket, "send_fds") and hasattr(os, "preadv") and hasattr(mmap, "MAP_PRIVATE")


def most_segments() -> int:
    """How many segments a process may have, or map: each costs a descriptor, and the user's program wants some."""
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 4096 if soft == resource.RLIM_INFINITY else min(4096, soft // 8)


def _raw() -> Any:
    """What reaches memory by its address, loaded when it is first needed: workers start sooner."""
    from . import raw_memory

    return raw_memory


class Segment:
    """A segment, as the process that made it sees it.

    Args:
        size: How many bytes it can hold; it takes memory only as it is filled.

    Attributes:
        fd: Its descriptor.
        size: The same as above.

    Raises:
        OSError: The system has no room or no descriptor left.
    """

    __slots__ = ("_filled", "_making", "_mapping", "fd", "size")

    def __init__(self, size: int) -> None:
        self.fd = anonymous_file(size)
        self.size = size
        self._making = threading.Lock()
        self._filled = 0  # up to here there are pages
        self._mapping: tuple[mmap.mmap, int] | None = None

    def write(self, offset: int, view: memoryview) -> None:
        """Copy a contiguous buffer of bytes to `offset`, which is not beyond what has been written before.

        Raises:
            OSError: The system has no room.
        """
        size = view.nbytes
        if offset + size <= self._filled:
            raw = _raw()
            raw.copy(self._address(offset), raw.address_of(view), size)
            return
        done = 0
        while done < size:
            done += os.pwrite(self.fd, view[done : done + _MOST_AT_ONCE], offset + done)
        self._filled = offset + size

    def same_until(self, offset: int, view: memoryview) -> int:
        """How many bytes at `offset` are those of `view`, counted in chunks: all of them if nothing differs."""
        raw = _raw()
        return same_until(raw.compare, self._address(offset), raw.address_of(view), view.nbytes)

    def replace(self, offset: int, view: memoryview) -> None:
        """Make what is at `offset` equal to `view`, leaving alone what is."""
        raw = _raw()
        ours, theirs, size = self._address(offset), raw.address_of(view), view.nbytes
        for at in range(0, size, CHUNK):
            length = min(CHUNK, size - at)
            if raw.compare(ours + at, theirs + at, length):
                raw.copy(ours + at, theirs + at, length)

    def read(self, offset: int, size: int) -> bytes:
        """Give a copy of what is at `offset`."""
        parts: list[bytes] = []
        end = offset + size
        while offset < end:
            part = os.pread(self.fd, min(end - offset, _MOST_AT_ONCE), offset)
            if not part:
                raise EOFError("a segment is shorter than it was")
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _address(self, offset: int) -> int:
        """Where `offset` lies in a mapping that is made once: all its pages are there, so it never faults in more."""
        with self._making:
            if self._mapping is None:
                mapping = mmap.mmap(self.fd, self.size)
                _ = mapping[: self._filled : _TOUCH]  # far cheaper than a write fault for each page
                self._mapping = (mapping, _raw().address_of(mapping))
            return self._mapping[1] + offset

    def close(self, *, empty: bool) -> None:
        """Give up this process's part of it; nobody here is at it any more.

        Args:
            empty: Nobody anywhere looks at it, so the memory goes even if others still have the descriptor.
        """
        if self._mapping is not None:
            self._mapping[0].close()
            self._mapping = None
        fd, self.fd = self.fd, -1
        if fd >= 0:
            if empty:
                os.ftruncate(fd, 0)
            os.close(fd)

    def __del__(self) -> None:
        if getattr(self, "fd", -1) >= 0:
            os.close(self.fd)


class Foreign:
    """A segment that a peer made; its descriptor is closed with the last one who knows of it."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)


class Use:
    """This process looks at a foreign segment because one message says so; when nobody does, its owner is told.

    Args:
        number: What the owner calls the segment.
        foreign: The segment.
        ended: Where the number goes in the end, below zero if the segment must never be overwritten.
    """

    __slots__ = ("_ended", "_epoch", "foreign", "number")

    def __init__(self, number: int, foreign: Foreign, ended: deque[int]) -> None:
        self.number = number
        self.foreign = foreign
        self._ended = ended
        self._epoch = _epoch

    def __del__(self) -> None:
        self._ended.append(self.number if self._epoch is _epoch else -self.number)

    def view(self, offset: int, size: int) -> memoryview:
        """Writable memory with what is at `offset`, which nobody else sees change.

        Raises:
            OSError: The system has no room.
        """
        if size >= COPY_BELOW and len(_mapped) < most_segments():
            page = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
            mapping = _Mapping(
                self.foreign.fd,
                offset - page + size,
                flags=mmap.MAP_PRIVATE,
                prot=mmap.PROT_READ | mmap.PROT_WRITE,
                offset=page,
                **_UNTRACKED,
            )
            mapping.keep(self)
            return memoryview(mapping)[offset - page :]
        if size < _HUGE_FROM:
            target = memoryview(bytearray(size))
        else:  # memory of its own without zeroing it first
            target = memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        self.read_into(offset, target)
        return target

    def read_into(self, offset: int, target: memoryview) -> None:
        """Copy what is at `offset` to some memory, all of it."""
        size = target.nbytes
        if size >= _HUGE_FROM and hasattr(mmap, "MADV_HUGEPAGE"):
            _use_huge_pages(target)
        done = 0
        while done < size:
            got = os.preadv(self.foreign.fd, [target[done : done + _MOST_AT_ONCE]], offset + done)
            if not got:
                raise EOFError("a segment is shorter than its owner said")
            done += got


_UNTRACKED: Final[dict[str, Any]] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


class _Mapping(mmap.mmap):
    """A mapping that keeps its `Use`."""

    _use: Use | None = None

    def keep(self, use: Use) -> None:
        """End the use with this mapping."""
        self._use = use
        _mapped.append(None)

    def __del__(self) -> None:
        if self._use is not None:
            _mapped.pop()


def _use_huge_pages(target: memoryview) -> None:
    """Ask for large pages, as NumPy does: filling fresh memory takes a third of the time."""
    raw = _raw()
    start = raw.address_of(target)
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    raw.advise(first, (start + target.nbytes - first) // mmap.PAGESIZE * mmap.PAGESIZE, mmap.MADV_HUGEPAGE)
