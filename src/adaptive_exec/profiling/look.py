"""One look of the sampler at the watched threads: their states, and who computes while the GIL is withheld.

Called with the GIL held, and does not release it. Every watched thread is then in one of
three states: it wants the GIL (a futex of the GIL), it is blocked (any other sleep), or it runs: with the GIL
released, or on its way into a wait for the GIL. Only the last need a window to be told apart; for a thread that
wants the GIL or is blocked, the window is known to gain nothing and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..platform.thread_states import ThreadState
from .pace import TICK_NS, WINDOW_US
from .sight import Eyes, Sight

__all__ = ["Ledger", "Seen", "count_tick", "look_at"]

_ON_TIME_NS: Final = TICK_NS * 2
"""A tick of the portable probe later than this was kept waiting by a holder of the GIL."""


class Seen(NamedTuple):
    """What the looks at one call have added up to.

    Attributes:
        looks: Times that the thread's state was read.
        sampled_ns: Time that those looks stand for: each speaks for the whole time since the sampler's look
            before it, even where the call began later. Only so are the parts right on average when looks are
            farther apart than calls are long: a wait of 30 ms that is met by a look every 100 ms is met by
            three looks in ten calls.
        blocked_ns: The part of `sampled_ns` spent in waits for something other than the GIL.
        gil_wait_ns: The part of `sampled_ns` in which the thread wanted the GIL, or had it until the sampler
            took it.
        window_ns: Time in which the sampler withheld the GIL from this thread.
        free_ns: CPU time that the thread gained in it.
        late_ns: Time by which ticks of the portable probe came late.
    """

    looks: int = 0
    sampled_ns: int = 0
    blocked_ns: int = 0
    gil_wait_ns: int = 0
    window_ns: int = 0
    free_ns: int = 0
    late_ns: int = 0


_NOTHING: Final = Seen()


class Ledger:
    """The account of one call. Only the sampler's thread writes it while the call runs.

    All figures are replaced at once, as one value, so that whoever reads them needs no lock to see a consistent
    state.

    Attributes:
        sight: The thread.
        started_ns: When the watch began.
        ticked_ns: When the portable probe last ticked, or the start.
        seen: The figures so far.
    """

    __slots__ = ("seen", "sight", "started_ns", "ticked_ns")

    def __init__(self, sight: Sight, now_ns: int) -> None:
        self.sight = sight
        self.started_ns = now_ns
        self.ticked_ns = now_ns
        self.seen = _NOTHING


def look_at(ledgers: Sequence[Ledger], eyes: Eyes, *, weight_ns: int, window: bool) -> int:
    """Look at each thread once and add what was seen to its ledger.

    Args:
        ledgers: The calls to look at.
        eyes: What to look with.
        weight_ns: The time that a look stands for.
        window: True to withhold the GIL for a moment and see who computes without it.

    Returns:
        Nanoseconds for which the GIL was withheld; 0 if nobody was running, or no window was asked for.
    """
    suspects = []
    for ledger in ledgers:
        state = eyes.state(ledger.sight)
        if state is not None:
            _enter(ledger, state, weight_ns)
        if not window:
            continue
        if state is None or state is ThreadState.RUNNING:
            suspects.append(ledger)
        else:
            _add(ledger, window_ns=WINDOW_US * 1000)
    return _hold_window(suspects, eyes) if suspects else 0


def _enter(ledger: Ledger, state: ThreadState, weight_ns: int) -> None:
    """Add one reading of a state."""
    blocked = weight_ns if state is ThreadState.BLOCKED else 0
    wants = weight_ns if state is ThreadState.WANTS_GIL else 0
    _add(ledger, looks=1, sampled_ns=weight_ns, blocked_ns=blocked, gil_wait_ns=wants)


def _add(
    ledger: Ledger,
    *,
    looks: int = 0,
    sampled_ns: int = 0,
    blocked_ns: int = 0,
    gil_wait_ns: int = 0,
    window_ns: int = 0,
    free_ns: int = 0,
    late_ns: int = 0,
) -> None:
    """Add to the figures of a call and put the new ones in place at once."""
    old = ledger.seen
    ledger.seen = Seen(
        old.looks + looks,
        old.sampled_ns + sampled_ns,
        old.blocked_ns + blocked_ns,
        old.gil_wait_ns + gil_wait_ns,
        old.window_ns + window_ns,
        old.free_ns + free_ns,
        old.late_ns + late_ns,
    )


def _hold_window(suspects: Sequence[Ledger], eyes: Eyes) -> int:
    """Withhold the GIL and credit each suspect with the CPU time it gained all the same."""
    before = [eyes.cpu_ns(ledger.sight) for ledger in suspects]
    begun = eyes.now_ns()
    eyes.hold_gil_us(WINDOW_US)
    held = eyes.now_ns() - begun
    # A machine that stands still for 20 ms, as virtual ones do, makes one window a hundred times as long as the others,
    # in which whoever was on a core, if only on the way into a wait, is charged all of it: it counts as one window.
    share = min(1.0, WINDOW_US * 1000 / held) if held > 0 else 1.0
    for ledger, cpu_before in zip(suspects, before, strict=True):
        cpu_after = eyes.cpu_ns(ledger.sight)
        if cpu_before is None or cpu_after is None:
            continue
        gained = int(min(max(cpu_after - cpu_before, 0), held) * share)
        # Who is still running did not come to want the GIL, however little it got of a core: where the cores are
        # full, gaining nothing is no proof. So only the time for which it had a core counts as its window.
        still_running = eyes.state(ledger.sight) is ThreadState.RUNNING
        _add(ledger, window_ns=gained if still_running else int(held * share), free_ns=gained)
    return held


def count_tick(ledgers: Sequence[Ledger], now: int) -> None:
    """Enter one tick of the portable probe: what it came late by, others held the GIL."""
    for ledger in ledgers:
        late = now - ledger.ticked_ns
        if late > _ON_TIME_NS:
            _add(ledger, late_ns=late - TICK_NS)
        ledger.ticked_ns = now
