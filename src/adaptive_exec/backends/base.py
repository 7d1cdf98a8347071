"""The contract of a backend: something that runs tasks and tells how they went.

`Task` is one accepted call on its way; `Outcome` is what became of it. A backend takes tasks by
`submit`, asks `task.begin()` before it runs one, and hands every task that it took back exactly once
by `task.hand_back(outcome)`, in whatever thread it likes, a cancelled one too.
"""

from __future__ import annotations

import contextvars
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from ..futures import PENDING, Future, new_lock
from ..model import BackendName, Decision, Options, WorkerStats
from ..sample import Sample

if TYPE_CHECKING:
    from ..profiling.gain import Company
    from ..profiling.glances import Glances

__all__ = [
    "UNKNOWN",
    "Backend",
    "BackendLoad",
    "Lane",
    "Outcome",
    "Refused",
    "SwiftTask",
    "Task",
    "Unavailable",
    "WorkerPool",
]

Lane = Literal["new", "brief", "wait", "free", "gil"]


UNKNOWN = 1 / 32  # of a lane's budget: some sixty calls of unknown functions side by side


class Refused(Exception):
    """A backend gives a task back that it did not begin; the text says why it can't run there."""


class Unavailable(Exception):
    """A backend gives a task back that it did not begin, since it has nobody to run it; the cause says why."""


class Outcome(NamedTuple):
    """How a call ended: with a value, or with an error; a sample if it was measured."""

    value: Any = None
    error: BaseException | None = None
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class BackendLoad:
    """What a backend has on its hands.

    Attributes:
        queued: Tasks accepted and not begun.
        running: Tasks that run now.
        workers: Threads or processes that exist now.
        backlog: Seconds of CPU time that queued and running tasks are expected to need.
    """

    queued: int = 0
    running: int = 0
    workers: int = 0
    backlog: float = 0.0


class Task:
    """One accepted call on its way through the library.

    What most calls never need stands as a default in the class: one is made for every call.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
        options: What the caller asked for.
        subject: The function that is measured and judged; `fn` itself unless that only carries it.
        name: The subject's name, for people.
        future: Its outcome, for the caller.
        context: Whose context variables it sees.
        on_done: Takes it back.
    """

    items = 1  # how many calls of the subject this one call makes

    decision: Decision | None = None
    lane: Lane = "wait"
    weight = 0.0
    cost = 0.0  # seconds of CPU (on threads: of the GIL) that it is expected to need
    measure = False
    glances: Glances | None = None  # say when it begins whether it is enough to know the wall
    scout = False
    trial = False  # it was given to an idle worker while its function's figures were doubted
    coroutine = False  # the call gives a coroutine, which has to be run to its end
    swift = False  # only its backend has an account of it, and only its future is told how it ended
    placed = False  # it has a place among those that may be under way, where their number is bounded
    queues = True  # it may wait until a worker is free; else it is handed back, unbegun, without an outcome
    attempts = 0
    retried = 0
    timed_out = False
    begun_at = 0.0
    deadline: Any = None  # what ends it when its time is up
    thread: int | None = None  # the thread that runs it, while one does
    on_begin: Callable[[], None] | None = None
    on_wait: Callable[[], object] | None = None  # told when it is first seen to wait; returns at once
    owner: Any = None  # the dispatcher's record of the function
    company: Company | None = (
        None  # what ran beside it on threads; None if nobody looked, or that has changed
    )
    meter: Any = None  # set while a thread runs it, so that others can look at the call
    twin: Callable[..., Any] | None = None  # the coroutine function that may run on a loop in place of `fn`
    as_twin = False  # it is the twin that runs
    shape: Any = None  # what is known of calls that are given the like, where that matters
    snapshot: Any = None  # what the dispatcher compares before and after a scout's call
    # Module state that the function must find the same elsewhere; None if the user has vouched for it.
    environment: bytes | None = None
    wire: Any = None  # what a backend keeps of the task

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: Options,
        subject: Callable[..., Any],
        name: str,
        future: Future[Any],
        context: contextvars.Context,
        on_done: Callable[[Task, Outcome], None],
    ) -> None:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.subject = subject
        self.name = name
        self.future = future
        self.context = context
        self.on_done = on_done

    def begin(self) -> bool:
        """Claim the task for running; False if it was cancelled and is to be dropped."""
        begun = self.future.begin()
        if begun and self.on_begin is not None:
            self.on_begin()
        return begun

    def hand_back(self, outcome: Outcome) -> None:
        """Say how it has ended."""
        self.on_done(self, outcome)

    def let_go(self) -> None:
        """The call has ended: nothing leads to it, with all its arguments, from the future that its user keeps."""
        self.future.on_cancel = self.future.call = self.on_wait = None


class SwiftTask(Future[Any], Task):
    """A call of a function that is known, and its future: only its backend has an account of it.

    One is made for every call, so it has room for nothing else than what every call needs.

    Args:
        fn: What is called.
        args: Positional arguments.
        kwargs: Keyword arguments.
        options: What the caller asked for.
        owner: The dispatcher's record of the function.
        context: Whose context variables it sees.
        decision: Where it goes and why.
        on_done: Takes it back, if more has to be done for it than to end it.
    """

    __slots__ = ("args", "context", "fn", "kwargs", "on_done", "options", "owner")
    swift = True

    def __init__(  # not the others', which make more
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: Options,
        owner: Any,
        context: contextvars.Context,
        decision: Decision | None,
        on_done: Callable[[Task, Outcome], None],
    ) -> None:
        self._lock = new_lock()
        self._state = PENDING
        self._result = self._exception = self._audience = self.helper = None
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.owner = owner
        self.context = context
        self.decision = decision
        self.on_done = on_done

    def hand_back(self, outcome: Outcome) -> None:
        on_done = self.on_done
        if on_done is not None:  # else it has been given up
            on_done(self, outcome)

    def let_go(self) -> None:
        """The call has ended: keep nothing for whoever keeps its future but how that was."""
        self.fn = self.args = self.kwargs = self.context = self.on_done = self.helper = None  # type: ignore[assignment]

    @property
    def future(self) -> Future[Any]:  # type: ignore[override]
        """It is its own."""
        return self

    @property
    def call(self) -> Task:
        """The same."""
        return self

    @property
    def subject(self) -> Callable[..., Any]:  # type: ignore[override]
        """The function that is called is the one that is measured."""
        return self.fn

    @property
    def name(self) -> str:  # type: ignore[override]
        """The function's."""
        return self.owner.name  # type: ignore[no-any-return]


class Backend(ABC):
    """Something that runs tasks; all methods may be called from any thread."""

    name: ClassVar[BackendName]

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Take a task, without waiting for room; `RuntimeError` once it has been shut down."""

    @abstractmethod
    def cancel(self, task: Task) -> None:
        """The task's future has been cancelled: forget it, or end it if it runs."""

    @abstractmethod
    def load(self) -> BackendLoad:
        """What it has on its hands right now."""

    @abstractmethod
    def shutdown(self, *, wait: bool) -> None:
        """Take nothing more, finish what was taken, end workers; with `wait`, return when all is over."""

    @abstractmethod
    def abort(self) -> None:
        """End everything that can be ended at once; every task is still handed back."""


class WorkerPool(Backend):
    """A backend that has worker processes, or knows of some."""

    @abstractmethod
    def vacancies(self, calls: int, /) -> int:
        """For how many of so many calls workers are idle; more are started if there may be."""

    @abstractmethod
    def workers(self) -> tuple[WorkerStats, ...]:
        """What each worker does, oldest first."""

    @abstractmethod
    def pids(self) -> list[int]:
        """Process ids of the workers there are."""

    @abstractmethod
    def turnover(self) -> tuple[int, int]:
        """How many workers have died, and how many were replaced after they had served long enough."""

    @abstractmethod
    def forget(self) -> None:
        """In a forked copy of this process: give up the parent's workers without touching them."""
