"""What is known to go wrong: each name here is a gap, and goes when its gap does.

What is noticed has to do with special methods that reading the code does not follow, with identity, with what pickling
loses, and with classes of arguments that stand in modules which were not read.
"""

from __future__ import annotations

from typing import Final


def _names(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


NOTICED: Final = _names("""
    added_to are_equal asks_for_a_missing_member asks_whether_it_derives asks_whether_it_is_one
    believes_what_has_a_length calls_a_helper_with_a_manager calls_through_a_class_attribute
    calls_what_a_partial_holds calls_what_comes_pickled calls_what_was_pickled checked_out
    copies_into_a_tee counts_rows fails_in_a_context fails_with_a_cause fetches_any_attribute goods_of
    holds holds_the_nan hours_between is_same_time is_the_name length_of lists_what_has_a_length
    makes_a_report makes_a_string_of_what_is_inside makes_bytes matches_an_attribute names_rows
    plain_of rate_of remembers_a_match remembers_an_error root_of shares_memory size_of
    sorts_through_a_getter square_of text_of through_the_frame_of_a_generator total_of
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
