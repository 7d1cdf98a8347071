"""What a worker was told of its parent, kept for whoever asks for it later.

Most workers never use a shared primitive, so they start without loading `primitives`, which looks here when it
is loaded.
"""

from __future__ import annotations

__all__ = ["home"]

home: bytes | None = None
"""The pickled address of the parent's primitives; None in a process that is nobody's worker."""
