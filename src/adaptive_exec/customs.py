"""What may be set in the standard library and in a process, and what a call's answer may then depend on.

A worker is told what its parent has set, but only of what the code that was read may depend on (`DEPENDING`). It
adopts what is plain (`ADOPTED`), and refuses the call if it finds another value for the rest. Each value is asked for
before each call that leaves: that costs about a microsecond, 30 for the mask of new files, which only code asks for
that may make some. What any code may depend on is in `contexts`.

Guarantees: a value is None or can be compared and pickled; asking for it changes nothing.
Assumes: where there is no `/proc`, nobody changes the mask for new files.
Races: two threads ask at once: what is kept from one time to the next is one tuple, which either of them replaces.
"""

from __future__ import annotations

import importlib
import operator
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any, Final

from . import contexts
from .faithful import is_foreign
from .patches import library

__all__ = ["ADOPTED", "DEPENDING", "FILES", "level", "settle", "value_of"]

FILES: Final = frozenset(
    {
        *("open", "touch", "mkdir", "write_text", "write_bytes", "symlink_to", "hardlink_to"),
        *("save", "savefig", "tofile", "to_csv", "to_json", "to_pickle", "to_parquet"),
    }
)
"""Methods that may make files."""

_MASK: Final = ("mask",)

DEPENDING: Final[dict[str, tuple[str, ...]]] = {
    "csv": ("csv",),
    **dict.fromkeys(("argparse", "optparse", "getopt", "fileinput"), ("argv",)),
    **dict.fromkeys(("socket", "ssl", "http", "smtplib", "ftplib", "poplib", "imaplib"), ("socket",)),
    **dict.fromkeys(("xmlrpc", "socketserver", "telnetlib", "nntplib"), ("socket",)),
    "urllib": ("socket", "schemes"),
    "mimetypes": ("mimetypes",),
    "tempfile": ("tempdir", "mask"),
    **dict.fromkeys(("zipfile", "tarfile", "dbm", "shelve", "subprocess", "wave"), _MASK),
    "sqlite3": ("mask", "sqlite3"),
    "shutil": ("mask", "shutil"),
    "copy": ("copyreg",),
    "logging": ("names",),
    "xml": ("namespaces",),
    "email": ("charsets",),
    "html": ("entities",),
}
"""What the functions of a top-level module depend on."""


_dialects: tuple[list[Any], tuple[Any, ...]] = ([], ())


def _csv() -> Any:
    """Dialects, and how long a field may be."""
    global _dialects
    csv: Any = sys.modules.get("_csv")
    if csv is None:
        return None
    names = csv.list_dialects()
    found = [
        csv.get_dialect(name) for name in names
    ]  # the very objects that were registered, which don't change
    seen, told = _dialects
    if (
        len(seen) != len(found)
        or any(map(operator.is_not, seen, found))
        or names != [each[0] for each in told]
    ):
        told = tuple(
            [
                (name, *(getattr(each, field) for field in _FIELDS))
                for name, each in zip(names, found, strict=True)
            ]
        )
        _dialects = found, told
    return csv.field_size_limit(), frozenset(told)


_FIELDS: Final = (
    *("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting"),
    *("skipinitialspace", "strict"),
)


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


_types: tuple[tuple[dict[Any, Any], dict[Any, Any], int], ...] = ()


def _mimetypes() -> Any:
    """The tables of types, as checksums, made anew when one of them has changed."""
    global _types
    mimetypes: Any = sys.modules.get("mimetypes")
    if mimetypes is None or not mimetypes.inited:
        return None
    database = mimetypes._db
    tables = (*database.types_map, database.suffix_map, database.encodings_map)
    seen = _types
    if len(seen) != len(tables) or any(
        now is not table or now != copy for now, (table, copy, _) in zip(tables, seen, strict=True)
    ):
        seen = tuple((each, dict(each), zlib.crc32(repr(sorted(each.items())).encode())) for each in tables)
        _types = seen
    return tuple(each[2] for each in seen)


def _sqlite3() -> Any:
    """What has been registered to be kept in a database, and to be read from it."""
    module: Any = sys.modules.get("_sqlite3")
    if module is None:
        return None
    made = [
        (f"{kind.__module__}.{kind.__qualname__}", _named(each))
        for (kind, _), each in module.adapters.items()
    ]
    return frozenset(made), frozenset((name, _named(each)) for name, each in module.converters.items())


def _shutil() -> Any:
    """The kinds of archives."""
    module: Any = sys.modules.get("shutil")
    if module is None:
        return None
    return tuple(
        frozenset((name, _named(each[place])) for name, each in formats.items())
        for formats, place in ((module._ARCHIVE_FORMATS, 0), (module._UNPACK_FORMATS, 1))
    )


def _copyreg() -> Any:
    """How classes are copied that are not the standard library's, nor another's."""
    import copyreg

    return frozenset(
        (f"{kind.__module__}.{kind.__qualname__}", _named(each))
        for kind, each in list(copyreg.dispatch_table.items())
        if not is_foreign(kind.__module__)
    )


def _tables(*places: tuple[str, str]) -> Callable[[], Any]:
    """Asks for tables of a library into which names may be put: their items, or how many where that is a lot."""

    def ask() -> Any:
        found: list[Any] = []
        for module, name in places:
            if module not in sys.modules:
                return None
            table: Any = vars(sys.modules[module]).get(name, ())
            items = table.items() if isinstance(table, dict) else table
            found.append(tuple(map(str, items)) if len(table) <= _SHORT else len(table))
        return tuple(found)

    return ask


_SHORT: Final = 200
_TABLES: Final = ("names", "namespaces", "charsets", "entities", "schemes")


def _named(value: Any) -> str:
    """What a function is called."""
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


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
    "sqlite3": _sqlite3,
    "shutil": _shutil,
    "copyreg": _copyreg,
    "names": _tables(("logging", "_levelToName"), ("logging", "_nameToLevel")),
    "namespaces": _tables(("xml.etree.ElementTree", "_namespace_map")),
    "charsets": _tables(*(("email.charset", name) for name in ("CHARSETS", "ALIASES", "CODEC_MAP"))),
    "entities": _tables(("html.entities", "html5"), ("html.entities", "name2codepoint")),
    "schemes": _tables(*(("urllib.parse", f"uses_{name}") for name in ("relative", "netloc", "params"))),
}
ADOPTED: Final[dict[str, Callable[[Any], None]]] = {
    "argv": _adopt_argv,
    "tempdir": _adopt_tempdir,
    "mask": _adopt_mask,
}
"""How a worker makes its parent's setting its own."""


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


_LOADED: Final = {
    **{name: name for name in ("csv", "sqlite3", "shutil")},
    "names": "logging",
    "namespaces": "xml.etree.ElementTree",
    "charsets": "email.charset",
    "entities": "html.entities",
    "schemes": "urllib.parse",
}


def _load(name: str) -> None:
    """Load what the parent has loaded."""
    if name == "mimetypes":
        import mimetypes

        if not mimetypes.inited:
            mimetypes.init()
    elif name in _LOADED:
        importlib.import_module(_LOADED[name])  # nothing is registered before
    elif name.startswith("library:"):
        importlib.import_module(name.partition(":")[2])


def settle(settings: tuple[tuple[str, Any], ...]) -> str | None:
    """In a worker: adopt what can be adopted; the name of something that is otherwise here, None if nothing is.

    Args:
        settings: Names and the parent's values.
    """
    for name, theirs in settings:
        if name in contexts.NAMES:
            if contexts.adopt(name, theirs):
                continue
            return name
        if theirs is not None:
            _load(name)
        if theirs is None and (name.startswith("library:") or name in _TABLES):
            continue  # it was not loaded there
        if value_of(name) == theirs:
            continue
        adopt = ADOPTED.get(name)
        if adopt is not None:
            adopt(theirs)
        if adopt is None or value_of(name) != theirs:
            return name
    return None
