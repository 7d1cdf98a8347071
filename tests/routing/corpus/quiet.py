"""A class whose objects are given to functions of other modules, and leave no trace."""

from __future__ import annotations

import inspect
from typing import Any


class Quiet:
    """Has all that `Cart` has, and leaves no trace."""

    rate = 2

    def __init__(self, price: int) -> None:
        self.price = price

    @property
    def total(self) -> int:
        return self.price * self.factor()

    def factor(self) -> int:
        return 2

    def checkout(self) -> int:
        return self.factor()

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Any:
        return iter((self.price,))

    def __add__(self, other: int) -> int:
        return self.price + other

    def __str__(self) -> str:
        return f"quiet {self.price}"


def looks_around(thing: Any) -> int:
    """Asks for a length, after something that may give objects of any class."""
    return len(thing) + len(inspect.cleandoc("text"))
