"""What is known of functions, methods and operators by their names."""

from __future__ import annotations

import sys
from typing import Final

__all__ = [
    "ANY_SPECIAL",
    "CALLS_ARGUMENT",
    "CHANGES_ARGUMENT",
    "COPYING",
    "FILE_METHODS",
    "MUTATORS",
    "NEW_RESULTS",
    "OPERATORS",
    "ORDERING",
    "READERS",
    "TOUCHES",
    "TRUSTED",
    "answering",
    "asks_only_specially",
    "gives_anything",
    "gives_new",
    "gives_plain",
]


def _words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


MUTATORS: Final = _words("""
    append appendleft extend extendleft insert remove pop popleft popitem clear sort reverse rotate update setdefault
    add discard difference_update intersection_update symmetric_difference_update subtract move_to_end fill resize put
    itemset setflags byteswap frombytes fromfile fromlist fromunicode write writelines writerow writerows writestr
    truncate seek flush close detach read readline readlines readinto readinto1 read1 readall send sendall sendto recv
    recv_into throw __next__ __anext__ asend athrow set acquire release notify notify_all wait put_nowait get_nowait
    task_done cancel set_result set_exception add_done_callback submit shutdown seed random randint shuffle choice
    choices sample uniform gauss randrange getrandbits randbytes normalvariate execute executemany executescript commit
    rollback fetchone fetchall fetchmany __setitem__ __delitem__ __setattr__ __delattr__ __setstate__ __init__ __iadd__
    __ior__ __iand__ __isub__ __ixor__ __imul__ __enter__ __exit__ __set__ register unregister connect bind listen
    accept feed feed_data push unread enter_context callback cache_clear setstate appendChild set_name addHandler
    removeHandler setLevel read_string read_dict read_file add_section remove_section remove_option inc increment
    count_up subscribe info debug warning error critical exception log
""")
"""Methods that change their object, whatever its class. Those of paths that touch only files are not among them."""

_TEXT_METHODS: Final = frozenset(
    name for kind in (str, bytes, int, float, complex) for name in dir(kind) if not name.startswith("__")
)

NEW_RESULTS: Final = (_TEXT_METHODS - {"conjugate"}) | _words("""
    open read_bytes read_text hexdigest digest group groups groupdict findall tolist tobytes isoformat timestamp
    strftime total_seconds bit_count stat exists is_file is_dir with_suffix with_name relative_to resolve absolute
    joinpath iterdir glob rglob sum mean std var dot argmax argmin cumsum cumprod astype nonzero write_text
    write_bytes span start end sub subn fullmatch finditer most_common
""")
"""Methods whose results are new and hold nothing of their object."""

READERS: Final = _words("""
    get keys values items copy count index union intersection difference symmetric_difference issubset issuperset
    isdisjoint elements most_common total decode hex startswith endswith find split strip lower upper join replace
    translate splitlines tolist tobytes new_child __contains__ __getitem__ __len__ __iter__ __eq__ __ne__ __lt__ __le__
    __gt__ __ge__ __or__ __ror__ __and__ __sub__ __rsub__ __xor__ __add__ __mul__ __repr__ __str__ __reversed__
    __bool__ __format__ __sizeof__
""")
"""Methods of the built-in containers that change nothing."""

TRUSTED: Final = _words("datetime pathlib re fractions uuid string _struct struct types")
"""Modules whose objects don't change, whatever method is called."""

CHANGING_FIRST: Final = _words("pack_into readinto readinto1 recv_into __set__ __delete__")
"""Methods that change their first argument."""

CHANGES_ARGUMENT: Final[dict[str, int]] = {
    **dict.fromkeys(
        _words("""
            heapq.heappush heapq.heappop heapq.heapify heapq.heappushpop heapq.heapreplace heapq.heappush_max
            heapq.heappop_max heapq.heapify_max heapq.heappushpop_max heapq.heapreplace_max bisect.insort
            bisect.insort_left bisect.insort_right operator.setitem operator.delitem operator.iadd operator.iand
            operator.iconcat operator.ifloordiv operator.ilshift operator.imod operator.imul operator.imatmul
            operator.ior operator.ipow operator.irshift operator.isub operator.itruediv operator.ixor
            builtins.setattr builtins.delattr builtins.next builtins.anext numpy.copyto numpy.put numpy.place
            numpy.putmask numpy.fill_diagonal numpy.put_along_axis collections._count_elements
            xml.etree.ElementTree.SubElement _elementtree.SubElement elementtree.SubElement
        """),
        0,
    ),
    **dict.fromkeys(
        _words("json.dump pickle.dump marshal.dump plistlib.dump shutil.copyfileobj struct.pack_into"), 1
    ),
    **dict.fromkeys(_words("contextlib.closing contextlib.aclosing"), 0),
}
"""Functions that change one of their arguments, and which."""

CALLS_ARGUMENT: Final[dict[str, tuple[int | str, ...]]] = {
    **dict.fromkeys(
        _words("""
            builtins.map builtins.filter functools.partial functools.cmp_to_key itertools.takewhile itertools.dropwhile
            itertools.filterfalse itertools.starmap collections.defaultdict operator.call timeit.timeit timeit.repeat
        """),
        (0,),
    ),
    **dict.fromkeys(_words("builtins.sorted builtins.min builtins.max heapq.merge"), ("key",)),
    **dict.fromkeys(_words("re.sub re.subn"), (1, "repl")),
    "functools.reduce": (0, "function"),
    "itertools.accumulate": (1, "func"),
    "itertools.groupby": (1, "key"),
    "heapq.nlargest": (2, "key"),
    "heapq.nsmallest": (2, "key"),
}
"""Functions that call one of their arguments, and which."""

CHOOSING: Final = _words("""
    builtins.sorted builtins.min builtins.max heapq.merge heapq.nlargest heapq.nsmallest
""")
"""Functions that give what they are given, ordered or chosen by a key that is asked and not given back."""

COPYING: Final = ("itertools.", "collections.", "copy.copy", "functools.", "operator.")
"""Functions whose results are new containers of what they are given."""

_NEW_MODULES: Final = _words("""
    ast base64 binascii bz2 calendar cmath colorsys csv datetime difflib zlib gzip lzma hashlib hmac html io json
    keyword math pathlib posixpath ntpath genericpath os pickle re shlex statistics string struct subprocess tempfile
    textwrap time tokenize unicodedata urllib uuid xml zipfile tarfile fractions secrets glob fnmatch shutil socket ssl
    http email marshal platform sys tomllib symtable dis opcode configparser random numbers array decimal sqlite3
    ipaddress mimetypes quopri stringprep timeit zoneinfo plistlib bisect blake2 sha1 sha2 sha3 md5 elementtree
""")
"""Modules whose functions return nothing of what they are given."""

_VIEWS: Final = _words("""
    asarray asanyarray ascontiguousarray asfortranarray reshape ravel squeeze transpose broadcast_to broadcast_arrays
    atleast_1d atleast_2d atleast_3d swapaxes moveaxis rollaxis expand_dims flip flipud fliplr rot90 diagonal diag
    split array_split hsplit vsplit dsplit real imag nditer require frombuffer nan_to_num asmatrix matrix
    sliding_window_view as_strided ndarray matrix_transpose permute_dims unstack lib ndenumerate flatiter ma rec char
    apply_along_axis vectorize frompyfunc
""")
"""Functions of NumPy whose results may share memory with their arguments."""

_SCALAR_BUILTINS: Final = _words("""
    len int float str bytes bool complex repr ascii chr ord bin hex oct abs round divmod isinstance issubclass callable
    hasattr any all range format dir pow
""")


_NEW_BY_NAME: Final = _words("""
    copy.deepcopy operator.index itertools.count dataclasses.asdict dataclasses.astuple
""")


_GIVING_BACK: Final = _words("""
    statistics.mode statistics.multimode statistics.median_low statistics.median_high
""")
"""Functions of those modules that give one of the very things that they are given."""


def gives_new(name: str) -> bool:
    """Tell whether the result of a foreign function holds nothing that could be changed of its arguments.

    Args:
        name: The function's dotted name.
    """
    top, _, rest = name.partition(".")
    if top == "builtins":
        return rest in _SCALAR_BUILTINS
    if top == "numpy":
        return rest.split(".")[0] not in _VIEWS and rest.rpartition(".")[2] not in _VIEWS
    return (top.lstrip("_") in _NEW_MODULES and name not in _GIVING_BACK) or name in _NEW_BY_NAME


_PLAIN_RESULTS: Final = _words("""
    re.sub re.subn bisect.bisect bisect.bisect_left bisect.bisect_right builtins.len builtins.any builtins.all
""")


def gives_plain(name: str) -> bool:
    """Tell whether a foreign function makes texts and numbers of its own, whatever the functions give that it calls.

    Args:
        name: The function's dotted name.
    """
    return name in _PLAIN_RESULTS


_ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "builtins.sum": ("__add__", "__radd__"),
    "builtins.divmod": ("__divmod__", "__rdivmod__"),
    "builtins.pow": ("__pow__", "__rpow__", "__ipow__"),
    "operator.concat": ("__add__", "__radd__"),
    "operator.inv": ("__invert__",),
    "operator.pow": ("__pow__", "__rpow__"),
    "math.prod": ("__mul__", "__rmul__"),
    "copy.replace": ("__replace__",),
    "copy.deepcopy": ("__deepcopy__",),
    "copy.copy": ("__copy__",),
    **{
        f"{module}.{name}": (f"__{name}__",)
        for module in ("builtins", "operator")
        for name in ("abs", "round")
    },
    **{f"math.{name}": (f"__{name}__",) for name in ("floor", "ceil", "trunc")},
}


def answering(name: str) -> tuple[str, ...]:
    """Return the special methods whose answers a foreign function gives as they are.

    Args:
        name: The function's dotted name.
    """
    module, _, rest = name.partition(".")
    if module == "operator" and name not in _ANSWERS:
        plain = rest.strip("_")
        return (f"__{plain}__", f"__r{plain}__", f"__i{plain}__", f"__{plain.removeprefix('i')}__")
    return _ANSWERS.get(name, ())


_MAKERS_OF_ANYTHING: Final = _words("""
    pickle _pickle shelve dbm copyreg inspect pkgutil pydoc importlib runpy gc sys sqlite3 xmlrpc unittest doctest
    code imp zipimport modulefinder typing.get_type_hints types.resolve_bases numpy.load numpy.fromfile numpy.fromregex
    urllib.request logging.makeLogRecord builtins.__build_class__ builtins.__import__
""")
"""What may give objects of classes that nobody has named: by what was pickled or registered, or by looking around."""


def gives_anything(name: str) -> bool:
    """Tell whether a foreign function may give objects of any class: all that is not known to be none such.

    Args:
        name: The function's dotted name.
    """
    top = name.partition(".")[0].lstrip("_")
    if top not in sys.stdlib_module_names and f"_{top}" not in sys.stdlib_module_names and top != "numpy":
        return True
    parts = name.split(".")
    return any(".".join(parts[:end]) in _MAKERS_OF_ANYTHING for end in range(1, len(parts) + 1))


_ASKING_SPECIALLY: Final = _words("""
    array base64 binascii bisect builtins bz2 calendar cmath collections copy colorsys datetime decimal difflib fnmatch
    fractions functools gzip hashlib heapq hmac html ipaddress itertools keyword lzma marshal math numbers numpy
    operator posixpath ntpath genericpath quopri random re secrets shlex statistics string struct textwrap time types
    typing unicodedata urllib uuid zlib
""")
"""Modules whose functions run no methods of what they are given but special ones, and properties."""


def asks_only_specially(name: str) -> bool:
    """Tell whether a foreign function runs only special methods of what it is given.

    Args:
        name: The function's dotted name.
    """
    return name.partition(".")[0].lstrip("_") in _ASKING_SPECIALLY


OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "Add": ("__add__", "__radd__", "__iadd__"),
    "Sub": ("__sub__", "__rsub__", "__isub__"),
    "Mult": ("__mul__", "__rmul__", "__imul__"),
    "MatMult": ("__matmul__", "__rmatmul__", "__imatmul__"),
    "Div": ("__truediv__", "__rtruediv__", "__itruediv__"),
    "FloorDiv": ("__floordiv__", "__rfloordiv__", "__ifloordiv__"),
    "Mod": ("__mod__", "__rmod__", "__imod__"),
    "Pow": ("__pow__", "__rpow__", "__ipow__"),
    "LShift": ("__lshift__", "__rlshift__", "__ilshift__"),
    "RShift": ("__rshift__", "__rrshift__", "__irshift__"),
    "BitOr": ("__or__", "__ror__", "__ior__"),
    "BitAnd": ("__and__", "__rand__", "__iand__"),
    "BitXor": ("__xor__", "__rxor__", "__ixor__"),
    "Eq": ("__eq__",),
    "NotEq": ("__ne__", "__eq__"),
    "Lt": ("__lt__", "__gt__"),
    "Gt": ("__gt__", "__lt__"),
    "LtE": ("__le__", "__ge__"),
    "GtE": ("__ge__", "__le__"),
    "In": ("__contains__", "__iter__", "__getitem__", "__eq__", "__hash__"),
    "NotIn": ("__contains__", "__iter__", "__getitem__", "__eq__", "__hash__"),
    "Is": (),
    "IsNot": (),
    "USub": ("__neg__",),
    "UAdd": ("__pos__",),
    "Invert": ("__invert__",),
    "Not": ("__bool__", "__len__"),
}
"""The special methods behind each operator: of the left side, of the right side, in place."""

ANY_SPECIAL: Final = tuple(
    sorted(
        _words("""
            __iter__ __next__ __len__ __getitem__ __contains__ __hash__ __eq__ __lt__ __gt__ __le__ __str__ __repr__
            __format__ __bool__ __index__ __int__ __float__ __fspath__ __add__ __radd__ __call__ __enter__ __exit__
            __reduce__ __getstate__ __copy__ __deepcopy__ __array__ __bytes__ __abs__ __round__ __complex__
            __reversed__ __floor__ __ceil__ __trunc__ __length_hint__ run keys __ne__ __ge__ __sub__ __rsub__ __mul__
            __rmul__ __truediv__ __rtruediv__ __floordiv__ __rfloordiv__ __mod__ __rmod__ __divmod__ __rdivmod__ __pow__
            __rpow__ __matmul__ __rmatmul__ __neg__ __pos__ __invert__ __and__ __rand__ __or__ __ror__ __xor__ __rxor__
            __lshift__ __rlshift__ __rshift__ __rrshift__ __setstate__ __reduce_ex__ __getnewargs__ __getnewargs_ex__
            __dir__ __missing__ __sizeof__ __setitem__ __delitem__ __replace__ __array_ufunc__ __array_function__
            __array_interface__ __buffer__ __instancecheck__ __subclasscheck__
        """)
    )
)
"""The special methods that a foreign function may call, as far as nobody knows better."""

FILE_METHODS: Final = (
    *(
        "read",
        "readline",
        "readlines",
        "readinto",
        "write",
        "writelines",
        "flush",
        "close",
        "seek",
        "tell",
        "fileno",
    ),
    *("truncate", "readable", "writable", "seekable", "isatty", "recv", "recv_into", "send", "sendall"),
)
"""The methods that foreign code calls on whatever it takes for a file."""

ORDERING: Final[dict[str, tuple[str, ...]]] = {
    "sort": ("__lt__", "__gt__"),
    **dict.fromkeys(_words("index count remove"), ("__eq__",)),
    **dict.fromkeys(
        _words("""
            get pop setdefault update discard add union intersection difference symmetric_difference issubset issuperset
            isdisjoint difference_update intersection_update symmetric_difference_update fromkeys
        """),
        ("__hash__", "__eq__"),
    ),
}
"""What methods of containers ask of the things that the containers hold."""

TOUCHES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        _words("builtins.sorted builtins.min builtins.max"), ("__lt__", "__gt__", "__iter__", "__next__")
    ),
    **dict.fromkeys(
        _words("builtins.callable builtins.type builtins.getattr builtins.hasattr builtins.vars"),
        (),
    ),
    **dict.fromkeys(
        _words("builtins.iter builtins.next builtins.enumerate builtins.zip builtins.reversed"),
        ("__iter__", "__next__", "__reversed__", "__len__", "__getitem__"),
    ),
    **dict.fromkeys(
        _words("builtins.any builtins.all builtins.map builtins.filter"),
        ("__iter__", "__next__", "__bool__", "__len__"),
    ),
    **dict.fromkeys(
        _words("builtins.range builtins.chr builtins.bin builtins.hex builtins.oct builtins.slice"),
        ("__index__",),
    ),
    "builtins.len": ("__len__",),
    "builtins.abs": ("__abs__",),
    "builtins.round": ("__round__",),
    "builtins.repr": ("__repr__",),
    "builtins.format": ("__format__", "__str__"),
    "builtins.sum": ("__iter__", "__next__", "__add__", "__radd__"),
    "builtins.open": ("__fspath__",),
}
"""The special methods that some builtins call."""
