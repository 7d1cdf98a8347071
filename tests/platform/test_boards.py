"""Boards: a call is begun or withdrawn, never both, whatever the two sides do at the same time."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from adaptive_exec.platform.boards import SIZE, SLOTS, Board, anonymous_file


@pytest.fixture
def board() -> Board:
    """A board in this process."""
    return Board(bytearray(SIZE))


class Fence:
    """Stands between a side's two steps, and lets the other side act there."""

    def __init__(self, between: Callable[[], object]) -> None:
        self._between = between

    def __enter__(self) -> None:
        self._between()

    def __exit__(self, *exc: object) -> None:
        pass


def sides(board: Board, between: Callable[[], object]) -> Board:
    """The same board seen by another side, between whose two steps something happens."""
    other = Board(board._memory)
    other._fence = Fence(between)  # type: ignore[assignment]
    return other


def test_one_after_the_other(board: Board) -> None:
    """Whoever comes first has it; the next call is as open as ever."""
    for number in range(1, 3 * SLOTS):
        board.open(number)
        if number % 3:
            assert board.begin(number)
            assert not board.withdraw(number)
        else:
            assert board.withdraw(number)
            assert not board.begin(number)
        assert number == board.begun


def test_later_calls_can_be_withdrawn(board: Board) -> None:
    """What was begun protects itself and those before it, not those after it."""
    for number in range(1, 10):
        board.open(number)
    assert board.begin(4)

    assert [number > 4 for number in range(1, 10)] == [board.withdraw(number) for number in range(1, 10)]
    assert [False] * 5 == [board.begin(number) for number in range(5, 10)]


def test_a_slot_is_used_again(board: Board) -> None:
    """The call that was crossed out leaves no trace for the one that gets its place."""
    board.open(1)
    board.withdraw(1)
    board.begin(1)
    board.open(1 + SLOTS)

    assert board.begin(1 + SLOTS)


@pytest.mark.parametrize("first", ["withdraw", "begin"])
def test_withdrawn_or_begun(board: Board, first: str) -> None:
    """Each side caught between its two steps: the parent takes the call as begun, and the worker leaves it."""
    board.open(1)
    told: dict[str, bool] = {}
    if first == "withdraw":
        caught = sides(board, lambda: told.update(begin=board.begin(1)))
        told["withdraw"] = caught.withdraw(1)
    else:
        caught = sides(board, lambda: told.update(withdraw=board.withdraw(1)))
        told["begin"] = caught.begin(1)

    # Both have noted before either looks. That the parent hears "begun" and the worker does not run it is
    # the safe way out: the worker says so, and the parent queues the call again.
    assert {"withdraw": False, "begin": False} == told


BEGIN_ALL = """
import os, sys
from adaptive_exec.platform.boards import Board
board, calls = Board.of_file(int(sys.argv[1])), int(sys.argv[2])
told = bytearray(calls + 1)
go = sys.stdin.buffer
for first in range(1, calls + 1, 100):
    go.read(1)
    for number in range(first, first + 100):
        told[number] = board.begin(number)
    sys.stdout.buffer.write(b"r")
    sys.stdout.buffer.flush()
sys.stdout.buffer.write(told)
"""


def test_never_both_in_two_processes() -> None:
    """Ten thousand calls that a worker begins from the front while the parent withdraws from the back."""
    calls, fd = 10_000, anonymous_file(SIZE)
    board = Board.of_file(fd)
    worker = subprocess.Popen(
        [sys.executable, "-c", BEGIN_ALL, str(fd), str(calls)],
        pass_fds=[fd],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with worker:
        os.close(fd)
        assert worker.stdin is not None
        assert worker.stdout is not None
        withdrawn = bytearray(calls + 1)
        for first in range(1, calls + 1, 100):
            for number in range(first, first + 100):
                board.open(number)
            worker.stdin.write(b"g")
            worker.stdin.flush()
            back = first + 99
            while back > board.begun and back >= first:
                withdrawn[back] = board.withdraw(back)
                back -= 1
            assert b"r" == worker.stdout.read(1)
        begun = worker.stdout.read()

    assert calls + 1 == len(begun)
    assert [] == [number for number in range(calls + 1) if withdrawn[number] and begun[number]]
    neither = [number for number in range(1, calls + 1) if not withdrawn[number] and not begun[number]]
    assert len(neither) <= calls / 100  # at most where the two met
    assert calls == board.begun


def test_what_was_begun_outlives_the_worker() -> None:
    """The memory says it after a SIGKILL, too."""
    fd = anonymous_file(SIZE)
    board = Board.of_file(fd)
    kill = (
        "import os, sys; from adaptive_exec.platform.boards import Board; "
        "Board.of_file(int(sys.argv[1])).begin(7); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", kill, str(fd)], pass_fds=[fd], timeout=20)
    os.close(fd)

    assert -9 == done.returncode
    assert 7 == board.begun


@pytest.fixture
def no_memfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without files in memory."""
    monkeypatch.delattr(os, "memfd_create", raising=False)


def test_files_without_a_name(no_memfd: None) -> None:
    """Where there is no memory without a name, a file that has lost its own does as well."""
    fd = anonymous_file(SIZE)
    first, second = Board.of_file(fd), Board.of_file(fd)
    assert SIZE == os.fstat(fd).st_size
    assert 0 == os.fstat(fd).st_nlink
    os.close(fd)
    first.open(3)
    assert second.begin(3)

    assert 3 == first.begun


def test_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be made leaves no descriptor."""

    def full(fd: int, size: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "ftruncate", full)
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match="no space"):
        anonymous_file(SIZE)

    assert before == set(os.listdir("/dev/fd"))


def test_any_writable_memory() -> None:
    """What multiprocessing shares is as good as a file's memory."""
    memory = mmap.mmap(-1, SIZE)
    ours, theirs = Board(memory), Board(memory)
    ours.open(1)
    assert ours.withdraw(1)

    assert not theirs.begin(1)
