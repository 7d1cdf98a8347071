"""Plain values: small, unchangeable, and read without running anybody's code. A message carries them as they are.

So does it what a chunk of a `map` gave, if that is nothing but those: then whoever reads it may end the call at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from ...chunks import ChunkOutcome
from .shelf import THRESHOLD

__all__ = ["PLAIN", "Place", "are_plain", "is_plain", "place_of", "plain_size"]

Place = int | str
"""Which of its arguments a call has returned: its number, or its name."""

PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_SIZED: Final = (str, bytes)
_LITTLE: Final = PLAIN.difference(_SIZED)


def is_plain(value: Any) -> bool:
    """Whether a message can carry this as it is."""
    kind = type(value)
    if kind in PLAIN:
        return not (kind in _SIZED and len(value) >= THRESHOLD)
    return kind is ChunkOutcome and value.error is None and are_plain(value.values)


def are_plain(values: Collection[Any]) -> bool:
    """Whether a message can carry all of these as they are."""
    return _LITTLE.issuperset(map(type, values)) or all(map(is_plain, values))


def plain_size(value: Any) -> int:
    """How many bytes of a message a plain value is, about."""
    if type(value) is ChunkOutcome:
        return sum(map(plain_size, value.values))
    return len(value) if isinstance(value, _SIZED) else 8


def place_of(value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Place | None:
    """Which argument a plain result is, the very object; None if it is none of them.

    Args:
        value: The result.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    if type(value) not in PLAIN or value is None:
        return None
    for number, each in enumerate(args):
        if each is value:
            return number
    return next((name for name, each in kwargs.items() if each is value), None)
