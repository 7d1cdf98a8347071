"""mypy --strict accepts what users write and rejects, line by line, what they must not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
IGNORE = re.compile(r"  # type: ignore\[([a-z-]+)\]")


def mypy(path: Path, cache: Path) -> tuple[int, str]:
    """Exit code and output of mypy over one file, as a user of the installed library runs it."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cache, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for both runs: reading the standard library takes mypy longer than our files."""
    return tmp_path_factory.mktemp("mypy")


def test_right_code_passes(cache: Path) -> None:
    """A user's code that follows the documentation has no type errors."""
    assert mypy(HERE / "api.py", cache) == (0, "Success: no issues found in 1 source file\n")


def test_wrong_code_is_rejected(cache: Path, tmp_path: Path) -> None:
    """Each marked line of `wrong_calls.py`, and no other, is an error of the code it names."""
    source = (HERE / "wrong_calls.py").read_text(encoding="utf-8")
    expected = {
        (number, found[1])
        for number, line in enumerate(source.splitlines(), start=1)
        if (found := IGNORE.search(line)) is not None
    }
    bare = tmp_path / "wrong_calls.py"
    bare.write_text(IGNORE.sub("", source), encoding="utf-8")
    _, output = mypy(bare, cache)
    rejected = {
        (int(m[1]), m[2]) for m in re.finditer(r"py:(\d+): error: .*\[([a-z-]+)\]$", output, re.MULTILINE)
    }

    assert len(expected) > 10
    assert rejected == expected, output
