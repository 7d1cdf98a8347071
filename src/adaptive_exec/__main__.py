"""`python -m adaptive_exec`: the same as the command `adaptive-exec`."""

import sys

from adaptive_exec.cli import main

if __name__ == "__main__":
    sys.exit(main())
