"""The connection to a home, with a home whose every answer the test decides."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest

from adaptive_exec.errors import HomeDied
from adaptive_exec.platform import endpoints
from adaptive_exec.primitives.address import HomeAddress
from adaptive_exec.primitives.link import Link
from adaptive_exec.primitives.ticket import CANCELLED, ThreadTicket
from tests.primitives.helpers import LIMIT, Background, until

KEY = b"key"


class FakeHome:
    """Accepts one connection and does what it is told."""

    def __init__(self) -> None:
        self.endpoint = endpoints.listen()
        self._accepting = Background(self._accept)
        self.link = Link(HomeAddress("fake", 0, self.endpoint.address, KEY))
        self.connection: Connection = self._accepting.result()

    def _accept(self) -> Connection:
        connection = self.endpoint.accept()
        endpoints.prove(connection, KEY, first=True)
        return connection

    def received(self) -> Any:
        """Return the next message."""
        assert self.connection.poll(LIMIT)
        return pickle.loads(self.connection.recv_bytes())

    def answer(self, number: int, status: str, value: Any = None) -> None:
        """Answer a request."""
        self.connection.send_bytes(pickle.dumps((number, status, value)))


@pytest.fixture
def home() -> Iterator[FakeHome]:
    """A home and a link to it."""
    made = FakeHome()
    yield made
    made.connection.close()
    made.endpoint.close()
    until(lambda: made.link.dead)


def test_answers_find_their_requests(home: FakeHome) -> None:
    """Answers may come in any order; each goes to its own request."""
    calls = []
    numbers = []
    for oid in (1, 2):
        calls.append(Background(home.link.call, "ask", oid))
        numbers.append(home.received()[0])
    for number, value in zip(reversed(numbers), "ba", strict=True):
        home.answer(number, "done", value)

    assert ["a", "b"] == [call.result() for call in calls]


def test_errors_are_raised(home: FakeHome) -> None:
    """An error of the home is raised at the caller."""
    call = Background(home.link.call, "ask", 1)
    home.answer(home.received()[0], "error", KeyError("no"))

    with pytest.raises(KeyError):
        call.result()


def test_request_meets_end(home: FakeHome) -> None:
    """Requests that are open when the connection ends fail, and so do later ones; each with its own error."""
    calls = [Background(home.link.call, "ask", oid) for oid in (1, 2)]
    for _ in calls:
        home.received()
    home.connection.close()

    errors = []
    for call in calls:
        with pytest.raises(HomeDied) as caught:
            call.result()
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    until(lambda: home.link.dead)
    with pytest.raises(HomeDied):
        home.link.call("ask", 1)
    home.link.post("ask", 1)


@pytest.mark.parametrize("granted", [True, False])
def test_grant_meets_giving_up(home: FakeHome, granted: bool) -> None:
    """A request is given up: the home is told, and what it grants nevertheless is handed back, once."""
    undone: list[Any] = []
    ticket = ThreadTicket()
    home.link.request(ticket, "get", 1, None, lambda _, number, value: undone.append((number, value)))
    number = home.received()[0]

    home.link.abandon(ticket)
    home.link.abandon(ticket)

    assert (0, "cancel", 0, number) == home.received()
    home.answer(number, "done" if granted else "cancelled", "item")
    until(lambda: not home.link._kept)
    marker = Background(home.link.call, "ask", 2)
    home.answer(home.received()[0], "done")
    marker.result()
    assert ([(number, "item")] if granted else []) == undone
    assert ticket.outcome is CANCELLED


def test_grant_before_giving_up(home: FakeHome) -> None:
    """A grant that came before its request was given up is handed back, once."""
    undone: list[Any] = []
    ticket = ThreadTicket()
    home.link.request(ticket, "get", 1, None, lambda _, number, value: undone.append(value))
    home.answer(home.received()[0], "done", "item")
    assert ticket.park(LIMIT)

    home.link.abandon(ticket)
    home.link.abandon(ticket)

    assert ["item"] == undone


def test_used_grant_is_not_handed_back(home: FakeHome) -> None:
    """A grant that was used stays used."""
    undone: list[Any] = []
    ticket = ThreadTicket()
    home.link.request(ticket, "get", 1, None, lambda _, number, value: undone.append(value))
    home.answer(home.received()[0], "done", "item")
    assert ticket.park(LIMIT)
    assert ticket.spend()

    home.link.abandon(ticket)

    assert not undone


def test_posts_keep_their_order(home: FakeHome) -> None:
    """What is left for the carrier goes before what is sent after it."""
    for number in range(20):
        home.link.post("first", number)
        ticket = ThreadTicket()
        home.link.request(ticket, "second", number, None)

    seen = [home.received()[1:3] for _ in range(40)]

    assert [(word, number) for number in range(20) for word in ("first", "second")] == seen


def test_wrong_key() -> None:
    """A home with another key can't be linked to, and no thread is left."""
    endpoint = endpoints.listen()

    def refuse() -> None:
        with endpoint.accept() as connection, pytest.raises(Exception, match=r".*"):
            endpoints.prove(connection, b"other", first=True)

    before = threading.active_count()
    refusing = Background(refuse)
    with pytest.raises(Exception, match=r".*"):
        Link(HomeAddress("fake", 0, endpoint.address, KEY))
    refusing.result()
    endpoint.close()

    until(lambda: threading.active_count() <= before)


def test_nobody_listens() -> None:
    """An address that nobody listens on any more raises HomeDied."""
    endpoint = endpoints.listen()
    endpoint.close()

    with pytest.raises(HomeDied):
        Link(HomeAddress("gone", 1, endpoint.address, KEY))
