"""Comparing memory: where it first differs, whoever looks, and nobody looks on when it has returned."""

from __future__ import annotations

import ctypes
import signal
import threading

import pytest

from adaptive_exec.platform.comparing import CHUNK, SHARED_FROM, same_until

SIZE = SHARED_FROM + 3 * CHUNK + 17


class Pieces:
    """Two equal pieces of memory, and who has compared what."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.ours, self.theirs = bytearray(size), bytearray(size)
        self.by: dict[int, int] = {}  # bytes by thread
        self.at_work = 0
        self._counting = threading.Lock()
        self.gate: threading.Event | None = None
        self.inside = threading.Event()
        self._bases = [self._address(piece) for piece in (self.ours, self.theirs)]

    @staticmethod
    def _address(piece: bytearray) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(piece))

    def compare(self, ours: int, theirs: int, size: int) -> int:
        """As `memcmp`, noting who asks."""
        assert ours - self._bases[0] == theirs - self._bases[1]
        me = threading.get_ident()
        with self._counting:
            self.at_work += 1
        if self.gate is not None and me != threading.main_thread().ident:
            self.inside.set()
            assert self.gate.wait(20)
        at = ours - self._bases[0]
        differs = self.ours[at : at + size] != self.theirs[at : at + size]
        with self._counting:
            self.by[me] = self.by.get(me, 0) + size
            self.at_work -= 1
        return int(differs)

    def same_until(self) -> int:
        return same_until(self.compare, self._bases[0], self._bases[1], self.size)


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, SHARED_FROM - 1, SHARED_FROM, SIZE])
def test_all_of_it_is_compared_once(size: int) -> None:
    """Whatever the size, and whether one thread does it or two."""
    pieces = Pieces(max(size, 1))
    pieces.size = size

    assert size == pieces.same_until()
    assert size == sum(pieces.by.values())


def test_much_is_compared_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes about a half."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    pieces = Pieces()
    pieces.same_until()

    assert 2 == len(pieces.by)
    assert min(pieces.by.values()) > 0.4 * SIZE


def test_one_core_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one would only take turns with it."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    pieces = Pieces()
    pieces.same_until()

    assert [threading.get_ident()] == list(pieces.by)


@pytest.mark.parametrize(
    "differing", [[0], [SIZE - 1], [SIZE // 2], [5, SIZE - 5], [SIZE // 2 - CHUNK, SIZE - 1]]
)
def test_the_first_difference(differing: list[int]) -> None:
    """In whichever half it is, and in both."""
    pieces = Pieces()
    for at in differing:
        pieces.ours[at] = 1

    assert pieces.same_until() == differing[0] // CHUNK * CHUNK


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then one does it all."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    pieces = Pieces()

    assert SIZE == pieces.same_until()
    assert [threading.get_ident()] == list(pieces.by)


def test_signals_that_cannot_be_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no other thread that somebody would have to wait for."""
    monkeypatch.setattr("adaptive_exec.platform.interrupts.hold", lambda: None)
    pieces = Pieces()

    assert SIZE == pieces.same_until()
    assert [threading.get_ident()] == list(pieces.by)


def test_an_interrupt_waits_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised once the other thread has read its last byte."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    pieces = Pieces()
    gate = pieces.gate = threading.Event()

    def interrupt() -> None:
        assert pieces.inside.wait(20)
        signal.raise_signal(signal.SIGINT)
        gate.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        pieces.same_until()
    thread.join(20)

    assert 0 == pieces.at_work
    assert SIZE == sum(pieces.by.values())
