"""What a type checker must reject; never run.

Each `type: ignore` below is needed: both checkers report one that is not, so a call that slips through fails.
"""

from __future__ import annotations

from adaptive_exec import AdaptiveExecutor, Lock, Queue, TaskGroup, task


def square(x: int) -> int:
    return x * x


async def fetch(url: str) -> bytes:
    return url.encode()


@task
def cube(x: int) -> int:
    return x**3


def submits(executor: AdaptiveExecutor) -> None:
    executor.submit(square, "three")  # type: ignore[call-overload]
    executor.submit(square)  # type: ignore[call-overload]
    executor.submit(square, 1, 2)  # type: ignore[call-overload]
    executor.submit(square, y=1)  # type: ignore[call-overload]
    executor.submit(fetch, 5)  # type: ignore[call-overload]
    executor.submit(5)  # type: ignore[call-overload]
    text: str = executor.submit(square, 3).result()  # type: ignore[assignment]
    print(text)


def groups(executor: AdaptiveExecutor) -> None:
    with TaskGroup(executor) as group:
        group.submit(square, "three")  # type: ignore[call-overload]
    TaskGroup("executor")  # type: ignore[arg-type]


def options(executor: AdaptiveExecutor) -> None:
    executor.options(backend="moon")  # type: ignore[arg-type]
    executor.options(kind="gpu")  # type: ignore[arg-type]
    executor.options(backend="thread").submit(square, "three")  # type: ignore[call-overload]
    AdaptiveExecutor(max_threads="many")  # type: ignore[arg-type]
    AdaptiveExecutor(1, 2, None)  # type: ignore[call-arg]


def tasks() -> None:
    cube("three")  # type: ignore[arg-type]
    cube.submit("three")  # type: ignore[arg-type]
    cube.submit()  # type: ignore[call-arg]


async def shares(lock: Lock, queue: Queue[int]) -> None:
    queue.put("one")  # type: ignore[arg-type]
    await queue.aio.put("one")  # type: ignore[arg-type]
    lock.acquire("yes")  # type: ignore[arg-type]
