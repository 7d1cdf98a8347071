"""Polling before sleeping: bounded, and given up where it is in vain."""

from __future__ import annotations

import time
from collections import deque

import pytest

from adaptive_exec.backends import patience
from adaptive_exec.backends.patience import Patience, wait_a_moment
from adaptive_exec.futures import Future


def misses(polls: Patience) -> int:
    """How often it looked before it gave up this time."""
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        raise IndexError

    assert polls.poll(look, IndexError) is None
    return looks


def test_what_comes_soon_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """While others had the core for a moment."""
    monkeypatch.setattr(patience, "SPIN_SECONDS", 20.0)
    queue: deque[int] = deque()
    turns = iter(range(10))

    def leave_core() -> None:
        if next(turns) == 3:
            queue.append(7)

    monkeypatch.setattr(patience, "yield_core", leave_core)
    polls = Patience(enabled=True)
    polls._credit = 1

    assert 7 == polls.poll(queue.popleft, IndexError)
    assert 4 == polls._credit


def test_in_vain_it_is_given_up_and_tried_now_and_then() -> None:
    """Four times in a row, then once in sixteen; once it has paid, four times again."""
    polls = Patience(enabled=True)
    polls._credit = 4
    tried = [bool(misses(polls)) for _ in range(36)]
    assert [True] * 4 + [False] * 15 + [True] + [False] * 15 + [True] == tried

    for _ in range(15):
        misses(polls)
    assert 1 == polls.poll(lambda: 1, IndexError)
    assert [True] * 4 + [False] == [bool(misses(polls)) for _ in range(5)]


def test_on_one_core_nobody_polls() -> None:
    """Who has to bring it would be kept from that."""
    polls = Patience(enabled=False)
    polls._credit = 4

    assert 0 == misses(polls)


def test_other_errors_are_errors() -> None:
    """What was asked fails."""
    polls = Patience(enabled=True)
    polls._credit = 4

    with pytest.raises(ZeroDivisionError):
        polls.poll(lambda: 1 // 0, IndexError)


def test_a_moment_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, when the future ends, and when the time is up."""
    future: Future[int] = Future()
    began = time.monotonic()
    wait_a_moment(future, 20.0)
    wait_a_moment(future, 0.0)
    monkeypatch.setattr(patience, "SPIN_SECONDS", 20.0)
    monkeypatch.setattr(patience, "yield_core", lambda: future.try_result(1))
    wait_a_moment(future, 20.0)

    assert future.done()
    assert time.monotonic() - began < 10.0
