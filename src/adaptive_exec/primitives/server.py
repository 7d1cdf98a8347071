"""The home's side of the border: who listens, and what is on its way.

Guarantees:
    - One listening thread; it never does what another process could stall.
    - A primitive whose pickle nobody has loaded is kept, for up to IN_FLIGHT pickles; what was loaded
      is kept while it is one of the last LATELY.
Assumes:
    - The endpoint lets in whoever finds it (on Linux any process of this network namespace), so each must
      prove in its session's own thread that it knows the key.
State of a token: in flight -> arrived (once; a second arrival does nothing) or dropped as the oldest.
Races:
    1. A pickle arrives twice at the same time: one takes the token, and both hold the primitive before they
       say that it arrived -> test_homes.py::test_unpickled_by_two_threads
    2. Somebody connects and says nothing -> test_homes.py::test_silent_stranger_stalls_nobody
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
import weakref
from collections import ChainMap, deque
from collections.abc import Callable, Mapping
from multiprocessing.util import Finalize
from typing import Final, final

from ..platform import endpoints
from .address import HomeAddress
from .core import Core
from .link import THREAD_NAME
from .lock_service import LOCK_SERVICE
from .queue_service import QUEUE_SERVICE
from .session import Service, Session, services

__all__ = ["IN_FLIGHT", "LATELY", "HomeServer"]

IN_FLIGHT: Final = 65_536
LATELY: Final = 64


@final
class HomeServer:
    """Listens for processes that have primitives of this one.

    Attributes:
        address: What they need to come here.
        made: Refers to what an import made here.
        services: What can be asked of each kind of primitive.
    """

    def __init__(self, made: Callable[..., object], *, portable: bool = False) -> None:
        self.made = made
        self.services: Mapping[str, Mapping[str, Service]] = ChainMap(
            {"Lock": LOCK_SERVICE, "Queue": QUEUE_SERVICE}, services
        )
        self._endpoint = endpoints.listen(portable=portable)
        self.address = HomeAddress(
            secrets.token_hex(16), os.getpid(), self._endpoint.address, secrets.token_bytes(32)
        )
        self._mutex = threading.Lock()
        self._tokens = itertools.count(1)
        self._in_flight: dict[int, Core] = {}
        self._lately: deque[Core | None] = deque(maxlen=LATELY)
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        Finalize(None, self._endpoint.close, exitpriority=0)
        threading.Thread(target=self._accept, name=THREAD_NAME, daemon=True).start()

    def send_off(self, core: Core) -> int:
        """Keep a primitive for a pickle; return the pickle's token."""
        dropped = None
        with self._mutex:
            token = next(self._tokens)
            self._in_flight[token] = core
            if len(self._in_flight) > IN_FLIGHT:
                dropped = self._in_flight.pop(next(iter(self._in_flight)))
        del dropped
        return token

    def arrived(self, token: int | None) -> None:
        """Note that a pickle has been loaded; whoever loaded it holds the primitive by now."""
        if token is None:
            return
        with self._mutex:
            core = self._in_flight.pop(token, None)
        if core is not None:
            self._lately.append(core)

    def close(self) -> None:
        """Stop listening."""
        self._endpoint.close()

    def give_up(self) -> None:
        """Close this forked process's copies of the descriptors."""
        self._endpoint.close(inherited=True)
        for session in list(self._sessions):
            session.give_up()

    def _accept(self) -> None:
        """Give each that connects a session."""
        while True:
            try:
                connection = self._endpoint.accept()
            except OSError:
                return
            session = Session(self, connection)
            self._sessions.add(session)
            session.start()
