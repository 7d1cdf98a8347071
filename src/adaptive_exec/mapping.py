"""`map`: one call an item, results in order or as they come, for `for` and for `async for`.

Guarantees:
    - Of an iterator no more is taken than `buffersize` items beyond what has been given out.
    - Results are given out once each; after the first error, or when an iterator that was begun is closed or
      dropped, what has not begun is cancelled.
    - A result that has been given out is not held any more: `tests/test_standard_behaviour.py::test_map_lets_go`
Assumes: one consumer at a time, as with any iterator.
Races: an item ends while the consumer begins to wait for the next: `_Completions` decides under its lock:
    `tests/test_mapping.py::test_completion_against_wait`
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import wait
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .chunks import END_OF_ITERATION, ChunkOutcome, ChunkRunner
from .futures import Future, may_block, standing_aside

if TYPE_CHECKING:
    from .observe.progress import Progress

__all__ = ["MapResults", "Submit", "check_sizes"]

T = TypeVar("T")
DEFAULT_BUFFER = 256
AT_LEAST = 16
PROBES = 8
PROBE_ROUNDS = 4
PROBE_SECONDS = 0.005
LONGEST_PROBE_SECONDS = 0.1
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_BROKEN = frozenset({float, complex})

Submit = Callable[[Callable[..., Any], tuple[Any, ...], int], Future[Any]]
"""Submits `carrier(*args)`, which makes that many calls."""

Plan = Callable[[int], int | None]
"""Says how many of the so many calls that are left are best made as one; None as long as too little is known of them.
"""

Lasts = Callable[[Future[Any], float], bool]
"""Whether a submitted call has been running for so many seconds."""


def check_sizes(chunksize: int | None, buffersize: int | None) -> None:
    """Refuse sizes that make no sense, as the standard library does."""
    for name, value in (("chunksize", chunksize), ("buffersize", buffersize)):
        if value is None:
            continue
        if not isinstance(value, int):
            raise TypeError(f"{name} must be an integer or None, not {type(value).__name__}: leave it out")
        if value < 1:
            raise ValueError(f"{name} must be >= 1, not {value}: leave it out to have it chosen")


class _Completions:
    """Futures in the order in which they end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: deque[Future[Any]] = deque()
        self._waiting: Future[Future[Any]] | None = None

    def add(self, future: Future[Any]) -> None:
        """Note a future once it ends."""
        future.add_done_callback(self._note)

    def _note(self, future: Any) -> None:
        """A future has ended: give it to who waits, or keep it."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is None:
                self._ended.append(future)
        if waiting is not None and not waiting.try_result(future):
            self._note(future)  # who waited has given up: it is for the next

    def next(self) -> Future[Future[Any]]:
        """A future of the next future to end."""
        found: Future[Future[Any]] = Future()
        with self._lock:
            if not self._ended:
                self._waiting = found
                return found
            ended = self._ended.popleft()
        found.try_result(ended)
        return found


class MapResults(Iterator[T], AsyncIterator[T], Generic[T]):
    """The results of a `map`, to be taken with `for` or with `async for`."""

    def __init__(
        self,
        submit: Submit,
        fn: Callable[..., T],
        iterables: tuple[Iterable[Any], ...],
        *,
        timeout: float | None,
        chunksize: int | None,
        buffersize: int | None,
        ordered: bool,
        plan: Plan,
        lasts: Lasts,
        later: Callable[[Callable[[], object]], None],
        shown_as: str | None = None,
    ) -> None:
        self._later = later
        self._progress: Progress | None = None
        self._begun = False
        self._submit = submit
        self._fn = fn
        self._items: Iterator[tuple[Any, ...]] = iter(())
        self._chunksize = chunksize or 1
        self._runner = ChunkRunner(fn)
        self._plan: Plan | None = None
        self._all: Sequence[Any] = ()  # the items, if they go by plan
        self._next = 0  # the first of those that has not been submitted
        self._end = None if timeout is None else time.monotonic() + timeout
        self._ordered = ordered
        self._under_way: deque[Future[Any]] = deque()
        self._left = 0
        self._completions = _Completions()
        self._ready: Iterator[T] = iter(())
        self._error: BaseException | None = None
        self._exhausted = False
        sized = all(isinstance(iterable, Sized) for iterable in iterables)
        if buffersize is None and sized:
            self._room: int | None = None
        else:
            self._chunksize = min(self._chunksize, buffersize or DEFAULT_BUFFER)
            self._room = max(1, (buffersize or DEFAULT_BUFFER) // self._chunksize)
        if shown_as is not None:
            from .observe.progress import make_progress

            total = min(len(each) for each in iterables if isinstance(each, Sized)) if sized else None
            self._progress = make_progress(shown_as, total)
        try:
            if chunksize is None and self._room is None:
                self._choose_chunksize(iterables, plan, lasts)
            else:
                self._items = zip(*iterables, strict=False)
            self._fill()
        except BaseException:
            self._shown()
            raise

    def _choose_chunksize(self, iterables: tuple[Iterable[Any], ...], plan: Plan, lasts: Lasts) -> None:
        """Make many calls as one where that changes nothing but the time it takes.

        That is so for plain values, given to a function that does nothing but compute. One of which too little is
        known is given a few items by themselves, and a moment. The fewer items are left the fewer go together, so that
        all cores have something to do until the end, whichever items take long.
        """
        items: Sequence[Any]
        single = len(iterables) == 1
        if single:
            items = values = _all_of(iterables[0])
            self._items = zip(items, strict=False)
        else:
            rows = items = _all_of(zip(*iterables, strict=False))
            values = list(chain.from_iterable(rows))
            self._items = iter(rows)
        kinds = {int} if type(values) is range else set(map(type, values))
        if len(items) < AT_LEAST or not kinds <= _PLAIN or (kinds & _BROKEN and _has_nan(values)):
            return
        if plan(len(items)) is None:
            self._probe(lambda: plan(len(items) - self._left) is not None, lasts)
        self._next = self._left
        self._all, self._plan = items, plan
        self._runner = ChunkRunner(self._fn, rows=not single, given_is_plain=True)

    def _probe(self, is_known: Callable[[], bool], lasts: Lasts) -> None:
        """Submit some items by themselves, and see for a moment what that takes, unless it takes long."""
        waits = may_block() and asyncio._get_running_loop() is None
        until = time.monotonic() + LONGEST_PROBE_SECONDS
        for _ in range(PROBE_ROUNDS):
            for _ in range(PROBES):
                self._send_next()
            pending = list(self._under_way)
            while waits and pending and time.monotonic() < until:
                with standing_aside():
                    wait(pending, PROBE_SECONDS)
                pending = [each for each in pending if not each.done()]
                if any(lasts(each, PROBE_SECONDS) for each in pending) or not any(map(_has_begun, pending)):
                    break
            if pending or is_known():
                return

    def _fill(self) -> None:
        """Submit as much as there is room for."""
        while not self._exhausted and (self._room is None or self._left < self._room):
            self._send_next()

    def _send_next(self) -> None:
        """Submit the next item, or the next few as one call."""
        if self._plan is not None:
            self._chunksize = self._plan(len(self._all) - self._next) or 1
            if self._chunksize == 1:  # it would only be less
                left = self._all[self._next :]
                self._items = iter(left) if self._runner.rows else zip(left, strict=False)
                self._plan = None
        if self._chunksize == 1:
            args = next(self._items, None)
            if args is None:
                self._exhausted = True
                return
            future = self._submit(self._fn, args, 1)
        else:
            chunk = self._next_chunk()
            if not chunk:
                self._exhausted, self._all = True, ()
                return
            future = self._submit(self._runner, (chunk,), len(chunk))
        self._left += 1
        self._under_way.append(future)
        if not self._ordered:
            self._completions.add(future)

    def _next_chunk(self) -> Sequence[Any]:
        """The items that are next and go together."""
        if self._plan is None:
            return list(islice(self._items, self._chunksize))
        begin, self._next = self._next, self._next + self._chunksize
        return self._all[begin : self._next]

    def _taken(self, value: Any, before: Iterator[T]) -> None:
        """Unpack what one submitted call gave, once what was ready `before` has been given out."""
        items = 1
        if isinstance(value, ChunkOutcome):
            items = len(value.values)
            ready = _given_up(value.values)
            self._error = value.error
        else:
            ready = _given_up([value])
        # An iterable may have asked for results itself as it was asked for items.
        self._ready = ready if self._ready is before else chain(self._ready, ready)
        if self._progress is not None:
            self._progress.update(items)

    def _remaining(self) -> float | None:
        """Seconds left of the timeout."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def _due(self) -> bool:
        """Whether another call's result has to be fetched, as all before are given out; False at the end."""
        self._begun = True
        if self._error is not None:
            error, self._error = self._error, None
            self.close()
            try:
                raise error
            finally:
                del error  # its traceback would lead back here
        try:
            self._fill()
        except BaseException:
            self.close()  # an iterable of the user's failed
            raise
        if not self._left:
            self._shown()
            return False
        return True

    def _fetch(self) -> bool:
        """Wait for the next call to end, and have what it gave ready; False at the end."""
        before = self._ready
        if not self._due():
            return False
        future: Future[Any] | None = None
        try:
            if self._ordered:
                future = self._under_way[0]
                value = future.result(self._remaining())
                self._under_way.popleft()
            else:
                future = self._next_ended().result(self._remaining())
                self._under_way.remove(future)
                value = future.result(0)
            self._left -= 1
            self._taken(value, before)
        except StopIteration as error:
            self.close()
            raise RuntimeError(END_OF_ITERATION) from error
        except BaseException:
            self.close()
            raise
        finally:
            future = None  # an error's traceback would lead back here
        return True

    def _next_ended(self) -> Future[Future[Any]]:
        """A future of the next future to end; it can't be waited for where it would have to come from."""
        found = self._completions.next()
        loop = asyncio._get_running_loop()
        if loop is not None and not found.done() and any(each.only_on is loop for each in self._under_way):
            found.only_on = loop
        return found

    def _batches(self) -> Iterator[Iterator[T]]:
        """What one call gave, and another, each to be gone through before the next is asked for."""
        while True:
            ready = self._ready
            yield ready
            # Somebody else, who asks by turns, may have fetched more meanwhile.
            if ready is self._ready and not self._fetch():
                return

    def __iter__(self) -> Iterator[T]:  # noqa: PYI034  it gives results in a tenth of the time
        # It goes on where this is, as this would, but without coming here for each.
        return chain.from_iterable(self._batches())

    def __next__(self) -> T:
        while True:
            for value in self._ready:
                return value
            if not self._fetch():
                raise StopIteration

    def __aiter__(self) -> MapResults[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            for value in self._ready:
                return value
            before = self._ready
            if not self._due():
                raise StopAsyncIteration
            try:
                if self._ordered:
                    future = self._under_way[0]
                    value = await self._in_time(future)
                    self._under_way.popleft()
                else:
                    future = await self._in_time(self._completions.next())
                    self._under_way.remove(future)
                    value = future.result(0)
                self._left -= 1
                self._taken(value, before)
            except (StopIteration, StopAsyncIteration) as error:
                self.close()
                raise RuntimeError(END_OF_ITERATION) from error
            except BaseException:
                self.close()
                raise

    async def _in_time(self, future: Future[Any]) -> Any:
        """Await a future for what is left of the timeout; one that has ended is not late."""
        if future.done():
            return future.result(0)
        async with asyncio.timeout(self._remaining()):
            return await future

    def close(self) -> None:
        """Give up the rest: what has not begun is cancelled."""
        self._exhausted, self._all, self._error = True, (), None
        deque(self._ready, maxlen=0)  # somebody may be going through it
        self._left = 0
        self._shown()
        under_way, self._under_way = self._under_way, deque()
        _cancel(under_way)

    def _shown(self) -> None:
        """There is no more to be shown."""
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def __del__(self) -> None:
        # As in the standard library, results that nobody ever asked for are still worked out. And this runs
        # wherever the garbage collector does, so it only leaves a message.
        if getattr(self, "_begun", False) and self._under_way:
            under_way = self._under_way
            self._later(lambda: _cancel(under_way))


def _given_up(values: list[T]) -> Iterator[T]:
    """The values one after the other, each held no longer once it is out: it may be large."""
    values.reverse()
    return map(list.pop, repeat(values, len(values)))


def _has_begun(future: Future[Any]) -> bool:
    """Whether a call has been let run: if none has, there is much else to do."""
    return future.running()


def _all_of(items: Iterable[Any]) -> Sequence[Any]:
    """What an iterable gives, which is asked for that once, and not for how much it is."""
    if type(items) is range or type(items) is tuple:
        return items  # they stay what they are
    return list(items) if type(items) is list else list(islice(items, None))


def _has_nan(values: Iterable[Any]) -> bool:
    """Whether one of the values is not equal to itself: a copy of it can be told from it."""
    return any(value != value for value in values)


def _cancel(futures: deque[Future[Any]]) -> None:
    """Cancel what has not begun, the last first, so that nothing moves up meanwhile."""
    while futures:
        future = futures.pop()
        future.forgo()
        future.cancel_pending()
