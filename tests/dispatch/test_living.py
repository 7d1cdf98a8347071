"""Counting calls in and out, and who ends it all."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from adaptive_exec.backends.base import Task
from adaptive_exec.dispatch.living import Living
from adaptive_exec.model import Decision
from tests.backends.support import Handed


@pytest.fixture
def living() -> Living:
    return Living()


def a_task() -> Task:
    return Handed().task(print)


def together(*actions: Callable[[], object]) -> list[object]:
    """What each returns, or the error it raises, when all are done at once."""
    gate = threading.Barrier(len(actions))
    results: list[object] = [None] * len(actions)

    def act(place: int) -> None:
        gate.wait(10)
        try:
            results[place] = actions[place]()
        except RuntimeError as error:
            results[place] = error

    threads = [threading.Thread(target=act, args=(place,)) for place in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


def test_nothing_enters_after_the_end(living: Living) -> None:
    """Who comes later is told what to do."""
    task = a_task()
    living.enter(task)

    assert [task] == living.close()
    with pytest.raises(RuntimeError, match="make a new executor"):
        living.enter(a_task())
    assert [task] == living.all()


def test_a_forked_copy_says_so(living: Living) -> None:
    """Its calls run in the parent, and it takes none."""
    living.enter(a_task())
    living.forget()

    assert 0 == len(living)
    with pytest.raises(RuntimeError, match="belongs to the process that forked this one"):
        living.enter(a_task())


def test_a_copy_forked_while_somebody_held_the_lock(living: Living) -> None:
    """Nobody will ever let go of it there: it is refused all the same."""
    with living._lock:
        living.forget()
        assert living.closed
        with pytest.raises(RuntimeError, match="belongs to the process that forked"):
            living.refuse()


def test_a_call_that_enters_meets_the_end() -> None:
    """It is refused, or among those that are waited for; never neither, and never both."""

    def meet() -> None:
        living, task = Living(), a_task()
        entered, waited_for = together(lambda: living.enter(task), living.close)
        assert isinstance(entered, RuntimeError) is not (waited_for == [task])

    for _ in range(100):
        meet()


def test_the_end_is_claimed_once(living: Living) -> None:
    """By one of those that are last, however many think so; whoever waits for the end is let through."""
    tasks = [a_task() for _ in range(8)]
    for task in tasks:
        living.enter(task)
    living.close()

    def leave(task: Task) -> bool:
        return living.leave(task) and living.claim_end(again=False)

    claimed = together(*(lambda task=task: leave(task) for task in tasks))

    assert 1 == sum(map(bool, claimed))
    assert not living.claim_end(again=False)
    assert living.claim_end(again=True)


def test_the_end_is_not_claimed_while_a_call_is_under_way(living: Living) -> None:
    """Nor before it was closed."""
    task = a_task()
    assert not living.claim_end(again=True)
    living.enter(task)
    living.close()

    assert not living.claim_end(again=True)
    assert living.leave(task)
    assert living.claim_end(again=False)


def test_two_that_wait_in_calls_do_not_wait_for_each_other(living: Living) -> None:
    """Each is under way itself; both go on as soon as both wait."""
    one, other = a_task(), a_task()
    one.thread, other.thread = 1, 2
    living.enter(one)
    living.enter(other)
    with living.waiter(1):
        waited = threading.Thread(target=lambda: waits.append(living.wait_for_rest()))
        waits: list[bool] = []
        waited.start()
        with living.waiter(2):
            waited.join(10)
            assert living.wait_for_rest()
    assert waits
    with living.waiter(1):
        living.leave(other)
        assert living.wait_for_rest()


def test_whether_calls_are_all_of_one_function(living: Living) -> None:
    """And all in one place, or not sent anywhere yet; of many, some are looked at."""
    mine, other = object(), object()
    tasks = [a_task() for _ in range(100)]
    for task in tasks:
        task.owner = mine
        task.decision = Decision("thread", "as said")
        living.enter(task)
    assert living.are_all(mine, "thread")
    assert not living.are_all(mine, "process")
    assert not living.are_all(other, "thread")
    for task in tasks[3:]:
        living.leave(task)
    tasks[0].decision = None
    assert living.are_all(mine, "thread")
    tasks[0].decision = Decision("process", "as said")
    assert not living.are_all(mine, "thread")
    living.leave(tasks[0])
    tasks[1].owner = other

    assert not living.are_all(mine, "thread")
