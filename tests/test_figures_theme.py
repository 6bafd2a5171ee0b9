"""The palette can be told apart by every eye and read on every surface, in both themes."""

import itertools

import numpy as np
import pytest

from dfn.figures.theme import PALETTES, ROLES, palette


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


# Full colour-blindness of the three kinds, as matrices over linear RGB (Machado, Oliveira, Fernandes 2009).
EYES = {
    "trichromat": np.eye(3),
    "protan": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deutan": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "tritan": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}


def oklab(rgb: np.ndarray) -> np.ndarray:
    cones = np.cbrt(
        np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]) @ rgb.clip(0, 1)
    )
    mix = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return 100 * np.array(mix) @ cones


@pytest.mark.parametrize("dark", [False, True])
def test_words_can_be_read_on_every_surface(dark: bool) -> None:
    colours = palette(dark)
    words = ["text", "muted", *(name for name in colours if name.endswith("_text"))]
    low = {
        (word, surface): round(contrast(colours[word], colours[surface]), 2)
        for word, surface in itertools.product(words, ("background", "card", "band"))
        if contrast(colours[word], colours[surface]) < 4.5
    }
    assert not low


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eye", EYES)
def test_roles_can_be_told_apart_by_every_eye(dark: bool, eye: str) -> None:
    colours = palette(dark)
    seen = {role: oklab(EYES[eye] @ linear(colours[role])) for role in ROLES}
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(ROLES, 2)}
    # A just noticeable difference is about 2 on this scale.
    assert min(apart.values()) > 6, min(apart, key=lambda pair: apart[pair])
    everyday = [value for pair, value in apart.items() if set(pair) <= {"deep", "shallow", "fused", "plain", "resnet"}]
    assert min(everyday) > 8


def test_both_palettes_name_the_same_colours() -> None:
    assert PALETTES["light"].keys() == PALETTES["dark"].keys()
    assert PALETTES["light"]["deep"] == "#0072B2"
