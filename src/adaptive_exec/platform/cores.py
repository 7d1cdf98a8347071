"""How many cores this process may really use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["usable_cores"]


def usable_cores(
    cgroup_root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> int:
    """Cores by affinity and by the CPU quota of the control group, not by what the machine has.

    What Python itself was told (`PYTHON_CPU_COUNT`, `-X cpu_count`) counts as affinity.

    Args:
        cgroup_root: Where control groups are mounted.
        membership: The file that names this process's groups.

    Returns:
        At least 1. A quota of two and a half cores counts as three.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    told = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    if told is not None:
        cores = told() or 1
    else:
        cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota = _quota(cgroup_root, membership)
    if quota is not None:
        cores = min(cores, max(1, -int(-quota // 1)))
    return max(1, cores)


def _quota(root: Path, membership: Path) -> float | None:
    """The tightest CPU quota of this process's groups, in cores; None if there is none."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    found: list[float] = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        read = _read_v1 if controllers else _read_v2
        # The first generation has a folder for each set of controllers, and `cpu` may be a link to it or not be
        # there; beside it the second one stands in a folder of its own.
        for base in (root / "cpu", root / controllers) if controllers else (root, root / "unified"):
            found += _limits(base, path, read)
    return min(found, default=None)


def _limits(base: Path, path: str, read: Callable[[Path], float | None]) -> list[float]:
    """The limits of a group and of all the groups that it lies in.

    A limit anywhere above holds as well. Inside a container the path may not be visible below the mount, where
    the mount itself is the group.
    """
    group = base / path.lstrip("/")
    folders = [group, *group.parents]
    if base not in folders:
        return []
    limits = map(read, folders[: folders.index(base) + 1])
    return [limit for limit in limits if limit is not None]


def _read_v2(group: Path) -> float | None:
    """`cpu.max`: quota and period in microseconds, or `max`."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_v1(group: Path) -> float | None:
    """`cpu.cfs_quota_us` over `cpu.cfs_period_us`; -1 means no limit."""
    try:
        quota = int((group / "cpu.cfs_quota_us").read_text())
        return None if quota <= 0 else quota / int((group / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError, ZeroDivisionError):
        return None
