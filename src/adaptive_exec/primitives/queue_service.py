"""What other processes can ask of a `Queue` that lives here."""

from __future__ import annotations

from typing import Any, Final

from .. import pickling
from ..errors import NotPicklable
from .parcel import HomeOnly, Parcel
from .queue_core import QueueCore
from .session import RemoteTicket, Service, Session

__all__ = ["QUEUE_SERVICE"]


def _try_put(session: Session, core: QueueCore, number: int, data: list[bytes]) -> None:
    """Put all items or none."""
    core.try_put([Parcel(item) for item in data])
    session.answer(number, "done")


def _put(session: Session, core: QueueCore, number: int, data: list[bytes]) -> None:
    """Put the items as room appears; answer when all are in."""
    if len(data) > 1:
        session.begin_steps(number)
    _put_rest(session, core, number, [Parcel(item) for item in data])


def _put_rest(session: Session, core: QueueCore, number: int, parcels: list[Parcel]) -> None:
    """Put items with a request of its own, and the rest with the next."""

    def granted(ticket: RemoteTicket) -> None:
        try:
            filled = core.fill(ticket, parcels)
        except Exception as error:
            session.end_steps(number)
            session.answer_soon(number, "error", error)
            return
        if len(parcels) == 1:
            session.puts[number] = parcels[0]
        if filled < len(parcels):
            _put_rest(session, core, number, parcels[filled:])
        else:
            session.end_steps(number)
            session.answer_soon(number, "done")

    ticket = RemoteTicket(session, number, core, granted)
    if session.open_request(ticket):
        core.ask_put(ticket, parcels)
        session.settled(ticket)


def _unput(session: Session, core: QueueCore, _: int, number: int) -> None:
    """Take an item out again whose putter gave up, if nobody has got it yet."""
    parcel = session.puts.pop(number, None)
    if parcel is not None:
        core.unput(parcel)


def _try_get(session: Session, core: QueueCore, number: int, limit: int) -> None:
    """Hand out what is there."""
    _hand_out(session, core, number, core.try_pop(limit))


def _get(session: Session, core: QueueCore, number: int, limit: int) -> None:
    """Hand out items as soon as there is one."""

    def granted(ticket: RemoteTicket) -> None:
        try:
            items = core.pop_granted(ticket, limit)
        except Exception as error:
            session.answer_soon(number, "error", error)
        else:
            _hand_out(session, core, number, items)

    ticket = RemoteTicket(session, number, core, granted)
    if session.open_request(ticket):
        core.ask_get(ticket, limit)
        session.settled(ticket)


def _hand_out(session: Session, core: QueueCore, number: int, items: list[Any]) -> None:
    """Send items, keeping them until the process says that it has them; the writer pickles."""
    session.hand(number, core, items)
    if all(isinstance(item, Parcel) for item in items):
        session.answer_soon(number, "done", (number, [item.data for item in items]))
    else:
        session.later(lambda: _send(session, core, number, items))


def _send(session: Session, core: QueueCore, number: int, items: list[Any]) -> None:
    """Pickle items and send them, up to the first that can't be pickled; that and the rest stay here."""
    data: list[bytes] = []
    for item in items:
        try:
            data.append(_pickled(item))
        except NotPicklable as error:
            if session.hand_only(number, len(data)):
                plain = item.item if isinstance(item, HomeOnly) else item
                core.put_back([HomeOnly(plain, error), *items[len(data) + 1 :]])
            if not data:
                session.answer(number, "error", error.with_traceback(None))
                return
            break
    session.answer(number, "done", (number, data))


def _pickled(item: Any) -> bytes:
    """Pickle an item; raises NotPicklable."""
    if isinstance(item, Parcel):
        return item.data
    if isinstance(item, HomeOnly):
        raise NotPicklable(*item.error.args)
    try:
        return pickling.dumps(item)
    except NotPicklable:
        raise
    except Exception as error:
        raise NotPicklable(f"{type(item).__name__} can't be pickled: {error}") from error


def _join(session: Session, core: QueueCore, number: int, _: Any) -> None:
    """Answer when all items are done."""

    def granted(ticket: RemoteTicket) -> None:
        ticket.spend()
        session.answer_soon(number, "done")

    ticket = RemoteTicket(session, number, core, granted)
    if session.open_request(ticket):
        core.ask_join(ticket)
        session.settled(ticket)


def _task_done(session: Session, core: QueueCore, number: int, _: Any) -> None:
    """Count one item as done."""
    core.task_done()
    session.answer(number, "done")


def _shutdown(session: Session, core: QueueCore, number: int, immediate: bool) -> None:
    """Accept no more items."""
    core.shutdown(immediate)
    session.answer(number, "done")


def _sizes(session: Session, core: QueueCore, number: int, _: Any) -> None:
    """Tell the number of items, of unfinished items, and whether it was shut down."""
    session.answer(number, "done", core.sizes())


QUEUE_SERVICE: Final[dict[str, Service]] = {
    "try_put": _try_put,
    "put": _put,
    "unput": _unput,
    "try_get": _try_get,
    "get": _get,
    "join": _join,
    "task_done": _task_done,
    "shutdown": _shutdown,
    "sizes": _sizes,
}
