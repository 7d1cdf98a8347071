"""The desk: where the workers of a pool bring calls of their own, for workers that are idle.

Its other side, and the reasons, stand in `nested.py`. It is reached as a shared primitive is, by the connection
that each worker has to the home of primitives, so a worker that dies takes its calls along.

Guarantees:
    - A call is begun by an idle worker at once, or refused: none ever waits in the pool's queue, not even if that
      worker dies before it begins.
    - Each request is answered once; the answer is the worker's own, unread.
    - When the worker that asked has died, or gives up, the call is cancelled as any other.
Assumes: what `crew.py` and `primitives/session.py` do.
Races:
    - the idle worker is taken between `vacancies` and `run`: then it is refused, and its sender keeps it:
      `tests/backends/test_nested.py::test_vacancy_is_gone`
    - the call ends while it is given up: the ticket is finished once:
      `tests/backends/test_nested.py::test_cancel_against_the_answer`
"""

from __future__ import annotations

import contextvars
from typing import Final, Protocol

from ...futures import Future
from ...model import Options
from ...primitives.core import Core
from ...primitives.here import enroll
from ...primitives.session import RemoteTicket, Service, Session, services
from ...primitives.ticket import CANCELLED, Ticket
from ...primitives.ticket import Outcome as Answer
from ..base import Outcome, Task
from .copies import run_copy

__all__ = ["Desk"]

_OPTIONS: Final = Options(backend="process")


class Pool(Protocol):
    """What the desk needs of its pool."""

    def vacancies(self, calls: int, /) -> int:
        """For how many of so many calls workers are idle; more are started if there may be."""

    def submit_to_idle(self, task: Task, /) -> bool:
        """Have an idle worker begin a task; False if there is none."""

    def cancel(self, task: Task, /) -> None:
        """Forget a task, or end the worker that executes it."""


class Desk(Core):
    """One pool's desk.

    Args:
        pool: Whose.
    """

    __slots__ = ("_pool", "_tasks")

    kind = "Desk"

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool
        self._tasks: dict[Ticket, Task] = {}
        services[self.kind] = _SERVICE
        enroll(self)

    def vacancies(self, wanted: int) -> int:
        """For how many of so many calls a worker is idle."""
        return self._pool.vacancies(wanted)

    def run(self, ticket: Ticket, blob: bytes, name: str, environment: bytes | None, cost: float) -> None:
        """Have a call run by an idle worker; finishes the ticket with its answer, or with None at once."""
        task = Task(
            run_copy,
            (blob,),
            {},
            _OPTIONS,
            run_copy,
            name,
            Future(),
            contextvars.Context(),
            lambda _, outcome: self._done(ticket, outcome),
        )
        task.environment, task.cost = environment, cost
        task.future.stoppable = True
        task.queues = False
        self._tasks[ticket] = task
        if not self._pool.submit_to_idle(task):
            self._done(ticket, Outcome())

    def _done(self, ticket: Ticket, outcome: Outcome) -> None:
        """Answer; what nobody waits for any more is dropped."""
        self._tasks.pop(ticket, None)
        if ticket.finish(Answer(outcome.value, outcome.error)):
            ticket.wake()

    def withdraw(self, ticket: Ticket) -> None:
        """End the call of a worker that does not want it any more."""
        task = self._tasks.get(ticket)
        ticket.finish(CANCELLED)
        if task is not None and task.future.cancel():
            self._pool.cancel(task)

    def abandon(self, ticket: Ticket) -> None:
        """End the call of a worker that has died."""
        self.withdraw(ticket)


def _vacancies(session: Session, desk: Desk, number: int, wanted: int) -> None:
    """Answer for how many calls workers are idle."""
    session.answer(number, "done", desk.vacancies(wanted))


def _run(session: Session, desk: Desk, number: int, call: tuple[bytes, str, bytes | None, float]) -> None:
    """Answer when the call has ended; None at once if nobody is idle."""

    def granted(ticket: RemoteTicket) -> None:
        outcome = ticket.outcome
        session.answer_soon(number, "done", None if outcome is None else outcome.value)

    ticket = RemoteTicket(session, number, desk, granted)
    if session.open_request(ticket):
        desk.run(ticket, *call)


_SERVICE: Final[dict[str, Service]] = {"vacancies": _vacancies, "run": _run}
