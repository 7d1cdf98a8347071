"""What a function, class or module is, in a number that another process can compare with its own.

The same source gives the same number wherever it stands and whoever imports it, on the same kind of interpreter.
"""

from __future__ import annotations

import abc
import functools
import sys
import types
import zlib
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["code_parts", "fingerprint"]

_ATOMS: Final = (int, float, complex, bool, str, bytes, type(None))


def code_parts(code: types.CodeType) -> Iterator[bytes]:
    """What makes up a piece of code; neither the file nor the line where it stands."""
    yield code.co_qualname.encode()
    yield code.co_code
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_parts(constant)
        elif isinstance(constant, frozenset):
            yield repr(sorted(map(repr, constant))).encode()
        else:
            yield repr(constant).encode()


def fingerprint(value: Any) -> int:
    """What something is: of a function its code, its defaults and what its closure holds, of all else its name.

    Args:
        value: A function, class, module, class method or static method.

    Returns:
        A checksum: it is to tell edits and patches, not forgeries, and `hashlib` takes long to load.
    """
    found = 0
    for part in _parts(value):
        found = zlib.crc32(b"\0" + part, found)
    return found


def _parts(value: Any) -> Iterator[bytes]:
    """The same in pieces."""
    while isinstance(value, (classmethod, staticmethod)):
        yield type(value).__name__.encode()
        value = value.__func__
    yield type(value).__name__.encode()
    if isinstance(value, functools.partial):
        yield from _parts(value.func)
        yield from _held([*value.args, *value.keywords.values()])
        yield repr(list(value.keywords)).encode()
        return
    if not isinstance(value, types.FunctionType):
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
        yield f"{getattr(value, '__module__', '')}.{name}".encode()
        yield from _registered(value)
        return
    yield from code_parts(value.__code__)
    held = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    for cell in value.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:
            yield b"empty"
    yield from _held(held)
    registry = getattr(value, "registry", None)
    if isinstance(registry, types.MappingProxyType):  # of `singledispatch`
        names = {f"{kind.__module__}.{kind.__qualname__}": each for kind, each in registry.items()}
        for name, each in sorted(names.items(), key=lambda pair: pair[0]):
            yield name.encode()
            yield from code_parts(each.__code__) if isinstance(each, types.FunctionType) else ()


def _held(things: list[Any]) -> Iterator[bytes]:
    """What a function or a partial holds."""
    for thing in things:
        # Anything else may be made anew in every process.
        yield (repr(thing) if type(thing) in _ATOMS else type(thing).__qualname__).encode()


def _registered(value: Any) -> list[bytes]:
    """The classes that were registered with an abstract one; those of the standard library are told by its name."""
    if not isinstance(value, abc.ABCMeta) or value.__module__.partition(".")[0] in sys.stdlib_module_names:
        return []
    dump: Any = getattr(sys.modules.get("_abc"), "_get_dump", None)
    found = [each() for each in dump(value)[0]] if dump is not None and hasattr(value, "_abc_impl") else []
    return sorted(f"{each.__module__}.{each.__qualname__}".encode() for each in found if each is not None)
