"""A lane of the thread backend: calls that wait for the same resource, and how much of it is in use.

Work that waits, work that computes without the GIL, and work that computes holding it each have one. A task weighs the
part of its lane's resource that it keeps busy while it runs (a call that waits 98 % weighs 0.02), and is admitted while
the sum of the weights fits the budget. That is Goetz's rule, N = cores x (1 + W/C), with 1 in the place of the cores
for whatever needs the GIL, and it holds for any mixture of functions (Goetz et al., Java Concurrency in Practice, 8.2).

Guarantees: a lane in which nothing runs admits anything.
Assumes: whoever uses one holds the backend's lock.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from .base import Task
from .brief import BriefCalls, Seat

__all__ = ["SMALLEST_WEIGHT", "BriefLane", "LaneState", "weight_of"]

SMALLEST_WEIGHT: Final = 1e-3


class LaneState:
    """A lane's queue, its budget and what of it is in use."""

    __slots__ = ("budget", "extra", "queue", "running", "used")

    def __init__(self, budget: float) -> None:
        self.queue: deque[Task] = deque()
        self.budget = budget
        self.extra = 0.0
        self.used = 0.0
        self.running = 0

    def first(self) -> Task | Seat | None:
        """The task that waits longest."""
        return self.queue[0] if self.queue else None

    def pop(self) -> Task | Seat:
        """Take what is first."""
        return self.queue.popleft()

    def admits(self, task: Task | Seat) -> bool:
        """Whether the task fits the budget; anything does where nothing runs."""
        return self.running <= 0 or self.used + weight_of(task) <= self.budget + self.extra + 1e-9

    def enter(self, task: Task | Seat) -> None:
        """Count the task in."""
        self.used += weight_of(task)
        self.running += 1

    def leave(self, task: Task | Seat) -> None:
        """Count the task out."""
        self.running -= 1
        self.used = max(0.0, self.used - weight_of(task)) if self.running else 0.0
        if not self.running:
            self.extra = 0.0  # what was stuck has gone, and with it the reason to be wider


class BriefLane(LaneState):
    """The lane whose tasks are queued elsewhere, and in which seats are what runs."""

    __slots__ = ("calls",)

    def __init__(self, budget: float, calls: BriefCalls) -> None:
        super().__init__(budget)
        self.calls = calls

    def first(self) -> Seat | None:
        """A seat to be taken, if calls wait."""
        return Seat() if self.calls.queue else None

    def pop(self) -> Seat:
        """The same."""
        return Seat()


def weight_of(task: Task | Seat) -> float:
    """The part of its lane's resource that the task keeps busy."""
    return max(task.weight, SMALLEST_WEIGHT)
