"""What a worker may say: whatever arrives instead is refused, costs that worker, and never another's answer."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.base import Task
from adaptive_exec.backends.processes import wire
from adaptive_exec.backends.processes.buffers import Buffers
from adaptive_exec.backends.processes.call import Call, Functions
from adaptive_exec.backends.processes.crew import Crew, hand_back
from adaptive_exec.backends.processes.remote_worker import RemoteWorker
from adaptive_exec.backends.processes.shelf import Shelf
from adaptive_exec.backends.processes.wire import Kind
from adaptive_exec.errors import WorkerDied
from adaptive_exec.platform.boards import SIZE, Board
from adaptive_exec.platform.channels import Channel, frame, two_channels
from tests import work
from tests.backends.support import Handed, Nobody

KINDS = [value for name, value in vars(Kind).items() if name.isupper()]
plain = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(), st.binary(max_size=9), st.text(max_size=9)
)
fields = st.recursive(plain, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=6)
messages = st.builds(
    lambda kind, rest: pickle.dumps((kind, *rest)), st.sampled_from(KINDS), st.lists(fields, max_size=6)
)


@given(body=st.binary(max_size=60))
@example(body=b"")
@example(body=pickle.dumps(()))
@example(body=pickle.dumps([Kind.READY]))
@example(body=pickle.dumps((True,)))
def test_bytes_that_are_no_message(body: bytes) -> None:
    """They are refused in one way."""
    try:
        message = wire.decode_from_worker(body)
    except ValueError:
        return
    assert message[0] in KINDS


@pytest.mark.parametrize("wall", [-1, 1 << 63, 10**400])
def test_a_call_cannot_have_taken_so_long(wall: int) -> None:
    """Such a number would be no fraction of a second, and is worth nothing anyway."""
    for message in ((Kind.PLAIN, 1, None, wall, None), (Kind.ERROR, 1, b"", wall, None)):
        with pytest.raises(ValueError, match="not a message"):
            wire.decode_from_worker(pickle.dumps(message))


@pytest.mark.full
@given(body=messages, places=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3))
def test_messages_with_other_bytes_in_them(body: bytes, places: list[tuple[int, int]]) -> None:
    """They are refused, or are messages with all that belongs to one."""
    damaged = bytearray(body)
    for place, byte in places:
        damaged[place % len(damaged)] = byte
    try:
        message = wire.decode_from_worker(bytes(damaged))
    except ValueError:
        return
    if Kind.PLAIN <= message[0] <= Kind.ERROR:
        assert (int, int) == (type(message[1]), type(message[3]))


@contextmanager
def asked() -> Iterator[tuple[Crew, RemoteWorker, Handed, Task, Channel]]:
    """A worker that isn't there and has been given a call; the last is its end of the channel."""
    handed, shelf = Handed(), Shelf(enabled=False)
    crew = Crew(1, lambda: None, shelf)
    ours, (read, write) = two_channels()
    there = Channel(read, write)
    worker = RemoteWorker(Nobody(), ours, Board(bytearray(SIZE)), Buffers(None, shelf))
    try:
        crew.workers.add(worker)
        task = handed.task(work.double, 1)
        task.wire = Call(task, Functions(), shelf)
        with crew.lock:
            worker.assign(task)
        with patch.object(
            crew.relay, "tell"
        ):  # what handlers make of nonsense is seen by the user, as any error there
            yield crew, worker, handed, task, there
    finally:
        there.close()
        worker.close()
        shelf.slots.close()


@pytest.mark.full
@given(said=st.lists(messages, max_size=5))
@example(said=[pickle.dumps((Kind.PLAIN, 1, 5, 7, (0,) * 40))])
@example(said=[pickle.dumps((Kind.VALUE, 1, b"", 7, None, ((), ())))])
@example(said=[pickle.dumps((Kind.ERROR, 1, b"rubbish", 7, None))])
@example(said=[pickle.dumps((Kind.FREE, "all"))])
@example(said=[pickle.dumps((Kind.PLAIN, 1, 5, 7, None)), b"rubbish"])
def test_whatever_a_worker_says(said: list[bytes]) -> None:
    """Whoever reads it goes on; a call that it answers has ended, and is not there any more."""
    with asked() as (crew, worker, handed, task, there):
        there.send(b"".join(map(frame, said)))
        crew.read(worker, by_manager=True)
        while crew.deliveries:
            act: Any = crew.deliveries.popleft()
            act()
        in_one_place = (task in worker.assigned.values()) + (task in crew.queue) + len(handed.outcomes)
        assert 1 == in_one_place


def test_an_answer_before_rubbish() -> None:
    """It counts, and its worker is broken."""
    with asked() as (crew, worker, _, task, there):
        there.send(frame(wire_answer(1, 2)) + b"\xff" * 4 + bytes(20))
        crew.read(worker, by_manager=True)

        assert 2 == task.future.result(5)
        assert worker.broken


def wire_answer(number: int, value: object) -> bytes:
    """What a worker says of a call that has returned."""
    return pickle.dumps((Kind.PLAIN, number, value, 7, None))


def test_an_answer_that_cannot_be_read() -> None:
    """It ends the call, with the reason."""
    handed = Handed()
    task = handed.task(work.double, 1)
    hand_back(task, (Kind.PLAIN, 1, 5, 7, (0,) * 40))

    assert "can't be read" in str(task.future.exception(5))


def scribble() -> str:
    """Write rubbish to whatever this process has open for writing."""
    for fd in range(3, 64):
        try:
            os.write(fd, b"\x05\x00\x00\x00rubbish, and more of it" * 3)
        except OSError:
            continue
    return "done"


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not what workers have there")
def test_a_call_that_scribbles_over_its_worker() -> None:
    """It costs itself, at most."""
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(backend="process")
        scribbled, after = view.submit(scribble), view.submit(work.double, 4)

        assert 8 == after.result(30)
        assert isinstance(scribbled.exception(30), (WorkerDied, type(None)))
        assert 10 == view.submit(work.double, 5).result(30)


class Changing:
    """The environment, one variable of which another thread changes just after it was read."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._data = real._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def get(self, name: str) -> Any:
        value = self._real.get(name)
        if name == "AE_TEST_VALUE":
            self._real[name] = "two"
        return value


def test_an_environment_that_changes_while_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call is told what had been read by then, and the next one sees the change."""
    monkeypatch.setenv("AE_TEST_VALUE", "one")
    with monkeypatch.context() as changed:
        changed.setattr(wire, "_environ", (None, {}))
        changed.setattr(os, "environ", Changing(os.environ))
        told = [wire.surroundings()[3]["AE_TEST_VALUE"] for _ in range(2)]

    assert ["one", "two"] == told


def test_a_new_worker_gets_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs is made the same, what is so already is not touched, and later changes are the parent's only."""
    touched: list[str] = []
    real = type(os.environ).__setitem__

    def note(self: Any, name: str, value: str) -> None:
        touched.append(name)
        real(self, name, value)

    monkeypatch.setenv("AE_SAME", "1")
    monkeypatch.setenv("AE_OTHER", "1")
    monkeypatch.setenv("AE_GONE", "1")
    monkeypatch.delenv("AE_NEW", raising=False)
    monkeypatch.setattr(wire, "_adopted", {})
    told = {name: value for name, value in os.environ.items() if name != "AE_GONE"} | {"AE_OTHER": "2"}
    around = (*wire.surroundings()[:3], told, wire.surroundings()[4])
    monkeypatch.setattr(type(os.environ), "__setitem__", note)
    wire.begin_with(around, told | {"AE_NEW": "cap"})

    assert {"AE_OTHER", "AE_NEW"} == set(touched)
    assert ("1", "2", None, "cap") == tuple(map(os.environ.get, ("AE_SAME", "AE_OTHER", "AE_GONE", "AE_NEW")))
    os.environ["AE_SAME"] = "mine"
    wire.adopt((*around[:3], told | {"AE_OTHER": "3"}, around[4]))
    assert ("mine", "3", "cap") == tuple(map(os.environ.get, ("AE_SAME", "AE_OTHER", "AE_NEW")))
    os.environ.pop("AE_NEW")
