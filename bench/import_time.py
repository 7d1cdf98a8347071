"""What `import adaptive_exec` costs beside `import concurrent.futures, asyncio`. Goal: at most 1.25 times.

Each measurement is a fresh interpreter that times its own import, so that starting Python does not blur it.
Both sides load most of their parts on first use, so the import is also measured together with the names that
programs begin with.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from harness import HEADER, arguments, compare, print_machine

PROGRAM = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
OURS = "import adaptive_exec"
THEIRS = "import concurrent.futures, asyncio"
OUR_NAMES = "from adaptive_exec import AdaptiveExecutor"
THEIR_NAMES = "import asyncio; from concurrent.futures import ThreadPoolExecutor, ProcessPoolExecutor"


def seconds(statement: str) -> float:
    """Seconds that a fresh interpreter needs for one import statement."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout)


def main() -> None:
    """Compare the import alone, and the import with the first use of the executor's name."""
    options = arguments(__doc__)
    print_machine()
    print(HEADER)
    for title, ours, theirs in (
        ("import alone", OURS, THEIRS),
        ("with the executors' names", OUR_NAMES, THEIR_NAMES),
    ):
        if options.only in title:
            compare(title, partial(seconds, ours), partial(seconds, theirs), rounds=options.rounds)


if __name__ == "__main__":
    main()
