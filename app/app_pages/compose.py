"""Compose: two sliders, one fused net, and what the numbers say before anything is trained."""

import cached
import streamlit as st
from widgets import data_choice, net_controls, net_words, view
from widgets.words import million

from dfn.design.catalogue import plain
from dfn.design.nodes import SYMMETRIC_JOINS
from dfn.design.spec import to_json
from dfn.words import _, ngettext

with st.sidebar:
    info = data_choice.show()
    chosen = net_controls.show(info)

headlines = {
    2: (_("One fused net, two base networks"), _("Two networks that only vote")),
    3: (_("One fused net, three base networks"), _("Three networks that only vote")),
    4: (_("One fused net, four base networks"), _("Four networks that only vote")),
}
headline = headlines[len(chosen.bases)][chosen.fusions == 0]
with st.container(horizontal=True, vertical_alignment="center"):
    st.title(headline, anchor=False, width="stretch")
    view.copy_link()
    if st.button(_("Train it"), type="primary", icon=":material/play_arrow:"):
        # an empty set of parameters: without one Streamlit refuses to clear what widgets are bound to
        st.switch_page("app_pages/train.py", query_params={})

if chosen.fusions == 0:
    words = _(
        "Without fusions the base networks never meet: each sees the image and votes, and the votes are averaged. "
        "Move **Fusions** to let them share what they see on the way."
    )
elif chosen.join in SYMMETRIC_JOINS:
    words = _(
        "The base networks meet after every block, and the joined map is the next input of each. "
        "Click a join to exchange the blocks before it: other base networks, the same fused net."
    )
else:
    words = _(
        "The base networks meet after every block. A **{join}** gives every block a place of its own, so its "
        "blocks cannot be exchanged: choose **sum** to see what the paper's join makes possible."
    ).format(join=chosen.join)
st.markdown(words)

drawn = cached.drawing(chosen.text, info.shape, chosen.origins if chosen.fusions else None)
counts = cached.counts(chosen.text)
cost = cached.costs(chosen.text, info.shape)

depths = counts["depths"]
alt = _(
    "A fused net of base networks {depths} layers deep, joined {fusions} times by {join}: {paths} paths of {low} to "
    "{high} layers, essential depth {essential}."
).format(
    depths=", ".join(map(str, depths)),
    fusions=chosen.fusions,
    join=chosen.join,
    paths=sum(counts["spectrum"].values()),
    low=min(counts["spectrum"]),
    high=max(counts["spectrum"]),
    essential=counts["essential"],
)
event = view.show("net", {**drawn, "alt": alt, "compact": False, "selected": None}, key="net")
if net_controls.exchanged(event.get("exchange"), chosen):
    st.rerun()

alone = [
    cached.costs(to_json(plain(depth, chosen.fusions, chosen.width, design.classes, design.in_channels)), info.shape)
    for design in [chosen.design]
    for depth in chosen.bases
]
shallow, deep = min(counts["spectrum"]), max(counts["spectrum"])
paths = sum(counts["spectrum"].values())
bound = "" if counts["essential_exact"] else "≤ "
deepest = max(alone, key=lambda c: c.parameters)
beside = _("plain {depth}: {plain}; all base networks apart: {apart}")
parameters = beside.format(
    depth=max(chosen.bases), plain=million(deepest.parameters), apart=million(sum(c.parameters for c in alone))
)
macs = beside.format(depth=max(chosen.bases), plain=million(deepest.macs), apart=million(sum(c.macs for c in alone)))
cards = [
    ("paths", f"{paths:,}", _("paths"), _("of {low} to {high} layers").format(low=shallow, high=deep)),
    ("groups", f"{counts['groups']:,}", _("groups of base networks"), _("form this same net")),
    (
        "essential_depth",
        f"{max(depths)} → {bound}{counts['essential']}",
        _("essential depth"),
        _("of the deepest base network, after exchanges"),
    ),
    ("parameters", million(cost.parameters), _("parameters"), parameters),
    ("multiply_adds", million(cost.macs), _("multiply-adds an image"), macs),
]
for column, (part, value, name, more) in zip(st.columns(len(cards)), cards, strict=True):
    with column:
        view.figure(value, name, more, of=part)

left, right = st.columns([3, 2])
with left, view.part("distance"):
    bars = [
        {
            "label": _("plain, depth {depth}").format(depth=max(depths)),
            "role": "plain",
            "bars": [{"label": "", "value": max(depths)}],
        },
        {"label": _("fused, shortest way"), "role": "fused", "bars": [{"label": "", "value": shallow}]},
        {
            "label": _("shallow base alone, depth {depth}").format(depth=min(depths)),
            "role": "shallow",
            "bars": [{"label": "", "value": min(depths)}],
        },
    ]
    view.show(
        "bars",
        {
            "title": _("From the loss to the stem"),
            "subtitle": _("layers on the shortest way"),
            "unit": _("layers"),
            "log": False,
            "orientation": "horizontal",
            "groups": bars,
        },
        key="distance-bars",
    )
    st.caption(_("A distance only: what the gradient does on these ways is seen on the Train page, block by block."))
with right, view.part("scales"):
    fields = counts["fields"]
    low, high = min(fields), max(fields)
    size = info.shape[1]
    st.markdown(_("**Scales that the paths see**"))
    st.markdown(
        ngettext(
            "{count} receptive field, from **{low}×{low}** to **{high}×{high}** pixels of an image of {size}×{size}. "
            "A base network alone has one.",
            "{count} receptive fields, from **{low}×{low}** to **{high}×{high}** pixels of an image of {size}×{size}. "
            "A base network alone has one.",
            len(fields),
        ).format(count=len(fields), low=low, high=high, size=size)
    )
    st.caption(_("Theoretical receptive fields at the last map; a path counts with every conv it crosses."))

net_words.show(chosen, info)
