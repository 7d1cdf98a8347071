"""What is known to go wrong: each name here is a gap, and goes when its gap does.

What is noticed has to do with the order of sets, and with libraries whose state the caller has changed.
"""

from __future__ import annotations

from typing import Final


def _names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


NOTICED: Final = _names("""
    by_percent cached_line chained chosen_partial constant_of_a_library counted decodes
    default_of_a_library first_and_rest guesses_a_type handlers_of_a_logger handles_an_error
    installed_builtin is_verbose joined keeps_a_descriptor last_one listed listed_of_a_global
    longest mapped mode_of_a_file numbered of_a_comprehension of_a_global patched_builtin
    patched_encoder programs_name queued ratio reads_a_dialect reduced registered_function
    registered_kind registers_a_handler root_of spread strung_together
    temporary_directory timeout_of_a_socket warned written_out
""")

KEPT_HOME: Final = _names("""
    binds_arguments compares_records computes_in_a_context counts_regions integrates joins_tables layers_settings
    replays rounds_money runs_statistics sorts_by_a_given_key warns
""")
