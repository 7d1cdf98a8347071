"""What calls cost by what they are given: with the size or the class of an argument that may vary a thousandfold.

A shape is the classes of a call's first arguments, and their sizes to the next power of two. Once a function's calls
are seen to differ, each shape has an estimator of its own, and a call is routed by that of its shape: small ones stay,
large ones go.

Guarantees:
    - No code of an argument's class runs.
    - Memory is bounded: the `MOST` shapes that were met last.
    - `estimator` may be called by any threads at once.
Assumes: nothing of the interpreter's atomicity; every access takes the lock.
Races: two first calls of one shape at once make one estimator:
    `tests/profiling/test_shapes.py::test_one_estimator_for_two_first_calls`
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..model import Profile
from .estimate import Estimator

__all__ = ["MATTERS_NS", "MOST", "Shape", "Shapes", "by_shape", "differ", "kinds_of", "shape_of", "varies"]

MOST: Final = 32
_ARGUMENTS: Final = 4
_VARIES: Final = 1.5
MATTERS_NS: Final = 1_000_000  # of computing; below that it is all the same
_MATTERS_S: Final = MATTERS_NS / 1e9
_SIZED: Final = frozenset({str, bytes, bytearray, list, tuple, dict, set, frozenset, range, deque})

Shape = tuple[object, ...]


def _first(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments that count."""
    if not kwargs:
        return list(args[:_ARGUMENTS])
    return [*args, *(kwargs[name] for name in sorted(kwargs))][:_ARGUMENTS]


def kinds_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[type, ...]:
    """The classes of a call's first arguments."""
    return tuple(map(type, _first(args, kwargs)))


def shape_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Shape:
    """The classes of a call's first arguments, and the order of magnitude of each.

    Args:
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    given = _first(args, kwargs)
    return (*map(type, given), *map(_magnitude, given))


def _magnitude(value: Any) -> int:
    """How many binary digits a whole number, a length or a count of bytes has; 0 of what has no size."""
    kind = type(value)
    if kind is int:
        return int(value.bit_length())
    if kind in _SIZED:
        return len(value).bit_length()
    if kind is memoryview or (kind.__module__ == "numpy" and kind.__name__ == "ndarray"):
        return int(value.nbytes).bit_length()
    return 0


def varies(profile: Profile, spread: float) -> bool:
    """Whether calls differ in what they compute by more than chance, and by so much that it matters.

    Args:
        profile: Of all calls.
        spread: Seconds between the most and the least.
    """
    return spread >= max(_MATTERS_S, _VARIES * profile.cpu)


def differ(
    profile: Profile, kinds: tuple[type, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> bool:
    """Whether a call's arguments are of other classes than another one's, and calls take so long that it matters."""
    return profile.cpu >= _MATTERS_S and kinds != kinds_of(args, kwargs)


def by_shape(overall: Profile, mine: Profile) -> Profile:
    """The costs of one shape's calls, of which there have been few, with what is known of all calls' nature.

    Args:
        overall: Of all calls.
        mine: Of this shape's.
    """
    if not mine.calls:
        return overall
    return replace(
        overall,
        cpu=mine.cpu,
        wall=mine.cpu / overall.cpu_ratio if overall.cpu_ratio > 0.0 else mine.wall,
        payload_bytes=overall.payload_bytes if mine.payload_bytes is None else mine.payload_bytes,
        pickling=overall.pickling if mine.pickling is None else mine.pickling,
    )


class Shapes:
    """The shapes of one function's calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Shape, Estimator] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def estimator(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Estimator, bool]:
        """What is known of calls of this shape, and whether none is known with arguments of these classes.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
        """
        shape = shape_of(args, kwargs)
        with self._lock:
            found = self._known.get(shape)
            if found is not None:
                self._known.move_to_end(shape)
                return found, False
            kinds = shape[: len(shape) // 2]
            strange = not any(each[: len(each) // 2] == kinds for each in self._known)
            found = self._known[shape] = Estimator()
            if len(self._known) > MOST:
                self._known.popitem(last=False)
            return found, strange

    def weightiest(self) -> Profile | None:
        """What is known of the shape whose calls have computed most altogether."""
        with self._lock:
            profiles = [each.profile() for each in self._known.values()]
        return max(profiles, key=lambda each: each.calls * each.cpu, default=None)
