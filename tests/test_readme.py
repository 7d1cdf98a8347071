"""The code in the README and in the documentation runs as it stands, and the commands are the right ones.

All ```` ```python ```` blocks of a page are one program, in their order, saved as a file and run like any script
with warnings as errors. A block that only shows something is written ```` ```{code-block} python ````.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [body for kind, body in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


PROGRAMS = {page.relative_to(ROOT).as_posix(): "\n".join(blocks(page, "python")) for page in PAGES}


@pytest.mark.parametrize("page", [page for page, program in PROGRAMS.items() if program])
def test_the_code_of_a_page_runs(page: str, tmp_path: Path) -> None:
    """It ends by itself with exit code 0 and nothing on standard error."""
    script = tmp_path / "page.py"
    script.write_text(PROGRAMS[page], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_readme_opens_with_ten_lines_that_run() -> None:
    """The first block is Python and has at most ten lines of code."""
    first = BLOCK.search(README.read_text(encoding="utf-8"))

    assert first is not None
    assert first[1] == "python"
    assert len([line for line in first[2].splitlines() if line.strip()]) <= 10


def test_the_two_commands_need_only_python() -> None:
    """One line for the main job, one for the tests, each in a block of its own, word for word."""
    assert blocks(README, "sh")[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install -q '.[cli]' && .venv/bin/adaptive-exec demo\n",
        "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox\n",
    ]


@pytest.mark.skipif(not (ROOT / ".ci" / "run").exists(), reason="not in this copy")
def test_ci_runs_the_readmes_command() -> None:
    """What is run on every change is what a newcomer is told to run."""
    assert blocks(README, "sh")[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
