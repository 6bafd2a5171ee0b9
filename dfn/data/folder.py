"""A folder per class as a data set: any image that Pillow reads, as RGB squares of one size.

Images lie in PATH/class, or in PATH/train/class and PATH/test/class where both exist. Otherwise every fifth of each
class is held out, chosen by a hash of the file names, so that the split does not change from one start to the next.
What cannot be used is skipped and reported; hidden files are passed over.
"""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from dfn.data.errors import DataError
from dfn.data.records import Split
from dfn.data.rgb import rgb

MAX_PIXELS = 50_000_000
MAX_BYTES = 4 << 30
MAX_CLASSES = 1000
REPORTED = 20

Images = dict[str, list[np.ndarray]]


def read_folder(path: Path, size: int) -> tuple[tuple[str, ...], Split, Split, str]:
    """Classes, train split, test split, and the report of what was skipped and why ("" if nothing). Images turn the
    way their EXIF data say, lie on white where they are transparent, are cropped to the middle square and resized.

    Raises:
        DataError: no folder, fewer than 2 classes, a class without images, or more than fits into memory.
    """
    path = path.expanduser()
    if not path.is_dir():
        raise DataError(f"{path} is not a folder: expected is a folder with one sub-folder of images per class.")
    skipped: list[str] = []
    tops = [path / "train", path / "test"]
    if all(top.is_dir() for top in tops):
        train, test = (_read_classes(top, size, skipped) for top in tops)
        if train.keys() != test.keys():
            only = ", ".join(sorted(train.keys() ^ test.keys()))
            raise DataError(f"{path}: class {only} is in only one of train/ and test/; each class must be in both.")
    else:
        everything = _read_classes(path, size, skipped)
        train, test = {}, {}
        for name, images in everything.items():
            if len(images) < 2:
                raise DataError(f"class {name!r} in {path} has 1 image: at least 2 are needed, one to test with.")
            held_out = max(1, len(images) // 5)
            train[name], test[name] = images[held_out:], images[:held_out]
    return tuple(train), _split(train), _split(test), _report(skipped)


def _read_classes(top: Path, size: int, skipped: list[str]) -> Images:
    folders = sorted(p for p in top.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not 2 <= len(folders) <= MAX_CLASSES:
        raise DataError(
            f"{top} has {len(folders)} sub-folders: expected are 2 to {MAX_CLASSES}, one per class, with images."
        )
    skipped += [f"{p.name} (not in a class folder)" for p in _visible(top) if not p.is_dir()]
    files = {folder: _visible(folder) for folder in folders}
    count = sum(len(paths) for paths in files.values())
    if count * 3 * size**2 > MAX_BYTES:
        raise DataError(f"{top} has {count} files, too many for memory at size={size}: use a smaller size or fewer.")
    return {folder.name: _read_class(folder, paths, size, skipped) for folder, paths in files.items()}


def _read_class(folder: Path, paths: list[Path], size: int, skipped: list[str]) -> list[np.ndarray]:
    images, refused = [], []
    for path in sorted(paths, key=lambda p: hashlib.sha256(p.name.encode("utf-8", "surrogateescape")).digest()):
        try:
            images.append(_read_image(path, size))
        # Pillow's decoders raise almost anything on broken input, and one file must not stop the others.
        except Exception as error:
            refused.append(f"{folder.name}/{path.name} ({_reason(path, error)})")
    if not images:
        why = f" ({_report(refused)})" if refused else ""
        raise DataError(f"class {folder.name!r} in {folder.parent} has no image that can be read{why}.")
    skipped += refused
    return images


def _read_image(path: Path, size: int) -> np.ndarray:
    if not path.is_file():
        raise DataError("not a file")
    with warnings.catch_warnings():
        # A doubtful image is either read or refused here; Pillow's warnings would reach nobody.
        warnings.simplefilter("ignore")
        with Image.open(path, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"{image.width}x{image.height} pixels, more than {MAX_PIXELS // 10**6} million")
            # Lets the JPEG decoder work at a fraction of the size: photographs load several times faster.
            image.draft("RGB", (2 * size, 2 * size))
            upright = ImageOps.exif_transpose(image)
    square = ImageOps.fit(rgb(upright), (size, size), Image.Resampling.BICUBIC)
    return np.asarray(square).transpose(2, 0, 1)


def _formats() -> list[str]:
    """Everything but EPS, which Pillow hands to an external interpreter."""
    Image.init()
    return [name for name in Image.OPEN if name != "EPS"]


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "empty file" if path.stat().st_size == 0 else "not an image"
    if isinstance(error, DataError):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS // 10**6} million pixels"
    return f"broken: {error or type(error).__name__}"


def _visible(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def _split(classes: Images) -> Split:
    """The classes take turns, so that the first few images show them all."""
    members = list(classes.values())
    order = sorted((turn, label) for label, images in enumerate(members) for turn in range(len(images)))
    images = np.stack([members[label][turn] for turn, label in order])
    return Split(torch.from_numpy(images), torch.tensor([label for _, label in order]))


def _report(skipped: list[str]) -> str:
    if not skipped:
        return ""
    more = f" and {len(skipped) - REPORTED} more" if len(skipped) > REPORTED else ""
    files = "1 file" if len(skipped) == 1 else f"{len(skipped)} files"
    return f"{files} skipped: {', '.join(skipped[:REPORTED])}{more}"
