"""The figures of the docs: `python docs/figures.py` draws them all anew, as the views and figures of the library draw
them for the app and for notebooks.

Each is one SVG with a light and a dark drawing, of which the page's theme shows one. Numbers come from designs, from
the recorded runs and from what `dfn compare` and `dfn depth-map` printed (`make recorded`).
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import plotly
from playwright.sync_api import Browser, Page, sync_playwright
from plotly.graph_objects import Figure

from dfn import notebook
from dfn.design.catalogue import fused
from dfn.design.paths import essential_depth, exchange, groups, path_spectrum
from dfn.design.picture import picture
from dfn.design.spec import Design
from dfn.figures.compare import Gap, Seeds, accuracies, accuracies_alt, differences, differences_alt
from dfn.figures.depth_map import depth_map, depth_map_alt
from dfn.figures.theme import PALETTES
from dfn.referee import grid, results
from dfn.referee.judge import difference
from dfn.runs.store import Run, Store
from dfn.training.comparisons import label
from dfn.views import Name, source

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "figures"
WIDTH = 800
IMAGE, FUSION = 7, 3

# Names inside a drawing are drawn by lot: the same ones every time, so that equal figures are equal files.
STEADY = "let seed = 1; Math.random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;"


@dataclass(frozen=True)
class Drawn:
    """What a figure is made of: `alt` says it in words, `view` names a view and `data` is what it draws; or `figure`
    gives a plotly figure for a light and for a dark page."""

    alt: str
    view: Name | None = None
    data: dict[str, Any] | None = None
    figure: Callable[[bool], Figure] | None = None


@cache
def figures() -> dict[str, Drawn]:
    """Every figure by the name of its file."""
    net = fused(deep=50, shallow=14, fusions=6, width=16, classes=10, in_channels=1)
    swapped = exchange(exchange(exchange(net, 2), 4), 6)
    origins = [[0, 1], [1, 0]] * 3
    return {
        "net": _net(net),
        "exchanged": _net(swapped, origins),
        "residual": _net(fused(deep=14, shallow=2, fusions=6, width=16, classes=10, in_channels=1)),
        "race": _race(),
        "maps": _maps(),
        "flow": _flow(),
        "seeds": _seeds(),
        "gaps": _gaps(),
        "depth-map": _depth_map(),
    }


def draw(page: Page, drawn: Drawn) -> str:
    """The figure as an SVG for both themes; `page` is any page of a browser."""
    drawings = {}
    for theme in PALETTES:
        page.goto("about:blank")  # what the last drawing left on the window is gone
        if drawn.view:
            page.set_content(_page_of_view(drawn.view, drawn.data or {}, theme))
            page.wait_for_function("window.drawing")
            drawings[theme] = page.evaluate("window.drawing")
        elif drawn.figure:
            figure = drawn.figure(theme == "dark")
            page.set_content("<!doctype html><div id=root></div>")
            page.evaluate(STEADY)
            page.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
            size = {"format": "svg", "width": WIDTH, "height": figure.layout.height}
            found = page.evaluate("([figure, size]) => Plotly.toImage(figure, size)", [figure.to_plotly_json(), size])
            drawings[theme] = page.evaluate("(url) => decodeURIComponent(url.split(',').slice(1).join(','))", found)
    return _both(drawings, drawn.alt)


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium to draw in: the system's, or Playwright's own."""
    here = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=here, args=["--no-sandbox"])
        yield started
        started.close()


def _net(net: Design, origins: list[list[int]] | None = None) -> Drawn:
    spectrum = path_spectrum(net)
    data = picture(net, (net.in_channels, 8, 8), origins)
    depths = " and ".join(str(lane["depth"]) for lane in data["lanes"])
    alt = (
        f"A fused net of base networks {depths} layers deep, joined {len(data['elements']) - 3} times by a sum: "
        f"{sum(spectrum.values())} paths of {min(spectrum)} to {max(spectrum)} layers, {groups(net)} groups of base "
        f"networks, essential depth {essential_depth(net)}."
    )
    return Drawn(alt, "net", {**data, "alt": alt, "compact": False, "selected": None})


def _recorded() -> list[tuple[str, str, Run]]:
    """(name at its curve, role, run) of the recorded race, the fused net first."""
    runs = {label(run.recipe): run for run in Store(ROOT / "assets" / "recorded").runs()}
    roles = {"fused 50 + 14": "fused", "plain 50": "plain", "plain 14": "shallow", "ResNet 50": "resnet"}
    return [(name, role, runs[name]) for name, role in roles.items()]


def _race() -> Drawn:
    series, said = [], []
    for name, role, run in _recorded():
        ends = [record for record in run.metrics() if record["event"] == "epoch"]
        accuracy = [100 * record["test_accuracy"] for record in ends]
        x = [record["epoch"] for record in ends]
        series.append({"id": run.id, "label": name, "role": role, "x": x, "y": accuracy, "markers": True})
        said.append(f"{name} {accuracy[-1]:.1f} %")
    panel = {"id": "accuracy", "title": "Test accuracy, every epoch", "unit": "%", "x_label": "epoch"}
    panel |= {"x_max": max(x), "epoch_steps": 1, "log": False, "y_min": 0, "y_max": 100}
    panel["series"] = [one | {"state": "done"} for one in series]
    alt = f"Test accuracy after {max(x)} epochs on digits, one seed: {', '.join(said)}."
    return Drawn(alt, "curves", {"panels": [panel], "height": 300})


def _maps() -> Drawn:
    run = _recorded()[0][2]
    view = notebook.maps(run, image=IMAGE, fusion=FUSION)
    panels = ", ".join(panel["title"] for panel in view.data["panels"])
    alt = f"Feature maps of test image {IMAGE} at fusion {FUSION} of the recorded fused net, on one scale: {panels}."
    return Drawn(alt, "maps", dict(view.data) | {"scrubber": False})


def _flow() -> Drawn:
    view = notebook.flow(_recorded()[0][2], image=IMAGE)
    parts, paths = ({bar["label"]: bar["value"] for bar in group["bars"]} for group in view.data["groups"])
    said = "; ".join(f"{depth} layers {part:.1f} ({paths[depth]:.1f})" for depth, part in parts.items())
    alt = f"Norm of the gradient's part by path length, in % of their sum, and in brackets the % of the paths: {said}."
    return Drawn(alt, "bars", dict(view.data))


def _compared() -> list[results.Result]:
    return results.from_data(json.loads((ROOT / "assets" / "comparison.json").read_text("utf-8"))["results"])


def _seeds() -> Drawn:
    nets = [Seeds(row.label, row.role, row.by_seed) for row in _compared()]
    return Drawn(accuracies_alt(nets), figure=lambda dark: accuracies(nets, dark))


def _gaps() -> Drawn:
    first, *others = _compared()
    found = [(row, difference(first.by_seed, row.by_seed)) for row in others]
    gaps = [Gap(row.label, row.role, gap.by_seed, gap.mean, gap.interval) for row, gap in found if gap]
    return Drawn(differences_alt(first.label, gaps), figure=lambda dark: differences(first.label, gaps, dark))


def _depth_map() -> Drawn:
    cells = grid.from_data(json.loads((ROOT / "assets" / "depth_map.json").read_text("utf-8"))["cells"])
    values = {(row.cell.deep, row.cell.shallow): row.accuracy for row in cells if row.cell.fusions == 6}
    title = "Test accuracy in %, six fusions"
    return Drawn(
        depth_map_alt(values, "accuracy", "Six fusions, one seed"),
        figure=lambda dark: depth_map(values, "accuracy", title, dark=dark),
    )


def _page_of_view(name: Name, data: dict[str, Any], theme: str) -> str:
    text = json.dumps({**data, "palette": PALETTES}).replace("</", "<\\/")
    background = PALETTES[theme]["card"]
    return f"""<!doctype html><html lang="en" style="--st-background-color: {background}">
<body style="margin: 0; background: {background}; font-family: sans-serif">
<main style="width: {WIDTH}px"><div id="root"></div></main>
<script>{STEADY}</script>
<script type="module">
{source(name)}
const root = document.getElementById("root");
draw(root, {text}, () => {{}});
setTimeout(() => (window.drawing = toSvg(root).text), 200);
</script></body></html>"""


def _both(drawings: dict[str, str], alt: str) -> str:
    """One SVG of equally large drawings; a browser gives an image the theme of the element that shows it."""
    size = drawings["light"].partition(">")[0]
    width, height = (size.partition(f'{side}="')[2].partition('"')[0] for side in ("width", "height"))
    parts = [f'<g class="{theme}">{drawing}</g>' for theme, drawing in drawings.items()]
    style = ".dark{display:none}@media (prefers-color-scheme: dark){.light{display:none}.dark{display:inline}}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return "\n".join([head, f"<title>{escape(alt)}</title><style>{style}</style>", *parts, "</svg>", ""])


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    shutil.copy(ROOT / "assets" / "icon.svg", FOLDER)
    with browser() as started:
        page = started.new_page(viewport={"width": WIDTH, "height": 900}, reduced_motion="reduce")
        for name, drawn in figures().items():
            (FOLDER / f"{name}.svg").write_text(draw(page, drawn), "utf-8")


if __name__ == "__main__":
    main()
