"""An image of one's own in a real Chromium: uploaded, pasted, and looked at on Maps and on Attribution."""

import base64
import io
import re

import pytest
from conftest import NewPage, RunningApp
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

SECONDS = 1000


def drawn(line: list[tuple[int, int]], size: tuple[int, int] = (300, 300)) -> bytes:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).line(line, fill="black", width=34)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


SEVEN = drawn([(70, 60), (230, 60), (120, 260)])
ONE = drawn([(200, 40), (200, 260)], (400, 300))


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=40 * SECONDS)


def _open(page: Page, app: RunningApp, path: str) -> None:
    page.goto(app.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _copy(page: Page, data: bytes) -> None:
    """Put an image on the browser's clipboard."""
    page.evaluate(
        """async (text) => {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const image = new Blob([bytes], { type: "image/png" });
        await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]); }""",
        base64.b64encode(data).decode(),
    )


def test_an_image_is_uploaded_pasted_and_explained(streamlit_app, new_page: NewPage, artifacts):
    page = new_page(height=1400)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _open(page, streamlit_app, "/maps")
    page.get_by_text("your own", exact=True).click()
    expect(page.get_by_text("An own image is in no link")).to_be_visible()
    expect(page).to_have_url(re.compile("source=own"))
    upload = {"name": "seven.png", "mimeType": "image/png", "buffer": SEVEN}
    page.locator("input[type=file]").set_input_files([upload])
    expect(page.get_by_text(re.compile("^Your image, which has no label"))).to_be_visible()
    expect(page.get_by_text("shrunk by area from 300 to 8 pixels a side, inverted")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Your image, which has no label"))).to_be_visible()
    page.screenshot(path=artifacts / "own-maps.png")

    page.get_by_role("link", name="Attribution").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where the answer came from")
    expect(page.get_by_role("img", name="Your image, as the net gets it")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Integrated gradients, of the image"))).to_be_visible()

    _copy(page, ONE)
    page.get_by_role("button", name=re.compile("^Paste an image")).focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_text("cropped to a square, shrunk by area from 300 to 8 pixels")).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("^Which square"))).to_be_visible()
    expect(page.get_by_test_id(re.compile("^stSkeleton"))).to_have_count(0)
    page.screenshot(path=artifacts / "own-attribution.png")

    _copy(page, SEVEN)
    page.get_by_role("button", name=re.compile("^Paste an image")).click()
    expect(page.get_by_text("shrunk by area from 300 to 8 pixels a side, inverted")).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("^Which square"))).to_have_count(0)
    page.evaluate("navigator.clipboard.writeText('words')")
    page.get_by_role("button", name=re.compile("^Paste an image")).click()
    expect(page.get_by_text("There is no image on the clipboard")).to_be_visible()


def _pick(page: Page, app: RunningApp, address: str, browse: str, tile: str) -> str:
    """Open the small pictures at this address and pick the first of those that are called so; returns its number."""
    _open(page, app, address)
    page.get_by_text(browse).click()
    first = page.get_by_role("button", name=re.compile(tile)).first
    expect(first).to_be_visible()
    number = re.findall(r"\d+", first.get_attribute("aria-label") or "")[0]
    first.focus()
    first.press("Enter")
    expect(page).to_have_url(re.compile(f"image={number}"))
    return number


def test_a_test_image_is_picked_among_small_pictures(streamlit_app, new_page: NewPage):
    page = new_page(height=1400)
    address, tile = "/maps?answer=wrong&order=surest", "^Test image .* wrong$"
    number = _pick(page, streamlit_app, address, "Browse the test images", tile)
    expect(page.get_by_label("Test image", exact=True)).to_have_value(number)
    expect(page.get_by_text("which is wrong")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(f"^Test image {number},"))).to_have_attribute(
        "aria-pressed", "true"
    )


def test_what_is_picked_in_korean_is_taken_as_well(streamlit_app, new_page: NewPage):
    page = new_page(height=1400)
    address, tile = "/maps?lang=ko&answer=wrong&order=surest", "^시험 이미지 .* 잘못 부름$"
    _pick(page, streamlit_app, address, "시험 이미지 둘러보기", tile)
    page.get_by_role("img", name=re.compile("^깊은 블록.* 맵")).first.click()
    expect(page).to_have_url(re.compile(r"at=\d+\.\d+\.\d+"))
