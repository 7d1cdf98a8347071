"""The end of the process, of a forked copy of it, and of executors that nobody holds any more.

Guarantees:
    - What was accepted is finished before the interpreter goes, whether its executor still exists or not; Ctrl-C
      gives it up.
    - What would begin after that is refused.
    - In a forked copy nothing of the parent's is waited for.
Assumes:
    - `threading._register_atexit` where there is one: its hooks run while threads are still served, and before those
      of `atexit`. What the latter, and threads that outlive the main one, begin is finished by ours of `atexit`, which
      is registered at import: one that comes while they run would never be called.
    - Somebody has imported `threading` before the interpreter exits, or nothing tells that it does.
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
# The interpreter exits, and nobody will finish anything any more; or this is imported too late for that.
_over: bool = getattr(threading, "_SHUTTING_DOWN", False)


def any_is_busy() -> bool:
    """Whether anything has been submitted in this process that has not ended."""
    return any(dispatcher.is_busy() for dispatcher in list(_under_way))


def register(dispatcher: Dispatcher) -> None:
    """Let what an executor has under way be finished at exit, and given up in a forked child.

    Raises:
        RuntimeError: It is too late for that.
    """
    global _hooked
    with _lock:
        if _over:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        _under_way.add(dispatcher)
        if _hooked:
            return
        _hooked = True
    # As concurrent.futures does: before atexit's own hooks, while the threads are still served.
    hook = getattr(threading, "_register_atexit", None)
    if hook is not None:
        try:
            hook(_finish)
        except RuntimeError:  # this comes too late for it, and in time for the one below
            pass
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
    """Finish what the last hooks and threads have begun; nothing is begun after that."""
    global _over
    with _lock:
        _over = True
    _finish()


def _finish() -> None:
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


atexit.register(_at_exit)
