"""`@task`: a function that can also be submitted."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from .checks import check_options, check_twin
from .default import get_executor
from .executor import AdaptiveExecutor, ExecutorView
from .futures import Future
from .mapping import MapResults
from .model import BackendName, Decision, Kind, Options

__all__ = ["TaskFunction", "task"]

P = ParamSpec("P")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class TaskFunction(Generic[P, R_co]):
    """A function with `submit`, `map`, `options` and `explain`; calling it is the plain call.

    It keeps the function's name, docstring, signature and types, works as a method, and pickles by
    reference to itself.
    """

    __name__: str
    __qualname__: str

    def __init__(
        self,
        fn: Callable[P, R_co],
        options: Options,
        executor: AdaptiveExecutor | None,
        twin: Callable[P, Coroutine[Any, Any, Any]] | None = None,
    ) -> None:
        functools.update_wrapper(self, fn)
        self.__annotations__ = _annotations_of(fn)
        self._fn = fn
        self._options = options
        self._executor = executor
        self._twin = twin

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self._fn(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind as a function would: the result submits the bound method."""
        getter = getattr(self._fn, "__get__", None)
        if getter is None:
            return self
        bound = getter(instance, owner)
        if bound is self._fn:
            return self
        twin: Any = self._twin
        twin = None if twin is None else twin.__get__(instance, owner)
        return TaskFunction(bound, self._options, self._executor, twin)

    def __reduce__(self) -> Any:
        if isinstance(self._fn, types.MethodType):
            return getattr, (self._fn.__self__, self._fn.__name__)
        if self.__module__ == "__main__" or "<locals>" in self.__qualname__:
            return TaskFunction, (self._fn, self._options, None, self._twin)
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<task {self.__qualname__}>"

    @property
    def __adaptive_subject__(self) -> Callable[..., Any]:
        """The function that is measured and judged."""
        return self._fn

    @property
    def __adaptive_options__(self) -> Options:
        """What it asks for, wherever its calls are submitted."""
        return self._options

    @property
    def __adaptive_twin__(self) -> Callable[P, Coroutine[Any, Any, Any]] | None:
        """The coroutine function that may run on a loop in its place."""
        return self._twin

    def coroutine(
        self, twin: Callable[P, Coroutine[Any, Any, R_co]], /
    ) -> Callable[P, Coroutine[Any, Any, R_co]]:
        """Give this task an async twin; use it as a decorator.

            @task
            def fetch(url): ...

            @fetch.coroutine
            async def _(url): ...

        Both have to do the same. With few calls in flight a thread runs the function; with many slow ones the
        library's own loop runs the twin, which needs no thread for each. Where the one becomes cheaper than the
        other follows from what was measured of both. A plain call is always the function's.

        Args:
            twin: A coroutine function with the same parameters.

        Returns:
            `twin` itself.

        Raises:
            TypeError: It is no coroutine function, has other parameters, or this task is one itself.
        """
        check_twin(self._fn, twin)
        kind = type(self._fn)
        same_kind = kind in (staticmethod, classmethod) and not isinstance(twin, kind)
        wrap: Any = kind if same_kind else lambda given: given
        self._twin = wrap(twin)
        return twin

    def _view(self) -> ExecutorView:
        """The executor this task is submitted to, with the task's options."""
        return ExecutorView(self._executor or get_executor(), self._options)

    @overload
    def submit(
        self: TaskFunction[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]: ...

    @overload
    def submit(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[R_co]: ...

    def submit(self, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a call; as `AdaptiveExecutor.submit`."""
        view = self._view()
        return view._executor._submit(view._options, self, args, kwargs)

    @overload
    def map(
        self: TaskFunction[P, Coroutine[Any, Any, T]],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[T]: ...

    @overload
    def map(
        self,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[R_co]: ...

    def map(
        self,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[Any]:
        """Submit a call an item; as `AdaptiveExecutor.map`."""
        return self._view().map(
            self,
            *iterables,
            timeout=timeout,
            chunksize=chunksize,
            buffersize=buffersize,
            ordered=ordered,
            progress=progress,
        )

    def options(self, **changes: Any) -> TaskFunction[P, R_co]:
        """This task with some options changed; the names are those of `AdaptiveExecutor.options`."""
        view = ExecutorView(self._executor or get_executor(), self._options).options(**changes)
        return TaskFunction(self._fn, view._options, self._executor, self._twin)

    def explain(self) -> Decision:
        """Where the next call would run, and why."""
        return self._view().explain(self)


def _annotations_of(fn: Any) -> dict[str, Any]:
    """A function's annotations, which from Python 3.14 on are worked out when they are asked for."""
    try:
        return getattr(fn, "__annotations__", {})
    except NameError:  # they name what is not there yet
        library = importlib.import_module("annotationlib")  # of these versions only
        found: dict[str, Any] = library.get_annotations(fn, format=library.Format.FORWARDREF)
        return found


@overload
def task(fn: Callable[P, R_co], /) -> TaskFunction[P, R_co]: ...


@overload
def task(
    *,
    kind: Kind | None = None,
    backend: BackendName | None = None,
    pure: bool | None = None,
    timeout: float | None = None,
    retries: int = 0,
    executor: AdaptiveExecutor | None = None,
) -> Callable[[Callable[P, R_co]], TaskFunction[P, R_co]]: ...


def task(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    kind: Kind | None = None,
    backend: BackendName | None = None,
    pure: bool | None = None,
    timeout: float | None = None,
    retries: int = 0,
    executor: AdaptiveExecutor | None = None,
) -> Any:
    """Make a function submittable: `@task`, or `@task(kind="cpu", timeout=5)`.

    Args:
        fn: The function.
        kind: "cpu" or "io": route as such, without measuring first.
        backend: "thread", "process" or "loop": run there, whatever is measured.
        pure: True promises that calls change no shared state; False says that they do.
        timeout: Seconds that a call may run.
        retries: How often a call is run again after its worker died or its time ran out.
        executor: Where its calls go; None means the process-wide executor, looked up at each call.

    Returns:
        A `TaskFunction`; calling it is the plain call.

    Raises:
        TypeError: `fn` can't be called, or an option has the wrong type.
        ValueError: As for `AdaptiveExecutor.options`.
    """
    options = check_options(Options(backend, kind, pure, timeout, retries))

    def decorate(function: Callable[P, R_co]) -> TaskFunction[P, R_co]:
        if not callable(function) and not isinstance(function, (staticmethod, classmethod)):
            raise TypeError(f"@task takes a function, not {type(function).__name__}")
        return TaskFunction(function, options, executor)

    return decorate if fn is None else decorate(fn)
