"""Long texts told by their digest: what two processes hold can be compared without sending it."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["DIGESTED_FROM", "Digest", "digest_of"]

DIGESTED_FROM: Final = 4096
"""Characters or bytes from which a text is told by its digest."""

_KEPT: Final = 64


class Digest(NamedTuple):
    """What stands for a long `str` or `bytes`.

    Attributes:
        kind: The name of its type.
        length: Its length.
        digest: BLAKE2b of its bytes, or of its UTF-8.
    """

    kind: str
    length: int
    digest: bytes


_known: dict[int, tuple[str | bytes, Digest]] = {}
"""By identity, each with what it tells of, so that no other object can come to lie at its address."""


def digest_of(text: str | bytes) -> Digest:
    """The digest of a text; computed once for an object that is asked for again and again.

    Args:
        text: A `str` or `bytes`, not an object of a subclass.
    """
    known = _known.get(id(text))
    if known is not None and known[0] is text:
        return known[1]
    from hashlib import blake2b  # here, since it takes long to load and most processes never need it

    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    made = Digest(type(text).__name__, len(text), blake2b(data, digest_size=32).digest())
    if len(_known) >= _KEPT:
        _known.clear()
    _known[id(text)] = (text, made)
    return made
