"""What is known of each function, found by what the function is rather than by which object it is.

Lambdas made in a loop, bound methods and partials are new objects every time; what they have in common is
their code. So a record is kept per code object, and a decorated function's wrapper, whose code all its
kind share, is told apart by what it wraps.

Guarantees:
    - At most `LIMIT` records; the least recently used ones that have nothing under way are forgotten.
    - A key's objects are held by its record, so an identity is never reused while it means something.
Assumes: nothing of the interpreter's atomicity; every access to the table takes its lock.
Races:
    - two first submissions of a function at once make one record:
      `tests/routing/test_store.py::test_one_record_for_two_first_submissions`
    - many want a function's verdict at once: one reads the code, and the others wait for what it finds:
      `tests/routing/test_store.py::test_code_is_read_once`
"""

from __future__ import annotations

import functools
import inspect
import threading
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..backends.base import Task
from ..model import BackendName, Decision, Machine, Options, Profile
from ..profiling.estimate import Estimator
from ..profiling.shapes import Shapes, by_shape, differ, kinds_of, varies
from .policy import is_trusted

if TYPE_CHECKING:
    from .callables import Callables
    from .lanes import Place
    from .safety import Verdict

__all__ = ["FunctionRecord", "Steady", "Store", "name_of"]

LIMIT = 4096
LATELY = 256
_MANY = 100
_LATELY_CALLS = 1000
_SUITED = 16  # kinds of arguments that a verdict is kept for


@dataclass(frozen=True, slots=True)
class Steady:
    """A decision that holds for as long as nothing is learned.

    Attributes:
        options: For calls with these.
        stay: The record's, when it was decided.
        decision: The decision.
        place: The lane on threads that follows from it; None where that has to be looked for.
        swift: It is the brief lane or a loop, and nothing has to be done for a call but to run it.
        by_anyone: What a call does is the same on whichever thread, if what it is given is plain.
    """

    options: Options
    stay: str
    decision: Decision
    place: Place | None
    swift: bool = False
    by_anyone: bool = False


class FunctionRecord:
    """One function: its measurements, what may be done with it, and which of its calls wait for that."""

    __slots__ = (
        "before",
        "by_anyone",
        "consulted",
        "coroutine",
        "counts",
        "estimator",
        "failures",
        "flying",
        "held",
        "held_ns",
        "hogging",
        "kinds",
        "lock",
        "look",
        "many_calls",
        "many_ns",
        "measured",
        "name",
        "named",
        "names",
        "pins",
        "profiled",
        "progress",
        "provisional",
        "reading",
        "recalled",
        "released",
        "scout_limit",
        "scouts",
        "shapes",
        "spared",
        "stay",
        "steady",
        "suited",
        "swift",
        "twin",
        "unable",
        "verdict",
        "watched",
        "widened",
    )

    def __init__(self, name: str, pins: tuple[object, ...], coroutine: bool) -> None:
        self.name = name
        self.pins = pins
        self.coroutine = coroutine
        self.estimator = Estimator()
        self.lock = threading.Lock()
        self.reading = threading.Lock()  # held while the function's code is read
        self.held: deque[Task] = deque()
        self.scouts: set[Task] = set()
        self.scout_limit = 2
        self.released = 0.0
        self.widened = 0.0  # when there were last let more scouts go for want of news
        self.progress = False  # a scout has ended since the last look
        self.profiled: tuple[Profile, bool | None, Profile] | None = None
        self.provisional: Profile | None = None  # by what scouts that still run have shown so far
        self.verdict: Verdict | None = None
        self.suited: dict[tuple[frozenset[type] | None, frozenset[type], Callables | None], Verdict] = {}
        self.stay = ""
        self.steady: Steady | None = None
        self.unable = False  # stays whatever the user says of purity: it, or its arguments, can't travel
        self.before: BackendName | None = None
        self.many_ns = self.many_calls = 0  # what many calls as one took, lately
        self.counts: dict[BackendName, int] = {}
        # Calls that were sent off without more ado, beside those in `counts`: it takes no lock to add one.
        self.swift: deque[None] = deque()
        # What its calls do is the same on whichever thread, if what they are given is plain; None if nobody has looked.
        self.by_anyone: bool | None = None
        self.names: frozenset[str] = (
            frozenset()
        )  # that its code knows by no other way than their being global
        self.measured: deque[weakref.ref[Task]] = deque()  # coroutines that are, and run
        self.look: Any = None  # the next one at those
        self.spared = 0  # how often, of late, calls were not measured because of those
        self.failures = 0
        self.recalled = False  # its figures are another run's; no call has been seen to be harmless here
        self.kinds: tuple[type, ...] | None = None  # of its first call's arguments
        self.shapes: Shapes | None = (
            None  # what is known by what calls are given, once that is seen to matter
        )
        self.consulted = False  # its code has been asked what kind of work it does
        self.twin: Estimator | None = None  # of its async twin's calls
        self.flying = 0  # calls accepted and not ended that the twin may run; changed under the lock
        self.held_ns = 0  # for how long a step of it has held its loop at most
        self.hogging = 0  # `dispatch/hogs.py`
        self.named = False  # it was named as a hog
        self.watched = False  # somebody will look at what is held; a hint that saves asking again

    def judged(self, fn: Callable[..., Any]) -> Verdict:
        """The verdict on the function's code, found once: whoever else wants it meanwhile waits for it."""
        if (verdict := self.verdict) is not None:
            return verdict
        # Reading code takes a large module and milliseconds; programs whose functions all wait need neither.
        from .safety import judge

        with self.reading:
            verdict = self.verdict
            if verdict is None:
                verdict = judge(fn, ())
                if not verdict.allowed:
                    self.stay = self.stay or verdict.reason
                self.verdict = verdict  # last: whoever sees it need not look again
            return verdict

    def judged_with(
        self,
        fn: Callable[..., Any],
        kinds: frozenset[type] | None,
        seen: frozenset[type] = frozenset(),
        called: Callables | None = None,
    ) -> Verdict:
        """The verdict on calls that are given objects of these classes of ours, and functions; found once each.

        None is any, and then those are read that have been seen.
        """
        verdict = self.judged(fn)
        if not verdict.allowed or (verdict.covers(kinds) and not seen):
            return verdict
        found = self.suited.get((kinds, seen, called))
        if found is None:
            from .safety import judge

            if len(self.suited) >= _SUITED:
                self.suited.clear()
            found = self.suited[kinds, seen, called] = judge(fn, kinds, seen, called)
        return found

    def learned(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A call with these arguments has been measured: see whether calls differ by what they are given."""
        if self.coroutine:
            return
        if self.kinds is None:
            self.kinds = kinds_of(args, kwargs)
        profile = self.estimator.profile()
        if not profile.settled:
            return
        if varies(profile, self.estimator.spread()) or differ(profile, self.kinds, args, kwargs):
            self.estimator.varies()
            self.shapes = Shapes()
            self.steady = None

    def profile_by_shape(self, task: Task, machine: Machine) -> Profile:
        """What is known of calls like this one; nothing, if none had arguments of such classes."""
        assert self.shapes is not None
        task.shape, strange = self.shapes.estimator(task.args, task.kwargs)
        if strange and self.profile().settled:
            return Profile()
        return self._in_shape(task.shape.profile(), machine)

    def weightiest(self, machine: Machine) -> Profile | None:
        """What is known of those calls that most of the work is in, if calls differ."""
        found = None if self.shapes is None else self.shapes.weightiest()
        return None if found is None else self._in_shape(found, machine)

    def _in_shape(self, mine: Profile, machine: Machine) -> Profile:
        """What is known of calls of one shape, where that leaves something open by all calls."""
        overall = self.profile()
        if not is_trusted(mine, machine):
            return by_shape(overall, mine)
        return _with_safety(mine, overall.process_safe)

    def profile(self) -> Profile:
        """What is known, with what is known of its safety."""
        profile = self.estimator.profile()
        if profile.settled:
            self.provisional = None
        elif self.provisional is not None:
            profile = self.provisional
        safe = False if self.stay else (None if self.verdict is None else True)
        if safe is None:
            return profile
        # The same object for as long as nothing changes, so that decisions can be kept by identity.
        kept = self.profiled
        if kept is None or kept[0] is not profile or kept[1] is not safe:
            kept = self.profiled = (profile, safe, _with_safety(profile, safe))
        return kept[2]

    def together(self, calls: int) -> Profile:
        """What is known of so many calls that are made as one."""
        return self.profile().times(calls, self.mean())

    def mean(self) -> float:
        """Seconds of CPU time that calls have taken on average when many were made as one; 0 if they never were."""
        calls = self.many_calls
        return self.many_ns / calls / 1e9 if calls else 0.0

    def took_together(self, calls: int, cpu_ns: int) -> None:
        """So many calls have been made as one."""
        with self.lock:
            if self.many_calls >= _LATELY_CALLS:
                self.many_calls, self.many_ns = self.many_calls // 2, self.many_ns // 2
            self.many_calls += calls
            self.many_ns += cpu_ns

    def takes_off(self) -> None:
        """One more call is in flight that the async twin may run."""
        with self.lock:
            self.flying += 1
            if self.twin is None:
                self.twin = Estimator()
                self.steady = None

    def lands(self) -> None:
        """One of those has ended."""
        with self.lock:
            self.flying -= 1

    def failed(self) -> None:
        """One more call that raised, or whose worker died."""
        with self.lock:
            self.failures += 1

    def count(self, backend: BackendName) -> None:
        """One more call that went there."""
        with self.lock:
            self.before = backend
            self._count_swift()
            self.counts[backend] = self.counts.get(backend, 0) + 1

    def counted(self) -> dict[BackendName, int]:
        """How many calls went where."""
        with self.lock:
            self._count_swift()
            return dict(self.counts)

    def count_swift(self) -> None:
        """Count those that were sent off without more ado."""
        with self.lock:
            self._count_swift()

    def many(self) -> bool:
        """Whether it has been called so often that it pays to read its code for the sake of brief calls; a hint."""
        return self.counts.get("thread", 0) >= _MANY

    def _count_swift(self) -> None:
        """Count the swift ones with the others. Caller holds the lock."""
        new = len(self.swift)
        if new:
            backend: BackendName = "loop" if self.coroutine else "thread"
            self.counts[backend] = self.counts.get(backend, 0) + new
            for _ in range(new):
                self.swift.popleft()


def _with_safety(profile: Profile, safe: bool | None) -> Profile:
    """The profile with its safety filled in."""
    return Profile(
        profile.calls,
        profile.wall,
        profile.cpu,
        profile.cpu_ratio,
        profile.gil_ratio,
        profile.payload_bytes,
        safe,
        profile.uncertainty,
        profile.settled,
        profile.pickling,
        profile.serial_ratio,
    )


class Store:
    """All records of one executor.

    Args:
        limit: How many at most, but for those with calls that are held.
        recall: Is given each new record before anybody else.

    Attributes:
        lately: By the identity of functions that have been asked for lately, and live: their code then, their record.
    """

    def __init__(self, limit: int = LIMIT, recall: Callable[[FunctionRecord], object] = id) -> None:
        self._limit = limit
        self._recall = recall
        self._lock = threading.Lock()
        self._records: OrderedDict[tuple[int, ...], FunctionRecord] = OrderedDict()
        self.lately: dict[int, tuple[types.CodeType, FunctionRecord, weakref.ref[Any]]] = {}

    def record(self, fn: Callable[..., Any]) -> FunctionRecord:
        """The record of a function, made on first sight."""
        lately = self.lately.get(id(fn))
        if lately is not None and lately[0] is fn.__code__:
            return lately[1]
        record = self._found(fn)
        if isinstance(fn, types.FunctionType) and not hasattr(fn, "__wrapped__"):
            if len(self.lately) >= LATELY:
                self.lately.clear()  # a record that is forgotten meanwhile is made anew the next time
            gone = functools.partial(_forget_key, self.lately, id(fn))
            self.lately[id(fn)] = (fn.__code__, record, weakref.ref(fn, gone))
        return record

    def _found(self, fn: Callable[..., Any]) -> FunctionRecord:
        """The record of a function, by its identity."""
        pins = _identity(fn)
        key = tuple(map(id, pins))
        with self._lock:
            found = self._records.get(key)
            if found is not None:
                self._records.move_to_end(key)
                return found
        made = FunctionRecord(name_of(fn), pins, is_coroutine_function(fn))
        self._recall(made)
        with self._lock:
            found = self._records.setdefault(key, made)
            if len(self._records) > self._limit:
                self._forget_one()
            return found

    def find(self, fn: Callable[..., Any]) -> FunctionRecord | None:
        """The record of a function, None if it was never submitted."""
        with self._lock:
            return self._records.get(tuple(map(id, _identity(fn))))

    def all(self) -> list[FunctionRecord]:
        """Every record there is, oldest first."""
        with self._lock:
            return list(self._records.values())

    def _forget_one(self) -> None:
        """Drop the least recently used record that has nothing under way."""
        for key, record in self._records.items():
            if not record.held and not record.scouts:
                del self._records[key]
                self.lately.clear()
                return


def _forget_key(known: dict[int, Any], key: int, _: object) -> None:
    """A function is no more: before another may have its identity."""
    known.pop(key, None)


def _identity(fn: object) -> tuple[object, ...]:
    """What makes this function the same as another: its code, and what it wraps."""
    parts: list[object] = []
    for _ in range(16):  # wrappers of wrappers end somewhere
        if isinstance(fn, functools.partial):
            fn = fn.func
        elif isinstance(fn, types.MethodType):
            fn = fn.__func__
        elif isinstance(fn, types.FunctionType):
            parts.append(fn.__code__)
            wrapped = getattr(fn, "__wrapped__", None)
            if wrapped is None:
                return tuple(parts)
            fn = wrapped
        elif isinstance(fn, types.BuiltinMethodType):
            owner = fn.__self__
            if owner is None or isinstance(owner, types.ModuleType):
                return (*parts, fn)
            # A method of some object, as `[].append`: its class and name, not this one object.
            unbound = getattr(type(owner), fn.__name__, None)
            return (*parts, type(owner) if unbound is None else unbound)
        elif isinstance(fn, type):
            return (*parts, fn)
        elif (wrapped := getattr(fn, "__wrapped__", None)) is not None:
            fn = wrapped
        else:
            call = getattr(type(fn), "__call__", None)
            if not isinstance(call, types.FunctionType):
                return (*parts, type(fn))
            fn = call
    return (*parts, fn)


def name_of(fn: Any) -> str:
    """A name that a person recognises."""
    for _ in range(16):
        if isinstance(fn, functools.partial):
            fn = fn.func
        else:
            break
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None)
    return str(name) if name else type(fn).__qualname__


def is_coroutine_function(fn: Any) -> bool:
    """Whether a call gives a coroutine; callable objects and partials are looked through."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    if inspect.iscoroutinefunction(fn):
        return True
    if isinstance(fn, (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)):
        return False
    return inspect.iscoroutinefunction(getattr(type(fn), "__call__", None))
