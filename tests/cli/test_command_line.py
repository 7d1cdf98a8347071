"""The command line: wrong input, and `profile`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adaptive_exec.cli import main


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "COMMAND"),
        (["nonsense"], 2, "nonsense"),
        (["demo", "--nonsense"], 2, "--nonsense"),
        (["demo", "extra"], 2, "extra"),
        (["profile"], 2, "MODULE:FUNCTION"),
        (["profile", "math:factorial", "5", "--calls", "0"], 2, "above zero"),
        (["profile", "math:factorial", "5", "--calls", "x"], 2, "above zero"),
        (["profile", "math"], 1, "MODULE:FUNCTION"),
        (["profile", "math:"], 1, "MODULE:FUNCTION"),
        (["profile", "no_such_module:f"], 1, "no_such_module"),
        (["profile", "..:f"], 1, "import"),
        (["profile", "math:no_such_function"], 1, "no_such_function"),
        (["profile", "math:pi"], 1, "float"),
        (["profile", "math:factorial", "-1"], 1, "ValueError"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can't be done is said in one line on standard error, with a non-zero exit code."""
    assert code == main(arguments)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.startswith("adaptive-exec")
    assert printed.err.count("\n") == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints name and version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("adaptive-exec ")


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists the commands and exits with 0."""
    assert main(["--help"]) == 0

    printed = capsys.readouterr().out
    assert "demo" in printed
    assert "profile" in printed


def test_module_is_the_command() -> None:
    """`python -m adaptive_exec` is the command."""
    asked = subprocess.run(
        [sys.executable, "-m", "adaptive_exec", "--version"], capture_output=True, timeout=30, check=True
    )
    assert asked.stdout.startswith(b"adaptive-exec ")


def test_profile_prints_figures_and_decision(capsys: pytest.CaptureFixture[str]) -> None:
    """`profile` calls the function, and prints its profile and the decision with its reason."""
    assert main(["profile", "math:factorial", "2000", "--calls", "5"]) == 0

    printed = capsys.readouterr().out
    assert "calls measured   5" in printed
    assert "CPU" in printed
    assert "where" in printed
    assert "why" in printed
