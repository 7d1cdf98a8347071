"""Plain values: small, unchangeable, and read without running anybody's code. A message carries them as they are."""

from __future__ import annotations

from typing import Any, Final

from .shelf import THRESHOLD

__all__ = ["PLAIN", "is_plain", "plain_size"]

PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_SIZED: Final = (str, bytes)


def is_plain(value: Any) -> bool:
    """Whether a message can carry this as it is."""
    kind = type(value)
    return kind in PLAIN and not (kind in _SIZED and len(value) >= THRESHOLD)


def plain_size(value: Any) -> int:
    """How many bytes of a message a plain value is, about."""
    return len(value) if isinstance(value, _SIZED) else 8
