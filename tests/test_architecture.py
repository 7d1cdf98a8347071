"""Imports only go down: a module imports strictly lower ranks or its own room, and nothing in a circle.

Read by AST, so every `import` counts: at the top of a module, inside functions, under TYPE_CHECKING, and
`import_module("...")` with a literal name. A room is a folder of the package, or a module that stands beside
the folders. A new room needs a rank here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

PACKAGE = "adaptive_exec"

RANKS: dict[str, int] = {
    "installed": -1,
    "errors": 0,
    "model": 0,
    "sample": 0,
    "by_value": 0,
    "aliases": 0,
    "contents": 1,
    "faithful": 0,
    "digests": 0,
    "literals": 0,
    "fingerprints": 0,
    "unordered": 0,
    "patches": 0,
    "contexts": 0,
    "parent": 0,
    "platform": 1,
    "customs": 1,
    "pickling": 1,
    "awaiting": 0,
    "chunks": 0,
    "unseen": 0,
    "futures": 1,
    "profiling": 2,
    "primitives": 2,
    "backends": 3,
    "observe": 3,
    "routing": 4,
    "dispatch": 5,
    "mapping": 5,
    "checks": 5,
    "executor": 6,
    "default": 7,
    "task": 8,
    "groups": 8,
    "__init__": 9,
    "testing": 10,
    "cli": 10,
    "__main__": 11,
}

Sources = Mapping[str, str]
"""Module name -> source text. A package goes by its own name: `adaptive_exec.cli`, not `…cli.__init__`."""


def room_of(module: str) -> str:
    """The room a module lies in: the first name below the package, `__init__` for the package itself."""
    return module.split(".")[1] if "." in module else "__init__"


def imports_of(module: str, source: str, sources: Sources, packages: set[str]) -> Iterator[tuple[str, int]]:
    """Yield (imported module of ours, line)."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node, packages)
            inside = [f"{origin}.{alias.name}" for alias in node.names]
            names = [name if name in sources else origin for name in inside]
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            names = [
                arg.value
                for arg in node.args[:1]
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
        for name in names:
            if name == PACKAGE or name.startswith(PACKAGE + "."):
                yield _known(name, sources), getattr(node, "lineno", 0)


def _origin(module: str, node: ast.ImportFrom, packages: set[str]) -> str:
    """The absolute name of what stands between `from` and `import`."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + (module in packages)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _known(name: str, sources: Sources) -> str:
    """The longest prefix that is a module: `import a.b` may name an attribute of `a`."""
    while name not in sources and "." in name:
        name = name.rpartition(".")[0]
    return name


def graph_of(sources: Sources, packages: set[str]) -> dict[str, dict[str, int]]:
    """Module -> imported modules of ours -> line of the (last) import."""
    return {module: dict(imports_of(module, text, sources, packages)) for module, text in sources.items()}


def upward(graph: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Imports that go up or sideways, and rooms without a rank."""
    unknown = sorted({room_of(module) for module in graph} - RANKS.keys())
    wrong = [f"{room} has no rank" for room in unknown]
    for module, targets in graph.items():
        for target, line in targets.items():
            here, there = room_of(module), room_of(target)
            if here != there and not {here, there} & set(unknown) and RANKS[there] >= RANKS[here]:
                wrong.append(f"{module}:{line} (rank {RANKS[here]}) imports {target} (rank {RANKS[there]})")
    return wrong


def cycles(graph: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One line for each import that closes a circle."""
    found: list[str] = []
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            found.append(" -> ".join([*path[path.index(module) :], module]))
            return
        if module in done:
            return
        for target in graph.get(module, {}):
            visit(target, [*path, module])
        done.add(module)

    for module in graph:
        visit(module, [])
    return found


def read_package() -> tuple[dict[str, str], set[str]]:
    """The sources of the installed package and the names of its folders."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    sources: dict[str, str] = {}
    packages: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(root).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
            packages.add(".".join(parts))
        sources[".".join(parts)] = path.read_text(encoding="utf-8")
    return sources, packages


SOURCES, PACKAGES = read_package()


def check(**sources: str) -> tuple[list[str], list[str]]:
    """Run both checks over a made-up package; `__` in a name stands for a dot."""
    made = {f"{PACKAGE}.{name.replace('__', '.')}": text for name, text in sources.items()} | {PACKAGE: ""}
    packages = {name for name in made if any(other.startswith(name + ".") for other in made)}
    graph = graph_of(made, packages)
    return upward(graph), cycles(graph)


def test_no_import_goes_up() -> None:
    """Every module imports lower ranks or its own room, and every room has a rank."""
    assert [] == upward(graph_of(SOURCES, PACKAGES))


def test_no_import_goes_in_a_circle() -> None:
    """No chain of imports comes back to where it began, inside a room neither."""
    assert [] == cycles(graph_of(SOURCES, PACKAGES))


def test_the_checker_reads_the_whole_package() -> None:
    """The checks above looked at something: the package itself and modules of several rooms."""
    assert PACKAGE in SOURCES
    assert {"errors", "model", "platform"} <= {room_of(module) for module in SOURCES}


@pytest.mark.parametrize(
    "source",
    [
        "from adaptive_exec.routing.policy import decide",
        "from adaptive_exec import routing",
        "import adaptive_exec.routing.policy as p",
        "from ..routing.policy import decide",
        "from ..routing import policy",
        "def f():\n    from adaptive_exec.routing import policy",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import adaptive_exec.routing.policy",
        "import importlib\nimportlib.import_module('adaptive_exec.routing.policy')",
        "from adaptive_exec import AdaptiveExecutor",
    ],
)
def test_an_upward_import_is_found(source: str) -> None:
    """However it is written and wherever it stands."""
    wrong, _ = check(platform="", platform__cores=source, routing="", routing__policy="")

    assert 1 == len(wrong)
    assert wrong[0].startswith("adaptive_exec.platform.cores:")


def test_a_sideways_import_is_found() -> None:
    """Rooms of the same rank don't know each other."""
    assert ["adaptive_exec.futures:1 (rank 1) imports adaptive_exec.pickling (rank 1)"] == check(
        futures="from adaptive_exec import pickling", pickling=""
    )[0]


def test_a_downward_import_passes() -> None:
    """So does one inside the room."""
    assert ([], []) == check(
        routing="",
        routing__policy="from adaptive_exec.model import Profile\nfrom . import rules",
        routing__rules="import adaptive_exec.platform.cores, os",
        model="",
        platform="",
        platform__cores="",
    )


def test_a_circle_inside_a_room_is_found() -> None:
    """Ranks don't see it, the other check does."""
    wrong, circles = check(
        backends="",
        backends__a="from .b import x",
        backends__b="from .c import x",
        backends__c="def f():\n    from .a import x",
    )

    assert [] == wrong
    assert [
        "adaptive_exec.backends.a -> adaptive_exec.backends.b -> adaptive_exec.backends.c -> adaptive_exec.backends.a"
    ] == circles


def test_a_package_and_its_module_may_form_a_circle_too() -> None:
    """`__init__` importing a module that imports a name back from it is a circle."""
    _, circles = check(backends="from .a import x\ny = 1", backends__a="from adaptive_exec.backends import y")

    assert ["adaptive_exec.backends -> adaptive_exec.backends.a -> adaptive_exec.backends"] == circles


def test_a_room_without_a_rank_is_found() -> None:
    """A new file or folder must be given its place."""
    assert ["attic has no rank"] == check(attic__box="", attic="")[0]
