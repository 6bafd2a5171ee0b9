"""The official formats as tensors: Fashion-MNIST's idx files and the binary version of CIFAR (never a pickle).

idx (Y. LeCun's MNIST format): 0 0 8 RANK, then the sizes as big-endian int32, then the bytes in row-major order.
CIFAR: records of 1 (CIFAR-10) or 2 (CIFAR-100: coarse, then fine) label bytes and 3 x 32 x 32 bytes, planes R, G, B.
"""

import hashlib
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dfn.data.archives import ARCHIVES, locate, read
from dfn.data.cache import cached
from dfn.data.errors import DataError
from dfn.data.records import Split

LABEL_BYTES = {"cifar10": 1, "cifar100": 2}
PIXELS = (3, 32, 32)


def read_official(name: str, root: Path | None = None) -> tuple[Split, Split]:
    """The train and the test split of an official set that lies in the data folder.

    Raises:
        DataError: a file is missing, damaged, or not the published one.
    """
    fingerprint = _fingerprint(name, root)
    parse = _parse_idx if name == "fashion-mnist" else _parse_cifar
    data = cached(name, fingerprint, lambda: parse(name, root))
    return (
        Split(data["train_images"], data["train_labels"].long()),
        Split(data["test_images"], data["test_labels"].long()),
    )


def _fingerprint(name: str, root: Path | None) -> str:
    """The files as they lie there. Unpacking and checking takes seconds and is done again only when one changes."""
    files = []
    for member, path in locate(name, root).items():
        state = path.stat()
        files.append((member, str(path.resolve()), state.st_size, state.st_mtime_ns))
    return hashlib.sha256(repr((ARCHIVES[name], files)).encode()).hexdigest()


def _parse_idx(name: str, root: Path | None) -> dict[str, Tensor]:
    arrays = {member: _idx(member, data) for member, data in read(name, root)}
    tensors = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = arrays[f"{prefix}-images-idx3-ubyte"]
        labels = arrays[f"{prefix}-labels-idx1-ubyte"]
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise DataError(
                f"{name}: {images.shape} {split} images and {labels.shape} labels do not go together;"
                " expected are (N, H, W) and (N,)."
            )
        tensors[f"{split}_images"] = images[:, None]
        tensors[f"{split}_labels"] = labels
    return tensors


def _idx(member: str, data: bytes) -> Tensor:
    rank = data[3] if data[:3] == b"\0\0\x08" else 0
    shape = tuple(int(n) for n in np.frombuffer(data, ">i4", count=rank, offset=4)) if rank in (1, 3) else ()
    if not shape or min(shape) < 0 or len(data) != 4 + 4 * rank + math.prod(shape):
        raise DataError(f"{member} is no idx file of unsigned bytes with 1 or 3 dimensions.")
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())


def _parse_cifar(name: str, root: Path | None) -> dict[str, Tensor]:
    members = {member.name: member for member in ARCHIVES[name].members}
    test = next(member for member in members if member.startswith("test"))
    train = [member for member in members if member != test]
    record = LABEL_BYTES[name] + math.prod(PIXELS)
    parts: dict[str, tuple[Tensor, Tensor]] = {}
    for member, data in read(name, root):
        if len(data) % record:
            raise DataError(f"{member} has {len(data)} bytes: no whole number of {name} records of {record} bytes.")
        records = np.frombuffer(data, np.uint8).reshape(-1, record)
        images = records[:, LABEL_BYTES[name] :].reshape(-1, *PIXELS).copy()
        labels = records[:, LABEL_BYTES[name] - 1].copy()
        parts[member] = torch.from_numpy(images), torch.from_numpy(labels)
    return {
        "train_images": torch.cat([parts[member][0] for member in train]),
        "train_labels": torch.cat([parts[member][1] for member in train]),
        "test_images": parts[test][0],
        "test_labels": parts[test][1],
    }
