"""A data set as a record: uint8 images, integer labels, and what is needed to show, cite and normalise them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """`images` uint8 (N, C, H, W), `labels` int64 (N,), and where the object is known `masks` bool (N, H, W)."""

    images: Tensor
    labels: Tensor
    masks: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Tensor) -> "Split":
        """The images at `index` int64 (n,), in that order."""
        masks = None if self.masks is None else self.masks[index]
        return Split(self.images[index], self.labels[index], masks)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A loaded data set. `mean` and `std` are those of the train split per channel, in units of pixel / 255;
    `pad` is the crop padding in pixels, `mirror` whether a mirrored image still shows its class, `source` what to
    cite, `report` what was skipped and why."""

    name: str
    title: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirror: bool
    pad: int
    source: str
    licence: str
    report: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) -> float32 of the same shape: the train split gets mean 0 and std 1 per channel."""
        return self.normaliser(images.device)(images)

    def normaliser(self, device: torch.device | str) -> Callable[[Tensor], Tensor]:
        """`normalise` with its constants already on the device, so that a step need not wait for them."""
        mean = torch.tensor(self.mean, dtype=torch.float64)[:, None, None]
        std = torch.tensor(self.std, dtype=torch.float64)[:, None, None]
        shift, scale = (-mean / std).float().to(device), (1 / (255 * std)).float().to(device)
        return lambda images: torch.addcmul(shift, images.float(), scale)
