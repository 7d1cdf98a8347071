"""Records and warnings of workers: they arrive, in time, and harm nobody."""

from __future__ import annotations

import io
import logging
import pickle
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.backends.processes.alerts import Heard
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.errors import WorkerDied
from tests import telling, work
from tests.backends.support import Handed, until, wind_up

pytestmark = pytest.mark.full

Make = Callable[..., ProcessBackend]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools, and ends them."""
    with ExitStack() as stack:

        def made(workers: int = 1, *args: Any, **kwargs: Any) -> ProcessBackend:
            pool = ProcessBackend(workers, *args, **kwargs)
            stack.callback(wind_up, pool)
            return pool

        yield made


class Kept(logging.Handler):
    """Keeps records, after doing something else."""

    def __init__(self, first: Callable[[], object] = bool) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.first = first

    def emit(self, record: logging.LogRecord) -> None:
        self.first()
        self.records.append(record)

    def texts(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """A handler of the logger that `telling` uses."""
    handler = Kept()
    telling.LOG.addHandler(handler)
    yield handler
    telling.LOG.removeHandler(handler)


def run(pool: ProcessBackend, fn: Callable[..., Any], *args: Any) -> Any:
    """Run one call."""
    task = Handed().task(fn, *args)
    pool.submit(task)
    return task.future.result(20)


def test_a_record_arrives(make: Make, kept: Kept) -> None:
    """With its message made, and with the worker's names on it."""
    pool = make()
    run(pool, telling.say, "got %s of %d", "one", 3)

    (record,) = kept.records
    assert ("got one of 3", logging.WARNING, "tests.telling.log") == (
        record.getMessage(),
        record.levelno,
        record.name,
    )
    assert ("say", "telling.py") == (record.funcName, record.filename)
    assert (pool.pids()[0], "adaptive-exec-1") == (record.process, record.processName)
    assert abs(time.time() - record.created) < 30


def test_records_come_before_results(make: Make, kept: Kept) -> None:
    """Whoever reads: a waiting thread, one that waits for another call, or the manager."""
    pool, handed = make(2), Handed()
    for n in range(200):
        tasks = [handed.task(telling.say, f"{n}-{k}") for k in range(2)]
        for task in tasks:
            pool.submit(task)
        for task in tasks:
            assert task.future.result(20) in kept.texts()


def test_many_records_of_one_call(make: Make, kept: Kept) -> None:
    """All of them, in order, when the call has ended."""
    run(make(), telling.say_many, 3000)

    assert [f"record {n}" for n in range(3000)] == kept.texts()


def test_results_of_any_kind_wait_for_records(make: Make, kept: Kept) -> None:
    """Errors do, and so does the end of a worker."""
    pool = make()
    task = Handed().task(telling.say_and_die)
    pool.submit(task)
    assert isinstance(task.future.exception(20), WorkerDied)

    assert ["the last words"] == kept.texts()


def test_extras_and_tracebacks(make: Make, kept: Kept) -> None:
    """Fields that can travel do, others come as text; a traceback is text."""
    pool = make()
    run(pool, telling.say_with_extras)
    run(pool, telling.say_and_fail)

    extras, failed = kept.records
    found: Any = extras
    assert (telling.Thing(3), 7) == (found.thing, found.plain)
    assert "lock" in found.lock
    assert "KeyError: 'inner'" in logging.Formatter().format(failed)


def test_any_thread_of_a_worker(make: Make, kept: Kept) -> None:
    """Its name comes along."""
    run(make(), telling.say_in_a_thread)

    assert [("from a thread", "talker")] == [(r.getMessage(), r.threadName) for r in kept.records]


def test_levels_of_the_parent(make: Make, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parent does not want is not sent; what it wants of one logger is."""
    monkeypatch.setattr(telling.LOG, "level", logging.DEBUG)
    telling.LOG.manager._clear_cache()  # type: ignore[attr-defined]
    pool = make()
    run(
        pool,
        telling.say,
        "fine",
    )
    task = Handed().task(telling.say, "detail")
    task.kwargs = {"level": logging.DEBUG}
    pool.submit(task)
    task.future.result(20)
    assert ["fine", "detail"] == kept.texts()

    def effective() -> tuple[int, int]:
        return logging.getLogger().level, logging.getLogger("tests.telling.log").getEffectiveLevel()

    assert (logging.getLogger().level, logging.DEBUG) == run(pool, effective)


def test_disabled_logging(make: Make, kept: Kept) -> None:
    """`logging.disable` holds in workers that start after it."""
    logging.disable(logging.CRITICAL)
    try:
        run(make(), telling.say, "nobody wants it")
    finally:
        logging.disable(logging.NOTSET)

    assert [] == kept.records


def test_an_initializer_that_logs(make: Make, kept: Kept) -> None:
    """Its records come home, too."""
    run(make(1, None, telling.say_from_the_start), telling.say, "work")

    assert ["initializing", "work"] == kept.texts()


def test_an_initializer_with_handlers_of_its_own(make: Make, kept: Kept, tmp_path: Path) -> None:
    """It has basicConfig's effect only if nothing was there, so it says force or adds its own: both are respected."""

    def own(path: str) -> None:
        logging.getLogger().addHandler(logging.FileHandler(path))

    run(make(1, None, own, (str(tmp_path / "log"),)), telling.say, "to the file")

    assert [] == kept.records
    assert "to the file\n" == (tmp_path / "log").read_text()


def test_errors_in_logging(make: Make, kept: Kept) -> None:
    """A record that can't be made into text costs nothing but itself."""
    pool = make()

    assert ["went on", "went on"] == [run(pool, telling.say_wrongly), run(pool, telling.say_talkatively)]
    assert "talkative" == kept.texts()[-1]
    assert len(kept.records) < 10


def test_handlers_that_raise(make: Make, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the pool is hurt, and the next record is handled."""
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def refuse() -> None:
        kept.first = bool
        raise SystemExit("no more")

    kept.first = refuse
    pool = make()
    run(pool, telling.say, "first")
    run(pool, telling.say, "second")

    assert ["second"] == kept.texts()
    assert [SystemExit] == [each.exc_type for each in seen]


def test_a_handler_that_waits_for_the_pool(make: Make, kept: Kept) -> None:
    """It may: nothing that it waits for depends on it."""
    pool = make()
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()

    def ask() -> None:
        kept.first = bool
        answers.put(run(pool, work.add, 2, 3))

    kept.first = ask
    run(pool, telling.say, "think")
    run(pool, telling.say, "again")

    assert 5 == answers.get(timeout=20)
    until(lambda: len(kept.records) == 2)  # results don't wait for a handler that takes long
    assert ["think", "again"] == kept.texts()


def test_a_handlers_lock_held_by_who_waits(make: Make, kept: Kept) -> None:
    """The bounded exception: the result comes before the record, since that can't be handled."""
    pool = make()
    run(pool, telling.say, "first")
    assert kept.lock is not None
    with kept.lock:
        begun = time.monotonic()
        run(pool, telling.say, "second")
        run(pool, telling.say, "third")
        assert ["first"] == kept.texts()
        assert time.monotonic() - begun < 5
    deadline = time.monotonic() + 10
    while len(kept.records) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    run(pool, telling.say, "fourth")

    assert ["first", "second", "third", "fourth"] == kept.texts()


def test_a_stuck_handler_does_not_hold_the_end_up(make: Make, kept: Kept) -> None:
    """The pool ends in bounded time."""
    pool, free = make(), threading.Event()
    kept.first = free.wait
    begun = time.monotonic()
    run(pool, telling.say, "stuck")
    pool.shutdown(wait=True)
    assert time.monotonic() - begun < 5

    free.set()


def test_a_warning_arrives(make: Make) -> None:
    """Category, text, file and line; once from one place, however many workers say it."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        pool, handed = make(2), Handed()
        tasks = [handed.task(telling.warn) for _ in range(6)]
        for task in tasks:
            pool.submit(task)
        assert ["went on"] * 6 == [task.future.result(20) for task in tasks]

    (warning,) = seen
    line = telling.warn.__code__.co_firstlineno + 1
    assert (DeprecationWarning, "careful", telling.__file__, line) == (
        warning.category,
        str(warning.message),
        warning.filename,
        warning.lineno,
    )


def test_a_category_of_the_users(make: Make) -> None:
    """The very object, as far as it can travel; one that can't goes by its nearest base that can."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        pool = make()
        run(pool, telling.warn_own)

        def local() -> None:
            class Strange(UserWarning):
                def __reduce__(self) -> Any:
                    raise TypeError("not me")

            warnings.warn(Strange("strange"), stacklevel=1)

        run(pool, local)

    own, strange = seen
    assert (telling.OwnWarning, 5) == (own.category, getattr(own.message, "second", None))
    assert issubclass(strange.category, UserWarning)
    assert "strange" == str(strange.message)


def test_warnings_as_errors(make: Make) -> None:
    """With the parent's filters the call itself raises, as at home; what is ignored there is ignored here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        pool = make()
        with pytest.raises(DeprecationWarning, match="careful"):
            run(pool, telling.warn)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("ignore")
        run(make(), telling.warn)

    assert [] == seen


def test_a_filter_that_comes_later(make: Make) -> None:
    """It holds for the calls that are sent from then on, as it would for plain ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        pool = make()
        run(pool, work.pid)
        warnings.simplefilter("error")
        with pytest.raises(DeprecationWarning, match="careful"):
            run(pool, telling.warn)


def test_a_filter_that_comes_while_a_warning_is_on_its_way() -> None:
    """An error for nobody is shown, and hurts nobody."""
    heard = Heard()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("error")
        heard.show(pickle.dumps(("careful", DeprecationWarning("careful"))), "somewhere.py", 3, "somewhere")

    assert ["careful"] == [str(warning.message) for warning in seen]


def test_no_import_for_a_filter(make: Make) -> None:
    """A category whose module a worker has not loaded is known by its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", telling.OwnWarning)
        pool = make()

        def loaded() -> bool:
            import sys

            return "tests.telling" in sys.modules

        assert not run(pool, loaded)
        with pytest.raises(telling.OwnWarning, match="own 5"):
            run(pool, telling.warn_own)


def test_logging_to_a_stream(make: Make) -> None:
    """The usual way to see what workers do: a stream handler at home."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        run(make(), telling.say, "hello")
    finally:
        logging.getLogger().removeHandler(handler)

    assert "hello\n" == stream.getvalue()
