"""Functions that see or change more than their arguments and their result: wherever they run, nobody may notice."""

from __future__ import annotations

import importlib.util

from tests.semantics import (
    nasty_aliases,
    nasty_answers,
    nasty_callbacks,
    nasty_called,
    nasty_counts,
    nasty_decimals,
    nasty_dunders,
    nasty_folds,
    nasty_hooks,
    nasty_identity,
    nasty_interpreter,
    nasty_kept,
    nasty_keys,
    nasty_managers,
    nasty_members,
    nasty_orders,
    nasty_rare,
    nasty_reach,
    nasty_settings,
    nasty_tables,
)
from tests.semantics.case import Case

_seen: list[int] = []


def notes_every_seventh(n: int) -> int:
    """Appends to a global, now and then."""
    if n % 7 == 6:
        _seen.append(n)
    return len(_seen)


CASES = [
    Case(notes_every_seventh, world=lambda: list(_seen), reset=_seen.clear),
    *nasty_answers.CASES,
    *nasty_callbacks.CASES,
    *nasty_called.CASES,
    *nasty_counts.CASES,
    *nasty_dunders.CASES,
    *nasty_identity.CASES,
    *nasty_kept.CASES,
    *nasty_keys.CASES,
    *nasty_managers.CASES,
    *nasty_members.CASES,
    *nasty_orders.CASES,
    *nasty_rare.CASES,
    *nasty_reach.CASES,
    *nasty_settings.CASES,
    *nasty_decimals.CASES,
    *nasty_aliases.CASES,
    *nasty_folds.CASES,
    *nasty_hooks.CASES,
    *nasty_interpreter.CASES,
    *nasty_tables.CASES,
]

if importlib.util.find_spec("numpy"):
    from tests.semantics import nasty_changes, nasty_libraries

    CASES += [*nasty_changes.CASES, *nasty_libraries.CASES]
