"""What a user of the library writes; never run, only checked: every line must pass mypy --strict and pyright."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterable
from typing import assert_type

from adaptive_exec import (
    AdaptiveExecutor,
    Decision,
    Future,
    Lock,
    Profile,
    Queue,
    TaskGroup,
    get_executor,
    set_executor,
    task,
)


def square(x: int) -> int:
    return x * x


def join(left: str, right: str, *, sep: str = " ") -> str:
    return left + sep + right


async def fetch(url: str) -> bytes:
    await asyncio.sleep(0)
    return url.encode()


def submits() -> None:
    with AdaptiveExecutor(max_threads=4, max_processes=2) as executor:
        assert_type(executor.submit(square, 3), Future[int])
        assert_type(executor.submit(square, 3).result(), int)
        assert_type(executor.submit(square, x=3).result(timeout=1.0), int)
        assert_type(executor.submit(join, "a", "b", sep="-").result(), str)
        assert_type(executor.submit(fetch, "x").result(), bytes)
        assert_type(executor.submit(lambda: 1.5).result(), float)


def is_a_standard_executor() -> None:
    def all_of(pool: concurrent.futures.Executor, numbers: Iterable[int]) -> list[int]:
        return list(pool.map(square, numbers))

    with AdaptiveExecutor() as executor:
        assert_type(all_of(executor, range(3)), list[int])
        future: concurrent.futures.Future[int] = executor.submit(square, 2)
        done, _ = concurrent.futures.wait([future])
        assert_type({one.result() for one in done}, set[int])


def maps() -> None:
    with AdaptiveExecutor() as executor:
        for number in executor.map(square, range(3)):
            assert_type(number, int)
        for text in executor.map(join, ["a"], ["b"], timeout=1.0, chunksize=2):
            assert_type(text, str)
        for data in executor.map(fetch, ["x"]):
            assert_type(data, bytes)


async def maps_on_a_loop() -> None:
    async with AdaptiveExecutor() as executor:
        async for number in executor.map(square, range(3), ordered=False, progress=True):
            assert_type(number, int)


def options() -> None:
    with AdaptiveExecutor() as executor:
        assert_type(executor.options(backend="process").submit(square, 3).result(), int)
        assert_type(
            executor.options(kind="cpu", pure=True, timeout=2.0, retries=1).submit(fetch, "x").result(), bytes
        )


def explains() -> None:
    executor = get_executor()
    decision = executor.explain(square)
    assert_type(decision, Decision)
    assert_type(decision.reason, str)
    profile = decision.profile
    if profile is not None:
        assert_type(profile, Profile)
        assert_type(profile.cpu_ratio, float)
    set_executor(executor)
    print(executor.stats())


async def awaits() -> None:
    async with AdaptiveExecutor() as executor:
        assert_type(await executor.submit(square, 3), int)
        assert_type(await executor.submit(fetch, "x"), bytes)
        futures = [executor.submit(square, n) for n in range(3)]
        assert_type(await asyncio.gather(*(asyncio.wrap_future(future) for future in futures)), list[int])


@task
def cube(x: int) -> int:
    return x**3


@task(kind="io")
def shout(text: str, *, times: int = 1) -> str:
    return text.upper() * times


@task
async def get(url: str) -> bytes:
    return url.encode()


def tasks() -> None:
    assert_type(cube(3), int)
    assert_type(cube.submit(3).result(), int)
    assert_type(shout("a", times=2), str)
    assert_type(shout.submit("a", times=2).result(), str)
    assert_type(get.submit("x").result(), bytes)
    assert_type(cube.explain(), Decision)


async def async_tasks() -> None:
    assert_type(await cube.submit(3), int)
    assert_type(await get("x"), bytes)


def shares(lock: Lock, queue: Queue[int]) -> None:
    with lock:
        queue.put(1)
    assert_type(lock.acquire(timeout=1.0), bool)
    lock.release()
    assert_type(queue.get(timeout=1.0), int)


async def shares_on_a_loop(lock: Lock, queue: Queue[int]) -> None:
    async with lock:
        await queue.aio.put(1)
    assert_type(await queue.aio.get(), int)
    assert_type(await lock.aio.acquire(), bool)


@task
def ask(url: str, *, tries: int = 1) -> bytes:
    return url.encode() * tries


@ask.coroutine
async def ask_twin(url: str, *, tries: int = 1) -> bytes:
    await asyncio.sleep(0)
    return url.encode() * tries


async def has_a_twin() -> None:
    assert_type(ask("x"), bytes)
    assert_type(ask.submit("x", tries=2), Future[bytes])
    assert_type(await ask_twin("x", tries=2), bytes)
    assert_type(ask.explain().advice, str)


def groups(executor: AdaptiveExecutor) -> None:
    with TaskGroup(executor.options(timeout=1.0)) as group:
        assert_type(group.submit(square, 2), Future[int])
        assert_type(group.submit(cube, 2), Future[int])
        assert_type(group.submit(fetch, "x"), Future[bytes])


async def async_groups() -> None:
    async with TaskGroup() as group:
        future = group.submit(square, 2)
    assert_type(await future, int)
