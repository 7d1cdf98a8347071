"""What the state of every primitive has in common, whether it lives here or elsewhere."""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["Core"]


class Core:
    """The state of one primitive, or the way to it. Faces are thin and point here.

    Attributes:
        oid: Its number in its home process.
        faces: The objects of this process that show it; one, except where two were made before they met.
            Belongs to the registry's mutex.
        elsewhere: True if it lives in another process.
    """

    __slots__ = ("__weakref__", "faces", "oid")

    elsewhere = False
    kind: str = ""

    def __init__(self) -> None:
        self.oid = 0
        self.faces: tuple[weakref.ref[Any], ...] = ()

    def parameters(self) -> tuple[Any, ...]:
        """The arguments it was made with."""
        return ()

    def pristine(self) -> bool:
        """True if nobody has used it so far, or nothing is left of the use."""
        return True
