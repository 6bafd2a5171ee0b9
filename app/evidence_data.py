"""Coarse and fine evidence in the maps of a run on `scales`, as plain numbers. No drawing and no cache.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dfn.data.info import SCALES_SHAPES, SCALES_TEXTURES
from dfn.design.cost import cost
from dfn.design.spec import Design
from dfn.insight.maps import lane_words, places
from dfn.words import N_, _

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.figures.evidence import Line
    from dfn.insight.evidence import Evidence
    from dfn.models.build import FusedNet

SCENES = 24
FACTORS = (N_("coarse"), N_("fine"), N_("both"))


def measure(net: "FusedNet", images: "Dataset") -> "dict[str, Evidence]":
    """What every map of a net tells of the shape and of the texture, over `SCENES` scenes in all versions."""
    from torch.nn.functional import adaptive_avg_pool2d

    from dfn.data.scales import versions
    from dfn.insight.evidence import evidence

    x = adaptive_avg_pool2d(images.normalise(versions(SCENES).images), images.shape[1:])
    return evidence(net, x.unflatten(0, (SCENES, len(SCALES_SHAPES), len(SCALES_TEXTURES))))


def drawn(design: Design, found: "Mapping[str, Evidence]") -> "tuple[list[str], dict[str, Line]]":
    """The places in order, in words, and a line for every base network and for what the net goes on with."""
    order, through = [_("image")], {_("image"): found["image"]}
    if "stem" in found:
        order.append(_("stem"))
        through[order[-1]] = found["stem"]
    lanes: dict[str, dict[str, Evidence]] = {}
    for number, place in enumerate(places(design), start=1):
        if place.names == ("stem",):
            continue
        order.append(str(number))
        for lane, name in zip(place.lanes, place.blocks, strict=True):
            lanes.setdefault(lane, {})[order[-1]] = found[name]
        if place.joined:
            through[order[-1]] = found[place.joined]
    order.append(_("logits"))
    through[order[-1]] = found["logits"]
    joined = any(place.join for place in places(design))
    last = (_("joined"), "fused") if joined else (_("net"), "plain")
    block = _("{lane} block")
    named = [(block.format(lane=lane_words(lane)), lane, at) for lane, at in lanes.items()] + [(*last, through)]
    lines: dict[str, Line] = {
        title: (
            role,
            list(at),
            {factor: [getattr(one, factor) for one in at.values()] for factor in FACTORS},
        )
        for title, role, at in named
    }
    return order, lines


def stages(design: Design, shape: tuple[int, int, int], order: Sequence[str]) -> list[tuple[str, str, str]]:
    """The stages as (size of the maps, first place, last place)."""
    shapes = cost(design, shape).shapes
    sizes = {_("image"): shape[1:], _("stem"): shapes.get("stem", shape)[1:]}
    sizes |= {str(number): shapes[place.names[-1]][1:] for number, place in enumerate(places(design), start=1)}
    found: list[tuple[str, str, str]] = []
    for place in order:
        if place not in sizes:
            continue
        words = " x ".join(map(str, sizes[place]))
        if found and found[-1][0] == words:
            found[-1] = (words, found[-1][1], place)
        else:
            found.append((words, place, place))
    return found


def in_words(lines: "Mapping[str, Line]") -> str:
    """The figure for those who do not see it."""
    said = []
    for name, (_role, at, shares) in lines.items():
        values = (f"{place}: {c:.1%}, {f:.1%}, {b:.1%}" for place, c, f, b in zip(at, *shares.values(), strict=True))
        said.append(f"{name}, {'; '.join(values)}")
    return _("Share of the variance by shape, by texture and by both. {shares}.").format(shares=". ".join(said))


def rows(lines: "Mapping[str, Line]") -> list[list[str | float]]:
    """The numbers of the figure as a table, the names of its columns first."""
    table: list[list[str | float]] = [[_("map"), _("place"), *map(_, FACTORS)]]
    for name, (_role, at, shares) in lines.items():
        table += [[name, *values] for values in zip(at, *shares.values(), strict=True)]
    return table
