"""The worker process: reads calls, runs them one after the other, answers each, until its channel closes.

Guarantees:
    - It notes on its board which call it begins before it touches the call's pickles, so the parent knows
      which one was executing when the worker died; and it has written a call's answer before it begins the next.
    - A call that was withdrawn before that is skipped, and the parent is told so.
    - A call that it can't even read is refused, not failed: the parent may run it elsewhere.
    - Whatever a call returns or raises, something readable goes back.
    - It leaves between two calls only, when it is worn out (`wear.py`).
    - What it logs and warns of, from the initializer on, is sent to the parent (`logs.py`, `alerts.py`).
    - The end of the parent closes the channel, which ends a worker that waits; one that computes is ended
      by the fork server (`platform/forkserver.py`), or at its next word to the parent.
Assumes:
    - One thread, the main one, reads the channel; whoever writes does so through the outlet.
State of a call here: read -> begun (noted on the board) -> answered; or read -> skipped; or read -> dropped,
    by a worker that has said it leaves: the parent knows then that it never began.
Races: none of its own; the parent's are in `pool.py`, the board's in `platform/boards.py`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ... import parent, pickling
from ...platform.boards import Board
from ...platform.channels import Channel, frame
from ...platform.elbow_room import ElbowRoom
from ...platform.forks import run_in_forked_child
from ...platform.lanes import Lane
from ...profiling.call import CallMeter
from ...sample import Sample
from . import wire
from .buffers import Buffers
from .errors import arrives, pack_error, text_of
from .likeness import prepare
from .outlet import Outlet
from .plain import Place, is_plain, place_of, plain_size
from .shelf import Sent, Shelf
from .signals import Signals
from .wear import Wear
from .wire import Entry, Kind, Measure

if TYPE_CHECKING:
    from ...profiling.sampler import Sampler
    from .watching import Given

__all__ = ["WATCHING", "forked", "run_coroutine", "serve"]

WATCHING: Final = f"{__package__}.watching"
"""What only calls need that the library itself has sent to a worker."""

SPIN_SECONDS: Final = 100e-6
LASTING_NS: Final = 500_000
WATCHED_BYTES: Final = 16 << 10

_WALL: Final = Measure.WALL
_PLAIN: Final = Kind.PLAIN


def forked(payload: bytes, fds: list[int]) -> None:
    """Where a child of the fork server begins: its settings, and the descriptors of its channel and its board."""
    read, write, board, lane, *bell = fds
    memory = Board.of_file(board)
    os.close(board)
    serve(Channel(read, write), memory, Lane.of_fd(lane), bell[0] if bell else None, pickle.loads(payload))


def serve(
    channel: Channel, board: Board, lane: Lane | None, bell: int | None, settings: wire.Settings
) -> None:
    """The life of a worker."""
    try:
        _serve(channel, board, lane, bell, settings)
    finally:
        if lane is not None:
            lane.close()


def _serve(
    channel: Channel, board: Board, lane: Lane | None, bell: int | None, settings: wire.Settings
) -> None:
    """The same, with a lane that somebody else closes."""
    outlet = Outlet(channel, bell)
    run_in_forked_child(outlet.mute)
    with contextlib.suppress(OSError, EOFError):  # the parent is gone, and nobody wants anything any more
        try:
            prepare(settings, outlet)
        except BaseException:
            import traceback

            outlet.send(wire.encode(Kind.FAILED_START, traceback.format_exc()))
            return
        outlet.send(wire.encode(Kind.READY))
        wear = Wear(settings.max_tasks, settings.max_growth)
        buffers = Buffers(lane, Shelf(enabled=lane is not None))
        try:
            _Worker(channel, outlet, board, buffers, wear, spins=settings.spins).run()
        finally:
            buffers.close()


class _Unread:
    """A function that has come and has not been needed yet."""

    def __init__(self, pickled: bytes) -> None:
        self.pickled = pickled


class _Refusal(Exception):
    """A call can't be run here; the text says why."""


class _Worker:
    """Runs what comes."""

    def __init__(
        self, channel: Channel, outlet: Outlet, board: Board, buffers: Buffers, wear: Wear, *, spins: bool
    ) -> None:
        self._buffers = buffers
        self._channel = channel
        self._outlet = outlet
        self._send = outlet.send
        self._board = board
        self._wear = wear
        self._spin = SPIN_SECONDS if spins else 0.0
        self._room = ElbowRoom()
        self._functions = wire.RecentFunctions(2 * wire.REMEMBERED)
        self._lasting: set[int] = set()  # numbers of functions that looks have something to see of
        self._messages: deque[tuple[Any, ...]] = deque()

    def run(self) -> None:
        """Until the parent says so, or is gone, or this process is worn out."""
        wear = self._wear
        while True:
            message = self._next()
            if message[0] == Kind.FREE:
                self._buffers.heed(message[1])
                continue
            if message[0] == Kind.ALONE:
                self._outlet.become_quiet()
                send = self._outlet.leave if len(message[1]) == 1 else self._send
            elif message[0] == Kind.RUN:
                self._outlet.quiet = False
                send = self._send
            else:
                self._tell_of_work_left()
                return
            _, entries, around = message
            if around is not None:
                wire.adopt(around)
            for fields in entries:
                answer = self._briefly(*fields)
                lasted = answer is None
                if answer is None:
                    entry = Entry._make(fields)
                    lasted = entry.measure != Measure.WALL
                    answer = self._execute(entry)
                news = self._buffers.news()
                send(answer if news is None else wire.encode(Kind.FREE, news) + answer)
                wear.calls -= 1
                if (lasted or wear.calls <= 0) and wear.is_out():
                    self._send(wire.encode(Kind.LEAVING))
                    self._tell_of_work_left()
                    return

    def _tell_of_work_left(self) -> None:
        """What calls have submitted here and not waited for is finished before this process ends."""
        if parent.unfinished is not None and parent.unfinished():
            self._send(wire.encode(Kind.FINISHING))

    def _next(self) -> tuple[Any, ...]:
        """The next message, however long that takes; first polling for a moment, since sleep is long to end."""
        messages = self._messages
        while not messages:
            # With more calls about, another core is as likely to be busy as this one.
            bodies = self._channel.spin(self._spin, self._room if self._outlet.quiet else None)
            if not bodies:
                bodies = self._rest()
            messages.extend(map(wire.decode, bodies))
        return messages.popleft()

    def _rest(self) -> list[bytes]:
        """Sleep until something arrives; memory that nobody needs goes back meanwhile."""
        self._outlet.settle()
        news = self._buffers.news()
        if news is not None:
            self._send(wire.encode(Kind.FREE, news))
        self._channel.poll(self._buffers.shelf.slots.tidy())
        return self._channel.receive()

    def _briefly(
        self,
        number: int,
        key: int,
        pickled: bytes | None,
        arguments: wire.Arguments,
        measure: int,
        environment: bytes | None,
        sent: Any,
    ) -> bytes | None:
        """The answer to one of those that come in thousands, fields of an `Entry`; None, and nothing done, for others.

        The user has vouched for it, its function is here and known to be brief, and what it is given is plain. It goes
        the way that `_execute` goes with any call, without the steps that it has no use for.
        """
        if (
            measure != _WALL
            or pickled is not None
            or environment is not None
            or type(arguments) is not tuple
            or key not in self._functions
        ):
            return None
        function = self._functions.use(key)
        if type(function) is _Unread:
            return None
        if not self._board.begin(number):
            return wire.encode(Kind.SKIPPED, number)
        args, kwargs = arguments
        started = time.perf_counter_ns()
        try:
            value = function(*args, **kwargs)
        except BaseException as error:  # even SystemExit: it is that call's, not this process's
            entry = Entry(number, key, pickled, arguments, measure, environment, sent)
            return _answer_error(entry, error, time.perf_counter_ns() - started, None)
        if is_plain(value):
            wall = time.perf_counter_ns() - started
            return frame(pickle.dumps((_PLAIN, number, value, wall, None), protocol=5))
        entry = Entry(number, key, pickled, arguments, measure, environment, sent)
        return self._quick_answer(entry, value, started, None)

    def _execute(self, entry: Entry) -> bytes:
        """Run one call; the answer."""
        number = entry.number
        if entry.pickled is not None:
            # Kept also if this call is skipped: the next ones count on it. Reading it may be the end of this process,
            # so that belongs to the call that needs it first.
            self._functions.add(entry.function, _Unread(entry.pickled))
        if not self._board.begin(number):
            self._let_go(entry)
            return wire.encode(Kind.SKIPPED, number)
        try:
            function, args, kwargs, reading = self._read(entry)
        except _Refusal as refusal:
            return wire.encode(Kind.REFUSED, number, str(refusal))
        except BaseException as error:  # even SystemExit: it is that call's, not this process's
            why = f"a worker can't read it: {type(error).__name__}: {text_of(error)}"
            return wire.encode(Kind.REFUSED, number, why)
        if entry.environment is None:
            return self._run(entry, function, args, kwargs, reading, None)
        # Now, before code of the user's runs, which may change where things are found.
        importlib.import_module(WATCHING)
        signals = Signals()
        answer = self._run(entry, function, args, kwargs, reading, signals)
        raised = signals.raised()
        return wire.encode(Kind.SIGNALS, number, raised) + answer if raised else answer

    def _run(
        self,
        entry: Entry,
        function: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        reading: int,
        signals: Signals | None,
    ) -> bytes:
        """Run a call whose arguments took so many nanoseconds to read; the answer."""
        plain = getattr(function, "given_is_plain", False) is True  # `chunks.py`
        given = _given(args, kwargs) if not plain and _is_to_be_watched(entry) else None
        if entry.measure == Measure.WALL:
            return self._quickly(entry, function, args, kwargs, given, signals)
        # A function's first call here is only timed: what is over before a look comes needs no thread that looks.
        sampled = entry.measure == Measure.SAMPLED and entry.function in self._lasting
        meter = CallMeter(_sampler() if sampled else None, alone=True)
        meter.start()
        try:
            value = function(*args, **kwargs) if signals is None else signals.run(function, args, kwargs)
            if hasattr(value, "send") and hasattr(value, "cr_frame"):
                value = run_coroutine(value)
        except BaseException as error:
            sample = meter.stop(failed=True)
            return _objection(entry, given) or _answer_error(entry, error, sample.wall_ns, sample)
        sample = meter.stop(failed=False)
        if (objection := _objection(entry, given, value)) is not None:
            return objection
        if sample.wall_ns >= LASTING_NS:
            self._note_lasting(entry.function)
        return self._answer(entry, value, sample, reading, _returned(entry, value, args, kwargs))

    def _note_lasting(self, function: int) -> None:
        """A function takes long enough to be looked at."""
        if len(self._lasting) >= 2 * wire.REMEMBERED:
            self._lasting.clear()  # those that are still called are soon noted again
        self._lasting.add(function)

    def _quickly(
        self,
        entry: Entry,
        function: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        given: Given | None,
        signals: Signals | None,
    ) -> bytes:
        """Run a call that is known to be short, and measure no more of it than that it still is."""
        started = time.perf_counter_ns()
        try:
            value = function(*args, **kwargs) if signals is None else signals.run(function, args, kwargs)
        except BaseException as error:
            wall = time.perf_counter_ns() - started
            return _objection(entry, given) or _answer_error(entry, error, wall, None)
        return self._quick_answer(entry, value, started, given, args, kwargs)

    def _quick_answer(
        self,
        entry: Entry,
        value: Any,
        started: int,
        given: Given | None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> bytes:
        """What goes back for such a call, which began at `started` ns and has returned."""
        number = entry.number
        plain = is_plain(value)
        if not plain and hasattr(value, "send") and hasattr(value, "cr_frame"):
            try:
                value = run_coroutine(value)
            except BaseException as error:
                wall = time.perf_counter_ns() - started
                return _objection(entry, given) or _answer_error(entry, error, wall, None)
            plain = is_plain(value)
        wall = time.perf_counter_ns() - started
        if (objection := _objection(entry, given, value)) is not None:
            return objection
        place = _returned(entry, value, args, kwargs or {})
        if place is not None:
            return wire.encode(Kind.GIVEN, number, place, wall, None)
        if plain:
            return wire.encode(Kind.PLAIN, number, value, wall, None)
        try:
            data, sent = self._buffers.dumps(value, home=True)
        except BaseException as error:
            return _answer_error(entry, error, wall, None)
        return wire.encode(Kind.VALUE, number, data, wall, None, sent)

    def _answer(self, entry: Entry, value: Any, sample: Sample, reading: int, place: Place | None) -> bytes:
        """What goes back for a call that has returned, whose arguments took so many nanoseconds to read."""
        number, wall = entry.number, sample.wall_ns
        arguments = _size(entry.arguments) + _apart(entry.sent)
        if is_plain(value):
            size = plain_size(value)
            # Nothing is pickled on its own account.
            full = sample._replace(argument_bytes=arguments, result_bytes=size, pickle_ns=2 * reading)
            if place is not None:
                return wire.encode(Kind.GIVEN, number, place, wall, wire.pack_sample(full))
            return wire.encode(Kind.PLAIN, number, value, wall, wire.pack_sample(full))
        try:
            started = time.perf_counter_ns()
            data, sent = self._buffers.dumps(value, home=True)
            spent = time.perf_counter_ns() - started
        except BaseException as error:
            return _answer_error(entry, error, wall, sample)
        # To read something takes about as long as to write it.
        result = len(data) + _apart(sent)
        full = sample._replace(argument_bytes=arguments, result_bytes=result, pickle_ns=2 * (reading + spent))
        return wire.encode(Kind.VALUE, number, data, wall, wire.pack_sample(full), sent)

    def _let_go(self, entry: Entry) -> None:
        """A call is not run: what came with it apart is free again."""
        if entry.sent is not None:
            self._buffers.claim(entry.sent)

    def _read(self, entry: Entry) -> tuple[Any, tuple[Any, ...], Mapping[str, Any], int]:
        """The function, its arguments, and how many nanoseconds it took to read those."""
        if entry.function not in self._functions:
            self._let_go(entry)
            raise _Refusal("a worker can't read its function")
        function = self._functions.use(entry.function)
        if isinstance(function, _Unread):
            try:
                function = pickling.loads(function.pickled)
            except BaseException:
                self._functions.forget(entry.function)
                self._let_go(entry)
                raise
            self._functions.add(entry.function, function)
        if isinstance(entry.arguments, tuple):
            args, kwargs = entry.arguments
            reading = 0
        else:
            began = time.perf_counter_ns()
            args, kwargs = self._buffers.loads(entry.arguments, entry.sent)
            reading = time.perf_counter_ns() - began
        if entry.environment:
            from .watching import difference_of, refuse_order

            difference = difference_of(entry.environment)
            if difference is None and isinstance(entry.arguments, bytes):
                difference = refuse_order(entry.environment, entry.arguments, function, args, kwargs)
            if difference is not None:
                raise _Refusal(difference)
        return function, args, kwargs, reading


def _objection(entry: Entry, given: Given | None, value: Any = None) -> bytes | None:
    """What goes back for a call that did what only a worker would see; None if all is well."""
    why = None
    if given is not None and given.changed():
        why = "it changed what it was given, which only a worker would see"
    elif is_plain(value):
        return None
    elif given is not None and given.shared_with(value):
        why = "it returned a part of what it was given, of which a worker returns a copy"
    elif _may_be_called_again(entry):
        from .watching import lost_of

        lost = lost_of(value)
        why = None if lost is None else f"its result has {lost}"
    return None if why is None else wire.encode(Kind.REFUSED, entry.number, why)


def _given(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Given:
    """Arguments as they are before a call."""
    from .watching import Given

    return Given(args, kwargs)


def _returned(entry: Entry, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Place | None:
    """Which argument a call has returned, if it was the library that chose a worker: nobody is to notice."""
    return None if entry.environment is None else place_of(value, args, kwargs)


def _may_be_called_again(entry: Entry) -> bool:
    """Whether the library chose a worker, and nobody else can have seen what the call did there."""
    # A worker that has talked to another process's primitives may have done something that others have seen.
    return entry.environment is not None and "adaptive_exec.primitives.link" not in sys.modules


def _is_to_be_watched(entry: Entry) -> bool:
    """Whether it matters, costs little and does no harm to see what a call does to its arguments.

    Where there are shared primitives a call may have done something that others see, so it can't be called again; and
    to pickle one of them tells its home that somebody is going to load it.
    """
    arguments = entry.arguments
    return (
        isinstance(arguments, bytes)
        and len(arguments) <= WATCHED_BYTES
        and entry.sent is None
        and _may_be_called_again(entry)
        and "adaptive_exec.primitives" not in sys.modules
    )


def _sampler() -> Sampler:
    """This process's sampler, loaded when a call is first looked at."""
    from ...profiling.sampler import get_sampler

    return get_sampler()


def _size(arguments: wire.Arguments) -> int:
    """How many bytes of a message a call's arguments are, about."""
    if isinstance(arguments, bytes):
        return len(arguments)
    args, kwargs = arguments
    return sum(map(plain_size, args)) + sum(map(plain_size, kwargs.values()))


def _apart(sent: Sent | None) -> int:
    """How many bytes travelled beside the message."""
    if sent is None:
        return 0
    return sum(len(piece) if isinstance(piece, bytes) else piece[2] for piece in sent[1])


def _answer_error(entry: Entry, error: BaseException, wall: int, sample: Sample | None) -> bytes:
    """What goes back for a call that has raised."""
    if entry.environment is not None:
        from .watching import is_not_registered_here

        if is_not_registered_here(error):
            return wire.encode(Kind.REFUSED, entry.number, f"a worker says: {text_of(error)}")
    packed = pack_error(error)
    if _may_be_called_again(entry) and not arrives(error, packed):
        return wire.encode(Kind.REFUSED, entry.number, "its error is another one when it has travelled")
    return wire.encode(Kind.ERROR, entry.number, packed, wall, wire.pack_sample(sample))


def run_coroutine(coroutine: Any) -> Any:
    """A coroutine sent to a process by force gets a loop of its own."""
    import asyncio

    return asyncio.run(coroutine)
