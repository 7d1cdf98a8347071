"""Where a call belongs: what is known of its function and of the load, read once and put before `decide`."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from ..backends.base import Task, WorkerPool
from ..backends.loop import LoopBackend
from ..backends.threads import ThreadBackend
from ..chunks import ChunkRunner
from ..errors import NotPicklable
from ..model import Decision, Load, Machine, Options, Profile
from ..routing.policy import DOUBTFUL_CALLS, WAITS, Facts, decide, hardly_holds_the_gil, is_trusted
from ..routing.store import FunctionRecord

__all__ = ["Router", "first_line"]

JUDGE_FROM_SECONDS = 100e-6
CONSULT_FROM_SECONDS = 500e-6
LEAST_CHUNK_SECONDS = 2e-3
MOST_CHUNK_SECONDS = 50e-3
CHUNKS_A_CORE = (
    2  # of what is left: so each is a quarter of that with two cores, and none is idle for long at the end
)
LEAST_SECONDS = 100e-9
MOST_IN_ONE = 10_000
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType)


class Router:
    """Decides for the calls of one executor.

    Args:
        machine: What there is to run on.
        threads: Asked what waits there.
        processes: The same.
        loop: Asked whether it runs.
    """

    def __init__(
        self, machine: Machine, threads: ThreadBackend, processes: WorkerPool, loop: LoopBackend
    ) -> None:
        self.machine = machine
        self._threads = threads
        self._processes = processes
        self._loop = loop

    def facts(
        self,
        record: FunctionRecord,
        options: Options,
        waiting: int = 0,
        fn: Callable[..., Any] | None = None,
        profile: Profile | None = None,
        *,
        twin: bool = False,
    ) -> Facts:
        """All that a decision depends on.

        Args:
            record: The function's.
            options: What the caller asked for.
            waiting: How many calls there are besides this one.
            fn: The function, if its code may be judged now in case that matters.
            profile: What is known of it; None to ask the record.
            twin: Whether the calls may run as the function's async twin.
        """
        if profile is None:
            profile = record.profile()
        stay = record.stay
        judging = fn is not None and record.verdict is None and not stay and options.pure is not True
        if judging and fn is not None and (options.kind == "cpu" or self._computes(profile)):
            record.judged(fn)
        stay = record.stay  # after the verdict was looked for, and so with what it found
        processes = self._processes.load()
        load = Load(
            waiting,
            self._threads.backlog,
            record.estimator.gil_spent_s,
            processes.backlog,
            processes.workers > 0,
            record.flying,
            self._threads.start_seconds,
            self._threads.idle,
            self._threads.most,
            self._loop.runs,
        )
        if options.pure is True and not record.unable:
            stay = ""
        elif options.pure is False:
            stay = "has pure=False, which says that it changes shared state"
        asynchronous = record.twin.profile() if twin and record.twin is not None else None
        return Facts(
            options, record.coroutine, profile, load, self.machine, stay, record.before, asynchronous
        )

    def trusts(self, record: FunctionRecord, profile: Profile) -> bool:
        """Whether these figures are good enough to route by.

        Those of another run say nothing of what calls do to their arguments, so a function that may leave by them has
        to have ended a call here.
        """
        if record.recalled and not (profile.cpu_ratio < WAITS or hardly_holds_the_gil(profile, self.machine)):
            return False
        return is_trusted(profile, self.machine)

    def consult(self, task: Task, record: FunctionRecord) -> None:
        """Read a function's code once its calls are seen to compute, if the figures leave open what it does.

        What does nothing but to compute, with the GIL or without it, need not be watched for that: among many who want
        the GIL it may take a dozen calls until looks tell it.

        Args:
            task: A call of it.
            record: Its record.
        """
        if record.consulted or not self.machine.gil or self.machine.cores < 2 or record.coroutine:
            return
        profile = record.estimator.profile()
        if profile.calls < 1 or profile.cpu < CONSULT_FROM_SECONDS:
            return
        if self.trusts(record, profile):
            record.consulted = profile.calls >= DOUBTFUL_CALLS  # it will be, whatever it does
            return
        record.consulted = True
        if record.stay:
            return
        verdict = record.judged(task.subject)
        if verdict.allowed and verdict.computes and _are_plain(task):
            record.estimator.only_computes(verdict.gil)
        elif verdict.by_turns:
            record.estimator.goes_by_turns()

    def calls_in_one(
        self, record: FunctionRecord, subject: Callable[..., Any], options: Options, items: int
    ) -> int | None:
        """How many of so many calls with plain values are best made as one.

        More than one where that changes nothing but the time that it takes: what only computes waits for no other
        call, is not told of by itself, and has no time limit.

        Args:
            record: The function's.
            subject: The function.
            options: What the caller asked for.
            items: How many calls are left.

        Returns:
            The number, which is less the fewer are left, as in guided self-scheduling (Polychronopoulos and Kuck,
            1987); None as long as too little is known.
        """
        if record.coroutine or options.kind == "io" or options.timeout is not None or options.retries:
            return 1
        if options.backend not in (None, "thread", "process"):
            return 1
        profile = record.estimator.profile()
        if not profile.settled:
            return None
        if profile.cpu >= MOST_CHUNK_SECONDS / 2 or record.stay:
            return 1
        verdict = record.judged(subject)
        if not (verdict.allowed and verdict.computes):
            return 1
        record.estimator.only_computes(verdict.gil)
        cost = max(profile.cpu, record.mean(), LEAST_SECONDS)
        fair = -(-items // (CHUNKS_A_CORE * self.machine.cores))
        return max(
            1, min(max(fair, int(LEAST_CHUNK_SECONDS / cost)), int(MOST_CHUNK_SECONDS / cost), MOST_IN_ONE)
        )

    def ask_who_may_run(self, record: FunctionRecord, subject: Callable[..., Any]) -> None:
        """See whether what a function's calls do is the same on whichever thread, if what they are given is plain."""
        verdict = record.judged(subject)
        record.names = _names_in(subject.__code__) if isinstance(subject, types.FunctionType) else frozenset()
        record.by_anyone = (
            isinstance(subject, types.FunctionType)
            and (verdict.allowed and verdict.computes and not (record.stay or verdict.reads))
            and subject.__globals__.keys().isdisjoint(record.names)
        )
        record.steady = None  # it is made anew with that

    def first_here(self, record: FunctionRecord, decision: Decision) -> Decision:
        """The decision for the next call, which stays here if its function's figures are another run's."""
        if not record.recalled or decision.backend != "process":
            return decision
        why = f"{decision.reason}, by another run's figures; a call is looked at here first"
        return Decision("thread", why, decision.profile)

    def _computes(self, profile: Profile) -> bool:
        """Whether it may be worth sending away, so that its code must be judged."""
        return self.machine.gil and profile.settled and profile.gil_time >= JUDGE_FROM_SECONDS

    def equip(self, task: Task, record: FunctionRecord, decision: Decision) -> Decision:
        """What the function reads of its modules has to be the same in a worker: see to it that it goes along.

        Args:
            task: A call that was routed to a worker, not sent there by force.
            record: Its function's.
            decision: The one for the worker.

        Returns:
            The decision, or the one to stay here if it must.
        """
        options = task.options
        if options.pure is True:
            return decision
        # Comparing environments takes modules that programs whose functions all wait need not load.
        from ..routing.environment import environment
        from ..routing.given import look, look_at_plain

        try:
            record.judged(task.subject)
            if record.stay:
                return decide(self.facts(record, options))  # something was found since it was decided
            judged = functools.partial(record.judged_with, task.subject)
            alike = look_at_plain(task.subject, _first_of(task), judged) if _is_plain_chunk(task) else None
            why, reads = alike or look(task.subject, task.args, task.kwargs, judged)
            if why is not None:
                return Decision("thread", f"this call {why}, so it stays here", decision.profile)
            # Empty means that nothing has to be compared; the worker still looks what becomes of the arguments.
            task.environment = environment(reads, task.context) or b""
        except (NotPicklable, ValueError) as error:
            self.stay(record, f"reads module state that can't be compared in a worker ({first_line(error)})")
            return decide(self.facts(record, options))
        return decision

    def stay(self, record: FunctionRecord, why: str) -> None:
        """From now on, calls of this function stay here, unless the user says pure=True."""
        record.stay = record.stay or why

    def unable(self, record: FunctionRecord, why: str) -> None:
        """From now on, calls of this function stay here, whatever the user says of purity."""
        record.unable = True
        record.stay = why


def _is_plain_chunk(task: Task) -> bool:
    """Whether a call makes many calls that are given nothing but plain values."""
    return task.items != 1 and getattr(task.fn, "given_is_plain", False) is True


def _names_in(code: types.CodeType) -> frozenset[str]:
    """The names of what a code, and the code in it, finds outside of itself, and of attributes."""
    inner = [_names_in(const) for const in code.co_consts if isinstance(const, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


def _first_of(task: Task) -> tuple[Any, ...]:
    """What the first of several calls as one is given."""
    runner: ChunkRunner = task.fn  # type: ignore[assignment]
    return runner.first(task.args[0])


def _are_plain(task: Task) -> bool:
    """Whether the methods of all that a call is given hold the GIL, too."""
    from ..routing.holding import all_hold
    from ..routing.kinds import kinds_of_call

    given = (*task.args, *task.kwargs.values())
    if any(callable(each) or type(each).__module__.startswith("adaptive_exec.") for each in given):
        return False
    kinds = kinds_of_call(task.subject, task.args, task.kwargs)
    return kinds is not None and kinds.isdisjoint(_CODE) and all_hold(kinds)


def first_line(error: BaseException) -> str:
    """What an error says, short enough for a sentence."""
    text = str(error).partition("\n")[0]
    return text if len(text) <= 160 else text[:157] + "..."
