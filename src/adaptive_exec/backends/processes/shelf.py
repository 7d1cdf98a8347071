"""The shelf: where what is large goes when something is pickled, and is found again when it is sent again.

A parent has one shelf for all its workers, so that an array for two of them is copied once; a worker has one
for its parent.

Guarantees:
    - What a receiver gets is the state at the time of `dumps`.
    - What is sent again is copied again only as far as it differs. The memory of a `bytes` object can't change,
      so that object is kept alive and known again by its address; everything else is compared, byte by byte.
      (A read-only array can be made writable and read-only again behind our back, so that says nothing.)
    - Where there is no shared memory to be had, everything travels in the message, and one warning says so.
Assumes:
    - Nobody changes an object while `dumps` reads it.
State table of a copy: findable (`Slots.remember`) -> taken out to be changed (`Slots.take`) -> findable;
    findable -> lost when its segment is taken for something else, or closed.
Races:
    - two threads send the same array, which has changed: who is not alone with the copy makes another one:
      `tests/backends/test_buffers.py::test_two_threads_send_the_same_array`
"""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any, Final

from ... import pickling
from ...platform.segments import available
from .slots import Copy, Slot, Slots, TooMany

__all__ = ["THRESHOLD", "Parcel", "Piece", "Sent", "Shelf"]

THRESHOLD: Final = 64 << 10
"""Bytes from which something travels apart: from there on it is faster than the channel."""

_ALIGNMENT: Final = 64
_LOOKS: Final = 256

Piece = tuple[int, int, int] | bytes
"""(segment, offset, size), or the bytes themselves where there is no shared memory for them."""

Sent = tuple[tuple[int, ...] | None, tuple[Piece, ...]]
"""What travels in a message: the positions of the splices, which are the first pieces, then the buffers; None if
the first piece is the pickle itself."""


class Parcel:
    """What has left a pickle; while it lives, so does what it refers to.

    Attributes:
        sent: What `Buffers.send` makes a message's `Sent` of.
        size: Bytes that travel apart.
    """

    __slots__ = ("_held", "_slots", "sent", "size")

    def __init__(self, sent: Sent, size: int, held: list[Slot], slots: Slots) -> None:
        self.sent = sent
        self.size = size
        self._held = held
        self._slots = slots

    def __del__(self) -> None:
        self._slots.drop(self._held)


class Shelf:
    """What this process sends apart from its pickles.

    Args:
        enabled: False if receivers can't be sent any: then all pickles are whole.

    Attributes:
        slots: The segments.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        self.slots = Slots()
        self._enabled = enabled and available()
        self._looks = 0  # how many pickles more are worth a look before; an estimate that needs no lock

    def dumps(self, obj: object, *, home: bool = False) -> tuple[bytes, Parcel | None]:
        """Pickle, with what is large apart.

        Args:
            obj: Anything.
            home: As for `pickling.dumps`.

        Returns:
            The pickle, and what else is to be sent with it; None if that is all.

        Raises:
            NotPicklable: As for `pickling.dumps`.
        """
        if not self._enabled:
            return pickling.dumps(obj, home=home), None
        cut = False
        if self._looks:
            cut = pickling.holds_large(obj, THRESHOLD)
            self._looks = _LOOKS if cut else self._looks - 1
        data, splices, buffers = pickling.dumps_apart(obj, THRESHOLD, cut=cut, home=home)
        if not splices and not buffers and len(data) < THRESHOLD:
            return data, None
        views = [*(view for _, view in splices), *buffers]
        positions: tuple[int, ...] | None = tuple([position for position, _ in splices])
        if len(data) >= THRESHOLD and not splices:
            if pickling.holds_large(obj, THRESHOLD):
                self._looks = _LOOKS
            views.insert(0, memoryview(data))
            data, positions = b"", None
        held: list[Slot] = []
        try:
            pieces = self._place(views, held, passing=1 if positions is None else 0)
        except BaseException:
            self.slots.drop(held)
            raise
        return data, Parcel((positions, pieces), sum(view.nbytes for view in views), held, self.slots)

    def whole(self, sent: Sent) -> Sent:
        """The same with all bytes in it; the caller has the parcel."""
        pieces = [piece if isinstance(piece, bytes) else self.slots.read(*piece) for piece in sent[1]]
        return sent[0], tuple(pieces)

    def _place(self, views: list[memoryview], held: list[Slot], *, passing: int) -> tuple[Piece, ...]:
        """Have every view in some segment; `held` gets the segments, each as often as it is held.

        The first `passing` views will not be sent again.
        """
        pieces: list[Piece | None] = [None] * passing
        pieces += [self._find(view, held) for view in views[passing:]]
        missing = [view for view, piece in zip(views, pieces, strict=True) if piece is None]
        if missing:
            fresh = iter(self._copy(missing, held, passing=passing))
            pieces = [next(fresh) if piece is None else piece for piece in pieces]
        return tuple([piece for piece in pieces if piece is not None])

    def _find(self, view: memoryview, held: list[Slot]) -> Piece | None:
        """The piece with the content of `view`, which was sent before; changed where that has changed."""
        key = _address_of(view), view.nbytes
        copy = self.slots.find(key)
        if copy is None:
            return None
        slot = copy.slot
        held.append(slot)
        piece = (slot.number, copy.offset, view.nbytes)
        if copy.owner is not None:
            return piece
        if slot.segment.same_until(copy.offset, view) == view.nbytes:
            copy.owner = _immutable_owner(view)
            return piece
        if not self.slots.take(key, copy, held.count(slot)):
            return None  # the parcel holds that segment without need, which does no harm
        slot.segment.replace(copy.offset, view)
        self.slots.remember(key, copy)
        return piece

    def _copy(self, views: list[memoryview], held: list[Slot], *, passing: int) -> list[Piece]:
        """Put views into a segment; or take their bytes along if there is no room for them."""
        size = sum(_aligned(view.nbytes) for view in views)
        copies: list[Copy] = []
        offset = 0
        try:
            slot = self.slots.room(size)
            held.append(slot)
            for view in views:
                slot.segment.write(offset, view)
                copies.append(Copy(slot, offset))
                offset += _aligned(view.nbytes)
        except OSError as error:
            if not isinstance(error, TooMany):
                _warn(size, error)
            return [view.tobytes() for view in views]
        for view, copy in list(zip(views, copies, strict=True))[passing:]:
            self.slots.remember((_address_of(view), view.nbytes), copy)
        return [(slot.number, copy.offset, view.nbytes) for view, copy in zip(views, copies, strict=True)]


def _address_of(view: memoryview | bytes) -> int:
    """Where a buffer lies."""
    from ...platform.raw_memory import address_of  # here, so that workers start sooner

    return address_of(view)


def _aligned(size: int) -> int:
    """Size with what is left empty after it, so that the next piece begins where arrays like to."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _immutable_owner(view: memoryview) -> bytes | None:
    """The `bytes` object in which a view lies; None if it lies anywhere else, or that is not certain."""
    if not view.readonly:
        return None
    owner: Any = view.obj
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    while array is not None and type(owner) is array:
        owner = owner.base
        if type(owner) is memoryview:
            owner = owner.obj
    if type(owner) is not bytes:
        return None
    start, first = _address_of(view), _address_of(owner)
    return owner if first <= start and start + view.nbytes <= first + len(owner) else None


_not_warned = threading.Semaphore(1)


def _warn(size: int, error: OSError) -> None:
    """Say once that shared memory is missing."""
    if _not_warned.acquire(blocking=False):
        warnings.warn(
            f"no shared memory for {size} bytes ({error}): large data travels between processes through pipes, "
            "which is slower; give the container more memory, or raise the limit on file sizes (ulimit -f)",
            RuntimeWarning,
            stacklevel=2,
        )
