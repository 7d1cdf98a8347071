"""What a decision depends on, and how its figures are said."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import BackendName, Load, Machine, Options, Profile

__all__ = ["Facts", "percent", "seconds"]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on.

    Attributes:
        options: What the caller asked for.
        coroutine: True for a coroutine function.
        profile: What has been measured.
        load: What is going on.
        machine: What there is to run on.
        stay: Why calls must not leave this process, as a clause; empty if they may.
        before: Where the function's calls went last; None if there were none.
        twin: What has been measured of its `async def` twin; None if it has none.
    """

    options: Options
    coroutine: bool
    profile: Profile
    load: Load
    machine: Machine
    stay: str = ""
    before: BackendName | None = None
    twin: Profile | None = None


def seconds(value: float) -> str:
    """A duration with its fitting unit."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    if value < 1.0:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.3g} s"


def percent(ratio: float) -> str:
    """A part as a percentage."""
    return f"{ratio * 100:.0f} %"
