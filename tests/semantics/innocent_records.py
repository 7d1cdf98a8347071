"""Innocent functions that work on dates, records and rules."""

from __future__ import annotations

import calendar
import collections
import contextlib
import dataclasses
import datetime as dt
import enum
import functools
import inspect
import io
import ipaddress
import itertools
import logging
import operator
import pickle
import re
import string
import time
import types
import typing
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypedDict

from tests.semantics.case import Case
from tests.semantics.innocent_models import RATES, Item, Level, Order, Right, Stack, group_by
from tests.semantics.innocent_models import first as first_of

_log = logging.getLogger(__name__)

HOLIDAYS = frozenset({(1, 1), (5, 1), (12, 25)})
WEEKEND = (calendar.SATURDAY, calendar.SUNDAY)
UTC = dt.timezone.utc  # noqa: UP017
_MAIL = re.compile(r"(?P<user>[\w.+-]+)@(?P<host>[\w-]+(?:\.[\w-]+)+)")


class Report(TypedDict):
    """What a report holds."""

    total: int
    lines: list[str]
    worst: str | None


@dataclass(frozen=True)
class Rule:
    """A rule that a field has to follow."""

    name: str
    test: Callable[[Any], bool]
    message: str = "is wrong"

    def check(self, record: Mapping[str, Any]) -> Iterator[str]:
        value = record.get(self.name)
        if value is None:
            yield f"{self.name} is missing"
        elif not self.test(value):
            yield f"{self.name} {self.message}: {value!r}"


def _is_mail(text: Any) -> bool:
    """Whether this is an address."""
    return isinstance(text, str) and _MAIL.fullmatch(text) is not None


RULES = (
    Rule("name", str.isidentifier, "is no name"),
    Rule("age", lambda age: 0 <= age < 150),
    Rule("mail", _is_mail),
)


@dataclass
class Result:
    """Of a validation."""

    level: Level
    problems: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.problems.sort()


def validates(record: dict[str, Any]) -> Result:
    """Rules in a constant, with functions in their fields."""
    problems = [problem for rule in RULES for problem in rule.check(record)]
    fields = {}
    if match := _MAIL.fullmatch(str(record.get("mail"))):
        fields = match.groupdict()
    return Result(Level.of(len(problems) / 3), problems, fields)


def validates_by_own_rules(record: dict[str, Any]) -> list[str]:
    """The same, with rules of its own."""
    rules = [Rule("name", lambda name: name.islower()), Rule("age", lambda age: age % 2 == 0, "is odd")]
    return list(itertools.chain.from_iterable(rule.check(record) for rule in rules))


def reports(orders: list[Order]) -> Report:
    """Dataclass instances are read, and a typed dict is given back."""
    lines = []
    for order in sorted(orders, key=lambda each: each.total(), reverse=True):
        kinds = {kind: sum(item.total for item in items) for kind, items in order.by_kind().items()}
        lines.append(
            f"#{order.number}: " + ", ".join(f"{kind}={cents / 100:.2f}" for kind, cents in kinds.items())
        )
    return {"total": sum(map(Order.total, orders)), "lines": lines, "worst": lines[-1] if lines else None}


def taxes(order: Order) -> dict[str, int]:
    """A read-only mapping of fractions."""
    return {
        kind: round(sum(item.total for item in items) * RATES[kind])
        for kind, items in group_by(order.items, operator.attrgetter("kind")).items()
    }


def discounts(order: Order, percent: int) -> Order:
    """A changed copy of an order."""
    items = [
        dataclasses.replace(item, cents=item.cents * (100 - percent) // 100, tags=(*item.tags, "sale"))
        for item in order.items
    ]
    made = Order(order.number, items)
    made.note = f"{percent}% off"
    made.items.append(Item("bag", "tools", 10))
    return made


def counts_workdays(start: dt.date, days: int) -> tuple[dt.date, int]:
    """Days without weekends and holidays."""
    day, worked = start, 0
    while worked < days:
        day += dt.timedelta(days=1)
        if day.weekday() not in WEEKEND and (day.month, day.day) not in HOLIDAYS:
            worked += 1
    return day, (day - start).days


def finds_easter(year: int) -> dt.date:
    """Gauss's rule."""
    a, b, c = year % 19, *divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


def draws_a_month(year: int, month: int) -> str:
    """A calendar as text."""
    lines = [f"{calendar.month_name[month]} {year}".center(20)]
    weeks = calendar.Calendar(firstweekday=0).monthdayscalendar(year, month)
    lines.extend(" ".join(f"{day:2}" if day else "  " for day in week) for week in weeks)
    return "\n".join(lines)


def groups_by_hour(stamps: list[int]) -> dict[dt.datetime, int]:
    """Points of time in buckets."""
    found: collections.Counter[dt.datetime] = collections.Counter()
    for stamp in stamps:
        moment = dt.datetime.fromtimestamp(stamp, tz=UTC)
        found[moment.replace(minute=0, second=0, microsecond=0)] += 1
    return dict(sorted(found.items()))


def reads_moments(texts: list[str]) -> list[str]:
    """Several formats, one after the other."""
    found = []
    for text in texts:
        for form in ("%Y-%m-%d", "%d.%m.%Y %H:%M", "%b %d %Y"):
            try:
                moment = dt.datetime.strptime(text, form)
            except ValueError:
                continue
            found.append(moment.isoformat(timespec="minutes"))
            break
        else:
            found.append(f"? {text}")
    return found


def repeats(start: dt.date, rule: str, count: int) -> list[dt.date]:
    """Dates by a rule, from generators."""

    def weekly() -> Iterator[dt.date]:
        day = start
        while True:
            yield day
            day += dt.timedelta(weeks=1)

    def monthly() -> Iterator[dt.date]:
        for step in itertools.count():
            year, month = divmod(start.year * 12 + start.month - 1 + step, 12)
            last = calendar.monthrange(year, month + 1)[1]
            yield start.replace(year=year, month=month + 1, day=min(start.day, last))

    rules = {"weekly": weekly, "monthly": monthly}
    return list(itertools.islice(rules[rule](), count))


def plans_networks(network: str, parts: int) -> dict[str, Any]:
    """Addresses and networks."""
    whole = ipaddress.IPv4Network(network)
    subnets = list(whole.subnets(prefixlen_diff=parts))
    return {
        "subnets": [str(each) for each in subnets],
        "hosts": [str(first_of(each.hosts(), each.network_address)) for each in subnets],
        "private": all(each.is_private for each in subnets),
        "last": int(subnets[-1].broadcast_address),
    }


def arranges_paths(paths: list[str]) -> dict[str, list[str]]:
    """Paths that nobody opens."""
    found: collections.defaultdict[str, list[str]] = collections.defaultdict(list)
    for path in map(PurePosixPath, paths):
        parent = path.parent / "old" if path.suffix == ".bak" else path.parent
        found[parent.as_posix()].append(path.with_suffix(".txt").name)
    return {name: sorted(files) for name, files in found.items()}


def names_things(names: list[str]) -> list[uuid.UUID]:
    """Identifiers that depend on the names only."""
    return [uuid.uuid5(uuid.NAMESPACE_URL, name) for name in names]


def grants(text: str) -> tuple[Right, bool]:
    """Flags, joined."""
    rights = functools.reduce(operator.or_, (Right[name.upper()] for name in text.split()), Right(0))
    rights |= Right.READ
    return rights & ~Right.RUN, Right.WRITE in rights


def finds_levels(scores: list[float]) -> dict[Level, int]:
    """Members of an enum as keys."""
    counts = dict.fromkeys(Level, 0)
    for score in scores:
        counts[Level.of(score)] += 1
    return counts


class Shelf:
    """Properties, a static method, and methods that call each other."""

    limit = 3

    def __init__(self) -> None:
        self._boxes: list[list[str]] = [[]]

    @staticmethod
    def clean(name: str) -> str:
        return name.strip().title()

    @property
    def size(self) -> int:
        return sum(map(len, self._boxes))

    def put(self, *names: str) -> Shelf:
        for name in names:
            if len(self._boxes[-1]) >= type(self).limit:
                self._boxes.append([])
            self._boxes[-1].append(self.clean(name))
        return self

    def __len__(self) -> int:
        return len(self._boxes)

    def __getitem__(self, index: int) -> tuple[str, ...]:
        return tuple(self._boxes[index])

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.size} in {len(self)})"


def fills_shelves(names: list[str]) -> tuple[str, list[tuple[str, ...]]]:
    """Calls one after the other on an object of its own."""
    shelf = Shelf().put("first").put(*names)
    return repr(shelf), list(reversed(shelf))


class Registry(collections.UserDict[str, int]):
    """A dict that knows aliases."""

    def __missing__(self, key: str) -> int:
        return self.data.get(key.lower(), -1)

    def __setitem__(self, key: str, item: int) -> None:
        super().__setitem__(key.lower(), item)


def registers_words(words: list[str]) -> dict[str, int]:
    """A subclass of the standard library's."""
    registry = Registry()
    for index, word in enumerate(words):
        registry[word] = index
    return {word: registry[word.upper()] for word in [*words, "none"]}


class Counting(dict[str, int]):
    """A dict with a method more."""

    def count(self, key: str) -> int:
        self[key] = self.get(key, 0) + 1
        return self[key]

    def __missing__(self, key: str) -> int:
        return 0


def counts_by_subclass(words: list[str]) -> dict[str, int]:
    """A subclass of dict that changes itself."""
    counting = Counting()
    total = sum(counting.count(word[:1]) for word in words) + counting["?"]
    return {**counting, "total": total}


class Celsius:
    """A descriptor."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: Any, owner: type) -> float:
        return float(getattr(instance, self.name, 0.0))

    def __set__(self, instance: Any, value: float) -> None:
        if value < -273.15:
            raise ValueError("too cold")
        setattr(instance, self.name, value)


class Room:
    """A class with a descriptor."""

    inside = Celsius()
    outside = Celsius()

    def __init__(self, inside: float, outside: float) -> None:
        self.inside = inside
        self.outside = outside


def heats(n: int) -> float:
    """A descriptor checks what is set."""
    room = Room(20.0, -n)
    with contextlib.suppress(ValueError):
        room.inside = -300.0
    return room.inside - room.outside


class Lazy:
    """Computes when asked."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)

    @functools.cached_property
    def total(self) -> int:
        return sum(self.numbers)

    @functools.cached_property
    def squares(self) -> list[int]:
        return [number * number for number in self.numbers]


def asks_lazily(n: int) -> tuple[int, list[int]]:
    """Cached properties of an object of its own."""
    lazy = Lazy(range(n))
    lazy.squares.append(lazy.total)
    return lazy.total, lazy.squares


@functools.singledispatch
def _describe(value: object) -> str:
    """What something is."""
    return f"thing {value}"


@_describe.register
def _(value: int) -> str:
    return f"number {value}"


@_describe.register
def _(value: list) -> str:  # type: ignore[type-arg]
    return "list of " + ", ".join(map(_describe, value))


def dispatches(n: int) -> str:
    """By the class of an argument."""
    return _describe([n, "a", [n + 1]])


def _retried(times: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call again what fails."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def again(*args: Any, **options: Any) -> Any:
            for attempt in range(times):
                try:
                    return function(*args, attempt=attempt, **options)
                except LookupError:
                    _log.debug("attempt %d failed", attempt)
            raise TimeoutError(f"{function.__name__} failed {times} times")

        return again

    return decorate


@_retried(3)
def tries_again(n: int, attempt: int = 0) -> str:
    """A decorator around the function itself."""
    if attempt < n % 4:
        raise KeyError(n)
    return f"{n} after {attempt}"


def calls_what_is_decorated(n: int) -> list[str]:
    """The decorated function is called, and its error is caught."""
    found = []
    for number in range(n % 5):
        try:
            found.append(tries_again(number))
        except TimeoutError as error:
            found.append(str(error))
    return found


class Plugin:
    """Subclasses give a name and do something."""

    name = "none"

    def run(self, value: int) -> int:
        raise NotImplementedError(self.name)


class Double(Plugin):
    name = "double"

    def run(self, value: int) -> int:
        return value * 2


class Negate(Plugin):
    name = "negate"

    def run(self, value: int) -> int:
        return -value


PLUGINS: Mapping[str, type[Plugin]] = types.MappingProxyType({each.name: each for each in (Double, Negate)})


def runs_plugins(names: list[str], value: int) -> int:
    """Classes are looked up in a read-only table, made and called."""
    for name in names:
        plugin = PLUGINS.get(name, Plugin)()
        try:
            value = plugin.run(value)
        except NotImplementedError as error:
            value += len(str(error))
    return value


def runs_own_plugins(value: int) -> int:
    """The same from a table of its own."""
    table: dict[str, type[Plugin]] = {"double": Double, "negate": Negate}
    for name in sorted(table):
        value = table[name]().run(value)
    return value


COMMANDS: Mapping[str, Callable[[int, int], int]] = types.MappingProxyType(
    {"add": operator.add, "sub": operator.sub, "max": max}
)


def computes_by_table(program: str) -> list[int]:
    """A stack machine, by a read-only table of functions."""
    stack: Stack[int] = Stack()
    for word in program.split():
        if word in COMMANDS:
            right, left = stack.pop(), stack.pop()
            stack.push(COMMANDS[word](left, right))
        else:
            stack.push(int(word))
    return list(stack)


class Person(NamedTuple):
    """A row of a table."""

    name: str
    team: str
    wage: int

    @classmethod
    def parse(cls, line: str) -> Person:
        name, team, wage = line.split(",")
        return cls(name, team, int(wage))


def joins_tables(lines: list[str], bosses: dict[str, str]) -> list[dict[str, Any]]:
    """Rows in groups, with sums and ranks."""
    people = sorted(map(Person.parse, lines), key=operator.attrgetter("team", "wage"))
    rows: list[dict[str, Any]] = []
    for team, members in itertools.groupby(people, key=lambda person: person.team):
        group = list(members)
        wages = [person.wage for person in group]
        rows.append(
            {"team": team, "boss": bosses.get(team), "sum": sum(wages), "top": group[-1].name}
            | {f"rank{rank}": person._asdict() for rank, person in enumerate(reversed(group), 1)}
        )
    rows.sort(key=operator.itemgetter("sum"), reverse=True)
    return rows


def pivots(rows: list[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Nested default dicts, turned into plain ones."""
    table: collections.defaultdict[str, collections.defaultdict[str, int]] = collections.defaultdict(
        lambda: collections.defaultdict(int)
    )
    for row, column, value in rows:
        table[row][column] += value
        table["all"][column] += value
    return {row: dict(sorted(cells.items())) for row, cells in sorted(table.items())}


def merges_deeply(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A new dict of two, recursively."""
    made = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = merges_deeply(made[key], value)
        else:
            made[key] = value
    return made


def pickles(n: int) -> tuple[int, Any]:
    """There and back again."""
    data = pickle.dumps({"n": [n, (n, "x")]}, protocol=4)
    return len(data), pickle.loads(data)


def archives(names: list[str]) -> list[tuple[str, int]]:
    """An archive in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), name * 20)
    buffer.seek(0)
    with zipfile.ZipFile(buffer) as archive:
        return [(info.filename, info.file_size) for info in archive.infolist()]


def reads_hints(n: int) -> dict[str, str]:
    """Annotations and fields are read."""
    names = [each.name for each in dataclasses.fields(Item)]
    kinds = typing.get_type_hints(Item)
    return {name: str(kinds[name]) for name in names[: n % 6]}


def warns(n: int) -> int:
    """A warning that may be given."""
    if n > 10**9:
        warnings.warn("large", stacklevel=2)
    return n * 2


def measures_time(n: int) -> int:
    """A clock is read, and what it says is logged."""
    start = time.perf_counter()
    total = sum(range(n))
    _log.debug("took %.6f s", time.perf_counter() - start)
    return total


def logs_progress(items: list[str]) -> dict[str, int]:
    """Many levels and styles of logging, with errors."""
    sizes: dict[str, int] = {}
    for index, item in enumerate(items):
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("item %d of %d", index, len(items), extra={"item": item})
        try:
            sizes[item] = 100 // len(item)
        except ZeroDivisionError:
            _log.warning("empty item %d", index, exc_info=False)
            sizes[item] = 0
    _log.log(logging.INFO, "%d sizes", len(sizes))
    return sizes


def makes_an_enum(names: str) -> list[tuple[str, int]]:
    """An enum, a named tuple and a dataclass made within."""
    kinds = enum.Enum("kinds", names)  # type: ignore[misc]
    Pair = collections.namedtuple("Pair", "name value")  # noqa: PYI024
    made = [Pair(kind.name, kind.value) for kind in kinds]
    return [tuple(pair) for pair in made]


def defines_classes(n: int) -> list[str]:
    """Classes within, with inheritance and state of their own."""

    class Base:
        made: list[str] = []  # noqa: RUF012

        def __init__(self, name: str) -> None:
            self.name = name
            self.made.append(name)

        def __str__(self) -> str:
            return f"<{self.name}>"

    class Loud(Base):
        def __str__(self) -> str:
            return super().__str__().upper()

    @dataclass(frozen=True)
    class Box:
        content: Base

        def open(self) -> str:
            return str(self.content)

    opened = [Box((Loud if index % 2 else Base)(f"n{index}")).open() for index in range(n % 5)]
    return opened + Base.made


def binds_arguments(n: int) -> dict[str, Any]:
    """A signature is read and filled."""
    bound = inspect.signature(discounts).bind(Order(n), percent=n)
    bound.apply_defaults()
    return {name: str(type(value).__name__) for name, value in bound.arguments.items()}


def delegates(n: int) -> list[int]:
    """Generators that get values sent."""

    def averages() -> Iterator[int]:
        total = 0
        for count in itertools.count(1):
            total += n * count
            yield total // count

    def both() -> Iterator[int]:
        yield from itertools.islice(averages(), 3)
        yield from (value for value in (1, 2, n) if value % 2)

    def receiver() -> typing.Generator[int, int, str]:
        seen: list[int] = []
        while len(seen) < 3:
            seen.append((yield sum(seen)))
        return "done"

    listening = receiver()
    found = [next(listening)]
    for value in both():
        try:
            found.append(listening.send(value))
        except StopIteration as stop:
            found.append(len(str(stop.value)))
            break
    return found


def formats_specially(value: float) -> list[str]:
    """A formatter of its own class."""

    class Shout(string.Formatter):
        def format_field(self, value: Any, format_spec: str) -> str:
            return str(super().format_field(value, format_spec)).upper()

    return [Shout().format("{0:.1e} {name}", value, name="x"), f"{value!r:>8}", format(value, "+08.2f")]


@dataclass(frozen=True)
class Money:
    """An amount in a currency."""

    cents: int
    currency: str = "EUR"

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency}")
        return Money(self.cents + other.cents, self.currency)

    def split(self, parts: int) -> list[Money]:
        """Nearly equal parts."""
        each, rest = divmod(self.cents, parts)
        return [Money(each + (index < rest), self.currency) for index in range(parts)]

    def __format__(self, spec: str) -> str:
        return f"{self.cents / 100:{spec or '.2f'}} {self.currency}"


def adds_money(amounts: list[Money]) -> str:
    """Operators and formats of value objects that came as arguments."""
    total = functools.reduce(operator.add, amounts)
    return f"{total:.1f} = {total}"


def sums_money(amounts: list[Money]) -> list[Money]:
    """A sum with a start, and sorting by a field."""
    total = sum(amounts, Money(0))
    return sorted([total, *amounts], key=lambda money: money.cents)


def _order(n: int) -> Order:
    """An order."""
    kinds = ("books", "food", "tools")
    return Order(n, [Item(f"i{i}", kinds[i * n % 3], n * 10 + i, i + 1) for i in range(4)])


_DAY = dt.date(2024, 1, 30)

CASES = [
    Case(
        validates, arguments=lambda n: ({"name": f"n{n}", "age": n * 5, "mail": "a@b.c" if n % 2 else "x"},)
    ),
    Case(validates_by_own_rules, arguments=lambda n: ({"name": "a", "age": n},)),
    Case(reports, arguments=lambda n: ([_order(n), _order(n + 1)],)),
    Case(taxes, arguments=lambda n: (_order(n),)),
    Case(discounts, arguments=lambda n: (_order(n), n)),
    Case(counts_workdays, arguments=lambda n: (_DAY, n)),
    Case(finds_easter, arguments=lambda n: (1990 + n,), ordered=False),
    Case(draws_a_month, arguments=lambda n: (2000 + n, n % 12 + 1)),
    Case(groups_by_hour, arguments=lambda n: ([n * 1000 * i for i in range(6)],)),
    Case(
        reads_moments,
        arguments=lambda n: (["2024-02-03", f"0{n % 9 + 1}.03.2020 10:30", "Jan 01 2020", "x"],),
    ),
    Case(repeats, arguments=lambda n: (_DAY, ("weekly", "monthly")[n % 2], n % 5)),
    Case(plans_networks, arguments=lambda n: (f"10.{n}.0.0/16", n % 3 + 1)),
    Case(arranges_paths, arguments=lambda n: (["/a/b.bak", f"/a/c{n}.md", "d"],)),
    Case(names_things, arguments=lambda n: ([f"http://{n}", "x"],)),
    Case(grants, arguments=lambda n: (("read", "write run", "run", "")[n % 4],)),
    Case(finds_levels, arguments=lambda n: ([n / 60, 0.5, 0.9],)),
    Case(fills_shelves, arguments=lambda n: ([f" box {i}" for i in range(n % 7)],)),
    Case(registers_words, arguments=lambda n: ([f"w{i}" for i in range(n % 4)],)),
    Case(counts_by_subclass, arguments=lambda n: (["ab", "ac", f"{n}"],)),
    Case(heats),
    Case(asks_lazily),
    Case(dispatches),
    Case(tries_again),
    Case(calls_what_is_decorated),
    Case(runs_plugins, arguments=lambda n: (["double", "negate", "what"][: n % 4], n)),
    Case(runs_own_plugins),
    Case(computes_by_table, arguments=lambda n: (f"1 {n} add 3 sub 7 max {n}",)),
    Case(joins_tables, arguments=lambda n: ([f"ann,x,{n}", "bob,y,5", "cid,x,7"], {"x": "zoe"})),
    Case(pivots, arguments=lambda n: ([("a", "x", n), ("b", "y", 2), ("a", "y", n % 3)],)),
    Case(merges_deeply, arguments=lambda n: ({"a": {"b": n}, "c": 1}, {"a": {"d": 2}, "c": n})),
    Case(pickles),
    Case(archives, arguments=lambda n: ([f"f{i}" for i in range(n % 4)],)),
    Case(reads_hints),
    Case(warns),
    Case(measures_time),
    Case(logs_progress, arguments=lambda n: (["a", "", f"{n}"],)),
    Case(makes_an_enum, arguments=lambda n: (f"a b c{n}",)),
    Case(defines_classes),
    Case(binds_arguments),
    Case(delegates),
    Case(formats_specially, arguments=lambda n: (n / 7,)),
    Case(adds_money, arguments=lambda n: ([Money(n), Money(5), Money(n * n)],)),
    Case(sums_money, arguments=lambda n: ([Money(n), Money(5), Money(n * n)],)),
    Case(Money.split, arguments=lambda n: (Money(n * 7), 3)),
    Case(Order.by_kind, arguments=lambda n: (_order(n),)),
    Case(Money(1234).split, arguments=lambda n: (n + 1,)),
]
