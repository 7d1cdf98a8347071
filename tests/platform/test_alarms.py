"""Alarms go off once, when their time has come and not before."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Iterator

import pytest

from adaptive_exec.platform import alarms
from adaptive_exec.platform.alarms import Alarm, make_alarm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are no such clocks here")

WAYS = ["interpreter", "library"]


@pytest.fixture(params=WAYS)
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    """An alarm, made in each way that there is here."""
    if request.param == "library":
        made = alarms._make_by_c_library()
    elif sys.version_info < (3, 13):
        pytest.skip("this interpreter makes none itself")
    else:
        made = make_alarm()
    assert made is not None
    yield made
    made.close()


def goes_off(alarm: Alarm, seconds: float) -> bool:
    """Whether it can be read within so many seconds."""
    return bool(select.select([alarm.fileno()], [], [], seconds)[0])


def test_it_is_silent_until_it_is_set(alarm: Alarm) -> None:
    """Nothing has been asked for."""
    assert not goes_off(alarm, 0.0)


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 1.02])
def test_it_goes_off_in_time_and_not_before(alarm: Alarm, seconds: float) -> None:
    """Fractions and whole seconds both count, and no time at all is a moment."""
    began = time.perf_counter()
    alarm.set(seconds)

    assert goes_off(alarm, 20)
    assert time.perf_counter() - began >= seconds


def test_it_goes_off_once(alarm: Alarm) -> None:
    """It can be read until note is taken of it, and then when it has been set again."""
    alarm.set(0.0)
    assert goes_off(alarm, 20)
    assert goes_off(alarm, 20)
    alarm.heed()
    assert not goes_off(alarm, 0.0)
    alarm.heed()  # nothing to take note of
    alarm.set(0.0)
    assert goes_off(alarm, 20)


def test_what_is_set_last_counts(alarm: Alarm) -> None:
    """Setting it again puts it off, also if it has gone off."""
    alarm.set(0.0)
    assert goes_off(alarm, 20)
    alarm.set(100.0)

    assert not goes_off(alarm, 0.0)


def test_no_more_files_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's refusal is an OSError."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    alarms._make_by_c_library()  # what it imports is there now
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="open files"):
            alarms._make_by_c_library()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
