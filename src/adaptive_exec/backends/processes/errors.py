"""Exceptions on their way home: with the worker's traceback, and readable whatever they are made of."""

from __future__ import annotations

import contextlib
from typing import Final

from ... import pickling

__all__ = ["RemoteTraceback", "arrives", "pack_error", "text_of", "unpack_error"]

_LONGEST: Final = 50
_Link = tuple[BaseException, BaseException | None, BaseException | None, bool]
"""An error, its cause, its context, and whether that is not to be told."""


class RemoteTraceback(Exception):
    """The text of a traceback in a worker; the `__cause__` of the error it came with."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def pack_error(error: BaseException) -> bytes:
    """An exception with its traceback's text, in a form that is known to arrive."""
    import traceback  # here, so that workers start sooner

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for chain in (_chain_of(error), []):
        try:
            data = pickling.dumps((error, text, chain), home=True)
            pickling.loads(data)
        except BaseException:
            continue
        return data
    # It can't be pickled, or can't be read again: its name and its text can.
    wrapped = RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}: {text_of(error)}")
    return pickling.dumps((wrapped, text, []))


def arrives(error: BaseException, data: bytes) -> bool:
    """Whether an exception that was packed comes out as it was: one that is made otherwise than it is told may not.

    Args:
        error: The exception.
        data: What it was packed as.
    """
    read = unpack_error(data)
    try:
        same = type(read) is type(error) and text_of(read) == text_of(error)
        same = same and vars(read).keys() == vars(error).keys() and len(read.args) == len(error.args)
    except Exception:  # of a class that does not let itself be looked at
        return False
    pairs = ((error.__cause__, read.__cause__), (error.__context__, read.__context__))
    for one, other in pairs:
        same = same and (type(one) is type(other) or (one is None and type(other) is RemoteTraceback))
    return same


def _chain_of(error: BaseException) -> list[_Link]:
    """What each of the errors that led to this one comes from."""
    links: list[_Link] = []
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo and len(links) < _LONGEST:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        links.append((each, each.__cause__, each.__context__, each.__suppress_context__))
        todo += [each.__cause__, each.__context__]
    return links if len(links) > 1 else []


def _linked(error: BaseException, links: list[_Link]) -> BaseException:
    """Put a chain together again; the error at its far end."""
    for each, cause, context, suppress in links:
        each.__cause__, each.__context__ = cause, context
        each.__suppress_context__ = suppress
    for _ in links:
        behind = error.__context__ if error.__cause__ is None else error.__cause__
        error = error if behind is None else behind
    return error


def text_of(error: BaseException) -> str:
    """What an exception says, even if saying it fails."""
    try:
        return str(error)
    except BaseException:
        return "<no text>"


def unpack_error(data: bytes) -> BaseException:
    """In the parent: the exception again, with the worker's traceback as its cause, or as that of its first cause."""
    try:
        error, text, links = pickling.loads(data)
    except BaseException as problem:
        return RuntimeError(f"the task failed, and its exception can't be read here: {text_of(problem)}")
    if isinstance(error, BaseException):
        with contextlib.suppress(Exception):  # a class of the user's may not let itself be written to
            _linked(error, links).__cause__ = RemoteTraceback(text)
        return error
    return RuntimeError(text_of(error))
