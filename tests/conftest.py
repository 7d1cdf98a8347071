"""What holds for every test; the checks themselves are in `guards.py`.

- A time limit of 60 seconds (pytest-timeout), and warnings are errors (both in pyproject.toml).
- A call that blocks a running event loop raises and fails the test; `@pytest.mark.blocks_loop("why")` is for
  tests that do so on purpose.
- After the test no process, thread, shared-memory object or temp file of its is left.
"""

from __future__ import annotations

import atexit
import shutil
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from tests import guards

hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")


def pytest_configure() -> None:
    """Give the run a temp folder of its own, so that a new file in it is one of ours; and let Ctrl-C through."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A script's background job. The programs that the tests start and interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    atexit.register(shutil.rmtree, guards.start_run(), ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail the test if something of it is still there two seconds after it."""
    before = guards.Footprint.now()
    yield
    left = guards.Footprint.left_since(before)
    if left:
        pytest.fail("the test left behind: " + "; ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def _no_blocked_loop(request: pytest.FixtureRequest, _nothing_left_behind: None) -> Iterator[None]:
    """Fail the test if it, or the library under it, blocks a running event loop."""
    if request.node.get_closest_marker("blocks_loop") is not None:
        yield
        return
    with guards.watched_loops() as seen:
        yield
    if seen:
        pytest.fail("an event loop was blocked:\n" + "\n".join(seen), pytrace=False)
