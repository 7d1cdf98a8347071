"""A local HTTP server whose pages take 50 ms each, in a process of its own.

# Guarantees: it answers on 127.0.0.1 only, serves nothing but the standard library's modules, and ends
#             when its standard input ends: on `close()`, and when its parent dies in whatever way.
# Assumes:    the pipe to its standard input is inherited by nobody else (PEP 446);
#             tests/cli/test_server.py::test_server_ends_when_its_parent_is_killed checks it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from adaptive_exec.cli.errors import CommandError
from adaptive_exec.cli.sources import stdlib_modules

__all__ = ["DELAY", "PageServer"]

DELAY: Final = 0.05
_BACKLOG: Final = 2048
_STARTED_WITHIN: Final = 20.0


class PageServer:
    """The server's process, as its parent sees it; a context manager that starts and ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        watchdog = threading.Timer(_STARTED_WITHIN, self._process.kill)
        watchdog.start()
        try:
            port = self._process.stdout.readline().strip()
        except BaseException:
            self.close()
            raise
        finally:
            watchdog.cancel()
        if not port:
            self.close()
            raise CommandError("the demo's page server did not start")
        self.url = f"http://127.0.0.1:{int(port)}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server's process and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Conversation(asyncio.Protocol):
    """One request on one connection: read its head, wait, answer, close."""

    def __init__(self, pages: Mapping[bytes, bytes]) -> None:
        self._pages = pages
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        asked, self._head = b"\r\n\r\n" in self._head, self._head + data
        if not asked and b"\r\n\r\n" in self._head:
            asyncio.get_running_loop().call_later(DELAY, self._answer)

    def _answer(self) -> None:
        assert self._transport is not None
        target = self._head.split(None, 2)[1] if self._head.startswith(b"GET ") else b""
        page = self._pages.get(target)
        status = b"404 Not Found" if page is None else b"200 OK"
        body = page or b""
        self._transport.write(
            b"HTTP/1.0 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )
        self._transport.close()


async def _serve(pages: Mapping[bytes, bytes]) -> None:
    """Tell the port on standard output, then answer until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Conversation(pages), "127.0.0.1", 0, backlog=_BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _end_with_parent() -> None:
    """End this process once nobody holds the other end of its standard input."""
    sys.stdin.buffer.read()
    os._exit(0)


def _main() -> None:
    """Serve every module of the standard library under its number: /0, /1 and so on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pages = {b"/%d" % number: path.read_bytes() for number, path in enumerate(stdlib_modules())}
    asyncio.run(_serve(pages))


if __name__ == "__main__":
    _main()
