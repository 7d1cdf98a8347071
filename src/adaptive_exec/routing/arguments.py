"""The arguments of a call, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from .origins import (
    NOTHING,
    Value,
)

__all__ = ["Args"]


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a call; `rest` is what came by `*` and `**`, whose places nobody knows."""

    positional: tuple[Value, ...] = ()
    named: dict[str, Value] = field(default_factory=dict)
    rest: Value = NOTHING

    def all(self) -> Value:
        """Everything that is passed."""
        return self.rest.union(*self.positional, *self.named.values())

    def first(self) -> Value:
        """The first argument."""
        return self.positional[0] if self.positional else self.rest

    def without_first(self) -> Args:
        """The others."""
        return Args(self.positional[1:], self.named, self.rest)

    def behind(self, first: Value) -> Args:
        """These arguments after one more: what a method is called with."""
        return Args((first, *self.positional), self.named, self.rest)

    def without(self, name: str) -> Args:
        """All but the named one."""
        return Args(
            self.positional, {key: value for key, value in self.named.items() if key != name}, self.rest
        )

    def at(self, place: int | str) -> Value:
        """What stands at a place or under a name."""
        if isinstance(place, str):
            return self.named.get(place, NOTHING)
        return self.positional[place] if place < len(self.positional) else NOTHING
