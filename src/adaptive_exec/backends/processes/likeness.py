"""Making a worker process resemble its parent: paths, environment, what is logged and warned of, shared primitives."""

from __future__ import annotations

import pickle
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from ... import parent, pickling
from ...platform.imports import when_imported
from . import alerts, wire
from .outlet import Outlet

if TYPE_CHECKING:
    from .logs import RelayHandler

__all__ = ["prepare"]


def prepare(settings: wire.Settings, outlet: Outlet) -> None:
    """Make this process resemble its parent, then run the user's initializer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.path != settings.path:
        sys.path[:] = settings.path
    wire.begin_with(settings.around, settings.environ)
    pickling.set_main_elsewhere()
    when_imported("multiprocessing.process", lambda: _be_called(settings))
    handlers: list[RelayHandler] = []
    when_imported("logging", lambda: handlers.append(_log_at_home(settings, outlet)))
    if settings.filters is not None:
        alerts.adopt_filters(settings.filters)
    alerts.show_at_home(outlet.note)
    if settings.home is not None:
        _tell_home(settings.home)
        parent.desk = settings.desk
        parent.waiting = _Waiting(outlet)
    if settings.initializer is not None:
        function, arguments = pickling.loads(settings.initializer)
        function(*arguments)
        for handler in handlers:
            handler.give_way()


def _be_called(settings: wire.Settings) -> None:
    """Have this process's name, and the key by which it knows its parent's managers."""
    current: Any = sys.modules["multiprocessing.process"].current_process()
    current.name = settings.name
    if settings.authkey is not None:
        current.authkey = settings.authkey


def _log_at_home(settings: wire.Settings, outlet: Outlet) -> RelayHandler:
    """Log as the parent would, and where the parent does."""
    import multiprocessing  # noqa: F401  records bear the name of the process only if this is there

    from .logs import Levels, RelayHandler, adopt_levels

    if settings.levels is not None:
        adopt_levels(Levels(*settings.levels))
    handler = RelayHandler(outlet.note)
    handler.install()
    return handler


def _tell_home(address: bytes) -> None:
    """Let primitives that imports make be the parent's."""
    parent.home = address
    if "adaptive_exec.primitives" not in sys.modules:
        return
    # The start method has run the user's main module, which uses some.
    from ...primitives import set_parent_home

    set_parent_home(pickle.loads(address))


class _Waiting:
    """Tells the parent while the call that is executed waits; threads that the call has started wait untold."""

    def __init__(self, outlet: Outlet) -> None:
        self._note = outlet.note
        self._main = threading.get_ident()

    def __call__(self) -> _Waiting:
        return self

    def __enter__(self) -> None:
        if threading.get_ident() == self._main:
            self._note(wire.encode(wire.Kind.WAITS))

    def __exit__(self, *error: object) -> None:
        if threading.get_ident() == self._main:
            self._note(wire.encode(wire.Kind.GOES_ON))
