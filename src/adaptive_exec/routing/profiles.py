"""Learned profiles in a file, kept from run to run.

The file is JSON: numbers and names only, so reading it runs nobody's code. What it says of a function is used where the
function's code is the very same, on the same kind of interpreter. It is about speed, never about safety: what
may leave the process is found out anew in every run.

Guarantees:
    - Nothing that stands in the file, or happens to it, raises or ends anything but itself: what can't be used is
      ignored with a warning, and written anew at the end.
    - A reader sees a whole file, old or new: a new one takes the old one's place at once.
    - Processes that end at the same time keep each other's functions, where the system can lock a folder.
    - Its size is bounded: `MOST` functions; those that have not been met for longest are dropped.
Assumes:
    - `os.replace` within a folder is atomic.
Races:
    - two processes write at once: each reads what there is and writes more under the folder's lock:
      `tests/routing/test_profiles.py::test_two_write_at_once`
    - a process is killed while it writes: what it wrote into has another name, which the next one removes:
      `tests/routing/test_profiles.py::test_killed_while_it_writes`
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import threading
import time
import types
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ..fingerprints import code_parts
from ..platform.folder_lock import folder_lock
from ..platform.gil import gil_enabled
from ..profiling.keeping import Knowledge, as_numbers, from_numbers
from .store import FunctionRecord

__all__ = ["ProfileFile"]

FORMAT: Final = 1
MOST: Final = 4096
LARGEST: Final = 32 << 20
_TITLE: Final = "adaptive_exec profiles"
_HALF_WRITTEN: Final = ".new"


class ProfileFile:
    """One file of profiles.

    Args:
        path: Where it is; it need not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # What it means now: links may be elsewhere at the end, and so may the working directory.
        self._path = Path(os.path.realpath(path))
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] | None = None
        self._doubted = False

    def recall(self, record: FunctionRecord) -> None:
        """Tell a new record what another run has learned of its function, if anything."""
        with self._lock:
            if self._entries is None:
                self._entries = self._read(self._warn)
            entry = self._entries.get(_key(record))
        if entry is None:
            return
        try:
            known = from_numbers(entry.get("figures"))
        except ValueError as error:
            self._warn(f"what it says of {record.name} is ignored: {error}")
            return
        record.estimator.recall(known)
        record.recalled = True

    def keep(self, records: Iterable[FunctionRecord]) -> None:
        """Write down what is known of these functions, beside what is there already; warns if that can't be done."""
        now = int(time.time())
        fresh: dict[str, dict[str, Any]] = {}
        for record in records:
            known: Knowledge | None = record.estimator.knowledge()
            if known is not None:
                fresh[_key(record)] = {"name": record.name, "met": now, "figures": as_numbers(known)}
        if not fresh:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with folder_lock(self._path.parent):
                self._write(_newest({**self._read(_nobody), **fresh}))
        except OSError as error:
            self._warn(f"it can't be written: {error}")

    def _read(self, warn: Any) -> dict[str, dict[str, Any]]:
        """What stands in the file; nothing if there is none, or not one of ours."""
        try:
            with open(self._path, "rb") as file:
                data = file.read(LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            warn(f"it can't be read: {error}")
            return {}
        try:
            return _entries(data)
        except (ValueError, RecursionError) as error:
            warn(f"it is ignored: {error}")
            return {}

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        """Put a new file in the old one's place. Caller holds the folder's lock."""
        text = json.dumps({"title": _TITLE, "format": FORMAT, "functions": entries}, separators=(",", ":"))
        new = self._path.with_name(self._path.name + _HALF_WRITTEN)
        new.unlink(missing_ok=True)
        # Never through a link that somebody has put there, nor readable by more people than it has to be.
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(fd, "w", encoding="utf-8") as file:
                with contextlib.suppress(OSError):  # there is none yet, or it is somebody else's
                    os.chmod(new, stat.S_IMODE(os.stat(self._path).st_mode))
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink()
            raise

    def _warn(self, what: str) -> None:
        """Say once what is wrong with the file; programs that make errors of warnings go on, too."""
        if self._doubted:
            return
        self._doubted = True
        with contextlib.suppress(RuntimeWarning):
            warnings.warn(f"profiles in {str(self._path)!r}: {what}", RuntimeWarning, stacklevel=2)


def _nobody(what: str) -> None:
    """It has been said already."""


def _entries(data: bytes) -> dict[str, dict[str, Any]]:
    """The functions in a file.

    Raises:
        ValueError: It isn't one of ours, or not whole.
    """
    if len(data) > LARGEST:
        raise ValueError("it is larger than any that this library writes")
    try:
        found = json.loads(data)
    except ValueError:
        raise ValueError("it is not JSON, or not whole") from None
    if not isinstance(found, dict) or found.get("title") != _TITLE:
        raise ValueError("it holds something else")
    if found.get("format") != FORMAT:
        raise ValueError(f"its format is {found.get('format')!r}, and this library's is {FORMAT}")
    functions = found.get("functions")
    if not isinstance(functions, dict):
        raise ValueError("it holds no functions")
    good = {key: entry for key, entry in functions.items() if isinstance(entry, dict)}
    return _newest(good)


def _newest(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """As many as may be kept: those that were met last."""
    if len(entries) <= MOST:
        return entries
    by_age = sorted(entries, key=lambda key: _met(entries[key]), reverse=True)
    return {key: entries[key] for key in by_age[:MOST]}


def _met(entry: dict[str, Any]) -> int:
    """When a function was met last; never, if that can't be read."""
    met = entry.get("met")
    return met if isinstance(met, int) else 0


def _key(record: FunctionRecord) -> str:
    """What a function is called in the file: another code, or another kind of interpreter, is another function."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{sys.implementation.cache_tag} {sys.platform} {gil_enabled()} {record.name}".encode())
    for pin in record.pins:
        for part in _parts(pin):
            digest.update(b"\0" + part)
    return digest.hexdigest()


def _parts(pin: object) -> Iterator[bytes]:
    """What makes up a piece of code, wherever it stands: edits above it don't count; of anything else, its name."""
    if not isinstance(pin, types.CodeType):
        yield f"{getattr(pin, '__module__', '')}.{getattr(pin, '__qualname__', type(pin).__qualname__)}".encode()
        return
    if os.path.exists(pin.co_filename):  # a notebook's cells have other names in every run
        yield os.path.basename(pin.co_filename).encode()
    yield from code_parts(pin)
