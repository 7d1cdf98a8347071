"""What is known to go wrong: each name here is a gap, and goes when its gap does."""

from __future__ import annotations

from typing import Final


def _names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


NOTICED: Final = _names("")

KEPT_HOME: Final = _names("""
    binds_arguments counts_regions invoice joins_tables layers_settings nbody_pairs orders_by_levels warns
""")
