"""`AdaptiveExecutor`: the facade. It checks what it is given and passes it on; it decides nothing."""

from __future__ import annotations

import asyncio
import functools
import os
import weakref
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from multiprocessing.context import BaseContext
from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

from . import parent
from .backends.base import WorkerPool
from .backends.loop import LoopBackend
from .backends.processes.pool import ProcessBackend
from .backends.threads import ThreadBackend
from .checks import check_callable, check_options, check_size, options_for, subject_of, twin_of
from .dispatch import exits
from .dispatch.dispatcher import Dispatcher
from .futures import Future
from .mapping import MapResults, check_sizes
from .model import DEFAULT, BackendName, Decision, Kind, Machine, Options
from .observe.stats import ExecutorStats
from .platform.cores import usable_cores
from .platform.gil import gil_enabled
from .primitives import home_address
from .routing.store import is_coroutine_function, name_of

if TYPE_CHECKING:
    from .routing.profiles import ProfileFile

__all__ = ["AdaptiveExecutor", "ExecutorView", "executor_of_worker"]

P = ParamSpec("P")
T = TypeVar("T")


class AdaptiveExecutor(Executor):
    """Runs each call where it belongs: on a thread, in a worker process or on an event loop.

    The first calls of a function are measured on threads: CPU against waiting, GIL held or not, size of
    what would have to travel. The others go where those figures say. Nothing is started before it is
    needed. Use it with `with`, with `async with`, or not at all: an executor that is never shut down
    finishes its work when the interpreter exits.

    Args:
        max_threads: Threads that work at the same time at most; None means 1000, approached only as far
            as measured waiting justifies.
        max_processes: Worker processes that compute at the same time at most; None means the cores this
            process may use, by affinity and cgroup quota. While a worker's call waits for a shared
            primitive another one may stand in for it, so there can be twice as many.
        max_pending: Calls that may be accepted and not ended; None means any number. With that many, `submit` waits
            until one has ended. On an event loop it never does: the future is there at once, and its call comes in
            when its turn does. What calls of the executor, or done callbacks, submit comes in at once, since room
            may depend on it.
        mp_context: A `multiprocessing` context, or its name, to start workers with; None means the
            library's own fork server where the system has fork, else "spawn".
        initializer: Called once in each worker process before its first task.
        initargs: Arguments for `initializer`.
        max_tasks_per_child: Calls after which a worker process is replaced by a new one, between two calls
            and without a word; None means that a worker serves as long as it is needed. One whose own
            memory has grown by more than 1 GiB is replaced in any case.
        profiles: A file in which what is learned of functions lives from run to run; None forgets it at the end.
            It is read when the first function is met, and written when the executor has ended, and may be
            shared by programs. What can't be used is ignored with a `RuntimeWarning`.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: A size is not positive, or the context is unknown.
    """

    def __init__(
        self,
        max_threads: int | None = None,
        max_processes: int | None = None,
        *,
        max_pending: int | None = None,
        mp_context: BaseContext | str | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        max_tasks_per_child: int | None = None,
        profiles: str | os.PathLike[str] | None = None,
    ) -> None:
        check_size("max_threads", max_threads)
        check_size("max_processes", max_processes)
        check_size("max_pending", max_pending)
        check_size("max_tasks_per_child", max_tasks_per_child)
        if initializer is not None and not callable(initializer):
            raise TypeError(
                "initializer must be a callable: pass the function itself, not the result of calling it"
            )
        if isinstance(mp_context, str):
            import multiprocessing

            multiprocessing.get_context(mp_context)  # ValueError for an unknown one
        elif mp_context is not None and not isinstance(mp_context, BaseContext):
            raise TypeError('mp_context must be a multiprocessing context or its name, such as "spawn"')
        kept_in = None if profiles is None else _profile_file(profiles)
        cores = usable_cores()
        processes = ProcessBackend(
            max_processes or cores,
            mp_context,
            initializer,
            tuple(initargs),
            home_address,
            cores=cores,
            max_tasks=max_tasks_per_child,
        )
        self._start(
            ThreadBackend(max_threads, cores), processes, max_processes or cores, kept_in, max_pending
        )

    def _start(
        self,
        threads: ThreadBackend,
        processes: WorkerPool,
        max_processes: int,
        profiles: ProfileFile | None = None,
        max_pending: int | None = None,
    ) -> None:
        """Put the parts together."""
        self._dispatcher = Dispatcher(
            Machine(cores=usable_cores(), processes=max_processes, gil=gil_enabled()),
            threads,
            processes,
            LoopBackend(),
            exits.register,
            exits.forget,
            profiles,
            max_pending,
        )
        weakref.finalize(self, exits.let_go, self._dispatcher).atexit = False

    @overload
    def submit(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]: ...

    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `fn(*args, **kwargs)` somewhere.

        A coroutine function that is submitted from a running loop runs on that loop, otherwise on the
        library's own.

        Args:
            fn: A function, plain or `async def`, or any other callable.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Returns:
            A future of its result.

        Raises:
            TypeError: `fn` can't be called.
            RuntimeError: The executor has been shut down.
        """
        if type(fn) is FunctionType:  # nearly always, and then it stands for itself
            return self._dispatcher.accept(fn, args, kwargs, DEFAULT, fn)
        return self._submit(DEFAULT, fn, args, kwargs)

    @overload
    def map(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
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
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[T]: ...

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[Any]:
        """Call `fn` for each item, as the builtin `map` does, all over the machine.

        Args:
            fn: A function of as many arguments as there are iterables.
            *iterables: Where the arguments come from; the shortest ends it.
            timeout: Seconds from now within which each result has to be there; None waits.
            chunksize: Items that go together; None means one at a time, or more where that can't be told but by
                the time it takes: of plain values, if all of them are there, for functions that only compute. Of
                one that has not been called before a few items are tried first, for 0.1 s at most.
            buffersize: Items taken from the iterables beyond the results given out. None means all at
                once if every iterable has a length, else 256.
            ordered: True gives results in the order of the items, False as they come.
            progress: Show on standard error how many results have been taken: a bar where tqdm is installed, in
                notebooks, too, else a plain line.

        Returns:
            An iterator of results, for `for` and for `async for`. It raises what the first failing call
            raised, and cancels the rest then and when it is closed.

        Raises:
            TypeError: `fn` can't be called, or a size is not an integer.
            ValueError: A size is not positive.
            RuntimeError: The executor has been shut down.
        """
        return self._map(DEFAULT, fn, iterables, timeout, chunksize, buffersize, ordered, progress)

    def options(
        self,
        *,
        backend: BackendName | None = None,
        kind: Kind | None = None,
        pure: bool | None = None,
        timeout: float | None = None,
        retries: int = 0,
    ) -> ExecutorView:
        """This executor with other options: a view with `submit`, `map` and `options`.

        Args:
            backend: "thread", "process" or "loop": run there, whatever is measured.
            kind: "cpu" or "io": route as such, without measuring first.
            pure: True promises that calls change no shared state, so they may leave the process; False
                says that they do.
            timeout: Seconds that a call may run. Coroutines and processes are ended then; a thread goes
                on, but its future has failed.
            retries: How often a call is run again after its worker died or its time ran out.

        Returns:
            The view.

        Raises:
            TypeError: An option has the wrong type.
            ValueError: An unknown backend or kind, a negative number, or a timeout that is not positive.
        """
        return ExecutorView(self, check_options(Options(backend, kind, pure, timeout, retries)))

    def explain(self, fn: Callable[..., Any]) -> Decision:
        """Where the next call of `fn` would run, and why.

        Args:
            fn: A function, submitted before or not.

        Returns:
            The decision.

        Raises:
            TypeError: `fn` can't be called.
        """
        return self._explain(DEFAULT, fn)

    def stats(self) -> ExecutorStats:
        """What has been done so far; `print` it for a table."""
        return self._dispatcher.stats()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls and give back threads and processes when the last one has ended.

        A signal's handler may ask for it with `wait=False` alone, whatever it has interrupted.

        Args:
            wait: Return only then. Calls that can only end on the event loop, or in the call, that is
                waiting are not waited for.
            cancel_futures: Cancel what has not begun.
        """
        self._dispatcher.shutdown(wait=wait, cancel_futures=cancel_futures)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        if exc_type is not None and issubclass(exc_type, KeyboardInterrupt):
            # The person at the keyboard wants an end now, not when the queue is empty.
            self._dispatcher.abort()
        else:
            self.shutdown(wait=True)
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # `asyncio.run` turns a Ctrl-C into a cancellation.
        if exc_type is not None and issubclass(exc_type, (KeyboardInterrupt, asyncio.CancelledError)):
            self._dispatcher.abort()
            return
        end = functools.partial(
            self._dispatcher.shutdown, wait=True, cancel_futures=False, caller=asyncio.current_task()
        )
        try:
            await asyncio.to_thread(end)
        except asyncio.CancelledError:
            self._dispatcher.abort()
            raise

    def _submit(
        self, options: Options, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Accept one call of what is not just a function."""
        subject = subject_of(check_callable(fn))
        twin = None if subject is fn else twin_of(fn)
        return self._dispatcher.accept(fn, args, kwargs, options_for(fn, options), subject, 1, twin)

    def _explain(self, options: Options, fn: Callable[..., Any]) -> Decision:
        """Where the next call would run with these options."""
        subject = subject_of(check_callable(fn))
        return self._dispatcher.explain(subject, options_for(fn, options), twin=twin_of(fn) is not None)

    def _map(
        self,
        options: Options,
        fn: Callable[..., T],
        iterables: tuple[Iterable[Any], ...],
        timeout: float | None,
        chunksize: int | None,
        buffersize: int | None,
        ordered: bool,
        progress: bool,
    ) -> MapResults[T]:
        """Accept a `map`."""
        subject, twin = subject_of(check_callable(fn)), twin_of(fn)
        options = options_for(fn, options)
        check_sizes(chunksize, buffersize)
        if not isinstance(progress, bool):
            raise TypeError(f"progress must be True or False, not {type(progress).__name__}")
        if not iterables:
            raise TypeError("map() must have at least one iterable: pass what fn is to be called with")

        def submit(carrier: Callable[..., Any], args: tuple[Any, ...], items: int) -> Future[Any]:
            alone = twin if carrier is fn else None  # a chunk is for whoever runs one call after the other
            return self._dispatcher.accept(carrier, args, {}, options, subject, items, alone)

        return MapResults(
            submit,
            fn,
            iterables,
            timeout=timeout,
            chunksize=1 if is_coroutine_function(subject) else chunksize,
            buffersize=buffersize,
            ordered=ordered,
            plan=lambda items: 1 if twin else self._dispatcher.calls_in_one(subject, options, items),
            lasts=self._dispatcher.lasts,
            later=self._dispatcher.soon,
            shown_as=name_of(subject) if progress else None,
        )


class ExecutorView:
    """An executor with options: `submit`, `map` and `options` as on the executor itself."""

    __slots__ = ("_executor", "_options")

    def __init__(self, executor: AdaptiveExecutor, options: Options) -> None:
        self._executor = executor
        self._options = options

    @overload
    def submit(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]: ...

    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As `AdaptiveExecutor.submit`, with this view's options."""
        if type(fn) is FunctionType:
            return self._executor._dispatcher.accept(fn, args, kwargs, self._options, fn)
        return self._executor._submit(self._options, fn, args, kwargs)

    @overload
    def map(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
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
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[T]: ...

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> MapResults[Any]:
        """As `AdaptiveExecutor.map`, with this view's options."""
        return self._executor._map(
            self._options, fn, iterables, timeout, chunksize, buffersize, ordered, progress
        )

    def options(self, **changes: Any) -> ExecutorView:
        """This view with some options changed; the names are those of `AdaptiveExecutor.options`."""
        try:
            options = replace(self._options, **changes)
        except TypeError as error:
            raise TypeError(f"{error}: the options are backend, kind, pure, timeout and retries") from None
        return ExecutorView(self._executor, check_options(options))

    def explain(self, fn: Callable[..., Any]) -> Decision:
        """As `AdaptiveExecutor.explain`, with this view's options."""
        return self._executor._explain(self._options, fn)


def _profile_file(path: str | os.PathLike[str]) -> ProfileFile:
    """The file of profiles at a path."""
    from .routing.profiles import ProfileFile  # here: it takes modules that few programs need

    found: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(found, str):
        raise TypeError(f"profiles must be a path, a str or a pathlib.Path, not {type(found).__name__}")
    if not found:
        raise ValueError("profiles must name a file: leave it out to keep nothing")
    return ProfileFile(found)


def executor_of_worker(home: bytes, desk: int) -> AdaptiveExecutor:
    """The executor of a worker process, which has no pool of its own but its parent's.

    Args:
        home: Where the parent's shared primitives are found, pickled.
        desk: The number of its pool's desk there.
    """
    from .backends.processes.nested import NestedBackend

    executor = AdaptiveExecutor.__new__(AdaptiveExecutor)
    threads = ThreadBackend(None, usable_cores())
    processes = NestedBackend(threads, home, desk)
    executor._start(threads, processes, usable_cores())
    processes.queued = executor._dispatcher.look_after_threads
    parent.unfinished = exits.any_is_busy
    return executor
