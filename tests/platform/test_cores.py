"""Usable cores: affinity and quota, both generations of control groups."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adaptive_exec.platform.cores import usable_cores

pytestmark = pytest.mark.full


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A control group's folder, and beside it the file that names it."""
    (tmp_path / "membership").write_text("0::/box/inner\n")
    folder = tmp_path / "root" / "box" / "inner"
    folder.mkdir(parents=True)
    return folder


def cores(group: Path) -> int:
    top = group.parents[2]
    return usable_cores(top / "root", top / "membership")


def test_no_quota(group: Path) -> None:
    """Without a limit it is the affinity."""
    (group / "cpu.max").write_text("max 100000\n")

    assert len(os.sched_getaffinity(0)) == cores(group)


@pytest.mark.parametrize(
    ("quota", "expected"), [("50000 100000", 1), ("150000 100000", 2), ("100 100000", 1)]
)
def test_quota(group: Path, quota: str, expected: int) -> None:
    """A quota is rounded up, never to less than one, and never above the affinity."""
    (group / "cpu.max").write_text(quota)

    assert min(expected, len(os.sched_getaffinity(0))) == cores(group)


def test_quota_of_an_outer_group(group: Path) -> None:
    """The tightest limit on the way up holds."""
    (group / "cpu.max").write_text("max 100000")
    (group.parent / "cpu.max").write_text("100000 100000")

    assert 1 == cores(group)


def test_first_generation(tmp_path: Path) -> None:
    """The older files are read, too, and -1 there means no limit."""
    (tmp_path / "membership").write_text("4:cpu,cpuacct:/box\n3:memory:/box\n")
    folder = tmp_path / "root" / "cpu" / "box"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_period_us").write_text("100000")
    (folder / "cpu.cfs_quota_us").write_text("-1")
    assert len(os.sched_getaffinity(0)) == usable_cores(tmp_path / "root", tmp_path / "membership")

    (folder / "cpu.cfs_quota_us").write_text("90000")
    assert 1 == usable_cores(tmp_path / "root", tmp_path / "membership")


def test_rubbish(group: Path) -> None:
    """A file that makes no sense is no limit."""
    (group / "cpu.max").write_text("lots")

    assert len(os.sched_getaffinity(0)) == cores(group)


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_first_generation_under_any_name(tmp_path: Path, folder: str) -> None:
    """The folder may be called after one controller or after all of them, and an outer limit holds."""
    (tmp_path / "membership").write_text("4:cpu,cpuacct:/box/inner\n0::/elsewhere\n")
    outer = tmp_path / "root" / folder / "box"
    (outer / "inner").mkdir(parents=True)
    for group, quota in ((outer, "70000"), (outer / "inner", "-1")):
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text(quota)

    assert 1 == usable_cores(tmp_path / "root", tmp_path / "membership")


def test_second_generation_beside_the_first(tmp_path: Path) -> None:
    """Its own mount lies in a folder of the first one's."""
    (tmp_path / "membership").write_text("0::/box\n")
    folder = tmp_path / "root" / "unified" / "box"
    folder.mkdir(parents=True)
    (folder / "cpu.max").write_text("100000 100000")

    assert 1 == usable_cores(tmp_path / "root", tmp_path / "membership")


def test_a_container_whose_group_has_another_name_outside(tmp_path: Path) -> None:
    """The path of the host is not there; the mount itself is the group."""
    (tmp_path / "membership").write_text("0::/../../docker/0123\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "cpu.max").write_text("100000 100000")

    assert 1 == usable_cores(tmp_path / "root", tmp_path / "membership")


def test_affinity() -> None:
    """One core that may be used is one, however many there are."""
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from adaptive_exec.platform.cores import usable_cores; print(usable_cores())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)

    assert "1\n" == done.stdout
