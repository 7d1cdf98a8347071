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
from . import wire
from .holdings import Holdings, holdings_of
from .plain import are_plain
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
        brief: Whether they are known to take less than anything that could be done about them.
    """

    __slots__ = ("brief", "number", "pickled", "seconds")

    def __init__(self, number: int, pickled: bytes) -> None:
        self.number = number
        self.pickled = pickled
        self.seconds: float | None = None
        self.brief = False

    def took(self, seconds: float) -> None:
        """One more call has ended. An estimate: two threads that tell at once may lose one."""
        known = self.seconds
        self.seconds = seconds = seconds if known is None else known + _EWMA * (seconds - known)
        self.brief = seconds < BRIEF_SECONDS


class _Known:
    """A function object that has been sent before.

    Attributes:
        ref: It, as long as somebody has it.
        kept: Its entry, and what has to be the same for that to be used again; None for nothing. Replaced at once.
        holdings: What it took along the last time.
        pickled: What it was pickled as the last time, with the same holdings; None if that says nothing.
        calls: How often it has been pickled.
    """

    __slots__ = ("calls", "holdings", "kept", "pickled", "ref")

    def __init__(self, ref: weakref.ref[Any]) -> None:
        self.ref = ref
        self.kept: tuple[Function, Holdings | None] | None = None
        self.holdings: Holdings | None = None
        self.pickled: bytes | None = None
        self.calls = 0


class Functions:
    """All functions that one pool has sent lately, by what they are pickled as.

    A function that pickle sends by its name is pickled once, and known again by its identity. So is one that is sent
    by value, after a few calls, while what it takes along is the same (`holdings.py`). Any other is pickled
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
        if known is None or known.ref() is not fn:
            if not isinstance(fn, types.FunctionType):
                return self._entry(pickling.dumps(fn))
            known = self._met(fn)
        elif (kept := known.kept) is not None:
            function, holdings = kept
            plain: Any = fn
            if holdings is None or holdings.same(plain):
                return function
            known.kept = known.holdings = known.pickled = None
            known.calls = 0
        return self._again(known, fn)

    def _met(self, fn: Any) -> _Known:
        """A function object that is seen for the first time."""
        key = id(fn)

        def forget(ref: weakref.ref[Any]) -> None:
            if (known := self._by_identity.get(key)) is not None and known.ref is ref:
                self._by_identity.pop(key, None)

        if len(self._by_identity) > self.LIMIT:
            self._by_identity.clear()
        known = self._by_identity[key] = _Known(weakref.ref(fn, forget))
        return known

    def _again(self, known: _Known, fn: Any) -> Function:
        """Pickle a function; see whether that can be used again.

        By value that takes two pickles in a row that are alike, with the same holdings before and after each. What may
        change inside is looked into ever more seldom.
        """
        known.calls += 1
        calls = known.calls
        holdings = known.holdings
        if holdings is None and calls > 1 and not calls & (calls - 1):
            holdings = holdings_of(fn)
        elif holdings is not None and not holdings.same(fn):
            holdings = None
        pickled = pickling.dumps(fn)
        found = self._entry(pickled)
        if pickling.is_by_name(pickled, fn):
            known.kept = found, None
        elif holdings is None or not holdings.same(fn):
            known.holdings = known.pickled = None
        elif pickled == known.pickled:
            known.kept = found, holdings
        else:
            known.holdings, known.pickled = holdings, pickled
        return found

    def _entry(self, pickled: bytes) -> Function:
        """The entry of what is pickled like this."""
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
        return found


class Call:
    """What a task becomes on the wire.

    Attributes:
        function: The function's entry.
        arguments: (args, kwargs), or those pickled.
        parcel: What of them travels apart; None if nothing does.
        worker: The worker that it was assigned to last; None before that.
        number: Its number there.
        before: How many arguments it has there before those of the task.
    """

    __slots__ = ("arguments", "before", "function", "number", "parcel", "worker")

    def __init__(self, task: Task, functions: Functions, shelf: Shelf) -> None:
        fn: Any = task.fn
        args, kwargs = task.args, task.kwargs
        self.before = 0
        if type(fn) is not types.FunctionType:
            if isinstance(fn, types.MethodType):
                # The method's object may differ from call to call: it is an argument, not part of the function.
                fn, args = fn.__func__, (fn.__self__, *args)
                self.before = 1
            elif not isinstance(fn, (types.BuiltinFunctionType, type)):
                # A partial, or an object that can be called: what it holds is as new for every call as it is here.
                fn, args = operator.call, (fn, *args)
                self.before = 1
        self.function = functions.find(fn)
        self.arguments: wire.Arguments
        self.parcel: Parcel | None
        if are_plain(args) and (not kwargs or are_plain(kwargs.values())):
            self.arguments, self.parcel = (args, kwargs), None
        else:
            self.arguments, self.parcel = shelf.dumps((args, dict(kwargs)))
        self.worker: Any = None
        self.number = 0
