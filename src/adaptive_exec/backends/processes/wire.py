"""What a parent and its worker say to each other, over a private channel of their own.

Every frame is one pickled tuple whose first item is a `Kind`. Arguments and results other than plain ones travel
inside as bytes that were pickled before, so a message can always be read even if what it carries can't.

Race: the environment changes while it is copied. What it is compared with the next time is taken before the copy, so
that the copy is made anew then: `tests/backends/test_wire.py::test_an_environment_that_changes_while_it_is_copied`
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...platform.channels import frame
from ...sample import Sample
from .filters import Filter, adopt_filters, latest_filters

__all__ = [
    "REMEMBERED",
    "Arguments",
    "Entry",
    "Kind",
    "Measure",
    "RecentFunctions",
    "Settings",
    "Surroundings",
    "adopt",
    "begin_with",
    "decode",
    "encode",
    "pack_sample",
    "surroundings",
    "unpack_sample",
]

Surroundings = tuple[str | None, int, int, Mapping[str, str], list[Filter]]
Arguments = bytes | tuple[tuple[Any, ...], Mapping[str, Any]]

REMEMBERED: Final = 256
"""How many functions a parent counts on."""


class Kind:
    """What a message is, and what follows."""

    # to the worker
    RUN: Final = 0  # entries, surroundings if they are others than at the last call
    STOP: Final = 1
    ALONE: Final = 3  # as RUN, with the only call there is: its answer wakes nobody, unless nobody reads it
    # both ways
    FREE: Final = 2  # segments that are not looked at any more (`buffers.News`)
    # to the parent
    READY: Final = 10
    FAILED_START: Final = 11  # traceback text
    PLAIN: Final = 12  # number, value, wall in ns, sample
    VALUE: Final = 13  # number, pickled value, wall in ns, sample, what travels apart (`shelf.Sent`)
    ERROR: Final = 14  # number, pickled error, wall in ns, sample
    REFUSED: Final = 15  # number, why; the call was not begun
    SKIPPED: Final = 16  # number; the call had been withdrawn
    GIVEN: Final = 17  # number, which argument it has returned (`plain.Place`), wall in ns, sample
    LOG: Final = 20  # a record's fields (`logs.py`)
    WARNING: Final = 21  # pickled warning, file, line, module (`alerts.py`)
    SIGNALS: Final = 26  # number, names of what decimals have signalled in the call (`signals.py`)
    LEAVING: Final = 22  # it has served long enough; what it has not begun, it never will
    WAITS: Final = 23  # the call that it executes waits for another process or thread
    GOES_ON: Final = 24  # it doesn't any more
    FINISHING: Final = 25  # it gets no more calls, and ends when those have that were submitted there


class Measure:
    """How closely a call is to be measured."""

    WALL: Final = 0  # it is known to be short
    CLOCKS: Final = 1
    SAMPLED: Final = 2


class Entry(NamedTuple):
    """One call.

    Attributes:
        number: Which one; each worker's calls are counted from 1.
        function: The number of its function.
        pickled: The function, if the worker doesn't know it.
        arguments: (args, kwargs) of plain values (`plain.py`), or those pickled.
        measure: A `Measure`.
        environment: Pickled module state that has to be the same in the worker, empty if there is none; None if
            the user has vouched for the call, so that nobody looks what it changes.
        sent: What of the arguments travels apart (`shelf.Sent`).
    """

    number: int
    function: int
    pickled: bytes | None
    arguments: Arguments
    measure: int
    environment: bytes | None
    sent: Any


class Settings(NamedTuple):
    """What a worker is told when it starts.

    Attributes:
        name: What its process is called.
        path: The parent's `sys.path`.
        around: The parent's surroundings.
        environ: The parent's environment.
        home: Where the parent's shared primitives are found, pickled; None if it has none.
        initializer: Pickled (function, arguments), run before the first task; None if there is none.
        spins: Whether there are cores enough to poll for a moment before sleeping.
        levels: What the parent wants to have logged, the fields of `logs.Levels`; None leaves that alone.
        filters: The parent's filters of warnings (`alerts.Filter`); None leaves them alone.
        max_tasks: How many calls it answers before it leaves; None for as many as come.
        desk: The number of the desk of its pool there (`desk.py`); None if there is none.
        max_growth: By how many bytes its memory may grow before it leaves; None for any.
        authkey: What multiprocessing's managers in the parent want to hear.
    """

    name: str
    path: list[str]
    around: Surroundings
    environ: dict[str, str]
    home: bytes | None
    initializer: bytes | None
    spins: bool
    levels: tuple[Any, ...] | None = None
    filters: Any = None
    max_tasks: int | None = None
    max_growth: int | None = None
    desk: int | None = None
    authkey: bytes | None = None


_environ: tuple[object, Mapping[str, str]] = (None, {})


def _environment() -> Mapping[str, str]:
    """The process's environment; the same object for as long as nothing in it changes. Not to be changed."""
    global _environ
    raw = getattr(os.environ, "_data", None)  # a copy of the whole would take longer than all the rest
    known, copy = _environ
    if raw is None or raw != known:
        seen = None if raw is None else dict(raw)
        # Not `dict(os.environ)`, for which a variable that another thread removes meanwhile is an error.
        copy = {name: value for name in list(os.environ) if (value := os.environ.get(name)) is not None}
        _environ = seen, copy
    return copy


def surroundings() -> Surroundings:
    """What a call may depend on without naming it: directory, limits, environment, filters of warnings."""
    try:
        directory: str | None = os.getcwd()
    except OSError:
        directory = None  # it has been removed
    return directory, sys.getrecursionlimit(), sys.get_int_max_str_digits(), _environment(), latest_filters()


def begin_with(theirs: Surroundings, environ: Mapping[str, str]) -> None:
    """In a new worker: have this environment, and the parent's other surroundings.

    What is so already is left alone: a forked process gets a copy of every page of memory that it writes to.
    """
    global _adopted
    mine = dict(os.environ)
    if mine != environ:
        for name in mine.keys() - environ.keys():
            del os.environ[name]
        for name, value in environ.items():
            if mine.get(name) != value:
                os.environ[name] = value
        if mine.get("TZ") != environ.get("TZ") and hasattr(time, "tzset"):
            time.tzset()
    _adopted = theirs[3]
    adopt(theirs)


def adopt(theirs: Surroundings) -> None:
    """Make the parent's surroundings this process's own."""
    directory, depth, digits, environ, filters = theirs
    if directory is not None:
        with contextlib.suppress(OSError):
            os.chdir(directory)
    sys.setrecursionlimit(depth)
    sys.set_int_max_str_digits(digits)
    global _adopted, _filters
    if filters != _filters:
        _filters = filters
        adopt_filters(filters)
    zone, before, _adopted = os.environ.get("TZ"), _adopted, environ
    for name in before.keys() - environ.keys():
        os.environ.pop(name, None)
    for name, value in environ.items():
        if before.get(name) != value:
            os.environ[name] = value
    if zone != os.environ.get("TZ") and hasattr(time, "tzset"):
        time.tzset()


_filters: list[Filter] | None = None
_adopted: Mapping[str, str] = {}
"""In a worker: the parent's environment as it was told last. What calls have changed here since stays as it is."""


def encode(kind: int, *fields: Any) -> bytes:
    """A message as a frame."""
    return frame(pickle.dumps((kind, *fields), protocol=5))


def decode(body: bytes) -> tuple[Any, ...]:
    """Read a message.

    Raises:
        ValueError: It isn't one.
    """
    try:
        message = pickle.loads(body)
    except Exception as error:
        raise ValueError(f"not a message: {error}") from error
    if type(message) is not tuple or not message or type(message[0]) is not int:
        raise ValueError("not a message")
    return message


_SHAPES: Final[dict[int, tuple[type, ...]]] = {
    Kind.FREE: (int, object),
    Kind.READY: (int,),
    Kind.FAILED_START: (int, str),
    Kind.PLAIN: (int, int, object, int, object),
    Kind.VALUE: (int, int, bytes, int, object, object),
    Kind.ERROR: (int, int, bytes, int, object),
    Kind.REFUSED: (int, int, str),
    Kind.SKIPPED: (int, int),
    Kind.GIVEN: (int, int, object, int, object),
    Kind.LOG: (int, object),
    Kind.WARNING: (int, object, object, object, object),
    Kind.SIGNALS: (int, int, tuple),
    Kind.LEAVING: (int,),
    Kind.WAITS: (int,),
    Kind.GOES_ON: (int,),
    Kind.FINISHING: (int,),
}


_TIMED: Final = frozenset((Kind.PLAIN, Kind.VALUE, Kind.ERROR, Kind.GIVEN))
_LONGEST_NS: Final = 1 << 63
_PLAIN: Final = Kind.PLAIN


def decode_from_worker(body: bytes) -> tuple[Any, ...]:
    """Read a message to the parent, who takes it apart without looking again.

    Raises:
        ValueError: It isn't one. A call may have written to the channel itself, or over the worker's memory.
    """
    message = decode(body)
    if len(message) == 5:  # nearly always such a one
        kind, number, _, wall, _ = message
        if kind == _PLAIN and type(number) is type(wall) is int and 0 <= wall < _LONGEST_NS:
            return message
    shape = _SHAPES.get(message[0], ())
    if len(message) != len(shape) or not all(map(isinstance, message, shape)):
        raise ValueError(f"not a message of a worker: {message[0]} with {len(message) - 1} fields")
    if message[0] in _TIMED and not 0 <= message[3] < _LONGEST_NS:
        raise ValueError("not a message of a worker: no call takes so long, or ends before it begins")
    return message


def pack_sample(sample: Sample | None) -> tuple[Any, ...] | None:
    """A sample as a plain tuple, which is half the size of the object's own pickle."""
    return None if sample is None else tuple(sample)


def unpack_sample(fields: tuple[Any, ...] | None) -> Sample | None:
    """The sample again; None for a call that was known to be short."""
    return None if fields is None else Sample(*fields)


class RecentFunctions:
    """The functions that a worker was sent, by number: the last ones that it was sent or asked to run.

    Parent and worker each keep one and take the same steps in the same order; the worker keeps twice as many.
    So what the parent finds in its own need not be sent again, although each forgets the functions that the
    worker could not read at a time of its own.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[int, Any] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def use(self, number: int) -> Any:
        """The function, which becomes the most recent one."""
        self._known.move_to_end(number)
        return self._known[number]

    def add(self, number: int, function: Any) -> None:
        """Remember a function; the one that has not been used for longest may go."""
        self._known[number] = function
        self._known.move_to_end(number)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    def forget(self, number: int) -> None:
        """Drop a function, if it is there."""
        self._known.pop(number, None)
