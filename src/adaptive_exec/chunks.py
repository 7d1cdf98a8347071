"""Many calls of one function as one: what carries them to whoever runs them, and what comes back.

It is all that a worker process needs of `map`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any, Final

__all__ = ["END_OF_ITERATION", "ChunkOutcome", "ChunkRunner"]

END_OF_ITERATION: Final = "the mapped function raised StopIteration"
"""That must not be taken for the end of the results (PEP 479)."""


class ChunkOutcome:
    """What a chunk gave: values up to its end or to the first error."""

    __slots__ = ("error", "values")

    def __init__(self, values: list[Any], error: BaseException | None) -> None:
        self.values = values
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChunkOutcome, (self.values, self.error))


class ChunkRunner:
    """Calls a function for each item of a chunk.

    Args:
        fn: The function.
        rows: Whether an item is a tuple of arguments, and not the one argument.
        given_is_plain: The arguments are plain values, which are never changed, so that nobody has to look for that.
    """

    __slots__ = ("fn", "given_is_plain", "rows")

    def __init__(self, fn: Callable[..., Any], rows: bool = True, given_is_plain: bool = False) -> None:
        self.fn = fn
        self.rows = rows
        self.given_is_plain = given_is_plain

    def first(self, chunk: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments of the first call."""
        row = chunk[0]
        return row if self.rows else (row,)

    def __call__(self, chunk: Sequence[Any]) -> ChunkOutcome:
        values: list[Any] = []
        try:
            # What came before an error stays.
            values.extend(starmap(self.fn, chunk) if self.rows else map(self.fn, chunk))
        except Exception as error:
            return ChunkOutcome(values, error)
        if len(values) < len(chunk):
            return ChunkOutcome(values, RuntimeError(END_OF_ITERATION))
        return ChunkOutcome(values, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChunkRunner, (self.fn, self.rows, self.given_is_plain))
