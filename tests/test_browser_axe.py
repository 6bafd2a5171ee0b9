"""axe-core in a real Chromium: nothing that counts on any page, in both themes and in every language."""

import re
import tomllib
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect

from dfn.words import LANGUAGES, SOURCE

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.stem for path in (ROOT / "app" / "app_pages").glob("*.py"))
THEMES = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))["theme"]
SECONDS = 1000
GRAVE = ("moderate", "serious", "critical")

NOT_OURS: dict[str, str] = {}
"""What Streamlit draws and no setting or style of ours changes: selector -> why it is left out."""


def _drawn(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_test_id(re.compile("^stSkeleton"))).to_have_count(0, timeout=60 * SECONDS)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60 * SECONDS)


def _painted(page: Page, theme: str) -> None:
    """Change the theme as the system does it, and wait until the page has followed."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    hexed = THEMES[theme]["backgroundColor"].removeprefix("#")
    red, green, blue = (int(hexed[at : at + 2], 16) for at in (0, 2, 4))
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    _drawn(page)


def _found(page: Page) -> list[str]:
    """Every grave finding: its rule and help, then each place with what is wrong there."""
    report = Axe().run(page, {"exclude": [[selector] for selector in NOT_OURS]} if NOT_OURS else None).response
    return [
        f"{one['impact']} {one['id']}: {one['help']}\n"
        + "\n".join(f"  {' '.join(map(str, node['target']))}\n    {node['failureSummary']}" for node in one["nodes"])
        for one in report["violations"]
        if one["impact"] in GRAVE
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_that_counts(streamlit_app: RunningApp, new_page: NewPage, name: str) -> None:
    page = new_page()
    path = "" if name == "compose" else name
    found: dict[str, list[str]] = {}
    for language in LANGUAGES:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(f"{streamlit_app.url}/{path}" + (f"?lang={language}" if language != SOURCE else ""))
        _drawn(page)
        for theme in ("light", "dark"):
            _painted(page, theme)
            found |= {f"{language}, {theme}": said} if (said := _found(page)) else {}
    lines = [f"--- {where}\n{one}" for where, said in found.items() for one in said]
    assert not lines, "\n" + "\n".join(lines)


@pytest.mark.slow
def test_the_words_open_and_are_searched_by_keys_alone(streamlit_app: RunningApp, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{streamlit_app.url}/runs")
    _drawn(page)
    page.keyboard.press("w")
    words = page.get_by_role("dialog")
    expect(words.get_by_text("base network", exact=True)).to_be_visible(timeout=20 * SECONDS)
    assert _found(page) == []
    search = words.get_by_role("textbox", name="Search")
    for _press in range(3):
        if not search.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Tab")
    page.keyboard.type("cosine")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("word=cosine"), timeout=20 * SECONDS)
    expect(words.get_by_text("base network", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(words).to_have_count(0, timeout=20 * SECONDS)
    expect(page).not_to_have_url(re.compile("word="), timeout=20 * SECONDS)
