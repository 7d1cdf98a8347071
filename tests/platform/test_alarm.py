"""What a thread sleeps by: heard whenever it is rung, and nothing is left of it."""

from __future__ import annotations

import errno
import gc
import os
import select
import threading
import time

import pytest

from adaptive_exec.platform.alarm import Alarm, make_alarm

FOR_EVER = 20.0


@pytest.fixture(params=[pytest.param(False, id="pipe"), pytest.param(True, id="portable")])
def alarm(request: pytest.FixtureRequest) -> Alarm:
    """Each kind."""
    return make_alarm(portable=request.param)


def test_who_sleeps_is_woken(alarm: Alarm) -> None:
    """By another thread, as often as it rings."""
    heard: list[bool] = []
    awake = threading.Semaphore(0)

    def sleeper() -> None:
        for _ in range(3):
            heard.append(alarm.sleep(FOR_EVER))
            awake.release()

    thread = threading.Thread(target=sleeper)
    thread.start()
    for _ in range(3):
        alarm.ring()
        assert awake.acquire(timeout=FOR_EVER)
    thread.join(FOR_EVER)

    assert [True] * 3 == heard


def test_a_ring_before_the_sleep_is_heard(alarm: Alarm) -> None:
    """So that who rings needn't know whether anybody sleeps yet."""
    alarm.ring()

    assert alarm.sleep(FOR_EVER)
    assert not alarm.sleep(0.0)


def test_rings_are_heard_as_one(alarm: Alarm) -> None:
    """A few that came together are one reason to look."""
    for _ in range(5):
        alarm.ring()

    assert alarm.sleep(FOR_EVER)
    assert not alarm.sleep(0.0)


def test_nobody_rings(alarm: Alarm) -> None:
    """The time runs out."""
    began = time.monotonic()

    assert not alarm.sleep(0.02)
    assert time.monotonic() - began >= 0.015


def test_to_ring_never_waits(alarm: Alarm) -> None:
    """However often nobody has listened."""
    for _ in range(100_000):
        alarm.ring()

    assert alarm.sleep(FOR_EVER)


@pytest.mark.skipif(not hasattr(select, "poll"), reason="this system has no pipe that can be waited for")
def test_the_pipe_goes_with_the_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody closes it before, as somebody may be about to ring."""
    made: list[int] = []
    pipe = os.pipe

    def noted() -> tuple[int, int]:
        made.extend(pipe())
        return made[0], made[1]

    monkeypatch.setattr(os, "pipe", noted)
    alarm = make_alarm()
    for descriptor in made:
        os.fstat(descriptor)
    del alarm
    gc.collect()

    assert 2 == len(made)
    for descriptor in made:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@pytest.mark.parametrize("lacks", ["descriptors", "poll"])
def test_there_may_be_no_pipe_to_be_had(lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is what any system has."""

    def refuse() -> tuple[int, int]:
        raise OSError(errno.EMFILE, "Too many open files")

    if lacks == "poll":
        monkeypatch.delattr(select, "poll", raising=False)
    else:
        monkeypatch.setattr(os, "pipe", refuse)
    alarm = make_alarm()
    alarm.ring()

    assert type(alarm) is type(make_alarm(portable=True))
    assert alarm.sleep(FOR_EVER)
