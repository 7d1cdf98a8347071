"""Logging across the border: what a worker logs is handled by the handlers of its parent.

In the worker a handler on the root logger sends each record; in the parent the logger of the same name
handles it. The parent's levels hold in the worker from its start, so what nobody wants is not sent.

Guarantees:
    - A record always arrives: its message with the arguments put in, its traceback as text, extra fields as
      they are where they can travel and as their `repr` where they can't.
    - Logging in a worker raises nothing that logging at home would not raise, and never ends a call.
Assumes:
    - `Outlet.note` may be called by any thread, and inside itself.
Races: none of its own; the order of records and results is argued in `relay.py`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ... import pickling
from . import wire
from .plain import PLAIN

__all__ = ["Levels", "RelayHandler", "adopt_levels", "current_levels", "handle"]

DEEPEST: Final = 3

_PLAIN: Final = frozenset(logging.makeLogRecord({}).__dict__) - {"msg", "args", "exc_info", "exc_text"}
_OURS: Final = _PLAIN | {"msg", "args", "message", "asctime", "exc_info", "exc_text"}
_TRACEBACKS: Final = logging.Formatter()


class Levels(NamedTuple):
    """What a process wants to have logged.

    Attributes:
        root: Level of the root logger.
        loggers: Levels of those loggers that have one of their own, by name.
        disabled: What `logging.disable` was given last.
    """

    root: int
    loggers: dict[str, int]
    disabled: int


def current_levels() -> Levels:
    """This process's levels."""
    manager = logging.root.manager
    own = {
        name: each.level
        for name, each in manager.loggerDict.copy().items()
        if isinstance(each, logging.Logger) and each.level != logging.NOTSET
    }
    return Levels(logging.root.level, own, manager.disable)


def adopt_levels(levels: Levels) -> None:
    """Make the parent's levels this process's own."""
    logging.root.setLevel(levels.root)
    for name, level in levels.loggers.items():
        logging.getLogger(name).setLevel(level)
    logging.disable(levels.disabled)


class RelayHandler(logging.Handler):
    """Sends every record to the parent.

    Args:
        note: Takes a frame that is to be sent.
    """

    def __init__(self, note: Callable[[bytes], object]) -> None:
        super().__init__()
        self._note = note
        self._here = threading.local()

    def install(self) -> None:
        """Become the root logger's only handler.

        Handlers that are there already were made by the user's main module, which a spawned worker has just
        imported: they are copies of the parent's, and would say everything twice.
        """
        logging.root.handlers[:] = [self]

    def give_way(self) -> None:
        """Leave if the initializer has put handlers of its own there: then records are its own affair."""
        if any(handler is not self for handler in logging.root.handlers):
            logging.root.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        depth = getattr(self._here, "depth", 0)
        if depth >= DEEPEST:
            return  # an object that logs whenever it is turned into text would go on for ever
        self._here.depth = depth + 1
        try:
            self._note(wire.encode(wire.Kind.LOG, _fields(record)))
        except Exception:
            self.handleError(record)
        finally:
            self._here.depth = depth


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """A record in a form that always arrives."""
    fields = {name: _plain(value) for name, value in record.__dict__.items() if name in _PLAIN}
    fields["msg"] = record.getMessage()
    fields["exc_text"] = record.exc_text
    if record.exc_info and not record.exc_text:
        fields["exc_text"] = _TRACEBACKS.formatException(record.exc_info)
    extra = {name: value for name, value in record.__dict__.items() if name not in _OURS}
    if extra:
        fields[""] = {name: _packed(value) for name, value in extra.items()}
    return fields


def _plain(value: Any) -> Any:
    """A field of every record; its type is the user's only if the user set it."""
    return value if type(value) in PLAIN else str(value)


def _packed(value: Any) -> Any:
    """An extra field: itself, or its pickle in a tuple, or what it says of itself."""
    if type(value) in PLAIN:
        return value
    try:
        return (pickling.dumps(value, home=True),)
    except Exception:
        return repr(value)


def handle(fields: dict[str, Any]) -> None:
    """In the parent: have the logger of the same name handle a record."""
    logger = logging.getLogger(fields["name"])
    if not logger.isEnabledFor(fields["levelno"]):
        return
    extra = fields.pop("", {})
    record = logging.makeLogRecord({})
    # When the worker's clock began says nothing here.
    since = record.relativeCreated - (record.created - fields["created"]) * 1e3
    record.__dict__.update(fields)
    record.relativeCreated = since
    for name, value in extra.items():
        record.__dict__[name] = _unpacked(value)
    logger.handle(record)


def _unpacked(value: Any) -> Any:
    """An extra field again."""
    if type(value) is not tuple:
        return value
    try:
        return pickling.loads(value[0])
    except Exception as error:
        return f"<can't be read here: {type(error).__name__}: {error}>"
