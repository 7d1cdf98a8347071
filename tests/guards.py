"""What `conftest.py` holds every test to: nothing is left behind, no event loop is blocked.

`Footprint.now()` lists what this run owns at the moment; `left_since` waits a moment for what is on its way
out and then names what stayed. On Linux it reads /proc, so it sees zombies, grandchildren, and orphans that
were adopted by init; elsewhere it knows only the children that multiprocessing knows.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.process import current_process
from pathlib import Path
from types import FunctionType

import blockbuster
from blockbuster import blockbuster as blockbuster_module

GRACE = 2.0
"""Seconds that a thread or process has to finish ending after its test."""

MARK = "ADAPTIVE_EXEC_TEST_RUN"
"""Name of the environment variable by which processes of this run are known, whoever their parent is."""

PARKED_THREADS = frozenset(
    {
        "adaptive-exec-sampler",  # one a process: watches the threads that run tasks, parks when there are none
        "adaptive-exec-home",  # one a process: serves the shared state of primitives that crossed a border
        "adaptive-exec-loop",  # one a process: the library's own event loop, kept for the next coroutine
    }
)
"""Daemon threads that serve the whole process and may stay. Exact names; each has to argue its place here."""

_PROC = Path("/proc")
_SHM = Path("/dev/shm")
_HAS_PROC = sys.platform == "linux" and _PROC.is_dir()


def start_run() -> str:
    """Mark this run's processes and give it a temp folder of its own; returns the folder."""
    os.environ[MARK] = str(os.getpid())
    # The path of a socket may have about 100 bytes, and multiprocessing keeps its own in this folder; the default
    # one of a tool like nox lies deep in the clone.
    folder = tempfile.mkdtemp(prefix="ae-tests-", dir="/tmp" if os.path.isdir("/tmp") else None)
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = folder
    return folder


# ---- processes


def _parent_of(pid: int) -> tuple[int, bytes]:
    """The parent's pid, or 0 if the process is gone; and what changes when it runs another program."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            stat = file.read()
    except OSError:
        return 0, b""
    name, _, rest = stat.rpartition(b")")
    fields = rest.split()
    return int(fields[1]), b"%s %s" % (name, fields[19])  # the second: when it was started


_strangers: dict[int, bytes] = {}
"""Processes that were looked into and are not of this run: most are there for all of it."""


def _is_marked(pid: int, identity: bytes) -> bool:
    if _strangers.get(pid) == identity:
        return False
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes()
    except FileNotFoundError:
        return False
    except OSError:  # another user's
        environ = b""
    marked = f"{MARK}={os.environ.get(MARK, os.getpid())}".encode() in environ.split(b"\0")
    if not marked:
        _strangers[pid] = identity
    return marked


def _describe(pid: int) -> str:
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = ""
    return f"process {pid} ({command.strip()[:120] or 'zombie'})"


def _process_wide() -> set[int]:
    """The two servers that multiprocessing starts once a process and keeps until its end, known by pid."""
    pids: set[int] = set()
    for module, attribute, field in (
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
        ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    ):
        server = getattr(sys.modules.get(module), attribute, None)
        pid = getattr(server, field, None)
        if isinstance(pid, int):
            pids.add(pid)
    return pids


def processes() -> dict[int, str]:
    """Living and dead (zombie) descendants of this process and orphans of this run."""
    if not _HAS_PROC:
        return {
            child.pid or 0: f"process {child.pid} ({child.name})"
            for child in multiprocessing.active_children()
        }
    me, spared = os.getpid(), _process_wide()
    stats = {pid: _parent_of(pid) for pid in (int(name) for name in os.listdir(_PROC) if name.isdigit())}
    found: dict[int, str] = {}
    for pid, (_, identity) in stats.items():
        ancestor, seen = pid, {pid}
        while ancestor not in (0, me):
            ancestor = stats.get(ancestor, (0, b""))[0]
            if ancestor in seen:
                break
            seen.add(ancestor)
        descends = ancestor == me and pid != me
        if pid not in spared and pid != me and (descends or _is_marked(pid, identity)):
            found[pid] = _describe(pid)
    return found


# ---- shared memory, temp files, threads


def _held_by_strangers(name: str) -> bool:
    """True if a process that is not of this run has the object open: then it is theirs."""
    family = {*processes(), os.getpid(), *_process_wide()}
    path = str(_SHM / name)
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) in family:
            continue
        try:
            if path in (entry / "maps").read_text(errors="replace"):
                return True
            if any(os.readlink(fd).startswith(path) for fd in (entry / "fd").iterdir()):
                return True
        except OSError:
            continue
    return False


def shared_memory() -> set[str]:
    """Names of the machine's shared-memory objects and named semaphores; they may be other programs'."""
    return set(os.listdir(_SHM)) if _HAS_PROC and _SHM.is_dir() else set()


def temp_files() -> set[str]:
    """Names in this run's temp folder, without pytest's own and the folders of process-wide sockets.

    Those are multiprocessing's, and where Linux's abstract names are missing the one of the parked thread
    `adaptive-exec-home`, which bears this process's pid.
    """
    folder = Path(tempfile.gettempdir())
    sockets = Path(getattr(current_process(), "_config", {}).get("tempdir") or "-").name
    spared = ("pytest-of-",) if _HAS_PROC else ("pytest-of-", f"adaptive-exec-{os.getpid()}-")
    return {name for name in os.listdir(folder) if name != sockets and not name.startswith(spared)}


def threads() -> set[threading.Thread]:
    """All living threads but those that may park."""
    return {thread for thread in threading.enumerate() if thread.name not in PARKED_THREADS}


@dataclass(frozen=True)
class Footprint:
    """What this run owns at one moment."""

    processes: dict[int, str]
    threads: set[threading.Thread]
    shared_memory: set[str]
    temp_files: set[str]

    @classmethod
    def now(cls) -> Footprint:
        return cls(processes(), threads(), shared_memory(), temp_files())

    def _new(self, earlier: Footprint) -> list[str]:
        return [
            *(text for pid, text in self.processes.items() if pid not in earlier.processes),
            *(f"thread {thread.name!r}" for thread in self.threads - earlier.threads),
            *(f"shared memory {name!r}" for name in self.shared_memory - earlier.shared_memory),
            *(f"temp file {name!r}" for name in self.temp_files - earlier.temp_files),
        ]

    @staticmethod
    def left_since(earlier: Footprint, grace: float = GRACE) -> list[str]:
        """What is there now and was not there `earlier`, once `grace` seconds have not made it go."""
        deadline = time.monotonic() + grace
        while left := Footprint.now()._without_strangers(earlier)._new(earlier):
            if time.monotonic() > deadline:
                break
            gc.collect()
            time.sleep(0.02)
        return left

    def _without_strangers(self, earlier: Footprint) -> Footprint:
        """The same without the shared memory of other programs."""
        new = self.shared_memory - earlier.shared_memory
        return replace(self, shared_memory={name for name in new if not _held_by_strangers(name)})


# ---- event loops


class LoopBlocked(blockbuster.BlockingError):
    """Raised where a call would have blocked a running event loop, and remembered: a loop may swallow it."""

    def __init__(self, func: str, *, seen: list[str]) -> None:
        super().__init__(func)
        stack = "".join(traceback.format_stack(limit=12)[:-2])
        seen.append(f"{self}\n{stack}")


@contextmanager
def watched_loops() -> Iterator[list[str]]:
    """Make calls that block a running event loop raise; yields the list of those seen so far."""
    seen: list[str] = []
    original = blockbuster_module.BlockingError
    raised: Callable[[str], LoopBlocked] = partial(LoopBlocked, seen=seen)
    watch = blockbuster.BlockBuster()
    _allow(watch)
    setattr(blockbuster_module, "BlockingError", raised)  # noqa: B010  mypy: it is a class to others
    watch.activate()
    _keep_picklable(watch)
    try:
        yield seen
    finally:
        watch.deactivate()
        setattr(blockbuster_module, "BlockingError", original)  # noqa: B010


def _keep_picklable(watch: blockbuster.BlockBuster) -> None:
    """Let `time.sleep` and the like be pickled by name while a wrapper stands in their place."""
    for function in watch.functions.values():
        wrapper = getattr(function.module, function.func_name, None)
        if function.activated and isinstance(wrapper, FunctionType):
            wrapper.__module__ = function.module.__name__
            wrapper.__name__ = wrapper.__qualname__ = function.func_name


def _allow(watch: blockbuster.BlockBuster) -> None:
    """What may touch the disk or a pipe on a loop: each place with its reason."""
    # The source of a function is looked up once, when it is first submitted; a few stats of a local file.
    for name in ("os.stat", "os.path.abspath", "os.getcwd", "os.path.ismount"):
        watch.functions[name].can_block_in("inspect.py", {"getsourcefile", "getmodule", "getabsfile"})
    # The first executor asks once for the CPU quota of the control group: files of the kernel's, not of a disk.
    for name in ("io.TextIOWrapper.read", "io.BufferedReader.read", "os.stat"):
        watch.functions[name].can_block_in("adaptive_exec/platform/cores.py", {"usable_cores", "_quota"})
    # A failure that nobody looked at is logged wherever its future goes, as asyncio does: the log is the program's.
    for function in watch.functions.values():
        function.can_block_in("adaptive_exec/unseen.py", {"__del__"})


def is_open(fd: int) -> bool:
    """Whether a descriptor leads anywhere."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
