"""`map`: one call an item, results in order or as they come, for `for` and for `async for`.

Guarantees:
    - Of an iterator no more is taken than `buffersize` items beyond what has been given out.
    - Results are given out once each; after the first error, or when an iterator that was begun is closed or
      dropped, what has not begun is cancelled.
Assumes: one consumer at a time, as with any iterator.
Races: an item ends while the consumer begins to wait for the next: `_Completions` decides under its lock:
    `tests/test_mapping.py::test_completion_against_wait`
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sized
from concurrent.futures import wait
from itertools import chain, islice, starmap
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .futures import Future, may_block

if TYPE_CHECKING:
    from .observe.progress import Progress

__all__ = ["MapResults", "Submit", "check_sizes"]

T = TypeVar("T")
DEFAULT_BUFFER = 256
AT_LEAST = 64
PROBES = 8
PROBE_SECONDS = 0.005
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_NO_END = "the mapped function raised StopIteration"  # PEP 479: that must not be taken for the end
_BROKEN = frozenset({float, complex})

Submit = Callable[[Callable[..., Any], tuple[Any, ...], int], Future[Any]]
"""Submits `carrier(*args)`, which makes that many calls."""

Plan = Callable[[int], int | None]
"""Says how many of the so many calls that are left are best made as one; None as long as too little is known of them.
"""


def check_sizes(chunksize: int | None, buffersize: int | None) -> None:
    """Refuse sizes that make no sense, as the standard library does."""
    for name, value in (("chunksize", chunksize), ("buffersize", buffersize)):
        if value is None:
            continue
        if not isinstance(value, int):
            raise TypeError(f"{name} must be an integer or None, not {type(value).__name__}: leave it out")
        if value < 1:
            raise ValueError(f"{name} must be >= 1, not {value}: leave it out to have it chosen")


class ChunkOutcome:
    """What a chunk gave: values up to its end or to the first error."""

    __slots__ = ("error", "values")

    def __init__(self, values: list[Any], error: BaseException | None) -> None:
        self.values = values
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChunkOutcome, (self.values, self.error))


class ChunkRunner:
    """Calls a function for each item of a chunk."""

    __slots__ = ("fn",)

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    def __call__(self, chunk: list[tuple[Any, ...]]) -> ChunkOutcome:
        values: list[Any] = []
        try:
            values.extend(starmap(self.fn, chunk))  # what came before an error stays
        except Exception as error:
            return ChunkOutcome(values, error)
        if len(values) < len(chunk):
            return ChunkOutcome(values, RuntimeError(_NO_END))
        return ChunkOutcome(values, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChunkRunner, (self.fn,))


class PlainChunkRunner(ChunkRunner):
    """The same for items that are plain values: they are never changed, so nobody has to look for that."""

    __slots__ = ()
    given_is_plain = True

    def __reduce__(self) -> tuple[Any, ...]:
        return (PlainChunkRunner, (self.fn,))


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
        later: Callable[[Callable[[], object]], None],
        shown_as: str | None = None,
    ) -> None:
        self._later = later
        self._progress: Progress | None = None
        self._begun = False
        self._submit = submit
        self._fn = fn
        self._items: Iterator[tuple[Any, ...]] = zip(*iterables, strict=False)
        self._chunksize = chunksize or 1
        self._runner = ChunkRunner(fn)
        self._plan: Plan | None = None
        self._rows = 0  # what is left of the items, if they go by plan
        self._end = None if timeout is None else time.monotonic() + timeout
        self._ordered = ordered
        self._under_way: deque[Future[Any]] = deque()
        self._left = 0
        self._completions = _Completions()
        self._ready: deque[T] = deque()
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
                self._choose_chunksize(plan)
            self._fill()
        except BaseException:
            self._shown()
            raise

    def _choose_chunksize(self, plan: Plan) -> None:
        """Make many calls as one where that changes nothing but the time it takes.

        That is so for plain values, given to a function that does nothing but compute. One of which too little is
        known is given a few items by themselves, and a moment. The fewer items are left the fewer go together, so that
        all cores have something to do until the end, whichever items take long.
        """
        rows = list(self._items)
        self._items, self._rows = iter(rows), len(rows)
        kinds = set(map(type, chain.from_iterable(rows)))
        if len(rows) < AT_LEAST or not kinds <= _PLAIN or (kinds & _BROKEN and _has_nan(rows)):
            return
        if plan(len(rows)) is None:
            for _ in range(PROBES):
                self._send_next()
            if may_block() and asyncio._get_running_loop() is None:
                wait(self._under_way, PROBE_SECONDS)
        self._runner, self._plan = PlainChunkRunner(self._fn), plan

    def _fill(self) -> None:
        """Submit as much as there is room for."""
        while not self._exhausted and (self._room is None or self._left < self._room):
            self._send_next()

    def _send_next(self) -> None:
        """Submit the next item, or the next few as one call."""
        if self._plan is not None:
            self._chunksize = self._plan(self._rows) or 1
            if self._chunksize == 1:
                self._plan = None  # it would only be less
        if self._chunksize == 1:
            args = next(self._items, None)
            if args is None:
                self._exhausted = True
                return
            self._rows -= 1
            future = self._submit(self._fn, args, 1)
        else:
            chunk = list(islice(self._items, self._chunksize))
            if not chunk:
                self._exhausted = True
                return
            self._rows -= len(chunk)
            future = self._submit(self._runner, (chunk,), len(chunk))
        self._left += 1
        self._under_way.append(future)
        if not self._ordered:
            self._completions.add(future)

    def _taken(self, value: Any) -> None:
        """Unpack what one submitted call gave."""
        items = 1
        if isinstance(value, ChunkOutcome):
            items = len(value.values)
            self._ready.extend(value.values)
            self._error = value.error
        else:
            self._ready.append(value)
        if self._progress is not None:
            self._progress.update(items)

    def _remaining(self) -> float | None:
        """Seconds left of the timeout."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def _due(self) -> bool:
        """Whether another call's result has to be fetched; ends the iteration where there is none."""
        if self._ready:
            return False
        if self._error is not None:
            error, self._error = self._error, None
            self.close()
            raise error
        try:
            self._fill()
        except BaseException:
            self.close()  # an iterable of the user's failed
            raise
        return self._left > 0

    def __iter__(self) -> Iterator[T]:  # noqa: PYI034  a generator gives results in a third of the time
        # What goes on where this is, as it would, and gives what is there without being asked for each.
        ready, following = self._ready, self.__next__
        while True:
            while ready:
                yield ready.popleft()
            try:
                value = following()
            except StopIteration:
                return
            yield value

    def __next__(self) -> T:
        self._begun = True
        while self._due():
            try:
                if self._ordered:
                    future = self._under_way[0]
                    value = future.result(self._remaining())
                    self._under_way.popleft()
                else:
                    future = self._completions.next().result(self._remaining())
                    self._under_way.remove(future)
                    value = future.result(0)
                self._left -= 1
                self._taken(value)
            except StopIteration as error:
                self.close()
                raise RuntimeError(_NO_END) from error
            except BaseException:
                self.close()
                raise
        if not self._ready:
            self._shown()
            raise StopIteration
        return self._ready.popleft()

    def __aiter__(self) -> MapResults[T]:
        return self

    async def __anext__(self) -> T:
        self._begun = True
        while self._due():
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
                self._taken(value)
            except (StopIteration, StopAsyncIteration) as error:
                self.close()
                raise RuntimeError(_NO_END) from error
            except BaseException:
                self.close()
                raise
        if not self._ready:
            self._shown()
            raise StopAsyncIteration
        return self._ready.popleft()

    async def _in_time(self, future: Future[Any]) -> Any:
        """Await a future for what is left of the timeout; one that has ended is not late."""
        if future.done():
            return future.result(0)
        async with asyncio.timeout(self._remaining()):
            return await future

    def close(self) -> None:
        """Give up the rest: what has not begun is cancelled."""
        self._exhausted = True
        self._ready.clear()
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


def _has_nan(rows: list[tuple[Any, ...]]) -> bool:
    """Whether one of the values is not equal to itself: a copy of it can be told from it."""
    return any(value != value for value in chain.from_iterable(rows))


def _cancel(futures: deque[Future[Any]]) -> None:
    """Cancel what has not begun, the last first, so that nothing moves up meanwhile."""
    while futures:
        future = futures.pop()
        future.forgo()
        future.cancel_pending()
