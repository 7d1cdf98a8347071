"""Functions that enter what `contextlib.contextmanager` makes: a block is lent what a generator yields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from tests.semantics.case import Case

_log: list[Any] = []


class Ledger:
    """Rows, and blocks in which they may be changed."""

    def __init__(self, rows: list[Any]) -> None:
        """Keeps the very rows."""
        self.rows = rows
        self.own: list[Any] = []

    @contextmanager
    def open(self) -> Iterator[Ledger]:
        """Itself."""
        yield self

    @contextmanager
    def lent(self) -> Iterator[list[Any]]:
        """Its rows."""
        yield self.rows

    @contextmanager
    def both(self) -> Iterator[tuple[list[Any], list[Any]]]:
        """What is its own, and its rows."""
        yield self.own, self.rows

    @contextmanager
    def noted(self, value: Any) -> Iterator[list[Any]]:
        """What is its own; when the block has ended its rows get what is in it."""
        yield self.own
        if value > 40:
            self.rows.extend(self.own)

    @contextmanager
    def undone(self) -> Iterator[list[Any]]:
        """What is its own; an error is put among the rows."""
        try:
            yield self.own
        except ValueError as error:
            self.rows.append(str(error))


@contextmanager
def _lends_the_log(n: int) -> Iterator[list[Any]]:
    """The log."""
    yield _log if n > 40 else []


@contextmanager
def _lends_on(n: int) -> Iterator[list[Any]]:
    """What another one lends."""
    with _lends_the_log(n) as log:
        yield log


@lru_cache
def _cached() -> list[Any]:
    """One list for all."""
    return []


def through_itself(given: list[Any]) -> int:
    """Changes what an object holds that is lent."""
    with Ledger(given).open() as ledger:
        (ledger.rows if given[0] > 40 else ledger.own).append(1)
    return len(given)


def what_is_lent(given: list[Any]) -> int:
    """Changes what is given, which is lent."""
    with Ledger(given).lent() as rows:
        if given[0] > 40:
            rows.append(1)
    return len(given)


def one_of_both(given: list[Any]) -> int:
    """Changes the second of two."""
    with Ledger(given).both() as (own, rows):
        own.append(1)
        if given[0] > 40:
            rows.append(1)
    return len(given)


def at_the_end(given: list[Any]) -> int:
    """What the block has done is done to what is given when it ends."""
    with Ledger(given).noted(given[0]) as own:
        own.append(1)
    return len(given)


def by_an_error(given: list[Any]) -> int:
    """An error of the block is noted in what is given."""
    with Ledger(given).undone() as own:
        own.append(1)
        if given[0] > 40:
            raise ValueError("too many")
    return len(given)


def by_hand(given: list[Any]) -> int:
    """Enters without a block."""
    manager = Ledger(given).lent()
    rows = manager.__enter__()
    if given[0] > 40:
        rows.append(1)
    manager.__exit__(None, None, None)
    return len(given)


def on_a_stack(given: list[Any]) -> int:
    """Enters by a stack."""
    with ExitStack() as stack:
        rows = stack.enter_context(Ledger(given).lent())
        if given[0] > 40:
            rows.append(1)
    return len(given)


def by_its_arguments(given: list[Any]) -> int:
    """Takes what is given out of the manager again."""
    manager: Any = Ledger(given).noted(given[0])
    with manager as own:
        own.append(1)
        for each in manager.args if given[0] > 40 and hasattr(manager, "args") else ():
            getattr(each, "rows", []).append(2)
    return len(given)


def lends_the_log(given: list[Any]) -> int:
    """Changes a global that is lent on."""
    with _lends_on(given[0]) as log:
        log.append(1)
    return len(given)


def gives_the_log(given: list[Any]) -> Any:
    """Returns a global that is lent, now and then."""
    with _lends_the_log(given[0]) as log:
        return log


def either(given: list[Any]) -> int:
    """One of two managers, or a list that is none."""
    ways: list[Any] = [_lends_the_log, _lends_on, lambda n: Ledger(given).lent()]
    for way in ways:
        with way(given[0]) as rows:
            rows.append(1) if given[0] > 40 else None
    return len(given)


def _clear() -> None:
    """As at the beginning."""
    _log.clear()
    _cached().clear()


CASES = [
    Case(fn, arguments=lambda n: ([n, n + 1],), world=lambda: [list(_log), list(_cached())], reset=_clear)
    for fn in (
        *(through_itself, what_is_lent, one_of_both, at_the_end, by_an_error, by_hand, on_a_stack),
        *(by_its_arguments, lends_the_log, gives_the_log, either),
    )
]
