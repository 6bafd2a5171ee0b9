"""Curves in a browser: zoom, crosshair and hidden curves survive updates; a curve is drawn and handed in."""

import re
from pathlib import Path

import numpy as np
import pytest
import views_harness as harness
from conftest import OpenView as Open
from playwright.sync_api import Page, expect


def drag(page: Page, start: float, end: float) -> None:
    box = page.locator(".pad").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 60, steps=3)
    page.mouse.up()


def test_zoom_crosshair_and_hidden_curves_survive_updates(view: Open) -> None:
    page = view("curves", harness.curves(40))
    pad = page.locator(".pad").first
    drag(page, 0.1, 0.3)
    zoom = [float(pad.get_attribute(f"data-{end}") or 0) for end in ("from", "to")]
    assert zoom == pytest.approx([11, 33], abs=1)
    page.locator(".name", has_text="plain 50").first.click()
    drag(page, 0.5, 0.5)
    for points in (60, 80):
        page.evaluate("data => { show(data); }", harness.curves(points))
        assert [float(pad.get_attribute(f"data-{end}") or 0) for end in ("from", "to")] == zoom
        assert page.locator(".curve").count() == 2
        assert page.locator(".cross").count() == 2
    page.evaluate("data => { show(data); }", harness.curves(80, steps=220))
    assert [float(pad.get_attribute(f"data-{end}") or 0) for end in ("from", "to")] == pytest.approx(zoom, abs=0.1)
    page.get_by_role("button", name="Whole run").first.click()
    expect(pad).to_have_attribute("data-to", "220")
    page.locator(".name", has_text="plain 50").first.press("Enter")
    assert page.locator(".curve").count() == 4


def test_the_crosshair_reads_exact_values_in_all_panels(view: Open) -> None:
    page = view("curves", harness.curves(60))
    box = page.locator(".pad").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 44 / 110, box["y"] + 50)
    first, second = page.locator(".tip").all()
    expect(first).to_contain_text("step 44, epoch 2.0")
    expect(first).to_contain_text("0.3982")
    expect(second).to_contain_text("epoch 2")
    expect(second).to_contain_text("40")
    page.mouse.move(5, 5)
    expect(first).to_be_hidden()


def test_curves_are_read_with_the_keyboard(view: Open) -> None:
    page = view("curves", harness.curves(60))
    pad = page.get_by_role("slider").first
    pad.press("ArrowLeft")
    expect(pad).to_have_attribute("aria-valuenow", "59")
    pad.press("ArrowLeft")
    expect(pad).to_have_attribute("aria-valuenow", "58")
    pad.press("Home")
    expect(pad).to_have_attribute("aria-valuetext", "step 0, epoch 0.0: fused 50 + 14 2.40, plain 50 2.40")
    pad.press("+")
    assert float(pad.get_attribute("data-to") or 0) < 110
    pad.press("0")
    expect(pad).to_have_attribute("data-to", "110")
    pad.press("Escape")
    assert page.locator(".cross").count() == 0


def test_curves_show_their_keys_to_whoever_comes_by_keyboard(view: Open, artifacts: Path) -> None:
    page = view("curves", harness.curves(60))
    pad = page.get_by_role("slider").first
    shown = "element => getComputedStyle(element, '::after').content"
    assert pad.evaluate(shown) == "none"
    pad.focus()
    pad.press("ArrowLeft")
    assert pad.evaluate(shown) == f'"{pad.get_attribute("aria-description")}"'
    assert "+ − zoom" in pad.evaluate(shown)
    page.screenshot(path=artifacts / "curves-keys.png")


def test_gaps_stay_gaps_and_a_spike_is_named(view: Open) -> None:
    data = harness.curves(100)
    loss = data["panels"][0]["series"][0]["y"]
    loss[10] = None
    loss[50] = 900
    page = view("curves", data)
    path = page.locator("[data-series=r1]").first.get_attribute("d") or ""
    assert path.count("M") == 2
    expect(page.locator(".panel").first).to_contain_text("1 off the scale")


def test_names_at_the_ends_do_not_cover_each_other(view: Open) -> None:
    data = harness.curves(110)
    one = data["panels"][0]["series"][0]
    data["panels"] = data["panels"][:1]
    data["panels"][0]["series"] = [one | {"id": str(i), "label": f"net {i}"} for i in range(6)]
    page = view("curves", data)
    tops = page.eval_on_selector_all(".name", "names => names.map(name => name.getBoundingClientRect().top)")
    assert min(np.diff(sorted(tops))) >= 16


def test_the_axis_shows_how_far_there_is_to_go(view: Open) -> None:
    page = view("curves", harness.curves(56))
    done, whole = (
        page.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().width")
        for selector in (".done", ".pad")
    )
    assert done / whole == pytest.approx(0.5, abs=0.02)
    expect(page.locator(".panel").first).to_contain_text("epoch 5")


def test_a_curve_is_drawn_by_dragging_and_handed_in(view: Open) -> None:
    page = view("sketch", harness.sketch())
    button = page.get_by_role("button", name="Show")
    expect(button).to_be_disabled()
    box = page.locator(".pad").bounding_box()
    assert box
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] - 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 1, steps=2)  # a quick hand leaves no point out
    page.mouse.up()
    button.click()
    ((name, value),) = page.evaluate("events")
    assert name == "drawn" and value["values"] == sorted(value["values"])
    assert value["values"][0] < 3 and value["values"][-1] > 97


def test_a_curve_is_drawn_with_the_keys_alone(view: Open) -> None:
    page = view("sketch", harness.sketch())
    page.keyboard.press("Tab")
    for key in ("ArrowUp", "PageUp", "ArrowRight", "ArrowDown", "End", "PageDown"):
        page.keyboard.press(key)
    expect(page.get_by_role("slider", name="epoch 0")).to_have_attribute("aria-valuenow", "61")
    expect(page.get_by_role("slider", name="epoch 0")).to_have_attribute("aria-valuetext", "61 %")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("events") == [["drawn", {"values": [61, 49, 50, 50, 50, 40]}]]


def test_a_drawing_is_closed_when_the_truth_is_shown(view: Open) -> None:
    page = view("sketch", harness.sketch(drawn=[20.0] * 6))
    expect(page.get_by_role("button", name="Show")).to_have_count(0)
    handle = page.get_by_role("slider", name="epoch 0")
    handle.focus()
    handle.press("ArrowUp")
    expect(handle).to_have_attribute("aria-valuenow", "20")
    assert page.locator(".gap").count() == 6
    expect(page.get_by_role("group")).to_have_attribute("aria-label", re.compile("plain 50 12, 17.*your curve 20, 20"))
