"""Primitives that a module makes are the same in every worker."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.primitives import Lock, here, home_address, set_parent_home
from adaptive_exec.primitives.address import HomeAddress
from adaptive_exec.primitives.made import import_place, numbered
from tests.primitives.helpers import Peer, peers

SOURCE = """
from adaptive_exec.primitives import Lock, Queue

def helper():
    return Lock()

lock = Lock()
if MORE:
    extra = Lock()
many = [Lock() for _ in range(3)]
made_by_helper = helper()

class Holder:
    lock = Lock()
    queue = Queue(SIZE)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that nobody has imported yet."""
    name = f"made_{uuid.uuid4().hex}"
    write(tmp_path, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)
    here.here().kept.clear()


def write(folder: Path, name: str, *, more: bool = False, size: int = 5) -> None:
    """Write the module."""
    (folder / f"{name}.py").write_text(SOURCE.replace("MORE", str(more)).replace("SIZE", str(size)))


def work_for(address: HomeAddress | None, folder: str) -> None:
    """Make this process a worker."""
    set_parent_home(address)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True


def acquire_all(name: str) -> list[bool]:
    """Import the module and acquire every lock in it."""
    module: Any = importlib.import_module(name)
    locks = [module.lock, *module.many, module.made_by_helper, module.Holder.lock]
    return [lock.acquire(False) for lock in locks]


def acquire_one(name: str, path: str) -> bool:
    """Import the module and acquire one lock."""
    return bool(eval(f"module.{path}.acquire(False)", {"module": importlib.import_module(name)}))


def put_one(name: str, item: Any) -> None:
    """Import the module and put an item into its queue."""
    importlib.import_module(name).Holder.queue.put(item)


def is_the_modules(name: str, lock: Lock) -> bool:
    """Tell whether this is the module's lock."""
    return lock is importlib.import_module(name).lock


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Peer]]:
    """Two workers of this process."""
    with peers(2) as started:
        for worker in started:
            worker.call(work_for, home_address(), str(tmp_path))
        yield started


def test_one_object_in_parent_and_workers(module: str, workers: list[Peer]) -> None:
    """Locks made by an import, in lists, classes and helpers, are one in parent and workers, each for itself."""
    mine: Any = importlib.import_module(module)
    mine.many[1].acquire()

    assert [True, True, False, True, True, True] == workers[0].call(acquire_all, module)
    assert [False] * 6 == workers[1].call(acquire_all, module)
    assert mine.lock.locked()
    assert mine.Holder.lock.locked()
    workers[0].call(put_one, module, "item")
    assert "item" == mine.Holder.queue.get()


def test_parent_imports_later(module: str, workers: list[Peer]) -> None:
    """What workers have made before the parent imports the module is what the parent then gets."""
    assert workers[0].call(acquire_one, module, "lock")
    assert not workers[1].call(acquire_one, module, "lock")

    mine: Any = importlib.import_module(module)

    assert mine.lock.locked()
    assert not mine.many[0].locked()


@pytest.mark.full
def test_what_one_process_makes_more_shifts_nothing(module: str, workers: list[Peer], tmp_path: Path) -> None:
    """An object that only one process makes does not change which objects the others are."""
    write(tmp_path, module, more=True)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        mine: Any = importlib.import_module(module)
    finally:
        sys.dont_write_bytecode = before
    write(tmp_path, module, more=False)
    mine.many[0].acquire()

    assert [True, False, True, True, True, True] == workers[0].call(acquire_all, module)


@pytest.mark.full
def test_different_arguments(module: str, workers: list[Peer], tmp_path: Path) -> None:
    """A queue made with another size in the worker raises there."""
    importlib.import_module(module)
    write(tmp_path, module, size=77)

    with pytest.raises(ValueError, match="the import of made_"):
        workers[0].call(put_one, module, 1)


def test_passed_object_is_the_modules(module: str, workers: list[Peer]) -> None:
    """A module's lock that is passed as an argument is the one the worker imports."""
    mine: Any = importlib.import_module(module)

    assert workers[0].call(is_the_modules, module, mine.lock)
    assert not workers[0].call(is_the_modules, module, mine.many[0])


def test_worker_without_its_parent(module: str, tmp_path: Path) -> None:
    """A worker that can't reach its parent raises at the import; it never makes a lock of its own."""
    with peers(2) as (parent, worker):
        address = parent.call(home_address)
        worker.call(work_for, address, str(tmp_path))
        parent.kill()

        with pytest.raises(ConnectionError):
            worker.call(acquire_one, module, "lock")


def import_first(name: str, folder: str) -> None:
    """Import the module before this process knows that it is a worker."""
    sys.path.insert(0, folder)
    importlib.import_module(name)


def use_first(name: str, folder: str) -> None:
    """Use what the module made before this process knows that it is a worker."""
    import_first(name, folder)
    importlib.import_module(name).lock.acquire()


@pytest.mark.full
def test_told_after_the_import(module: str, tmp_path: Path) -> None:
    """What was imported before the worker knew its parent becomes the parent's when it does."""
    mine: Any = importlib.import_module(module)
    mine.lock.acquire()
    with peers(1) as (worker,):
        worker.call(import_first, module, str(tmp_path))
        worker.call(work_for, home_address(), str(tmp_path))

        assert [False, *[True] * 5] == worker.call(acquire_all, module)


def test_used_before_it_was_told(module: str, tmp_path: Path) -> None:
    """A lock that was used before the worker knew its parent can't become the parent's, and that is said."""
    with peers(1) as (worker,):
        worker.call(use_first, module, str(tmp_path))

        with pytest.raises(RuntimeError, match="was used before this worker knew its parent"):
            worker.call(work_for, home_address(), str(tmp_path))


def test_workers_of_workers(module: str, tmp_path: Path) -> None:
    """A worker's worker gets the object of the first parent."""
    mine: Any = importlib.import_module(module)
    with peers(2) as (middle, last):
        middle.call(work_for, home_address(), str(tmp_path))
        last.call(work_for, middle.call(home_address), str(tmp_path))

        assert last.call(acquire_one, module, "lock")
        assert mine.lock.locked()
        assert not middle.call(acquire_one, module, "lock")


def make_in_task() -> bool:
    """Make a lock in a function of a worker."""
    lock = Lock()
    return not lock._core.elsewhere


@pytest.mark.full
def test_made_in_a_task_is_the_workers_own(workers: list[Peer]) -> None:
    """A lock that a task makes lives in the worker."""
    assert workers[0].call(make_in_task)


def test_ordinary_process_has_its_own(module: str) -> None:
    """In a process that is nobody's worker a module's lock is simply its own."""
    mine: Any = importlib.import_module(module)

    assert not mine.lock._core.elsewhere


def test_places_tell_apart_by_lines_and_order() -> None:
    """Objects made at one place are numbered; outside of an import there is no place."""
    seen: Counter[Any] = Counter()

    assert import_place(in_worker=True) is None
    assert [0, 1, 0] == [numbered(place, seen)[2] for place in (("m", (1,)), ("m", (1,)), ("m", (2,)))]


MAIN = """
import multiprocessing, sys
from adaptive_exec.primitives import Lock, home_address, set_parent_home

if __name__ == "__main__":
    before = Lock()
lock = Lock()

def work(address, answers):
    set_parent_home(address)
    answers.send((lock.acquire(False), lock.locked()))

if __name__ == "__main__":
    ctx = multiprocessing.get_context(sys.argv[1])
    ours, theirs = ctx.Pipe()
    process = ctx.Process(target=work, args=(home_address(), theirs))
    lock.acquire()
    process.start()
    print(ours.recv())
    process.join()
    assert not before.locked()
"""


@pytest.mark.full
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("how", ["path", "module"])
def test_main_module(method: str, how: str, tmp_path: Path) -> None:
    """A lock at the top of `__main__` is one in parent and worker, for each start method and way to run it."""
    (tmp_path / "app.py").write_text(MAIN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *(p for p in sys.path if p)])}
    target = ["-m", "app"] if how == "module" else [str(tmp_path / "app.py")]
    done = subprocess.run(
        [sys.executable, *target, method],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert "(False, True)" == done.stdout.strip(), done.stderr
