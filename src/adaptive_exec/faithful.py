"""Whether pickling takes all of an object along: the user's own classes may leave something behind.

Guarantees: no code of what is looked at runs. What is found of a class is kept by its identity, while it is alive.
"""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Final

from .installed import is_installed

__all__ = ["is_foreign", "loses", "may_lose", "says_how"]

_SAYING: Final = (
    "__reduce__",
    "__reduce_ex__",
    "__getstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__setstate__",
)
_KEEPING: Final = frozenset(
    {"set", "frozenset", "deque", "OrderedDict", "BaseException", "bytearray", "array", "object"}
)
"""Classes written in C whose `__reduce__` takes the attributes of derived classes along."""

_bases: Final = vars(type)["__mro__"].__get__
_own: Final = vars(type)["__dict__"].__get__
_module: Final = vars(type)["__module__"].__get__
_name: Final = vars(type)["__name__"].__get__
_cause: Final = vars(BaseException)["__cause__"].__get__
_context: Final = vars(BaseException)["__context__"].__get__

_known: dict[int, tuple[weakref.ref[type], str, bool]] = {}
_modules: dict[str, bool] = {}
_MOST: Final = 4096


def is_foreign(module: object) -> bool:
    """Tell whether a module is the standard library's, or installed.

    Args:
        module: Its name.
    """
    if not isinstance(module, str):
        return False
    known = _modules.get(module)
    if known is None:
        if module.partition(".")[0] in sys.stdlib_module_names or module.partition(".")[0] == "adaptive_exec":
            known = True
        else:
            file = getattr(sys.modules.get(module), "__file__", None)
            known = isinstance(file, str) and is_installed(file)
        if len(_modules) >= _MOST:
            _modules.clear()
        _modules[module] = known
    return known


def may_lose(kind: type) -> bool:
    """Tell whether anything may be lost when objects of a class are pickled.

    Args:
        kind: The class.
    """
    how, forgets = _of_class(kind)
    return bool(how) or forgets or issubclass(kind, BaseException)


def loses(thing: Any) -> str | None:
    """What is lost when an object is pickled, as what follows "is given"; None if nothing is known to be.

    Args:
        thing: Any object.
    """
    kind = type(thing)
    how, forgets = _of_class(kind)
    if how:
        return f"an object whose class says itself how it is pickled ({how})"
    if forgets and _attributes(thing):
        return "an object whose attributes are lost when it is pickled"
    if issubclass(kind, BaseException) and (_cause(thing) is not None or _context(thing) is not None):
        return "an error with a cause, which is lost when it is pickled"
    return None


def _of_class(kind: type) -> tuple[str, bool]:
    """What is known of a class, found once."""
    known = _known.get(id(kind))
    if known is None or known[0]() is not kind:
        if len(_known) >= _MOST:
            _known.clear()
        known = _known[id(kind)] = (weakref.ref(kind), says_how(kind), _forgets(kind))
    return known[1], known[2]


def says_how(kind: type) -> str:
    """Return the method by which a class of the user's says how its objects are pickled; empty if there is none.

    Args:
        kind: The class.
    """
    for base in _bases(kind):
        for name in _SAYING:
            found = _own(base).get(name)
            if isinstance(found, types.FunctionType) and not is_foreign(found.__globals__.get("__name__")):
                return name
    return ""


def _forgets(kind: type) -> bool:
    """Whether the attributes of objects stay behind: a foreign base pickles its own part only."""
    if is_foreign(_module(kind)):
        return False
    for name in ("__reduce_ex__", "__reduce__"):
        for base in _bases(kind):
            if name in _own(base):
                if base is not object:
                    return _name(base) not in _KEEPING
                break
    return False


def _attributes(thing: Any) -> dict[str, Any]:
    """An object's own attributes."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if type(found) is dict else {}
