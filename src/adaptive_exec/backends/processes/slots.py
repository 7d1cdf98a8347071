"""The segments that this process made: what is in them, and who still looks at it.

Guarantees:
    - A piece is overwritten only when no parcel can still be sent that refers to it, and every receiver has
      said that nobody looks at it, in no forked child either.
    - Free segments are few (`MOST_FREE`, `most_free_bytes()`); `tidy` closes those that are old.
Assumes:
    - Who gets a segment from `room` or `find` calls `drop` for it once.
State table of a segment (all changes under `_lock`):
    held  -> held     somebody here needs it (`holds`), or a receiver looks at it (`uses`)
    held  -> free     the last of them ended; its content stays findable
    free  -> held     `find` found its content again, or `room` took it for something else
    held  -> closed   the last of them ended, and it must not be overwritten (`retired`)
    free  -> closed   there are too many of them, or it is old
Races:
    - a parcel dies in any thread, inside a garbage collection, or while the lock is held: `drop` only appends
      to a deque, and whoever takes the lock next deals with it:
      `tests/backends/test_buffers.py::test_a_parcel_dies_under_the_lock`
    - two threads find the same content, which both want to change: who is not alone gets a refusal from
      `take`: `tests/backends/test_buffers.py::test_two_threads_send_the_same_array`
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final, Protocol

from ...platform.segments import Segment, most_segments

__all__ = ["FREE_SECONDS", "MOST_FREE", "Copy", "Key", "Receiver", "Slot", "Slots", "TooMany"]

MOST_FREE: Final = 16
FREE_SECONDS: Final = 10.0
_STEP: Final = 64 << 10

Key = tuple[int, int]
"""Where something was when it was copied: address and size."""


def most_free_bytes() -> int:
    """How much memory the free segments of one process may keep."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = 1 << 30
    return max(64 << 20, min(512 << 20, memory // 16))


class TooMany(OSError):
    """This process has as many segments as it may."""


class Receiver(Protocol):
    """Who is sent segments, known by its identity.

    Attributes:
        closed: Gets the numbers of segments that will not be referred to any more.
    """

    closed: deque[int]


class Slot:
    """One segment.

    Attributes:
        number: Its name between processes; never given twice.
        segment: The segment.
        holds: How often somebody here needs it.
        uses: How often each receiver looks at it, from before the message is sent.
        known: Receivers that have its descriptor.
        keys: Where to find what is in it.
        retired: Whether it must not be overwritten.
        free_since: When it became free, in seconds of `time.monotonic`.
    """

    __slots__ = ("free_since", "holds", "keys", "known", "number", "retired", "segment", "uses")

    def __init__(self, number: int, segment: Segment) -> None:
        self.number = number
        self.segment = segment
        self.holds = 1
        self.uses: dict[Receiver, int] = {}
        self.known: set[Receiver] = set()
        self.keys: set[Key] = set()
        self.retired = False
        self.free_since = 0.0


class Copy:
    """A copy of something that may be sent again.

    Attributes:
        slot: Where it is.
        offset: Where in its segment.
        owner: The object that it is a copy of, if that can't change; kept alive, so that its address is its own.
    """

    __slots__ = ("offset", "owner", "slot")

    def __init__(self, slot: Slot, offset: int) -> None:
        self.slot = slot
        self.offset = offset
        self.owner: bytes | None = None


class Slots:
    """All segments of one process that it may send."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[int, Slot] = {}
        self._free: OrderedDict[Slot, None] = OrderedDict()  # the oldest first
        self._free_bytes = 0
        self._most_free_bytes = most_free_bytes()
        self._copies: dict[Key, Copy] = {}
        self._dropped: deque[Iterable[Slot]] = deque()
        self._count = 0
        self._closed = False

    # --- who fills them ---------------------------------------------------------------------------

    def room(self, size: int) -> Slot:
        """A segment of at least `size` bytes to write to: a free one that is not much too large, or a new one.

        Raises:
            TooMany: There are too many as it is.
            OSError: The system has no room.
        """
        with self._lock:
            gone = self._collect()
            slot = self._free_one(size)
            many = len(self._slots) >= most_segments() or self._closed
            number = self._count = self._count + 1
        _close(gone)
        if slot is not None:
            return slot
        if many:
            raise TooMany
        step = max(
            _STEP, 1 << max(0, size.bit_length() - 4)
        )  # sizes that differ by little fit the same segment
        slot = Slot(number, Segment(-(-size // step) * step))
        with self._lock:
            self._slots[number] = slot
        return slot

    def find(self, key: Key) -> Copy | None:
        """What was copied from there; its segment is held from now on."""
        with self._lock:
            gone = self._collect()
            copy = self._copies.get(key)
            if copy is not None:
                self._hold(copy.slot)
        _close(gone)
        return copy

    def take(self, key: Key, copy: Copy, holds: int) -> bool:
        """Take a copy out, to change it, if nobody needs its segment but the caller, who holds it `holds` times."""
        with self._lock:
            slot = copy.slot
            if slot.holds != holds or slot.uses or self._copies.get(key) is not copy:
                return False
            del self._copies[key]
            slot.keys.discard(key)
            return True

    def remember(self, key: Key, copy: Copy) -> None:
        """Have a copy found from now on, instead of an older one; the caller holds its segment."""
        with self._lock:
            old = self._copies.get(key)
            if old is not None:
                old.slot.keys.discard(key)
            self._copies[key] = copy
            copy.slot.keys.add(key)

    def drop(self, slots: Iterable[Slot]) -> None:
        """Hold these once less each; may be called anywhere, even by the garbage collection."""
        self._dropped.append(slots)

    def read(self, number: int, offset: int, size: int) -> bytes:
        """Bytes of a segment that somebody holds."""
        with self._lock:
            segment = self._slots[number].segment
        return segment.read(offset, size)

    # --- who looks at them ------------------------------------------------------------------------

    def use(self, receiver: Receiver, numbers: set[int]) -> dict[int, int]:
        """A message will refer to these; the descriptors of those that `receiver` has not got, by number."""
        unknown = {}
        with self._lock:
            for number in numbers:
                slot = self._slots[number]
                slot.uses[receiver] = slot.uses.get(receiver, 0) + 1
                if receiver not in slot.known:
                    slot.known.add(receiver)
                    unknown[number] = slot.segment.fd
        return unknown

    def unuse(self, receiver: Receiver, numbers: set[int], unknown: Iterable[int]) -> None:
        """The message is not sent after all, and the descriptors of `unknown` have not reached `receiver`."""
        with self._lock:
            for number in unknown:
                self._slots[number].known.discard(receiver)
        self.used(receiver, numbers)

    def used(self, receiver: Receiver, numbers: Iterable[int]) -> None:
        """Uses of these have ended; of those below zero a copy remains that nobody can see the end of."""
        with self._lock:
            gone = self._collect()
            for number in numbers:
                slot = self._slots.get(abs(number))
                if slot is None or receiver not in slot.uses:
                    continue
                slot.retired |= number < 0
                slot.uses[receiver] -= 1
                if not slot.uses[receiver]:
                    del slot.uses[receiver]
                    gone += self._settle(slot)
        _close(gone)

    def gone(self, receiver: Receiver) -> None:
        """A receiver has ended; children of its own may still look at what it had."""
        with self._lock:
            gone = self._collect()
            for slot in list(self._slots.values()):
                slot.known.discard(receiver)
                if slot.uses.pop(receiver, None) is not None:
                    slot.retired = True
                    gone += self._settle(slot)
        _close(gone)

    # --- the end ----------------------------------------------------------------------------------

    def tidy(self) -> float | None:
        """Close what has been free for too long; seconds until there is something to do again, None if nothing is."""
        with self._lock:
            gone = self._collect()
            now = time.monotonic()
            wait = None
            while self._free:
                slot = next(iter(self._free))
                wait = slot.free_since + FREE_SECONDS - now
                if wait > 0:
                    break
                gone.append(self._remove(slot))
                wait = None
        _close(gone)
        return wait

    def close(self) -> None:
        """Close all; those in parcels with these. What receivers have mapped stays theirs."""
        with self._lock:
            self._closed = True
            gone = self._collect()
            for slot in list(self._slots.values()):
                slot.retired = slot.retired or bool(slot.uses) or bool(slot.holds)
                if not slot.holds:
                    gone.append(self._remove(slot))
        _close(gone)

    def forget(self) -> None:
        """In a forked copy of this process: close this copy's descriptors, whatever its threads were doing."""
        self._lock = threading.Lock()
        self._closed = True
        slots, self._slots, self._copies = self._slots, {}, {}
        self._free.clear()
        for slot in slots.values():
            slot.segment.close(empty=False)

    # --- under the lock ---------------------------------------------------------------------------

    def _free_one(self, size: int) -> Slot | None:
        """The free segment that fits best, held from now on, its content forgotten; None if none fits."""
        fitting = [slot for slot in self._free if size <= slot.segment.size <= 2 * size + _STEP]
        if not fitting:
            return None
        slot = min(fitting, key=lambda slot: slot.segment.size)
        self._hold(slot)
        self._forget_content(slot)
        return slot

    def _hold(self, slot: Slot) -> None:
        """Make a segment held, or more so."""
        slot.holds += 1
        if slot in self._free:
            del self._free[slot]
            self._free_bytes -= slot.segment.size

    def _collect(self) -> list[Slot]:
        """Take in what has been dropped; the segments that are to be closed."""
        gone: list[Slot] = []
        while True:
            try:
                dropped = self._dropped.popleft()
            except IndexError:
                return gone
            for slot in dropped:
                slot.holds -= 1
                gone += self._settle(slot)

    def _settle(self, slot: Slot) -> list[Slot]:
        """Make a segment free if nobody needs it; the segments that are to be closed."""
        if slot.holds or slot.uses or slot.number not in self._slots:
            return []
        if slot.retired:
            return [self._remove(slot)]
        slot.free_since = time.monotonic()
        self._free[slot] = None
        self._free_bytes += slot.segment.size
        gone = []
        while len(self._free) > MOST_FREE or self._free_bytes > self._most_free_bytes:
            gone.append(self._remove(next(iter(self._free))))
        return gone

    def _remove(self, slot: Slot) -> Slot:
        """Take a segment out; it is to be closed outside the lock."""
        del self._slots[slot.number]
        if slot in self._free:
            del self._free[slot]
            self._free_bytes -= slot.segment.size
        self._forget_content(slot)
        for receiver in slot.known:
            receiver.closed.append(slot.number)
        return slot

    def _forget_content(self, slot: Slot) -> None:
        """Nothing in a segment can be found any more."""
        for key in slot.keys:
            del self._copies[key]
        slot.keys.clear()


def _close(slots: list[Slot]) -> None:
    """Close segments that have been taken out; that takes milliseconds for large ones."""
    for slot in slots:
        slot.segment.close(empty=not slot.retired)
