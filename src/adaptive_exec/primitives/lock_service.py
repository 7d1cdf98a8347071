"""What other processes can ask of a `Lock` that lives here."""

from __future__ import annotations

from typing import Any, Final

from .lock_core import OWNER_DIED, LockCore
from .session import RemoteTicket, Service, Session
from .ticket import GRANTED

__all__ = ["LOCK_SERVICE"]


def _try_acquire(session: Session, core: LockCore, number: int, _: Any) -> None:
    """Answer None if it is taken, else whether the last holder died with it."""
    outcome = core.try_acquire(session)
    if outcome is not None:
        session.holds(core)
    session.answer(number, "done", None if outcome is None else outcome is OWNER_DIED)


def _acquire(session: Session, core: LockCore, number: int, _: Any) -> None:
    """Answer as soon as the process has the lock."""

    def granted(ticket: RemoteTicket) -> None:
        owner_died = core.accept(ticket)
        session.holds(core)
        session.answer_soon(number, "done", owner_died)

    ticket = RemoteTicket(session, number, core, granted)
    if session.open_request(ticket):
        core.enqueue(ticket, session)
        session.settled(ticket)


def _release(session: Session, core: LockCore, number: int, _: Any) -> None:
    """Release it, whoever holds it, as the standard lock does."""
    session.released(core)
    core.release()
    session.answer(number, "done")


def _hand_back(session: Session, core: LockCore, number: int, owner_died: Any) -> None:
    """Undo a grant that nobody used."""
    session.released(core)
    core.hand_back(OWNER_DIED if owner_died else GRANTED)


def _locked(session: Session, core: LockCore, number: int, _: Any) -> None:
    """Tell whether anybody holds it."""
    session.answer(number, "done", core.locked())


LOCK_SERVICE: Final[dict[str, Service]] = {
    "try_acquire": _try_acquire,
    "acquire": _acquire,
    "release": _release,
    "hand_back": _hand_back,
    "locked": _locked,
}
