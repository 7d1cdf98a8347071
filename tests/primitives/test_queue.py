"""`Queue` in one process: as `queue.Queue`, as `asyncio.Queue`, and both at once."""

from __future__ import annotations

import asyncio
import queue
import sys
from typing import Any

import pytest

from adaptive_exec.errors import ShutDown
from adaptive_exec.primitives import Queue
from adaptive_exec.primitives.queue_core import QueueCore
from adaptive_exec.primitives.ticket import CANCELLED, GRANTED, ThreadTicket
from tests.primitives.helpers import Background, until
from tests.primitives.test_tickets import waiting

TWINS = pytest.mark.parametrize("make", [queue.Queue, Queue])


@TWINS
def test_first_in_first_out(make: Any) -> None:
    """Items come out in the order in which they went in, the very same objects."""
    q = make()
    items = [object() for _ in range(5)]
    for item in items:
        q.put(item)

    assert 5 == q.qsize()
    assert not q.empty()
    assert all(q.get() is item for item in items)
    assert q.empty()


@TWINS
def test_full_and_empty(make: Any) -> None:
    """A full queue and an empty one raise the standard errors, at once or in time."""
    q = make(1)
    with pytest.raises(queue.Empty):
        q.get_nowait()
    with pytest.raises(queue.Empty):
        q.get(timeout=0.01)
    q.put_nowait(1)
    assert q.full()
    with pytest.raises(queue.Full):
        q.put_nowait(2)
    with pytest.raises(queue.Full):
        q.put(2, timeout=0.01)
    assert [1] == [q.get()]
    assert q.empty()


@TWINS
def test_negative_timeouts(make: Any) -> None:
    """A negative timeout raises where the standard queue raises, and nowhere else."""
    q = make(1)
    with pytest.raises(ValueError, match="non-negative"):
        q.put(1, timeout=-1)
    with pytest.raises(ValueError, match="non-negative"):
        q.get(timeout=-1)
    q.put(1, block=False, timeout=-1)
    assert 1 == q.get(block=False, timeout=-1)
    make().put(1, timeout=-1)


@TWINS
def test_join_and_task_done(make: Any) -> None:
    """`join` waits for `task_done` of every item, and one too many raises."""
    q = make()
    q.join()
    q.put(1)
    joiner = Background(q.join)
    assert 1 == q.unfinished_tasks
    q.get()
    q.task_done()
    joiner.result()
    with pytest.raises(ValueError, match="too many"):
        q.task_done()


@pytest.mark.parametrize("make", [queue.Queue, Queue] if sys.version_info >= (3, 13) else [Queue])
def test_shutdown(make: Any) -> None:
    """After a shutdown nothing goes in, what is there comes out, and then `get` raises."""
    stopped = getattr(queue, "ShutDown", ShutDown)
    q = make(2)
    q.put(1)
    q.shutdown()
    with pytest.raises(stopped):
        q.put(2)
    with pytest.raises(stopped):
        q.put_nowait(2)
    assert 1 == q.get()
    with pytest.raises(stopped):
        q.get()
    with pytest.raises(stopped):
        q.get_nowait()
    assert q.is_shutdown


@pytest.mark.parametrize("make", [queue.Queue, Queue] if sys.version_info >= (3, 13) else [Queue])
def test_immediate_shutdown(make: Any) -> None:
    """An immediate shutdown drops the items and counts them as done."""
    q = make()
    q.put(1)
    q.put(2)
    q.shutdown(immediate=True)

    assert q.empty()
    q.join()
    with pytest.raises(getattr(queue, "ShutDown", ShutDown)):
        q.get()


def test_shutdown_rouses_those_who_wait() -> None:
    """Waiting getters and putters get ShutDown, each an error of its own."""
    empty: Queue[int] = Queue()
    full: Queue[int] = Queue(1)
    full.put(1)
    getters = [Background(empty.get) for _ in range(2)]
    putter = Background(full.put, 2)
    until(lambda: waiting(empty) == 2 and waiting(full) == 1)

    empty.shutdown()
    full.shutdown()

    errors = []
    for thread in (*getters, putter):
        with pytest.raises(ShutDown) as caught:
            thread.result()
        errors.append(caught.value)
    assert 3 == len({id(error) for error in errors})


def test_many_at_once() -> None:
    """`put_many` and `get_many` keep the order; one call gets at least one and at most what it asked for."""
    q: Queue[int] = Queue()
    q.put_many(range(10))

    assert [0, 1, 2] == q.get_many(3)
    assert list(range(3, 10)) == q.get_many(100)
    with pytest.raises(queue.Empty):
        q.get_many(1, timeout=0.01)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            q.get_many(wrong)
    q.put_many([])
    assert q.empty()


def test_put_many_through_a_small_queue() -> None:
    """More items than fit go in as room appears, in order."""
    q: Queue[int] = Queue(3)
    putter = Background(q.put_many, range(20))
    got: list[int] = []
    while len(got) < 20:
        got += q.get_many(2)
        assert q.qsize() <= 3

    putter.result()
    assert list(range(20)) == got


def test_get_many_waits_for_the_first() -> None:
    """A waiting `get_many` returns as soon as there is one item."""
    q: Queue[int] = Queue()
    getter = Background(q.get_many, 5)
    until(lambda: waiting(q) == 1)

    q.put(1)

    assert [1] == getter.result()


def test_asyncio_interface() -> None:
    """The `aio` view does what `asyncio.Queue` does."""

    async def main(q: Any) -> list[Any]:
        seen: list[Any] = []
        with pytest.raises(asyncio.QueueEmpty):
            q.get_nowait()
        getter = asyncio.ensure_future(q.get())
        await asyncio.sleep(0)
        await q.put(1)
        seen.append(await getter)
        q.put_nowait(2)
        with pytest.raises(asyncio.QueueFull):
            q.put_nowait(3)
        putter = asyncio.ensure_future(q.put(3))
        await asyncio.sleep(0)
        assert not putter.done()
        assert q.full()
        seen.append(q.get_nowait())
        await putter
        seen.append(await q.get())
        assert (0, True, 1) == (q.qsize(), q.empty(), q.maxsize)
        for _ in range(3):
            q.task_done()
        await q.join()
        with pytest.raises(ValueError, match="too many"):
            q.task_done()
        return seen

    def both() -> tuple[list[Any], list[Any]]:
        async def ours() -> list[Any]:
            return await main(Queue(1).aio)

        async def theirs() -> list[Any]:
            return await main(asyncio.Queue(1))

        return asyncio.run(ours()), asyncio.run(theirs())

    ours, theirs = both()
    assert [1, 2, 3] == ours == theirs


def test_asyncio_many_and_shutdown() -> None:
    """`put_many`, `get_many` with a time limit, and shutdown on the `aio` view."""

    async def main() -> None:
        q: Queue[int] = Queue(2)
        putter = asyncio.ensure_future(q.aio.put_many(range(5)))
        got: list[int] = []
        while len(got) < 5:
            got += await q.aio.get_many(3)
        await putter
        assert list(range(5)) == got
        with pytest.raises(asyncio.QueueEmpty):
            await q.aio.get_many(1, timeout=0.01)
        with pytest.raises(ValueError, match="at least 1"):
            await q.aio.get_many(0)
        q.aio.shutdown()
        with pytest.raises(ShutDown):
            await q.aio.get()
        with pytest.raises(ShutDown):
            await q.aio.put(1)

    asyncio.run(main())


def test_put_meets_cancelled_getter() -> None:
    """A getter is cancelled after an item was promised to it: the item stays first and goes to the next."""

    async def main() -> list[int]:
        q: Queue[int] = Queue()
        first = asyncio.ensure_future(q.aio.get())
        second = asyncio.ensure_future(q.aio.get())
        await asyncio.sleep(0)
        q.put(1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        q.put(2)
        return [await second, await q.aio.get()]

    assert [1, 2] == asyncio.run(main())


def test_room_meets_cancelled_putter() -> None:
    """A putter is cancelled after room was promised to it: it has put nothing, and the next has the room."""

    async def main() -> list[str]:
        q: Queue[str] = Queue(1)
        q.put("old")
        first = asyncio.ensure_future(q.aio.put("cancelled"))
        second = asyncio.ensure_future(q.aio.put("new"))
        await asyncio.sleep(0)
        got = [q.get()]
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        return [*got, q.get()]

    assert ["old", "new"] == asyncio.run(main())


def test_shutdown_meets_granted_getter() -> None:
    """An immediate shutdown takes the item from a getter it was promised to: that one gets ShutDown."""
    core = QueueCore()
    ticket = ThreadTicket()
    core.ask_get(ticket, 1)
    core.try_put([1])
    assert ticket.outcome is GRANTED

    core.shutdown(True)

    with pytest.raises(ShutDown):
        core.taken(ticket, 1)
    assert (0, 0, True) == core.sizes()


def test_shutdown_meets_granted_putter() -> None:
    """A shutdown between the promise of room and its use: the putter gets ShutDown and nothing is in."""
    core = QueueCore(1)
    core.try_put([1])
    ticket = ThreadTicket()
    core.ask_put(ticket, [2])
    core.try_get(1)
    assert ticket.outcome is GRANTED

    core.shutdown(False)

    with pytest.raises(ShutDown):
        core.fill(ticket, [2])
    assert (0, 1, True) == core.sizes()


def test_promised_item_is_not_taken_by_others() -> None:
    """An item that was promised to a getter isn't there for anyone else."""
    core = QueueCore()
    ticket = ThreadTicket()
    core.ask_get(ticket, 1)
    core.try_put([1])

    with pytest.raises(queue.Empty):
        core.try_get(1)
    assert [1] == core.taken(ticket, 1)


def test_reserved_room_is_not_taken_by_others() -> None:
    """Room that was promised to a putter isn't there for anyone else."""
    core = QueueCore(1)
    core.try_put([1])
    ticket = ThreadTicket()
    core.ask_put(ticket, [2])
    core.try_get(1)

    assert not core.put_now(3)
    with pytest.raises(queue.Full):
        core.try_put([3])
    assert 1 == core.fill(ticket, [2])


def test_items_put_back_come_first() -> None:
    """Items that come back from a process that died come out before those that were behind them."""
    core = QueueCore()
    core.try_put([1, 2, 3])
    taken = core.try_pop(2)

    core.put_back(taken)

    assert [1, 2, 3] == core.try_get(3)
    assert 3 == core.sizes()[1]


def test_unput_leaves_promised_items() -> None:
    """A putter that gives up takes its item out only if nobody was promised one."""
    core = QueueCore()
    item, other = object(), object()
    core.try_put([item, other])
    core.unput(item)
    assert [other] == core.try_get(5)
    ticket = ThreadTicket()
    core.ask_get(ticket, 1)
    core.try_put([item])

    core.unput(item)

    assert [item] == core.taken(ticket, 1)


def test_cancelled_join_leaves() -> None:
    """A joiner that gives up is out of the queue."""
    core = QueueCore()
    core.try_put([1])
    ticket = ThreadTicket()
    core.ask_join(ticket)

    core.abandon(ticket)

    assert ticket.outcome is CANCELLED
    assert not core._joiners


def test_several_loops_and_threads() -> None:
    """Putters and getters on two loops and in threads move every item exactly once through a small queue."""
    q: Queue[int] = Queue(3)
    per_putter = 60

    def put_in_thread(base: int) -> list[int]:
        for number in range(per_putter):
            q.put(base + number)
        return []

    def get_in_thread() -> list[int]:
        return [q.get() for _ in range(per_putter)]

    async def put_in_loop(base: int) -> list[int]:
        for number in range(per_putter):
            await q.aio.put(base + number)
        return []

    async def get_in_loop() -> list[int]:
        return [await q.aio.get() for _ in range(per_putter)]

    threads = [
        Background(put_in_thread, 0),
        Background(get_in_thread),
        Background(lambda: asyncio.run(put_in_loop(1000))),
        Background(lambda: asyncio.run(get_in_loop())),
    ]
    got = sorted(item for thread in threads for item in thread.result())

    assert [*range(per_putter), *range(1000, 1000 + per_putter)] == got


def test_cancelled_getters_lose_nothing() -> None:
    """Getters that time out all the time, on a loop, lose and double nothing."""

    async def main() -> list[int]:
        q: Queue[int] = Queue(2)
        got: list[int] = []

        def put_and_end() -> None:
            q.put_many(range(300))
            q.shutdown()

        async def getter() -> None:
            while True:
                try:
                    got.append(await asyncio.wait_for(q.aio.get(), 0.0005))
                except TimeoutError:
                    continue
                except ShutDown:
                    return

        tasks = [asyncio.ensure_future(getter()) for _ in range(3)]
        putter = Background(put_and_end)
        await asyncio.gather(*tasks)
        putters.append(putter)
        return got

    putters: list[Background] = []
    assert list(range(300)) == sorted(asyncio.run(main()))
    putters[0].result()
