"""One `Queue` in several processes, and what their deaths do."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_exec.errors import HomeDied, NotPicklable, ShutDown
from adaptive_exec.primitives import Lock, Queue
from adaptive_exec.primitives.parcel import HomeOnly, Parcel
from tests.primitives.helpers import Background, Peer, peers, until
from tests.primitives.test_lock_processes import KEPT, until_blocking
from tests.primitives.test_tickets import waiting

pytestmark = pytest.mark.full  # what crosses borders on its own is tested with locks on every Python


class Item:
    """An item with a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Unloadable:
    """Pickles and can't be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_fail, ())


def _fail() -> None:
    raise LookupError("can't be unpickled")


def make_queue(maxsize: int = 0) -> Queue[Any]:
    """Make a queue that lives in the peer, and keep it."""
    made: Queue[Any] = Queue(maxsize)
    KEPT.append(made)
    return made


def put(q: Queue[Any], *items: Any) -> None:
    """Put items one by one."""
    for item in items:
        q.put(item)


def put_unpicklable(q: Queue[Any]) -> None:
    """Put what can't be pickled."""
    q.put(threading.Lock())


def get(q: Queue[Any], number: int = 1) -> list[Any]:
    """Get items one by one."""
    return [q.get() for _ in range(number)]


def get_nowait(q: Queue[Any]) -> Any:
    """Get without waiting."""
    return q.get_nowait()


def get_in_loop(q: Queue[Any], number: int) -> list[Any]:
    """Get items in a coroutine."""

    async def main() -> list[Any]:
        return [await q.aio.get() for _ in range(number)]

    return asyncio.run(main())


def put_in_loop(q: Queue[Any], items: list[Any]) -> None:
    """Put items in a coroutine."""

    async def main() -> None:
        for item in items:
            await q.aio.put(item)

    asyncio.run(main())


def drain(q: Queue[Any]) -> list[Any]:
    """Get until the queue is shut down and empty."""
    got = []
    while True:
        try:
            got += q.get_many(3)
        except ShutDown:
            return got
        q.task_done()


@pytest.fixture
def one() -> Iterator[Peer]:
    """A process that runs already."""
    with peers(1) as (started,):
        yield started


@pytest.fixture(params=["here", "there"])
def shared(request: pytest.FixtureRequest, one: Peer) -> Queue[Any]:
    """A queue of this process, or of the peer."""
    made: Queue[Any] = Queue() if request.param == "here" else one.call(make_queue)
    return made


def test_items_cross_in_both_directions(one: Peer, shared: Queue[Any]) -> None:
    """Items put in either process come out in the other, in order."""
    shared.put(1)
    shared.put("two")
    assert [1, "two"] == one.call(get, shared, 2)
    one.call(put, shared, 3, [4])
    assert [3, [4]] == [shared.get(), shared.get()]
    assert shared.empty()


def test_a_waiting_process_gets_the_item(one: Peer) -> None:
    """A getter in another process waits and is given what is put later."""
    q: Queue[int] = Queue()
    one.start(get, q)
    until(lambda: waiting(q) == 1)

    q.put(7)

    assert [7] == one.result()


def test_a_waiting_process_gets_room(one: Peer) -> None:
    """A putter in another process waits for room and puts as soon as there is some."""
    q: Queue[int] = Queue(1)
    q.put(1)
    one.start(put, q, 2)
    until(lambda: waiting(q) == 1)

    assert 1 == q.get()
    one.result()
    assert 2 == q.get()


def test_many_through_a_small_remote_queue(one: Peer) -> None:
    """`put_many` from another process fills a small queue as room appears; nothing is lost or doubled."""
    q: Queue[int] = Queue(3)
    one.start(Queue.put_many, q, range(50))
    got: list[int] = []
    while len(got) < 50:
        got += q.get_many(2)
    one.result()

    assert list(range(50)) == got


def test_remote_queue_has_the_whole_interface(one: Peer) -> None:
    """Sizes, join, task_done, time limits and shutdown work on a queue of another process."""
    q = one.call(make_queue, 2)
    assert (0, True, False, 2) == (q.qsize(), q.empty(), q.full(), q.maxsize)
    with pytest.raises(queue.Empty):
        q.get_nowait()
    with pytest.raises(queue.Empty):
        q.get(timeout=0.01)
    with pytest.raises(queue.Empty):
        q.get_many(2, timeout=0.01)
    q.put_nowait(1)
    q.put(2, timeout=5)
    assert q.full()
    with pytest.raises(queue.Full):
        q.put_nowait(3)
    with pytest.raises(queue.Full):
        q.put(3, timeout=0.01)
    assert [1, 2] == q.get_many(5)
    assert 2 == q.unfinished_tasks
    q.task_done()
    q.task_done()
    q.join()
    with pytest.raises(ValueError, match="too many"):
        q.task_done()
    assert not q.is_shutdown
    q.shutdown()
    assert q.is_shutdown
    with pytest.raises(ShutDown):
        q.put(1)
    with pytest.raises(ShutDown):
        q.get()


def test_remote_queue_in_coroutines(one: Peer) -> None:
    """Coroutines on two loops put and get on a queue of another process."""
    q = one.call(make_queue, 2)
    putter = Background(put_in_loop, q, list(range(30)))
    getter = Background(get_in_loop, q, 30)

    putter.result()
    assert list(range(30)) == getter.result()

    async def main() -> None:
        with pytest.raises(asyncio.QueueEmpty):
            await q.aio.get_many(1, timeout=0.01)
        await q.aio.put_many([1, 2])
        assert [1, 2] == await q.aio.get_many(5)
        await asyncio.wait_for(q.aio.get(), 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    q.put(1)
    assert 1 == q.get()


def test_cancelled_remote_get_loses_nothing(one: Peer) -> None:
    """A task is cancelled after the home sent it an item and before it ran: the item is first again."""
    q = one.call(make_queue)
    q.put_many([1, 2])
    core: Any = q._core

    async def main() -> None:
        task = asyncio.ensure_future(q.aio.get())
        await asyncio.sleep(0)
        until_blocking(lambda: not core.link()._kept)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    until(lambda: q.qsize() == 2)
    assert [1, 2] == q.get_many(2)


def test_cancelled_remote_put_is_taken_out(one: Peer) -> None:
    """A task is cancelled after the home accepted its item and before it ran: the item is taken out again."""
    q = one.call(make_queue)
    core: Any = q._core

    async def main() -> None:
        task = asyncio.ensure_future(q.aio.put("cancelled"))
        await asyncio.sleep(0)
        until_blocking(lambda: not core.link()._kept)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    until(q.empty)
    assert 0 == q.unfinished_tasks


def test_items_go_by_reference_at_home() -> None:
    """In its own process an item is the very same object, also after the queue was shared."""
    q: Queue[Any] = Queue()
    with peers(1) as (one,):
        one.call(put, q, 1)
        item = threading.Lock()
        q.put(item)
        assert 1 == q.get()
        assert q.get() is item


def test_items_hold_primitives(one: Peer) -> None:
    """A lock and a queue go as items of a queue and are still themselves."""
    q: Queue[Any] = Queue()
    answers: Queue[Any] = Queue()
    lock = Lock()
    lock.acquire()
    q.put((lock, answers))

    one.call(answer, q)

    assert lock.locked() is False
    assert answers.get() is lock


def answer(q: Queue[Any]) -> None:
    """Take a lock and a queue out, release the one and put it into the other."""
    lock, answers = q.get()
    lock.release()
    answers.put(lock)


def test_putter_learns_that_its_item_can_not_be_pickled(one: Peer, shared: Queue[Any]) -> None:
    """What can't be pickled raises where it is put, if the queue lives elsewhere; nothing goes in."""
    away = shared._core.elsewhere
    with pytest.raises(NotPicklable):
        put_unpicklable(shared) if away else one.call(put_unpicklable, shared)

    assert shared.empty()


def test_item_that_can_not_leave_stays_in_its_place(one: Peer) -> None:
    """A local item that can't be pickled: a remote getter gets NotPicklable, a local one gets the item."""
    q: Queue[Any] = Queue()
    item = threading.Lock()
    q.put(item)
    q.put("next")

    for _ in range(2):
        with pytest.raises(NotPicklable, match="lock"):
            one.call(get, q)
    with pytest.raises(NotPicklable):
        one.call(get_nowait, q)
    core: Any = q._core
    assert isinstance(core._items[0], HomeOnly)
    assert q.get() is item
    assert ["next"] == one.call(get, q)


def test_each_waiting_process_learns_of_an_item_that_can_not_leave() -> None:
    """Waiting remote getters fail once each, without going round; the local one behind them gets the item."""
    q: Queue[Any] = Queue()
    with peers(2) as started:
        for number, each in enumerate(started):
            each.start(get, q)
            until(lambda number=number: waiting(q) == number + 1)  # type: ignore[misc]
        local = Background(q.get)
        until(lambda: waiting(q) == 3)
        item = threading.Lock()

        q.put(item)

        for each in started:
            with pytest.raises(NotPicklable):
                each.result()
        assert local.result() is item


def test_batch_up_to_an_item_that_can_not_leave(one: Peer) -> None:
    """A remote `get_many` gets what comes before such an item; that and the rest stay, in order."""
    q: Queue[Any] = Queue()
    item = threading.Lock()
    q.put_many([1, 2, item, 3])

    assert [1, 2] == one.call(Queue.get_many, q, 10)
    assert q.get() is item
    assert 3 == q.get()


def test_item_that_can_not_be_unpickled(one: Peer) -> None:
    """The getter gets the error and the item is gone; the next comes out."""
    q: Queue[Any] = Queue()
    one.call(put_unloadable, q)

    with pytest.raises(LookupError):
        q.get()
    assert "next" == q.get()


def put_unloadable(q: Queue[Any]) -> None:
    """Put what can't be unpickled, and something that can."""
    q.put(Unloadable())
    q.put("next")


def test_bytes_pass_through_the_home() -> None:
    """An item on its way from one process to another isn't unpickled at home."""
    q: Queue[Any] = Queue()
    with peers(2) as (first, second):
        first.call(put, q, Item(5))
        core: Any = q._core
        assert isinstance(core._items[0], Parcel)
        (item,) = second.call(get, q)
    assert 5 == item.value


def test_killed_getter(one: Peer) -> None:
    """A process dies with items on the way to it: they are back at the front, in order."""
    q: Queue[int] = Queue()
    q.put_many([1, 2, 3])
    one.call(take_and_never_confirm, q)
    assert 1 == q.qsize()

    one.kill()

    until(lambda: q.qsize() == 3)
    assert [1, 2, 3] == q.get_many(3)
    assert 3 == q.unfinished_tasks


def take_and_never_confirm(q: Queue[Any]) -> None:
    """Get two items up to the moment in which they would be confirmed."""
    core: Any = q._core
    core.link().call("try_get", core.oid, 2)


def test_killed_waiter(one: Peer) -> None:
    """A process is killed that waits for an item: the next item isn't given to it."""
    q: Queue[int] = Queue()
    one.start(get, q)
    until(lambda: waiting(q) == 1)
    one.kill()
    until(lambda: waiting(q) == 0)

    q.put(1)

    assert 1 == q.get_nowait()


def test_killed_putter(one: Peer) -> None:
    """A process is killed that waits for room: its item never goes in, the room is there for others."""
    q: Queue[int] = Queue(1)
    q.put(1)
    one.start(put, q, 2)
    until(lambda: waiting(q) == 1)
    one.kill()
    until(lambda: waiting(q) == 0)

    assert 1 == q.get()
    q.put(3)
    assert 3 == q.get()
    assert q.empty()


def test_killed_home(one: Peer) -> None:
    """The process is killed in which the queue lives: getters, joiners and later calls get HomeDied."""
    q = one.call(make_queue)
    q.put(1)
    q.get()
    threads = [Background(q.get), Background(q.join), Background(get_in_loop, q, 1)]
    until(lambda: len(q._core.link()._kept) == 3)
    one.kill()

    for thread in threads:
        with pytest.raises(HomeDied):
            thread.result()
    for use in (q.get, q.qsize, q.get_nowait, lambda: q.put(1)):
        with pytest.raises(HomeDied):
            use()


def test_pipeline_counts_every_item_once() -> None:
    """Coroutines put, two processes pass on, a thread collects: every item arrives exactly once."""
    first: Queue[int] = Queue(8)
    second: Queue[int] = Queue(8)
    total = 200
    with peers(2) as started:
        for each in started:
            each.start(pass_on, first, second)

        async def produce(base: int) -> None:
            for number in range(base, base + total // 4):
                await first.aio.put(number)

        async def main() -> None:
            await asyncio.gather(*(produce(base) for base in range(0, total, total // 4)))

        producer = Background(lambda: asyncio.run(main()))
        got = sorted(second.get() for _ in range(total))
        producer.result()
        first.shutdown()
        for each in started:
            each.result()

    assert list(range(total)) == got
    assert second.empty()


def pass_on(source: Queue[int], target: Queue[int]) -> None:
    """Move items until the source is shut down."""
    while True:
        try:
            item = source.get()
        except ShutDown:
            return
        target.put(item)


def test_remote_drain_until_shutdown(one: Peer) -> None:
    """A consumer in another process ends by itself when the queue is shut down."""
    q: Queue[int] = Queue()
    one.start(drain, q)
    q.put_many(range(10))
    until(q.empty)
    q.shutdown()

    assert list(range(10)) == one.result()
