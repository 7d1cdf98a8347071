"""Locks and queues over threads, coroutines and processes.

From the faces down: `lock` and `queues` (with `async_queue`) are what users see; `lock_core` and
`queue_core` are the state machines; `ticket`, `loop_ticket` and `wait_queue` are the one way to wait;
`homes`, `here` and `made` say which process a primitive lives in. Only a primitive that crosses a border
loads the rest: `server`, `session` and the two services at its home, `link` and the `remote_` cores
elsewhere.
"""

from __future__ import annotations

from .homes import home_address, set_parent_home
from .lock import Lock
from .queues import Queue

__all__ = ["Lock", "Queue", "home_address", "set_parent_home"]
