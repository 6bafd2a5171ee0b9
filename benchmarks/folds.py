"""Every fold over a large design, four base networks and 64 fusions (4^64 paths). Aim: 10 milliseconds each, so that
the editor answers at once.
"""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measure import Row, milliseconds
from dfn.design import paths
from dfn.design.catalogue import fused
from dfn.design.cost import cost
from dfn.design.picture import picture
from dfn.design.spec import Design, canonical, design_id, from_json, to_json

LARGE: dict[str, Any] = {"bases": [300, 201, 135, 70], "fusions": 64}

FOLDS: dict[str, Callable[[Design], object]] = {
    "path spectrum": paths.path_spectrum,
    "groups": paths.groups,
    "essential depth": paths.essential_depth,
    "distances": paths.distances,
    "receptive fields": paths.receptive_fields,
    "exchange": lambda design: paths.exchange(design, 32),
    "cost": cost,
    "canonical form": canonical,
    "id": design_id,
    "to JSON": to_json,
    "from JSON": lambda design: from_json(to_json(design)),
    "picture": picture,
}


def rows() -> Iterator[Row]:
    yield milliseconds("making the design, K=4, F=64", 10, lambda: fused(**LARGE))
    design = fused(**LARGE)
    for name, fold in FOLDS.items():
        yield milliseconds(f"{name}, K=4, F=64", 10, lambda fold=fold: fold(design))
