"""From samples to a profile: the arithmetic, without state, clocks or locks.

CPU is the median over calls. Waiting comes from the sampler's looks where there are any, and is bounded by what
is left of the wall: `wall - cpu` also holds waits for the GIL and for a core, so it can only be too large, and
its low quantile over calls is the best that clocks alone can say. Where looks are few, as among many threads that want
the GIL, the kernel's count of a thread's sleeps tells for how long it waited at least. The wall of an undisturbed call
is the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..model import Profile, Uncertainty
from ..platform.rests import longest_want_ns
from ..sample import Sample
from .evidence import Evidence, half_width

__all__ = ["Claim", "figure_out", "payload"]

_SETTLING_CALLS: Final = 4
_PATIENCE_CALLS: Final = 8
_SHORT_NS: Final = 2_000_000
_NATURE: Final = 0.25
_MOSTLY_WAITS: Final = 0.1
_CERTAIN_CALLS: Final = 3
_FEW_ALONE: Final = 3
_SLACK_SHARE: Final = 0.15
_SLACK_NS: Final = 20_000
_HALF: Final = 0.5
_SURE: Final = 0.06


class Claim(NamedTuple):
    """What a function's code says: that it does nothing but to compute.

    Attributes:
        gil: The part of its computing in which it holds the GIL; None if the code leaves that open.
    """

    gil: float | None


def figure_out(
    recent: Sequence[Sample],
    evidence: Evidence,
    *,
    calls: int,
    since_reset: int,
    has_gil: bool,
    payloads: Iterable[Sample] = (),
    claim: Claim | None = None,
    serial: float | None = None,
) -> Profile:
    """The profile that these samples add up to.

    Args:
        recent: The last calls; not empty.
        evidence: What the sampler saw.
        calls: What `Profile.calls` shall say.
        since_reset: Calls measured since the function last changed its nature.
        has_gil: False on a free-threaded build: `gil_ratio` is then 0.0.
        payloads: Samples that know pickled sizes.
        claim: What its code says, which counts unless what was seen says something else with certainty.
        serial: What calls at once on threads were measured to cost each other.
    """
    chosen = _best(recent)
    cpu = _median([sample.cpu_ns for sample in chosen])
    slacks = sorted(max(sample.wall_ns - sample.cpu_ns, 0) for sample in chosen)
    waiting, waiting_off = _waiting(cpu, slacks, evidence)
    certain = [sample.waited_ns for sample in chosen if sample.waited_ns is not None]
    if len(certain) >= _CERTAIN_CALLS:
        waiting, waiting_off = _at_least(certain, waiting, waiting_off, slacks)
    if claim is not None and not _waits_for_certain(evidence):
        waiting = waiting_off = 0.0
    wall = cpu + waiting
    cpu_ratio = cpu / wall if wall > 0.0 else 1.0
    cpu_ratio_off = _ratio_off(cpu, waiting, waiting_off, slacks[-1])
    gil_ratio, gil_off = _gil(evidence, has_gil)
    claimed = None if claim is None or not has_gil else claim.gil
    if claimed is not None and not _contradicts(gil_ratio, gil_off, claimed):
        gil_ratio, gil_off = claimed, 0.0
    known = list(payloads)
    payload_bytes, payload_off = payload(known)
    pickling = [sample.pickle_ns for sample in known if sample.pickle_ns is not None]
    knows_nature = cpu_ratio_off <= _NATURE
    knows_gil = cpu_ratio <= _MOSTLY_WAITS or not has_gil or claimed is not None or evidence.knows_gil
    return Profile(
        calls=calls,
        wall=wall / 1e9,
        cpu=cpu / 1e9,
        cpu_ratio=cpu_ratio,
        gil_ratio=gil_ratio,
        payload_bytes=payload_bytes,
        pickling=_undisturbed(pickling) / 1e9 if pickling else None,
        uncertainty=Uncertainty(
            wall=(_half_range([sample.cpu_ns for sample in chosen]) + waiting_off) / 1e9,
            cpu=_half_range([sample.cpu_ns for sample in chosen]) / 1e9,
            cpu_ratio=cpu_ratio_off,
            gil_ratio=gil_off,
            payload_bytes=payload_off,
        ),
        settled=_settled(since_reset, wall, knows_nature, knows_gil),
        serial_ratio=serial if serial is not None and serial > (gil_ratio or 0.0) else None,
    )


def payload(samples: Iterable[Sample]) -> tuple[int | None, float]:
    """Median of arguments plus median of results, in bytes, and how far that may be off."""
    known = list(samples)
    arguments = [s.argument_bytes for s in known if s.argument_bytes is not None]
    results = [s.result_bytes for s in known if s.result_bytes is not None]
    if not arguments and not results:
        return None, float("inf")
    total = sum(int(_median(sizes)) for sizes in (arguments, results) if sizes)
    return total, _half_range(arguments) + _half_range(results)


def _best(recent: Sequence[Sample]) -> Sequence[Sample]:
    """The samples to take figures from: of calls that did not raise, those of workers, where there are a few.

    Of one or two it may be chance what they were given.
    """
    chosen = [sample for sample in recent if not sample.failed] or recent
    alone = [sample for sample in chosen if sample.alone]
    return alone if len(alone) >= min(_FEW_ALONE, len(chosen)) else chosen


def _waiting(cpu: float, slacks: Sequence[int], evidence: Evidence) -> tuple[float, float]:
    """Nanoseconds that a call waits for something other than the GIL or a core, and how far that may be off."""
    # At most the fifth part of the calls may be luckier than what is taken for the undisturbed one.
    floor = float(slacks[len(slacks) // 5])
    share = evidence.blocked_share
    if share is None:
        # Watched, and no look came in time: a sampler that doesn't get the GIL has others in its way, and so had they.
        guess = evidence.was_watched or _is_guess(cpu, slacks)
        return floor, floor if guess else (slacks[-1] - slacks[0]) / 2
    seen = share * evidence.mean_wall_ns
    off = half_width(share, evidence.looks) * evidence.mean_wall_ns
    if floor < seen / 2:
        # Some calls hardly wait at all, so waits vary; then the mean that the looks tell is what counts, and
        # the mean of what is left of the wall bounds it.
        return min(seen, sum(slacks) / len(slacks) if len(slacks) > 1 else floor), off
    return min(seen, floor), off


def _waits_for_certain(evidence: Evidence) -> bool:
    """Whether looks have seen that calls wait for most of their time."""
    share = evidence.blocked_share
    return share is not None and share > _HALF and half_width(share, evidence.looks) <= _SURE


def _contradicts(gil_ratio: float | None, off: float, claimed: float) -> bool:
    """Whether looks have seen for certain that it is the other way round with the GIL."""
    return gil_ratio is not None and off <= _SURE and (gil_ratio < _HALF) is not (claimed < _HALF)


def _at_least(
    certain: Sequence[int], waiting: float, off: float, slacks: Sequence[int]
) -> tuple[float, float]:
    """The same, where it is known for how long each call has waited at least.

    That says little of short waits, but nobody has to come and look: of calls that wait for 30 ms, and then as long for
    the GIL as thirty other threads have it, most looks come too late. What a call waited beyond that is hidden in
    its own sleeps: of a single one half the time that a thread wants the GIL for at once, and as much for the sleep in
    which it got it.
    """
    # A machine that stands still, or is slow to give a core, makes some calls seem to wait; three of four do not.
    known, want = sorted(certain), longest_want_ns()
    least = known[len(known) // 4]
    if least <= want or (waiting >= least and off <= want):
        return waiting, off
    return min(known[len(known) // 3] + 1.5 * want, float(slacks[len(slacks) // 5])), 1.5 * want


def _is_guess(cpu: float, slacks: Sequence[int]) -> bool:
    """Whether clocks alone leave open what the rest of the wall was: few calls, or very different ones."""
    if slacks[-1] <= _SLACK_SHARE * cpu + _SLACK_NS:
        return False
    return len(slacks) < _SETTLING_CALLS or slacks[0] * 2 < slacks[-1]


def _ratio_off(cpu: float, waiting: float, off: float, most: int) -> float:
    """Half the range of the CPU ratio if the waiting is off by so much, and at most what is left of the wall."""
    least = max(min(waiting, most) - off, 0.0)
    longest = min(waiting + off, most)
    if cpu <= 0.0:
        return 0.0 if least > 0.0 or longest <= 0.0 else 0.5
    return (cpu / (cpu + least) - cpu / (cpu + longest)) / 2


def _gil(evidence: Evidence, has_gil: bool) -> tuple[float | None, float]:
    """The GIL ratio and how far it may be off."""
    if not has_gil:
        return 0.0, 0.0
    ratio = evidence.gil_ratio
    if ratio is None:
        return None, float("inf")
    return ratio, half_width(ratio, evidence.windows)


def _median(values: Sequence[int]) -> float:
    """The median of at least one value."""
    # Not the `statistics` module: importing it costs more than all of this library's own modules together.
    ordered = sorted(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _undisturbed(values: Sequence[int]) -> float:
    """What something takes when nothing is in its way: the first time, memory is new to whoever pickles or reads."""
    return float(sorted(values)[len(values) // 3])


def _half_range(values: Sequence[int]) -> float:
    """Half the width of the range of the values; infinite for fewer than two, 0 for none."""
    if len(values) < 2:
        return float("inf") if values else 0.0
    return (max(values) - min(values)) / 2


def _settled(calls: int, wall_ns: float, knows_nature: bool, knows_gil: bool) -> bool:
    """Whether the figures suffice to route by: good evidence, or calls enough that waiting longer is no use."""
    if knows_nature and knows_gil and wall_ns >= _SHORT_NS:
        return True
    return calls >= (_SETTLING_CALLS if knows_nature else _PATIENCE_CALLS)
