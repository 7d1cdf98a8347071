"""How much memory this process has for itself."""

from __future__ import annotations

import os

__all__ = ["private_bytes"]


def private_bytes() -> int | None:
    """Resident memory that is not shared with others and is not a file's; None where the system doesn't tell."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            fields = file.read(256).split()
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
