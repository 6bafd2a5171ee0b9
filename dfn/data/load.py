"""From a name to a data set that is ready to train on: read, check, limit, resize, measure mean and std."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dfn.data.archives import ARCHIVES
from dfn.data.digits import read_digits
from dfn.data.errors import DataError
from dfn.data.folder import read_folder
from dfn.data.info import data_sets
from dfn.data.official import read_official
from dfn.data.records import Dataset, Split
from dfn.data.scales import make_scales

FOLDER = "folder:"
FOLDER_SIZE = 32
SIZES = range(4, 257)
CHUNK = 4096


def load_data(
    name: str,
    *,
    size: int | None = None,
    train_limit: int | None = None,
    test_limit: int | None = None,
    root: Path | None = None,
) -> Dataset:
    """Load "digits", "scales", "fashion-mnist", "cifar10", "cifar100" or "folder:PATH"; no network is used.

    `size` resizes to size x size pixels, by area mean where it divides the old size. A limit keeps the first n of a
    fixed order in which the classes take turns. `root` stands in for `DFN_DATA`.

    Raises:
        DataError: an unknown name, a value out of range, or files that are missing or not what they should be.
    """
    if size is not None and size not in SIZES:
        raise DataError(f"size is {size}: accepted are {SIZES[0]} to {SIZES[-1]} pixels.")
    for field, limit in (("train_limit", train_limit), ("test_limit", test_limit)):
        if limit is not None and limit < 1:
            raise DataError(f"{field} is {limit}: accepted is 1 or more, or None for the whole split.")

    sets = data_sets()
    report = ""
    if name.startswith(FOLDER):
        path = Path(name.removeprefix(FOLDER))
        side = size or FOLDER_SIZE
        classes, train, test, report = read_folder(path, side)
        title, source, licence, mirror, pad = path.name, str(path), "that of the images", True, side // 8
    elif name in sets:
        info = sets[name]
        train, test = _read(name, root)
        classes, title, source, licence = info.classes, info.title, info.source, info.licence
        mirror, pad = info.mirror, info.pad
        if size:
            pad = max(1, round(pad * size / info.shape[1]))
    else:
        raise DataError(f"data set {name!r} is unknown: accepted are {', '.join(sets)} and folder:PATH.")

    for kind, split in (("train", train), ("test", test)):
        _check_labels(name, kind, split, classes)
    train, test = (_resize(_limit(split, limit), size) for split, limit in ((train, train_limit), (test, test_limit)))
    mean, std = _statistics(train.images)
    return Dataset(name, title, classes, train, test, mean, std, mirror, pad, source, licence, report)


def _read(name: str, root: Path | None) -> tuple[Split, Split]:
    if name in ARCHIVES:
        return read_official(name, root)
    return read_digits() if name == "digits" else make_scales()


def _check_labels(name: str, kind: str, split: Split, classes: tuple[str, ...]) -> None:
    counts = split.labels.bincount(minlength=len(classes))
    if len(counts) > len(classes):
        raise DataError(f"{name}: the {kind} split has a label {len(counts) - 1}, but {len(classes)} classes.")
    if (counts == 0).any():
        empty = ", ".join(repr(classes[i]) for i in (counts == 0).nonzero()[:, 0].tolist())
        raise DataError(f"{name}: the {kind} split has no image of class {empty}; every class needs one at least.")


def _limit(split: Split, limit: int | None) -> Split:
    """The first `limit` images when the classes take turns, each in its stored order."""
    if limit is None or limit >= len(split):
        return split
    by_class = split.labels.argsort(stable=True)
    counts = split.labels.bincount()
    turn = torch.arange(len(split)) - (counts.cumsum(0) - counts)[split.labels[by_class]]
    return split.take(by_class[turn.argsort(stable=True)][:limit])


def _resize(split: Split, size: int | None) -> Split:
    if size is None or split.images.shape[2:] == (size, size):
        return split
    masks = split.masks
    if masks is not None:
        masks = _scale(masks[:, None] * torch.tensor(255, dtype=torch.uint8), size)[:, 0] > 127
    return Split(_scale(split.images, size), split.labels, masks)


def _scale(images: Tensor, size: int) -> Tensor:
    """uint8 (N, C, H, W) -> uint8 (N, C, size, size)."""
    height, width = images.shape[2:]

    def scaled(chunk: Tensor) -> Tensor:
        if height % size == 0 and width % size == 0:
            return F.avg_pool2d(chunk, (height // size, width // size))
        return F.interpolate(chunk, (size, size), mode="bilinear", antialias=True)

    # In chunks, because the whole of CIFAR-10 as float32 would take 600 MB.
    return torch.cat([scaled(c.float()).round().clamp(0, 255).byte() for c in images.split(CHUNK)])


def _statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std per channel in units of pixel / 255, from exact counts: no rounding depends on the machine."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    mean, std = [], []
    for channel in images.unbind(1):
        share = channel.reshape(-1).bincount(minlength=256).double() / channel.numel()
        mean.append(float(share @ levels))
        # A constant channel would be divided by 0; one grey level is the smallest spread that can be seen.
        std.append(max(float(share @ (levels - mean[-1]).square()) ** 0.5, 1 / 255))
    return tuple(mean), tuple(std)
