"""Methods that supervise a net at more than its last layer, or several nets at once."""

from dfn.design.catalogue import fused, plain
from dfn.design.nodes import SYMMETRIC_JOINS
from dfn.design.relatives import side_outputs, views
from dfn.training.methods.method import DFN, Frame, Method, Settings
from dfn.training.recipe import Recipe
from dfn.words import N_


def _apart(frame: Frame, settings: Settings) -> Recipe:
    design = fused(bases=frame.bases, fusions=0, **frame.shape)
    return Recipe(design=design, net="decision", **settings | {"objective": "sum-of-losses"})


def _companions(frame: Frame, settings: Settings) -> Recipe:
    design = plain(frame.deep, frame.cuts, **frame.shape)
    return Recipe(design=design, net="plain", **settings | {"objective": "companion-losses"})


def _side_outputs(frame: Frame, settings: Settings) -> Recipe:
    design = side_outputs(frame.deep, **frame.shape)
    return Recipe(design=design, net="side-outputs", **settings | {"objective": "side-outputs"})


def _auxiliary(frame: Frame, settings: Settings) -> Recipe:
    join = frame.join if frame.join in SYMMETRIC_JOINS else "sum"
    design = fused(bases=frame.bases, fusions=frame.fusions or 3, join=join, **frame.shape)
    return Recipe(design=design, net="fused", **settings | {"objective": "auxiliary-paths"})


def _mv3d(frame: Frame, settings: Settings) -> Recipe:
    design = views("deep", frame.shallow, frame.fusions or 3, **frame.shape, drop_path=0.5, global_drop_path=0.5)
    return Recipe(design=design, net="views-deep", **settings | {"objective": "auxiliary-paths"})


SUPERVISION = (
    Method(
        "apart",
        "separate training",
        "supervision",
        DFN + N_(", section 2: each network learnt separately, predictors averaged"),
        "paper",
        N_(
            "The nets of decision fusion under the sum of their losses, so that each is trained as if it were alone. "
            "With the mean instead each gets a K-th of the gradient: the same at K times the learning rate and a "
            "K-th of the weight decay, and not with clipped gradients."
        ),
        r"L = \sum_k L(y^k), \qquad y = \tfrac{1}{K}\sum_k y^k",
        _apart,
    ),
    Method(
        "companions",
        "companion losses",
        "supervision",
        N_(
            "Lee, Xie, Gallagher, Zhang, Tu: Deeply-Supervised Nets, arXiv 1409.5185; softmax companions behind "
            "average pooling, and a weight that falls from 0.1 to 0 over the first half, are ours"
        ),
        "ours",
        N_(
            "Small classifiers bring the loss to the early layers of the deep base network while it trains, and are "
            "gone afterwards. Fusion brings it there through the other base network, which stays."
        ),
        r"L = L(y) + \alpha(t)\sum_m L\big(h_m(x_m)\big), \qquad \alpha(t) \to 0",
        _companions,
    ),
    Method(
        "side-outputs",
        "side outputs",
        "supervision",
        N_(
            "Xie, Tu: Holistically-Nested Edge Detection, arXiv 1504.06375; for classes instead of edges, and with "
            "logits averaged, ours"
        ),
        "ours",
        N_(
            "Every stage of the deep base network has a classifier with a loss of its own, and their logits are "
            "averaged. "
            "What deep fusion does with maps is done here with answers."
        ),
        r"L = L(y) + \sum_m L(y^m), \qquad y = \tfrac{1}{3}\sum_m y^m",
        _side_outputs,
    ),
    Method(
        "auxiliary",
        "auxiliary paths",
        "supervision",
        N_("Chen, Ma, Wan, Li, Xia: Multi-View 3D Object Detection Network, arXiv 1611.07759; on one image, ours"),
        "ours",
        N_(
            "Each base network alone, with the weights that it has in the fused net, gets a loss that counts as much "
            "as the fused one's. They are absent at test, and the fused net is left."
        ),
        r"L = \tfrac{1}{K+1}\Big(L(y) + \sum_k L\big(y^k\big)\Big)",
        _auxiliary,
    ),
    Method(
        "views-auxiliary",
        "deep fusion of views, with auxiliary paths",
        "views",
        N_(
            "Chen, Ma, Wan, Li, Xia: MV3D, arXiv 1611.07759: mean join, one view alone for half of the mini-batches, "
            "else every branch dropped with probability 1/2, and auxiliary paths; three views of one image are ours"
        ),
        "ours",
        N_(
            "Deep fusion of views with what MV3D trains it by: drop-path of both kinds, and a loss for each view "
            "alone. "
            "The auxiliary paths share the weights of the columns and are absent at test."
        ),
        r"L = \tfrac{1}{4}\Big(L(y) + \sum_{v=1}^{3} L\big(y^v\big)\Big), \qquad y^v = H_L^v(\cdots H_1^v(f^v))",
        _mv3d,
    ),
)
