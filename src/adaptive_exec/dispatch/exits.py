"""The end of the process, of a forked copy of it, and of executors that nobody holds any more.

Guarantees:
    - What was accepted is finished before the interpreter goes, whether its executor still exists or not; Ctrl-C
      gives it up.
    - In a forked copy nothing of the parent's is waited for.
Assumes:
    - `threading._register_atexit` where there is one: its hooks run while threads are still served.
"""

from __future__ import annotations

import atexit
import threading

from ..platform.forks import run_in_forked_child
from .dispatcher import Dispatcher

__all__ = ["any_is_busy", "forget", "let_go", "register"]

_lock = threading.Lock()
_under_way: set[Dispatcher] = set()  # those with something to end
_hooked = False


def any_is_busy() -> bool:
    """Whether anything has been submitted in this process that has not ended."""
    return any(dispatcher.is_busy() for dispatcher in list(_under_way))


def register(dispatcher: Dispatcher) -> None:
    """Let what an executor has under way be finished at exit, and given up in a forked child."""
    global _hooked
    with _lock:
        _under_way.add(dispatcher)
        if _hooked:
            return
        _hooked = True
    # As concurrent.futures does: before atexit's own hooks, while the threads are still served. Where the hook
    # is missing, or comes too late, atexit is the next best.
    hook = getattr(threading, "_register_atexit", None)
    try:
        (hook or atexit.register)(_at_exit)
    except RuntimeError:
        atexit.register(_at_exit)
    run_in_forked_child(_in_forked_child)


def forget(dispatcher: Dispatcher) -> None:
    """It has nothing to end any more."""
    _under_way.discard(dispatcher)


def let_go(dispatcher: Dispatcher) -> None:
    """An executor was dropped without a shutdown: finish what it accepted, then end.

    This runs wherever the garbage collector does, so it only leaves a message.
    """
    dispatcher.soon(lambda: dispatcher.shutdown(wait=False, cancel_futures=False))


def _at_exit() -> None:
    """Finish accepted work; on Ctrl-C, give it up."""
    dispatchers = list(_under_way)
    try:
        for dispatcher in dispatchers:
            dispatcher.shutdown(wait=True, cancel_futures=False, at_exit=True)
    except KeyboardInterrupt:
        for dispatcher in dispatchers:
            dispatcher.abort()


def _in_forked_child() -> None:
    """None of the parent's executors works here."""
    global _lock
    for dispatcher in list(_under_way):
        dispatcher.forget()
    _under_way.clear()
    _lock = threading.Lock()
