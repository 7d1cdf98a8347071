"""The connections of this process to the homes of others, one to each."""

from __future__ import annotations

import threading

from .address import HomeAddress
from .here import here
from .link import Link

__all__ = ["introductions", "link_to"]


def link_to(home: HomeAddress) -> Link:
    """Return the connection to a home; raises HomeDied if there is none to be had."""
    now = here()
    with now.connecting:
        link = now.links.get(home.home)
        if link is None or link.dead:
            now.links = {name: known for name, known in now.links.items() if not known.dead}
            link = now.links[home.home] = Link(home)
        return link


def introductions() -> threading.RLock:
    """Return what is held while this process introduces itself to another."""
    return here().connecting
