"""Memory by its address: where a buffer lies, comparing, copying, and advice to the system about it.

Whoever calls one of these holds the buffers in question. `compare`, `copy` and `advise` let other threads run.
This module is loaded when somebody first needs it, since ctypes takes long to load.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

__all__ = ["address_of", "advise", "compare", "copy"]


class _PyBuffer(ctypes.Structure):
    """C's `Py_buffer`."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


_libc: Final = ctypes.CDLL(None)
_libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.memmove.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
_libc.memmove.restype = ctypes.c_void_p
_python: Final = ctypes.PyDLL(None)
_python.PyObject_GetBuffer.argtypes = [ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int]
_python.PyBuffer_Release.argtypes = [ctypes.POINTER(_PyBuffer)]


def address_of(view: memoryview | bytes | mmap.mmap) -> int:
    """Where a buffer lies in this process's memory; it stays there for as long as somebody holds it."""
    buffer = _PyBuffer()
    _python.PyObject_GetBuffer(view, buffer, 0)
    try:
        return buffer.buf or 0
    finally:
        _python.PyBuffer_Release(buffer)


def compare(one: int, other: int, size: int) -> int:
    """0 if the bytes at two addresses are equal."""
    found: int = _libc.memcmp(one, other, size)
    return found


def copy(to: int, source: int, size: int) -> None:
    """Copy bytes from one address to another."""
    _libc.memmove(to, source, size)


def advise(start: int, size: int, advice: int) -> None:
    """Tell the system how whole pages are going to be used; what it thinks of that is its own affair."""
    _libc.madvise(start, size, advice)
