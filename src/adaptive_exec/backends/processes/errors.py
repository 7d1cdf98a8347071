"""Exceptions on their way home: with the worker's traceback, and readable whatever they are made of."""

from __future__ import annotations

import contextlib

from ... import pickling

__all__ = ["RemoteTraceback", "pack_error", "text_of", "unpack_error"]


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
    try:
        data = pickling.dumps((error, text), home=True)
        pickling.loads(data)
    except BaseException:
        # It can't be pickled, or can't be read again: its name and its text can.
        wrapped = RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}: {text_of(error)}")
        data = pickling.dumps((wrapped, text))
    return data


def arrives(error: BaseException) -> bool:
    """Whether an exception can be pickled, and made again from that."""
    try:
        pickling.loads(pickling.dumps(error, home=True))
    except BaseException:
        return False
    return True


def text_of(error: BaseException) -> str:
    """What an exception says, even if saying it fails."""
    try:
        return str(error)
    except BaseException:
        return "<no text>"


def unpack_error(data: bytes) -> BaseException:
    """In the parent: the exception again, with the worker's traceback as its cause."""
    try:
        error, text = pickling.loads(data)
    except BaseException as problem:
        return RuntimeError(f"the task failed, and its exception can't be read here: {text_of(problem)}")
    if isinstance(error, BaseException):
        with contextlib.suppress(Exception):  # a class of the user's may not let itself be written to
            error.__cause__ = RemoteTraceback(text)
        return error
    return RuntimeError(text_of(error))
