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
# # 03  Train and race
#
# Training is done by a *worker*, a process of its own that writes what it does into a folder, the *run*. This
# notebook only reads that folder, so it stays free while nets learn: you can watch, pause, look around, and go on.
# You will race a fused net against the nets that it has to be compared with, stop a training in the middle and see
# that nothing is lost.
#
# About 20 minutes. It helps to know notebook 01.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, DEEP, WIDTH = (2, 26, 8) if SHORT else (5, 50, 16)

# %% [markdown]
# ## A recipe
#
# A *recipe* is everything that one run needs: the net, the data, how long, how fast, and the seed from which all chance
# comes (first weights, order of the images). The same recipe is the same run, to the last bit on one machine.

# %%
from dfn.runs.store import Store

settings = {"data": "digits", "epochs": EPOCHS, "seed": 0}
catalogue = dfn.catalogue()
common = {"width": WIDTH, "in_channels": 1}
designs = {
    f"fused {DEEP} + 14": ("fused", dfn.fused(deep=DEEP, shallow=14, fusions=6, **common)),
    f"plain {DEEP}": ("plain", catalogue["plain"].make(depth=DEEP, fusions=6, **common)),
    "plain 14": ("plain", catalogue["plain"].make(depth=14, fusions=6, **common)),
    f"ResNet {DEEP}": ("resnet", catalogue["resnet"].make(depth=DEEP, **common)),
}
recipes = {name: dfn.Recipe(design=design, net=kind, **settings) for name, (kind, design) in designs.items()}
store = Store()
runs = {name: store.create(recipe) for name, recipe in recipes.items()}
for name, run in runs.items():
    parameters = dfn.cost(run.recipe.design, (1, 8, 8)).parameters
    print(f"{name:15} run {run.id}, {parameters:>7,} parameters, {run.status().state}")

# %% [markdown]
# Why these four? The deep base network alone shows what fusion changes. The shallow one alone shows whether depth was
# needed. ResNet is the paper's own rival; skip connections, it says, "resemble our approach and can be regarded as
# special examples".
#
# **Predict** their test accuracy at the end, in percent.

# %%
predicted = dict.fromkeys(runs)  # for example {"plain 14": 80}
print(predicted)

# %% [markdown]
# ## The race
#
# The curves grow while the nets learn. Press **Pause** and **Play** as you like; drag over the curves to zoom, click
# a name to hide its curve. (If you ran this notebook before, the runs are there already: press **Rewind**, then
# **Play**.)

# %%
race = notebook.race(runs, roles={"plain 14": "shallow"})
race

# %% [markdown]
# The kernel is free meanwhile. The next cell runs while the nets learn, and asks how far they are:

# %%
for name, run in runs.items():
    status = run.status()
    print(f"{name:15} {status.state}, step {status.step} of {status.steps}")

# %% [markdown]
# Now wait for the end. This cell is busy until then, and leaves the final curves as the still figure above.

# %%
race.wait()
measured = {name: 100 * run.status().test_accuracy for name, run in runs.items()}
notebook.reveal(predicted, measured, "Test accuracy", "%")

# %% [markdown]
# ## What the race says, and what it does not
#
# In the full run the fused net ends far above its deep base network: the same convs, and now they learn. It does not
# end above `plain 14`, its shallow base, nor above the ResNet. Both facts belong together. The race is also one seed
# on 360 test images, and the nets differ in parameters and in seconds:

# %%
for name, run in runs.items():
    done = run.metrics()[-1]
    print(f"{name:15} {run.status().test_accuracy:6.1%}   {done['seconds']:5.1f} s of computing")

# %% [markdown]
# ## What a run leaves behind
#
# A run is a folder of plain files. Every line of `metrics.jsonl` is one record; the weights of every epoch are kept, so
# that notebook 05 and the app can show what the net saw at any of them.

# %%
run = next(iter(runs.values()))
kinds = [line["event"] for line in run.metrics()]
print({kind: kinds.count(kind) for kind in dict.fromkeys(kinds)})
print("files:", sorted(path.name for path in run.folder.iterdir() if not path.name.startswith(".")))
print("epochs whose weights are kept:", list(run.snapshots()))

# %% [markdown]
# Training loss step by step, as the worker wrote it. It jumps because every step sees another batch.

# %%
from dfn.figures.curves import curves

steps = {name: [line for line in run.metrics() if line["event"] == "step"] for name, run in runs.items()}
roles = dict(zip(runs, ("fused", "plain", "shallow", "resnet"), strict=True))
curves(
    {name: (roles[name], [s["step"] for s in found], [s["loss"] for s in found]) for name, found in steps.items()},
    title="Training loss, every step",
    x_title="step",
    y_title="loss, nats",
)

# %% [markdown]
# ## Stop and go on
#
# One recipe, trained twice: once in one go, once with stops. The second is told to do one epoch and then pause, then
# one step more, and only then to go on to the end. Two stores keep them apart.
#
# **Predict.** How much will the two differ at the end, in points of test accuracy?

# %%
predicted = {"difference": None}

# %%
from pathlib import Path
from tempfile import mkdtemp

from dfn.runs.worker import work

small = dfn.fused(deep=14, shallow=8, fusions=3, width=8, in_channels=1)
recipe = dfn.Recipe(design=small, data="digits", epochs=2, seed=1)
whole, stopped = (Store(Path(mkdtemp())).create(recipe) for _ in range(2))
work([whole])

second = notebook.race({"with stops": stopped}, play=False)
for until in ("epoch", "step"):
    second.play(until).wait()
    status = stopped.status()
    print(f"{status.state} at step {status.step} of {status.steps}")

# %% [markdown]
# And on, to the end:

# %%
second.play().wait()
second

# %%
difference = 100 * abs(whole.status().test_accuracy - stopped.status().test_accuracy)
notebook.reveal(predicted, {"difference": difference}, "In one go and with stops", "points")

# %% [markdown]
# Not only the accuracy: a hash over all weights and statistics. Equal hashes mean equal bits.

# %%
for name, run in {"in one go": whole, "with stops": stopped}.items():
    print(f"{name:10} {run.metrics()[-1]['weights_sha256'][:32]}")

# %% [markdown]
# Two more things keep this true: the order of the images is drawn from the seed and the epoch, and a checkpoint holds
# the optimiser's momentum beside the weights. A worker that is killed loses at most what came after its last
# checkpoint, and computes that again in the same way.

# %% [markdown]
# ## Exercises
#
# Write your answer in the place of `None`, run the cell, then the folded cell below it.
#
# **Exercise 1.** The digits have 1,437 training images and a batch has 64; the last batch of an epoch may be smaller.
# How many steps is one epoch?

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
begin = next(line for line in whole.metrics() if line["event"] == "begin")
notebook.check(answer_1, begin["steps_per_epoch"])

# %% [markdown]
# **Exercise 2.** Which of the four nets ended best? Write its name as it stands in the race.

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, max(measured, key=measured.get))

# %% [markdown]
# **Exercise 3.** How many points is the fused net ahead of its deep base network? (A tenth of a point is near enough.
# Where it is behind, the number is negative.)

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_3, measured[f"fused {DEEP} + 14"] - measured[f"plain {DEEP}"], within=0.1)

# %% [markdown]
# **Exercise 4.** One test image more or less called right: how many points of test accuracy is that? (A hundredth of a
# point is near enough.) Compare with the gaps in the race.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_4, 100 / begin["test_images"], within=0.01)

# %% [markdown]
# **Exercise 5.** Train `plain 14` again with seed 1: change `seed` in `settings`, make a new recipe, and use
# `notebook.trained`. In which digit after the decimal point does the accuracy change? There is no right answer to
# check: it is the first look at what notebook 09 calls spread.

# %% [markdown]
# ## What you know now
#
# A recipe with its seed determines a run; a worker trains it, and whoever wants to reads along. Stopping costs nothing,
# to the last bit. The fused net learns where its deep base does not, and does not beat its shallow base: a race without
# both controls would have hidden one half of that.
#
# Next: `04_information_flow`, which looks for the reason.
