"""Functions whose calls must stay in this process: each changes what outlives it, or depends on what is only here."""

# ruff: noqa: B006, B010, B905, C416, E731, PERF102, PERF402, PIE804, PLC3002, PLW0120, PYI024, RUF059, UP028
# mypy: disable-error-code="no-any-return,no-untyped-call,func-returns-value,var-annotated,arg-type,misc"

from __future__ import annotations

import asyncio
import bisect
import contextlib
import contextvars
import decimal
import functools
import gc
import heapq
import itertools
import locale
import logging
import operator
import os
import random
import sqlite3
import sys
import threading
import time
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from os import environ
from random import randint
from typing import Any

from . import helpers
from .helpers import REGISTRY, Point, Registry, first_of, push, remember, table

INDEX: dict[Any, Any] = {}
LOG: list[Any] = []
NAMES: set[str] = set()
QUEUE: deque[Any] = deque()
GRID = [[0, 0], [0, 0]]
NESTED: dict[str, list[int]] = {"a": []}
GROUPS: defaultdict[str, list[int]] = defaultdict(list)
COUNTS: Counter[str] = Counter()
BUFFER = bytearray(b"abc")
HEAP: list[int] = []
POINT = Point(1.0, 2.0)
TICKETS = itertools.count()
LINES = iter(["a", "b"])
LOCK = threading.Lock()
LOCAL = threading.local()
CONTEXT: contextvars.ContextVar[int] = contextvars.ContextVar("CONTEXT", default=0)
RNG = random.Random(1)
GENERATOR = (n for n in range(10))
_append = LOG.append
_put = functools.partial(LOG.append)
_log = logging.getLogger(__name__)
HANDLERS = {"log": LOG.append}
calls = 0
OUTPUT = sys.stdout


def appends_to_a_global(x: int) -> int:
    LOG.append(x)
    return x


def stores_an_item(x: int) -> int:
    INDEX[x] = x
    return x


def deletes_an_item(x: int) -> int:
    del INDEX[x]
    return x


def rebinds_a_global(x: int) -> int:
    global calls
    calls += 1
    return x


def rebinds_in_an_inner_function(x: int) -> int:
    def note() -> None:
        global calls
        calls = x

    note()
    return x


def adds_through_an_alias(x: int) -> int:
    where = LOG
    also = where
    also.append(x)
    return x


def alias_that_survives_a_break(x: int) -> int:
    found = []
    while True:
        found = LOG
        if x:
            break
        found = []
    found.append(x)
    return x


def alias_of_one_branch(x: int) -> int:
    target = []
    if x > 100:
        target = LOG
    target.append(x)
    return x


def alias_through_a_tuple(x: int) -> int:
    pair = ([], LOG)
    _, log = pair
    log.append(x)
    return x


def alias_through_a_dict(x: int) -> int:
    where = {"log": LOG}
    where["log"].append(x)
    return x


def alias_through_a_container_changed_later(x: int) -> int:
    box: list[Any] = []
    same = box
    same.append(LOG)
    box[0].append(x)
    return x


def alias_through_a_walrus(x: int) -> int:
    if (log := LOG) is not None:
        log.append(x)
    return x


def alias_through_a_comprehension(x: int) -> int:
    [log.append(x) for log in (LOG,)]
    return x


def alias_through_a_default(x: int, log: list[int] = LOG) -> int:
    return len([log.append(x)])


def alias_through_with_an_exception(x: int) -> int:
    where: Any = LOG
    try:
        x = int(x)
        where = []
    except ValueError:
        pass
    where.append(x)
    return x


def alias_in_an_exception(x: int) -> int:
    try:
        raise KeyError(LOG)
    except KeyError as error:
        error.args[0].append(x)
    return x


def alias_by_match(x: int) -> int:
    match {"log": LOG}:
        case {"log": log}:
            log.append(x)
    return x


def setdefault_then_append(x: int) -> int:
    INDEX.setdefault("all", []).append(x)
    return x


def grows_a_nested_list(x: int) -> int:
    NESTED["a"].append(x)
    return x


def grows_what_get_returned(x: int) -> int:
    NESTED.get("a", []).append(x)
    return x


def grows_in_a_loop_over_values(x: int) -> int:
    for row in NESTED.values():
        row.append(x)
    return x


def grows_in_a_loop_over_items(x: int) -> int:
    for _, row in NESTED.items():
        row.append(x)
    return x


def grows_a_copy_of_the_outside_only(x: int) -> int:
    rows = list(GRID)
    rows[0][0] = x
    return x


def touches_a_defaultdict(x: int) -> int:
    GROUPS["a"] += [x]
    return x


def reads_a_missing_key(x: int) -> int:
    return len(GROUPS["b"])


def counts(word: str) -> int:
    COUNTS[word] += 1
    return 1


def counts_by_update(word: str) -> int:
    COUNTS.update([word])
    return 1


def adds_in_place(x: int) -> int:
    log = LOG
    log += [x]
    return x


def adds_to_a_set(name: str) -> str:
    NAMES.add(name)
    return name


def pops_from_a_deque(x: int) -> int:
    return x if not QUEUE else QUEUE.popleft()


def writes_into_a_bytearray(x: int) -> int:
    BUFFER[0] = x
    return x


def writes_by_memoryview(x: int) -> int:
    memoryview(BUFFER)[0] = x
    return x


def pushes_onto_a_heap(x: int) -> int:
    heapq.heappush(HEAP, x)
    return x


def inserts_in_order(x: int) -> int:
    bisect.insort(HEAP, x)
    return x


def sets_by_operator(x: int) -> int:
    operator.setitem(INDEX, x, x)
    return x


def unbound_method(x: int) -> int:
    list.append(LOG, x)
    return x


def method_fetched_earlier(x: int) -> int:
    _append(x)
    return x


def partial_made_earlier(x: int) -> int:
    _put(x)
    return x


def method_in_a_variable(x: int) -> int:
    note = LOG.append
    note(x)
    return x


def method_as_a_callback(x: int) -> int:
    list(map(LOG.append, [x]))
    return x


def lambda_as_a_callback(x: int) -> list[int]:
    return sorted([x, 2], key=lambda n: LOG.append(n) or n)


def handler_out_of_a_table(x: int) -> int:
    HANDLERS["log"](x)
    return x


def partial_as_a_callback(x: int) -> int:
    functools.partial(LOG.append, x)()
    return x


def calls_a_helper_two_calls_away(x: int) -> int:
    remember(x)
    return x


def changes_what_a_helper_returned(x: int) -> int:
    table()["a"] = x
    return x


def lets_a_helper_change_it(x: int) -> int:
    push(LOG, x)
    return x


def changes_a_part_that_a_helper_found(x: int) -> int:
    first_of(GRID).append(x)
    return x


def recursion_with_a_trace(n: int) -> int:
    if n <= 0:
        LOG.append(n)
        return 0
    return recursion_with_a_trace(n - 1) + 1


def method_of_a_global_instance(x: int) -> int:
    REGISTRY.enter(x)
    return x


def attribute_of_a_global_instance(x: int) -> int:
    POINT.x = x
    return x


def attribute_of_a_class(x: int) -> int:
    Registry.count += 1
    return x


def dict_of_a_class(x: int) -> int:
    Registry.common["x"] = x
    return x


def dict_of_a_class_through_an_instance(x: int) -> int:
    Registry().common["x"] = x
    return x


def attribute_of_the_class_of_an_instance(x: int) -> int:
    type(Registry()).count = x
    return x


def class_by_dunder(x: int) -> int:
    Registry().__class__.count += 1
    return x


def attribute_of_a_function(x: int) -> int:
    attribute_of_a_function.calls = x  # type: ignore[attr-defined]
    return x


def attribute_of_a_module(x: int) -> int:
    helpers.LIMIT = x
    return x


def attribute_of_a_module_by_setattr(x: int) -> int:
    setattr(helpers, "LIMIT", x)
    return x


def attribute_of_a_module_by_sys_modules(x: int) -> int:
    sys.modules[__name__].calls = x  # type: ignore[attr-defined]
    return x


def attribute_by_a_name_in_a_variable(x: int) -> int:
    getattr(helpers, "SE" + "EN").append(x)
    return x


def by_globals(x: int) -> int:
    globals()["calls"] = x
    return x


def by_exec(x: int) -> int:
    exec("calls = 1", {})
    return x


def by_dunder_globals(x: int) -> int:
    by_globals.__globals__["calls"] = x
    return x


def by_import_inside(x: int) -> int:
    from .helpers import SEEN

    SEEN.append(x)
    return x


def environment_written(x: int) -> int:
    os.environ["X"] = str(x)
    return x


def environment_read(x: int) -> str:
    return environ.get("HOME", "") + str(x)


def environment_by_getenv(x: int) -> str | None:
    return os.getenv("HOME")


def changes_directory(path: str) -> str:
    os.chdir(path)
    return path


def asks_for_the_directory(x: int) -> str:
    return os.getcwd()


def asks_for_the_pid(x: int) -> int:
    return os.getpid()


def sets_the_locale(x: int) -> int:
    locale.setlocale(locale.LC_ALL, "C")
    return x


def draws_a_random_number(x: int) -> int:
    return random.randrange(x)


def draws_by_another_name(x: int) -> int:
    return randint(0, x)


def draws_from_a_generator_of_its_own_that_is_global(x: int) -> float:
    return RNG.random()


def prints(x: int) -> int:
    print(x)
    return x


def writes_to_standard_output(x: int) -> int:
    sys.stdout.write(str(x))
    return x


def writes_to_an_alias_of_standard_output(x: int) -> int:
    OUTPUT.write(str(x))
    return x


def sets_a_limit(x: int) -> int:
    sys.setrecursionlimit(x)
    return x


def collects_garbage(x: int) -> int:
    return gc.collect()


def warns(x: int) -> int:
    warnings.warn("careful", stacklevel=2)
    return x


def sets_up_logging(x: int) -> int:
    logging.basicConfig(level=x)
    return x


def sets_a_level(x: int) -> int:
    _log.setLevel(x)
    return x


def sets_a_level_of_a_logger_by_name(x: int) -> int:
    logging.getLogger("somebody").setLevel(x)
    return x


def adds_a_handler(x: int) -> int:
    logging.getLogger().addHandler(logging.NullHandler())
    return x


def takes_handlers_away(x: int) -> int:
    _log.handlers.clear()
    return x


def stops_a_logger(x: int) -> int:
    _log.getChild("part").propagate = False
    return x


def handles_a_record(x: int) -> int:
    _log.handle(logging.makeLogRecord({"msg": x}))
    return x


def changes_a_list_as_it_logs(x: int) -> int:
    _log.info("got %s", LOG.append(x))
    return x


def locks(x: int) -> int:
    with LOCK:
        return x


def thread_local(x: int) -> int:
    LOCAL.x = x
    return x


def current_thread(x: int) -> str:
    return threading.current_thread().name


def context_variable_set(x: int) -> int:
    CONTEXT.set(x)
    return x


def context_variable_read(x: int) -> int:
    return CONTEXT.get()


def takes_a_number(x: int) -> int:
    return next(TICKETS)


def takes_a_line(x: int) -> list[str]:
    return list(LINES)


def takes_from_a_generator(x: int) -> int:
    return sum(GENERATOR)


@functools.cache
def cached(x: int) -> int:
    return x * x


def calls_something_cached(x: int) -> int:
    return cached(x) + 1


def asks_for_an_id(x: object) -> int:
    return id(x)


def asks_for_a_hash(x: str) -> int:
    return hash(x) % 7


def enters_a_context_of_decimals(x: int) -> Decimal:
    decimal.localcontext(prec=3).__enter__()
    return Decimal(x) / 3


def enters_a_context_and_forgets(x: int) -> Decimal:
    contextlib.ExitStack().enter_context(decimal.localcontext(prec=3))
    return Decimal(x) / 3


def asks_how_precise_decimals_are(x: int) -> int:
    return decimal.getcontext().prec + x


def runs_a_loop(x: int) -> int:
    return asyncio.run(asyncio.sleep(0, x))


def starts_a_thread(x: int) -> int:
    thread = threading.Thread(target=LOG.append, args=(x,))
    thread.start()
    thread.join()
    return x


def sorts_its_argument(items: list[int]) -> int:
    items.sort()
    return items[0]


def changes_its_argument_when_it_is_large(items: list[int]) -> int:
    if len(items) > 1000:
        items.append(0)
    return len(items)


def changes_a_part_of_its_argument(rows: list[dict[str, int]]) -> int:
    for row in rows:
        row["seen"] = 1
    return len(rows)


def changes_a_part_of_a_copy(rows: list[dict[str, int]]) -> int:
    for row in sorted(rows, key=len):
        row["seen"] = 1
    return len(rows)


def sets_an_attribute_of_its_argument(point: Point) -> float:
    point.x = 0.0
    return point.y


def sets_an_attribute_by_setattr(point: Point) -> float:
    setattr(point, "x", 0.0)
    return point.y


def adds_to_its_argument_in_place(items: list[int], more: list[int]) -> int:
    items += more
    return len(items)


def advances_its_argument(items: Any) -> Any:
    return next(items)


def calls_its_argument(fn: Any, x: int) -> Any:
    return fn(x)


def maps_its_argument(fn: Any, xs: list[int]) -> list[Any]:
    return list(map(fn, xs))


def sorts_by_its_argument(xs: list[int], key: Any) -> list[int]:
    return sorted(xs, key=key)


def keyword_arguments_changed(**rows: list[int]) -> int:
    for row in rows.values():
        row.append(1)
    return len(rows)


def star_arguments_changed(*rows: list[int]) -> int:
    rows[0].append(1)
    return len(rows)


def returns_the_very_global(x: int) -> dict[Any, Any]:
    return INDEX


def returns_a_part_of_a_global(x: int) -> list[int]:
    return NESTED["a"]


def yields(n: int) -> Any:
    for k in range(n):
        yield k


def a_generator_with_a_trace(n: int) -> int:
    def noted() -> Any:
        for k in range(n):
            LOG.append(k)
            yield k

    return sum(noted())


def a_name_that_does_not_exist_yet(n: int) -> int:
    return made_later(n)  # type: ignore[name-defined] # noqa: F821


def through_an_object_that_holds_it(n: int) -> int:
    holder = Registry()
    holder.entries = LOG
    holder.enter(n)
    return n


def through_dict_of_an_instance(n: int) -> int:
    vars(POINT)["x"] = n
    return n


def through_object_setattr(n: int) -> int:
    object.__setattr__(POINT, "x", n)
    return n


def through_a_subclass_of_a_list(n: int) -> int:
    class Logged(list):  # type: ignore[type-arg]
        def append(self, item: Any) -> None:
            LOG.append(item)
            super().append(item)

    items = Logged()
    items.append(n)
    return n


def through_reduce(n: int) -> Any:
    return functools.reduce(lambda log, k: log.append(k) or log, range(n), LOG)


def through_a_chain(n: int) -> int:
    for log in itertools.chain([LOG]):
        log.append(n)
    return n


def through_zip(n: int) -> int:
    for log, k in zip([LOG], [n]):
        log.append(k)
    return n


def through_enumerate(n: int) -> int:
    for k, row in enumerate(GRID):
        row[0] = k
    return n


def through_iter(n: int) -> int:
    it = iter(GRID)
    next(it)[0] = n
    return n


def through_max(n: int) -> int:
    max(GRID, key=len).append(n)
    return n


def through_a_slice(n: int) -> int:
    GRID[:1][0].append(n)
    return n


def through_or(n: int) -> int:
    (None or LOG).append(n)
    return n


def through_a_conditional(n: int) -> int:
    (LOG if n else []).append(n)
    return n


def through_an_ordered_dict(n: int) -> int:
    OrderedDict(log=LOG)["log"].append(n)
    return n


def through_star_arguments(n: int) -> int:
    push(*[LOG, n])
    return n


def through_keyword_arguments(n: int) -> int:
    push(**{"target": LOG, "item": n})
    return n


def through_a_closure(n: int) -> int:
    log = LOG

    def note() -> None:
        log.append(n)

    note()
    return n


def through_nonlocal(n: int) -> int:
    log: Any = []

    def swap() -> None:
        nonlocal log
        log = LOG

    swap()
    log.append(n)
    return n


def through_a_decorator_inside(n: int) -> int:
    def noting(fn: Any) -> Any:
        def inner(*args: Any) -> Any:
            LOG.append(args)
            return fn(*args)

        return inner

    @noting
    def double(k: int) -> int:
        return 2 * k

    return double(n)


def through_a_generator_sent_to(n: int) -> int:
    def sink() -> Any:
        while True:
            log = yield
            log.append(n)

    sinking = sink()
    next(sinking)
    sinking.send(LOG)
    return n


def reads_through_a_connection(n: int) -> Any:
    return CONNECTION.execute("select 1").fetchone()


CONNECTION = sqlite3.connect(":memory:", check_same_thread=False)


def measures_its_own_time(n: int) -> float:
    return time.thread_time()


def empties_by_slice(n: int) -> int:
    LOG[:] = []
    return n


def deletes_by_slice(n: int) -> int:
    del LOG[:]
    return n


def by_dunder_iadd(n: int) -> int:
    LOG.__iadd__([n])
    return n


def by_class_of_the_list(n: int) -> int:
    LOG.__class__.append(LOG, n)
    return n


def by_attrgetter(n: int) -> int:
    operator.attrgetter("append")(LOG)(n)
    return n


def by_methodcaller(n: int) -> int:
    operator.methodcaller("append", n)(LOG)
    return n


def by_partial_of_setattr(n: int) -> int:
    functools.partial(setattr, helpers, "LIMIT")(n)
    return n


def by_deque_that_drains(n: int) -> int:
    deque(map(LOG.append, range(n)), maxlen=0)
    return n


def in_a_generator_expression(n: int) -> int:
    return sum(1 for k in range(n) if LOG.append(k) is None)


def in_an_assertion(n: int) -> int:
    assert LOG.append(n) is None
    return n


def in_a_formatted_string(n: int) -> str:
    return f"{n}{LOG.append(n)}"


def in_a_lambda_called_at_once(n: int) -> int:
    (lambda: LOG.append(n))()
    return n


def as_a_loop_target(n: int) -> int:
    for INDEX["k"] in range(n):
        pass
    return n


def as_a_default_of_a_helper(n: int) -> int:
    _collect(n)
    return n


def _collect(n: int, seen: list[int] = []) -> None:
    seen.append(n)


def as_its_own_default(n: int, seen: dict[int, int] = {}) -> int:
    seen[n] = n
    return n


def by_generated_init(n: int) -> int:
    Point.__init__(POINT, n, n)
    return n


def by_generated_init_of_the_object(n: int) -> int:
    POINT.__init__(n, n)
    return n


def by_dict_of_the_object(n: int) -> int:
    POINT.__dict__.update(x=n)
    return n


def by_setattr_on_the_class(n: int) -> int:
    setattr(type(POINT), "x", n)
    return n


def by_chain_map(n: int) -> int:
    import collections

    collections.ChainMap(INDEX)[n] = n
    return n


def by_update_of_the_class(n: int) -> int:
    dict.update(INDEX, a=n)
    return n


def by_or_in_place(n: int) -> int:
    d = INDEX
    d |= {n: n}
    return n


def by_a_global_helper(n: int) -> int:
    _bump(n)
    return n


def _bump(n: int) -> None:
    global calls
    calls = n


def by_a_frame(n: int) -> int:
    sys._getframe().f_globals["calls"] = n
    return n


def by_import_module(n: int) -> int:
    import importlib

    importlib.import_module("tests.routing.corpus.helpers").SEEN.append(n)
    return n


def by_import_as(n: int) -> int:
    import tests.routing.corpus.helpers as other

    other.SEEN.append(n)
    return n


def through_an_attribute_of_a_global(n: int) -> int:
    REGISTRY.entries.append(n)
    return n


def through_a_lambda_default(n: int) -> int:
    add = lambda k, log=LOG: log.append(k)
    add(n)
    return n


def through_a_callback_of_a_helper(n: int) -> int:
    _each(range(n), LOG.append)
    return n


def _each(items: Any, action: Any) -> None:
    for item in items:
        action(item)


def through_a_named_tuple(n: int) -> int:
    from collections import namedtuple

    Box = namedtuple("Box", "log")
    Box(LOG).log.append(n)
    return n


def through_copy(n: int) -> int:
    import copy

    copy.copy(GRID)[0].append(n)
    return n


def through_a_dict_comprehension(n: int) -> int:
    {k: row for k, row in enumerate(GRID)}[0].append(n)
    return n


def through_unpacking_into_attributes(n: int) -> int:
    POINT.x, other = n, n
    return other


def through_a_starred_target(n: int) -> int:
    first, *others = GRID
    others[0].append(n)
    return n


def through_a_class_attribute_alias(n: int) -> int:
    class Here:
        log = LOG

    Here.log.append(n)
    return n


def through_self_of_a_class_inside(n: int) -> int:
    class Here:
        def __init__(self, log: Any) -> None:
            self.log = log

        def note(self) -> None:
            self.log.append(n)

    Here(LOG).note()
    return n


def through_contextmanager(n: int) -> int:
    from contextlib import contextmanager

    @contextmanager
    def noting() -> Any:
        LOG.append(n)
        yield

    with noting():
        return n


def through_a_json_hook(text: str) -> Any:
    import json

    return json.loads(text, object_hook=_hook)


def _hook(d: dict[str, Any]) -> dict[str, Any]:
    LOG.append(d)
    return d


def the_order_of_a_set(words: list[str]) -> list[str]:
    return list(set(words))


def the_order_of_a_set_joined(words: list[str]) -> str:
    return ",".join({word.lower() for word in words})


def the_order_of_a_set_in_a_loop(words: list[str]) -> list[str]:
    out = []
    for word in set(words) | {"x"}:
        out.append(word)
    return out


def any_item_of_a_set(words: list[str]) -> str:
    return next(iter(set(words)))


async def awaits_nothing(n: int) -> int:
    LOG.append(n)
    return n


def while_true_with_else(n: int) -> int:
    while n:
        n -= 1
    else:
        LOG.append(n)
    return n


def finally_notes(n: int) -> int:
    try:
        return n
    finally:
        LOG.append(n)


def raises_after_noting(n: int) -> int:
    if n > 10**6:
        LOG.append(n)
        raise ValueError
    return n


def by_a_static_method_inside(n: int) -> int:
    class Here:
        @staticmethod
        def note(log: Any) -> None:
            log.append(n)

    Here.note(LOG)
    Here().note(LOG)
    return n


def by_a_static_method_inside_of_an_instance(n: int) -> int:
    class Here:
        @staticmethod
        def note(log: Any) -> None:
            log.append(n)

    Here().note(LOG)
    return n


def by_a_class_method_inside(n: int) -> int:
    class Here:
        @classmethod
        def note(cls, log: Any) -> None:
            log.append(n)

    Here.note(LOG)
    return n


def by_an_unbound_method_inside(n: int) -> int:
    class Here:
        def note(self, log: Any) -> None:
            log.append(n)

    Here.note(Here(), LOG)
    return n


def by_a_property_inside(n: int) -> int:
    class Here:
        @property
        def noted(self) -> int:
            LOG.append(n)
            return n

    return Here().noted


def reads_what_a_function_of_its_closure_may_be(n: int) -> int:
    return _configured(n)


def _configure(options: dict[str, int]) -> Any:
    def inner(n: int) -> int:
        return n + options["n"]

    inner.__qualname__ = "_configured"
    return inner


_configured = _configure({"n": 1})


def replaces_by_its_argument(pattern: str, replacement: Any, text: str) -> str:
    import re

    return re.sub(pattern, replacement, text)


def through_a_shared_default_of_a_method(n: int) -> int:
    return len(_Collecting().collect(n))


class _Collecting:
    def collect(self, n: int, into: list[int] = []) -> list[int]:
        into.append(n)
        return into
