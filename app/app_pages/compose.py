"""Compose: two sliders, one fused net, and what the numbers say before anything is trained."""

import cached
import streamlit as st
from widgets import data_choice, net_controls, net_words, view
from widgets.words import million, plural

from dfn.design.catalogue import plain
from dfn.design.nodes import SYMMETRIC_JOINS
from dfn.design.spec import to_json

NUMBER_WORDS = {2: "two", 3: "three", 4: "four"}

with st.sidebar:
    info = data_choice.show()
    chosen = net_controls.show(info)

count = NUMBER_WORDS[len(chosen.bases)]
headline = (
    f"One fused net, {count} base networks" if chosen.fusions else f"{count.capitalize()} networks that only vote"
)
with st.container(horizontal=True, vertical_alignment="center"):
    st.title(headline, anchor=False, width="stretch")
    view.copy_link()
    if st.button("Train it", type="primary", icon=":material/play_arrow:"):
        # an empty set of parameters: without one Streamlit refuses to clear what widgets are bound to
        st.switch_page("app_pages/train.py", query_params={})

if chosen.fusions == 0:
    words = (
        "Without fusions the base networks never meet: each sees the image and votes, and the votes are averaged. "
        "Move **Fusions** to let them share what they see on the way."
    )
elif chosen.join in SYMMETRIC_JOINS:
    words = (
        "The base networks meet after every block, and the joined map is the next input of each. "
        "Click a join to exchange the blocks before it: other base networks, the same fused net."
    )
else:
    words = (
        f"The base networks meet after every block. A **{chosen.join}** gives every block a place of its own, so its "
        "blocks cannot be exchanged: choose **sum** to see what the paper's join makes possible."
    )
st.markdown(words)

drawn = cached.drawing(chosen.text, info.shape, chosen.origins if chosen.fusions else None)
counts = cached.counts(chosen.text)
cost = cached.costs(chosen.text, info.shape)

depths = counts["depths"]
alt = (
    f"A fused net of base networks {', '.join(map(str, depths))} layers deep, joined {chosen.fusions} times by "
    f"{chosen.join}: {sum(counts['spectrum'].values())} paths of {min(counts['spectrum'])} to "
    f"{max(counts['spectrum'])} layers, essential depth {counts['essential']}."
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
beside = f"plain {max(chosen.bases)}: {{}}; all base networks apart: {{}}"
apart = [sum(c.parameters for c in alone), sum(c.macs for c in alone)]
cards = [
    (f"{paths:,}", "paths", f"of {shallow} to {deep} layers"),
    (f"{counts['groups']:,}", "groups of base networks", "form this same net"),
    (
        f"{max(depths)} → {bound}{counts['essential']}",
        "essential depth",
        "of the deepest base network, after exchanges",
    ),
    (million(cost.parameters), "parameters", beside.format(million(deepest.parameters), million(apart[0]))),
    (million(cost.macs), "multiply-adds an image", beside.format(million(deepest.macs), million(apart[1]))),
]
for column, (value, name, more) in zip(st.columns(len(cards)), cards, strict=True):
    with column:
        view.figure(value, name, more)

left, right = st.columns([3, 2])
with left, st.container(border=True):
    bars = [
        {"label": f"plain, depth {max(depths)}", "role": "plain", "bars": [{"label": "", "value": max(depths)}]},
        {"label": "fused, shortest way", "role": "fused", "bars": [{"label": "", "value": shallow}]},
        {
            "label": f"shallow base alone, depth {min(depths)}",
            "role": "shallow",
            "bars": [{"label": "", "value": min(depths)}],
        },
    ]
    view.show(
        "bars",
        {
            "title": "From the loss to the stem",
            "subtitle": "layers on the shortest way",
            "unit": "layers",
            "log": False,
            "orientation": "horizontal",
            "groups": bars,
        },
        key="distance",
    )
    st.caption("A distance only: what the gradient does on these ways is seen on the Train page, block by block.")
with right, st.container(border=True):
    fields = counts["fields"]
    low, high = min(fields), max(fields)
    size = info.shape[1]
    st.markdown("**Scales that the paths see**")
    st.markdown(
        f"{plural(len(fields), 'receptive field')}, from **{low}×{low}** to **{high}×{high}** pixels of an image of "
        f"{size}×{size}. A base network alone has one."
    )
    st.caption("Theoretical receptive fields at the last map; a path counts with every conv it crosses.")

net_words.show(chosen, info)
