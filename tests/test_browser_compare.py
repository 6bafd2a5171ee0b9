"""Compare and Depth map in a real Chromium: a tiny comparison fills in, a square is picked by a click."""

import re
from pathlib import Path

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect

SECONDS = 1000
SMALL = "deep=8&shallow=5&fusions=3&width=8&epochs=1&seeds=2&against=plain+deep"


def _open(page: Page, app: RunningApp, path: str) -> None:
    page.goto(app.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60 * SECONDS)


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=60 * SECONDS)


def test_a_tiny_comparison_is_started_and_fills_in(streamlit_app, new_page: NewPage, artifacts: Path):
    page = new_page(height=1300)
    _open(page, streamlit_app, f"/compare?{SMALL}")
    expect(page.get_by_text("A recorded comparison")).to_be_visible()
    expect(page.get_by_text("0 of 4 runs done")).to_be_visible()
    page.get_by_role("button", name=re.compile("Start$")).click()
    expect(page.get_by_text("4 of 4 runs done")).to_be_visible(timeout=120 * SECONDS)
    figure = page.get_by_role("figure", name=re.compile("^Test accuracy by net and seed. fused 8 . 5: mean"))
    expect(figure).to_be_visible()
    assert "under way" not in (figure.get_attribute("aria-label") or "")
    expect(
        page.get_by_role("figure", name=re.compile("fused 8 . 5 is ahead of plain 8 by .* 95 % interval"))
    ).to_be_visible()
    expect(page.get_by_text(re.compile("(larger than|inside) the spread of|are level"))).to_be_visible()
    page.screenshot(path=artifacts / "compare-done.png")
    page.get_by_role("link", name="Open 4 runs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What was trained")
    expect(page.get_by_text("4 runs", exact=True)).to_be_visible()


def test_a_square_is_picked_by_a_click_and_by_the_keyboard(streamlit_app, new_page: NewPage, artifacts: Path):
    page = new_page(height=1200)
    _open(page, streamlit_app, "/depth_map")
    plot = page.get_by_role("figure", name=re.compile("^6 fusions, test accuracy"))
    expect(plot).to_be_visible()
    square = page.locator(".scatterlayer .trace").nth(0).locator("path.point").first  # 8 + 2, the cheapest cell
    square.click(force=True)
    expect(page).to_have_url(re.compile("cell=8-2-6"))
    expect(page.get_by_role("combobox", name=re.compile("Square"))).to_have_value("8 + 2, 6 fusions")
    page.screenshot(path=artifacts / "depth-map.png")
    box = page.get_by_role("combobox", name=re.compile("Square"))
    box.press("ArrowDown")
    box.press("ArrowDown")
    box.press("Enter")
    expect(page).not_to_have_url(re.compile("cell=8-2-6"))
    expect(page.get_by_test_id("stException")).to_have_count(0)
