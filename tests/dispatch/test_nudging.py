"""Looking after threads: somebody looks for as long as calls wait for one, and never nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adaptive_exec.dispatch.nudging import Nudging


class Watched:
    """A supervisor that only notes what it is to watch."""

    def __init__(self) -> None:
        self.looks: list[Callable[[], bool]] = []

    def watch(self, key: object, look: Callable[[], bool]) -> None:
        """Note it."""
        self.looks.append(look)


class Threads:
    """A backend in whose queue a call comes at a chosen reading of its length."""

    def __init__(self) -> None:
        self.length = 0
        self.come: Callable[[], None] | None = None
        self.after = 0
        self.gone_through = 0

    @property
    def queued(self) -> int:
        """How many wait; whoever comes, comes before or after this is read."""
        come, self.come = self.come, None
        if come is not None and self.after == 0:
            come()
        length = self.length
        if come is not None and self.after == 1:
            come()
        return length

    def move_on_slow(self) -> None:
        """Nothing is slow here."""


@pytest.fixture
def scene() -> tuple[Nudging, Threads, Watched]:
    """One call waits, and is looked after."""
    threads: Any = Threads()
    watched: Any = Watched()
    nudging = Nudging(threads, watched)
    threads.length = 1
    nudging.look_after()
    return nudging, threads, watched


def test_one_looks_at_a_time(scene: tuple[Nudging, Threads, Watched]) -> None:
    """Who comes while somebody looks asks for no other look; the looks end with the queue."""
    nudging, threads, watched = scene
    nudging.look_after()
    assert 1 == len(watched.looks)

    assert watched.looks[0]()
    threads.length = 0
    assert not watched.looks[0]()
    nudging.look_after()
    assert 1 == len(watched.looks)


@pytest.mark.parametrize("after", [0, 1], ids=["before the length is read", "after it"])
def test_a_call_that_is_queued_as_the_last_look_ends_is_seen(
    scene: tuple[Nudging, Threads, Watched], after: int
) -> None:
    """By that look, or by another that it has asked for itself."""
    nudging, threads, watched = scene
    threads.length, threads.after = 0, after

    def come() -> None:
        threads.length = 1
        nudging.look_after()

    threads.come = come
    goes_on = watched.looks[0]()

    assert goes_on or len(watched.looks) == 2


def test_where_brief_calls_come_and_go_one_looks_on(scene: tuple[Nudging, Threads, Watched]) -> None:
    """Until there was none between two looks."""
    nudging, threads, supervisor = scene
    (look,) = supervisor.looks
    threads.length = 0
    threads.gone_through = 1
    assert look()
    assert nudging.looks

    assert not look()
    assert not nudging.looks
