"""What a worker looks at so that routing never changes the answer: module state before a call, arguments after it.

A function was read before its calls were sent away, and its first calls were watched at home. Neither sees all. So
what it reads of its modules is compared with what its parent has, strictly, and what it was given is pickled before
and after the call: what only a worker would see changed is reported, and the parent calls again at home.
"""

from __future__ import annotations

import abc
import enum
import struct
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from ... import pickling
from ...aliases import parts_of, shares
from ...contents import contents_of
from ...customs import settle
from ...digests import Digest, digest_of
from ...fingerprints import fingerprint
from ...literals import Literal, literal_of
from ...unordered import holds_sets, may_hold_sets, shown_of

__all__ = ["Given", "alike", "difference_of", "is_not_registered_here", "lost_of", "refuse_order"]

_BY_VALUE: Final = frozenset({str, bytes, int, bool, type(None)})
_BY_TEXT: Final = (float, complex)


class Given:
    """Arguments as they were before a call.

    Args:
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    __slots__ = ("_before", "_things")

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._things = (args, kwargs)
        self._before = self._pickled()

    def changed(self) -> bool:
        """Whether the call has left them otherwise; False if that can't be told."""
        return self._before is not None and self._before != self._pickled()

    def shared_with(self, value: Any) -> bool:
        """Whether a result holds a part of them that can change; False if that can't be told."""
        args, kwargs = self._things
        return shares(value, parts_of((*args, *kwargs.values())) or {})

    def _pickled(self) -> bytes | None:
        """What they are now; None if they can't be pickled any more."""
        try:
            return pickling.dumps(self._things)
        except Exception:
            return None


def lost_of(value: Any) -> str | None:
    """What a result has that is lost as it is pickled; None if nothing is known to be."""
    return contents_of((value,)).lost


def difference_of(environment: bytes) -> str | None:
    """What a function reads of its modules, state and code, and would find different here; None if nothing."""
    values, prints, *more = pickling.loads(environment)
    other = settle(more[1]) if more else None
    if other is not None:
        return f"{other} is not what it is in a worker"
    token = abc.get_cache_token()
    if token not in _compared:  # a class has been registered with another since
        _compared.clear()
        _compared.add(token)
    if prints and prints not in _compared:
        difference = _other_code(prints)
        if difference is not None:
            return difference
        if len(_compared) >= _MOST_COMPARED:
            _compared.clear()
            _compared.add(token)
        _compared.add(prints)
    for module_name, name, theirs in values:
        try:
            ours = _found(module_name, name, getattr)
        except AttributeError:
            return f"{module_name}.{name} does not exist in a worker"
        try:
            same = _is_same(ours, theirs)
        except Exception:
            same = False
        if not same:
            return f"{module_name}.{name} has another value here than in a worker"
    return None


def refuse_order(
    environment: bytes, pickled: bytes, fn: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> str | None:
    """Why arguments can't be taken here: a set is in another order than at home, which would show; None if none is.

    Args:
        environment: What came with the call.
        pickled: The arguments as they came.
        fn: What is to be called.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    if may_hold_sets(pickled):
        shown = pickling.loads(environment)[2:3]
        if shown and holds_sets(shown_of(fn, args, kwargs, shown[0])):
            return "it is given a set whose order may show, and is another one in a worker"
    return None


def is_not_registered_here(error: BaseException) -> bool:
    """Whether an encoding, or a handler of its errors, is not known here, which the parent may have registered."""
    return type(error) is LookupError and str(error).startswith(_NOT_REGISTERED)


_NOT_REGISTERED: Final = ("unknown encoding", "unknown error handler")


def _is_same(ours: Any, theirs: Any) -> bool:
    """Whether a value is like the one that the parent has, or like what stands for that."""
    if type(theirs) is Digest:
        return _is_told_by(ours, theirs)
    if type(theirs) is Literal:
        return literal_of(ours) == theirs or alike(ours, theirs.value())
    return alike(ours, theirs)


def _is_told_by(text: Any, digest: Digest) -> bool:
    """Whether a digest tells of this value."""
    if type(text) is struct.Struct:
        return Digest("Struct", text.size, text.format.encode()) == digest
    return type(text) in (str, bytes) and len(text) == digest.length and digest_of(text) == digest


_MOST_COMPARED: Final = 1024
_compared: set[Any] = set()
"""Code that has been found to be the same here: it takes longer to look at than most values."""


def _other_code(prints: bytes) -> str | None:
    """Which code is other than the parent's; what is not loaded here yet will be loaded as it is written."""
    for module_name, name, theirs in pickling.loads(prints):
        if module_name not in sys.modules:
            continue
        try:
            if fingerprint(_found(module_name, name, _attribute)) == theirs:
                continue
        except AttributeError:
            pass
        return f"{module_name}.{name} is not the same in a worker"
    return None


def _found(module_name: str, name: str, look: Callable[[Any, str], Any]) -> Any:
    """What a dotted path of a module leads to."""
    found: Any = sys.modules.get(module_name)
    for part in name.split("."):
        found = look(found, part)
    return found


def _attribute(holder: Any, name: str) -> Any:
    """An attribute as it stands in a class or a base of it; of anything else as `getattr` finds it."""
    if isinstance(holder, type):
        for base in holder.__mro__:
            if name in vars(base):
                return vars(base)[name]
    return getattr(holder, name)


def alike(one: Any, other: Any) -> bool:
    """Whether no code could tell two values apart but by their identity: more than `==` asks for.

    1 is equal to True, 0.0 to -0.0, Decimal("1.0") to Decimal("1.00"), and a dict to one in another order.
    """
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in _BY_VALUE:  # nearly all that lists and dicts hold
        return bool(one == other)
    if kind in _BY_TEXT:
        return str(one) == str(other)
    if kind is list or kind is tuple:
        return len(one) == len(other) and all(map(alike, one, other))
    if kind is dict:
        return alike(list(one), list(other)) and all(map(alike, one.values(), other.values()))
    if kind is types.FunctionType and one is not other:
        return _same_code(one, other)
    if kind.__module__ == "decimal":  # which is slow to load, so a worker that has no need for it doesn't
        if kind.__name__ == "Decimal":
            return str(one) == str(other)
        if kind.__name__ == "Context":  # each is equal to itself only
            return bool(one.__reduce__() == other.__reduce__())
    if _is_open(kind):
        return alike(vars(one), vars(other))
    return bool(one == other)


def _same_code(one: types.FunctionType, other: types.FunctionType) -> bool:
    """Whether two functions, as a lambda in a table and its copy, are of the same code and hold nothing."""
    plain = not (one.__closure__ or other.__closure__ or vars(one) or vars(other))
    return plain and one.__module__ == other.__module__ and fingerprint(one) == fingerprint(other)


def _is_open(kind: type) -> bool:
    """Whether all there is of an object is in its `__dict__`: its class and all bases are written in Python."""
    bases = kind.__mro__[:-1]
    plain = all(base.__basicsize__ == kind.__basicsize__ and "__slots__" not in vars(base) for base in bases)
    return (
        plain
        and bool(kind.__dictoffset__)
        and kind.__base__ is not None
        and kind.__basicsize__ == _Open.__basicsize__
        and not isinstance(kind, enum.EnumMeta)
        and "__getattribute__" not in {name for base in bases for name in vars(base)}
    )


class _Open:
    """Has attributes and nothing else."""
