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
# # 01  The idea and the net
#
# A *deeply-fused net* takes two networks, a deep and a shallow one, and lets their maps meet several times on the way:
# after every block the two maps are added, and the sum is the next input of **both** (Wang, Wei, Zhang, Zeng:
# *Deeply-Fused Nets*, arXiv 1605.07716, sections 1 and 2). You will make such a net, do the arithmetic of one fusion by
# hand, count its paths, and see what the idea is for, and what it is not for.
#
# About 20 minutes. Run a cell with Shift and Enter. Where a place says `None`, write your guess before you go on:
# people who predict first remember more.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, DEEP, WIDTH = (1, 26, 8) if SHORT else (5, 50, 16)

# %% [markdown]
# ## Two numbers make a net
#
# Change the three numbers and look at the drawing. The upper lane is the deep base network, the lower one the shallow
# base network; a *block* is what lies between two fusions. The bars below count the ways from the image to the classes.
# Click a **+** in the drawing: its two blocks change places. What that means is the subject of notebook 02.

# %%
composer = notebook.compose(deep=50, shallow=14, fusions=6)
composer

# %% [markdown]
# ## One fusion, by hand
#
# A fusion is nothing but a sum, number by number, and then a ReLU: negative sums become 0. Here is a small net with the
# weights that it starts with, and one image of a digit. `trace` hands out every map by its name.
#
# **Predict.** The deep block says -0.4 at some place, the shallow block says 0.3. What does the joined map say there?
# Put your number in the place of `None`.

# %%
predicted = {"joined": None}

# %%
net = dfn.build(dfn.fused(deep=14, shallow=8, fusions=3, width=8, in_channels=1), seed=0).eval()
data = dfn.load_data("digits")
image = data.normalise(data.test.images[7:8])
logits, maps = net.trace(image)
print({name: tuple(values.shape[1:]) for name, values in maps.items() if "fusion1" in name})

notebook.reveal(predicted, {"joined": max(0.0, -0.4 + 0.3)}, "The joined map at that place")

# %% [markdown]
# Now in the net itself. All channels of the first fusion, on one scale: blue is negative, red is positive. In the third
# panel blue is gone.

# %%
notebook.maps(net, image[0], fusion=1)

# %% [markdown]
# The maps are the net's own tensors, so the arithmetic can be checked at every place at once. The largest difference
# between the sum done here and the map in the net:

# %%
by_hand = (maps["fusion1/deep"] + maps["fusion1/shallow"]).clamp(min=0)
print("largest difference:", (by_hand - maps["fusion1/joined"]).abs().max().item())

# %% [markdown]
# ## Paths
#
# At every fusion a way through the net may come out of either block, whichever block it came out of before: behind a
# fusion both blocks read the same joined map. So the choices multiply.
#
# **Predict.** How many ways lead from the image to the classes in the net with 2 base networks and 6 fusions?

# %%
predicted = {"paths": None}

# %%
design = dfn.fused(deep=50, shallow=14, fusions=6, width=8, in_channels=1)
spectrum = dfn.path_spectrum(design)
notebook.reveal(predicted, {"paths": sum(spectrum.values())}, "Ways through the net")

# %% [markdown]
# Each way has its own length. Only one goes through all six deep blocks, and only one through all six shallow ones; the
# many in between mix them. The same counts without a drawing, and what else follows from the design alone, before any
# weight exists:

# %%
for depth, count in spectrum.items():
    print(f"{count:3} ways of {depth} layers")
print("groups of base networks that form this very net:", dfn.groups(design))
print("essential depth:", dfn.essential_depth(design))
print(f"parameters: {dfn.cost(design, (1, 8, 8)).parameters:,}")

# %% [markdown]
# *Essential depth*: other pairs of base networks form the same net, and this is how deep the deeper one has to be in
# the most balanced pair. The paper has the idea in words (the fused net "could be composed from a less deep base
# network"); the number is this lab's definition. Notebook 02 shows how the pairs come about.

# %% [markdown]
# ## What it is for
#
# A network with many layers one after another is hard to train. The paper says that fusing it with a shallow one makes
# it less hard: the essential depth is smaller, and by some way every layer is near the loss, or near the image.
#
# Three nets learn the same digits from the same seed: the fused net, its deep base network alone, its shallow base
# network alone.
#
# **Predict** the test accuracy of each, in percent. A guess among ten classes is right in 10 %.

# %%
predicted = {"fused": None, "deep alone": None, "shallow alone": None}

# %%
plain = dfn.catalogue()["plain"].make
racers = {
    "fused": dfn.fused(deep=DEEP, shallow=14, fusions=6, width=WIDTH, in_channels=1),
    "deep alone": plain(depth=DEEP, fusions=6, width=WIDTH, in_channels=1),
    "shallow alone": plain(depth=14, fusions=6, width=WIDTH, in_channels=1),
}
runs = {
    name: notebook.trained(dfn.Recipe(design=racer, data="digits", epochs=EPOCHS, seed=0))
    for name, racer in racers.items()
}
epochs = {name: [line for line in run.metrics() if line["event"] == "epoch"] for name, run in runs.items()}
measured = {name: 100 * found[-1]["test_accuracy"] for name, found in epochs.items()}
print({name: f"{accuracy:.1f} %" for name, accuracy in measured.items()})
notebook.reveal(predicted, measured, "Test accuracy", "%")

# %% [markdown]
# The whole way, epoch by epoch. Epoch 0 is before training.

# %%
from dfn.figures.curves import curves

roles = {"fused": "fused", "deep alone": "deep", "shallow alone": "shallow"}
lines = {
    name: (roles[name], [line["epoch"] for line in found], [line["test_accuracy"] for line in found])
    for name, found in epochs.items()
}
curves(lines, "Test accuracy on digits, one seed", "epoch", "test accuracy", percent=True)

# %% [markdown]
# ## What it is not for
#
# In the full run of five epochs the deep network alone hardly learns, and the same convs fused with a shallow partner
# learn well. That is the claim, and it holds here. But look at the orange curve: **the shallow network alone is at
# least as good on these small images.** Fusion makes the depth trainable; whether depth is needed is another
# question, and digits of eight by eight pixels do not need it. One seed is no proof either: notebook 09 is about
# that.

# %% [markdown]
# ## Exercises
#
# Write your answer in the place of `None` and run the cell, then the folded cell below it. The folded cell computes the
# right answer; it says whether yours is right and does not give it away.
#
# **Exercise 1.** Three networks instead of two, and four fusions. How many ways lead through the net?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
three = dfn.fused(bases=[26, 14, 8], fusions=4, width=8, in_channels=1)
notebook.check(answer_1, sum(dfn.path_spectrum(three).values()))

# %% [markdown]
# **Exercise 2.** Base networks of 38 and 14 layers, six fusions. Stem and classifier are one layer each, and the others
# are dealt to the blocks evenly. How many layers does a way through exactly two deep and four shallow blocks have, stem
# and classifier included?

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
by_depth = sorted(dfn.path_spectrum(dfn.fused(deep=38, shallow=14, fusions=6, width=8, in_channels=1)))
notebook.check(answer_2, by_depth[2])

# %% [markdown]
# **Exercise 3.** At how many places of `maps["fusion1/joined"]` did the ReLU write a 0 over a negative sum? Compute it
# from `maps`.

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_3, ((maps["fusion1/deep"] + maps["fusion1/shallow"]) < 0).sum())

# %% [markdown]
# **Exercise 4.** Use the three numbers of the drawing at the top, or `dfn.essential_depth`. Base networks of 50 and 14
# layers: which number of fusions from 1 to 6 gives the smallest essential depth? If several do, the smallest of them.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
depths = {
    f: dfn.essential_depth(dfn.fused(deep=50, shallow=14, fusions=f, width=8, in_channels=1)) for f in range(1, 7)
}
notebook.check(answer_4, min(depths, key=depths.get))

# %% [markdown]
# ## What you know now
#
# A fused net adds the maps of its base networks after every block and hands the sum to all of them. With K base
# networks and B fusions it has K to the power of B ways from the image to the classes. It makes a deep network
# trainable; on small images it does not beat its shallow base.
#
# Next: `02_blocks_and_exchange`, where one net turns out to be made of many pairs.
