"""What somebody who knows the figures would tell a colleague to do about them."""

from __future__ import annotations

import math
from typing import Final

from ..model import Decision
from .facts import Facts, seconds
from .policy import WAITS, WORTH, hardly_holds_the_gil, journey

__all__ = ["advice"]

MANY: Final = 32
"""Calls in flight from which on their threads are worth a thought."""

WORTH_A_LOOK: Final = 0.01
"""Seconds that a call computes from which on it matters that it can't use other cores."""


def advice(facts: Facts, decision: Decision) -> str:
    """What could be done so that calls go to a better place, as a sentence's part; empty if nothing comes to mind.

    Args:
        facts: What is known, with all the function's calls in flight.
        decision: Where the next one goes.
    """
    profile, options = facts.profile, facts.options
    if decision.backend != "thread" or facts.coroutine or options.backend is not None or not profile.settled:
        return ""
    if profile.cpu_ratio < WAITS:
        calls = facts.load.in_flight
        if facts.twin is not None or calls < MANY:
            return ""
        return f"with {calls} calls in flight, an async twin (`@task` and its `coroutine`) would save {calls} threads"
    if facts.machine.cores <= 1 or hardly_holds_the_gil(profile, facts.machine):
        return ""
    if facts.stay:
        if options.pure is False or profile.cpu < WORTH_A_LOOK:
            return ""
        return f"if that does no harm elsewhere, pure=True lets its calls of {seconds(profile.cpu)} use all cores"
    way = journey(facts)
    if 0.0 < profile.cpu < WORTH * way:
        return f"{math.ceil(WORTH * way / profile.cpu)} items to a call, as by map's chunksize, would be worth the way"
    return ""
