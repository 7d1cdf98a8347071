"""How this process computes and writes: what any call may depend on, whatever it names.

The context of decimals, the locale, and NumPy's handling of errors and way of printing. An argument may be a decimal or
an array, so a worker is told of them with every call, once one was found that is not as everybody has it.
Asking takes about a microsecond for each of these modules that is loaded.

Guarantees: a value is None where all is as usual, or can be compared, hashed and pickled; asking changes nothing.
Assumes: who sets the locale has loaded `locale`.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["NAMES", "adopt", "unusual"]


def _in(context: contextvars.Context | None, ask: Callable[[], Any]) -> Any:
    """What something says in a context; in that which runs now if there is none, or if that is the one."""
    if context is None:
        return ask()
    try:
        return context.run(ask)
    except RuntimeError:
        return ask()


_USUAL: Final = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0)
_TRAPS: Final = frozenset({"InvalidOperation", "DivisionByZero", "Overflow"})


def _decimals(context: contextvars.Context | None) -> Any:
    """The context of decimals in plain values; None if it is the usual one."""
    module: Any = sys.modules["decimal"]
    fields = _in(context, module.getcontext).__reduce__()[1]
    traps = frozenset(each.__name__ for each in fields[7])
    return None if tuple(fields[:6]) == _USUAL and traps == _TRAPS else (*fields[:6], *sorted(traps))


def _adopt_decimals(value: Any) -> None:
    """Compute as the parent does."""
    import decimal

    fields, traps = (_USUAL, _TRAPS) if value is None else (value[:6], value[6:])
    context: Any = decimal.Context
    decimal.setcontext(context(*fields, [], [getattr(decimal, each) for each in sorted(traps)]))


_locale: tuple[str, str | None] = ("", None)


def _locales(context: contextvars.Context | None) -> str | None:
    """The locale; None if it says at most which characters there are, as in every process at its start."""
    global _locale
    module: Any = sys.modules["locale"]
    whole = module.setlocale(module.LC_ALL)
    if whole != _locale[0]:
        kinds = ("LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY")
        own = any(module.setlocale(getattr(module, kind)) not in ("C", "POSIX") for kind in kinds)
        _locale = whole, whole if own else None
    return _locale[1]


def _adopt_locale(value: Any) -> None:
    """Write as the parent does."""
    import locale

    if value is None:
        for kind in (locale.LC_NUMERIC, locale.LC_TIME, locale.LC_COLLATE, locale.LC_MONETARY):
            locale.setlocale(kind, "C")
    else:
        locale.setlocale(locale.LC_ALL, value)


_ERRORS: Final = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_usual_print: dict[str, Any] = {}


def _numpy(context: contextvars.Context | None) -> Any:
    """What NumPy does with errors, and how it prints."""
    module: Any = sys.modules["numpy"]
    errors = getattr(module, "geterr", None)
    options = getattr(module, "get_printoptions", None)
    if errors is None or options is None:
        return None  # it is being loaded
    found, printed = _in(context, errors), _in(context, options)
    if found == _ERRORS and printed == _usual_print:
        return None
    told = tuple(sorted((name, value) for name, value in printed.items() if _is_plain(value)))
    if (
        found == _ERRORS
        and len(told) == len(printed)
        and all(_PRINT.get(name, value) == value for name, value in told)
    ):
        _usual_print.update(printed)
        return None
    return tuple(sorted(found.items())), told, len(printed)


_PRINT: Final = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "sign": "-",
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "formatter": None,
    "legacy": False,
}


def _is_plain(value: object) -> bool:
    """Whether it can be told."""
    return value is None or isinstance(value, (bool, int, float, str))


def _adopt_numpy(value: Any) -> None:
    """Do so, too."""
    import numpy

    errors: Any = _ERRORS if value is None else dict(value[0])
    options: Any = _PRINT if value is None else dict(value[1])
    numpy.seterr(**errors)
    numpy.set_printoptions(**options)


_ASKED: Final[dict[str, Callable[[contextvars.Context | None], Any]]] = {
    "decimal": _decimals,
    "locale": _locales,
    "numpy": _numpy,
}
_ADOPTED: Final[dict[str, Callable[[Any], None]]] = {
    "decimal": _adopt_decimals,
    "locale": _adopt_locale,
    "numpy": _adopt_numpy,
}
NAMES: Final = frozenset(_ASKED)
"""Those modules."""
_seen: set[str] = set()


def unusual(context: contextvars.Context | None) -> tuple[tuple[str, Any], ...]:
    """What a call must be told: nothing as long as all has been as usual.

    Args:
        context: The one in which the call would run here; None for the one that runs now.
    """
    found: list[tuple[str, Any]] = []
    for name, ask in _ASKED.items():
        if name in sys.modules:
            now = ask(context)
            if now is not None or name in _seen:
                _seen.add(name)
                found.append((name, now))
    return tuple(found)


def adopt(name: str, theirs: Any) -> bool:
    """In a worker: compute and write as the parent does; whether that could be done.

    Args:
        name: Of the module.
        theirs: The parent's value.
    """
    if name not in sys.modules and theirs is None:
        return True
    if name not in sys.modules:
        __import__(name)
    if _ASKED[name](None) != theirs:
        try:
            _ADOPTED[name](theirs)
        except Exception:
            return False
    return bool(_ASKED[name](None) == theirs)
