"""What certainly computes, and whether it holds the GIL meanwhile, by its name.

Python's own code never lets go of the GIL but to let others have their turn, and waits for nobody. So of a function
that calls nothing else than what is named here all that is known by reading it, and it need not be watched for it.
Hashing and compressing let go of the GIL for what is not small, and wait for nobody either: what does little else
computes without it, and of what does other things, too, looks must tell how much that is. Of anything that is not named
here nothing is said. What is said is a hint for speed: what has been measured with certainty is believed in its place
(`profiling/figures.py`).

Guarantees: no code of what is looked at runs.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Final

__all__ = ["Nature", "all_hold", "holds", "lets_go"]


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

_ELSEWHERE: Final = _words("""
    builtins.breakpoint builtins.exec builtins.eval builtins.help builtins.input builtins.open builtins.print
    builtins.__import__ array.array.fromfile array.array.tofile contextlib.chdir contextlib.redirect_stdout
    contextlib.redirect_stderr json.dump json.load pprint.pprint pprint.pp random.SystemRandom
    tokenize.open tomllib.load
""")
"""Functions of the modules above that may do something else than computing."""

_LETTING_GO: Final = _words("""
    blake2.blake2b blake2.blake2s bz2.compress bz2.decompress hashlib.blake2b hashlib.blake2s hashlib.md5 hashlib.new
    hashlib.openssl_md5 hashlib.openssl_sha1 hashlib.openssl_sha224 hashlib.openssl_sha256 hashlib.openssl_sha384
    hashlib.openssl_sha3_224 hashlib.openssl_sha3_256 hashlib.openssl_sha3_384 hashlib.openssl_sha3_512
    hashlib.openssl_sha512 hashlib.openssl_shake_128 hashlib.openssl_shake_256 hashlib.pbkdf2_hmac hashlib.scrypt
    hashlib.sha1 hashlib.sha224 hashlib.sha256 hashlib.sha384 hashlib.sha3_224 hashlib.sha3_256 hashlib.sha3_384
    hashlib.sha3_512 hashlib.sha512 hashlib.shake_128 hashlib.shake_256 lzma.compress lzma.decompress zlib.adler32
    zlib.compress zlib.crc32 zlib.decompress
""")
"""Functions that let go of the GIL while they compute, whenever that takes long enough to matter."""

_BY_TURNS: Final = _words("sqlite3.connect")
"""What lets go of the GIL, and yet does one thing at a time: SQLite counts the memory it takes, under one lock for the
whole process, unless it was built to do without (https://www.sqlite.org/malloc.html, SQLITE_CONFIG_MEMSTATUS)."""

_LIGHT: Final = _words(
    "builtins.bool builtins.id builtins.int builtins.isinstance builtins.len builtins.type"
)
"""Functions that are over in no time."""

_LIGHT_METHODS: Final = _words("decode digest encode hex hexdigest update")
"""Methods that take no time beside hashing, or are the hashing."""

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
    return public.partition(".")[0] in _HOLDING and public not in _ELSEWHERE


def lets_go(name: str) -> bool:
    """Whether a function that is not ours is known to compute without the GIL, wherever it takes long.

    Args:
        name: Its dotted name.
    """
    return name.lstrip("_") in _LETTING_GO


class Nature:
    """What the code that has been read so far does with its time.

    Attributes:
        computes: Nothing has been met that may do anything else than to compute.
        by_turns: Something has been met that does one thing at a time, whatever becomes of the GIL.
    """

    __slots__ = ("_freely", "_otherwise", "by_turns", "computes")

    def __init__(self) -> None:
        self.computes = True
        self.by_turns = False
        self._freely = False  # something has been met that lets go of the GIL
        self._otherwise = False  # and something that may hold it for long

    def call(self, name: str) -> None:
        """A function that is not ours is called."""
        if lets_go(name):
            self._freely = True
        elif not holds(name):
            self.computes = False
            self.by_turns = self.by_turns or name.lstrip("_") in _BY_TURNS
        elif name not in _LIGHT:
            self._otherwise = True

    def call_method(self, name: str) -> None:
        """A method is called, of whatever it may be."""
        self._otherwise = self._otherwise or name not in _LIGHT_METHODS

    def repeat(self) -> None:
        """Code of ours is run more than once, or may be."""
        self._otherwise = True

    @property
    def gil(self) -> float | None:
        """The part of its computing in which it holds the GIL; None if that depends."""
        if not self._freely:
            return 1.0
        return None if self._otherwise else 0.0


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
