"""Dicts and objects of a function's own that hold things of its own and such as are not."""

from __future__ import annotations

import copy
import operator
from collections import ChainMap, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, Self

from tests.semantics.case import Case

_shared: list[Any] = []


def _case(fn: Any) -> Case:
    """A case that is given a list, and whose world is another one."""
    return Case(fn, arguments=lambda n: ([n, n + 1],), world=lambda: list(_shared), reset=_shared.clear)


def _state(given: list[int]) -> dict[str, Any]:
    """At one key a list of its own, at the other what is given."""
    return {"own": [], "given": given}


def at_the_key(given: list[int]) -> int:
    """Changes what stands at that very key."""
    state = {"own": [], "given": given}
    state["own"].append(1)
    if len(given) > 1 and given[0] > 40:
        state["given"].append(1)
    return len(given)


def at_a_key_that_is_computed(given: list[int]) -> int:
    """The key is not known."""
    state = {"own": [], "given": given}
    key = "given" if given[0] > 40 else "own"
    state[key].append(1)
    return len(given)


def in_a_loop(given: list[int]) -> int:
    """All keys."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    for key in state:  # noqa: PLC0206
        state[key].append(1)
    return len(given)


def among_the_values(given: list[int]) -> int:
    """All values."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    for value in state.values():
        value.append(1)
    return len(given)


def got(given: list[int]) -> int:
    """By a method."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state.get("given", []).append(1)
    return len(given)


def got_by_a_method_that_is_held(given: list[int]) -> int:
    """By a method that was fetched before."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    get = state.get
    found: Any = get("given")
    found.append(1)
    return len(given)


def popped(given: list[int]) -> int:
    """Out of the dict, and changed."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state.pop("given").append(1)
    return len(given)


def popped_of_a_list(given: list[int]) -> int:
    """Out of a list, and changed."""
    rows = [[1], given if given[0] > 40 else []]
    rows.pop().append(1)
    return len(given)


def set_by_default(given: list[int]) -> int:
    """What stands there already."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state.setdefault("given", []).append(1)
    return len(given)


def default_of_its_own(given: list[int]) -> int:
    """What is put there if nothing stands there."""
    state: dict[str, list[int]] = {"own": []}
    state.setdefault("given", given if given[0] > 40 else [])
    state["given"].append(1)
    return len(given)


def moved(given: list[int]) -> int:
    """From one key to the other."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state["own"] = state["given"]
    state["own"].append(1)
    return len(given)


def updated(given: list[int]) -> int:
    """By another dict."""
    state: dict[str, list[int]] = {"own": []}
    state.update({"own": given if given[0] > 40 else []})
    state["own"].append(1)
    return len(given)


def updated_by_names(given: list[int]) -> int:
    """By names."""
    state: dict[str, list[int]] = {"own": []}
    state.update(own=given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def updated_by_pairs(given: list[int]) -> int:
    """By pairs."""
    state: dict[str, list[int]] = {"own": []}
    state.update([("own", given if given[0] > 40 else [])])
    state["own"].append(1)
    return len(given)


def joined(given: list[int]) -> int:
    """By an operator, in place."""
    state: dict[str, list[int]] = {"own": []}
    state |= {"own": given if given[0] > 40 else []}
    state["own"].append(1)
    return len(given)


def sum_of_two(given: list[int]) -> int:
    """By an operator that makes a new one."""
    state: dict[str, list[int]] = {"own": []} | {"own": given if given[0] > 40 else []}
    state["own"].append(1)
    return len(given)


def unpacked(given: list[int]) -> int:
    """By stars."""
    state: dict[str, list[int]] = {"own": [], **{"own": given if given[0] > 40 else []}}  # noqa: PIE800
    state["own"].append(1)
    return len(given)


def made_of_another(given: list[int]) -> int:
    """A copy with a name more."""
    state = dict({"other": []}, own=given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def copied(given: list[int]) -> int:
    """A copy that is not deep."""
    state = copy.copy({"own": given if given[0] > 40 else []})
    state["own"].append(1)
    return len(given)


def copied_by_its_method(given: list[int]) -> int:
    """The same by a method."""
    state = {"own": given if given[0] > 40 else []}.copy()
    state["own"].append(1)
    return len(given)


def ordered(given: list[int]) -> int:
    """A dict of another class."""
    state = OrderedDict(own=given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def made_by_default(given: list[int]) -> int:
    """A dict that fills itself."""
    state: dict[str, list[int]] = defaultdict(lambda: given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def in_a_chain(given: list[int]) -> int:
    """A chain of dicts."""
    state: ChainMap[str, list[int]] = ChainMap({"own": given if given[0] > 40 else []}, {"own": []})
    state["own"].append(1)
    return len(given)


def set_by_a_dunder(given: list[int]) -> int:
    """By the method behind the brackets."""
    state: dict[str, list[int]] = {"own": []}
    state.__setitem__("own", given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def set_by_an_operator(given: list[int]) -> int:
    """By a function of the standard library."""
    state: dict[str, list[int]] = {"own": []}
    operator.setitem(state, "own", given if given[0] > 40 else [])
    state["own"].append(1)
    return len(given)


def got_by_an_operator(given: list[int]) -> int:
    """By a getter."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    operator.itemgetter("given")(state).append(1)
    return len(given)


def taken_by_its_structure(given: list[int]) -> int:
    """By a pattern."""
    match {"own": [], "given": given if given[0] > 40 else []}:
        case {"given": list() as found}:
            found.append(1)
    return len(given)


def grown_in_place(given: list[int]) -> int:
    """By an operator, at the key."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state["given"] += [1]
    return len(given)


def under(given: list[int]) -> int:
    """Further down."""
    state: dict[str, dict[str, list[int]]] = {"own": {"own": []}}
    state["own"]["given"] = given if given[0] > 40 else []
    state["own"]["given"].append(1)
    return len(given)


def swapped(given: list[int]) -> int:
    """Both at once."""
    state = {"own": [], "given": given if given[0] > 40 else []}
    state["own"], state["given"] = state["given"], state["own"]
    state["own"].append(1)
    return len(given)


def in_a_helper(given: list[int]) -> int:
    """A helper makes it, and another one changes it."""
    state = _state(given if given[0] > 40 else [])
    _change(state, "own")
    _change(state, "given")
    return len(given)


def _change(state: dict[str, Any], key: str) -> None:
    """Changes what stands at a key."""
    state[key].append(1)


def put_by_a_target(given: list[int]) -> int:
    """By a loop, whose target it is."""
    state: dict[str, list[int]] = {"own": []}
    for state["own"] in [given if given[0] > 40 else []]:
        state["own"].append(1)
    return len(given)


def lends_its_module(given: list[int]) -> int:
    """What belongs to the module stands there."""
    state: dict[str, Any] = {"own": [], "log": _shared}
    state["own"].append(1)
    if given[0] > 40:
        state["log"].append(1)
    return len(_shared)


def function_in_a_copy(given: list[int]) -> int:
    """A deep copy has the very functions."""
    state: dict[str, Callable[[int], None]] = copy.deepcopy({"note": _note})
    if given[0] > 40:
        state["note"](given[0])
    return len(given)


def set_in_a_copy(given: list[int]) -> list[str]:
    """A set is one in a deep copy, too."""
    state = copy.deepcopy({"words": {"a", "b", str(given[0])}})
    return list(state["words"])


def jumbled_in_a_copy(given: list[int]) -> list[str]:
    """What was filled in the order of a set has that order in a deep copy."""
    state = copy.deepcopy([dict.fromkeys({"a", "b", str(given[0])})])
    return list(state[0])


class Row(list[int]):
    """A list to which numbers can be added: it stays what it is."""

    def __add__(self, other: Any) -> Row:  # type: ignore[override]
        return self

    __radd__ = __add__


class Pile:
    """Keeps what is added, or gives it back."""

    def __init__(self) -> None:
        self.held: list[int] = []

    def __iadd__(self, other: list[int]) -> Self:
        self.held = other
        return self

    def __isub__(self, other: list[int]) -> list[int]:
        return other


class Stack(list[list[int]]):
    """A list that counts what is added."""

    counted = 0

    def __iadd__(self, other: Any) -> Self:  # type: ignore[misc, override]
        self.counted += 1
        return super().__iadd__(other)


def added_to_a_number(given: list[int]) -> int:
    """The sum of an argument and a number is the argument."""
    rows = given + 1  # type: ignore[operator]
    if len(rows) > 0 and rows[0] > 40:
        rows.append(1)
    return len(given)


def number_is_added(given: list[int]) -> int:
    """The same the other way round, in place."""
    rows: Any = given
    rows += 1
    if rows[0] > 40:
        rows.append(1)
    return len(given)


def piled(given: list[int]) -> int:
    """An operator keeps an argument, which is changed then."""
    pile = Pile()
    pile += given if given[0] > 40 else []
    pile.held.append(1)
    return len(given)


def given_back(given: list[int]) -> int:
    """An operator gives an argument back."""
    pile: Any = Pile()
    pile -= given if given[0] > 40 else []
    pile.append(1)
    return len(given)


def stacked(given: list[int]) -> int:
    """An operator of ours calls that of a list."""
    stack = Stack()
    stack += [given if given[0] > 40 else []]
    stack[0].append(1)
    return len(given)


def _note(n: int) -> None:
    """Notes."""
    _shared.append(n)


CASES = [
    _case(at_the_key),
    _case(at_a_key_that_is_computed),
    _case(in_a_loop),
    _case(among_the_values),
    _case(got),
    _case(got_by_a_method_that_is_held),
    _case(popped),
    _case(popped_of_a_list),
    _case(set_by_default),
    _case(default_of_its_own),
    _case(moved),
    _case(updated),
    _case(updated_by_names),
    _case(updated_by_pairs),
    _case(joined),
    _case(sum_of_two),
    _case(unpacked),
    _case(made_of_another),
    _case(copied),
    _case(copied_by_its_method),
    _case(ordered),
    _case(made_by_default),
    _case(in_a_chain),
    _case(set_by_a_dunder),
    _case(set_by_an_operator),
    _case(got_by_an_operator),
    _case(taken_by_its_structure),
    _case(grown_in_place),
    _case(under),
    _case(swapped),
    _case(in_a_helper),
    _case(put_by_a_target),
    _case(lends_its_module),
    _case(function_in_a_copy),
    _case(set_in_a_copy),
    _case(jumbled_in_a_copy),
    *[Case(fn, arguments=lambda n: (Row([n, n + 1]),)) for fn in (added_to_a_number, number_is_added)],
    _case(piled),
    _case(given_back),
    _case(stacked),
]
