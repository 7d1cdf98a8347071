"""What a task becomes on the wire."""

from __future__ import annotations

import hashlib
import operator
import threading
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from ... import pickling
from ..base import Task
from .holdings import Holdings, holdings_of
from .shelf import Parcel, Shelf

__all__ = ["Call", "Function", "Functions"]

_SMALL: Final = 64
_EWMA: Final = 0.25
BRIEF_SECONDS: Final = 50e-6


class Function:
    """A function that workers are sent once.

    Attributes:
        number: What it is called on the wire.
        pickled: The function itself.
        seconds: How long its calls take lately, by the wall; None if none has ended yet.
    """

    __slots__ = ("number", "pickled", "seconds")

    def __init__(self, number: int, pickled: bytes) -> None:
        self.number = number
        self.pickled = pickled
        self.seconds: float | None = None

    @property
    def is_brief(self) -> bool:
        """Whether its calls are known to take less than anything that could be done about them."""
        return self.seconds is not None and self.seconds < BRIEF_SECONDS

    def took(self, seconds: float) -> None:
        """One more call has ended. An estimate: two threads that tell at once may lose one."""
        known = self.seconds
        self.seconds = seconds if known is None else known + _EWMA * (seconds - known)


_Known = tuple[weakref.ref[Any], Function | None, Holdings | None]
"""A function; its entry if that can be used again; what has to be the same for that, None if nothing has to."""


class Functions:
    """All functions that one pool has sent lately, by what they are pickled as.

    A function that pickle sends by its name is pickled once, and known again by its identity. So is one that is sent
    by value, from its second call on, while what it takes along is the same (`holdings.py`). Any other is pickled
    for every call, since what it holds may be different every time.
    """

    LIMIT: Final = 1024

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_pickle: OrderedDict[bytes, Function] = OrderedDict()
        self._by_identity: dict[int, _Known] = {}
        self._count = 0

    def find(self, fn: Callable[..., Any]) -> Function:
        """The function's entry.

        Raises:
            NotPicklable: It can't be sent.
        """
        known = self._by_identity.get(id(fn))
        holdings: Holdings | None = None
        if known is not None and known[0]() is fn:
            _, entry, held = known
            plain: Any = fn
            if entry is not None and (held is None or held.same(plain)):
                return entry
            holdings = holdings_of(plain)
        pickled = pickling.dumps(fn)
        small = len(pickled) <= _SMALL
        key = pickled if small else hashlib.blake2b(pickled, digest_size=16).digest()
        with self._lock:
            found = self._by_pickle.get(key)
            if found is None:
                self._count += 1
                found = self._by_pickle[key] = Function(self._count, pickled)
                if len(self._by_pickle) > self.LIMIT:
                    self._by_pickle.popitem(last=False)
            else:
                self._by_pickle.move_to_end(key)
        if isinstance(fn, types.FunctionType):
            by_name = pickling.is_by_name(pickled, fn)
            kept = by_name or (holdings is not None and holdings.same(fn))
            if len(self._by_identity) > self.LIMIT:
                self._by_identity.clear()
            self._by_identity[id(fn)] = (
                weakref.ref(fn),
                found if kept else None,
                None if by_name else holdings,
            )
        return found


class Call:
    """What a task becomes on the wire.

    Attributes:
        function: The function's entry.
        arguments: Pickled (args, kwargs).
        parcel: What of them travels apart; None if nothing does.
        worker: The worker that it was assigned to last; None before that.
        number: Its number there.
    """

    __slots__ = ("arguments", "function", "number", "parcel", "worker")

    def __init__(self, task: Task, functions: Functions, shelf: Shelf) -> None:
        fn: Any = task.spec.fn
        args = task.spec.args
        if isinstance(fn, types.MethodType):
            # The method's object may differ from call to call: it is an argument, not part of the function.
            fn, args = fn.__func__, (fn.__self__, *args)
        elif not isinstance(fn, (types.FunctionType, types.BuiltinFunctionType, type)):
            # A partial, or an object that can be called: what it holds is as new for every call as it is here.
            fn, args = operator.call, (fn, *args)
        self.function = functions.find(fn)
        kwargs = task.spec.kwargs
        if not args and not kwargs:
            self.arguments: bytes = _NONE
            self.parcel: Parcel | None = None
        else:
            self.arguments, self.parcel = shelf.dumps((args, dict(kwargs)))
        self.worker: Any = None
        self.number = 0


_NONE: Final = pickling.dumps(((), {}))
