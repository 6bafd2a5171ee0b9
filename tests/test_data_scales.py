"""`scales`: shape and texture are each well defined, and neither scale alone gives the class."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from dfn.data import Dataset, Split, load_data

TEXTURES = 3


@pytest.fixture(scope="module")
def scales() -> Dataset:
    return load_data("scales")


def _grey(split: Split) -> torch.Tensor:
    return split.images.float().mean(1, keepdim=True)


def _coarse(split: Split) -> np.ndarray:
    """Averages over 4x4 pixels: two cells of the texture each way, so that nothing of it is left."""
    return F.avg_pool2d(split.images.float(), 4).flatten(1).numpy()


def _fine(split: Split) -> np.ndarray:
    """Energy of the differences between neighbouring cells, across and down, within the object."""
    cells = F.avg_pool2d(_grey(split), 2)
    inside = F.avg_pool2d(split.masks.float()[:, None], 2) == 1
    across = (cells[..., 1:] - cells[..., :-1]).square() * (inside[..., 1:] & inside[..., :-1])
    down = (cells[..., 1:, :] - cells[..., :-1, :]).square() * (inside[..., 1:, :] & inside[..., :-1, :])
    return torch.stack([across.sum((1, 2, 3)), down.sum((1, 2, 3))], 1).numpy()


def _direction(split: Split) -> np.ndarray:
    """How much more of that energy runs across than down, whatever the contrast."""
    across, down = np.log(_fine(split) + 1).T
    return (across - down)[:, None]


def _geometry(split: Split) -> np.ndarray:
    """How much of its bounding box the object fills, and how much wider its lower half is."""
    rows, columns = split.masks.any(2).sum(1), split.masks.any(1).sum(1)
    filled = split.masks.sum((1, 2)) / (rows * columns)
    return torch.stack([filled, rows / columns], 1).numpy()


def _accuracy(model, features, labels, scales: Dataset) -> float:
    return model.fit(features(scales.train), labels(scales.train)).score(features(scales.test), labels(scales.test))


def _pair(split: Split) -> np.ndarray:
    return split.labels.numpy()


def _shape(split: Split) -> np.ndarray:
    return split.labels.numpy() // TEXTURES


def _texture(split: Split) -> np.ndarray:
    return split.labels.numpy() % TEXTURES


@pytest.mark.medium
def test_classes_are_balanced_and_named_by_both_scales(scales):
    assert scales.shape == (3, 32, 32)
    assert scales.train.labels.bincount().tolist() == [500] * 9
    assert scales.test.labels.bincount().tolist() == [100] * 9
    assert scales.classes[0] == "disc, fine vertical stripes" and scales.classes[8] == "triangle, fine checks"


@pytest.mark.medium
def test_the_same_bytes_every_time(scales):
    again = load_data("scales", train_limit=90)
    assert torch.equal(again.test.images, scales.test.images)
    assert not torch.equal(scales.train.images[:900], scales.test.images)


def test_the_object_is_whole_and_of_a_size_that_does_not_tell_its_shape(scales):
    masks = scales.train.masks
    edge = torch.cat([masks[:, 0], masks[:, -1], masks[..., 0], masks[..., -1]], 1)
    assert not edge.any()
    share = masks.float().mean((1, 2))
    by_shape = torch.stack([share[torch.from_numpy(_shape(scales.train)) == s].mean() for s in range(3)])
    assert (by_shape.max() - by_shape.min()) < 0.005 and 0.1 < by_shape.mean() < 0.25


def test_shape_and_texture_are_each_well_defined(scales):
    assert _accuracy(LogisticRegression(C=100), _geometry, _shape, scales) > 0.97
    assert _accuracy(NearestCentroid(), _direction, _texture, scales) > 0.97


@pytest.mark.medium
def test_neither_scale_alone_gives_the_class(scales):
    assert _accuracy(NearestCentroid(), _coarse, _pair, scales) < 0.3
    assert _accuracy(NearestCentroid(), _fine, _pair, scales) < 0.5
    # Not only the class means: what is left of the image at the other scale is blind to the other half of the class.
    assert _accuracy(RidgeClassifier(), _coarse, _texture, scales) < 0.4
    assert _accuracy(KNeighborsClassifier(15), _coarse, _texture, scales) < 0.4
    assert _accuracy(LogisticRegression(), lambda split: np.log(_fine(split) + 1), _shape, scales) < 0.5


def test_blurring_changes_nothing_between_textures_but_halving_keeps_them(scales):
    """The texture has mean 0 in 2x2 cells on the even grid: area means over 4 remove it, over 2 do not."""
    texture = torch.from_numpy(_texture(scales.train))
    inner = F.avg_pool2d(scales.train.masks.float()[:, None], 4) == 1

    def spread(window: int) -> torch.Tensor:
        """How far 2x2 neighbours of the reduced image differ within the object, by texture."""
        small = F.avg_pool2d(_grey(scales.train), window)
        whole = F.interpolate(inner.float(), small.shape[2:]) == 1
        step = torch.maximum(
            (small[..., 1:, :-1] - small[..., :-1, :-1]).abs(), (small[..., :-1, 1:] - small[..., :-1, :-1]).abs()
        )
        use = whole[..., 1:, :-1] & whole[..., :-1, 1:] & whole[..., :-1, :-1]
        return torch.stack([step[use & (texture == t)[:, None, None, None]].mean() for t in range(3)])

    assert (spread(4) < 2.5).all()
    assert (spread(2) > 20).all()


@pytest.mark.medium
def test_masks_follow_limits_and_resizing(scales):
    small = load_data("scales", size=16, train_limit=18, test_limit=9)
    assert small.train.masks.shape == (18, 16, 16) and small.test.masks.dtype == torch.bool
    assert small.train.labels.tolist() == list(range(9)) * 2
    full, half = scales.train.masks.float().mean(), load_data("scales", size=16).train.masks.float().mean()
    assert abs(full - half) < 0.02
