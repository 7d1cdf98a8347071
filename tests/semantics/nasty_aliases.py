"""What a module holds, changed by another name, out of another container, or by another's hand."""

from __future__ import annotations

import bisect
import collections
import contextlib
import copy
import csv
import dataclasses
import functools
import io
import itertools
import json
import operator
import queue
import random
import struct
import threading
import types
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tests.semantics.case import Case

_rows: list[Any] = []
_nested: list[list[int]] = []
_table: dict[str, list[int]] = {}
_buffer = bytearray(8)
_numbers = array("i")
_text = io.StringIO()
_queue: queue.SimpleQueue[int] = queue.SimpleQueue()
_local = threading.local()
_random = random.Random(3)
_words = iter(["a"])


class Node(NamedTuple):
    """A tuple with a list in it."""

    name: str
    children: list[int]


@dataclasses.dataclass
class Box:
    """An object with a list in it."""

    items: list[int]
    count: int = 0

    @property
    def size(self) -> int:
        return self.count

    @size.setter
    def size(self, value: int) -> None:
        self.count = value


class Slotted:
    """An object with a slot."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n


class Other(Box):
    """Another class."""


_node = Node("a", [])
_box = Box([])
_slotted = Slotted(0)


def out_of_a_display(n: int) -> int:
    """Out of a list that was just made."""
    for each in [_rows, []]:
        each.append(n)
    return len(_rows)


def out_of_values(n: int) -> int:
    """Out of the values of a dict that was just made."""
    for each in {"a": _rows}.values():
        each.append(n)
    return len(_rows)


def by_or(n: int) -> int:
    """By what an empty list falls back to."""
    mine: list[int] = [] or _rows
    mine += [n]
    return len(mine)


def by_walrus(n: int) -> int:
    """By a name in an expression."""
    if (mine := _rows) is not None:
        mine.extend(range(n % 2))
    return len(mine)


def by_star(n: int) -> int:
    """By an unpacking with a star."""
    *rest, _ = [_rows, 0]
    rest[0].append(n)
    return len(rest[0])


def by_zip(n: int) -> int:
    """Out of a zip."""
    for each, value in zip([_rows], [n], strict=True):
        each.append(value)
    return len(_rows)


def out_of_a_copy(n: int) -> int:
    """A copy has the same lists in it."""
    copy.copy(_nested)[0].append(n)
    return len(_nested[0])


def out_of_a_slice(n: int) -> int:
    """A slice has, too."""
    _nested[:][0].append(n)
    return len(_nested[0])


def out_of_sorted(n: int) -> int:
    """A sorted list has, too."""
    sorted(_nested, key=len)[0].append(n)  # noqa: FURB192
    return len(_nested[0])


def out_of_max(n: int) -> int:
    """The longest is the very one."""
    max(_nested, key=len).append(n)
    return len(_nested[0])


def out_of_reduce(n: int) -> int:
    """What is folded is the very one."""
    functools.reduce(lambda a, b: a if len(a) > len(b) else b, _nested).append(n)
    return sum(map(len, _nested))


def out_of_chain(n: int) -> int:
    """What is chained is the very one."""
    for each in itertools.chain(_nested, [[1]]):
        each.append(n)
    return len(_nested[0])


def out_of_a_dict_copy(n: int) -> int:
    """A dict made of another has the same values."""
    dict(_table)["a"].append(n)
    return len(_table["a"])


def out_of_a_merge(n: int) -> int:
    """Two dicts as one have the same values."""
    ({"b": [1]} | _table)["a"].append(n)
    return len(_table["a"])


def out_of_a_getter(n: int) -> int:
    """What a getter fetches is the very one."""
    operator.itemgetter(0)(_nested).append(n)
    return len(_nested[0])


def out_of_a_tuple(n: int) -> int:
    """A replaced tuple has the same list in it."""
    _node._replace(name="b").children.append(n)
    return len(_node.children)


def out_of_a_replaced_object(n: int) -> int:
    """So has a replaced object."""
    dataclasses.replace(_box, count=3).items.append(n)
    return len(_box.items)


def out_of_vars(n: int) -> int:
    """What the attributes hold is the very one."""
    vars(_box)["items"].append(n)
    return len(_box.items)


def by_match(n: int) -> int:
    """By a pattern of a class."""
    match _box:
        case Box(items=items):
            items.append(n)
    return len(_box.items)


def by_match_sequence(n: int) -> int:
    """By a pattern of a sequence."""
    match _nested:
        case [first, *_]:
            first.append(n)
    return len(_nested[0])


def by_loop_target(n: int) -> int:
    """By a loop that counts in an attribute."""
    for _box.count in range(n):
        pass
    return _box.count


def by_comprehension_target(n: int) -> int:
    """The same in a comprehension."""
    return len([1 for _box.count in range(n)])


def by_with_target(n: int) -> int:
    """By what a context gives."""
    with contextlib.nullcontext(n) as _box.count:
        return n


def by_default(n: int) -> int:
    """By the default of an inner function."""

    def inner(mine: list[int] = _rows) -> int:
        mine.append(n)
        return len(mine)

    return inner()


def by_class_body(n: int) -> int:
    """By an attribute of an inner class."""

    class Inner:
        items = _rows

    Inner.items.append(n)
    return len(Inner().items)


def by_generator(n: int) -> int:
    """By what a generator yields."""

    def gen() -> Iterator[list[int]]:
        yield from [_rows]

    next(gen()).append(n)
    return len(_rows)


def by_send(n: int) -> int:
    """By what is sent to a generator."""

    def gen() -> Any:
        mine: Any = yield 0
        mine.append(n)
        yield len(mine)

    made: Any = gen()
    next(made)
    return int(made.send(_rows))


def by_another_init(n: int) -> int:
    """An object is made anew in its place."""
    Box.__init__(_box, [n], n)
    return _box.count


def by_a_function_of_a_class(n: int) -> int:
    """A setter out of a property."""
    assert Box.size.fset is not None  # type: ignore[attr-defined]
    Box.size.fset(_box, n)  # type: ignore[attr-defined]
    return _box.count


def by_a_slot(n: int) -> int:
    """The descriptor of a slot."""
    vars_of: Any = Slotted
    vars_of.n.__set__(_slotted, n)
    return _slotted.n


def by_a_slot_at_last(n: int) -> int:
    """The same, late, and nothing is given back."""
    kind: Any = Slotted
    if n > 45:
        kind.n.__set__(_slotted, n)
    return n


def by_a_slot_of_a_name(n: int) -> int:
    """The same by a name, and by object's own method."""
    object.__setattr__(_slotted, "n" + "", n)
    return n


def by_a_mapped_method(n: int) -> int:
    """A function bound to an object by hand, and called by map."""
    return len(list(map(types.MethodType(_bump_by, _box), [n])))


def _bump_by(self: Box, by: int) -> int:
    """Counts."""
    self.count += by
    return by


def by_object(n: int) -> int:
    """As frozen classes do it."""
    object.__setattr__(_box, "count", n)
    return _box.count


def by_another_class(n: int) -> str:
    """The class of an object changes."""
    before = type(_box).__name__
    _box.__class__ = Other if before == "Box" else Box
    return before


def by_a_method_caller(n: int) -> int:
    """A method is called by name."""
    operator.methodcaller("append", n)(_rows)
    return len(_rows)


def by_any(n: int) -> bool:
    """A search that appends."""
    return any(map(_rows.append, range(n % 3)))


def by_a_filter(n: int) -> int:
    """A filter that appends, in a deque that keeps nothing."""
    collections.deque(filter(_rows.append, range(n % 3)), maxlen=0)
    return len(_rows)


def by_a_dispatch_table(n: int) -> int:
    """A method out of a table."""
    actions: dict[str, Callable[[int], Any]] = {"add": _rows.append, "find": _rows.index}
    actions["add"](n)
    return len(_rows)


def by_accumulate(n: int) -> int:
    """What accumulates into a list."""
    return len(list(itertools.accumulate([1, 2], lambda a, b: (_noted(n), b)[1])))


def _noted(n: int) -> bool:
    """Appends."""
    _rows.append(n)
    return True


def by_insort(n: int) -> int:
    """Inserted where it belongs."""
    bisect.insort(_rows, -n)
    return int(_rows[0])


def by_pack(n: int) -> int:
    """Packed into a buffer."""
    struct.pack_into("<I", _buffer, 0, n)
    return n


def by_view(n: int) -> int:
    """Through a view of a buffer."""
    with memoryview(_buffer) as view:
        view[0] = n
    return n


def by_array(n: int) -> int:
    """Into an array."""
    _numbers.extend([n])
    return len(_numbers)


def by_print(n: int) -> int:
    """Printed into a text."""
    print(n, file=_text)
    return n


def by_redirect(n: int) -> int:
    """Printed into a text that stands for standard output."""
    with contextlib.redirect_stdout(_text):
        print(n)
    return n


def by_csv(n: int) -> int:
    """Written as csv."""
    return int(csv.writer(_text).writerow([n]))


def by_json(n: int) -> int:
    """Written as JSON."""
    json.dump([n], _text)
    return n


def by_put(n: int) -> int:
    """Put into a queue."""
    _queue.put(n)
    return _queue.qsize()


def by_thread(n: int) -> int:
    """Another thread appends."""
    thread = threading.Thread(target=_rows.append, args=(n,))
    thread.start()
    thread.join()
    return len(_rows)


def by_pool(n: int) -> int:
    """Threads of a pool append."""
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(_rows.append, [n]))
    return len(_rows)


def by_random(n: int) -> float:
    """A generator of random numbers moves on."""
    return _random.random()


def by_shuffle(n: int) -> int:
    """Shuffled by a generator of its own."""
    random.Random(n).shuffle(_rows)
    _rows.append(n)
    return int(_rows[0])


def by_seed(n: int) -> float:
    """The global generator is seeded, and the next call goes on from there."""
    before = random.random()
    random.seed(n)
    return before


def by_chain_map(n: int) -> int:
    """The first dict of a chain is stored into."""
    collections.ChainMap(_table, {})[str(n)] = [n]
    return len(_table)


def by_namespace(n: int) -> int:
    """A namespace made of a dict has its values."""
    types.SimpleNamespace(**_table).a.append(n)
    return len(_table["a"])


def by_method_type(n: int) -> int:
    """A function bound to an object by hand."""
    return int(types.MethodType(_bump, _box)())


def _bump(self: Box) -> int:
    """Counts."""
    self.count += 1
    return self.count


def by_function_type(n: int) -> int:
    """A function made of another's code, with these globals."""
    return int(types.FunctionType(_bump.__code__, globals())(_box))


def by_the_loop_of_another(n: int) -> int:
    """A name that is bound to it only the second time round."""
    mine: list[int] = []
    for _ in range(2):
        mine.append(n)
        mine = _rows
    return len(mine)


def by_swapping(n: int) -> int:
    """Names that change places."""
    a: list[int] = []
    b = _rows
    a, b = b, a
    a.append(n)
    return len(b)


def by_try(n: int) -> int:
    """A name bound where an error is caught."""
    try:
        mine = list[Any]()[n]
    except IndexError:
        mine = _rows
    mine.append(n)
    return len(mine)


def by_nonlocal(n: int) -> int:
    """A name bound by an inner function."""
    mine: list[int] = []

    def take() -> None:
        nonlocal mine
        mine = _rows

    take()
    mine.append(n)
    return len(mine)


def by_attribute(n: int) -> int:
    """An attribute of a local object."""
    box = Box([])
    box.items = _rows
    box.items.append(n)
    return len(box.items)


def by_setdefault(n: int) -> int:
    """What a dict gives for a key it has not."""
    mine: dict[str, list[int]] = {}
    mine.setdefault("a", _rows).append(n)
    return len(_rows)


def by_get(n: int) -> int:
    """The same by get."""
    mine: dict[str, list[int]] = {}
    mine.get("a", _rows).append(n)
    return len(_rows)


def by_getattr(n: int) -> int:
    """The same by getattr."""
    getattr(object(), "nothing", _rows).append(n)
    return len(_rows)


def by_next(n: int) -> int:
    """The same by next."""
    next(iter([]), _rows).append(n)
    return len(_rows)


def by_keyword(n: int) -> int:
    """Handed on by keyword."""
    return _append(value=n, to=_rows)


def _append(value: int, to: list[int]) -> int:
    """Appends."""
    to.append(value)
    return len(to)


def by_double_star(n: int) -> int:
    """Handed on by a dict."""
    return _append(value=n, to=_rows)


def by_partial(n: int) -> int:
    """Handed on by a partial."""
    return functools.partial(_append, to=_rows)(n)


def by_pipe(n: int) -> int:
    """Through functions that give back what they are given."""
    return _append(n, _same(_same(_rows)))


def _same(thing: Any) -> Any:
    """As it is."""
    return thing


def by_multiplying(n: int) -> int:
    """A list times something has the same lists in it."""
    (_nested * 2)[-1].append(n)
    return len(_nested[0])


def by_unpacking_a_call(n: int) -> int:
    """A list into which another is unpacked."""
    [*_nested, [0]][0].append(n)
    return len(_nested[0])


def by_a_conditional_lambda(n: int) -> int:
    """A function chosen at run time."""
    fn: Callable[[list[int]], Any] = (lambda v: v.append(n)) if n % 2 else (lambda v: v)
    fn(_rows)
    return len(_rows)


def by_recursion(n: int) -> int:
    """Deep in a recursion."""
    return _deep(n % 5, _rows)


def _deep(n: int, into: list[int]) -> int:
    """Appends at the end."""
    if n == 0:
        into.append(1)
        return len(into)
    return _deep(n - 1, into)


def _reset() -> None:
    """As at the start."""
    _rows.clear()
    _nested[:] = [[]]
    _table.clear()
    _table["a"] = []
    _buffer[:] = bytes(8)
    del _numbers[:]
    _text.seek(0)
    _text.truncate()
    _node.children.clear()
    _box.__class__ = Box
    _box.items, _box.count = [], 0
    _slotted.n = 0
    _random.seed(3)
    random.seed(7)
    while not _queue.empty():
        _queue.get()


def _world() -> Any:
    """What there is."""
    state = (list(_rows), copy.deepcopy(_nested), copy.deepcopy(_table), bytes(_buffer), list(_numbers))
    rest = (
        _text.getvalue(),
        _node,
        type(_box).__name__,
        vars(_box),
        _slotted.n,
        _random.getstate(),
        _queue.qsize(),
    )
    return copy.deepcopy((*state, *rest, random.getstate()))


CASES = [
    Case(fn, world=_world, reset=_reset)
    for name, fn in list(globals().items())
    if name.startswith(("by_", "out_of_")) and callable(fn)
]
