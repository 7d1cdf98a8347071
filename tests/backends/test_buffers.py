"""Large buffers beside the messages: what arrives equals what was sent, and segments are used again."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptive_exec import pickling
from adaptive_exec.backends.processes import shelf as shelf_module
from adaptive_exec.backends.processes import slots as slots_module
from adaptive_exec.backends.processes.buffers import Buffers, load
from adaptive_exec.backends.processes.shelf import THRESHOLD, Parcel, Shelf
from adaptive_exec.errors import NotPicklable
from adaptive_exec.platform import segments
from adaptive_exec.platform.lanes import Lane, two_lanes
from adaptive_exec.platform.segments import Segment, available

pytestmark = pytest.mark.skipif(not available(), reason="needs descriptor passing")

ROOT = Path(__file__).parents[2]
LARGE = 1 << 20
BYTES = bytes(range(256)) * (LARGE // 256)


@dataclass
class Pair:
    """Two ends in one process."""

    here: Buffers
    there: Buffers

    def send(self, obj: object) -> Any:
        """What arrives there of an object that is sent from here."""
        data, sent = self.here.dumps(obj)
        return self.there.loads(data, pickle.loads(pickle.dumps(sent)))

    def talk(self) -> None:
        """Each end tells the other one its news."""
        for one, other in ((self.here, self.there), (self.there, self.here)):
            news = one.news()
            if news is not None:
                other.heed(news)


def make_pair() -> Pair:
    """Two ends."""
    lane, fd = two_lanes()
    return Pair(Buffers(lane, Shelf()), Buffers(Lane.of_fd(fd), Shelf()))


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends, which leave no descriptor behind."""
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    made = make_pair()
    yield made
    for end in (made.here, made.there):
        end.close()
        end.shelf.slots.close()
    del made, end
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before


def numbers(sent: Any) -> list[int]:
    """The segments that a message refers to."""
    return [piece[0] for piece in sent[1]]


def free(buffers: Buffers) -> int:
    """How many segments are free."""
    buffers.shelf.slots.tidy()
    return len(buffers.shelf.slots._free)


# --- what arrives -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "obj",
    [
        None,
        b"",
        b"x" * 100,
        BYTES,
        bytearray(BYTES),
        "é" * LARGE,
        [BYTES, {"key": bytearray(BYTES)}, (BYTES,)],
        {"deep": [[[[[[BYTES]]]]]]},
        list(range(100_000)),
        ((BYTES, 1), {"key": BYTES[:-1]}),
    ],
    ids=lambda obj: type(obj).__name__,
)
def test_equal_and_of_the_same_type(pair: Pair, obj: Any) -> None:
    """Whatever way it goes, and also when it goes again."""
    for _ in range(4):
        came = pair.send(obj)

        assert came == obj
        assert type(came) is type(obj)
        del came
        pair.talk()


@pytest.mark.parametrize("size", [10, THRESHOLD, LARGE])
def test_memoryviews_of_all_sizes(pair: Pair, size: int) -> None:
    """They arrive as what they are, writable or not, with format and shape, also deep inside."""
    writable = memoryview(bytearray(BYTES[:size]))
    shaped = memoryview(BYTES[: size // 8 * 8]).cast("I", (2, size // 8))
    [[came]], second, gaps = pair.send(([[writable]], shaped, writable[::2]))

    assert came == writable and not came.readonly
    assert second == shaped and second.readonly
    assert (second.format, second.shape) == (shaped.format, shaped.shape)
    assert gaps == writable[::2] and not gaps.readonly
    came[0] = 99
    assert writable[0] == 0


def test_what_arrives_is_the_state_at_the_time(pair: Pair) -> None:
    """The sender may change its object, and free it, as soon as `dumps` has returned, each time."""
    mutable: list[Any] = [bytearray(BYTES), pickle.PickleBuffer(bytearray(BYTES))]
    messages, expected = [], []
    for round_ in range(6):
        expected.append([bytes(part) for part in mutable])
        messages.append(pair.here.dumps(mutable) if round_ % 2 else pair.here.shelf.dumps(mutable))
        for part in mutable:
            memoryview(part)[round_ * LARGE // 6] = 77
    came = [
        pair.there.loads(data, pair.here.send(sent) if isinstance(sent, Parcel) else sent)
        for data, sent in messages
    ]
    pair.send(mutable)  # nor does what arrived change afterwards

    assert expected == [[bytes(part) for part in parts] for parts in came]


def test_a_receiver_writes_for_itself(pair: Pair) -> None:
    """Neither the sender nor another receiver of the same segment sees it, and the content is found again."""
    source = pickle.PickleBuffer(bytearray(BYTES))
    data, sent = pair.here.dumps(source)
    again, resent = pair.here.dumps(source)
    assert numbers(sent) == numbers(resent)
    first, second = pair.there.loads(data, sent), pair.there.loads(again, resent)
    first[:] = bytes(LARGE)

    assert BYTES == second == memoryview(source)
    assert BYTES == pair.send(source)


def test_the_same_memory_twice_in_one_message(pair: Pair) -> None:
    """Two views of one object are two objects where they arrive, as with plain pickling."""
    source = bytearray(BYTES)
    for _ in range(3):
        one, two = pair.send([pickle.PickleBuffer(source), pickle.PickleBuffer(source)])
        one[0] = 5

        assert BYTES == two
        del one, two
        pair.talk()


def test_identity_within_a_message(pair: Pair) -> None:
    """What was one object in the message is one object where it arrives."""
    shared = bytearray(BYTES)
    for _ in range(3):
        came = pair.send([shared, {"key": shared}, [[[shared]]]])

        assert came[0] is came[1]["key"] is came[2][0][0][0]


def test_what_pickle_cannot(pair: Pair) -> None:
    """Lambdas go by value together with large buffers; what nobody can pickle is named."""
    function, came = pair.send((lambda: 42, BYTES))
    assert 42 == function()
    assert BYTES == came

    with pytest.raises(NotPicklable, match="lock"):
        pair.send((BYTES, threading.Lock()))
    pair.talk()
    assert BYTES == pair.send(BYTES)


def test_small_thresholds_are_harmless(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also pickle's own output may be cut out."""
    monkeypatch.setattr(shelf_module, "THRESHOLD", 1)
    monkeypatch.setattr(pickling, "_LARGEST_FRAME", 1)
    obj = [bytearray(b"abc"), "d" * 70_000, b"e", list(range(30_000))]
    for _ in range(3):
        assert obj == pair.send(obj)


LEAVES = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=90),
    st.binary(max_size=90),
    st.binary(max_size=90).map(bytearray),
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(st.integers(), inner, max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.full
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=st.lists(NESTED, max_size=4), deaf=st.booleans())
def test_round_trips(objects: list[Any], deaf: bool) -> None:
    """Objects of all sorts in sequence, sent twice and changed between, arrive as they were; thresholds are tiny."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(shelf_module, "THRESHOLD", 24)
        patch.setattr(pickling, "_LARGEST_FRAME", 40)
        patch.setattr(segments, "COPY_BELOW", 48)
        pair = make_pair()
        for end in (pair.here, pair.there):
            stack.callback(end.close)
        kept = []
        for obj in [*objects, *objects]:
            expected = pickle.loads(pickle.dumps(obj, protocol=5))
            came = pair.send(obj)
            assert repr(expected) == repr(came)
            kept.append((expected, came))
            if isinstance(obj, bytearray) and obj:
                obj[0] ^= 255
            if not deaf:
                pair.talk()
        for expected, came in kept:
            assert repr(expected) == repr(came)


# --- arrays -------------------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("size", [0, 5, 20_000, 300_000])
def test_arrays_of_all_sorts(pair: Pair, size: int) -> None:
    """They arrive equal, writable as they were, in their order; what can't go apart goes inside."""
    np = pytest.importorskip("numpy")
    base = np.arange(size * 2, dtype=np.float64).reshape(2, size)
    frozen = base.copy()
    frozen.flags.writeable = False
    sorts = [
        base,
        np.asfortranarray(base),
        base[:, ::2],
        base[::-1],
        frozen,
        base.view([("a", "i4"), ("b", "f4")]),
        base.astype(str) if size < 10 else base.astype(bool),
        np.array([1, "a", None], dtype=object),
        np.datetime64("2020-01-01") + np.arange(size),
        np.ma.masked_array(base, base > 3),
    ]
    for array in sorts:
        for _ in range(3):
            came = pair.send((array, {"key": [array[:1]]}))

            assert type(came[0]) is type(array)
            np.testing.assert_array_equal(came[0], array)
            np.testing.assert_array_equal(came[1]["key"][0], array[:1])
            local = pickle.loads(pickle.dumps(array, protocol=5))
            assert (came[0].dtype, came[0].flags.f_contiguous) == (local.dtype, local.flags.f_contiguous)
            assert came[0].flags.writeable is local.flags.writeable
            del came, local
            pair.talk()


@pytest.mark.full
def test_a_frozen_array_that_was_changed(pair: Pair) -> None:
    """Made writable, changed and frozen again, a read-only array is not taken for what it was."""
    np = pytest.importorskip("numpy")
    array = np.zeros(LARGE, np.uint8)
    array.flags.writeable = False
    for value in range(4):
        assert np.all(pair.send(array) == value)
        pair.talk()
        array.flags.writeable = True
        array[:] = value + 1
        array.flags.writeable = False


@pytest.mark.full
def test_arrays_over_bytes_are_known_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third time nothing is compared any more; over a bytearray it is, every time."""
    np = pytest.importorskip("numpy")
    compared: list[int] = []
    same_until = Segment.same_until
    monkeypatch.setattr(
        Segment,
        "same_until",
        lambda *args: compared.append(args[1]) or same_until(*args),  # type: ignore[func-returns-value]
    )
    fixed, loose = np.frombuffer(BYTES[1:], np.uint8), np.frombuffer(bytearray(BYTES), np.uint8)
    loose.flags.writeable = False
    for array, comparisons in ((fixed, 1), (fixed, 0), (loose, 1), (loose, 1)):
        if not compared:
            pair.send(array)
        compared.clear()
        assert np.array_equal(pair.send(array), array)
        assert comparisons == len(compared)


# --- segments are used again --------------------------------------------------------------------


def test_one_copy_for_two_receivers() -> None:
    """A parent's workers share its segments."""
    shelf = Shelf()
    source = pickle.PickleBuffer(bytearray(BYTES))
    ends = []
    for _ in range(2):
        lane, fd = two_lanes()
        ends.append((Buffers(lane, shelf), Buffers(Lane.of_fd(fd), Shelf())))
    data, parcel = shelf.dumps(source)
    assert parcel is not None
    came = [there.loads(data, here.send(parcel)) for here, there in ends]

    came[0][0] = 9
    assert BYTES == came[1]
    assert 1 == len(shelf.slots._slots)
    del came, parcel
    for here, there in ends:
        assert 0 == free(here)
        news = there.news()
        assert news is not None
        here.heed(news)
    assert 1 == free(ends[0][0])
    for end in (*ends[0], *ends[1]):
        end.close()


def test_released_when_the_last_object_dies(pair: Pair) -> None:
    """Not before; then the next buffer goes into the same segment, and its descriptor is not passed again."""
    first = pair.send([pickle.PickleBuffer(bytearray(BYTES)), pickle.PickleBuffer(bytearray(BYTES))])
    part = first[1][100:]
    del first
    assert pair.there.news() is None
    assert 0 == free(pair.here)

    del part
    pair.talk()

    assert 1 == free(pair.here)
    data, sent = pair.here.dumps(pickle.PickleBuffer(bytes(2 * LARGE)))
    assert [1] == numbers(sent)
    assert bytes(2 * LARGE) == pair.there.loads(data, sent)
    assert 1 == len(pair.there._foreign)


def test_never_overwritten_after_a_fork(pair: Pair) -> None:
    """A segment that a forked child may look at is closed in the end, not used again."""
    came = pair.send(pickle.PickleBuffer(bytearray(BYTES)))
    segments._about_to_fork()
    del came
    pair.talk()

    assert 0 == free(pair.here)
    assert {} == pair.here.shelf.slots._slots
    pair.talk()
    assert {} == pair.there._foreign


def test_what_is_free_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, and by age; the peer closes its descriptors, too."""
    came = [pair.send(pickle.PickleBuffer(BYTES[n:])) for n in range(slots_module.MOST_FREE + 5)]
    del came
    pair.talk()
    assert slots_module.MOST_FREE == free(pair.here)

    monkeypatch.setattr(slots_module, "FREE_SECONDS", 0.0)
    assert pair.here.shelf.slots.tidy() is None

    assert {} == pair.here.shelf.slots._slots
    pair.talk()
    assert {} == pair.there._foreign


def test_what_is_held_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many segments as it may have, a sender puts the bytes into the message, and nobody is warned."""
    monkeypatch.setattr(slots_module, "most_segments", lambda: 2)
    came = [pair.send(pickle.PickleBuffer(BYTES[n:])) for n in range(5)]

    assert [BYTES[n:] for n in range(5)] == came
    assert 2 == len(pair.here.shelf.slots._slots)


def test_a_full_lane(pair: Pair) -> None:
    """If a descriptor can't be passed on, the bytes go in the message."""

    class Full:
        def send(self, number: int, fd: int) -> None:
            raise BlockingIOError

        def close(self) -> None:
            pass

    lane, pair.here._lane = pair.here._lane, Full()  # type: ignore[assignment]
    source = [BYTES, pickle.PickleBuffer(bytearray(BYTES))]
    for _ in range(3):
        came = pair.send(source)
        assert BYTES == came[0] == came[1]
        assert not came[1].readonly
    pair.here._lane = lane
    assert BYTES == pair.send(source)[1]


def test_no_shared_memory_at_all() -> None:
    """A shelf that is not enabled leaves everything in the pickle."""
    data, parcel = Shelf(enabled=False).dumps(BYTES)

    assert parcel is None
    assert BYTES == pickling.loads(data)


def test_one_warning_if_there_is_no_room() -> None:
    """Where files may not grow, everything arrives all the same."""
    code = (
        "import resource, warnings; from tests.backends.test_buffers import make_pair, BYTES\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "pair = make_pair()\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    for obj in (BYTES, [BYTES], bytearray(BYTES), [BYTES]):\n"
        "        assert pair.send(obj) == obj\n"
        "assert len(caught) == 1, caught\n"
        "print(caught[0].category.__name__, caught[0].message)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert run.stdout.startswith("RuntimeWarning no shared memory for 1048"), run.stderr


# --- threads ------------------------------------------------------------------------------------


def test_a_parcel_dies_under_the_lock(pair: Pair) -> None:
    """A garbage collection may end a parcel while its own thread holds the lock."""
    _, parcel = pair.here.shelf.dumps(pickle.PickleBuffer(bytearray(BYTES)))
    with pair.here.shelf.slots._lock:
        del parcel

    assert 1 == free(pair.here)


def test_two_threads_send_the_same_array(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find the copy of what the array was; neither changes it under the other's eyes."""
    source = bytearray(BYTES)
    pair.send(pickle.PickleBuffer(source))
    pair.talk()
    source[:] = bytes(LARGE)
    both = threading.Barrier(2)
    same_until = Segment.same_until

    def meet(self: Segment, offset: int, view: memoryview) -> int:
        both.wait(10)
        return same_until(self, offset, view)

    monkeypatch.setattr(Segment, "same_until", meet)
    parcels: list[Any] = []
    threads = [
        threading.Thread(target=lambda: parcels.append(pair.here.shelf.dumps(pickle.PickleBuffer(source))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    came = [pair.there.loads(data, pair.here.send(parcel)) for data, parcel in parcels]
    assert [bytes(LARGE)] * 2 == came


def test_two_threads_claim_at_once(pair: Pair) -> None:
    """While one fetches descriptors the other one waits, and finds its own among them."""
    sent = [pair.here.dumps(pickle.PickleBuffer(bytearray(BYTES[n:]))) for n in range(2)]
    entered, go = threading.Event(), threading.Event()
    lane = pair.there._lane
    assert lane is not None
    received = lane.receive

    class Slow:
        def receive(self) -> tuple[int, int] | None:
            entered.set()
            assert go.wait(10)
            return received()

    pair.there._lane = Slow()  # type: ignore[assignment]
    came: dict[int, Any] = {}

    def claim(which: int) -> None:
        came[which] = pair.there.loads(*sent[which])

    second = threading.Thread(target=claim, args=(1,))
    first = threading.Thread(target=claim, args=(0,))
    second.start()
    assert entered.wait(10)
    first.start()
    go.set()
    second.join()
    first.join()
    pair.there._lane = lane

    assert BYTES == came[0]
    assert BYTES[1:] == came[1]


# --- another process ----------------------------------------------------------------------------


class Remote:
    """A peer in another process, which sends back what it gets and changes it then."""

    def __init__(self) -> None:
        lane, fd = two_lanes()
        ours, theirs = socket.socketpair()
        self.buffers = Buffers(lane, Shelf())
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from tests.backends.test_buffers import peer; peer()",
                str(fd),
                str(theirs.fileno()),
            ],
            pass_fds=[fd, theirs.fileno()],
            cwd=ROOT,
        )
        os.close(fd)
        theirs.close()
        self.socket = ours
        self.file = ours.makefile("rwb")

    def ask(self, obj: object) -> Any:
        """Send something there and get it back."""
        data, parcel = self.buffers.shelf.dumps(obj)
        sent = None if parcel is None else self.buffers.send(parcel)
        pickle.dump((self.buffers.news(), data, sent), self.file)
        self.file.flush()
        news, data, sent = pickle.load(self.file)
        if news is not None:
            self.buffers.heed(news)
        return self.buffers.loads(data, sent)

    def end(self, sig: int) -> None:
        """Kill it."""
        self.process.send_signal(sig)
        self.process.wait()
        self.file.close()
        self.socket.close()


def peer() -> None:
    """The other process."""
    buffers = Buffers(Lane.of_fd(int(sys.argv[1])), Shelf())
    file = socket.socket(fileno=int(sys.argv[2])).makefile("rwb")
    while True:
        news, data, sent = pickle.load(file)
        if news is not None:
            buffers.heed(news)
        obj = buffers.loads(data, sent)
        back = buffers.dumps(obj)
        for part in obj if isinstance(obj, list) else [obj]:
            if not memoryview(part).readonly:
                memoryview(part).cast("B")[0] = 250
        del obj
        pickle.dump((buffers.news(), *back), file)
        file.flush()


def test_there_and_back() -> None:
    """Arguments and results of another process; what came outlives it, and it leaves nothing behind."""
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    remote = Remote()
    source: list[Any] = [BYTES, bytearray(BYTES), pickle.PickleBuffer(bytearray(BYTES)), b"small"]
    came: list[Any] = []
    for _ in range(5):
        came = remote.ask(source)
        assert [BYTES, BYTES, BYTES, b"small"] == came
        came[2][5] = 1
        assert 5 == memoryview(source[2])[5]
    assert len(remote.buffers.shelf.slots._slots) <= 4
    claimed = remote.buffers.dumps(BYTES)
    remote.end(signal.SIGKILL)
    remote.buffers.close()

    came[2][5] = 5
    assert [BYTES, BYTES, BYTES, b"small"] == came
    assert [] == list(Path("/dev/shm").glob("*adaptive*"))  # other names there are other programs'
    assert claimed is not None
    remote.buffers.shelf.slots.close()
    del came, remote, claimed
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before


def test_claimed_before_the_peer_ended(pair: Pair) -> None:
    """What was claimed can be loaded after `close`; what was not is lost."""
    one = pair.here.dumps(pickle.PickleBuffer(bytearray(BYTES)))
    two = pair.here.dumps(pickle.PickleBuffer(bytearray(BYTES[1:])))
    assert one[1] is not None
    arrived = pair.there.claim(one[1])
    pair.there.close()

    assert BYTES == load(one[0], arrived)
    with pytest.raises(ValueError, match="never came"):
        pair.there.loads(*two)


def test_a_peer_that_has_gone() -> None:
    """Sending it something new says so."""
    pair = make_pair()
    pair.there.close()
    with pytest.raises(OSError):
        pair.here.dumps(pickle.PickleBuffer(bytearray(BYTES)))
    pair.here.close()
    assert [] == [slot for slot in pair.here.shelf.slots._slots.values() if slot.uses or slot.known]


def test_a_forked_copy_gives_up_its_own(pair: Pair) -> None:
    """It closes its descriptors, even if a thread that it has not held the locks."""
    came = pair.send(pickle.PickleBuffer(bytearray(BYTES)))
    with pair.here._lock, pair.here.shelf.slots._lock:
        pair.here.forget()
        pair.here.shelf.slots.forget()

    assert BYTES == came
