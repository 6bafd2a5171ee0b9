"""The net diagram in a browser: all that a design has is drawn, lit, exchanged and reached by keys."""

import pytest
import views_harness as harness
from conftest import OpenView as Open
from playwright.sync_api import expect

import dfn
from dfn.design.picture import picture
from dfn.figures.theme import PALETTES


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
