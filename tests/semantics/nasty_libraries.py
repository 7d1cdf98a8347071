"""Settings that libraries keep for themselves, set before the first call, where no worker has heard of them."""

from __future__ import annotations

import argparse
import calendar
import collections
import copyreg
import csv
import datetime
import decimal
import email.charset
import email.mime.text
import enum
import functools
import gc
import html
import io
import ipaddress
import json
import locale
import logging
import math
import os
import pprint
import random
import re
import reprlib
import shutil
import sqlite3
import string
import sys
import threading
import urllib.parse
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from html.entities import html5
from typing import Any

import numpy as np

from tests.semantics.case import Case


def _done(begin: Callable[[], object], end: Callable[[], object], fn: Any, **more: Any) -> Case:
    """A case before which something is done that is undone afterwards."""

    def world() -> None:
        end()

    return Case(fn, reset=begin, world=world, **more)


def _swapped(owner: Any, name: str, value: Any, fn: Any, **more: Any) -> Case:
    """A case before which an attribute is replaced."""
    before = getattr(owner, name)
    return _done(lambda: setattr(owner, name, value), lambda: setattr(owner, name, before), fn, **more)


class Unit(enum.Enum):
    """An enum whose member is given another attribute."""

    METRE = 1


class Point:
    """A class whose copies are made by what is registered."""

    def __init__(self, n: int) -> None:
        self.n = n


Template = string.Template


def draws_a_month(n: int) -> str:
    """With which day weeks begin has been set."""
    return calendar.month(2024, n % 12 + 1)


def weeks_of_a_month(n: int) -> list[list[int]]:
    """The same, as numbers."""
    return calendar.monthcalendar(2024, n % 12 + 1)


def shortens(n: int) -> str:
    """How much is shown of a list has been set."""
    return reprlib.repr(list(range(n)))


def joins_addresses(n: int) -> str:
    """Another scheme has been made known."""
    return urllib.parse.urljoin("nasty://a/b", str(n))


def writes_a_namespace(n: int) -> str:
    """A prefix has been registered."""
    return ET.tostring(ET.Element("{urn:nasty}a", n=str(n)), encoding="unicode")


def reads_long_fields(n: int) -> list[list[str]]:
    """How long a field may be has been set."""
    return list(csv.reader([f"a,{'b' * n}"]))


def names_a_level(n: int) -> str:
    """A level has been named."""
    return logging.getLevelName(25) + str(n)


def shows_an_array(n: int) -> str:
    """How arrays are shown has been set."""
    return str(np.linspace(0, n, 4))


def shows_an_array_in_an_f_string(n: int) -> str:
    """The same without any call."""
    return f"{np.linspace(0, n, 4)}"


def divides_arrays(n: int) -> list[float]:
    """What is done about a division by nought has been set."""
    values: list[float] = (np.ones(3) / np.zeros(3)).tolist()
    return values[: n % 3]


def takes_roots_of_arrays(values: list[float]) -> float:
    """The same for a root."""
    return float(np.nan_to_num(np.sqrt(np.array(values))).sum())


def helps(n: int) -> str:
    """How wide a terminal is has been set."""
    parser = argparse.ArgumentParser(prog=f"p{n}")
    parser.add_argument("--long-option", help="words " * 20)
    return parser.format_help()


def fills_a_template(n: int) -> str:
    """How templates mark names has been set."""
    return Template("%n $n").safe_substitute(n=n)


def writes_a_mail(n: int) -> str:
    """How a charset is encoded has been set."""
    return email.mime.text.MIMEText(f"hällo {n}", _charset="utf-8").as_string()


def stores_a_point(n: int) -> Any:
    """How a class is stored in a database has been registered."""
    with sqlite3.connect(":memory:") as connection:
        return connection.execute("select ?", (Point(n),)).fetchone()[0]


def measures_in_units(n: int) -> Any:
    """A member of an enum has been given another attribute."""
    return getattr(Unit.METRE, "factor", 1) * n


def unpacks(n: int) -> list[str]:
    """A format of archives has been registered."""
    return [each[0] for each in shutil.get_archive_formats()][n % 2 :]


def reads_local_conventions(n: int) -> Any:
    """The conventions for numbers have been overridden."""
    return locale.localeconv()["decimal_point"] * (n % 3 + 1)


def formats_locally(n: int) -> str:
    """The same by a function that follows them."""
    return locale.format_string("%.1f", n)


def writes_fractions(n: int) -> str:
    """A method of a number has been replaced."""
    return str(Fraction(n, 7))


def expands_a_match(n: int) -> str:
    """A cache of the regular expressions' module has been tampered with."""
    return re.sub("a", f"{n}", "banana")


def collects(n: int) -> bool:
    """The collector has been switched off."""
    return gc.isenabled()


def names_its_thread(n: int) -> str:
    """The thread has been renamed."""
    return threading.main_thread().name + str(n)


def asks_for_a_hook(n: int) -> bool:
    """A hook of the interpreter has been replaced."""
    return sys.excepthook is sys.__excepthook__


def asks_for_the_path(n: int) -> bool:
    """A folder has been added to where modules are found."""
    return "/nasty" in sys.path


def asks_for_arguments(n: int) -> list[str]:
    """The program's arguments have been replaced."""
    return sys.argv[1:]


def reads_standard_input(n: int) -> str:
    """Standard input has been replaced."""
    sys.stdin.seek(0)
    return sys.stdin.readline()


def prints(n: int) -> int:
    """Standard output has been replaced."""
    return sys.stdout.write(str(n))


def parses_json_constants(n: int) -> Any:
    """A class that parses has been patched."""
    return json.loads(f"[{n}, 1.5]")


def rounds_in_a_context(n: int) -> str:
    """The rounding of decimals has been set."""
    return f"{decimal.Decimal(n) / 3:.3f}"


def sums_decimals(prices: list[decimal.Decimal]) -> decimal.Decimal:
    """The precision has been set; nothing but a sum."""
    return sum(prices, decimal.Decimal(0))


def formats_a_decimal(price: decimal.Decimal) -> str:
    """The rounding has been set; nothing but a format."""
    return f"{price:.1f}"


def powers_of_given(price: Any) -> Any:
    """The same, of what may be anything."""
    return price * price / 7


def escapes(n: int) -> str:
    """A table of a library has been changed."""
    return html.unescape(f"&nasty;{n}")


def names_of_months(n: int) -> str:
    """A list of a library has been changed."""
    return str(calendar.month_abbr[n % 12 + 1])


def is_private(n: int) -> bool:
    """A property of a class of a library has been replaced."""
    return ipaddress.ip_address(f"10.0.0.{n}").is_private


def pretty(n: int) -> str:
    """A method of a library's class has been replaced."""
    return pprint.pformat({"n": n})


def counts_words(n: int) -> list[tuple[str, int]]:
    """The same of a collection."""
    return collections.Counter("banana" * n).most_common(1)


def today(n: int) -> Any:
    """A class of a library has been replaced by another."""
    return datetime.datetime.now().year + n


def chooses(n: int) -> float:
    """A function of a library has been replaced by a bound method of another object."""
    return random.Random(n).uniform(0, 1)


def warns_once(n: int) -> int:
    """A warning that is shown only once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("nasty", stacklevel=1)
    return len(caught)


def area(n: int) -> float:
    """A constant of a library has been changed."""
    return math.pi * n


def reads_the_environment_of_bytes(n: int) -> Any:
    """The environment has been changed."""
    return os.environb.get(b"NASTY")


def joins_the_environment(n: int) -> str:
    """The environment has been changed, and is read by a library."""
    return os.path.expandvars(f"$NASTY/{n}")


@functools.lru_cache(maxsize=None)  # noqa: UP033
def _cached(n: int) -> list[int]:
    """Kept from before."""
    return [n]


def asks_a_cache(n: int) -> int:
    """What is kept in a cache has been changed."""
    return len(_cached(1)) + n


def asks_how_often(n: int) -> int:
    """How often a cache was asked."""
    _cached(n)
    return _cached.cache_info().misses


def copies_a_point(n: int) -> Any:
    """How a class is copied has been registered."""
    import copy

    return copy.copy(Point(n)).n


def _precise(digits: int, rounding: str = decimal.ROUND_HALF_EVEN) -> None:
    """Sets the context of this thread and of those to come."""
    for context in (decimal.getcontext(), decimal.DefaultContext):
        context.prec, context.rounding = digits, rounding


def _forget() -> None:
    """Nothing is registered."""
    copyreg.dispatch_table.pop(Point, None)
    sqlite3.adapters.pop((Point, sqlite3.PrepareProtocol), None)


_prices = [decimal.Decimal("1.2345"), decimal.Decimal("2.3456")]
_coarse = lambda: _precise(3, decimal.ROUND_UP)  # noqa: E731
_fine = lambda: _precise(28)  # noqa: E731
_SCHEMES = (urllib.parse.uses_relative, urllib.parse.uses_netloc)
_here = sys.modules[__name__]


def _unnamed() -> None:
    """A level without a name."""
    logging._levelToName.pop(25, None)
    logging._nameToLevel.pop("NASTY", None)


def _utf8(encoding: Any) -> None:
    """How a charset is encoded."""
    email.charset.add_charset("utf-8", email.charset.SHORTEST, encoding, "utf-8")


def _environment(value: str | None) -> Callable[[], object]:
    """Sets a variable or takes it away."""
    return lambda: os.environ.pop("NASTY", None) if value is None else os.environ.update(NASTY=value)


CASES = [
    _done(lambda: calendar.setfirstweekday(6), lambda: calendar.setfirstweekday(0), draws_a_month),
    _done(lambda: calendar.setfirstweekday(6), lambda: calendar.setfirstweekday(0), weeks_of_a_month),
    _swapped(reprlib.aRepr, "maxlist", 2, shortens),
    _done(
        lambda: [each.append("nasty") for each in _SCHEMES],  # type: ignore[func-returns-value]
        lambda: [each.pop() for each in _SCHEMES],
        joins_addresses,
    ),
    _done(
        lambda: ET.register_namespace("nasty", "urn:nasty"),
        lambda: ET._namespace_map.pop("urn:nasty"),  # type: ignore[attr-defined]
        writes_a_namespace,
    ),
    _done(lambda: csv.field_size_limit(20), lambda: csv.field_size_limit(131072), reads_long_fields),
    _done(lambda: logging.addLevelName(25, "NASTY"), _unnamed, names_a_level),
    _done(lambda: np.set_printoptions(precision=2), lambda: np.set_printoptions(precision=8), shows_an_array),
    _done(
        lambda: np.set_printoptions(precision=2),
        lambda: np.set_printoptions(precision=8),
        shows_an_array_in_an_f_string,
    ),
    _done(lambda: np.seterr(all="raise"), lambda: np.seterr(all="warn", under="ignore"), divides_arrays),
    _done(
        lambda: np.seterr(all="raise"),
        lambda: np.seterr(all="warn", under="ignore"),
        takes_roots_of_arrays,
        arguments=lambda n: ([float(n), -1.0],),
    ),
    _done(lambda: os.environ.update(COLUMNS="30"), lambda: os.environ.pop("COLUMNS", None), helps),
    _swapped(
        string.Template,
        "pattern",
        re.compile("%(?P<named>n)|(?P<escaped>%%)|(?P<braced>!!)|(?P<invalid>!)"),
        fills_a_template,
    ),
    _done(lambda: _utf8(email.charset.QP), lambda: _utf8(email.charset.BASE64), writes_a_mail),
    _done(lambda: sqlite3.register_adapter(Point, lambda p: p.n), _forget, stores_a_point),
    _done(lambda: setattr(Unit.METRE, "factor", 3), lambda: delattr(Unit.METRE, "factor"), measures_in_units),
    _done(
        lambda: shutil.register_archive_format("nasty", print),
        lambda: shutil.unregister_archive_format("nasty"),
        unpacks,
    ),
    _swapped(locale, "_override_localeconv", {"decimal_point": ","}, reads_local_conventions),
    _swapped(locale, "_override_localeconv", {"decimal_point": ",", "grouping": []}, formats_locally),
    _swapped(Fraction, "__str__", lambda self: "nasty", writes_fractions),
    _swapped(re, "sub", lambda *args: "nasty", expands_a_match),
    _done(gc.disable, gc.enable, collects),
    _swapped(threading.main_thread(), "name", "nasty", names_its_thread),
    _swapped(sys, "excepthook", print, asks_for_a_hook),
    _done(lambda: sys.path.append("/nasty"), lambda: sys.path.remove("/nasty"), asks_for_the_path),
    _swapped(sys, "argv", ["nasty", "a"], asks_for_arguments),
    _swapped(sys, "stdin", io.StringIO("nasty"), reads_standard_input),
    _swapped(sys, "stdout", io.StringIO(), prints),
    _swapped(json.decoder.JSONDecoder, "decode", lambda self, text: "nasty", parses_json_constants),
    _done(_coarse, _fine, rounds_in_a_context),
    _done(_coarse, _fine, sums_decimals, arguments=lambda n: (_prices,)),
    _done(_coarse, _fine, formats_a_decimal, arguments=lambda n: (_prices[n % 2],)),
    _done(_coarse, _fine, powers_of_given, arguments=lambda n: (float(n) if n < 40 else _prices[n % 2],)),
    _done(
        lambda: html5.__setitem__("nasty;", "!"),
        lambda: html5.pop("nasty;"),
        escapes,
    ),
    _swapped(calendar, "month_abbr", ["x"] * 13, names_of_months),
    _swapped(ipaddress.IPv4Address, "is_private", False, is_private),
    _swapped(pprint.PrettyPrinter, "pformat", lambda self, value: "nasty", pretty),
    _swapped(collections.Counter, "most_common", lambda self, n: [("nasty", 1)], counts_words),
    _swapped(datetime, "datetime", type("Fake", (), {"now": lambda: datetime.date(1999, 1, 1)}), today),
    _swapped(random.Random, "uniform", lambda self, a, b: 7.0, chooses),
    _done(lambda: warnings.simplefilter("ignore"), warnings.resetwarnings, warns_once),
    _swapped(math, "pi", 3, area),
    _done(_environment("x"), _environment(None), reads_the_environment_of_bytes),
    _done(_environment("x"), _environment(None), joins_the_environment),
    _done(lambda: _cached(1).append(5), _cached.cache_clear, asks_a_cache),
    _done(_cached.cache_clear, int, asks_how_often),
    _done(lambda: copyreg.pickle(Point, lambda p: (Point, (p.n + 1,))), _forget, copies_a_point),
]
