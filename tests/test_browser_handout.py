"""The page of a run in a real Chromium, opened from the disk with no network at all."""

from pathlib import Path

import pytest
from conftest import ROOT, NewPage
from playwright.sync_api import Page, expect

from dfn.handout import write_page
from dfn.runs.store import Store


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = next(run for run in Store(ROOT / "assets" / "recorded").runs() if run.recipe.net == "fused")
    path = tmp_path_factory.mktemp("page") / "run.html"
    assert write_page(run, path) == "" and path.stat().st_size < 1_000_000
    return path


def _open(new_page: NewPage, file: Path, fragment: str = "", **settings: int | bool) -> tuple[Page, list[str]]:
    page, asked, said = new_page(**settings), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(file.as_uri() + fragment)
    expect(page.locator("#maps .sheet canvas")).to_have_count(3)
    assert not said, "the policy refuses nothing that the page does"
    return page, asked


def _picture(page: Page) -> str:
    return page.locator("#maps .sheet canvas").first.evaluate("canvas => canvas.toDataURL()")


def test_it_opens_alone_and_its_epochs_are_scrubbed(new_page: NewPage, file: Path, artifacts: Path) -> None:
    page, asked = _open(new_page, file)
    assert page.title() == "fused 50 + 14 · DFN Lab"
    slider, last = page.get_by_role("slider", name="Epoch", exact=True), _picture(page)
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 0 of 5")
    assert _picture(page) != last
    page.screenshot(path=artifacts / "handout.png", full_page=True)
    page.get_by_label("Place", exact=True).select_option(label="fusion 6")
    expect(page.locator("#maps canvas[aria-label*='32 maps of 2 by 2, epoch 0']")).to_have_count(3)
    page.get_by_label("Test image", exact=True).select_option("1")
    page.get_by_role("button", name="Fusion 2: sum of 2 blocks").press("Enter")
    expect(page.get_by_label("Place", exact=True)).to_have_value("1")
    assert page.url.endswith("#image=1&place=1&scale=shared&epoch=0")
    page.locator("#curves").get_by_role("button", name="Save this figure").click()
    with page.expect_download() as download:
        page.locator("#curves").get_by_role("button", name="CSV").click()
    assert "fused 50 + 14" in Path(download.value.path()).read_text()
    assert {url for url in asked if not url.startswith(("blob:", "data:"))} == {file.as_uri()}


def test_its_address_brings_the_choice_back(new_page: NewPage, file: Path) -> None:
    page, _ = _open(new_page, file, "#image=2&place=3&scale=per+map&epoch=1")
    assert [page.get_by_label(name, exact=True).input_value() for name in ("Test image", "Place", "Scale")] == [
        "2",
        "3",
        "per map",
    ]
    expect(page.get_by_role("slider", name="Epoch", exact=True)).to_have_attribute("aria-valuetext", "epoch 1 of 5")
    page, _ = _open(new_page, file, "#image=99&place=x&scale=&epoch=nan")
    expect(page.get_by_role("slider", name="Epoch", exact=True)).to_have_attribute("aria-valuetext", "epoch 5 of 5")


def test_it_is_readable_when_narrow_and_dark(new_page: NewPage, file: Path, artifacts: Path) -> None:
    page, _ = _open(new_page, file, width=420, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert page.locator("#maps .dfn-view").get_attribute("data-theme") == "dark"
    page.screenshot(path=artifacts / "handout-narrow.png", full_page=True)


def test_it_opens_in_well_under_a_second(new_page: NewPage, file: Path) -> None:
    page, _ = _open(new_page, file)
    times = []
    for _ in range(4):
        page.reload()
        times.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert min(times) < 700, "milliseconds until all views are drawn"
