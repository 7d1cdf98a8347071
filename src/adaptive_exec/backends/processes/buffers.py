"""Large buffers travel beside the messages, through shared memory that is used again and again.

    Shelf.dumps ──> segment (copied once, or still there from last time) ──> Parcel ──> Buffers.send
                                                                                      │ lane: descriptors
                                                                                      v channel: Sent
    object <── Buffers.loads <── Arrived <──────────────────────────────────── Buffers.claim
       └── dies ──> Buffers.news ──> channel ──> Buffers.heed ──> the segment is free again

Guarantees:
    - What arrives equals what plain pickling would have brought: writable if it was, and shared with nobody.
      (A memoryview, which pickle refuses, arrives as one, of any size.)
    - What has been claimed can be loaded after its sender's end, and what has been loaded stays.
    - A use of a segment is reported ended once, when the last object that lies in it has died.
    - If descriptors can't be passed on, the bytes travel in the message.
Assumes:
    - `send`, and the message with what it returns, go to the peer in the same order, one thread at a time; the
      same holds for `news`.
    - The peer claims each `Sent` that reaches it exactly once, also that of a call which it doesn't run.
State table of one `Sent`:
    sent -> claimed -> loaded -> ended     each use is told by `news`
    sent -> claimed -> ended               nobody wanted it
    sent -> lost                           the peer ended: `close`
Races:
    - two threads claim at once: both read the lane under `_lock`, and each finds what the other has read:
      `tests/backends/test_buffers.py::test_two_threads_claim_at_once`
    - an object dies in any thread, inside a garbage collection: it only appends to a deque:
      `tests/platform/test_segments.py::test_a_use_ends_inside_a_collection`
"""

from __future__ import annotations

import io
import threading
from collections import deque
from typing import Any, Final

from ... import pickling
from ...platform.lanes import Lane
from ...platform.segments import Foreign, Use
from .shelf import Parcel, Piece, Sent, Shelf

__all__ = ["Arrived", "Buffers", "News", "load"]

News = tuple[tuple[int, ...], tuple[int, ...]]
"""Uses of the other's segments that have ended, and own segments that will not be referred to any more."""

_GONE: Final = (BrokenPipeError, ConnectionResetError)


class Arrived:
    """What was in a `Sent`, as long as somebody is going to load it.

    Attributes:
        sent: The very same.
        uses: The segments that it refers to, by number.
    """

    __slots__ = ("sent", "uses")

    def __init__(self, sent: Sent, uses: dict[int, Use]) -> None:
        self.sent = sent
        self.uses = uses


class Buffers:
    """What goes to one peer and comes from it.

    Args:
        lane: The way for descriptors; None if there is none: then nothing may be sent but what is whole.
        shelf: This process's segments.

    Attributes:
        closed: Segments that the peer is to be told of.
        shelf: The same as above.
    """

    def __init__(self, lane: Lane | None, shelf: Shelf) -> None:
        self._lane = lane
        self._lock = threading.Lock()  # held while the lane is read
        self._foreign: dict[int, Foreign] = {}
        self._ended: deque[int] = deque()
        self.closed: deque[int] = deque()
        self.shelf = shelf

    # --- to the peer ------------------------------------------------------------------------------

    def dumps(self, obj: object, *, home: bool = False) -> tuple[bytes, Sent | None]:
        """Pickle something for the very next message to the peer; `Shelf.dumps` and `send` in one.

        Raises:
            NotPicklable: As for `pickling.dumps`.
            OSError: The peer has gone.
        """
        data, parcel = self.shelf.dumps(obj, home=home)
        return data, None if parcel is None else self.send(parcel)

    def send(self, parcel: Parcel) -> Sent:
        """Pass on the descriptors that the peer doesn't have yet.

        Returns:
            What the message that is written next to the peer has to carry.

        Raises:
            OSError: The peer has gone.
        """
        sent = parcel.sent
        numbers = {piece[0] for piece in sent[1] if isinstance(piece, tuple)}
        if not numbers:
            return sent
        unknown = self.shelf.slots.use(self, numbers)
        try:
            for number, fd in list(unknown.items()):
                if self._lane is None:
                    raise BlockingIOError
                self._lane.send(number, fd)
                del unknown[number]
        except OSError as error:
            self.shelf.slots.unuse(self, numbers, unknown)
            if isinstance(error, _GONE):
                raise
            return self.shelf.whole(sent)
        return sent

    # --- from the peer ----------------------------------------------------------------------------

    def claim(self, sent: Sent) -> Arrived:
        """Take what a message refers to, so that it can be loaded later, in any thread; costs next to nothing.

        Raises:
            OSError: This process has too many descriptors open.
            ValueError: The peer refers to what it never sent.
        """
        uses: dict[int, Use] = {}
        for piece in sent[1]:
            if isinstance(piece, tuple) and piece[0] not in uses:
                uses[piece[0]] = Use(piece[0], self._find(piece[0]), self._ended)
        return Arrived(sent, uses)

    def loads(self, data: bytes, sent: Sent | Arrived | None = None) -> Any:
        """Read what `dumps` wrote.

        Args:
            data: The pickle.
            sent: What came with it, claimed or not.

        Raises:
            OSError: There is no memory, or no descriptor left.
            Exception: Whatever unpickling raises.
        """
        if sent is None:
            return pickling.loads(data)
        return load(data, sent if isinstance(sent, Arrived) else self.claim(sent))

    def _find(self, number: int) -> Foreign:
        """The peer's segment; its descriptor came before the message did."""
        with self._lock:
            while number not in self._foreign:
                came = None if self._lane is None else self._lane.receive()
                if came is None:
                    raise ValueError(f"segment {number} never came")
                self._foreign[came[0]] = Foreign(came[1])
            return self._foreign[number]

    # --- both -------------------------------------------------------------------------------------

    def news(self) -> News | None:
        """What the next message is to tell the peer; None if nothing."""
        if not self._ended and not self.closed:
            return None
        return _drain(self._ended), _drain(self.closed)

    def heed(self, news: News) -> None:
        """Take in what the peer has told."""
        ended, closed = news
        if closed:
            with self._lock:
                for number in closed:
                    self._foreign.pop(number, None)
        if ended:
            self.shelf.slots.used(self, ended)

    def close(self) -> None:
        """The peer has gone: free what nobody here looks at or has claimed."""
        self.shelf.slots.gone(self)
        with self._lock:
            self._foreign.clear()
            if self._lane is not None:
                self._lane.close()
                self._lane = None

    def forget(self) -> None:
        """In a forked copy of this process: close this copy's descriptors, whatever its threads were doing."""
        self._lock = threading.Lock()
        self._foreign.clear()
        if self._lane is not None:
            self._lane.close()
            self._lane = None


def load(data: bytes, arrived: Arrived) -> Any:
    """Read what `Shelf.dumps` wrote and a peer has claimed."""
    positions, pieces = arrived.sent
    if positions is None:
        return pickling.loads(_memory(pieces[0], arrived), _memories(pieces[1:], arrived))
    apart = len(positions)
    buffers = _memories(pieces[apart:], arrived)
    if not apart:
        return pickling.loads(data, buffers)
    return pickling.load(_Spliced(data, positions, pieces[:apart], arrived), buffers)


def _memories(pieces: tuple[Piece, ...], arrived: Arrived) -> list[memoryview]:
    """Writable memory for each piece, shared with nobody."""
    return [_memory(piece, arrived) for piece in pieces]


def _memory(piece: Piece, arrived: Arrived) -> memoryview:
    """Writable memory with the content of a piece."""
    if isinstance(piece, bytes):
        return memoryview(bytearray(piece))
    number, offset, size = piece
    return arrived.uses[number].view(offset, size)


class _Spliced:
    """A file that is a pickle with some pieces put into it; each is read straight into its place in memory."""

    def __init__(
        self, data: bytes, positions: tuple[int, ...], pieces: tuple[Piece, ...], arrived: Arrived
    ) -> None:
        self._arrived = arrived
        self._rest: deque[tuple[Piece | memoryview, int, int]] = deque()  # where it is, from, to
        view, before = memoryview(data), 0
        for position, piece in zip(positions, pieces, strict=True):
            if position > before:
                self._rest.append((view, before, position))
                before = position
            size = len(piece) if isinstance(piece, bytes) else piece[2]
            self._rest.append((piece, 0, size))
        self._rest.append((view, before, len(data)))

    def readinto(self, target: Any) -> int:
        """Fill some memory, as far as there is something left."""
        memory = memoryview(target)
        done = 0
        while done < memory.nbytes and self._rest:
            where, start, end = self._rest.popleft()
            stop = min(end, start + memory.nbytes - done)
            part = memory[done : done + stop - start]
            if isinstance(where, tuple):
                number, offset, _ = where
                self._arrived.uses[number].read_into(offset + start, part)
            else:
                part[:] = memoryview(where)[start:stop]
            if stop < end:
                self._rest.appendleft((where, stop, end))
            done += stop - start
        return done

    def read(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are."""
        where, start, end = self._rest[0] if self._rest else (b"", 0, 0)
        if isinstance(where, memoryview) and start + size <= end:  # nearly always
            self._rest[0] = (where, start + size, end)
            return bytes(where[start : start + size])
        target = bytearray(size)
        return bytes(target[: self.readinto(target)])

    def readline(self) -> bytes:
        """Asked for by the unpickler, which uses it for protocols older than ours only."""
        raise io.UnsupportedOperation("readline")


def _drain(numbers: deque[int]) -> tuple[int, ...]:
    """Take all numbers out of a deque."""
    taken = []
    while True:
        try:
            taken.append(numbers.popleft())
        except IndexError:
            return tuple(taken)
