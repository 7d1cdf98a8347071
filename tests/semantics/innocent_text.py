"""Innocent functions that work on texts and bytes."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import configparser
import csv
import difflib
import functools
import html
import io
import itertools
import json
import logging
import operator
import re
import shlex
import string
import struct
import textwrap
import tokenize
import unicodedata
import zlib
from array import array
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlsplit
from xml.etree import ElementTree

from tests.semantics.case import Case
from tests.semantics.innocent_models import (
    IDENTIFIER,
    MORSE,
    NUMBER,
    STOP_WORDS,
    LengthScorer,
    ParseError,
    Scorer,
    Span,
    Stack,
    Token,
    VowelScorer,
    by_length,
    chunks,
    group_by,
    last_letter,
)

_log = logging.getLogger(__name__)

_TOKENS = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d*)?)|(?P<name>[a-z]\w*)|(?P<op>[-+*/()^=]))")
_HEADER = struct.Struct(">4sHHI")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else 0.0,
    "^": lambda a, b: a ** min(b, 3),
}
_LINE = re.compile(r'(?P<host>\S+) \[(?P<day>[^\]]+)\] "(?P<verb>\w+) (?P<path>\S+)" (?P<status>\d{3})')
_TEMPLATE = string.Template("$name has $count items")
TEXT = "the quick brown fox jumps over the lazy dog and runs to the end of a field"


def scan(source: str) -> Iterator[Token]:
    """Tokens of an arithmetic expression."""
    position = 0
    source = source.rstrip()
    while position < len(source):
        match = _TOKENS.match(source, position)
        if match is None:
            raise ParseError("unexpected character", position)
        kind = match.lastgroup or ""
        yield Token(kind, match[kind], match.start(kind))
        position = match.end()


class Parser:
    """Recursive descent over tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0

    def peek(self) -> str:
        return self.tokens[self.index].text if self.index < len(self.tokens) else ""

    def take(self) -> Token:
        if self.index >= len(self.tokens):
            raise ParseError("unexpected end", self.index)
        token = self.tokens[self.index]
        self.index += 1
        return token

    def expression(self, level: int = 1) -> dict[str, Any]:
        left = self.atom()
        while (power := _PRECEDENCE.get(self.peek(), 0)) >= level:
            sign = self.take().text
            right = self.expression(power + (sign != "^"))
            left = {"op": sign, "args": [left, right]}
        return left

    def atom(self) -> dict[str, Any]:
        token = self.take()
        if token.text == "(":
            inner = self.expression()
            if self.take().text != ")":
                raise ParseError("missing parenthesis", token.start)
            return inner
        if token.text == "-":
            return {"op": "-", "args": [{"value": 0.0}, self.atom()]}
        return {"name": token.text} if token.kind == "name" else {"value": float(token.text)}


def evaluate(node: dict[str, Any], names: dict[str, float]) -> float:
    """The value of a tree."""
    if "value" in node:
        return float(node["value"])
    if "name" in node:
        return names.get(node["name"], 0.0)
    left, right = (evaluate(each, names) for each in node["args"])
    return _OPERATIONS[node["op"]](left, right)


def parses_expressions(source: str) -> dict[str, Any]:
    """A syntax tree of nested dicts."""
    return Parser(list(scan(source))).expression()


def computes_expressions(source: str, names: dict[str, float]) -> float:
    """A tree is built and evaluated, through a table of functions."""
    return round(evaluate(Parser(list(scan(source))).expression(), names), 6)


def reports_syntax_errors(source: str) -> str:
    """Errors of its own class are raised and caught."""
    try:
        tree = Parser(list(scan(source))).expression()
    except ParseError as error:
        return f"{type(error).__name__}: {error} ({error.position})"
    except (RecursionError, KeyError) as error:
        raise ValueError(source) from error
    else:
        return "fine" if tree else "empty"
    finally:
        source = ""


def shunts(source: str) -> list[str]:
    """Reverse Polish notation, by a stack of a generic class."""
    output: list[str] = []
    signs: Stack[str] = Stack()
    for token in scan(source):
        if token.kind in ("number", "name"):
            output.append(token.text)
        elif token.text == "(":
            signs.push(token.text)
        elif token.text == ")":
            while len(signs) and signs.top != "(":
                output.append(signs.pop())
            signs.pop()
        else:
            while (top := signs.top) and _PRECEDENCE.get(top, 0) >= _PRECEDENCE[token.text]:
                output.append(signs.pop())
            signs.push(token.text)
    output.extend(signs)
    return output


class Outline(HTMLParser):
    """Collects the headings of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.level = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.level = int(tag[1])

    def handle_endtag(self, tag: str) -> None:
        self.level = 0

    def handle_data(self, data: str) -> None:
        if self.level:
            self.headings.append((self.level, data.strip()))


def outlines_pages(page: str) -> list[tuple[int, str]]:
    """A parser of the standard library calls methods of a subclass."""
    outline = Outline()
    outline.feed(page)
    outline.close()
    return outline.headings


def reads_xml(document: str) -> dict[str, list[dict[str, str]]]:
    """An element tree becomes nested dicts."""
    root = ElementTree.fromstring(document)
    found: dict[str, list[dict[str, str]]] = {}
    for child in root:
        record = dict(child.attrib)
        record["text"] = (child.text or "").strip()
        record.update({grandchild.tag: grandchild.text or "" for grandchild in child})
        found.setdefault(child.tag, []).append(record)
    return found


def writes_xml(rows: list[dict[str, str]]) -> str:
    """An element tree is built."""
    root = ElementTree.Element("rows")
    for row in rows:
        element = ElementTree.SubElement(root, "row", {"id": row["id"]})
        element.text = row["name"]
        element.set("size", str(len(row)))
    return ElementTree.tostring(root, encoding="unicode")


def reads_settings(text: str) -> dict[str, dict[str, str | int]]:
    """Sections of a configuration file."""
    parser = configparser.ConfigParser()
    parser.read_string(text)
    found: dict[str, dict[str, str | int]] = {}
    for section in parser.sections():
        found[section] = {
            key: int(value) if value.isdigit() else value for key, value in parser[section].items()
        }
    return found


def summarises_access(lines: list[str]) -> dict[str, Any]:
    """Lines of a web server's log, with what could not be read."""
    statuses: Counter[int] = Counter()
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    bad = []
    for number, line in enumerate(lines, start=1):
        if (match := _LINE.match(line)) is None:
            _log.debug("line %d makes no sense: %r", number, line)
            bad.append(number)
            continue
        fields = match.groupdict()
        statuses[int(fields["status"])] += 1
        hosts[fields["host"]].add(fields["path"].partition("?")[0])
    return {
        "statuses": dict(statuses.most_common()),
        "hosts": {host: sorted(paths) for host, paths in sorted(hosts.items())},
        "bad": bad,
    }


def scores_documents(documents: dict[str, str], query: str) -> list[tuple[str, float]]:
    """Ranks texts by the words they share with a query."""
    import math

    words = {name: Counter(re.findall(r"\w+", text.lower())) for name, text in documents.items()}
    spread: Counter[str] = Counter()
    for counts in words.values():
        spread.update(counts.keys())
    scores: dict[str, float] = {}
    for name, counts in words.items():
        length = sum(counts.values()) or 1
        for word in query.lower().split():
            if word in STOP_WORDS or word not in counts:
                continue
            weight = math.log((1 + len(documents)) / (1 + spread[word])) + 1
            scores[name] = scores.get(name, 0.0) + counts[word] / length * weight
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def sorts_by_a_given_key(words: list[str], key: Callable[[str], Any]) -> list[str]:
    """A function of a module comes as an argument."""
    return sorted(words, key=key)


def groups_with_a_generic_helper(text: str) -> dict[int, list[str]]:
    """A helper of another module calls what it is given."""
    return group_by(text.split(), len)


def groups_with_an_own_key(text: str) -> dict[str, list[str]]:
    """The helper is given a function of a module, and what it makes is changed here."""
    groups = group_by(text.split(), last_letter)
    for group in groups.values():
        group.sort(key=by_length, reverse=True)
    groups["all"] = sorted(itertools.chain.from_iterable(groups.values()))
    return groups


def scores_by_protocol(text: str) -> dict[str, float]:
    """Objects that share only a protocol."""
    scorers: list[Scorer] = [LengthScorer(0.5), VowelScorer(), LengthScorer()]
    found: dict[str, float] = {}
    for number, scorer in enumerate(scorers):
        found[f"{type(scorer).__name__}{number}"] = sum(map(scorer.score, text.split()))
    return found


def scores_by_a_given_object(scorer: LengthScorer, words: list[str]) -> list[float]:
    """A small object comes as an argument and is asked."""
    return [scorer.score(word) for word in words]


def merges_spans(spans: list[Span]) -> list[Span]:
    """Named tuples, sorted and joined."""
    merged: list[Span] = []
    for span in sorted(spans, key=operator.attrgetter("start", "end")):
        if merged and span.start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return [span for span in merged if span.size > 1]


def shifts_tokens(source: str, by: int) -> list[Token]:
    """Methods of named tuples."""
    return [token.shifted(by) for token in scan(source)]


def diffs(old: str, new: str) -> list[str]:
    """The difference of two texts, line by line."""
    matcher = difflib.SequenceMatcher(None, old.split(), new.split(), autojunk=False)
    lines = [f"{tag} {a}:{b} {c}:{d}" for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
    lines += difflib.unified_diff(old.split(), new.split(), "old", "new", lineterm="", n=1)
    lines.append(f"{matcher.ratio():.3f}")
    return lines


def suggests(word: str) -> list[str]:
    """What somebody may have meant."""
    known = sorted(set(TEXT.split()))
    return difflib.get_close_matches(word, known, n=2, cutoff=0.3) or [known[0]]


def formats_a_table(rows: list[tuple[str, float]]) -> str:
    """A table as text, with widths that depend on its cells."""
    cells = [("name", "value"), *((name, f"{value:,.2f}") for name, value in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    out = io.StringIO()
    for index, row in enumerate(cells):
        out.write(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        out.write("\n")
        if not index:
            out.write("-+-".join("-" * width for width in widths) + "\n")
    return out.getvalue()


def converts_csv_to_json(text: str) -> str:
    """From one format to another, within with-statements on local buffers."""
    with io.StringIO(text, newline="") as source, io.StringIO() as target:
        reader = csv.reader(source, delimiter=";")
        header = next(reader)
        for row in reader:
            record = dict(zip(header, row, strict=False))
            json.dump({key: record.get(key) for key in header if key != "secret"}, target, sort_keys=True)
            target.write("\n")
        return target.getvalue()


class Encoder(json.JSONEncoder):
    """Writes sets and complex numbers."""

    def default(self, o: Any) -> Any:
        if isinstance(o, (set, frozenset)):
            return sorted(o)
        if isinstance(o, complex):
            return {"re": o.real, "im": o.imag}
        return super().default(o)


def dumps_with_an_encoder(n: int) -> str:
    """A subclass of an encoder."""
    document = {"set": {n, n + 1}, "complex": complex(n, 2), "nested": [{"a": frozenset("ab")}]}
    return json.dumps(document, cls=Encoder, sort_keys=True, indent=1)


def _revive(pairs: dict[str, Any]) -> Any:
    """Turn what looks like a complex number into one."""
    return complex(pairs["re"], pairs["im"]) if pairs.keys() == {"re", "im"} else pairs


def loads_with_a_hook(text: str) -> Any:
    """Parsing calls a function of ours."""
    return json.loads(text, object_hook=_revive, parse_float=float)


def flattens_json(document: dict[str, Any]) -> dict[str, Any]:
    """An inner function fills a dict of the outer one."""
    flat: dict[str, Any] = {}

    def visit(prefix: str, value: Any) -> None:
        match value:
            case dict():
                for key, inner in value.items():
                    visit(f"{prefix}.{key}" if prefix else key, inner)
            case [*items]:
                for index, inner in enumerate(items):
                    visit(f"{prefix}[{index}]", inner)
            case _:
                flat[prefix] = value

    visit("", document)
    return flat


def builds_a_trie(words: list[str]) -> dict[str, Any]:
    """Nested dicts, walked and changed."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node["$"] = node.get("$", 0) + 1
    return root


def counts_instructions(source: str) -> dict[str, int]:
    """A visitor of syntax trees, as a class within."""

    class Visitor(ast.NodeVisitor):
        def __init__(self) -> None:
            self.names: Counter[str] = Counter()
            self.depth = 0

        def visit_BinOp(self, node: ast.BinOp) -> None:
            self.names[type(node.op).__name__] += 1
            self.depth += 1
            self.generic_visit(node)
            self.depth -= 1

        def visit_Name(self, node: ast.Name) -> None:
            self.names[f"{node.id}@{self.depth}"] += 1

    visitor = Visitor()
    visitor.visit(ast.parse(source))
    return dict(sorted(visitor.names.items()))


def strips_comments(source: str) -> str:
    """Tokens of Python, put together again."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    kept = [(token.type, token.string) for token in tokens if token.type != tokenize.COMMENT]
    return tokenize.untokenize(kept)


def packs_records(names: list[str]) -> bytes:
    """A binary format with a checksum."""
    out = bytearray()
    for index, name in enumerate(names):
        body = name.encode()
        out += _HEADER.pack(b"REC0", index, len(body), zlib.crc32(body))
        out.extend(body)
    return bytes(out)


def unpacks_records(data: bytes) -> list[tuple[int, str]]:
    """The same, backwards, over a memoryview."""
    view = memoryview(data)
    found: list[tuple[int, str]] = []
    position = 0
    while position < len(view):
        magic, index, size, check = _HEADER.unpack_from(view, position)
        position += _HEADER.size
        body = bytes(view[position : position + size])
        position += size
        if magic != b"REC0" or zlib.crc32(body) != check:
            raise ValueError(f"record {index} is damaged")
        found.append((index, body.decode()))
    return found


def encodes_runs(text: str) -> list[tuple[str, int]]:
    """Run lengths, by groups."""
    return [(letter, sum(1 for _ in run)) for letter, run in itertools.groupby(text)]


def compresses_lzw(text: str) -> list[int]:
    """A dictionary that grows."""
    codes = {chr(code): code for code in range(256)}
    current, output = "", []
    for letter in text:
        if (longer := current + letter) in codes:
            current = longer
        else:
            output.append(codes[current])
            codes[longer] = len(codes)
            current = letter
    return [*output, codes[current]] if current else output


def round_trips_encodings(text: str) -> dict[str, bool]:
    """Several encodings there and back."""
    raw = text.encode("utf-8")
    pairs: list[tuple[str, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = [
        ("base64", base64.b64encode, base64.b64decode),
        ("base85", base64.b85encode, base64.b85decode),
        ("hex", binascii.hexlify, binascii.unhexlify),
        ("zlib", zlib.compress, zlib.decompress),
    ]
    return {name: decode(encode(raw)) == raw for name, encode, decode in pairs}


def makes_slugs(titles: list[str]) -> list[str]:
    """Readable addresses, each one once."""
    seen: set[str] = set()
    slugs = []
    for title in titles:
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        slug = base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "untitled"
        suffix = itertools.count(2)
        while slug in seen:
            slug = f"{base}-{next(suffix)}"
        seen.add(slug)
        slugs.append(slug)
    return slugs


def rewrites_addresses(base: str, links: list[str]) -> list[str]:
    """Parts of URLs."""
    found = []
    for link in links:
        parts = urlsplit(urljoin(base, link))
        query = {
            key: values[-1] for key, values in parse_qs(parts.query).items() if not key.startswith("utm")
        }
        found.append(parts._replace(query=urlencode(sorted(query.items())), fragment="").geturl())
        found.append(unquote(quote(parts.path)))
    return found


def escapes(text: str) -> str:
    """Entities and shell words."""
    words = shlex.split(text)
    return html.escape(" ".join(map(shlex.quote, words))) + html.unescape("&lt;" * len(words))


def wraps_paragraphs(text: str, width: int) -> str:
    """Paragraphs with an indent that depends on their number."""
    wrapper = textwrap.TextWrapper(width=width, break_long_words=False)
    paragraphs = []
    for number, paragraph in enumerate(text.split(". "), 1):
        wrapper.initial_indent = f"{number}. "
        wrapper.subsequent_indent = " " * len(wrapper.initial_indent)
        paragraphs.append(wrapper.fill(textwrap.dedent(paragraph)))
    return "\n\n".join(paragraphs)


def fills_templates(names: list[str]) -> list[str]:
    """Several ways to fill in a text."""
    return [
        line
        for count, name in enumerate(names)
        for line in (
            _TEMPLATE.substitute(name=name, count=count),
            "{!r:>10}|{:^5}".format(*(name, count)),
            "%s-%03d" % (name, count),  # noqa: UP031
            f"{name:*^{count + 8}}",
        )
    ]


def layers_settings(changes: dict[str, int]) -> dict[str, int]:
    """Maps one behind the other."""
    defaults = {"width": 80, "height": 24, "depth": 8}
    layers = ChainMap({}, changes, defaults)
    layers["width"] += 1
    child = layers.new_child({"depth": 1})
    child["extra"] = len(child)
    return dict(child)


def remembers_the_latest(words: list[str], size: int) -> list[str]:
    """A cache that forgets, of its own."""
    cache: OrderedDict[str, int] = OrderedDict()
    for word in words:
        if word in cache:
            cache.move_to_end(word)
        cache[word] = cache.get(word, 0) + 1
        if len(cache) > size:
            cache.popitem(last=False)
    return [f"{word}:{count}" for word, count in cache.items()]


def follows_lines(text: str) -> list[str]:
    """The lines around each match, through a bounded queue."""
    before: deque[str] = deque(maxlen=2)
    found: list[str] = []
    left = 0
    for line in textwrap.wrap(text, 12):
        if NUMBER.search(line) or "fox" in line:
            found.extend(before)
            before.clear()
            left = 2
        if left:
            found.append(line)
            left -= 1
        else:
            before.append(line)
    return found


def rewrites_names(source: str) -> str:
    """A substitution by an inner function that counts."""
    numbers: dict[str, int] = {}

    def rename(match: re.Match[str]) -> str:
        name = match.group()
        return f"v{numbers.setdefault(name, len(numbers))}"

    return IDENTIFIER.sub(rename, source)


def sends_morse(text: str) -> str:
    """A constant table is read."""
    return " ".join(MORSE[letter] for letter in text.lower() if letter in MORSE)


def detects_language(text: str) -> str:
    """Letter pairs against small profiles."""
    profiles = {"en": "th he in er an", "de": "en er ch de ei", "fr": "es le en de nt"}
    pairs = Counter(map("".join, itertools.pairwise(text.lower())))
    scores = {
        name: functools.reduce(operator.add, (pairs[pair] for pair in profile.split()), 0)
        for name, profile in profiles.items()
    }
    best = max(scores, key=lambda name: (scores[name], name))
    return best if scores[best] else "unknown"


def pages_through(words: list[str], size: int) -> list[str]:
    """A generator of another module is consumed in part."""
    pages = chunks(words, size)
    first = next(pages, [])
    rest = [len(page) for page in pages]
    return [*first, str(rest)]


def rotates_letters(text: str, by: int) -> str:
    """A translation table and a codec."""
    letters = string.ascii_lowercase
    by %= len(letters)
    table = str.maketrans(letters, letters[by:] + letters[:by])
    return codecs.encode(text.translate(table), "rot13")


def counts_bytes(data: bytes) -> array[int]:
    """An array of its own."""
    counts = array("L", [0]) * 256
    for byte in data:
        counts[byte] += 1
    counts.append(sum(counts))
    return counts


def finds_bytes(data: bytes, needle: bytes) -> list[int]:
    """Knuth, Morris and Pratt."""
    failure = [0] * len(needle)
    matched = 0
    for index in range(1, len(needle)):
        while matched and needle[index] != needle[matched]:
            matched = failure[matched - 1]
        matched += needle[index] == needle[matched]
        failure[index] = matched
    found, matched = [], 0
    for index, byte in enumerate(data):
        while matched and byte != needle[matched]:
            matched = failure[matched - 1]
        if byte == needle[matched]:
            matched += 1
        if matched == len(needle):
            found.append(index - matched + 1)
            matched = failure[matched - 1]
    return found


def renders_markdown(source: str) -> str:
    """Blocks and spans, by a table of patterns and functions."""
    rules: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
        (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
        (re.compile(r"`(.+?)`"), lambda match: f"<code>{html.escape(match[1])}</code>"),
    ]
    blocks = []
    for line in source.splitlines():
        for pattern, replacement in rules:
            line = pattern.sub(replacement, line)  # noqa: PLW2901
        level = len(line) - len(line.lstrip("#"))
        blocks.append(f"<h{level}>{line[level:].strip()}</h{level}>" if level else f"<p>{line}</p>")
    return "\n".join(blocks)


_SOURCES = ("1 + 2 * (x - 3)", "2 ^ 3 ^ y / 4", "-(a) * 7.5", "((1))", "x - 2 - 3 - y")
_WORDS = TEXT.split()
_XML = '<r><book id="{0}">A<name>n{0}</name></book><book id="2"/><cd id="{0}"> x </cd></r>'

CASES = [
    Case(parses_expressions, arguments=lambda n: (_SOURCES[n % 5],)),
    Case(computes_expressions, arguments=lambda n: (_SOURCES[n % 5], {"x": n, "y": 2.0})),
    Case(reports_syntax_errors, arguments=lambda n: (("1 +", "(2", "3 $", "4")[n % 4],)),
    Case(shunts, arguments=lambda n: (_SOURCES[n % 5],), ordered=False),
    Case(outlines_pages, arguments=lambda n: (f"<h1>T {n}</h1><p>x</p><h2> b </h2>",)),
    Case(reads_xml, arguments=lambda n: (_XML.format(n),)),
    Case(writes_xml, arguments=lambda n: ([{"id": str(i), "name": f"<{n}>"} for i in range(3)],)),
    Case(reads_settings, arguments=lambda n: (f"[a]\nx = {n}\ny = z\n[b]\nw: 3\n",)),
    Case(
        summarises_access,
        arguments=lambda n: ([f'h{n % 3} [1/1] "GET /a?x={n}" 200', "nonsense", f'h [1] "POST /b/{n}" 404'],),
    ),
    Case(scores_documents, arguments=lambda n: ({"a": TEXT, "b": f"fox {n}", "c": "dog fox"}, "the fox dog")),
    Case(sorts_by_a_given_key, arguments=lambda n: (_WORDS[n % 9 :], by_length if n % 2 else last_letter)),
    Case(groups_with_a_generic_helper, arguments=lambda n: (TEXT[n:],)),
    Case(groups_with_an_own_key, arguments=lambda n: (TEXT[n:],)),
    Case(scores_by_protocol, arguments=lambda n: (TEXT[n:],)),
    Case(scores_by_a_given_object, arguments=lambda n: (LengthScorer(n / 2), _WORDS[n % 9 :])),
    Case(merges_spans, arguments=lambda n: ([Span(i * n % 11, i * n % 11 + 2) for i in range(6)],)),
    Case(shifts_tokens, arguments=lambda n: (_SOURCES[n % 5], n), ordered=False),
    Case(diffs, arguments=lambda n: (TEXT, TEXT.replace(_WORDS[n % 9], "new"))),
    Case(suggests, arguments=lambda n: (f"{_WORDS[n % 9]}x",)),
    Case(formats_a_table, arguments=lambda n: ([("a", n * 1000.5), ("long name", n)],)),
    Case(converts_csv_to_json, arguments=lambda n: (f"a;b;secret\r\n{n};2;3\r\nx;y;z\r\n",)),
    Case(dumps_with_an_encoder),
    Case(loads_with_a_hook, arguments=lambda n: (f'{{"z": {{"re": {n}, "im": 1.5}}, "l": [1]}}',)),
    Case(flattens_json, arguments=lambda n: ({"a": {"b": [n, {"c": "x"}]}, "d": None},)),
    Case(builds_a_trie, arguments=lambda n: ([*_WORDS[n % 9 :], "the", "then"],)),
    Case(counts_instructions, arguments=lambda n: (f"a + b * {n}\nc = a ** (b - 1)",)),
    Case(strips_comments, arguments=lambda n: (f"x = {n}  # number\n# all\nif x:\n    y = 1\n",)),
    Case(packs_records, arguments=lambda n: (_WORDS[: n % 9],), ordered=False),
    Case(unpacks_records, arguments=lambda n: (packs_records(_WORDS[: n % 9]),)),
    Case(encodes_runs, arguments=lambda n: ("aab" * n + "ccc",)),
    Case(compresses_lzw, arguments=lambda n: (TEXT[:n] * 3,)),
    Case(round_trips_encodings, arguments=lambda n: (TEXT[n:],)),
    Case(makes_slugs, arguments=lambda n: (["Ünder Ground!", "under ground", f"{n}", "--"],)),
    Case(
        rewrites_addresses, arguments=lambda n: (f"http://h/{n}/", ["a?utm_x=1&b=2&b=3#f", "../c d", "//g/"])
    ),
    Case(escapes, arguments=lambda n: (f"a 'b c' {n} \"<d>\"",)),
    Case(wraps_paragraphs, arguments=lambda n: (f"{TEXT}. {TEXT}", 20 + n)),
    Case(fills_templates, arguments=lambda n: (_WORDS[: n % 9],)),
    Case(layers_settings, arguments=lambda n: ({"height": n, "width": n % 3},)),
    Case(remembers_the_latest, arguments=lambda n: (_WORDS * 2, n % 5 + 1)),
    Case(follows_lines, arguments=lambda n: (TEXT + f" {n} " + TEXT,)),
    Case(rewrites_names, arguments=lambda n: (_SOURCES[n % 5] + " * a1",)),
    Case(sends_morse, arguments=lambda n: (TEXT[n:],)),
    Case(detects_language, arguments=lambda n: ((TEXT, "ein eichendes", "les entes", "")[n % 4],)),
    Case(pages_through, arguments=lambda n: (_WORDS, n % 5 + 1)),
    Case(rotates_letters, arguments=lambda n: (TEXT, n)),
    Case(counts_bytes, arguments=lambda n: (TEXT[n:].encode(),)),
    Case(finds_bytes, arguments=lambda n: (b"abababcab" * 3, b"abab"[: n % 4 + 1])),
    Case(renders_markdown, arguments=lambda n: (f"# T{n}\n**b** and `x<y`\nplain",)),
]
