"""Methods that differ from the fused net in their structure."""

from collections.abc import Callable
from typing import Any

from dfn.design.catalogue import catalogue, fused, merge_run, plain, resnet
from dfn.design.spec import Design
from dfn.training.methods.method import DFN, Frame, Method, Settings
from dfn.training.recipe import Recipe, joins_logits
from dfn.words import N_


def fused_recipe(design: Design, settings: Settings) -> Recipe:
    """The recipe of a net of several base networks, given as its design: where whole nets meet in their logits only
    (decision fusion), each has a loss of its own. Raises RecipeError for settings that cannot be."""
    if joins_logits(design):
        return Recipe(design=design, net="decision", objective="mean-of-losses", **settings)
    return Recipe(design=design, net="fused", **settings)


def fused_net(frame: Frame, settings: Settings) -> Recipe:
    """The recipe of the fused net of a comparison."""
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
    return fused_recipe(fused(bases=frame.bases, fusions=0, **frame.shape), settings)


def _joined(**changes: Any) -> Callable[[Frame, Settings], Recipe]:
    """The fused net with another join or norm."""

    def make(frame: Frame, settings: Settings) -> Recipe:
        made = {"join": frame.join} | changes
        return Recipe(design=fused(bases=frame.bases, fusions=frame.fusions, **made, **frame.shape), **settings)

    return make


def _named(name: str, of: Callable[[Frame], dict[str, Any]], **more: Any) -> Callable[[Frame, Settings], Recipe]:
    """A net of the catalogue, with the depths that `of` makes of a frame; `more` are settings of its recipe."""

    def make(frame: Frame, settings: Settings) -> Recipe:
        return Recipe(design=catalogue()[name].make(**of(frame), **frame.shape), net=name, **more, **settings)

    return make


def _shallow(frame: Frame) -> dict[str, Any]:
    return {"depth": frame.shallow}


def _views(frame: Frame) -> dict[str, Any]:
    return {"depth": frame.shallow, "fusions": frame.fusions or 3}


_MV3D = "Chen, Ma, Wan, Li, Xia: MV3D, arXiv 1611.07759"

STRUCTURES = (
    Method(
        "fused",
        "deep fusion",
        "fusion",
        DFN + N_(", section 2"),
        "reconstruction",
        N_(
            "The blocks of a deep and of a shallow base network are joined after every block. "
            "The joined map is the next input of both."
        ),
        r"x_b = \mathrm{ReLU}\Big(\sum_k G_b^k(x_{b-1})\Big)",
        fused_net,
        "fused",
    ),
    Method(
        "plain-deep",
        "plain deep",
        "base network",
        DFN + N_(", section 2: the deep base network"),
        "reconstruction",
        N_("The deep base network alone. Fusion adds short ways to it and leaves its blocks as they are."),
        r"x_b = G_b^{\mathrm{deep}}(x_{b-1})",
        _plain(deep=True),
        "plain",
    ),
    Method(
        "plain-shallow",
        "plain shallow",
        "base network",
        DFN + N_(", section 2: the shallow base network"),
        "reconstruction",
        N_("The shallow base network alone. On small data it is the control that a fused net has to be held against."),
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
        N_(
            "A fused net whose shallow base network has depth 2: its blocks are identities. "
            "The paper counts it among the special cases of deep fusion."
        ),
        r"x_b = \mathrm{ReLU}\big(x_{b-1} + G_b(x_{b-1})\big)",
        _resnet,
        "resnet",
    ),
    Method(
        "late",
        "late fusion",
        "fusion",
        DFN + N_(", section 1: fusion of the final representations"),
        "ours",
        N_(
            "The same base networks, joined once, after the last stage. "
            "Nothing that one of them learns on the way reaches the other."
        ),
        r"x = \mathrm{ReLU}\Big(\sum_k G_B^k\big(\cdots G_1^k(x_0)\big)\Big)",
        _late,
        "late",
    ),
    Method(
        "decision",
        "decision fusion",
        "fusion",
        DFN + N_(", section 1: averaged predictors"),
        "paper",
        N_(
            "Whole nets that share nothing; only their logits are averaged. The mean of their losses trains them "
            "jointly."
        ),
        r"y = \tfrac{1}{K}\sum_k y^k, \qquad L = \tfrac{1}{K}\sum_k L(y^k)",
        _decision,
        "decision",
    ),
    Method(
        "merge-run",
        "merge-and-run",
        "fusion",
        N_("the group's follow-up on merge-and-run mappings, arXiv 1611.07718; zlmzju/fusenet (network/cross.py)"),
        "reconstruction",
        N_(
            "Two streams meet at every step and stay two: each adds its own block's map to the mean of both. "
            "Deep fusion hands one joined map to every block instead."
        ),
        r"x_k' = \mathrm{ReLU}\Big(H_k(x_k) + \tfrac{1}{2}(x_1 + x_2)\Big), \quad k = 1, 2",
        _merge_run,
    ),
    Method(
        "highway",
        "highway net",
        "shortcut",
        "Srivastava, Greff, Schmidhuber: Training Very Deep Networks, arXiv 1507.06228",
        "reconstruction",
        N_(
            "A fused net of one conv and the identity, weighed by a gate that the input opens. "
            "The paper counts it among the special cases of deep fusion."
        ),
        r"y = H(x)\,T(x) + x\,(1 - T(x)), \quad T = \sigma(\mathrm{conv}(x))",
        _named("highway", lambda frame: {"depth": max(3, frame.deep)}),
    ),
    Method(
        "inception",
        "deep concatenation fusion",
        "fusion",
        N_("after GoogLeNet as Wang, Wei, Zhang, Zeng: Deeply-Fused Nets, arXiv 1605.07716, section 2, reads it"),
        "ours",
        N_(
            "The branches of a module are put side by side instead of summed. "
            "That is a sum of branches padded with zero channels, because each is narrower than what follows."
        ),
        r"x_b = [G_b^1(x_{b-1});\, \dots;\, G_b^K(x_{b-1})] = \sum_k P_k\, G_b^k(x_{b-1})",
        _named("inception", lambda frame: {"modules": max(1, (frame.deep - 2) // 2)}),
    ),
    Method(
        "inception-resnet",
        "residual inception",
        "shortcut",
        N_("after Inception-ResNet (the paper's reference 3); residual scaling 0.2, its range being 0.1 to 0.3"),
        "ours",
        N_(
            "Concatenation fusion inside a block and summation around it: a fusion within a fusion. "
            "The block is scaled down before it is added, which is said to keep wide nets from dying."
        ),
        r"x_b = \mathrm{ReLU}\big(x_{b-1} + 0.2\, G_b(x_{b-1})\big)",
        _named("inception-resnet", lambda frame: {"modules": max(1, (frame.deep - 2) // 3)}),
    ),
    Method(
        "fractal",
        "fractal net with drop-path",
        "shortcut",
        N_("Larsson, Maire, Shakhnarovich: FractalNet, arXiv 1605.07648; local drop-path 15 %"),
        "ours",
        N_(
            "Fusions by the mean, nested by one rule of expansion, so that depth doubles with every column. "
            "Training drops branches at random, one always stays."
        ),
        r"f_{C+1} = \tfrac{1}{2}\big(f_C \circ f_C + \mathrm{conv}\big)",
        _named("fractal", lambda frame: {"columns": 3, "blocks": 3, "drop_path": 0.15}),
    ),
    Method(
        "mean",
        "mean instead of sum",
        "fusion",
        DFN + N_(", section 2, with the join of MV3D (arXiv 1611.07759)"),
        "ours",
        N_(
            "Deep fusion with the mean of the blocks in place of their sum. "
            "It is the sum divided by the number of blocks, which the next batch norm absorbs."
        ),
        r"x_b = \mathrm{ReLU}\Big(\tfrac{1}{K}\sum_k G_b^k(x_{b-1})\Big)",
        _joined(join="mean"),
    ),
    Method(
        "weighted",
        "learned weights",
        "fusion",
        DFN + N_(", section 2, with a learned number a block"),
        "ours",
        N_(
            "Deep fusion whose sum has a learned factor for every block, all beginning at 1. "
            "It asks whether training would weigh the blocks in another way than the paper's sum does."
        ),
        r"x_b = \mathrm{ReLU}\Big(\sum_k w_b^k\, G_b^k(x_{b-1})\Big)",
        _joined(join="weighted"),
    ),
    Method(
        "inverse-variance",
        "inverse-variance fusion",
        "fusion",
        DFN
        + N_(", section 2, with weights from running variances: a reader's question whether fusion is a Kalman filter"),
        "ours",
        N_(
            "Deep fusion that trusts a block the more, the less its output varies, as a Kalman filter weighs "
            "measurements. "
            "But a filter knows the variances of errors, and here signal and error are one."
        ),
        r"x_b = \mathrm{ReLU}\Big(\tfrac{\sum_k G_b^k / v_b^k}{\sum_k 1 / v_b^k}\Big), \; v_b^k = \mathrm{Var}\, G_b^k",
        _joined(join="inverse-variance"),
    ),
    Method(
        "no-norm",
        "without batch norm",
        "regulariser",
        DFN + N_(", section 2, without normalisation"),
        "ours",
        N_(
            "The fused net with biases in place of batch norms. "
            "Nothing holds the scale of the joined maps, which a sum raises."
        ),
        r"x_b = \mathrm{ReLU}\Big(\sum_k G_b^k(x_{b-1})\Big)",
        _joined(norm="none"),
    ),
    Method(
        "group-norm",
        "group norm",
        "regulariser",
        DFN + N_(", section 2, with group norm; about 8 channels a group"),
        "ours",
        N_(
            "The fused net with norms over groups of channels of one image in place of batches. "
            "Training and evaluation then compute the same function."
        ),
        r"\hat{x} = \frac{x - \mu_g}{\sqrt{\sigma_g^2 + \varepsilon}}",
        _joined(norm="group"),
    ),
    Method(
        "multi-column",
        "multi-column",
        "views",
        N_("after MCDNN (the paper's reference 21); the views are ours"),
        "ours",
        N_(
            "Whole nets on differently prepared images, whose answers are averaged: decision fusion of views. "
            "The mean of their losses trains them as separately as training one by one would."
        ),
        r"y = \tfrac{1}{K}\sum_k \mathrm{net}_k\big(V_k(\mathrm{image})\big)",
        _named("multi-column", _shallow, objective="mean-of-losses"),
    ),
    Method(
        "adaptive-columns",
        "adaptive multi-column",
        "views",
        N_("after AMC-SSDA (the paper's reference 22); the weights come from the columns' logits (ours)"),
        "ours",
        N_(
            "Multi-column with weights that a small net finds anew for every image. "
            "It is decision fusion that learns whom to believe."
        ),
        r"y = \sum_k w_k(\mathrm{image})\, y^k, \quad w \ge 0, \; \textstyle\sum_k w_k = 1",
        _named("adaptive-columns", _shallow),
    ),
    Method(
        "views-early",
        "early fusion of views",
        "views",
        _MV3D + N_(": its formula of early fusion; three views of one image are ours"),
        "ours",
        N_(
            "The views are joined once, before one column of blocks. "
            "That column alone has a third of the blocks of the other two."
        ),
        r"f_L = H_L\big(\cdots H_1(f^1 + f^2 + f^3)\big)",
        _named("views-early", _views),
    ),
    Method(
        "views-late",
        "late fusion of views",
        "views",
        _MV3D + N_(": its formula of late fusion; three views of one image are ours"),
        "ours",
        N_(
            "Every view has a column of its own, joined once behind the last stage. It has the parameters of deep "
            "fusion."
        ),
        r"f_L = \sum_v H_L^v\big(\cdots H_1^v(f^v)\big)",
        _named("views-late", _views),
    ),
    Method(
        "views-deep",
        "deep fusion of views",
        "views",
        _MV3D + N_(": its formula of deep fusion; three views of one image are ours"),
        "ours",
        N_(
            "The views are joined by the mean before and after every block, so each column reads what all have found. "
            "MV3D names deeply-fused nets as its inspiration and gives every column the same depth."
        ),
        r"f_l = \sum_v H_l^v(f_{l-1}), \quad f_0 = \textstyle\sum_v f^v",
        _named("views-deep", _views),
    ),
)
