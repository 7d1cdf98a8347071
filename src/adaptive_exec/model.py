"""The vocabulary: what the parts of the library say to each other.

Plain frozen values without behaviour beyond arithmetic on their own fields; this module imports
nothing else of ours, so every layer may speak it. Times are in seconds in public values and in
nanoseconds (`_ns`) in measured ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

BackendName = Literal["inline", "thread", "process", "loop", "cluster", "interpreter"]
Kind = Literal["cpu", "io"]

BACKEND_NAMES: Final = ("thread", "process", "loop", "cluster", "interpreter")
KINDS: Final = ("cpu", "io")


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How far each figure of a `Profile` may be off: half the width of the range seen, in its own unit.

    `inf` means that the figure has not been measured yet.
    """

    wall: float = float("inf")
    cpu: float = float("inf")
    cpu_ratio: float = float("inf")
    gil_ratio: float = float("inf")
    payload_bytes: float = float("inf")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a function.

    Attributes:
        calls: Calls measured so far.
        wall: Seconds that a call takes when it is not disturbed by others.
        cpu: Seconds of CPU time of a call.
        cpu_ratio: `cpu / (cpu + waiting)`: 1.0 computes only, 0.0 waits only. Time spent wanting the GIL
            or a core is in neither part.
        gil_ratio: The part of the CPU time that holds the GIL, 0.0 to 1.0; None while unknown.
        payload_bytes: Pickled size of arguments and result together; None while unknown.
        process_safe: True if calls may leave the process, False if they may not, None while unknown.
        uncertainty: How far each figure may be off.
        settled: True once the figures suffice to route by.
        pickling: Seconds that pickling and unpickling arguments and result takes; None while unknown.
        serial_ratio: The part of the CPU time for which a call was measured, or is known, to keep others of its
            function on threads waiting, whatever for, 0.0 to 1.0; None unless that is more than its GIL ratio explains.
    """

    calls: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    cpu_ratio: float = 0.0
    gil_ratio: float | None = None
    payload_bytes: int | None = None
    process_safe: bool | None = None
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    settled: bool = False
    pickling: float | None = None
    serial_ratio: float | None = None

    @property
    def waiting(self) -> float:
        """Seconds of a call that wait for something other than the GIL or a core."""
        return self.cpu * (1.0 / self.cpu_ratio - 1.0) if self.cpu_ratio > 0.0 else self.wall

    @property
    def gil_time(self) -> float:
        """Seconds of a call that hold the GIL, or else keep others waiting; all of its CPU time while unknown."""
        return self.cpu * (1.0 if self.gil_ratio is None else max(self.gil_ratio, self.serial_ratio or 0.0))

    def times(self, calls: int, mean: float = 0.0) -> Profile:
        """The profile of so many calls, made one after the other as one.

        Args:
            calls: Their number.
            mean: Seconds of CPU time that calls take on average; that is more than usual if a few take long.
        """
        if calls == 1:
            return self
        longer = calls * max(1.0, mean / self.cpu) if self.cpu > 0.0 else calls
        return replace(
            self,
            wall=self.wall * longer,
            cpu=self.cpu * longer,
            payload_bytes=None if self.payload_bytes is None else self.payload_bytes * calls,
            pickling=None if self.pickling is None else self.pickling * calls,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a call runs and why.

    Attributes:
        backend: Name of the backend.
        reason: One sentence with the figures that decided.
        profile: The profile it was decided by; None if none was needed.
        advice: What could be done so that calls go to a better place; only `explain` looks for it.
    """

    backend: BackendName
    reason: str
    profile: Profile | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller asks for; None means: the library decides."""

    backend: BackendName | None = None
    kind: Kind | None = None
    pure: bool | None = None
    timeout: float | None = None
    retries: int = 0


DEFAULT: Final = Options()
"""The one object for a caller who asks for nothing, so that this can be seen at a glance."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts of the machine that the sums of routing need.

    Attributes:
        cores: Usable cores.
        processes: Worker processes there may be.
        gil: False on a free-threaded build that runs without the GIL.
        process_start: Seconds until a cold pool gives its first result.
        process_hop: Seconds that a round trip to an idle warm worker costs beyond the call itself.
        thread_hop: The same for a thread.
        byte_cost: Seconds that it costs to move a byte of payload, pickled or as memory, to a worker or back.
        loop_hop: Seconds that entering the library's loop and coming back costs beyond the call itself.
        loop_start: Seconds until a loop runs that was not there.
    """

    cores: int
    processes: int = 1
    gil: bool = True
    process_start: float = 0.15
    process_hop: float = 100e-6
    thread_hop: float = 40e-6
    byte_cost: float = 0.5e-9
    loop_hop: float = 30e-6
    loop_start: float = 500e-6


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """One worker process at one moment.

    Attributes:
        pid: Its process id.
        state: "starting" until it can take calls, "running" while it has one, else "idle".
        calls: Calls that it has answered.
        task: Name of the function that it runs; None if it runs none.
        seconds: How long that call has been at the head of its line.
    """

    pid: int
    state: Literal["starting", "idle", "running"]
    calls: int = 0
    task: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on right now.

    Attributes:
        waiting_calls: Calls of this function that are accepted and not begun.
        gil_backlog: Seconds of GIL-held CPU time accepted on threads and not yet done.
        gil_spent: Seconds of GIL-held CPU time that this function has used on threads so far.
        process_backlog: Seconds of CPU time accepted by the process pool and not yet done.
        process_warm: True once the pool has workers.
        in_flight: Calls of this function that are accepted and not ended, the next one too; counted only for
            functions that have an `async def` twin.
        thread_start: Seconds that starting a thread takes, as measured.
        idle_threads: Threads that have nothing to do.
        most_threads: Threads that there may be.
        loop_runs: True while the library's own loop runs.
    """

    waiting_calls: int = 0
    gil_backlog: float = 0.0
    gil_spent: float = 0.0
    process_backlog: float = 0.0
    process_warm: bool = False
    in_flight: int = 0
    thread_start: float = 100e-6
    idle_threads: int = 0
    most_threads: int = 1000
    loop_runs: bool = False
