"""Threads as they can be seen: how many of their files are open, and when they are closed."""

from __future__ import annotations

import gc
import threading

import pytest

from adaptive_exec.platform.thread_states import open_this_thread
from adaptive_exec.profiling import sight
from adaptive_exec.profiling.sight import Sight, SystemEyes
from tests.guards import is_open

pytestmark = pytest.mark.skipif(open_this_thread() is None, reason="needs Linux's /proc")


def test_only_so_many_files_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are watched by their clocks, and a place that is given back is taken again."""
    monkeypatch.setattr("adaptive_exec.profiling.sight._MOST_DESCRIPTORS", 2)
    eyes = SystemEyes()
    seen: list[Sight] = []

    def look() -> None:
        seen.append(eyes.open_this_thread())

    for _ in range(3):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    first, second, third = seen
    assert [False, False, True] == [one.descriptor is None for one in (first, second, third)]
    assert third.clock is not None
    descriptor = first.descriptor
    assert descriptor is not None
    del first, seen[0]
    gc.collect()

    assert not is_open(descriptor)
    assert eyes._open().descriptor is not None
    assert second.descriptor is not None
    assert is_open(second.descriptor)


def test_one_is_closed_in_the_middle_of_opening_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector runs when it likes: nothing is locked that its finalizers want."""
    eyes = SystemEyes()
    ring: list[object] = [eyes._open()]
    ring.append(ring)  # only the collector frees it
    opened = open_this_thread

    def collecting() -> int | None:
        gc.collect()
        return opened()

    del ring
    monkeypatch.setattr("adaptive_exec.profiling.sight.open_this_thread", collecting)

    assert eyes._open().descriptor is not None
    assert sight._MOST_DESCRIPTORS == len(eyes._permits)
