"""What functions that travel by value take along, and that their pickles are used again only while it is the same."""

from __future__ import annotations

import functools
import json
import math
import types
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from adaptive_exec import pickling
from adaptive_exec.backends.processes.call import Functions
from adaptive_exec.backends.processes.holdings import holdings_of
from tests import work

Fn = types.FunctionType


class Space:
    """The main module of a program that defines `f`."""

    def __init__(self, source: str, **names: Any) -> None:
        self.globals: dict[str, Any] = {**names, "__name__": "__main__"}
        exec(source, self.globals)

    def fn(self) -> Any:
        return self.globals["f"]


@pytest.fixture
def pickled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What has been pickled."""
    seen: list[object] = []
    dumps = pickling.dumps

    def counted(obj: object, **options: Any) -> bytes:
        seen.append(obj)
        return dumps(obj, **options)

    monkeypatch.setattr("adaptive_exec.backends.processes.call.pickling.dumps", counted)
    return seen


def value_of(functions: Functions, fn: Any, *args: Any) -> Any:
    """What a worker makes of the function as it would be sent now."""
    return pickling.loads(functions.find(fn).pickled)(*args)


STEADY = {
    "nothing": Space("def f(x): return x"),
    "a number": Space("def f(x): return x + n", n=3),
    "a tuple and a text": Space("def f(x): return x, t, s", t=(1, "2", None), s="s"),
    "modules": Space("def f(x): return math.floor(x) + len(json.dumps(x))", math=math, json=json),
    "a function and a class by name": Space("def f(x): return loads(str(D(x)))", loads=json.loads, D=int),
    "a helper": Space("n = 4\ndef g(x): return x * n\ndef f(x): return g(x)"),
    "itself": Space("def f(x): return x if x < 1 else f(x - 1)"),
    "each other": Space("def f(x): return x < 1 or g(x - 1)\ndef g(x): return f(x)"),
    "a default": Space("def f(x, y=2): return x + y"),
    "a name within": Space("def f(x): return [n + y for y in range(x)]", n=1),
    "a name that is nowhere": Space("def f(x): return x or nowhere"),
    "a cell": Space("def make(n):\n  def f(x): return x + n\n  return f\nf = make(5)"),
}


@pytest.mark.parametrize("what", STEADY)
def test_what_never_changes_is_pickled_twice_at_most(what: str, pickled: list[object]) -> None:
    """By the second call it is known that it need not be done again."""
    functions, fn = Functions(), STEADY[what].fn()
    entries = {functions.find(fn) for _ in range(10)}

    assert 1 == len(entries)
    assert len(pickled) <= 2
    assert fn(2) == value_of(functions, fn, 2)


FICKLE = {
    "a list": Space("def f(): return len(items)", items=[]),
    "a tuple with a list": Space("def f(): return items", items=([],)),
    "an object": Space("def f(): return thing.x", thing=types.SimpleNamespace(x=1)),
    "a class of its own": Space("class C: n = 1\ndef f(): return C.n"),
    "a module that nobody imported": Space("def f(): return made", made=types.ModuleType("made_up")),
    "a default that can change": Space("def f(x=[]): return x"),
    "a keyword default": Space("def f(*, x=1): return x"),
    "an attribute of its own": Space("def f(): return f.n\nf.n = 1"),
    "a helper that holds one": Space("items = []\ndef g(): return items\ndef f(): return g()"),
    "a cell with a dict": Space("def make(d):\n  def f(): return d\n  return f\nf = make({})"),
    "a partial": Space("def f(): return p()", p=functools.partial(int, "1")),
    "very many": Space("def f(): return (" + "+".join(f"n{i}" for i in range(70)) + ")"),
}


@pytest.mark.parametrize("what", FICKLE)
def test_what_may_change_inside_is_pickled_every_time(what: str, pickled: list[object]) -> None:
    """Nobody could tell by looking at it from outside."""
    functions, fn = Functions(), FICKLE[what].fn()
    for _ in range(5):
        functions.find(fn)

    assert 5 == len(pickled)
    assert holdings_of(fn) is None


def rebind(space: Space) -> None:
    space.globals["n"] = 10


def new_default(space: Space) -> None:
    space.fn().__defaults__ = (30,)


def new_code(space: Space) -> None:
    space.fn().__code__ = (lambda x=1: 40).__code__


def attribute(space: Space) -> None:
    space.fn().n = 50


def new_cell(space: Space) -> None:
    space.fn().__closure__[0].cell_contents = 60


def rebind_helper(space: Space) -> None:
    exec("def g(): return 70", space.globals)


@pytest.mark.parametrize(
    ("source", "change", "after"),
    [
        ("n = 1\ndef f(x=1): return n", rebind, 10),
        ("n = 1\ndef g(): return n\ndef f(x=1): return g()", rebind, 10),
        ("n = 1\ndef f(x=1): return (lambda: n)()", rebind, 10),
        ("def f(x=1): return x", new_default, 30),
        ("def f(x=1): return x", new_code, 40),
        ("def f(x=1): return x", attribute, 1),
        ("def make(n):\n  def f(): return n\n  return f\nf = make(1)", new_cell, 60),
        ("def g(): return 1\ndef f(x=1): return g()", rebind_helper, 70),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_change_is_seen_by_the_next_call(
    source: str, change: Callable[[Space], None], after: int, pickled: list[object]
) -> None:
    """However long nothing has changed before."""
    functions, space = Functions(), Space(source)
    assert [1] * 4 == [value_of(functions, space.fn()) for _ in range(4)]
    change(space)

    assert after == value_of(functions, space.fn())
    assert after == space.fn()()
    assert [after] * 4 == [value_of(functions, space.fn()) for _ in range(4)]


def test_a_global_that_changes_during_the_pickling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Race 1: that pickle is used for this call, and for no other."""
    functions, space = Functions(), Space("n = 1\ndef f(): return n")
    assert 1 == value_of(functions, space.fn())
    dumps = pickling.dumps

    def changing(obj: object, **options: Any) -> bytes:
        data = dumps(obj, **options)
        space.globals["n"] = 2
        return data

    with monkeypatch.context() as patched:
        patched.setattr("adaptive_exec.backends.processes.call.pickling.dumps", changing)
        functions.find(space.fn())

    assert 2 == value_of(functions, space.fn())


def test_modules_that_are_sent_by_value(pickled: list[object]) -> None:
    """What is found by name then may be pickled as it is now, so nothing is used again."""
    functions, space = Functions(), Space("def f(x): return double(x)", double=work.double)
    functions.find(space.fn())
    functions.find(space.fn())
    cloudpickle.register_pickle_by_value(work)
    try:
        before = len(pickled)
        functions.find(space.fn())
        functions.find(space.fn())
        assert before + 2 == len(pickled)
    finally:
        cloudpickle.unregister_pickle_by_value(work)


def test_functions_made_in_a_loop_are_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is called once; what it takes along is nobody's business."""
    looked: list[Fn] = []
    monkeypatch.setattr("adaptive_exec.backends.processes.call.holdings_of", looked.append)
    functions = Functions()
    made = [Space("def f(): return 1").fn() for _ in range(20)]
    for fn in made:
        functions.find(fn)

    assert [] == looked
