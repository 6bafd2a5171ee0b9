"""The fused net with one switch of its recipe set: what a regulariser changes, and nothing else."""

from collections.abc import Callable
from typing import Any

from dfn.design.catalogue import fused
from dfn.training.methods.method import Frame, Method, Settings
from dfn.training.recipe import Recipe
from dfn.words import N_

DROPOUT, DROP_PATH, GLOBAL, PATIENCE = 0.5, 0.15, 0.5, 3


def _fused(shape: dict[str, Any] | None = None, **switch: Any) -> Callable[[Frame, Settings], Recipe]:
    """The fused net of the frame, with these settings of its design and of its recipe."""

    def make(frame: Frame, settings: Settings) -> Recipe:
        join = "sum" if "path_sgd" in switch and frame.join in ("max", "gate") else frame.join
        design = fused(bases=frame.bases, fusions=frame.fusions, join=join, **frame.shape, **(shape or {}))
        objective = "cross-entropy" if frame.fusions else "mean-of-losses"
        return Recipe(design=design, net="fused", **settings | {"objective": objective} | switch)

    return make


REGULARISERS = (
    Method(
        "dropout",
        "dropout",
        "regulariser",
        N_(
            "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout, JMLR 15, 2014; 0.5 in front of the "
            "classifier"
        ),
        "ours",
        N_(
            "The fused net with half of the values in front of its classifier dropped in training. "
            "It regularises the joint representation, not the blocks behind it."
        ),
        r"y = \frac{m \odot x}{1 - p}, \qquad m \sim \mathrm{Bern}(1 - p)",
        _fused({"dropout": DROPOUT}),
    ),
    Method(
        "drop-path",
        "drop-path",
        "regulariser",
        N_("Larsson, Maire, Shakhnarovich: FractalNet, arXiv 1605.07648; local drop-path of 15 %"),
        "reconstruction",
        N_(
            "The fused net in which training drops blocks at every fusion, at least one of them staying. "
            "It trains many of the paths of a fused net one by one."
        ),
        r"x_b = \mathrm{ReLU}\Big(\tfrac{K}{\sum_k m_k}\sum_k m_k\, G_b^k(x_{b-1})\Big)",
        _fused({"drop_path": DROP_PATH}),
    ),
    Method(
        "global-drop-path",
        "global and local drop-path",
        "regulariser",
        N_(
            "Larsson, Maire, Shakhnarovich: FractalNet, arXiv 1605.07648; one column alone for half of the "
            "mini-batches, local drop-path of 15 % for the others"
        ),
        "reconstruction",
        N_(
            "The fused net trained half of the time as one of its base networks, drawn anew for every batch. "
            "Each of them learns to be a net by itself, and the fused net stays at test."
        ),
        r"x_b = \mathrm{ReLU}\big(K\, G_b^{c}(x_{b-1})\big), \; c \sim \mathrm{U}\{1..K\} \text{ for all } b",
        _fused({"drop_path": DROP_PATH, "global_drop_path": GLOBAL}),
    ),
    Method(
        "no-weight-decay",
        "no weight decay",
        "regulariser",
        N_("the control of weight decay, which the group's own code sets to 1e-4 (zlmzju/fusenet, options.py)"),
        "ours",
        N_(
            "The fused net without the term that pulls all its weights to zero. "
            "The gap to the fused net is what weight decay is worth here."
        ),
        r"L = L(y) + \tfrac{\lambda}{2}\sum w^2, \qquad \lambda = 0",
        _fused(weight_decay=0.0),
    ),
    Method(
        "path-sgd",
        "Path-SGD",
        "regulariser",
        N_("Neyshabur, Salakhutdinov, Srebro: Path-SGD, arXiv 1506.02617; its one constant as in bneyshabur/path-sgd"),
        "reconstruction",
        N_(
            "The fused net with every gradient divided by what the weight adds to the sum over all paths. "
            "Without a norm its steps do not depend on how a ReLU net is scaled; behind a batch norm, whose input "
            "may have any scale, it is a heuristic."
        ),
        r"w_e \leftarrow w_e - \eta\, \frac{g_e}{\kappa_e}, \qquad "
        r"\kappa_e = \frac{\partial}{\partial w_e^2}\sum_{\text{paths}}\prod_{e} w_e^2",
        _fused(path_sgd=True),
    ),
    Method(
        "early-stopping",
        "early stopping",
        "regulariser",
        N_("a tenth of the training images held out, patience 3, ours"),
        "ours",
        N_(
            "The fused net trained until three epochs bring no lower loss on held-out training images, with its best "
            "weights kept. The test images have no say in when it stops."
        ),
        r"t^* = \arg\min_t L_{\text{held out}}(w_t)",
        _fused(patience=PATIENCE),
    ),
)
