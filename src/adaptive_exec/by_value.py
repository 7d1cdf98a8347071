"""Pickling by value: what can't be named in another process is sent as its code, by cloudpickle.

That is lambdas, closures, and whatever is defined in `__main__`, which a worker process does not run. This module
is loaded when the first such object is met: many programs have none, and cloudpickle takes long to load.

Objects of `__main__` keep their identity on the way back: a worker, where they exist only as
copies, names them (`__main__`, qualified name) instead of sending a copy of its copy, so that
`isinstance(result, Point)` holds at home.
"""

from __future__ import annotations

import pickle
import sys
import types
from typing import Any

import cloudpickle  # type: ignore[import-untyped, unused-ignore]

__all__ = ["Pickler", "WorkerPickler"]

_of_main: dict[str, Any] = {}  # in a worker: copies of the parent's `__main__` objects, by qualified name


def _from_main(qualname: str) -> Any:
    """Find an object of the user's `__main__` by its qualified name; in a worker, its copy."""
    if qualname in _of_main:
        return _of_main[qualname]
    found: Any = sys.modules["__main__"]
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _as_view(data: Any, form: str, shape: tuple[int, ...]) -> memoryview:
    """Make a memoryview as it was."""
    view = memoryview(data).cast("B")
    return view.cast(form) if len(shape) == 1 else view.cast(form, shape)  # type: ignore[call-overload, no-any-return]


def _reduce_view(view: memoryview) -> tuple[Any, ...]:
    """What a memoryview is made from: its bytes, in the order of C."""
    data: Any = view
    if not view.c_contiguous:
        data = view.tobytes() if view.readonly else bytearray(view.tobytes())
    return _as_view, (pickle.PickleBuffer(data), view.format, view.shape)


class Pickler(cloudpickle.Pickler):  # type: ignore[misc, unused-ignore]
    """Sends memoryviews, too, as memoryviews; cloudpickle would make bytes of them."""

    dispatch_table = cloudpickle.Pickler.dispatch_table.new_child({memoryview: _reduce_view})


class WorkerPickler(Pickler):
    """Sends what came from the parent's `__main__` back by name."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (type, types.FunctionType)) and obj.__module__ == "__main__":
            qualname = obj.__qualname__
            if "<" not in qualname:
                _of_main[qualname] = obj
                return _from_main, (qualname,)
        return super().reducer_override(obj)
