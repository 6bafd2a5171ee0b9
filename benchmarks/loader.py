"""Training with augmentation against the usual way: a DataLoader, crop and mirror image by image, torch's default
layout and default way of SGD. Both read loss and accuracy at every step. Aim: at least 1.25 times its speed.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from benchmarks.measure import ROUNDS, Bare, Row, at_least, lesson_net, noise, steps_of
from dfn.data import Dataset
from dfn.training.fit import Training
from dfn.training.recipe import Recipe


def rows() -> Iterator[Row]:
    for side, channels, batch, steps in ((8, 1, 64, 16), (32, 3, 32, 3)):
        data = noise(side, channels, batch * (steps * (2 * ROUNDS + 3) + 2))
        recipe = Recipe(design=lesson_net(channels), batch_size=batch, epochs=1, precision="fp32", augment=True)
        ours = Training(recipe, data=data, device="cpu", telemetry=False)
        usual = Bare(recipe.design, loaded(data, batch), torch.contiguous_format, fused=False)
        yield at_least(
            f"ours / DataLoader, crop and mirror, {side}x{side}, batch {batch}",
            1.25,
            steps_of(ours, steps),
            usual.steps(steps),
        )


def loaded(data: Dataset, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(OneByOne(data), batch_size, shuffle=True, drop_last=True)
    while True:
        yield from loader


class OneByOne(TorchDataset):
    """Images one at a time, each padded, cropped, mirrored and normalised on its own."""

    def __init__(self, data: Dataset):
        self.data, self.pad = data, data.pad
        self.mean = torch.tensor(data.mean).view(-1, 1, 1)
        self.std = torch.tensor(data.std).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.data.train)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = (self.data.train.images[index].float() / 255 - self.mean) / self.std
        height, width = image.shape[1:]
        top, left = torch.randint(2 * self.pad + 1, (2,)).tolist()
        image = F.pad(image, (self.pad,) * 4)[:, top : top + height, left : left + width]
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        return image, int(self.data.train.labels[index])
