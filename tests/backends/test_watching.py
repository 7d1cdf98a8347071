"""What a worker looks at: module state as strictly as code could, and arguments after the call."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from adaptive_exec import AdaptiveExecutor, Queue
from adaptive_exec.backends.base import Refused
from adaptive_exec.backends.processes.pool import ProcessBackend
from adaptive_exec.backends.processes.watching import Given, alike, difference_of, lost_of
from adaptive_exec.fingerprints import fingerprint
from adaptive_exec.platform.gil import gil_enabled
from tests import work
from tests.backends.support import Handed, wind_up

SAME = [
    (1, 1),
    (0.1, 0.1),
    (float("nan"), float("nan")),
    ([1, (2.0, {"a": b"x"})], [1, (2.0, {"a": b"x"})]),
    ({3, 1, 2}, {1, 2, 3}),
    (Decimal("1.50"), Decimal("1.50")),
    (None, None),
]
OTHER = [
    (1, True),
    (1, 1.0),
    (0.0, -0.0),
    (0j, -0j),
    ([True], [1]),
    ((1,), [1]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": 0.0}, {"a": -0.0}),
    (Decimal("1.0"), Decimal("1.00")),
    ([1], [1, 2]),
    ("a", b"a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_no_code_could_tell_apart(one: Any, other: Any) -> None:
    """But by its identity."""
    assert alike(one, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_is_equal_and_not_the_same(one: Any, other: Any) -> None:
    """Either way round."""
    assert not alike(one, other)
    assert not alike(other, one)


def test_module_state() -> None:
    """What is there, is otherwise, or is missing."""
    assert difference_of(pickle.dumps(([("math", "pi", 3.141592653589793)], b""))) is None
    assert "another value" in str(difference_of(pickle.dumps(([("math", "pi", 3)], b""))))
    assert "does not exist" in str(difference_of(pickle.dumps(([("math", "nowhere", 3)], b""))))


def test_module_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced, with other defaults, or gone; what isn't loaded will be as it is written."""

    def environment(module: str, name: str, value: Any) -> bytes:
        return pickle.dumps(([], pickle.dumps([(module, name, fingerprint(value))])))

    assert difference_of(environment("tests.work", "double", work.double)) is None
    assert (
        difference_of(environment("tests.work", "Counter.__init__", vars(work.Counter)["__init__"])) is None
    )
    assert "not the same" in str(difference_of(environment("tests.work", "double", work.same)))
    assert "not the same" in str(difference_of(environment("tests.work", "gone", work.same)))
    assert difference_of(environment("tests.not_loaded", "gone", work.same)) is None
    whole = environment("tests.work", "add", work.add)
    monkeypatch.setattr(work.add, "__defaults__", (5,))
    assert "not the same" in str(difference_of(whole))


class Stubborn:
    """Can't be pickled once it has been called."""

    called = False

    def __reduce__(self) -> Any:
        if self.called:
            raise TypeError("no more")
        return (Stubborn, ())


CHANGES: list[tuple[Any, Callable[[Any], object]]] = [
    ([1], lambda it: it.append(2)),
    ({"a": [1]}, lambda it: it["a"].append(2)),
    (iter([1, 2]), next),
    (io.BytesIO(b"abc"), lambda it: it.read(1)),
    (bytearray(3), lambda it: it.__setitem__(0, 1)),
    (Stubborn(), lambda it: setattr(it, "called", True)),
]


@pytest.mark.parametrize(("thing", "change"), CHANGES)
def test_a_change_is_seen(thing: Any, change: Callable[[Any], object]) -> None:
    """Whoever makes it, and wherever inside."""
    given = Given((thing,), {})
    assert not given.changed()
    change(thing)
    assert given.changed()


def test_what_can_not_be_told() -> None:
    """What was never pickled as a whole is no change."""
    given = Given((iter(lambda: 1, 2),), {})

    assert not given.changed()


@pytest.fixture
def pool() -> Any:
    """A pool of one worker."""
    made = ProcessBackend(1)
    yield made
    wind_up(made)


@pytest.mark.full
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("vouched", [False, True])
def test_a_call_that_changes_its_arguments(pool: ProcessBackend, fails: bool, vouched: bool) -> None:
    """Nobody at home would see the change, so the call is given back; unless the user has vouched for it."""
    handed = Handed()
    for number in range(1, 4):
        task = handed.task(work.grow_and_end, [1, 2], fails)
        task.environment = None if vouched else b""
        pool.submit(task)
        outcome = handed.wait(number)[-1]
        if not vouched:
            assert isinstance(outcome.error, Refused)
            assert "changed" in str(outcome.error)
        elif fails:
            assert isinstance(outcome.error, ValueError)
        else:
            assert 3 == outcome.value


@pytest.mark.full
@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing has to leave")
def test_a_part_of_what_was_given_is_returned_from_home() -> None:
    """The caller gets its own object, whatever a worker would have returned."""
    rows = [[3], [1], [2]]
    with AdaptiveExecutor(max_processes=1) as executor:
        futures = [executor.options(kind="cpu").submit(work.least_of, rows) for _ in range(3)]
        assert all(future.result(20) is rows[1] for future in futures)
        record = executor._dispatcher._store.record(work.least_of)

    assert "a part of" in record.stay


@pytest.mark.parametrize(("value", "shared"), [([1], True), ({"in": [1]}, False), (3, False)])
def test_parts_of_arguments(value: Any, shared: bool) -> None:
    """Only the very objects, by position or by name, and not what is equal to them."""
    own = [1]
    given = Given((own,), {"more": {"x": own}})
    assert given.shared_with([own] if shared else value) is shared


@pytest.mark.full
def test_what_others_have_seen_is_not_done_again() -> None:
    """A call that puts something into a shared queue is called once, whatever else it does."""
    items: Queue[int] = Queue()
    with AdaptiveExecutor(max_processes=1) as executor:
        view = executor.options(kind="cpu")
        lists = [list(range(20)) for _ in range(5)]
        for future in [view.submit(work.shuffled_and_put, each, items) for each in lists]:
            future.result(20)

    assert 5 == items.qsize()


@pytest.mark.full
@pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing has to leave")
def test_it_is_called_again_at_home() -> None:
    """With the caller's own objects, and from then on every time."""
    expected = [list(range(20)) for _ in range(2)]
    firsts = [work.shuffled_first(expected[0]), work.shuffled_first(expected[1])]
    with AdaptiveExecutor(max_processes=1) as executor:
        items = [list(range(20)) for _ in range(2)]
        futures = [executor.options(kind="cpu").submit(work.shuffled_first, each) for each in items]
        assert firsts == [future.result(20) for future in futures]
        reason = executor.explain(work.shuffled_first).reason
        record = executor._dispatcher._store.record(work.shuffled_first)

    assert expected == items
    assert "changed what it was given" in record.stay, reason


class _Says:
    """Says how it is pickled."""

    def __getstate__(self) -> None:
        return None


def test_what_a_result_loses() -> None:
    """What its class leaves behind, wherever it lies; most results lose nothing."""
    assert "__getstate__" in str(lost_of([{"a": _Says()}]))
    assert lost_of([1.0, float("nan"), "a", {"b": (1, 2)}]) is None
    assert lost_of(iter([1])) is None
