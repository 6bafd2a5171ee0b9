"""The view of the maps in a real Chromium, wall-clock: an epoch scrubbed and a value pointed at, with 64 channels of
16x16 and 30 epochs, alone and with two pinned epochs and their difference. Aim: 50 ms for either, layout included.
"""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import Row
from dfn.design.catalogue import fused
from dfn.figures.theme import PALETTES
from dfn.insight.fields import theoretical_fields
from dfn.insight.maps import places
from dfn.insight.maps_view import answers, photo, view_data
from dfn.views import source

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EPOCHS, CHANNELS, SIDE, IMAGE = 30, 64, 16, 64
AIM = 50

TIMED = """(act) => {
  const times = [];
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    act(i);
    document.getElementById("root").getBoundingClientRect();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[15];
}"""
SCRUB = """(i) => { const slider = document.querySelector("input"); slider.value = i;
  slider.dispatchEvent(new Event("input")); }"""
HOVER = """(i) => { const sheet = document.querySelector(".sheet"); const box = sheet.getBoundingClientRect();
  const at = { clientX: box.left + 3 + 6 * i, clientY: box.top + 3 + 5 * i };
  sheet.dispatchEvent(new PointerEvent("pointermove", at)); }"""


def rows() -> Iterator[Row]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for name, pins in (("one epoch on show", {}), ("A, B and B - A", {"a": 0, "compare": True})):
            scrub, hover = _times(browser, _data(pins))
            yield Row(f"scrub to another epoch, {name}", scrub, " ms", f"<= {AIM} ms", scrub <= AIM)
            yield Row(f"point at another value, {name}", hover, " ms", f"<= {AIM} ms", hover <= AIM)


def _data(pins: dict[str, Any]) -> dict[str, Any]:
    """Random maps at the last fusion of a net of 50 + 14 layers, with its fields, an image and answers."""
    design = fused(50, 14, 6, width=16)
    place = places(design)[-1]
    random = np.random.default_rng(0)
    stacks = {name: random.normal(size=(EPOCHS, CHANNELS, SIDE, SIDE)).astype(np.float32) for name in place.names}
    fields = {name: theoretical_fields(design, name) for name in place.names}
    image = photo(random.integers(256, size=(IMAGE, IMAGE, 3), dtype=np.uint8), "noise")
    said = answers([str(number) for number in range(10)], 3, random.dirichlet(np.ones(10), EPOCHS))
    about = {"image": image, "answers": said, "palette": PALETTES, "pins": pins}
    return view_data(place, stacks, range(EPOCHS), EPOCHS - 1, fields, **about)


def _times(browser: Browser, data: dict[str, Any]) -> tuple[float, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    drawn = f'draw(document.getElementById("root"), {json.dumps(data)}, () => {{}}); window.ready = true;'
    page.set_content(f'<div id="root"></div><script type="module">{source("maps")}\n{drawn}</script>')
    page.wait_for_function("window.ready")
    scrub, hover = (page.evaluate(f"() => ({TIMED})({act})") for act in (SCRUB, HOVER))
    page.close()
    return scrub, hover
