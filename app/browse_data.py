"""Which test images there are to choose from: by class, by right and wrong, by how sure the net is. No drawing, no
cache."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dfn.words import _

ANSWERS = ("all", "right", "wrong")
ORDERS = ("number", "surest", "least")
LARGEST_TILE = 64


@dataclass(frozen=True, eq=False)
class Judged:
    """What a net says to the first test images: true class, called class and the probability of that, each (N,)."""

    labels: NDArray[np.int64]
    called: NDArray[np.int64]
    sure: NDArray[np.float32]


def candidates(judged: Judged, of_class: int | None, answer: str, order: str) -> list[int]:
    """The numbers of the images of a class (None: any) that the net calls `right` or `wrong` (or `all`), in the order
    of their `number`, or those first of which the net is `surest` or `least` sure."""
    right = judged.labels == judged.called
    wanted = {"all": np.ones_like(right), "right": right, "wrong": ~right}[answer]
    if of_class is not None:
        wanted = wanted & (judged.labels == of_class)
    numbers = np.flatnonzero(wanted)
    if order != "number":
        by = judged.sure[numbers] * (-1 if order == "surest" else 1)
        numbers = numbers[np.argsort(by, kind="stable")]
    return numbers.tolist()


def sheet(images: NDArray[np.uint8], columns: int) -> str:
    """Images (N, C, H, W) in rows of so many, as the data URL of one PNG; large ones are thinned out."""
    every = -(-images.shape[-1] // LARGEST_TILE)
    small = images[..., ::every, ::every]
    count, channels, height, width = small.shape
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, channels, height, width), np.uint8)
    padded[:count] = small
    tiled = padded.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    pixels = tiled.reshape(rows * height, columns * width, channels)
    file = BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def tiles(numbers: Sequence[int], judged: Judged, classes: Sequence[str]) -> list[dict[str, object]]:
    """For each of these images what stands below it, and the same in words."""
    found = []
    for number in numbers:
        true, called = classes[judged.labels[number]], classes[judged.called[number]]
        sure, right = f"{100 * judged.sure[number]:.0f} %", true == called
        said = (
            _("Test image {number}, {true}, called {called} with probability {sure}")
            if right
            else _("Test image {number}, {true}, called {called} with probability {sure}, wrong")
        ).format(number=number, true=true, called=called, sure=sure)
        found.append({"id": number, "label": true if right else f"{true} → {called}", "more": sure, "alt": said})
    return found
