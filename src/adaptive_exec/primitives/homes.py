"""Which primitives live here, which live elsewhere, and how each finds the other.

A primitive lives in the process that made it, its home. It costs nothing of the system until it is
pickled; then its home starts to listen, and the pickle says where. Unpickled at home it is the very
same object; unpickled elsewhere it is a proxy, the same one each time.

Guarantees:
    - A primitive is reachable from its pickle as long as one of these holds it: its home's own code; a
      process that has unpickled it and not dropped it or died; a pickle on its way. A pickle is on its
      way until it is first loaded. What is kept for pickles alone is bounded: at most IN_FLIGHT pickles
      that nobody ever loads, and the last LATELY objects that were loaded, so that bytes loaded a second
      time (a task tried again after a death) find theirs. Whoever comes later gets one clear error.
    - In a forked child nothing of the parent's is silently private, and no connection of the parent's is used.
    - In a worker, what is made while a module is imported is the parent's object, or the constructor raises.
Assumes:
    - `os.fork` runs `_after_fork_in_child` before user code (`platform.forks`).
State: `here.Here`, one per process, replaced as a whole in a forked child. `connecting` is held while
    this process introduces itself to another, so that no object is introduced twice. Threads that answer
    other processes take it only to ask *their* parent, and parents form no circle.
Races:
    1. A proxy dies while it is unpickled again -> test_homes.py::test_registration_is_counted
    2. Two threads unpickle one object at the same time -> test_homes.py::test_unpickled_by_two_threads
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

from ..platform.forks import run_in_forked_child
from .address import HomeAddress
from .core import Core
from .foreign import ForeignCore
from .here import Here, Kind, Server, enroll, face_of, gone, here, kinds, local_core, replace, show
from .made import Key, import_place, numbered

if TYPE_CHECKING:
    from .remote import RemoteCore

__all__ = ["Kind", "home_address", "make", "reduced", "register_kind", "restore", "set_parent_home"]

Reference = tuple[str, HomeAddress, int, int]
"""Kind, home, number there, and the token of the pickle that carries it."""

_portable = False


def register_kind(name: str, kind: Kind) -> None:
    """Make a kind of primitive known under its name."""
    kinds[name] = kind


def home_address() -> HomeAddress:
    """Return where this process's primitives can be reached; starts to listen if it doesn't yet.

    Returns:
        An address to give to `set_parent_home` in a worker. It holds a secret: keep it out of logs.

    Raises:
        OSError: The system has no sockets left.
    """
    return _server().address


def set_parent_home(address: HomeAddress | None) -> None:
    """Say that this process is a worker, and whose: primitives made by imports are then the parent's.

    Call it when the worker starts, before user modules are imported if possible. What imports have made
    before becomes the parent's now.

    Args:
        address: What `home_address` returned in the parent; None: this process is nobody's worker.

    Raises:
        HomeDied: The parent can't be reached.
        RuntimeError: A primitive that an import made has been used already.
        ValueError: The parent made it with other arguments.
    """
    now = here()
    with now.registry:
        now.parent = address
        made = list(now.made.items()) if address is not None else []
    for key, core in made:
        if _is_proxy(core):
            continue
        if not core.pristine():
            raise RuntimeError(
                f"a {core.kind} that the import of {key[0]} made was used before this worker knew its parent; "
                "don't hold a lock or fill a queue in a module's body"
            )
        with now.registry:
            now.made.pop(key, None)
        _move(core, _core_for_key(core.kind, core.parameters(), key, keep=False))


def make(kind: str, parameters: tuple[Any, ...]) -> Any:
    """Return a primitive: one with a state of its own, or the one that its import has in all processes.

    That one may have come here before its module was imported; then it is the very same object.
    """
    now = here()
    place = import_place(in_worker=now.parent is not None)
    if place is None:
        core = kinds[kind].local(*parameters)
        enroll(core)
    else:
        with now.registry:
            key = numbered(place, now.seen)
        core = _core_for_key(kind, parameters, key, keep=False)
    return face_of(core)


def reduced(core: Core) -> tuple[Callable[..., Any], Reference]:
    """Return what `__reduce__` has to."""
    return restore, reference(core)


def reference(core: Core) -> Reference:
    """Make a reference for one pickle; what it refers to is kept until somebody loads that."""
    if isinstance(core, ForeignCore):
        raise core.error()
    if _is_proxy(core):
        return core.kind, core.home, core.oid, core.link().call("token", core.oid)
    server = _server()
    return core.kind, server.address, core.oid, server.send_off(core)


def restore(kind: str, home: HomeAddress, oid: int, token: int) -> Any:
    """Turn a reference into an object: the object itself at its home, elsewhere this process's proxy for it."""
    return face_of(_resolve((kind, home, oid, token)))


def _made_for_worker(kind: str, parameters: tuple[Any, ...], key: Key) -> Reference:
    """Refer to what the import `key` made here, or makes later: it is made now and found by that import."""
    return reference(_core_for_key(kind, parameters, key, keep=True))


def _server() -> Server:
    """Return the server of this process; starts it if there is none."""
    now = here()
    with now.registry:
        if now.server is None:
            from .server import HomeServer

            now.server = HomeServer(_made_for_worker, portable=_portable)
        return now.server


def _is_proxy(core: Core) -> TypeGuard[RemoteCore]:
    """True if the primitive lives elsewhere."""
    return core.elsewhere


def _move(old: Core, new: Core) -> None:
    """Make all faces of `old` show `new`."""
    for known in old.faces:
        face = known()
        if face is not None:
            show(face, new)


def _resolve(reference: Reference) -> Core:
    """Turn a reference into the state it means, here or elsewhere."""
    kind, home, oid, token = reference
    now = here()
    server = now.server
    if server is not None and server.address.home == home.home:
        core = local_core(oid)
        server.arrived(token)
        if core is None:
            raise gone(kind)
        return core
    with now.connecting:
        known = now.proxies.get((home.home, oid))
        if known is not None and _is_proxy(known):
            known.link().post("arrived", oid, token)
            return known
        proxy: RemoteCore = kinds[kind].remote(home, oid)
        proxy.introduce(token)
        now.proxies[home.home, oid] = proxy
        return proxy


def _core_for_key(kind: str, parameters: tuple[Any, ...], key: Key, *, keep: bool) -> Core:
    """Return what the import `key` made, made here or by the parent if nobody has made it yet.

    With `keep` it is kept until that import happens here as well.
    """
    now = here()
    with now.connecting:
        core = now.made.get(key)
        if core is None:
            if now.parent is None:
                core = kinds[kind].local(*parameters)
                enroll(core)
            else:
                from .links import link_to

                core = _resolve(link_to(now.parent).call("made", 0, (kind, parameters, key)))
            now.made[key] = core
        if (core.kind, core.parameters()) != (kind, parameters):
            raise ValueError(
                f"the import of {key[0]} makes {kind}{parameters} in one process "
                f"and {core.kind}{core.parameters()} in another"
            )
        if keep:
            now.kept[key] = core
        else:
            now.kept.pop(key, None)
        return core


def _after_fork_in_child() -> None:
    """Start afresh; what lives in the parent becomes a proxy, or raises when it is used."""
    now = Here(here().parent)
    old = replace(now)
    now.seen = old.seen
    for link in old.links.values():
        link.give_up()
    if old.server is not None:
        old.server.give_up()
    for core in list(old.cores.values()):
        if core.kind not in kinds:
            continue  # no primitive: what others ask of a service is no business of this process
        if old.server is None:
            _move(core, ForeignCore(core))
        else:
            home = old.server.address
            now.proxies[home.home, core.oid] = proxy = kinds[core.kind].remote(home, core.oid)
            _move(core, proxy)
    for known in list(old.proxies.values()):
        if _is_proxy(known):
            known.forget_link()
            now.proxies[known.home.home, known.oid] = known
    for key, core in list(old.made.items()):
        face: Any = next((face for face in (ref() for ref in core.faces) if face is not None), None)
        if face is not None:
            now.made[key] = face._core


run_in_forked_child(_after_fork_in_child)
