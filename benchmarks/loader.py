"""Training with augmentation against the usual way: a DataLoader whose images come as Pillow images and are padded,
cropped, mirrored and normalised one by one, torch's default layout and default way of SGD. Both read loss and accuracy
at every step. Aim: at least 1.25 times its speed, in fp32 already; `auto` is our loop as it comes, which takes bf16
where that pays.
"""

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from benchmarks.measure import ROUNDS, Bare, Row, at_least, lesson_net, noise, steps_of
from dfn.data import Dataset
from dfn.training.fit import Training
from dfn.training.recipe import Recipe


def rows() -> Iterator[Row]:
    for side, channels, batch, steps, precision in (
        (8, 1, 64, 16, "fp32"),
        (32, 3, 64, 2, "fp32"),
        (32, 3, 64, 2, "auto"),
    ):
        data = noise(side, channels, batch * (steps * (2 * ROUNDS + 3) + 2))
        recipe = Recipe(design=lesson_net(channels), batch_size=batch, epochs=1, precision=precision, augment=True)
        ours = Training(recipe, data=data, device="cpu", telemetry=False)
        usual = Bare(recipe.design, loaded(data, batch), torch.contiguous_format, fused=False)
        yield at_least(
            f"ours, {precision} / DataLoader, crop and mirror, {side}x{side}",
            1.25,
            steps_of(ours, steps),
            usual.steps(steps),
        )


def loaded(data: Dataset, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(OneByOne(data), batch_size, shuffle=True, drop_last=True)
    while True:
        yield from loader


class OneByOne(TorchDataset):
    """Images one at a time, each changed on its own as torchvision's transforms do it."""

    def __init__(self, data: Dataset):
        self.arrays = data.train.images.permute(0, 2, 3, 1).squeeze(3).numpy()
        self.labels, self.pad = data.train.labels.tolist(), data.pad
        self.mean = torch.tensor(data.mean).view(-1, 1, 1)
        self.std = torch.tensor(data.std).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.arrays[index])
        width, height = image.size
        left, top = torch.randint(2 * self.pad + 1, (2,)).tolist()
        image = ImageOps.expand(image, self.pad).crop((left, top, left + width, top + height))
        if torch.rand(()) < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(image)).view(height, width, -1).permute(2, 0, 1).contiguous()
        return (pixels.float().div(255) - self.mean) / self.std, self.labels[index]
