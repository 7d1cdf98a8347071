"""The way to a primitive that lives in another process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .address import HomeAddress
from .core import Core
from .links import introductions, link_to
from .ticket import Ticket

if TYPE_CHECKING:
    from .link import Link

__all__ = ["RemoteCore"]


class RemoteCore(Core):
    """Sends what is asked of it to the home.

    Attributes:
        home: Where the primitive lives.
    """

    __slots__ = ("_link", "_parameters", "home")

    elsewhere = True

    def __init__(self, home: HomeAddress, oid: int) -> None:
        super().__init__()
        self.home = home
        self.oid = oid
        self._link: Link | None = None
        self._parameters: tuple[Any, ...] | None = None

    def __del__(self) -> None:
        link = self._link
        if link is not None:
            with contextlib.suppress(Exception):  # at the end of the interpreter modules are empty
                link.post("drop", self.oid)

    def introduce(self, token: int | None) -> Link:
        """Register this process with the home, which keeps the primitive from now on.

        Args:
            token: That of the pickle it came in; None if it came by fork.

        Raises:
            HomeDied: The home has ended.
            RuntimeError: The home no longer has the primitive.
        """
        link = link_to(self.home)
        self._parameters = link.call("register", self.oid, (self.kind, token))
        self._link = link
        return link

    def link(self) -> Link:
        """Return the connection to the home."""
        link = self._link
        if link is None:
            with introductions():
                link = self._link or self.introduce(None)
        return link

    def forget_link(self) -> None:
        """Drop a connection that belongs to the process which forked this one."""
        self._link = None

    def parameters(self) -> tuple[Any, ...]:
        """The arguments it was made with."""
        if self._parameters is None:
            self.link()
        return self._parameters or ()

    def withdraw(self, ticket: Ticket) -> None:
        """Ask the home to end a wait."""
        self.link().withdraw(ticket)

    def abandon(self, ticket: Ticket) -> None:
        """End a wait for good; never waits."""
        link = self._link
        if link is not None:
            link.abandon(ticket)
