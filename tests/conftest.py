"""What every test may use: folders of its own, no network, the running app, pages of a real Chromium.

Tests never leave the machine and never write into the checkout, except pictures into `test-artifacts/`.
Tests marked `gpu` are skipped without a CUDA device; tests with a page are skipped without a Chromium, but fail
where CI=true, so that a missing browser is seen.
"""

import ipaddress
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromium as chromium_finder
import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from views_harness import page as view_page

from dfn.views import Name

ROOT = Path(__file__).parents[1]
NewPage = Callable[..., Page]
OpenView = Callable[..., Page]

# Read by torch when it is first imported: conftest itself must not pay for that import.
os.environ["OMP_NUM_THREADS"] = "1"

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class RunningApp:
    """A started app: where it answers and where its runs lie."""

    url: str
    runs: Path


@pytest.hookimpl(tryfirst=True)  # before `-m "not browser"` picks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "chromium" in fixtures:
            item.add_marker("browser")
            item.add_marker(pytest.mark.flaky(reruns=1))
        if "streamlit_app" in fixtures:
            item.add_marker("app")
    # Playwright's event loop stays open in the main thread; whoever calls asyncio.run must have had its turn before.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session", autouse=True)
def isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No connection leaves the machine, and nobody's own runs or caches are touched, in child processes either."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def local_connect(self: socket.socket, address: Any) -> None:
        _refuse_remote(self.family, address)
        connect(self, address)

    def local_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_remote(self.family, address)
        return connect_ex(self, address)

    def local_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_remote(socket.AF_INET, (host,))
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_connect)
        patch.setattr(socket.socket, "connect_ex", local_connect_ex)
        patch.setattr(socket, "getaddrinfo", local_getaddrinfo)
        for scheme in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(scheme, "http://127.0.0.1:9")  # the discard port: nobody answers
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost")
        patch.setenv("DFN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("DFN_RUNS", str(tmp_path_factory.mktemp("shared-runs")))
        yield


def _refuse_remote(family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = address[0]
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost", socket.gethostname()):
        return
    try:
        local = ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        local = False
    if not local:
        raise OSError(f"tests stay on this machine, and this one wanted {host!r}")


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for this test's runs, named by DFN_RUNS."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("DFN_RUNS", str(folder))
    return folder


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], runs_dir: Path) -> Callable[..., tuple[int, str, str]]:
    """`shell("paths", "--json")` -> exit code, standard output, standard error; with a store of its own."""
    from dfn.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots go; CI keeps them."""
    folder = ROOT / "test-artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all browser tests."""
    executable = chromium_finder.find()
    if executable is None and os.environ.get("CI") == "true":
        pytest.fail(chromium_finder.NONE_FOUND)
    if executable is None:
        pytest.skip(chromium_finder.NONE_FOUND)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """`new_page(width=1440, height=900, dark=False)`: a page with a session of its own.

    An exception that a page's scripts do not catch fails the test that opened the page.
    """
    contexts: list[BrowserContext] = []
    uncaught: list[str] = []

    def open_page(width: int = 1440, height: int = 900, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: uncaught.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not uncaught, f"uncaught in the page: {uncaught}"


@pytest.fixture
def view(chromium: Browser) -> Iterator[OpenView]:
    """Opens a page with one view; a script error fails the test."""
    errors: list[str] = []
    pages: list[Page] = []

    def opened(name: Name, data: dict[str, Any], *, width: int = 1100, dark: bool = False, still: bool = False) -> Page:
        page = chromium.new_page(
            viewport={"width": width, "height": 800}, reduced_motion="reduce" if still else "no-preference"
        )
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(view_page(name, data, dark=dark))
        page.wait_for_function("window.ready")
        return page

    yield opened
    for page in pages:
        page.close()
    assert not errors


@pytest.fixture(scope="module")
def streamlit_app(
    tmp_path_factory: pytest.TempPathFactory, artifacts: Path, request: pytest.FixtureRequest
) -> Iterator[RunningApp]:
    """The app in a process of its own for every file of tests, with runs of its own; its output goes to
    `test-artifacts/<file>.log`."""
    runs = tmp_path_factory.mktemp("app-runs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={port}"]
    log = artifacts / f"{request.node.path.stem}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"DFN_RUNS": str(runs)}, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, server, log)
        yield RunningApp(url, runs)
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        _stop_workers(runs)


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not answer at {url}:\n{log.read_text(errors='replace')[-2000:]}")


def _stop_workers(runs: Path) -> None:
    """Training outlives the app by design, so it is found by the one thing it keeps: the place of its runs."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("DFN_RUNS") == str(runs):
                process.kill()
        except psutil.Error:
            continue
