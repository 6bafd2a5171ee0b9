"""Sample data for the views, and a page that holds one view and nothing else."""

import base64
import json
from typing import Any

import numpy as np

from dfn.figures.theme import PALETTES
from dfn.views import Name, source

SIZES = ((32, 16), (16, 32), (8, 64))


def page(name: Name, data: dict[str, Any], *, dark: bool = False) -> str:
    """A page on which `show(data)` draws the view again and `events` holds what it emitted."""
    background = PALETTES["dark" if dark else "light"]["background"]
    text = json.dumps(data).replace("</", "<\\/")
    return f"""<!doctype html><html lang="en" style="--st-background-color: {background}">
<head><meta charset="utf-8"><title>{name}</title></head>
<body style="margin: 16px; background: var(--st-background-color); font-family: 'DejaVu Sans', sans-serif">
<main><div id="root"></div></main>
<script type="module">
{source(name)}
window.events = [];
window.show = (data) => draw(document.getElementById("root"), data, (name, value) => window.events.push([name, value]));
window.dispose = window.show({text});
window.ready = true;
</script></body></html>"""


def _convs(convs: int, stage: int) -> dict[str, Any]:
    size, channels = SIZES[stage]
    return {"kind": "convs", "convs": convs, "channels": channels, "size": [size, size]}


def net(
    depths: tuple[int, ...] = (50, 14),
    fusions: int = 6,
    *,
    join: str = "sum",
    swapped: tuple[int, ...] = (),
    names: tuple[str, ...] = ("deep", "shallow"),
    **more: Any,
) -> dict[str, Any]:
    """The data of net.js for a fused net with blocks of equal size; `swapped` fusions have their blocks rotated."""
    bases = len(depths)
    names = names if bases == len(names) else tuple(f"base{i + 1}" for i in range(bases))
    roles = ("deep", "shallow", *(f"base{i + 1}" for i in range(2, bases)))[:bases]
    elements: list[dict[str, Any]] = [
        {"kind": "image", "id": "input", "channels": 3, "size": [32, 32]},
        {"id": "stem", **_convs(1, 0)},
    ]
    spectrum: dict[int, tuple[int, list[int]]] = {2: (1, [])}
    stages: list[dict[str, Any]] = [{"shapes": [[s, s, c]], "elements": []} for s, c in SIZES]
    lane_depths = [2] * bases
    for index in range(1, fusions + 1):
        stage = (index - 1) * 3 // fusions
        blocks = [(depth - 2) // fusions + (index <= (depth - 2) % fusions) for depth in depths]
        order = [(lane + (index in swapped)) % bases for lane in range(bases)]
        branches = [
            {
                "id": f"fusion{index}/{names[lane]}",
                "lane": lane,
                "origin": origin,
                "depth": blocks[origin],
                "elements": [_convs(blocks[origin], stage)] if blocks[origin] else [],
            }
            for lane, origin in enumerate(order)
        ]
        size, channels = SIZES[stage]
        elements.append(
            {"kind": "fusion", "id": f"fusion{index}/joined", "index": index, "join": join, "exchangeable": True}
            | {"channels": channels, "size": [size, size], "selectable": True, "branches": branches}
        )
        stages[stage]["elements"].append(len(elements) - 1)
        longer: dict[int, tuple[int, list[int]]] = {}
        for depth, (count, example) in spectrum.items():
            for lane, branch in enumerate(branches):
                before, shown = longer.get(depth + branch["depth"], (0, [*example, lane]))
                longer[depth + branch["depth"]] = (before + count, shown)
        spectrum = longer
        lane_depths = [depth + branch["depth"] for depth, branch in zip(lane_depths, branches, strict=True)]
    elements.append({"kind": "head", "id": "logits", "classes": 10})
    return {
        "elements": elements,
        "stages": [stage for stage in stages if stage["elements"]],
        "lanes": [
            {"name": name, "role": role, "depth": depth}
            for name, role, depth in zip(names, roles, lane_depths, strict=True)
        ],
        "spectrum": [
            {"depth": depth, "count": str(count), "example": example}
            for depth, (count, example) in sorted(spectrum.items())
        ],
        "essential_depth": sorted(spectrum)[len(spectrum) // 2],
        "selected": None,
        "compact": False,
        "palette": PALETTES,
        "alt": f"A fused net of {bases} base networks with {fusions} fusions",
    } | more


def curves(points: int, *, steps: int = 110) -> dict[str, Any]:
    """The data of curves.js: two falling losses and an accuracy per epoch, `points` steps into the run."""
    series = [
        {"id": "r1", "label": "fused 50 + 14", "role": "fused", "fall": 0.96},
        {"id": "r2", "label": "plain 50", "role": "plain", "fall": 0.999},
    ]
    epochs = points // 22 + 1
    return {
        "panels": [
            {"id": "loss", "title": "Training loss", "unit": "nats", "x_label": "step", "x_max": steps, "log": False}
            | {"epoch_steps": 22, "y_min": 0, "y_max": None}
            | {
                "series": [
                    {key: s[key] for key in ("id", "label", "role")}
                    | {"x": list(range(points)), "y": [2.4 * s["fall"] ** i for i in range(points)]}
                    | {"markers": False, "state": "running"}
                    for s in series
                ]
            },
            {"id": "accuracy", "title": "Test accuracy", "unit": "%", "x_label": "epoch", "x_max": steps / 22}
            | {"epoch_steps": None, "log": False, "y_min": 0, "y_max": 100}
            | {
                "series": [
                    {key: s[key] for key in ("id", "label", "role")}
                    | {"x": list(range(epochs)), "y": [10 + 15 * i for i in range(epochs)]}
                    | {"markers": True, "state": "running"}
                    for s in series
                ]
            },
        ],
        "height": 300,
        "palette": PALETTES,
    }


def bars(factor: float = 1.0) -> dict[str, Any]:
    """The data of bars.js: gradient norms of a fused and a plain net."""
    fused = [{"label": "stem", "value": 0.31 * factor}]
    for block in (1, 2, 3):
        parts = [{"role": "deep", "value": 0.1 * factor}, {"role": "shallow", "value": 0.2 * factor}]
        fused.append({"label": str(block), "value": 0.25 * factor, "parts": parts})
    plain = [{"label": name, "value": 0.002 * factor} for name in ("stem", "1", "2", "3")]
    groups = [
        {"label": "fused", "role": "fused", "bars": fused},
        {"label": "plain 50", "role": "plain", "bars": plain},
    ]
    return {"title": "Gradient norm per block", "subtitle": "log scale", "unit": "", "log": True} | {
        "groups": groups,
        "palette": PALETTES,
    }


def maps(deep: np.ndarray, shallow: np.ndarray, **more: Any) -> dict[str, Any]:
    """The data of maps.js for a sum with ReLU. Both arrays: (epoch, channel, row, column)."""
    joined = np.maximum(deep.astype("<f2").astype("f4") + shallow.astype("<f2").astype("f4"), 0)
    epochs, channels, height, width = deep.shape

    def panel(name: str, title: str, role: str, values: np.ndarray) -> dict[str, Any]:
        data = base64.b64encode(values.astype("<f2").tobytes()).decode()
        return {"id": name, "title": title, "role": role, "data": data, "missing": False}

    return {
        "height": height,
        "width": width,
        "channels": channels,
        "epochs": list(range(epochs)),
        "epoch": epochs - 1,
        "panels": [
            panel("deep", "deep block", "deep", deep),
            panel("shallow", "shallow block", "shallow", shallow),
            panel("joined", "joined, then ReLU", "fused", joined),
        ],
        "operators": ["+", "="],
        "scale": "shared",
        "range": None,
        "arithmetic": {"terms": ["deep", "shallow"], "result": "joined", "join": "sum", "relu": True},
        "palette": PALETTES,
        "scrubber": True,
    } | more


def tiles(count: int = 30, selected: int = 0) -> dict[str, Any]:
    """The data of tiles.js: a sheet of grey squares, every third image called wrong."""
    sheet = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    shown = [
        {"id": 10 + number, "label": "7" if number % 3 else "7 → 1", "more": f"{99 - number} %"}
        | {"alt": f"Test image {10 + number}, 7"}
        for number in range(count)
    ]
    return {"title": f"{count} test images", "tiles": shown, "sheet": sheet, "columns": 12} | {
        "selected": 10 + selected,
        "palette": PALETTES,
    }


def some_maps(epochs: int = 4, channels: int = 8, size: int = 4, **more: Any) -> dict[str, Any]:
    """Random maps of a sum with ReLU, the same at every call."""
    random = np.random.default_rng(0)
    shape = (epochs, channels, size, size)
    return maps(random.normal(size=shape), random.normal(size=shape), **more)


def sketch(drawn: list[float] | None = None) -> dict[str, Any]:
    """The data of sketch.js for six epochs; with a drawn curve the measured one is shown."""
    truth = {"label": "plain 50", "role": "plain", "y": [12.0, 17.0, 17.0, 20.0, 25.0, 25.0]}
    fused = {"label": "fused 50 + 14", "role": "fused", "y": [11.0, 31.0, 65.0, 79.0, 82.0, 84.0]}
    data = {"title": "Test accuracy", "unit": "%", "x_label": "epoch", "x": list(range(6)), "low": 0, "high": 100}
    data |= {"beside": [fused], "truth": truth if drawn else None, "drawn": drawn, "button": "Show the measured curve"}
    return data | {"palette": PALETTES}


def tree(selected: str = "root", *, without: str = "") -> dict[str, Any]:
    """The data of tree.js: a root and five methods in three families; `without` is dimmed."""

    def method(name: str, role: str | None = None) -> dict[str, Any]:
        about = {"name": name, "title": f"method {name}", "says": f"What {name} changes. And what it keeps."}
        return {**about, "role": role, "shown": name != without}

    net = [
        {"name": "shortcut", "says": "a short way", "methods": [method("resnet", "resnet"), method("highway")]},
        {"name": "views", "says": "other eyes", "methods": [method("columns")]},
    ]
    training = [{"name": "start", "says": "other weights", "methods": [method("lsuv"), method("glorot")]}]
    sides = [{"title": "another net", "families": net}, {"title": "another training", "families": training}]
    data = {"root": method("root", "fused"), "sides": sides, "selected": selected}
    return data | {"alt": "A family tree of 5 methods", "palette": PALETTES}


SAMPLES: dict[Name, list[dict]] = {
    "net": [net(), net(swapped=(2,))],
    "curves": [curves(40), curves(60)],
    "bars": [bars(), bars(1.3)],
    "maps": [some_maps(4), some_maps(5)],
    "tiles": [tiles(), tiles(selected=3)],
    "sketch": [sketch(), sketch(drawn=[20.0] * 6)],
    "tree": [tree(), tree("lsuv")],
}
"""Two states of every view."""
