"""A synthetic set whose class is the pair of a coarse shape and a fine texture, so that both scales are needed.

Every image is a textured object before a shaded background with plain clutter. The shapes of one size have the same
area, so the amount of texture does not tell the shape. A texture is +amplitude and -amplitude in cells of 2x2 pixels
on the even grid, with mean 0 over every aligned 4x4 window: whoever sees averages over 4x4 pixels cannot tell the
textures apart, and halving the size by area mean keeps them. Position, size, colours and clutter are random. The
object's mask is known, so that attributions can be scored.
"""

import math

import numpy as np
import torch

from dfn.data.info import SCALES_SHAPES, SCALES_TEST, SCALES_TEXTURES, SCALES_TRAIN
from dfn.data.records import Split

SIDE = 32
CLUTTER = 3


def make_scales(seed: int = 0) -> tuple[Split, Split]:
    """The train and the test split, RGB 32x32, classes in equal numbers; the same seed gives the same bytes."""
    train, test = np.random.SeedSequence(seed).spawn(2)
    return draw(SCALES_TRAIN, np.random.default_rng(train)), draw(SCALES_TEST, np.random.default_rng(test))


def draw(count: int, rng: np.random.Generator) -> Split:
    """`count` images; label = shape * textures + texture."""
    return _paint(rng.permutation(np.arange(count) % (len(SCALES_SHAPES) * len(SCALES_TEXTURES))), rng)


def versions(scenes: int, seed: int = 0) -> Split:
    """Every scene in all its versions, scene by scene in the order of the labels: place, size, colours, clutter and
    noise stay, the shape and the texture of the object change. (A wider shape keeps off the edge by a bit more.)"""
    painted = [
        _paint(np.full(scenes, label), np.random.default_rng(seed))
        for label in range(len(SCALES_SHAPES) * len(SCALES_TEXTURES))
    ]
    images, labels, masks = (
        torch.stack([getattr(split, name) for split in painted], 1).flatten(0, 1)
        for name in ("images", "labels", "masks")
    )
    return Split(images, labels, masks)


def _paint(labels: np.ndarray, rng: np.random.Generator) -> Split:
    """An image of every label; what is random about it depends on `rng` alone."""
    count = len(labels)
    shape, texture = np.divmod(labels, len(SCALES_TEXTURES))
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)[:, None]
    masks = _masks(shape, x, y, rng)
    # Object and background differ by 0.3 at least in every channel, so that the shape survives a blur.
    ground = rng.uniform(0.15, 0.85, (count, 3)).astype(np.float32)
    contrast = rng.uniform(0.3, 0.5, (count, 3)).astype(np.float32)
    # Clipped so that the brighter and the darker cells both fit, or the texture would shift the mean colour.
    colour = np.clip(ground + np.where(ground > 0.5, -contrast, contrast), 0.2, 0.8)
    amplitude = rng.uniform(0.08, 0.16, (count, 1, 1)).astype(np.float32)
    pattern = _pattern(texture, x, y, rng) * amplitude

    slope = rng.uniform(-0.1, 0.1, (2, count, 1, 1)).astype(np.float32) / SIDE
    shading = slope[0] * (x - SIDE / 2) + slope[1] * (y - SIDE / 2)
    image = ground[:, :, None, None] + shading[:, None]
    for _ in range(CLUTTER):
        centre_x, centre_y = rng.uniform(0, SIDE, (2, count, 1, 1)).astype(np.float32)
        radius = rng.uniform(1.5, 3.5, (count, 1, 1)).astype(np.float32)
        blob = (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
        tint = rng.uniform(-0.25, 0.25, (count, 3, 1, 1)).astype(np.float32)
        image += blob[:, None] * tint
    image = np.where(masks[:, None], colour[:, :, None, None] + pattern[:, None], image)
    image += np.float32(0.02) * rng.standard_normal(image.shape, dtype=np.float32)
    pixels = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    return Split(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(masks))


def _masks(shape: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where each object is, bool (N, H, W): inside the image, of the area of a disc with a random radius."""
    count = len(shape)
    radius = rng.uniform(5.5, 9, count).astype(np.float32)
    half_square = radius * math.sqrt(math.pi) / 2
    half_base = radius * math.sqrt(math.pi / math.sqrt(3))
    height = half_base * math.sqrt(3)
    half_width = np.choose(shape, [radius, half_square, half_base])
    half_height = np.choose(shape, [radius, half_square, height / 2])
    # Half a pixel to either side keeps the outline inside the image.
    reach = SIDE / 2 - 1
    centre_x = (SIDE - 1) / 2 + rng.uniform(-1, 1, count) * (reach - half_width)
    centre_y = (SIDE - 1) / 2 + rng.uniform(-1, 1, count) * (reach - half_height)
    u = x - centre_x[:, None, None].astype(np.float32)
    v = y - centre_y[:, None, None].astype(np.float32)
    radius, half_square, half_base, half_height = (
        a[:, None, None] for a in (radius, half_square, half_base, half_height)
    )
    disc = u**2 + v**2 <= radius**2
    square = np.maximum(abs(u), abs(v)) <= half_square
    triangle = (abs(v) <= half_height) & (abs(u) <= half_base * (v + half_height) / (2 * half_height))
    return np.choose(shape[:, None, None], [disc, square, triangle])


def _pattern(texture: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """+1 and -1 in cells of two pixels, float32 (N, H, W), with a random sign for the phase."""
    column, row = (np.where(axis // 2 % 2 == 0, 1, -1).astype(np.float32) for axis in (x, y))
    plain = np.broadcast_to
    size = (1, SIDE, SIDE)
    textures = np.concatenate([plain(column, size), plain(row, size), plain(column * row, size)])
    return textures[texture] * rng.choice(np.array([-1, 1], np.float32), (len(texture), 1, 1))
