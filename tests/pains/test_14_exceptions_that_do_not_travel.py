"""Pain 14: an exception that can't be read again looks like a crash (cpython#103061)."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

import pytest

from adaptive_exec import AdaptiveExecutor
from tests import work
from tests.pains.support import standard

pytestmark = pytest.mark.full


def test_the_standard_way() -> None:
    """The pool breaks, and what was raised is never told."""
    with standard(1) as pool:
        with pytest.raises(BrokenProcessPool) as caught:
            pool.submit(work.raise_awkward).result(20)
        assert "one" not in str(caught.value)


def test_ours() -> None:
    """The error arrives wrapped, with its text and its traceback, and the pool serves on."""
    with AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        with pytest.raises(RuntimeError, match="Awkward: one") as caught:
            pool.submit(work.raise_awkward).result(20)
        assert "in raise_awkward" in str(caught.value.__cause__)
        assert 2 == pool.submit(work.double, 1).result(20)
