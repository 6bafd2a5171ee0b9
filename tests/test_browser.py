"""The app as a person uses it, in a real Chromium: compose, play, curves grow, pause, go on, maps, runs."""

import re
import time
from pathlib import Path

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect

SECONDS = 1000
PAGES = ("/", "/lessons", "/methods", "/train", "/compare", "/depth_map", "/maps")
PAGES += ("/attribution", "/flow", "/lesions", "/runs")
SMALL = "deep=14&shallow=5&fusions=3&width=4&epochs=3"


def _open(page: Page, app: RunningApp, path: str) -> None:
    page.goto(app.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30 * SECONDS)


def _status(page: Page, pattern: str):
    return page.get_by_text(re.compile(pattern)).first


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=20 * SECONDS)


def test_compose_answers_to_sliders_and_clicks_and_the_link_keeps_it(streamlit_app, new_page: NewPage, artifacts: Path):
    page = new_page()
    _open(page, streamlit_app, "/")
    expect(page.get_by_role("button", name=re.compile("^Fusion 6: sum"))).to_be_visible()
    page.get_by_role("slider", name="Deep depth").press("ArrowRight")
    expect(page).to_have_url(re.compile("deep=51"))
    page.get_by_role("slider", name="Deep depth").press("ArrowLeft")
    expect(page.get_by_text("50 → 32")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Fusion 2: sum")).click()
    expect(page).to_have_url(re.compile("x=010000"))
    expect(page.get_by_text("44 → 32")).to_be_visible()
    page.screenshot(path=artifacts / "compose.png")
    page.reload()
    expect(page.get_by_text("44 → 32")).to_be_visible()
    page.get_by_role("slider", name="Deep depth").press("ArrowRight")
    expect(page).to_have_url(re.compile("deep=51"))
    page.get_by_role("button", name="Train it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Watch them learn")
    expect(page).to_have_url(re.compile("/train.*deep=51"))
    page.get_by_role("link", name="Maps").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deep + shallow")
    page.get_by_role("link", name="Compose").click()
    expect(page).to_have_url(re.compile("deep=51.*x=010000"))


def test_without_fusions_there_is_nothing_to_exchange(streamlit_app, new_page: NewPage):
    page = new_page()
    _open(page, streamlit_app, "/?fusions=0")
    join = page.get_by_role("button", name=re.compile("^Fusion 1: mean"))
    expect(join).to_be_visible()
    join.click()
    page.wait_for_timeout(1500)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Press to exchange")).to_have_count(0)


def test_play_pause_go_on_maps_and_runs(streamlit_app, new_page: NewPage, artifacts: Path):
    page = new_page(height=1300)
    _open(page, streamlit_app, f"/train?{SMALL}&rivals=plain+deep")
    curves = page.get_by_role("img", name=re.compile("^Training loss"))
    expect(curves).to_be_visible()
    page.screenshot(path=artifacts / "train-recorded.png")
    page.get_by_role("button", name="Step batch").click()
    expect(_status(page, "paused at step 1")).to_be_visible(timeout=60 * SECONDS)
    page.get_by_role("button", name="Step epoch").click()
    expect(_status(page, "paused at step 22")).to_be_visible(timeout=60 * SECONDS)
    expect(curves).to_have_attribute("aria-label", re.compile("step 22"))
    page.screenshot(path=artifacts / "train-paused.png")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("After 3 epochs")).to_be_visible(timeout=60 * SECONDS)
    expect(curves).to_have_attribute("aria-label", re.compile("step 66"))
    page.screenshot(path=artifacts / "train-done.png")

    page.get_by_role("link", name="See what the fused net sees").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deep + shallow = fused")
    expect(page.get_by_text("joined, then ReLU").first).to_be_visible(timeout=60 * SECONDS)
    page.screenshot(path=artifacts / "maps.png", full_page=True)

    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.screenshot(path=artifacts / "runs.png")


def test_a_browser_that_comes_back_finds_its_training(streamlit_app, new_page: NewPage):
    address = f"/train?{SMALL}&seed=11&rivals=ResNet"
    first = new_page()
    _open(first, streamlit_app, address)
    first.get_by_role("button", name="Play").click()
    expect(_status(first, r"step \d+ of 66|waiting|done in")).to_be_visible(timeout=60 * SECONDS)
    first.close()
    second = new_page()
    _open(second, streamlit_app, address)
    expect(second.get_by_text("After 3 epochs")).to_be_visible(timeout=90 * SECONDS)


def test_zoom_and_hidden_curves_survive_every_update(streamlit_app, new_page: NewPage):
    page = new_page(height=1300)
    _open(page, streamlit_app, "/train?deep=14&shallow=8&fusions=6&width=8&seed=12&rivals=plain+deep")
    page.get_by_role("button", name="Play").click()
    curves = page.get_by_role("img", name=re.compile("^Training loss"))
    expect(curves).to_have_attribute("aria-label", re.compile(r"step [1-9]\d"), timeout=90 * SECONDS)
    curves.evaluate("element => { element.dataset.mark = 'same' }")
    plot = page.get_by_role("slider", name=re.compile("^Training loss"))
    plot.focus()
    plot.press("+")
    before = curves.get_attribute("aria-label")
    expect(curves).not_to_have_attribute("aria-label", before or "", timeout=30 * SECONDS)
    assert curves.evaluate("element => element.dataset.mark") == "same"
    expect(page.get_by_text("After 5 epochs")).to_be_visible(timeout=90 * SECONDS)
    page.wait_for_timeout(1500)  # the progress bar is gone, and nothing below it may have been drawn anew
    assert curves.evaluate("element => element.dataset.mark") == "same"
    expect(page.get_by_role("button", name=re.compile("[Rr]eset|[Ww]hole")).first).to_be_visible()


@pytest.mark.parametrize("width", [1440, 420])
def test_every_page_shows_itself_without_an_error_and_asks_no_other_host(
    streamlit_app, new_page: NewPage, artifacts: Path, width
):
    page = new_page(width=width, height=1200)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.emulate_media(color_scheme="light")
        _open(page, streamlit_app, path)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id(re.compile("^stSkeleton"))).to_have_count(0, timeout=60 * SECONDS)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            time.sleep(0.5)  # let the drawings settle for the picture
            overflow = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
            assert overflow <= 0, f"{path} scrolls sideways at {width} px"
            name = path.strip("/") or "compose"
            page.screenshot(path=artifacts / f"{name}-{width}-{theme}.png")
    foreign = [url for url in asked if not url.startswith((streamlit_app.url, "data:", "blob:"))]
    assert not foreign
