"""A folder of images as a data set: what can be read is read, what cannot is skipped and reported, never fatal."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dfn.data import DataError, folder, load_data


def _fill(top: Path, classes: dict[str, int], size: tuple[int, int] = (10, 8)) -> Path:
    rng = np.random.default_rng(0)
    for name, count in classes.items():
        (top / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
            Image.fromarray(pixels).save(top / name / f"{i}.png")
    return top


def _load(path: Path, **options):
    return load_data(f"folder:{path}", **options)


def _colour(path: Path, name: str = "probe") -> list[int]:
    """The mean colour of the only image that `probe` has besides the filling one, black."""
    dataset = _load(path, size=8)
    label = dataset.classes.index(name)
    images = [s.images[s.labels == label] for s in (dataset.train, dataset.test)]
    means = [image.float().mean((1, 2)).round().int().tolist() for part in images for image in part]
    return next((mean for mean in means if mean != [0, 0, 0]), [0, 0, 0])


@pytest.fixture
def probe(tmp_path):
    """A folder with class `other` and class `probe`, which holds one black image."""
    _fill(tmp_path, {"other": 2, "probe": 0})
    Image.new("RGB", (8, 8)).save(tmp_path / "probe" / "black.png")
    return tmp_path


def test_classes_split_and_record(tmp_path):
    dataset = _load(_fill(tmp_path, {"cats": 10, "dogs": 23, "owls": 2}))
    assert dataset.classes == ("cats", "dogs", "owls")
    assert dataset.test.labels.bincount().tolist() == [2, 4, 1]
    assert dataset.train.labels.bincount().tolist() == [8, 19, 1]
    assert dataset.shape == (3, 32, 32) and dataset.report == ""
    assert (dataset.mirror, dataset.pad, dataset.title) == (True, 4, tmp_path.name)
    again = _load(tmp_path)
    assert dataset.train.images.equal(again.train.images) and dataset.test.images.equal(again.test.images)


def test_train_and_test_folders_are_taken_as_they_are(tmp_path):
    _fill(tmp_path / "train", {"a": 3, "b": 1})
    _fill(tmp_path / "test", {"a": 1, "b": 2})
    dataset = _load(tmp_path, size=8)
    assert dataset.train.labels.tolist() == [0, 1, 0, 0] and dataset.test.labels.tolist() == [0, 1, 1]
    _fill(tmp_path / "test", {"c": 1})
    with pytest.raises(DataError, match="class c is in only one of"):
        _load(tmp_path)


def test_what_cannot_be_used_is_skipped_and_reported(tmp_path):
    _fill(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "readme.txt").write_text("not in a class")
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / "empty.png").write_bytes(b"")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "a" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    (tmp_path / "b" / "deeper").mkdir()
    whole = (tmp_path / "a" / "0.png").read_bytes()
    (tmp_path / "b" / "cut.png").write_bytes(whole[: len(whole) // 2])
    huge = bytearray(whole)
    huge[16:24] = struct.pack(">II", 9000, 9000)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    (tmp_path / "b" / "huge.png").write_bytes(huge)
    huge[16:24] = struct.pack(">II", 60000, 60000)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    (tmp_path / "b" / "bomb.png").write_bytes(huge)

    dataset = _load(tmp_path)
    assert len(dataset.train) + len(dataset.test) == 6
    assert dataset.report.startswith("8 files skipped: ")
    for part in (
        "readme.txt (not in a class folder)",
        "a/notes.txt (not an image)",
        "a/empty.png (empty file)",
        "a/drawing.eps (not an image)",
        "b/deeper (not a file)",
        "b/cut.png (broken: ",
        "b/huge.png (9000x9000 pixels, more than 50 million)",
        "b/bomb.png (more than 50 million pixels)",
    ):
        assert part in dataset.report
    assert "DS_Store" not in dataset.report


def test_a_long_report_is_cut_and_says_so(tmp_path):
    _fill(tmp_path, {"a": 2, "b": 2})
    for i in range(30):
        (tmp_path / "a" / f"{i}.txt").write_text("x")
    report = _load(tmp_path).report
    assert report.startswith("30 files skipped") and report.endswith("and 10 more")


@pytest.mark.parametrize("side", [16, 400])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_images_turn_as_their_exif_data_say(mode, side, probe):
    image = Image.new(mode, (side, side))
    image.paste("white", (0, 0, side, side // 2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: the upper half comes to the right
    image.save(probe / "probe" / "turned.jpg", exif=exif)
    dataset = _load(probe, size=8)
    (turned,) = [i for s in (dataset.train, dataset.test) for i in s.images[s.labels == 1] if i.max() > 0]
    assert turned[..., :3].max() < 30 and turned[..., 5:].min() > 225


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("RGBA", (8, 8), (9, 9, 9, 0)), [255, 255, 255]),
        (Image.new("LA", (8, 8), (100, 255)), [100, 100, 100]),
        (Image.new("P", (8, 8), 1), [10, 20, 30]),
        (Image.new("1", (8, 8), 1), [255, 255, 255]),
        (Image.new("L", (8, 8), 40), [40, 40, 40]),
    ],
    ids=lambda value: getattr(value, "mode", ""),
)
def test_every_colour_mode_becomes_rgb(image, colour, probe):
    if image.mode == "P":
        image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(probe / "probe" / "mode.png")
    assert _colour(probe) == colour


def test_transparent_palettes_cmyk_and_16_bit(probe):
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(probe / "probe" / "x.png", transparency=1)
    assert _colour(probe) == [255, 255, 255]
    (probe / "probe" / "x.png").unlink()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(probe / "probe" / "x.jpg", quality=95)
    red, green, blue = _colour(probe)
    assert red > 240 and green < 20 and blue < 20
    (probe / "probe" / "x.jpg").unlink()
    ramp = np.linspace(1000, 4000, 64).reshape(8, 8)
    Image.fromarray(ramp.astype(np.uint16)).save(probe / "probe" / "x.png")
    assert all(120 < value < 135 for value in _colour(probe))


def test_the_middle_square_is_kept_and_resized(probe):
    image = Image.new("RGB", (64, 32), (200, 0, 0))
    image.paste((0, 0, 200), (16, 0, 48, 32))
    image.save(probe / "probe" / "wide.png")
    red, green, blue = _colour(probe)
    assert red < 10 and green == 0 and blue > 190
    assert _load(probe, size=16).shape == (3, 16, 16)


def test_a_class_without_images_is_refused_by_name(tmp_path):
    _fill(tmp_path, {"a": 2, "b": 2, "ghosts": 0})
    with pytest.raises(DataError, match=r"class 'ghosts' in .* has no image that can be read"):
        _load(tmp_path)
    (tmp_path / "ghosts" / "boo.txt").write_text("boo")
    with pytest.raises(DataError, match=r"'ghosts'.*ghosts/boo\.txt \(not an image\)"):
        _load(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "ghosts" / "one.png")
    with pytest.raises(DataError, match=r"class 'ghosts' in .* has 1 image: at least 2"):
        _load(tmp_path)


def test_what_is_no_folder_of_classes_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="is not a folder"):
        _load(tmp_path / "nowhere")
    with pytest.raises(DataError, match="has 0 sub-folders: expected are 2 to 1000"):
        _load(tmp_path)
    _fill(tmp_path, {"a": 2})
    with pytest.raises(DataError, match="has 1 sub-folders"):
        _load(tmp_path)
    _fill(tmp_path, {"b": 2})
    monkeypatch.setattr(folder, "MAX_BYTES", 1000)
    with pytest.raises(DataError, match="4 files, too many for memory at size=32"):
        _load(tmp_path)
