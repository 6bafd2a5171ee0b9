"""Every view: one module without imports, drawn by both hosts in both themes, kept through updates, told in words."""

import pytest
import views_harness as harness
from conftest import OpenView as Open
from playwright.sync_api import expect

from dfn.figures.theme import PALETTES
from dfn.views import NAMES, NOTEBOOK_FOOTER, STREAMLIT_FOOTER, Name, source


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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [340, 1600])
def test_an_update_keeps_the_nodes_the_height_and_the_width_of_the_page(view: Open, name: Name, width: int) -> None:
    page = view(name, harness.SAMPLES[name][0], width=width + 32)
    page.evaluate("() => { window.kept = [...document.querySelectorAll('#root > *')]; }")
    height = page.evaluate("document.getElementById('root').offsetHeight")
    page.evaluate("data => { show(data); }", harness.SAMPLES[name][1])
    assert page.evaluate("kept.every((node, i) => node === document.getElementById('root').children[i])")
    assert page.evaluate("document.getElementById('root').offsetHeight") == height > 100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", NAMES)
def test_theme_follows_the_page_and_changes_live(view: Open, name: Name) -> None:
    page = view(name, harness.SAMPLES[name][0])
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
    page = view(name, harness.SAMPLES[name][0])
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


IMPORT = "text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))"


@pytest.mark.parametrize("name", NAMES)
def test_the_streamlit_footer_draws_in_a_shadow_root_and_cleans_up(view: Open, name: Name) -> None:
    page = view(name, harness.SAMPLES[name][0])
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
        [source(name) + STREAMLIT_FOOTER, harness.SAMPLES[name][0]],
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
