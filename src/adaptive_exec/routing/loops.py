"""Whether it shows in which order a loop's items come: by its body's syntax alone.

Guarantees:
    - A loop that is `quiet` has the same effects in any order of its items, whatever they are.
    - One that doesn't show it by `shows` does so at most by the names in `carried`, and by what it changes at other
      nodes than those in `allowed`.
Assumes: no two items of what it goes over are equal, as in a set; sets and dicts are changed as their methods say.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from .counting import counts_in

__all__ = ["Survey", "has_own_keys", "is_total", "is_whole", "names_of", "survey"]

_LEAVING: Final = (ast.Yield, ast.YieldFrom, ast.Return, ast.Break, ast.Await, ast.Delete)
_WHOLE_CALLS: Final = frozenset({"len", "ord", "int", "bool", "isinstance", "any", "all", "hasattr"})
_WHOLE_METHODS: Final = frozenset({"count", "bit_count", "startswith", "endswith", "isdigit", "isalpha"})
_CALM: Final = _WHOLE_CALLS | {
    "str",
    "abs",
    "min",
    "max",
    "sorted",
    "float",
    "set",
    "frozenset",
    "repr",
    "type",
}
_WHOLE_OPERATORS: Final = (
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.FloorDiv,
    ast.Mod,
    ast.BitOr,
    ast.BitAnd,
    ast.BitXor,
    ast.LShift,
    ast.RShift,
)
_ON_SETS: Final = frozenset(
    {"add", "discard", "update", "difference_update", "intersection_update", "symmetric_difference_update"}
)
"""Methods that change a set in a way that depends on it and on what they are given, and on nothing else."""
_GATHERING: Final = (ast.BitOr, ast.BitAnd, ast.BitXor)
_IN_ORDER: Final = frozenset({"append", "appendleft", "extend", "insert", "write", "put", "send", "writerow"})


class Survey(NamedTuple):
    """What a loop's body says.

    Attributes:
        shows: It ends in the middle, or reads what other rounds have changed.
        quiet: Nothing that it does depends on the order.
        carried: Names that hold afterwards what one round has left.
        allowed: `id` of nodes at which something is changed in a way that is the same in any order.
        mixed: Names of what several rounds may change at one place.
        looked: Names that are looked at otherwise: what they stand for must not be the same.
    """

    shows: bool
    quiet: bool
    carried: frozenset[str]
    allowed: frozenset[int]
    mixed: frozenset[str] = frozenset()
    looked: frozenset[str] = frozenset()


def survey(node: ast.For) -> Survey:
    """Look at a loop's body."""
    body = [each for statement in node.body for each in ast.walk(statement)]
    shows = any(isinstance(each, _LEAVING) or _tells(each) for each in body)
    targets = names_of(node.target)
    gathered = set(_gathered(body))
    stored = {each.id for each in body if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    carried = frozenset((stored | targets) - gathered)
    own = targets if len(targets) == 1 and not targets & stored else frozenset()
    allowed: set[int] = set()
    mutated: dict[str, set[int]] = {}
    mixed: set[str] = set()
    for each in body:
        for name, base, place, key in _changes(each, own):
            allowed.add(id(place))
            mutated.setdefault(name, set()).add(id(base))
            mixed.update(() if key is not None and _is_key(key, own) else (name,))
    for count in counts_in(body, stored | targets, is_whole):
        allowed.add(id(count.parts[0]))
        mixed.add(count.name)
        mutated.setdefault(count.name, set()).update(map(id, count.bases))
    harmless = set(_looks_at_own_key(body, own))
    for each in body:
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and each.id in mutated:
            known = mutated[each.id] if each.id in mixed else mutated[each.id] | harmless
            shows = shows or id(each) not in known
    calm = all(_is_calm(each, allowed) for each in body if isinstance(each, ast.Call))
    quiet = not shows and calm and carried <= targets and all(_is_plain(each, allowed) for each in node.body)
    changing = set().union(*mutated.values()) if mutated else set()
    loaded = (each for each in body if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
    looked = frozenset(each.id for each in loaded if id(each) not in changing)
    return Survey(shows, quiet, carried, frozenset(allowed), frozenset(mixed), looked)


def _is_calm(node: ast.Call, allowed: set[int]) -> bool:
    """Whether a call changes nothing, whoever is called; but for what may be changed."""
    if isinstance(node.func, ast.Name):
        return node.func.id in _CALM
    return isinstance(node.func, ast.Attribute) and (
        node.func.attr in _WHOLE_METHODS or (id(node) in allowed and node.func.attr == "add")
    )


def _tells(node: ast.AST) -> bool:
    """Whether something is filled item by item, or an error says at which of them a loop has come to an end."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", "") in _IN_ORDER
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return isinstance(node, ast.Raise) and node.exc is None
    return any(not isinstance(each, ast.Constant) for each in node.exc.args)


def _gathered(body: list[ast.AST]) -> Iterator[str]:
    """Names that count or add up whole numbers, or are set to the one same constant, and are not read meanwhile."""
    ways: dict[str, list[str]] = {}
    read: Counter[str] = Counter()
    stored: Counter[str] = Counter()
    for each in body:
        if isinstance(each, ast.Name):
            (read if isinstance(each.ctx, ast.Load) else stored)[each.id] += 1
        elif isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            ways.setdefault(each.target.id, []).append(_way_of_sum(each))
        elif (
            isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name)
        ):
            name = each.targets[0].id
            way = _way_of(each.value, name)
            ways.setdefault(name, []).append(way)
            read[name] -= way in ("max", "min")
    for name, kinds in ways.items():
        if len(set(kinds)) == 1 and kinds[0] and stored[name] == len(kinds) and not read[name]:
            yield name


def _way_of_sum(node: ast.AugAssign) -> str:
    """How a name grows, if that is the same in any order."""
    if isinstance(node.op, (ast.Add, ast.Sub)):
        return "+" if is_whole(node.value) else ""
    fits = isinstance(node.op, _GATHERING) and (
        is_whole(node.value) or isinstance(node.value, (ast.Set, ast.SetComp))
    )
    return type(node.op).__name__ if fits else ""


def _way_of(value: ast.expr, name: str) -> str:
    """What a name is set to, if that is the same in any order."""
    if isinstance(value, ast.Constant):
        return f"={value.value!r}"
    if _is_extreme(value, name) and isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id
    return ""


def _is_extreme(node: ast.expr, name: str) -> bool:
    """Whether this is the greater or smaller of a name and something else."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("max", "min")
        and not node.keywords
        and len(node.args) == 2
        and sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node)) == 1
        and any(isinstance(each, ast.Name) and each.id == name for each in node.args)
    )


def _changes(
    node: ast.AST, targets: frozenset[str]
) -> Iterator[tuple[str, ast.Name, ast.AST, ast.expr | None]]:
    """What a node changes in the same way in any order: (name, its node, where the change happens, of which key)."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("add", "update"):
            base = call.func.value
            if isinstance(base, ast.Name):
                yield base.id, base, call, call.args[0] if call.func.attr == "add" and call.args else None
            elif isinstance(base, ast.Subscript) and isinstance(base.value, ast.Name):
                yield base.value.id, base.value, call, base.slice
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            base, name = call.func.value, call.func.attr
            if name == "setdefault" and call.args and _is_key(call.args[0], targets):
                yield base.id, base, call, call.args[0]
            elif name in _ON_SETS and _is_key(base, targets):
                yield base.id, base, call, None
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
        base = node.target.value
        if isinstance(base, ast.Name) and isinstance(node.op, (ast.Add, ast.Sub)) and is_whole(node.value):
            yield base.id, base, node.target, node.target.slice
    elif (
        isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript)
    ):
        target = node.targets[0]
        if isinstance(target.value, ast.Name) and _is_key(target.slice, targets):
            yield target.value.id, target.value, target, target.slice


def _looks_at_own_key(body: list[ast.AST], targets: frozenset[str]) -> Iterator[int]:
    """Names of containers that are only asked about this round's own item, which no other round has put there."""
    for each in body:
        if (
            isinstance(each, ast.Compare)
            and len(each.ops) == 1
            and isinstance(each.ops[0], (ast.In, ast.NotIn))
        ):
            if _is_key(each.left, targets):
                yield id(each.comparators[0])
        elif (
            isinstance(each, ast.Subscript)
            and isinstance(each.ctx, ast.Load)
            and _is_key(each.slice, targets)
        ):
            yield id(each.value)


def _is_key(node: ast.expr, targets: frozenset[str]) -> bool:
    """Whether this is the loop's own item, of which there is only one."""
    return isinstance(node, ast.Name) and {node.id} == targets


def _is_plain(node: ast.stmt, allowed: set[int]) -> bool:
    """Whether a statement surely does nothing but test, count and gather."""
    if isinstance(node, (ast.Pass, ast.Continue)):
        return True
    if isinstance(node, ast.If):
        return all(_is_plain(each, allowed) for each in (*node.body, *node.orelse))
    if isinstance(node, ast.For):
        return not node.orelse and all(_is_plain(each, allowed) for each in node.body)
    if isinstance(node, ast.Expr):
        # Of what is an argument, or is made of one, nobody knows whether it is a dict: its order would show.
        return isinstance(node.value, ast.Call) and id(node.value) in allowed
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name)
    return isinstance(node, ast.Assign) and all(isinstance(each, ast.Name) for each in node.targets)


def names_of(target: ast.expr) -> frozenset[str]:
    """The names that a target binds."""
    return frozenset(each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def is_whole(node: ast.expr) -> bool:
    """Whether an expression is a whole number or a truth value for certain."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return node.func.id in _WHOLE_CALLS
        return isinstance(node.func, ast.Attribute) and node.func.attr in _WHOLE_METHODS
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, _WHOLE_OPERATORS) and is_whole(node.left) and is_whole(node.right)
    if isinstance(node, ast.IfExp):
        return is_whole(node.body) and is_whole(node.orelse)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or is_whole(node.operand)
    return isinstance(node, ast.Compare)


def is_total(call: ast.AST) -> bool:
    """Whether the key of a call of `sorted` and the like tells all items apart: it has in it the item itself."""
    key = next((each.value for each in getattr(call, "keywords", ()) if each.arg == "key"), None)
    if key is None or (isinstance(key, ast.Constant) and key.value is None):
        return not any(each.arg is None for each in getattr(call, "keywords", ()))
    if not isinstance(key, ast.Lambda) or len(key.args.args) != 1:
        return False
    item = key.args.args[0].arg
    parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
    first = getattr(call, "args", [None])[:1]
    pairs = bool(first) and isinstance(first[0], ast.Call) and getattr(first[0].func, "attr", "") == "items"
    return any(
        (isinstance(part, ast.Name) and part.id == item)
        or (
            pairs
            and isinstance(part, ast.Subscript)
            and isinstance(part.value, ast.Name)
            and part.value.id == item
            and isinstance(part.slice, ast.Constant)
            and part.slice.value == 0
        )
        for part in parts
    )


def has_own_keys(node: ast.DictComp) -> bool:
    """Whether a comprehension makes one key of each item, so that none is overwritten by a later one."""
    if isinstance(node.value, ast.Constant):
        return True
    first = node.generators[0].target
    return len(node.generators) == 1 and isinstance(node.key, ast.Name) and _is_key(node.key, names_of(first))
