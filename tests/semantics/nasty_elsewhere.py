"""Classes whose objects are given as arguments to functions of other modules, and what those classes hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

log: list[Any] = []


class Cart:
    """A cart whose methods and properties note what is asked."""

    rate = 1

    def __init__(self, price: int) -> None:
        self.price = price

    @property
    def total(self) -> int:
        log.append(self.price)
        return self.price * 2

    def checkout(self) -> int:
        log.append(self.price)
        return self.price

    def __len__(self) -> int:
        log.append("len")
        return 3

    def __iter__(self) -> Iterator[int]:
        log.append("iter")
        return iter((self.price,))

    def __add__(self, other: int) -> int:
        log.append("add")
        return self.price + other

    def __str__(self) -> str:
        log.append("str")
        return f"cart of {self.price}"


class Traveller:
    """Something that answers by where it is."""

    def __init__(self, n: int) -> None:
        self.n = n

    @property
    def mode(self) -> str:
        return os.environ.get("NASTY_MODE", "none")

    def place(self) -> str:
        return f"{os.environ.get('NASTY_MODE', 'none')} {self.n}"

    def plain(self) -> int:
        return self.n


class Lazy:
    """Something that keeps what it has computed, out of sight."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.asked = 0

    def __getstate__(self) -> dict[str, int]:
        return {"n": self.n, "asked": 0}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lazy) and other.n == self.n

    __hash__ = None  # type: ignore[assignment]

    @property
    def square(self) -> int:
        self.asked += 1
        return self.n**2

    def __len__(self) -> int:
        if self.n > 45:
            self.asked += 1
        return 3


class Counted:
    """Something whose questions are counted, but only from the 45th thing on."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.asked = 0

    def _ask(self) -> None:
        if self.n > 45:
            self.asked += 1

    @property
    def square(self) -> int:
        self._ask()
        return self.n**2

    def __len__(self) -> int:
        self._ask()
        return 3

    def __iter__(self) -> Iterator[int]:
        self._ask()
        return iter((1, 2))

    def __getitem__(self, index: int) -> int:
        self._ask()
        return index

    def __contains__(self, item: object) -> bool:
        self._ask()
        return True

    def __format__(self, spec: str) -> str:
        self._ask()
        return spec
