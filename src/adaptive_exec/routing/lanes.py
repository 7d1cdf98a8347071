"""Which lane of the thread backend a call belongs to, and how much of it the call takes up."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends.base import UNKNOWN, Lane
from ..model import Machine, Options, Profile
from .policy import WAITS, hardly_holds_the_gil

__all__ = ["Place", "place"]

BRIEF = 30e-6  # seconds; what takes no longer is over before another thread would be awake


@dataclass(frozen=True, slots=True)
class Place:
    """A call's lane, the part of the lane's resource it keeps busy, and its GIL-held seconds."""

    lane: Lane
    weight: float
    cost: float


def place(profile: Profile, options: Options, machine: Machine) -> Place:
    """Choose the lane for a call on a thread.

    Args:
        profile: What has been measured of the function.
        options: What the caller asked for.
        machine: What there is to run on.

    Returns:
        The lane and the call's weight in it, by Goetz's rule: a call that computes `C` and waits `W`
        takes up `C / (C + W)` of its resource.
    """
    gil = machine.gil
    if not profile.settled:
        if options.kind == "cpu":
            return Place("gil" if gil else "free", 1.0, 0.0)
        nobody_knows = gil and options.kind is None and options.backend is None
        return Place("new" if nobody_knows else "wait", UNKNOWN, 0.0)
    whole = profile.cpu + profile.waiting
    if whole <= BRIEF:
        return Place("brief", 1.0, 0.0)
    if profile.cpu_ratio < WAITS:
        return Place(
            "wait", (profile.gil_time if gil else profile.cpu) / whole if whole > 0 else 0.0, profile.gil_time
        )
    if hardly_holds_the_gil(profile, machine):
        return Place("free", profile.cpu_ratio, profile.gil_time if gil else 0.0)
    return Place("gil", profile.cpu_ratio, profile.gil_time)
