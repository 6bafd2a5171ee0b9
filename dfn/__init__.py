"""Deeply-fused nets as data, as torch modules and as trained runs (Wang, Wei, Zhang, Zeng, arXiv 1605.07716).

The names below are the public ones. They are loaded when first used: `import dfn` itself loads neither torch nor
plotly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfn.data import DataError, Dataset, load_data
    from dfn.design.catalogue import catalogue, fused
    from dfn.design.cost import cost
    from dfn.design.errors import DesignError
    from dfn.design.paths import essential_depth, exchange, groups, path_spectrum
    from dfn.design.spec import Design, from_json, to_json
    from dfn.insight.attribution import attribute
    from dfn.insight.gradients import gradient_by_length
    from dfn.insight.lesions import lesion
    from dfn.models.build import build
    from dfn.training.fit import Training, fit
    from dfn.training.recipe import Recipe

__version__ = "0.1.0"

_HOMES = {
    "DataError": "dfn.data",
    "Dataset": "dfn.data",
    "Design": "dfn.design.spec",
    "DesignError": "dfn.design.errors",
    "Recipe": "dfn.training.recipe",
    "Training": "dfn.training.fit",
    "attribute": "dfn.insight.attribution",
    "build": "dfn.models.build",
    "catalogue": "dfn.design.catalogue",
    "cost": "dfn.design.cost",
    "essential_depth": "dfn.design.paths",
    "exchange": "dfn.design.paths",
    "fit": "dfn.training.fit",
    "from_json": "dfn.design.spec",
    "fused": "dfn.design.catalogue",
    "gradient_by_length": "dfn.insight.gradients",
    "groups": "dfn.design.paths",
    "lesion": "dfn.insight.lesions",
    "load_data": "dfn.data",
    "path_spectrum": "dfn.design.paths",
    "to_json": "dfn.design.spec",
}

__all__ = [
    "DataError",
    "Dataset",
    "Design",
    "DesignError",
    "Recipe",
    "Training",
    "attribute",
    "build",
    "catalogue",
    "cost",
    "essential_depth",
    "exchange",
    "fit",
    "from_json",
    "fused",
    "gradient_by_length",
    "groups",
    "lesion",
    "load_data",
    "path_spectrum",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dfn' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
