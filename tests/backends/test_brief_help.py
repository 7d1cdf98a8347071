"""Who waits for a brief call may run it instead, where nobody can tell, and whatever happens the call is run."""

from __future__ import annotations

import contextvars
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any

import pytest

from adaptive_exec.backends.base import Outcome, Task
from adaptive_exec.backends.brief import BriefTask, Hand
from adaptive_exec.backends.threads import ThreadBackend
from adaptive_exec.model import Options
from adaptive_exec.profiling.glances import Glances
from tests.backends.support import Handed, LookedAt, until, wind_up

MARK = contextvars.ContextVar("MARK", default="none")


class Owner:
    """What is known of a function."""

    name = "here"
    names = frozenset({"int", "range", "upper"})


class Scene:
    """A backend whose threads are all busy until it is said, and brief calls that anybody may run."""

    def __init__(self) -> None:
        self.handed = Handed()
        self.backend = ThreadBackend(max_threads=1, cores=2)
        self.queue = self.backend.brief.queue = self.backend._brief_queue = LookedAt()
        self.gate = threading.Event()
        self.glances = Glances()
        self.glances.left = 1 << 30
        self.backend.submit(self.handed.task(self.gate.wait, 20))
        until(lambda: self.backend.load().running)

    def hold(self, gate: threading.Event, begun: threading.Event) -> None:
        """Have the only thread wait."""

        def wait() -> None:
            begun.set()
            gate.wait(20)

        self.backend.submit(self.handed.task(wait))
        assert begun.wait(20)

    def put(self, fn: Callable[..., Any], *args: Any, measured: bool = False, **kwargs: Any) -> BriefTask:
        """Queue a call."""
        glances = Glances() if measured else self.glances
        context = contextvars.copy_context()
        task = BriefTask(fn, args, kwargs, Options(), Owner(), context, None, self.handed.done)
        task.attend, task.glances, task.thread = None, glances, None
        task.helper = self.backend.brief.help
        assert self.backend.put(task)
        return task


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """It is wound up."""
    monkeypatch.setattr("adaptive_exec.backends.threads.gil_enabled", lambda: True)
    with ExitStack() as stack:
        made = Scene()
        stack.callback(wind_up, made.backend)
        stack.callback(made.gate.set)
        yield made


def here(*_: object, **__: object) -> tuple[int, str]:
    return threading.get_ident(), MARK.get()


def test_who_waits_runs_it(scene: Scene) -> None:
    """On its own thread, in the context of who submitted it; nothing is left of it."""
    token = MARK.set("submitted")
    future = scene.put(here, 1, 2.0, "three", four=b"4")
    MARK.reset(token)

    assert (threading.get_ident(), "submitted") == future.result()
    assert not scene.queue
    assert not scene.backend.brief.under_way()
    kept: Any = (future.helper, future.fn, future.args, future.context)
    assert (None,) * 4 == kept
    assert not any(task is future for task, _ in scene.handed.outcomes)


def number(text: str) -> int:
    return int(text)


def test_one_that_is_to_be_measured_is_a_threads(scene: Scene) -> None:
    """More is to be done for it than to run it."""
    future = scene.put(here, measured=True)
    threading.Timer(0.1, scene.gate.set).start()
    assert threading.get_ident() != future.result()[0]


@pytest.mark.parametrize("what", ["defaults", "keyword defaults", "a global", "a partial"])
def test_not_if_something_else_is_called(scene: Scene, what: str) -> None:
    """Two functions may have one code, and names may be bound anew: what was read says nothing of that."""
    namespace: dict[str, Any] = {"ran": threading.get_ident}
    exec("def made(ran=ran): return ran()" if what == "defaults" else "def made(): return ran()", namespace)
    made = namespace["made"]
    if what == "keyword defaults":
        exec("def made(*, ran=ran): return ran()", namespace)
        made = namespace["made"]
    elif what == "a global":
        namespace["int"] = threading.get_ident
        exec("def made(): return int()", namespace)
        made = namespace["made"]
    elif what == "a partial":
        made = functools.partial(threading.get_ident)
    future = scene.put(made)
    threading.Timer(0.1, scene.gate.set).start()
    assert threading.get_ident() != future.result()


def test_somebody_else_waits_for_it(scene: Scene) -> None:
    """Whose thread runs it may be interrupted before the other is told: then it is a thread's."""
    future = scene.put(here)
    others: list[Any] = []
    other = threading.Thread(target=lambda: others.append(future.result(timeout=20)))
    other.start()
    until(lambda: future._audience is not None)
    threading.Timer(0.1, scene.gate.set).start()
    assert threading.get_ident() != future.result()[0]
    other.join(20)
    assert [future.result()] == others


def test_somebody_comes_to_be_told_meanwhile(scene: Scene) -> None:
    """A thread runs it again, and tells: nothing of theirs is called on a thread that may hold what they want."""
    told: list[int] = []
    runs: list[int] = []

    def comes() -> int:
        runs.append(threading.get_ident())
        if len(runs) == 1:
            future.add_done_callback(lambda _: told.append(threading.get_ident()))
        return threading.get_ident()

    future = scene.put(comes)
    threading.Timer(0.1, scene.gate.set).start()
    mine = threading.get_ident()
    assert mine != future.result()
    until(lambda: told)
    assert mine == runs[0]
    assert [runs[1]] == told == [future.result()]


def test_the_stack_is_full(scene: Scene) -> None:
    """At whatever depth that is noticed: the call is run, here or by a thread."""
    outcomes: list[Any] = []

    def down(levels: int, future: BriefTask) -> int:
        return down(levels - 1, future) if levels else future.result()

    room = sys.getrecursionlimit()
    scene.gate.set()
    for levels in range(room - 120, room):
        gate, begun = threading.Event(), threading.Event()
        scene.hold(gate, begun)
        future = scene.put(number, "7")
        try:
            outcomes.append(down(levels, future))
        except RecursionError as error:
            outcomes.append(type(error))
        gate.set()
        assert 7 == future.result(20)
    assert {7, RecursionError} == set(outcomes)


def test_not_the_next(scene: Scene) -> None:
    """To find it among many may take longer than to wait for it."""
    first, second = scene.put(here), scene.put(here)
    threading.Timer(0.2, scene.gate.set).start()

    assert threading.get_ident() != second.result()[0]
    assert threading.get_ident() != first.result()[0]


def test_not_with_what_has_methods_of_its_own(scene: Scene) -> None:
    """They could do anything."""
    first = scene.put(here, [1])
    threading.Timer(0.2, scene.gate.set).start()
    assert threading.get_ident() != first.result()[0]
    second = scene.put(here, key=object())
    assert threading.get_ident() != second.result()[0]


def test_not_by_who_waits_for_so_long_only(scene: Scene) -> None:
    """Once begun it can't be left alone."""
    future = scene.put(here)
    with pytest.raises(TimeoutError):
        future.result(timeout=0.01)
    assert future.cancel()
    assert future.cancelled()


def test_cancelled_before(scene: Scene) -> None:
    """By another thread, as who waits is about to run it."""
    future = scene.put(here)
    scene.queue.happens = future.cancel
    with pytest.raises(CancelledError):
        future.result()

    assert not scene.queue
    kept: Any = (future.fn, future.args, future.context)
    assert (None,) * 3 == kept


def test_a_thread_comes_before_who_would_help(scene: Scene) -> None:
    """It has taken the call when that is looked for; who waits gets what came of it."""
    future = scene.put(here)

    def let_the_thread_come() -> None:
        scene.gate.set()
        until(lambda: not scene.queue)

    scene.queue.happens = let_the_thread_come

    assert threading.get_ident() != future.result()[0]


def test_its_own_error(scene: Scene) -> None:
    """It is the future's, as ever."""
    future = scene.put(number, "no number")
    threading.Timer(0.1, scene.gate.set).start()
    with pytest.raises(ValueError, match="no number"):
        future.result()
    assert isinstance(future.exception(), ValueError)


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_a_signal_comes_meanwhile(scene: Scene, error: type[BaseException]) -> None:
    """What its handler raises is for who waits, and the call is run all the same."""
    seen: list[int] = []

    def interrupted() -> str:
        seen.append(threading.get_ident())
        if len(seen) == 1:
            scene.gate.set()
            signal.raise_signal(signal.SIGUSR1)
        return "run"

    def handler(number: int, frame: object) -> None:
        raise error("by a signal")

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        future = scene.put(interrupted)
        with pytest.raises(error, match="by a signal"):
            future.result()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert "run" == future.result(20)
    assert [threading.get_ident()] != seen[1:] != []


def test_deep_in_the_stack(scene: Scene) -> None:
    """Who waits has no room left for it; a thread has."""

    def deep(depth: int) -> int:
        return 0 if depth == 0 else 1 + deep(depth - 1)

    def wait_deeply(depth: int) -> Any:
        if depth:
            return wait_deeply(depth - 1)
        return future.result()

    room = sys.getrecursionlimit()
    future = scene.put(deep, room // 2)
    scene.gate.set()
    scene.handed.wait(1)  # its thread is free

    if future in scene.queue:
        assert room // 2 == wait_deeply(room * 6 // 10)
    assert room // 2 == future.result(20)


def test_one_that_is_helped_is_under_way(scene: Scene) -> None:
    """Until it has ended; then whoever waits for the end of all is told."""
    told: list[list[Task]] = []
    brief = scene.backend.brief
    during: list[bool] = []
    future = scene.put(lambda: during.append(future in brief.under_way()))
    brief.closed, brief.told = True, lambda: told.append(brief.under_way())
    future.result()

    assert [True] == during
    assert [[]] == told


def test_a_call_that_comes_back_is_under_way_throughout(scene: Scene) -> None:
    """From those helped to the queue: it is in one of them whenever it is looked for."""
    brief = scene.backend.brief
    seen: list[bool] = []

    class Hands(set[Hand]):
        def copy(self) -> Any:
            found = set(self)
            if len(seen) == 0 and hand in self:
                seen.append(True)  # between the first look and the next it goes back
                scene.queue.appendleft(task)
                self.discard(hand)
            return found

    task = scene.put(here)
    hand = Hand(task)
    scene.queue.clear()
    brief._hands = Hands([hand])

    assert task in brief.under_way()
    assert [True] == seen


def test_an_error_of_the_hand_back_is_not_lost(scene: Scene) -> None:
    """A measured call that raises is a thread's to tell."""
    future = scene.put(number, "no", measured=True)
    scene.gate.set()
    with pytest.raises(ValueError, match="no"):
        future.result()
    outcomes: list[Outcome] = scene.handed.wait(2)

    assert any(isinstance(outcome.error, ValueError) for outcome in outcomes)


@pytest.mark.parametrize("instructions", [False, pytest.param(True, marks=pytest.mark.full)])
def test_interrupted_at_any_step(scene: Scene, instructions: bool) -> None:
    """Whatever line or instruction of it is reached when a signal comes: the call is run, and its future ends."""
    scene.gate.set()
    for step in range(1, 2000):
        gate, begun = threading.Event(), threading.Event()
        scene.hold(gate, begun)
        future = scene.put(number, "7")
        steps = [0]

        def trace(frame: Any, event: str, _: object, steps: list[int] = steps, step: int = step) -> Any:
            if frame.f_code.co_filename.endswith(("brief.py", "here.py")):
                frame.f_trace_opcodes = instructions
                steps[0] += event == ("opcode" if instructions else "line")
                if steps[0] == step:
                    steps[0] += 1
                    raise KeyboardInterrupt
                return trace
            return None

        sys.settrace(trace)
        interrupted = False
        try:
            future.result()
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(None)
        lock: Any = future._lock
        assert not lock._is_owned()
        gate.set()
        assert 7 == future.result(20)
        until(lambda: not scene.backend.brief.under_way())
        if not interrupted:
            assert step > (200 if instructions else 40)
            return
    raise AssertionError("it has more steps than that")


def test_one_that_calls_back_is_left_to_a_thread(scene: Scene) -> None:
    """A signal that interrupts who helps must not cost others what they wait for."""
    future = scene.put(here)
    told = threading.Event()
    future.add_done_callback(lambda _: told.set())
    threading.Timer(0.1, scene.gate.set).start()
    assert threading.get_ident() != future.result()[0]
    assert told.wait(20)
