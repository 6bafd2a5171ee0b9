"""What the Maps page measures beside the maps: which pixels count for one value, and how alike the maps of two nets are
over many images. No drawing and no cache.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attribution_data import Heat

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.insight.similarity import Alignment
    from dfn.models.build import FusedNet

MOST_ALIGNED = 200
HALF = 0.5


@dataclass(frozen=True, eq=False)
class Effective:
    """The effective field of one value of a map: |gradient| by pixel (H, W), its middle pixel, and the side of the
    square round that pixel which holds half of it all; None where no gradient arrives."""

    values: Heat
    half: int | None


def effective(
    net: "FusedNet", image: "Tensor", step: int, names: Sequence[str], spot: Mapping[str, int]
) -> dict[str, Effective]:
    """The effective field of the value at `spot` in each of these maps, for one normalised image (1, C, H, W); `step`
    is how many pixels lie between two places of the map."""
    from dfn.insight.fields import effective_field, side_of_share

    row, column, channel = (spot[name] for name in ("row", "col", "channel"))
    found = {}
    for name in names:
        field = effective_field(net, image, name, row, column, channel)
        found[name] = Effective(field.numpy(), side_of_share(field, row * step, column * step, HALF))
    return found


def alike(net: "FusedNet", other: "FusedNet", images: "Dataset", at: str, other_at: str) -> "Alignment":
    """How alike the maps of two nets are over the first test images."""
    from dfn.insight.similarity import alignment

    some = images.normalise(images.test.images[:MOST_ALIGNED])
    return alignment(net, other, some, at, other_at)
