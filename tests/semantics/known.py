"""What is known to go wrong: each name here is a gap, and goes when its gap does.

What is noticed has to do with special methods that reading the code does not follow, with identity, with what pickling
loses, with the order of sets, with classes of arguments that stand in modules which were not read, and with libraries
whose state the caller has changed.
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
    registered_kind registers_a_handler root_of sorted_by_length spread strung_together
    temporary_directory timeout_of_a_socket warned written_out
""")

KEPT_HOME: Final = _names("""
    Order.by_kind Polynomial Vector.polar Vector.walk archives binds_arguments blurs bootstraps
    brightens builds_a_trie clusters compares_records composes computes_by_table computes_expressions
    computes_in_a_context computes_in_an_own_context continues_fractions converts_units
    counts_by_subclass counts_laps counts_regions counts_workdays deals decomposes delegates
    describes_shapes discounts encloses encrypts evolves factors fills_shelves
    fills_templates finds_a_path finds_common finds_easter finds_levels finds_roots fits_a_line flows
    grades groups_with_an_own_key heats huffman hull integrates inverts_exactly joins_tables
    keeps_sorted layers_settings makes_keys measures_given_shapes merges_deeply merkle
    multiplies_polynomials nests opens_a_plain_shop opens_a_shop reads_xml
    orders_by_levels outlines_pages packs_a_bag packs_records
    parses_expressions pivots powers_of_a_matrix ranks_pages repeats
    replays reports rewrites_addresses rounds_money runs_plugins runs_statistics shifts_tokens shunts
    signs solves_equations sorts_by_a_given_key summarises summarises_given suppresses taxes
    traces_of_matrices trains transforms_by_fourier unpacks_records validates validates_by_own_rules
    walks_randomly warns writes_xml
""")
