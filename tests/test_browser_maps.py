"""The Maps page as a person uses it: scrub, point, pin, choose a fusion by key, and find it all again in the link."""

import re
from pathlib import Path

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect

SECONDS = 1000


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=20 * SECONDS)


def _open(page: Page, app: RunningApp, path: str) -> None:
    page.goto(app.url + path)
    expect(page.locator(".player").first).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_text("Which pixels count for one value.")).to_be_visible(timeout=60 * SECONDS)


def test_scrub_point_pin_and_reload(streamlit_app, new_page: NewPage, artifacts: Path):
    page = new_page(height=1300)
    _open(page, streamlit_app, "/maps?fusion=2")
    view = page.locator(".dfn-view:has(.course svg[aria-label^=Probability])")
    slider, sheet = view.get_by_role("slider", name="Epoch"), view.locator(".sheet").first

    sheet.hover(position={"x": 20, "y": 20})
    expect(view.locator(".sum")).to_contain_text("channel 0, row")
    expect(view.locator(".box")).to_have_count(2)

    slider.press("ArrowLeft")
    expect(page).to_have_url(re.compile("epoch=4"))
    expect(page.get_by_text(re.compile("^A test image of .* After epoch 4 "))).to_be_visible()
    view.get_by_role("button", name="Pin A").click()
    expect(page).to_have_url(re.compile("a=4"))
    slider.press("Home")
    expect(page).to_have_url(re.compile("epoch=0"))
    view.get_by_role("button", name="Pin B").click()
    view.get_by_role("button", name="A, B and B − A").click()
    expect(view.locator(".sheet")).to_have_count(9)
    sheet.click(position={"x": 20, "y": 20})
    sheet.click(position={"x": 60, "y": 40}, modifiers=["Shift"])
    expect(page).to_have_url(re.compile(r"at2=\d+\.\d+\.\d+"))
    expect(page).to_have_url(re.compile("b=0.*compare=1|compare=1.*b=0"))
    expect(page.get_by_text("The pinned value:")).to_be_visible()
    expect(view.get_by_role("button", name="B: epoch 0")).to_be_visible()
    page.screenshot(path=artifacts / "maps-pinned.png", full_page=True)
    page.mouse.move(2, 2)
    said = view.locator(".sum").inner_text()

    page.reload()
    expect(view.locator(".sheet")).to_have_count(9, timeout=60 * SECONDS)
    expect(view.locator(".rowname").nth(2)).to_have_text("B − A: what changed from epoch 4 to 0")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 0 of 5")
    assert view.locator(".sum").inner_text() == said
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_keys_choose_the_fusion_one_after_the_other(streamlit_app, new_page: NewPage):
    page = new_page(height=1300)
    _open(page, streamlit_app, "/maps")
    view = page.locator(".dfn-view:has(.course svg[aria-label^=Probability])")
    view.locator(".sheet").first.focus()
    for number, side in (("3", "4 by 4"), ("6", "2 by 2"), ("2", "8 by 8")):
        page.keyboard.press(number)
        expect(page).to_have_url(re.compile(f"fusion={number}"))
        expect(view.locator(".sheet canvas").first).to_have_attribute("aria-label", re.compile(f"maps of {side}"))
        expect(view.locator(".sheet").first).to_be_focused()
    page.keyboard.press("?")
    expect(view.get_by_text("1 to 6")).to_be_visible()
