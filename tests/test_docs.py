"""The docs say what works: their commands run, their Python runs, what they name exists, their figures are those that
the library draws now, and the site builds without a warning."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from fences import JOB, ROOT, blocks, commands, known_variables, parse, run_page, variables
from needs import needs
from playwright.sync_api import Browser

import dfn

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
KINDS = {"sh", "python", "toml", "yaml", "markdown", "text"}
SITE = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
NAMED = [page.relative_to(ROOT).as_posix() for page in PAGES]
WITH_COMMANDS = [page for page in PAGES if any(block.kind in ("sh", "python") for block in blocks(page))]
HEAVY = ("ray", "torchrun", "srun")  # parsers that take seconds to import
NUMBER = re.compile(r"\d+(?:\.\d+)?")
RECORDED = "ed66375c6d37"

pages = pytest.mark.parametrize("page", PAGES, ids=NAMED)


@pages
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {block.kind for block in blocks(page)} <= KINDS
    fences = re.findall(r"^`{3,}", page.read_text("utf-8"), flags=re.M)
    assert len(fences) % 2 == 0


@pages
def test_every_command_is_understood_by_its_own_parser(page: Path) -> None:
    for words in commands(page):
        if words[0] not in HEAVY:
            parse(words)


@pytest.mark.slow
@pages
def test_commands_of_many_machines_are_understood(page: Path) -> None:
    for words in commands(page):
        if words[0] in HEAVY:
            parse(words)


@pages
def test_variables_of_the_environment_are_read_by_somebody(page: Path) -> None:
    said = set(re.findall(r"`((?:DFN|TORCH)_[A-Z_]+)`", page.read_text("utf-8"))) | variables(page)
    assert said <= known_variables()


@pages
def test_files_and_names_that_are_named_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", text):
        if name.split("/")[0] in ("dfn", "app", "tests", "docs", "assets", "benchmarks", ".streamlit", ".binder"):
            assert (ROOT / name).exists() or (page.name == "architecture.md" and name.endswith("/")), name
    for name in re.findall(r"`(dfn(?:\.\w+)+)`", text):
        assert _found(name), name


def _found(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_every_page_has_a_place_in_the_site_and_every_place_a_page() -> None:
    def files(nav: list) -> list[str]:
        return [f for entry in nav for v in entry.values() for f in ([v] if isinstance(v, str) else files(v))]

    assert sorted(files(SITE["nav"])) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


def test_the_reference_has_every_public_name_and_every_room() -> None:
    told = {name for page in PAGES for name in re.findall(r"^::: (dfn[\w.]*)$", page.read_text("utf-8"), flags=re.M)}
    assert {f"dfn.{name}" for name in dfn.__all__} <= told
    rooms = {f"dfn.{folder.parent.name}" for folder in (ROOT / "dfn").glob("*/__init__.py")}
    assert rooms - {"dfn.cli"} <= told


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_and_the_python_of_a_page_run(runs_dir: Path, tmp_path: Path, monkeypatch, page: Path) -> None:
    shutil.copytree(ROOT / "assets" / "recorded" / RECORDED, runs_dir / RECORDED)
    monkeypatch.chdir(tmp_path)
    run_page(page, RECORDED)


@pytest.mark.parametrize("text", [b.text for p in PAGES for b in blocks(p) if b.text.startswith(JOB)])
@needs(shutil.which("bash") is not None, "bash")
def test_job_files_are_bash(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text.encode(), check=True)


@pytest.fixture(scope="module")
def figures():
    """docs/figures.py as a module."""
    sys.path.insert(0, str(DOCS))
    try:
        yield import_module("figures")
    finally:
        sys.path.remove(str(DOCS))


@pytest.mark.slow
def test_figures_are_shown_with_the_words_of_what_they_show(figures) -> None:
    shown = {
        name: alt
        for page in PAGES
        for alt, name in re.findall(r"!\[(.*?)\]\((?:\.\./)?figures/([\w-]+)\.svg\)", page.read_text("utf-8"))
    }
    assert shown.keys() == figures.figures().keys()
    for name, drawn in figures.figures().items():
        _same(shown[name], drawn.alt)
    assert (DOCS / "figures" / "icon.svg").read_bytes() == (ROOT / "assets" / "icon.svg").read_bytes()


@pytest.mark.slow
def test_figures_are_as_the_library_draws_them_now(figures, chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": figures.WIDTH, "height": 900}, reduced_motion="reduce")
    for name, drawn in figures.figures().items():
        kept, now = (DOCS / "figures" / f"{name}.svg").read_text("utf-8"), figures.draw(page, drawn)
        _same(_words(kept), _words(now))
        assert kept.count("<path") == now.count("<path"), name
    page.close()


def _words(svg: str) -> str:
    """The words of a drawing: other fonts may put them elsewhere."""
    found = re.findall(r"<(?:title|text|tspan)[^>]*>([^<]*)<", svg)
    return " ".join(" ".join(found).split())


def _same(one: str, other: str) -> None:
    """Equal words, and numbers that differ by no more than another machine's rounding."""
    assert NUMBER.sub("0", one) == NUMBER.sub("0", other)
    assert [float(n) for n in NUMBER.findall(one)] == pytest.approx([float(n) for n in NUMBER.findall(other)], abs=0.3)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy."""
    folder = tmp_path_factory.mktemp("site")
    for place in ("docs", "dfn"):
        shutil.copytree(ROOT / place, folder / place, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    return folder / "site"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_nobody_else(site: Path) -> None:
    for page in PAGES:
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        assert (site / name.removesuffix("index") / "index.html").is_file(), name
    assert not list(site.rglob("*.py"))
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(https?:[^\" >]+)", page.read_text("utf-8"))
        assert not loaded, (page.name, loaded)


@pytest.mark.slow
def test_the_reference_says_what_the_docstrings_say(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "index.html").read_text("utf-8"))
    assert "Wang, Wei, Zhang, Zeng" in (dfn.__doc__ or "")
    for name in dfn.__all__:
        first = (getattr(dfn, name).__doc__ or "").split()[:4]
        assert first and " ".join(first) in " ".join(text.replace("`", "").split()), name
