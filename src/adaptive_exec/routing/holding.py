"""What certainly computes and holds the GIL meanwhile, by its name.

Python's own code never lets go of the GIL but to let others have their turn, and waits for nobody. So of a function
that calls nothing else than what is named here all that is known by reading it, and it need not be watched for it. Of
anything else nothing is said, and looks must tell. What is named here is a hint for speed: what has been measured with
certainty is believed in its place (`profiling/figures.py`).

Guarantees: no code of what is looked at runs.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Final

__all__ = ["all_hold", "holds"]


def _words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


_HOLDING: Final = _words("""
    abc array ast base64 bisect builtins calendar cmath collections colorsys contextlib copy csv dataclasses datetime
    decimal difflib elementtree enum fnmatch fractions functools graphlib heapq html ipaddress itertools json keyword
    math numbers opcode operator pprint quopri random re reprlib shlex sre statistics string struct symtable textwrap
    token tokenize tomllib types typing unicodedata
""")
"""Modules whose functions hold the GIL from beginning to end; those that read and write files excepted."""

_NAMED: Final = _words("""
    binascii.a2b_base64 binascii.a2b_hex binascii.a2b_qp binascii.b2a_base64 binascii.b2a_hex binascii.b2a_qp
    binascii.hexlify binascii.unhexlify io.BytesIO io.StringIO os.fspath os.path.basename os.path.commonpath
    os.path.commonprefix os.path.dirname os.path.isabs os.path.join os.path.normpath os.path.split os.path.splitext
    pickle.dumps pickle.loads marshal.dumps marshal.loads posixpath.basename posixpath.commonpath posixpath.commonprefix
    posixpath.dirname posixpath.isabs posixpath.join posixpath.normpath posixpath.split posixpath.splitext sys.getsizeof
    sys.intern time.gmtime time.localtime time.mktime time.monotonic time.monotonic_ns time.perf_counter
    time.perf_counter_ns time.process_time time.process_time_ns time.strftime time.strptime time.time time.time_ns
    xml.etree.ElementTree.fromstring xml.etree.ElementTree.fromstringlist xml.etree.ElementTree.tostring
    xml.etree.ElementTree.tostringlist xml.etree.ElementTree.Element xml.etree.ElementTree.SubElement
    xml.etree.ElementTree.XML xml.sax.saxutils.escape xml.sax.saxutils.quoteattr xml.sax.saxutils.unescape
""")
"""The same of single functions, whose modules have others that let go of it."""

_LETTING_GO: Final = _words("""
    builtins.breakpoint builtins.exec builtins.eval builtins.help builtins.input builtins.open builtins.print
    builtins.__import__ array.array.fromfile array.array.tofile contextlib.chdir contextlib.redirect_stdout
    contextlib.redirect_stderr json.dump json.load pprint.pprint pprint.pp random.SystemRandom
    tokenize.open tomllib.load
""")
"""Functions of the modules above that may do something else than computing."""

_IN_C: Final = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)
_KINDS: Final = frozenset({"io.BytesIO", "io.StringIO"})
_bases: Final = vars(type)["__mro__"].__get__
_space: Final = vars(type)["__dict__"].__get__
_module: Final = vars(type)["__module__"].__get__


def holds(name: str) -> bool:
    """Whether a function that is not ours holds the GIL all the time.

    Args:
        name: Its dotted name.

    Returns:
        False if it does not, or if nobody knows.
    """
    public = name.lstrip("_")
    if public in _NAMED:
        return True
    return public.partition(".")[0] in _HOLDING and public not in _LETTING_GO


def all_hold(kinds: Iterable[type]) -> bool:
    """Whether the methods of such objects hold the GIL all the time, those excepted that are read as code.

    Args:
        kinds: Classes.
    """
    return all(map(_holds_in, kinds))


def _holds_in(kind: type) -> bool:
    """The same of one class: each of its bases is written in Python, or is one of which that is known."""
    for base in _bases(kind):
        if any(isinstance(each, _IN_C) for each in _space(base).values()):
            name = f"{_module(base)}.{base.__name__}".lstrip("_")
            if name in _KINDS:
                return True
            if name.partition(".")[0] not in _HOLDING:
                return False
    return True
