"""Functions that tests submit; importable by worker processes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
import types
from typing import Any

NOTED: list[str] = []


def note(word: str) -> None:
    """Remember something in this process."""
    NOTED.append(word)


def noted() -> list[str]:
    """What is remembered in this process."""
    return list(NOTED)


def same(x: Any) -> Any:
    return x


def double(x: Any) -> Any:
    return x + x


def add(a: int, b: int = 0) -> int:
    return a + b


def pid() -> int:
    return os.getpid()


def thread_name() -> str:
    return threading.current_thread().name


def compute(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i
    return total


def compute_until(path: str) -> int:
    """Compute, holding the GIL, until there is a file."""
    turns = 0
    while not os.path.exists(path):
        turns += sum(range(20_000))
    return turns


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def fail(message: str) -> None:
    raise ValueError(message)


def kill_me(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(code: int) -> None:
    os._exit(code)


def say_and_wait(path: str) -> None:
    """Leave a note that it runs, then wait until somebody ends it."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    time.sleep(60)


def die_once(path: str) -> str:
    """Die the first time, answer the second."""
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return "second time"


class Unreadable:
    """Can be pickled, can't be read."""

    def __reduce__(self) -> Any:
        return fail, ("unreadable",)


def return_unreadable() -> Unreadable:
    return Unreadable()


class Awkward(Exception):
    """Pickles, but can't be read again: its constructor wants more than it keeps."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def raise_awkward() -> None:
    raise Awkward("one", "two")


def return_generator() -> Any:
    return (i for i in range(3))


async def async_double(x: Any) -> Any:
    await asyncio.sleep(0)
    return x + x


async def async_nap(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def running_loop() -> int:
    return id(asyncio.get_running_loop())


async def cancel_yourself() -> None:
    raise asyncio.CancelledError


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def bump(self, by: int = 1) -> int:
        self.count += by
        return self.count

    def peek(self, n: int) -> int:
        return self.count + compute(n)


SEEN: list[int] = []


def remember(n: int) -> int:
    """Computes enough to be sent away, but changes its module."""
    total = compute(60_000)
    SEEN.append(n)
    return total


LIMIT = 10


def limited(n: int) -> int:
    """Computes enough to be sent away, and reads its module's state."""
    return min(compute(60_000) * 0 + n, LIMIT)


def initialize(path: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


def initialize_badly() -> None:
    raise RuntimeError("no licence")


def grow(held: list[int]) -> int:
    held.append(1)
    return len(held)


def take(counter: Counter) -> int:
    return counter.count


GUARD = threading.Lock()


def guarded(x: int) -> int:
    """Need a lock of this module's."""
    with GUARD:
        return x + x


def stubborn(seconds: float) -> None:
    """Say that it has begun, and ignore everything that asks to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.write(1, b"begun\n")
    time.sleep(seconds)


def take_two(items: Any, taken: Any) -> int:
    """Wait for two items, and pass them on."""
    found = [items.get(timeout=60) for _ in range(2)]
    taken.put(found)
    return os.getpid()


def give(items: Any, count: int) -> int:
    for number in range(count):
        items.put(number)
    return os.getpid()


def package(name: str) -> types.ModuleType:
    """A package that is loaded, and is its parent's attribute."""
    made = sys.modules[name] = types.ModuleType(name)
    made.__path__ = []
    made.__package__ = name
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, made)
    return made


def grow_and_end(items: list[int], fails: bool) -> int:
    """Change an argument, then end one way or the other."""
    items.append(3)
    if fails:
        raise ValueError("after the change")
    return len(items)


def least_of(rows: list[list[int]]) -> list[int]:
    """One of the things that it was given."""
    return min(rows)


def shuffled_first(items: list[int]) -> int:
    """Change an argument through an object that reading the code knows nothing of."""
    random.Random(7).shuffle(items)
    return items[0]


def shuffled_and_put(items: list[int], results: Any) -> None:
    """The same, and somebody else is told."""
    results.put(shuffled_first(items))
