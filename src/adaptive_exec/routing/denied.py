"""What reaches the state of this process, by name: such calls would act, or be answered, differently elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["denied", "denied_objects"]


def _words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


def _each(why: str, names: str) -> dict[str, str]:
    """The same reason for several names."""
    return dict.fromkeys(_words(names), why)


_NAMES: Final[dict[str, str]] = {
    **_each(
        "reads or writes {} of this process",
        "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv os.path.expandvars",
    ),
    **_each(
        "depends on this process's directory ({})",
        "os.chdir os.fchdir os.getcwd os.getcwdb os.chroot pathlib.Path.cwd contextlib.chdir",
    ),
    **_each(
        "calls {}, which acts on this process",
        """
        os.umask os.getpid os.getppid os.nice os.setpriority os.setsid os.setpgid os.setuid os.setgid os.seteuid
        os.setegid os.setreuid os.setregid os.setgroups os.sched_setaffinity os.times os.wait os.waitpid os.wait3
        os.wait4 os.waitid os.fork os.forkpty os.register_at_fork os.abort os._exit os.kill os.killpg os.execv
        os.execve os.execvp os.execl os.execle os.execlp os.execvpe time.tzset time.process_time
        time.process_time_ns time.thread_time time.thread_time_ns socket.setdefaulttimeout
        socket.getdefaulttimeout sqlite3.register_adapter sqlite3.register_converter codecs.register
        codecs.unregister codecs.register_error numpy.seterr
        numpy.geterr numpy.errstate numpy.set_printoptions numpy.seterrcall copyreg.pickle copyreg.constructor
        csv.field_size_limit csv.register_dialect csv.unregister_dialect mimetypes.add_type mimetypes.init
        re.purge urllib.request.install_opener
        tempfile.tempdir ssl.RAND_add shutil.register_archive_format shutil.register_unpack_format
        inspect.currentframe inspect.stack inspect.trace traceback.print_stack traceback.print_exc
        functools._lru_cache_wrapper operator.methodcaller builtins.__import__ abc.ABCMeta.register
        """,
    ),
    **_each(
        "calls {}, whose descriptors belong to this process",
        """
        os.read os.write os.close os.closerange os.dup os.dup2 os.lseek os.fsync os.ftruncate os.pipe os.pipe2
        os.fdopen os.sendfile os.set_inheritable os.isatty os.pread os.pwrite os.readv os.writev os.fstat os.openpty
        os.get_terminal_size os.open shutil.get_terminal_size
        """,
    ),
    **_each("calls {} on this process's standard streams", "builtins.print builtins.input"),
    # What is only logged comes home from a worker.
    **_each(
        "calls {}, which changes how this process logs",
        """
        logging.basicConfig logging.disable logging.addLevelName logging.setLoggerClass logging.setLogRecordFactory
        logging.captureWarnings logging.shutdown logging.getHandlerByName logging.getHandlerNames
        logging.LoggerAdapter
        """,
    ),
    **_each("calls {}, through which anything can be changed", "builtins.globals builtins.locals"),
    **_each(
        "calls {}, which can do anything",
        "builtins.exec builtins.eval pkgutil.resolve_name pydoc.locate pydoc.resolve timeit.timeit timeit.repeat "
        "types.FunctionType types.CodeType",
    ),
    **_each("calls {}, which talks to whoever sits here", "builtins.breakpoint builtins.help"),
    **_each(
        "computes with decimals, whose precision belongs to this thread",
        "decimal.getcontext decimal.setcontext",
    ),
    "sys.getsizeof": "calls sys.getsizeof(), and a copy of something may have another size",
    "builtins.id": "calls id(), and an object has another id in another process",
    "builtins.hash": "calls hash(), and strings have other hashes in another process",
}

_OF_THIS_PROCESS: Final = "uses {}, which belongs to this process"

_MODULES: Final[dict[str, str]] = {
    **_each("uses {}, whose state belongs to this process", "random numpy.random"),
    **_each("uses {}, whose setting belongs to this process", "locale"),
    **_each(
        _OF_THIS_PROCESS,
        """
        signal atexit gc faulthandler tracemalloc resource readline warnings weakref ctypes importlib runpy site
        linecache
        pdb bdb trace threading _thread multiprocessing asyncio contextvars queue sched concurrent getpass curses
        tkinter turtle cmd code unittest pytest pprint cProfile profile
        """,
    ),
    **_each("uses {}, which changes how this process logs", "logging.config logging.handlers"),
}

_FREE: Final = _words("""
    random.Random random.SystemRandom numpy.random.default_rng numpy.random.Generator numpy.random.SeedSequence
    numpy.random.PCG64 numpy.random.RandomState queue.Empty queue.Full queue.ShutDown asyncio.TimeoutError
    asyncio.CancelledError concurrent.futures.TimeoutError concurrent.futures.CancelledError pprint.pformat
    multiprocessing.TimeoutError
""")

_SYS_FREE: Final = _words("""
    maxsize version version_info platform byteorder float_info int_info hash_info maxunicode
    implementation exit hexversion intern exc_info exception getdefaultencoding getfilesystemencoding api_version
    copyright stdlib_module_names
""")


def denied(name: str) -> str | None:
    """Tell why something by this name keeps a call at home.

    Args:
        name: Its dotted name.

    Returns:
        A clause; None if the name is harmless.
    """
    if name in _FREE:
        return None
    if name in _NAMES:
        return _NAMES[name].format(name.removeprefix("builtins."))
    if name.startswith("sys.") and name.split(".", 2)[1] not in _SYS_FREE:
        return _OF_THIS_PROCESS.format(name)
    whole = name
    while "." in name:
        name = name.rpartition(".")[0]
        if name in _FREE:
            return None
        why = _MODULES.get(name) or _NAMES.get(name)
        if why is not None:
            return why.format(whole)
    return None


def denied_objects() -> dict[int, tuple[Any, str]]:
    """Return what is denied and loaded, with its name, by identity: so an alias hides nothing.

    Each object is kept beside its name. An attribute may be made anew at every look, or be replaced later;
    its identity would then name whatever came to stand in its memory.
    """
    found: dict[int, tuple[Any, str]] = {}
    for name in (*_NAMES, *(f"sys.{each}" for each in dir(sys))):
        value = _loaded(name)
        if value is not None and denied(name) and not isinstance(value, (int, float, str, tuple)):
            found[id(value)] = value, name
    for module_name in _MODULES:
        module = sys.modules.get(module_name)
        for name, value in list(vars(module).items()) if module is not None else ():
            if callable(value) and _is_at_home(value, module_name) and denied(f"{module_name}.{name}"):
                found.setdefault(id(value), (value, f"{module_name}.{name}"))
    return found


def _is_at_home(value: Any, module: str) -> bool:
    """Whether a module's function is its own, and not something that it imported."""
    home = getattr(value, "__module__", module)
    return not isinstance(home, str) or home.partition(".")[0].lstrip("_") == module.partition(".")[0].lstrip(
        "_"
    )


def _loaded(name: str) -> Any:
    """The object of this dotted name, if its module is loaded."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        value: Any = sys.modules.get(".".join(parts[:cut]))
        if value is not None:
            for part in parts[cut:]:
                value = getattr(value, part, None)
            return value
    return None
