"""The view of the maps in a browser: its colours and sums are the arrays', it is scrubbed, pointed at and pinned."""

import numpy as np
import pytest
import views_harness as harness
from conftest import OpenView as Open
from playwright.sync_api import Page, expect

from dfn.design.catalogue import fused
from dfn.insight.fields import theoretical_fields
from dfn.insight.maps import places
from dfn.insight.maps_view import answers, photo, view_data
from dfn.views import NOTEBOOK_FOOTER, source

SPOT = {"channel": 3, "row": 2, "col": 1}


def last_pins(page: Page) -> dict:
    return [value for name, value in page.evaluate("events") if name == "pin"][-1]


@pytest.mark.parametrize(
    ("join", "relu", "said"),
    [
        ("sum", True, "channel 3, row 2, column 1: 0.82 + −0.31 = 0.51 → 0.51 after ReLU"),
        ("mean", False, "channel 3, row 2, column 1: (0.820 + −0.310) / 2 = 0.510"),
        ("max", True, "channel 3, row 2, column 1: max(0.82, −0.31) = 0.82 → 0.51 after ReLU"),
        ("gate", True, "channel 3, row 2, column 1: deep block 0.820, shallow block −0.310, joined, then ReLU 0.510"),
    ],
)
def test_the_arithmetic_has_the_numbers_of_the_maps(view: Open, join: str, relu: bool, said: str) -> None:
    deep, shallow = np.full((2, 8, 4, 4), 0.25), np.full((2, 8, 4, 4), 0.5)
    deep[1, 3, 2, 1], shallow[1, 3, 2, 1] = 0.82, -0.31
    data = harness.maps(deep, shallow)
    data["arithmetic"] |= {"join": join, "relu": relu}
    page = view("maps", data | {"pins": {"places": [{"channel": 3, "row": 2, "col": 1}]}})
    expect(page.locator(".sum")).to_have_text(said)


def test_pointing_marks_the_same_place_in_all_panels_and_a_click_pins_it(view: Open) -> None:
    page = view("maps", harness.some_maps())
    sheet = page.locator(".sheet").nth(1)
    box = sheet.bounding_box()
    assert box
    # 8 channels stand in rows of 4; the middle of the last map of the first row
    sheet.click(position={"x": box["width"] * 0.93, "y": box["height"] * 0.2})
    (spot,) = last_pins(page)["places"]
    assert spot["channel"] == 3
    page.mouse.move(3, 3)
    expect(page.locator(".sum")).to_contain_text(f"channel 3, row {spot['row']}, column {spot['col']}")
    marks = page.evaluate("[...document.querySelectorAll('[data-pin=\"1\"]')].map(m => [m.style.left, m.style.top])")
    assert len(marks) == 3
    assert len({tuple(mark) for mark in marks}) == 1


def test_maps_are_read_with_the_keyboard(view: Open) -> None:
    page = view("maps", harness.some_maps())
    page.locator(".sheet").first.focus()
    for key in ("ArrowRight", *["ArrowRight"] * 4, "ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert last_pins(page)["places"] == [{"channel": 5, "row": 1, "col": 0}]
    page.keyboard.press("Escape")
    expect(page.locator(".sum")).to_contain_text("Point at a value")


def test_colours_are_the_values_on_one_scale(view: Open) -> None:
    deep, shallow = np.full((1, 4, 2, 2), -1.0), np.full((1, 4, 2, 2), 0.5)
    deep[0, 1] = 0
    page = view("maps", harness.maps(deep, shallow))
    colour = """([panel, map]) => { const canvas = document.querySelectorAll("canvas")[panel];
      return [...canvas.getContext("2d").getImageData(canvas.width * (map + 0.5) / 4, 5, 1, 1).data]; }"""
    lowest = page.evaluate(colour, [0, 0])
    assert lowest == [5, 48, 97, 255]
    assert page.evaluate(colour, [0, 1]) == [247, 247, 247, 255]
    half = page.evaluate(colour, [1, 0])
    assert half[0] > half[2] + 40
    expect(page.locator(".ends")).to_have_text("−101")


def test_scrubbing_is_reported_on_release_and_survives_updates(view: Open) -> None:
    page = view("maps", harness.some_maps(6))
    scrubber = page.get_by_role("slider")
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 5 of 5")
    scrubber.evaluate("input => { input.value = 2; input.dispatchEvent(new Event('input')); }")
    assert page.evaluate("events") == []
    scrubber.evaluate("input => input.dispatchEvent(new Event('change'))")
    assert page.evaluate("events") == [["epoch", 2]]
    page.evaluate("data => { show(data); }", harness.some_maps(7))
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 2 of 6")
    page.evaluate("data => { show(data); }", harness.some_maps(7, epoch=0))
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 0 of 6")
    scrubber.press("ArrowRight")
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 1 of 6")


def test_the_scale_stands_still_while_scrubbing_and_play_runs_to_the_end(view: Open) -> None:
    page = view("maps", harness.some_maps(4))
    scale = page.locator(".ends").inner_text()
    page.get_by_role("button", name="Play the epochs").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "epoch 3 of 3")
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()
    page.wait_for_function("events.length")
    assert page.evaluate("events") == [["epoch", 3]]
    assert page.locator(".ends").inner_text() == scale


def test_sixty_four_channels_and_thirty_epochs_repaint_within_a_frame(view: Open) -> None:
    page = view("maps", harness.some_maps(30, 64, 16))
    times = page.evaluate("""() => { const input = document.querySelector("input"); const times = [];
      for (let epoch = 0; epoch < 30; epoch++) { const start = performance.now(); input.value = epoch;
        input.dispatchEvent(new Event("input")); times.push(performance.now() - start); }
      return times; }""")
    assert np.median(times) < 16


def test_a_missing_panel_keeps_its_place(view: Open) -> None:
    data = harness.some_maps()
    data["panels"][1] |= {"missing": True, "data": ""}
    page = view("maps", data)
    boxes = [sheet.bounding_box() for sheet in page.locator(".sheet").all()]
    assert len({(box["width"], box["height"]) for box in boxes if box}) == 1
    expect(page.locator(".missing")).to_have_text("not recorded")


# ---- pinned epochs ----------------------------------------------------------------------------------------------


def test_epochs_are_pinned_compared_and_let_go(view: Open) -> None:
    page = view("maps", harness.some_maps(6))
    page.locator(".sheet").first.focus()
    for key in (",", ",", "a"):
        page.keyboard.press(key)
    assert last_pins(page)["a"] == 3
    page.get_by_role("button", name="A, B and B − A").click()
    expect(page.locator(".sheet")).to_have_count(9)
    expect(page.locator(".rowname").nth(1)).to_have_text("B: epoch 3, the one on show")
    page.get_by_role("slider").press("Home")
    expect(page.locator(".rowname").nth(2)).to_have_text("B − A: what changed from epoch 3 to 0")
    page.get_by_role("button", name="Pin B").click()
    assert last_pins(page) == {"places": [], "a": 3, "b": 0, "compare": True}
    page.get_by_role("slider").press("End")
    expect(page.locator(".rowname").nth(1)).to_have_text("B: epoch 0")
    expect(page.locator(".flag")).to_have_text(["A", "B"])
    page.evaluate("data => { show(data); }", harness.some_maps(7))
    expect(page.locator(".rowname").first).to_have_text("A: epoch 3")
    page.get_by_role("slider").press("Home")
    page.keyboard.press("b")
    assert last_pins(page)["b"] is None
    page.keyboard.press("d")
    expect(page.locator(".sheet")).to_have_count(3)


def test_pins_of_a_link_are_taken_and_those_that_are_not_there_are_ignored(view: Open) -> None:
    page = view("maps", harness.some_maps(4, pins={"a": 0, "b": 2, "compare": True}))
    expect(page.locator(".rowname")).to_have_count(3)
    page.evaluate("data => { show(data); }", harness.some_maps(4, pins={"a": 99, "compare": True, "places": [SPOT]}))
    expect(page.locator(".rowname")).to_have_count(0)
    expect(page.locator(".sum")).to_contain_text("channel 3, row 2, column 1")
    page.evaluate("data => { show(data); }", harness.some_maps(4, size=2, pins={"places": [SPOT]}))
    expect(page.locator(".sum")).to_contain_text("Point at a value")


COLOUR = """([sheet, map]) => { const canvas = document.querySelectorAll(".sheet canvas")[sheet];
  return [...canvas.getContext("2d").getImageData(canvas.width * (map + 0.5) / 4, 5, 1, 1).data]; }"""


def test_differences_are_those_of_the_arrays_on_one_signed_scale(view: Open) -> None:
    deep, shallow = np.full((3, 4, 2, 2), 0.5), np.full((3, 4, 2, 2), 0.25)
    deep[0, 0], deep[2, 0], shallow[2, 1] = 1.0, -1.0, 0.25
    pins = {"a": 0, "b": 2, "compare": True, "places": [{"channel": 0, "row": 1, "col": 1}]}
    page = view("maps", harness.maps(deep, shallow, pins=pins))
    expect(page.locator(".ends")).to_have_text("−202")
    expect(page.locator(".key")).to_contain_text("one scale for A, B and B − A")
    assert page.evaluate(COLOUR, [6, 0]) == [5, 48, 97, 255]  # deep changes by -2, the end of the scale
    assert page.evaluate(COLOUR, [6, 1]) == [247, 247, 247, 255]
    label = page.locator(".sheet canvas").nth(6).get_attribute("aria-label") or ""
    assert label.endswith("epoch 2 minus epoch 0: values from −2 to 0")
    expect(page.locator(".sum > div")).to_have_text(
        [
            "channel 0, row 1, column 1",
            "A: 1.00 + 0.25 = 1.25 → 1.25 after ReLU",
            "B: −1.00 + 0.25 = −0.75 → 0.00 after ReLU",
            "B − A: deep −2, shallow 0, joined −1.25",
        ]
    )


def test_the_scale_of_a_difference_stands_still_while_the_other_epoch_is_scrubbed(view: Open) -> None:
    page = view("maps", harness.some_maps(5, pins={"a": 1, "compare": True}))
    slider, ends = page.get_by_role("slider"), page.locator(".ends")
    before = ends.inner_text()
    for _ in range(4):
        slider.press("ArrowLeft")
        assert ends.inner_text() == before


# ---- pinned places ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_two_places_are_compared(view: Open, by: str) -> None:
    deep, shallow = np.full((1, 4, 2, 2), 0.5), np.full((1, 4, 2, 2), 0.25)
    deep[0, 1] = 1.5
    page = view("maps", harness.maps(deep, shallow))
    sheet = page.locator(".sheet").first
    if by == "mouse":
        box = sheet.bounding_box()
        assert box
        sheet.click(position={"x": 3, "y": 3})
        sheet.click(position={"x": box["width"] * 0.25 + 6, "y": 3}, modifiers=["Shift"])
    else:
        sheet.focus()
        for key in ("ArrowRight", "Enter", "Shift+ArrowRight", "Shift+Enter"):
            page.keyboard.press(key)
    first, second = last_pins(page)["places"]
    assert (first["channel"], second["channel"]) == (0, 1)
    page.mouse.move(3, 3)
    lines = page.locator(".sum > div")
    expect(lines.nth(0)).to_contain_text("1: channel 0, row 0, column 0: 0.50 + 0.25 = 0.75")
    expect(lines.nth(1)).to_contain_text("2: channel 1, row 0, column 0: 1.50 + 0.25 = 1.75")
    expect(lines.nth(2)).to_have_text("2 − 1: deep +1, shallow 0, joined +1")
    sheet.hover(position={"x": 3, "y": 3 + (sheet.bounding_box() or {"height": 0})["height"] / 2})
    expect(lines.nth(2)).to_have_text("here − 1: deep 0, shallow 0, joined 0")
    sheet.focus()
    page.keyboard.press("Escape")
    assert last_pins(page)["places"] == []


# ---- the image, its fields and what the net said ----------------------------------------------------------------

DESIGN = fused(8, 5, 3, width=4, in_channels=1)


def fusion(number: int, **more: object) -> dict:
    """What the view is told of one fusion of a net: random maps, its true fields, an image and answers."""
    place = places(DESIGN)[number - 1]
    random = np.random.default_rng(1)
    side, channels = {1: (8, 4), 2: (4, 8), 3: (2, 16)}[number]
    stacks = {name: random.normal(size=(3, channels, side, side)).astype(np.float32) for name in place.names}
    fields = {name: theoretical_fields(DESIGN, name) for name in place.names}
    image = photo(np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4, "a test image of 2")
    said = answers(["0", "1", "2"], 2, np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.1, 0.0, 0.9]]))
    palette = harness.some_maps()["palette"]
    return view_data(place, stacks, [0, 1, 2], 2, fields, image=image, answers=said, fusions=3, palette=palette, **more)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("panel", [0, 1, 2])
def test_the_boxes_of_a_place_are_its_fields(view: Open, number: int, panel: int) -> None:
    page = view("maps", fusion(number))
    assert page.locator(".box").count() == 0
    sheet = page.locator(".sheet").nth(panel)
    sheet.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    name = places(DESIGN)[number - 1].names[panel]
    fields = theoretical_fields(DESIGN, name)
    expected = {",".join(map(str, fields.box(field, 1, 1))): str(count) for field, count in fields.paths.items()}
    found = page.eval_on_selector_all(".box", "boxes => boxes.map(box => [box.dataset.box, box.dataset.paths])")
    assert dict(found) == expected and len(found) == len(expected)
    expect(page.locator(".seen")).to_contain_text("row 1, column 1: sees")
    assert "pixels" in (page.locator(".scene svg").get_attribute("aria-label") or "")


def test_the_channels_of_a_concat_have_the_fields_of_their_branch(view: Open) -> None:
    design = fused(8, 5, 3, width=4, join="concat", in_channels=1)
    place = places(design)[0]
    random = np.random.default_rng(1)
    stacks = {name: random.normal(size=(1, 4 if "joined" in name else 2, 8, 8)) for name in place.names}
    fields = {name: theoretical_fields(design, name) for name in place.names}
    image = photo(np.zeros((8, 8, 1), np.uint8), "nothing")
    data = view_data(place, stacks, [0], 0, fields, image=image, palette=harness.some_maps()["palette"])
    for channel, lane in ((1, "deep"), (3, "shallow")):
        spot = {"channel": channel, "row": 4, "col": 4}
        page = view("maps", data | {"pins": {"places": [spot]}})
        (field,) = fields[f"fusion1/{lane}"].paths
        box = ",".join(map(str, fields["fusion1/joined"].box(field, 4, 4)))
        assert page.eval_on_selector_all(".box", "boxes => boxes.map(box => box.dataset.box)") == [box]


def test_the_image_is_the_one_that_the_net_sees(view: Open) -> None:
    page = view("maps", fusion(1))
    photo_ = page.locator(".scene canvas")
    expect(photo_).to_have_attribute("aria-label", "a test image of 2")
    pixel = "canvas => [canvas.width, ...canvas.getContext('2d').getImageData(3, 1, 1, 1).data]"
    assert photo_.evaluate(pixel) == [8, 44, 44, 44, 255]


def test_what_the_net_says_follows_the_epoch(view: Open) -> None:
    page = view("maps", fusion(1))
    said = page.locator(".answer")
    expect(said).to_have_text("After epoch 2 the net calls it 2 (90.0 %).")
    page.get_by_role("slider").press("Home")
    expect(said).to_have_text("After epoch 0 the net calls it 0 (60.0 %), wrong; 2 gets 10.0 %.")
    label = page.locator(".course svg").get_attribute("aria-label")
    assert label == "Probability of 2, the true class: epoch 0 10.0 %, epoch 1 50.0 %, epoch 2 90.0 %"
    box = page.locator(".course svg").bounding_box()
    slider = page.get_by_role("slider").bounding_box()
    assert box and slider
    page.mouse.click(slider["x"] + slider["width"] / 2, box["y"] + 30)
    expect(said).to_contain_text("After epoch 1")
    assert page.evaluate("events.at(-1)") == ["epoch", 1]


# ---- keys and hosts ---------------------------------------------------------------------------------------------


def test_keys_scrub_play_choose_the_fusion_and_name_themselves(view: Open) -> None:
    page = view("maps", fusion(1))
    page.locator(".answer").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("2")
    page.keyboard.press("9")
    assert page.evaluate("events") == [["epoch", 1], ["fusion", 2]]
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()
    page.wait_for_function("events.length > 2")
    assert page.evaluate("events.at(-1)") == ["epoch", 2]
    page.keyboard.press("?")
    expect(page.locator(".keys dl")).to_contain_text("1 to 3")
    page.keyboard.press("Escape")
    expect(page.locator(".keys dl")).to_be_hidden()


def test_a_keyboard_on_the_maps_stays_there_when_the_fusion_changes(view: Open) -> None:
    page = view("maps", fusion(1))
    page.locator(".sheet").nth(1).focus()
    page.evaluate("data => { show(data); }", fusion(2))
    expect(page.locator(".sheet").nth(1)).to_be_focused()


def test_hovering_stays_within_a_frame(view: Open) -> None:
    page = view("maps", harness.some_maps(30, 64, 16))
    times = page.evaluate("""() => { const sheet = document.querySelector(".sheet"); const times = [];
      const box = sheet.getBoundingClientRect();
      for (let i = 0; i < 40; i++) { const start = performance.now();
        const at = { clientX: box.left + 5 + i * 4, clientY: box.top + 40 + i };
        sheet.dispatchEvent(new PointerEvent("pointermove", at));
        sheet.getBoundingClientRect(); times.push(performance.now() - start); }
      return times; }""")
    assert np.median(times) < 16


def test_pins_work_in_a_notebook(view: Open) -> None:
    page = view("maps", harness.some_maps())
    page.evaluate(
        """async ([text, data]) => {
        const el = document.body.appendChild(document.createElement("section"));
        const model = { get: () => data, send: (message) => events.push(message), on: () => {}, off: () => {} };
        const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
        (await import(address)).default.render({ model, el }); }""",
        [source("maps") + NOTEBOOK_FOOTER, harness.some_maps(3)],
    )
    page.locator("section .sheet").first.click(position={"x": 4, "y": 4})
    page.locator("section").get_by_role("button", name="Pin A").click()
    place = {"channel": 0, "row": 0, "col": 0}
    assert page.evaluate("events.at(-1)") == {
        "name": "pin",
        "value": {"places": [place], "a": 2, "b": None, "compare": False},
    }
