"""What a message carries as it is."""

from __future__ import annotations

from typing import Any

import pytest

from adaptive_exec.backends.processes.plain import is_plain, plain_size
from adaptive_exec.backends.processes.shelf import THRESHOLD
from adaptive_exec.chunks import ChunkOutcome


class Number(int):
    """It may have methods of its own."""


def given(*values: Any, error: BaseException | None = None) -> ChunkOutcome:
    """What a chunk gave."""
    return ChunkOutcome(list(values), error)


PLAIN = [None, True, 7, 0.5, "text", b"bytes", "x" * (THRESHOLD - 1)]
NOT_PLAIN = ["x" * THRESHOLD, b"x" * THRESHOLD, [1], (1,), {}, object(), Number(1), int]


@pytest.mark.parametrize("value", PLAIN)
def test_what_is_plain(value: Any) -> None:
    """By itself, and as what a chunk gave."""
    assert is_plain(value)
    assert is_plain(given(value, 1))


@pytest.mark.parametrize("value", NOT_PLAIN)
def test_what_is_not(value: Any) -> None:
    """Nor is a chunk that has given one."""
    assert not is_plain(value)
    assert not is_plain(given(1, value))


def test_a_chunk_that_failed_is_not_plain() -> None:
    """To read an error runs its class's code."""
    assert not is_plain(given(1, error=ValueError()))


@pytest.mark.parametrize(
    ("value", "size"), [(1, 8), (None, 8), ("four", 4), (b"12", 2), (given(1, "four", b"12"), 14)]
)
def test_sizes(value: Any, size: int) -> None:
    """About as many bytes as a message gets longer by."""
    assert size == plain_size(value)
