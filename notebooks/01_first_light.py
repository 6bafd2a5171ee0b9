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
# # First light: two base networks, one fused net
#
# A *deeply-fused net* joins the maps of a deep and a shallow network after every block and hands the joined map back to
# both (Wang, Wei, Zhang, Zeng: *Deeply-Fused Nets*, arXiv 1605.07716). Here you make one, look at its paths, and watch
# it learn beside the same two networks unfused. It takes about a minute on a laptop.

# %%
import dfn
from dfn.design.picture import picture
from dfn.figures.curves import curves
from dfn.views import notebook

EPOCHS = 5

net = dfn.fused(deep=50, shallow=14, fusions=6, width=8, classes=10, in_channels=1)
notebook.net(picture(net, (1, 8, 8)))

# %% [markdown]
# Point at a bar under the net: every path from the image to the classes has its own depth. Without a running kernel the
# same numbers read:

# %%
print("paths by depth:", dfn.path_spectrum(net))
print("groups of base networks that form this net:", dfn.groups(net))
print("essential depth:", dfn.essential_depth(net))
print("parameters:", dfn.cost(net, (1, 8, 8)).parameters)

# %% [markdown]
# **Before you go on, predict:** the deep network alone has 50 layers, the shallow one 14. Which of the three will have
# learnt the digits after five epochs?

# %%
plain = dfn.catalogue()["plain"].make
racers = {
    "fused 50 + 14": ("fused", net),
    "plain 50": ("plain", plain(depth=50, fusions=6, width=8, in_channels=1)),
    "plain 14": ("shallow", plain(depth=14, fusions=6, width=8, in_channels=1)),
}
data = dfn.load_data("digits")
epochs = {name: [] for name in racers}
for name, (_, design) in racers.items():
    for record in dfn.fit(dfn.Recipe(design=design, data="digits", epochs=EPOCHS, seed=0), data=data):
        if hasattr(record, "test_accuracy") and hasattr(record, "epoch"):
            epochs[name].append(record)
    print(f"{name}: {epochs[name][-1].test_accuracy:.1%} of the test images")

# %%
curves(
    {
        name: (racers[name][0], [e.epoch for e in found], [e.test_accuracy for e in found])
        for name, found in epochs.items()
    },
    title="Test accuracy on digits, one seed",
    x_title="epoch",
    y_title="test accuracy",
    percent=True,
)

# %% [markdown]
# The deep network alone hardly learns; fused with the shallow one it does. Note what this does **not** show: the
# shallow network alone is at least as good on these small images. Fusion makes depth trainable; whether depth is
# needed is another question, and the app's Train page sets the controls beside it.

# %% [markdown]
# ## Exchange two blocks
#
# Swapping the blocks before one fusion gives two *other* base networks and the *same* fused net, to the last bit.

# %%
from dfn.models.transfer import exchange_blocks

model = dfn.build(net, seed=0).eval()
swapped = exchange_blocks(model, fusion=3)
images = data.normalise(data.test.images[:8])
print("largest difference of the logits:", (model(images) - swapped(images)).abs().max().item())
notebook.net(picture(swapped.design, (1, 8, 8), origins=[[0, 1], [0, 1], [1, 0], [0, 1], [0, 1], [0, 1]]))
