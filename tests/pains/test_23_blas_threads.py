"""Pain 23: BLAS threads times workers (joblib/joblib#834, scikit-learn/scikit-learn#34736)."""

from __future__ import annotations

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.backends.processes.launch import CAPS
from adaptive_exec.platform.cores import usable_cores
from tests import telling
from tests.pains.support import standard

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def _not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has said nothing."""
    pytest.importorskip("numpy")
    for name in CAPS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(usable_cores() < 2, reason="one core, one thread")
def test_the_standard_way() -> None:
    """In each worker a matrix product starts a thread for every core."""
    with standard() as pool:
        before, after = pool.submit(telling.multiply).result(40)

    assert before < after


def test_ours() -> None:
    """Each worker has its share of the cores: one, if there are as many workers as cores."""
    with AdaptiveExecutor() as executor:
        before, after = executor.options(backend="process").submit(telling.multiply).result(40)

    assert after <= before
