"""Scouting: the first calls of an unknown function run here and are measured, while the others are held.

Calls that come meanwhile are held back until the scouts' figures suffice, even live ones of a scout that still
runs; then they are routed together. So a thousand calls that arrive at once from cold are not sent to the
wrong place. A function whose scouts wait, and none of which ends, gets more of them, twice as many every
moment, so nothing is held for long, whatever the scouts wait for.

Guarantees:
    - A held call is released, made a scout, put on trial, or taken back by its user: one of these, once.
    - Nothing is held for ever: whoever holds a call has the supervisor look at its function until none is held.
Assumes:
    - `send` ends the call's future if it raises nothing, and accepts a call from any thread.
State table of a call:
    new  -> scout      there are too few, and nothing is held
    new  -> held       otherwise
    held -> released   the figures suffice
    held -> scout      more scouts are wanted
    held -> on trial   a worker is idle, and what is known speaks for one
    held -> taken      `withdraw`
Races:
    - the last scout ends while a call is being held: the call is appended under the record's lock, and
      whoever appends then watches the record, so it is looked at again:
      `tests/dispatch/test_dispatcher.py::test_call_held_as_the_last_scout_ends`
    - cancel of a held call against its release: it is in `held` or it is not, under the record's lock:
      `tests/dispatch/test_dispatcher.py::test_cancel_against_release`
"""

from __future__ import annotations

import functools
import time
from typing import Protocol

from ..backends.base import Outcome, Task, WorkerPool
from ..model import Decision, Profile
from ..routing.policy import DOUBTFUL_CALLS, WAITS, calls_on_trial, decide, on_trial
from ..routing.store import FunctionRecord
from .router import Router
from .scout_check import ScoutCheck
from .supervisor import Supervisor

__all__ = ["Scouting", "Send"]

MORE_SCOUTS_SECONDS = 0.02
LONG_SCOUT_NS = 100_000_000
PATIENCE_SECONDS = 0.5
DOUBTED_SCOUTS = 4


class Send(Protocol):
    """Hands a call to the backend that was decided on."""

    def __call__(self, task: Task, record: FunctionRecord, decision: Decision) -> None: ...


class Scouting:
    """Holds the calls of functions that are not known well enough, and learns about them.

    Args:
        router: Decides.
        processes: Where idle workers may take calls on trial.
        supervisor: Looks again.
        send: Sends a call on its way.
    """

    def __init__(self, router: Router, processes: WorkerPool, supervisor: Supervisor, send: Send) -> None:
        self._router = router
        self._processes = processes
        self._supervisor = supervisor
        self._send = send

    def take(self, task: Task, record: FunctionRecord, decision: Decision) -> None:
        """Send a call of an unknown function as a scout by this decision, or hold it."""
        with record.lock:
            scout = not record.held and len(record.scouts) < record.scout_limit
            if scout:
                record.scouts.add(task)
            else:
                record.held.append(task)
                if len(record.held) == 1:
                    record.released = record.widened = time.monotonic()
        if scout:
            self._send_scout(task, record, decision)
        elif not record.watched:
            record.watched = True
            self._supervisor.watch(record, functools.partial(self._look, record))

    def withdraw(self, task: Task, record: FunctionRecord) -> bool:
        """Take back a call that is held; False if it is not."""
        with record.lock:
            try:
                record.held.remove(task)
            except ValueError:
                return False
            return True

    def ended(self, task: Task, record: FunctionRecord) -> None:
        """A call has ended: if it was to tell something, look at what waits for that."""
        if task.scout:
            with record.lock:
                record.scouts.discard(task)
                record.progress = True
                record.recalled = False
                held = bool(record.held)
            if held:
                self._review(record)
        elif task.trial and record.held:
            # Not here: whoever waits for a result may be the one who hands it over, and pickles nobody's arguments.
            self._supervisor.soon(lambda: self._review(record))

    def _send_scout(self, task: Task, record: FunctionRecord, decision: Decision) -> None:
        """Run a call here, measured, and with its world compared before and after."""
        task.scout = True
        if self._router.machine.gil and self._router.machine.cores > 1 and not record.stay:
            task.snapshot = ScoutCheck(task, record)
        self._send(task, record, decision)

    def _send_held(
        self, task: Task, record: FunctionRecord, decision: Decision, *, scout: bool = False
    ) -> None:
        """Send a call that was accepted before: what goes wrong now belongs into its future."""
        try:
            if scout:
                self._send_scout(task, record, decision)
            else:
                self._send(task, record, decision)
        except Exception as error:
            task.hand_back(Outcome(error=error))

    def _look(self, record: FunctionRecord) -> bool:
        """Review from the supervisor. First the flag, then the look, so that what is held in between is seen."""
        record.watched = False
        left = self._review(record)
        if left:
            record.watched = True
        return left

    def _review(self, record: FunctionRecord) -> bool:
        """Route what is held, if the figures suffice; else widen the scouting. False once nothing is held."""
        with record.lock:
            first = record.held[0] if record.held else None
        if first is not None:
            self._router.consult(first, record)
        profile = self._known(record)
        if self._router.trusts(record, profile):
            with record.lock:
                tasks = list(record.held)
                record.held.clear()
            self._release(record, tasks, profile)
            return False
        tried = self._try_elsewhere(record, profile)
        more, left = self._more_scouts(record, profile, tried=tried)
        for task in more:
            # By the figures read above: others may have come meanwhile, and then its code would have to be judged.
            decision = decide(self._router.facts(record, task.options, profile=profile))
            self._send_held(task, record, self._router.first_here(record, decision), scout=True)
        return left

    def _more_scouts(
        self, record: FunctionRecord, profile: Profile, *, tried: bool
    ) -> tuple[list[Task], bool]:
        """Calls that were held and are scouts now, and whether others are left."""
        # Doubts end with a few good looks more, or after so many calls: no more than those need to be scouts. Where
        # workers can look, one here is enough: who computes here is in everybody's way.
        doubted = min(DOUBTED_SCOUTS, DOUBTFUL_CALLS - profile.calls) if profile.settled else 0
        more: list[Task] = []
        now = time.monotonic()
        waits = self._some_wait(record)
        with record.lock:
            if record.progress:
                # Scouts are ending, so nothing is stuck, and more of them would only be in each other's way.
                record.progress = False
                record.released = now
            elif now - record.released >= MORE_SCOUTS_SECONDS and record.held:
                # Scouts that compute, or would if they had a core, wait for nobody: on a busy machine they just
                # take long. Unless they poll.
                record.released = now
                # Those that have not begun stand in a queue, which tells nothing of them.
                begun = all(task.meter is not None for task in record.scouts)
                if begun and (waits or now - record.widened >= PATIENCE_SECONDS):
                    record.widened = now
                    record.scout_limit *= 2
            most = max(1, record.scout_limit // 2) if tried else max(record.scout_limit, doubted)
            while record.held and len(record.scouts) < most:
                task = record.held.popleft()
                record.scouts.add(task)
                more.append(task)
            return more, bool(record.held)

    def _try_elsewhere(self, record: FunctionRecord, profile: Profile) -> bool:
        """Give idle workers some of the calls that are held, if what is known speaks for that.

        True if that is where doubts may end, whether a worker is idle now or not.
        """
        with record.lock:
            held = len(record.held)
            first = record.held[0] if held else None
        if first is None or record.recalled:
            return False
        options = first.options
        decision = on_trial(self._router.facts(record, options, held - 1, first.subject, profile))
        if decision is None:
            return False
        try:
            room = self._processes.vacancies(held) * calls_on_trial(profile)
        except Exception:  # the pool can't be started; a call that is sent there will be told why
            return False
        with record.lock:
            tasks: list[Task] = []
            while record.held and len(tasks) < room and record.held[0].options == options:
                tasks.append(record.held.popleft())
        for task in tasks:
            task.trial = True
            self._send_held(task, record, decision)
        return True

    def _some_wait(self, record: FunctionRecord) -> bool:
        """Whether one of the scouts has been seen to wait for most of its time so far."""
        with record.lock:
            scouts = list(record.scouts)
        for task in scouts:
            meter = task.meter
            seen = None if meter is None else meter.peek()
            if seen is None:
                continue
            if seen.looks is None:
                if seen.cpu_ns < seen.wall_ns / 20:  # the clocks are all there is
                    return True
            elif seen.blocked_ns > seen.sampled_ns / 2:
                return True
        return False

    def _known(self, record: FunctionRecord) -> Profile:
        """The profile, with what can be seen of scouts that still run if that helps.

        That somebody waits is seen in a moment. How a call computes may change from one part of it to the next,
        so that is believed of whole calls, or of those that have computed for long.
        """
        profile = record.profile()
        if profile.settled and not record.recalled:
            return profile
        with record.lock:
            scouts = list(record.scouts)
        meters = [task.meter for task in scouts]
        seen = [sample for meter in meters if meter is not None and (sample := meter.peek()) is not None]
        if profile.settled:
            # Waiting for the end of a long call would make what is known a hindrance.
            record.recalled = not any(sample.cpu_ns >= LONG_SCOUT_NS for sample in seen)
            return profile
        if not seen:
            return profile
        live = record.estimator.add_live(seen)
        if not live.settled or live.cpu_ratio >= WAITS:
            lasting = [sample for sample in seen if sample.cpu_ns >= LONG_SCOUT_NS]
            if not lasting:
                return profile
            live = record.estimator.add_live(lasting)
            if not live.settled:
                return profile
        record.provisional = live
        return record.profile()

    def _release(self, record: FunctionRecord, tasks: list[Task], profile: Profile) -> None:
        """Route calls that were held, by one decision: they are all of a kind."""
        if not tasks:
            return
        options, twin = tasks[0].options, tasks[0].twin is not None
        facts = self._router.facts(record, options, len(tasks) - 1, tasks[0].subject, profile, twin=twin)
        decision = decide(facts)
        for task in tasks:
            mine, has_twin = task.options, task.twin is not None
            same = mine == options and has_twin is twin and (decision.backend != "process" or not record.stay)
            if same:
                chosen = decision
            else:
                others = self._router.facts(record, mine, fn=task.subject, profile=profile, twin=has_twin)
                chosen = decide(others)
            self._send_held(task, record, chosen)
