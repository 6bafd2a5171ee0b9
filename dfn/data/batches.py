"""Batches from images that stay on the device: an epoch is a permutation and an index, never a loader.

Rule: what epoch e looks like depends on (seed, e) alone - not on the device, nor on earlier epochs - so a run taken
up at any batch sees what an uninterrupted one would have seen. Order, crops and mirrors of an epoch are drawn on the
CPU at its start and moved in one go, so that no step waits for the device.

Augmentation is the group's: pad, crop at random to the old size, mirror at random (github.com/zlmzju/fusenet). The
padding is the channel mean, that is 0 after normalisation, so images are normalised first and padded with zeros.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfn.data.errors import DataError
from dfn.data.records import Dataset, Split

Device = torch.device | str


class Batches:
    """The train split of a data set as batches on one device.

    The last partial batch of an epoch is dropped, so that all have one shape; a split smaller than a batch is the
    batch. Raises DataError for a batch size below 1 or a negative seed.
    """

    def __init__(
        self, dataset: Dataset, batch_size: int, *, seed: int, augment: bool = False, device: Device = "cpu"
    ) -> None:
        if batch_size < 1:
            raise DataError(f"batch_size is {batch_size}: accepted is 1 or more.")
        if seed < 0:
            raise DataError(f"seed is {seed}: accepted is 0 or more.")
        self.batch_size = min(batch_size, len(dataset.train))
        self.steps_per_epoch = len(dataset.train) // self.batch_size
        self._seed, self._augment = seed, augment
        self._pad, self._mirror = dataset.pad, dataset.mirror
        self._images = dataset.train.images.to(device)
        self._labels = dataset.train.labels.to(device)
        self._normalise = dataset.normaliser(device)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch from number `start` on: float32 (B, C, H, W) normalised and channels_last, and
        int64 (B,)."""
        # One row for each of order, top, left, mirrored.
        plan = self._plan(epoch).to(self._images.device)
        for step in range(start, self.steps_per_epoch):
            index, top, left, mirrored = plan[:, step * self.batch_size : (step + 1) * self.batch_size]
            x = self._normalise(self._images.index_select(0, index))
            if self._augment:
                x = _crop_and_mirror(x, top, left, mirrored.bool(), self._pad)
            yield x.contiguous(memory_format=torch.channels_last), self._labels.index_select(0, index)

    def _plan(self, epoch: int) -> Tensor:
        count = len(self._labels)
        state = np.random.SeedSequence((self._seed, epoch)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(state[0]))
        order = torch.randperm(count, generator=generator)
        offsets = torch.randint(0, 2 * self._pad + 1, (2, count), generator=generator)
        mirrored = torch.randint(0, 2, (count,), generator=generator) * self._mirror
        return torch.stack([order, *offsets, mirrored])


def evaluation_batches(
    dataset: Dataset, split: Split, batch_size: int = 500, device: Device = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """A split in its stored order, the last batch possibly smaller: float32 (B, C, H, W) normalised and
    channels_last, and int64 (B,)."""
    normalise = dataset.normaliser(device)
    images, labels = split.images.to(device), split.labels.to(device)
    for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        yield normalise(x).contiguous(memory_format=torch.channels_last), y


def _crop_and_mirror(x: Tensor, top: Tensor, left: Tensor, mirrored: Tensor, pad: int) -> Tensor:
    """Pad x (B, C, H, W) with zeros and cut from each image the window at (top, left), all in one gather."""
    batch, channels, height, width = x.shape
    rows = top[:, None] + torch.arange(height, device=x.device)
    columns = torch.arange(width, device=x.device)
    columns = left[:, None] + torch.where(mirrored[:, None], columns.flip(0), columns)
    pixels = rows[:, :, None] * (width + 2 * pad) + columns[:, None, :]
    padded = F.pad(x, (pad,) * 4).flatten(2)
    return padded.gather(2, pixels.view(batch, 1, -1).expand(-1, channels, -1)).view(x.shape)
