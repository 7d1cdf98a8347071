"""Segments: what one process writes another one sees, and nobody sees what the other one writes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from adaptive_exec.platform import segments
from adaptive_exec.platform.lanes import Lane, two_lanes
from adaptive_exec.platform.raw_memory import address_of
from adaptive_exec.platform.segments import COPY_BELOW, Foreign, Segment, Use, available

pytestmark = pytest.mark.skipif(not available(), reason="needs descriptor passing")

LARGE = COPY_BELOW + 12345


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"))


def content(size: int) -> bytes:
    """Bytes that differ from one place to the next."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def use_of(segment: Segment, ended: deque[int]) -> Use:
    """Look at a segment as another process would."""
    return Use(7, Foreign(os.dup(segment.fd)), ended)


@pytest.fixture
def segment() -> Iterator[Segment]:
    """A segment that can hold two large buffers."""
    gc.collect()  # what earlier tests have left closes its descriptors
    before = descriptors()
    made = Segment(2 * LARGE + 128)
    yield made
    made.close(empty=True)
    gc.collect()
    assert descriptors() == before


@pytest.mark.parametrize("size", [1, 1000, LARGE])
def test_what_is_written_is_seen(segment: Segment, size: int) -> None:
    """Written to fresh pages and again through the mapping, it is seen by views and by reads."""
    for data in (content(size), content(size)[::-1]):
        segment.write(0, memoryview(data))
        use = use_of(segment, deque())
        target = bytearray(size)
        use.read_into(0, memoryview(target))

        assert data == use.view(0, size)
        assert data == segment.read(0, size)
        assert data == target


def test_a_piece_in_the_middle(segment: Segment) -> None:
    """Pieces begin anywhere, not only where pages do."""
    segment.write(0, memoryview(content(LARGE)))
    segment.write(LARGE + 3, memoryview(content(LARGE)[::-1]))

    assert content(LARGE)[::-1] == use_of(segment, deque()).view(LARGE + 3, LARGE)


@pytest.mark.parametrize("size", [1000, LARGE, 5 << 20])
def test_who_looks_writes_for_itself(size: int) -> None:
    """What a receiver writes is seen neither by the owner nor by another receiver."""
    segment = Segment(size)
    segment.write(0, memoryview(content(size)))
    first, second = use_of(segment, deque()).view(0, size), use_of(segment, deque()).view(0, size)
    first[:] = bytes(size)

    assert content(size) == second
    assert content(size) == segment.read(0, size)
    segment.close(empty=False)
    assert bytes(size) == first
    assert content(size) == second


def test_copies_instead_of_too_many_mappings(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many mappings as it may have, a receiver copies: no descriptor more is spent."""
    segment.write(0, memoryview(content(LARGE)))
    monkeypatch.setattr(segments, "most_segments", lambda: 0)
    ended: deque[int] = deque()
    use = use_of(segment, ended)
    before = descriptors()
    view = use.view(0, LARGE)

    assert descriptors() == before
    del use
    assert [7] == list(ended)
    assert content(LARGE) == view


def test_changes_only_what_differs(segment: Segment) -> None:
    """`same_until` finds the first chunk that differs, `replace` makes all equal."""
    data = bytearray(content(LARGE))
    segment.write(0, memoryview(data))
    assert LARGE == segment.same_until(0, memoryview(data))

    data[300_000] ^= 1

    assert 0 < segment.same_until(0, memoryview(data)) <= 300_000
    segment.replace(0, memoryview(data))
    assert LARGE == segment.same_until(0, memoryview(data))
    assert data == segment.read(0, LARGE)


def test_a_use_ends_inside_a_collection(segment: Segment) -> None:
    """The last object that looks at a segment may be part of a cycle; its end is told, once, and not before."""
    segment.write(0, memoryview(content(LARGE)))
    ended: deque[int] = deque()
    cycle: list[object] = [use_of(segment, ended).view(0, LARGE)]
    part = cycle[0]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert [] == list(ended)

    cycle = [part, None]
    cycle[1] = cycle
    del part, cycle
    gc.collect()

    assert [7] == list(ended)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_use_across_a_fork_is_kept(segment: Segment) -> None:
    """A forked child may go on looking, so the end of the parent's use doesn't make the segment free."""
    segment.write(0, memoryview(content(LARGE)))
    ended: deque[int] = deque()
    view = use_of(segment, ended).view(0, LARGE)
    pid = os.fork()
    if not pid:
        os._exit(0 if view == content(LARGE) else 1)

    assert 0 == os.waitpid(pid, 0)[1]
    del view
    assert [-7] == list(ended)
    use_of(segment, ended)
    assert [-7, 7] == list(ended)


def test_want_of_room_is_an_error() -> None:
    """Neither creating nor filling a segment ends the process where files may not grow."""
    code = (
        "import resource; from adaptive_exec.platform.segments import Segment\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "try: Segment(2 << 20)\n"
        "except OSError: print('refused')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "refused\n" == run.stdout


def test_lanes_both_ways() -> None:
    """Descriptors arrive in order with their numbers, are not inherited, and nothing waits."""
    before = descriptors()
    ours, fd = two_lanes()
    theirs = Lane.of_fd(fd)
    read, write = os.pipe()
    assert theirs.receive() is None
    for number in (1, 2**40, 3):
        ours.send(number, write)
    theirs.send(9, read)

    came = [theirs.receive() for _ in range(3)]

    assert [1, 2**40, 3] == [item[0] for item in came if item is not None]
    back = ours.receive()
    assert back is not None and back[0] == 9
    for item in (*came, back):
        assert item is not None and not os.get_inheritable(item[1])
        os.close(item[1])
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive()
    with pytest.raises(OSError):
        theirs.send(1, read)
    theirs.close()
    os.close(read)
    os.close(write)
    assert descriptors() == before


def test_a_full_lane_says_so() -> None:
    """A peer that fetches nothing doesn't make the sender wait."""
    ours, fd = two_lanes()
    theirs = Lane.of_fd(fd)

    def fill() -> None:
        for number in range(100_000):
            ours.send(number, 0)

    with pytest.raises(OSError):  # whichever limit of the system is reached first
        fill()
    ours.close()
    theirs.close()


def test_outlives_its_maker() -> None:
    """What was made by a process that was killed can be read, and nothing of it is in a folder."""
    ours, fd = two_lanes()
    code = (
        "import os, signal, sys; from adaptive_exec.platform.lanes import Lane\n"
        "from adaptive_exec.platform.segments import Segment\n"
        f"segment = Segment({LARGE}); segment.write(0, memoryview(bytes({LARGE})))\n"
        "Lane.of_fd(int(sys.argv[1])).send(1, segment.fd)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(fd)], pass_fds=[fd], check=False)
    os.close(fd)
    came = ours.receive()

    assert run.returncode == -signal.SIGKILL
    assert came is not None
    assert bytes(LARGE) == Use(1, Foreign(came[1]), deque()).view(0, LARGE)
    assert [] == list(Path("/dev/shm").glob("*adaptive*"))  # other names there are other programs'
    ours.close()


def test_addresses() -> None:
    """The address of a part lies as far from the whole's as the part does, writable or not."""
    for whole in (bytes(100), bytearray(100)):
        view = memoryview(whole)
        assert address_of(view) + 30 == address_of(view[30:])


def test_few_descriptors_mean_few_segments() -> None:
    """A process may have an eighth of its descriptors' number of them."""
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    assert segments.most_segments() == 4096 or segments.most_segments() == soft // 8
