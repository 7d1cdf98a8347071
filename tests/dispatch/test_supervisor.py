"""The supervisor: looks again, keeps deadlines, sleeps when there is nothing to do."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from adaptive_exec.dispatch.supervisor import Supervisor


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    made.start()
    yield made
    made.stop(wait=True)


def test_it_looks_until_told_to_stop(supervisor: Supervisor) -> None:
    """A look that returns False is the last."""
    looks: list[int] = []
    over = threading.Event()

    def look() -> bool:
        looks.append(1)
        if len(looks) == 3:
            over.set()
        return len(looks) < 3

    supervisor.watch("key", look)
    assert over.wait(10)
    supervisor.stop(wait=True)
    assert 3 == len(looks)


def test_watch_during_the_last_look(supervisor: Supervisor) -> None:
    """Something that comes while a look is about to say 'nothing left' gets another look."""
    looks: list[int] = []
    again = threading.Event()

    def look() -> bool:
        looks.append(1)
        if len(looks) == 1:
            supervisor.watch("key", look)  # as a submitter would, after the look has read its state
        else:
            again.set()
        return False

    supervisor.watch("key", look)
    assert again.wait(10)


def test_messages_left_before_the_thread_is_there() -> None:
    """They wait for it."""
    supervisor = Supervisor()
    seen = threading.Event()
    supervisor.soon(seen.set)
    assert supervisor.start()
    assert not supervisor.start()
    assert seen.wait(10)
    supervisor.stop(wait=True)


def test_deadlines_in_order(supervisor: Supervisor) -> None:
    """The earlier deadline is kept first, whichever was set first; a past one at once, one given up never."""
    order: list[str] = []
    over = threading.Event()
    now = time.monotonic()
    supervisor.at(now + 0.05, lambda: order.append("late"))
    supervisor.at(now + 0.06, over.set)
    supervisor.at(now + 0.02, lambda: order.append("given up")).give_up()
    supervisor.at(now - 1, lambda: order.append("past"))
    supervisor.at(now + 0.01, lambda: order.append("early"))

    assert over.wait(10)
    assert ["past", "early", "late"] == order


def test_deadlines_far_away(supervisor: Supervisor) -> None:
    """One in a thousand years does not keep a nearer one from its time."""
    over = threading.Event()
    supervisor.at(float("inf"), over.clear)
    supervisor.at(time.monotonic() + 0.02, over.set)

    assert over.wait(10)


def test_deadlines_that_were_given_up_are_let_go(supervisor: Supervisor) -> None:
    """They keep nothing alive, and don't pile up."""
    far = time.monotonic() + 3600
    for _ in range(1000):
        supervisor.at(far, lambda: None).give_up()
    swept = threading.Event()
    supervisor.soon(swept.set)

    assert swept.wait(10)


def test_a_callback_that_fails(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next is called all the same."""
    seen = threading.Event()
    supervisor.soon(lambda: 1 // 0)
    supervisor.at(0, lambda: sys.exit(3))
    supervisor.soon(seen.set)

    assert seen.wait(10)
    supervisor.stop(wait=True)
    assert 2 == len(caplog.records)


def test_it_ends_from_inside(supervisor: Supervisor) -> None:
    """A callback may end the supervisor it runs on."""
    over = threading.Event()

    def end() -> None:
        supervisor.stop(wait=True)
        over.set()

    supervisor.soon(end)

    assert over.wait(10)


def test_nothing_is_kept_once_it_is_over() -> None:
    """Neither what was to be done later nor what comes then."""

    class Something:
        """Can be seen to go."""

        def do(self) -> None:
            """Nothing."""

    things = [Something() for _ in range(4)]
    gone = [weakref.ref(thing) for thing in things]
    supervisor = Supervisor()
    supervisor.start()
    supervisor.at(time.monotonic() + 3600, things[0].do)
    supervisor.stop(wait=False)
    supervisor.soon(things[1].do)
    supervisor.stop(wait=True)
    supervisor.soon(things[2].do)
    supervisor.at(0, things[3].do)
    things.clear()
    gc.collect()

    assert [None] * 4 == [ref() for ref in gone]
