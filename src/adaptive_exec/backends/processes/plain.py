"""Plain values: small, unchangeable, and read without running anybody's code. A message carries them as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

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
    return kind in PLAIN and not (kind in _SIZED and len(value) >= THRESHOLD)


def are_plain(values: Collection[Any]) -> bool:
    """Whether a message can carry all of these as they are."""
    return _LITTLE.issuperset(map(type, values)) or all(map(is_plain, values))


def plain_size(value: Any) -> int:
    """How many bytes of a message a plain value is, about."""
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
