"""Arguments that are changed only in late calls, in ways that no name gives away."""

from __future__ import annotations

import importlib.util
import io
import pickle
from collections.abc import Callable
from typing import Any

from tests.semantics import nasty_apart as apart
from tests.semantics import nasty_elsewhere
from tests.semantics.case import Case
from tests.semantics.nasty_elsewhere import Cart, Counted, Lazy, Traveller
from tests.semantics.nasty_given import opaque

_given: list[Any] = []
_log: list[Any] = []


def _keep(*args: Any) -> Any:
    """Arguments that the caller still has."""
    _given.append(args[0])
    return opaque(*args)


def _late(n: int, early: Any, late: Any) -> Any:
    """One kind of argument first, and another later."""
    return late if n > 45 else early


def _a() -> None:
    """Says None at once."""


_steps = [1, 2]


def _noting_step() -> Any:
    """Says None once it has noted."""
    _log.append(1)
    return None if len(_log) % 2 else 1


def _noting(value: Any) -> str:
    """Notes."""
    _log.append(1)
    return "b"


def _plain(value: Any) -> str:
    """Notes nothing."""
    return "b"


def _reset() -> None:
    """Nothing given or noted."""
    _given.clear()
    _log.clear()
    nasty_elsewhere.log.clear()


def _shown(value: Any) -> Any:
    """What is left of an argument."""
    if isinstance(value, dict):
        value = value["rows"]
    if isinstance(value, (io.StringIO, io.BytesIO)):
        return "closed" if value.closed else (value.tell(), value.getvalue())
    if isinstance(value, (Lazy, Counted)):
        return value.asked
    return list(value) if hasattr(value, "__iter__") else value


def _world() -> Any:
    """What is left of all arguments, and what was noted."""
    return [_shown(value) for value in _given], list(_log), list(nasty_elsewhere.log)


def _case(fn: Any, give: Callable[[int], Any]) -> Case:
    """A case whose world is what it was given."""
    return Case(fn, arguments=give, world=_world, reset=_reset)


def _set_mode() -> None:
    """An environment that no worker has been told of."""
    import os

    os.environ["NASTY_MODE"] = "set"


def _unset_mode() -> None:
    """The environment as it was."""
    import os

    os.environ.pop("NASTY_MODE", None)


_plainly = Traveller.plain


def _patch() -> None:
    """Another method in its place."""
    Traveller.plain = lambda self: -self.n  # type: ignore[method-assign]


def _unpatch() -> None:
    """The method as it was."""
    Traveller.plain = _plainly  # type: ignore[method-assign]


def _set_rate() -> None:
    """Another rate."""
    Cart.rate = 5


def _unset_rate() -> None:
    """The rate as it was."""
    Cart.rate = 1


CASES = [
    _case(apart.total, lambda n: _keep(_late(n, [1, 2], iter([1, 2, n])))),
    _case(apart.first_two, lambda n: _keep(_late(n, [1, 2], iter([1, 2, 3, n])))),
    _case(apart.has_three, lambda n: _keep(_late(n, [1, 3], iter([1, 2, 3, n])))),
    _case(apart.in_pairs, lambda n: _keep({"rows": _late(n, [1, 2], iter([1, 2, n]))})),
    _case(apart.lengths, lambda n: _keep(_late(n, ["a", "b"], io.StringIO("a\nbc\n")))),
    _case(apart.table, lambda n: _keep(_late(n, ["a,b"], io.StringIO("a,b\nc\n")))),
    _case(apart.loaded, lambda n: _keep(_late(n, "[1]", io.StringIO("[1, 2]")))),
    _case(apart.unpickled, lambda n: _keep(_late(n, 1, io.BytesIO(pickle.dumps(n))))),
    _case(apart.configured, lambda n: _keep(_late(n, ["[a]"], io.StringIO("[a]\n[b]\n")))),
    _case(apart.root_of, lambda n: _keep(_late(n, "a", io.StringIO("<a><b/></a>")))),
    _case(apart.zipped, lambda n: _keep(_late(n, None, io.BytesIO()), n)),
    _case(apart.row_written, lambda n: _keep(_late(n, None, io.StringIO()), n)),
    _case(apart.closed_at_the_end, lambda n: _keep(_late(n, None, io.StringIO()), n)),
    _case(apart.called_at_the_end, lambda n: _keep([], n)),
    _case(apart.header_packed, lambda n: _keep(bytearray(4), n)),
    _case(apart.read_into, lambda n: _keep(bytearray(4), n)),
    _case(apart.shuffled_by_its_own, lambda n: _keep(_late(n, [n], [1, 2, 3, n]))),
    _case(apart.replaced, lambda n: opaque("banana", _late(n, _plain, _noting))),
    _case(apart.until_none, lambda n: opaque(_late(n, _a, _noting_step))),
    _case(apart.dumped, lambda n: opaque([1j], _late(n, _plain, _noting))),
    _case(apart.square_of, lambda n: _keep(Lazy(n))),
    _case(apart.length_of, lambda n: _keep(Lazy(n))),
    _case(apart.square_of, lambda n: _keep(Counted(n))),
    _case(apart.length_of, lambda n: _keep(Counted(n))),
    _case(apart.items_of, lambda n: _keep(Counted(n))),
    _case(apart.item_of, lambda n: _keep(Counted(n))),
    _case(apart.has_item, lambda n: _keep(Counted(n))),
    _case(apart.formatted, lambda n: _keep(Counted(n))),
    _case(apart.total_of, lambda n: opaque(Cart(n))),
    _case(apart.checked_out, lambda n: opaque(Cart(n))),
    _case(apart.size_of, lambda n: opaque(Cart(n))),
    _case(apart.goods_of, lambda n: opaque(Cart(n))),
    _case(apart.added_to, lambda n: opaque(Cart(n))),
    _case(apart.text_of, lambda n: opaque(Cart(n))),
    Case(apart.rate_of, arguments=lambda n: opaque(Cart(n)), reset=_set_rate, world=_unset_rate),
    Case(apart.mode_of, arguments=lambda n: opaque(Traveller(n)), reset=_set_mode, world=_unset_mode),
    Case(apart.place_of, arguments=lambda n: opaque(Traveller(n)), reset=_set_mode, world=_unset_mode),
    Case(apart.plain_of, arguments=lambda n: opaque(Traveller(n)), reset=_patch, world=_unpatch),
]


def _array(n: int) -> Any:
    """An array."""
    import numpy as np

    return np.array([3.0, n, 1.0, 2.0])


def _views(n: int) -> Any:
    """Two views of one array."""
    array = _array(n)
    return opaque(array[1:], array[:3])


def _frozen_array(n: int) -> Any:
    """An array that can't be changed."""
    array = _array(n)
    array.flags.writeable = False
    return opaque(array)


if importlib.util.find_spec("numpy"):
    CASES += [
        _case(apart.added_into, lambda n: _keep(_array(n), n)),
        _case(apart.partitioned, lambda n: _keep(_array(n), n)),
        _case(apart.added_at, lambda n: _keep(_array(n), n)),
        _case(apart.shuffled_array, lambda n: _keep(_array(n), n)),
        Case(apart.shares_memory, arguments=_views),
        Case(apart.is_writeable, arguments=_frozen_array),
    ]
