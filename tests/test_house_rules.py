"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

TESTS = Path(__file__).parent


def find_tests(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every test function and test method of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield node


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.relative_to(TESTS).as_posix()
)
def test_every_test_says_what_it_holds(path: Path) -> None:
    """Each test has a docstring, and no two in a file share a name (the first would never run)."""
    found = list(find_tests(path))

    assert [] == [f"{path.name}:{test.lineno} {test.name}" for test in found if not ast.get_docstring(test)]
    top_level = [test.name for test in found if test.col_offset == 0]
    assert sorted(set(top_level)) == sorted(top_level)
