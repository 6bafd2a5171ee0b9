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
# # 10  Your own net and data: from a notebook to a cluster
#
# Until now nets came from a catalogue and images from a data set. Here you put a net together from its nodes, make a
# folder of images into a data set, train the one on the other, show the net an image of your own, and hand runs to
# workers that go on when the notebook is closed. The last part says what changes with a GPU, with several, and with a
# cluster: the commands change, the recipe does not.
#
# About 20 minutes. It needs no GPU, no network and no cluster. Before this one comes `09_a_fair_comparison`.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, IMAGES = (2, 30) if SHORT else (8, 150)  # IMAGES of each class

# %% [markdown]
# Everything that this notebook makes lies in one temporary folder, runs included, and goes with the kernel. For work
# that you want to keep, leave `DFN_RUNS` as it is.

# %%
import os
from pathlib import Path
from tempfile import TemporaryDirectory

workshop = TemporaryDirectory(prefix="dfn-")
here = Path(workshop.name)
os.environ["DFN_RUNS"] = str(here / "runs")

# %% [markdown]
# ## A net from its nodes
#
# A design is a tree of eight kinds of node: `Conv`, `Pool`, `View`, `Tap`, `Head`, `Series`, `Fusion` and `MergeRun`. A
# fusion takes any branches whose maps fit together. This one joins three blocks by a sum, of which one is the identity,
# and later two by a mean.

# %%
from dfn.design.nodes import Conv, Fusion, Head, Pool, Series

narrow, wide = Conv(channels=8), Conv(channels=16)
added = Fusion(
    join="sum",
    branches=(Series(nodes=(narrow, narrow, narrow)), Series(nodes=(Conv(channels=8, kernel=1),)), Series()),
)
averaged = Fusion(join="mean", branches=(Series(nodes=(wide, wide, wide)), Series(nodes=(wide,))))
own = dfn.Design(in_channels=3, classes=3, body=Series(nodes=(narrow, added, Pool(), averaged, Head())))

# %% [markdown]
# **Predict.** How many paths has this net, and how many layers have its deepest and its shallowest? Stem and classifier
# count one each.

# %%
predicted_paths = {"paths": None, "deepest": None, "shallowest": None}

# %%
from dfn.design.paths import path_count, receptive_fields

spectrum = dfn.path_spectrum(own)
measured_paths = {"paths": path_count(own), "deepest": max(spectrum), "shallowest": min(spectrum)}
print("paths by depth:", spectrum)
print("parameters:", dfn.cost(own, (3, 16, 16)).parameters)
notebook.reveal(predicted_paths, measured_paths, title="Your own net")

# %%
notebook.net(own, (3, 16, 16))

# %% [markdown]
# A design is data. As JSON it goes into a file, a link or a mail, and comes back the same. What is no net is refused
# with the field, the value and what would be accepted:

# %%
text = dfn.to_json(own)
print(text[:160], "...")
print("the same again:", dfn.from_json(text) == own)
for wrong in (text.replace('"channels":16', '"channels":0'), '"channels":12'.join(text.rsplit('"channels":16', 1))):
    try:
        dfn.from_json(wrong)
    except dfn.DesignError as error:
        print("refused:", error)

# %% [markdown]
# ## A folder as a data set
#
# One sub-folder a class, images of any size and format in it. To have some without a download we write digits 3, 5 and
# 8 as PNG files, and put in what real folders have as well: a text file, and an image that is none.

# %%
from PIL import Image

digits = dfn.load_data("digits")
folder = here / "my images"
for digit in (3, 5, 8):
    (folder / str(digit)).mkdir(parents=True, exist_ok=True)
    chosen = digits.train.images[digits.train.labels == digit][:IMAGES]
    for number, pixels in enumerate(chosen):
        Image.fromarray(pixels[0].numpy()).resize((40, 40)).save(folder / str(digit) / f"{number:03d}.png")
(folder / "3" / "notes.txt").write_text("ask Kim where these come from")
(folder / "5" / "broken.png").write_bytes(b"")

data = dfn.load_data(f"folder:{folder}", size=16)
print(data.report)
print(f"classes {data.classes}, {len(data.train)} images to train, {len(data.test)} to test, shape {data.shape}")

# %% [markdown]
# Every fifth image of each class is held out, chosen by a hash of its name, so that the split is the same tomorrow. If
# there are folders `train` and `test`, these are taken as they are. Look before you train: most surprises of a first
# run are in the images. Red is brighter than the mean of the training images, blue darker.

# %%
from dfn.figures.maps import tiles

seen = data.normalise(data.train.images)
shown = {data.classes[label]: seen[data.train.labels == label][:16, 0].numpy() for label in range(3)}
tiles(shown, "Sixteen training images of every class, normalised (first channel)")

# %% [markdown]
# ## Train it
#
# A recipe names the design, the data and the rest. `dfn.Training` is the loop with its net at hand; its first record
# says on which device it runs, in which precision, and why.
#
# **Predict.** On your machine, how many times as fast is a step in bf16 as one in fp32? (Below 1 on a CPU that has no
# instructions for it.)

# %%
predicted_ratio = None

# %%
settings = {"data": f"folder:{folder}", "size": 16, "epochs": EPOCHS, "batch_size": 16, "seed": 0}
recipe = dfn.Recipe(design=own, net="own", **settings)
training = dfn.Training(recipe, data=data)
records = list(training.records())
begin = records[0]
print("you said:", predicted_ratio)
print(f"device {begin.device}, precision {begin.precision}: {begin.note}")

# %%
from dfn.figures.confusion import confusion

epochs = [record for record in records if type(record).__name__ == "Epoch"]
for epoch in epochs:
    print(f"epoch {epoch.epoch}: {epoch.test_accuracy:.1%} of the {len(data.test)} test images")
confusion(epochs[-1].confusion, data.classes, "Your own net on your own data")

# %% [markdown]
# Set a control beside it before you are pleased: how far does one get by always calling the most frequent class? And
# how many images is a point of accuracy here? With so few test images, next to nothing is a finding.

# %%
frequent = data.test.labels.bincount().max().item() / len(data.test)
print(f"always the most frequent class: {frequent:.1%}; one test image is {100 / len(data.test):.1f} points")

# %% [markdown]
# ## An image of your own
#
# Choose a file, or leave it: the picture below was drawn a moment ago with Pillow, black on white, and is turned to the
# net's size with what was done said beside. The digits are white on black, so it is inverted.

# %%
from io import BytesIO

import ipywidgets
import torch
from PIL import ImageDraw

from dfn.data.own import own_image
from dfn.views.notebook import Panel

paper = Image.new("L", (120, 160), 255)
pen = ImageDraw.Draw(paper)
pen.arc((30, 20, 90, 75), 180, 90, fill=0, width=14)
pen.arc((30, 75, 90, 135), 270, 180, fill=0, width=14)
buffer = BytesIO()
paper.save(buffer, "PNG")

fitted = own_image(buffer.getvalue(), data.shape, invert=True)
x = data.normalise(torch.from_numpy(fitted.pixels)[None])
net = training.net.eval()
with torch.no_grad():
    probability = net(x).softmax(1)[0]
print("done to it:", ", ".join(fitted.done))
print({name: f"{value:.0%}" for name, value in zip(data.classes, probability.tolist(), strict=True)})

# %%
upload = ipywidgets.FileUpload(accept="image/*", description="your image")
looking = ipywidgets.interactive(
    lambda files: (
        notebook.attribution(
            net,
            data.normalise(torch.from_numpy(own_image(bytes(files[0]["content"]), data.shape, invert=True).pixels)),
            method="occlusion",
        )
        if files
        else None
    ),
    files=upload,
)
Panel(looking, still=notebook.attribution(net, x, method="occlusion"))

# %% [markdown]
# A net has no word for "none of these": it spreads all of its certainty over the classes that it knows, whatever you
# show it.
#
# ## Leave it to workers
#
# `records()` above ran in this kernel. A *worker* is a process of its own that outlives notebook and browser; the disk
# is all that they share. `DFN_WORKERS` says how many train at a time, the others queue. Here two runs, one worker at a
# time: your own net, and a plain one of its depth as the control.

# %%
from dfn.runs import launch
from dfn.runs.store import Store

os.environ["DFN_WORKERS"] = "1"
control = dfn.catalogue()["plain"].make(depth=max(spectrum), fusions=3, width=8, classes=3, in_channels=3)
store = Store()
first = store.create(recipe)
second = store.create(dfn.Recipe(design=control, net="plain", **settings))
launch.play([first])
launch.play([second])
for run in (first, second):
    print(f"{run.name}: {run.status().state}, place in the queue {run.status().place}")

# %%
(race := notebook.race({"your own": first, "plain": second}, play=False))

# %%
race.wait()

# %% [markdown]
# The app shows the same runs when it looks at the same `DFN_RUNS`, and so does the shell: `dfn runs`, `dfn show RUN`,
# `dfn stop RUN`, `dfn resume RUN`. What came out is equal to what came out in this kernel, to the last bit, if both
# used as many threads; with another number of threads sums are rounded otherwise.

# %%
here_hash, there_hash = records[-1].weights_sha256, first.status().weights_sha256
print(f"weights of the worker {'equal' if here_hash == there_hash else 'differ in rounding from'} those trained here")
print(f"your own {first.status().test_accuracy:.1%}, plain {second.status().test_accuracy:.1%}, one seed")

# %% [markdown]
# ## A GPU, several, a cluster
#
# **One GPU.** Nothing to do: the loop takes it when there is one, tries bf16 on the very net and replays every step as
# one CUDA graph. (Written and tested on a CPU on the same buffers; its speed on a GPU is not measured yet,
# `docs/scale.md` says so.)

# %%
if torch.cuda.is_available():
    print("GPU:", torch.cuda.get_device_name(), "- Training took", training.device)
else:
    print("No GPU here: Training took", training.device)

# %% [markdown]
# **Several GPUs of one machine.** The same recipe, cut into as many parts of a batch; batch norm takes its statistics
# over the whole batch, so it is the same run with the same id.
#
# ```sh
# torchrun --standalone --nproc-per-node=4 -m dfn train --data cifar10 --preset group --deep 33 --shallow 13
# ```
#
# **A SLURM allocation.** The same line in a batch script; a run that the allocation cuts off is taken up from its last
# checkpoint by the same command in the next one.
#
# **A class on one server.** One app for everybody; runs wait in one queue and say at which place.
#
# ```sh
# DFN_WORKERS=2 streamlit run app/main.py --server.address 0.0.0.0 --server.port 8501
# ```
#
# **A Ray cluster.** Many runs, each on one CPU or one GPU, wherever there is room. All machines see the folder of the
# runs under the same name.
#
# ```sh
# ray start --head --port 6379                 # on one machine
# ray start --address 10.0.0.1:6379            # on each of the others
# export DFN_CLUSTER=10.0.0.1:6379 DFN_RUNS=/shared/dfn-runs DFN_DATA=/shared/dfn-data
# dfn train --deep 50 --shallow 14 --fusions 6 --on ray
# ```
#
# From a notebook it is one variable: with `DFN_CLUSTER` set, `launch.play` and `notebook.race` send their runs there.
# `docs/scale.md` has each of these in full, with what was measured and what was not.

# %%
if os.environ.get("DFN_CLUSTER"):
    print("launch.play sends runs to the cluster at", os.environ["DFN_CLUSTER"])
else:
    print("No DFN_CLUSTER here: runs go to the queue of this computer,", launch.worker_limit(), "at a time.")

# %% [markdown]
# ## Exercises

# %% [markdown]
# **Exercise 1.** Give the *second* fusion a third branch, a 1x1 projection (`Conv(channels=16, kernel=1,
# projection=True)`): how many paths has the net then? Work it out, then build it.

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
line = Series(nodes=(Conv(channels=16, kernel=1, projection=True),))
three = Fusion(join="mean", branches=(*averaged.branches, line))
larger = dfn.Design(in_channels=3, classes=3, body=Series(nodes=(narrow, added, Pool(), three, Head())))
notebook.check(answer_1, path_count(larger))

# %% [markdown]
# **Exercise 2.** How many pixels of a side can one place of the last map see, along the path that sees the most?
# (`receptive_fields`)

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_2, max(receptive_fields(own)))

# %% [markdown]
# **Exercise 3.** Which class of your own data is called right *least* often in the last confusion matrix? If several
# are, the first of them.

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
shares = [row[at] / sum(row) for at, row in enumerate(epochs[-1].confusion)]
notebook.check(answer_3, data.classes[shares.index(min(shares))])

# %% [markdown]
# **Exercise 4.** By how many parameters does `own` differ from the control? A whole number.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
costs = [dfn.cost(design, data.shape).parameters for design in (own, control)]
notebook.check(answer_4, abs(costs[0] - costs[1]))

# %% [markdown]
# ## What you know now
#
# A net is a tree, a data set is a folder, a run is a folder too, and who trains it is a matter of a command. This was
# the last notebook: the app (`make app`) has all of it at hand, and its lessons go on from here.
