"""The gradient on its way back: norm by place beside the nets trained apart, over training, and what each block hands
back at every fusion."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cached
import streamlit as st
from flow_data import Rows

from dfn.insight.maps import lane_words
from dfn.runs.store import Run
from dfn.views.learning import thin
from dfn.words import _
from widgets import view
from widgets.method_choice import spot_words

if TYPE_CHECKING:
    from dfn.insight.gradients import Flow, HandedBack

Net = tuple[str, str, Rows]
"""The label, the role and the norms by place of one net."""


def show_places(nets: Sequence[Net], on: str) -> None:
    """Bars from stem to last place for every net, and what they say; `on` names the images."""
    groups = []
    for label, role, rows in nets:
        for prefix, row in rows.items():
            name = label
            if prefix:
                name = _("{label}, {name} net").format(label=label, name=lane_words(prefix.rpartition("/")[2]))
            groups.append({"label": name, "role": role, "bars": bars(row)})
    words = {"title": _("Gradient norm of the maps"), "subtitle": _("stem to last, log scale")}
    view.show("bars", {**words, "unit": "", "log": True, "groups": groups}, key="flow-places")
    st.markdown(" ".join(grown(group["label"], [bar["value"] for bar in group["bars"]]) for group in groups))
    st.caption(
        _(
            "The norm of d loss / d map behind each place, in nats per unit of the map, {on}. The loss is the "
            "cross-entropy of the true class; batch norm is in eval mode, a fixed scale and shift."
        ).format(on=on)
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
    words = {"title": _("Handed back at each fusion"), "subtitle": _("by each block, log scale")}
    groups = [{"label": _("all that comes back (pale), and by block"), "role": "fused", "bars": meter}]
    view.show("bars", {**words, "unit": "", "log": True, "groups": groups}, key="flow-handed-back")
    st.markdown(ratio(flow.fusions))
    st.caption(
        _(
            "The norm of the gradient that a block hands to the map that it reads, in the same unit, {on}. Where "
            "blocks agree, their gradients add up; where they cancel, less comes back than the larger one brings."
        ).format(on=on)
    )


def show_training(nets: Sequence[tuple[str, str, Run]]) -> None:
    """The gradient of the weights over training, at the stem and at the last place, from the runs' own records."""
    found = [(run.id, label, role, cached.weight_norms(str(run.folder), _size(run))) for label, role, run in nets]
    found = [net for net in found if "stem" in net[3]]
    if not found:
        st.caption(_("This run wrote down no gradient norms from block to block."))
        return
    end = max(curves["stem"][0][-1] for *_net, curves in found)
    panels = []
    titles = {"first": _("Gradient of the weights of the stem"), "last": _("Gradient of the weights of the last block")}
    for id, title in titles.items():
        series = [
            {"id": run, "label": label, "role": role, "state": "", "markers": False, **_thinned(curves, id)}
            for run, label, role, curves in found
        ]
        axis = {"unit": _("norm"), "x_label": _("step"), "x_max": end, "epoch_steps": None}
        scale = {"log": True, "y_min": None, "y_max": None, "series": series}
        panels.append({"id": id, "title": title, **axis, **scale})
    view.show("curves", {"panels": panels, "height": 260}, key="flow-training")
    st.caption(
        _(
            "Written down while the nets learned, every 10 steps: the norm of d loss / d weights over one batch, with "
            "the batch's own statistics. A log scale; the bars above are of maps, not of weights."
        )
    )


def bars(row: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"label": _("stem") if place == "stem" else place, "value": value} for place, value in row.items()]


def grown(label: str, norms: Sequence[float]) -> str:
    """By how much the gradient changes on the way from the last place back to the stem."""
    first, last = norms[0], norms[-1]
    if len(norms) < 2 or not first or not last:
        return _("In **{label}** no gradient arrives.").format(label=label) if not first else ""
    times = first / last
    if 0.8 < times < 1.25:
        text = _("In **{label}** the gradient reaches the stem about as strong as it left the last block.")
    elif times > 1:
        text = _("In **{label}** the gradient grows **{times}-fold** on its way from the last block to the stem.")
    else:
        text = _("In **{label}** the gradient shrinks to **1/{times}** on its way from the last block to the stem.")
    return text.format(label=label, times=f"{max(times, 1 / times):.3g}")


def ratio(fusions: "Sequence[HandedBack]") -> str:
    """How much one block hands back for what the other does, over all fusions."""
    lanes = list(fusions[0].blocks)
    first, other = lanes[0], lanes[-1]
    ratios = {f.fusion: f.blocks[other] / f.blocks[first] for f in fusions if f.blocks[first]}
    if len(lanes) < 2 or not ratios:
        return ""
    low, high = min(ratios, key=lambda key: ratios[key]), max(ratios, key=lambda key: ratios[key])
    if low == high:
        text = _("The {other} hands back **{ratio:.2f}** times what the {first} does.")
        return text.format(other=spot_words(other), first=spot_words(first), ratio=ratios[low])
    return _(
        "The {other} hands back between **{low:.2f}** times (fusion {low_at}) and **{high:.2f}** times (fusion "
        "{high_at}) what the {first} does."
    ).format(
        other=spot_words(other),
        first=spot_words(first),
        low=ratios[low],
        high=ratios[high],
        low_at=low.removeprefix("fusion"),
        high_at=high.removeprefix("fusion"),
    )


def _thinned(curves: Mapping[str, tuple[list[int], list[float]]], which: str) -> dict[str, Sequence[float]]:
    x, y = curves["stem"] if which == "first" else list(curves.values())[-1]
    x, y = thin(x, y)
    return {"x": x, "y": y}


def _size(run: Run) -> int:
    return run.metrics_file.stat().st_size if run.metrics_file.exists() else 0
