"""What may be set in the standard library and in a process, and what a call's answer may then depend on.

A worker is told what its parent has set, but only of what the code that was read may depend on (`DEPENDING`). It
adopts what is plain (`ADOPTED`), and refuses the call if it finds another value for the rest. Each value is asked for
before each call that leaves: that costs about a microsecond, 30 for the mask of new files, which only code asks for
that may make some. The context of decimals is told always once it was found to be another one than the usual: any
argument may be a decimal.

Guarantees: a value is None or can be compared and pickled; asking for it changes nothing.
Assumes: where there is no `/proc`, nobody changes the mask for new files.
"""

from __future__ import annotations

import contextvars
import importlib
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any, Final

from .patches import library

__all__ = ["ADOPTED", "DECIMALS", "DEPENDING", "FILES", "decimals", "level", "settle", "value_of"]

FILES: Final = frozenset(
    {
        *("open", "touch", "mkdir", "write_text", "write_bytes", "symlink_to", "hardlink_to"),
        *("save", "savefig", "tofile", "to_csv", "to_json", "to_pickle", "to_parquet"),
    }
)
"""Methods that may make files."""

DECIMALS: Final = "decimal"
_MASK: Final = ("mask",)

DEPENDING: Final[dict[str, tuple[str, ...]]] = {
    "csv": ("csv",),
    **dict.fromkeys(("argparse", "optparse", "getopt", "fileinput"), ("argv",)),
    **dict.fromkeys(
        ("socket", "ssl", "http", "urllib", "smtplib", "ftplib", "poplib", "imaplib"), ("socket",)
    ),
    **dict.fromkeys(("xmlrpc", "socketserver", "telnetlib", "nntplib"), ("socket",)),
    "mimetypes": ("mimetypes",),
    "tempfile": ("tempdir", "mask"),
    **dict.fromkeys(
        ("shutil", "zipfile", "tarfile", "sqlite3", "dbm", "shelve", "subprocess", "wave"), _MASK
    ),
}
"""What the functions of a top-level module depend on."""


def _csv() -> Any:
    """Dialects, and how long a field may be."""
    csv: Any = sys.modules.get("_csv")
    if csv is None:
        return None
    names = ("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting")
    more = ("skipinitialspace", "strict")
    dialects = []
    for name in sorted(csv.list_dialects()):
        dialect = csv.get_dialect(name)
        dialects.append((name, *(getattr(dialect, each) for each in (*names, *more))))
    return csv.field_size_limit(), tuple(dialects)


def _socket() -> Any:
    """The timeout of new sockets."""
    socket = sys.modules.get("socket")
    return None if socket is None else socket.getdefaulttimeout()


def _argv() -> Any:
    """What the program was called with."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return tuple(map(str, sys.argv)), getattr(spec, "name", None) if sys.version_info >= (3, 14) else None


def _adopt_argv(value: Any) -> None:
    """Be called like the parent."""
    sys.argv[:] = value[0]


def _tempdir() -> Any:
    """Where temporary files go."""
    tempfile = sys.modules.get("tempfile")
    return None if tempfile is None else tempfile.tempdir


def _adopt_tempdir(value: Any) -> None:
    """Let them go there."""
    import tempfile

    tempfile.tempdir = value


def _mask() -> Any:
    """The mask for new files; None if there is no way to ask for it without changing it."""
    try:
        with open("/proc/self/status", "rb") as file:
            _, found, rest = file.read(4096).partition(b"\nUmask:")
    except OSError:
        return None
    return int(rest.split(b"\n", 1)[0], 8) if found else None


def _adopt_mask(value: Any) -> None:
    """Make new files as the parent does."""
    if value is not None:
        os.umask(value)


_types: list[tuple[dict[Any, Any], dict[Any, Any], int]] = []


def _mimetypes() -> Any:
    """The tables of types, as checksums, made anew when one of them has changed."""
    mimetypes: Any = sys.modules.get("mimetypes")
    if mimetypes is None or not mimetypes.inited:
        return None
    database = mimetypes._db
    tables = (*database.types_map, database.suffix_map, database.encodings_map)
    if len(_types) != len(tables) or any(
        now is not table or now != copy for now, (table, copy, _) in zip(tables, _types, strict=True)
    ):
        _types[:] = [(each, dict(each), zlib.crc32(repr(sorted(each.items())).encode())) for each in tables]
    return tuple(each[2] for each in _types)


def level(name: str) -> tuple[int, int]:
    """From which level on a logger logs, and up to which nothing is logged at all."""
    import logging

    return logging.getLogger(name).getEffectiveLevel(), logging.root.manager.disable


_ASKED: Final[dict[str, Callable[[], Any]]] = {
    "csv": _csv,
    "socket": _socket,
    "argv": _argv,
    "tempdir": _tempdir,
    "mask": _mask,
    "mimetypes": _mimetypes,
}
ADOPTED: Final[dict[str, Callable[[Any], None]]] = {
    "argv": _adopt_argv,
    "tempdir": _adopt_tempdir,
    "mask": _adopt_mask,
}
"""How a worker makes its parent's setting its own."""

_USUAL: Final = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0)
_TRAPS: Final = frozenset({"InvalidOperation", "DivisionByZero", "Overflow"})
_unusual = False


def value_of(name: str) -> Any:
    """What a setting is now.

    Args:
        name: One that `DEPENDING` names, or `level:` and the name of a logger, or `library:` and that of a module.
    """
    kind, _, rest = name.partition(":")
    if kind == "level":
        return level(rest)
    if kind == "library":
        found = library(rest)
        return None if found is None else found.number()
    return _ASKED[name]()


def decimals(context: contextvars.Context | None) -> tuple[Any, ...]:
    """The setting of decimals for a call: empty as long as everybody computes as usual.

    Args:
        context: The one in which the call would run here; None for the one that runs now.
    """
    global _unusual
    now = _decimals(context)
    _unusual = _unusual or now is not None
    return ((DECIMALS, now),) if _unusual else ()


def _decimals(context: contextvars.Context | None) -> Any:
    """The context of decimals in plain values; None if it is the usual one."""
    module: Any = sys.modules.get("decimal")
    if module is None:
        return None
    found = module.getcontext() if context is None else context.run(module.getcontext)
    fields = found.__reduce__()[1]
    traps = frozenset(each.__name__ for each in fields[7])
    return None if tuple(fields[:6]) == _USUAL and traps == _TRAPS else (*fields[:6], *sorted(traps))


def _adopt_decimals(value: Any) -> None:
    """Compute as the parent does."""
    if value == _decimals(None):
        return
    import decimal

    fields, traps = (_USUAL, _TRAPS) if value is None else (value[:6], value[6:])
    context: Any = decimal.Context
    decimal.setcontext(context(*fields, [], [getattr(decimal, each) for each in sorted(traps)]))


def _load(name: str) -> None:
    """Load what the parent has loaded."""
    if name == "mimetypes":
        import mimetypes

        if not mimetypes.inited:
            mimetypes.init()
    elif name == "csv":
        import csv  # noqa: F401  there are no dialects before
    elif name.startswith("library:"):
        importlib.import_module(name.partition(":")[2])


def settle(settings: tuple[tuple[str, Any], ...]) -> str | None:
    """In a worker: adopt what can be adopted; the name of something that is otherwise here, None if nothing is.

    Args:
        settings: Names and the parent's values.
    """
    for name, theirs in settings:
        if name == DECIMALS:
            _adopt_decimals(theirs)
            continue
        if theirs is not None:
            _load(name)
        if theirs is None and name.startswith("library:"):
            continue  # it was not loaded there
        if value_of(name) == theirs:
            continue
        adopt = ADOPTED.get(name)
        if adopt is not None:
            adopt(theirs)
        if adopt is None or value_of(name) != theirs:
            return name
    return None
