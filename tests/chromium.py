"""A Chromium for the browser tests: one that is here, or one that can be had without asking anybody.

`make test` runs this file as a script; `conftest.py` only looks. A candidate counts when it answers `--version`,
because Ubuntu's `chromium-browser` package may be a stub that only names a snap, and a downloaded browser may lack
the system's libraries.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

ON_PATH = ("chromium", "chromium-browser", "google-chrome")
NONE_FOUND = (
    "Browser tests need Chromium and none could be had: install chromium or google-chrome with the system's package "
    "manager, or run `playwright install --with-deps chromium` once while online."
)


def find() -> str | None:
    """Path of a Chromium that starts, from PATH or from Playwright's own folder; None without one."""
    return next((path for path in _candidates() if _starts(path)), None)


def fetch() -> None:
    """Install one: Debian's package as root, otherwise (or where that fails) Playwright's own."""
    if shutil.which("apt-get") and os.name == "posix" and os.geteuid() == 0:
        _run("apt-get", "-q", "update")
        _run("apt-get", "-q", "install", "-y", "chromium")
    if find() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, ON_PATH))
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        yield own


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(*command: str) -> None:
    """Run a command quietly: whether it helped is what `find` says afterwards."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, env=environment, capture_output=True, timeout=900)


if __name__ == "__main__":
    if find() is None:
        print("Fetching Chromium for the browser tests", file=sys.stderr)
        fetch()
    if find() is None:
        print(NONE_FOUND, file=sys.stderr)
        sys.exit(os.environ.get("CI") == "true")
