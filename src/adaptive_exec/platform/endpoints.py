"""Local connections that no other machine can reach and that leave nothing in the file system.

On Linux the address is a name in the abstract namespace, which vanishes with the last process that
listens on it, however that ends. Elsewhere it is a socket in a directory only this user may enter
(removed at exit; what a killed process left is swept by the next that listens), or a named pipe.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
from multiprocessing import connection
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Endpoint", "connect", "listen", "prove"]

_PREFIX: Final = "adaptive-exec-"
_BACKLOG: Final = 128
_LONGEST_PARENT: Final = 64


class Endpoint(Protocol):
    """Something that accepts connections.

    Attributes:
        address: What `connect` needs.
    """

    address: str

    def accept(self) -> Connection:
        """Wait for a connection; raises OSError once closed."""

    def close(self, *, inherited: bool = False) -> None:
        """Stop listening; with `inherited`, only give up this forked process's copy."""


class _SocketEndpoint:
    """Listens on a Unix socket."""

    def __init__(self, address: str, directory: str | None) -> None:
        self.address = address
        self._directory = directory
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(address)
        self._socket.listen(_BACKLOG)

    def accept(self) -> Connection:
        """Wait for a connection."""
        accepted, _ = self._socket.accept()
        accepted.setblocking(True)
        return connection.Connection(accepted.detach())

    def close(self, *, inherited: bool = False) -> None:
        """Stop listening and remove what the address left in the file system."""
        if not inherited:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            if self._directory is not None:
                shutil.rmtree(self._directory, ignore_errors=True)
        self._socket.close()


class _PipeEndpoint:
    """Listens on a named pipe of Windows."""

    def __init__(self) -> None:
        self._listener = connection.Listener(family="AF_PIPE")
        self.address = str(self._listener.address)

    def accept(self) -> Connection:
        """Wait for a connection."""
        return self._listener.accept()

    def close(self, *, inherited: bool = False) -> None:
        """Stop listening."""
        self._listener.close()


def listen(*, portable: bool = False) -> Endpoint:
    """Start to listen on a fresh address.

    Args:
        portable: Take the way of systems that have no abstract namespace, here too.

    Raises:
        OSError: The system has no sockets left.
    """
    if not hasattr(socket, "AF_UNIX"):
        return _PipeEndpoint()
    if sys.platform == "linux" and not portable:
        return _SocketEndpoint("\0" + _PREFIX + secrets.token_hex(16), None)
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _LONGEST_PARENT:
        parent = "/tmp"  # the path of a socket may have about 100 bytes; the directory is private
    _sweep(parent)
    directory = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent)
    return _SocketEndpoint(os.path.join(directory, "home"), directory)


def connect(address: str) -> Connection:
    """Connect to an address that `listen` returned.

    Raises:
        OSError: Nobody listens there any more.
    """
    family = "AF_PIPE" if address.startswith("\\\\") else "AF_UNIX"
    return connection.Client(address, family=family)


def prove(link: Connection, key: bytes, *, first: bool) -> None:
    """Have both ends prove that they know `key`, without sending it.

    Args:
        link: The connection.
        key: The secret.
        first: True at the end that listens, False at the other.

    Raises:
        multiprocessing.AuthenticationError: The other end doesn't know it.
        EOFError: The other end has gone.
        OSError: The same.
    """
    steps = [connection.deliver_challenge, connection.answer_challenge]
    for step in steps if first else reversed(steps):
        step(link, key)


def _sweep(parent: str) -> None:
    """Remove the directories of processes that were killed."""
    for name in os.listdir(parent):
        pid = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and pid.isdigit() and not _runs(int(pid)):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def _runs(pid: int) -> bool:
    """True unless the process is known to be gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
