"""Exceptions arrive as they were, with what they come from; where they would not, that is known."""

from __future__ import annotations

from typing import Any

import pytest

from adaptive_exec.backends.processes.errors import RemoteTraceback, arrives, pack_error, unpack_error


class Told(Exception):
    """Tells what it comes from."""

    def __str__(self) -> str:
        return f"{self.args} {self.__cause__!r} {self.__context__!r}"


class Doubled(Exception):
    """Its constructor takes something else than it hands on."""

    def __init__(self, number: int) -> None:
        super().__init__(f"failed with {number}")


class Unreadable(Exception):
    """Can't be made from what it holds."""

    def __init__(self, *, number: int) -> None:
        super().__init__(number)


def _with_a_cause() -> None:
    try:
        raise KeyError("a") from ValueError("b")
    except KeyError as error:
        raise Told(1) from error


def _in_a_context() -> None:
    try:
        _with_a_cause()
    except Told:
        raise Told(2)  # noqa: B904


def _hidden() -> None:
    try:
        int("none")
    except ValueError:
        raise ValueError(3) from None


def _caught(fail: Any) -> BaseException:
    """What a function raises."""
    with pytest.raises(BaseException) as caught:
        fail()
    return caught.value


def _tree(error: BaseException | None) -> Any:
    """An error with all that it comes from, as far as that is not a worker's traceback."""
    if error is None or isinstance(error, RemoteTraceback):
        return None
    return type(error), error.args, _tree(error.__cause__), _tree(error.__context__)


@pytest.mark.parametrize("fail", [_with_a_cause, _in_a_context, _hidden])
def test_a_chain_arrives(fail: Any) -> None:
    """Each error has the cause and the context that it had."""
    error = _caught(fail)
    data = pack_error(error)
    read = unpack_error(data)

    assert _tree(error) == _tree(read)
    assert str(error) == str(read)
    assert arrives(error, data)


def test_the_traceback_stands_at_the_far_end() -> None:
    """There what was raised first has it for a cause."""
    read = unpack_error(pack_error(_caught(_with_a_cause)))
    assert read.__cause__ is not None
    first = read.__cause__.__cause__
    assert isinstance(first, ValueError)
    assert "_with_a_cause" in str(first.__cause__)

    alone = unpack_error(pack_error(ValueError(1)))
    assert isinstance(alone.__cause__, RemoteTraceback)


def test_a_circle_arrives() -> None:
    """Errors that come from each other."""
    one, other = ValueError(1), KeyError(2)
    one.__context__, other.__context__ = other, one
    assert "KeyError" in str(unpack_error(pack_error(one)).__context__.__class__)


def test_a_cause_that_can_not_travel() -> None:
    """The error comes without it, and that is told."""
    error = ValueError(1)
    error.__cause__ = KeyError(lambda: None, open)
    error.__cause__.__cause__ = Unreadable(number=1)
    data = pack_error(error)
    read = unpack_error(data)
    assert isinstance(read, ValueError)
    assert isinstance(read.__cause__, RemoteTraceback)
    assert not arrives(error, data)
    assert arrives(ValueError(1), pack_error(ValueError(1)))


@pytest.mark.parametrize("error", [Doubled(5), Unreadable(number=5), Told(1)])
def test_those_that_come_out_otherwise_are_known(error: BaseException) -> None:
    """A text that is made twice, one that is wrapped, and one that would tell of the worker."""
    assert not arrives(error, pack_error(error))
