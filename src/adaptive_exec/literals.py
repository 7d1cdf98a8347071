"""Values made of numbers, texts and containers, told by their pickles: quickly written, and quickly compared.

Two processes that have made such a value in the same way write the same bytes. Equal bytes are equal values, with the
same types in the same order; of unequal ones that says nothing, since a text is written once where it is one object.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, Final, NamedTuple

__all__ = ["Literal", "literal_of"]

_KINDS: Final = (list, dict, tuple)
_MANY: Final = 16


class Literal(NamedTuple):
    """What stands for such a value.

    Attributes:
        pickled: Its pickle.
    """

    pickled: bytes

    def value(self) -> Any:
        """A value like it."""
        return pickle.loads(self.pickled)


def literal_of(value: object) -> Literal | None:
    """What stands for a list, dict or tuple of many items; None if it is short, or there is anything else in it."""
    if type(value) not in _KINDS or len(value) <= _MANY:  # type: ignore[arg-type]
        return None
    file = io.BytesIO()
    try:
        _Writer(file, protocol=5).dump(value)
    except (pickle.PicklingError, RecursionError):
        return None
    return Literal(file.getvalue())


class _Writer(pickle.Pickler):
    """Refuses whatever has a say in how it is pickled, and may leave out some of what it has."""

    def reducer_override(self, value: Any) -> Any:
        """Asked for all that is no literal."""
        raise pickle.PicklingError(f"{type(value).__name__} is no literal")
