"""Classes that leave a trace when they are used."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from .helpers import SEEN


class Singleton:
    """One instance, whoever asks."""

    _instance: Any = None

    def __new__(cls) -> Self:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance  # type: ignore[no-any-return]


class Meta(type):
    """Counts the instances of its classes."""

    made: ClassVar[list[Any]] = []

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        Meta.made.append(made)
        return made


class Counted(metaclass=Meta):
    """Its class knows how many there are."""


class Money:
    """Adding it leaves a trace."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __add__(self, other: Money) -> Money:
        SEEN.append((self.amount, other.amount))
        return Money(self.amount + other.amount)


class Tracer:
    """Entering it leaves a trace."""

    def __enter__(self) -> Self:
        SEEN.append("entered")
        return self

    def __exit__(self, *_: object) -> None:
        pass
