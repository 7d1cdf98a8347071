"""What `os.fork` does to primitives: nothing silently private, no connection of the parent's used."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PREAMBLE = """
import os, pickle, sys, threading
from adaptive_exec.primitives import Lock, Queue, home_address, homes

def in_child(fn):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = repr(fn())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(w, text.encode()); os._exit(0)
    os.close(w)
    with open(r) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text
"""


def run(body: str) -> str:
    """Run a program that forks, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PREAMBLE + body]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def test_child_shares_what_its_parent_serves() -> None:
    """If the parent's home listens, its primitives are shared with a forked child, exported before or not."""
    out = run("""
lock, queue = Lock(), Queue()
home_address()
def child():
    queue.put(1)
    return lock.acquire(False), lock.locked()
print(in_child(child), queue.get())
try:
    lock.acquire(timeout=5)
except Warning: pass
""")
    assert "(True, True) 1" == out


def test_child_that_dies_frees_its_lock() -> None:
    """A lock that a forked child holds when it ends comes free, with a warning."""
    out = run("""
import warnings
lock = Lock()
home_address()
in_child(lambda: lock.acquire())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(lock.acquire(timeout=10), [w.category.__name__ for w in caught])
""")
    assert "True ['OwnerDiedWarning']" == out


def test_child_of_a_parent_that_does_not_listen() -> None:
    """If the parent doesn't listen, each use in the child raises one clear sentence; the parent goes on."""
    out = run("""
lock, queue = Lock(), Queue()
for fn in (lock.acquire, lock.release, lock.locked, queue.get, lambda: queue.put(1), lambda: pickle.dumps(lock)):
    print(in_child(fn))
with lock: pass
""")
    lines = out.splitlines()
    assert 6 == len(lines)
    assert all(line.startswith("RuntimeError: this ") and "forked" in line for line in lines)


def test_child_makes_its_own() -> None:
    """What the child makes lives in the child, and can be shared from there."""
    out = run("""
outer = Lock()
home_address()
def child():
    lock = Lock()
    data = pickle.dumps(lock)
    return lock.acquire(False), pickle.loads(data) is lock, home_address().pid == os.getpid()
print(in_child(child), outer.locked())
""")
    assert "(True, True, True) False" == out


def test_mutex_held_while_forking() -> None:
    """A child that is forked while another thread is inside a primitive isn't stuck in it."""
    out = run("""
lock = Lock()
home_address()
lock._core._mutex.acquire()
threading.Timer(0.2, lock._core._mutex.release).start()
print(in_child(lambda: lock.acquire(timeout=10)))
""")
    assert "True" == out


def test_grandchild_reaches_the_first_home() -> None:
    """A child's child shares what its grandparent serves, over a connection of its own."""
    out = run("""
lock = Lock()
home_address()
def child():
    lock.locked()
    return in_child(lambda: lock.acquire(False)), lock._core.home.pid == os.getppid()
print(in_child(child))
""")
    assert "('True', True)" == out


def test_parents_death_reaches_the_child() -> None:
    """A child that uses a lock of its parent gets HomeDied when that ends, for it holds no copy of its sockets."""
    r, w = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PREAMBLE + DYING, str(w)],
            pass_fds=[w],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            timeout=50,
            check=False,
        )
    os.close(w)
    with open(r) as file:
        assert "HomeDied" == file.read()


DYING = """
lock = Lock()
lock.acquire()
home_address()
w = int(sys.argv[1])
ready, go = os.pipe()
if os.fork() == 0:
    lock.locked()
    os.write(go, b"x")
    try:
        lock.acquire()
    except BaseException as error:
        os.write(w, type(error).__name__.encode())
    os._exit(0)
os.read(ready, 1)
os.kill(os.getpid(), 9)
"""
