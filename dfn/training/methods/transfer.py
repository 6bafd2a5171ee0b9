"""Methods that begin with a net that was trained before: it teaches the deep base network, or it grows."""

from collections.abc import Callable
from dataclasses import replace

from dfn.design.catalogue import plain
from dfn.design.errors import DesignError
from dfn.design.growth import KEPT_JOINS, growth
from dfn.design.spec import Design
from dfn.training.methods.method import Frame, Method, Settings
from dfn.training.methods.structures import fused_net
from dfn.training.recipe import Objective, Recipe
from dfn.words import N_


def _teacher(frame: Frame, settings: Settings) -> tuple[Recipe, ...]:
    """The shallow base network alone, where there are fusions the very run that `plain-shallow` makes."""
    return (Recipe(design=plain(frame.shallow, frame.cuts, **frame.shape), net="plain", **settings),)


def _student(objective: Objective) -> Callable[[Frame, Settings], Recipe]:
    def make(frame: Frame, settings: Settings) -> Recipe:
        (teacher,) = _teacher(frame, settings)
        design = plain(frame.deep, frame.cuts, **frame.shape)
        return Recipe(design=design, net="plain", **settings | {"objective": objective, "teacher": teacher.id})

    return make


def _shallower(frame: Frame, settings: Settings) -> tuple[Recipe, ...]:
    """The shallow base network alone; where it has blocks without convs, which no conv can begin as, the shallowest
    plain net that the deep one can grow from."""
    grown = plain(frame.deep, frame.cuts, **frame.shape)
    for depth in range(frame.shallow, frame.deep + 1):
        design = plain(depth, frame.cuts, **frame.shape)
        if _grows(design, grown):
            return (Recipe(design=design, net="plain", **settings),)
    raise AssertionError("every net grows from itself")


def _grows(small: Design, large: Design) -> bool:
    try:
        growth(small, large)
    except DesignError:
        return False
    return True


def _deeper(frame: Frame, settings: Settings) -> Recipe:
    (teacher,) = _shallower(frame, settings)
    design = plain(frame.deep, frame.cuts, **frame.shape)
    return Recipe(design=design, net="plain", **settings | {"start": "net2net", "teacher": teacher.id})


def _narrower(frame: Frame, settings: Settings) -> tuple[Recipe, ...]:
    return (_of_kept_join(replace(frame, width=max(1, frame.width // 2)), settings),)


def _wider(frame: Frame, settings: Settings) -> Recipe:
    (teacher,) = _narrower(frame, settings)
    return _of_kept_join(frame, settings | {"start": "net2net", "teacher": teacher.id})


def _of_kept_join(frame: Frame, settings: Settings) -> Recipe:
    """The fused net of the frame, as a sum where its join does not work channel by channel."""
    return fused_net(frame if frame.join in KEPT_JOINS else replace(frame, join="sum"), settings)


TRANSFER = (
    Method(
        "distillation",
        "distillation",
        "transfer",
        N_(
            "Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531; temperature 3 "
            "and a weight that falls from 4 to 1 as in FitNets"
        ),
        "reconstruction",
        N_(
            "The shallow base network is trained first, and the deep one then learns its softened answers. "
            "In a fused net the two learn at once and help each other."
        ),
        r"L = H(y, P) + \lambda\, H\big(P_T^\tau, P^\tau\big)",
        _student("distillation"),
        first=_teacher,
    ),
    Method(
        "fitnets",
        "FitNets",
        "transfer",
        N_(
            "Romero, Ballas, Kahou, Chassang, Gatta, Bengio: FitNets, arXiv 1412.6550; a hint for the first quarter "
            "of the steps, and the shallow base network as the teacher, are ours"
        ),
        "reconstruction",
        N_(
            "The deep base network first learns to give the middle map of the trained shallow one, then its answers. "
            "Fusion joins such maps in every step, without a net that was trained before."
        ),
        r"\tfrac12\big\lVert u_h(x) - r\big(v_g(x)\big)\big\rVert^2, \quad \text{then} \quad "
        r"H(y, P) + \lambda\, H\big(P_T^\tau, P^\tau\big)",
        _student("fitnets"),
        first=_teacher,
    ),
    Method(
        "net2net-deeper",
        "Net2Net, deeper",
        "transfer",
        N_(
            "Chen, Goodfellow, Shlens: Net2Net (the paper's reference 18); convs that hand on what they see, a batch "
            "norm set by the statistics of a batch; the shallow base network as the teacher and the common learning "
            "rate are ours"
        ),
        "reconstruction",
        N_(
            "The trained shallow base network becomes the deep one by convs that change nothing at first, and trains "
            "on. "
            "Deep fusion has both from the beginning and trains them at once."
        ),
        r"x_b = \big(\mathrm{id} \circ G_b^{\mathrm{shallow}}\big)(x_{b-1}) \ \text{ at first}, \qquad "
        r"\gamma = \sqrt{v + \varepsilon}, \; \beta = \mu",
        _deeper,
        first=_shallower,
    ),
    Method(
        "net2net-wider",
        "Net2Net, wider",
        "transfer",
        N_(
            "Chen, Goodfellow, Shlens: Net2Net (the paper's reference 18); half of the width as the teacher and the "
            "common learning rate are ours"
        ),
        "reconstruction",
        N_(
            "A trained fused net of half the width gets copies of its channels, weighed so that its answers stay, and "
            "trains on. It enlarges the maps that the blocks of a fusion share and leaves the paths as they are."
        ),
        r"w'_{ij} = \frac{1}{n_j}\, w_{o(i)\, o(j)}, \qquad n_j = \big|\{k : o(k) = o(j)\}\big|",
        _wider,
        first=_narrower,
    ),
)
