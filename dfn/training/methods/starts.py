"""The fused net with another start of its weights, and nothing else changed."""

from collections.abc import Callable

from dfn.models.starts import Scheme
from dfn.training.methods.method import Frame, Method, Settings
from dfn.training.methods.structures import fused_net
from dfn.training.recipe import Recipe
from dfn.words import N_


def _start(start: Scheme) -> Callable[[Frame, Settings], Recipe]:
    return lambda frame, settings: fused_net(frame, settings | {"start": start})


STARTS = (
    Method(
        "glorot",
        "Glorot start",
        "start",
        N_("Glorot, Bengio, AISTATS 2010; the textbook's formula"),
        "paper",
        N_(
            "The fused net with weights whose variance weighs the ways in and out of a layer alike, where the "
            "group's own code, after He, looks at the ways in alone. Behind batch norm the difference is small."
        ),
        r"\mathrm{Var}(w) = \frac{2}{n_{\mathrm{in}} + n_{\mathrm{out}}}",
        _start("glorot"),
    ),
    Method(
        "orthogonal",
        "orthogonal start",
        "start",
        "the orthonormal matrices that LSUV begins with: Mishkin, Matas, arXiv 1511.06422",
        "paper",
        N_(
            "The fused net with weights that keep lengths in every layer. It asks whether a better start alone "
            "trains a depth that fusion trains by short ways."
        ),
        r"W^\top W = g^2 I",
        _start("orthogonal"),
    ),
    Method(
        "lsuv",
        "LSUV start",
        "start",
        "Mishkin, Matas: All you need is a good init, arXiv 1511.06422",
        "paper",
        N_(
            "The fused net whose layers are orthogonal at first and then scaled, one after another, until a batch of "
            "images leaves each with variance 1. The sum of a fusion doubles a variance that nothing scales."
        ),
        r"W \leftarrow W / \sqrt{\mathrm{Var}(Wx)} \quad \text{until } |\mathrm{Var}(Wx) - 1| < 0.02",
        _start("lsuv"),
    ),
)
