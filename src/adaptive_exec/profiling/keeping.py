"""An estimator's knowledge as plain numbers, to be kept in a file, and back again.

Whatever comes back is looked at as closely as if an enemy had written it: a shape, a type or a figure that no
estimator could have had is a `ValueError`, and nothing is taken over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, get_type_hints

from ..sample import Sample
from .evidence import Evidence

__all__ = ["Knowledge", "as_numbers", "from_numbers"]

_MOST_SAMPLES: Final = 12
_MOST_NS: Final = 1 << 62
_MOST_CALLS: Final = 64  # as many as anything that is kept was seen in; what came before has faded
_FIELDS: Final = tuple(Sample._fields)


class Knowledge(NamedTuple):
    """What an estimator goes by.

    Attributes:
        calls: How many calls that is worth.
        recent: The last samples.
        payloads: The last ones that know pickled sizes.
        evidence: What looks at many calls add up to.
    """

    calls: int
    recent: tuple[Sample, ...]
    payloads: tuple[Sample, ...]
    evidence: Evidence


def as_numbers(known: Knowledge) -> dict[str, Any]:
    """The same made of lists and numbers."""
    return {
        "calls": min(known.calls, _MOST_CALLS),
        "recent": [list(sample) for sample in known.recent],
        "payloads": [list(sample) for sample in known.payloads],
        "evidence": known.evidence.sums(),
    }


def from_numbers(kept: object) -> Knowledge:
    """What `as_numbers` made, from the same lists and numbers.

    Raises:
        ValueError: It is not that.
    """
    if not isinstance(kept, Mapping):
        raise ValueError("not a function's figures")
    recent, payloads = _samples(kept.get("recent")), _samples(kept.get("payloads"))
    calls = _whole(kept.get("calls"), most=_MOST_CALLS)
    if not recent or calls < len(recent):
        raise ValueError("figures of no calls")
    sums = kept.get("evidence")
    if not isinstance(sums, list):
        raise ValueError("no sums of what was seen")
    return Knowledge(calls, recent, payloads, Evidence.of_sums([_figure(each) for each in sums]))


def _samples(kept: object) -> tuple[Sample, ...]:
    """Samples from lists of their fields."""
    if not isinstance(kept, list) or len(kept) > _MOST_SAMPLES:
        raise ValueError("not a list of samples")
    return tuple([_sample(fields) for fields in kept])


def _sample(fields: object) -> Sample:
    """A sample from a list of its fields."""
    if not isinstance(fields, list) or len(fields) != len(_FIELDS):
        raise ValueError("not a sample")
    values: dict[str, Any] = {}
    for name, value in zip(_FIELDS, fields, strict=True):
        if name in _FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} of a sample must be true or false")
            values[name] = value
        elif value is None and name in _OPTIONAL:
            values[name] = None
        else:
            values[name] = _whole(value, most=_MOST_NS)
    sample = Sample(**values)
    if sample.failed or not sample.wall_ns:
        raise ValueError("a sample that says nothing")
    return sample


def _whole(value: object, *, most: int) -> int:
    """A whole number from 0 to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("a figure that can't be")
    return value


def _figure(value: object) -> float:
    """A number that is not negative, and not beyond all measure."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("a figure that can't be")
    if not (math.isfinite(value) and 0 <= value <= _MOST_NS):
        raise ValueError("a figure that can't be")
    return float(value)


def _fields_of(kind: object) -> frozenset[str]:
    """The fields of a sample that have this type."""
    return frozenset(name for name, hint in get_type_hints(Sample).items() if hint == kind)


_FLAGS: Final = _fields_of(bool)
_OPTIONAL: Final = _fields_of(int | None)
