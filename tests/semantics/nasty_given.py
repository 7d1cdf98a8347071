"""Arguments with which something happens just before their call is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

__all__ = ["Given", "opaque"]


def _nothing() -> None:
    """Nothing happens."""


class Given(tuple[Any, ...]):  # noqa: SLOT001
    """Arguments; as they are unpacked the first time, something happens. They are never compared."""

    first: Callable[[], object]

    def __new__(cls, args: tuple[Any, ...], first: Callable[[], object] = _nothing) -> Self:
        made = super().__new__(cls, args)
        made.first = first
        return made

    def __iter__(self) -> Iterator[Any]:
        first, self.first = self.first, _nothing
        first()
        return super().__iter__()

    def __deepcopy__(self, memo: object) -> str:
        return "given"


def opaque(*args: Any) -> Given:
    """Arguments that are not to be compared."""
    return Given(args)
