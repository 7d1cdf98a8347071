"""Which files are the standard library's, or installed: nobody's own code."""

from __future__ import annotations

import os
import site
import sys
from typing import Final

__all__ = ["is_installed"]


def _places() -> tuple[str, ...]:
    """The folders, each with a separator behind it; `sysconfig` knows them, too, and takes 2 ms to load."""
    library = os.path.dirname(os.__file__)
    standard = [library, os.path.join(sys.exec_prefix, sys.platlibdir, os.path.basename(library))]
    installed = [*site.getsitepackages(), site.getusersitepackages()]
    # Windows counts the folder of Python itself, in which people keep what they like.
    packages = [path for path in installed if os.path.basename(path) in ("site-packages", "dist-packages")]
    return tuple({os.path.join(path, "") for path in (*standard, *packages)})


_PLACES: Final = _places()


def is_installed(file: str) -> bool:
    """Tell whether a module's file belongs to the standard library or to an installed package.

    Args:
        file: Its path, as in `__file__`.
    """
    return file.startswith(_PLACES)
