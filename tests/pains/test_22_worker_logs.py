"""Pain 22: worker logs vanish (mapchete/mapchete#185, agronholm/anyio#516)."""

from __future__ import annotations

import logging

import pytest

from adaptive_exec import AdaptiveExecutor
from tests import telling
from tests.pains.support import standard

pytestmark = pytest.mark.full


def test_the_standard_way(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of what a worker logs is seen by the handlers of the program."""
    with caplog.at_level(logging.INFO), standard() as pool:
        pool.submit(telling.say, "hello", level=logging.INFO).result(30)
        pool.submit(telling.say, "careful").result(30)

    assert [] == caplog.records


def test_ours(caplog: pytest.LogCaptureFixture) -> None:
    """All that the program wants to have logged is there when the result is, from whichever process."""
    with caplog.at_level(logging.INFO), AdaptiveExecutor(max_processes=1) as executor:
        pool = executor.options(backend="process")
        pool.submit(telling.say, "hello", level=logging.INFO).result(20)
        assert ["hello"] == caplog.messages
        pool.submit(telling.say, "a detail", level=logging.DEBUG).result(20)
        pool.submit(telling.say_and_fail).result(20)

    assert ["hello", "it failed"] == caplog.messages
    assert "KeyError: 'inner'" in caplog.text
