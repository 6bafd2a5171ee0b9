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
# # 05  Multi-scale maps, fused and unfused
#
# The paper's first benefit of fusion is that the net "learns multi-scale representations from many more base
# networks": paths of different length see the image at different scales, and what they see meets in one map. It adds
# that "even same-scale representations can be different and learnt from different base networks" (arXiv 1605.07716,
# section 2). You will count the scales, look at the maps of a fused net and of the same nets unfused, and measure
# which of them tell of coarse things and which of fine ones, on images where that is known.
#
# About 25 minutes. It helps to know notebooks 01 and 03.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, TRAIN_IMAGES, DEEP, SCENES, IMAGES = (1, 200, 14, 4, 32) if SHORT else (6, 2000, 20, 16, 100)
SIZE, SHALLOW, FUSIONS = 16, 8, 6

# %% [markdown]
# ## How many scales?
#
# A conv of 3x3 pixels sees one pixel more to every side than the map that it reads. So the *receptive field* of a
# path, the side of the square of pixels that one place of the last map can see by it, grows with the convs on the
# path. A plain net has one path and one size.
#
# **Predict.** How many different sizes do the 64 paths of the fused net have?

# %%
predicted = {"plain": None, "fused": None}

# %%
from dfn.design.paths import receptive_fields

common = {"width": 8, "fusions": FUSIONS, "classes": 9, "in_channels": 3}
plain = dfn.catalogue()["plain"].make
designs = {
    "fused": dfn.fused(deep=DEEP, shallow=SHALLOW, **common),
    "deep alone": plain(depth=DEEP, **common),
    "shallow alone": plain(depth=SHALLOW, **common),
}
fields = {name: receptive_fields(design) for name, design in designs.items()}
notebook.reveal(
    predicted, {"plain": len(fields["deep alone"]), "fused": len(fields["fused"])}, "Sizes of receptive fields", "sizes"
)

# %% [markdown]
# They are more than the lengths of the paths, because a conv behind a stride of 2 widens the field by 4 pixels and one
# behind two strides by 8: it matters *where* a path goes deep. By size, in pixels (many are larger than the image; what
# lies outside is padding):

# %%
roles = {"fused": "fused", "deep alone": "deep", "shallow alone": "shallow"}
notebook.bars(
    {name: (roles[name], sizes) for name, sizes in fields.items() if name == "fused"},
    "Paths by their receptive field",
    "paths",
    f"pixels along one side; deep alone {max(fields['deep alone'])}, shallow alone {max(fields['shallow alone'])}",
)

# %% [markdown]
# Fusion by fusion: what a place of the joined map can see, and by how many ways.

# %%
from dfn.insight.fields import theoretical_fields

for fusion in range(1, FUSIONS + 1):
    sizes = theoretical_fields(designs["fused"], f"fusion{fusion}/joined").sizes()
    ways = sum(sizes.values())
    print(f"fusion {fusion}: {len(sizes):2} sizes from {min(sizes)} to {max(sizes)} pixels, by {ways} paths")

# %% [markdown]
# ## Images with something coarse and something fine
#
# The set *scales* is synthetic: a class is a pair of a coarse shape (disc, square, triangle) and a fine texture
# (vertical stripes, horizontal stripes, checks). One scale is not enough to tell all nine apart. Three nets learn it:
# the fused net and its two base networks, apart.

# %%
from dfn.runs.weights import data_of, net_after

settings = {"data": "scales", "size": SIZE, "train_limit": TRAIN_IMAGES, "test_limit": 360, "epochs": EPOCHS, "seed": 0}
runs = {
    name: notebook.trained(dfn.Recipe(design=design, net="fused" if name == "fused" else "plain", **settings))
    for name, design in designs.items()
}
nets = {name: net_after(run) for name, run in runs.items()}
for name, run in runs.items():
    print(f"{name:14} {run.status().test_accuracy:.1%} of the test images (a guess: {1 / 9:.1%})")

# %% [markdown]
# ## Deep + shallow = fused
#
# The maps of one image, all channels, on one scale. Point at a place to read its sum; press play to watch the maps
# form, epoch by epoch. Look for channels that both blocks fill, for channels that only one of them fills, and for
# places where one says plus and the other minus.

# %%
notebook.maps(runs["fused"], image=7, fusion=3)

# %% [markdown]
# The same place in the same networks **unfused**, trained apart on the same images. Their channels have no common order
# with those above: channel 3 here has nothing to do with channel 3 there.

# %%
notebook.maps(runs["deep alone"], image=7, fusion=3)

# %%
notebook.maps(runs["shallow alone"], image=7, fusion=3)

# %% [markdown]
# Do the two blocks of a fusion say the same? The *cosine* between their maps is 1 where they do, 0 where they have
# nothing to do with each other, -1 where they cancel.
#
# **Predict** it for the first and for the last fusion.

# %%
predicted = {"fusion 1": None, f"fusion {FUSIONS}": None}

# %%
from dfn.insight.similarity import alignment, meetings

data = data_of(runs["fused"])
images = data.normalise(data.test.images[:IMAGES])
met = {meeting.fusion.replace("fusion", "fusion "): meeting for meeting in meetings(nets["fused"], images)}
cosines = {name: meeting.cosine["deep", "shallow"] for name, meeting in met.items()}
notebook.reveal(predicted, cosines, "Cosine between the deep and the shallow map")

# %% [markdown]
# And how much of the sum is whose? The share of each block in the sum of absolute values:

# %%
notebook.bars(
    {f"{lane} block": (lane, {name: 100 * m.shares[lane] for name, m in met.items()}) for lane in ("deep", "shallow")},
    "Whose map it is",
    "%",
    f"share in the sum of |values|, {IMAGES} images",
)

# %% [markdown]
# ## What a place really sees
#
# The receptive field is what a place *can* see. What it does see is measured by the gradient: how much does each pixel
# count for the middle of the map? Deep block, shallow block and joined map of fusion 4, each scaled to its own largest
# pixel. (After Luo, Li, Urtasun, Zemel, arXiv 1701.04128.)

# %%
from dfn.figures.maps import tiles
from dfn.insight.fields import effective_field, side_of_share

middle = SIZE // 4  # fusion 4 works at half the size of the image
seen = {
    name: effective_field(nets["fused"], images[:8], f"fusion4/{name}", middle, middle)
    for name in ("deep", "shallow", "joined")
}
tiles({name: (field / field.max())[None].numpy() for name, field in seen.items()}, "What the middle of fusion 4 sees")

# %%
for name, field in seen.items():
    sizes = theoretical_fields(designs["fused"], f"fusion4/{name}").sizes()
    side = side_of_share(field, 2 * middle, 2 * middle, 0.5)
    print(f"{name:8} can see {min(sizes)} to {max(sizes)} pixels; half of what counts lies in a square of {side}")

# %% [markdown]
# ## Coarse and fine evidence
#
# On this set the truth is known, so the question can be put exactly. The same scene (place, colours, clutter) is
# drawn in all nine versions. How much of a map's variance goes with the shape alone, how much with the texture alone?
# (Two-way analysis of variance.)
#
# **Predict.** Where is more of the *texture*: in the joined map of the first fusion, or in that of the last? Give both
# shares in percent; the rest is shape, both together, and what differs from scene to scene.

# %%
predicted = {"fusion 1": None, f"fusion {FUSIONS}": None}

# %%
from torch.nn.functional import adaptive_avg_pool2d

from dfn.data.scales import versions
from dfn.insight.evidence import evidence

scenes = adaptive_avg_pool2d(data.normalise(versions(SCENES).images), (SIZE, SIZE)).unflatten(0, (SCENES, 3, 3))
told = evidence(nets["fused"], scenes)
texture = {f"fusion {f}": 100 * told[f"fusion{f}/joined"].fine for f in range(1, FUSIONS + 1)}
notebook.reveal(predicted, texture, "Variance of the joined map that goes with the texture alone", "%")

# %% [markdown]
# By block: does the shallow lane carry one kind of evidence and the deep lane the other? The story is tempting. Look
# whether the bars tell it.

# %%
notebook.bars(
    {
        f"{lane} block": (lane, {f"fusion {f}": 100 * told[f"fusion{f}/{lane}"].fine for f in range(1, FUSIONS + 1)})
        for lane in ("deep", "shallow")
    },
    "Texture alone, by block",
    "% of the variance",
)

# %%
notebook.bars(
    {
        f"{lane} block": (lane, {f"fusion {f}": 100 * told[f"fusion{f}/{lane}"].coarse for f in range(1, FUSIONS + 1)})
        for lane in ("deep", "shallow")
    },
    "Shape alone, by block",
    "% of the variance",
)

# %% [markdown]
# Fused and unfused side by side, at the last place before the classifier:

# %%
last = {"fused": f"fusion{FUSIONS}/joined", "deep alone": f"block{FUSIONS}", "shallow alone": f"block{FUSIONS}"}
apart = {name: evidence(net, scenes)[last[name]] for name, net in nets.items()}
notebook.bars(
    {
        name: (
            roles[name],
            {"shape alone": 100 * e.coarse, "texture alone": 100 * e.fine, "both together": 100 * e.both},
        )
        for name, e in apart.items()
    },
    "Evidence in the last map, fused and unfused",
    "% of the variance",
)

# %% [markdown]
# Read these with the accuracies above: a net that has not learned the task has little evidence of either kind. And it
# is one seed on one set.
#
# ## The same scale, another representation
#
# The deep block of fusion 3 in the fused net and block 3 of the deep network alone have the same convs and the same
# largest field. Are their maps alike? Channels have no common order, so the question is whether the same images look
# alike to both: *centred kernel alignment*, 1 for the same up to rotation and scale. Beside it what it reads by
# chance, when the images of one are shuffled.

# %%
like = {
    f"block {f}": alignment(nets["fused"], nets["deep alone"], images, f"fusion{f}/deep", f"block{f}")
    for f in range(1, FUSIONS + 1)
}
notebook.bars(
    {
        "deep block, fused and alone": ("deep", {name: one.value for name, one in like.items()}),
        "by chance": ("plain", {name: one.shuffled for name, one in like.items()}),
    },
    "How alike the deep maps are, fused and unfused",
    "alignment",
    f"{IMAGES} images",
)

# %% [markdown]
# ## Exercises
#
# Write your answer in the place of `None`, run the cell, then the folded cell below it.
#
# **Exercise 1.** Which side, in pixels, has the smallest receptive field among the paths of the fused net, at its last
# map?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_1, min(fields["fused"]))

# %% [markdown]
# **Exercise 2.** How many paths lead to the joined map of fusion 3? Compute it from `theoretical_fields`, or think.

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, sum(theoretical_fields(designs["fused"], "fusion3/joined").paths.values()))

# %% [markdown]
# **Exercise 3.** At which fusion, as a number, do the deep and the shallow block agree most (largest cosine)?

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_3, int(max(cosines, key=cosines.get).split()[1]))

# %% [markdown]
# **Exercise 4.** At what share of its places, in percent, do the two blocks of fusion 2 have opposite signs? It is in
# `met`. (One point is near enough.)

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_4, 100 * met["fusion 2"].opposite_signs["deep", "shallow"], within=1)

# %% [markdown]
# **Exercise 5.** In which of the three nets does the last map tell most of the texture alone? Write its name.

# %%
answer_5 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_5, max(apart, key=lambda name: apart[name].fine))

# %% [markdown]
# ## What you know now
#
# The paths of a fused net see many scales and a plain net sees one. What they can see and what they do see are two
# measurements. Whether the lanes share out coarse and fine evidence is a question to the net that you trained, and
# not a thing to be read off the drawing.
#
# Next: `06_attribution`.
