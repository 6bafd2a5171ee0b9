"""Data sets as records, batches that stay on the device, downloads with checksums.

Names are loaded on first use, so that listing data sets (`dfn.data.info`) costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dfn.data.batches import Batches, evaluation_batches
    from dfn.data.download import fetch
    from dfn.data.errors import DataError
    from dfn.data.info import DataInfo, data_sets
    from dfn.data.load import load_data
    from dfn.data.records import Dataset, Split

__all__ = [
    "Batches",
    "DataError",
    "DataInfo",
    "Dataset",
    "Split",
    "data_sets",
    "evaluation_batches",
    "fetch",
    "load_data",
]

_MODULES = {
    "Batches": "batches",
    "DataError": "errors",
    "DataInfo": "info",
    "Dataset": "records",
    "Split": "records",
    "data_sets": "info",
    "evaluation_batches": "batches",
    "fetch": "download",
    "load_data": "load",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
