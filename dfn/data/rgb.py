"""Any image of Pillow as 8-bit RGB, by one rule for folders of images and for a single one."""

import numpy as np
from PIL import Image


def rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, on white where it is transparent."""
    if image.mode[0] in "IF":  # more than 8 bits a pixel: Pillow would clip them, so use the image's own range
        values = np.asarray(image, dtype=np.float64)
        low, span = values.min(), np.ptp(values)
        image = Image.fromarray(((values - low) * (255 / span if span else 0)).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
