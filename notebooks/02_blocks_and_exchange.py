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
# # 02  Base networks, blocks and exchange
#
# Swap two blocks that meet at a fusion. The two base networks are others now, perhaps of other depths, and the fused
# net is the same: the paper's *block-exchangeable property* (arXiv 1605.07716, section 2). You will see it, prove it
# on a trained net to the last bit, find where it ends, and use it: it says how deep a fused net really has to be.
#
# About 20 minutes. It helps to know notebook 01.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, IMAGES = (1, 64) if SHORT else (6, 360)

# %% [markdown]
# ## Which base networks?
#
# A base network takes one block before every fusion. `base_depths` says how deep the two are as they are drawn.
#
# **Predict.** In the net below the blocks of the second fusion change places. Base networks of 26 and 8 layers become a
# pair of which depths? (When you have written it down, click the second **+** in the drawing.)

# %%
from dfn.design.paths import base_depths, base_networks, exchange

design = dfn.fused(deep=26, shallow=8, fusions=6, width=8, in_channels=1)
predicted = {"deeper one": None, "shallower one": None}

# %%
diagram = notebook.net(design, (1, 8, 8))
diagram

# %%
swapped = exchange(design, fusion=2)
measured = {"deeper one": max(base_depths(swapped)), "shallower one": min(base_depths(swapped))}
notebook.reveal(predicted, measured, "Depths of the base networks after one exchange", "layers")

# %% [markdown]
# The exchange as it is drawn, with every block in the colour of the network that it came from. Compare the bars: the
# paths did not change.

# %%
notebook.net(swapped, (1, 8, 8), origins=[[0, 1], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1]])

# %% [markdown]
# ## All of them
#
# Every choice of one block per fusion is a base network: 64 of them here. Each together with its complement (all the
# blocks that it left out) is a *group* of two that forms the whole net. The groups, by how deep their deeper member is:

# %%
depths = dict(base_networks(design))
complements = {choice: tuple(1 - k for k in choice) for choice in depths}
groups = {frozenset((choice, complements[choice])) for choice in depths}
deeper = [max(depths[choice] for choice in group) for group in groups]
print(len(depths), "base networks,", len(groups), "groups; by the formula:", dfn.groups(design))

by_depth = {depth: deeper.count(depth) for depth in sorted(set(deeper))}
notebook.bars({"groups": ("fused", by_depth)}, "Groups by the depth of their deeper member", "groups", "in layers")

# %% [markdown]
# The leftmost bar is the *essential depth*: the fused net can be composed of two base networks of which neither is
# deeper than this. The paper concludes that training it "is less difficult than training the initial deep base
# network".

# %%
print("leftmost bar:", min(deeper), " dfn.essential_depth:", dfn.essential_depth(design))

# %% [markdown]
# ## Proof
#
# A sum does not care which number comes first: `deep + shallow = shallow + deep`, on paper and in the computer's
# arithmetic. So the exchange, weights and all, must leave every logit as it was. First a net has to learn something.

# %%
from dfn.insight.lesions import swap_blocks
from dfn.models.transfer import exchange_blocks
from dfn.runs.weights import data_of, net_after

run = notebook.trained(dfn.Recipe(design=design, data="digits", epochs=EPOCHS, seed=0))
net, data = net_after(run), data_of(run)
images, labels = data.normalise(data.test.images[:IMAGES]), data.test.labels[:IMAGES]
logits = net(images).detach()
print(f"right: {(logits.argmax(1) == labels).float().mean():.1%}, logits from {logits.min():.1f} to {logits.max():.1f}")

# %% [markdown]
# **Predict.** By how much does the most changed logit move when the trained blocks of fusion 2 change places?

# %%
predicted = {"largest change": None}

# %%
change = (exchange_blocks(net, fusion=2)(images) - logits).abs().max().item()
print("largest change of a logit:", change)
notebook.reveal(predicted, {"largest change": change}, "Logits before and after the exchange")

# %% [markdown]
# And not for fusion 2 alone. One exchange after another, until all blocks have changed lanes:

# %%
changed, largest = net, 0.0
for fusion in (1, 3, 2, 6, 5, 4):
    changed = exchange_blocks(changed, fusion)
    largest = max(largest, (changed(images) - logits).abs().max().item())
    print(f"fusion {fusion} exchanged: base networks of {base_depths(changed.design)} layers, largest change {largest}")

# %% [markdown]
# With three base networks the order of the additions changes, and adding three numbers does not associate in the
# computer: `(a + b) + c` and `a + (b + c)` differ by rounding. The function is the same, the bits need not be.

# %%
three = dfn.build(dfn.fused(bases=[14, 11, 8], fusions=3, width=8, in_channels=1), seed=0).eval()
print("largest change:", (exchange_blocks(three, 2)(images) - three(images)).abs().max().item())

# %% [markdown]
# ## Counter-example
#
# A proof is worth more with the place where it ends. Now two blocks of **one** base network change places, from one
# fusion to another. Same shapes, same weights, all still in the net.
#
# **Predict.** How many images does the net call right before, and how many when the deep blocks of fusions 1 and 2 have
# changed places?

# %%
predicted = {"trained": None, "after the swap": None}

# %%
after = swap_blocks(net, "deep", 1, 2)(images)
right = {
    "trained": 100 * (logits.argmax(1) == labels).float().mean().item(),
    "after the swap": 100 * (after.argmax(1) == labels).float().mean().item(),
}
print("largest change of a logit:", (after - logits).abs().max().item())
notebook.reveal(predicted, right, "Images called right", "%")

# %% [markdown]
# Inside a fusion the blocks share their input and their sum. Across fusions a block gets maps that it never learned to
# read. The property is one of the sum, too: where a join gives every block a place of its own, there is nothing to
# exchange. `concat` puts the maps side by side, as the inception modules of GoogLeNet do; the paper calls that "not as
# direct as our deep summation fusion".

# %%
concat = dfn.fused(deep=26, shallow=8, fusions=6, width=8, join="concat", in_channels=1)
print("paths:", sum(dfn.path_spectrum(concat).values()), " groups:", dfn.groups(concat))
try:
    exchange(concat, fusion=2)
except dfn.DesignError as error:
    print("refused:", error)

# %% [markdown]
# ## Odd and even
#
# How far can exchange balance two base networks? With an even number of fusions half of the deep blocks can go to each.
#
# **Predict** the essential depth of 50 and 14 layers with 3 and with 6 fusions.

# %%
predicted = {"3 fusions": None, "6 fusions": None}

# %%
measured = {
    f"{fusions} fusions": dfn.essential_depth(dfn.fused(deep=50, shallow=14, fusions=fusions, width=8, in_channels=1))
    for fusions in (3, 6)
}
notebook.reveal(predicted, measured, "Essential depth", "layers")

# %% [markdown]
# Three fusions leave one side with two of three deep blocks. Six balance: both base networks are as deep as the mean of
# the two depths. (The paper has essential depth in words; the number is this lab's definition.)

# %% [markdown]
# ## Exercises
#
# Write your answer in the place of `None`, run the cell, then the folded cell below it.
#
# **Exercise 1.** Base networks of 26 and 8 layers, six fusions: how many exchanges, at the least, make both equally
# deep?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
even = [choice for choice, depth in base_networks(design) if depth == dfn.essential_depth(design)]
notebook.check(answer_1, min(sum(choice) for choice in even))

# %% [markdown]
# **Exercise 2.** How many groups form a net of **three** base networks and three fusions?

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, dfn.groups(dfn.fused(bases=[14, 11, 8], fusions=3, width=8, in_channels=1)))

# %% [markdown]
# **Exercise 3.** Exchange the blocks of *every* fusion of the net of 26 and 8 layers. What are the depths of the two
# base networks then, as a list, the one in the upper lane first?

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_3, base_depths(changed.design))

# %% [markdown]
# **Exercise 4.** Which joins besides `sum` let their blocks be exchanged? Try `dfn.fused(..., join=...)` with `mean`,
# `max`, `concat` and `gate`, and give the names as a set, such as `{"concat", "gate"}`.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
joins = ("mean", "max", "concat", "gate")
free = {j for j in joins if dfn.groups(dfn.fused(deep=14, shallow=8, fusions=3, join=j, width=8, in_channels=1)) > 1}
notebook.check(answer_4, free)

# %% [markdown]
# ## What you know now
#
# One fused net is formed by many groups of base networks, (K!)^(B-1) of them. Exchanging blocks inside one fusion gives
# another group and the same function; across fusions it does not. The most balanced group says how deep the net has to
# be: the essential depth.
#
# Next: `03_train_and_race`.
