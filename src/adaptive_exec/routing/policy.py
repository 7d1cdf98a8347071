"""`decide`: a pure function from facts to a decision.

It reads no clock, takes no lock and touches nothing, so it can be tested by tables. The rules stand in one
tuple, in order; the first that has something to say decides: what the user asked for, then what is
impossible, then hints, then what was measured. Where several places are possible, the sums decide, and
they alone depend on the load.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model import Decision, Machine, Options, Profile
from .crossing import crosses, crossing
from .facts import Facts, percent, seconds

__all__ = [
    "DOUBTFUL_CALLS",
    "WAITS",
    "WORTH",
    "Facts",
    "asked_for",
    "calls_on_trial",
    "decide",
    "decide_steadily",
    "hardly_holds_the_gil",
    "is_trusted",
    "journey",
    "on_trial",
    "seconds",
]

WAITS = 0.5  # computes less than this part of the time it does not spend in queues: waiting work
FREE = 0.3  # holds the GIL for less than this part of its CPU time: GIL-free work, on any number of cores
FREE_AT_MOST = 0.4  # the same where cores are so few that threads keep them busy all the same
WORTH = 3.0  # a call must compute this many times what its journey costs before it is sent away
KEEP_HERE = 0.20  # a process may take longer by this part of the work: it leaves the caller's GIL alone
PLAINLY_WAITS = 0.2  # below that, what seems to wait does wait, however busy the machine
PICKLING = (
    1.5e-9  # seconds a byte, where nobody has measured it: text; numbers in a list take ten times as long
)
SURE = (
    0.06  # a standard error of the GIL ratio up to this comes from looks enough: seven that all say the same
)
ALIKE = 0.35  # where the GIL ratio is within that of `FREE_AT_MOST`, threads and processes are about as good
DOUBTFUL_CALLS = 16  # so many calls are believed whatever they say
TRIAL_SECONDS = 0.05  # work that an idle worker is given at once while figures are doubted
STAY_PUT = 0.50  # the same for a function whose calls already go there, so that it doesn't flap


def decide(facts: Facts) -> Decision:
    """Choose the backend for the next call.

    Args:
        facts: What is known.

    Returns:
        The backend, with one sentence that holds the figures that decided.
    """
    if _may_cross(facts):
        return crossing(facts)
    return decide_steadily(facts) or _sums(facts)


def decide_steadily(facts: Facts) -> Decision | None:
    """Choose the backend if that does not depend on the load, so that the decision may be kept.

    Args:
        facts: What is known.

    Returns:
        The decision, good for as long as profile, options and `stay` are the same; None if the sums have
        to be done.
    """
    if _may_cross(facts):
        return None
    for rule in RULES:
        decision = rule(facts)
        if decision is not None:
            return decision
    return None


def _may_cross(facts: Facts) -> bool:
    """Whether the function's async twin may run in its place, by what the user said or by figures to be trusted."""
    return crosses(facts) and (facts.options.kind == "io" or is_trusted(facts.profile, facts.machine))


def asked_for(options: Options, profile: Profile) -> Decision:
    """The decision where the user has named a backend.

    Args:
        options: With a backend.
        profile: What is known of the function.
    """
    assert options.backend is not None
    return Decision(options.backend, f'you asked for backend="{options.backend}"', profile)


def _asked_for(facts: Facts) -> Decision | None:
    """The user's word comes first."""
    return None if facts.options.backend is None else asked_for(facts.options, facts.profile)


def _coroutine(facts: Facts) -> Decision | None:
    """Coroutines run on a loop."""
    if not facts.coroutine:
        return None
    return Decision("loop", "it is a coroutine function, and those run on an event loop", facts.profile)


def _hinted(facts: Facts) -> Decision | None:
    """`kind=` spares the measuring, not the safety."""
    if facts.options.kind == "io":
        return Decision("thread", 'you said kind="io", so it waits on a thread', facts.profile)
    if facts.options.kind == "cpu":
        if not facts.machine.gil:
            return Decision(
                "thread", 'you said kind="cpu", and without a GIL threads compute in parallel', facts.profile
            )
        if facts.stay:
            return Decision(
                "thread", f'you said kind="cpu", but it {facts.stay}, so it stays here', facts.profile
            )
        if facts.machine.cores > 1:
            return Decision(
                "process", 'you said kind="cpu", and nothing says that it touches shared state', facts.profile
            )
    return None


def _unknown(facts: Facts) -> Decision | None:
    """First calls are measured where nothing can go wrong."""
    if is_trusted(facts.profile, facts.machine):
        return None
    calls = facts.profile.calls
    known = "nothing is known of it yet" if calls == 0 else f"{calls} calls are too few to judge by"
    return Decision("thread", f"{known}, so it is measured on a thread first", facts.profile)


def _waits(facts: Facts) -> Decision | None:
    """Waiting work belongs on threads, many."""
    profile = facts.profile
    if profile.cpu_ratio >= WAITS:
        return None
    return Decision(
        "thread",
        f"it waits {percent(1.0 - profile.cpu_ratio)} of a call of {seconds(profile.cpu + profile.waiting)}, "
        + (f"and it {facts.stay}" if facts.stay else "and waiting threads cost nothing but themselves"),
        profile,
    )


def _free(facts: Facts) -> Decision | None:
    """Work without the GIL runs in parallel on threads, with nothing to pickle."""
    profile = facts.profile
    if not facts.machine.gil:
        return Decision(
            "thread",
            f"it computes {seconds(profile.cpu)} a call, and without a GIL threads compute in parallel",
            profile,
        )
    if profile.gil_ratio is None or not hardly_holds_the_gil(profile, facts.machine):
        return None
    return Decision(
        "thread",
        f"it computes {seconds(profile.cpu)} a call but holds the GIL for only {percent(profile.gil_ratio)} of that, "
        f"so threads keep all {facts.machine.cores} cores busy",
        profile,
    )


def hardly_holds_the_gil(profile: Profile, machine: Machine) -> bool:
    """Whether threads keep the cores busy: a call that needs the GIL for a part g of its time leaves room for 1/g.

    Args:
        profile: What has been measured.
        machine: What there is to run on.
    """
    if not machine.gil:
        return True
    if profile.gil_ratio is None:
        return False
    # Where measured throughput contradicts the model, throughput wins.
    return max(profile.gil_ratio, profile.serial_ratio or 0.0) < _free_below(machine)


def _free_below(machine: Machine) -> float:
    """The GIL ratio below which threads keep the cores busy."""
    # Below 1/g by as much as it takes to hand the GIL over: with two cores, at 0.5 processes are a fifth faster.
    return max(FREE, min(FREE_AT_MOST, 1 / machine.cores))


def is_trusted(profile: Profile, machine: Machine) -> bool:
    """Whether these figures are good enough to send calls away, or many at once anywhere: they stay there.

    What only waits is plain to see. What seems to wait and to compute may be computing on a machine that is busy
    with other programs. And calls that need the GIL for a moment, when many want it, may be met there by all
    of the first looks, and others in the one moment in which they don't need it: so where the GIL decides, that has to
    be seen often, and be beyond twice the standard error. Unless all within that is so near the limit that both ways
    are about as good: more looks would hardly tell it, and then it would not matter.

    Args:
        profile: What has been measured.
        machine: What there is to run on.
    """
    if not profile.settled:
        return False
    if not machine.gil or profile.calls >= DOUBTFUL_CALLS:
        return True
    if profile.cpu_ratio < WAITS:
        return profile.cpu_ratio <= PLAINLY_WAITS
    if profile.gil_ratio is None:
        return False
    if profile.serial_ratio is not None:
        return True
    off, apart = profile.uncertainty.gil_ratio, abs(profile.gil_ratio - _free_below(machine))
    return (off <= SURE and apart >= 2 * off) or apart + 2 * off <= ALIKE


def on_trial(facts: Facts) -> Decision | None:
    """Whether idle workers may have some calls while figures are doubted: then no core waits for the doubts to end.

    Args:
        facts: What is known, with figures that are not trusted.

    Returns:
        The decision for `calls_on_trial` calls for each idle worker; None if calls have to wait for better figures, or
        are not worth the start of a pool.
    """
    profile = facts.profile
    if not facts.machine.gil:
        return None
    if profile.settled:
        if profile.cpu_ratio < WAITS or hardly_holds_the_gil(profile, facts.machine):
            return None
        doubt = "how much of that it holds the GIL"
    elif profile.calls:
        # What it computes is known of a single call, however busy the process: it has a clock of its own.
        doubt = "whether it waits as well"
    else:
        return None
    if not facts.load.process_warm:
        waiting = (facts.load.waiting_calls + 1) * profile.cpu
        if not profile.settled or waiting < facts.machine.process_start:
            return None
    if facts.coroutine or _must_stay(facts) or _too_small(facts):
        return None
    return Decision(
        "process",
        f"it computes {seconds(profile.cpu)} a call; {doubt} is still being looked at, and a worker was idle",
        profile,
    )


def calls_on_trial(profile: Profile) -> int:
    """How many calls an idle worker may be given at once while they are on trial, by what has been measured.

    Several, if something speaks for workers already; where nothing does, one that tells.
    """
    if not profile.settled or profile.gil_ratio is None or profile.cpu <= 0.0:
        return 1
    return max(1, int(TRIAL_SECONDS / profile.cpu))


def _must_stay(facts: Facts) -> Decision | None:
    """Routing never changes the answer."""
    if not facts.stay:
        return None
    return Decision(
        "thread",
        f"it computes {seconds(facts.profile.cpu)} a call but it {facts.stay}, so it stays here",
        facts.profile,
    )


def _too_small(facts: Facts) -> Decision | None:
    """A journey that costs more than the work is not worth it."""
    profile, way = facts.profile, journey(facts)
    if profile.cpu >= WORTH * way and facts.machine.cores > 1:
        return None
    if facts.machine.cores <= 1:
        return Decision(
            "thread", "there is only one core to compute on, so another process would not help", profile
        )
    return Decision(
        "thread",
        f"it computes only {seconds(profile.cpu)} a call, and the way to another process costs {seconds(way)}",
        profile,
    )


def _sums(facts: Facts) -> Decision:
    """Where both are possible, the one that is done sooner by the sums.

    What a process may take longer is measured against the work itself, not against the queues, so that
    no queue makes a place more attractive than it was.
    """
    profile = facts.profile
    calls = facts.load.waiting_calls + 1
    here, there = _finish_on_threads(facts), _finish_in_processes(facts)
    slack = STAY_PUT if facts.before == "process" else KEEP_HERE
    what = f"it computes {seconds(profile.cpu)} a call and {_held(profile)}"
    many = f"{calls} calls are" if calls > 1 else "the next call is"
    sums = f"{many} done in {seconds(there)} by processes and in {seconds(here)} by threads"
    if there - here <= slack * calls * profile.cpu:
        return Decision("process", f"{what}; {sums}", profile)
    return Decision("thread", f"{what}, but {sums}", profile)


def _held(profile: Profile) -> str:
    """What keeps calls on threads from running at once, as a clause."""
    if profile.gil_ratio is None:
        return "holds the GIL throughout"
    holds = f"holds the GIL for {percent(profile.gil_ratio)} of it"
    if profile.serial_ratio is None:
        return holds
    return f"{holds}, yet keeps others on threads waiting for {percent(profile.serial_ratio)}"


def journey(facts: Facts) -> float:
    """Seconds that a call's way to a warm worker and back costs beyond the call itself.

    Args:
        facts: What is known.
    """
    profile, machine = facts.profile, facts.machine
    payload = profile.payload_bytes or 0
    pickling = payload * PICKLING if profile.pickling is None else profile.pickling
    return machine.process_hop + pickling + payload * machine.byte_cost


def _on_all_cores(facts: Facts, work: float) -> float:
    """Seconds that all computing takes, this work included: wherever it runs, it shares the cores."""
    return (facts.load.process_backlog + facts.load.gil_backlog + work) / facts.machine.cores


def _finish_on_threads(facts: Facts) -> float:
    """Seconds until the waiting calls and the next would be done on threads: the GIL serves one at a time."""
    profile, load, machine = facts.profile, facts.load, facts.machine
    calls = load.waiting_calls + 1
    in_turn = load.gil_backlog + calls * (profile.gil_time + machine.thread_hop)
    one = profile.cpu + machine.thread_hop
    return max(one, in_turn, _on_all_cores(facts, calls * profile.cpu)) + profile.waiting


def _finish_in_processes(facts: Facts) -> float:
    """The same in processes; a cold pool's start is charged less the more GIL time has been spent already.

    That is the rule for renting skis: after spending what the pool costs, having started it at the outset
    would have been at most twice as good (Karlin et al., Competitive snoopy caching, 1988).
    """
    profile, load, machine = facts.profile, facts.load, facts.machine
    calls = load.waiting_calls + 1
    start = 0.0 if load.process_warm else max(0.0, machine.process_start - load.gil_spent)
    one = profile.cpu + profile.waiting + journey(facts)
    in_turn = max(one, (load.process_backlog + calls * one) / machine.processes)
    return start + max(in_turn, _on_all_cores(facts, calls * (profile.cpu + journey(facts))))


RULES: tuple[Callable[[Facts], Decision | None], ...] = (
    _asked_for,
    _coroutine,
    _hinted,
    _unknown,
    _waits,
    _free,
    _must_stay,
    _too_small,
)
