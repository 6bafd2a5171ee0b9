"""Two lessons walked to their ends in a real Chromium, as a learner would: act, predict, look, go on."""

import re

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect

SECONDS = 1000
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=60 * SECONDS)


def _at(page: Page, step: int, of: int) -> None:
    expect(page.get_by_text(f"step {step} of {of}")).to_be_visible()


def _go_on(page: Page) -> None:
    """The step is done: the button says so and is pressed."""
    expect(page.get_by_text("This step is done")).to_be_visible()
    page.get_by_role("button", name=re.compile("^(Next step|Finish)")).click()


def test_the_tour(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    page.goto(streamlit_app.url + "/lessons")
    page.get_by_role("button", name="Begin").first.click()

    _at(page, 1, 6)
    page.get_by_role("slider", name="Deep depth").press("End")
    _go_on(page)

    _at(page, 2, 6)
    expect(page).not_to_have_url(re.compile("deep="))
    page.get_by_role("button", name=re.compile("^Fusion 2: sum")).press("Enter")
    _go_on(page)

    _at(page, 3, 6)
    expect(page.get_by_role("button", name="Show the measured curve")).to_be_disabled()
    for epoch, keys in ((0, ["PageDown"] * 4), (5, ["PageUp"] * 3)):
        for key in keys:
            page.get_by_role("slider", name=f"epoch {epoch}").press(key)
    page.get_by_role("button", name="Show the measured curve").click()
    expect(page.get_by_text(re.compile(r"On average your curve is .* points from the measured one"))).to_be_visible()
    page.screenshot(path=artifacts / "lesson-curve.png")
    _go_on(page)

    _at(page, 4, 6)
    page.get_by_role("button", name="Play").click()
    _go_on(page)

    _at(page, 5, 6)
    page.get_by_role("slider", name="Epoch").press("Home")
    _go_on(page)

    _at(page, 6, 6)
    page.get_by_role("radio", name=re.compile("^Nothing: zeros")).check(force=True)
    expect(page.get_by_text("To go on: a cut set")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Fusion 3, deep lane")).press("Enter")
    page.screenshot(path=artifacts / "lesson-cut.png")
    _go_on(page)

    expect(page.get_by_text("Finished: A tour in five minutes")).to_be_visible()
    page.reload()
    expect(page.get_by_text("6 of 6 done")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("6 of 6 done")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("An honest comparison")).to_be_visible()
    page.wait_for_timeout(2000)
    expect(page.get_by_text("6 of 6 done")).to_have_count(0)


def test_the_lesson_of_block_exchange_by_link(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    page.goto(streamlit_app.url + "/?lesson=3&lock=all")

    _at(page, 1, 5)
    page.get_by_role("spinbutton", name=re.compile("^By how much")).fill("2")
    page.get_by_role("spinbutton", name=re.compile("^By how much")).press("Enter")
    page.get_by_role("button", name="Measure it").click()
    expect(page.get_by_text("You said 2, measured 0: 2 apart.")).to_be_visible()
    _go_on(page)

    _at(page, 2, 5)
    expect(page.get_by_role("slider", name="Deep depth")).to_be_disabled()
    page.get_by_role("button", name=re.compile("^Fusion 6: sum")).press("Enter")
    _go_on(page)

    _at(page, 3, 5)
    for fusion, deepest in ((1, 44), (2, 38), (3, 32)):
        page.get_by_role("button", name=re.compile(f"^Fusion {fusion}: sum")).press("Enter")
        expect(page.get_by_text(f"{deepest} → 32")).to_be_visible()
    page.get_by_role("radio", name="Three, and any three").check(force=True)
    expect(page.get_by_text("50 - 18 = 14 + 18 = 32")).to_be_visible()
    _go_on(page)

    _at(page, 4, 5)
    page.get_by_role("spinbutton", name=re.compile("^How many")).fill("80")
    page.get_by_role("spinbutton", name=re.compile("^How many")).press("Enter")
    page.get_by_role("button", name="Measure it").click()
    expect(page.get_by_text("measured 30.6 %: 49.4 apart")).to_be_visible()
    page.screenshot(path=artifacts / "lesson-number.png")
    _go_on(page)

    _at(page, 5, 5)
    expect(page.get_by_text("30.6 %").first).to_be_visible()
    page.get_by_role("combobox", name=re.compile("^Exchange two blocks")).click()
    page.get_by_role("option", name="shallow 1 and shallow 2").click()
    _go_on(page)
    expect(page.get_by_text("Finished: Block exchange")).to_be_visible()
