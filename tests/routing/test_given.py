"""What a call is given may speak against sending it away, though its function may leave."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor
from adaptive_exec.platform.gil import gil_enabled
from adaptive_exec.routing.given import look, objection
from adaptive_exec.routing.safety import judge
from tests import work

noted: list[int] = []


def note(n: int) -> int:
    """Not harmless."""
    noted.append(n)
    return n


TABLE = [1, 2]


def is_the_table(*things: Any, **more: Any) -> bool:
    """Could tell it from a copy."""
    return any(each is TABLE for each in (*things, *more.values()))


def harmless(n: int) -> int:
    """Harmless."""
    return n * 2


@pytest.mark.parametrize(
    "given",
    [
        1,
        "text",
        None,
        [1, 2],
        {"a": [1]},
        (1, 2),
        {3},
        len,
        harmless,
        int,
        functools,
        work.Counter(),
        2.5,
        b"x",
        TABLE,
    ],
)
def test_most_things_may_go(given: Any) -> None:
    """Values, containers, objects, harmless functions, classes and modules."""
    assert objection(work.same, (given,), {}) is None
    assert objection(work.same, (), {"x": given}) is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (object(), "identity"),
        (note, "given a function that"),
        (lambda n: noted.append(n + 1), "given a function that"),
        (TABLE, "knows as a global"),
    ],
)
def test_some_may_not(given: Any, why: str) -> None:
    """By position, by name, and behind others."""
    for args, kwargs in (((given,), {}), ((), {"x": given}), ((1, [2], given), {})):
        assert why in str(objection(is_the_table, args, kwargs))


def test_a_function_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all that are made of the same code."""
    judged: list[Any] = []

    def counted(fn: Any, *known: Any) -> Any:
        judged.append(fn)
        return judge(fn, *known)

    monkeypatch.setattr("adaptive_exec.routing.given._judged", OrderedDict())
    monkeypatch.setattr("adaptive_exec.routing.given.judge", counted)
    for n in range(5):
        why, _ = look(work.same, (lambda x, n=n: x + n,), {}, functools.partial(judge, work.same))
        assert why is None

    assert 1 == len(judged)


@pytest.mark.full
@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing has to leave")
def test_only_that_call_stays() -> None:
    """The next one may leave again."""
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(kind="cpu")
        futures = [view.submit(work.same, given) for given in (1, object(), 2)]
        for future in futures:
            future.result(20)
        assert ["process", "thread", "process"] == [
            future.decision and future.decision.backend for future in futures
        ]
        assert futures[1].decision is not None
        assert "this call" in futures[1].decision.reason
