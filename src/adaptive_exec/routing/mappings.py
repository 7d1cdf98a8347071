"""Dictionaries that the call makes: their keys are one thing, and what stands at them is another."""

from __future__ import annotations

import ast
from typing import Any, Final

from .arguments import Args
from .foreign import Foreign
from .heap import ITEMS, KEYS, is_mapping
from .origins import NOTHING, Fresh, Value
from .scopes import Frame

__all__ = ["Mappings", "text_of"]

_READING: Final = frozenset({"get", "pop", "setdefault", "__getitem__", "__setitem__"})
_SETTING: Final = frozenset({"setdefault", "__setitem__"})
_POURING: Final = frozenset({"update", "subtract"})
_NOTHING_GIVEN: Final = frozenset({"clear", "move_to_end", "__contains__", "__len__", "__delitem__", "total"})


def text_of(node: ast.expr) -> str | None:
    """The text that an expression is, if it is one: equal to no key but the same text.

    Args:
        node: What stands in brackets.
    """
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _key_of_call(name: str, args: Args, node: Any) -> str | None:
    """The text that a method of a mapping is called with, where it is called as one."""
    if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != name or not args.positional:
        return None
    return text_of(node.args[0]) if node.args else None


class Mappings(Foreign):
    """Knows what dictionaries do with keys and values."""

    def values_at(self, value: Value, key: str | None) -> Value:
        """What may stand at a key of a value, if that is a text that is known, or at any."""
        mine = frozenset(each for each in value if is_mapping(each))
        held = NOTHING.union(*(self._value_at(each, key) for each in mine if isinstance(each, Fresh)))
        return held | self.items(value - mine)

    def _value_at(self, thing: Fresh, key: str | None) -> Value:
        """The same for one mapping."""
        return self.field(thing, ITEMS) if key is None else self.at_key(thing, key)

    def pour(self, thing: Fresh, args: Args) -> None:
        """What a mapping gets that is made or updated with these: another one, pairs, things to count, or names."""
        for each in args.rest.union(*args.positional):
            if isinstance(each, Fresh) and is_mapping(each):
                self.put(thing, KEYS, self.field(each, KEYS))
                for key, value in (*self.at_keys(each).items(), (None, self.at_key(each, None))):
                    self.put_at(thing, key, value)
                continue
            inner = self.items(frozenset({each}))
            known = isinstance(each, Fresh) and each.kind in (list, tuple)
            self.put(thing, KEYS, self.place(inner, 0) | inner)
            # Of what may be a mapping, the items are keys, and what stands at them can't be told from them.
            self.put(thing, ITEMS, self.place(inner, 1) | (NOTHING if known else inner))
        for name, value in args.named.items():
            self.put_at(thing, name, value)

    def method_of_mapping(self, thing: Fresh, name: str, args: Args, node: Any, frame: Frame) -> Value | None:
        """Call a method of a dictionary; None if it is none that is known here."""
        given = NOTHING.union(*args.positional[1:], *args.named.values(), args.rest)
        if name in _READING:
            self.hash_keys(args.first(), node, frame)
            key = _key_of_call(name, args, node)
            if name in _SETTING:
                self.put(thing, KEYS, args.first())
                self.put_at(thing, key, given)
            return self._value_at(thing, key) | given
        if name in _POURING:
            self.hash_keys(self.items(args.all()) | args.all(), node, frame)
            self.touch(args.all(), ("__iter__", "__next__", "keys", "__getitem__"), node, frame)
            self.pour(thing, args)
            return NOTHING
        if name in _NOTHING_GIVEN:
            self.hash_keys(args.all(), node, frame)
            return NOTHING
        return self._view_of(thing, name, node)

    def _view_of(self, thing: Fresh, name: str, node: Any) -> Value | None:
        """What those methods give of a dictionary that change nothing, or take something away."""
        keys, values = self.field(thing, KEYS), self.field(thing, ITEMS)
        match name:
            case "popitem":
                return self.row(node, "pair", [keys, values])
            case "items" | "most_common":
                return self.tuples([keys, values], NOTHING, node)
            case "keys" | "elements":
                return self.fresh(node, "keys", None, keys)
            case "values":
                return self.fresh(node, "values", list, values)
            case "copy":
                made = self.fresh(node, "copy", thing.kind)
                for each in made:
                    if isinstance(each, Fresh):
                        self.pour(each, Args((frozenset({thing}),)))
                return made
        return None
