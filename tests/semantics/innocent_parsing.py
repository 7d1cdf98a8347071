"""Innocent functions that read texts as applications do: logs, formats, tokens, small languages."""

from __future__ import annotations

import contextlib
import csv
import enum
import io
import json
import logging
import re
import string
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.semantics.case import Case

logger = logging.getLogger(__name__)

LINE = re.compile(
    r"^(?P<ip>\d+\.\d+\.\d+\.\d+) - (?P<user>\S+) \[(?P<when>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d{3}) (?P<size>\d+|-)$'
)
STOP = {"the", "a", "an", "of", "and", "to", "in"}
REPLACEMENTS = {"colour": "color", "centre": "center", "grey": "gray"}
EMPTY = ("", "n/a", "null", "none", "-")


class Kind(enum.Enum):
    """What a token may be."""

    NUMBER = "number"
    NAME = "name"
    OP = "op"
    END = "end"


class Tok(NamedTuple):
    """A token and where it stood."""

    kind: Kind
    text: str
    at: int


@dataclass(frozen=True)
class Hit:
    """A line of an access log."""

    ip: str
    when: datetime
    path: str
    status: int
    size: int


@dataclass
class Summary:
    """What an access log comes to."""

    hits: int = 0
    failures: int = 0
    by_path: dict[str, int] = field(default_factory=dict)
    skipped: list[int] = field(default_factory=list)


class BadInput(Exception):
    """A text that can't be read."""

    def __init__(self, line: int, why: str) -> None:
        """Keeps both."""
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


def parse_hit(line: str) -> Hit | None:
    """One line, if it is one."""
    m = LINE.match(line.strip())
    if not m:
        return None
    size = m["size"]
    return Hit(
        ip=m["ip"],
        when=datetime.strptime(m["when"], "%d/%b/%Y:%H:%M:%S"),
        path=m["path"].split("?", 1)[0],
        status=int(m["status"]),
        size=0 if size == "-" else int(size),
    )


def digest_access_log(text: str) -> Summary:
    """Counts the lines of a log, and notes which can't be read."""
    summary = Summary()
    for number, line in enumerate(text.splitlines(), start=1):
        if not (hit := parse_hit(line)):
            summary.skipped.append(number)
            logger.debug("skipped line %d", number)
            continue
        summary.hits += 1
        if hit.status >= 400:
            summary.failures += 1
        summary.by_path[hit.path] = summary.by_path.get(hit.path, 0) + 1
    return summary


def clean_cell(cell: str) -> Any:
    """A number if it is one, None if it is empty."""
    cell = cell.strip()
    if cell.lower() in EMPTY:
        return None
    try:
        return int(cell)
    except ValueError:
        pass
    try:
        return float(cell)
    except ValueError:
        return cell


def clean_csv(text: str) -> list[dict[str, Any]]:
    """Reads rows, cleans their cells and drops what has been seen."""
    reader = csv.DictReader(io.StringIO(text))
    seen: set[tuple[Any, ...]] = set()
    rows = []
    for raw in reader:
        row = {name.strip().lower(): clean_cell(value) for name, value in raw.items()}
        key = tuple(row.values())
        if key in seen:
            continue
        seen.add(key)
        rows.append(row)
    return rows


def totals_to_csv(rows: list[dict[str, Any]]) -> str:
    """Sums by name, written as csv."""
    sums: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        sums[row["name"]] += row["amount"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "total"])
    for name, amount in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])):
        writer.writerow([name, f"{amount:.2f}"])
    return out.getvalue()


class Lexer:
    """Cuts a text into tokens."""

    def __init__(self, text: str) -> None:
        """At the start."""
        self.text = text
        self.pos = 0

    def __iter__(self) -> Iterator[Tok]:
        """All tokens, and an end."""
        while self.pos < len(self.text):
            c = self.text[self.pos]
            if c.isspace():
                self.pos += 1
            elif c.isdigit():
                yield self._run(Kind.NUMBER, string.digits + ".")
            elif c.isalpha():
                yield self._run(Kind.NAME, string.ascii_letters)
            else:
                yield Tok(Kind.OP, c, self.pos)
                self.pos += 1
        yield Tok(Kind.END, "", self.pos)

    def _run(self, kind: Kind, allowed: str) -> Tok:
        start = self.pos
        while self.pos < len(self.text) and self.text[self.pos] in allowed:
            self.pos += 1
        return Tok(kind, self.text[start : self.pos], start)


class Calculator:
    """Reads an expression by recursive descent."""

    def __init__(self, text: str, names: dict[str, float] | None = None) -> None:
        """Before the first token."""
        self._tokens = list(Lexer(text))
        self._names = names or {}
        self._at = 0

    @property
    def current(self) -> Tok:
        """The token to be read."""
        return self._tokens[self._at]

    def advance(self) -> Tok:
        """Goes past it."""
        token = self.current
        self._at += 1
        return token

    def expression(self) -> float:
        """Sums."""
        value = self.term()
        while self.current.text in ("+", "-"):
            if self.advance().text == "+":
                value += self.term()
            else:
                value -= self.term()
        return value

    def term(self) -> float:
        """Products."""
        value = self.factor()
        while self.current.text in {"*", "/"}:
            op = self.advance()
            value = value * self.factor() if op.text == "*" else value / self.factor()
        return value

    def factor(self) -> float:
        """Numbers, names, brackets."""
        token = self.advance()
        match token:
            case Tok(Kind.NUMBER, text, _):
                return float(text)
            case Tok(Kind.NAME, text, at):
                try:
                    return self._names[text]
                except KeyError:
                    raise BadInput(1, f"unknown name {text!r} at {at}") from None
            case Tok(_, "-", _):
                return -self.factor()
            case Tok(_, "(", _):
                value = self.expression()
                if self.advance().text != ")":
                    raise BadInput(1, "missing )")
                return value
        raise BadInput(1, f"unexpected {token.text!r}")


def calculate(text: str) -> float:
    """What an expression comes to."""
    return Calculator(text, {"x": 3.0, "pi": 3.14159}).expression()


def calculate_all(texts: list[str]) -> list[float | str]:
    """What each comes to, or why not."""
    results: list[float | str] = []
    for text in texts:
        try:
            results.append(calculate(text))
        except (BadInput, ZeroDivisionError) as e:
            results.append(str(e))
    return results


def word_frequencies(text: str, top: int = 5) -> list[tuple[str, int]]:
    """The most frequent words that say something."""
    words = re.findall(r"[a-z']+", text.lower())
    return Counter(w for w in words if w not in STOP and len(w) > 2).most_common(top)


def americanise(text: str) -> str:
    """Replaces words by a callback."""

    def fix(match: re.Match[str]) -> str:
        word = match.group(0)
        new = REPLACEMENTS.get(word.lower(), word)
        return new.capitalize() if word[0].isupper() else new

    return re.sub(r"\b\w+\b", fix, text)


def read_durations(texts: list[str]) -> timedelta:
    """Adds up texts such as 1h20m."""
    units = {"h": "hours", "m": "minutes", "s": "seconds"}
    total = timedelta()
    for text in texts:
        parts = {units[unit]: int(count) for count, unit in re.findall(r"(\d+)([hms])", text)}
        total += timedelta(**parts)
    return total


def dig(document: str, path: str, default: Any = None) -> Any:
    """Follows a dotted path into a JSON document."""
    node = json.loads(document)
    for part in path.split("."):
        match node:
            case dict():
                node = node.get(part, default)
            case [*items] if part.isdigit() and int(part) < len(items):
                node = items[int(part)]
            case _:
                return default
    return node


def write_letter(names: list[str], width: int = 40) -> str:
    """Fills a template for each, and folds it."""
    template = string.Template("Dear $name, you are number ${number} of $count; please reply soon. $$5")
    letters = []
    for i, name in enumerate(names, 1):
        body = template.substitute(name=name.title(), number=i, count=len(names))
        letters.append(textwrap.fill(body, width))
    return "\n---\n".join(letters)


def to_ints(words: list[str]) -> list[int]:
    """Those that are numbers."""
    out = []
    for word in words:
        with contextlib.suppress(ValueError):
            out.append(int(word))
    return out


def _log(n: int) -> str:
    """Lines of a log."""
    good = (
        f'10.0.0.{n} - bob [10/Oct/2023:13:55:{n % 60:02d}] "GET /a{n % 3}?q=1 HTTP/1.1" {200 + n * 5} 23{n}'
    )
    return "\n".join([good, "nonsense", good.replace("bob", "-").replace(f"23{n}", "-")] * 5)


CASES = [
    Case(digest_access_log, lambda n: (_log(n),)),
    Case(clean_csv, lambda n: (f"Name, Age ,Score\nann,{n},1.5\nbob,n/a,x\nann,{n},1.5\n" * 3,)),
    Case(totals_to_csv, lambda n: ([{"name": f"n{i % 4}", "amount": i * n / 3} for i in range(20)],)),
    Case(calculate, lambda n: (f"({n} + x) * pi / (2 - -{n})",)),
    Case(calculate_all, lambda n: ([f"{n}*2", f"{n}/0", "(1", "y+1"],)),
    Case(word_frequencies, lambda n: ("the cat and the dog saw a cat in the house " * (n % 5 + 1),)),
    Case(americanise, lambda n: (f"The Colour of the centre is grey, {n} times",)),
    Case(read_durations, lambda n: ([f"{n}h20m", "45s", "1h1m1s"],)),
    Case(dig, lambda n: (json.dumps({"a": [{"b": n}, {"b": [1, 2, n]}]}), f"a.{n % 3}.b")),
    Case(write_letter, lambda n: (["ann", "bob", "carl"][: n % 4],)),
    Case(to_ints, lambda n: (["1", "x", str(n)],)),
]
