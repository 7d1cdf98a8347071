"""What this process knows of primitives: its own, those of others, and the imports that made them.

One object, replaced as a whole in a forked child. `registry` guards its maps and is never held while
anything waits; `connecting` is held while this process introduces itself to another.
"""

from __future__ import annotations

import itertools
import pickle
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from .. import parent
from .address import HomeAddress
from .core import Core
from .made import Key, Place

if TYPE_CHECKING:
    from .link import Link

__all__ = [
    "Here",
    "Kind",
    "Server",
    "enroll",
    "face_of",
    "gone",
    "here",
    "kinds",
    "local_core",
    "replace",
    "show",
]


class Server(Protocol):
    """What lets other processes in, as far as the rest of this process is concerned."""

    address: HomeAddress

    def send_off(self, core: Core, /) -> int:
        """Keep a primitive for a pickle; return the pickle's token."""

    def arrived(self, token: int | None, /) -> None:
        """Note that a pickle has been loaded."""

    def give_up(self) -> None:
        """Close this forked process's copies of the descriptors."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What there is to know of one kind of primitive.

    Attributes:
        face: The public class.
        local: Makes the state for a primitive that lives here.
        remote: Makes the way to one that lives elsewhere.
    """

    face: type[Any]
    local: Callable[..., Core]
    remote: Callable[[HomeAddress, int], Any]


kinds: Final[dict[str, Kind]] = {}


@final
class Here:
    """What this process knows.

    Attributes:
        parent: Where the primitives of imports live, if this is a worker.
        cores: The primitives that live here, by their numbers.
        proxies: Those that live elsewhere and are used here, by home and number.
        made: Those that imports have made.
        kept: Those that workers have made for imports that have not happened here yet.
    """

    def __init__(self, home: HomeAddress | None = None) -> None:
        self.parent = home
        self.registry = threading.RLock()
        self.connecting = threading.RLock()
        self.serial = itertools.count(1)
        self.seen: Counter[Place] = Counter()
        self.server: Server | None = None
        self.links: dict[str, Link] = {}
        self.cores: weakref.WeakValueDictionary[int, Core] = weakref.WeakValueDictionary()
        self.proxies: weakref.WeakValueDictionary[tuple[str, int], Core] = weakref.WeakValueDictionary()
        self.made: weakref.WeakValueDictionary[Key, Core] = weakref.WeakValueDictionary()
        self.kept: dict[Key, Core] = {}


def _parents_home() -> HomeAddress | None:
    """Where the parent's primitives are, if this is a worker that was told before this module was loaded."""
    return None if parent.home is None else pickle.loads(parent.home)


_here = Here(_parents_home())


def here() -> Here:
    """Return what this process knows."""
    return _here


def replace(new: Here) -> Here:
    """Start afresh in a forked child; return what the parent knew."""
    global _here
    old, _here = _here, new
    return old


def local_core(oid: int) -> Core | None:
    """Return a primitive that lives here, by its number."""
    with _here.registry:
        return _here.cores.get(oid)


def enroll(core: Core) -> None:
    """Give a primitive that lives here its number."""
    now = _here
    with now.registry:
        core.oid = next(now.serial)
        now.cores[core.oid] = core


def show(face: Any, core: Core) -> None:
    """Make `face` one that shows `core`."""
    with _here.registry:
        face._core = core
        core.faces = (*(known for known in core.faces if known() is not None), weakref.ref(face))


def face_of(core: Core) -> Any:
    """Return the face of a primitive, a new one if there is none."""
    with _here.registry:
        for known in core.faces:
            face = known()
            if face is not None:
                return face
        made: Any = object.__new__(kinds[core.kind].face)
        show(made, core)
        return made


def gone(kind: str) -> RuntimeError:
    """Make the error of a pickle whose object is no more."""
    return RuntimeError(
        f"this {kind} no longer exists: nobody held it any more and its pickle had been loaded before"
    )
