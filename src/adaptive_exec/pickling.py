"""Turning objects into bytes that another process of ours can read.

Plain pickle does it where it works, since it is several times faster; `by_value.py` does the rest.
"""

from __future__ import annotations

import io
import pickle
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import NotPicklable

__all__ = [
    "Apart",
    "dumps",
    "dumps_apart",
    "holds_large",
    "is_by_name",
    "load",
    "loads",
    "set_main_elsewhere",
    "size_within",
]

_PROTOCOL = 5
Apart = tuple[bytes, list[tuple[int, memoryview]], list[memoryview]]
"""A pickle; what was cut out of it, each with the position before which it belongs; buffers that it refers to."""

_LARGEST_FRAME = (
    1 << 17
)  # pickle's own output comes in smaller pieces; to take one for a large object only costs
_main_elsewhere = False


def set_main_elsewhere() -> None:
    """Say that this process is a worker whose `__main__` is not the user's."""
    global _main_elsewhere
    _main_elsewhere = True


def _by_value(obj: object, *, home: bool = False) -> bytes:
    """Pickle with cloudpickle, or, in a worker and for its parent, with the variety that names `__main__`'s."""
    with io.BytesIO() as file:
        _pickler_by_value(home)(file, protocol=_PROTOCOL).dump(obj)
        return file.getvalue()


def _pickler_by_value(home: bool) -> Any:
    """The pickler for what plain pickle can't send."""
    from .by_value import Pickler, WorkerPickler

    return WorkerPickler if home and _main_elsewhere else Pickler


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


class _Cut:
    """A file for a pickler, which hands large `bytes` and `bytearray` objects to it as they are, uncopied."""

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest
        self._parts: list[bytes] = []
        self._size = 0
        self._tail = b""  # how what was written last ended
        self.splices: list[tuple[int, memoryview]] = []

    def write(self, data: bytes | bytearray) -> None:
        tail = self._tail
        self._tail = bytes(data[-8:])
        if len(data) < self._smallest:
            self._parts.append(bytes(data))
            self._size += len(data)
            return
        view = memoryview(data)  # while there is one, nobody can change the size
        if isinstance(data, bytearray) and tail != view.nbytes.to_bytes(8, "little"):
            raise BufferError("a bytearray changed its size while it was pickled")
        self.splices.append((self._size, view))

    def getvalue(self) -> bytes:
        """All that was not cut out."""
        return b"".join(self._parts)


def holds_large(obj: object, smallest: int) -> bool:
    """Whether a large flat object is on the upper levels of `obj`: then it is worth while to cut it out."""
    return _holds_large((obj,), max(smallest, _LARGEST_FRAME), 4)


def _holds_large(items: Iterable[object], smallest: int, depth: int) -> bool:
    """The same for some objects and `depth` levels below them."""
    for item in items:
        kind = type(item)
        if kind is bytes or kind is str or kind is bytearray:
            if len(item) >= smallest:  # type: ignore[arg-type]
                return True
        elif (kind is tuple or kind is list or kind is dict) and depth and 0 < len(item) <= 64:  # type: ignore[arg-type]
            inner: Any = item.values() if kind is dict else item  # type: ignore[attr-defined]
            if _holds_large(inner, smallest, depth - 1):
                return True
    return False


def dumps_apart(obj: object, smallest: int, *, cut: bool = False, home: bool = False) -> Apart:
    """Pickle `obj` as `dumps` does, but leave its large buffers where they are.

    What it returns refers to the object's own memory, so it holds only until somebody changes that.

    Args:
        obj: Anything.
        smallest: Bytes from which a buffer is large.
        cut: Take out large `bytes`, `bytearray` and `str` objects, too, which makes small things slower.
        home: As for `dumps`.

    Returns:
        The pickle, what was cut out, and the buffers.

    Raises:
        NotPicklable: As for `dumps`.
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        try:
            view = buffer.raw()
        except BufferError:
            return True  # it has gaps: pickle says what is to be said about that
        if view.nbytes < smallest:
            return True
        buffers.append(view)
        return False

    try:
        if cut:
            found = _pickle_cut(pickle.Pickler, obj, smallest, keep, buffers)
        else:
            found = pickle.dumps(obj, protocol=_PROTOCOL, buffer_callback=keep), [], buffers
    except Exception:
        buffers.clear()
    else:
        if b"__main__" not in found[0]:  # the reason is in `dumps`
            return found
        buffers.clear()
    try:
        return _pickle_cut(_pickler_by_value(home), obj, smallest, keep, buffers)
    except Exception as error:
        raise _not_picklable(obj, error) from error


def _pickle_cut(
    pickler: Any,
    obj: object,
    smallest: int,
    keep: Callable[[pickle.PickleBuffer], bool],
    buffers: list[memoryview],
) -> Apart:
    """Pickle to a file that takes large objects out."""
    file = _Cut(max(smallest, _LARGEST_FRAME))
    pickler(file, protocol=_PROTOCOL, buffer_callback=keep).dump(obj)
    return file.getvalue(), file.splices, buffers


def is_by_name(data: bytes, fn: types.FunctionType) -> bool:
    """Whether `data`, which `dumps` made of a function, holds no more of it than its module's and its own name."""
    return len(data) <= 32 + len(fn.__module__ or "") + len(fn.__qualname__) and "<" not in fn.__qualname__


def loads(data: bytes | bytearray | memoryview, buffers: Iterable[Any] = ()) -> Any:
    """Read what `dumps` wrote, or `dumps_apart` without splices, given its buffers."""
    return pickle.loads(data, buffers=buffers)


def load(file: Any, buffers: Iterable[Any]) -> Any:
    """Read what `dumps_apart` wrote from a file that puts the splices in their places, given its buffers."""
    return pickle.Unpickler(file, buffers=buffers).load()


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
    from .errors import NotPicklable  # here, so that workers start sooner

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
