"""Elbow room: who polls beside what it waits for moves away; nobody else does, and not often in vain."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.platform import elbow_room
from adaptive_exec.platform.elbow_room import CROWDED_SECONDS, TURNS, ElbowRoom, can_move, move_away

CROWDED = 4 * CROWDED_SECONDS
FREE = CROWDED_SECONDS / 4
moving = pytest.mark.skipif(
    not can_move or len(os.sched_getaffinity(0)) < 2, reason="there is one core, or nobody can say which"
)


class Clock:
    """A clock that stands still, and counts moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.moves = 0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(elbow_room, "move_away", self._move)

    def _move(self) -> bool:
        self.moves += 1
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the real one."""
    return Clock(monkeypatch)


def test_a_few_long_turns_in_a_row(clock: Clock) -> None:
    """One may be anything; a turn that is short and finds something says that there is room."""
    room = ElbowRoom()
    for _ in range(20):
        for _ in range(TURNS - 1):
            room.took(CROWDED, found=True)
        room.took(FREE, found=True)
    assert 0 == clock.moves
    for _ in range(TURNS):
        room.took(CROWDED, found=True)

    assert 1 == clock.moves


def test_short_turns_that_find_nothing_say_nothing(clock: Clock) -> None:
    """Between two messages there may be many, while the other end has the core's neighbour, or is elsewhere."""
    room = ElbowRoom()
    for _ in range(TURNS):
        room.took(CROWDED, found=True)
        for _ in range(10):
            room.took(FREE, found=False)

    assert 1 == clock.moves


def test_moving_in_vain_becomes_rare(clock: Clock) -> None:
    """All cores may be busy: the pauses double, up to a second; once there is room, they begin anew."""
    room = ElbowRoom()
    seconds = 20
    steps = int(seconds / 1e-4)
    for _ in range(steps):
        clock.now += 1e-4
        room.took(CROWDED, found=True)
    assert 20 <= clock.moves <= 40
    room.took(FREE, found=True)
    before = clock.moves
    clock.now += 2.0
    for _ in range(100):
        clock.now += 1e-4
        room.took(CROWDED, found=True)

    assert clock.moves - before >= 3


def in_a_thread(act: Callable[[], Any]) -> Any:
    """What it returns on a thread of its own, whose cores are its own affair."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(act()), daemon=True)
    thread.start()
    thread.join(20)
    return results[0]


def core() -> int:
    """The one that the calling thread is on."""
    fields = Path("/proc/thread-self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[36])


@moving
def test_it_moves_and_may_run_where_it_might(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core that it was on is shut out, and let in again."""
    asked: list[set[int]] = []
    cores: list[int] = []
    real = os.sched_setaffinity

    def note(pid: int, allowed: Any) -> None:
        asked.append(set(allowed))
        real(pid, allowed)
        cores.append(core())

    monkeypatch.setattr(os, "sched_setaffinity", note)
    before = os.sched_getaffinity(0)
    moved, after = in_a_thread(lambda: (move_away(), os.sched_getaffinity(0)))

    assert moved
    assert before == after == asked[1]
    assert 1 == len(before - asked[0])
    assert cores[0] in asked[0]


@moving
def test_who_may_run_on_one_core_stays() -> None:
    """There is nowhere to go."""

    def act() -> tuple[bool, set[int], set[int]]:
        only = {min(os.sched_getaffinity(0))}
        os.sched_setaffinity(0, only)
        return move_away(), only, os.sched_getaffinity(0)

    moved, only, after = in_a_thread(act)

    assert not moved
    assert only == after


@moving
def test_the_cores_are_taken_away_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left on the few that were meant for a moment."""
    asked: list[set[int]] = []

    def refuse_second(pid: int, cores: Any) -> None:
        asked.append(set(cores))
        if len(asked) == 2:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sched_setaffinity", refuse_second)
    assert move_away()

    assert set(range(os.cpu_count() or 1)) == asked[2]


def test_where_nobody_can_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems have no such calls, and a container may refuse them."""
    monkeypatch.setattr(elbow_room, "can_move", False)
    assert not move_away()


@moving
def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where it is."""

    def refuse(pid: int, cores: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert not move_away()
