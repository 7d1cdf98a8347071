"""What a queue's deque holds instead of a plain item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, final

from ..errors import NotPicklable

__all__ = ["WRAPPED", "HomeOnly", "Parcel", "unwrap"]


@final
class Parcel:
    """An item that came pickled from another process, and goes on so to the next one that isn't its home."""

    __slots__ = ("__weakref__", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data


@final
class HomeOnly:
    """A local item that was asked for by another process and can't be pickled; nobody tries that again."""

    __slots__ = ("error", "item")

    def __init__(self, item: object, error: NotPicklable) -> None:
        self.item = item
        self.error = error


WRAPPED: Final = frozenset((Parcel, HomeOnly))


def unwrap(items: Iterable[Any]) -> list[Any]:
    """Turn what the deque holds into items; runs code of the items' classes."""
    found = []
    for item in items:
        if item.__class__ is Parcel:
            from ..pickling import loads

            found.append(loads(item.data))
        elif item.__class__ is HomeOnly:
            found.append(item.item)
        else:
            found.append(item)
    return found
