"""What stands in a forked child for a primitive that lives in the parent and can't be reached there."""

from __future__ import annotations

import os
from typing import Any, NoReturn, final

from .core import Core

__all__ = ["ForeignCore"]


@final
class ForeignCore(Core):
    """Raises whatever one does with it."""

    __slots__ = ("_parameters", "kind")

    def __init__(self, core: Core) -> None:
        super().__init__()
        self.kind = core.kind
        self._parameters = core.parameters()

    def __getattr__(self, name: str) -> NoReturn:
        raise self.error()

    def error(self) -> RuntimeError:
        """Make the error that every use raises."""
        return RuntimeError(
            f"this {self.kind} lives in the process that forked this one ({os.getppid()}) and was never shared; "
            "pass it to the child instead of inheriting it, or call home_address() before you fork"
        )

    def parameters(self) -> tuple[Any, ...]:
        """The arguments it was made with."""
        return self._parameters
