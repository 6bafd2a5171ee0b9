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
# # 06  Attribution: where an answer comes from
#
# A net gives ten numbers for an image. Which pixels made the largest of them large, and through which block did they
# come? You compute the answer by hand first, in a few lines of torch, then with Captum, then with one line of `dfn`.
# At the end you test the pictures: a sharp one need not depend on what the net has learnt.
#
# About 20 minutes. Before this one comes `05_multi_scale_maps`.

# %%
import dfn
from dfn import notebook

SHORT = notebook.begin()
EPOCHS, STEPS, MOST_STEPS = (1, 50, 64) if SHORT else (5, None, 256)
# STEPS None: as many as the gap needs

# %% [markdown]
# ## A net, an image, an answer
#
# A small fused net learns the digits. Of the test images we take the first one that it calls right.

# %%
import torch

from dfn.runs.weights import data_of, net_after

design = dfn.fused(deep=14, shallow=8, fusions=3, width=8, classes=10, in_channels=1)
run = notebook.trained(dfn.Recipe(design=design, data="digits", epochs=EPOCHS, seed=0))
net, data = net_after(run), data_of(run)

images, labels = data.normalise(data.test.images), data.test.labels
right = (net(images).argmax(1) == labels).nonzero()[:, 0].tolist()
number = right[0]
x, target = images[number : number + 1], int(labels[number])
with torch.no_grad():
    logits = net(x)[0]
print(f"{len(right) / len(labels):.1%} of the test images are called right")
print(f"test image {number} is a {target}; its logits: {', '.join(f'{value:.2f}' for value in logits)}")

# %% [markdown]
# ## By hand: the gradient
#
# The question is about one number, the logit $f(x)$ of class `target`. Its gradient in the image says how much the
# logit would change for a small change of every pixel. `torch.autograd.grad` gives it and leaves the net alone;
# `.backward()` would fill the gradients of the weights, which somebody else may be using.

# %%
pixels = x.clone().requires_grad_()
f = net(pixels)[0, target]
(gradient,) = torch.autograd.grad(f, pixels)
saliency = dfn.attribute(net, x, target, method="saliency")
print("largest difference of |gradient| and dfn's saliency:", (gradient.abs() - saliency.values).abs().max().item())

# %% [markdown]
# The gradient is a *slope*, not an amount. Multiply it by the pixels and you get amounts, but nothing says that they
# add up to the logit. Look at the two numbers.

# %%
products = (gradient * x).sum().item()
print(f"sum of gradient times image: {products:.3f}")
with torch.no_grad():
    baseline = torch.zeros_like(x)  # after normalisation 0 is the mean grey of the training images
    start = net(baseline)[0, target].item()
    change = net(x)[0, target].item() - start
print(f"the logit of this image is {change:.3f} above that of the baseline, {start:.3f}")

# %% [markdown]
# ## By hand: integrated gradients
#
# Walk from the baseline $x'$ to the image in $n$ steps, average the gradient over the way and multiply by the
# distance (arXiv 1703.01365):
#
# $$(x_i - x'_i) \int_0^1 \frac{\partial f\left(x' + \alpha (x - x')\right)}{\partial x_i}\, d\alpha$$
#
# Now the values do add up to $f(x) - f(x')$. This is *completeness*, and what a sum of finitely many steps misses of
# it is the **gap**.
#
# **Predict.** How large is the gap with so many steps, in per cent? Put your numbers in the place of `None`.

# %%
predicted_gaps = {"1 step": None, "4 steps": None, "32 steps": None}

# %%
counts = [2**power for power in range(MOST_STEPS.bit_length())]
gaps, by_hand = [], {}
for count in counts:
    middles = (torch.arange(count) + 0.5) / count
    way = (baseline + middles.view(-1, 1, 1, 1) * (x - baseline)).requires_grad_()
    (slopes,) = torch.autograd.grad(net(way)[:, target].sum(), way)
    by_hand[count] = (x - baseline) * slopes.mean(0, keepdim=True)
    gaps.append(abs(by_hand[count].sum().item() - change) / abs(change))

from dfn.figures.curves import curves

figure = curves({"by hand": ("fused", counts, gaps)}, "What integrated gradients miss", "steps", "gap", percent=True)
figure.update_xaxes(type="log", tickvals=counts)

# %%
measured_gaps = {name: 100 * gaps[counts.index(int(name.split()[0]))] for name in predicted_gaps}
notebook.reveal(predicted_gaps, measured_gaps, title="What integrated gradients miss", unit="%")

# %% [markdown]
# The gap need not fall evenly: the net is piecewise linear, and every kink on the way is met or missed by chance. So
# a fixed number of steps is a promise that nobody checks. Better let the number follow the gap.
#
# ## The same with Captum, and with dfn
#
# Captum's `IntegratedGradients` takes the same middles of steps (`riemann_middle`) and gives the same values. It has
# one trap: it explains the net in the mode in which it stands. In train mode a batch norm uses the batch and *changes
# its running statistics*, so looking at a net would change it.

# %%
from copy import deepcopy

from captum.attr import IntegratedGradients

how = {"target": target, "n_steps": counts[-1], "method": "riemann_middle"}
captum = IntegratedGradients(net).attribute(x, baselines=baseline, **how)
print("largest difference by hand and by Captum:", (captum - by_hand[counts[-1]]).abs().max().item())

careless = deepcopy(net).train()
before = deepcopy(careless.state_dict())
IntegratedGradients(careless).attribute(images[:2], baselines=torch.zeros_like(images[:2]), **how)
moved = [name for name, value in careless.state_dict().items() if not torch.equal(value, before[name])]
print(f"in train mode Captum moved {len(moved)} of {len(before)} tensors of the net, such as {moved[0]}")

# %% [markdown]
# `dfn.attribute` works on a copy of the net in eval mode. It says how large the gap is, and it doubles the steps until
# the gap is below 1 % or 1600 steps are taken, unless `steps` says how many.

# %%
found = dfn.attribute(net, x, target, steps=STEPS)
print(f"{int(found.steps[0])} steps, gap {float(found.gap[0]):.2%}, change of the logit {float(found.change[0]):.3f}")

# %% [markdown]
# ## Look, with other methods beside
#
# Choose an image and a method. Red pixels speak for the class that the net calls, blue ones against it. Without a
# kernel you see integrated gradients of our image.

# %%
import ipywidgets

from dfn.insight.methods import METHODS
from dfn.views.notebook import Panel

of_images = [name for name, method in METHODS.items() if "input" in method.places]
chooser = ipywidgets.interactive(
    notebook.attribution,
    subject=ipywidgets.fixed(run),
    image=ipywidgets.BoundedIntText(value=number, min=0, max=len(labels) - 1, description="image"),
    method=ipywidgets.Dropdown(options=of_images, value="integrated_gradients", description="method"),
    at=ipywidgets.fixed("input"),
    target=ipywidgets.fixed(None),
    epoch=ipywidgets.fixed(None),
)
Panel(chooser, still=notebook.attribution(run, number, steps=STEPS))

# %% [markdown]
# Every method says what its values are and what they cannot say:

# %%
from IPython.display import Markdown

facts = [METHODS[name] for name in of_images]
Markdown("\n".join(f"- **{method.title}** ({method.values}; {method.source}): {method.says}" for method in facts))

# %% [markdown]
# ## By hand: occlusion
#
# No gradient at all: cover a square with the baseline and see what the logit loses. Four lines, and the same numbers
# as `dfn`.

# %%
lost = torch.zeros_like(x)
for row in range(0, x.shape[2], 2):
    for column in range(0, x.shape[3], 2):
        covered = x.clone()
        covered[..., row : row + 2, column : column + 2] = 0
        with torch.no_grad():
            lost[..., row : row + 2, column : column + 2] = net(x)[0, target] - net(covered)[0, target]
occlusion = dfn.attribute(net, x, target, method="occlusion", window=2, stride=2)
print("largest difference by hand and by dfn:", (lost - occlusion.values).abs().max().item())

# %% [markdown]
# ## Through which block did it come?
#
# This question is the fused net's own. Every path takes exactly one block at a fusion, so the gradient is the sum of
# the gradients through the deep and the shallow block, and so are the integrated gradients. `attribute_by_branch`
# shares them out; `residual` is what the parts and the whole differ by, and would show a mistake.
#
# **Predict.** At fusion 2, which block brings the larger part (in norm), in per cent of both? Deep blocks have more
# layers, shallow ones the shorter way.

# %%
predicted_parts = {"deep": None, "shallow": None}

# %%
from dfn.insight.branches import attribute_by_branch

branches = attribute_by_branch(net, x, target, fusion=2, steps=STEPS)
norms = {lane: part.norm().item() for lane, part in branches.parts.items()}
print(f"residual {branches.residual:.1e}")
for lane, part in branches.parts.items():
    print(f"{lane}: sum of values {part.sum().item():+.3f}, norm {norms[lane]:.3f}")
print(f"whole: sum of values {branches.whole.values.sum().item():+.3f}")
notebook.reveal(
    predicted_parts,
    {lane: 100 * norm / sum(norms.values()) for lane, norm in norms.items()},
    title="Share of each block at fusion 2",
    unit="%",
)

# %% [markdown]
# The parts may cancel: their norms say how much passes through a block, their sums what is left of it in the logit.
# One image is one case; the exercises ask for more.

# %%
from dfn.figures.maps import tiles

panels = {**branches.parts, "whole": branches.whole.values}
tiles({name: values[0].float().numpy() for name, values in panels.items()}, "Integrated gradients by block at fusion 2")

# %% [markdown]
# ## Is the picture about the net?
#
# Two tests that a picture can fail.
#
# **Deletion** (arXiv 1806.07421): take the pixels away, the most important first. If the order means something, the
# probability of the class falls sooner than with pixels in a random order, which is the control.

# %%
from dfn.figures.attribution import pixel_curves
from dfn.insight.scores import pixel_curve

shuffled = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
deletions = {
    name: pixel_curve(net, x, target, values, "deletion")
    for name, values in {"by value": found.values, "random": shuffled}.items()
}
figure = pixel_curves(
    deletions["random"].shares.tolist(),
    {name: (curve.probability[0].tolist(), curve.area.item()) for name, curve in deletions.items()},
)
print("area under the curve:", {name: round(curve.area.item(), 3) for name, curve in deletions.items()})
figure.update_traces(mode="lines").update_layout(showlegend=True)

# %% [markdown]
# **Randomisation** (arXiv 1810.03292): shuffle the weights, place by place from the classifier to the stem. A picture
# that explains what the net has learnt must change; one that hardly changes shows something else, the image as a
# rule.
#
# **Predict.** After the *classifier* alone is shuffled: how alike is the picture, from 0 (nothing in common) to 1?

# %%
predicted_likeness = {"integrated gradients": None, "guided backprop": None, "saliency": None}

# %%
from dfn.insight.scores import randomisation

asked = {"integrated gradients": {"steps": 50}, "guided backprop": {}, "saliency": {}}
likenesses = {
    title: randomisation(net, x, target, title.replace(" ", "_"), **options) for title, options in asked.items()
}
for title, row in likenesses.items():
    print(f"{title}: " + ", ".join(f"{place} {value:.2f}" for place, value in row.items()))
notebook.reveal(
    predicted_likeness,
    {title: row["head"] for title, row in likenesses.items()},
    title="Rank correlation with the classifier shuffled",
)

# %%
roles = {"integrated gradients": "fused", "guided backprop": "late", "saliency": "plain"}
places = ["as it is", *likenesses["saliency"]]
curves(
    {title: (roles[title], places, [1.0, *row.values()]) for title, row in likenesses.items()},
    "Likeness of the picture while the weights are shuffled",
    "shuffled so far",
    "rank correlation",
)

# %% [markdown]
# A sharp picture is not by that a picture of the net. And a warning about the test itself: values that have the image
# as a factor, as integrated gradients have, keep some likeness through that factor alone. None of these tests proves a
# picture right. Each can show it wrong.
#
# ## Exercises

# %% [markdown]
# **Exercise 1.** Another image: the second one that the net calls right, `right[1]`, for its own class. How large is
# the gap of *gradient times image* against the change of the logit, as a share of that change (1 is 100 %)? The
# baseline is zero, as above.

# %%
answer_1 = None

# %% jupyter={"source_hidden": true}
other = images[right[1] : right[1] + 1].clone().requires_grad_()
other_target = int(labels[right[1]])
other_f = net(other)[0, other_target]
(slope,) = torch.autograd.grad(other_f, other)
other_change = (other_f - net(torch.zeros_like(other))[0, other_target]).item()
notebook.check(answer_1, abs((slope * other).sum().item() - other_change) / abs(other_change), within=0.01)

# %% [markdown]
# **Exercise 2.** Take the mean of all test images of the same class as the baseline (`baseline=...` is an option of
# `dfn.attribute`). By how much does the logit of image `number` then differ from that of its baseline? Say it to one
# digit behind the point.

# %%
answer_2 = None

# %% jupyter={"source_hidden": true}
typical = images[labels == target].mean(0)
notebook.check(answer_2, float(dfn.attribute(net, x, target, baseline=typical, steps=50).change[0]), within=0.06)

# %% [markdown]
# **Exercise 3.** Over the first five images of `right`, at fusion 1: for how many is the *shallow* part the larger one
# in norm? Each image for its own class, with `steps=50`.

# %%
answer_3 = None

# %% jupyter={"source_hidden": true}
first = right[:5]
several = attribute_by_branch(net, images[first], labels[first], fusion=1, steps=50).parts
notebook.check(
    answer_3, int((several["shallow"].flatten(1).norm(dim=1) > several["deep"].flatten(1).norm(dim=1)).sum())
)

# %% [markdown]
# **Exercise 4.** Which of the three methods of the last figure is the most alike to its own picture when *all* weights
# have been shuffled? Answer with its name.

# %%
answer_4 = None

# %% jupyter={"source_hidden": true}
notebook.check(answer_4, max(likenesses, key=lambda title: list(likenesses[title].values())[-1]))

# %% [markdown]
# ## What you know now
#
# An attribution is a way of sharing a number out. Completeness, a control and a shuffled net tell what it is worth,
# and at a fusion it can be shared out between the blocks. Next: `07_lesions_and_joint_learning` cuts blocks out
# instead of asking where the gradient goes.
