"""Channels: frames arrive whole and in order however they are cut, and nonsense is refused, not believed."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adaptive_exec.platform.channels import Channel, FrameReader, frame, two_channels
from adaptive_exec.platform.elbow_room import ElbowRoom
from tests.guards import is_open

LONG = struct.Struct("<IQ")
MARK = 0xFFFFFFFF

sizes = st.one_of(st.integers(0, 40), st.integers(65_530, 65_545), st.integers(131_070, 131_080))
bodies = st.lists(st.builds(lambda size, fill: bytes([fill]) * size, sizes, st.integers(0, 255)), max_size=8)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, cut at some places."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.full
@given(bodies, st.lists(st.integers(0, 1_200_000), max_size=30))
@example([b"", b"", b"x"], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
@example([b"a" * 65_536, b"b" * 65_537], [4, 65_540, 65_544])
def test_any_chunking_gives_the_same_frames(frames: list[bytes], places: list[int]) -> None:
    """Where the stream is cut makes no difference, and nothing is held back once it is complete."""
    reader, got = FrameReader(), []
    sent = b"".join(map(frame, frames))
    complete, arrived = [4 + len(body) for body in frames], 0
    for piece in cut(sent, places):
        got += reader.feed(piece)
        arrived += len(piece)
        assert len(got) == sum(arrived >= sum(complete[: n + 1]) for n in range(len(frames)))

    assert frames == got


def test_byte_by_byte() -> None:
    """The smallest pieces there are."""
    reader, got = FrameReader(), []
    for byte in frame(b"") + frame(b"one") + frame(b"x" * 70_000):
        got += reader.feed(bytes([byte]))

    assert [b"", b"one", b"x" * 70_000] == got


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_garbage(pieces: list[bytes]) -> None:
    """It gives frames that were really there, or waits, or is a `ValueError`; it never makes bytes up."""
    reader, got = FrameReader(), 0
    with contextlib.suppress(ValueError):
        for piece in pieces:
            got += sum(len(body) + 4 for body in reader.feed(piece))
            assert 0 < reader.wanted <= 1 << 20
    assert got <= sum(map(len, pieces))


@pytest.mark.parametrize("size", [0, 1, MARK - 1, (1 << 40) + 1, (1 << 64) - 1])
def test_lengths_that_cannot_be_right(size: int) -> None:
    """A long header for a short frame, or for one that nobody could hold."""
    header = LONG.pack(MARK, size)
    with pytest.raises(ValueError, match=str(size)):
        FrameReader().feed(header)
    reader = FrameReader()
    assert [] == reader.feed(header[:11])
    with pytest.raises(ValueError, match=str(size)):
        reader.feed(header[11:])


@pytest.mark.parametrize(
    "header", [struct.pack("<I", MARK - 1), LONG.pack(MARK, MARK), LONG.pack(MARK, 1 << 40)]
)
def test_a_claim_reserves_nothing(header: bytes) -> None:
    """A header may announce a terabyte: memory is taken for what has arrived, and no more is read at once."""
    reader = FrameReader()
    tracemalloc.start()
    try:
        for _ in range(100):
            assert [] == reader.feed(header)  # the first is a header, the others are its body
            assert reader.wanted <= 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_long_frame() -> None:
    """The 12-byte header leads to its body; the terabytes in between are left to the imagination."""
    reader = FrameReader()
    reader.feed(LONG.pack(MARK, MARK + 5) + b"abc")
    reader._missing = 2  # as if the rest had come

    assert [b"abcde", b"next"] == reader.feed(b"de" + frame(b"next"))


Ends = tuple[Channel, Channel]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends of a channel, in this process."""
    ours, (read, write) = two_channels()
    theirs = Channel(read, write)
    yield ours, theirs
    ours.close()
    theirs.close()


def receive(channel: Channel, count: int) -> list[bytes]:
    """So many frames, however long they take."""
    frames: list[bytes] = []
    while len(frames) < count:
        assert channel.poll(20)
        frames += channel.receive()
    return frames


def test_both_directions(ends: Ends) -> None:
    """Each end sends to the other, and neither waits."""
    ours, theirs = ends
    assert [] == ours.receive()
    assert not ours.poll(0)
    assert ours.send(frame(b"down") + frame(b"")) is None
    assert theirs.send(frame(b"up")) is None

    assert [b"down", b""] == theirs.receive()
    assert [b"up"] == ours.receive()
    assert ours.spin(0.0) == []


def test_what_has_arrived_and_what_lies_unread(ends: Ends) -> None:
    """Both ends can tell, without reading it; the end of the other counts as something to read."""
    ours, theirs = ends
    assert not theirs.arrived()
    assert not ours.unread()
    ours.send(frame(b"down"))
    assert theirs.arrived()
    assert ours.unread()
    assert [b"down"] == theirs.receive()
    assert not theirs.arrived()
    assert not ours.unread()
    ours.close()

    assert theirs.arrived()


def test_nobody_knows_what_lies_unread(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system doesn't tell, something may."""
    ours, _ = ends
    monkeypatch.setitem(sys.modules, "termios", None)

    assert ours.unread()


def test_turns_of_polling_are_told(ends: Ends) -> None:
    """Each one's length, and whether it found something; the first look is no turn."""
    ours, theirs = ends
    told: list[tuple[float, bool]] = []

    class Room(ElbowRoom):
        """Writes down what it is told; sends something after three turns."""

        def took(self, seconds: float, *, found: bool) -> None:
            told.append((seconds, found))
            if len(told) == 3:
                theirs.send(frame(b"up"))

    assert [b"up"] == ours.spin(20.0, Room())
    assert [False, False, False, True] == [found for _, found in told]
    assert all(0.0 < seconds < 20.0 for seconds, _ in told)
    theirs.send(frame(b"at once"))
    assert [b"at once"] == ours.spin(20.0, Room())
    assert 4 == len(told)


def test_a_full_channel(ends: Ends) -> None:
    """`send` takes what fits and gives back the rest, which `send_all` brings to its end."""
    ours, theirs = ends
    large = os.urandom(3_000_000)
    rest = ours.send(frame(large))
    assert rest is not None
    assert 0 < len(rest) < len(large)
    writer = threading.Thread(target=ours.send_all, args=(rest,))
    writer.start()

    assert [large] == receive(theirs, 1)
    writer.join(20)
    assert ours.send(frame(b"next")) is None
    assert [b"next"] == receive(theirs, 1)


def test_end_of_file(ends: Ends) -> None:
    """What was complete is given out first; what was half-written is never seen."""
    ours, theirs = ends
    ours.send(frame(b"whole") + frame(b"half")[:-1])
    ours.close()

    assert theirs.poll(20)
    assert [b"whole"] == theirs.receive()
    with pytest.raises(EOFError):
        theirs.receive()
    with pytest.raises(EOFError):
        theirs.spin(10)
    with pytest.raises(BrokenPipeError):
        theirs.send(frame(b"anybody?"))


def test_a_dying_reader_ends_the_writer(ends: Ends) -> None:
    """A thread that waits for room is told when there will never be any."""
    ours, theirs = ends
    errors: list[OSError] = []
    rest = ours.send(frame(bytes(3_000_000)))
    assert rest is not None

    def write() -> None:
        try:
            ours.send_all(rest)
        except OSError as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    theirs.close()
    writer.join(20)

    assert [BrokenPipeError] == [type(error) for error in errors]


def test_close_during_a_write(ends: Ends) -> None:
    """The descriptor that somebody writes to stays theirs until they have ended, so it can't become another's."""
    ours, theirs = ends
    rest = ours.send(frame(bytes(3_000_000)))
    assert rest is not None
    begun = threading.Event()

    def write() -> None:
        begun.set()
        with contextlib.suppress(OSError):
            ours.send_all(rest)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(20)
    while not ours._senders and writer.is_alive():
        threading.Event().wait(0.001)
    written_to = ours._write
    ours.close()
    ours.close()  # twice is once

    assert is_open(written_to)
    theirs.close()
    writer.join(20)
    assert not is_open(written_to)
    with pytest.raises(BrokenPipeError):
        ours.send_all(frame(b"late"))


@pytest.mark.parametrize("way", ["send", "receive"])
def test_a_closed_channel_touches_no_descriptor(ends: Ends, way: str) -> None:
    """Its numbers may belong to somebody else by now, whose data it must neither take nor write into."""
    ours, theirs = ends
    had = {ours._read, ours._write}
    ours.close()
    theirs.close()
    strangers = [os.pipe() for _ in range(3)]  # they get the numbers that have become free
    taken = {fd for pair in strangers for fd in pair}
    try:
        assert had <= taken
        for _, write in strangers:
            os.write(write, frame(b"private"))
        if way == "send":
            with pytest.raises(OSError):
                ours.send(frame(b"stray"))
        else:
            with pytest.raises((OSError, EOFError)):
                ours.receive()
        assert [frame(b"private")] * 3 == [os.read(read, 100) for read, _ in strangers]
    finally:
        for fd in taken:
            os.close(fd)
