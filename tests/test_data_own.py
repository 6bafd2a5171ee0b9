"""An image of one's own: read with care or refused with one sentence, and then exactly what the net gets."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from dfn.data import DataError
from dfn.data.own import (
    LONG_SIDE,
    MOST_BYTES,
    MOST_PIXELS,
    PHOTOGRAPHS,
    SHORT_SIDE,
    OwnImageError,
    Photo,
    accepted,
    fit,
    framed,
    light_ground,
    own_image,
    photograph,
    read_photo,
)

RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
FIVE = ["PNG", "JPEG", "WEBP", "GIF", "BMP"]


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def halves(left=RED, right=BLUE, size=(16, 8), mode="RGB") -> Image.Image:
    image = Image.new(mode, size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that says it has this size, whatever follows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# ---- what comes out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FIVE)
def test_every_accepted_format_gives_its_pixels(kind):
    options = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    found = own_image(encoded(Image.new("RGB", (8, 8), RED), kind, **options), (3, 8, 8))
    assert found.pixels.shape == (3, 8, 8) and found.pixels.dtype == np.uint8 and found.done == ()
    assert np.abs(found.pixels.astype(int).mean((1, 2)) - RED).max() <= 3


def test_a_resize_is_the_mean_of_the_area():
    values = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    found = own_image(encoded(Image.fromarray(values)), (1, 8, 8))
    mean = values.reshape(8, 4, 8, 4).mean((1, 3))
    assert np.abs(found.pixels[0] - mean).max() <= 1  # the two directions are rounded one after the other
    assert found.done == ("shrunk by area from 32 to 8 pixels a side",)


def test_a_small_image_keeps_its_squares():
    values = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    found = own_image(encoded(Image.fromarray(values)), (1, 8, 8))
    assert (found.pixels[0] == values.repeat(2, 0).repeat(2, 1)).all()
    assert found.done == ("enlarged from 4 to 8 pixels a side",)


@pytest.mark.parametrize(("crop", "colour"), [(0.0, RED), (1.0, BLUE)])
@pytest.mark.parametrize("lying", [True, False])
def test_the_square_lies_where_the_crop_says(crop, colour, lying):
    image = halves() if lying else halves().transpose(Image.Transpose.ROTATE_270)
    found = own_image(encoded(image), (3, 8, 8), crop=crop)
    assert (found.pixels == np.array(colour)[:, None, None]).all()
    assert found.done == ("cropped to a square",)
    middle = own_image(encoded(image), (3, 8, 8)).pixels
    assert {tuple(pixel) for pixel in middle.reshape(3, -1).T} == {RED, BLUE}


def test_a_net_for_grey_images_gets_grey():
    found = own_image(encoded(halves(BLACK, WHITE, (8, 8))), (1, 8, 8))
    assert (found.pixels[0, 0] == [0] * 4 + [255] * 4).all() and found.done == ()
    assert own_image(encoded(halves()), (1, 8, 8)).done == ("cropped to a square", "made grey")
    three = own_image(encoded(Image.new("L", (8, 8), 100)), (3, 8, 8))
    assert (three.pixels == 100).all() and three.pixels.shape == (3, 8, 8)


def test_inverted():
    data = encoded(halves(BLACK, WHITE, (8, 8)))
    plain, turned = own_image(data, (1, 8, 8)), own_image(data, (1, 8, 8), invert=True)
    assert (turned.pixels == 255 - plain.pixels).all() and turned.done == ("inverted",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    upright = np.random.default_rng(1).integers(0, 256, (6, 9, 3), np.uint8)
    turns = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (1, 1), 6: (1, 0), 7: (3, 1), 8: (3, 0)}
    quarter, mirrored = turns[orientation]
    stored = np.rot90(upright[:, ::-1] if mirrored else upright, quarter)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encoded(Image.fromarray(stored), exif=exif))
    assert (photo.pixels == upright).all() and photo.size == (9, 6)
    assert photo.done == (() if orientation == 1 else ("turned as its EXIF data say",))


def test_transparent_images_lie_on_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (4, 0, 8, 8))
    for kind in ("PNG", "WEBP"):
        photo = read_photo(encoded(clear, kind, **({"lossless": True} if kind == "WEBP" else {})))
        assert tuple(photo.pixels[0, 0]) == WHITE and tuple(photo.pixels[0, 7]) == RED
        assert photo.done == ("laid on white",)
    assert read_photo(encoded(Image.new("RGBA", (8, 8), (*RED, 255)))).done == ()
    assert tuple(read_photo(encoded(Image.new("LA", (8, 8), (0, 0)))).pixels[0, 0]) == WHITE


def test_palettes_and_single_transparent_colours():
    palette = halves().quantize(4)
    assert {tuple(pixel) for pixel in read_photo(encoded(palette)).pixels.reshape(-1, 3)} == {RED, BLUE}
    clear = read_photo(encoded(palette, transparency=palette.getpixel((0, 0))))
    assert tuple(clear.pixels[0, 0]) == WHITE and tuple(clear.pixels[0, 15]) == BLUE
    keyed = read_photo(encoded(halves(), transparency=RED))
    assert tuple(keyed.pixels[0, 0]) == WHITE and keyed.done == ("laid on white",)
    bits = read_photo(encoded(Image.fromarray(np.eye(8, dtype=bool))))
    assert (bits.pixels[:, :, 0] == 255 * np.eye(8)).all()


def test_sixteen_bits_are_brought_to_eight():
    deep = np.linspace(1000, 41000, 64).reshape(8, 8).astype(np.uint16)
    photo = read_photo(encoded(Image.fromarray(deep)))
    assert np.abs(photo.pixels[:, :, 0] - (deep - 1000.0) / 40000 * 255).max() <= 0.51
    assert photo.done == ("brought from 16 to 8 bits by its own range",)
    assert (read_photo(encoded(Image.fromarray(np.full((8, 8), 9, np.uint16)))).pixels == 0).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_only_the_first_frame_of_an_animation_is_read(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, WHITE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, loop=0)
    photo = read_photo(data)
    assert np.abs(photo.pixels[0, 0].astype(int) - RED).max() <= 3
    assert photo.done == ("the first of several frames",)


def test_what_is_kept_is_small_and_what_is_said_is_true():
    photo = read_photo(encoded(Image.new("RGB", (4000, 3000)), "JPEG"))
    assert min(photo.pixels.shape[:2]) == SHORT_SIDE and photo.size == (4000, 3000)
    assert fit(photo, (3, 32, 32)).done == ("cropped to a square", "shrunk by area from 3000 to 32 pixels a side")
    strip = read_photo(encoded(Image.new("L", (5000, 1))))
    assert strip.pixels.shape == (1, LONG_SIDE, 3) and fit(strip, (1, 8, 8)).pixels.shape == (1, 8, 8)


def test_the_photographs_and_their_frame():
    for name in PHOTOGRAPHS:
        photo = photograph(name)
        assert photo.pixels.shape == (427, 640, 3)
        left, right = (fit(photo, (3, 32, 32), crop=crop).pixels for crop in (0.0, 1.0))
        assert np.abs(left.astype(int) - right).mean() > 5
        preview = framed(photo, 0.0, 96)
        assert preview.shape == (96, 144, 3)
        assert preview[:, 100:].min() >= 120, "faint where it is left away"
        assert np.abs(preview[:, :94].mean((0, 1)) - photo.pixels[:, :420].mean((0, 1))).max() < 2
    with pytest.raises(OwnImageError, match=r"accepted are china.jpg and flower.jpg"):
        photograph("../secret.jpg")


def test_light_and_dark_ground():
    dark = np.zeros((5, 1, 8, 8), np.uint8)
    dark[:, :, 2:6, 2:6] = 255
    assert not light_ground(dark) and light_ground(255 - dark) and light_ground(255 - dark[0])


# ---- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "This file is empty"),
        (b"\0" * (MOST_BYTES + 1), "This file has 8.0 MB"),
        (b"no image at all", "This is no image that can be read here"),
        (b"%PDF-1.7\n%", "This is no image that can be read here"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>", "This is no image that can be read here"),
        (png_of(MOST_PIXELS + 1, 1), f"This image has {MOST_PIXELS + 1} x 1 pixels"),
        (png_of(9000, 9000), "This image has 9000 x 9000 pixels"),
        (png_of(60_000, 60_000), "This image has far too many pixels"),
        (png_of(8, 8, b"\0"), "This image is damaged or incomplete"),
        (png_of(0, 8), ""),
    ],
)
def test_what_is_no_image_for_us_is_one_sentence(data, said):
    with pytest.raises(OwnImageError) as caught:
        own_image(data, (3, 8, 8))
    assert str(caught.value).startswith(said) and str(caught.value).endswith(f"{accepted()}.")
    assert isinstance(caught.value, DataError) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "ICO", "TGA", "EPS", "PDF"])
def test_other_formats_are_no_images_here(kind):
    with pytest.raises(OwnImageError, match="no image that can be read here"):
        read_photo(encoded(Image.new("RGB", (16, 16)), kind))


@pytest.mark.parametrize("kind", FIVE)
def test_a_truncated_file_is_a_sentence(kind):
    noise = np.random.default_rng(2).integers(0, 256, (40, 40, 3), np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    for length in (10, len(whole) // 4, len(whole) // 2, len(whole) - 40):
        with pytest.raises(OwnImageError):
            read_photo(whole[:length])


def test_bombs_are_refused_without_being_decoded():
    bomb = png_of(5100, 5000, bytes(5101 * 5000))
    assert len(bomb) < 2**16, "twenty-five million pixels in a few kilobytes"
    with pytest.raises(OwnImageError, match="5100 x 5000 pixels"):
        read_photo(bomb)
    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "a" * 20_000_000, zip=True)
    with pytest.raises(OwnImageError):
        read_photo(encoded(Image.new("L", (8, 8)), pnginfo=text))


@pytest.mark.medium
@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_refused_and_nothing_else(data):
    with pytest.raises(OwnImageError):
        read_photo(data)


@pytest.mark.medium
@given(st.sampled_from(FIVE), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_is_an_image_or_an_error(kind, changes):
    data = bytearray(encoded(halves(size=(12, 8)), kind))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        photo = read_photo(bytes(data))
    except OwnImageError:
        return
    assert photo.pixels.dtype == np.uint8 and photo.pixels.ndim == 3 and photo.pixels.shape[2] == 3


@pytest.mark.parametrize(("crop", "shape"), [(-0.1, (3, 8, 8)), (1.5, (3, 8, 8)), (float("nan"), (3, 8, 8))])
def test_a_crop_outside_the_image_is_refused(crop, shape):
    with pytest.raises(OwnImageError, match="accepted is a number from 0"):
        own_image(encoded(halves()), shape, crop=crop)


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 8, 9), (4, 32, 32)])
def test_a_shape_that_no_image_has_is_refused(shape):
    with pytest.raises(OwnImageError, match="accepted are squares of 1 or 3 channels"):
        fit(Photo(np.zeros((8, 8, 3), np.uint8), (8, 8)), shape)


def test_many_at_once_are_read_as_one_alone_is():
    data = [encoded(Image.new("RGB", (64, 48), (number, 0, 0))) for number in range(16)]
    found: dict[int, Photo] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: read_photo(data[n])})) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((found[number].pixels == (number, 0, 0)).all() for number in range(16))
