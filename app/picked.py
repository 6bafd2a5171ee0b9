"""The image that a page looks at: its pixels, and what is known of them. No drawing and no cache."""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dfn.words import _

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.data.own import Fitted

PHOTOGRAPHS = {"china": "china.jpg", "flower": "flower.jpg"}
OWN = "own"
OWN_FILE = "my-image.png"


@dataclass(frozen=True)
class Picked:
    """One image as a net gets it: `pixels` are the bytes of uint8 (C, H, W).

    `name` is what it is called on the page, `file` what it is called in the names of files, `python` the expression
    that makes it from the data set `data`, with its `imports`. `label` is its true class and `number` its number
    in the test split, None where it has none.
    """

    name: str
    file: str
    shape: tuple[int, int, int]
    pixels: bytes = field(repr=False)
    python: str
    imports: tuple[str, ...] = ()
    label: int | None = None
    number: int | None = None

    @cached_property
    def key(self) -> str:
        """What tells images apart in caches and questions: a hash of the pixels."""
        return blake2b(repr(self.shape).encode() + self.pixels, digest_size=16).hexdigest()

    @property
    def array(self) -> NDArray[np.uint8]:
        """The pixels as uint8 (H, W, C), read only."""
        return np.frombuffer(self.pixels, dtype=np.uint8).reshape(self.shape).transpose(1, 2, 0)

    def seen(self, images: "Dataset") -> "Tensor":
        """The image as the net of this data set gets it, float32 (1, C, H, W)."""
        import torch

        return images.normalise(torch.frombuffer(bytearray(self.pixels), dtype=torch.uint8).view(1, *self.shape))


def numbered_image(images: "Dataset", number: int) -> Picked:
    """The test image of the data set with this number."""
    return Picked(
        name=_("Test image {number}").format(number=number),
        file=f"image-{number}",
        shape=images.shape,
        pixels=images.test.images[number].numpy().tobytes(),
        python=f"data.test.images[{number}]",
        label=int(images.test.labels[number]),
        number=number,
    )


def other_image(source: str, fitted: "Fitted", crop: float, inverted: bool = False) -> Picked:
    """One of the photographs, or an image of one's own: a square of it as the net sees it. It has no label."""
    options = f"data.shape, crop={crop:g}" + (", invert=True" if inverted else "")
    if source == OWN:
        made = f'own_image(Path("{OWN_FILE}").read_bytes(), {options})'
        imports = ["from pathlib import Path", "import torch", "from dfn.data.own import own_image"]
    else:
        made = f'fit(photograph("{PHOTOGRAPHS[source]}"), {options})'
        imports = ["import torch", "from dfn.data.own import fit, photograph"]
    channels, height, width = fitted.pixels.shape
    return Picked(
        name=_("Your image") if source == OWN else PHOTOGRAPHS[source],
        file="own-image" if source == OWN else source,
        shape=(channels, height, width),
        pixels=fitted.pixels.tobytes(),
        python=f"torch.from_numpy({made}.pixels)",
        imports=tuple(imports),
    )
