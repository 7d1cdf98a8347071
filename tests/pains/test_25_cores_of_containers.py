"""Pain 25: core count ignores containers (cpython#80235, cpython#149452: 160 workers under a 2-CPU limit)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adaptive_exec.platform.cores import usable_cores

pytestmark = pytest.mark.full


@pytest.fixture
def limited(tmp_path: Path) -> tuple[Path, Path]:
    """Control groups as they are in a container that may use one CPU."""
    (tmp_path / "membership").write_text("0::/pod/container\n")
    group = tmp_path / "groups" / "pod" / "container"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("max 100000\n")
    (group.parent / "cpu.max").write_text("100000 100000\n")
    return tmp_path / "groups", tmp_path / "membership"


def test_the_standard_way(limited: tuple[Path, Path]) -> None:
    """What the standard pools count does not depend on the quota: they have no way to be told of it."""
    counted = os.cpu_count()
    (limited[0] / "pod" / "cpu.max").write_text("10000 100000\n")

    assert counted == os.cpu_count()


def test_ours(limited: tuple[Path, Path]) -> None:
    """The tightest quota of all groups around this process counts."""
    assert 1 == usable_cores(*limited)
