"""Notices that a function has become another one: slower, faster, waiting, computing, free of the GIL.

Says so after several contradictions in a row, because single calls differ for many reasons, and never because
of what a crowd can cause. A crowd lengthens walls, so a longer wall only makes the function a suspect, which
is sampled until looks decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ..model import Profile
from ..sample import Sample
from .evidence import Evidence, half_width
from .pace import WINDOW_US

__all__ = ["COSTLY_ROW", "Change", "Drift", "Limits", "limits_of"]

Change = Literal["", "cost", "nature"]
"""What has become another one: nothing, what calls cost, or anything."""

_FACTOR: Final = 3
_CPU_SLOP_NS: Final = 500_000
_WALL_SLOP_NS: Final = 1_000_000
COSTLY_ROW: Final = 4

_TRIAL_KEEPS: Final = 0.6
_SUSPICIOUS: Final = 0.3
_OPPOSITE: Final = 0.6
_COMPUTES: Final = 0.8
_FEW_LOOKS: Final = 3.0
_FEW_WINDOWS: Final = 4.0
_HOLDS: Final = 0.7
_CLEAR_GAIN_NS: Final = WINDOW_US * 500
_CLEAR_WINDOW_NS: Final = WINDOW_US * 2000
_PROBATION: Final = 8
_PAROLE: Final = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call of a function with some profile may cost without contradicting it, in nanoseconds."""

    profile: Profile
    most_cpu: float
    least_cpu: float
    most_slack: float


class Drift:
    """Compares each call with the profile. Not safe for threads by itself."""

    __slots__ = ("_before", "_limits", "_parole", "_probation", "_stepped", "_trial")

    def __init__(self) -> None:
        self._limits = limits_of(Profile())
        self._probation = 0
        self._parole = 0
        self._stepped = 0
        self._trial = Evidence(_TRIAL_KEEPS)
        self._before: Profile | None = None  # what was known when calls became suspicious

    @property
    def suspects(self) -> bool:
        """True while calls contradict the profile in a way that only more looks can decide."""
        return self._probation > 0

    @property
    def doubts(self) -> bool:
        """True while the next calls decide whether the function has become another one."""
        return self._probation > 0 or self._stepped != 0

    def contradicts(self, sample: Sample, profile: Profile, *, varied: bool = False) -> Change:
        """What of the profile should be forgotten, now that this call was seen.

        A call in a worker has the process for itself. If it only computes, and longer or shorter than before, then it
        is the cost that has changed, and what is known of waiting and of the GIL stays.

        Args:
            sample: The call.
            profile: What was known before it.
            varied: Whether costs differ from call to call, and say nothing.
        """
        if not profile.settled or sample.failed:
            return ""
        if self._limits.profile is not profile:
            self._limits = limits_of(profile)
        limits = self._limits
        most_cpu, least_cpu, most_slack = limits.most_cpu, limits.least_cpu, limits.most_slack
        cpu = sample.cpu_ns
        slack = sample.wall_ns - cpu
        step = 1 if cpu > most_cpu else -1 if cpu < least_cpu else 0
        self._stepped = _in_a_row(self._stepped, step) if step and not varied else 0
        apart = self._apart(sample, self._before or profile)
        slower = slack > most_slack and not varied
        self._watch(apart > _SUSPICIOUS or slower or _gil_surprises(sample, profile), profile)
        if abs(self._stepped) < COSTLY_ROW and apart <= _OPPOSITE:
            return ""
        self._start_again()
        alike = (
            apart <= _SUSPICIOUS
            and profile.cpu_ratio > _COMPUTES
            and slack < (1 - _COMPUTES) * sample.wall_ns
        )
        return "cost" if sample.alone and alike else "nature"

    def _apart(self, sample: Sample, profile: Profile) -> float:
        """How far the last looks are from the profile; 0.0 if this call adds none to them."""
        if not sample.looks and not sample.window_ns:
            return 0.0
        self._trial.add(sample)
        return max(_waits_more(self._trial, profile), _gil_apart(self._trial, profile))

    def _start_again(self) -> None:
        """Forget all rows and looks: they spoke of the profile that is now forgotten."""
        self._stepped = 0
        self._trial = Evidence(_TRIAL_KEEPS)
        self._before = None

    def _watch(self, suspicious: bool, profile: Profile) -> None:
        """Ask for looks at the next 8 calls if this one is suspicious, then not again for 64: a crowd may last."""
        if self._probation:
            self._probation -= 1
            if not self._probation:
                self._before = None
        elif self._parole:
            self._parole -= 1
        elif suspicious:
            self._probation = _PROBATION
            self._parole = _PAROLE
            self._before = profile


def limits_of(profile: Profile) -> Limits:
    """The limits that a profile sets.

    Args:
        profile: What is known of a function.
    """
    cpu, wall = profile.cpu * 1e9, profile.wall * 1e9
    return Limits(
        profile,
        most_cpu=cpu * _FACTOR + _CPU_SLOP_NS,
        least_cpu=(cpu - _CPU_SLOP_NS) / _FACTOR,
        most_slack=wall * _FACTOR + _WALL_SLOP_NS,
    )


def _in_a_row(row: int, sign: int) -> int:
    """The row continued by one more of the same sign, or begun anew by the other."""
    return row + sign if row * sign >= 0 else sign


def _waits_more(trial: Evidence, profile: Profile) -> float:
    """How much lower the CPU ratio of the last calls is than the profile's, chance deducted; 0.0 if unknown.

    Only this direction: what is left of the walls of the last 12 calls bounds the waiting from above, so less
    waiting shows without a reset.
    """
    share = trial.blocked_share
    if share is None or trial.looks < _FEW_LOOKS:
        return 0.0
    wall, cpu = trial.mean_wall_ns, trial.mean_cpu_ns
    waiting = min(max(share - half_width(share, trial.looks), 0.0) * wall, max(wall - cpu, 0.0))
    total = cpu + waiting
    return profile.cpu_ratio - cpu / total if total > 0.0 else 0.0


def _gil_apart(trial: Evidence, profile: Profile) -> float:
    """How far the GIL ratio of the last calls is from the profile's, chance deducted; 0.0 if either is unknown."""
    ratio = trial.gil_ratio
    if ratio is None or profile.gil_ratio is None or trial.windows < _FEW_WINDOWS:
        return 0.0
    chance = profile.uncertainty.gil_ratio + half_width(ratio, trial.windows)
    return max(0.0, abs(ratio - profile.gil_ratio) - chance)


def _gil_surprises(sample: Sample, profile: Profile) -> bool:
    """Whether one call's windows speak against what is known of the GIL: reason enough for more looks, no more."""
    if profile.gil_ratio is None or not sample.window_ns:
        return False
    if profile.gil_ratio > _HOLDS:
        return sample.free_ns >= _CLEAR_GAIN_NS
    return profile.gil_ratio < 1 - _HOLDS and sample.window_ns >= _CLEAR_WINDOW_NS and not sample.free_ns
