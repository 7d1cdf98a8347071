"""The demo: the same mixed load in four ways, in one run, with every answer compared."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from adaptive_exec.cli.interrupt import Interrupt
from adaptive_exec.cli.load import FULL, QUICK, Load, Sizes
from adaptive_exec.cli.progress import Progress, make_progress
from adaptive_exec.cli.report import as_json, judge, print_report
from adaptive_exec.cli.server import PageServer
from adaptive_exec.cli.sources import stdlib_modules, warm_file_cache
from adaptive_exec.cli.ways import AllProcesses, AllThreads, ByHand, Routed, Run, run

__all__ = ["demo"]

_DESCRIPTORS = 4096


def demo(*, quick: bool = False, json: bool = False) -> int:
    """Run the demo and print its report; 0 if every route and every answer of ours is right, else 1.

    Args:
        quick: A small load: it shows the routes, its times mean little.
        json: One JSON document on standard output and nothing else.
    """
    progress = make_progress(sys.stderr, quiet=json)
    try:
        with Interrupt() as interrupt:
            runs = _run_all(QUICK if quick else FULL, progress, interrupt)
    finally:
        progress.close()
    verdict = judge(runs)
    if json:
        print(as_json(verdict))
    else:
        print_report(verdict, sys.stdout)
    return 0 if verdict.ok else 1


def _run_all(sizes: Sizes, progress: Progress, interrupt: Interrupt) -> list[Run]:
    """Ours goes first: what the first one pays, and later ones find done, is paid by us.

    The standard library's fork server lives on, so whoever needs it first pays for its start; ours pays for its own.
    """
    _allow_connections()
    modules = stdlib_modules()
    warm_file_cache(modules)
    runs = []
    with PageServer() as server, tempfile.TemporaryDirectory(prefix="adaptive-exec-demo-") as folder:
        for way in (Routed(), AllProcesses(), AllThreads(), ByHand()):
            load = Load(sizes, modules, server.url, Path(folder, f"{way.name}.journal"))
            progress.begin(way.title, len(load.jobs))
            runs.append(run(way, load, progress.advance, interrupt))
            progress.end(runs[-1].seconds)
            interrupt.check()
    return runs


def _allow_connections() -> None:
    """Lift the limit of open files towards the hard one: a thousand pages are fetched at once."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
