"""Plain values: small, unchangeable, and read without running anybody's code. A message carries them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .shelf import THRESHOLD

__all__ = ["PLAIN", "Place", "is_plain", "place_of", "plain_size"]

Place = int | str
"""Which of its arguments a call has returned: its number, or its name."""

PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_SIZED: Final = (str, bytes)


def is_plain(value: Any) -> bool:
    """Whether a message can carry this as it is."""
    kind = type(value)
    return kind in PLAIN and not (kind in _SIZED and len(value) >= THRESHOLD)


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
