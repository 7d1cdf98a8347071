"""A function run plainly and through the executor, and everything that could tell the difference."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest import mock

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.errors import AdaptiveExecError
from adaptive_exec.routing import policy

__all__ = ["Case", "Run", "eager_executor", "plainly", "routed"]

CALLS: Final = 60


def _nothing() -> None:
    """No world, or nothing to reset."""


@dataclass(frozen=True)
class Case:
    """One function, and what it is to be tried on.

    Attributes:
        fn: The function.
        arguments: Gives the arguments of the call with this number, made anew.
        world: Gives what the calls may have changed, to be compared; copied at once.
        reset: Makes the world as it was before the first call.
        ordered: Whether calls depend on the ones before, so that each has to wait for the last.
        calls: How many there are.
    """

    fn: Callable[..., Any]
    arguments: Callable[[int], tuple[Any, ...]] = lambda n: (n,)
    world: Callable[[], Any] = _nothing
    reset: Callable[[], object] = _nothing
    ordered: bool = True
    calls: int = CALLS

    @property
    def name(self) -> str:
        """What the test is called."""
        return str(getattr(self.fn, "__qualname__", None) or type(self.fn).__qualname__)


@dataclass(frozen=True)
class Run:
    """What came of all calls.

    Attributes:
        ends: How each call ended: its value, or its error.
        arguments: The arguments of each call, after it.
        same: For each call, which of its arguments it gave back as the very object.
        world: What there was afterwards.
        backends: Where each call ran; empty if they ran plainly.
        loud: Errors of the library's own, which a plain run can't have.
    """

    ends: list[Any]
    arguments: list[Any]
    same: list[list[bool]]
    world: Any
    backends: tuple[str, ...] = ()
    loud: tuple[BaseException, ...] = ()


def plainly(case: Case) -> Run:
    """One call after the other, without any executor."""
    case.reset()
    ends, arguments, same = [], [], []
    for number in range(case.calls):
        args = case.arguments(number)
        end, value = _end_of(lambda args=args: case.fn(*args))  # type: ignore[misc]
        ends.append(end)
        same.append([value is each for each in args])
        arguments.append(_readable(args))
    return Run(ends, arguments, same, copy.deepcopy(case.world()))


def routed(case: Case, executor: AdaptiveExecutor) -> Run:
    """The same through an executor."""
    case.reset()
    given = [case.arguments(number) for number in range(case.calls)]
    futures = []
    for args in given:
        future = executor.submit(case.fn, *args)
        futures.append(future)
        if case.ordered:
            future.exception(60)
    ends, same, loud = [], [], []
    for args, future in zip(given, futures, strict=True):
        error = future.exception(60)
        if isinstance(error, AdaptiveExecError):
            loud.append(error)
        end, value = _end_of(future.result)
        ends.append(end)
        same.append([value is each for each in args])
    backends = tuple(future.decision.backend for future in futures if future.decision is not None)
    arguments = [_readable(args) for args in given]
    return Run(ends, arguments, same, copy.deepcopy(case.world()), backends, tuple(loud))


@contextlib.contextmanager
def eager_executor() -> Iterator[AdaptiveExecutor]:
    """An executor that sends away whatever may leave, however little work it is."""
    with mock.patch.object(policy, "WORTH", 0.0), AdaptiveExecutor(max_processes=2) as executor:
        router = executor._dispatcher._router
        router.machine = replace(
            router.machine, cores=4, process_start=0.0, process_hop=0.0, byte_cost=0.0, thread_hop=1.0
        )
        executor.options(backend="process").submit(abs, 1).result(60)
        yield executor


def _end_of(call: Callable[[], Any]) -> tuple[Any, Any]:
    """How a call ends, to be compared, and its value."""
    try:
        value = call()
    except Exception as error:
        return ("raised", type(error).__name__, str(error)), None
    return ("returned", type(value).__name__, _readable(value)), value


def _readable(value: Any) -> Any:
    """A copy that later changes don't reach; iterators and the like as their type."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return type(value).__name__
