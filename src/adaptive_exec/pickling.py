"""Turning objects into bytes that another process of ours can read.

Plain pickle does it where it works, since it is several times faster; cloudpickle does the rest:
lambdas, closures, and whatever is defined in `__main__`, which a worker process does not run.

Objects of `__main__` keep their identity on the way back: a worker, where they exist only as
copies, names them (`__main__`, qualified name) instead of sending a copy of its copy, so that
`isinstance(result, Point)` holds at home.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import cloudpickle  # type: ignore[import-untyped, unused-ignore]

from .errors import NotPicklable

__all__ = ["dumps", "is_by_name", "loads", "set_main_elsewhere", "size_within"]

_PROTOCOL = 5
_main_elsewhere = False
_of_main: dict[str, Any] = {}  # in a worker: copies of the parent's `__main__` objects, by qualified name


def set_main_elsewhere() -> None:
    """Say that this process is a worker whose `__main__` is not the user's."""
    global _main_elsewhere
    _main_elsewhere = True


def _from_main(qualname: str) -> Any:
    """Find an object of the user's `__main__` by its qualified name; in a worker, its copy."""
    if qualname in _of_main:
        return _of_main[qualname]
    found: Any = sys.modules["__main__"]
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


class _WorkerPickler(cloudpickle.Pickler):  # type: ignore[misc, unused-ignore]
    """Sends what came from the parent's `__main__` back by name."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (type, types.FunctionType)) and obj.__module__ == "__main__":
            qualname = obj.__qualname__
            if "<" not in qualname:
                _of_main[qualname] = obj
                return _from_main, (qualname,)
        return super().reducer_override(obj)


def _by_value(obj: object, *, home: bool = False) -> bytes:
    """Pickle with cloudpickle, or, in a worker and for its parent, with the variety that names `__main__`'s."""
    with io.BytesIO() as file:
        pickler = _WorkerPickler if home and _main_elsewhere else cloudpickle.Pickler
        pickler(file, protocol=_PROTOCOL).dump(obj)
        return file.getvalue()


def dumps(obj: object, *, home: bool = False) -> bytes:
    """Pickle `obj` for another process.

    Args:
        obj: Anything.
        home: It goes from a worker to its parent, where what came from `__main__` is to be found by name.

    Returns:
        The pickle; `loads` reads it.

    Raises:
        NotPicklable: Neither pickle nor cloudpickle can; the message names the object and the path to it.
    """
    try:
        data = pickle.dumps(obj, protocol=_PROTOCOL)
    except Exception:
        data = b""
    # By reference means nothing in a process that has another __main__. The name may also stand in
    # a harmless string: then cloudpickle does the work once more, rightly.
    if data and b"__main__" not in data:
        return data
    try:
        return _by_value(obj, home=home)
    except Exception as error:
        raise _not_picklable(obj, error) from error


def is_by_name(data: bytes, fn: types.FunctionType) -> bool:
    """Whether `data`, which `dumps` made of a function, holds no more of it than its module's and its own name."""
    return len(data) <= 32 + len(fn.__module__ or "") + len(fn.__qualname__) and "<" not in fn.__qualname__


def loads(data: bytes | bytearray | memoryview) -> Any:
    """Read what `dumps` wrote."""
    return pickle.loads(data)


class _TooLarge(Exception):
    """Ends the pickling of something larger than anybody wants to know."""


class _Bounded(io.BytesIO):
    """A file that refuses to grow past its limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any, /) -> int:
        written = super().write(data)
        if self.tell() > self.limit:
            raise _TooLarge
        return written


def size_within(obj: object, limit: int) -> bytes | None:
    """Pickle `obj` unless that takes more than about `limit` bytes.

    Args:
        obj: Anything.
        limit: Bytes.

    Returns:
        The pickle, or None if it would be larger.

    Raises:
        NotPicklable: It can't be pickled at all.
    """
    file = _Bounded(limit)
    try:
        pickle.Pickler(file, protocol=_PROTOCOL).dump(obj)
        return file.getvalue()
    except _TooLarge:
        return None
    except Exception:
        data = dumps(obj)
        return data if len(data) <= limit else None


def _can_pickle(obj: object) -> bool:
    """Whether cloudpickle can write this object."""
    try:
        _by_value(obj)
    except Exception:
        return False
    return True


def _parts(obj: object) -> Iterator[tuple[str, object]]:
    """What an object is made of, each with the step that leads to it."""
    if isinstance(obj, Mapping):
        for key, value in list(obj.items()):
            yield f"[{key!r}]", value
            yield f" key {key!r}", key
    elif isinstance(obj, (list, tuple, set, frozenset)):
        for index, value in enumerate(list(obj)):
            yield f"[{index}]", value
    elif isinstance(obj, types.MethodType):
        yield ".__self__", obj.__self__
        yield ".__func__", obj.__func__
    elif isinstance(obj, types.FunctionType):
        for name, cell in zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=False):
            try:
                yield f".{name} (closure)", cell.cell_contents
            except ValueError:
                continue
        for name in obj.__code__.co_names:
            if name in obj.__globals__:
                yield f".{name} (global)", obj.__globals__[name]
    else:
        partial_parts = [(f".{n}", getattr(obj, n)) for n in ("func", "args", "keywords") if hasattr(obj, n)]
        yield from partial_parts
        for name, value in list(getattr(obj, "__dict__", {}).items()):
            yield f".{name}", value


def _culprit(obj: object, path: str, budget: list[int]) -> tuple[str, object]:
    """Follow what can't be pickled down to the smallest part that can't."""
    for step, part in _parts(obj):
        budget[0] -= 1
        if budget[0] <= 0:
            break
        if not _can_pickle(part):
            return _culprit(part, path + step, budget)
    return path, obj


def _not_picklable(obj: object, error: Exception) -> NotPicklable:
    """Build the error that names the very object."""
    try:
        path, culprit = _culprit(obj, "", [200])
        what = f"{type(culprit).__qualname__} object {_short(culprit)}"
        where = f" at {path.lstrip('.')}" if path else ""
    except Exception:
        what, where = f"{type(obj).__qualname__} object", ""
    return NotPicklable(
        f"can't pickle the {what}{where} ({_short_text(error)}): pass what it is made from instead, "
        'or keep the call in this process with backend="thread"'
    )


def _short_text(error: Exception) -> str:
    """What an error says, even if saying it fails."""
    try:
        return str(error)
    except Exception:
        return type(error).__qualname__


def _short(obj: object) -> str:
    """A repr that fits a message, and never fails."""
    try:
        text = repr(obj)
    except Exception:
        return "<repr failed>"
    return text if len(text) <= 80 else text[:77] + "..."
