"""Where in memory the interpreter's GIL lies: a thread that wants it sleeps in a futex there.

CPython keeps the GIL of its main interpreter inside one object, `_PyRuntime`, which it exports; how large that
is stands in the symbol table, and glibc's `dladdr1` reads it. The locks of Python programs lie on the heap, so a
sleep inside that object is a wait for the GIL, or for one of the interpreter's own locks that are held for moments.
"""

from __future__ import annotations

import sys
from typing import Final

from .gil import gil_enabled

__all__ = ["GilPlace", "gil_place"]

_WITH_SYMBOL: Final = 1  # RTLD_DL_SYMENT of <dlfcn.h>

GilPlace = range
"""The addresses that belong to the GIL; empty on a free-threaded build."""


def gil_place() -> GilPlace | None:
    """The addresses of the GIL that this code runs under.

    Returns:
        None where they can't be told: without glibc, in an interpreter whose symbols are hidden, and in a
        subinterpreter, which may have a GIL of its own elsewhere.
    """
    if not gil_enabled():
        return range(0)
    if sys.platform != "linux":
        return None
    try:
        return _of_the_runtime()
    except (ImportError, OSError, AttributeError, TypeError, ValueError):
        return None


def _of_the_runtime() -> GilPlace | None:
    """The addresses of `_PyRuntime`; raises where a name is missing."""
    # Imported here: ctypes costs milliseconds, and most processes never sample.
    import ctypes

    class Place(ctypes.Structure):
        """`Dl_info` of <dlfcn.h>."""

        _fields_ = [
            ("file_name", ctypes.c_char_p),
            ("file_base", ctypes.c_void_p),
            ("symbol_name", ctypes.c_char_p),
            ("symbol_address", ctypes.c_void_p),
        ]

    class Symbol(ctypes.Structure):
        """`ElfW(Sym)` of <elf.h>, whose fields stand in another order on 32 bits."""

        _fields_ = (
            [
                ("name", ctypes.c_uint32),
                ("kind", ctypes.c_uint32),
                ("value", ctypes.c_uint64),
                ("size", ctypes.c_uint64),
            ]
            if ctypes.sizeof(ctypes.c_void_p) == 8
            else [("name", ctypes.c_uint32), ("value", ctypes.c_uint32), ("size", ctypes.c_uint32)]
        )

    interpreter = ctypes.PyDLL(None)  # not `ctypes.pythonapi`, whose functions others declare as well
    interpreter.PyInterpreterState_Get.restype = ctypes.c_void_p
    interpreter.PyInterpreterState_Main.restype = ctypes.c_void_p
    if interpreter.PyInterpreterState_Get() != interpreter.PyInterpreterState_Main():
        return None
    start = ctypes.addressof(ctypes.c_char.in_dll(interpreter, "_PyRuntime"))
    place, symbol = Place(), ctypes.POINTER(Symbol)()
    ask = ctypes.CDLL(None).dladdr1
    ask.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    found = ask(start, ctypes.byref(place), ctypes.byref(symbol), _WITH_SYMBOL)
    if not found or place.symbol_address != start:
        return None
    size = int(symbol.contents.size)  # ValueError where the symbol table has been stripped
    return range(start, start + size) if size else None
