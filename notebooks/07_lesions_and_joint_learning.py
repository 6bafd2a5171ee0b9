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
# # 07  Lesions and joint learning: what each block is worth, and to whom
#
# Cut a block out of a trained net and see what it can no longer do. It sounds like a measurement of what the block is
# for; you will see three ways of cutting that do not agree, and why none of them settles it. Then the paper's third
# claim: the deep and the shallow base network are *learnt jointly and help each other* (arXiv 1605.07716, sections 1
# and 2). What does that mean for a weight, and what is each of them worth alone?
#
# About 20 minutes. Before this one comes `06_attribution`.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, IMAGES, DRAWS = (1, 100, 3) if SHORT else (5, 360, 20)
DEEP, SHALLOW, FUSIONS, WIDTH = 20, 8, 6, 8

# %% [markdown]
# ## Four nets
#
# The fused net, its two base networks trained alone, and a residual net as deep as the deep one. Same digits, same
# order, same seed.

# %%
from dfn.runs.weights import data_of, net_after

shape = {"width": WIDTH, "classes": 10, "in_channels": 1}
plain, resnet = dfn.catalogue()["plain"].make, dfn.catalogue()["resnet"].make
designs = {
    "fused": dfn.fused(DEEP, SHALLOW, FUSIONS, **shape),
    "plain deep": plain(depth=DEEP, fusions=FUSIONS, **shape),
    "plain shallow": plain(depth=SHALLOW, fusions=FUSIONS, **shape),
    "ResNet": resnet(depth=DEEP, **shape),
}
roles = {"fused": "fused", "plain deep": "plain", "plain shallow": "shallow", "ResNet": "resnet"}
runs = {
    name: notebook.trained(dfn.Recipe(design=design, data="digits", epochs=EPOCHS, seed=0))
    for name, design in designs.items()
}
nets, data = {name: net_after(run) for name, run in runs.items()}, data_of(runs["fused"])
x, labels = data.normalise(data.test.images[:IMAGES]), data.test.labels[:IMAGES]
for name, run in runs.items():
    print(f"{name}: {run.status().test_accuracy:.1%} of the test images")

# %% [markdown]
# ## By hand: a net without one block
#
# A fused net computes $x_b = \mathrm{ReLU}(d_b + s_b)$ from the map $d_b$ of the deep block and the map $s_b$ of the
# shallow one. Without the deep block of fusion 2 it is $\mathrm{ReLU}(s_b)$, and the rest of the net goes on from
# there. The trace has both maps, so the lesion is one line; `dfn.lesion` gives the same logits.

# %%
import torch

net = nets["fused"]
with torch.no_grad():
    logits, trace = net.trace(x)
    cut = trace["fusion2/shallow"].relu()
    stations = list(net.body.children())
    for station in stations[list(net.body._modules).index("fusion2") + 1 :]:
        cut = station(cut)
    lesioned = dfn.lesion(net, fusion=2, branch="deep", how="zero")
    print("largest difference by hand and by dfn.lesion:", (cut - lesioned(x)).abs().max().item())
called = logits.argmax(1)
print(f"right before: {(called == labels).double().mean():.1%}, without the block: ", end="")
print(f"{(cut.argmax(1) == labels).double().mean():.1%}")

# %% [markdown]
# ## Every block, one at a time
#
# **Predict.** How many points of accuracy does each cut cost? Put your numbers in the place of `None`.

# %%
predicted = {"first deep block": None, "last deep block": None, "first shallow block": None, "last shallow block": None}

# %%
from dfn.insight.effects import Kept, importance

kept = Kept(net, x, labels)
losses = {block: kept.effect.accuracy - effect.accuracy for block, effect in importance(kept, "zero", x).items()}
measured = {
    f"{word} {lane} block": 100 * losses[fusion, lane]
    for lane in ("deep", "shallow")
    for word, fusion in (("first", 1), ("last", FUSIONS))
}
notebook.reveal(predicted, measured, title="Accuracy lost when the block is cut", unit="points")

# %% [markdown]
# All of them, and in one line:

# %%
notebook.lesions(runs["fused"], images=IMAGES)

# %% [markdown]
# ## Three ways to cut
#
# Zeros are something that the layers behind the cut were never trained on. So two more replacements: the **mean** of
# the block's map over many images, and the map of **another image** (`resample`), which looks as real as the right one
# and says something wrong. If the three agreed, it would be easier to blame the loss on the block.
#
# **Predict.** How many points does each way cost, in the mean over all blocks?

# %%
predicted_how = {"zero": None, "mean": None, "resample": None}

# %%
from dfn.insight.lesions import HOWS

by_how = {}
for how in HOWS:
    effects = importance(kept, how, x)
    by_how[how] = {f"{fusion} {lane}": kept.effect.accuracy - e.accuracy for (fusion, lane), e in effects.items()}
means = {how: 100 * sum(lost.values()) / len(lost) for how, lost in by_how.items()}
notebook.reveal(predicted_how, means, title="Accuracy lost a block, by the way of cutting", unit="points")

# %%
notebook.bars(
    {
        how: (role, {block: 100 * loss for block, loss in by_how[how].items()})
        for how, role in zip(HOWS, ("fused", "late", "plain"), strict=True)
    },
    "Accuracy lost when a block is cut",
    "points",
)

# %% [markdown]
# Look at the last blocks. A block whose absence costs little can still do much harm when it says the wrong thing: the
# classifier *listens* to it, whether it needs it or not. "Not needed" and "not used" are different findings.
#
# ## Beside other nets
#
# Veit, Wilber and Belongie (arXiv 1605.06431) cut blocks of residual nets and of plain ones, and read the outcome as a
# sign that a residual net behaves like many short paths. Here is the same with our four nets. In a plain net nothing
# stands beside a block: its convs are taken out and the map goes on as it is. In the ResNet the blocks are cut and the
# shortcuts stay.
#
# **Predict.** The median loss over the blocks, in points.

# %%
predicted_median = {"fused": None, "plain deep": None, "plain shallow": None, "ResNet": None}

# %%
from statistics import median

from dfn.figures.lesions import block_losses

rows = {}
for name, one in nets.items():
    own = Kept(one, x, labels)
    lost = {
        f"block {number}, {lane}": own.effect.accuracy - effect.accuracy
        for (number, lane), effect in importance(own, "zero", x).items()
        if not (name == "ResNet" and lane == "shallow")
    }
    rows[f"{name} ({own.effect.accuracy:.0%})"] = (roles[name], lost)
medians = {name: 100 * median(lost.values()) for name, (_, lost) in zip(nets, rows.values(), strict=True)}
notebook.reveal(predicted_median, medians, title="Median loss of a cut block", unit="points")

# %%
block_losses(rows, "Accuracy lost, one block cut at a time; in brackets the accuracy before")

# %% [markdown]
# A net that was never far above guessing has little to lose: compare each row with the number in its brackets. And be
# careful with the reading. Paths share their weights and their ReLUs, so they depend on one another, and a lesion
# cannot prove one mechanism.
#
# ## Many blocks at once
#
# Cut more and more random blocks; at every fusion one of the two stays.

# %%
from dfn.figures.lesions import random_lesions as drawn_lesions
from dfn.insight.effects import random_lesions

draws = {
    count: [effect.accuracy for effect in random_lesions(kept, count, DRAWS, seed=count)]
    for count in range(FUSIONS + 1)
}
drawn_lesions(draws, len(losses), 1 / len(data.classes))

# %% [markdown]
# ## The way back
#
# What makes fusion *deep* is that the joined map goes back: it is the input of the next block of each base network
# (section 2 of the paper). Cut that way for one base network at one fusion: its next block then reads its own map.

# %%
from dfn.insight.lesions import cut_feedback

ways = {
    lane: {
        f"behind fusion {fusion}": kept.effect.accuracy - kept.judge(cut_feedback(net, fusion, lane)).accuracy
        for fusion in range(1, FUSIONS)
    }
    for lane in ("deep", "shallow")
}
notebook.bars(
    {
        f"{lane} reads its own map": (lane, {place: 100 * loss for place, loss in lost.items()})
        for lane, lost in ways.items()
    },
    "Accuracy lost when one way back is cut",
    "points",
)

# %% [markdown]
# ## Joint learning: what reaches a weight
#
# The paper sets deep fusion apart from averaging predictors, which "learns each network separately, which is
# equivalent to learning the network jointly that averages the loss functions" (sections 1 and 2). You can check that
# sentence on one gradient. Take the weights of the *deep* net, and replace all weights of the *shallow* one by others.
# How much does the gradient of the deep weights turn? Its cosine with the gradient before says so: 1 is not at all.
#
# **Predict** three cosines, from -1 to 1.

# %%
predicted_cosines = {"mean of the losses": None, "loss of the mean": None, "deep fusion": None}

# %%
from torch.nn.functional import cosine_similarity, cross_entropy

batch, truth = data.normalise(data.train.images[:64]), data.train.labels[:64]
cosines = {}
for name, fusions in {"mean of the losses": 0, "loss of the mean": 0, "deep fusion": FUSIONS}.items():
    design = dfn.fused(DEEP, SHALLOW, fusions, **shape)
    before, other, mixed = (dfn.build(design, seed=seed) for seed in (0, 1, 0))
    shallow = {key: value for key, value in other.state_dict().items() if ".shallow." in key}
    mixed.load_state_dict({**before.state_dict(), **shallow})
    gradients = []
    for one in (before, mixed):
        logits, trace = one.trace(batch)
        if name == "mean of the losses":
            loss = sum(cross_entropy(trace[f"fusion1/{lane}"], truth) for lane in ("deep", "shallow")) / 2
        else:
            loss = cross_entropy(logits, truth)
        weights = [weight for key, weight in one.named_parameters() if ".deep." in key]
        gradients.append(torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)]))
    cosines[name] = cosine_similarity(*gradients, dim=0).item()
notebook.reveal(predicted_cosines, cosines, title="What the other net's weights change: cosine of the deep gradient")

# %% [markdown]
# With the mean of the losses the other net changes nothing: each learns by itself, as the paper says. The loss of the
# mean couples them through their logits, which are near 0 at the start, so that little of it is seen here. In a fused
# net the deep blocks cannot take a step that does not depend on the shallow ones.
#
# ## What is each worth alone?
#
# Three questions. Trained *alone* from the start; the same two, trained separately and then
# *averaged* (decision fusion); and *inside* the fused net, where every fusion hands on one block's map only. The
# batch-norm statistics inside are those of joined maps, so they are averaged anew first.
#
# **Predict**, in per cent of the test images.

# %%
predicted_alone = {"fused": None, "averaged": None, "deep alone": None, "shallow alone": None}
predicted_alone |= {"deep inside": None, "shallow inside": None}

# %%
from dfn.insight.lesions import alone
from dfn.training.evaluate import calibration_images, evaluate, recalibrate

device = torch.device("cpu")
calibration = calibration_images(data, 64, device)
reached = {"fused": evaluate(net, data, device).accuracy}
with torch.no_grad():
    everything, all_labels = data.normalise(data.test.images), data.test.labels
    mean_logits = (nets["plain deep"](everything) + nets["plain shallow"](everything)) / 2
reached["averaged"] = (mean_logits.argmax(1) == all_labels).double().mean().item()
for lane in ("deep", "shallow"):
    reached[f"{lane} alone"] = evaluate(nets[f"plain {lane}"], data, device).accuracy
for lane in ("deep", "shallow"):
    inside = alone(net, lane)
    recalibrate(inside, calibration)
    reached[f"{lane} inside"] = evaluate(inside, data, device).accuracy
notebook.reveal(
    predicted_alone, {name: 100 * value for name, value in reached.items()}, title="Test accuracy", unit="%"
)

# %%
ahead = [name for name in ("deep alone", "shallow alone") if reached["fused"] > reached[name]]
print("Here, with one seed, the fused net is ahead of:", ", ".join(ahead) or "neither of them")

# %% [markdown]
# Read it slowly. *Inside* tells how the work is shared: a block that has learnt to add to another need not be a net by
# itself. *Alone* tells what the paper's claim is worth here: "help each other" would have to show as a fused net that
# is ahead of **both** base networks trained alone, for many seeds, on a fair budget. In this lab's own experiment with
# 52 and 14 layers, five epochs and three seeds, the deep net gained very much and the shallow one needed no help: the
# fused net was not ahead of it (`docs/results.md`). A shallow net too small for its task may be another case. One seed
# does not decide it; notebook 09 is about what would.
#
# ## Exercises

# %% [markdown]
# **Exercise 1.** Cut the shallow block at *every* fusion at once (`fusion=None`, zeros). What share of the images `x`
# is then called right, from 0 to 1?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_1, kept.judge(dfn.lesion(net, None, "shallow")).accuracy, within=0.005)

# %% [markdown]
# **Exercise 2.** Behind which fusion does cutting the way back to the *shallow* base network cost the most accuracy?
# Its number.

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, max(range(1, FUSIONS), key=lambda fusion: ways["shallow"][f"behind fusion {fusion}"]))

# %% [markdown]
# **Exercise 3.** Exchanging two blocks inside *one* fusion changes nothing. Swap the deep blocks of fusions 1 and 2
# instead (`dfn.insight.lesions.swap_blocks`). What share of the images `x` is called as before?

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
from dfn.insight.lesions import swap_blocks

notebook.check(answer_3, kept.judge(swap_blocks(net, "deep", 1, 2)).same, within=0.005)

# %% [markdown]
# **Exercise 4.** The other way round: with the shallow weights left alone and the *deep* ones replaced, is the gradient
# of the shallow net under the mean of the losses the same as before? Answer "yes" or "no", and say why first.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
design = dfn.fused(DEEP, SHALLOW, 0, **shape)
before, other, mixed = (dfn.build(design, seed=seed) for seed in (0, 1, 0))
deep = {key: value for key, value in other.state_dict().items() if ".deep." in key}
mixed.load_state_dict({**before.state_dict(), **deep})
pair = []
for one in (before, mixed):
    parts = one.trace(batch)[1]
    loss = (cross_entropy(parts["fusion1/deep"], truth) + cross_entropy(parts["fusion1/shallow"], truth)) / 2
    pair.append(torch.autograd.grad(loss, [w for key, w in one.named_parameters() if ".shallow." in key]))
notebook.check(answer_4, "yes" if all(map(torch.equal, *pair)) else "no")

# %% [markdown]
# ## What you know now
#
# A lesion measures a net *with* the lesion. Three ways of cutting, a plain net beside, and the accuracy before belong
# to it. Deep fusion couples the learning of its base networks down to every gradient; whether that helps is a question
# for controls. Next: `08_relatives_of_fusion`.
