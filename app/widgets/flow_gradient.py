"""The gradient on its way back: norm by place beside the nets trained apart, over training, and what each block hands
back at every fusion."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cached
import streamlit as st
from flow_data import Rows

from dfn.runs.store import Run
from dfn.views.learning import thin
from widgets import view

if TYPE_CHECKING:
    from dfn.insight.gradients import Flow, HandedBack

Net = tuple[str, str, Rows]
"""The label, the role and the norms by place of one net."""


def show_places(nets: Sequence[Net], on: str) -> None:
    """Bars from stem to last place for every net, and what they say; `on` names the images."""
    groups = []
    for label, role, rows in nets:
        for prefix, row in rows.items():
            name = f"{label}, {prefix.rpartition('/')[2]} net" if prefix else label
            groups.append({"label": name, "role": role, "bars": bars(row)})
    data = {"title": "Gradient norm of the maps", "subtitle": "stem to last, log scale", "unit": "", "log": True}
    view.show("bars", {**data, "groups": groups}, key="flow-places")
    st.markdown(" ".join(grown(group["label"], [bar["value"] for bar in group["bars"]]) for group in groups))
    st.caption(
        f"The norm of d loss / d map behind each place, in nats per unit of the map, {on}. The loss is the "
        "cross-entropy of the true class; batch norm is in eval mode, a fixed scale and shift."
    )


def show_handed_back(flow: "Flow", on: str) -> None:
    """The meter: at every fusion what comes back in all and what each block brings of it."""
    meter = [
        {
            "label": fusion.fusion.removeprefix("fusion"),
            "value": fusion.total,
            "parts": [{"role": lane, "value": value} for lane, value in fusion.blocks.items()],
        }
        for fusion in flow.fusions
    ]
    data = {"title": "Handed back at each fusion", "subtitle": "by each block, log scale", "unit": "", "log": True}
    groups = [{"label": "all that comes back (pale), and by block", "role": "fused", "bars": meter}]
    view.show("bars", {**data, "groups": groups}, key="flow-handed-back")
    st.markdown(ratio(flow.fusions))
    st.caption(
        f"The norm of the gradient that a block hands to the map that it reads, in the same unit, {on}. Where blocks "
        "agree, their gradients add up; where they cancel, less comes back than the larger one brings."
    )


def show_training(nets: Sequence[tuple[str, str, Run]]) -> None:
    """The gradient of the weights over training, at the stem and at the last place, from the runs' own records."""
    found = [(run.id, label, role, cached.weight_norms(str(run.folder), _size(run))) for label, role, run in nets]
    found = [net for net in found if "stem" in net[3]]
    if not found:
        st.caption("This run wrote down no gradient norms from block to block.")
        return
    end = max(curves["stem"][0][-1] for *_, curves in found)
    panels = []
    for id, title in (("first", "the stem"), ("last", "the last block")):
        series = [
            {"id": run, "label": label, "role": role, "state": "", "markers": False, **_thinned(curves, id)}
            for run, label, role, curves in found
        ]
        axis = {"unit": "norm", "x_label": "step", "x_max": end, "epoch_steps": None}
        scale = {"log": True, "y_min": None, "y_max": None, "series": series}
        panels.append({"id": id, "title": f"Gradient of the weights of {title}", **axis, **scale})
    view.show("curves", {"panels": panels, "height": 260}, key="flow-training")
    st.caption(
        "Written down while the nets learned, every 10 steps: the norm of d loss / d weights over one batch, with the "
        "batch's own statistics. A log scale; the bars above are of maps, not of weights."
    )


def bars(row: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"label": place, "value": value} for place, value in row.items()]


def grown(label: str, norms: Sequence[float]) -> str:
    """By how much the gradient changes on the way from the last place back to the stem."""
    first, last = norms[0], norms[-1]
    if len(norms) < 2 or not first or not last:
        return f"In **{label}** no gradient arrives." if not first else ""
    times = first / last
    if 0.8 < times < 1.25:
        return f"In **{label}** the gradient reaches the stem about as strong as it left the last block."
    change = f"grows **{times:.3g}-fold**" if times > 1 else f"shrinks to **1/{1 / times:.3g}**"
    return f"In **{label}** the gradient {change} on its way from the last block to the stem."


def ratio(fusions: "Sequence[HandedBack]") -> str:
    """How much one block hands back for what the other does, over all fusions."""
    lanes = list(fusions[0].blocks)
    first, other = lanes[0], lanes[-1]
    ratios = {f.fusion: f.blocks[other] / f.blocks[first] for f in fusions if f.blocks[first]}
    if len(lanes) < 2 or not ratios:
        return ""
    low, high = min(ratios, key=lambda key: ratios[key]), max(ratios, key=lambda key: ratios[key])
    if low == high:
        return f"The {other} block hands back **{ratios[low]:.2f}** times what the {first} block does."
    places = (key.removeprefix("fusion") for key in (low, high))
    return (
        f"The {other} block hands back between **{ratios[low]:.2f}** times (fusion {next(places)}) and "
        f"**{ratios[high]:.2f}** times (fusion {next(places)}) what the {first} block does."
    )


def _thinned(curves: Mapping[str, tuple[list[int], list[float]]], which: str) -> dict[str, Sequence[float]]:
    x, y = curves["stem"] if which == "first" else list(curves.values())[-1]
    x, y = thin(x, y)
    return {"x": x, "y": y}


def _size(run: Run) -> int:
    return run.metrics_file.stat().st_size if run.metrics_file.exists() else 0
