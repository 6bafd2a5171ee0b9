# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04  Information flow
#
# Why does fusion make a deep network trainable? The paper's answer is *information flow* (arXiv 1605.07716, section 2):
# through the other network the earlier layers of the deep one have a shorter way to the loss, and the later layers a
# shorter way from the image. You will count these ways, then measure what really flows along them: the gradient, taken
# apart exactly by the length of the path that it came along.
#
# About 20 minutes. It helps to know notebooks 01 and 03.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, DEEP, IMAGES = (1, 26, 16) if SHORT else (5, 50, 64)

# %% [markdown]
# ## How far is it to the loss?
#
# Take a conv of the deep network and count the layers behind it. Alone there is one way to the classifier, through all
# later blocks. In the fused net the way may leave the deep lane at the next fusion and go on through shallow blocks.
#
# **Predict.** The first conv of the deep base network of 50 layers, fused with 14 layers at six fusions (8 convs in
# every deep block, 2 in every shallow one): how many layers lie between it and the loss, at the least? Count the
# classifier, not the conv itself.

# %%
predicted = {"alone": None, "fused": None}

# %%
from dfn.design.paths import distances

design = dfn.fused(deep=50, shallow=14, fusions=6, width=8, in_channels=1)
deep_convs = [d for d in distances(design) if d.base == 0]
first = deep_convs[0]
notebook.reveal(
    predicted,
    {"alone": first.alone_to_output, "fused": first.to_output},
    "From the first deep conv to the loss",
    "layers",
)

# %% [markdown]
# All 48 convs of the deep network, from the loss backwards. The grey line climbs by one at each conv, as nothing can be
# skipped. The green one is a saw: inside a block there is no shortcut, behind each fusion there is one.

# %%
from dfn.figures.curves import curves

order = list(range(1, len(deep_convs) + 1))
curves(
    {
        "alone": ("plain", order, [d.alone_to_output for d in reversed(deep_convs)]),
        "fused": ("fused", order, [d.to_output for d in reversed(deep_convs)]),
    },
    title="Layers between a deep conv and the loss, on the shortest way",
    x_title="conv of the deep base network, counted from the loss",
    y_title="layers",
)

# %% [markdown]
# The same towards the image, counted from the image. Late convs gain most here, early convs gained most above:

# %%
curves(
    {
        "alone": ("plain", order, [d.alone_to_input for d in deep_convs]),
        "fused": ("fused", order, [d.to_input for d in deep_convs]),
    },
    title="Layers between the image and a deep conv, on the shortest way",
    x_title="conv of the deep base network, counted from the image",
    y_title="layers",
)

# %% [markdown]
# ## Does anything flow there?
#
# A short way is a possibility. Whether the gradient takes it is a measurement. Here are the fused net and its deep
# base network alone, with the weights that they start with, and a batch of digits. At every place: how strong is the
# gradient of the loss?
#
# **Predict.** In the plain net, how many times as strong (or weak) is the gradient at the stem as at the last block?
# 1 is the same, 0.01 a hundredth, 100 a hundred times as much.

# %%
predicted = {"plain": None, "fused": None}

# %%
from dfn.insight.gradients import gradient_flow

data = dfn.load_data("digits")
images, labels = data.normalise(data.test.images[:IMAGES]), data.test.labels[:IMAGES]
designs = {
    "fused": dfn.fused(deep=DEEP, shallow=14, fusions=6, width=8, in_channels=1),
    "plain": dfn.catalogue()["plain"].make(depth=DEEP, fusions=6, width=8, in_channels=1),
}
flows = {name: gradient_flow(dfn.build(net, seed=0), images, labels) for name, net in designs.items()}
rows = {
    name: {
        place.removesuffix("/joined"): norm
        for place, norm in flow.places.items()
        if place.count("/") == place.count("/joined")
    }
    for name, flow in flows.items()
}
ratio = {name: row["stem"] / list(row.values())[-1] for name, row in rows.items()}
print({name: f"{value:.3g}" for name, value in ratio.items()})
notebook.reveal(predicted, ratio, "Gradient at the stem, as a multiple of that at the last place", "times")

# %% [markdown]
# Place by place, from the image on, on a logarithmic scale. This is at the start, in eval mode: batch norm is a fixed
# scale and shift there.

# %%
notebook.bars(
    {
        f"{name}, at its {kind}": (
            role,
            {place.removeprefix(kind.rstrip("s")): norm for place, norm in rows[name].items()},
        )
        for name, kind, role in (("fused", "fusions", "fused"), ("plain", "blocks", "plain"))
    },
    "Gradient of the loss, place by place",
    "norm",
    f"mean over {IMAGES} images, before training",
    log=True,
)

# %% [markdown]
# What a fusion does to the gradient is simple: a sum hands it to both blocks unchanged, and each block hands back its
# own part to the map that it read. Fusion by fusion, from the last to the first: what the deep and the shallow blocks
# hand back, and what comes together.

# %%
back = {handed.fusion.removeprefix("fusion"): handed for handed in reversed(flows["fused"].fusions)}
notebook.bars(
    {
        "by the deep block": ("deep", {name: handed.blocks["deep"] for name, handed in back.items()}),
        "by the shallow block": ("shallow", {name: handed.blocks["shallow"] for name, handed in back.items()}),
        "together": ("fused", {name: handed.total for name, handed in back.items()}),
    },
    "Gradient handed back at every fusion",
    "norm",
    "last fusion first",
    log=True,
)

# %% [markdown]
# ## The gradient, taken apart by path length
#
# The derivative of a fused net is a product of sums, (deep + shallow) at every fusion. Multiplied out it has one term
# for each path. `gradient_by_length` gathers the terms by the number of layers on their paths, without walking the
# paths one by one. The parts must sum to what autograd says. Do they?

# %%
import torch

net = dfn.build(designs["fused"], seed=0).eval()
image = images[:1].clone().requires_grad_()
(whole,) = torch.autograd.grad(net(image)[0, labels[0]], image)
parts = dfn.gradient_by_length(net, images[:1], int(labels[0]))
missed = (sum(parts.values()) - whole).norm() / whole.norm()
print(f"{len(parts)} lengths; the sum misses autograd's gradient by {missed:.1e} of its norm (rounding)")

# %% [markdown]
# Now for a net that has learned.
#
# **Predict.** The paths of middle length are the most. Take the *shorter half* of the lengths that occur, the middle
# one not included: which share of the gradient (in norms) comes along them, in percent? Their share of the paths
# stands beside it.

# %%
predicted = {"of the gradient": None}

# %%
from dfn.runs.weights import net_after

run = notebook.trained(dfn.Recipe(design=designs["fused"], data="digits", epochs=EPOCHS, seed=0))
parts = dfn.gradient_by_length(net_after(run), images, labels)
norms = {length: part.flatten(1).norm(dim=1).mean().item() for length, part in parts.items()}
spectrum = dfn.path_spectrum(designs["fused"])
shorter = sorted(spectrum)[: len(spectrum) // 2]
measured = {
    "of the gradient": 100 * sum(norms[length] for length in shorter) / sum(norms.values()),
    "of the paths": 100 * sum(spectrum[length] for length in shorter) / sum(spectrum.values()),
}
print({name: f"{value:.1f} %" for name, value in measured.items()})
notebook.reveal(predicted, measured, f"Share of the lengths {shorter[0]} to {shorter[-1]}", "%")

# %% [markdown]
# For one image, length by length. The parts are vectors and may cancel, so their norms need not add up to the norm of
# the whole gradient; shares of the sum of norms are what is drawn. Try another image.

# %%
notebook.flow(run, image=7)

# %% [markdown]
# If the green bars lean to the left of the grey ones, the short paths carry more than their number says, and the net
# learns as a less deep one would; compare with the untrained net (`notebook.flow(net, images[0])`). For ResNets this
# was found by Veit, Wilber and Belongie (NIPS 2016, arXiv 1605.06431): the gradient of a 110-layer ResNet comes from
# paths 10 to 34 layers deep. Their critics are right, too: paths share weights, so they are not independent networks,
# and one measurement on one net does not prove the mechanism.

# %% [markdown]
# ## Exercises
#
# Write your answer in the place of `None`, run the cell, then the folded cell below it.
#
# **Exercise 1.** In `design` (50 + 14 layers, six fusions): how many of the 64 paths have at most 26 layers?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
paths = dfn.path_spectrum(design)
notebook.check(answer_1, sum(count for depth, count in paths.items() if depth <= 26))

# %% [markdown]
# **Exercise 2.** The same nets with *twelve* fusions instead of six: how many layers lie between the first deep conv
# and the loss then?

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, distances(dfn.fused(deep=50, shallow=14, fusions=12, width=8, in_channels=1))[0].to_output)

# %% [markdown]
# **Exercise 3.** In which of the two untrained nets is the gradient at the stem further away from the gradient at the
# last place: `fused` or `plain`? (Further means a ratio further from 1, whether above or below.)

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
from math import log

notebook.check(answer_3, max(ratio, key=lambda name: abs(log(ratio[name]))))

# %% [markdown]
# **Exercise 4.** Which path length carries the largest part of the trained net's gradient, on average over the
# images? Use `norms`.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_4, max(norms, key=norms.get))

# %% [markdown]
# ## What you know now
#
# Fusion shortens the ways from a deep conv to the loss and to the image. The gradient of a fused net can be taken
# apart by path length, exactly, and what flows along short and long paths is then a measurement and not a picture of
# thought.
#
# Next: `05_multi_scale_maps`.
