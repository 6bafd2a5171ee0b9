"""The palette can be told apart and read; the views draw what they are given, keep what the reader did, and answer."""

import base64
import csv
import io
import itertools
import re
from pathlib import Path
from typing import Literal, get_args
from xml.etree import ElementTree

import numpy as np
import pytest
import views_harness as harness
from conftest import OpenView as Open
from PIL import Image
from playwright.sync_api import Page, expect

import dfn
from dfn.design.picture import picture
from dfn.figures.theme import PALETTES, ROLES, palette
from dfn.views import NAMES, NOTEBOOK_FOOTER, STREAMLIT_FOOTER, Name, source

# ---- palette ----------------------------------------------------------------------------------------------------


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


# Full colour-blindness of the three kinds, as matrices over linear RGB (Machado, Oliveira, Fernandes 2009).
EYES = {
    "trichromat": np.eye(3),
    "protan": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deutan": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "tritan": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}


def oklab(rgb: np.ndarray) -> np.ndarray:
    cones = np.cbrt(
        np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]) @ rgb.clip(0, 1)
    )
    mix = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return 100 * np.array(mix) @ cones


@pytest.mark.parametrize("dark", [False, True])
def test_words_can_be_read_on_every_surface(dark: bool) -> None:
    colours = palette(dark)
    words = ["text", "muted", *(name for name in colours if name.endswith("_text"))]
    low = {
        (word, surface): round(contrast(colours[word], colours[surface]), 2)
        for word, surface in itertools.product(words, ("background", "card", "band"))
        if contrast(colours[word], colours[surface]) < 4.5
    }
    assert not low


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eye", EYES)
def test_roles_can_be_told_apart_by_every_eye(dark: bool, eye: str) -> None:
    colours = palette(dark)
    seen = {role: oklab(EYES[eye] @ linear(colours[role])) for role in ROLES}
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(ROLES, 2)}
    # A just noticeable difference is about 2 on this scale.
    assert min(apart.values()) > 6, min(apart, key=lambda pair: apart[pair])
    everyday = [value for pair, value in apart.items() if set(pair) <= {"deep", "shallow", "fused", "plain", "resnet"}]
    assert min(everyday) > 8


def test_both_palettes_name_the_same_colours() -> None:
    assert PALETTES["light"].keys() == PALETTES["dark"].keys()
    assert PALETTES["light"]["deep"] == "#0072B2"


# ---- modules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_source_is_one_module_without_imports(name: Name) -> None:
    text = source(name)
    assert text.count("export function draw(root, data, emit)") == 1
    assert "export default" not in text
    assert not any(line.startswith("import ") for line in text.splitlines())
    assert "innerHTML" not in text


def test_source_refuses_other_names() -> None:
    with pytest.raises(ValueError, match=r"'../theme' is not a view; there are net, curves"):
        source("../theme")  # type: ignore[arg-type]


def test_notebook_view_hears_events_and_brings_its_palette() -> None:
    from dfn.views import notebook

    view = notebook.net({"elements": []})
    heard: list[object] = []
    view.on("exchange", heard.append)
    view._handle_custom_msg({"name": "exchange", "value": {"fusion": 2}}, [])
    view._handle_custom_msg({"name": "select", "value": {"id": "stem"}}, [])
    assert heard == [{"fusion": 2}]
    view.data = {"elements": [1]}
    assert view.data == {"elements": [1], "palette": PALETTES}


# ---- in a browser -----------------------------------------------------------------------------------------------


SAMPLES: dict[Name, list[dict]] = {
    "net": [harness.net(), harness.net(swapped=(2,))],
    "curves": [harness.curves(40), harness.curves(60)],
    "bars": [harness.bars(), harness.bars(1.3)],
    "maps": [harness.some_maps(4), harness.some_maps(5)],
    "tiles": [harness.tiles(), harness.tiles(selected=3)],
    "sketch": [harness.sketch(), harness.sketch(drawn=[20.0] * 6)],
    "tree": [harness.tree(), harness.tree("lsuv")],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [340, 1600])
def test_an_update_keeps_the_nodes_the_height_and_the_width_of_the_page(view: Open, name: Name, width: int) -> None:
    page = view(name, SAMPLES[name][0], width=width + 32)
    page.evaluate("() => { window.kept = [...document.querySelectorAll('#root > *')]; }")
    height = page.evaluate("document.getElementById('root').offsetHeight")
    page.evaluate("data => { show(data); }", SAMPLES[name][1])
    assert page.evaluate("kept.every((node, i) => node === document.getElementById('root').children[i])")
    assert page.evaluate("document.getElementById('root').offsetHeight") == height > 100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", NAMES)
def test_theme_follows_the_page_and_changes_live(view: Open, name: Name) -> None:
    page = view(name, SAMPLES[name][0])
    root = page.locator("#root")
    expect(root).to_have_css("color", "rgb(27, 33, 48)")
    page.evaluate("document.documentElement.style.setProperty('--st-background-color', 'rgb(16, 21, 27)')")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_css("color", "rgb(233, 236, 242)")


def test_jupyter_says_which_theme_it_has(view: Open) -> None:
    page = view("net", harness.net())
    page.evaluate("document.documentElement.style.removeProperty('--st-background-color')")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(page.locator("#root")).to_have_attribute("data-theme", "dark")
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    expect(page.locator("#root")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("name", NAMES)
def test_drawings_have_names_with_numbers(view: Open, name: Name) -> None:
    page = view(name, SAMPLES[name][0])
    labels = page.eval_on_selector_all(
        "[role=img][aria-label], [role=group][aria-label]", "nodes => nodes.map(node => node.ariaLabel)"
    )
    assert any(any(c.isdigit() for c in label) for label in labels)
    unnamed = page.eval_on_selector_all(
        "[tabindex], button, input", "nodes => nodes.filter(n => !n.ariaLabel && !n.textContent.trim()).length"
    )
    assert unnamed == 0


EVIL = '<img src=x onerror="window.broken = true">'


def test_labels_are_text_never_markup(view: Open) -> None:
    net = harness.net(names=(EVIL, "shallow"), alt=EVIL)
    curves = harness.curves(30)
    curves["panels"][0]["title"] = curves["panels"][0]["series"][0]["label"] = EVIL
    bars = harness.bars()
    bars["title"] = bars["groups"][0]["label"] = bars["groups"][0]["bars"][0]["label"] = EVIL
    maps = harness.some_maps()
    maps["panels"][0]["title"] = maps["operators"][0] = EVIL
    tiles = harness.tiles()
    tiles["title"] = tiles["tiles"][0]["label"] = tiles["tiles"][0]["alt"] = EVIL
    tree = harness.tree()
    tree["root"]["title"] = tree["sides"][0]["title"] = tree["sides"][1]["families"][0]["says"] = EVIL
    samples: dict[Name, dict] = {"net": net, "curves": curves, "bars": bars, "maps": maps, "tiles": tiles, "tree": tree}
    for name, data in samples.items():
        page = view(name, data)
        assert EVIL in page.locator("#root").inner_text(), name
        assert page.locator("#root img").count() == 0
        assert not page.evaluate("window.broken")


# ---- the net ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depths", "fusions"), [((50, 14), 6), ((26, 5), 3), ((26, 14, 8), 6), ((20, 2), 9), ((26, 20, 14, 8), 3)]
)
def test_every_conv_is_a_bar_and_every_fusion_a_join(view: Open, depths: tuple[int, ...], fusions: int) -> None:
    page = view("net", harness.net(depths, fusions))
    assert page.locator(".bar").count() == sum(depths) - 2 * len(depths) + 1
    assert page.locator(".join").count() == fusions
    assert page.locator(".count").count() == len(harness.net(depths, fusions)["spectrum"])


def count_of(elements: list[dict], kind: str) -> int:
    """How often a kind stands in a picture, at any depth; convs count each."""
    here = sum(element.get("convs", 1) for element in elements if element["kind"] == kind)
    steps = [step for element in elements for step in element.get("steps", [])]
    if kind == "projection":  # the lines to the mean
        here += sum(len(step["blocks"]) for step in steps if step["projected"])
    inside = [branch["elements"] for element in elements for branch in element.get("branches", [])]
    inside += [block["elements"] for step in steps for block in step["blocks"]]
    return here + sum(count_of(nested, kind) for nested in inside)


@pytest.mark.parametrize("name", sorted(dfn.catalogue()))
def test_every_net_of_the_catalogue_is_drawn_whole(view: Open, name: str) -> None:
    data = picture(dfn.catalogue()[name].make(), (3, 32, 32))
    page = view("net", data | {"palette": PALETTES, "selected": None, "compact": False}, width=1600)
    for kind, mark in (("convs", ".bar"), ("fusion", ".join"), ("projection", ".projection"), ("pool", ".pool")):
        assert page.locator(mark).count() == count_of(data["elements"], kind), kind
    page.locator(".count").first.focus()
    expect(page.locator(".status")).to_contain_text("layers deep")


@pytest.mark.parametrize("settings", [{}, {"end": "concat"}, {"streams": 3}], ids=["merge", "concat", "three"])
def test_streams_meet_at_every_step(view: Open, settings: dict) -> None:
    design = dfn.catalogue()["merge-run"].make(depth=8, **settings)
    page = view("net", picture(design) | {"palette": PALETTES, "selected": None, "compact": False})
    streams = settings.get("streams", 2)
    sums = 3 * streams + 1 if settings.get("end") else 2 * streams + 1  # of every stream, and the one at the end
    assert page.locator(".ring").count() == 3 + sums
    page.locator('[data-spot="2/1/0"]').click()
    assert page.evaluate("events") == [["select", {"id": "merge1/step2/block1"}]]
    expect(page.locator(".status")).to_contain_text("Streams, step 2, stream 1: 2 convs, 32 channels, 16×16")
    assert f"{streams} streams that meet in 3 steps" in (page.locator(".scroll svg").get_attribute("aria-label") or "")


def test_blocks_too_fine_to_draw_become_one_bar_with_their_count(view: Open) -> None:
    page = view("net", harness.net((200, 14), 6), width=400)
    stacks = page.locator(".stack")
    assert stacks.count() == 6
    assert stacks.first.get_attribute("data-convs") == "33"
    widths = page.eval_on_selector_all(".bar", "bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert min(widths) >= 2


def test_two_hundred_layers_and_64_fusions_draw_in_time_and_scroll_inside(view: Open) -> None:
    data = harness.net((200, 66), 64)
    page = view("net", data)
    spent = page.evaluate(
        """data => Math.min(...[0, 1, 2].map(() => {
        dispose(); const start = performance.now(); dispose = show(data);
        document.getElementById("root").getBoundingClientRect(); return performance.now() - start; }))""",
        data,
    )
    assert spent < 200
    assert page.locator(".join").count() == 64
    assert page.evaluate("(box => box.scrollWidth > box.clientWidth)(document.querySelector('.scroll'))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("key", ["click", "Enter", " "])
def test_a_join_asks_for_the_exchange(view: Open, key: str) -> None:
    page = view("net", harness.net())
    join = page.get_by_role("button", name="Fusion 3: sum of 2 blocks")
    join.click() if key == "click" else join.press(key)
    assert page.evaluate("events") == [["exchange", {"fusion": 3}]]


def test_a_block_is_selected_and_shows_it(view: Open) -> None:
    page = view("net", harness.net())
    block = page.get_by_role("button", name="Fusion 3, deep lane: 8 convs, 32 channels, 16×16")
    block.press("Enter")
    assert page.evaluate("events") == [["select", {"id": "fusion3/deep"}]]
    page.evaluate("data => { show(data); }", harness.net(selected="fusion3/deep"))
    expect(block).to_have_attribute("aria-pressed", "true")


HEIGHTS = (
    "[...document.querySelectorAll('[data-spot=\"4/0\"]')].map(g => new DOMMatrix(getComputedStyle(g).transform).f)"
)


def test_exchanged_blocks_glide_and_the_depths_count_over(view: Open) -> None:
    page = view("net", harness.net())
    join = page.get_by_role("button", name="Fusion 3: sum of 2 blocks")
    join.focus()
    (start,) = page.evaluate(HEIGHTS)
    track = page.evaluate(
        f"""data => new Promise(resolve => {{
        show(data); const seen = [];
        const look = () => {{ seen.push([{HEIGHTS}[0], document.querySelector(".lanes b").textContent]);
          seen.length < 60 ? requestAnimationFrame(look) : resolve(seen); }};
        look(); }})""",
        harness.net(swapped=(3,)),
    )
    heights = [height for height, _ in track]
    assert start == heights[0] == -heights[-1]
    assert heights == sorted(heights)
    assert len({round(height) for height in heights}) > 5
    depths = [int(depth) for _, depth in track]
    assert (depths[0], depths[-1]) == (50, 44)
    assert set(depths) & {46, 47, 48}
    expect(join).to_be_focused()


def test_nothing_glides_for_people_who_asked_for_stillness(view: Open) -> None:
    page = view("net", harness.net(), still=True)
    (start,) = page.evaluate(HEIGHTS)
    page.evaluate("data => { show(data); }", harness.net(swapped=(3,)))
    assert page.evaluate(HEIGHTS) == [-start]


def test_pointing_lights_paths_and_says_their_depth(view: Open) -> None:
    page = view("net", harness.net())
    status = page.locator(".status")
    lit = "[...document.querySelectorAll('.branch:not(.dim)')].map(branch => branch.dataset.spot)"
    page.locator("[data-spot='depth 32'] .bin").hover()
    expect(status).to_contain_text("20 of 64 paths are 32 layers deep, the essential depth.")
    assert len(page.evaluate(lit)) == 6
    page.locator("[data-spot='4/0']").focus()
    expect(status).to_contain_text("Paths through it are 20 to 50 layers deep.")
    assert len(page.evaluate(lit)) == 11
    dimmed = page.eval_on_selector_all(".count.dim", "bins => bins.map(bin => bin.dataset.spot)")
    assert dimmed == ["depth 14"]
    page.keyboard.press("Escape")
    expect(status).to_contain_text("Point at a block")
    assert page.locator(".dim").count() == 0


def test_arrow_keys_walk_through_the_net(view: Open) -> None:
    page = view("net", harness.net())
    page.locator("[data-spot='2/0']").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.spot") == "2"
    page.keyboard.press("Enter")
    assert page.evaluate("events") == [["exchange", {"fusion": 1}]]


def test_nested_fusions_and_whole_nets_in_a_branch(view: Open) -> None:
    data = harness.net((8, 5), 3)
    inner = {"kind": "fusion", "join": "concat", "channels": 16, "size": [32, 32]}
    conv = {"kind": "convs", "convs": 1, "channels": 16, "size": [32, 32]}
    inner["branches"] = [
        {"id": "a", "lane": 0, "origin": 0, "depth": 1, "elements": [conv]},
        {"id": "b", "lane": 1, "origin": 1, "depth": 2, "elements": [conv, conv]},
    ]
    data["elements"][2]["branches"][0]["elements"] = [inner]
    page = view("net", data)
    assert page.locator(".join").count() == 4
    page.locator("[data-spot='2/0/0/1']").focus()
    expect(page.locator(".status")).to_contain_text("Paths through it are 6 to 8 layers deep.")


def test_the_thumbnail_is_small_and_wordless(view: Open) -> None:
    page = view("net", harness.net(compact=True), width=400)
    assert page.evaluate("document.getElementById('root').offsetHeight") == 60
    assert page.locator("#root").inner_text() == ""
    assert page.locator(".bar").count() == 61
    page.locator("[data-spot='4/1']").click()
    assert page.evaluate("events") == [["select", {"id": "fusion3/shallow"}]]


# ---- curves -----------------------------------------------------------------------------------------------------


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


# ---- bars -------------------------------------------------------------------------------------------------------


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


# ---- tiles ------------------------------------------------------------------------------------------------------


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


# ---- the tree ---------------------------------------------------------------------------------------------------


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


# ---- saving -----------------------------------------------------------------------------------------------------

Saved = Literal["net", "curves", "bars", "maps", "tree"]  # what only asks (tiles, sketch) is nothing to keep


def saved(page: Page, kind: str) -> tuple[str, bytes]:
    """What comes down when a view is saved as this kind: the name of the file and its bytes."""
    opener = page.get_by_role("button", name="Save this figure")
    if opener.get_attribute("aria-expanded") == "false":
        opener.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("group", name="Save as").get_by_role("button", name=kind).press("Enter")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def table(text: bytes) -> list[list[str]]:
    return list(csv.reader(text.decode().splitlines()))


@pytest.mark.parametrize("name", get_args(Saved))
def test_a_view_is_saved_as_it_stands(view: Open, name: Saved) -> None:
    page = view(name, SAMPLES[name][0])
    file, picture = saved(page, "PNG")
    assert file.endswith(".png") and not re.search(r"[^a-z0-9.-]", file)
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"))
    box = page.locator("#root").bounding_box()
    assert box and pixels.shape[1] == pytest.approx(2 * box["width"] + 64, abs=2)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    _, drawing = saved(page, "SVG")
    root = ElementTree.fromstring(drawing)
    said = " ".join(text.strip() for text in root.itertext())
    heading = {
        "net": "essential depth",
        "curves": "Training loss",
        "bars": "Gradient norm",
        "maps": "deep",
        "tree": "views",
    }[name]
    assert heading in said and "Save" not in said and b"var(--" not in drawing


def test_the_numbers_of_a_view_are_saved(view: Open) -> None:
    data = harness.bars()
    rows = table(saved(view("bars", data), "CSV")[1])
    first = data["groups"][0]["bars"][0]
    assert rows[0] == ["group", "bar", "part", "value", "unit"]
    assert rows[1] == [data["groups"][0]["label"], first["label"], "", repr(first["value"]), data["unit"]]
    data = harness.curves(4)
    rows = table(saved(view("curves", data), "CSV")[1])
    points = sum(len(series["x"]) for panel in data["panels"] for series in panel["series"])
    assert len(rows) == 1 + points and rows[3][2:4] == ["2", repr(2.4 * 0.96**2)]
    rows = table(saved(view("net", harness.net()), "CSV")[1])
    assert [[int(cell) for cell in row] for row in rows[1:]] == [
        [entry["depth"], int(entry["count"])] for entry in harness.net()["spectrum"]
    ]
    data = harness.some_maps(3, 4, 2)
    rows = table(saved(view("maps", data | {"epoch": 1}), "CSV")[1])
    stored = [np.frombuffer(base64.b64decode(panel["data"]), "<f2").reshape(3, -1)[1] for panel in data["panels"]]
    np.testing.assert_array_equal([float(row[5]) for row in rows[1:]], np.concatenate(stored).astype(float))
    assert rows[0] == ["map", "epoch", "channel", "row", "column", "value"]
    assert rows[-1][1:5] == ["1", "3", "1", "1"]


def test_a_label_is_no_formula(view: Open) -> None:
    data = harness.bars()
    data["groups"][0]["label"] = '=HYPERLINK("x", "a,b")'
    assert table(saved(view("bars", data), "CSV")[1])[1][0] == "'" + data["groups"][0]["label"]


def test_the_choice_closes_with_escape(view: Open) -> None:
    page = view("bars", harness.bars())
    opener = page.get_by_role("button", name="Save this figure")
    opener.press("Enter")
    page.get_by_role("button", name="SVG").press("Escape")
    expect(page.get_by_role("button", name="SVG")).to_be_hidden()
    expect(opener).to_be_focused()


# ---- the two hosts ----------------------------------------------------------------------------------------------

IMPORT = "text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))"


@pytest.mark.parametrize("name", NAMES)
def test_the_streamlit_footer_draws_in_a_shadow_root_and_cleans_up(view: Open, name: Name) -> None:
    page = view(name, SAMPLES[name][0])
    page.evaluate(
        f"""async ([text, data]) => {{
        const host = document.body.appendChild(document.createElement("section"));
        const parentElement = host.attachShadow({{ mode: "open" }});
        const mounted = (await ({IMPORT})(text)).default;
        const say = (name, value) => events.push([name, value]);
        mounted({{ data, parentElement, setTriggerValue: say }});
        window.kept = parentElement.querySelector(".dfn-view").children[1];
        window.cleanup = mounted({{ data, parentElement, setTriggerValue: say }});
        window.roots = parentElement.querySelectorAll(".dfn-view");
        window.same = parentElement.querySelector(".dfn-view").children[1] === kept; }}""",
        [source(name) + STREAMLIT_FOOTER, SAMPLES[name][0]],
    )
    assert page.evaluate("[roots.length, same, kept.isConnected, typeof cleanup]") == [1, True, True, "function"]
    page.evaluate("cleanup()")


def test_the_notebook_footer_follows_its_model(view: Open) -> None:
    page = view("net", harness.net())
    page.evaluate(
        f"""async ([text, data]) => {{
        const el = document.body.appendChild(document.createElement("section"));
        const listeners = {{}};
        window.model = {{ data, get: () => model.data, send: (message) => events.push(message),
          on: (name, paint) => (listeners[name] = paint), off: (name) => delete listeners[name], listeners }};
        window.cleanup = (await ({IMPORT})(text)).default.render({{ model, el }}); }}""",
        [source("net") + NOTEBOOK_FOOTER, harness.net()],
    )
    page.get_by_role("button", name="Fusion 2: sum").nth(1).click()
    assert page.evaluate("events") == [{"name": "exchange", "value": {"fusion": 2}}]
    page.evaluate("data => { model.data = data; model.listeners['change:data'](); }", harness.net((8, 5), 3))
    assert page.locator("section .join").count() == 3
    page.evaluate("cleanup()")
    assert page.evaluate("Object.keys(model.listeners)") == []


# ---- sketch -----------------------------------------------------------------------------------------------------


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
