"""A worker as its parent sees it: what it has been given, what it has begun, and the way to it.

Guarantees:
    - Calls arrive in the order in which they were assigned, each once.
    - `write` never waits. What a full channel doesn't take is sent by a thread made for it.
Assumes:
    - Whoever changes `assigned`, `ready`, `doomed` or `outbox` holds the pool's lock. `write` takes from the
      outbox without it, which is why that is a deque.
State table of a call here (its number counts this worker's calls):
    assigned -> answered    `assigned` loses it when its answer has been read
    assigned -> withdrawn   crossed out on the board before the worker began it
    assigned -> begun       as the board says; `head` is what is likely to be executing
Races:
    - two threads write at once: the second finds `_writing` taken, and its call in the outbox is sent by the
      first, who looks again before it lets go: `tests/backends/test_remote_worker.py::test_two_writers`
    - the channel is full: `_full` says that a thread is at it, which writes the outbox after that:
      `tests/backends/test_remote_worker.py::test_full_channel`
    - it is buried while somebody has `_writing` and finds that others have written already: who has it closes:
      `tests/backends/test_remote_worker.py::test_buried_while_a_second_writer_looks`
"""

from __future__ import annotations

import threading
import time
from collections import deque

from ...platform.boards import SLOTS, Board
from ...platform.channels import Channel
from ..base import Task
from . import wire
from .buffers import Buffers
from .call import Call
from .launch import Handle
from .wire import Kind, Measure

__all__ = ["RemoteWorker"]

MOST_ASSIGNED = SLOTS // 2


class RemoteWorker:
    """One worker.

    Attributes:
        assigned: Calls that it has and that it has not answered, oldest first, by number.
        outbox: Calls that are still to be written to it.
        ready: Whether it takes calls.
        doomed: Whether it is to be ended, and gets no more.
        broken: Whether its channel has ended or says nonsense.
        failure: What its initializer raised, as text; None if it did not.
        kill_at: When it is to be killed; None if it isn't.
        let: Whether it is to ring instead of being watched (`lease.py`); changed under the pool's lock.
        rings: Whether it has a bell.
        reading: Held while its channel is read and what was read is taken in.
        idle_since: When it last became idle, in seconds of `time.monotonic`.
        served: How many calls it has answered.
        since: When its oldest call became that, in seconds of `time.monotonic`.
        waits: Whether the call that it executes waits for others; then another worker may stand in for it.
        dying: Whether it has been told to end at once, whatever it does.
        finishing: Whether it has nothing to do but what calls have submitted there; nobody knows how long that takes.
        untold: How many batches of its records the manager has not dealt with; changed under the pool's lock.
    """

    __slots__ = (
        "_around",
        "_full",
        "_functions",
        "_gone",
        "_last",
        "_stopping",
        "_told",
        "_writing",
        "assigned",
        "board",
        "broken",
        "buffers",
        "channel",
        "doomed",
        "dying",
        "failure",
        "finishing",
        "handle",
        "idle_since",
        "kill_at",
        "let",
        "outbox",
        "reading",
        "ready",
        "rings",
        "served",
        "since",
        "untold",
        "waits",
    )

    def __init__(
        self,
        handle: Handle,
        channel: Channel,
        board: Board,
        buffers: Buffers,
        around: wire.Surroundings | None = None,
        *,
        rings: bool = False,
    ) -> None:
        """`around` is what it was told of its surroundings when it was started."""
        self.rings = rings
        self.let = False
        self.handle = handle
        self.buffers = buffers
        self.channel = channel
        self.board = board
        self.assigned: dict[int, Task] = {}
        self.outbox: deque[tuple[int, Task]] = deque()
        self.ready = False
        self.doomed = False
        self.broken = False
        self.failure: str | None = None
        self.kill_at: float | None = None
        self.idle_since = 0.0
        self.served = 0
        self.since = 0.0
        self.untold = 0
        self.waits = False
        self.finishing = False
        self.dying = False
        self.reading = threading.Lock()
        self._writing = threading.Lock()
        self._full = False
        self._gone = False
        self._functions = wire.RecentFunctions(wire.REMEMBERED)
        self._around = around
        self._stopping = False
        self._last = 0
        self._told = 0

    def assign(self, task: Task) -> None:
        """Give it one more call; `write` sends it. Caller holds the pool's lock."""
        self._last = number = self._last + 1
        self.board.open(number)
        self.assigned[number] = task
        self.outbox.append((number, task))
        call: Call = task.wire
        call.worker, call.number = self, number

    @property
    def slots_left(self) -> int:
        """How many more calls its board has room for, besides those that it has to pass, withdrawn ones too."""
        return SLOTS - 1 - (self._last - self.board.begun)

    def withdraw(self, number: int) -> bool:
        """Take a call back that it has not begun; False if it has. Caller holds the pool's lock."""
        if not self.board.withdraw(number):
            return False
        del self.assigned[number]
        return True

    def next_head(self) -> Task | None:
        """The oldest call, if it has become that since the last time; it begins now. Caller holds the pool's lock."""
        if not self.assigned:
            return None
        number = next(iter(self.assigned))
        if number <= self._told:
            return None
        self._told = number
        self.since = time.monotonic()
        return self.assigned[number]

    def forget_function(self, number: int) -> None:
        """The worker could not read a function and will have to be sent it again."""
        with self._writing:
            self._functions.forget(number)

    def stop(self) -> None:
        """Tell it to end; it has nothing to do."""
        self._stopping = True
        self.write()

    def close(self) -> None:
        """It is gone: give back what leads to it; whoever still writes to it does that when done."""
        self._gone = True
        if self._writing.acquire(blocking=False):
            try:
                self.outbox.clear()
                self._stopping = False
                self.channel.close()
                self.buffers.close()
            finally:
                self._writing.release()

    def write(self) -> None:
        """Send what is in the outbox, unless somebody is at it, who then sends that too."""
        while self.outbox or self._stopping:
            with self._writing:
                if self._full or not (self.outbox or self._stopping):
                    break
                try:
                    rest = self.channel.send(self._batch())
                except OSError:
                    self._stopping = False
                    rest = None
                    self.outbox.clear()  # it has died; whoever buries it finds its calls in `assigned`
                if rest is not None:
                    self._full = True
            if rest is None:
                continue
            try:
                threading.Thread(
                    target=self._write_rest, args=(rest,), name="adaptive-exec-writer", daemon=True
                ).start()
            except RuntimeError:  # the interpreter is on its way out and starts none any more
                self._write_rest(rest)
            return
        if self._gone:  # after the lock was let go: who buried it may have found it taken
            self.close()

    def _write_rest(self, rest: memoryview) -> None:
        """Send what the channel did not take at once, and then what came meanwhile."""
        try:
            self.channel.send_all(rest)
        except OSError:
            return  # it has died, or was ended
        with self._writing:
            self._full = False
        self.write()

    def _batch(self) -> bytes:
        """The calls in the outbox as one frame. Caller holds `_writing`."""
        if not self.outbox:
            self._stopping = False
            return wire.encode(Kind.STOP)
        entries = []
        functions = self._functions
        before = None
        while True:
            try:
                number, task = self.outbox.popleft()
            except IndexError:
                break
            call: Call = task.wire
            function = call.function
            known = function is before  # and so the most recent one already
            if not known:
                before = function
                known = function.number in functions
                if known:
                    functions.use(function.number)
                else:
                    functions.add(function.number, None)
            if task.measure:
                measure = Measure.SAMPLED
            else:
                measure = Measure.WALL if function.brief else Measure.CLOCKS
            entries.append(
                (  # the fields of a `wire.Entry`; making one takes as long as all of this
                    number,
                    function.number,
                    None if known else function.pickled,
                    call.arguments,
                    measure,
                    task.environment,
                    None if call.parcel is None else self.buffers.send(call.parcel),
                )
            )
        around = wire.surroundings()
        changed = None if around == self._around else around
        self._around = around
        # Looked at after the calls were taken: a worker is let before it is given the call that it is let for.
        batch = wire.encode(Kind.ALONE if self.let else Kind.RUN, entries, changed)
        news = self.buffers.news()
        return batch if news is None else wire.encode(Kind.FREE, news) + batch
