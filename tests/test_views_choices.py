"""Bars, tiles and the tree in a browser: their values are said, and they are picked by click and by keyboard."""

import numpy as np
import pytest
import views_harness as harness
from conftest import OpenView as Open
from playwright.sync_api import expect

from dfn.figures.theme import PALETTES


def test_bars_share_one_scale_and_say_their_value(view: Open) -> None:
    page = view("bars", harness.bars())
    heights = page.eval_on_selector_all(
        ".slot > .bar:nth-of-type(2)", "bars => bars.map(bar => bar.getBoundingClientRect().height)"
    )
    assert len(heights) == 8
    decades = (heights[0] - heights[4]) / np.log10(0.31 / 0.002)
    assert (heights[1] - heights[5]) / np.log10(0.25 / 0.002) == pytest.approx(decades, rel=0.01)
    page.locator("[data-slot='0 0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".status")).to_have_text("fused, 1: 0.250 (deep 0.100, shallow 0.200)")
    page.evaluate("data => { show(data); }", harness.bars(2))
    expect(page.locator(".status")).to_have_text("fused, 1: 0.500 (deep 0.200, shallow 0.400)")


def test_lying_bars_are_in_proportion(view: Open) -> None:
    groups = [{"label": f"way {value}", "role": "plain", "bars": [{"label": "", "value": value}]} for value in (50, 14)]
    data = {"title": "Layers", "unit": "layers", "log": False, "orientation": "horizontal", "groups": groups}
    page = view("bars", data | {"palette": PALETTES}, width=400)
    long, short = page.eval_on_selector_all(".bar", "bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert short / long == pytest.approx(14 / 50, rel=0.01)
    expect(page.locator("#root")).to_contain_text("50 layers")


def test_a_tile_is_picked_by_click_and_by_keyboard(view: Open) -> None:
    page = view("tiles", harness.tiles(30, selected=4), width=600)
    chosen = page.get_by_role("button", name="Test image 14, 7")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    assert page.locator("button[tabindex='0']").count() == 1, "one stop for the Tab key"
    page.get_by_role("button", name="Test image 12, 7").click()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    row = page.evaluate(
        "[...document.querySelectorAll('.tile')].filter((t, i, all) => t.offsetTop === all[0].offsetTop).length"
    )
    first, second = page.evaluate("events")
    assert first == ["select", {"id": 12}] and row > 4
    assert second == ["select", {"id": 14 + row}], "two on and a row down"
    page.evaluate("data => { show(data); }", harness.tiles(3))
    assert page.locator(".tile").count() == 3 and page.locator("button[tabindex='0']").count() == 1


def test_every_tile_shows_its_own_part_of_the_sheet(view: Open) -> None:
    page = view("tiles", harness.tiles(30))
    places = page.eval_on_selector_all(".tile i", "all => all.map(i => i.style.backgroundPosition)")
    assert places[0] == "0px 0px" and places[13] == "-48px -48px" and len(set(places)) == 30


def test_a_method_is_picked_by_click_and_by_keyboard(view: Open) -> None:
    page = view("tree", harness.tree("resnet"), width=1000)
    expect(page.get_by_role("button", name="method resnet, shortcut")).to_have_attribute("aria-pressed", "true")
    assert page.locator("[data-method][tabindex='0']").count() == 1, "one stop for the Tab key"
    page.get_by_role("button", name="method columns, views").click()
    page.get_by_role("button", name="method resnet, shortcut").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("events") == [["select", {"name": "columns"}], ["select", {"name": "lsuv"}]]
    expect(page.locator(".status")).to_have_text("method lsuv. What lsuv changes. And what it keeps.")
    page.evaluate("data => { show(data); }", harness.tree("lsuv"))
    expect(page.get_by_role("button", name="method lsuv, start")).to_be_focused()
    assert page.locator(".twig.lit").count() == 2, "from the root to the family, from there to the method"


def test_what_does_not_fit_the_search_is_dimmed_and_left_out_by_the_keyboard(view: Open) -> None:
    page = view("tree", harness.tree("resnet", without="highway"), width=1000)
    assert page.locator(".node.out").count() == 1
    page.get_by_role("button", name="method resnet, shortcut").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="method columns, views")).to_be_focused()


def test_on_a_narrow_page_the_tree_is_a_list_of_cards(view: Open) -> None:
    page = view("tree", harness.tree("resnet", without="highway"), width=420)
    expect(page.locator("#root svg")).to_be_hidden()
    assert page.locator(".list button").count() == 5, "what does not fit the search is not there"
    page.get_by_role("button", name="method glorot").press("Enter")
    assert page.evaluate("events") == [["select", {"name": "glorot"}]]


def test_choosing_shows_what_follows_from_it(view: Open) -> None:
    page = view("tree", harness.tree() | {"reveals": "#after"}, width=1000)
    page.evaluate(
        """() => { document.querySelector("main").insertAdjacentHTML("beforeend",
        "<div style='height: 2000px'></div><p id='after'>after</p>"); }"""
    )
    expect(page.locator("#after")).not_to_be_in_viewport()
    page.get_by_role("button", name="method columns, views").click()
    expect(page.locator("#after")).to_be_in_viewport()
