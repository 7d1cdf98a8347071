"""Innocent functions that search, play, simulate and plan."""

from __future__ import annotations

import copy
import enum
import functools
import heapq
import itertools
import logging
import math
import operator
import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from tests.semantics.case import Case
from tests.semantics.innocent_models import DIRECTIONS, Card, DisjointSets, Suit

_log = logging.getLogger("innocent.search")

Place = tuple[int, int]
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
MAZE = ("..#....", ".##.##.", "....#..", ".#..#.#", ".#.....")


class Edge(NamedTuple):
    """A way from one node to another."""

    start: int
    end: int
    cost: float


@dataclass(order=True)
class Entry:
    """What waits in a queue, cheapest first."""

    cost: float
    place: Place = field(compare=False)
    path: list[Place] = field(compare=False, default_factory=list)


class Grid:
    """A maze."""

    def __init__(self, rows: Iterable[str]) -> None:
        self.rows = list(rows)
        self.height = len(self.rows)
        self.width = len(self.rows[0])

    def __contains__(self, place: Place) -> bool:
        y, x = place
        return 0 <= y < self.height and 0 <= x < self.width and self.rows[y][x] != "#"

    def neighbours(self, place: Place) -> Iterator[Place]:
        for dy, dx in DIRECTIONS:
            if (there := (place[0] + dy, place[1] + dx)) in self:
                yield there


def finds_a_path(goal: Place) -> list[Place]:
    """A*, over a class with a generator and a queue of dataclasses."""
    grid = Grid(MAZE)

    def guess(place: Place) -> int:
        return abs(place[0] - goal[0]) + abs(place[1] - goal[1])

    waiting = [Entry(guess((0, 0)), (0, 0), [(0, 0)])]
    best: dict[Place, int] = {(0, 0): 0}
    while waiting:
        entry = heapq.heappop(waiting)
        if entry.place == goal:
            return entry.path
        for there in grid.neighbours(entry.place):
            cost = len(entry.path)
            if cost < best.get(there, cost + 1):
                best[there] = cost
                heapq.heappush(waiting, Entry(cost + guess(there), there, [*entry.path, there]))
    return []


def counts_regions(rows: list[str]) -> Counter[int]:
    """Flood fill with a queue."""
    open_places = {(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell != "#"}
    sizes: Counter[int] = Counter()
    while open_places:
        queue = deque([open_places.pop()])
        size = 0
        while queue:
            y, x = queue.popleft()
            size += 1
            near = {(y + dy, x + dx) for dy, dx in DIRECTIONS} & open_places
            open_places -= near
            queue.extend(near)
        sizes[size] += 1
    return sizes


def spans_a_tree(edges: list[Edge], size: int) -> tuple[float, list[Edge]]:
    """Kruskal, over a class of another module."""
    sets = DisjointSets(size)
    taken = [edge for edge in sorted(edges, key=lambda edge: edge.cost) if sets.join(edge.start, edge.end)]
    return math.fsum(edge.cost for edge in taken), taken


def relaxes(edges: list[Edge], size: int) -> list[float] | None:
    """Bellman and Ford, with a for-else."""
    distances = [math.inf] * size
    distances[0] = 0.0
    for _ in range(size):
        changed = False
        for start, end, cost in edges:
            if distances[start] + cost < distances[end]:
                distances[end] = distances[start] + cost
                changed = True
        if not changed:
            break
    else:
        return None
    return distances


def shortest_everywhere(edges: list[Edge], size: int) -> list[list[float]]:
    """Floyd and Warshall."""
    table = [[0.0 if i == j else math.inf for j in range(size)] for i in range(size)]
    for edge in edges:
        table[edge.start][edge.end] = min(table[edge.start][edge.end], edge.cost)
    for k, i, j in itertools.product(range(size), repeat=3):
        table[i][j] = min(table[i][j], table[i][k] + table[k][j])
    return table


def orders_tasks(needs: dict[str, set[str]]) -> list[str]:
    """The standard library's sorter, and the error it may raise."""
    sorter: TopologicalSorter[str] = TopologicalSorter(needs)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        return ["cycle", *sorted(set(error.args[1]))]


def orders_by_levels(needs: dict[str, set[str]]) -> list[list[str]]:
    """The same by hand, on a copy of what it is given."""
    left = {name: set(before) for name, before in needs.items()}
    for before in list(left.values()):
        for name in before:
            left.setdefault(name, set())
    levels: list[list[str]] = []
    while left:
        ready = sorted(name for name, before in left.items() if not before)
        if not ready:
            raise ValueError(f"cycle among {sorted(left)}")
        levels.append(ready)
        for name in ready:
            del left[name]
        for before in left.values():
            before.difference_update(ready)
    return levels


def finds_components(graph: dict[int, list[int]]) -> list[list[int]]:
    """Tarjan's components, with state in the outer function."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    counter = 0

    def visit(node: int) -> None:
        nonlocal counter
        index[node] = low[node] = counter
        counter += 1
        stack.append(node)
        for there in graph.get(node, ()):
            if there not in index:
                visit(there)
                low[node] = min(low[node], low[there])
            elif there in stack:
                low[node] = min(low[node], index[there])
        if low[node] == index[node]:
            component: list[int] = []
            while not component or component[-1] != node:
                component.append(stack.pop())
            found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def ranks_pages(links: dict[str, list[str]]) -> dict[str, float]:
    """A walk that settles."""
    ranks = dict.fromkeys(links, 1 / len(links))
    for _ in range(10):
        fresh = dict.fromkeys(links, 0.15 / len(links))
        for page, targets in links.items():
            for target in targets or links:
                fresh[target] += 0.85 * ranks[page] / (len(targets) or len(links))
        ranks = fresh
    return {page: round(rank, 6) for page, rank in ranks.items()}


def matches_pairs(wishes: dict[str, list[str]]) -> dict[str, str]:
    """Pairs by augmenting paths, with a recursive closure."""
    taken: dict[str, str] = {}

    def place(person: str, seen: set[str]) -> bool:
        for job in wishes[person]:
            if job in seen:
                continue
            seen.add(job)
            if job not in taken or place(taken[job], seen):
                taken[job] = person
                return True
        return False

    for person in sorted(wishes):
        if not place(person, set()):
            _log.info("nothing for %s", person)
    return taken


def flows(edges: list[tuple[int, int, int]], sink: int) -> int:
    """The greatest flow."""
    rest: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for start, end, capacity in edges:
        rest[start][end] += capacity
    total = 0
    while True:
        parents: dict[int, int | None] = {0: None}
        queue = deque([0])
        while queue and sink not in parents:
            node = queue.popleft()
            for there, capacity in list(rest[node].items()):
                if capacity and there not in parents:
                    parents[there] = node
                    queue.append(there)
        if sink not in parents:
            return total
        path, node = [], sink
        while (parent := parents[node]) is not None:
            path.append((parent, node))
            node = parent
        width = min(rest[a][b] for a, b in path)
        for a, b in path:
            rest[a][b] -= width
            rest[b][a] += width
        total += width


def packs_a_bag(things: list[tuple[int, int]], limit: int) -> tuple[int, list[int]]:
    """Dynamic programming with a way back."""
    table = [[0] * (limit + 1)]
    for weight, value in things:
        last = table[-1]
        table.append(
            [
                max(last[room], last[room - weight] + value if room >= weight else 0)
                for room in range(limit + 1)
            ]
        )
    chosen, room = [], limit
    for index in range(len(things), 0, -1):
        if table[index][room] != table[index - 1][room]:
            chosen.append(index - 1)
            room -= things[index - 1][0]
    return table[-1][limit], chosen[::-1]


def finds_common(a: str, b: str) -> str:
    """The longest common subsequence, memoised by a decorator within."""

    @functools.cache
    def longest(i: int, j: int) -> str:
        if i == len(a) or j == len(b):
            return ""
        if a[i] == b[j]:
            return a[i] + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1), key=len)

    return longest(0, 0)


def changes_money(amount: int, coins: tuple[int, ...]) -> dict[int, int]:
    """Few coins."""
    best: list[tuple[int, ...] | None] = [()]
    for part in range(1, amount + 1):
        options = [
            (*before, coin) for coin in coins if coin <= part and (before := best[part - coin]) is not None
        ]
        best.append(min(options, key=len, default=None))
    return dict(Counter(best[amount] or ()))


def multiplies_in_order(sizes: list[int]) -> str:
    """Where the parentheses go."""
    costs: dict[tuple[int, int], tuple[int, str]] = {}

    def best(i: int, j: int) -> tuple[int, str]:
        if (i, j) not in costs:
            if i == j:
                costs[i, j] = 0, chr(65 + i)
            else:
                costs[i, j] = min(
                    (
                        best(i, k)[0] + best(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1],
                        f"({best(i, k)[1]}{best(k + 1, j)[1]})",
                    )
                    for k in range(i, j)
                )
        return costs[i, j]

    return best(0, len(sizes) - 2)[1]


def solves_sudoku(given: list[list[int]]) -> list[list[int]] | None:
    """Four by four, on a deep copy."""
    board = copy.deepcopy(given)

    def allowed(row: int, column: int) -> set[int]:
        top, left = row // 2 * 2, column // 2 * 2
        used = set(board[row]) | {line[column] for line in board}
        used.update(cell for line in board[top : top + 2] for cell in line[left : left + 2])
        return {1, 2, 3, 4} - used

    def fill() -> bool:
        for row, column in itertools.product(range(4), repeat=2):
            if not board[row][column]:
                for digit in sorted(allowed(row, column)):
                    board[row][column] = digit
                    if fill():
                        return True
                board[row][column] = 0
                return False
        return True

    return board if fill() else None


def plays_perfectly(board: str) -> tuple[int, int | None]:
    """Minimax with pruning; returns the score and the move."""

    def winner(cells: str) -> str | None:
        return next(
            (cells[a] for a, b, c in LINES if cells[a] != "." and cells[a] == cells[b] == cells[c]), None
        )

    def search(cells: str, player: str, low: int, high: int) -> tuple[int, int | None]:
        if winner(cells):
            return -1, None
        moves = [index for index, cell in enumerate(cells) if cell == "."]
        if not moves:
            return 0, None
        best: tuple[int, int | None] = (-2, None)
        for move in moves:
            after = cells[:move] + player + cells[move + 1 :]
            score = -search(after, "O" if player == "X" else "X", -high, -low)[0]
            if score > best[0]:
                best = score, move
            low = max(low, score)
            if low >= high:
                break
        return best

    return search(board, "X", -1, 1)


def ranks_hands(hands: list[list[Card]]) -> list[str]:
    """Poker hands by keys made of counters."""

    def value(hand: list[Card]) -> tuple[list[int], list[int], bool]:
        counts = Counter(card.rank for card in hand)
        groups = sorted(counts, key=lambda rank: (counts[rank], rank), reverse=True)
        return sorted(counts.values(), reverse=True), groups, len({card.suit for card in hand}) == 1

    return [" ".join(map(str, sorted(hand))) for hand in sorted(hands, key=value, reverse=True)]


def deals(seed: int) -> dict[Suit, list[int]]:
    """A shuffled deck, and a result whose keys are members of an enum."""
    deck = [Card(rank, suit.value) for suit in Suit for rank in range(2, 15)]
    random.Random(seed).shuffle(deck)
    hands: dict[Suit, list[int]] = {}
    for card in deck[:10]:
        hands.setdefault(Suit(card.suit), []).append(card.rank)
    return {suit: sorted(ranks) for suit, ranks in hands.items() if suit.is_red or len(ranks) > 1}


class State(enum.Enum):
    """Of a lift."""

    IDLE = enum.auto()
    UP = enum.auto()
    DOWN = enum.auto()


@dataclass
class Lift:
    """Carries people up and down."""

    floor: int = 0
    state: State = State.IDLE
    calls: set[int] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def step(self) -> bool:
        if not self.calls:
            self.state = State.IDLE
            return False
        if self.floor in self.calls:
            self.calls.discard(self.floor)
            self.log.append(f"open {self.floor}")
            return True
        target = min(self.calls, key=lambda floor: (abs(floor - self.floor), floor))
        self.state = State.UP if target > self.floor else State.DOWN
        self.floor += 1 if self.state is State.UP else -1
        return True


def rides_a_lift(calls: list[int]) -> Lift:
    """A simulation by an object with mutable fields, which is the result."""
    lift = Lift(floor=2)
    waiting = deque(calls)
    for _tick in range(50):
        if waiting:
            lift.calls.add(waiting.popleft())
        if not lift.step():
            break
    lift.log.append(lift.state.name)
    return lift


@dataclass(frozen=True)
class Event:
    """Something that happens."""

    time: float
    kind: str
    customer: int

    def __lt__(self, other: Event) -> bool:
        return (self.time, self.customer) < (other.time, other.customer)


class Shop:
    """A queue with servers, event by event."""

    def __init__(self, servers: int, seed: int) -> None:
        self._free = servers
        self._chance = random.Random(seed)
        self._events: list[Event] = []
        self._line: deque[Event] = deque()
        self.waits: list[float] = []

    def schedule(self, event: Event) -> None:
        heapq.heappush(self._events, event)

    def _serve(self, event: Event, now: float) -> None:
        self._free -= 1
        self.waits.append(round(now - event.time, 6))
        self.schedule(Event(now + self._chance.expovariate(1.0), "leaves", event.customer))

    def run(self) -> None:
        while self._events:
            event = heapq.heappop(self._events)
            handler = getattr(self, f"on_{event.kind}")
            handler(event)

    def on_comes(self, event: Event) -> None:
        if self._free:
            self._serve(event, event.time)
        else:
            self._line.append(event)

    def on_leaves(self, event: Event) -> None:
        self._free += 1
        if self._line:
            self._serve(self._line.popleft(), event.time)


class PlainShop(Shop):
    """The same, without names made at run time."""

    def run(self) -> None:
        while self._events:
            event = heapq.heappop(self._events)
            if event.kind == "comes":
                self.on_comes(event)
            else:
                self.on_leaves(event)


def opens_a_shop(seed: int) -> list[float]:
    """Events in a heap, handled by methods whose names are made at run time."""
    shop = Shop(2, seed)
    for customer in range(8):
        shop.schedule(Event(customer * 0.3, "comes", customer))
    shop.run()
    return shop.waits


def opens_a_plain_shop(seed: int) -> list[float]:
    """The same with plain calls of methods."""
    shop = PlainShop(2, seed)
    for customer in range(8):
        shop.schedule(Event(customer * 0.3, "comes", customer))
    shop.run()
    return shop.waits


class Node:
    """Of a search tree that balances itself by chance."""

    __slots__ = ("key", "left", "priority", "right")

    def __init__(self, key: int, priority: float) -> None:
        self.key = key
        self.priority = priority
        self.left: Node | None = None
        self.right: Node | None = None


def _insert(node: Node | None, key: int, priority: float) -> Node:
    """A tree with a key more."""
    if node is None:
        return Node(key, priority)
    if key < node.key:
        node.left = _insert(node.left, key, priority)
        if node.left.priority > node.priority:
            child = node.left
            node.left, child.right = child.right, node
            return child
    elif key > node.key:
        node.right = _insert(node.right, key, priority)
        if node.right.priority > node.priority:
            child = node.right
            node.right, child.left = child.left, node
            return child
    return node


def _in_order(node: Node | None) -> Iterator[int]:
    """The keys of a tree."""
    if node is not None:
        yield from _in_order(node.left)
        yield node.key
        yield from _in_order(node.right)


def balances_a_tree(keys: list[int]) -> list[int]:
    """Helpers that change the nodes they are given, all of them its own."""
    chance = random.Random(len(keys))
    root: Node | None = None
    for key in keys:
        root = _insert(root, key, chance.random())
    return list(_in_order(root))


class LinkedList:
    """A list with a class within."""

    class Link:
        """One link."""

        def __init__(self, value: int, following: LinkedList.Link | None) -> None:
            self.value = value
            self.following = following

    def __init__(self) -> None:
        self.head: LinkedList.Link | None = None

    def add(self, value: int) -> None:
        self.head = self.Link(value, self.head)

    def turn(self) -> None:
        before, link = None, self.head
        while link is not None:
            link.following, before, link = before, link, link.following
        self.head = before

    def __iter__(self) -> Iterator[int]:
        link = self.head
        while link is not None:
            yield link.value
            link = link.following


def turns_a_list(n: int) -> list[int]:
    """Links that are rebound one after the other."""
    links = LinkedList()
    for value in range(n):
        links.add(value)
    links.turn()
    return [*links, *links]


def evolves(goal: str, seed: int) -> str:
    """A genetic search with inner functions over a generator of its own."""
    chance = random.Random(seed)
    letters = "abcdefgh"

    def fitness(text: str) -> int:
        return sum(map(operator.eq, text, goal))

    def mutate(text: str) -> str:
        place = chance.randrange(len(text))
        return text[:place] + chance.choice(letters) + text[place + 1 :]

    def cross(a: str, b: str) -> str:
        cut = chance.randrange(len(a))
        return a[:cut] + b[cut:]

    people = ["".join(chance.choices(letters, k=len(goal))) for _ in range(10)]
    for _ in range(8):
        people.sort(key=fitness, reverse=True)
        parents = people[:4]
        people = parents + [mutate(cross(*chance.sample(parents, 2))) for _ in range(6)]
    return max(people, key=fitness)


def anneals(places: list[tuple[float, float]], seed: int) -> tuple[float, list[int]]:
    """A round trip that gets shorter."""
    chance = random.Random(seed)
    tour = list(range(len(places)))

    def length(order: list[int]) -> float:
        return sum(math.dist(places[a], places[b]) for a, b in zip(order, order[1:] + order[:1], strict=True))

    best, heat = length(tour), 5.0
    for _ in range(30):
        i, j = sorted(chance.sample(range(len(tour)), 2))
        other = tour[:i] + tour[i:j][::-1] + tour[j:]
        if (fresh := length(other)) < best or chance.random() < math.exp((best - fresh) / heat):
            tour, best = other, fresh
        heat *= 0.9
    return round(best, 6), tour


def colours_a_map(borders: dict[str, list[str]]) -> dict[str, int]:
    """Greedy colours."""
    colours: dict[str, int] = {}
    for land in sorted(borders, key=lambda land: (-len(borders[land]), land)):
        used = {colours[other] for other in borders[land] if other in colours}
        colours[land] = next(colour for colour in itertools.count() if colour not in used)
    return colours


def runs_a_tape(tape: str, limit: int) -> str:
    """A machine with an infinite tape, its program matched by structure."""
    cells = defaultdict(lambda: "_", enumerate(tape))
    state, head = "right", 0
    for _ in range(limit):
        match state, cells[head]:
            case "right", "_":
                state, head = "carry", head - 1
            case "right", _:
                head += 1
            case "carry", "1":
                cells[head] = "0"
                head -= 1
            case "carry", _:
                cells[head] = "1"
                state = "done"
            case _:
                break
    return "".join(cells[index] for index in sorted(cells)).strip("_")


def interprets(source: str) -> str:
    """A language of brackets, by a table of jumps."""
    jumps: dict[int, int] = {}
    opened: list[int] = []
    for index, letter in enumerate(source):
        if letter == "[":
            opened.append(index)
        elif letter == "]":
            jumps[index] = opened.pop()
            jumps[jumps[index]] = index
    memory, pointer, position = bytearray(16), 0, 0
    output: list[str] = []
    while position < len(source):
        letter = source[position]
        if letter in "<>":
            pointer += 1 if letter == ">" else -1
        elif letter in "+-":
            memory[pointer] = (memory[pointer] + (1 if letter == "+" else -1)) % 256
        elif letter == ".":
            output.append(chr(memory[pointer]))
        elif (letter == "[" and not memory[pointer]) or (letter == "]" and memory[pointer]):
            position = jumps[position]
        position += 1
    return "".join(output)


def balances_accounts(debts: dict[str, int]) -> list[tuple[str, str, int]]:
    """Two heaps against each other."""
    owing = [(amount, name) for name, amount in debts.items() if amount < 0]
    getting = [(-amount, name) for name, amount in debts.items() if amount > 0]
    heapq.heapify(owing)
    heapq.heapify(getting)
    payments: list[tuple[str, str, int]] = []
    while owing and getting:
        debt, debtor = heapq.heappop(owing)
        credit, creditor = heapq.heappop(getting)
        amount = min(-debt, -credit)
        payments.append((debtor, creditor, amount))
        for heap, rest, name in ((owing, debt + amount, debtor), (getting, credit + amount, creditor)):
            if rest:
                heapq.heappush(heap, (rest, name))
    return payments


def replays(commands: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Commands by structure, with undo."""
    state: dict[str, Any] = {"items": [], "name": None}
    history: list[dict[str, Any]] = []
    for command in commands:
        before = copy.deepcopy(state)
        match command:
            case ("add", int(value)) if value >= 0:
                state["items"].append(value)
            case ("add", *values):
                state["items"].extend(values)
            case ("name", str() as name):
                state["name"] = name
            case ("undo",) if history:
                state = history.pop()
                continue
            case _:
                _log.warning("unknown command %r", command)
                continue
        history.append(before)
    return state


def huffman(text: str) -> dict[str, str]:
    """Codes from a heap of lists that are changed while they wait."""
    heap: list[list[Any]] = [[count, letter, [letter, ""]] for letter, count in sorted(Counter(text).items())]
    heapq.heapify(heap)
    while len(heap) > 1:
        low, high = heapq.heappop(heap), heapq.heappop(heap)
        for pair in low[2:]:
            pair[1] = "0" + pair[1]
        for pair in high[2:]:
            pair[1] = "1" + pair[1]
        heapq.heappush(heap, [low[0] + high[0], min(low[1], high[1]), *low[2:], *high[2:]])
    return dict(sorted(heap[0][2:])) if heap else {}


def _edges(n: int) -> list[Edge]:
    """Some edges."""
    return [Edge(i, (i * (n + 2) + 1) % 6, (i * n) % 5 + 1.0) for i in range(6)]


_NEEDS = {"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "e": {"a"}}

CASES = [
    Case(finds_a_path, arguments=lambda n: ((n % 5, n % 7),)),
    Case(counts_regions, arguments=lambda n: ([row[n % 5 :] for row in MAZE],)),
    Case(spans_a_tree, arguments=lambda n: (_edges(n), 6)),
    Case(relaxes, arguments=lambda n: ([Edge(0, 1, -n % 3 - 2), Edge(1, 2, 1), Edge(2, 0, 1)], 3)),
    Case(shortest_everywhere, arguments=lambda n: (_edges(n), 6)),
    Case(orders_tasks, arguments=lambda n: ({"a": {"b"}, "b": {"c"}, "c": {"a"} if n % 2 else {"d"}},)),
    Case(orders_by_levels, arguments=lambda n: ({**_NEEDS, "d": {"e"} if n % 5 == 4 else set()},)),
    Case(finds_components, arguments=lambda n: ({i: [(i * n + 1) % 7, i // 2] for i in range(7)},)),
    Case(ranks_pages, arguments=lambda n: ({"a": ["b", "c"], "b": ["c"], "c": [] if n % 2 else ["a"]},)),
    Case(matches_pairs, arguments=lambda n: ({"x": ["1", "2"], "y": ["1"], "z": ["2"][: n % 2]},)),
    Case(flows, arguments=lambda n: ([(0, 1, n), (0, 2, 3), (1, 3, 4), (2, 1, 2), (2, 3, 1)], 3)),
    Case(packs_a_bag, arguments=lambda n: ([(2, 3), (3, n), (4, 5), (5, 6)], 8), ordered=False),
    Case(finds_common, arguments=lambda n: ("nematode knowledge"[:9], f"empty bottle {n}"[:9])),
    Case(changes_money, arguments=lambda n: (n, (1, 5, 12))),
    Case(multiplies_in_order, arguments=lambda n: ([n + 1, 5, 10, 3, 12],)),
    Case(solves_sudoku, arguments=lambda n: ([[n % 4 + 1, 0, 0, 0], [0] * 4, [0, 0, 1, 0], [0] * 4],)),
    Case(plays_perfectly, arguments=lambda n: (("XO.OX...." if n % 2 else "X.OO.X..."),)),
    Case(
        ranks_hands,
        arguments=lambda n: ([[Card((i * n + j) % 5 + 2, "cd"[j % 2]) for j in range(5)] for i in (1, 2)],),
    ),
    Case(deals),
    Case(rides_a_lift, arguments=lambda n: ([n % 7, 5, n % 3],)),
    Case(opens_a_shop),
    Case(opens_a_plain_shop),
    Case(balances_a_tree, arguments=lambda n: ([i * (n + 3) % 17 for i in range(10)],)),
    Case(turns_a_list),
    Case(evolves, arguments=lambda n: ("headache"[: n % 5 + 2], n)),
    Case(anneals, arguments=lambda n: ([(i * n % 7, i * i % 5) for i in range(6)], n)),
    Case(colours_a_map, arguments=lambda n: ({"a": ["b", "c"], "b": ["a"], "c": ["a", "b"][: n % 3]},)),
    Case(runs_a_tape, arguments=lambda n: (f"{n:b}", 30)),
    Case(interprets, arguments=lambda n: ("+" * 8 + "[>" + "+" * 8 + "<-]>" + "+" * (n % 20) + ".",)),
    Case(balances_accounts, arguments=lambda n: ({"a": n, "b": -n + 3, "c": -3},)),
    Case(replays, arguments=lambda n: ([("add", n), ("add", 1, 2), ("name", "x"), ("undo",), ("what",)],)),
    Case(huffman, arguments=lambda n: ("abracadabra"[: n % 11],)),
]
