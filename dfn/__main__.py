"""`python -m dfn` is the same as `dfn`."""

import sys

from dfn.cli import main

if __name__ == "__main__":
    sys.exit(main())
