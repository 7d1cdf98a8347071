"""The command line: reads the arguments, calls a command, turns every end into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Final, NoReturn

from adaptive_exec.cli.errors import CommandError

__all__ = ["main"]

_NAME: Final = "adaptive-exec"
_INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        0 if all went well, 1 if a command failed or found something wrong, 2 on wrong input, 130 on Ctrl-C.
    """
    try:
        return _run(_parser().parse_args(argv))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except CommandError as error:
        print(f"{_NAME}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(arguments: argparse.Namespace) -> int:
    """Call the command that was asked for; each imports only what it needs itself."""
    if arguments.command == "demo":
        from adaptive_exec.cli.demo import demo

        return demo(quick=arguments.quick, json=arguments.json)
    from adaptive_exec.cli.profile import profile

    return profile(arguments.target, arguments.arguments, calls=arguments.calls)


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {_NAME} --help)\n")


def _parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(
        prog=_NAME, description="One executor that measures each task and runs it where it belongs."
    )
    parser.add_argument("--version", action="version", version=f"{_NAME} {metadata.version('adaptive-exec')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="run a mixed load in four ways and compare them",
        description="Run a mixed load on the standard library's own files: routed, by hand, all on "
        "processes, all on threads. Exit code 0 if every function went where it belongs and every answer "
        "is right.",
    )
    demo.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    demo.add_argument(
        "--quick", action="store_true", help="a small load: shows the routes, its times mean little"
    )

    profile = commands.add_parser(
        "profile",
        help="measure one function and say where it would run",
        description="Call a function a few times through the executor, print its profile and the decision.",
    )
    profile.add_argument("target", metavar="MODULE:FUNCTION", help="what to call")
    profile.add_argument(
        "arguments", metavar="ARGS", nargs="*", help="Python literals; anything else is a string"
    )
    profile.add_argument("--calls", type=_positive, default=10, metavar="N", help="how often (default: 10)")
    return parser


def _positive(text: str) -> int:
    """A whole number above zero."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return number
