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
# # 08  Relatives of fusion: what is the same, what is not
#
# ResNet, Highway, GoogLeNet, deeply-supervised nets, FitNets, Net2Net, MV3D: each has been called close to deep fusion,
# some by the paper itself (arXiv 1605.07716, sections 1 and 2). Instead of believing it you check every kinship with
# one equation on real maps, and see where it ends. Then all of them run one short race on equal terms.
#
# About 25 minutes. Before this one comes `07_lesions_and_joint_learning`.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, SEEDS, LIMIT = (1, 1, 256) if SHORT else (3, 2, None)  # LIMIT None: all training images
DEEP, SHALLOW, FUSIONS, WIDTH = 14, 8, 3, 8

# %% [markdown]
# ## ResNet: a shallow base network of nothing
#
# A base network of depth 2 is a stem and a classifier. Its blocks have no convs: they are the identity, or a 1x1
# projection where the shape changes. Fuse a deep net with that one after every two convs and you have
# $x_b = \mathrm{ReLU}(x_{b-1} + G_b(x_{b-1}))$. The paper says of ResNet, Highway and others that they "resemble our
# approach and can be regarded as special examples". Is it the same *design*?

# %%
import torch

data = dfn.load_data("digits")
images, labels = data.normalise(data.test.images), data.test.labels
shape = {"width": WIDTH, "classes": 10, "in_channels": 1}
resnet = dfn.catalogue()["resnet"].make(depth=DEEP, **shape)
fused_with_nothing = dfn.fused(deep=DEEP, shallow=2, fusions=(DEEP - 2) // 2, **shape)
print("the catalogue's ResNet is that fused net:", resnet == fused_with_nothing)
notebook.net(resnet, data.shape)

# %% [markdown]
# And on real maps, at the first fusion: the shallow "block" hands on the very map it reads.

# %%
with torch.no_grad():
    _, trace = dfn.build(resnet, seed=0).eval().trace(images[:50])
print("identity:", torch.equal(trace["fusion1/shallow"], trace["stem"]))
residual = (trace["stem"] + trace["fusion1/deep"]).relu()
print("ReLU(x + G(x)):", torch.equal(trace["fusion1/joined"], residual))

# %% [markdown]
# So everything you know of fused nets holds here: paths, groups, essential depth.
#
# **Predict.** How many paths does this ResNet have, and what is its essential depth?

# %%
predicted_resnet = {"paths": None, "essential depth": None}

# %%
from dfn.design.paths import path_count

measured_resnet = {"paths": path_count(resnet), "essential depth": dfn.essential_depth(resnet)}
notebook.reveal(predicted_resnet, measured_resnet, title=f"ResNet of {DEEP} layers")

# %% [markdown]
# ## Highway: a gate decides
#
# $y = H(x)\,T(x) + x\,(1 - T(x))$ with $T = \sigma(\mathrm{conv}(x))$ (arXiv 1507.06228). Two branches again, one conv
# and the identity; but the join has weights, and they depend on the image. Its bias begins below zero, so that at first
# the map is mostly carried through.

# %%
highway = dfn.catalogue()["highway"].make(depth=8, **shape)
gated = dfn.build(highway, seed=0).eval()
with torch.no_grad():
    _, trace = gated.trace(images[:50])
    source, join = trace["stem"], gated.body.fusion1.join
    transform = join.conv(source).sigmoid()
    by_hand = trace["fusion1/deep"] * transform + source * (1 - transform)
print("H T + x (1 - T): largest difference", (by_hand - trace["fusion1/joined"]).abs().max().item())

# %% [markdown]
# **Predict.** Before training, which part of a new map comes from the conv, in per cent (the mean of T)?

# %%
predicted_gate = {"from the conv": None, "carried": None}

# %%
share = 100 * transform.mean().item()
print(f"the bias of {join.bias:g} alone would give {torch.tensor(join.bias).sigmoid():.0%}")
notebook.reveal(
    predicted_gate, {"from the conv": share, "carried": 100 - share}, title="The first gate at the start", unit="%"
)

# %% [markdown]
# What is lost: blocks under a gate have places of their own, so they cannot be exchanged. There is one group of base
# networks and no other.

# %%
print("groups of base networks:", dfn.groups(highway), "for the Highway net,", dfn.groups(resnet), "for the ResNet")

# %% [markdown]
# ## GoogLeNet: concatenation
#
# The paper reads an inception module as fusion by concatenation, "not as direct as our deep summation fusion", since a
# branch is narrower than what the next module reads: one has to pad zero channels or add convs. Both halves of that can
# be seen. Concatenation *is* a sum of padded maps:

# %%
inception = dfn.catalogue()["inception"].make(modules=3, **shape)
modules = dfn.build(inception, seed=0).eval()
with torch.no_grad():
    _, trace = modules.trace(images[:50])
    lanes = list(modules.body.fusion1.branches)
    padded, before = torch.zeros_like(trace["fusion1/joined"]), 0
    for lane in lanes:
        part = trace[f"fusion1/{lane}"]
        print(f"{lane}: {part.shape[1]} of {padded.shape[1]} channels")
        after = padded.shape[1] - before - part.shape[1]
        padded += torch.nn.functional.pad(part, (0, 0, 0, 0, before, after))
        before += part.shape[1]
print("ReLU of the sum of padded maps is the joined map:", torch.equal(padded.relu(), trace["fusion1/joined"]))

# %% [markdown]
# And the other way: a conv that reads two maps side by side, with the *same* weights for both, reads their sum.
# Summation is concatenation with tied weights; concatenation is the larger family, at twice the weights.

# %%
generator = torch.Generator().manual_seed(0)
one, two = (torch.randn(1, 8, 8, 8, generator=generator) for _ in range(2))
kernel = torch.randn(8, 8, 3, 3, generator=generator)
conv = torch.nn.functional.conv2d
apart = conv(torch.cat([one, two], 1), torch.cat([kernel, kernel], 1), padding=1)
print("largest difference:", (apart - conv(one + two, kernel, padding=1)).abs().max().item())

# %% [markdown]
# ## Deeply-supervised nets: another way for the loss
#
# DSN (arXiv 1409.5185) puts small classifiers with losses of their own behind early layers; they are gone after
# training. Fusion brings the loss there through the other base network, which stays. Both shorten the way back. Count
# it: how many layers lie between a conv of the deep net and the nearest loss?
#
# **Predict** the mean over all convs of the deep base network, in layers.

# %%
predicted_way = {"plain": None, "companions at every block": None, "fused": None}

# %%
from dfn.design.paths import distances
from dfn.figures.curves import curves

steps = [step for step in distances(dfn.fused(DEEP, SHALLOW, FUSIONS, **shape)) if step.base == 0]
ends = {step.fusion: step.alone_to_output for step in steps}  # of the last conv of every block
ways = {
    "plain": [step.alone_to_output for step in steps],
    "companions at every block": [
        step.alone_to_output - (ends[step.fusion] - 1 if step.fusion < FUSIONS else 0) for step in steps
    ],
    "fused": [step.to_output for step in steps],
}
mean_ways = {name: sum(way) / len(way) for name, way in ways.items()}
notebook.reveal(predicted_way, mean_ways, title="Layers to the nearest loss", unit="layers")

# %%
roles = {"plain": "plain", "companions at every block": "extra1", "fused": "fused"}
numbers = list(range(1, len(steps) + 1))
figure = curves(
    {name: (roles[name], numbers, way) for name, way in ways.items()},
    "The way from a conv of the deep net to the nearest loss",
    "conv of the deep net, from the image on",
    "layers",
)
figure.update_traces(mode="lines").update_layout(showlegend=True)

# %% [markdown]
# Companions are nearer. But a companion asks each block to be a good classifier at once, which the last layer may not
# need from it; fusion asks nothing of a block but a good sum. A short way is not yet a good gradient: notebook 04
# measures those.
#
# ## FitNets: a teacher first
#
# In FitNets (arXiv 1412.6550) a trained net gives hints to a deeper one: its middle map first, then its answers. The
# paper's words for the difference: there a net is trained before, here shallow and deep help each other at the same
# time. In `dfn` that is visible in the recipe: the student's names its teacher's run, which has to be done first.

# %%
from dfn.training.comparisons import Frame, methods

frame = Frame((DEEP, SHALLOW), FUSIONS, WIDTH, classes=10, in_channels=1)
settings = {"data": "digits", "epochs": EPOCHS, "train_limit": LIMIT, "seed": 0}
(teacher,) = methods()["fitnets"].first(frame, settings)
student = methods()["fitnets"].make(frame, settings)
print(f"teacher: {teacher.label}; student: {student.label}")
print("the student names its teacher:", student.teacher == teacher.id)
for recipe in (teacher, student):
    print(f"{recipe.label}: {notebook.trained(recipe).status().test_accuracy:.1%}")

# %% [markdown]
# ## Net2Net: begin as the same function
#
# Net2Net makes a trained net wider or deeper without changing what it computes, and trains on from there. Fusion grows
# a net before training; Net2Net after.
#
# **Predict.** The last stage of the trained shallow net is made twice as wide, its second block one conv deeper. How
# many of the test images does the larger net call as before, and how many otherwise, before it is trained?

# %%
predicted_changed = {"called as before": None, "called otherwise": None}

# %%
from dfn.models.net2net import deepen, widen
from dfn.runs.weights import net_after

small = net_after(notebook.trained(teacher))
calibration = data.normalise(data.train.images[:256])
large = deepen(widen(small, 4 * WIDTH, 8 * WIDTH), "block2", calibration).eval()
with torch.no_grad():
    was, is_now = small(images), large(images)
print("largest difference of the logits:", (was - is_now).abs().max().item())
for name, net in {"before": small, "after": large}.items():
    print(f"{name}: paths {dfn.path_spectrum(net.design)}, {dfn.cost(net.design, data.shape).parameters:,} parameters")
same = (was.argmax(1) == is_now.argmax(1)).sum().item()
notebook.reveal(
    predicted_changed, {"called as before": same, "called otherwise": len(labels) - same}, title="Test images"
)

# %% [markdown]
# ## MV3D: several views
#
# MV3D (arXiv 1611.07759) fuses three views of a street (from above, from the front, the camera's image) and names
# deeply-fused nets as its inspiration. It differs by using the same base network for each column, by the *mean* as the
# join, and by auxiliary losses. Its three schemes, $+$ being the join:
#
# - early: $f_L = H_L(\cdots H_1(f^1 + f^2 + f^3))$
# - late: $f_L = H_L^1(\cdots H_1^1(f^1)) + H_L^2(\cdots H_1^2(f^2)) + H_L^3(\cdots H_1^3(f^3))$
# - deep: $f_0 = f^1 + f^2 + f^3$, $\; f_l = H_l^1(f_{l-1}) + H_l^2(f_{l-1}) + H_l^3(f_{l-1})$
#
# Here the three views are made of one image: all of it, its low frequencies, its edges. That is ours.
#
# **Predict.** With three columns of the same depth: how many times the parameters of early fusion do the others have?

# %%
predicted_parameters = {"late": None, "deep": None}

# %%
from dfn.design.relatives import views

schemes = {name: views(name, depth=8, fusions=3, **shape) for name in ("early", "late", "deep")}
parameters = {name: dfn.cost(design, data.shape).parameters for name, design in schemes.items()}
for name, design in schemes.items():
    print(f"{name}: {parameters[name]:,} parameters, {path_count(design):,} paths")
notebook.reveal(
    predicted_parameters,
    {name: count / parameters["early"] for name, count in parameters.items()},
    title="Parameters, early fusion = 1",
)

# %%
notebook.net(schemes["deep"], data.shape)

# %% [markdown]
# Late and deep fusion cost the same and differ in one thing only: whether a column reads what the others have found.
# Note also what deep fusion gives up: behind the first join all columns read the *same* map, so the views as such are
# gone. What remains different are the weights.
#
# ## One race, equal terms
#
# All of them now, with the same digits, the same order, equal epochs. The referee of `dfn` notes what each net costs,
# because "equal epochs" is not "equal work".
#
# **Predict**, in per cent of the test images after these few epochs.

# %%
predicted_race = {"fused": None, "plain-deep": None, "plain-shallow": None, "resnet": None}

# %%
from dfn.figures.compare import Seeds, accuracies
from dfn.referee.budget import on_equal_terms
from dfn.referee.contenders import from_methods
from dfn.referee.results import result
from dfn.runs.store import Store

asked = ["fused", "plain-deep", "plain-shallow", "resnet", "highway", "inception", "companions", "fitnets"]
asked += ["views-deep"]
common = {"data": "digits", "epochs": EPOCHS, "train_limit": LIMIT}
entries = on_equal_terms(from_methods(frame, asked), WIDTH, common, data.shape)
for seed in range(SEEDS):
    for entry in entries:
        for recipe in (*entry.first(seed), entry.recipe(seed)):
            notebook.trained(recipe)
results = [result(entry, range(SEEDS), Store()) for entry in entries]
reached = {found.net: 100 * found.mean for found in results}
notebook.reveal(predicted_race, {name: reached[name] for name in predicted_race}, title="Test accuracy", unit="%")

# %%
accuracies([Seeds(found.label, found.role, found.by_seed) for found in results])

# %%
from IPython.display import Markdown

from dfn.referee.report import table

Markdown(table(results, "epochs"))

# %% [markdown]
# What may be said of this? Read the column of multiply-adds and the number of seeds before the one of accuracies. With
# so few seeds, so few epochs and such easy images, the order of the nets that are close together is mostly chance; what
# other papers print comes from other data, widths and hundreds of epochs. Notebook 09 is about what *would* be enough.
#
# ## Exercises

# %% [markdown]
# **Exercise 1.** How many paths has the ResNet of 110 layers? (`dfn.catalogue()["resnet"].make(depth=110)`; every block
# has two convs.)

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_1, path_count(dfn.catalogue()["resnet"].make(depth=110)))

# %% [markdown]
# **Exercise 2.** A Highway net whose gates begin with bias 0 (`gate_bias=0.0`): which part comes from the conv at the
# first fusion before training, from 0 to 1, over `images[:50]`?

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
open_net = dfn.build(dfn.catalogue()["highway"].make(depth=8, gate_bias=0.0, **shape), seed=0).eval()
with torch.no_grad():
    opened = open_net.body.fusion1.join.weights(open_net.trace(images[:50])[1]["stem"])[:, 0].mean()
notebook.check(answer_2, opened, within=0.03)

# %% [markdown]
# **Exercise 3.** After `deepen(net, "fusion2/deep")` of a fused net with deep 14, shallow 8 and 3 fusions: how many
# paths have the new greatest depth, and how many paths are there in all? A list of the two numbers.

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
grown = deepen(dfn.build(dfn.fused(14, 8, 3, **shape), seed=0), "fusion2/deep").design
spectrum = dfn.path_spectrum(grown)
notebook.check(answer_3, [spectrum[max(spectrum)], path_count(grown)])

# %% [markdown]
# **Exercise 4.** In the race: which net reached the most per million multiply-adds? Its name in `asked`.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_4, max(results, key=lambda found: found.mean / found.macs).net)

# %% [markdown]
# ## What you know now
#
# Deep fusion has relatives on three sides: joins (ResNet, Highway, GoogLeNet, MV3D), losses (DSN) and transfer
# (FitNets, Net2Net). Each kinship is an equation, and each ends somewhere. Next: `09_a_fair_comparison`.
