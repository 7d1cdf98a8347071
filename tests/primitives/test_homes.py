"""Where primitives live, how long they are kept, and what is left when nobody needs them."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.platform import endpoints
from adaptive_exec.primitives import Lock, Queue, here, home_address, server
from tests.primitives.helpers import Background, Peer, own_server, peers, until
from tests.primitives.test_lock_processes import KEPT, acquire, drop, keep, make_lock, release, try_lock
from tests.primitives.test_queue_processes import get, put

COUNT = """
import threading, sys
from adaptive_exec.primitives import Lock, Queue
before = threading.active_count()
lock, queue = Lock(), Queue()
queue.put(1), queue.get()
with lock: pass
loaded = {"multiprocessing", "socket", "asyncio", "cloudpickle"} & set(sys.modules)
print(threading.active_count() - before, sorted(loaded))
"""


@pytest.fixture
def one() -> Iterator[Peer]:
    """A process that runs already."""
    with peers(1) as (started,):
        yield started


def core_of(primitive: Any) -> weakref.ref[Any]:
    """Watch the state of a primitive."""
    return weakref.ref(primitive._core)


def test_local_use_costs_nothing() -> None:
    """A lock and a queue that stay at home start no thread and load no sockets."""
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)

    assert "0 []" == done.stdout.strip()


def test_address_keeps_its_secret() -> None:
    """The address of the home does not show the key, and equals itself after a trip."""
    address = home_address()

    assert repr(address.key) not in repr(address)
    assert address == pickle.loads(pickle.dumps(address)) == home_address()
    assert os.getpid() == address.pid


def test_dropped_primitive_goes_at_once() -> None:
    """A primitive that nobody shared goes with its last reference."""
    lock = Lock()
    core = core_of(lock)

    del lock
    gc.collect()

    assert core() is None


def test_pickle_keeps_the_primitive(one: Peer) -> None:
    """A pickle on its way keeps a lock that its home has dropped, until somebody has loaded it."""
    lock = Lock()
    core = core_of(lock)
    data = pickle.dumps(lock)
    del lock
    gc.collect()
    assert core() is not None

    one.call(load_and_keep, data)

    assert one.call(try_kept)


def load_and_keep(data: bytes) -> None:
    """Load a pickle and keep it."""
    keep(pickle.loads(data))


def load_and_drop(data: bytes) -> None:
    """Load a pickle and drop it again."""
    pickle.loads(data)
    gc.collect()


def try_kept() -> bool:
    """Try to acquire what is kept."""
    return try_lock(KEPT[0])


def test_remote_user_keeps_the_primitive(one: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that uses a queue keeps it, with its items, until it drops it; then it is gone."""
    forget_lately(monkeypatch)
    q: Queue[Any] = Queue()
    core = core_of(q)
    one.call(keep, q)
    q.put(1)
    del q
    gc.collect()
    assert core() is not None
    assert [1] == one.call(get_kept)

    one.call(drop)

    until(lambda: (gc.collect(), core() is None)[1])


def get_kept() -> Any:
    """Get an item from the queue that is kept."""
    return get(KEPT[0])


def forget_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep nothing for pickles that are loaded twice."""
    monkeypatch.setattr(own_server(), "_lately", type(own_server()._lately)(maxlen=0))


def test_death_of_the_user_lets_the_primitive_go(one: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a process kept that is killed goes with it."""
    forget_lately(monkeypatch)
    lock = Lock()
    core = core_of(lock)
    one.call(keep, lock)
    del lock

    one.kill()

    until(lambda: (gc.collect(), core() is None)[1])


@pytest.mark.full
def test_second_load_of_the_same_bytes(one: Peer) -> None:
    """Bytes that were loaded and dropped load again, as for a task that is tried again."""
    data = pickle.dumps(Lock())
    one.call(load_and_drop, data)
    gc.collect()

    one.call(load_and_keep, data)

    assert one.call(try_kept)


@pytest.mark.full
def test_pickle_of_something_gone(one: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a pickle whose object is no more raises one clear error, here and there."""
    forget_lately(monkeypatch)
    lock = Lock()
    core = core_of(lock)
    data = pickle.dumps(lock)
    del lock
    one.call(load_and_drop, data)
    until(lambda: (gc.collect(), core() is None)[1])

    with pytest.raises(RuntimeError, match="no longer exists"):
        one.call(load_and_keep, data)
    with pytest.raises(RuntimeError, match="no longer exists"):
        pickle.loads(data)


def test_pickles_nobody_loads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickles that are thrown away keep their objects only up to a limit; the latest are kept."""
    monkeypatch.setattr(server, "IN_FLIGHT", len(own_server()._in_flight) + 5)
    locks = [Lock() for _ in range(200)]
    cores = [core_of(lock) for lock in locks]
    for lock in locks:
        pickle.dumps(lock)
    del lock, locks
    gc.collect()

    kept = [core() is not None for core in cores]
    assert all(kept[-5:])
    assert not any(kept[:100])


def test_registration_is_counted(one: Peer) -> None:
    """A proxy is dropped and made again, over and over: the object at home stays reachable."""
    lock = one.call(make_lock)
    data = [pickle.dumps(lock) for _ in range(30)]
    for each in data:
        del lock
        lock = pickle.loads(each)
        assert not lock.locked()


def test_unpickled_by_two_threads(one: Peer) -> None:
    """Threads that load pickles of one object at the same time get the same proxy."""
    data = [one.call(pickle_kept_lock) for _ in range(4)]
    barrier = threading.Barrier(4)

    def load(number: int) -> Any:
        barrier.wait()
        return pickle.loads(data[number])

    found = [thread.result() for thread in [Background(load, number) for number in range(4)]]

    assert 1 == len({id(lock) for lock in found})


def pickle_kept_lock() -> bytes:
    """Pickle the one lock that is kept here."""
    if not KEPT:
        make_lock()
    return pickle.dumps(KEPT[0])


@pytest.mark.full
def test_connections_end_with_their_homes() -> None:
    """Connections to homes that have ended are forgotten when the next is made, and their threads end."""
    before = {thread.ident for thread in threading.enumerate()}
    for _ in range(3):
        with peers(1) as (home,):
            lock = home.call(make_lock)
            link = lock._core.link()
        until(lambda link=link: link.dead)  # type: ignore[misc]
    with peers(1) as (home,):
        lock = home.call(make_lock)
        assert 1 == len(here.here().links)
        link = lock._core.link()
    until(lambda: link.dead)
    until(lambda: len({thread.ident for thread in threading.enumerate()} - before) <= 1)


def test_sessions_end_with_their_processes() -> None:
    """A home keeps nothing of processes that have ended."""
    lock = Lock()
    sessions = own_server()._sessions
    with peers(2) as started:
        for each in started:
            each.call(keep, lock)
        assert len(sessions) >= 2
    until(lambda: (gc.collect(), not any(session._registered for session in sessions))[1])


def test_stranger_is_not_let_in() -> None:
    """Who doesn't know the key gets no session, and the home serves on."""
    address = home_address()
    with endpoints.connect(address.address) as stranger:
        with pytest.raises(Exception, match=r".*"):
            endpoints.prove(stranger, b"wrong", first=False)
        with suppress(OSError):
            stranger.send_bytes(pickle.dumps((1, "made", 0, None)))
        with pytest.raises((EOFError, OSError)):
            stranger.recv_bytes()
    with peers(1) as (one,):
        assert one.call(try_lock, Lock())


def test_silent_stranger_stalls_nobody(one: Peer) -> None:
    """Somebody who connects and says nothing holds up nobody else."""
    with endpoints.connect(home_address().address):
        assert one.call(try_lock, Lock())


SCRIPT = """
import os, sys, tempfile
from adaptive_exec.primitives import Lock, Queue, homes
homes._portable = True
if __name__ == "__main__":
    import multiprocessing
    from tests.primitives.helpers import peers
    from tests.primitives.test_lock_processes import acquire, try_lock
    from tests.primitives.test_queue_processes import put
    lock, queue = Lock(), Queue()
    folder = homes.home_address().address
    assert os.stat(os.path.dirname(folder)).st_mode & 0o777 == 0o700
    with peers(1) as (one,):
        assert one.call(try_lock, lock) and lock.locked()
        one.call(put, queue, 1)
        assert queue.get() == 1
        one.kill()
    try:
        lock.acquire()
    except Warning as warning:
        print(type(warning).__name__)
    if sys.argv[1:] == ["die"]:
        os.kill(os.getpid(), 9)
"""


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is the only way")
def test_portable_endpoint(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The way of other systems works here too; its folder goes at exit, or with the next after a SIGKILL."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    folder = tempfile.mkdtemp()  # a short path, as sockets need
    request.addfinalizer(lambda: shutil.rmtree(folder))
    environment = {
        **os.environ,
        "TMPDIR": folder,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }

    def run(*arguments: str) -> tuple[int, set[str]]:
        command = [sys.executable, "-W", "error::RuntimeWarning", str(script), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "OwnerDiedWarning" in done.stdout or done.returncode < 0, done.stderr
        return done.returncode, {name for name in os.listdir(folder) if name.startswith("adaptive-exec-")}

    assert (0, set()) == run()
    code, left = run("die")
    assert (-9, 1) == (code, len(left))
    assert (0, set()) == run()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
def test_nothing_in_the_file_system() -> None:
    """On Linux the home has no file, so a SIGKILL can't leave one."""
    assert home_address().address.startswith("\0adaptive-exec-")
    assert not [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("adaptive-exec-")]


EXIT = """
import pickle
from adaptive_exec.primitives import Lock
lock = Lock()
data = pickle.dumps(lock)
lock.acquire()
"""


def test_exit_does_not_hang() -> None:
    """A process whose home listens ends by itself, without a word."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXIT], capture_output=True, text=True, timeout=30
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_exit_of_a_user_does_not_hang() -> None:
    """A process that uses primitives of another ends by itself."""
    lock = Lock()
    with peers(1) as (one,):
        one.call(acquire, lock)
        one.call(release, lock)
        one.call(put, Queue(), 1)
    assert not lock.locked()
