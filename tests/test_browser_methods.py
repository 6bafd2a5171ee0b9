"""Methods in a real Chromium: a node opens its card, in view and in the address, and the ways on have it ticked."""

import re
from pathlib import Path

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import expect

SECONDS = 1000


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=60 * SECONDS)


def test_a_node_opens_its_card_and_the_card_a_race(streamlit_app: RunningApp, new_page: NewPage, artifacts: Path):
    page = new_page(height=900)
    page.goto(f"{streamlit_app.url}/methods")
    expect(page.get_by_role("heading", name="Deep fusion", level=2)).to_be_visible()
    page.get_by_role("button", name="FitNets, transfer").click()
    heading = page.get_by_role("heading", name="FitNets", level=2)
    expect(heading).to_be_in_viewport()
    expect(page).to_have_url(re.compile("method=fitnets"))
    expect(
        page.get_by_role("figure", name=re.compile("^Weights of the terms of the loss: the hint from 1"))
    ).to_be_visible()
    page.screenshot(path=artifacts / "methods-fitnets.png")
    page.get_by_role("button", name=re.compile("Train it beside the fused net$")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Watch them learn")
    expect(page).to_have_url(re.compile("methods=transfer"))
    expect(page.get_by_test_id("stMultiSelect").get_by_text("transfer: FitNets")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_on_a_phone_the_tree_is_a_list_and_the_page_does_not_scroll_sideways(
    streamlit_app: RunningApp, new_page: NewPage, artifacts: Path
):
    page = new_page(width=420, height=900)
    page.goto(f"{streamlit_app.url}/methods?find=schmidhuber")
    expect(page.get_by_role("heading", name="Deep fusion", level=2)).to_be_visible()
    page.get_by_role("button", name=re.compile("^highway net")).click()
    expect(page.get_by_role("heading", name="Highway net", level=2)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / "methods-narrow.png")
