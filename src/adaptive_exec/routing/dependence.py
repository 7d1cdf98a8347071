"""Which settings and which libraries a call of a foreign function depends on.

What is named here is looked at before each call that leaves: `customs` knows how to ask for a setting, `patches` what a
library is.
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterator
from typing import Any, Final

from ..customs import DEPENDING, FILES

__all__ = ["FILES", "settings_of"]

_MAKING: Final = frozenset(
    f"os.{name}"
    for name in ("mkdir", "makedirs", "mkfifo", "mknod", "symlink", "link", "rename", "system", "popen")
)
_BY_NAME_ALONE: Final = frozenset(
    {"builtins", "typing", "abc", "enum", "sys", "types", "dataclasses", "contextlib", "adaptive_exec"}
)
"""Modules whose functions are pinned where they are named, or are read with what they wrap."""


def settings_of(name: str, node: Any) -> Iterator[str]:
    """Name what a call depends on.

    Args:
        name: The function's dotted name.
        node: The call.
    """
    top, _, rest = name.partition(".")
    if top != "os":
        yield from DEPENDING.get(top, ())
    if name in _MAKING or (name in ("builtins.open", "io.open") and not _only_reads(node)):
        yield "mask"
    if top in _BY_NAME_ALONE or not rest:
        return
    module = name.rpartition(".")[0]
    while module not in sys.modules and "." in module:
        module = module.rpartition(".")[0]
    if module not in sys.modules or _is_python(name, module):
        yield f"library:{module}"


def _only_reads(node: Any) -> bool:
    """Whether a call of `open` opens a file that must be there, by what is written."""
    given = [each.value for each in getattr(node, "keywords", ()) if each.arg == "mode"]
    mode = [*getattr(node, "args", ())[1:2], *given]
    if not mode:
        return isinstance(node, ast.Call)
    return isinstance(mode[0], ast.Constant) and set(str(mode[0].value)) <= set("rbtU")


def _is_python(name: str, module: str) -> bool:
    """Whether what has this name was written in Python, and so may use others of its module."""
    value = vars(sys.modules[module]).get(name.removeprefix(module + ".").partition(".")[0])
    if isinstance(value, type):
        return any(
            isinstance(member, types.FunctionType) for base in value.__mro__ for member in vars(base).values()
        )
    return isinstance(value, types.FunctionType) or value is None
