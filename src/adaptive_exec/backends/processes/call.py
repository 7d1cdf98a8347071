"""What a task becomes on the wire."""

from __future__ import annotations

import hashlib
import operator
import types
from typing import Any

from ... import pickling
from ..base import Task

__all__ = ["Call"]


class Call:
    """What a task becomes on the wire."""

    __slots__ = ("arguments", "digest", "function", "number")

    def __init__(self, number: int, task: Task) -> None:
        fn: Any = task.spec.fn
        args = task.spec.args
        if isinstance(fn, types.MethodType):
            # The method's object may differ from call to call: it is an argument, not part of the function.
            fn, args = fn.__func__, (fn.__self__, *args)
        elif not isinstance(fn, (types.FunctionType, types.BuiltinFunctionType, type)):
            # A partial, or an object that can be called: what it holds is as new for every call as it is here.
            fn, args = operator.call, (fn, *args)
        self.number = number
        self.function = pickling.dumps(fn)
        small = len(self.function) <= 64
        self.digest = self.function if small else hashlib.blake2b(self.function, digest_size=16).digest()
        self.arguments = pickling.dumps((args, dict(task.spec.kwargs)))
