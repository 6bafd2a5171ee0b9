"""scikit-learn's handwritten digits: real, embedded, 8x8, and therefore the set that works on any machine at once.

The 1437/360 split is stratified and always the same. The tensors are cached because importing scikit-learn takes a
second, which a first lesson feels.
"""

from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from dfn.data.cache import cached
from dfn.data.info import DIGITS_TEST
from dfn.data.records import Split


def read_digits() -> tuple[Split, Split]:
    """The train and the test split, (N, 1, 8, 8); the 17 grey levels are spread over 0..255."""
    data = cached("digits", f"scikit-learn {version('scikit-learn')}", _make)
    return (
        Split(data["train_images"], data["train_labels"].long()),
        Split(data["test_images"], data["test_labels"].long()),
    )


def _make() -> dict[str, Tensor]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, target = (np.asarray(part) for part in load_digits(return_X_y=True))
    images = torch.from_numpy(pixels * (255 / 16)).round().to(torch.uint8).view(-1, 1, 8, 8)
    labels = torch.from_numpy(target).to(torch.uint8)
    train, test = train_test_split(range(len(labels)), test_size=DIGITS_TEST, stratify=target, random_state=0)
    return {
        "train_images": images[train],
        "train_labels": labels[train],
        "test_images": images[test],
        "test_labels": labels[test],
    }
