"""`judge`: nothing nasty leaves, and what is innocent may."""

from __future__ import annotations

import functools
import gc
import importlib.util
import json
import linecache
import math
import operator
import os
import random
import sys
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptive_exec.cli import workloads
from adaptive_exec.routing import world
from adaptive_exec.routing.safety import Verdict, judge
from tests.routing.corpus import innocent, innocent_hooks, nasty, nasty_classes, nasty_hooks, shapes


def functions_of(*modules: types.ModuleType) -> list[Any]:
    """The functions of a corpus, without its helpers."""
    return [
        pytest.param(value, id=name)
        for module in modules
        for name, value in vars(module).items()
        if callable(value)
        and not isinstance(value, type)
        and not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    ]


@pytest.mark.parametrize("fn", functions_of(nasty, nasty_classes, nasty_hooks))
def test_nasty_functions_stay(fn: Callable[..., Any]) -> None:
    """Each has a reason, which is a clause and names the trouble."""
    verdict = judge(fn)

    assert not verdict.allowed
    assert verdict.reason
    assert "could not be read" not in verdict.reason
    assert "tangled" not in verdict.reason
    assert "too deeply" not in verdict.reason


@pytest.mark.parametrize("fn", functions_of(innocent, innocent_hooks))
def test_innocent_functions_may_leave(fn: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is kept, in a program without NumPy, where a slice is a copy."""
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    assert "" == judge(fn).reason
    assert judge(fn).allowed


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("appends_to_a_global", "appends to the module-level list LOG (line "),
        ("stores_an_item", "assigns an item of the module-level dict INDEX (line "),
        ("calls_a_helper_two_calls_away", "appends to the module-level list SEEN (helpers.py, line "),
        ("sorts_its_argument", "sorts its argument items (line "),
        ("attribute_of_a_class", "sets the attribute count of type Registry (line "),
        ("rebinds_a_global", "rebinds the global calls (line "),
        ("environment_written", "reads or writes os.environ of this process (line "),
        ("calls_its_argument", "calls its argument fn, which may do anything (line "),
        ("returns_the_very_global", "returns the module-level dict INDEX, "),
        ("the_order_of_a_set", "depends on the order of a set"),
        ("sets_up_logging", "calls logging.basicConfig, which changes how this process logs (line "),
        ("pushes_onto_a_heap", "calls heapq.heappush() on the module-level list HEAP (line "),
        ("locks", "uses the module-level lock LOCK, a lock of this process (line "),
    ],
)
def test_the_reason_names_the_very_thing(name: str, reason: str) -> None:
    """What it does, to what, and in which line."""
    assert judge(getattr(nasty, name)).reason.startswith(reason)


def test_what_is_read_is_listed() -> None:
    """Data of its own modules, class attributes by their path; no modules, functions or classes."""
    corpus = "tests.routing.corpus"

    assert {(f"{corpus}.innocent", "PRICES")} == set(judge(innocent.price).reads)
    assert {(f"{corpus}.innocent", "LIMIT"), (f"{corpus}.innocent", "PRIMES")} == set(
        judge(innocent.below_limit).reads
    )
    assert ((f"{corpus}.helpers", "LIMIT"),) == judge(innocent.below_limit_of_a_module).reads
    assert ((f"{corpus}.helpers", "Settings.level"),) == judge(innocent.reads_a_class).reads
    assert () == judge(innocent.prime_sieve).reads


@pytest.mark.parametrize(
    ("fn", "allowed"),
    [
        pytest.param(shapes.one, True, id="first lambda of the line"),
        pytest.param(shapes.two, False, id="second lambda of the line"),
        pytest.param(shapes.three, True, id="lambda in a lambda"),
        pytest.param(shapes.nested, False, id="lambda that returns a nasty one"),
        pytest.param(shapes.nested(1), False, id="that nasty one"),
        pytest.param(shapes.pair[0], True, id="first of a pair"),
        pytest.param(shapes.pair[1], False, id="second of a pair"),
        pytest.param(shapes.make_adder(3), True, id="closure over a number"),
        pytest.param(shapes.make_lookup({1: 2}), True, id="closure that reads a dict"),
        pytest.param(shapes.make_counter(), False, id="nonlocal"),
        pytest.param(shapes.make_collector([]), False, id="closure that appends"),
        pytest.param(shapes.make_caller(shapes.one), False, id="closure that calls what it was given"),
        pytest.param(shapes.make_with_helper(2), True, id="closure with a helper of its own"),
        pytest.param(shapes.make_with_noting_helper(), False, id="closure with a nasty helper"),
        pytest.param(shapes.by_three, True, id="partial"),
        pytest.param(shapes.into_a_list, False, id="partial that appends"),
        pytest.param(functools.partial(shapes.by_three, 4), True, id="partial of a partial"),
        pytest.param(shapes.wrapped, True, id="decorated twice"),
        pytest.param(shapes.noted, False, id="nasty decorator"),
        pytest.param(shapes.wrapped_and_noting, False, id="decorated nasty function"),
        pytest.param(shapes.Model([1]).predict, True, id="method"),
        pytest.param(shapes.Model([1]).predict_twice, True, id="method that calls another"),
        pytest.param(shapes.Model([1]).count, False, id="method that counts"),
        pytest.param(shapes.Model([1]).count_by_another, False, id="method that calls one that counts"),
        pytest.param(shapes.Model([1]).note, False, id="method that fills a class attribute"),
        pytest.param(shapes.Model([1]).sort, False, id="method that sorts what its object holds"),
        pytest.param(shapes.Model([1]).call_hook, False, id="method with a hook that a subclass made nasty"),
        pytest.param(shapes.Model.plain, True, id="static method"),
        pytest.param(shapes.Model.of_class, False, id="class method"),
        pytest.param(shapes.Scaler(2), True, id="callable object"),
        pytest.param(shapes.Counter(), False, id="callable object that counts"),
        pytest.param(shapes.Point, True, id="dataclass"),
        pytest.param(shapes.Listed, False, id="class that lists its instances"),
        pytest.param(json.loads, True, id="json.loads"),
        pytest.param(math.factorial, True, id="builtin"),
        pytest.param(sorted, True, id="sorted"),
        pytest.param(len, True, id="len"),
        pytest.param(str.upper, True, id="method of str"),
        pytest.param(sum, True, id="sum"),
        pytest.param([].append, False, id="bound append"),
        pytest.param(print, False, id="print"),
        pytest.param(id, False, id="id"),
        pytest.param(random.random, False, id="random.random"),
        pytest.param(os.getpid, False, id="os.getpid"),
        pytest.param(os.getenv, False, id="os.getenv"),
        pytest.param(map, False, id="map"),
        pytest.param(setattr, False, id="setattr"),
        pytest.param(next, False, id="next"),
        pytest.param(exec, False, id="exec"),
        pytest.param(list.append, False, id="list.append"),
        pytest.param(operator.setitem, False, id="operator.setitem"),
    ],
)
def test_callables_of_every_shape(fn: Callable[..., Any], allowed: bool) -> None:
    """Wrappers are looked through; builtins go by their names."""
    verdict = judge(fn)

    assert allowed == verdict.allowed, verdict.reason
    assert allowed == (not verdict.reason)


@pytest.mark.parametrize(
    ("fn", "allowed"),
    [
        (workloads.rank_functions, True),
        (workloads.pack_files, True),
        (workloads.index_words, False),
    ],
)
def test_functions_of_the_demo(fn: Callable[..., Any], allowed: bool) -> None:
    """The demo's own functions, which nothing in them prepares for this."""
    verdict = judge(fn)

    assert allowed == verdict.allowed, verdict.reason


def test_no_source_is_a_doubt() -> None:
    """What `exec` made can't be read."""
    space: dict[str, Any] = {"__name__": "tests.nowhere"}
    exec("def double(x):\n    return 2 * x\n", space)

    assert Verdict(False, "has no source to read") == judge(space["double"])


def test_bytecode_needs_no_source() -> None:
    """What the bytecode says for certain is the reason even then."""
    space: dict[str, Any] = {"__name__": "tests.nowhere"}
    exec("n = 0\ndef bump(x):\n    global n\n    n += x\n", space)

    assert "rebinds the global n (line 4)" == judge(space["bump"]).reason


def load(path: Path) -> types.ModuleType:
    """Import a file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "edited",
    [
        "LOG = []\n\ndef f(x):\n    return x + 2\n",
        "LOG = []\n\ndef f(x):\n    LOG.append(x)\n    return x + 1\n",
        "# a line more\nLOG = []\n\ndef f(x):\n    return x + 1\n",
        "def g(): pass\n",
        "def f(x:\n",
        "",
    ],
    ids=["constant", "statement", "moved", "gone", "broken", "empty"],
)
def test_edited_source_is_a_doubt(edited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file no longer says what was loaded."""
    path = tmp_path / "safety_edited.py"
    path.write_text("LOG = []\n\ndef f(x):\n    return x + 1\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "safety_edited", raising=False)
    module = load(path)
    assert judge(module.f).allowed

    path.write_text(edited, encoding="utf-8")
    os.utime(path, (1, 1))
    linecache.checkcache(str(path))

    verdict = judge(module.f)
    assert not verdict.allowed
    assert "source" in verdict.reason
    sys.modules.pop("safety_edited")


def test_a_cell_of_a_notebook_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines are in `linecache`, its functions in `__main__`."""
    name = "<cell 1>"
    text = "LIMIT = 3\nLOG = []\ndef below(x):\n    return x < LIMIT\ndef note(x):\n    LOG.append(x)\n"
    monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(keepends=True), name))
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(compile(text, name, "exec", dont_inherit=True), main.__dict__)

    assert Verdict(True, "", (("__main__", "LIMIT"),)) == judge(main.below)
    assert "appends to the module-level list LOG (line 6)" == judge(main.note).reason


def test_reading_runs_no_code_of_the_users() -> None:
    """Neither the function, nor its helpers, nor what its globals' classes define."""
    before = list(nasty.LOG), list(nasty_classes.LOG), dict(nasty.INDEX)

    for param in functions_of(nasty, nasty_classes):
        judge(*param.values)

    assert before == (list(nasty.LOG), list(nasty_classes.LOG), dict(nasty.INDEX))


def test_a_patch_that_is_gone_denies_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood in for `os.write` keeps its identity for as long as that is what os.write goes by."""

    def stand_in(fd: int, data: bytes) -> int:
        return len(data)

    monkeypatch.setattr(world, "_denied", (0, {}))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", stand_in)
        listed = world.World("tests").denied
    identity, alive = id(stand_in), weakref.ref(stand_in)
    del stand_in
    gc.collect()

    assert identity in listed
    assert alive() is listed[identity][0]


def test_it_never_raises() -> None:
    """Whatever it is given: a refusal at worst."""
    for thing in (None, 3, object(), "text", functools.partial(print), type("Odd", (), {})(), sys):
        assert not judge(thing).allowed  # type: ignore[arg-type]


def test_shared_primitives_are_no_data() -> None:
    """A lock of this library works across processes, so using a global one is no reason to stay."""
    from tests.routing.corpus import shared

    assert Verdict(True, "") == judge(shared.locked)
    assert Verdict(True, "") == judge(shared.queued)
