"""What functions that travel by value take along, and that their pickles are used again only while it is the same."""

from __future__ import annotations

import functools
import gc
import json
import math
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from adaptive_exec import pickling
from adaptive_exec.backends.processes.call import Functions
from adaptive_exec.backends.processes.holdings import holdings_of
from adaptive_exec.platform.gil import gil_enabled
from tests import work

Fn = types.FunctionType


class Space:
    """The main module of a program that defines `f`."""

    def __init__(self, source: str, **names: Any) -> None:
        self.globals: dict[str, Any] = {**names, "__name__": "__main__"}
        exec(compile(source, "main", "exec", dont_inherit=True), self.globals)

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
def test_what_never_changes_is_pickled_three_times_at_most(what: str, pickled: list[object]) -> None:
    """By then it has come out twice alike."""
    functions, fn = Functions(), STEADY[what].fn()
    entries = {functions.find(fn) for _ in range(10)}

    assert 1 == len(entries)
    assert len(pickled) <= 3
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


def test_what_may_change_is_looked_into_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a pickle that can't be used again that would be lost."""
    looked: list[Fn] = []
    monkeypatch.setattr("adaptive_exec.backends.processes.call.holdings_of", looked.append)
    functions, fn = Functions(), Space("def f(): return items", items=[]).fn()
    for _ in range(100):
        functions.find(fn)

    assert 6 == len(looked)


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


@pytest.mark.parametrize("back", [False, True])
def test_a_global_that_changes_during_the_pickling(monkeypatch: pytest.MonkeyPatch, back: bool) -> None:
    """Race 1: such a pickle is used for that call, and for no other; also if it is what it was afterwards."""
    dumps = pickling.dumps
    for before in range(3):
        functions, space = Functions(), Space("n = 1\ndef f(): return n")
        for _ in range(before):
            assert 1 == value_of(functions, space.fn())

        def changing(obj: object, space: Space = space, **options: Any) -> bytes:
            space.globals["n"] = 2
            data = dumps(obj, **options)
            space.globals["n"] = 1 if back else 3
            return data

        with monkeypatch.context() as patched:
            patched.setattr("adaptive_exec.backends.processes.call.pickling.dumps", changing)
            functions.find(space.fn())

        assert [space.fn()()] * 6 == [value_of(functions, space.fn()) for _ in range(6)]


def test_a_submodule_that_is_imported_later() -> None:
    """A worker imports what the code means by an attribute of a package, if it is loaded by the time of the call."""
    functions, space = (
        Functions(),
        Space("def f(): return package.part.__name__", package=work.package("made_up")),
    )
    first = [functions.find(space.fn()).number for _ in range(5)]
    work.package("made_up.part")
    try:
        assert functions.find(space.fn()).number not in first
        assert b"made_up.part" in functions.find(space.fn()).pickled
    finally:
        del sys.modules["made_up"], sys.modules["made_up.part"]


ABOUT: dict[str, Callable[[Any], object]] = {
    "doc": lambda f: setattr(f, "__doc__", "two"),
    "name": lambda f: setattr(f, "__name__", "two"),
    "qualified name": lambda f: setattr(f, "__qualname__", "two"),
    "module": lambda f: setattr(f, "__module__", "two"),
    "annotations": lambda f: f.__annotations__.update(x=str),
    "file": lambda f: f.__globals__.update(__file__="two"),
}


@pytest.mark.parametrize("what", ABOUT)
@pytest.mark.parametrize("of", ["f", "g"])
def test_what_a_function_is_called_and_annotated_with_goes_along(what: str, of: str) -> None:
    """What is kept is what pickling it again would give, for its helpers, too."""
    functions = Functions()
    space = Space("def g(x: int): 'one'\ndef f(x: int):\n  'one'\n  return g")
    for _ in range(5):
        functions.find(space.fn())
    ABOUT[what](space.globals[of])

    assert pickling.dumps(space.fn()) == functions.find(space.fn()).pickled


def test_annotations_that_may_change_are_not_kept() -> None:
    """A class of the program's own can hang on a function as well."""
    space = Space("class C: n = 1\ndef f(x: C = None): return f.__annotations__['x'].n")

    assert holdings_of(space.fn()) is None


def test_annotations_that_never_change_are() -> None:
    """Most are classes, and unions and lists of them."""
    assert (
        holdings_of(Space("def f(x: int, y: list[str], z: bytes | None) -> 'C': return x").fn()) is not None
    )


@pytest.mark.skipif(
    not gil_enabled() and sys.version_info < (3, 14),
    reason="without a GIL, 3.13 keeps every function for ever once there has been a second thread",
)
@pytest.mark.parametrize(
    "source",
    [
        "def f(): return g()\ndef g(): return f",
        "def make():\n  def f(n): return f(n - 1) if n else thing\n  thing = 1\n  return f\nf = make()",
    ],
)
def test_nothing_is_kept_alive(source: str) -> None:
    """Neither a function that leads back to itself nor the names around it outlive its last user."""
    functions, space = Functions(), Space(source)

    class Bystander:
        """Something in the same module."""

    space.globals["bystander"] = thing = Bystander()
    seen = [weakref.ref(space.fn()), weakref.ref(thing)]
    for _ in range(5):
        functions.find(space.fn())
    del space, thing
    gc.collect()

    assert [None, None] == [ref() for ref in seen]
    assert not functions._by_identity


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


def test_while_another_thread_imports_cloudpickle(
    pickled: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its module is in the table before it holds anything; what is called meanwhile is sent all the same."""
    functions, space = Functions(), Space("def f(x): return x")
    functions.find(space.fn())
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "cloudpickle", types.ModuleType("cloudpickle"))
        functions.find(space.fn())
        assert holdings_of(space.fn()) is None
    for _ in range(8):
        functions.find(space.fn())

    assert functions._by_identity[id(space.fn())].kept
    assert 10 > len(pickled)


def test_functions_made_in_a_loop_are_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is called once; what it takes along is nobody's business."""
    looked: list[Fn] = []
    monkeypatch.setattr("adaptive_exec.backends.processes.call.holdings_of", looked.append)
    functions = Functions()
    made = [Space("def f(): return 1").fn() for _ in range(20)]
    for fn in made:
        functions.find(fn)

    assert [] == looked
