"""Attribution, Flow and Lesions as a person uses them, in a real Chromium: choose, scrub, cut, save."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Locator, Page, expect

SECONDS = 1000


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=60 * SECONDS)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page(height=1600)


def _open(page: Page, app: RunningApp, path: str) -> None:
    page.goto(app.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _saved(page: Page, within: Locator, kind: str) -> tuple[str, str]:
    """The name and the text of the file that the row in this element saves."""
    within.get_by_role("button", name="Save this figure").click()
    with page.expect_download() as download:
        within.get_by_role("button", name=kind, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def test_another_method_and_place_give_another_picture(streamlit_app, page: Page):
    _open(page, streamlit_app, "/attribution?image=3")
    expect(page.get_by_alt_text(re.compile("^Integrated gradients, of the image, .* their sum is"))).to_be_visible()
    page.get_by_role("combobox", name="Method").click()
    page.get_by_role("option", name="Saliency").click()
    first = page.get_by_alt_text(re.compile("^Saliency, of the image.*8 by 8 values from"))
    expect(first).to_be_visible()
    expect(page).to_have_url(re.compile("method=saliency"))
    page.get_by_role("button", name="joined map").or_(page.get_by_role("radio", name="joined map")).first.click()
    expect(page.get_by_alt_text(re.compile("^Saliency, of the joined map of fusion 1"))).to_be_visible()
    expect(first).to_have_count(0)
    holder = page.locator(".st-key-part-pictures")
    file, text = _saved(page, holder, "CSV")
    assert file.startswith("saliency-of-the-joined-map") and text.startswith("picture,row,column,value\nSaliency,0,0,")
    assert len(text.splitlines()) == 1 + 64


def test_scrubbing_the_epoch_moves_the_gradient(streamlit_app, page: Page):
    _open(page, streamlit_app, "/flow")
    bars = page.get_by_role("group", name=re.compile("^The gradient of the image by path length"))
    expect(bars).to_be_visible()
    last = bars.get_attribute("aria-label") or ""
    assert re.search(r"\d", last)
    page.get_by_role("slider", name="Epoch").press("ArrowLeft")
    expect(page).to_have_url(re.compile("epoch=4"))
    expect(bars).not_to_have_attribute("aria-label", last)
    file, text = _saved(page, page.locator(".st-key-flow-lengths"), "CSV")
    assert file == "the-gradient-of-the-image-by-path-length.csv"
    shown = re.findall(r"(\d+) ([\d.]+)", (bars.get_attribute("aria-label") or "").partition(";")[0])[-1]
    line = next(line for line in text.splitlines() if line.split(",")[-4:-3] == [shown[0]])
    assert float(line.split(",")[-2]) == pytest.approx(float(shown[1]), abs=0.01)


def test_a_click_cuts_a_block_and_every_number_follows(streamlit_app, page: Page):
    _open(page, streamlit_app, "/lesions")
    expect(page.get_by_text("The net is whole and calls")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Fusion 2, deep lane")).click()
    expect(page).to_have_url(re.compile("cut=fusion2%2Fdeep|cut=fusion2/deep"))
    expect(page.get_by_text(re.compile("^With deep 2 cut"))).to_be_visible()
    expect(page.get_by_text("32 of 64")).to_be_visible()
    change = page.get_by_role("img", name=re.compile("^what has changed, 8 maps of 8 by 8, epoch 5: values from"))
    expect(change).to_be_visible()
    page.get_by_role("button", name="beside other nets").click()
    dots = page.locator(".st-key-lesion-beside .js-plotly-plot")
    expect(dots).to_be_visible()
    row = page.locator(".st-key-lesion-beside-save")
    file, drawing = _saved(page, row, "SVG")
    said = " ".join(text.strip() for text in ElementTree.fromstring(drawing).itertext())
    assert file == "one-block-cut-at-a-time.svg" and "accuracy lost, points" in said and "fused 50 + 14" in said
    expect(page.get_by_test_id("stException")).to_have_count(0)
