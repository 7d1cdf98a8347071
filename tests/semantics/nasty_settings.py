"""What the caller has set, replaced or registered before the first call, and workers were never told of."""

from __future__ import annotations

import abc
import argparse
import builtins
import codecs
import csv
import datetime
import decimal
import functools
import json
import linecache
import logging
import math
import mimetypes
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import types
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.semantics.case import Case

_HOME = os.getcwd()
_LIMIT = sys.getrecursionlimit()
_DIGITS = sys.get_int_max_str_digits()
_zero = 0.0
_weights: list[Any] = [1, 2]
_order = {"a": 1, "b": 2}
_price = Decimal("1.0")
_exact = decimal.Context(prec=30)
_when = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)
_logger = logging.getLogger("tests.semantics.nasty_settings")
_floor = math.floor
_time = time.time
_temporary = tempfile.tempdir
_handlers: list[logging.Handler] = []


def _plain(n: int) -> int:
    """One way to do it."""
    return n


def _double(n: int) -> int:
    """Another way to do it."""
    return n * 2


_strategy: Callable[[int], int] = _plain
_bound: Any = functools.partial(_plain)
_kind: Any = int
_backend: Any = math


class Tariff:
    """A class of which a part may be replaced."""

    def price(self, n: int) -> int:
        return n


class Shape(abc.ABC):  # noqa: B024
    """A class that others may be registered with."""


class Square:
    """A class that is registered later."""


_square = Square()
_shapes = [_square]


def _adjustable(fn: Callable[[int], int]) -> Any:
    """A decorator whose factor can be set."""
    factor = 1

    def set_factor(value: int) -> None:
        nonlocal factor
        factor = value

    @functools.wraps(fn)
    def wrapper(n: int) -> int:
        return fn(n) * factor

    wrapper.set_factor = set_factor  # type: ignore[attr-defined]
    return wrapper


@_adjustable
def adjusted(n: int) -> int:
    """A decorator multiplies by a factor that was set later."""
    return n + 1


@functools.singledispatch
def _named(value: object) -> str:
    """Dispatches to what is registered later."""
    return "object"


def _with_default(n: int, factor: int = 1) -> int:
    """A helper whose default is changed later."""
    return n * factor


def default_of_a_helper(n: int) -> int:
    """A helper's default has been changed."""
    return _with_default(n)


def default_of_its_own(n: int, factor: int = 1) -> int:
    """Its own default has been changed."""
    return n * factor


def keyword_default_of_its_own(n: int, *, factor: int = 1) -> int:
    """Its own default for a keyword has been changed."""
    return n * factor


def code_of_a_helper(n: int) -> int:
    """A helper's code has been replaced."""
    return _replaced(n)


def _replaced(n: int) -> int:
    """A helper whose code is replaced."""
    return n


_own_code = _replaced.__code__


def chosen_function(n: int) -> int:
    """A global that names one of two functions."""
    return _strategy(n)


def chosen_partial(n: int) -> int:
    """A global that is one of two partials."""
    return int(_bound(n))


def chosen_class(n: int) -> Any:
    """A global that names one of two classes."""
    return _kind(n)


def chosen_module(n: int) -> Any:
    """A global that names one of two modules."""
    return _backend.sqrt(n)


def replaced_method(n: int) -> int:
    """A method of a class has been replaced."""
    return Tariff().price(n)


def registered_kind(n: int) -> bool:
    """A class has been registered with another."""
    return isinstance(Square(), Shape)


def registered_function(n: int) -> str:
    """A function has been registered for a class."""
    return _named(n)


def patched_clock(n: int) -> float:
    """The clock has been replaced, as tests do."""
    return time.time() + n


def patched_floor(n: int) -> int:
    """A function of the standard library has been replaced."""
    return math.floor(n + 0.5)


def patched_encoder(n: int) -> str:
    """A method of the standard library has been replaced."""
    return json.dumps([n, 1j])


def installed_builtin(n: int) -> str:
    """A translation has been installed among the builtins."""
    return str(_("word")) + str(n)  # type: ignore[name-defined] # noqa: F821


def patched_builtin(n: int) -> int:
    """A builtin function has been replaced."""
    return abs(-n)


def sign_of_zero(n: int) -> float:
    """A global that equals what it was."""
    return math.copysign(n, _zero)


def kind_of_weights(n: int) -> str:
    """A global whose items equal what they were."""
    return f"{_weights[0]} {n}"


def order_of_keys(n: int) -> list[str]:
    """A global with the same keys in another order."""
    return list(_order)


def digits_of_a_price(n: int) -> str:
    """A global with more digits of the same value."""
    return f"{_price} {n}"


def hour_of_a_time(n: int) -> int:
    """A global that is the same time in another zone."""
    return _when.hour + n


def constant_of_a_library(n: int) -> bool:
    """A setting in a module of the standard library."""
    return logging.raiseExceptions


def default_of_a_library(n: int) -> str:
    """A setting in a class of the standard library."""
    return json.JSONEncoder.item_separator


def is_verbose(n: int) -> bool:
    """The level of a logger."""
    return _logger.isEnabledFor(logging.DEBUG)


def level_of_a_logger(n: int) -> int:
    """The level of a logger, as it stands there."""
    return _logger.level + n


def handlers_of_a_logger(n: int) -> int:
    """The handlers of a logger."""
    return len(_logger.handlers)


def reads_a_relative_path(n: int) -> bool:
    """A relative path means something else elsewhere."""
    return os.path.exists("nasty_settings.py")


def resolves_a_path(n: int) -> str:
    """A relative path is made absolute."""
    return str(pathlib.Path("x").resolve())


def expands_home(n: int) -> str:
    """The home directory stands in the environment."""
    return os.path.expanduser("~/x")


def finds_home(n: int) -> str:
    """The same by a path."""
    return str(pathlib.Path.home())


def finds_a_program(n: int) -> bool:
    """Where programs are stands in the environment."""
    return shutil.which("sh") is None


def measures_the_terminal(n: int) -> int:
    """How wide a terminal is stands in the environment."""
    return shutil.get_terminal_size().columns


def asks_a_program(n: int) -> str:
    """A program inherits the environment."""
    if n % 10 == 3:
        return subprocess.run(["/bin/sh", "-c", "echo $NASTY"], stdout=-1, text=True, check=True).stdout
    return ""


def local_hour(n: int) -> int:
    """The time zone of this process."""
    return time.localtime(1_700_000_000 + n).tm_hour


def local_hour_of_a_datetime(n: int) -> int:
    """The time zone of this process, by another way."""
    return datetime.datetime.fromtimestamp(1_700_000_000).hour


def name_of_the_zone(n: int) -> str:
    """The name of the time zone of this process."""
    return time.tzname[0]


def goes_deep(n: int) -> int:
    """Recursion as deep as the caller allows."""
    return _deep(3000 if n % 5 == 4 else 1)


def _deep(n: int) -> int:
    """Goes down."""
    return 0 if n <= 0 else 1 + _deep(n - 1)


def writes_a_long_number(n: int) -> int:
    """Writes a number with as many digits as the caller allows."""
    return len(str(10**5000 + n))


def guesses_a_type(n: int) -> Any:
    """A type of files has been added."""
    return mimetypes.guess_type("a.nasty")[0]


def reads_a_dialect(n: int) -> list[list[str]]:
    """A dialect has been registered."""
    return list(csv.reader(["a|b"], "nasty"))


def handles_an_error(n: int) -> bytes:
    """A handler of errors has been registered."""
    return "ä".encode("ascii", "nasty")


def registers_a_handler(n: int) -> int:
    """Registers a handler of errors."""
    codecs.register_error(f"nasty_{n}", codecs.ignore_errors)
    return n


def decodes(n: int) -> str:
    """An encoding has been registered."""
    return b"abc".decode("nasty_rot")


def temporary_directory(n: int) -> str:
    """Where temporary files go has been set."""
    return tempfile.gettempdir()


def timeout_of_a_socket(n: int) -> Any:
    """A timeout for all sockets has been set."""
    with socket.socket() as made:
        return made.gettimeout()


def mode_of_a_file(n: int) -> int:
    """The mask for new files has been set."""
    path = pathlib.Path(tempfile.gettempdir()) / f"nasty-{n}"
    path.touch()
    try:
        return path.stat().st_mode & 0o777
    finally:
        path.unlink()


def programs_name(n: int) -> str:
    """What the program is called."""
    return argparse.ArgumentParser().prog


def process_by_a_path(n: int) -> bool:
    """A path that means this process."""
    return os.path.realpath("/proc/self") == f"/proc/{_PID}"


def cached_line(n: int) -> str:
    """A line of a file whose lines were put into a cache."""
    return linecache.getline("<nasty>", 1)


def keeps_a_descriptor(n: int) -> int:
    """Opens a file and leaves it open."""
    os.open(os.devnull, os.O_RDONLY)
    return n


def reads_a_descriptor(n: int) -> int:
    """Reads from a descriptor that is held in a list."""
    with open(_pipe[0], "rb", 0, closefd=False) as file:
        return len(file.read(1))


def ratio(one: Decimal, other: Decimal) -> str:
    """The precision of the caller's decimals."""
    return str(one / other)


def copies_a_context(n: int) -> str:
    """The precision of a context that somebody has changed."""
    context = _exact.copy()
    return str(context.divide(context.create_decimal(n), context.create_decimal(7)))


def flags_of_a_context(n: int) -> bool:
    """What has happened in a context shows in its copy."""
    return bool(_exact.copy().flags[decimal.Inexact])


def computes_in_a_context(n: int) -> str:
    """What happens in a context is noted there."""
    copy = _exact.copy()
    return str(_exact.divide(copy.create_decimal(n), copy.create_decimal(7)))


def sets_a_copied_context(n: int) -> str:
    """A copy becomes the context of this thread."""
    decimal.setcontext(_exact.copy())
    return str(Decimal(n) / 7)


def wraps_text(n: int) -> str:
    """A function of the standard library that was replaced by one of ours."""
    return textwrap.dedent(f"  {n}")


def warned(n: int) -> int:
    """What a warning becomes is for the caller to say."""
    import re

    return re.compile(f"[[a]{n}").groups


_PID = os.getpid()
_pipe: list[int] = []
_opened: list[int] = []
_dedent = textwrap.dedent
_encode = json.JSONEncoder.default
_tariff = Tariff.price
_filters = warnings.filters[:]


def _swapped(owner: Any, name: str, value: Any, fn: Any, **more: Any) -> Case:
    """A case before which something is set that is as it was afterwards."""
    space = vars(owner) if isinstance(owner, (type, types.ModuleType)) else owner.__dict__
    missing = object()
    before = space[name] if name in space else getattr(owner, name, missing)
    return Case(
        fn,
        reset=lambda: setattr(owner, name, value),
        world=lambda: delattr(owner, name) if before is missing else setattr(owner, name, before),
        **more,
    )


def _done(begin: Callable[[], object], end: Callable[[], object], fn: Any, **more: Any) -> Case:
    """A case before which something is done that is undone afterwards."""

    def world() -> None:
        end()

    return Case(fn, reset=begin, world=world, **more)


def _environ(name: str, value: str | None, fn: Any, after: Callable[[], object] = int) -> Case:
    """A case with another environment."""
    before = os.environ.get(name)

    def put(what: str | None) -> None:
        if what is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = what
        after()

    return _done(lambda: put(value), lambda: put(before), fn)


def _rot(name: str) -> Any:
    """Finds an encoding."""
    return codecs.lookup("rot13") and codecs.lookup("latin-1") if name == "nasty_rot" else None


def _add_type() -> None:
    """Adds a type of files."""
    mimetypes.add_type("x-test/nasty", ".nasty")


def _take_type() -> None:
    """Takes it away."""
    mimetypes.init()


def _add_handler() -> None:
    """Adds a handler to the logger."""
    _handlers.append(logging.NullHandler())
    _logger.addHandler(_handlers[-1])


def _take_handler() -> None:
    """Takes it away."""
    _logger.removeHandler(_handlers.pop())


def _descriptors() -> int:
    """How many descriptors are open for nothing; they are closed."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        try:
            same = number > 2 and number not in _opened and os.readlink(f"/proc/self/fd/{name}") == os.devnull
        except OSError:
            continue
        if same:
            os.close(number)
            found += 1
    return found


def _note_descriptors() -> None:
    """Those that are open already don't count; the one by which they are listed is closed again."""
    names = os.listdir("/proc/self/fd")
    _opened[:] = [int(name) for name in names if os.path.lexists(f"/proc/self/fd/{name}")]


def _open_pipe() -> None:
    """A pipe with something in it."""
    _pipe[:] = os.pipe()
    os.write(_pipe[1], b"x" * 100)


def _left_in_pipe() -> int:
    """How much is left in the pipe, which is closed."""
    os.close(_pipe[1])
    with open(_pipe[0], "rb") as file:
        return len(file.read())


def _precise(digits: int) -> None:
    """Sets the precision of decimals."""
    decimal.getcontext().prec = digits


def _silent() -> None:
    """No warnings."""
    warnings.simplefilter("ignore")


def _loud() -> None:
    """Warnings as they were."""
    warnings.filters[:] = _filters  # type: ignore[index]
    warnings.simplefilter("error")


def _masked() -> None:
    """Another mask."""
    _opened[:] = [os.umask(0o077)]


def _forget_handlers() -> None:
    """Other handlers of errors under all those names."""
    for n in range(60):
        codecs.register_error(f"nasty_{n}", codecs.strict_errors)


_here = sys.modules[__name__]
_rot_known = functools.lru_cache(maxsize=None)(lambda: codecs.register(_rot))

CASES = [
    _done(lambda: adjusted.set_factor(3), lambda: adjusted.set_factor(1), adjusted),
    _swapped(_with_default, "__defaults__", (5,), default_of_a_helper),
    _swapped(default_of_its_own, "__defaults__", (5,), default_of_its_own),
    _swapped(keyword_default_of_its_own, "__kwdefaults__", {"factor": 5}, keyword_default_of_its_own),
    _swapped(_replaced, "__code__", _double.__code__, code_of_a_helper),
    _swapped(_here, "_strategy", _double, chosen_function),
    _swapped(_here, "_bound", functools.partial(_double), chosen_partial),
    _swapped(_here, "_kind", float, chosen_class),
    _swapped(_here, "_backend", __import__("cmath"), chosen_module),
    _swapped(Tariff, "price", lambda self, n: n * 2, replaced_method),
    _done(lambda: Shape.register(Square), int, registered_kind),
    _done(lambda: _named.register(int, lambda value: "int"), int, registered_function),
    _swapped(time, "time", lambda: 5.0, patched_clock),
    _swapped(math, "floor", lambda value: 7, patched_floor),
    _swapped(json.JSONEncoder, "default", lambda self, o: "other", patched_encoder),
    _swapped(builtins, "_", lambda text: "Wort", installed_builtin),
    _swapped(builtins, "abs", lambda value: 3, patched_builtin),
    _swapped(_here, "_zero", -0.0, sign_of_zero),
    _swapped(_here, "_weights", [1.0, True], kind_of_weights),
    _swapped(_here, "_weights", [True, 2], kind_of_weights),
    _swapped(_here, "_order", {"b": 2, "a": 1}, order_of_keys),
    _swapped(_here, "_price", Decimal("1.00"), digits_of_a_price),
    _swapped(
        _here,
        "_when",
        _when.astimezone(datetime.timezone(datetime.timedelta(hours=5))),
        hour_of_a_time,
    ),
    _swapped(logging, "raiseExceptions", False, constant_of_a_library),
    _swapped(json.JSONEncoder, "item_separator", ";", default_of_a_library),
    _done(lambda: _logger.setLevel(10), lambda: _logger.setLevel(0), is_verbose),
    _done(lambda: _logger.setLevel(10), lambda: _logger.setLevel(0), level_of_a_logger),
    _done(_add_handler, _take_handler, handlers_of_a_logger),
    _done(lambda: os.chdir(pathlib.Path(__file__).parent), lambda: os.chdir(_HOME), reads_a_relative_path),
    _done(lambda: os.chdir("/"), lambda: os.chdir(_HOME), resolves_a_path),
    _environ("HOME", "/nasty", expands_home),
    _environ("HOME", "/nasty", finds_home),
    _environ("PATH", "/nasty", finds_a_program),
    _environ("COLUMNS", "33", measures_the_terminal),
    _environ("NASTY", "set", asks_a_program),
    _environ("TZ", "XST-9", local_hour, time.tzset),
    _environ("TZ", "XST-9", local_hour_of_a_datetime, time.tzset),
    _environ("TZ", "XST-9", name_of_the_zone, time.tzset),
    _done(lambda: sys.setrecursionlimit(9000), lambda: sys.setrecursionlimit(_LIMIT), goes_deep),
    _done(
        lambda: sys.set_int_max_str_digits(0),
        lambda: sys.set_int_max_str_digits(_DIGITS),
        writes_a_long_number,
    ),
    _done(_add_type, _take_type, guesses_a_type),
    _done(
        lambda: csv.register_dialect("nasty", delimiter="|"),
        lambda: csv.unregister_dialect("nasty"),
        reads_a_dialect,
    ),
    _done(lambda: codecs.register_error("nasty", codecs.ignore_errors), int, handles_an_error),
    Case(
        registers_a_handler,
        world=lambda: [codecs.lookup_error(f"nasty_{n}") is codecs.ignore_errors for n in range(60)],
        reset=_forget_handlers,
    ),
    _done(_rot_known, int, decodes),
    _swapped(tempfile, "tempdir", "/nasty", temporary_directory),
    _done(lambda: socket.setdefaulttimeout(7), lambda: socket.setdefaulttimeout(None), timeout_of_a_socket),
    _done(_masked, lambda: os.umask(_opened[0]), mode_of_a_file),
    Case(programs_name),
    Case(process_by_a_path),
    _done(
        lambda: linecache.cache.__setitem__("<nasty>", (5, None, ["line\n"], "<nasty>")),
        lambda: linecache.cache.pop("<nasty>", None),
        cached_line,
    ),
    Case(keeps_a_descriptor, world=_descriptors, reset=_note_descriptors),
    Case(reads_a_descriptor, world=_left_in_pipe, reset=_open_pipe),
    _done(lambda: _precise(5), lambda: _precise(28), ratio, arguments=lambda n: (Decimal(n + 1), Decimal(7))),
    _done(lambda: setattr(_exact, "prec", 5), lambda: setattr(_exact, "prec", 30), copies_a_context),
    _done(lambda: _exact.divide(Decimal(1), Decimal(7)), _exact.clear_flags, flags_of_a_context),
    Case(
        computes_in_a_context,
        reset=_exact.clear_flags,
        world=lambda: sorted(each.__name__ for each, raised in _exact.flags.items() if raised),
    ),
    _done(int, lambda: _precise(28), sets_a_copied_context),
    _swapped(textwrap, "dedent", lambda text: "patched", wraps_text),
    _done(_silent, _loud, warned),
]
