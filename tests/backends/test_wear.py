"""When a worker has served long enough."""

from __future__ import annotations

import subprocess
import sys

from adaptive_exec.backends.processes.wear import LOOK_SECONDS, MOST_CALLS, Wear


class World:
    """A clock and a memory that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.size: int | None = 100
        self.looks = 0

    def clock(self) -> float:
        return self.now

    def measure(self) -> int | None:
        self.looks += 1
        return self.size

    def wear(self, max_tasks: int | None = None, max_growth: int | None = None) -> Wear:
        return Wear(max_tasks, max_growth, self.measure, self.clock)


def answered(wear: Wear, calls: int) -> int:
    """Answer brief calls as a worker does; how many until it was worn out."""
    for n in range(1, calls + 1):
        wear.calls -= 1
        if wear.calls <= 0 and wear.is_out():
            return n
    return 0


def test_so_many_calls() -> None:
    """Exactly so many, also when they are more than are counted at once."""
    assert 3 == answered(World().wear(3), 10)
    assert 2 * MOST_CALLS + 5 == answered(World().wear(2 * MOST_CALLS + 5), 3 * MOST_CALLS)


def test_no_bounds() -> None:
    """Nothing is ever looked at."""
    world = World()

    assert 0 == answered(world.wear(), 3 * MOST_CALLS)
    assert 0 == world.looks


def test_memory_that_has_grown() -> None:
    """Against what it had when it was warm; seldom looked at, and garbage is collected first."""
    world = World()
    wear = world.wear(None, 50)
    assert not wear.is_out()
    world.size = 150
    world.now += 2 * LOOK_SECONDS
    assert not wear.is_out()
    world.size = 151
    assert not wear.is_out()
    assert 2 == world.looks
    world.now += 2 * LOOK_SECONDS
    assert wear.is_out()


def test_brief_calls_are_counted() -> None:
    """The clock is not asked for each of them."""
    world = World()
    wear = world.wear(None, 50)
    answered(wear, MOST_CALLS)
    world.size = 1000

    assert MOST_CALLS == answered(wear, 2 * MOST_CALLS)
    assert world.looks <= 3


def test_a_system_that_does_not_tell() -> None:
    """There the bound means nothing, and nobody asks again."""
    world = World()
    world.size = None
    wear = world.wear(None, 50)

    assert [False, False] == [wear.is_out(), wear.is_out()]
    assert 1 == world.looks


GROWING = """
from adaptive_exec.platform.memory import private_bytes
before = private_bytes()
held = bytearray(b"x") * 50_000_000
after = private_bytes()
print(before is None or after - before > 40_000_000, len(held))
"""


def test_private_bytes() -> None:
    """Memory that is used is counted, in a process that has none left over from before."""
    done = subprocess.run([sys.executable, "-c", GROWING], capture_output=True, text=True, timeout=30)

    assert ("True 50000000\n", "") == (done.stdout, done.stderr)
