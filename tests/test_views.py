"""The palette can be told apart and read; the views draw what they are given, keep what the reader did, and answer."""

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import views_harness as harness
from playwright.sync_api import Browser, Page, expect

import dfn
from dfn.design.picture import picture
from dfn.figures.theme import PALETTES, ROLES, palette
from dfn.views import NAMES, NOTEBOOK_FOOTER, STREAMLIT_FOOTER, Name, source

Open = Callable[..., Page]


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


@pytest.fixture
def view(chromium: Browser) -> Iterator[Open]:
    """Opens a page with one view; a script error fails the test."""
    errors: list[str] = []
    pages: list[Page] = []

    def opened(name: Name, data: dict, *, width: int = 1100, dark: bool = False, still: bool = False) -> Page:
        page = chromium.new_page(
            viewport={"width": width, "height": 800}, reduced_motion="reduce" if still else "no-preference"
        )
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(harness.page(name, data, dark=dark))
        page.wait_for_function("window.ready")
        return page

    yield opened
    for page in pages:
        page.close()
    assert not errors


def some_maps(epochs: int = 4, channels: int = 8, size: int = 4, **more: object) -> dict:
    random = np.random.default_rng(0)
    shape = (epochs, channels, size, size)
    return harness.maps(random.normal(size=shape), random.normal(size=shape), **more)


SAMPLES: dict[Name, list[dict]] = {
    "net": [harness.net(), harness.net(swapped=(2,))],
    "curves": [harness.curves(40), harness.curves(60)],
    "bars": [harness.bars(), harness.bars(1.3)],
    "maps": [some_maps(4), some_maps(5)],
    "sketch": [harness.sketch(), harness.sketch(drawn=[20.0] * 6)],
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
    maps = some_maps()
    maps["panels"][0]["title"] = maps["operators"][0] = EVIL
    samples: dict[Name, dict] = {"net": net, "curves": curves, "bars": bars, "maps": maps}
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
    inside = [branch["elements"] for element in elements for branch in element.get("branches", [])]
    return here + sum(count_of(nested, kind) for nested in inside)


@pytest.mark.parametrize("name", sorted(dfn.catalogue()))
def test_every_net_of_the_catalogue_is_drawn_whole(view: Open, name: str) -> None:
    data = picture(dfn.catalogue()[name].make(), (3, 32, 32))
    page = view("net", data | {"palette": PALETTES, "selected": None, "compact": False}, width=1600)
    for kind, mark in (("convs", ".bar"), ("fusion", ".join"), ("projection", ".projection"), ("pool", ".pool")):
        assert page.locator(mark).count() == count_of(data["elements"], kind), kind
    page.locator(".count").first.focus()
    expect(page.locator(".status")).to_contain_text("layers deep")


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


# ---- maps -------------------------------------------------------------------------------------------------------


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
    page = view("maps", data | {"selected": {"channel": 3, "row": 2, "col": 1}})
    expect(page.locator(".sum")).to_have_text(said)


def test_pointing_marks_the_same_place_in_all_panels_and_a_click_pins_it(view: Open) -> None:
    page = view("maps", some_maps())
    sheet = page.locator(".sheet").nth(1)
    box = sheet.bounding_box()
    assert box
    # 8 channels stand in rows of 4; the middle of the last map of the first row
    sheet.click(position={"x": box["width"] * 0.93, "y": box["height"] * 0.2})
    ((name, spot),) = page.evaluate("events")
    assert (name, spot["channel"]) == ("select", 3)
    page.mouse.move(3, 3)
    expect(page.locator(".sum")).to_contain_text(f"channel 3, row {spot['row']}, column {spot['col']}")
    marks = page.evaluate("[...document.querySelectorAll('.mark.cell')].map(m => [m.style.left, m.style.top])")
    assert len(marks) == 3
    assert len({tuple(mark) for mark in marks}) == 1


def test_maps_are_read_with_the_keyboard(view: Open) -> None:
    page = view("maps", some_maps())
    page.locator(".sheet").first.focus()
    for key in ("ArrowRight", *["ArrowRight"] * 4, "ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("events") == [["select", {"channel": 5, "row": 1, "col": 0}]]
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
    page = view("maps", some_maps(6))
    scrubber = page.get_by_role("slider")
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 5 of 5")
    scrubber.evaluate("input => { input.value = 2; input.dispatchEvent(new Event('input')); }")
    assert page.evaluate("events") == []
    scrubber.evaluate("input => input.dispatchEvent(new Event('change'))")
    assert page.evaluate("events") == [["epoch", 2]]
    page.evaluate("data => { show(data); }", some_maps(7))
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 2 of 6")
    page.evaluate("data => { show(data); }", some_maps(7, epoch=0))
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 0 of 6")
    scrubber.press("ArrowRight")
    expect(scrubber).to_have_attribute("aria-valuetext", "epoch 1 of 6")


def test_the_scale_stands_still_while_scrubbing_and_play_runs_to_the_end(view: Open) -> None:
    page = view("maps", some_maps(4))
    scale = page.locator(".ends").inner_text()
    page.get_by_role("button", name="Play the epochs").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "epoch 3 of 3")
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()
    page.wait_for_function("events.length")
    assert page.evaluate("events") == [["epoch", 3]]
    assert page.locator(".ends").inner_text() == scale


def test_sixty_four_channels_and_thirty_epochs_repaint_within_a_frame(view: Open) -> None:
    page = view("maps", some_maps(30, 64, 16))
    times = page.evaluate("""() => { const input = document.querySelector("input"); const times = [];
      for (let epoch = 0; epoch < 30; epoch++) { const start = performance.now(); input.value = epoch;
        input.dispatchEvent(new Event("input")); times.push(performance.now() - start); }
      return times; }""")
    assert np.median(times) < 16


def test_a_missing_panel_keeps_its_place(view: Open) -> None:
    data = some_maps()
    data["panels"][1] |= {"missing": True, "data": ""}
    page = view("maps", data)
    boxes = [sheet.bounding_box() for sheet in page.locator(".sheet").all()]
    assert len({(box["width"], box["height"]) for box in boxes if box}) == 1
    expect(page.locator(".missing")).to_have_text("not recorded")


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
