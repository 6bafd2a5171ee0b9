"""Methods that differ from the fused net in their structure."""

from collections.abc import Callable

from dfn.design.catalogue import fused, merge_run, plain, resnet
from dfn.training.methods.method import DFN, Frame, Method, Settings
from dfn.training.recipe import Recipe


def _fused(frame: Frame, settings: Settings) -> Recipe:
    design = fused(bases=frame.bases, fusions=frame.fusions, join=frame.join, **frame.shape)
    return Recipe(design=design, net="fused", **settings)


def _plain(deep: bool) -> Callable[[Frame, Settings], Recipe]:
    def make(frame: Frame, settings: Settings) -> Recipe:
        depth = frame.deep if deep else frame.shallow
        return Recipe(design=plain(depth, frame.fusions or 3, **frame.shape), net="plain", **settings)

    return make


def _resnet(frame: Frame, settings: Settings) -> Recipe:
    return Recipe(design=resnet(frame.deep, **frame.shape), net="resnet", **settings)


def _merge_run(frame: Frame, settings: Settings) -> Recipe:
    """As many convs as the plain deep net, on two streams."""
    design = merge_run(max(2, (frame.deep + 2) // 2), **frame.shape)
    return Recipe(design=design, net="merge-run", **settings)


def _late(frame: Frame, settings: Settings) -> Recipe:
    return Recipe(design=fused(bases=frame.bases, fusions=1, **frame.shape), net="late", **settings)


def _decision(frame: Frame, settings: Settings) -> Recipe:
    design = fused(bases=frame.bases, fusions=0, **frame.shape)
    return Recipe(design=design, net="decision", objective="mean-of-losses", **settings)


STRUCTURES = (
    Method(
        "fused",
        "deep fusion",
        "fusion",
        f"{DFN}, section 2",
        "reconstruction",
        "The blocks of a deep and of a shallow base network are joined after every block. "
        "The joined map is the next input of both.",
        r"x_b = \mathrm{ReLU}\Big(\sum_k G_b^k(x_{b-1})\Big)",
        _fused,
        "fused",
    ),
    Method(
        "plain-deep",
        "plain deep",
        "base network",
        f"{DFN}, section 2: the deep base network",
        "reconstruction",
        "The deep base network alone. Fusion adds short ways to it and leaves its blocks as they are.",
        r"x_b = G_b^{\mathrm{deep}}(x_{b-1})",
        _plain(deep=True),
        "plain",
    ),
    Method(
        "plain-shallow",
        "plain shallow",
        "base network",
        f"{DFN}, section 2: the shallow base network",
        "reconstruction",
        "The shallow base network alone. On small data it is the control that a fused net has to be held against.",
        r"x_b = G_b^{\mathrm{shallow}}(x_{b-1})",
        _plain(deep=False),
        "shallow",
    ),
    Method(
        "resnet",
        "ResNet",
        "shortcut",
        "He, Zhang, Ren, Sun: Deep Residual Learning, arXiv 1512.03385",
        "paper",
        "A fused net whose shallow base network has depth 2: its blocks are identities. "
        "The paper counts it among the special cases of deep fusion.",
        r"x_b = \mathrm{ReLU}\big(x_{b-1} + G_b(x_{b-1})\big)",
        _resnet,
        "resnet",
    ),
    Method(
        "late",
        "late fusion",
        "fusion",
        f"{DFN}, section 1: fusion of the final representations",
        "ours",
        "The same base networks, joined once, after the last stage. "
        "Nothing that one of them learns on the way reaches the other.",
        r"x = \mathrm{ReLU}\Big(\sum_k G_B^k\big(\cdots G_1^k(x_0)\big)\Big)",
        _late,
        "late",
    ),
    Method(
        "decision",
        "decision fusion",
        "fusion",
        f"{DFN}, section 1: averaged predictors",
        "paper",
        "Whole nets that share nothing; only their logits are averaged. The mean of their losses trains them jointly.",
        r"y = \tfrac{1}{K}\sum_k y^k, \qquad L = \tfrac{1}{K}\sum_k L(y^k)",
        _decision,
        "decision",
    ),
    Method(
        "merge-run",
        "merge-and-run",
        "fusion",
        "the group's follow-up on merge-and-run mappings, arXiv 1611.07718; zlmzju/fusenet (network/cross.py)",
        "reconstruction",
        "Two streams meet at every step and stay two: each adds its own block's map to the mean of both. "
        "Deep fusion hands one joined map to every block instead.",
        r"x_k' = \mathrm{ReLU}\Big(H_k(x_k) + \tfrac{1}{2}(x_1 + x_2)\Big), \quad k = 1, 2",
        _merge_run,
    ),
)
