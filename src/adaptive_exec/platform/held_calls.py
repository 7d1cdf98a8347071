"""Calls into the C library that keep the GIL while they run.

`ctypes.PyDLL` calls a C function without releasing the GIL, where `os.pread` and `time.sleep` release it.
Two are wanted: a read that does not let other threads move on before it looks, and a sleep during which
nobody can hold the GIL.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

__all__ = ["HeldCalls", "held_calls"]

_BUFFER_BYTES: Final = 256


class HeldCalls:
    """`pread` and `usleep` of the C library, called with the GIL held. For one thread at a time."""

    __slots__ = ("_buffer", "_pread", "_usleep")

    def __init__(self, pread: Callable[..., int], usleep: Callable[[int], int], buffer: Any) -> None:
        self._pread = pread
        self._usleep = usleep
        self._buffer = buffer

    def read(self, descriptor: int) -> bytes:
        """The first 256 bytes of a file; empty if it can't be read (its thread has ended)."""
        size = self._pread(descriptor, self._buffer, _BUFFER_BYTES, 0)
        return bytes(self._buffer.raw[:size]) if size > 0 else b""

    def sleep_us(self, microseconds: int) -> None:
        """Sleep without releasing the GIL."""
        self._usleep(microseconds)


@functools.cache
def _library() -> Any:
    """The C library seen through `ctypes.PyDLL`, or None where there is none."""
    try:
        # Imported here: ctypes costs milliseconds, and most processes never sample.
        import ctypes

        library = ctypes.PyDLL(None)
        library.pread.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long]
        library.pread.restype = ctypes.c_ssize_t
        library.usleep.argtypes = [ctypes.c_uint]
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return library


def held_calls() -> HeldCalls | None:
    """A new set of held calls with a buffer of its own; None where the C library does not offer them."""
    library = _library()
    if library is None:
        return None
    import ctypes

    return HeldCalls(library.pread, library.usleep, ctypes.create_string_buffer(_BUFFER_BYTES))
