"""Pictures of attributions: the colour is the value, the image below is faint, and curves hold their numbers."""

import numpy as np
import pytest

from dfn.figures.attribution import DARKEST, IMAGE_PART, colours, enlarged, likeness, overlay, pixel_curves, strip
from dfn.figures.theme import DIVERGING, SEQUENTIAL


def _rgb(stop: str) -> list[int]:
    return [int(stop[at : at + 2], 16) for at in (1, 3, 5)]


def test_signed_values_run_from_blue_over_white_to_red():
    found = colours(np.array([[-2.0, -1.0, 0.0, 1.0, 7.0]]), 1.0, signed=True)[0].tolist()
    assert found == [_rgb(DIVERGING[0])] * 2 + [_rgb(DIVERGING[5])] + [_rgb(DIVERGING[-1])] * 2


def test_unsigned_values_run_from_dark_to_bright():
    found = colours(np.array([[0.0, 3.0, 6.0]]), 3.0, signed=False)[0].tolist()
    assert found == [_rgb(SEQUENTIAL[0])] + [_rgb(SEQUENTIAL[-1])] * 2


def test_a_flat_picture_has_the_colour_of_zero():
    assert colours(np.zeros((2, 2)), 0.0, signed=True)[0, 0].tolist() == _rgb(DIVERGING[5])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_overlay_repeats_the_values_over_the_pixels_of_the_image(channels):
    image = np.zeros((8, 8, channels), np.uint8)
    image[:, 4:] = 255
    found = overlay(np.array([[0.0, 0.0], [1.0, -1.0]]), image, 1.0, signed=True, side=320)
    assert found.shape == (320, 320, 3) and found.dtype == np.uint8
    expected = [
        (1 - IMAGE_PART) * _rgb(DIVERGING[-1])[0] + IMAGE_PART * DARKEST,
        (1 - IMAGE_PART) * 247 + IMAGE_PART * 255,
    ]
    assert found[319, 0, 0] == round(expected[0]) and found[0, 319, 0] == round(expected[1])
    assert (found[160:, :160] == found[319, 0]).all(), "one value, one colour"


def test_values_of_odd_size_meet_images_of_any_size():
    assert overlay(np.ones((3, 2)), np.zeros((7, 5, 1), np.uint8), 1.0, False, side=50).shape == (70, 50, 3)


def test_large_images_are_not_made_smaller():
    assert enlarged(np.zeros((400, 400, 3), np.uint8), 320).shape == (400, 400, 3)


def test_the_strip_shows_the_whole_scale():
    assert strip(signed=True)[0, 0].tolist() == _rgb(DIVERGING[0])
    assert strip(signed=False)[0, -1].tolist() == _rgb(SEQUENTIAL[-1])


@pytest.mark.parametrize("dark", [False, True])
def test_curves_hold_the_numbers_and_name_their_axes(dark):
    figure = pixel_curves(
        [0, 0.5, 1], {"deletion": ([0.9, 0.2, 0.1], 0.35), "insertion": ([0.1, 0.8, 0.9], 0.65)}, dark
    )
    lines, layout = figure.to_dict()["data"], figure.to_dict()["layout"]
    assert [list(line["y"]) for line in lines] == [[0.9, 0.2, 0.1], [0.1, 0.8, 0.9]]
    assert "area 0.35" in lines[0]["text"][-1]
    assert "probability" in layout["yaxis"]["title"]["text"] and "pixels" in layout["xaxis"]["title"]["text"]
    chain = likeness({"head": 0.5, "stem": -0.2}, dark).to_dict()
    (line,) = chain["data"]
    assert list(line["x"]) == ["as it is", "head", "stem"] and list(line["y"]) == [1.0, 0.5, -0.2]
    assert chain["layout"]["yaxis"]["range"][0] < -0.2
