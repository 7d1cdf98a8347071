"""Functions whose calls see or change more than their arguments and their result: wherever they run, nobody may notice."""

from __future__ import annotations

from tests.semantics.case import Case

_seen: list[int] = []


def notes_every_seventh(n: int) -> int:
    """Appends to a global, now and then."""
    if n % 7 == 6:
        _seen.append(n)
    return len(_seen)


CASES = [Case(notes_every_seventh, world=lambda: list(_seen), reset=_seen.clear)]
