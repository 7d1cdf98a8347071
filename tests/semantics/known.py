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
    binds_arguments compares_records computes_in_a_context counts_regions orders_by_levels integrates joins_tables layers_settings
    replays rounds_money runs_statistics sorts_by_a_given_key warns
""")
