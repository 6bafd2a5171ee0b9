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
# # See inside: maps, attribution, flow, lesions
#
# A net that has learned can be opened. One line each: what the deep block, the shallow block and their fusion make of
# an image; where the answer came from; along which paths the gradient comes back; which block the net cannot do
# without. The run is kept in a folder, so that everything below can be asked again for every epoch.

# %%
import dfn
from dfn import notebook
from dfn.runs.store import Store
from dfn.runs.worker import work

EPOCHS = 5

net = dfn.fused(deep=14, shallow=8, fusions=3, width=8, classes=10, in_channels=1)
run = Store().create(dfn.Recipe(design=net, data="digits", epochs=EPOCHS, seed=0))
work([run])
print(f"{run.status().test_accuracy:.1%} of the test images")

# %% [markdown]
# ## Deep + shallow = fused
#
# The same channels in all three panels, on one scale. Point at a value to read its sum; press play to watch the maps
# form, epoch by epoch.

# %%
notebook.maps(run, image=7, fusion=2)

# %% [markdown]
# ## Where the answer came from
#
# Integrated gradients share the logit out over the pixels. The gap says how much of it they miss. **Predict first:**
# which strokes of the digit will be red?

# %%
notebook.attribution(run, image=7)

# %% [markdown]
# ## Along which paths the gradient comes back
#
# The Jacobian of the net, multiplied out, has one term for every path. The parts sum to the gradient; being vectors
# they may cancel, so their norms need not add up to its norm.

# %%
notebook.flow(run, image=7)

# %% [markdown]
# ## Which block it cannot do without
#
# One block at a time is replaced by zeros. The blocks behind were not trained on zeros: try `how="mean"` and
# `how="resample"` before you conclude anything.

# %%
notebook.lesions(run, images=200)
