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
    added_to are_equal asks_for_a_missing_member asks_whether_it_derives asks_whether_it_is_one
    believes_what_has_a_length by_percent cached_line calls_a_helper_with_a_manager
    calls_through_a_class_attribute calls_what_a_partial_holds calls_what_comes_pickled
    calls_what_was_pickled chained checked_out chosen_partial constant_of_a_library copies_into_a_tee
    counted counts_rows decodes default_of_a_library fails_in_a_context fails_with_a_cause
    fetches_any_attribute first_and_rest goods_of guesses_a_type handlers_of_a_logger handles_an_error
    holds holds_the_nan hours_between installed_builtin is_same_time is_the_name is_verbose joined
    keeps_a_descriptor last_one length_of listed listed_of_a_global lists_what_has_a_length longest
    makes_a_report makes_a_string_of_what_is_inside makes_bytes mapped matches_an_attribute
    mode_of_a_file names_rows numbered of_a_comprehension of_a_global patched_builtin patched_encoder
    plain_of programs_name queued rate_of ratio reads_a_dialect reduced registered_function
    registered_kind registers_a_handler remembers_a_match remembers_an_error root_of shares_memory
    size_of sorted_by_length sorts_through_a_getter spread square_of strung_together
    temporary_directory text_of through_the_frame_of_a_generator timeout_of_a_socket total_of warned
    written_out
""")

KEPT_HOME: Final = _names("""
    binds_arguments compares_records computes_in_a_context counts_regions integrates joins_tables layers_settings
    replays rounds_money runs_statistics sorts_by_a_given_key warns
""")
