"""The functions of the demo: ordinary code of every kind, with nothing in it that helps the routing."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import re
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from adaptive_exec.errors import ShutDown

if TYPE_CHECKING:
    from adaptive_exec import Lock, Queue

__all__ = [
    "WORD_INDEX",
    "download",
    "fetch_page",
    "index_words",
    "pack_files",
    "parse_pages",
    "rank_functions",
    "stream_page",
    "write_rows",
]

Ranking = list[tuple[int, str]]
Answer = tuple[int, int, int]
_Item = TypeVar("_Item")

WORD_INDEX: dict[str, list[tuple[str, int]]] = {}

_BRANCHES = (
    ast.If,
    ast.For,
    ast.While,
    ast.BoolOp,
    ast.ExceptHandler,
    ast.IfExp,
    ast.comprehension,
    ast.Assert,
)
_WORD = re.compile(r"[A-Za-z_]\w+")
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _parse(source: bytes) -> ast.Module:
    """`ast.parse`, tried again where threads that parse at once trip over a counter they share.

    CPython before 3.13 then raises `SystemError: AST constructor recursion depth mismatch` (gh-106905).
    """
    for _ in range(20):
        try:
            return ast.parse(source)
        except SystemError:
            continue
    return ast.parse(source)


def _rank(source: bytes) -> Ranking:
    """The ten most complex functions of a module, by McCabe's count of their branches.

    A branch counts for each function that it lies in.
    """
    branches: dict[ast.FunctionDef | ast.AsyncFunctionDef, int] = {}
    todo: list[tuple[ast.AST, tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]]] = [(_parse(source), ())]
    while todo:
        node, inside = todo.pop()
        if isinstance(node, _BRANCHES):
            for function in inside:
                branches[function] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            branches[node] = 0
            inside = (*inside, node)
        todo += [(child, inside) for child in ast.iter_child_nodes(node)]
    ranked = sorted(((1 + count, function.name) for function, count in branches.items()), reverse=True)
    return ranked[:10]


def rank_functions(path: Path) -> Ranking:
    """Parse one module and rank its functions."""
    return _rank(path.read_bytes())


def pack_files(paths: Iterable[Path]) -> tuple[str, int]:
    """Join files, hash the whole and compress it."""
    joined = b"".join(path.read_bytes() for path in paths)
    return hashlib.sha256(joined).hexdigest(), len(zlib.compress(joined))


def fetch_page(url: str) -> Answer:
    """Fetch one page the way a script does; its status, size and checksum."""
    with _opener.open(url, timeout=30) as reply:
        body = reply.read()
        return reply.status, len(body), zlib.crc32(body)


async def _read_page(url: str) -> tuple[int, bytes]:
    """One HTTP request over asyncio streams."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {address.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split()[1]), body


async def stream_page(url: str) -> Answer:
    """Fetch one page as a coroutine; its status, size and checksum."""
    status, body = await _read_page(url)
    return status, len(body), zlib.crc32(body)


def index_words(path: Path) -> int:
    """Note every word of a module with its place in the index that the whole program shares."""
    words = _WORD.findall(path.read_text(encoding="utf-8"))
    for place, word in enumerate(words):
        WORD_INDEX.setdefault(word, []).append((path.name, place))
    return len(words)


def _enter(journal: Path, entry: str) -> None:
    """Append a numbered line; two callers at once would give the same number, so callers hold a lock."""
    with journal.open("a+", encoding="utf-8") as file:
        file.seek(0)
        number = len(file.readlines())
        file.write(f"{number}\t{entry}\n")


def _until_shut_down(queue: Queue[_Item]) -> Iterator[_Item]:
    """What comes out of a queue, until it is shut down and empty."""
    while True:
        try:
            item = queue.get()
        except ShutDown:
            return
        yield item


async def download(number: int, url: str, pages: Queue[tuple[int, bytes]], lock: Lock, journal: Path) -> None:
    """First station of the pipeline: fetch a page and hand it on."""
    _, body = await _read_page(url)
    async with lock:
        _enter(journal, f"downloaded\t{number}\t{len(body)}")
    await pages.aio.put((number, body))


def parse_pages(
    pages: Queue[tuple[int, bytes]], rows: Queue[tuple[int, str]], lock: Lock, journal: Path
) -> int:
    """Second station: parse pages until no more come."""
    done = 0
    for number, body in _until_shut_down(pages):
        complexity, name = max(_rank(body), default=(0, "-"))
        with lock:
            _enter(journal, f"parsed\t{number}\t{name}")
        rows.put((number, f"{name} {complexity}"))
        done += 1
    return done


def write_rows(rows: Queue[tuple[int, str]], lock: Lock, journal: Path) -> int:
    """Third station: write the rows to the journal that the other stations write to as well."""
    done = 0
    for number, row in _until_shut_down(rows):
        with lock:
            _enter(journal, f"written\t{number}\t{row}")
        done += 1
    return done
