"""The demo's input: the modules of the interpreter's own standard library."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from adaptive_exec.cli.errors import CommandError

__all__ = ["batches", "largest", "stdlib_modules", "warm_file_cache"]

_SKIPPED = frozenset(
    {
        "__pycache__",
        "dist-packages",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "test",
        "tests",
        "turtledemo",
    }
)


def stdlib_modules() -> list[Path]:
    """Every module of the standard library in a fixed order, without its tests and its applications.

    Raises:
        CommandError: if this Python came without the sources of its library.
    """
    root = sysconfig.get_path("stdlib")
    found = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in _SKIPPED)
        sources = [Path(folder, name) for name in sorted(files) if name.endswith(".py")]
        # Debian links `sitecustomize.py` to where it may not be.
        found += [path for path in sources if path.is_file() and os.access(path, os.R_OK)]
    if not found:
        raise CommandError(f"no Python sources in {root}: the demo reads the standard library's own files")
    return found


def batches(paths: Sequence[Path], count: int, size: int) -> list[tuple[Path, ...]]:
    """`count` windows of `size` consecutive files each, spread evenly and going round at the end."""
    doubled = [*paths, *paths]
    starts = (number * len(paths) // count for number in range(count))
    return [tuple(doubled[start : start + size]) for start in starts]


def largest(paths: Sequence[Path], count: int) -> list[Path]:
    """The `count` largest files, largest first; of two of one size the one that came first."""
    return sorted(paths, key=lambda path: -path.stat().st_size)[:count]


def warm_file_cache(paths: Sequence[Path]) -> None:
    """Read every file once, so that no way of running pays for the disk."""
    for path in paths:
        path.read_bytes()
