"""An image of one's own for a net: decoded with care, cropped to a square, and shrunk to the net's size.

What a stranger sends is bounded before it is decoded (bytes, pixels, formats), decoded one at a time, and kept no
larger than needed. Only the first frame is read. Whatever goes wrong is one error with one sentence.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from dfn.data.errors import DataError
from dfn.data.rgb import rgb
from dfn.words import N_, _

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
SUFFIXES = ("png", "jpg", "jpeg", "webp", "gif", "bmp")
MOST_MEGABYTES = 8
MOST_BYTES = MOST_MEGABYTES << 20
MOST_PIXELS = 25_000_000
SHORT_SIDE, LONG_SIDE = 512, 2048  # what is kept: no net here sees more
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
TURNED, LYING = (2, 3, 4), (5, 6, 7, 8)  # orientations of EXIF: of the same shape, and of rows as columns

_one_at_a_time = Lock()  # a decoded image may take 200 MB, and a class sends thirty at once


class OwnImageError(DataError):
    """Bytes or settings of which no image for a net can be made; the sentence says what is accepted."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded image as people see it: `pixels` uint8 (rows, columns, 3), the (columns, rows) that it had, and in a
    few English words each what was done to it, as it may be kept for readers of another language."""

    pixels: Pixels
    size: tuple[int, int]
    done: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Fitted:
    """An image as a net sees it: `pixels` uint8 (C, H, W), and in a few words each what was done to it."""

    pixels: Pixels
    done: tuple[str, ...]


def accepted() -> str:
    """Which files are accepted, in the language that is spoken."""
    words = _(
        "accepted are PNG, JPEG, WebP, GIF and BMP images of at most {megabytes} MB and {millions} million pixels"
    )
    return words.format(megabytes=MOST_MEGABYTES, millions=MOST_PIXELS // 10**6)


def own_image(data: bytes, shape: Sequence[int], *, crop: float = 0.5, invert: bool = False) -> Fitted:
    """The bytes of an image file as a net sees them that takes images of `shape` (C, H, W); see `fit`. Raises
    OwnImageError."""
    return fit(read_photo(data), shape, crop=crop, invert=invert)


def read_photo(data: bytes) -> Photo:
    """The first frame of an image file, turned the way its EXIF data say, on white where it is transparent. Raises
    OwnImageError."""
    if not data:
        raise OwnImageError(_("This file is empty: {accepted}.").format(accepted=accepted()))
    if len(data) > MOST_BYTES:
        words = _("This file has {megabytes:.1f} MB: {accepted}.")
        raise OwnImageError(words.format(megabytes=len(data) / 2**20, accepted=accepted()))
    try:
        with _one_at_a_time, warnings.catch_warnings():
            # A doubtful image is either read or refused here; Pillow's warnings would reach nobody.
            warnings.simplefilter("ignore")
            return _decoded(data)
    except OwnImageError:
        raise
    except Image.DecompressionBombError as error:
        words = _("This image has far too many pixels: {accepted}.")
        raise OwnImageError(words.format(accepted=accepted())) from error
    except Image.UnidentifiedImageError as error:
        words = _("This is no image that can be read here: {accepted}.")
        raise OwnImageError(words.format(accepted=accepted())) from error
    # Pillow's decoders raise almost anything on broken input.
    except Exception as error:
        words = _("This image is damaged or incomplete: {accepted}.")
        raise OwnImageError(words.format(accepted=accepted())) from error


def photograph(name: str) -> Photo:
    """One of scikit-learn's two photographs, `china.jpg` or `flower.jpg`. Raises OwnImageError."""
    from sklearn.datasets import load_sample_image

    if name not in PHOTOGRAPHS:
        raise OwnImageError(f"photograph {name!r} is unknown: accepted are {' and '.join(PHOTOGRAPHS)}.")
    pixels = np.asarray(load_sample_image(name), dtype=np.uint8)
    return Photo(pixels, (pixels.shape[1], pixels.shape[0]))


def fit(photo: Photo, shape: Sequence[int], *, crop: float = 0.5, invert: bool = False) -> Fitted:
    """The photograph as a net sees it that takes images of `shape` (C, H, W), C 1 or 3: a square of it (`crop` from 0,
    left or top, to 1, right or bottom), grey where C is 1, resized by area, inverted on demand. Raises
    OwnImageError."""
    channels, side, width = shape
    if channels not in (1, 3) or side != width:
        raise OwnImageError(f"shape is {tuple(shape)}: accepted are squares of 1 or 3 channels.")
    rows, columns = _square(photo, crop)
    image = Image.fromarray(photo.pixels[rows, columns])
    done, before = [_(words) for words in photo.done], min(photo.size)
    if photo.size[0] != photo.size[1]:
        done.append(_("cropped to a square"))
    if before != side:
        shrunk = _("shrunk by area from {before} to {side} pixels a side")
        enlarged = _("enlarged from {before} to {side} pixels a side")
        done.append((shrunk if before > side else enlarged).format(before=before, side=side))
    if channels == 1:
        if np.ptp(photo.pixels.astype(np.int16), axis=2).any():
            done.append(_("made grey"))
        image = image.convert("L")
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BOX)).reshape(side, side, channels)
    if invert:
        pixels = 255 - pixels
        done.append(_("inverted"))
    return Fitted(np.array(pixels.transpose(2, 0, 1), order="C"), tuple(done))


def framed(photo: Photo, crop: float, height: int) -> Pixels:
    """The whole photograph, about `height` rows high, faint where `crop` leaves it away."""
    rows, columns = _square(photo, crop)
    faint = photo.pixels // 4 + 128
    faint[rows, columns] = photo.pixels[rows, columns]
    image = Image.fromarray(faint)
    share = min(1.0, height / image.height, 3 * height / image.width)
    size = max(1, round(share * image.width)), max(1, round(share * image.height))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def light_ground(images: Pixels) -> bool:
    """Whether images (..., H, W) stand on a light ground rather than on a dark one, by the median of their border."""
    border = np.ones(images.shape[-2:], dtype=bool)
    border[1:-1, 1:-1] = False
    return bool(np.median(images[..., border]) > 127)


def _decoded(data: bytes) -> Photo:
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            words = _("This image has {width} x {height} pixels: {accepted}.")
            raise OwnImageError(words.format(width=image.width, height=image.height, accepted=accepted()))
        image.verify()
    done = []
    with Image.open(BytesIO(data), formats=FORMATS) as image:  # what was verified cannot be read any more
        if getattr(image, "is_animated", False):
            done.append(N_("the first of several frames"))
        turned = image.getexif().get(ExifTags.Base.Orientation)
        size = (image.height, image.width) if turned in LYING else image.size
        image.draft("RGB", (SHORT_SIDE, SHORT_SIDE))  # lets the JPEG decoder work at a fraction of the size
        upright = ImageOps.exif_transpose(image)
    if turned in (*TURNED, *LYING):
        done.append(N_("turned as its EXIF data say"))
    if upright.mode[0] not in "IF" and (upright.mode in ("1", "P") or "transparency" in upright.info):
        upright = upright.convert("RGBA")  # else a palette or a transparent colour would not survive resizing
    share = min(1.0, SHORT_SIDE / min(upright.size), LONG_SIDE / max(upright.size))
    kept = max(1, round(share * upright.width)), max(1, round(share * upright.height))
    small = upright.resize(kept, Image.Resampling.BOX)
    if small.mode in ("RGBA", "LA") and np.asarray(small.getchannel("A")).min() < 255:
        done.append(N_("laid on white"))
    if small.mode[0] in "IF":
        done.append(N_("brought from 16 to 8 bits by its own range"))
    return Photo(np.asarray(rgb(small)), size, tuple(done))


def _square(photo: Photo, crop: float) -> tuple[slice, slice]:
    """Rows and columns of the square that is cut out."""
    if not 0 <= crop <= 1:
        raise OwnImageError(f"crop is {crop}: accepted is a number from 0 (left or top) to 1 (right or bottom).")
    height, width = photo.pixels.shape[:2]
    side = min(height, width)
    top, left = round(crop * (height - side)), round(crop * (width - side))
    return slice(top, top + side), slice(left, left + side)
