"""Batches: the same order from the same seed, resume at any batch, augmentation as a slow reference does it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dfn.data import Batches, DataError, Dataset, Split, evaluation_batches


def _dataset(count: int, channels: int = 3, side: int = 6, pad: int = 1, mirror: bool = True) -> Dataset:
    """Random images whose label is their place in the split, so that a batch tells which images it took."""
    images = torch.from_numpy(np.random.default_rng(count).integers(0, 256, (count, channels, side, side), np.uint8))
    split = Split(images, torch.arange(count))
    scaled = images.double() / 255
    mean = tuple(scaled.mean((0, 2, 3)).tolist())
    std = tuple(scaled.std((0, 2, 3), correction=0).tolist())
    return Dataset("test", "Test", ("a", "b"), split, split, mean, std, mirror, pad, "", "")


Placement = tuple[int, int, bool]


def _placements(image: torch.Tensor, dataset: Dataset) -> dict[Placement, np.ndarray]:
    """Every crop and mirror of one uint8 image (C, H, W), made pixel by pixel: pad with the channel mean, cut,
    mirror, normalise."""
    channels, height, width = image.shape
    results = {}
    for top in range(2 * dataset.pad + 1):
        for left in range(2 * dataset.pad + 1):
            for mirrored in (False, True) if dataset.mirror else (False,):
                out = results[top, left, mirrored] = np.empty((channels, height, width))
                for c in range(channels):
                    for y in range(height):
                        for x in range(width):
                            row = y + top - dataset.pad
                            column = (width - 1 - x if mirrored else x) + left - dataset.pad
                            inside = 0 <= row < height and 0 <= column < width
                            value = int(image[c, row, column]) / 255 if inside else dataset.mean[c]
                            out[c, y, x] = (value - dataset.mean[c]) / dataset.std[c]
    return results


def _found(image: torch.Tensor, places: dict[Placement, np.ndarray]) -> list[Placement]:
    return [place for place, out in places.items() if np.abs(image.numpy() - out).max() < 1e-5]


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 500),
    pad=st.integers(0, 2),
    mirror=st.booleans(),
    channels=st.sampled_from([1, 3]),
)
def test_augmentation_agrees_with_the_per_image_reference(seed, epoch, pad, mirror, channels):
    dataset = _dataset(5, channels, side=4, pad=pad, mirror=mirror)
    batches = Batches(dataset, 5, seed=seed, augment=True)
    ((x, y),) = batches.epoch(epoch)
    assert sorted(y.tolist()) == list(range(5))
    for image, label in zip(x, y.tolist(), strict=True):
        assert _found(image, _placements(dataset.train.images[label], dataset))


def test_every_crop_and_mirror_comes_up_equally_often():
    dataset = _dataset(400, channels=1, side=4, pad=1)
    dataset.train.images[:] = dataset.train.images[0]
    places = _placements(dataset.train.images[0], dataset)
    batches = Batches(dataset, 100, seed=0, augment=True)
    found = [place for x, _ in batches.epoch(0) for image in x for place in _found(image, places)]
    assert len(found) == 400
    counts = {place: found.count(place) for place in places}
    assert len(counts) == 18 and min(counts.values()) > 8 and max(counts.values()) < 45


def test_without_augmentation_the_images_come_as_they_are():
    dataset = _dataset(7)
    for x, y in Batches(dataset, 3, seed=1).epoch(0):
        assert torch.equal(x, dataset.normalise(dataset.train.images[y]))
        assert x.is_contiguous(memory_format=torch.channels_last)
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("augment", [False, True])
def test_an_epoch_depends_on_seed_and_number_alone(augment):
    dataset = _dataset(40)

    def labels(seed: int, epoch: int) -> list[int]:
        return torch.cat([y for _, y in Batches(dataset, 8, seed=seed, augment=augment).epoch(epoch)]).tolist()

    used = Batches(dataset, 8, seed=3, augment=augment)
    list(used.epoch(0))
    torch.manual_seed(99)
    for (x, y), (again_x, again_y) in zip(
        used.epoch(5), Batches(dataset, 8, seed=3, augment=augment).epoch(5), strict=True
    ):
        assert torch.equal(x, again_x) and torch.equal(y, again_y)
    assert sorted(labels(3, 5)) == list(range(40))
    orders = [labels(seed, epoch) for seed in (0, 1, 2**31) for epoch in (0, 1, 2)]
    assert len({tuple(order) for order in orders}) == len(orders)
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    labels(0, 0)
    assert torch.equal(before, torch.random.get_rng_state()), "the global generator is not ours to move"


def test_augmentation_does_not_change_the_order():
    dataset = _dataset(20)
    orders = [
        torch.cat([y for _, y in Batches(dataset, 5, seed=4, augment=augment).epoch(2)]) for augment in (False, True)
    ]
    assert torch.equal(*orders)


@pytest.mark.parametrize("start", [0, 1, 3, 4])
def test_an_epoch_can_be_taken_up_at_any_batch(start):
    batches = Batches(_dataset(33), 8, seed=0, augment=True)
    whole = list(batches.epoch(6))
    rest = list(Batches(_dataset(33), 8, seed=0, augment=True).epoch(6, start=start))
    assert len(rest) == 4 - start
    for (x, y), (rest_x, rest_y) in zip(whole[start:], rest, strict=True):
        assert torch.equal(x, rest_x) and torch.equal(y, rest_y)


@pytest.mark.parametrize(
    ("count", "batch_size", "steps", "shape"), [(33, 8, 4, 8), (32, 8, 4, 8), (5, 8, 1, 5), (5, 1, 5, 1)]
)
def test_all_batches_have_one_shape(count, batch_size, steps, shape):
    batches = Batches(_dataset(count), batch_size, seed=0)
    assert (batches.steps_per_epoch, batches.batch_size) == (steps, shape)
    assert [len(y) for _, y in batches.epoch(0)] == [shape] * steps


def test_evaluation_takes_every_image_once_in_order():
    dataset = _dataset(23)
    parts = list(evaluation_batches(dataset, dataset.test, batch_size=10))
    assert [len(y) for _, y in parts] == [10, 10, 3]
    assert torch.equal(torch.cat([y for _, y in parts]), dataset.test.labels)
    assert torch.equal(torch.cat([x for x, _ in parts]), dataset.normalise(dataset.test.images))


@pytest.mark.parametrize(("field", "value"), [("batch_size", 0), ("seed", -1)])
def test_values_out_of_range_are_named(field, value):
    with pytest.raises(DataError, match=f"{field} is {value}"):
        Batches(_dataset(4), **{"batch_size": 2, "seed": 0, field: value})


@pytest.mark.gpu
@pytest.mark.gpu
def test_the_device_does_not_change_the_batches_and_a_step_does_not_wait_for_it():
    dataset = _dataset(64, side=8)
    batches = Batches(dataset, 16, seed=2, augment=True, device="cuda").epoch(3)
    first = next(batches)
    torch.cuda.set_sync_debug_mode("error")
    try:
        rest = list(batches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for (x, y), (cpu_x, cpu_y) in zip([first, *rest], Batches(dataset, 16, seed=2, augment=True).epoch(3), strict=True):
        assert torch.equal(y.cpu(), cpu_y)
        torch.testing.assert_close(x.cpu(), cpu_x)
