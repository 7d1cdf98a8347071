"""In which order things come: that of a set is another one in another process, and must not show in an answer.

Strings have other hashes in every process, and what was pickled is put into its set anew. So a set may be asked what
it holds, measured, compared, changed, joined with others and sorted, but whatever would show the order in which it
gives its items keeps the call at home. What is filled in the order of a set (a dict, a chain, a mapped iterator) is
jumbled: to be treated like a set itself.

Three kinds of values are told apart:
    - What the call makes, and data of modules, is known while the code is read: `refuse_order` ends the reading.
    - Of an argument nobody knows the class. `shown` lists those whose order would show if they were, or held, sets;
      whether they are is looked at when there is a call (`CallCheck` at home, `watching.difference_of` in a worker).
    - Numbers and strings are no values here. What a loop over a set leaves in a name is CHOSEN, until the name is
      bound anew; whoever reads it would see which item came last. `loops` knows what doesn't depend on the order.
"""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from typing import Any, Final

from .arguments import Args
from .heap import ITEMS, Heap, level_of
from .loops import Survey, is_total, is_whole, survey
from .origins import NOTHING, UNKNOWN, Bound, Fresh, Known, Local, Origin, Outside, Param, Value
from .scopes import Frame, Scope
from .world import World

__all__ = ["CHOSEN", "FREE", "PASSING", "Orders"]

_WHY: Final = "depends on the order of a set, which differs from process to process"
_SETS: Final = (set, frozenset)


def _words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())


FREE: Final = _words("""
    builtins.len builtins.any builtins.all builtins.isinstance builtins.issubclass builtins.callable builtins.type
    builtins.bool builtins.hasattr builtins.getattr builtins.vars builtins.id builtins.hash builtins.set
    builtins.abs builtins.round builtins.divmod builtins.pow builtins.chr builtins.ord builtins.bin builtins.hex
    builtins.oct builtins.range builtins.slice builtins.int builtins.float builtins.frozenset
    builtins.object builtins.super math.fsum functools.partial functools.wraps
    collections.defaultdict operator.contains operator.or_ operator.and_ operator.sub operator.xor operator.eq
    operator.ne operator.le operator.lt operator.ge operator.gt operator.not_ operator.truth typing.cast
    operator.itemgetter operator.attrgetter
""")
"""Functions whose result does not tell in which order the items of an argument came."""

_HOLDING: Final = (
    *("builtins.", "itertools.", "functools.", "collections.", "operator.", "heapq.", "bisect.", "copy."),
    *("dataclasses.", "typing.", "numpy.", "math."),
)
"""Functions that keep an argument, or look at what is in it, without going through the sets inside."""

PASSING: Final = _words("""
    builtins.map builtins.filter builtins.dict itertools.chain itertools.chain.from_iterable itertools.product
    itertools.filterfalse itertools.starmap builtins.dict.fromkeys collections.Counter collections.OrderedDict
    collections.defaultdict collections.ChainMap copy.copy copy.deepcopy
""")
"""Functions whose result comes in the order in which the items of an argument came."""

_LISTING: Final = _words("""
    builtins.list builtins.tuple builtins.str builtins.repr builtins.ascii builtins.format builtins.iter builtins.next
    builtins.enumerate builtins.zip builtins.dict builtins.reversed builtins.bytes builtins.bytearray
    collections.deque collections.Counter builtins.dict.fromkeys join
""")
_WRITING: Final = _words("builtins.repr builtins.ascii builtins.format builtins.print")
_CHOOSING: Final = _words(
    "builtins.sorted builtins.min builtins.max heapq.nlargest heapq.nsmallest heapq.merge"
)
_VIEWS: Final = ("keys", "rows")
"""Where keys and items of mappings are made: what two of them have in common is a set."""
_IN_ORDER: Final = _words(
    "most_common popitem elements popleft __iter__ __next__ __repr__ __str__ __format__"
)
_OF_SETS: Final = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)


@dataclass(frozen=True, slots=True)
class Chosen(Origin):
    """What the last round of a loop has left: of one over a set, or over arguments of these labels."""

    labels: frozenset[str] = frozenset()


CHOSEN: Final = Chosen()


class Orders(Heap):
    """Follows the order of sets."""

    def __init__(self, world: World, file: str) -> None:
        super().__init__(world, file)
        self.shown = world.shown
        self.jumbled: set[Fresh] = set()
        self.loops: list[int] = []
        self._born: dict[Fresh, int] = {}
        self._begun: dict[tuple[int, int], int] = {}
        self._surveys: dict[int, Survey] = {}
        self._allowed: set[int] = set()
        self._sorted: set[int] = set()
        self._copies: set[int] = set()
        self.left: set[str] = set()
        self._outside: dict[Outside, bool] = {}

    def fresh(self, node: Any, tag: str, kind: Any = None, holds: Value = NOTHING) -> Value:
        """Something new, made at a node of the tree."""
        made = super().fresh(node, tag, kind, holds)
        for thing in made:
            if isinstance(thing, Fresh):
                self._born.setdefault(thing, self.steps)
        return made

    def is_unordered(self, thing: Origin) -> bool:
        """Whether something is known to give its items in an order of its process's own."""
        if isinstance(thing, Fresh):
            kind = thing.kind
            return (
                kind is set or thing in self.jumbled or (isinstance(kind, type) and issubclass(kind, _SETS))
            )
        if isinstance(thing, Outside):
            whole = thing.whole if thing.value is UNKNOWN else thing.value
            if whole is UNKNOWN:
                return False
            known = self._outside.get(thing)
            if known is None:
                level = level_of(whole, thing.depth)
                known = level is None or any(isinstance(each, _SETS) and len(each) > 1 for each in level)
                self._outside[thing] = known
            return known
        return False

    def refuse_order(self, value: Value, node: Any, frame: Frame, *, deep: bool = False) -> None:
        """The order of a value's items shows here; `deep`, if that of what it holds does, too."""
        looked = self._inside(value) if deep else value
        for thing in looked:
            if self.is_unordered(thing):
                self.stay(_WHY, node, frame)
        self._note_shown(looked)

    def _inside(self, value: Value) -> Value:
        """What is in a value. An attribute may be a method, too; whose it would be says nothing of what it holds."""
        found: set[Origin] = set()
        todo = list(value)
        while todo:
            thing = todo.pop()
            if thing not in found and not isinstance(thing, Bound):
                found.add(thing)
                todo.extend(self.fields(thing) if isinstance(thing, Fresh) else ())
        return frozenset(found)

    def _note_shown(self, value: Value) -> None:
        """The order of arguments shows here, if they are sets."""
        for thing in value:
            if isinstance(thing, Param) or (
                isinstance(thing, Outside) and thing.value is thing.whole is UNKNOWN
            ):
                self.shown.add(thing.label)
            elif isinstance(thing, Fresh) and thing.kind not in (list, dict, tuple):
                # It may be a set that was made of an argument: what two of them have in common, or a copy.
                self.shown.update(each.label for each in self.field(thing, ITEMS) if isinstance(each, Param))

    def pass_order(self, value: Value, made: Value) -> Value:
        """What is made of a value comes in its order."""
        if any(self.is_unordered(thing) for thing in value):
            self.jumble(made)
        self._note_shown(value)
        return made

    def jumble(self, value: Value) -> None:
        """These were filled in the order of a set."""
        new = {thing for thing in value if isinstance(thing, Fresh)} - self.jumbled
        if new:
            self.jumbled |= new
            self.changed = True

    def order_of_call(self, name: str, args: Args, node: Any, frame: Frame, *, keyed: bool) -> bool:
        """What a foreign function does with the order of what it is given; whether it passes it on."""
        given = args.all()
        if name in _CHOOSING:
            if keyed and not is_total(node):
                self.refuse_order(given, node, frame)
            return False
        if name == "builtins.sum":
            # The hashes of numbers are everywhere the same, and so is the order of a set that the call makes of them.
            made = all(isinstance(thing, Fresh) and thing not in self.jumbled for thing in given)
            if not made or len(args.positional) > 1 or args.named:
                self.refuse_order(given, node, frame)
            self._note_shown(given)
            return False
        if name in PASSING or name in FREE:
            return name in PASSING
        if name.startswith("json."):  # which writes no sets; dicts it may sort
            given = frozenset(self.jumbled & self.reach(given))
        self.refuse_order(given, node, frame, deep=name in _WRITING or not name.startswith(_HOLDING))
        return False

    def order_of_callback(self, called: Any, given: Value, node: Any, frame: Frame) -> None:
        """A foreign function calls something with what is in what it is given."""
        if called not in given:
            return
        if isinstance(called, Known) and not isinstance(called.value, types.FunctionType):
            name = self.world.name_of(called.value)
        else:
            name = getattr(called, "name", "")
        if name in _LISTING:
            self.refuse_order(self.items(given - {called}), node, frame, deep=True)

    def order_of_method(
        self, thing: Fresh, name: str, args: Args, made: Value, node: Any, frame: Frame
    ) -> None:
        """What a method of something that the call has made does with its order, and with that of what it is given."""
        if name == "update" and any(self.is_unordered(each) for each in args.all()):
            self.jumble(frozenset({thing} if thing.kind is not set else ()))
        if not self.is_unordered(thing):
            return
        if name in _IN_ORDER or (name == "pop" and thing.kind is not dict):
            self.refuse_order(frozenset({thing}), node, frame)
        if thing in self.jumbled:  # what comes out of it has an order of its own
            self.jumble(
                frozenset(each for each in made if isinstance(each, Fresh) and each.site[0] == id(node))
            )

    def is_set_sum(self, node: ast.BinOp, left: Value, right: Value) -> bool:
        """Whether an operator may make a set."""
        if not isinstance(node.op, _OF_SETS):
            return False
        views = any(
            isinstance(side, ast.Call) and getattr(side.func, "attr", "") in ("keys", "items")
            for side in (node.left, node.right)
        )
        return views or any(
            self.is_unordered(thing) or (isinstance(thing, Fresh) and thing.site[1] in _VIEWS)
            for thing in left | right
        )

    # Comprehensions that are only sorted, counted or asked may go through a set in any order.

    def note_sorted(self, callee: Value, node: ast.Call) -> bool:
        """Note the comprehensions that are given to a call to which their order is nothing; whether it is one."""
        names = {self.world.name_of(thing.value) for thing in callee if isinstance(thing, Known)}
        if len(names) != 1 or len(callee) != 1:
            return False
        (name,) = names
        free = name in FREE or (name in _CHOOSING and is_total(node))
        for each in node.args:
            if isinstance(each, (ast.ListComp, ast.GeneratorExp)) and (
                free or (name == "builtins.sum" and is_whole(each.elt))
            ):
                self._sorted.add(id(each))
        return free

    def note_copy(self, node: ast.expr) -> None:
        """Note a call that a loop goes over: a list that nobody else sees has the order of what it is made of."""
        if isinstance(node, ast.Call):
            self._copies.add(id(node))

    def lists_order(self, value: Value, made: Value, node: Any, frame: Frame) -> Value:
        """A list of a value's items shows their order, or has it, if only a loop goes over it."""
        if id(node) in self._copies:
            return self.pass_order(value, made)
        self.refuse_order(value, node, frame)
        return made

    def is_sorted(self, node: ast.AST) -> bool:
        """Whether nobody sees in which order a comprehension gives its items."""
        return id(node) in self._sorted

    # Loops.

    def enter_loop(self, over: Value, node: ast.For, frame: Frame) -> Survey | None:
        """A loop begins: what is to be known about its body if it goes over a set, None if it doesn't."""
        known = self._surveys.get(id(node))
        if known is None:
            known = self._surveys[id(node)] = survey(node)
        unordered = any(self.is_unordered(thing) for thing in over)
        if not known.quiet:
            self._note_shown(over)
        if not unordered:
            return None
        if known.shows:
            self.stay(_WHY, node, frame)
        self._allowed |= known.allowed
        self.loops.append(self._begun.setdefault((id(node), id(frame)), self.steps))
        return known

    def leave_loop(self, known: Survey, node: ast.For, scope: Scope) -> None:
        """A loop over a set has been read: nobody may have looked by another name at what rounds change in common."""
        self.loops.pop()
        self.taint(scope, known.carried)
        env = scope.env or {}
        changed = NOTHING.union(*(env.get(name, NOTHING) for name in known.mixed))
        seen = self.reach(NOTHING.union(*(env.get(name, NOTHING) for name in known.looked)))
        for thing in seen:
            if isinstance(thing, Local):
                inside = (each.id for each in ast.walk(thing.node) if isinstance(each, ast.Name))
                seen |= self.reach(NOTHING.union(*(env.get(name, NOTHING) for name in inside)))
        if any(isinstance(thing, Fresh) and thing in seen for thing in changed):
            self.stay(_WHY, node, scope.frame)

    def taint(self, scope: Scope, names: frozenset[str], labels: frozenset[str] = frozenset()) -> None:
        """What these names stand for is what one round of a loop has left there."""
        if scope.env is not None:
            self.left |= names
            for name in names & scope.env.keys():
                scope.env[name] |= {Chosen(labels)}

    def labels_of(self, over: Value) -> frozenset[str]:
        """The arguments that a loop goes over."""
        return frozenset(thing.label for thing in over if isinstance(thing, Param))

    def untainted(self, value: Value, node: Any, frame: Frame) -> Value:
        """A name is read in which a loop may have left something."""
        chosen = {thing for thing in value if isinstance(thing, Chosen)}
        if CHOSEN in chosen:
            self.stay(_WHY, node, frame)
        for thing in chosen:
            self.shown |= thing.labels
        return value - chosen

    def changes_in_loop(self, thing: Fresh, node: Any, frame: Frame, given: Value = NOTHING) -> None:
        """In a loop over a set only what a round has made is changed, or what is then the same in any order.

        Of a set that a round changes by what is `given` no other round must be given the set itself.
        """
        if not self.loops or self._born.get(thing, 0) >= self.loops[-1]:
            return
        name = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
        filled = name.endswith("update") and (thing.kind is not set or thing in self.reach(given))
        if filled or id(node) not in self._allowed:
            self.stay(_WHY, node, frame)
        self.jumble(frozenset({thing} if thing.kind is not set else ()))

    def change(
        self,
        value: Value,
        verb: str,
        node: Any,
        frame: Frame,
        stored: Value = NOTHING,
        where: str = ITEMS,
        needed: str = "",
    ) -> None:
        """Something is done to a value that changes it: innocent if the call itself made it."""
        for thing in value:
            if isinstance(thing, Fresh):
                self.changes_in_loop(thing, node, frame)
        super().change(value, verb, node, frame, stored, where, needed)

    def check_result(self, value: Value) -> None:
        """What is returned shows its order, unless it is a set, from which nobody expects one."""
        super().check_result(value)
        if any(thing in self.jumbled for thing in self.reach(value) if isinstance(thing, Fresh)):
            self.stay(_WHY)
