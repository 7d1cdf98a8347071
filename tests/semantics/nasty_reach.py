"""Roundabout ways to a global, and code that is run without being called by its name."""

from __future__ import annotations

import contextlib
import enum
import functools
import heapq
import inspect
import itertools
import operator
import pickle
import pkgutil
import pydoc
import sqlite3
import timeit
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from tests.semantics.case import Case

_log: list[Any] = []
_state = types.SimpleNamespace(count=0, log=_log)
_last_error: Any = None
_latest: Any = None


def _case(fn: Any, **more: Any) -> Case:
    """A case whose world is the log."""
    return Case(fn, world=lambda: list(_log), reset=_log.clear, **more)


def _note(n: Any) -> Any:
    """Notes."""
    _log.append(n)
    return n


_frozen = pickle.dumps(_note)
_noting = functools.partial(_note, 1)
_holding = functools.partial(max, _log, default=0)
_tools = types.SimpleNamespace(note=_note)
_add = _log.append


class Shelf(enum.Enum):
    """Members that can be changed."""

    TOP = 1
    LOW = 2

    def __init__(self, place: int) -> None:
        self.items: list[int] = []
        self.count = 0

    def store(self, n: int) -> int:
        self.items.append(n)
        return len(self.items)

    @classmethod
    def _missing_(cls, value: object) -> Shelf:
        _log.append(value)
        return cls.LOW


class Box(enum.Enum):
    """Members whose values can be changed."""

    BIG = [0]  # noqa: RUF012


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    """Notes before and after."""
    _log.append("before")
    yield
    _log.append("after")


@functools.singledispatch
def kind_of(value: object) -> str:
    """Dispatches to what notes."""
    return "object"


@kind_of.register
def _(value: int) -> str:
    """Notes whole numbers."""
    _log.append(value)
    return "number"


@_noted()
def decorated_by_a_manager(n: int) -> int:
    """A context manager that notes, as a decorator."""
    return n + 1


@_noted()
def _helper_with_a_manager(n: int) -> int:
    """The same for a helper."""
    return n + 1


def calls_a_helper_with_a_manager(n: int) -> int:
    """Calls a helper that a manager surrounds."""
    return _helper_with_a_manager(n)


def counts_in_a_namespace(n: int) -> int:
    """Counts in a simple namespace."""
    _state.count += 1
    return n + int(_state.count)


def grows_in_a_namespace(n: int) -> int:
    """Appends to a part of a simple namespace."""
    _state.log.append(n)
    return n


def calls_out_of_a_namespace(n: int) -> Any:
    """Calls a function that stands in a simple namespace."""
    return _tools.note(n)


def counts_in_a_member(n: int) -> int:
    """Counts in an attribute of an enum's member."""
    Shelf.TOP.count += 1
    return Shelf.TOP.count + n


def grows_a_member(n: int) -> int:
    """Appends to an attribute of an enum's member."""
    Shelf.TOP.items.append(n)
    return n


def calls_a_method_of_a_member(n: int) -> int:
    """Calls a method of an enum's member."""
    return Shelf.LOW.store(n)


def grows_the_value_of_a_member(n: int) -> int:
    """Appends to the value of an enum's member."""
    Box.BIG.value.append(n)
    return len(Box.BIG.value)


def stores_in_an_item_of_a_member(n: int) -> int:
    """Sets an item of the value of an enum's member, which is found by its name."""
    Box["BIG"].value[0] += n
    return int(Box["BIG"].value[0])


def stores_in_any_member(n: int) -> int:
    """Sets attributes of all members."""
    for each in Shelf:
        each.count = n
    return n


def asks_for_a_missing_member(n: int) -> str:
    """An enum is asked for what it has not."""
    return Shelf(n + 5).name


def calls_what_a_partial_holds(n: int) -> Any:
    """Calls the function of a partial."""
    return _noting.func(n)


def grows_what_a_partial_holds(n: int) -> int:
    """Appends to an argument of a partial."""
    if n > 45:
        _holding.args[0].append(n)
    return n


def grows_the_object_of_a_method(n: int) -> int:
    """Appends to the object whose method it has."""
    if n > 45:
        _add.__self__.append(n)  # type: ignore[attr-defined]
    return n


def calls_what_was_pickled(n: int) -> Any:
    """Calls a function that comes out of bytes."""
    return pickle.loads(_frozen)(n)


def calls_what_comes_pickled(data: bytes, n: int) -> Any:
    """Calls a function that comes as bytes."""
    return pickle.loads(data)(n)


def runs_a_text_by_timeit(n: int) -> int:
    """Has a text run that appends."""
    timeit.timeit(f"m._log.append({n})", "import tests.semantics.nasty_reach as m", number=1)
    return n


def resolves_a_name(n: int) -> int:
    """Finds a global by its name."""
    pkgutil.resolve_name("tests.semantics.nasty_reach:_log").append(n)
    return n


def locates_a_name(n: int) -> int:
    """Finds a global by its name, another way."""
    found: Any = pydoc.locate("tests.semantics.nasty_reach._log")
    found.append(n)
    return n


def asks_for_the_variables_of_a_function(n: int) -> int:
    """Finds a global among what a function uses."""
    inspect.getclosurevars(_note).globals["_log"].append(n)
    return n


def asks_for_members_of_a_function(n: int) -> int:
    """Finds the globals of a function among its members."""
    dict(inspect.getmembers(_note))["__globals__"]["_log"].append(n)
    return n


def through_a_traceback(n: int) -> int:
    """Finds a global in the frame of an error."""
    try:
        raise ValueError(n)
    except ValueError as error:
        trace: Any = error.__traceback__
        trace.tb_frame.f_globals["_log"].append(n)
    return n


def through_the_frame_of_a_generator(n: int) -> int:
    """Finds a global in the frame of a generator."""
    each: Any = (x for x in range(n))
    each.gi_frame.f_globals["_log"].append(n)
    return n


def folds_into_a_global(n: int) -> int:
    """Folds with an operator that works in place, beginning with a global."""
    return len(functools.reduce(operator.iadd, [[n]], _log))


def maps_setting_items(n: int) -> int:
    """Maps an operator that sets items."""
    list(map(operator.setitem, [_log], [slice(0, 0)], [[n]]))
    return n


def maps_setting_items_only(n: int) -> int:
    """Maps an operator that sets items of a table."""
    if n > 45:
        list(map(operator.setitem, [_table], ["n"], [n]))
    return n


def maps_setting_attributes(n: int) -> int:
    """Maps `setattr` over a class."""
    deque(map(setattr, [Settings], ["level"], [n]), 0)
    return n


def stars_setting_attributes(n: int) -> int:
    """The same with one tuple of arguments."""
    list(itertools.starmap(setattr, [(Settings, "level", n)]))
    return n


def maps_pushing(n: int) -> int:
    """Maps a push onto a global heap."""
    if n > 45:
        list(map(heapq.heappush, [_heap], [n]))
    return n


def maps_eval(n: int) -> list[Any]:
    """Maps `eval` over texts."""
    return list(map(eval, [f"_log.append({n})"]))


def runs_a_made_function(n: int) -> int:
    """Makes a function of code that it compiles."""
    code = compile(f"import tests.semantics.nasty_reach as m; m._log.append({n})", "<made>", "exec")
    types.FunctionType(code, {})()
    return n


def remembers_an_error(n: int) -> int:
    """A helper catches an error under a global name, which deletes the name; later."""
    if n > 45:
        _catch(n)
    return n


def _catch(n: int) -> None:
    """Catches an error under a global name."""
    global _last_error
    try:
        raise ValueError(n)
    except ValueError as _last_error:
        pass


def remembers_a_match(n: int) -> int:
    """A helper matches into a global name."""
    return _match(n)


def _match(n: int) -> int:
    """Matches into a global name."""
    global _latest
    match n:
        case int(_latest):
            return n
    return -1


def writes_into_a_shared_database(n: int) -> int:
    """Writes into a database in memory that connections of this process share."""
    with contextlib.closing(sqlite3.connect("file:nasty?mode=memory&cache=shared", uri=True)) as connection:
        connection.execute("create table if not exists rows (n int)")
        connection.execute("insert into rows values (?)", (n,))
        connection.commit()
        return int(connection.execute("select count(*) from rows").fetchone()[0])


class Settings:
    """A class that holds a setting."""

    level = 0


_table: dict[str, int] = {}
_heap: list[int] = []
_home: list[sqlite3.Connection] = []


def _open() -> None:
    """Keep the database alive."""
    _home.append(sqlite3.connect("file:nasty?mode=memory&cache=shared", uri=True))


def _count() -> int:
    """Count the rows, and close the database."""
    connection = _home.pop()
    try:
        return int(connection.execute("select count(*) from rows").fetchone()[0])
    finally:
        connection.close()


def _of(state: dict[str, Any]) -> Callable[[], None]:
    """Resets the state of a namespace or class."""

    def reset() -> None:
        for place, value in state.items():
            owner, name = place.split(".")
            setattr(globals()[owner], name, value)

    return reset


def _reset_members() -> None:
    """Members as they were."""
    for each in Shelf:
        each.items.clear()
        each.count = 0
    Box.BIG.value[:] = [0]


def _members() -> Any:
    """What members hold."""
    return [(each.items[:], each.count) for each in Shelf], list(Box.BIG.value)


def _member_case(fn: Any) -> Case:
    """A case whose world is an enum."""
    return Case(fn, world=_members, reset=_reset_members)


def _fresh_names() -> None:
    """The names that helpers rebind."""
    global _latest
    globals()["_last_error"] = _latest = None


CASES = [
    *map(
        _case,
        [
            kind_of,
            decorated_by_a_manager,
            calls_a_helper_with_a_manager,
            grows_in_a_namespace,
            calls_out_of_a_namespace,
            asks_for_a_missing_member,
            calls_what_a_partial_holds,
            grows_what_a_partial_holds,
            grows_the_object_of_a_method,
            calls_what_was_pickled,
            runs_a_text_by_timeit,
            resolves_a_name,
            locates_a_name,
            asks_for_the_variables_of_a_function,
            asks_for_members_of_a_function,
            through_a_traceback,
            through_the_frame_of_a_generator,
            folds_into_a_global,
            maps_setting_items,
            maps_eval,
            runs_a_made_function,
        ],
    ),
    *map(
        _member_case,
        [
            counts_in_a_member,
            grows_a_member,
            calls_a_method_of_a_member,
            grows_the_value_of_a_member,
            stores_in_an_item_of_a_member,
            stores_in_any_member,
        ],
    ),
    _case(calls_what_comes_pickled, arguments=lambda n: (_frozen, n)),
    Case(
        counts_in_a_namespace,
        world=lambda: _state.count,
        reset=_of({"_state.count": 0}),
    ),
    Case(maps_setting_items_only, world=lambda: dict(_table), reset=_table.clear),
    Case(maps_pushing, world=lambda: list(_heap), reset=_heap.clear),
    Case(maps_setting_attributes, world=lambda: Settings.level, reset=_of({"Settings.level": 0})),
    Case(stars_setting_attributes, world=lambda: Settings.level, reset=_of({"Settings.level": 0})),
    Case(remembers_an_error, world=lambda: "_last_error" in globals(), reset=_fresh_names),
    Case(remembers_a_match, world=lambda: _latest, reset=_fresh_names),
    Case(writes_into_a_shared_database, world=_count, reset=_open),
]
