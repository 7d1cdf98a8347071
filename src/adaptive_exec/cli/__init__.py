"""The command `adaptive-exec`."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; see `adaptive_exec.cli.app.main`."""
    # A worker that imports one of the demo's functions imports this package too, and needs no argparse.
    from adaptive_exec.cli.app import main as run

    return run(argv)
